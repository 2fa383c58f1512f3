// A call on a page: how it stands, its keys, its microphone, and the way to end it.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Language } from "../language.ts";
import { PageCall } from "./call.ts";
import type { Device } from "./signal.ts";
import { Player } from "./player.ts";
import "./panel.css";
import { callWords } from "./words.ts";
import type { CallWords } from "./words.ts";

const keys = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];

export interface PageCalls {
  call: PageCall | null;
  to: string;
  blocked: boolean; // the browser plays nothing before a gesture
  begin(to: string, langs: readonly string[]): void;
  again(): void;
  close(): void;
}

// usePageCall keeps the one call of a page.
export function usePageCall(): PageCalls {
  const [call, setCall] = useState<PageCall | null>(null);
  const [asked, setAsked] = useState<{ to: string; langs: readonly string[] }>({ to: "", langs: [] });
  const [blocked, setBlocked] = useState(false);
  const [, setTurn] = useState(0);
  const player = useRef<Player | null>(null);
  const opener = useRef<Element | null>(null);

  const begin = (to: string, langs: readonly string[]) => {
    if (call && call.state !== "over") return;
    if (!call) opener.current = document.activeElement;
    const sound = (player.current = new Player(setBlocked));
    const next = new PageCall({
      to,
      langs,
      onChange: () => {
        setTurn((n) => n + 1);
        if (next.state === "over") sound.stop();
      },
      onRemote: (stream) => sound.start(stream),
    });
    setAsked({ to, langs });
    setCall(next);
    void next.begin();
  };
  useEffect(() => {
    if (!call) return;
    const leave = () => call.hangup();
    window.addEventListener("pagehide", leave);
    return () => {
      window.removeEventListener("pagehide", leave);
      leave();
    };
  }, [call]);
  return {
    call, blocked, begin,
    to: asked.to,
    again: () => begin(asked.to, asked.langs),
    close: () => {
      call?.hangup();
      setCall(null);
      if (opener.current instanceof HTMLElement) opener.current.focus();
    },
  };
}

interface Props {
  calls: PageCalls;
  title: string; // who is called, as people say it
  language: Language;
}

export function CallPanel({ calls, title, language }: Props) {
  const { call } = calls;
  const w = callWords[language];
  const end = useRef<HTMLButtonElement>(null);
  const over = call?.state === "over";
  useEffect(() => end.current?.focus(), [call, over]);
  if (!call) return null;
  const up = call.state === "up";
  const typed = (e: KeyboardEvent) => {
    if (e.ctrlKey || e.metaKey || e.altKey || e.isComposing || e.target instanceof HTMLSelectElement || !keys.includes(e.key)) return;
    if (call.keys(e.key)) e.preventDefault();
  };
  const trouble = up || call.state === "ringing" ? troubleOf(call, w) : "";
  return (
    <section class="call-panel" aria-label={w.panel(title)} onKeyDown={typed}>
      <header>
        <h2>{title}</h2>
        {call.since > 0 && <Clock since={call.since} over={over} />}
      </header>
      <p class={`call-state ${over ? "over" : call.state}`} role="status">
        {over ? whyOf(call, w, language) : call.lineLost ? w.line : call.cut ? w.cut : w[call.state]}
      </p>
      {trouble && (
        <p class="call-trouble" role="alert">
          {trouble}
        </p>
      )}
      {calls.blocked && !over && (
        <p class="call-trouble" role="alert">
          {w.blocked}
        </p>
      )}
      {!over && call.state !== "asking" && (
        <>
          <div class="call-keys" role="group" aria-label={w.keys}>
            {keys.map((k) => (
              <button type="button" key={k} disabled={!up} onClick={() => call.keys(k)}>
                {k}
              </button>
            ))}
          </div>
          <p class="call-hint">{w.keysHint}</p>
          <Microphones call={call} words={w} />
        </>
      )}
      <div class="call-actions">
        {!over && (
          <button type="button" aria-pressed={call.muted} disabled={call.state === "asking"} onClick={() => call.mute(!call.muted)}>
            {w.mute}
          </button>
        )}
        {over && (
          <button type="button" onClick={calls.again}>
            {w.again}
          </button>
        )}
        <button ref={end} type="button" class={over ? "" : "call-end"} onClick={over ? calls.close : () => call.hangup()}>
          {over ? w.close : w.hangup}
        </button>
      </div>
    </section>
  );
}

function whyOf(call: PageCall, w: CallWords, language: Language): string {
  return w.why[call.why] ?? call.message[language] ?? call.message["en"] ?? w.over;
}

function troubleOf(call: PageCall, w: CallWords): string {
  return call.mic === "" || call.mic === "ok" ? "" : w.mic[call.mic];
}

function Clock({ since, over }: { since: number; over: boolean }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (over) return setNow(Date.now());
    const timer = window.setInterval(() => setNow(Date.now()), 1_000);
    return () => window.clearInterval(timer);
  }, [over]);
  const seconds = Math.max(0, Math.floor((now - since) / 1_000));
  return <p class="call-clock">{`${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`}</p>;
}

const levelEvery = 150; // milliseconds

function Microphones({ call, words: w }: { call: PageCall; words: CallWords }) {
  const [devices, setDevices] = useState<Device[]>([]);
  const level = useRef<HTMLMeterElement>(null);
  useEffect(() => {
    const list = () => void call.devices().then(setDevices, () => {});
    list();
    navigator.mediaDevices?.addEventListener("devicechange", list);
    const timer = window.setInterval(() => level.current && (level.current.value = Math.sqrt(call.level())), levelEvery);
    return () => {
      navigator.mediaDevices?.removeEventListener("devicechange", list);
      window.clearInterval(timer);
    };
  }, [call]);
  return (
    <div class="call-mic">
      <meter ref={level} min={0} max={1} aria-label={w.level} />
      {devices.length > 1 && (
        <label>
          <span>{w.device}</span>
          <select onChange={(e) => void call.use(e.currentTarget.value)}>
            {devices.map((d, i) => (
              <option key={d.id} value={d.id}>
                {d.label || w.unnamed(i + 1)}
              </option>
            ))}
          </select>
        </label>
      )}
    </div>
  );
}
