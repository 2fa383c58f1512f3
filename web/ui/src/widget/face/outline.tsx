// The steps of an identity check, each with how it stands.
import type { CheckStep } from "../protocol.ts";
import { Icon } from "./icon.tsx";
import type { Words } from "./words.ts";

// kindOf is a step's kind, a document's with its side; a server from before tells that by the name.
export function kindOf(step: CheckStep): string {
  return step.kind !== "document" ? step.kind : step.side ? `document_${step.side}` : /back|rear|背|反/i.test(step.name) ? "document_back" : /front|正/i.test(step.name) ? "document_front" : "document";
}

// Outline is the list of steps, each with how it stands.
export function Outline({ steps, words: w }: { steps: CheckStep[]; words: Words }) {
  return (
    <ol class="face-steps" aria-label={w.steps}>
      {steps.map((s, i) => (
        <li key={s.name} class={s.state || "to-come"} {...(s.state === "present" ? { "aria-current": "step" as const } : {})}>
          <span class="face-dot" aria-hidden="true">
            {s.state === "done" ? <Icon name="done" /> : i + 1}
          </span>
          <span class="face-step-name">{w.short[kindOf(s)] ?? s.name}</span>
          <span class="unseen">{w.stepState[s.state] ?? ""}</span>
        </li>
      ))}
    </ol>
  );
}
