// The step that is chosen: what it says, where it leads, what is wrong with it. It keeps
// its height, so that choosing moves nothing.
import { useMemo } from "preact/hooks";
import { Icon } from "../../staff/icon.tsx";
import type { Diagnostic, OutlineStep } from "../answers.ts";
import { problemsOf } from "../outline.ts";
import { Says } from "../says.tsx";
import { useStudioWords } from "../words.ts";
import { factsOf } from "./ways.ts";

interface Props {
  svg: SVGSVGElement | null;
  step: string;
  outline: readonly OutlineStep[];
  file: string;
  text: string;
  diagnostics: readonly Diagnostic[];
  onChoose(step: string, focus: boolean): void;
  onDiagnostic(d: Diagnostic): void;
}

export function StepPanel({ svg, step, outline, file, text, diagnostics, onChoose, onDiagnostic }: Props) {
  const w = useStudioWords();
  const at = outline.find((s) => s.step === step);
  const facts = useMemo(() => (svg && step !== "" ? factsOf(svg, step) : null), [svg, step]);
  const problems = useMemo(() => (at ? problemsOf(diagnostics, file, text, at) : []), [at, diagnostics, file, text]);
  if (step === "" || !facts || facts.says.length === 0)
    return (
      <div class="step-panel" aria-label={w.stepPanel} role="group">
        <p class="soft">{w.noStep}</p>
      </div>
    );
  return (
    <div class="step-panel" aria-label={w.stepPanel} role="group">
      <p class="step-name">
        <strong>{step}</strong>
        {at && <span class="tag">{at.verb}</span>}
        {at && (
          <button type="button" class="quiet small" onClick={() => onChoose(step, true)}>
            {w.line(at.line)}
          </button>
        )}
      </p>
      <p class="step-says">{facts.says
          .slice(1)
          .filter((line) => !/^\d+: /.test(line)) // problems, which follow below
          .slice(0, 5)
          .join(" · ")}</p>
      {problems.map((d) => (
        <button key={`${d.line}:${d.column}:${d.message}`} type="button" class={`quiet small step-problem ${d.severity}`} onClick={() => onDiagnostic(d)}>
          <Icon name={d.severity} />
          <Says of={d} />
        </button>
      ))}
      {facts.ways.length > 0 && (
        <p class="step-ways">
          <span class="soft">{w.leadsTo}</span>
          {facts.ways.map((way) => (
            <button key={`${way.label}>${way.to}`} type="button" class="small" disabled={!way.step} onClick={() => onChoose(way.to, false)}>
              {way.label && <span class="soft">{way.label}</span>}
              <Icon name="right" />
              {way.to}
            </button>
          ))}
        </p>
      )}
      {facts.in.length > 0 && (
        <p class="step-ways">
          <span class="soft">{w.comesFrom}</span>
          {facts.in.slice(0, 12).map((name) => (
            <button key={name} type="button" class="small" onClick={() => onChoose(name, false)}>
              {name}
            </button>
          ))}
        </p>
      )}
    </div>
  );
}
