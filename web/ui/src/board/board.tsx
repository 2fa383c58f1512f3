// The board: who may see it, and the frame that all of it stands in.
import type { ComponentChildren } from "preact";
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { browser } from "../desk/world.ts";
import { useAnnounce } from "../staff/announce.tsx";
import { useAwake } from "../staff/awake.ts";
import { useApi } from "../staff/api.ts";
import { TopBar } from "../staff/bar.tsx";
import { Waiting } from "../staff/fault.tsx";
import { Icon } from "../staff/icon.tsx";
import { useShortcuts } from "../staff/keys.tsx";
import { pagesOf, reaches } from "../staff/places.ts";
import { has } from "../staff/session.ts";
import type { Me } from "../staff/session.ts";
import { SignedIn, useAccountActions } from "../staff/signedin.tsx";
import { SkipLink } from "../staff/skip.tsx";
import { useStaffWords } from "../staff/words.ts";
import { Agents } from "./agents.tsx";
import { Alerts, Strip, said, useNote } from "./alerts.tsx";
import type { Alert } from "./answers.ts";
import { Contacts } from "./contacts.tsx";
import { AroundContext, useAround, useClock, useLive } from "./context.tsx";
import type { Around, Behind } from "./context.tsx";
import { Ear } from "./ear.ts";
import { Flows } from "./flows.tsx";
import { Live } from "./live.ts";
import { Plots } from "./plots.tsx";
import { Queues } from "./queues.tsx";
import { go, hrefOf, tabs, useRoute } from "./route.ts";
import { Tiles } from "./tiles.tsx";
import * as tone from "./tone.ts";
import { Wall } from "./wall.tsx";
import { useBoardWords } from "./words.ts";

export function Board() {
  return <SignedIn page="board">{(me) => (reaches(me.user, "board") ? <Open me={me} /> : <Closed me={me} />)}</SignedIn>;
}

function Closed({ me }: { me: Me }) {
  const sw = useStaffWords();
  const actions = useAccountActions();
  return (
    <div class="board">
      <TopBar user={me.user} places={pagesOf(me.user, "board", sw)} account="/studio#/account" {...actions} />
      <main class="page" id="content" tabIndex={-1}>
        <h1>{sw.closedTitle}</h1>
        <p>{sw.closed}</p>
      </main>
    </div>
  );
}

const soundKey = "tandem.board.sound";
const repeatAfter = 30_000; // milliseconds until an alert that nobody took note of sounds again

