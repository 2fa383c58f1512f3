// The picture's part of the bench: what it shows (the text, counts, a past interaction),
// the picture, and the step that is chosen in it.
import { useState } from "preact/hooks";
import { Choice } from "../../staff/bar.tsx";
import { Fault, Waiting } from "../../staff/fault.tsx";
import { Icon } from "../../staff/icon.tsx";
import type { Loaded } from "../../staff/load.ts";
import { useLanguage } from "../../staff/settings.tsx";
import { clock } from "../../staff/time.ts";
import type { Diagnostic, Drawn, Flow, OutlineStep } from "../answers.ts";
import { useStudioWords } from "../words.ts";
import { Legend } from "./legend.tsx";
import { Picture } from "./picture.tsx";
import { StepPanel } from "./step.tsx";

export type Mode = { kind: "text" } | { kind: "hour" } | { kind: "day" } | { kind: "past"; id: string; number: string; hash: string };

interface Props {
  flow: Flow | null;
  file: string;
  svg: string;
  mode: Mode;
  drawn: Loaded<Drawn | null>;
  draft: boolean;
  busy: boolean;
  step: string;
  outline: readonly OutlineStep[];
  text: string;
  diagnostics: readonly Diagnostic[];
  uncovered: ReadonlySet<string> | undefined;
  onMode(mode: Mode): void;
  onChoose(step: string, focus: boolean): void;
  onDiagnostic(d: Diagnostic): void;
}

const spans = ["text", "hour", "day"] as const;

export function PicturePane(p: Props) {
  const w = useStudioWords();
  const language = useLanguage();
  const [svg, setSvg] = useState<SVGSVGElement | null>(null);
  const counts = p.drawn.value?.counts;
  const name = p.flow?.name ?? p.file;
  const served = p.mode.kind !== "text";
  return (
    <section class="picture-pane" aria-label={w.picture} data-pane tabIndex={-1} aria-busy={p.busy}>
      <div class="pane-head">
        {p.flow && <Choice name="span" label={w.counts} quiet values={spans} current={p.mode.kind === "past" ? ("" as "text") : p.mode.kind} onChoose={(kind) => p.onMode({ kind })} labelOf={(s) => w.spans[s]} />}
        {p.mode.kind === "past" && (
          <span class="mode-chip">
            {w.pathOf(p.mode.number)}
            <button type="button" class="quiet square" aria-label={w.backToText} title={w.backToText} onClick={() => p.onMode({ kind: "text" })}>
              <Icon name="close" />
            </button>
          </span>
        )}
        {counts && (p.mode.kind === "hour" || p.mode.kind === "day") && (
          <p class="soft counts-line" role="status">
            {w.entered(counts.entered, clock(counts.from, language).slice(0, 5), clock(counts.until, language).slice(0, 5))}
          </p>
        )}
        {served && p.draft && <p class="soft">{w.servedNotDraft}</p>}
        <span class={`busy-dot ${p.busy ? "on" : ""}`} aria-hidden="true" />
      </div>
      <div class="pane-picture">
        {served && p.drawn.error ? (
          <Fault error={p.drawn.error} onRetry={p.drawn.reload} />
        ) : (
          <Picture svg={p.svg} of={`${p.file}`} label={w.pictureOf(name)} current={p.step} uncovered={p.uncovered} onChoose={p.onChoose} onDrawn={setSvg} />
        )}
        {p.svg === "" && p.busy && <Waiting what={w.drawing} />}
        {p.svg === "" && !p.busy && !p.drawn.error && <p class="empty">{w.noPicture}</p>}
        {p.svg !== "" && <Legend counts={p.mode.kind === "hour" || p.mode.kind === "day"} path={p.mode.kind === "past"} uncovered={p.uncovered !== undefined && p.uncovered.size > 0} />}
      </div>
      <StepPanel svg={svg} step={p.step} outline={p.outline} file={p.file} text={p.text} diagnostics={p.diagnostics} onChoose={p.onChoose} onDiagnostic={p.onDiagnostic} />
    </section>
  );
}
