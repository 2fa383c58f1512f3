// Stills of a check: each is fetched once, since each look is written down, and two are laid
// beside each other as large as one needs.
import { useEffect, useState } from "preact/hooks";
import { Dialog } from "../../staff/dialog.tsx";
import { Icon } from "../../staff/icon.tsx";
import { useLanguage } from "../../staff/settings.tsx";
import { clock } from "../../staff/time.ts";
import type { Check, Step, Still } from "../faces.ts";
import { comparedOf, lastTake, pairOf } from "./steps.ts";
import type { Choice } from "./steps.ts";
import { useFaceWords } from "../words.ts";
import type { FaceWords } from "../words.ts";

// ---- what was fetched

interface Fetched {
  url: string; // "" while it comes
  failed: boolean;
}

const mostKept = 60; // stills in memory; the oldest go
const fetched = new Map<string, Fetched>();
const listeners = new Set<() => void>();

// useStill gives a still as an address within the page, once it is there.
export function useStill(check: string, blob: string): Fetched {
  const [, draw] = useState(0);
  useEffect(() => {
    const run = () => draw((n) => n + 1);
    listeners.add(run);
    if (!fetched.has(blob)) void fetchStill(check, blob);
    return () => void listeners.delete(run);
  }, [check, blob]);
  return fetched.get(blob) ?? { url: "", failed: false };
}

async function fetchStill(check: string, blob: string): Promise<void> {
  fetched.set(blob, { url: "", failed: false });
  for (const old of [...fetched.keys()].slice(0, Math.max(0, fetched.size - mostKept))) fetched.delete(old);
  try {
    const answer = await fetch(`/api/v1/checks/${check}/evidence/${blob}?why=check`, { credentials: "same-origin", cache: "no-store" });
    if (!answer.ok) throw new Error(`a still was answered with ${answer.status}`);
    fetched.set(blob, { url: await dataOf(await answer.blob()), failed: false });
  } catch {
    fetched.set(blob, { url: "", failed: true });
  }
  for (const run of [...listeners]) run();
}

// dataOf is a picture as an address that the page may show: it shows none but its own door's.
export function dataOf(blob: Blob): Promise<string> {
  return new Promise((yes, no) => {
    const reader = new FileReader();
    reader.onload = () => yes(String(reader.result));
    reader.onerror = () => no(new Error("the picture could not be read"));
    reader.readAsDataURL(blob);
  });
}

// imageOf is a still as something that can be drawn.
export async function imageOf(check: string, blob: string): Promise<HTMLImageElement> {
  if (!fetched.get(blob)?.url) await fetchStill(check, blob);
  const image = new Image();
  image.src = fetched.get(blob)?.url ?? "";
  await image.decode();
  return image;
}

// ---- what they are

export function kindOf(step: Step, w: FaceWords): string {
  return w.kinds[`${step.kind} ${step.side}`] ?? w.kinds[step.kind] ?? step.kind;
}

// ---- how they look

export function Stills({ check, step }: { check: Check; step: Step }) {
  const w = useFaceWords();
  const [open, setOpen] = useState(false);
  const all = lastTake(step);
  if (all.length === 0) return <p class="soft">{w.noStills}</p>;
  return (
    <div class="stills">
      {all.map((s) => (
        <StillFigure key={s.blob} check={check.id} still={s} of={kindOf(step, w)} onOpen={() => setOpen(true)} />
      ))}
      {open && <Beside check={check} choices={all.map((still) => ({ step, still }))} onClose={() => setOpen(false)} />}
    </div>
  );
}

function StillFigure({ check, still, of, onOpen }: { check: string; still: Still; of: string; onOpen(): void }) {
  const w = useFaceWords();
  const language = useLanguage();
  const source = w.sources[still.source] ?? still.source;
  return (
    <figure class="still">
      <button type="button" class="still-open" onClick={onOpen} aria-label={`${w.enlarge}: ${w.stillAlt(of, source)}`}>
        <StillImage check={check} still={still} alt="" />
      </button>
      <figcaption>
        <strong>{of}</strong> <span class="soft">{w.stillFacts(source, still.width, still.height, clock(still.at, language))}</span>
      </figcaption>
    </figure>
  );
}

