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
  dialog?: object | undefined; // on top as it came
}

const shownFor = 5_000; // milliseconds for good news
const atMost = 4; // notes at once; the oldest goes

const AnnounceContext = createContext<Announce>(() => {});

// Bad is the bad news for the dialog on top: what lies below one is out of reach.
interface Bad {
  shown: ComponentChildren;
  enter(dialog: object): () => void;
  top: object | undefined;
}

const BadContext = createContext<Bad>({ shown: null, enter: () => () => {}, top: undefined });

// useBadNews gives a dialog the bad news to show while it is the one on top.
export function useBadNews(): ComponentChildren {
  const { shown, enter, top } = useContext(BadContext);
  const [me] = useState({});
  useEffect(() => enter(me), [enter, me]);
  return top === me ? shown : null;
}

export function useAnnounce(): Announce {
  return useContext(AnnounceContext);
}

// badFor is for how many milliseconds bad news stays where it is not closed; for good unless it
// is given. While a dialog is open bad news is shown in it.
export function Announcer({ children, badFor = 0 }: { children: ComponentChildren; badFor?: number }) {
  const w = useStaffWords();
  const [notes, setNotes] = useState<Note[]>([]);
  const [dialogs, setDialogs] = useState<readonly object[]>([]);
  const next = useRef(1);
  const top = useRef<object | undefined>(undefined);
  top.current = dialogs.at(-1);
  const announce = useCallback<Announce>((text, mood = "good") => {
    const note = { id: next.current++, text, mood, dialog: mood === "bad" ? top.current : undefined };
    setNotes((all) => [...all.filter((n) => n.text !== text && (!note.dialog || n.dialog !== note.dialog)), note].slice(-atMost));
  }, []);
  const enter = useCallback((dialog: object) => {
    setDialogs((all) => [...all, dialog]);
    return () => {
      setDialogs((all) => all.filter((d) => d !== dialog));
      setNotes((all) => all.filter((n) => n.dialog !== dialog)); // what failed in it went with it
    };
  }, []);
  const drop = useCallback((id: number) => setNotes((all) => all.filter((n) => n.id !== id)), []);
  const failed = notes.some((n) => n.mood === "bad");
  const of = (mood: Mood) =>
    notes.filter((n) => n.mood === mood).map((n) => <Shown key={n.id} note={n} stays={n.mood === "good" ? shownFor : badFor} drop={drop} close={w.close} />);
  return (
    <AnnounceContext.Provider value={announce}>
      <BadContext.Provider value={{ shown: failed ? of("bad") : null, enter, top: dialogs.at(-1) }}>{children}</BadContext.Provider>
      <div class="notes">
        <div role="status">{of("good")}</div>
        <div role="alert">{dialogs.length === 0 && of("bad")}</div>
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
