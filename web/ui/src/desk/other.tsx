// Voicemails, tickets and callbacks: work that comes by the same line as calls and chats.
import { useRef, useState } from "preact/hooks";
import { useApi } from "../staff/api.ts";
import { Fault, Waiting } from "../staff/fault.tsx";
import { Icon } from "../staff/icon.tsx";
import { useKeysOf } from "../staff/keys.tsx";
import { useLoad } from "../staff/load.ts";
import { useLanguage } from "../staff/settings.tsx";
import { dateTime } from "../staff/time.ts";
import type { Ticket } from "./answers.ts";
import { useDesk, useRun } from "./context.tsx";
import { AnswersTable } from "./facts.tsx";
import { keys } from "./keylist.ts";
import { nameOf, useView } from "./names.ts";
import { reachable } from "./reach.ts";
import type { Item } from "./store.ts";
import { useDeskWords } from "./words.ts";

// Head names what is worked on, and ends it.
function Head({ item, label }: { item: Item; label: string }) {
  const w = useDeskWords();
  const { hold } = useDesk();
  const run = useRun();
  const shown = useKeysOf();
  const { view } = useView(item.id);
  return (
    <header class="work-head">
      <h2>
        {nameOf(view, w)} <span class="soft">{label}</span>
      </h2>
      <button type="button" class="main" title={shown(keys.finish)} onClick={() => void run(hold.ask({ t: "release", task: item.id, fence: item.fence }))}>
        <Icon name="check" />
        {w.finish}
      </button>
    </header>
  );
}

export function Voicemail({ item }: { item: Item }) {
  const w = useDeskWords();
  const [gone, setGone] = useState(false);
  return (
    <article class="work-one">
      <Head item={item} label={w.voicemail} />
      {gone ? (
        <p class="soft">{w.noAudio}</p>
      ) : (
        <figure>
          <audio controls preload="none" src={`/api/v1/tasks/${item.id}/audio`} onError={() => setGone(true)} aria-label={w.listen} />
          <figcaption class="soft">{w.audioNote}</figcaption>
        </figure>
      )}
      {item.task?.note && <p>{item.task.note}</p>}
      <CallBack item={item} />
    </article>
  );
}

export function Callback({ item }: { item: Item }) {
  const w = useDeskWords();
  return (
    <article class="work-one">
      <Head item={item} label={w.callback} />
      <p>{w.callbackWhat}</p>
      {(item.task?.tries ?? 0) > 0 && <p class="soft">{w.tries(item.task?.tries ?? 0)}</p>}
    </article>
  );
}

// CallBack places a call to the customer of something.
export function CallBack({ item }: { item: Item }) {
  const w = useDeskWords();
  const { hold } = useDesk();
  const run = useRun();
  const { view } = useView(item.id);
  if (!reachable(view)) return null;
  return (
    <p>
      <button type="button" onClick={() => void run(hold.ask({ t: "place", interaction: item.task?.interaction ?? "" }))}>
        <Icon name="phone" />
        {w.callCustomer}
      </button>
    </p>
  );
}

