// What a part of a page shows while it asks the server: nothing yet, the answer, or why not.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiError, isAbort } from "./api.ts";

export interface Loaded<T> {
  value: T | null; // the last that came; kept while it is asked anew
  error: ApiError | null; // of the last try
  loading: boolean;
  reload(): void;
}

// useLoad asks when what it depends on changes, and again on reload; what was asked
// before is given up then.
export function useLoad<T>(ask: (signal: AbortSignal) => Promise<T>, on: readonly unknown[]): Loaded<T> {
  const [state, setState] = useState<{ value: T | null; error: ApiError | null; loading: boolean }>({ value: null, error: null, loading: true });
  const [turn, setTurn] = useState(0);
  const before = useRef<readonly unknown[]>(on);
  useEffect(() => {
    const stop = new AbortController();
    const same = before.current.length === on.length && before.current.every((v, i) => Object.is(v, on[i]));
    before.current = on;
    setState((s) => ({ value: same ? s.value : null, error: null, loading: true }));
    ask(stop.signal).then(
      (value) => {
        if (!stop.signal.aborted) setState({ value, error: null, loading: false });
      },
      (err: unknown) => {
        if (stop.signal.aborted || isAbort(err)) return;
        setState((s) => ({ value: s.value, error: asApiError(err), loading: false }));
      },
    );
    return () => stop.abort();
  }, [...on, turn]);
  const reload = useCallback(() => setTurn((n) => n + 1), []);
  return { ...state, reload };
}

// asApiError makes any failure one that can be shown.
export function asApiError(err: unknown): ApiError {
  return err instanceof ApiError ? err : new ApiError(0, "broken", err instanceof Error ? err.message : String(err), 0, {});
}
