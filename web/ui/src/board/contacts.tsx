// The contacts behind a number, in a panel beside the board: the list, and the story of one.
import { useEffect, useRef } from "preact/hooks";
import { useApi } from "../staff/api.ts";
import { Fault, Waiting } from "../staff/fault.tsx";
import { Icon } from "../staff/icon.tsx";
import { useLoad } from "../staff/load.ts";
import { useLanguage } from "../staff/settings.tsx";
import { clock } from "../staff/time.ts";
import type { LineTask, PastContact, Where, WherePage } from "./answers.ts";
import type { Behind } from "./context.tsx";
import { useAround, useLive } from "./context.tsx";
import { lasts, long } from "./figures.ts";
import { kindIcons } from "./queues.tsx";
import { StoryView } from "./story.tsx";
import { useBoardWords } from "./words.ts";

const most = 100; // that are listed at once
const again = 2_000; // milliseconds between readings while the line changes

interface Props {
  behind: Behind | null;
  interaction: string; // whose story is open; "" = the list
  onTell(interaction: string): void;
  onClose(): void;
}

export function Contacts({ behind, interaction, onTell, onClose }: Props) {
  const w = useBoardWords();
  const root = useRef<HTMLElement>(null);
  useEffect(() => root.current?.querySelector<HTMLElement>("h2")?.focus(), [behind, interaction]);
  return (
    <aside
      class="contacts"
      ref={root}
      aria-label={w.contacts}
      onKeyDown={(e) => {
        if (e.key !== "Escape" || document.querySelector("dialog[open]")) return;
        e.stopPropagation();
        if (interaction !== "" && behind) onTell("");
        else onClose();
      }}
    >
      <header class="contacts-head">
        {interaction !== "" && behind && (
          <button type="button" class="quiet square" aria-label={w.back} title={w.back} onClick={() => onTell("")}>
            <Icon name="left" />
          </button>
        )}
        <h2 tabIndex={-1}>{interaction !== "" ? w.story : w.contactsOf(behind?.title ?? "")}</h2>
        <button type="button" class="quiet square" aria-label={w.closePanel} title={w.closePanel} onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      <div class="contacts-body">
        {interaction !== "" ? <StoryView id={interaction} /> : behind && <List behind={behind} onTell={onTell} />}
      </div>
    </aside>
  );
}

interface Entry {
  key: string;
  interaction: string;
  icon: LineTask["kind"] | undefined;
  head: string;
  says: string[];
  late: boolean;
}

function List({ behind, onTell }: { behind: Behind; onTell(interaction: string): void }) {
  const w = useBoardWords();
  const language = useLanguage();
  const api = useApi();
  const live = useLive();
  const { live: at } = useAround();
  const turn = Math.floor(live.now() / again); // read again as the line goes on, not with every frame
  const seen = useRef(0);
  if (live.turn > 0 && turn > seen.current) seen.current = turn;
  const loaded = useLoad<{ entries: Entry[]; total: number }>(
    async (signal) => {
      const q = new URLSearchParams();
      const set = (name: string, value: string) => value !== "" && q.set(name, value);
      const line = (t: LineTask): Entry => ({
        key: t.id,
        interaction: t.interaction,
        icon: t.kind,
        head: `${w.kind[t.kind]} · ${t.queue}`,
        says: [w.states[t.state] ?? t.state, t.agent ?? "", lasts(w, t, at.now()), t.place ? w.position(t.place.position) : ""],
        late: (t.state === "waiting" || t.state === "offered") && !!t.due && Date.parse(t.due) < at.now(),
      });
      const past = (c: PastContact): Entry => ({
        key: c.task + c.at,
        interaction: c.interaction,
        icon: c.kind,
        head: `${w.kind[c.kind]} · ${c.queue}`,
        says: [c.what === "left" ? w.abandoned : (c.agent ?? ""), clock(c.at, language), w.waited(long(c.waited)), c.what === "answered" ? (c.within ? w.inTimeMark : w.lateMark) : ""],
        late: c.what === "left" || !c.within,
      });
      const step = (x: Where): Entry => ({
        key: x.interaction,
        interaction: x.interaction,
        icon: undefined,
        head: x.number ?? x.entry,
        says: [w.ways[x.channel ?? ""] ?? "", w.atStep(x.step), long((at.now() - Date.parse(x.since)) / 1000)],
        late: false,
      });
      switch (behind.of) {
        case "line": {
          set("queue", behind.queue), set("kind", behind.kind), set("state", behind.state), set("agent", behind.agent);
          q.set("limit", String(most));
          const read = () => api.get<{ tasks: LineTask[]; total: number }>(`line?${q}`, signal);
          const page = await read();
          if (behind.state !== "waiting") return { entries: page.tasks.map(line), total: page.total };
          q.set("state", "offered"); // who rings is not served yet
          const ringing = await read();
          return { entries: [...ringing.tasks, ...page.tasks].map(line), total: page.total + ringing.total };
        }
        case "past": {
          set("queue", behind.queue), set("kind", behind.kind), set("what", behind.what);
          q.set("since", at.all?.since ?? new Date(at.now() - 24 * 3600_000).toISOString());
          q.set("limit", String(most));
          const page = await api.get<{ contacts: PastContact[]; total: number }>(`board/contacts?${q}`, signal);
          return { entries: page.contacts.map(past), total: page.total };
        }
        case "step": {
          set("flow", behind.flow);
          const page = await api.get<WherePage>(`board/where?${q}`, signal);
          const here = page.who.filter((x) => behind.step === "" || x.step === behind.step);
          return { entries: here.slice(0, most).map(step), total: here.length + (page.more ?? 0) };
        }
      }
    },
    [api, behind, language],
  );
  const last = useRef(0);
  useEffect(() => {
    if (last.current !== 0 && seen.current > last.current) loaded.reload();
    last.current = seen.current;
  }, [seen.current]);
  if (loaded.error) return <Fault error={loaded.error} onRetry={loaded.reload} />;
  if (!loaded.value) return <Waiting />;
  const { entries, total } = loaded.value;
  return (
    <>
      <p class="soft contacts-count" role="status">
        {total === 0 ? w.noContacts : w.shown(entries.length, total)}
      </p>
      <ul class="contact-list">
        {entries.map((e) => (
          <li key={e.key}>
            <button type="button" class={`contact ${e.late ? "late" : ""}`} onClick={() => onTell(e.interaction)}>
              {e.icon && <Icon name={kindIcons[e.icon]} />}
              <span class="contact-head">{e.head}</span>
              <span class="contact-says">{e.says.filter((s) => s !== "").join(" · ")}</span>
            </button>
          </li>
        ))}
      </ul>
    </>
  );
}
