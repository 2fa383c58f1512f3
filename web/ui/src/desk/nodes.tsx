// The steps of the flow that a customer can be given back to, or that the flow is asked to
// run: searched, with why one is closed to them now.
import type { Language } from "../language.ts";
import { useApi } from "../staff/api.ts";
import { Dialog } from "../staff/dialog.tsx";
import { Fault, Waiting } from "../staff/fault.tsx";
import { useLoad } from "../staff/load.ts";
import { useLanguage } from "../staff/settings.tsx";
import type { Node } from "./answers.ts";
import { useDesk, useRun } from "./context.tsx";
import { Picker } from "./picker.tsx";
import type { Option } from "./picker.tsx";
import type { Item } from "./store.ts";
import { saidIn, useDeskWords } from "./words.ts";

const inner = new Set(["branch", "set", "hours", "http", "end", "resume", "ticket", "message"]); // verbs that say nothing to the customer: their steps come last

const next = "next"; // where the flow goes on by itself; a step has a slash in it

export function NodesDialog({ item, ask, onClose }: { item: Item; ask: boolean; onClose(): void }) {
  const w = useDeskWords();
  const language = useLanguage();
  const api = useApi();
  const { hold } = useDesk();
  const run = useRun();
  const nodes = useLoad<{ nodes: Node[] }>((signal) => api.get(`tasks/${item.id}/nodes`, signal), [api, item.id]);
  const open = (n: Node) => (ask ? (n.asks ?? n.allowed) : n.allowed);
  const sorted = [...(nodes.value?.nodes ?? [])].filter((n) => !ask || open(n) || n.asks !== false || n.allowed).sort((a, b) => Number(open(b)) - Number(open(a)) || Number(inner.has(a.verb)) - Number(inner.has(b.verb)));
  const options: Option[] = [
    ...(ask ? [] : [{ key: next, text: w.handBackNext, label: <strong>{w.handBackNext}</strong> }]),
    ...sorted.map((n) => ({
      key: `${n.flow}/${n.step}`,
      text: `${n.flow} ${n.step} ${n.words.en} ${n.words.zh}`,
      off: !open(n),
      label: (
        <span class="node">
          <span>
            <strong>{n.step.replaceAll("_", " ")}</strong> <span class="tag">{n.flow}</span>
            {n.here && <span class="badge good">{w.nodeHere}</span>}
            {n.secret && <span class="badge warn">{w.nodeSecret}</span>}
          </span>
          <span class="soft">{(!open(n) && saidIn(n.why, language)) || wordsOf(n, language)}</span>
        </span>
      ),
    })),
  ];
  const take = async (key: string) => {
    const command = ask
      ? ({ t: "ask", task: item.id, fence: item.fence, step: key } as const)
      : ({ t: "hand_back", task: item.id, fence: item.fence, ...(key === next ? {} : { step: key }) } as const);
    if (await run(hold.ask(command))) onClose();
  };
  return (
    <Dialog title={ask ? w.askTitle : w.handBackTitle} onClose={onClose}>
      {ask && <p class="soft">{w.askWhat}</p>}
      {nodes.error && <Fault error={nodes.error} onRetry={nodes.reload} />}
      {!nodes.value && !nodes.error && <Waiting />}
      <Picker label={w.searchNodes} options={options} none={w.noNodes} onTake={(key) => void take(key)} />
    </Dialog>
  );
}

// wordsOf is what a step says or does, without its name, which stands above.
function wordsOf(n: Node, language: Language): string {
  const said = saidIn(n.words, language);
  return said.startsWith(`${n.step}: `) ? said.slice(n.step.length + 2) : said;
}
