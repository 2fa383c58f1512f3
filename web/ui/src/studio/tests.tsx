// The tests of a flow: run, with what was said in each, and what no test walked.
import { useState } from "preact/hooks";
import type { ApiError } from "../staff/api.ts";
import { Fault, Waiting } from "../staff/fault.tsx";
import { Icon } from "../staff/icon.tsx";
import type { Coverage, TestCase, TestRun } from "./answers.ts";
import { useStudioWords } from "./words.ts";

export interface Run {
  value: TestRun | null;
  busy: boolean;
  error: ApiError | null;
}

interface Props {
  flow: string;
  run: Run;
  onRun(): void;
  onLine(file: string, line: number): void;
  onStep(step: string): void;
}

function coverageOf(run: TestRun, flow: string): Coverage | null {
  if (!run.coverage) return null;
  const all = Array.isArray(run.coverage) ? run.coverage : [run.coverage];
  return all.find((c) => c.flow === flow) ?? all[0] ?? null;
}

// uncoveredOf names the steps and edges no test walked as the picture names them.
export function uncoveredOf(run: TestRun, flow: string): Set<string> {
  const c = coverageOf(run, flow);
  return new Set([...(c?.steps.missing ?? []), ...(c?.edges.missing ?? []).map((e) => `${e.step} > ${e.to === "repeat" ? e.step : e.to}`)]);
}

export function Tests({ flow, run, onRun, onLine, onStep }: Props) {
  const w = useStudioWords();
  const result = run.value;
  const coverage = result && coverageOf(result, flow);
  return (
    <div class="tests" aria-busy={run.busy}>
      <div class="panel-head">
        <button type="button" onClick={onRun} aria-disabled={run.busy}>
          <Icon name="run" />
          {w.runTests}
        </button>
        <p role="status">{run.busy ? w.testsRunning : result ? w.testsResult(result.passed, result.failed, Math.round(result.took_ms)) : ""}</p>
      </div>
      {run.error?.code === "not_found" && <p class="empty">{w.noTests}</p>}
      {run.error?.code === "errors" && <p class="empty">{w.testsNeedMended}</p>}
      {run.error && run.error.code !== "not_found" && run.error.code !== "errors" && <Fault error={run.error} onRetry={onRun} />}
      {!result && !run.busy && !run.error && <p class="empty">{w.testsNotRun}</p>}
      {!result && run.busy && <Waiting what={w.testsRunning} />}
      {result && result.cases.length === 0 && <p class="empty">{w.noTests}</p>}
      {result && (
        <div class="tests-body">
          <ul class="cases">
            {[...result.cases].sort((a, b) => Number(a.ok) - Number(b.ok)).map((c, i) => (
              <Case key={`${c.file}:${c.line}:${c.channel}:${i}`} test={c} onLine={onLine} />
            ))}
          </ul>
          {coverage && <CoverageList coverage={coverage} onStep={onStep} />}
        </div>
      )}
    </div>
  );
}

function Case({ test: c, onLine }: { test: TestCase; onLine: Props["onLine"] }) {
  const w = useStudioWords();
  const [open, setOpen] = useState(!c.ok);
  return (
    <li class={c.ok ? "passed" : "failed"}>
      <div class="case-head">
        <button type="button" class="plain" aria-expanded={open} onClick={() => setOpen(!open)}>
          <Icon name={c.ok ? "check" : "error"} />
          <span class="unseen">{c.ok ? w.passed : w.failed} </span>
          <span class="case-name">{c.name}</span>
          <span class="tag">{w.channels[c.channel] ?? c.channel}</span>
        </button>
        <button type="button" class="quiet small" onClick={() => onLine(c.file, c.line)}>
          {c.file}:{c.line}
        </button>
      </div>
      {open && !c.ok && <pre class="case-message">{c.message}</pre>}
      {open && <pre class="transcript" tabIndex={0} aria-label={w.transcriptOf(c.name)}>{c.transcript || w.noTranscript}</pre>}
    </li>
  );
}

function CoverageList({ coverage: c, onStep }: { coverage: Coverage; onStep(step: string): void }) {
  const w = useStudioWords();
  return (
    <section class="coverage" aria-label={w.coverage}>
      <h3>{w.coverage}</h3>
      <Meter label={w.steps} part={c.steps.covered} whole={c.steps.total} />
      <Meter label={w.edges} part={c.edges.covered} whole={c.edges.total} />
      {c.edges.missing.length > 0 ? (
        <>
          <h4>{w.notWalked}</h4>
          <ul>
            {c.edges.missing.map((e) => (
              <li key={`${e.step}:${e.label}`}>
                <button type="button" class="quiet small" onClick={() => onStep(e.step)}>
                  <strong>{e.step}</strong>
                  {e.label && <span class="soft">{e.label}</span>}
                  <Icon name="right" />
                  {e.to}
                </button>
              </li>
            ))}
          </ul>
        </>
      ) : (
        <p class="soft">{w.allWalked}</p>
      )}
    </section>
  );
}

function Meter({ label, part, whole }: { label: string; part: number; whole: number }) {
  const percent = whole === 0 ? 100 : Math.floor((100 * part) / whole);
  return (
    <p class="meter-line">
      <span>{label}</span>
      <meter min={0} max={Math.max(whole, 1)} value={part} aria-label={label} />
      <span class="number">
        {percent}% <span class="soft">({part}/{whole})</span>
      </span>
    </p>
  );
}
