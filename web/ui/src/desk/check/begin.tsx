// Begins an identity check: which policy, where there are several.
import { useState } from "preact/hooks";
import { useApi } from "../../staff/api.ts";
import { Dialog } from "../../staff/dialog.tsx";
import { Fault, Waiting } from "../../staff/fault.tsx";
import { useLoad } from "../../staff/load.ts";
import { useLanguage } from "../../staff/settings.tsx";
import { useDesk, useHeld, useRun } from "../context.tsx";
import type { Policy } from "../faces.ts";
import { runs } from "../sight.ts";
import { upgradeOf } from "../store.ts";
import type { Item } from "../store.ts";
import { useDeskWords, useFaceWords } from "../words.ts";
import { said } from "./parts.tsx";
import { kindOf } from "./stills.tsx";

export function BeginCheckDialog({ item, onClose }: { item: Item; onClose(): void }) {
  const w = useFaceWords();
  const dw = useDeskWords();
  const api = useApi();
  const language = useLanguage();
  const { hold } = useDesk();
  const s = useHeld();
  const run = useRun();
  const list = useLoad<{ policies: Policy[] }>((signal) => api.get("check_policies", signal), [api]);
  const [name, setName] = useState("");
  const all = list.value?.policies ?? [];
  const policy = all.find((p) => p.name === name) ?? all[0];
  const go = async (e: Event) => {
    e.preventDefault();
    if (policy && (await run(hold.ask({ t: "check", task: item.id, do: "begin", policy: policy.name })))) onClose();
  };
  return (
    <Dialog title={w.begin} onClose={onClose}>
      {list.error && <Fault error={list.error} onRetry={list.reload} />}
      {!list.value && !list.error && <Waiting />}
      {list.value && all.length === 0 && <p class="soft">{w.noPolicies}</p>}
      {policy && (
        <form class="form" onSubmit={(e) => void go(e)}>
          <p class="soft">{w.beginWhat}</p>
          <div class="field">
            <label for="check-policy">{w.policy}</label>
            {all.length > 1 ? (
              <select id="check-policy" value={policy.name} onChange={(e) => setName(e.currentTarget.value)}>
                {all.map((p) => (
                  <option key={p.name} value={p.name}>
                    {said(p.title, language) || p.name.replaceAll("_", " ")}
                  </option>
                ))}
              </select>
            ) : (
              <input id="check-policy" readOnly value={said(policy.title, language) || policy.name.replaceAll("_", " ")} />
            )}
            <span class="hint">{w.policyFacts(policy.steps.length, dw.assurances[policy.level] ?? policy.level)}</span>
          </div>
          <ol class="check-steps">
            {policy.steps.map((x, i) => (
              <li key={x.name} class="later">
                <span class="step-sign" aria-hidden="true">
                  {i + 1}
                </span>
                <span>{kindOf(x, w)}</span>
              </li>
            ))}
          </ol>
          {policy.needs_second && <p class="soft">{w.policySecond}</p>}
          {runs(upgradeOf(s, item)) !== "video" && <p class="soft">{w.needsVideo}</p>}
          <div class="actions">
            <button type="submit" class="main">
              {w.beginGo}
            </button>
          </div>
        </form>
      )}
    </Dialog>
  );
}
