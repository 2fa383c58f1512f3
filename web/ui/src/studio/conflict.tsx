// What to say about a draft: found again, or begun from a file that has changed since.
import { Dialog } from "../staff/dialog.tsx";
import { useLanguage } from "../staff/settings.tsx";
import { dateTime } from "../staff/time.ts";
import { useStaffWords } from "../staff/words.ts";
import { TextDifference } from "./difference.tsx";
import type { Document } from "./document.ts";
import { diffLines } from "./lines.ts";
import { useStudioWords } from "./words.ts";

export function DraftNotes({ doc, mayEdit, onCompare }: { doc: Document; mayEdit: boolean; onCompare(): void }) {
  const w = useStudioWords();
  const language = useLanguage();
  return (
    <div role="status" class="draft-notes">
      {doc.unkept && <p class="banner bad">{w.draftUnkept}</p>}
      {doc.conflict ? (
        <div class="banner warn">
          <p>{w.conflict}</p>
          <button type="button" onClick={onCompare}>
            {w.conflictCompare}
          </button>
          <button type="button" onClick={doc.keepMine}>
            {w.conflictMine}
          </button>
          <button type="button" onClick={doc.discard}>
            {w.conflictTheirs}
          </button>
        </div>
      ) : (
        doc.draft &&
        mayEdit &&
        doc.restored !== "" && (
          <div class="banner">
            <p>{w.draftRestored(dateTime(doc.restored, language))}</p>
            <button type="button" onClick={doc.discard}>
              {w.discard}
            </button>
          </div>
        )
      )}
    </div>
  );
}

export function Conflict({ doc, onClose }: { doc: Document; onClose(): void }) {
  const w = useStudioWords();
  const sw = useStaffWords();
  const merged = doc.merged();
  const settle = (how: () => void) => {
    how();
    onClose();
  };
  return (
    <Dialog
      title={w.conflictTitle}
      size="wide"
      onClose={onClose}
      footer={
        <>
          <button type="button" onClick={onClose}>
            {sw.cancel}
          </button>
          <button type="button" onClick={() => settle(doc.discard)}>
            {w.conflictTheirs}
          </button>
          <button type="button" onClick={() => settle(doc.keepMine)}>
            {w.conflictMine}
          </button>
          {merged !== null && (
            <button type="button" class="main" onClick={() => settle(() => doc.take(merged))}>
              {w.conflictMerge}
            </button>
          )}
        </>
      }
    >
      <p>{merged !== null ? w.conflictCanMerge : w.conflictCannotMerge}</p>
      <TextDifference lines={diffLines(doc.disk.text, doc.text)} from={w.onDisk} to={w.yourDraft} />
    </Dialog>
  );
}
