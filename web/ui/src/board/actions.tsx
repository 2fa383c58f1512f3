// What supervisors do, each with a reason that the audit log keeps: one dialog for all of it.
import { useId, useState } from "preact/hooks";
import type { Agent } from "../desk/protocol.ts";
import { useAnnounce } from "../staff/announce.tsx";
import { useApi, pathOf } from "../staff/api.ts";
import type { ApiError } from "../staff/api.ts";
import { Dialog } from "../staff/dialog.tsx";
import { Fault } from "../staff/fault.tsx";
import { asApiError } from "../staff/load.ts";
import type { LineTask } from "./answers.ts";
import { useAround } from "./context.tsx";
import type { Part } from "./ear.ts";
import { long, stateOf } from "./figures.ts";
import { useBoardWords } from "./words.ts";

export type Act = "queue" | "pull" | "priority" | "end" | "listen" | "whisper" | "barge" | "take" | "presence" | "wrap";

export interface Subject {
  task?: LineTask;
  interaction?: string;
  agent?: string;
  fence?: number;
}

const mostWhy = 500; // characters

interface Props {
  act: Act;
  of: Subject;
  title: string;
  onClose(done: boolean): void;
}

export function ActDialog({ act, of, title, onClose }: Props) {
  const w = useBoardWords();
  const api = useApi();
  const announce = useAnnounce();
  const { live, ear } = useAround();
  const id = useId();
  const [why, setWhy] = useState("");
  const [queue, setQueue] = useState(live.queues.find((q) => q.name !== of.task?.queue)?.name ?? "");
  const [agent, setAgent] = useState(live.agents.find((a) => stateOf(a) === "free")?.name ?? live.agents[0]?.name ?? "");
  const [minutes, setMinutes] = useState("10");
  const [presence, setPresence] = useState<Agent["presence"]>("away");
  const [reason, setReason] = useState("");
  const [error, setError] = useState<ApiError | null>(null);
  const [missing, setMissing] = useState(false);
  const [busy, setBusy] = useState(false);
  const voice = of.task === undefined || of.task.kind === "call" || of.task.kind === "callback";

  // spoken tells whether a chat has voice beside it.
  const spoken = (task: string) => api.get(pathOf("tasks", task, "call")).then(() => true, () => false);
  const run = async () => {
    const task = of.task?.id ?? "";
    const served = of.task?.state === "assigned"; // it is taken from its agent
    switch (act) {
      case "queue":
        return api.post(pathOf("tasks", task, served ? "take" : "queue"), { queue, why });
      case "pull":
        return api.post(pathOf("tasks", task, served ? "take" : "pull"), { agent, why });
      case "priority":
        return api.post(pathOf("tasks", task, "priority"), { seconds: Number(minutes) * 60, why });
      case "end":
        return api.post(pathOf("tasks", task, "end"), { why });
      case "take":
        return api.post(pathOf("interactions", of.interaction ?? "", "take_over"), { agent, why });
      case "presence":
        return api.put(pathOf("agents", of.agent ?? "", "presence"), { presence, reason: presence === "away" ? reason : "", why });
      case "wrap":
        return api.post(pathOf("agents", of.agent ?? "", "wrap"), { fence: of.fence, why });
      default: {
        const by = voice ? "voice" : (await spoken(task)) ? "both" : "text";
        if (!(await ear.join(task, of.interaction ?? of.task?.interaction ?? "", act as Part, why, by)) && by === "both") announce(w.readsAlone);
      }
    }
  };
  const send = async (e: Event) => {
    e.preventDefault();
    if (busy) return;
    if (why.trim() === "") {
      setMissing(true);
      document.getElementById(`${id}-why`)?.focus();
      return;
    }
    setBusy(true);
    setError(null);
    try {
      await run();
      const said = w.done[act];
      if (said) announce(said);
      onClose(true);
    } catch (err) {
      setError(asApiError(err));
      setBusy(false);
    }
  };
  return (
    <Dialog
      title={w.do[act]}
      onClose={() => onClose(false)}
      footer={
        <>
          <button type="button" onClick={() => onClose(false)}>
            {w.back}
          </button>
          <button type="submit" form={`${id}-form`} class={`main ${act === "end" ? "danger" : ""}`} disabled={busy}>
            {w.doIt}
          </button>
        </>
      }
    >
      <p class="soft">{title}</p>
      <form id={`${id}-form`} class="form" onSubmit={send} noValidate>
        {act === "queue" && (
          <label class="field">
            <span>{w.toQueue}</span>
            <select value={queue} onChange={(e) => setQueue(e.currentTarget.value)}>
              {live.queues.map((q) => (
                <option key={q.name} value={q.name} disabled={q.name === of.task?.queue}>
                  {`${q.name} (${w.waiting}: ${q.total})`}
                </option>
              ))}
            </select>
          </label>
        )}
        {(act === "pull" || act === "take") && (
          <label class="field">
            <span>{w.toAgent}</span>
            <select value={agent} onChange={(e) => setAgent(e.currentTarget.value)}>
              {[...live.agents]
                .sort((a, b) => Number(stateOf(b) === "free") - Number(stateOf(a) === "free"))
                .map((a) => (
                  <option key={a.name} value={a.name}>
                    {`${a.name} (${w.agentStates[stateOf(a)]})`}
                  </option>
                ))}
            </select>
          </label>
        )}
        {act === "priority" && (
          <label class="field">
            <span>{w.headStart}</span>
            <input type="number" inputMode="decimal" min="0" max="1440" step="1" value={minutes} aria-describedby={`${id}-hint`} onInput={(e) => setMinutes(e.currentTarget.value)} />
            <span class="hint" id={`${id}-hint`}>
              {w.headStartHint}
            </span>
          </label>
        )}
        {act === "presence" && (
          <label class="field">
            <span>{w.presence}</span>
            <select value={presence} onChange={(e) => setPresence(e.currentTarget.value as Agent["presence"])}>
              {(["available", "away", "offline"] as const).map((p) => (
                <option key={p} value={p}>
                  {w.presences[p]}
                </option>
              ))}
            </select>
          </label>
        )}
        {act === "presence" && presence === "away" && (
          <label class="field">
            <span>{w.presenceReason}</span>
            <input value={reason} maxLength={64} onInput={(e) => setReason(e.currentTarget.value)} />
          </label>
        )}
        {(act === "whisper" || act === "barge") && voice && <p class="hint">{w.micNeeded}</p>}
        <label class="field">
          <span>{w.why}</span>
          <textarea id={`${id}-why`} value={why} maxLength={mostWhy} required aria-invalid={missing && why.trim() === ""} aria-describedby={`${id}-why-hint`} onInput={(e) => setWhy(e.currentTarget.value)} />
          <span class={missing && why.trim() === "" ? "hint wrong" : "hint"} id={`${id}-why-hint`} role={missing ? "alert" : undefined}>
            {missing && why.trim() === "" ? w.whyNeeded : w.whyHint}
          </span>
        </label>
        {error && <Fault error={error} />}
      </form>
    </Dialog>
  );
}

