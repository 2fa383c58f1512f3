// Differences of texts, line by line, and the merging of two changes of one text.
import type { DiffLine } from "./answers.ts";

interface Edit {
  from: number; // lines of the old text: from … to (excluded) …
  to: number;
  lines: string[]; // … become these
}

export function linesOf(text: string): string[] {
  return text.split("\n");
}

// difference is the shortest list of edits that turns a into b (Myers' greedy search),
// after what they share at both ends is set aside.
function edits(a: readonly string[], b: readonly string[]): Edit[] {
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const inner = search(a.slice(head, a.length - tail), b.slice(head, b.length - tail));
  const out: Edit[] = [];
  for (const [x, y] of inner) {
    const last = out.at(-1);
    const at = head + x;
    if (y < 0) {
      if (last && last.to === at) last.to = at + 1;
      else out.push({ from: at, to: at + 1, lines: [] });
    } else {
      const line = b[head + y] ?? "";
      if (last && last.to === at) last.lines.push(line);
      else out.push({ from: at, to: at, lines: [line] });
    }
  }
  return out;
}

const mostSteps = 4_000; // beyond it the texts are treated as wholly different

// search walks from the end of both texts back along the furthest-reaching paths. Each
// item is [old line, -1] for a line that goes and [old place, new line] for one that comes.
function search(a: readonly string[], b: readonly string[]): [number, number][] {
  const n = a.length;
  const m = b.length;
  const most = n + m;
  const reach: Map<number, number>[] = [];
  let v = new Map<number, number>([[1, 0]]);
  let found = -1;
  for (let d = 0; d <= Math.min(most, mostSteps) && found < 0; d++) {
    const next = new Map(v);
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (v.get(k - 1) ?? -1) < (v.get(k + 1) ?? -1));
      let x = down ? (v.get(k + 1) ?? 0) : (v.get(k - 1) ?? 0) + 1;
      let y = x - k;
      while (x < n && y < m && a[x] === b[y]) {
        x++;
        y++;
      }
      next.set(k, x);
      if (x >= n && y >= m) {
        found = d;
        break;
      }
    }
    reach.push(v);
    v = next;
  }
  if (found < 0) {
    return [...a.map((_, x): [number, number] => [x, -1]), ...b.map((_, y): [number, number] => [n, y])];
  }
  const steps: [number, number][] = [];
  let x = n;
  let y = m;
  for (let d = found; d > 0; d--) {
    const before = reach[d] ?? new Map<number, number>();
    const k = x - y;
    const down = k === -d || (k !== d && (before.get(k - 1) ?? -1) < (before.get(k + 1) ?? -1));
    const from = down ? k + 1 : k - 1;
    const fromX = before.get(from) ?? 0;
    const fromY = fromX - from;
    steps.push(down ? [fromX, fromY] : [fromX, -1]);
    x = fromX;
    y = fromY;
  }
  return steps.reverse();
}

// diffLines writes the whole text with what goes and what comes.
export function diffLines(before: string, after: string): DiffLine[] {
  const a = linesOf(before);
  const out: DiffLine[] = [];
  let at = 0;
  for (const e of edits(a, linesOf(after))) {
    for (; at < e.from; at++) out.push({ op: " ", line: a[at] ?? "" });
    for (; at < e.to; at++) out.push({ op: "-", line: a[at] ?? "" });
    for (const line of e.lines) out.push({ op: "+", line });
  }
  for (; at < a.length; at++) out.push({ op: " ", line: a[at] ?? "" });
  return out;
}

// merge puts two changes of one text together; null when both touch the same lines.
export function merge(base: string, mine: string, theirs: string): string | null {
  const lines = linesOf(base);
  const all = [...edits(lines, linesOf(mine)), ...edits(lines, linesOf(theirs))].sort((p, q) => p.from - q.from || p.to - q.to);
  const kept: Edit[] = [];
  for (const e of all) {
    const last = kept.at(-1);
    if (!last) {
      kept.push(e);
      continue;
    }
    const same = last.from === e.from && last.to === e.to && last.lines.join("\n") === e.lines.join("\n");
    if (same) continue;
    // Touching counts too: lines put at one and the same place have no order.
    if (e.from < last.to || (e.from === last.to && (e.from === e.to || last.from === last.to))) return null;
    kept.push(e);
  }
  const out: string[] = [];
  let at = 0;
  for (const e of kept) {
    out.push(...lines.slice(at, e.from), ...e.lines);
    at = e.to;
  }
  out.push(...lines.slice(at));
  return out.join("\n");
}

// hunks keeps around lines beside each change and puts null where lines were left out.
export function hunks(diff: readonly DiffLine[], around = 3): (DiffLine & { old: number; new: number } | null)[] {
  const near = diff.map((_, i) => diff.slice(Math.max(0, i - around), i + around + 1).some((l) => l.op !== " "));
  const out: (DiffLine & { old: number; new: number } | null)[] = [];
  let oldLine = 0;
  let newLine = 0;
  diff.forEach((l, i) => {
    if (l.op !== "+") oldLine++;
    if (l.op !== "-") newLine++;
    if (near[i]) out.push({ ...l, old: oldLine, new: newLine });
    else if (out.at(-1) !== null) out.push(null);
  });
  return out;
}
