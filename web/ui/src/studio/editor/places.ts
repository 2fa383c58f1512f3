// Places as the server counts them (lines and characters from 1) and as the editor does
// (UTF-16 units from 0).
import type { Text } from "@codemirror/state";

// offsetOf is where a place is; one outside the text is its nearest end.
export function offsetOf(doc: Text, line: number, column: number): number {
  if (line < 1) return 0;
  if (line > doc.lines) return doc.length;
  const at = doc.line(line);
  let unit = 0;
  let left = column - 1;
  for (const char of at.text) {
    if (left-- <= 0) break;
    unit += char.length;
  }
  return Math.min(at.from + unit, at.to);
}

export function placeOf(doc: Text, offset: number): { line: number; column: number } {
  const at = doc.lineAt(offset);
  return { line: at.number, column: [...at.text.slice(0, offset - at.from)].length + 1 };
}
