// Sends the customer the link of an operation: which, with what filled in, and by which way.
import { useState } from "preact/hooks";
import { useApi } from "../staff/api.ts";
import { Choice } from "../staff/bar.tsx";
import { Dialog } from "../staff/dialog.tsx";
import { Fault, Waiting } from "../staff/fault.tsx";
import { useLoad } from "../staff/load.ts";
import { useLanguage } from "../staff/settings.tsx";
import type { Operation } from "./answers.ts";
import { useDesk, useRun } from "./context.tsx";
import type { Item } from "./store.ts";
import { namedIn, useDeskWords } from "./words.ts";

export function LinkDialog({ item, onClose }: { item: Item; onClose(): void }) {
  const w = useDeskWords();
  const api = useApi();
  const language = useLanguage();
  const { hold } = useDesk();
  const run = useRun();
  const list = useLoad<{ operations: Operation[]; by: string[] }>((signal) => api.get(`tasks/${item.id}/operations`, signal), [api, item.id]);
  const [name, setName] = useState("");
  const [by, setBy] = useState("");
  const [values, setValues] = useState<Record<string, string>>({});
  const all = list.value?.operations ?? [];
  const operation = all.find((o) => o.name === name) ?? all[0];
  const ways = list.value?.by ?? [];
  const send = async (e: Event) => {
    e.preventDefault();
    if (!operation) return;
    const params = Object.fromEntries(operation.params.map((p) => [p.name, typed(values[p.name] ?? textOf(p.value), p.type)] as const).filter(([, v]) => v !== ""));
    const way = by || ways[0];
    if (await run(hold.ask({ t: "link", task: item.id, operation: operation.name, params, ...(way ? { by: way } : {}) }), w.linkSent)) onClose();
  };
  return (
    <Dialog title={w.sendLinkTitle} onClose={onClose}>
      {list.error && <Fault error={list.error} onRetry={list.reload} />}
      {!list.value && !list.error && <Waiting />}
      {list.value && all.length === 0 && <p class="soft">{w.noOperations}</p>}
      {operation && (
        <form class="form" onSubmit={send}>
          <div class="field">
            <label for="link-operation">{w.operation}</label>
            <select id="link-operation" value={operation.name} onChange={(e) => (setName(e.currentTarget.value), setValues({}))}>
              {all.map((o) => (
                <option key={o.name} value={o.name}>
                  {namedIn(o, language)}
                </option>
              ))}
            </select>
            {operation.needs && operation.needs !== "none" && <span class="hint">{w.needsLevel(w.assurances[operation.needs] ?? operation.needs)}</span>}
          </div>
          {operation.params.map((p) => (
            <div class="field" key={p.name}>
              <label for={`link-${p.name}`}>{p.required ? p.name.replaceAll("_", " ") : w.optional(p.name.replaceAll("_", " "))}</label>
              <input id={`link-${p.name}`} required={p.required ?? false} value={values[p.name] ?? textOf(p.value)} inputMode={p.type === "number" ? "decimal" : "text"} onInput={(e) => setValues({ ...values, [p.name]: e.currentTarget.value })} />
            </div>
          ))}
          {ways.length > 1 && <Choice name="link-by" label={w.byWay} values={ways} current={by || ways[0]!} onChoose={setBy} labelOf={(x) => w.ways[x] ?? x} />}
          {ways.length === 1 && <p class="soft">{w.goesBy(w.ways[ways[0]!] ?? ways[0]!)}</p>}
          <div class="actions">
            <button type="submit" class="main">
              {w.sendLink}
            </button>
          </div>
        </form>
      )}
    </Dialog>
  );
}

const textOf = (v: unknown): string => (v === undefined || v === null ? "" : typeof v === "string" ? v : JSON.stringify(v));

// typed is what was written as what the operation wants; what is none goes as it is, and the
// server says what is wrong.
function typed(text: string, type: string): unknown {
  if (type === "number" && text.trim() !== "" && Number.isFinite(Number(text))) return Number(text);
  if (type === "bool" || type === "boolean") return text === "true" ? true : text === "false" ? false : text;
  return text;
}
