// Whom a customer is handed to, or who is asked into the call: colleagues with how they are,
// queues, or a number.
import { useState } from "preact/hooks";
import { useApi } from "../staff/api.ts";
import { Dialog } from "../staff/dialog.tsx";
import { Fault, Waiting } from "../staff/fault.tsx";
import { useLoad } from "../staff/load.ts";
import type { Colleague, Directory } from "./answers.ts";
import { useDesk, useHeld, useRun } from "./context.tsx";
import { Picker } from "./picker.tsx";
import type { Option } from "./picker.tsx";
import { loadOf } from "./protocol.ts";
import type { Load } from "./protocol.ts";
import type { Item } from "./store.ts";
import { useDeskWords, useFaceWords } from "./words.ts";
import type { DeskWords } from "./words.ts";

const number = /^\+?[0-9][0-9 ()-]{1,31}$/;

interface HandProps {
  item: Item;
  consult: boolean;
  onLink(role: "specialist" | "listener"): void; // somebody is to come by a link
  onClose(): void;
}

export function HandDialog({ item, consult, onLink, onClose }: HandProps) {
  const w = useDeskWords();
  const fw = useFaceWords();
  const api = useApi();
  const { hold } = useDesk();
  const s = useHeld();
  const run = useRun();
  const [query, setQuery] = useState("");
  const directory = useLoad<Directory>((signal) => api.get("directory", signal), [api]);
  const load = loadOf(item.kind);
  const typed = query.trim();
  const options: Option[] = [
    ...(consult && number.test(typed) ? [{ key: `n:${typed}`, group: w.number, label: w.callNumber(typed), text: typed }] : []),
    ...(directory.value?.agents ?? []).filter((a) => a.name !== s.name).map((a) => colleague(a, load, consult, w)),
    ...(consult ? (["specialist", "listener"] as const).map((role) => ({ key: `l:${role}`, group: fw.linkGroup, text: `${fw.roleLink[role]} link`, label: <Line name={fw.roleLink[role]!} facts={fw.roleLinkFacts[role]!} /> })) : []),
    ...(consult ? [] : (directory.value?.queues ?? []).map((q) => ({ key: `q:${q.name}`, group: w.queues, text: q.name, label: <Line name={q.name} facts={w.queueFacts(q.waiting, q.free)} /> }))),
  ];
  const take = async (key: string) => {
    const name = key.slice(2);
    if (key.startsWith("l:")) return onLink(name === "listener" ? "listener" : "specialist");
    const command = consult
      ? ({ t: "call", task: item.id, do: "consult", to: key.startsWith("n:") ? { number: name.replace(/[ ()-]/g, "") } : { agent: name } } as const)
      : ({ t: "transfer", task: item.id, fence: item.fence, ...(key.startsWith("q:") ? { queue: name } : { agent: name }) } as const);
    if (await run(hold.ask(command))) onClose();
  };
  return (
    <Dialog title={consult ? w.consultTitle : w.transferTitle} onClose={onClose}>
      {directory.error && <Fault error={directory.error} onRetry={directory.reload} />}
      {!directory.value && !directory.error && <Waiting />}
      <Picker label={consult ? w.searchPeople : w.searchTargets} options={options} none={!consult && number.test(typed) ? w.cannotDialHere : w.nobodyFound} onTake={(key) => void take(key)} onSearch={setQuery} />
      {!consult && <p class="soft">{w.transferKeepsPlace}</p>}
    </Dialog>
  );
}

function colleague(a: Colleague, load: Load, consult: boolean, w: DeskWords): Option {
  const there = a.presence === "available" && a.reachable.includes(consult ? "voice" : load);
  const busy = a.busy.includes(consult ? "voice" : load);
  const facts = a.presence !== "available" ? (w.presences[a.presence] ?? a.presence) : !there ? w.colleagueUnreachable : busy ? w.colleagueBusy : w.presences["available"]!;
  return {
    key: `a:${a.name}`,
    group: w.colleagues,
    text: `${a.name} ${a.display} ${a.teams.join(" ")}`,
    off: consult && (!there || busy),
    label: <Line name={a.display && a.display !== a.name ? `${a.display} (${a.name})` : a.name} facts={facts} state={there && !busy ? "available" : a.presence === "offline" ? "offline" : "away"} />,
  };
}

function Line({ name, facts, state }: { name: string; facts: string; state?: string }) {
  return (
    <>
      {state && <span class={`dot ${state}`} aria-hidden="true" />}
      <span class="option-name">{name}</span>
      <span class="soft">{facts}</span>
    </>
  );
}
