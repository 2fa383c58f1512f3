// Short notes about what just happened: seen in a corner, heard by screen readers. Good
// news goes by itself; bad news stays until it is closed.
import { createContext } from "preact";
import type { ComponentChildren } from "preact";
import { useCallback, useContext, useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "./icon.tsx";
import { useStaffWords } from "./words.ts";

export type Mood = "good" | "bad";
type Announce = (text: string, mood?: Mood) => void;

interface Note {
  id: number;
  text: string;
  mood: Mood;
}

const shownFor = 5_000; // milliseconds for good news
const atMost = 4; // notes at once; the oldest goes

const AnnounceContext = createContext<Announce>(() => {});

export function useAnnounce(): Announce {
  return useContext(AnnounceContext);
}

// badFor is for how many milliseconds bad news stays where it is not closed; for good unless it
// is given.
export function Announcer({ children, badFor = 0 }: { children: ComponentChildren; badFor?: number }) {
  const w = useStaffWords();
  const [notes, setNotes] = useState<Note[]>([]);
  const next = useRef(1);
  const announce = useCallback<Announce>((text, mood = "good") => {
    const note = { id: next.current++, text, mood };
    setNotes((all) => [...all.filter((n) => n.text !== text), note].slice(-atMost));
  }, []);
  const drop = useCallback((id: number) => setNotes((all) => all.filter((n) => n.id !== id)), []);
  const of = (mood: Mood) =>
    notes.filter((n) => n.mood === mood).map((n) => <Shown key={n.id} note={n} stays={n.mood === "good" ? shownFor : badFor} drop={drop} close={w.close} />);
  return (
    <AnnounceContext.Provider value={announce}>
      {children}
      <div class="notes">
        <div role="status">{of("good")}</div>
        <div role="alert">{of("bad")}</div>
      </div>
    </AnnounceContext.Provider>
  );
}

function Shown({ note, stays, drop, close }: { note: Note; stays: number; drop(id: number): void; close: string }) {
  useEffect(() => {
    if (stays === 0) return;
    const timer = window.setTimeout(() => drop(note.id), stays);
    return () => window.clearTimeout(timer);
  }, [note, stays, drop]);
  return (
    <p class={`note ${note.mood}`}>
      <Icon name={note.mood === "good" ? "check" : "error"} />
      <span>{note.text}</span>
      <button type="button" class="quiet square" aria-label={close} onClick={() => drop(note.id)}>
        <Icon name="close" />
      </button>
    </p>
  );
}
