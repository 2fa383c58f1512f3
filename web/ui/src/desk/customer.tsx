// The customer of what is chosen: who they are and how surely, what the flow knows, what was
// before, what happened, and the notes.
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { nameOf as languageNamed } from "../language.ts";
import { useApi } from "../staff/api.ts";
import { Waiting } from "../staff/fault.tsx";
import { useLoad } from "../staff/load.ts";
import { useLanguage } from "../staff/settings.tsx";
import { clock, dateTime } from "../staff/time.ts";
import type { Contact, CustomerView, Story } from "./answers.ts";
import { useDesk, useHeld } from "./context.tsx";
import { AnswersTable } from "./facts.tsx";
import { LookAt } from "./look.tsx";
import { nameOf, useView } from "./names.ts";
import { isAddress } from "./reach.ts";
import { NoteForm, NoteList } from "./notes.tsx";
import { CallBack } from "./other.tsx";
import { itemOf, readable } from "./store.ts";
import { namedIn, useDeskWords, useJournalWords } from "./words.ts";
import type { JournalWords } from "./words.ts";

export function CustomerPane() {
  const w = useDeskWords();
  const { chosen } = useDesk();
  const s = useHeld();
  const item = chosen ? itemOf(s, chosen) : undefined;
  return (
    <aside class="desk-customer" id="customer" tabIndex={-1} aria-label={w.customerPane}>
      <header class="pane-head">
        <h2>{w.customer}</h2>
      </header>
      {item ? <Customer key={item.id} task={item.id} /> : <p class="empty">{w.noCustomer}</p>}
    </aside>
  );
}

function Customer({ task }: { task: string }) {
  const w = useDeskWords();
  const s = useHeld();
  const { view } = useView(task);
  const item = itemOf(s, task);
  if (!view) return <Waiting />;
  const offered = item?.stage === "offered";
  return (
    <div class="customer-view">
      <Person view={view} />
      {item?.stage === "assigned" && item.kind !== "call" && item.kind !== "callback" && item.kind !== "voicemail" && <CallBack item={item} />}
      <Part title={w.answers}>
        <AnswersTable answers={view.answers} none={w.noAnswers} />
      </Part>
      {(view.notes.length > 0 || (!offered && item?.stage !== "wrapping")) && (
        <Part title={w.notes}>
          {view.notes.length > 0 && <NoteList notes={view.notes} />}
          {!offered && item?.stage !== "wrapping" && <NoteForm task={task} id="note" />}
        </Part>
      )}
      <Part title={w.contacts}>{view.contacts.length === 0 ? <p class="soft">{w.noContacts}</p> : <Contacts list={view.contacts} />}</Part>
      {view.open.length > 0 && (
        <Part title={w.alsoOpen}>
          <ul class="plain-list">
            {view.open.map((t) => (
              <li key={t.id}>
                {w.kinds[t.kind] ?? t.kind} · {t.queue} {t.ticket && <span class="tag">{t.ticket}</span>}
              </li>
            ))}
          </ul>
        </Part>
      )}
      <Journal task={task} />
    </div>
  );
}

function Part({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="part">
      <h3>{title}</h3>
      {children}
    </section>
  );
}

