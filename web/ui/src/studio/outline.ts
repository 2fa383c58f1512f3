// Which step a line of the text belongs to, and where a step begins.
import type { Diagnostic, OutlineStep } from "./answers.ts";

// stepAt is the step that line is in; "" = none. text tells where the steps end.
export function stepAt(outline: readonly OutlineStep[], text: string, line: number): string {
  const sorted = [...outline].sort((a, b) => a.line - b.line);
  const last = sorted.filter((s) => s.line <= line).at(-1);
  if (!last) return "";
  const end = endOf(text, last.line);
  return line <= end ? last.step : "";
}

// endOf is the last line of what begins at line: up to the next line that is indented no
// deeper, blank lines and comments at its end left out.
export function endOf(text: string, line: number): number {
  const lines = text.split("\n");
  const depth = indent(lines[line - 1] ?? "");
  let end = line;
  for (let i = line; i < lines.length; i++) {
    const row = lines[i] ?? "";
    if (row.trim() === "" || row.trim().startsWith("#")) continue;
    if (indent(row) <= depth) break;
    end = i + 1;
  }
  return end;
}

export function problemsOf(diagnostics: readonly Diagnostic[], file: string, text: string, step: OutlineStep): Diagnostic[] {
  const end = endOf(text, step.line);
  return diagnostics.filter((d) => d.file === file && d.line >= step.line && d.line <= end);
}

function indent(row: string): number {
  return row.length - row.trimStart().length;
}