function StillImage({ check, still, alt, zoom = 1 }: { check: string; still: Still; alt: string; zoom?: number }) {
  const w = useFaceWords();
  const { url, failed } = useStill(check, still.blob);
  if (failed) return <span class="still-gone">{w.stillFailed}</span>;
  if (!url) return <span class="still-gone"><span class="spinner" /></span>;
  return <img src={url} alt={alt} width={still.width} height={still.height} style={{ width: `${zoom * 100}%`, height: "auto" }} />;
}

const mostZoom = 5;

// Beside shows two stills next to each other, both at the same size; which, is chosen.
export function Beside({ check, choices, onClose }: { check: Check; choices: Choice[]; onClose(): void }) {
  const w = useFaceWords();
  const all = choices.length > 1 ? choices : check.steps.flatMap((step) => step.stills.map((still) => ({ step, still })));
  const [left, setLeft] = useState(choices[0]?.still.blob ?? "");
  const [right, setRight] = useState((choices[1] ?? all.find((c) => c.still.blob !== choices[0]?.still.blob) ?? choices[0])?.still.blob ?? "");
  const [zoom, setZoom] = useState(1);
  return (
    <Dialog title={w.enlarge} onClose={onClose} size="wide">
      <div class="field zoom">
        <label for="still-zoom">{w.zoom}</label>
        <input id="still-zoom" type="range" min="1" max={mostZoom} step="0.25" value={zoom} onInput={(e) => setZoom(Number(e.currentTarget.value))} />
      </div>
      <div class="beside">
        <Side check={check} all={all} label={w.left} current={left} zoom={zoom} onChoose={setLeft} />
        <Side check={check} all={all} label={w.rightSide} current={right} zoom={zoom} onChoose={setRight} />
      </div>
    </Dialog>
  );
}

function Side({ check, all, label, current, zoom, onChoose }: { check: Check; all: Choice[]; label: string; current: string; zoom: number; onChoose(blob: string): void }) {
  const w = useFaceWords();
  const language = useLanguage();
  const chosen = all.find((c) => c.still.blob === current);
  const nameOf = (c: Choice) => `${kindOf(c.step, w)} · ${w.sources[c.still.source] ?? c.still.source} · ${clock(c.still.at, language)}`;
  return (
    <figure>
      <figcaption>
        <select aria-label={label} value={current} onChange={(e) => onChoose(e.currentTarget.value)}>
          {all.map((c) => (
            <option key={c.still.blob} value={c.still.blob}>
              {nameOf(c)}
            </option>
          ))}
        </select>
      </figcaption>
      <div class="beside-frame" tabIndex={0} role="group" aria-label={chosen ? nameOf(chosen) : label}>
        {chosen && <StillImage check={check.id} still={chosen.still} alt={nameOf(chosen)} zoom={zoom} />}
      </div>
    </figure>
  );
}

// Compared shows the documents and the face beside each other in the panel, and opens two large.
export function Compared({ check }: { check: Check }) {
  const w = useFaceWords();
  const [open, setOpen] = useState<Choice[] | null>(null);
  const all = comparedOf(check);
  const pair = pairOf(check);
  if (!pair) return null;
  const both = [pair.document, pair.face];
  return (
    <div class="stills">
      {all.map((c) => (
        <StillFigure key={c.still.blob} check={check.id} still={c.still} of={kindOf(c.step, w)} onOpen={() => setOpen(c.step.kind === "document" ? [c, pair.face] : both)} />
      ))}
      <button type="button" class="small" onClick={() => setOpen(both)}>
        <Icon name="search" />
        {w.enlarge}
      </button>
      {open && <Beside check={check} choices={open} onClose={() => setOpen(null)} />}
    </div>
  );
}
