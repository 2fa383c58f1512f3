// What all parts of the desk's page share: what is held, what is chosen, and what commands do.
import { createContext } from "preact";
import { useCallback, useContext, useEffect, useState } from "preact/hooks";
import { ApiError } from "../staff/api.ts";
import { useAnnounce } from "../staff/announce.tsx";
import { sentenceOf } from "../staff/fault.tsx";
import { asApiError } from "../staff/load.ts";
import { useStaffWords } from "../staff/words.ts";
import type { Standing } from "./answers.ts";
import type { Hold } from "./hold.ts";
import type { Kept } from "./kept.ts";
import type { Seat } from "./seat.ts";
import type { Sights } from "./sight.ts";
import type { State } from "./store.ts";
import { useDeskWords } from "./words.ts";

export interface Shared {
  hold: Hold;
  seat: Seat;
  sights: Sights;
  kept: Kept;
  standing: Standing | null; // reasons, dispositions
  overseer: boolean; // this is a supervisor
  chosen: string; // the task that is looked at; "" = none
  choose(task: string): void;
}

export const DeskContext = createContext<Shared | null>(null);

export function useDesk(): Shared {
  const shared = useContext(DeskContext);
  if (!shared) throw new Error("a part of the desk stands outside of it");
  return shared;
}

// useChanges draws the calling part anew when what it listens to has changed.
export function useChanges(source: { subscribe(run: () => void): () => void }): void {
  const [, draw] = useState(0);
  useEffect(() => {
    draw((n) => n + 1); // what changed between the drawing and this
    return source.subscribe(() => draw((n) => n + 1));
  }, [source]);
}

// useHeld gives what is held, and draws anew when it changes.
export function useHeld(): State {
  const { hold } = useDesk();
  useChanges(hold);
  return hold.state;
}

// useNow gives the time in milliseconds, anew each second.
export function useNow(): number {
  const { hold } = useDesk();
  const [now, setNow] = useState(() => hold.now());
  useEffect(() => {
    const timer = window.setInterval(() => setNow(hold.now()), 1_000);
    return () => window.clearInterval(timer);
  }, [hold]);
  return Math.max(now, 0);
}

// useRun carries out a command and says what went wrong, or what is done if there are words
// for that; it gives whether it went well.
export function useRun(): (what: Promise<unknown>, done?: string) => Promise<boolean> {
  const announce = useAnnounce();
  const w = useDeskWords();
  const sw = useStaffWords();
  return useCallback(
    async (what, done) => {
      try {
        await what;
        if (done) announce(done);
        return true;
      } catch (err) {
        announce(wordsOf(asApiError(err), w.failed, sentenceOf(asApiError(err), sw)), "bad");
        return false;
      }
    },
    [announce, w, sw],
  );
}

function wordsOf(err: ApiError, own: Record<string, string>, otherwise: string): string {
  const mine = own[err.code];
  return mine && err.code !== "conflict" ? mine : mine && err.message === "" ? mine : otherwise;
}
