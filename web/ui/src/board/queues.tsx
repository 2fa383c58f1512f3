// Every queue in a row, voice and text; each number opens what is behind it.
import { Icon } from "../staff/icon.tsx";
import type { IconName } from "../staff/icon.tsx";
import type { TaskKind } from "../desk/protocol.ts";
import type { Figures } from "./answers.ts";
import type { Behind } from "./context.tsx";
import { useAround, useClock, useLive } from "./context.tsx";
import { agentStates, kindsInOrder, long, percent } from "./figures.ts";
import { useBoardWords } from "./words.ts";

export const kindIcons: Record<TaskKind, IconName> = { call: "phone", chat: "chat", sms: "sms", callback: "callback", voicemail: "voicemail", ticket: "ticket" };

export function Queues() {
  const w = useBoardWords();
  const live = useLive();
  useClock(1000);
  if (live.at > 0 && live.queues.length === 0) return <p class="empty">{w.noQueues}</p>;
  return (
    <div class="table-scroll queues-scroll" role="region" aria-label={w.tabs.queues} tabIndex={0}>
      <table class="queues stack">
        <thead>
          <tr>
            <th scope="col">{w.queue}</th>
            <th scope="col">{w.waiting}</th>
            <th scope="col" class="number">{w.longest}</th>
            <th scope="col" class="number">{w.dueNext}</th>
            <th scope="col" class="number">{w.served}</th>
            <th scope="col" class="number" title={w.levelTitle}>{w.level}</th>
            <th scope="col" class="number">{w.answered}</th>
            <th scope="col" class="number">{w.abandoned}</th>
            <th scope="col" class="number">{w.p90}</th>
            <th scope="col">{w.agents}</th>
          </tr>
        </thead>
        <tbody>
          {live.queues.map((q) => (
            <Row key={q.name} q={q} now={live.now()} alarmed={live.alerts.some((a) => a.queue === q.name)} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ q, now, alarmed }: { q: Figures; now: number; alarmed: boolean }) {
  const w = useBoardWords();
  const { show } = useAround();
  const oldest = q.oldest ? (now - Date.parse(q.oldest)) / 1000 : null;
  const due = q.due_next ? (Date.parse(q.due_next) - now) / 1000 : null;
  const line = (title: string, kind: TaskKind | "" = "", state = "waiting"): Behind => ({ of: "line", title: `${q.name}: ${title}`, queue: q.name, kind, state, agent: "" });
  const past = (title: string, what: "answered" | "left" | ""): Behind => ({ of: "past", title: `${q.name}: ${title}`, queue: q.name, kind: "", what });
  const kinds = kindsInOrder.filter((k) => (q.waiting[k] ?? 0) > 0);
  return (
    <tr class={alarmed ? "alarmed" : ""}>
      <th scope="row" class="queue-name">
        {alarmed && <Icon name="warning" />}
        {q.name}
      </th>
      <td data-label={w.waiting}>
        <span class="waiting-cell">
          <Number value={q.total + q.offered} what={line(w.waiting)} strong={q.total + q.offered > 0} />
          {kinds.map((k) => (
            <button key={k} type="button" class="chip" onClick={() => show(line(w.kinds[k], k))} aria-label={w.behind(`${q.name}, ${w.kinds[k]}: ${q.waiting[k]}`)} title={w.kinds[k]}>
              <Icon name={kindIcons[k]} />
              {q.waiting[k]}
            </button>
          ))}
          {q.offered > 0 && (
            <button type="button" class="chip ringing" onClick={() => show(line(w.ringing, "", "offered"))}>
              {w.ringing} {q.offered}
            </button>
          )}
        </span>
      </td>
      <td class="number" data-label={w.longest}>{oldest === null ? w.none : long(oldest)}</td>
      <td class={`number ${due !== null && due < 0 ? "late" : ""}`} data-label={w.dueNext}>
        {due === null ? w.none : due < 0 ? w.overdue(long(-due)) : w.inTime(long(due))}
      </td>
      <td class="number" data-label={w.served}>
        <Number value={q.assigned + q.wrapping} what={line(w.served, "", "assigned")} />
      </td>
      <td class="number" data-label={w.level}>
        <Level part={q.today.level} />
      </td>
      <td class="number" data-label={w.answered}>
        <Number value={q.today.answered} what={past(w.answered, "answered")} />
      </td>
      <td class="number" data-label={w.abandoned}>
        <Number value={q.today.left} what={past(w.abandoned, "left")} warn={q.today.left > 0} />
      </td>
      <td class="number" data-label={w.p90}>{q.today.p90 === undefined ? w.none : long(q.today.p90)}</td>
      <td data-label={w.agents}>
        <span class="crew-states">
          {agentStates
            .filter((s) => q.agents[s] > 0 || s === "free")
            .map((s) => (
              <a key={s} href={`#/agents?state=${s}&queue=${encodeURIComponent(q.name)}`} class={`crew-state is-${s}`} title={w.agentStates[s]}>
                <b>{q.agents[s]}</b> <span>{w.agentStates[s]}</span>
              </a>
            ))}
        </span>
      </td>
    </tr>
  );
}

function Number({ value, what, strong, warn }: { value: number; what: Behind; strong?: boolean; warn?: boolean }) {
  const w = useBoardWords();
  const { show } = useAround();
  return (
    <button type="button" class={`figure ${strong ? "strong" : ""} ${warn ? "warn" : ""}`} onClick={() => show(what)} aria-label={`${value}. ${w.behind(what.title)}`}>
      {value}
    </button>
  );
}

function Level({ part }: { part: number | undefined }) {
  const mood = part === undefined ? "" : part >= 0.8 ? "good" : part >= 0.6 ? "fair" : "poor";
  return (
    <span class={`level ${mood}`}>
      {part !== undefined && (
        <svg viewBox="0 0 40 6" width="40" height="6" aria-hidden="true">
          <rect width="40" height="6" rx="3" />
          <rect class="fill" width={40 * part} height="6" rx="3" />
        </svg>
      )}
      {percent(part)}
    </span>
  );
}
