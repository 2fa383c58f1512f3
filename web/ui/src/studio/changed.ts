// Which steps a draft changes, found in the texts: for marking them in the draft's picture.
import type { OutlineStep } from "./answers.ts";
import { endOf } from "./outline.ts";

export interface Changes {
  added: string[];
  removed: string[];
  changed: string[];
}

const stepLine = /^( +)([a-z][a-z0-9_]*):/;

// changedSteps compares the steps' own lines. The old text has no outline at hand: its
// steps are the keys one level below "steps:".
export function changedSteps(before: string, after: string, outline: readonly OutlineStep[]): Changes {
  const old = stepsOf(before);
  const now = new Map(outline.map((s) => [s.step, body(after, s.line)]));
  return {
    added: [...now.keys()].filter((name) => !old.has(name)),
    removed: [...old.keys()].filter((name) => !now.has(name)),
    changed: [...now].filter(([name, text]) => old.has(name) && old.get(name) !== text).map(([name]) => name),
  };
}

function stepsOf(text: string): Map<string, string> {
  const lines = text.split("\n");
  const start = lines.findIndex((row) => /^steps:\s*(#.*)?$/.test(row));
  const out = new Map<string, string>();
  if (start < 0) return out;
  let depth = "";
  for (let i = start + 1; i < lines.length; i++) {
    const row = lines[i] ?? "";
    if (/^[^\s#]/.test(row)) break;
    const match = stepLine.exec(row);
    if (!match) continue;
    depth ||= match[1] ?? "";
    if (match[1] === depth) out.set(match[2] ?? "", body(text, i + 1));
  }
  return out;
}

function body(text: string, line: number): string {
  return text
    .split("\n")
    .slice(line - 1, endOf(text, line))
    .map((row) => row.trimEnd())
    .join("\n");
}
