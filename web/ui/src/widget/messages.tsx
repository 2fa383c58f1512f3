// The talk as a list, kept at its end while new messages come, and what can be chosen.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Bubble, dayOf, nameOf, Pending, timeOf } from "./bubble.tsx";
import { Still } from "./hooks.ts";
import type { View } from "./hooks.ts";
import { Icon } from "./icon.tsx";
import type { Message } from "./protocol.ts";

const nearEnd = 80; // pixels from the end that still count as being there

export function Messages({ onChosen, ...view }: { onChosen(): void } & View) {
  const { talk, words: w, language } = view;
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const size = useRef(""); // of the list, as it was last brought to its end
  const [below, setBelow] = useState(false); // something new is out of sight
  const { list } = talk.log;
  const items = talk.outbox.items;
  const count = list.length + items.length;
  const lastOwn = items.length > 0 ? null : newestOwn(list);
  const choices = talk.choices;

  const toEnd = () => {
    const b = box.current;
    if (b) b.scrollTop = b.scrollHeight;
  };
  const keepEnd = () => {
    if (atEnd.current) toEnd();
    if (box.current) size.current = sizeOf(box.current);
  };
  useLayoutEffect(() => {
    if (items.length > 0) atEnd.current = true; // the person's own message is always seen
    if (atEnd.current) toEnd();
    else setBelow(true);
  }, [count, items.length]);
  useLayoutEffect(keepEnd); // choices and the sign of typing take room too
  useEffect(() => {
    const sizes = new ResizeObserver(keepEnd);
    for (const e of [box.current, box.current?.firstElementChild]) if (e) sizes.observe(e);
    return () => sizes.disconnect();
  }, []);
  const scrolled = () => {
    const b = box.current;
    if (!b) return;
    if (sizeOf(b) !== size.current) return keepEnd(); // it was moved by what opened beside it, not by the person
    atEnd.current = b.scrollHeight - b.scrollTop - b.clientHeight < nearEnd;
    if (atEnd.current) setBelow(false);
  };

  return (
    <div class="talk">
      <div class="log" ref={box} role="log" aria-live="off" aria-label={w.messages} tabIndex={0} onScroll={scrolled}>
        <ol>
          {list.map((m, i) => {
            const before = list[i - 1];
            const day = dayOf(m.at, language);
            const newDay = !before || dayOf(before.at, language) !== day;
            const after = list[i + 1];
            const end = !after || after.from !== m.from || after.name !== m.name || timeOf(after.at, language) !== timeOf(m.at, language);
            const first = newDay || !before || before.from !== m.from || before.name !== m.name;
            return (
              <Still
                key={m.seq}
                of={[m, language, first, end, newDay, m === lastOwn]}
                draw={() => (
                  <>
                    {newDay && day !== "" && <li class="system day">{day}</li>}
                    <Bubble {...view} message={m} first={first} end={end} last={m === lastOwn} onSize={keepEnd} />
                  </>
                )}
              />
            );
          })}
          {items.map((item, i) => (
            <Pending key={item.id} item={item} last={i === items.length - 1} {...view} />
          ))}
        </ol>
        {choices && (
          <div class="choices" role="group" aria-label={w.choices}>
            {choices.buttons.map((b, i) => (
              <button
                type="button"
                key={`${choices.of} ${i}`}
                onClick={() => {
                  talk.say(b.label);
                  onChosen();
                }}
              >
                {b.keys && b.keys !== b.label && (
                  <span class="keys" aria-hidden="true">
                    {b.keys}
                  </span>
                )}
                {b.label}
              </button>
            ))}
          </div>
        )}
        {talk.busy && (
          <p class="busy">
            <span class="unseen">{talk.busy.from === "agent" ? w.typing(nameOf(talk.busy, w)) : w.preparing}</span>
            <i />
            <i />
            <i />
          </p>
        )}
      </div>
      {below && (
        <button
          type="button"
          class="below"
          onClick={() => {
            toEnd();
            box.current?.focus();
          }}
        >
          <Icon name="down" /> {w.newBelow}
        </button>
      )}
    </div>
  );
}

const sizeOf = (b: HTMLElement): string => `${b.clientWidth} ${b.clientHeight} ${b.scrollHeight}`;

function newestOwn(list: readonly Message[]): Message | null {
  for (let i = list.length - 1; i >= 0; i--) if (list[i]?.from === "customer") return list[i] as Message;
  return null;
}

const saidAtOnce = 3; // messages that a screen reader reads together; the newest

// News tells screen readers what has come, and nothing of what was there before.
export function News({ talk, words: w, open }: { open: boolean } & View) {
  const from = useRef<number | null>(null); // the newest message that is not news
  const newest = talk.log.list.at(-1)?.seq ?? 0;
  if (from.current === null && talk.ready) from.current = newest;
  const since = from.current;
  const news = since === null ? [] : talk.log.list.filter((m) => m.seq > since && m.from !== "customer");
  useEffect(() => {
    if (!open && from.current !== null) from.current = Math.max(from.current, newest - saidAtOnce);
  }, [open, newest]);
  return (
    <div class="unseen" role="status">
      {open ? news.slice(-saidAtOnce).map((m) => <p key={m.seq}>{spoken(m, w)}</p>) : talk.beside.calls ? <p>{w.openAsked}</p> : talk.unread > 0 && <p>{w.unread(talk.unread)}</p>}
    </div>
  );
}

function spoken(m: Message, w: View["words"]): string {
  const parts = [m.text, m.attachment || m.image ? w.picture : "", ...(m.buttons ?? []).map((b) => b.label)];
  return `${nameOf(m, w)}: ${parts.filter(Boolean).join(". ")}`;
}
