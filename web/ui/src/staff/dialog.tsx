// A dialog over the page. The browser keeps the focus inside and gives it back after.
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { useBadNews } from "./announce.tsx";
import { Icon } from "./icon.tsx";
import { useStaffWords } from "./words.ts";

interface Props {
  title: string;
  onClose(): void;
  children: ComponentChildren;
  footer?: ComponentChildren;
  size?: "small" | "wide";
}

export function Dialog({ title, onClose, children, footer, size = "small" }: Props) {
  const w = useStaffWords();
  const bad = useBadNews();
  const id = useId();
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    // To what wants it, or the first field, else to the heading: the button that closes is no place to begin.
    (dialog?.querySelector<HTMLElement>(".dialog-body :is([autofocus], input, textarea)") ?? dialog?.querySelector<HTMLElement>("h2"))?.focus();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={ref}
      class={`dialog ${size}`}
      aria-labelledby={id}
      onCancel={(e) => {
        e.preventDefault();
        onClose();
      }}
    >
      <header class="dialog-head">
        <h2 id={id} tabIndex={-1}>{title}</h2>
        <button type="button" class="quiet square" onClick={onClose} aria-label={w.close}>
          <Icon name="close" />
        </button>
      </header>
      <div class="dialog-body">
        {children}
        {bad && (
          <div class="notes-here" role="alert">
            {bad}
          </div>
        )}
      </div>
      {footer && <footer class="dialog-foot">{footer}</footer>}
    </dialog>
  );
}