// AgentActions is one agent: what they have, and what can be done about it.
export function AgentActions({ agent, onClose }: { agent: Agent; onClose(): void }) {
  const w = useBoardWords();
  const { acts, show, live } = useAround();
  const [doing, setDoing] = useState<{ act: Act; of: Subject } | null>(null);
  if (doing) return <ActDialog act={doing.act} of={doing.of} title={agent.name} onClose={() => onClose()} />;
  return (
    <Dialog title={agent.name} onClose={onClose}>
      <p>
        <span class={`agent-state is-${stateOf(agent)}`}>
          <i aria-hidden="true" />
          {w.agentStates[stateOf(agent)]}
        </span>{" "}
        <span class="soft">{agent.teams.join(", ")}</span>
      </p>
      <ul class="holds">
        {agent.holds.map((h) => (
          <li key={`${h.task}${h.fence}`}>
            <span>
              {w.kind[h.kind]} · {w.states[h.state] ?? h.state} · {long((live.now() - Date.parse(h.since)) / 1000)}
            </span>
            {acts && h.state === "wrapping" && (
              <button type="button" onClick={() => setDoing({ act: "wrap", of: { agent: agent.name, fence: h.fence } })}>
                {w.do.wrap}
              </button>
            )}
          </li>
        ))}
      </ul>
      <div class="actions">
        <button
          type="button"
          onClick={() => {
            onClose();
            show({ of: "line", title: agent.name, queue: "", kind: "", state: "", agent: agent.name });
          }}
        >
          {w.contactsOf(agent.name)}
        </button>
        {acts && (
          <button type="button" onClick={() => setDoing({ act: "presence", of: { agent: agent.name } })}>
            {w.do.presence}
          </button>
        )}
      </div>
      {!acts && <p class="soft">{w.mayNot}</p>}
    </Dialog>
  );
}