function Open({ me }: { me: Me }) {
  const w = useBoardWords();
  const sw = useStaffWords();
  const api = useApi();
  const announce = useAnnounce();
  const [behind, setBehind] = useState<Behind | null>(null);
  const [interaction, setInteraction] = useState("");
  const [wall, setWall] = useState(false);
  useAwake(wall);
  const [sound, setSound] = useState(() => kept(soundKey) !== "off");
  const words = useRef(w);
  words.current = w;
  const sounds = useRef(sound);
  sounds.current = sound;
  const opener = useRef<HTMLElement | null>(null);

  const world = useMemo(() => {
    const fired = (before: readonly Alert[], now: readonly Alert[]) => {
      const fresh = now.filter((a) => !before.some((b) => b.id === a.id));
      for (const a of fresh) announce(words.current.fired(a.name, said(words.current, a)), "bad");
      for (const b of before) if (!now.some((a) => a.id === b.id)) announce(words.current.resolved(b.name));
      const loud = fresh.filter((a) => a.sound);
      if (sounds.current && loud.length > 0) tone.play(loud.some((a) => a.severity === "critical"));
    };
    const live: Live = new Live(browser, {
      voice: (seat, signal) => ear.take(seat, signal),
      alerts: fired,
      up: () => ear.seat.reconnected(),
    });
    const ear: Ear = new Ear(api, () => live, browser.id);
    return { live, ear };
  }, [api]);
  const { live, ear } = world;

  useEffect(() => {
    live.wire.start();
    const poke = () => live.wire.poke();
    const off = () => live.wire.offline();
    const seen = () => document.visibilityState === "visible" && poke();
    const unlock = () => tone.ready();
    window.addEventListener("online", poke);
    window.addEventListener("offline", off);
    document.addEventListener("visibilitychange", seen);
    document.addEventListener("keydown", unlock);
    document.addEventListener("pointerdown", unlock);
    const timer = window.setInterval(() => {
      const loud = live.alerts.filter((a) => a.sound && !a.seen);
      if (sounds.current && loud.length > 0) tone.play(loud.some((a) => a.severity === "critical"));
    }, repeatAfter);
    return () => {
      window.clearInterval(timer);
      window.removeEventListener("online", poke);
      window.removeEventListener("offline", off);
      document.removeEventListener("visibilitychange", seen);
      document.removeEventListener("keydown", unlock);
      document.removeEventListener("pointerdown", unlock);
      ear.end();
      live.wire.stop();
    };
  }, [live, ear]);

  const close = useCallback(() => {
    setBehind(null);
    setInteraction("");
    opener.current?.focus();
  }, []);
  const around = useMemo<Around>(
    () => ({
      live,
      ear,
      acts: has(me.user, "supervisor"),
      show: (b) => {
        if (document.activeElement instanceof HTMLElement && !document.activeElement.closest(".contacts")) opener.current = document.activeElement;
        setInteraction("");
        setBehind(b);
      },
      tell: setInteraction,
      picture: (flow, id, number) => go("flows", { flow, interaction: id, number }),
    }),
    [live, ear, me],
  );
  const flipSound = () => {
    const on = !sound;
    setSound(on);
    keep(soundKey, on ? "on" : "off");
    if (on) tone.ready();
  };
  const note = useNote();
  useShortcuts([
    ...tabs.map((t, i) => ({ keys: String(i + 1), what: w.keyTab[t] ?? t, group: w.keysBoard, run: () => go(t) })),
    { keys: "w", what: w.keyWaiting, group: w.keysBoard, run: () => around.show({ of: "line", title: w.waiting, queue: "", kind: "", state: "waiting", agent: "" }) },
    ...(around.acts ? [{ keys: "n", what: w.keyNote, group: w.keysBoard, run: () => note(live.alerts) }] : []),
    { keys: "s", what: w.keySound, group: w.keysBoard, run: flipSound },
    { keys: "f", what: w.keyWall, group: w.keysBoard, run: () => setWall(!wall) },
    { keys: "Escape", what: w.keyClose, group: w.keysBoard, run: () => (wall ? setWall(false) : close()) },
  ]);
  useEffect(() => {
    document.title = `${sw.pages.board} · Tandem`;
  }, [sw]);
  return (
    <AroundContext.Provider value={around}>
      {wall ? (
        <Wall onLeave={() => setWall(false)} />
      ) : (
        <Shown me={me} sound={sound} onSound={flipSound} onWall={() => setWall(true)} behind={behind} interaction={interaction} onTell={setInteraction} onClose={close} />
      )}
    </AroundContext.Provider>
  );
}

interface ShownProps {
  me: Me;
  sound: boolean;
  behind: Behind | null;
  interaction: string;
  onSound(): void;
  onWall(): void;
  onTell(interaction: string): void;
  onClose(): void;
}

function Shown({ me, sound, behind, interaction, onSound, onWall, onTell, onClose }: ShownProps) {
  const w = useBoardWords();
  const sw = useStaffWords();
  const actions = useAccountActions();
  const route = useRoute();
  const { live } = useAround();
  const of = (name: string) => route.of.get(name) ?? "";
  const beside = behind !== null || interaction !== "";
  return (
    <div class={`board ${beside ? "has-contacts" : ""}`}>
      <SkipLink to="content" />
      <TopBar user={me.user} places={pagesOf(me.user, "board", sw)} account="/studio#/account" {...actions}>
        <Heard />
        <Age />
        <button type="button" class="quiet square" aria-pressed={sound} aria-label={w.keySound} title={sound ? w.silence : w.unsilence} onClick={onSound}>
          <Icon name={sound ? "sound" : "soundOff"} />
        </button>
        <button type="button" class="quiet square wall-button" aria-label={w.wall} title={`${w.wall} (F)`} onClick={onWall}>
          <Icon name="fit" />
        </button>
      </TopBar>
      <Lost />
      <Strip />
      <nav class="board-tabs tabs" aria-label={w.parts}>
        {tabs.map((t) => (
          <a key={t} href={hrefOf(t)} aria-current={route.tab === t ? "page" : undefined}>
            {w.tabs[t]}
            {t === "alerts" && <Badge />}
          </a>
        ))}
      </nav>
      <div class="board-work">
        <main id="content" tabIndex={-1} aria-label={w.tabs[route.tab]}>
          <h1 class="unseen">{sw.pages.board}</h1>
          <Ready>
            {route.tab === "queues" && (
              <>
                <Tiles />
                <Queues />
              </>
            )}
            {route.tab === "agents" && <Agents state={of("state")} queue={of("queue")} onFilter={(state, queue) => go("agents", { state, queue })} />}
            {route.tab === "today" && <Plots queue={of("queue")} kind={of("kind")} onChoose={(queue, kind) => go("today", { queue, kind })} />}
            {route.tab === "flows" && (
              <Flows
                flow={of("flow")}
                interaction={of("interaction")}
                number={of("number")}
                onChoose={(flow) => go("flows", { flow })}
                onPath={(id) => go("flows", { flow: of("flow"), interaction: id })}
              />
            )}
            {route.tab === "alerts" && <Alerts />}
          </Ready>
        </main>
        {beside && live.at > 0 && <Contacts behind={behind} interaction={interaction} onTell={onTell} onClose={onClose} />}
      </div>
    </div>
  );
}

