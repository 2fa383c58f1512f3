// The live check: what is typed is checked and drawn a moment after the last key; what
// was asked before is given up.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Language } from "../language.ts";
import type { Api, ApiError } from "../staff/api.ts";
import { isAbort } from "../staff/api.ts";
import { asApiError } from "../staff/load.ts";
import type { Checked } from "./answers.ts";

export const pause = 150; // milliseconds after the last key

export interface Checking {
  value: Checked | null; // the last answer
  of: string; // the text it was of
  error: ApiError | null;
  busy: boolean;
  at: Date | null; // of the last answer
}

// useCheck checks text whenever it, the language or turn (another file changed) differs. It
// waits for a pause only after what was typed, which leaves outside as it is. text is
// null while there is none yet.
export function useCheck(api: Api, file: string, text: string | null, language: Language, outside: number, turn: number): Checking {
  const [state, setState] = useState<Checking>({ value: null, of: "", error: null, busy: false, at: null });
  const before = useRef<{ text: string; outside: number } | null>(null);
  // Before the frame is painted: a picture is waited for.
  useLayoutEffect(() => {
    if (text === null) return;
    const stop = new AbortController();
    setState((s) => ({ ...s, busy: true }));
    const typed = before.current !== null && before.current.outside === outside && before.current.text !== text;
    before.current = { text, outside };
    const timer = window.setTimeout(() => {
      api.post<Checked>("check", { file, text, lang: language }, stop.signal).then(
        (value) => setState({ value, of: text, error: null, busy: false, at: new Date() }),
        (err: unknown) => {
          if (!isAbort(err)) setState((s) => ({ ...s, error: asApiError(err), busy: false }));
        },
      );
    }, typed ? pause : 0);
    return () => {
      window.clearTimeout(timer);
      stop.abort();
    };
  }, [api, file, text, language, outside, turn]);
  return state;
}
