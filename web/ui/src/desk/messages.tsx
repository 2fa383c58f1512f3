// What was said in a talk, oldest first, with what is still on its way at the end and the
// supervisor's whispers apart.
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../staff/icon.tsx";
import { useLanguage } from "../staff/settings.tsx";
import { clock } from "../staff/time.ts";
import type { Said } from "./kept.ts";
import type { Message, Picture } from "./protocol.ts";
import { useDesk, useHeld } from "./context.tsx";
import type { Whisper } from "./store.ts";
import { useDeskWords } from "./words.ts";

type Line = { key: string; at: number; message: Message } | { key: string; at: number; whisper: Whisper };

const near = 80; // pixels from the end that count as being there

// Lines is a talk; live follows its end as long as the agent looks there.
export function Lines({ task, live }: { task: string; live?: boolean }) {
  const w = useDeskWords();
  const { hold } = useDesk();
  const s = useHeld();
  const box = useRef<HTMLDivElement>(null);
  const [below, setBelow] = useState(false);
  const atEnd = useRef(true);
  const messages = s.logs[task]?.list ?? [];
  const lines: Line[] = [
    ...messages.map((m) => ({ key: `m${m.seq}`, at: Date.parse(m.at), message: m })),
    ...(s.whispers[task] ?? []).map((x, i) => ({ key: `w${i} ${x.at}`, at: Date.parse(x.at), whisper: x })),
  ].sort((a, b) => a.at - b.at);
  const own = new Set(messages.map((m) => m.client).filter(Boolean));
  const said = hold.said.filter((x) => x.task === task && !own.has(x.id));
  const size = lines.length + said.length;
  useEffect(() => {
    if (!live || !box.current) return;
    if (atEnd.current) box.current.scrollTop = box.current.scrollHeight;
    else setBelow(true);
  }, [size, live]);
  // Where the end was seen it stays seen as the room for it changes.
  useEffect(() => {
    const b = box.current;
    if (!live || !b) return;
    const look = new ResizeObserver(() => {
      if (atEnd.current) b.scrollTop = b.scrollHeight;
    });
    look.observe(b);
    return () => look.disconnect();
  }, [live]);
  const scrolled = () => {
    const b = box.current;
    if (!b) return;
    atEnd.current = b.scrollHeight - b.scrollTop - b.clientHeight < near;
    if (atEnd.current) setBelow(false);
  };
  return (
    <div class="lines-frame">
      <div class="lines" ref={box} onScroll={scrolled} tabIndex={0} role="log" aria-live="off" aria-label={w.saidBefore}>
        {lines.map((l) => ("message" in l ? <Bubble key={l.key} task={task} m={l.message} /> : <WhisperLine key={l.key} whisper={l.whisper} />))}
        {said.map((x) => (
          <Unsent key={x.id} said={x} />
        ))}
      </div>
      {below && (
        <button
          type="button"
          class="small new-below"
          onClick={() => {
            if (box.current) box.current.scrollTop = box.current.scrollHeight;
          }}
        >
          <Icon name="down" />
          {w.newBelow}
        </button>
      )}
    </div>
  );
}

function Bubble({ task, m }: { task: string; m: Message }) {
  const w = useDeskWords();
  const language = useLanguage();
  const who = m.from === "agent" && m.name ? m.name : (w.senders[m.from] ?? m.from);
  const state = m.from === "customer" ? "" : (w.messageStates[m.state] ?? "");
  return (
    <div class={`line ${m.from} ${m.state === "failed" ? "failed" : ""}`}>
      <p class="line-who soft">
        <span>{who}</span> <time dateTime={m.at}>{clock(m.at, language).slice(0, 5)}</time>
      </p>
      <div class="bubble" lang={m.lang || undefined}>
        {m.erased ? <p class="soft">{w.erased}</p> : m.secret ? <p class="soft">{w.hiddenText}</p> : m.text !== "" && <p>{m.text}</p>}
        {m.picture && !m.erased && <Shot task={task} picture={m.picture} />}
        {m.buttons && m.buttons.length > 0 && (
          <p class="line-buttons">
            {m.buttons.map((b) => (
              <span key={b.label} class="tag">
                {b.label}
              </span>
            ))}
          </p>
        )}
        {m.link && (
          <p>
            <Icon name="link" /> {m.link.label ?? ""} <span class="badge">{w.linkStates[m.link.state] ?? m.link.state}</span>
          </p>
        )}
      </div>
      {state && <p class="line-state soft">{state}</p>}
    </div>
  );
}

// Shot is a picture that a customer sent: it is fetched when the agent asks for it, since
// each look is written down.
function Shot({ task, picture }: { task: string; picture: Picture }) {
  const w = useDeskWords();
  const [shown, setShown] = useState(false);
  const label = w.picture(picture.width, picture.height);
  if (!shown)
    return (
      <button type="button" class="small" onClick={() => setShown(true)}>
        <Icon name="eye" />
        {w.showPicture} <span class="soft">{label}</span>
      </button>
    );
  return <img class="shot" src={`/api/v1/tasks/${task}/pictures/${picture.id}`} alt={label} width={picture.width} height={picture.height} loading="lazy" />;
}

function WhisperLine({ whisper }: { whisper: Whisper }) {
  const w = useDeskWords();
  return (
    <div class="line whisper">
      <p class="line-who">{w.whisperFrom(whisper.from)}</p>
      <div class="bubble">
        <p>{whisper.text}</p>
      </div>
    </div>
  );
}

// Unsent is a message that the server has not said it has.
function Unsent({ said }: { said: Said }) {
  const w = useDeskWords();
  const { hold } = useDesk();
  return (
    <div class={`line agent ${said.failed ? "failed" : "pending"}`}>
      <div class="bubble">
        <p>{said.text}</p>
      </div>
      {said.failed ? (
        <p class="line-state" role="alert">
          {w.notSent}{" "}
          <button type="button" class="small" onClick={() => hold.retry(said.id)}>
            {w.send}
          </button>{" "}
          <button type="button" class="small quiet" onClick={() => hold.discard(said.id)}>
            {w.discard}
          </button>
        </p>
      ) : (
        <p class="line-state soft">{w.sending}</p>
      )}
    </div>
  );
}