// Ready shows the board once there is a picture.
function Ready({ children }: { children: ComponentChildren }) {
  const w = useBoardWords();
  const live = useLive();
  if (!live.permitted) return <p class="empty">{w.forbidden}</p>;
  if (live.at === 0) return <Waiting what={w.connecting} />;
  return <>{children}</>;
}

function Badge() {
  const w = useBoardWords();
  const live = useLive();
  const n = live.alerts.filter((a) => !a.seen).length;
  if (n === 0) return null;
  return (
    <span class="badge bad">
      <span aria-hidden="true">{n}</span>
      <span class="unseen">{`${w.firing}: ${n}`}</span>
    </span>
  );
}

const old = 3; // seconds after which a picture is called old

// Age says how old the picture is, all the time.
export function Age() {
  const w = useBoardWords();
  const live = useLive();
  useClock(200);
  if (live.at === 0) return null;
  const age = live.age();
  return (
    <span class={`age ${age > old ? "stale" : ""}`} title={age > old ? w.stale : w.asOfTitle}>
      <i aria-hidden="true" />
      {w.asOf(age.toFixed(age < 10 ? 1 : 0))}
    </span>
  );
}

function Lost() {
  const w = useBoardWords();
  const live = useLive();
  useClock(1000);
  if (live.wire.state === "refused") {
    return (
      <p class="lost" role="alert">
        <Icon name="error" />
        {w.refused}
      </p>
    );
  }
  if (live.wire.state !== "lost" || live.at === 0) return null;
  return (
    <div class="lost" role="alert">
      <Icon name="warning" />
      <LostAge />
    </div>
  );
}

// LostAge counts on without being read out each second.
function LostAge() {
  const w = useBoardWords();
  const live = useLive();
  return <span aria-live="off">{w.lost(live.age().toFixed(0))}</span>;
}

// Heard says that one listens in, and to how much.
function Heard() {
  const w = useBoardWords();
  const live = useLive();
  const { ear } = useAround();
  const [, draw] = useState(0);
  useEffect(() => ear.subscribe(() => draw((n) => n + 1)), [ear]);
  useShortcuts(ear.task !== "" || live.listening ? [{ keys: "q", what: w.keyLeave, group: w.keysBoard, run: () => void ear.leave(ear.task || live.listening!.task).catch(() => {}) }] : []);
  useEffect(() => {
    if (ear.task !== "" && !live.agents.some((a) => a.holds.some((h) => h.task === ear.task))) ear.over(ear.task);
  });
  const role = ear.part !== "" ? { listen: "listener", whisper: "whisperer", barge: "agent" }[ear.part] : live.listening?.role;
  if (!role) return null;
  const task = ear.task || live.listening?.task || "";
  return (
    <span class="listening" role="status">
      <Icon name="sound" />
      {w.listeningTo(role)}
      {ear.part !== "" && ear.part !== "listen" && ear.seat.mic !== "" && ear.seat.mic !== "ok" && <b>{w.micStates[ear.seat.mic]}</b>}
      <button type="button" onClick={() => void ear.leave(task).catch(() => {})}>
        {w.do.leave}
        <kbd>Q</kbd>
      </button>
    </span>
  );
}

function kept(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null; // some private windows refuse it
  }
}

function keep(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // It then lasts as long as the page.
  }
}
