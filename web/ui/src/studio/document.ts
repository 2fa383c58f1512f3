// One file as it is being worked on: what the disk holds, what was typed since, and what
// to do when both have changed.
import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Api, ApiError } from "../staff/api.ts";
import { isAbort, pathOf } from "../staff/api.ts";
import { asApiError } from "../staff/load.ts";
import type { FileText } from "./answers.ts";
import { dropDraft, keepDraft, keptDraft } from "./draft.ts";
import { merge } from "./lines.ts";

interface Base {
  text: string;
  hash: string;
}

export interface Document {
  error: ApiError | null;
  loaded: boolean;
  disk: Base; // the file as last seen
  base: Base; // what the draft began from
  text: string; // what is in the editor
  outside: number; // grows when the text changed by other means than typing
  draft: boolean; // text is not the disk's
  conflict: boolean; // and the disk is not what the draft began from
  restored: string; // when the draft that was found on loading was typed; "" = none
  unkept: boolean; // the draft could not be kept on this device
  changedAt: Date | null; // when the disk's text last changed under us
  type(text: string): void; // in the editor
  replace(text: string): void; // by other means
  discard(): void;
  keepMine(): void;
  merged(): string | null; // both changes together, or null when they touch the same lines
  take(text: string): void; // settles a conflict with this text
  reload(): void;
}

const keepAfter = 250; // milliseconds of quiet until a draft is written down

interface State {
  error: ApiError | null;
  loaded: boolean;
  disk: Base;
  base: Base;
  text: string;
  outside: number;
  restored: string;
  unkept: boolean;
  changedAt: Date | null;
}

const none: Base = { text: "", hash: "" };

// useDocument follows file; turn grows when it may have changed on the disk.
export function useDocument(api: Api, user: string, file: string, turn: number, onDrafted: () => void): Document {
  const [state, setState] = useState<State>({ error: null, loaded: false, disk: none, base: none, text: "", outside: 0, restored: "", unkept: false, changedAt: null });
  const [again, setAgain] = useState(0);
  const latest = useRef(state);
  latest.current = state;
  const keeping = useRef(0);
  const drafted = useRef(onDrafted);
  drafted.current = onDrafted;

  const write = useCallback(() => {
    window.clearTimeout(keeping.current);
    keeping.current = 0;
    const s = latest.current;
    if (!s.loaded) return;
    if (s.text === s.disk.text) dropDraft(user, file);
    else {
      const kept = keepDraft(user, file, { text: s.text, base: s.base.hash, baseText: s.base.text, at: new Date().toISOString() });
      if (s.unkept === kept) setState((now) => ({ ...now, unkept: !kept }));
    }
    drafted.current();
  }, [user, file]);

  useEffect(() => {
    const flush = () => {
      if (keeping.current !== 0) write();
    };
    window.addEventListener("pagehide", flush);
    document.addEventListener("visibilitychange", flush);
    return () => {
      flush();
      window.removeEventListener("pagehide", flush);
      document.removeEventListener("visibilitychange", flush);
    };
  }, [write]);

  useLayoutEffect(() => {
    const stop = new AbortController();
    api.get<FileText>(pathOf("files", file), stop.signal).then(
      (disk) => setState((s) => arrived(s, disk, user, file)),
      (err: unknown) => {
        if (!isAbort(err)) setState((s) => ({ ...s, error: asApiError(err) }));
      },
    );
    return () => stop.abort();
  }, [api, user, file, turn, again]);

  // What the disk holds may have settled a draft, or made one begin elsewhere.
  useEffect(() => {
    if (state.loaded) write();
  }, [state.loaded, state.disk.hash, state.base.hash]);

  const type = useCallback(
    (text: string) => {
      setState((s) => ({ ...s, text, restored: "" }));
      window.clearTimeout(keeping.current);
      keeping.current = window.setTimeout(write, keepAfter);
    },
    [write],
  );
  const replace = useCallback(
    (text: string) => {
      type(text);
      setState((s) => ({ ...s, outside: s.outside + 1 }));
    },
    [type],
  );
  const settle = useCallback(
    (text: string) => {
      setState((s) => ({ ...s, base: s.disk, text, outside: s.outside + 1, restored: "" }));
      window.clearTimeout(keeping.current);
      keeping.current = window.setTimeout(write, 0);
    },
    [write],
  );

  const draft = state.loaded && state.text !== state.disk.text;
  return {
    ...state,
    draft,
    conflict: draft && state.base.hash !== state.disk.hash,
    type,
    replace,
    discard: () => settle(latest.current.disk.text),
    keepMine: () => settle(latest.current.text),
    take: settle,
    merged: () => (state.base.text === "" ? null : merge(state.base.text, state.text, state.disk.text)),
    reload: useCallback(() => setAgain((n) => n + 1), []),
  };
}

// arrived puts what the disk holds now together with what was typed.
function arrived(s: State, disk: FileText, user: string, file: string): State {
  const now = { text: disk.text, hash: disk.hash };
  if (!s.loaded) {
    const kept = keptDraft(user, file);
    const fresh = { ...s, error: null, loaded: true, disk: now, base: now, text: now.text };
    if (!kept || kept.text === now.text) return fresh;
    const base = kept.base === now.hash ? now : { text: kept.baseText, hash: kept.base };
    return { ...fresh, base, text: kept.text, restored: kept.at };
  }
  if (now.hash === s.disk.hash) return { ...s, error: null };
  const changedAt = new Date();
  if (s.text === s.disk.text || s.text === now.text) return { ...s, error: null, disk: now, base: now, text: now.text, outside: s.outside + 1, restored: "", changedAt };
  return { ...s, error: null, disk: now, changedAt };
}