export function TicketView({ item }: { item: Item }) {
  const w = useDeskWords();
  const api = useApi();
  const language = useLanguage();
  const ticket = useLoad<Ticket>((signal) => api.get(`tasks/${item.id}/ticket`, signal), [api, item.id]);
  const t = ticket.value;
  return (
    <article class="work-one">
      <Head item={item} label={`${w.ticket} ${item.task?.ticket ?? ""}`} />
      {ticket.error && <Fault error={ticket.error} onRetry={ticket.reload} />}
      {!t && !ticket.error && <Waiting />}
      {t && (
        <>
          <dl class="facts">
            <div>
              <dt>{w.ticketStatus}</dt>
              <dd>{w.ticketStatuses[t.status] ?? t.status}</dd>
            </div>
            <div>
              <dt>{w.ticketDue}</dt>
              <dd>{dateTime(t.due, language)}</dd>
            </div>
            <div>
              <dt>{w.ticketOwner}</dt>
              <dd>{t.owner || "–"}</dd>
            </div>
            <div>
              <dt>{w.ticketForm}</dt>
              <dd>{t.form}</dd>
            </div>
          </dl>
          <section>
            <h3>{w.ticketFields}</h3>
            {t.erased ? <p class="soft">{w.erased}</p> : <AnswersTable answers={t.fields} none={w.noAnswers} />}
          </section>
          <TicketForm item={item} ticket={t} onSaved={ticket.reload} />
          <section>
            <h3>{w.ticketHistory}</h3>
            <ol class="journal">
              {t.history.map((h) => (
                <li key={`${h.at} ${h.actor}`}>
                  <time dateTime={h.at}>{dateTime(h.at, language)}</time>
                  <span>
                    <strong>{h.actor}</strong> {[h.status && (w.ticketStatuses[h.status] ?? h.status), h.owner, h.note, h.told].filter(Boolean).join(" · ")}
                  </span>
                </li>
              ))}
            </ol>
          </section>
        </>
      )}
    </article>
  );
}

const statuses = ["open", "working", "waiting", "done"] as const;

function TicketForm({ item, ticket, onSaved }: { item: Item; ticket: Ticket; onSaved(): void }) {
  const w = useDeskWords();
  const api = useApi();
  const { kept, hold } = useDesk();
  const run = useRun();
  const draft = `ticket ${item.id}`;
  const [status, setStatus] = useState(ticket.status);
  const [until, setUntil] = useState("");
  const [note, setNote] = useState(() => kept.draft(draft));
  const [told, setTold] = useState(() => kept.draft(`${draft} told`));
  const busy = useRef(false);
  const keep = (what: string, set: (text: string) => void) => (text: string) => {
    set(text);
    kept.keepDraft(what, text, hold.now());
  };
  const save = async (e: Event) => {
    e.preventDefault();
    if (busy.current) return;
    busy.current = true;
    const change = { ...(status !== ticket.status || until ? { status } : {}), ...(until ? { until: new Date(until).toISOString() } : {}), ...(note.trim() ? { note } : {}), ...(told.trim() ? { told } : {}) };
    const done = await run(api.post(`tasks/${item.id}/ticket`, change), w.ticketSaved);
    busy.current = false;
    if (!done) return;
    keep(draft, setNote)("");
    keep(`${draft} told`, setTold)("");
    onSaved();
  };
  return (
    <form class="form" onSubmit={save}>
      <div class="field-row">
        <div class="field">
          <label for={`${item.id}-status`}>{w.ticketStatus}</label>
          <select id={`${item.id}-status`} value={status} onChange={(e) => setStatus(e.currentTarget.value)}>
            {statuses.map((s) => (
              <option key={s} value={s}>
                {w.ticketStatuses[s]}
              </option>
            ))}
          </select>
        </div>
        {status === "waiting" && (
          <div class="field">
            <label for={`${item.id}-until`}>{w.ticketUntil}</label>
            <input id={`${item.id}-until`} type="datetime-local" value={until} onInput={(e) => setUntil(e.currentTarget.value)} />
          </div>
        )}
      </div>
      <div class="field">
        <label for={`${item.id}-note`}>{w.ticketNote}</label>
        <textarea id={`${item.id}-note`} maxLength={2000} value={note} onInput={(e) => keep(draft, setNote)(e.currentTarget.value)} />
      </div>
      <div class="field">
        <label for={`${item.id}-told`}>{w.ticketTold}</label>
        <textarea id={`${item.id}-told`} maxLength={1000} value={told} onInput={(e) => keep(`${draft} told`, setTold)(e.currentTarget.value)} />
      </div>
      <div class="actions">
        <button type="submit" class="main">
          {w.ticketSave}
        </button>
      </div>
    </form>
  );
}
