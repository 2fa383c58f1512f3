// The officer's verdict: yes or no, with reasons of a closed list and words of their own.
import { useState } from "preact/hooks";
import { useDesk, useRun } from "../context.tsx";
import type { Check } from "../faces.ts";
import { useFaceWords } from "../words.ts";

const otherwise: Record<string, string[]> = {
  passed: ["same_person", "document_valid", "requests_followed", "answers_right"],
  failed: ["not_same_person", "document_expired", "document_doubtful", "requests_not_followed", "answers_wrong", "second_person", "picture_bad", "other"],
};
const outcomes = ["passed", "failed", "declined"] as const;

export function VerdictForm({ check }: { check: Check }) {
  const w = useFaceWords();
  const { hold } = useDesk();
  const run = useRun();
  const [outcome, setOutcome] = useState("");
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [text, setText] = useState("");
  const [tried, setTried] = useState(false);
  const list = check.reasons?.[outcome] ?? otherwise[outcome] ?? [];
  const enough = chosen.length > 0 && (!chosen.includes("other") || text.trim() !== "");
  const decide = async (e: Event) => {
    e.preventDefault();
    setTried(true);
    if (outcome === "" || !enough) return;
    await run(hold.ask({ t: "check", check: check.id, do: "decide", outcome, reasons: [...chosen], ...(text.trim() ? { why: text.trim() } : {}) }));
  };
  return (
    <form class="verdict-form" onSubmit={(e) => void decide(e)}>
      <fieldset class="picks">
        <legend>{w.outcome}</legend>
        {outcomes.filter((o) => (check.reasons?.[o] ?? otherwise[o]) !== undefined).map((o) => (
          <label key={o}>
            <input type="radio" name={`outcome-${check.id}`} value={o} checked={outcome === o} onChange={() => (setOutcome(o), setChosen([]), setTried(false))} />
            <span>{w.outcomes[o]}</span>
          </label>
        ))}
      </fieldset>
      {outcome !== "" && (
        <>
          <fieldset class="picks">
            <legend>{w.reasonsField}</legend>
            {list.map((r) => (
              <label key={r}>
                <input type="checkbox" checked={chosen.includes(r)} onChange={(e) => setChosen(e.currentTarget.checked ? [...chosen, r] : chosen.filter((x) => x !== r))} />
                <span>{w.reasons[r] ?? r.replaceAll("_", " ")}</span>
              </label>
            ))}
          </fieldset>
          <div class="field">
            <label for={`verdict-${check.id}`}>{w.reasonText}</label>
            <input id={`verdict-${check.id}`} maxLength={500} value={text} onInput={(e) => setText(e.currentTarget.value)} />
          </div>
          {tried && !enough && (
            <p class="problem" role="alert">
              {w.reasonsNeeded}
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
