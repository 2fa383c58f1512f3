// One contact: who, where they stand, what can be done, and everything that happened.
import { useEffect, useRef, useState } from "preact/hooks";
import { LookAt } from "../desk/look.tsx";
import { useJournalWords } from "../desk/words.ts";
import { useAnnounce } from "../staff/announce.tsx";
import { useApi, pathOf } from "../staff/api.ts";
import { Fault, Waiting } from "../staff/fault.tsx";
import { Icon } from "../staff/icon.tsx";
import { asApiError, useLoad } from "../staff/load.ts";
import { useLanguage } from "../staff/settings.tsx";
import { clock, dateTime } from "../staff/time.ts";
import { sentenceOf } from "../staff/fault.tsx";
import { useStaffWords } from "../staff/words.ts";
import { ActDialog } from "./actions.tsx";
import type { Act } from "./actions.tsx";
import type { LineTask, Story, StoryEvent } from "./answers.ts";
import { useAround, useLive } from "./context.tsx";
import { lasts } from "./figures.ts";
import { partiesOf } from "./parties.ts";
import { useBoardWords } from "./words.ts";

const again = 3_000; // milliseconds between readings of one that goes on

export function StoryView({ id }: { id: string }) {
  const api = useApi();
  const loaded = useLoad<Story>((signal) => api.get(pathOf("interactions", id), signal), [api, id]);
  const closed = loaded.value?.interaction.state === "closed";
  const reload = useRef(loaded.reload);
  reload.current = loaded.reload;
  useEffect(() => {
    if (closed) return;
    const timer = window.setInterval(() => {
      if (document.visibilityState === "visible") reload.current();
    }, again);
    return () => window.clearInterval(timer);
  }, [id, closed]);
  if (loaded.error && !loaded.value) return <Fault error={loaded.error} onRetry={loaded.reload} />;
  if (!loaded.value) return <Waiting />;
  return <Told story={loaded.value} onDone={loaded.reload} />;
}