function Person({ view }: { view: CustomerView }) {
  const w = useDeskWords();
  const language = useLanguage();
  const i = view.interaction;
  const { name: _, lang, ...details } = view.details;
  const speaks = i.lang || (typeof lang === "string" ? lang : "");
  const known = view.assurance !== "none" && view.assurance !== "";
  return (
    <section class="person">
      <p class="person-name">
        <strong>{nameOf(view, w)}</strong>
        {view.task.level && <span class="badge warn">{w.levels[view.task.level] ?? view.task.level}</span>}
      </p>
      <p class="person-assurance">
        <span class="soft">{w.assurance}</span> <span class={`badge ${known ? "good" : ""}`}>{w.assurances[view.assurance] ?? view.assurance}</span>{" "}
        {view.assurance_until && <span class="soft">{w.assuranceUntil(clock(view.assurance_until, language).slice(0, 5))}</span>}
      </p>
      <dl class="facts">
        <Fact name={w.interaction} value={i.number} mono />
        <Fact name={w.from} value={i.from && isAddress(i.from) ? i.from : ""} mono />
        <Fact name={w.language} value={speaks && languageNamed(speaks, language)} />
        <Fact name={w.knownSince} value={view.since && dateTime(view.since, language)} />
      </dl>
      {!view.customer && <p class="soft">{w.notKnown}</p>}
      {Object.keys(details).length > 0 && <AnswersTable answers={details} none="" />}
      {view.bindings.length > 0 && (
        <ul class="plain-list" aria-label={w.bindings}>
          {view.bindings.map((b) => (
            <li key={`${b.kind} ${b.value}`}>
              <span class="soft">{w.bindingKinds[b.kind] ?? b.kind}</span> {b.value.replace(/^chat:/, "")} <span class="tag">{b.checked ? w.bindingChecked(dateTime(b.checked, language)) : w.bindingHint}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Fact({ name, value, mono }: { name: string; value: string | undefined; mono?: boolean }) {
  if (!value) return null;
  return (
    <div>
      <dt>{name}</dt>
      <dd class={mono ? "mono" : ""}>{value}</dd>
    </div>
  );
}

function Contacts({ list }: { list: readonly Contact[] }) {
  const w = useDeskWords();
  const { standing } = useDesk();
  const came = (c: Contact) => {
    const named = standing?.dispositions?.find((d) => d.name === c.disposition);
    return named ? namedIn(named, language) : (c.disposition ?? (c.outcome && (w.outcomes[c.outcome] ?? c.outcome)) ?? w.states[c.state]);
  };
  const language = useLanguage();
  return (
    <ol class="contacts">
      {list.map((c) => (
        <li key={c.id}>
          <p>
            <time dateTime={c.started}>{dateTime(c.started, language)}</time> <span class="tag">{c.channels.map((ch) => w.channels[ch] ?? ch).join(" · ")}</span>
          </p>
          <p class="soft">
            {[c.queue ?? c.flow, came(c), c.agents.length > 0 ? w.servedBy(c.agents.join(", ")) : ""].filter(Boolean).join(" · ")}
          </p>
          {c.notes.length > 0 && <NoteList notes={c.notes} />}
        </li>
      ))}
    </ol>
  );
}

// Journal is what happened, as far as it says something to an agent.
function Journal({ task }: { task: string }) {
  const w = useDeskWords();
  const api = useApi();
  const jw = useJournalWords();
  const language = useLanguage();
  const s = useHeld();
  const turn = s.turn[task] ?? 0;
  const may = readable(s, task);
  const { overseer } = useDesk();
  const has = itemOf(s, task)?.stage === "assigned";
  const story = useLoad<Story | null>((signal) => (may ? api.get<Story>(`tasks/${task}`, signal) : Promise.resolve(null)), [api, task]);
  useEffect(() => {
    if (turn > 0 && may) story.reload();
  }, [turn]);
  const events = (story.value?.story.events ?? []).filter((e) => e.kind in jw); // others say nothing to an agent
  if (events.length === 0) return null;
  const earlier = story.value?.story.earlier ?? 0;
  return (
    <details class="part journal-part">
      <summary>
        <h3>{w.journal}</h3>
      </summary>
      {earlier > 0 && <p class="soft">{w.journalEarlier(earlier)}</p>}
      <ol class="journal">
        {events.map((e) => (
          <li key={e.seq} class={e.kind.split(".")[0]}>
            <time dateTime={e.at}>{clock(e.at, language)}</time>
            <span>
              {jw[e.kind as keyof JournalWords]({ actor: e.actor, ...e.data })} <LookAt interaction={story.value?.task.interaction ?? ""} event={e} plays={overseer} looks={overseer || has} />
            </span>
          </li>
        ))}
      </ol>
    </details>
  );
}
