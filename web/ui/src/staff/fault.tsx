// Why something cannot be shown, what to do next, and a way to try again.
import type { ApiError } from "./api.ts";
import { Icon } from "./icon.tsx";
import { useStaffWords } from "./words.ts";
import type { StaffWords } from "./words.ts";

// sentenceOf is an error in the page's language: our words for the codes we know, the
// server's own for the rest, introduced where that helps.
export function sentenceOf(err: ApiError, w: StaffWords): string {
  const known = w.faults[err.code];
  if (known) return known;
  if (err.message !== "") return w.because[err.code]?.(err.message) ?? err.message;
  return err.status >= 500 ? w.faults["server"]! : w.faults["other"]!;
}

export function Fault({ error, onRetry }: { error: ApiError; onRetry?: () => void }) {
  const w = useStaffWords();
  return (
    <div class="fault" role="alert">
      <Icon name="error" />
      <p>{sentenceOf(error, w)}</p>
      {onRetry && (
        <button type="button" onClick={onRetry}>
          {w.retry}
        </button>
      )}
    </div>
  );
}

export function Waiting({ what }: { what?: string }) {
  const w = useStaffWords();
  return (
    <p class="waiting" role="status">
      <span class="spinner" aria-hidden="true" />
      {what ?? w.loading}
    </p>
  );
}
