// An identity check: its words to agree to, its steps with how far it is, what to do now, and
// how it ended. It can be stopped at any time.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Language } from "../../language.ts";
import { onPhone, thisBrowser } from "../../face/browser.ts";
import type { Check, CheckStep } from "../protocol.ts";
import { Card, inLanguage, Trouble } from "./ask.tsx";
import type { CardProps } from "./ask.tsx";
import { Icon } from "./icon.tsx";
import { kindOf, Outline } from "./outline.tsx";
import type { Guide } from "../../face/tiles.tsx";
import type { News } from "./view.tsx";
import type { Words } from "./words.ts";

type CheckProps = CardProps & { check: Check; news: News };

// Consent is the check's question, where no upgrade asks for it.
export function Consent({ facing, language, words: w, check }: CheckProps) {
  const answer = (yes: boolean) => facing.busy === "" && void (yes ? facing.agree(check, language) : facing.want({ t: "check", do: "refuse", check: check.id, lang: language }));
  return (
    <Card label={w.check} className="face-ask">
      <h3>{w.checkAsk}</h3>
      <p class="face-words">{inLanguage(check.consent?.text, language)}</p>
      <Outline steps={check.steps} words={w} />
      <p class="hint">{w.checkLead(check.steps.length)}</p>
      <Trouble facing={facing} words={w} language={language} />
      <div class="face-row">
        <button type="button" class="main" aria-disabled={facing.busy !== ""} onClick={() => answer(true)}>
          {facing.busy ? w.working : w.agree}
        </button>
        <button type="button" aria-disabled={facing.busy !== ""} onClick={() => answer(false)}>
          {w.decline}
        </button>
      </div>
    </Card>
  );
}

// CheckPanel shows a check that runs.
export function CheckPanel({ facing, link, language, words: w, check, news }: CheckProps) {
  const [sure, setSure] = useState(false);
  const at = check.steps.findIndex((s) => s.name === check.present);
  const step = check.steps[at];
  const done = check.steps.filter((s) => s.state === "done" || s.state === "skipped").length;
  const noPicture = facing.stage === "talk" && facing.camera !== null && facing.camera.cam !== "ok";
  const broken = check.state === "broken" || !link.up || (check.away === true && done > 0 && !noPicture); // before the first step nobody was cut off
  const anew = check.steps.every((s) => s.kind === "code" || s.state === "" || s.state === "present"); // a code that was right stays
  return (
    <Card label={w.check} className="face-check">
      <div class="face-check-head">
        <h3>{w.check}</h3>
        <button type="button" class="face-stop" onClick={() => setSure(true)}>
          {w.stop}
        </button>
      </div>
      <div class="face-far">
        {at >= 0 && <p>{w.step(at + 1, check.steps.length)}</p>}
        <progress class="face-progress" max={check.steps.length} value={check.state === "second" ? check.steps.length : done} aria-label={w.steps} />
      </div>
      <Outline steps={check.steps} words={w} />
      {check.round > 1 && check.state === "running" && anew && <p class="face-again">{w.again[check.again ?? ""] ?? w.again.cut}</p>}
      <div class="face-now" role="status">
        {check.state === "second" ? (
          <p>{w.second}</p>
        ) : broken ? (
          <p class="face-state bad">{w.broken}</p>
        ) : step ? (
          <Now step={step} check={check} language={language} words={w} />
        ) : (
          <p>{w.begins}</p>
        )}
      </div>
      {!broken && step?.kind === "code" && <Code key={check.id} facing={facing} check={check} words={w} />}
      {!broken && noPicture && <p class="face-state bad">{w.needCamera}</p>}
      {!broken && step && <Turn facing={facing} kind={step.kind} words={w} />}
      <p class={news.still === "failed" ? "error" : "face-taken"} role="status">
        {news.still === "taken" ? w.taken : news.still === "failed" ? w.takeFailed : ""}
      </p>
      <Trouble facing={facing} words={w} language={language} />
      {sure && <Sure facing={facing} words={w} check={check} onDone={() => setSure(false)} />}
    </Card>
  );
}

// Sure asks before a check is stopped.
function Sure({ facing, words: w, check, onDone }: Pick<CheckProps, "facing" | "words" | "check"> & { onDone(): void }) {
  return (
    <div class="face-note" role="alertdialog" aria-label={w.stop}>
      <p>{w.stopSure}</p>
      <div class="face-row">
        <button
          type="button"
          class="main"
          onClick={() => {
            onDone();
            void facing.want({ t: "check", do: "stop", check: check.id });
          }}
        >
          {w.stopYes}
        </button>
        <button type="button" ref={(b) => b?.focus()} onClick={onDone}>
          {w.stopNo}
        </button>
      </div>
    </div>
  );
}

// Awaited is shown while nobody has come for a check: how long that may take stands above it.
export function Awaited({ facing, language, words: w, check }: CheckProps) {
  const [sure, setSure] = useState(false);
  return (
    <Card label={w.check} className="face-check">
      <div class="face-check-head">
        <h3>{w.check}</h3>
        <button type="button" class="face-stop" onClick={() => setSure(true)}>
          {w.stop}
        </button>
      </div>
      <p class="face-working" role="status">
        {w.awaited}
      </p>
      <p class="hint">{w.awaitedHint}</p>
      <Trouble facing={facing} words={w} language={language} />
      {sure && <Sure facing={facing} words={w} check={check} onDone={() => setSure(false)} />}
    </Card>
  );
}

