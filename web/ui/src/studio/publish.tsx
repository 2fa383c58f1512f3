// Publishing a draft: what changes, why, and at once or by a second person.
import { useMemo, useState } from "preact/hooks";
import { useAnnounce } from "../staff/announce.tsx";
import type { ApiError } from "../staff/api.ts";
import { useApi } from "../staff/api.ts";
import { Dialog } from "../staff/dialog.tsx";
import { Fault } from "../staff/fault.tsx";
import { Icon } from "../staff/icon.tsx";
import { asApiError } from "../staff/load.ts";
import type { Me } from "../staff/session.ts";
import { useStaffWords } from "../staff/words.ts";
import type { Checked, Diagnostic, Flow, Proposed } from "./answers.ts";
import { changedSteps } from "./changed.ts";
import { TextDifference } from "./difference.tsx";
import { DraftPicture } from "./draftpicture.tsx";
import type { Document } from "./document.ts";
import { diffLines } from "./lines.ts";
import { Says } from "./says.tsx";
import { useStudioWords } from "./words.ts";

interface Props {
  me: Me;
  file: string;
  flow: Flow | null;
  doc: Document;
  checked: Checked | null;
  onClose(): void;
  onDone(): void;
}

export function Publish({ me, file, flow, doc, checked, onClose, onDone }: Props) {
  const w = useStudioWords();
  const sw = useStaffWords();
  const api = useApi();
  const announce = useAnnounce();
  const [note, setNote] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const [needNote, setNeedNote] = useState(false);
  const lines = useMemo(() => diffLines(doc.disk.text, doc.text), [doc.disk.text, doc.text]);
  const errors = (checked?.diagnostics ?? []).filter((d) => d.severity === "error");
  const blocked = errors.length > 0 || doc.conflict;

  const act = async () => {
    if (busy || blocked) return;
    if (note.trim() === "") {
      setNeedNote(true);
      document.getElementById("publish-note")?.focus();
      return;
    }
    setBusy(true);
    setError(null);
    try {
      const done = await api.post<Proposed>("proposals", { file, text: doc.text, base: doc.base.hash, note: note.trim() });
      announce(done.state === "published" ? w.published(done.number ?? 0) : w.proposed);
      onDone();
    } catch (err) {
      const failed = asApiError(err);
      setBusy(false);
      setError(failed);
      if (failed.code === "conflict") doc.reload();
    }
  };
  const refused = error?.code === "errors" ? ((error.body["diagnostics"] as Diagnostic[] | undefined) ?? []) : [];

  return (
    <Dialog
      title={me.second_person ? w.proposeTitle(flow?.name ?? file) : w.publishTitle(flow?.name ?? file)}
      size="wide"
      onClose={onClose}
      footer={
        <>
          <button type="button" onClick={onClose}>
            {sw.cancel}
          </button>
          <button type="button" class="main" aria-disabled={busy || blocked} onClick={() => void act()}>
            <Icon name="publish" />
            {me.second_person ? w.propose : w.publish}
          </button>
        </>
      }
    >
      <p class="soft">{me.second_person ? w.proposeWhat : w.publishWhat}</p>
      {errors.length > 0 && <p class="banner bad">{w.errorsFirst(errors.length)}</p>}
      {doc.conflict && <p class="banner warn">{w.conflictFirst}</p>}
      {error && error.code !== "errors" && error.code !== "conflict" && <Fault error={error} />}
      {refused.length > 0 && (
        <ul class="refused-list" role="alert">
          {refused.map((d) => (
            <li key={`${d.file}:${d.line}:${d.message}`}>
              {d.file}:{d.line} <Says of={d} />
            </li>
          ))}
        </ul>
      )}
      <div class="field">
        <label for="publish-note">{w.noteLabel}</label>
        <textarea
          id="publish-note"
          rows={2}
          value={note}
          aria-invalid={needNote && note.trim() === ""}
          aria-describedby="publish-note-hint"
          onInput={(e) => setNote(e.currentTarget.value)}
          onKeyDown={(e) => {
            if (e.key === "Enter" && (e.ctrlKey || e.metaKey) && !e.isComposing) void act();
          }}
        />
        <span class={`hint ${needNote && note.trim() === "" ? "bad-text" : ""}`} id="publish-note-hint">
          {needNote && note.trim() === "" ? w.noteNeeded : w.noteHint}
        </span>
      </div>
      {flow && checked && <DraftPicture flow={flow} checked={checked} changes={changedSteps(doc.disk.text, doc.text, checked.outline)} />}
      <TextDifference lines={lines} from={w.onDisk} to={w.yourDraft} />
    </Dialog>
  );
}
