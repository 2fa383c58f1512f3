// The picture's part of the bench: what it shows (the text, counts, a past interaction)
// and the picture.
import { Choice } from "../../staff/bar.tsx";
import { Fault, Waiting } from "../../staff/fault.tsx";
import { Icon } from "../../staff/icon.tsx";
import type { Loaded } from "../../staff/load.ts";
import type { Drawn, Flow } from "../answers.ts";
import { useStudioWords } from "../words.ts";
import { Legend } from "./legend.tsx";
import { Picture } from "./picture.tsx";

export type Mode = { kind: "text" } | { kind: "hour" } | { kind: "day" } | { kind: "past"; id: string; number: string; hash: string };

interface Props {
  flow: Flow | null;
  file: string;
  svg: string;
  stale: boolean; // the text has no picture now; this is the last it had
  mode: Mode;
  drawn: Loaded<Drawn | null>;
  draft: boolean;
  busy: boolean;
  step: string;
  uncovered: ReadonlySet<string> | undefined;
  onMode(mode: Mode): void;
  onChoose(step: string, focus: boolean): void;
  onDrawn(svg: SVGSVGElement | null): void;
}

const spans = ["text", "hour", "day"] as const;

export function PicturePane(p: Props) {
  const w = useStudioWords();
  const counts = p.drawn.value?.counts;
  const name = p.flow?.name ?? p.file;
  const served = p.mode.kind !== "text";
  const note = p.stale ? w.stalePicture : served && p.drawn.value?.other ? w.otherPicture : served && p.draft ? w.servedNotDraft : "";
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
            {w.entered[p.mode.kind](counts.entered)}
          </p>
        )}
        <span class={`busy-dot ${p.busy ? "on" : ""}`} aria-hidden="true" />
      </div>
      <div class={`pane-picture ${p.stale ? "stale" : ""}`}>
        {note !== "" && <p class="picture-note">{note}</p>}
        {served && p.drawn.error ? (
          <Fault error={p.drawn.error} onRetry={p.drawn.reload} />
        ) : (
          <Picture svg={p.svg} of={`${p.file}`} label={w.pictureOf(name)} current={p.step} uncovered={p.uncovered} onChoose={p.onChoose} onDrawn={p.onDrawn} />
        )}
        {p.svg === "" && p.busy && <Waiting what={w.drawing} />}
        {p.svg === "" && !p.busy && !p.drawn.error && <p class="empty">{w.noPicture}</p>}
        {p.svg !== "" && <Legend counts={p.mode.kind === "hour" || p.mode.kind === "day"} path={p.mode.kind === "past"} uncovered={p.uncovered !== undefined && p.uncovered.size > 0} />}
      </div>
    </section>
  );
}