// Now says what to do, large.
function Now({ step, check, language, words: w }: { step: CheckStep; check: Check; language: Language; words: Words }) {
  const text = inLanguage(step.text, language) || w.kind[kindOf(step)] || "";
  const drawn = [check.request ?? []].flat();
  if (step.kind !== "request" || drawn.length === 0) {
    return (
      <>
        <p class="face-do">{text}</p>
        {step.kind === "code" && check.code && <p class="hint">{w.codeSent(check.code)}</p>}
      </>
    );
  }
  return (
    <>
      {drawn.map((r) => (
        <p key={r} class="face-do">
          <Sign of={r} /> {w.request[r] ?? text}
        </p>
      ))}
      {check.number && drawn.includes("read_number") && <p class="face-number">{[...check.number].join(" ")}</p>}
    </>
  );
}

function Sign({ of }: { of: string }) {
  const name = ({ turn_left: "left", turn_right: "right", look_up: "upwards", look_down: "downwards", hand_over_face: "hand" } as const)[of];
  return name ? (
    <span class="face-sign">
      <Icon name={name} />
    </span>
  ) : null;
}

function Code({ facing, check, words: w }: { facing: CardProps["facing"]; check: Check; words: Words }) {
  const [code, setCode] = useState("");
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  return (
    <form
      class="face-code"
      onSubmit={async (e) => {
        e.preventDefault();
        if (code.trim() === "" || facing.busy) return;
        await facing.want({ t: "check", do: "code", check: check.id, text: code.trim() });
        setCode("");
        field.current?.focus();
      }}
    >
      <label class="unseen" for="face-code">
        {w.code}
      </label>
      <input id="face-code" ref={field} inputMode="numeric" autocomplete="one-time-code" placeholder={w.code} maxLength={12} value={code} onInput={(e) => setCode(e.currentTarget.value)} />
      <button type="submit" class="main" aria-disabled={code.trim() === "" || facing.busy !== ""}>
        {w.sendCode}
      </button>
    </form>
  );
}

// Turn helps a telephone to show the right thing: documents by the back camera and on its
// side, faces by the front one.
function Turn({ facing, kind, words: w }: { facing: CardProps["facing"]; kind: string; words: Words }) {
  const [upright, setUpright] = useState(() => matchMedia("(orientation: portrait)").matches);
  useEffect(() => {
    const m = matchMedia("(orientation: portrait)");
    const turned = () => setUpright(m.matches);
    m.addEventListener("change", turned);
    return () => m.removeEventListener("change", turned);
  }, []);
  if (!onPhone(thisBrowser()) || !facing.camera) return null;
  const back = facing.camera.facing === "environment";
  const document = kind === "document";
  const face = kind === "face" || kind === "request";
  return (
    <>
      {document && upright && <p class="hint">{w.turn}</p>}
      {((document && !back) || (face && back)) && (
        <div class="face-row">
          <button type="button" onClick={() => void facing.flip()}>
            <Icon name="flip" /> {back ? w.frontCamera : w.backCamera}
          </button>
        </div>
      )}
    </>
  );
}

// guideOf draws a frame over one's own picture: for a card (ISO/IEC 7810 ID-1, 85.6 mm by 54), or a face.
export function guideOf(kind: string): Guide {
  return (width, height) => {
    const card = Math.min(width * 0.8, height * 1.15); // its width
    const high = (card * 54) / 85.6;
    const face = Math.min(height * 0.4, width * 0.45); // half its height
    return (
      <svg class="face-guide" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="xMidYMid meet" aria-hidden="true">
        {kind === "document" ? (
          <rect x={(width - card) / 2} y={(height - high) / 2} width={card} height={high} rx={card * 0.04} />
        ) : (
          <ellipse cx={width / 2} cy={height / 2} rx={face * 0.75} ry={face} />
        )}
      </svg>
    );
  };
}

// localeOf is how times are written in the person's own region, if they speak the page's language.
function localeOf(language: Language): string {
  return navigator.languages.find((l) => l.split("-")[0] === language.split("-")[0]) ?? language;
}

// Verdict tells how the check ended, until it is put away.
export function Verdict({ check, language, words: w, onPut }: { check: Check; language: Language; words: Words; onPut(): void }) {
  const until = check.until ? new Date(check.until) : null;
  const time = until && !Number.isNaN(until.getTime()) ? new Intl.DateTimeFormat(localeOf(language), { timeStyle: "short" }).format(until) : "";
  const text = check.state === "passed" && time ? w.passedUntil(time) : (w.ends[check.why ?? ""] ?? w.verdict[check.state] ?? "");
  return (
    <Card label={w.check} className={`face-over ${check.state === "passed" ? "good" : check.state === "failed" ? "bad" : ""}`}>
      {check.state === "passed" && (
        <span class="face-sign">
          <Icon name="done" />
        </span>
      )}
      <p role="status">{text}</p>
      <button type="button" onClick={onPut}>
        {w.ok}
      </button>
    </Card>
  );
}
