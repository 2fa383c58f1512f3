// The bar between two parts of the bench: dragged, or moved by arrow keys.
import { useState } from "preact/hooks";

interface Props {
  label: string;
  across: boolean; // between left and right; else between above and below
  value: number; // percent of the first part
  onChange(value: number): void;
}

const least = 15;
const most = 85;

export function Splitter({ label, across, value, onChange }: Props) {
  const [dragging, setDragging] = useState(false);
  const set = (v: number) => onChange(Math.round(Math.min(most, Math.max(least, v)) * 10) / 10);
  return (
    <div
      class={`splitter ${across ? "across" : "down"} ${dragging ? "dragging" : ""}`}
      role="separator"
      aria-label={label}
      aria-orientation={across ? "vertical" : "horizontal"}
      aria-valuenow={Math.round(value)}
      aria-valuemin={least}
      aria-valuemax={most}
      tabIndex={0}
      onKeyDown={(e) => {
        const by = { ArrowLeft: across ? -2 : 0, ArrowRight: across ? 2 : 0, ArrowUp: across ? 0 : -2, ArrowDown: across ? 0 : 2, Home: -100, End: 100 }[e.key];
        if (by === undefined || by === 0) return;
        e.preventDefault();
        set(value + by);
      }}
      onPointerDown={(e) => {
        e.currentTarget.setPointerCapture(e.pointerId);
        setDragging(true);
      }}
      onPointerMove={(e) => {
        if (!dragging) return;
        const box = e.currentTarget.parentElement?.getBoundingClientRect();
        if (!box) return;
        set(across ? (100 * (e.clientX - box.left)) / box.width : (100 * (e.clientY - box.top)) / box.height);
      }}
      onPointerUp={() => setDragging(false)}
      onPointerCancel={() => setDragging(false)}
    />
  );
}

// firstSplit and keepSplit remember a splitter's place on this device.
export function firstSplit(name: string, otherwise: number): number {
  try {
    const kept = Number(localStorage.getItem(`tandem.split.${name}`));
    return kept >= least && kept <= most ? kept : otherwise;
  } catch {
    return otherwise;
  }
}

export function keepSplit(name: string, value: number): void {
  try {
    localStorage.setItem(`tandem.split.${name}`, String(value));
  } catch {
    // It then lasts as long as the page.
  }
}
