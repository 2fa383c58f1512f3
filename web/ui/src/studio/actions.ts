// What is done with the text on the bench besides typing: laying it out, running its tests.
import { useCallback, useState } from "preact/hooks";
import { useAnnounce } from "../staff/announce.tsx";
import type { Api } from "../staff/api.ts";
import { sentenceOf } from "../staff/fault.tsx";
import { asApiError } from "../staff/load.ts";
import { useStaffWords } from "../staff/words.ts";
import type { TestRun } from "./answers.ts";
import type { Document } from "./document.ts";
import type { Run } from "./tests.tsx";
import { useStudioWords } from "./words.ts";

export function useFormat(api: Api, doc: Document, mayEdit: boolean, goTo: (line: number, column: number) => void): () => Promise<void> {
  const w = useStudioWords();
  const sw = useStaffWords();
  const announce = useAnnounce();
  return useCallback(async () => {
    if (!mayEdit) return;
    const before = doc.text;
    try {
      const { text } = await api.post<{ text: string }>("format", { text: before });
      if (text === before) announce(w.alreadyFormatted);
      else {
        doc.replace(text);
        announce(w.formatted);
      }
    } catch (err) {
      const failed = asApiError(err);
      announce(failed.status === 422 ? w.formatFailed(failed.message) : sentenceOf(failed, sw), "bad");
      const line = Number(failed.body["line"] ?? 0);
      if (line > 0) goTo(line, Number(failed.body["column"] ?? 1));
    }
  }, [api, doc.text, doc.replace, mayEdit, w, sw, goTo]);
}

// useTestRun runs the tests of the file, with the draft in its place; onBegin shows where
// the results will be.
export function useTestRun(api: Api, file: string, doc: Document, onBegin: () => void): [Run, () => Promise<void>] {
  const [run, setRun] = useState<Run>({ value: null, busy: false, error: null });
  const start = useCallback(async () => {
    onBegin();
    setRun((r) => ({ ...r, busy: true, error: null }));
    try {
      const value = await api.post<TestRun>("test", doc.draft ? { file, text: doc.text } : { file });
      setRun({ value, busy: false, error: null });
    } catch (err) {
      setRun((r) => ({ ...r, busy: false, error: asApiError(err) }));
    }
  }, [api, file, doc.text, doc.draft]);
  return [run, start];
}
