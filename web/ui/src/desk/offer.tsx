// An offer, before it is taken: what, for which queue, how long they have waited, why this
// agent; and what was said so far. Who it is stands beside it.
import { Icon } from "../staff/icon.tsx";
import { useLanguage } from "../staff/settings.tsx";
import { dateTime, span } from "../staff/time.ts";
import { useApi } from "../staff/api.ts";
import { useLoad } from "../staff/load.ts";
import type { Story } from "./answers.ts";
import { useDesk, useHeld, useNow, useChanges } from "./context.tsx";
import { Answers, iconOf } from "./list.tsx";
import { Lines } from "./messages.tsx";
import { nameOf, useView } from "./names.ts";
import { isCall, isTalk } from "./protocol.ts";
import { here } from "./store.ts";
import type { Item } from "./store.ts";
import { saidIn, useDeskWords } from "./words.ts";
import { AnswersTable } from "./facts.tsx";

export function Offer({ item, small }: { item: Item; small: boolean }) {
  const w = useDeskWords();
  const language = useLanguage();
  const api = useApi();
  const { seat, choose } = useDesk();
  const s = useHeld();
  const now = useNow();
  const { view } = useView(item.id);
  useChanges(seat);
  // After a reload the offer comes without its reason: the task has it.
  const story = useLoad<Story | null>((signal) => (item.decision ? Promise.resolve(null) : api.get<Story>(`tasks/${item.id}`, signal)), [item.id, item.fence, item.decision === undefined]);
  const why = item.decision ?? story.value?.decision;
  const last = small ? view?.contacts[0] : undefined; // of the chosen one all stand beside it
  const arrived = here(item.task?.arrived, s.skew);
  const left = Math.max(0, (item.until - now) / 1000);
  const whole = Math.max(1, (item.until - item.since) / 1000);
  return (
    <article class={`offer ${small ? "small" : ""}`} aria-label={w.offerOf(w.kinds[item.kind] ?? item.kind, item.task?.queue ?? "")}>
      <header>
        <span class="offer-icon">
          <Icon name={iconOf[item.kind]} />
        </span>
        <div>
          <h2>
            <button type="button" class="linkish" onClick={() => choose(item.id)}>
              {nameOf(view, w)}
            </button>
          </h2>
          <p class="soft">
            {w.offerOf(w.kinds[item.kind] ?? item.kind, item.task?.queue ?? "")}
            {item.task?.level && <span class="badge warn">{w.levels[item.task.level] ?? item.task.level}</span>}
          </p>
        </div>
        <p class="offer-wait">
          <Icon name="clock" />
          {w.waited(span((now - arrived) / 1000))}
        </p>
      </header>
      {item.until > 0 && (
        <p class="offer-left">
          <span>{w.offerEnds}</span>
          <progress max={whole} value={left} aria-hidden="true" />
          <strong class="clock">{span(left)}</strong>
        </p>
      )}
      <Answers item={item} />
      {isCall(item.kind) && seat.state !== "up" && s.me?.phone && <p class="soft">{w.phoneRings}</p>}
      {item.kind === "callback" && <p>{w.callbackWhat}</p>}
      {item.task?.note && <p>{item.task.note}</p>}
      {why && (
        <section>
          <h3>{w.whyYou}</h3>
          <p>{saidIn(why.why, language)}</p>
        </section>
      )}
      <section>
        <h3>{w.answers}</h3>
        <AnswersTable answers={view?.answers ?? story.value?.story.answers} none={w.noAnswers} />
      </section>
      {last && (
        <p class="soft">{w.lastContact(dateTime(last.started, language), last.channels.map((c) => w.channels[c] ?? c).join(" · "), last.queue ?? last.flow ?? "")}</p>
      )}
      {!small && isTalk(item.kind) && (s.logs[item.id]?.list.length ?? 0) > 0 && (
        <section>
          <h3>{w.saidBefore}</h3>
          <Lines task={item.id} />
        </section>
      )}
    </article>
  );
}
