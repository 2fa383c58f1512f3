// What the steps of a check come to: which stills count, and when a step can be done. Pure.
import type { Check, Step, Still } from "../faces.ts";

// wanted are the things that have to be noted before a step is done.
export function wanted(step: Step): string[] {
  if (step.kind === "questions" || step.kind === "compare") return (step.asks ?? []).map((a) => a.name);
  return step.kind === "request" ? (step.requests ?? []).map((r) => r.what) : [];
}

// complete tells whether a step can be done: all is noted, and there is a still where one is needed.
export function complete(check: Check, step: Step, said: Record<string, unknown>): boolean {
  if (step.kind === "code") return check.code?.ok === true;
  if (step.kind === "document" || step.kind === "face") return step.stills.some((s) => s.round === undefined || s.round === check.round);
  return wanted(step).every((name) => said[name] !== undefined);
}

// best is the sharpest still of the last take of a step.
export function best(step: Step | undefined): Still | undefined {
  const last = lastTake(step);
  return last.find((s) => s.source === "page") ?? last.at(-1);
}

// lastTake are the stills of the newest take of a step.
export function lastTake(step: Step | undefined): Still[] {
  const all = step?.stills ?? [];
  const round = Math.max(0, ...all.map((s) => s.round ?? 0));
  const ofRound = all.filter((s) => (s.round ?? 0) === round);
  const n = Math.max(0, ...ofRound.map((s) => s.n ?? 0));
  return ofRound.filter((s) => (s.n ?? 0) === n);
}

// Choice is a still with the step that it is of.
export interface Choice {
  step: Step;
  still: Still;
}

// comparedOf are the stills that are to be compared, the best of each step: documents first,
// then faces. Those of void rounds do not count.
export function comparedOf(check: Check): Choice[] {
  return ["document", "face"].flatMap((kind) =>
    check.steps
      .filter((s) => s.kind === kind)
      .flatMap((step) => {
        const still = best({ ...step, stills: step.stills.filter((s) => s.round === undefined || s.round === check.round) });
        return still ? [{ step, still }] : [];
      }),
  );
}

// pairOf are the two that a face is recognised by: of a document, and of the person.
export function pairOf(check: Check): { document: Choice; face: Choice } | undefined {
  const all = comparedOf(check);
  const [document, face] = ["document", "face"].map((kind) => all.find((c) => c.step.kind === kind));
  return document && face ? { document, face } : undefined;
}
