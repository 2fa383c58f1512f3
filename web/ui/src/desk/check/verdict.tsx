// The officer's verdict, with reasons of a closed list and words of their own.
import { useState } from "preact/hooks";
import { useLanguage } from "../../staff/settings.tsx";
import { useDesk, useRun } from "../context.tsx";
import type { Bar, Check } from "../faces.ts";
import { useFaceWords } from "../words.ts";
import { said } from "./parts.tsx";
import { kindOf } from "./stills.tsx";

const outcomes = ["passed", "failed", "declined"] as const;

export function VerdictForm({ check }: { check: Check }) {
  const w = useFaceWords();
  const { hold } = useDesk();
  const run = useRun();
  const [outcome, setOutcome] = useState("");
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [text, setText] = useState("");
  const [tried, setTried] = useState(false);
  const list = check.reasons?.[outcome] ?? [];
  const barred = (check.bars ?? []).length > 0;
  const wordless = chosen.includes("other") && text.trim() === "";
  const missing = outcome === "" || (outcome === "passed" && barred) ? "" : wordless ? w.wordsNeeded : chosen.length === 0 && outcome !== "passed" ? w.reasonsNeeded : "";
  const decide = async (e: Event) => {
    e.preventDefault();
    setTried(true);
    if (outcome === "" || missing !== "" || (outcome === "passed" && barred)) return;
    await run(hold.ask({ t: "check", check: check.id, do: "decide", outcome, reasons: [...chosen], ...(text.trim() ? { why: text.trim() } : {}) }));
  };
  return (
    <form class="verdict-form" onSubmit={(e) => void decide(e)}>
      <fieldset class="picks">
        <legend>{w.outcome}</legend>
        {outcomes.map((o) => (
          <label key={o}>
            <input type="radio" name={`outcome-${check.id}`} value={o} checked={outcome === o} disabled={o === "passed" && barred} aria-describedby={o === "passed" && barred ? `bars-${check.id}` : undefined} onChange={() => (setOutcome(o), setChosen([]), setTried(false))} />
            <span>{w.outcomes[o]}</span>
          </label>
        ))}
      </fieldset>
      {barred && <Bars check={check} />}
      {outcome !== "" && (
        <>
          <fieldset class="picks">
            <legend>{outcome === "passed" ? w.reasonsOptional : w.reasonsField}</legend>
            {list.map((r) => (
              <label key={r}>
                <input type="checkbox" checked={chosen.includes(r)} onChange={(e) => setChosen(e.currentTarget.checked ? [...chosen, r] : chosen.filter((x) => x !== r))} />
                <span>{w.reasons[r] ?? r.replaceAll("_", " ")}</span>
              </label>
            ))}
          </fieldset>
          <div class="field">
            <label for={`verdict-${check.id}`}>{list.includes("other") ? w.reasonText : w.reasonWords}</label>
            <input id={`verdict-${check.id}`} maxLength={500} value={text} onInput={(e) => setText(e.currentTarget.value)} />
          </div>
          {tried && missing !== "" && (
            <p class="problem" role="alert">
              {missing}
            </p>
          )}
          {check.needs_second && <p class="soft">{w.decideSecond}</p>}
          <div class="actions">
            <button type="submit" class={outcome === "passed" ? "main" : "danger"}>
              {w.decide}
            </button>
          </div>
        </>
      )}
    </form>
  );
}

// Bars say what keeps a check from being passed, in the words of its questions.
function Bars({ check }: { check: Check }) {
  const w = useFaceWords();
  const language = useLanguage();
  const what = (b: Bar) => {
    const step = check.steps.find((x) => x.name === b.step);
    return said(b.ask, language) || (b.what && (w.requests[b.what] ?? b.what.replaceAll("_", " "))) || (step ? kindOf(step, w) : "");
  };
  return (
    <div class="bars" id={`bars-${check.id}`}>
      <p class="soft">{w.barred}</p>
      <ul>
        {(check.bars ?? []).map((b) => (
          <li key={`${b.step} ${b.why} ${b.what ?? said(b.ask, "en")}`}>{(w.bars[b.why] ?? w.bars["not_done"]!)(what(b))}</li>
        ))}
      </ul>
    </div>
  );
}

// Reasons are those of a verdict in words.
export function Reasons({ check }: { check: Check }) {
  const w = useFaceWords();
  const v = check.verdict;
  if (!v) return null;
  return (
    <ul class="reasons">
      {v.reasons.map((r) => (
        <li key={r}>{w.reasons[r] ?? r.replaceAll("_", " ")}</li>
      ))}
      {v.text && <li>{v.text}</li>}
    </ul>
  );
}
