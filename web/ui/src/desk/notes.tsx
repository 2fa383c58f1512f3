// Notes about a contact: what was written, and a field for another.
import { useEffect, useRef, useState } from "preact/hooks";
import { useLanguage } from "../staff/settings.tsx";
import { dateTime } from "../staff/time.ts";
import type { Note } from "./answers.ts";
import { useDesk, useRun } from "./context.tsx";
import { useView } from "./names.ts";
import { useDeskWords } from "./words.ts";

export function NoteForm({ task, id = "" }: { task: string; id?: string }) {
  const w = useDeskWords();
  const { hold, kept } = useDesk();
  const run = useRun();
  const { reload } = useView(task);
  const draft = `note ${task}`;
  const [text, setText] = useState(() => kept.draft(draft));
  const busy = useRef(false);
  useEffect(() => setText(kept.draft(draft)), [draft]);
  const keep = (next: string) => {
    setText(next);
    kept.keepDraft(draft, next, hold.now());
  };
  const save = async () => {
    if (busy.current || text.trim() === "") return;
    busy.current = true;
    const done = await run(hold.ask({ t: "note", task, text: text.trim() }, true), w.noteKept);
    busy.current = false;
    if (!done) return;
    keep("");
    reload();
  };
  return (
    <form
      class="note-form"
      onSubmit={(e) => {
        e.preventDefault();
        void save();
      }}
    >
      <textarea
        id={id || undefined}
        rows={2}
        maxLength={4000}
        value={text}
        aria-label={w.note}
        placeholder={w.noteHint}
        onInput={(e) => keep(e.currentTarget.value)}
        onKeyDown={(e) => {
          if (e.key !== "Enter" || e.shiftKey || e.isComposing || e.keyCode === 229) return;
          e.preventDefault();
          void save();
        }}
      />
      <button type="submit" class="small" aria-disabled={text.trim() === ""}>
        {w.noteKeep}
      </button>
    </form>
  );
}

export function NoteList({ notes }: { notes: readonly Note[] }) {
  const language = useLanguage();
  return (
    <ul class="notes-list">
      {notes.map((n) => (
        <li key={`${n.at} ${n.by}`}>
          <p>{n.text}</p>
          <p class="soft">
            {n.by}, <time dateTime={n.at}>{dateTime(n.at, language)}</time>
          </p>
        </li>
      ))}
    </ul>
  );
}
