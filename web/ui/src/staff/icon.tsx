// The pages' small pictures: 16 × 16, drawn with one stroke, silent to screen readers.

const strokes = {
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  fit: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
  close: "M4 4l8 8M12 4l-8 8",
  check: "M3 8.5l3.2 3L13 4.5",
  down: "M4 6l4 4 4-4",
  up: "M4 10l4-4 4 4",
  right: "M6 4l4 4-4 4",
  search: "M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10zM10.6 10.6L14 14",
  error: "M8 14.2A6.2 6.2 0 1 0 8 1.8a6.2 6.2 0 0 0 0 12.4zM5.6 5.6l4.8 4.8M10.4 5.6l-4.8 4.8",
  warning: "M8 2.2L14.6 13.6H1.4zM8 6.4v3.4M8 11.6v.4",
  run: "M5 3l8 5-8 5z",
  publish: "M8 11V3M4.8 6L8 2.8 11.2 6M3 13.2h10",
  back: "M5.5 3L2.5 6l3 3M2.5 6H10a3.5 3.5 0 0 1 0 7H6",
  format: "M2.5 4h11M2.5 8h7M2.5 12h9",
  flow: "M3 2.5h4v3H3zM9 10.5h4v3H9zM5 5.5v6.5h4",
  file: "M4 2h5l3.5 3.5V14H4zM9 2v3.5h3.5",
  people: "M6 7.5A2.3 2.3 0 1 0 6 2.9a2.3 2.3 0 0 0 0 4.6zM1.8 13.3c0-2.5 1.9-4 4.2-4s4.2 1.5 4.2 4M10.7 7.2a2 2 0 0 0 0-4M12 9.6c1.4.5 2.3 1.8 2.3 3.7",
  list: "M5.5 4H14M5.5 8H14M5.5 12H14M2.3 4h.2M2.3 8h.2M2.3 12h.2",
  keys: "M1.8 4h12.4v8H1.8zM4.3 6.6h.2M7 6.6h.2M9.7 6.6h.2M11.9 6.6h.1M5 9.6h6",
  out: "M6.5 2.5h-4v11h4M9.5 5l3 3-3 3M12.5 8H6",
  copy: "M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z",
  left: "M10 4l-4 4 4 4",
  clock: "M8 14.2A6.2 6.2 0 1 0 8 1.8a6.2 6.2 0 0 0 0 12.4zM8 4.6V8l2.4 1.6",
} as const;

export type IconName = keyof typeof strokes;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path d={strokes[name]} />
    </svg>
  );
}
