// The draft's picture with the steps it adds and changes marked, and those it takes away named.
import { useState } from "preact/hooks";
import type { Checked, Flow } from "./answers.ts";
import type { Changes } from "./changed.ts";
import { Legend } from "./picture/legend.tsx";
import { Picture } from "./picture/picture.tsx";
import { useStudioWords } from "./words.ts";

export function DraftPicture({ flow, checked, changes }: { flow: Flow; checked: Checked; changes: Changes }) {
  const w = useStudioWords();
  const [marked] = useState(() => mark(checked.picture, changes));
  const none = changes.added.length + changes.removed.length + changes.changed.length === 0;
  return (
    <section class="draft-picture" aria-label={w.pictureDifference}>
      <h3>{w.pictureDifference}</h3>
      <ul class="step-changes">
        {none && <li class="soft">{w.noStepChanges}</li>}
        {changes.added.map((s) => (
          <li key={s} class="added">
            <span aria-hidden="true">+</span> <span class="unseen">{w.added}</span> {s}
          </li>
        ))}
        {changes.removed.map((s) => (
          <li key={s} class="removed">
            <span aria-hidden="true">−</span> <span class="unseen">{w.removed}</span> {s}
          </li>
        ))}
        {changes.changed.map((s) => (
          <li key={s} class="changed">
            <span aria-hidden="true">~</span> <span class="unseen">{w.changed}</span> {s}
          </li>
        ))}
      </ul>
      <div class="difference-picture">
        <Picture svg={marked} of={`draft of ${flow.name}`} label={w.pictureOf(flow.name)} marks=".step.added, .step.removed, .step.changed" />
        <Legend difference />
      </div>
    </section>
  );
}

// mark sets the classes the picture's style has for what was added and changed.
function mark(svg: string, changes: Changes): string {
  const parsed = new DOMParser().parseFromString(svg, "image/svg+xml");
  for (const node of parsed.querySelectorAll("[data-step]")) {
    const name = node.getAttribute("data-step") ?? "";
    if (changes.added.includes(name)) node.classList.add("added");
    else if (changes.changed.includes(name)) node.classList.add("changed");
  }
  return new XMLSerializer().serializeToString(parsed);
}