function Told({ story, onDone }: { story: Story; onDone(): void }) {
  const w = useBoardWords();
  const language = useLanguage();
  const { picture, acts } = useAround();
  const i = story.interaction;
  const facts: [string, string][] = [
    [w.number, i.number],
    [w.from, i.from ?? ""],
    [w.channel, i.channels.map((c) => w.ways[c] ?? c).join(", ")],
    [w.entry, i.entry],
    [w.state, w.states[i.state === "queued" ? "waiting" : i.state] ?? i.state],
    [w.assurance, w.assurances[story.assurance] ?? story.assurance],
    [w.began, dateTime(i.started, language)],
    [w.ended, i.ended ? dateTime(i.ended, language) : ""],
    [w.outcome, i.outcome ?? ""],
  ];
  return (
    <div class="story">
      {i.erased && <p class="note-line">{w.erased}</p>}
      <dl class="facts">
        {facts
          .filter(([, value]) => value !== "")
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
      <div class="actions">
        <button type="button" onClick={() => picture(i.flow, i.id, i.number)}>
          <Icon name="flow" />
          {w.onPicture}
        </button>
      </div>
      {acts ? <Actions story={story} onDone={onDone} /> : <p class="soft">{w.mayNot}</p>}
      <Parties events={story.events} />
      <Answers answers={story.answers} />
      <Timeline story={story} />
    </div>
  );
}

function Actions({ story, onDone }: { story: Story; onDone(): void }) {
  const w = useBoardWords();
  const sw = useStaffWords();
  const live = useLive();
  const announce = useAnnounce();
  const { ear } = useAround();
  const [doing, setDoing] = useState<{ act: Act; task?: LineTask } | null>(null);
  const open = story.tasks.filter((t) => t.state !== "done");
  const i = story.interaction;
  const heard = live.listening?.task ?? ear.task;
  const leave = (task: string) => {
    ear.leave(task).then(onDone, (err: unknown) => announce(sentenceOf(asApiError(err), sw), "bad"));
  };
  const offers = (t: LineTask): Act[] => {
    if (t.state === "waiting") return ["queue", "pull", "priority", "end"];
    if (t.state === "offered") return ["queue", "end"];
    if (t.state !== "assigned") return [];
    const join: Act[] = t.kind === "call" || t.kind === "callback" ? ["listen", "whisper", "barge"] : t.kind === "chat" || t.kind === "sms" ? ["listen", "barge"] : [];
    return [...join, "queue", "pull"];
  };
  return (
    <section class="story-actions" aria-label={w.actions}>
      {open.map((t) => (
        <div key={t.id} class="task-actions">
          <p>
            <strong>{w.kind[t.kind]}</strong> · {t.queue} · {w.states[t.state] ?? t.state}
            {t.agent && ` · ${t.agent}`} · {lasts(w, t, live.now())}
          </p>
          <div class="actions">
            {offers(t).map((act) => (
              <button key={act} type="button" class={act === "end" ? "danger" : ""} onClick={() => setDoing({ act, task: t })}>
                {w.do[act]}
              </button>
            ))}
            {heard === t.id && (
              <button type="button" class="danger" onClick={() => leave(t.id)}>
                {w.do.leave}
              </button>
            )}
          </div>
          {(t.kind === "chat" || t.kind === "sms") && t.state === "assigned" && <Whisper task={t.id} onDone={onDone} />}
        </div>
      ))}
      {i.state !== "closed" && !open.some((t) => t.state === "assigned") && (
        <div class="actions">
          <button type="button" onClick={() => setDoing({ act: "take" })}>
            {w.do.take}
          </button>
        </div>
      )}
      {doing && (
        <ActDialog
          act={doing.act}
          of={doing.task ? { task: doing.task, interaction: i.id } : { interaction: i.id }}
          title={`${i.number}${doing.task ? ` · ${doing.task.queue}` : ""}`}
          onClose={(done) => {
            setDoing(null);
            if (done) onDone();
          }}
        />
      )}
    </section>
  );
}

// Whisper writes to the agent of a chat what the customer does not see.
function Whisper({ task, onDone }: { task: string; onDone(): void }) {
  const w = useBoardWords();
  const sw = useStaffWords();
  const { live } = useAround();
  const announce = useAnnounce();
  const [text, setText] = useState("");
  const send = (e: Event) => {
    e.preventDefault();
    if (text.trim() === "") return;
    live.wire.ask({ t: "whisper", task, text } as never).then(
      () => {
        setText("");
        announce(w.done["message"] ?? "");
        onDone();
      },
      (err: unknown) => announce(sentenceOf(asApiError(err), sw), "bad"),
    );
  };
  return (
    <form class="whisper" onSubmit={send}>
      <input
        value={text}
        maxLength={2000}
        aria-label={w.whisperText}
        placeholder={w.whisperText}
        onInput={(e) => setText(e.currentTarget.value)}
        onKeyDown={(e) => {
          if (e.key === "Enter" && e.isComposing) e.stopPropagation();
        }}
      />
      <button type="submit" disabled={text.trim() === ""}>
        {w.do.message}
      </button>
    </form>
  );
}

function Parties({ events }: { events: readonly StoryEvent[] }) {
  const w = useBoardWords();
  const { live } = useAround();
  const all = partiesOf(events, live.now());
  if (all.length === 0) return null;
  return (
    <section aria-label={w.parties}>
      <h3>{w.parties}</h3>
      <table class="parties">
        <thead>
          <tr>
            <th scope="col">{w.party}</th>
            <th scope="col">{w.role}</th>
            <th scope="col" class="number">{w.seconds}</th>
            <th scope="col" class="number">{w.held}</th>
          </tr>
        </thead>
        <tbody>
          {all.map((p) => (
            <tr key={p.leg}>
              <td>{p.name || (w.roles[p.role] ?? p.role)}</td>
              <td>{w.roles[p.role] ?? p.role}</td>
              <td class="number">{p.seconds.toFixed(1)}</td>
              <td class="number">{p.held.toFixed(1)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Answers({ answers }: { answers: Record<string, unknown> }) {
  const w = useBoardWords();
  const names = Object.keys(answers).sort();
  return (
    <section aria-label={w.answers}>
      <h3>{w.answers}</h3>
      {names.length === 0 ? (
        <p class="soft">{w.noAnswers}</p>
      ) : (
        <dl class="facts">
          {names.map((name) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{typeof answers[name] === "string" ? (answers[name] as string) : JSON.stringify(answers[name])}</dd>
            </div>
          ))}
        </dl>
      )}
    </section>
  );
}

function Timeline({ story }: { story: Story }) {
  const w = useBoardWords();
  const { acts } = useAround();
  const j = useJournalWords() as Record<string, (d: Record<string, unknown>) => string>;
  const language = useLanguage();
  return (
    <section aria-label={w.timeline}>
      <h3>{w.timeline}</h3>
      {(story.earlier ?? 0) > 0 && <p class="soft">{w.earlier(story.earlier ?? 0)}</p>}
      <ol class="timeline">
        {story.events
          .filter((e) => j[e.kind] !== undefined)
          .map((e) => (
            <li key={e.seq}>
              <time dateTime={e.at}>{clock(e.at, language)}</time>
              <span>
                {j[e.kind]!({ actor: e.actor, ...e.data })} <LookAt interaction={story.interaction.id} event={e} plays={acts} looks={acts} />
              </span>
            </li>
          ))}
      </ol>
    </section>
  );
}
