// A button that opens a small sheet below it; Escape, or a press elsewhere, closes it.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

interface Props {
  label: ComponentChildren;
  class?: string;
  id?: string;
  children(close: () => void): ComponentChildren;
}

export function Sheet({ label, class: more = "", id, children }: Props) {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open) return;
    const outside = (e: Event) => {
      if (e.target instanceof Node && !root.current?.contains(e.target)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    document.addEventListener("focusin", outside);
    root.current?.querySelector<HTMLElement>(".sheet :is(button, input):not(:disabled)")?.focus();
    return () => {
      document.removeEventListener("pointerdown", outside);
      document.removeEventListener("focusin", outside);
    };
  }, [open]);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  return (
    <div
      class="sheet-root"
      ref={root}
      onKeyDown={(e) => {
        if (e.key !== "Escape" || !open) return;
        e.stopPropagation();
        close();
      }}
    >
      <button type="button" class={`quiet ${more}`} ref={button} id={id} aria-expanded={open} onClick={() => setOpen(!open)}>
        {label}
      </button>
      {open && <div class="sheet">{children(close)}</div>}
    </div>
  );
}
