// All queues together: one number beside the other, each opening what is behind it.
import type { ComponentChildren } from "preact";
import { useLanguage } from "../staff/settings.tsx";
import { clock } from "../staff/time.ts";
import type { Behind } from "./context.tsx";
import { useAround, useClock, useLive } from "./context.tsx";
import { agentStates, long, percent } from "./figures.ts";
import { useBoardWords } from "./words.ts";

export function Tiles() {
  const w = useBoardWords();
  const language = useLanguage();
  const live = useLive();
  const { show } = useAround();
  useClock(1000);
  const now = live.now();
  const waiting = live.queues.reduce((n, q) => n + q.total + q.offered, 0);
  const oldest = Math.min(...live.queues.map((q) => (q.oldest ? Date.parse(q.oldest) : Infinity)));
  const due = Math.min(...live.queues.map((q) => (q.due_next ? Date.parse(q.due_next) : Infinity)));
  const late = due - now < 0;
  const all = live.all;
  const line = (title: string, state = "waiting"): Behind => ({ of: "line", title, queue: "", kind: "", state, agent: "" });
  return (
    <section class="tiles" aria-label={w.summary}>
      <Tile name={w.waiting} open={() => show(line(w.waiting))}>
        {waiting}
      </Tile>
      <Tile name={w.longest} open={() => show(line(w.longest))}>
        {Number.isFinite(oldest) ? long((now - oldest) / 1000) : w.none}
      </Tile>
      <Tile name={w.dueNext} mood={Number.isFinite(due) && late ? "bad" : ""} open={() => show(line(w.dueNext))}>
        {Number.isFinite(due) ? (late ? w.overdue(long((now - due) / 1000)) : w.inTime(long((due - now) / 1000))) : w.none}
      </Tile>
      <Tile name={w.level} title={w.levelTitle} open={() => show({ of: "past", title: w.level, queue: "", kind: "", what: "" })}>
        {percent(all?.today.level)}
      </Tile>
      <Tile name={w.answered} open={() => show({ of: "past", title: w.answered, queue: "", kind: "", what: "answered" })}>
        {all?.today.answered ?? 0}
      </Tile>
      <Tile name={w.abandoned} mood={(all?.today.left ?? 0) > 0 ? "warn" : ""} open={() => show({ of: "past", title: w.abandoned, queue: "", kind: "", what: "left" })}>
        {all?.today.left ?? 0}
      </Tile>
      <div class="tile crew" role="group" aria-label={w.agents}>
        <span class="tile-name">{w.agents}</span>
        <span class="crew-states">
          {agentStates.map((s) => (
            <a key={s} href={`#/agents?state=${s}`} class={`crew-state is-${s}`}>
              <b>{all?.agents[s] ?? 0}</b> {w.agentStates[s]}
            </a>
          ))}
        </span>
      </div>
      {all && !all.whole && (
        <p class="tiles-note" role="status">
          {w.partDay}
        </p>
      )}
      {all?.whole && <p class="tiles-note soft">{w.sinceToday(clock(all.since, language))}</p>}
    </section>
  );
}

function Tile({ name, title, mood = "", open, children }: { name: string; title?: string; mood?: "" | "bad" | "warn"; open(): void; children: ComponentChildren }) {
  const w = useBoardWords();
  return (
    <button type="button" class={`tile ${mood}`} title={title ?? w.behind(name)} onClick={open}>
      <span class="tile-name">{name}</span> <strong>{children}</strong>
    </button>
  );
}
