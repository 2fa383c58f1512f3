// A check of somebody else's that waits for a second officer: what they have to look at, and
// their answer.
import { useState } from "preact/hooks";
import { Icon } from "../../staff/icon.tsx";
import { useLanguage } from "../../staff/settings.tsx";
import { useDesk, useRun } from "../context.tsx";
import type { Check } from "../faces.ts";
import { useFaceWords } from "../words.ts";
import { Noted, said } from "./parts.tsx";
import { kindOf, Compared, Stills } from "./stills.tsx";
import { Reasons } from "./verdict.tsx";

export function SecondPanel({ check }: { check: Check }) {
  const w = useFaceWords();
  const language = useLanguage();
  const { hold } = useDesk();
  const run = useRun();
  const [why, setWhy] = useState("");
  const [open, setOpen] = useState(false);
  const answer = (agree: boolean) => {
    if (!agree && why.trim() === "") return;
    void run(hold.ask({ t: "check", check: check.id, do: "second", agree, ...(why.trim() ? { why: why.trim() } : {}) }), w.secondDone);
  };
  const officer = check.officer ?? "";
  return (
    <section class="check second" aria-label={w.secondTitle(officer)}>
      <header class="check-head">
        <Icon name="shield" />
        <h3>{w.secondTitle(officer)}</h3>
        <span class="badge warn">{w.checkStates["second"]}</span>
      </header>
      <p class="soft">
        {w.checkOf(said(check.title, language) || check.policy)} · {w.secondWhat}
      </p>
      {check.verdict && (
        <div class="second-verdict">
          <p>
            <strong>{w.secondVerdict(officer, check.verdict.outcome)}</strong>
          </p>
          <Reasons check={check} />
        </div>
      )}
      <Compared check={check} />
      <button type="button" class="small second-more" aria-expanded={open} onClick={() => setOpen(!open)}>
        <Icon name={open ? "up" : "down"} />
        {w.steps}
      </button>
      {open && (
        <ol class="second-steps">
          {check.steps.map((step) => (
            <li key={step.name}>
              <p>
                <strong>{kindOf(step, w)}</strong> <span class={`badge ${step.state === "done" ? "good" : step.state === "failed" ? "bad" : ""}`}>{w.stepStates[step.state] ?? step.state}</span>
              </p>
              <Noted check={check} step={step} />
              {step.stills.length > 0 && <Stills check={check} step={step} />}
            </li>
          ))}
        </ol>
      )}
      <div class="field">
        <label for={`second-${check.id}`}>{w.secondWhy}</label>
        <input id={`second-${check.id}`} maxLength={500} value={why} onInput={(e) => setWhy(e.currentTarget.value)} />
      </div>
      <div class="actions">
        <button type="button" class="main" onClick={() => answer(true)}>
          <Icon name="check" />
          {w.agree}
        </button>
        <button type="button" class="danger" aria-disabled={why.trim() === "" ? "true" : undefined} onClick={() => answer(false)}>
          {w.disagree}
        </button>
      </div>
    </section>
  );
}
