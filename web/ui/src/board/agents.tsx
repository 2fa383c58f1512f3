// All agents, a thousand of them too: only the rows in sight are drawn.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Agent, Load } from "../desk/protocol.ts";
import { Icon } from "../staff/icon.tsx";
import { useShortcuts } from "../staff/keys.tsx";
import { AgentActions } from "./actions.tsx";
import type { Counts } from "./answers.ts";
import { useAround, useClock, useLive } from "./context.tsx";
import { agentStates, long, stateOf } from "./figures.ts";
import { kindIcons } from "./queues.tsx";
import { useBoardWords } from "./words.ts";

const beside = 6; // rows drawn beyond those in sight

interface Props {
  state: string; // filters of the address
  queue: string;
  onFilter(state: string, queue: string): void;
}

export function Agents({ state, queue, onFilter }: Props) {
  const w = useBoardWords();
  const live = useLive();
  const [text, setText] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const teams = live.queue(queue)?.teams;
  const wanted = text.trim().toLowerCase();
  const shown = useMemo(
    () => live.agents.filter((a) => (state === "" || stateOf(a) === state) && (!teams || a.teams.some((t) => teams.includes(t))) && (wanted === "" || a.name.toLowerCase().includes(wanted))),
    [live.agents, state, teams, wanted],
  );
  useShortcuts([{ keys: "/", what: w.keySearch, group: w.keysBoard, run: () => field.current?.focus() }]);
  return (
    <section class="agents" aria-label={w.agents}>
      <div class="agents-head">
        <label class="field">
          <span>{w.search}</span>
          <input type="search" ref={field} value={text} onInput={(e) => setText(e.currentTarget.value)} />
        </label>
        <label class="field">
          <span>{w.filterState}</span>
          <select value={state} onChange={(e) => onFilter(e.currentTarget.value, queue)}>
            <option value="">{w.anyState}</option>
            {agentStates.map((s) => (
              <option key={s} value={s}>
                {w.agentStates[s]}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span>{w.queue}</span>
          <select value={queue} onChange={(e) => onFilter(state, e.currentTarget.value)}>
            <option value="">{w.allQueues}</option>
            {live.queues.map((q) => (
              <option key={q.name} value={q.name}>
                {q.name}
              </option>
            ))}
          </select>
        </label>
        <p class="soft agents-count" role="status">
          {w.agentsShown(shown.length, live.agents.length)}
        </p>
      </div>
      {shown.length === 0 ? <p class="empty">{w.noAgents}</p> : <Rows agents={shown} />}
    </section>
  );
}

// Rows draws those in sight: the list is as high as all of them, and the drawn ones stand at
// their places in it.
function Rows({ agents }: { agents: readonly Agent[] }) {
  const w = useBoardWords();
  const host = useRef<HTMLDivElement>(null);
  const [sight, setSight] = useState({ top: 0, height: 600, row: 44 });
  const [at, setAt] = useState(0);
  const [open, setOpen] = useState<string>("");
  useClock(1000);
  useEffect(() => {
    const el = host.current;
    if (!el) return;
    const measure = () => setSight({ top: el.scrollTop, height: el.clientHeight, row: parseFloat(getComputedStyle(el).getPropertyValue("--row")) * parseFloat(getComputedStyle(document.documentElement).fontSize) || 44 });
    measure();
    const watch = new ResizeObserver(measure);
    watch.observe(el);
    el.addEventListener("scroll", measure, { passive: true });
    return () => {
      watch.disconnect();
      el.removeEventListener("scroll", measure);
    };
  }, []);
  const first = Math.max(0, Math.floor(sight.top / sight.row) - beside);
  const last = Math.min(agents.length, Math.ceil((sight.top + sight.height) / sight.row) + beside);
  const current = Math.min(at, agents.length - 1);
  const move = (e: KeyboardEvent) => {
    const page = Math.max(1, Math.floor(sight.height / sight.row) - 1);
    const to = { ArrowDown: current + 1, ArrowUp: current - 1, PageDown: current + page, PageUp: current - page, Home: 0, End: agents.length - 1 }[e.key];
    if (e.key === "Enter" && agents[current]) {
      setOpen(agents[current].name);
      e.preventDefault();
      return;
    }
    if (to === undefined) return;
    e.preventDefault();
    const next = Math.min(Math.max(0, to), agents.length - 1);
    setAt(next);
    const el = host.current;
    if (!el) return;
    if (next * sight.row < el.scrollTop) el.scrollTop = next * sight.row;
    else if ((next + 1) * sight.row > el.scrollTop + el.clientHeight) el.scrollTop = (next + 1) * sight.row - el.clientHeight;
  };
  const chosen = agents.find((a) => a.name === open);
  return (
    <>
      <div
        class="agent-rows"
        ref={host}
        role="listbox"
        tabIndex={0}
        aria-label={w.agents}
        aria-activedescendant={agents[current] && current >= first && current < last ? `agent-${current}` : undefined}
        onKeyDown={move}
      >
        <div class="agent-rows-all" role="presentation" style={{ height: `${agents.length * sight.row}px` }}>
          {agents.slice(first, last).map((a, i) => (
            <Row key={a.name} agent={a} at={first + i} of={agents.length} row={sight.row} current={first + i === current} onOpen={() => (setAt(first + i), setOpen(a.name))} />
          ))}
        </div>
      </div>
      {chosen && <AgentActions agent={chosen} onClose={() => setOpen("")} />}
    </>
  );
}

const loads: readonly Load[] = ["voice", "chat", "sms", "work"];

function Row({ agent, at, of, row, current, onOpen }: { agent: Agent; at: number; of: number; row: number; current: boolean; onOpen(): void }) {
  const w = useBoardWords();
  const { live } = useAround();
  const state: keyof Counts = stateOf(agent);
  const since = agent.holds[0]?.since ?? agent.since;
  const reached = loads.filter((l) => agent.reachable[l]);
  return (
    <div id={`agent-${at}`} role="option" aria-selected={current} aria-setsize={of} aria-posinset={at + 1} class={`agent-row ${current ? "current" : ""}`} style={{ top: `${at * row}px`, height: `${row}px` }} onClick={onOpen}>
      <span class="agent-name">{agent.name}</span>
      <span class={`agent-state is-${state}`}>
        <i aria-hidden="true" />
        {state === "busy" && agent.holds.every((h) => h.state === "offered") ? w.ringing : w.agentStates[state]}
        {agent.reason && state === "away" && <span class="soft"> · {agent.reason}</span>}
      </span>
      <span class="agent-since">{since ? long((live.now() - Date.parse(since)) / 1000) : ""}</span>
      <span class="agent-holds">
        {agent.holds.map((h) => (
          <span key={`${h.task}${h.fence}`} class={`chip hold-${h.state}`} title={`${w.kind[h.kind]}: ${w.states[h.state] ?? h.state}`}>
            <Icon name={kindIcons[h.kind]} />
            <span class="unseen">
              {w.kind[h.kind]}: {w.states[h.state] ?? h.state}
            </span>
            {long((live.now() - Date.parse(h.since)) / 1000)}
          </span>
        ))}
      </span>
      <span class="agent-reach soft">{reached.length > 0 ? reached.map((l) => w.reachOf[l]).join(" · ") : w.unreached}</span>
      <span class="agent-missed">{(agent.missed ?? 0) > 0 && w.missed(agent.missed ?? 0)}</span>
    </div>
  );
}
