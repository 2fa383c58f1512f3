// What the picture's marks mean, for what it shows now.
import { useStudioWords } from "../words.ts";

export function Legend({ counts, path, uncovered, difference }: { counts?: boolean; path?: boolean; uncovered?: boolean; difference?: boolean }) {
  const w = useStudioWords();
  const entries: [string, string][] = difference
    ? [
        ["added", w.legendAdded],
        ["removed", w.legendRemoved],
        ["changed", w.legendChanged],
      ]
    : counts
      ? [
          ["entered", w.legendEntered],
          ["wide", w.legendWide],
          ["left", w.legendLeft],
        ]
      : path
        ? [["taken", w.legendTaken]]
        : uncovered
          ? [["uncovered", w.legendUncovered]]
          : [];
  if (entries.length === 0) return null;
  return (
    <ul class="legend" aria-label={w.legend}>
      {entries.map(([key, text]) => (
        <li key={key}>
          <span class={`legend-mark ${key}`} aria-hidden="true">
            {{ added: "+", removed: "−", changed: "~" }[key]}
          </span>
          {text}
        </li>
      ))}
    </ul>
  );
}
