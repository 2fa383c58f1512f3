// Where an agent writes to a customer: Enter sends unless it ends a word of an input method,
// "/" at the beginning looks for canned replies.
import { useEffect, useRef, useState } from "preact/hooks";
import { useApi } from "../staff/api.ts";
import { Icon } from "../staff/icon.tsx";
import type { Reply } from "./answers.ts";
import { useDesk } from "./context.tsx";
import type { Item } from "./store.ts";
import { useDeskWords } from "./words.ts";

const longest = 4_000; // characters of a message
const askPause = 120; // milliseconds after a key before replies are looked for

export function Composer({ item }: { item: Item }) {
  const w = useDeskWords();
  const { hold, kept, chosen } = useDesk();
  const task = item.id;
  const draft = `say ${task}`;
  const [text, setText] = useState(() => kept.draft(draft));
  const [asked, setAsked] = useState<string | null>(null); // what of replies is looked for
  const { replies, at, move } = useReplies(task, asked);
  const field = useRef<HTMLTextAreaElement>(null);
  const keep = (next: string) => {
    setText(next);
    kept.keepDraft(draft, next, hold.now());
    const query = /^\/(\S*)$/.exec(next);
    setAsked(query ? query[1]! : null);
    hold.typing(task, next !== "" && !query);
  };
  useEffect(() => {
    // The first thing that is chosen is written in at once, unless the agent writes elsewhere.
    if (chosen === task && (document.activeElement === document.body || document.activeElement?.closest(".desk-list"))) field.current?.focus();
  }, [chosen === task]);
  useEffect(() => {
    const f = field.current;
    if (!f) return;
    f.style.height = "auto";
    f.style.height = `${Math.min(f.scrollHeight + 2, 180)}px`;
  }, [text]);
  const use = (reply: Reply | undefined) => {
    if (!reply) return;
    keep(reply.text);
    setAsked(null);
    requestAnimationFrame(() => {
      const f = field.current;
      if (!f) return;
      f.focus();
      const gap = reply.missing?.length ? /‹[^›]*›|…/.exec(reply.text) : null; // the first that is to be filled in
      f.setSelectionRange(gap ? gap.index : reply.text.length, gap ? gap.index + gap[0].length : reply.text.length);
    });
  };
  const send = () => {
    const said = text.trim();
    if (said === "" || asked !== null) return;
    hold.say(task, said);
    keep("");
    hold.typing(task, false);
  };
  const chosenReply = replies?.[at];
  return (
    <form
      class="composer"
      onSubmit={(e) => {
        e.preventDefault();
        send();
        field.current?.focus();
      }}
    >
      {asked !== null && replies && (
        <div class="replies">
          <ul role="listbox" id={`${task}-replies`} aria-label={w.replies}>
            {replies.map((r, i) => (
              <li key={r.name} id={`${task}-reply-${i}`} role="option" class={r.missing?.length ? "gaps" : ""} aria-selected={i === at} onPointerDown={(e) => (e.preventDefault(), use(r))}>
                <strong>/{r.name}</strong>
                <span lang={r.lang}>{r.text}</span>
              </li>
            ))}
          </ul>
          {replies.length === 0 && <p class="soft">{w.noReplies}</p>}
          {chosenReply?.missing && chosenReply.missing.length > 0 && <p class="problem">{w.missing(chosenReply.missing.join(", "))}</p>}
          <p class="soft replies-help">{w.repliesHelp}</p>
        </div>
      )}
      <textarea
        ref={field}
        class="say"
        rows={1}
        maxLength={longest}
        placeholder={w.writeHere}
        aria-label={w.write}
        aria-autocomplete="list"
        aria-controls={asked !== null && replies ? `${task}-replies` : undefined}
        aria-activedescendant={asked !== null && chosenReply ? `${task}-reply-${at}` : undefined}
        value={text}
        onInput={(e) => keep(e.currentTarget.value)}
        onBlur={() => hold.typing(task, false)}
        onKeyDown={(e) => {
          if (e.isComposing || e.keyCode === 229) return; // Enter ends a word of an input method
          if (asked !== null) {
            const step = { ArrowDown: 1, ArrowUp: -1 }[e.key];
            if (step) return e.preventDefault(), move(step);
            if (e.key === "Enter" || (e.key === "Tab" && chosenReply)) return e.preventDefault(), use(chosenReply);
            if (e.key === "Escape") return e.preventDefault(), e.stopPropagation(), setAsked(null);
          }
          if (e.key !== "Enter" || e.shiftKey || e.altKey || e.ctrlKey || e.metaKey) return;
          e.preventDefault();
          send();
        }}
      />
      <button type="submit" class="square main" aria-label={w.send} title={w.send} aria-disabled={text.trim() === "" || asked !== null}>
        <Icon name="send" />
      </button>
    </form>
  );
}

// useReplies are the canned replies that fit, filled in for this customer.
function useReplies(task: string, asked: string | null): { replies: Reply[] | null; at: number; move(by: number): void } {
  const api = useApi();
  const [found, setFound] = useState<Reply[] | null>(null);
  const [at, setAt] = useState(0);
  useEffect(() => {
    setAt(0);
    if (asked === null) return setFound(null);
    const stop = new AbortController();
    const timer = window.setTimeout(() => {
      api.get<{ replies: Reply[] }>(`tasks/${task}/replies?q=${encodeURIComponent(asked)}`, stop.signal).then(
        ({ replies }) => setFound(replies),
        () => stop.signal.aborted || setFound([]),
      );
    }, asked === "" ? 0 : askPause);
    return () => {
      stop.abort();
      window.clearTimeout(timer);
    };
  }, [task, asked, api]);
  // What was found for fewer letters may stand until the answer comes, as far as it fits: Enter
  // takes what was asked for, however fast.
  const fit = found && asked !== null ? fitting(found, asked) : null;
  return { replies: fit, at: Math.min(at, Math.max(0, (fit?.length ?? 0) - 1)), move: (by) => setAt((n) => (fit && fit.length > 0 ? (n + by + fit.length) % fit.length : 0)) };
}

// fitting are the replies with some letters in their name, or in their words if they are more
// than two; first those whose name begins so.
export function fitting(replies: readonly Reply[], letters: string): Reply[] {
  const part = letters.toLowerCase();
  const begins = (r: Reply) => r.name.toLowerCase().startsWith(part);
  return replies.filter((r) => r.name.toLowerCase().includes(part) || (part.length > 2 && r.text.toLowerCase().includes(part))).sort((a, b) => Number(begins(b)) - Number(begins(a)));
}
