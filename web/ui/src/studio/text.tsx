// The editor's place on the bench. CodeMirror is loaded when the first file is opened.
import { useEffect, useRef, useState } from "preact/hooks";
import { Waiting } from "../staff/fault.tsx";
import { useLanguage } from "../staff/settings.tsx";
import type { Diagnostic } from "./answers.ts";
import type { Editor, Handlers } from "./editor/editor.ts";
import { useStudioWords } from "./words.ts";

interface Props {
  file: string;
  text: string;
  outside: number; // grows when text changed by other means than typing here
  readOnly: boolean;
  diagnostics: readonly Diagnostic[]; // of this file
  of: string; // the text they are of
  handlers: Omit<Handlers, "kindOf" | "fixLabel">;
  onReady(editor: Editor | null): void;
}

export function TextPane({ file, text, outside, readOnly, diagnostics, of, handlers, onReady }: Props) {
  const w = useStudioWords();
  const language = useLanguage();
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<Editor | null>(null);
  const [ready, setReady] = useState(false);
  const [failed, setFailed] = useState(false);
  const naming = { language, label: w.editorOf(file) };
  const latest = useRef<{ handlers: Handlers; text: string; readOnly: boolean; naming: typeof naming }>(null!);
  latest.current = { handlers: { ...handlers, kindOf: (kind) => w.itemKinds[kind] ?? kind, fixLabel: () => w.fix }, text, readOnly, naming };

  useEffect(() => {
    let gone = false;
    import("./editor/editor.ts").then(
      ({ createEditor }) => {
        if (gone || !host.current) return;
        const now = latest.current;
        editor.current = createEditor(host.current, now.text, now.readOnly, now.naming, () => latest.current.handlers);
        setReady(true);
        onReady(editor.current);
      },
      () => setFailed(true),
    );
    return () => {
      gone = true;
      editor.current?.destroy();
      editor.current = null;
      onReady(null);
    };
  }, []);
  // What was typed here comes back as text a moment later and may be old by then: only
  // what others changed is put into the editor.
  useEffect(() => editor.current?.setText(text), [outside, ready]);
  useEffect(() => editor.current?.setReadOnly(readOnly), [readOnly, ready]);
  useEffect(() => editor.current?.setNaming(naming), [language, file, ready]);
  useEffect(() => {
    // Those of an older text would point at wrong places; the newer ones are on their way.
    if (editor.current && editor.current.text() === of) editor.current.setDiagnostics(diagnostics);
  }, [diagnostics, of, ready]);

  return (
    <div class="text-host" ref={host}>
      {!ready && !failed && <Waiting />}
      {failed && <p class="empty">{w.editorFailed}</p>}
    </div>
  );
}
