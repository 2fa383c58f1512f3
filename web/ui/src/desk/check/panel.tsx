// The identity check as its officer leads it: where it stands, the step of now, and the end.
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../../staff/icon.tsx";
import type { IconName } from "../../staff/icon.tsx";
import { useLanguage } from "../../staff/settings.tsx";
import { clock } from "../../staff/time.ts";
import { useDesk, useHeld, useRun } from "../context.tsx";
import { settled } from "../faces.ts";
import type { Check } from "../faces.ts";
import { useView } from "../names.ts";
import { upgradeOf } from "../store.ts";
import type { Item } from "../store.ts";
import { useDeskWords, useFaceWords } from "../words.ts";
import { said, Why } from "./parts.tsx";
import { StepNow } from "./step.tsx";
import { kindOf } from "./stills.tsx";
import { Reasons, VerdictForm } from "./verdict.tsx";

const moods: Record<string, string> = { asked: "warn", running: "", broken: "bad", second: "warn", passed: "good", failed: "bad", declined: "warn", stopped: "" };

export function CheckPanel({ item, check }: { item: Item; check: Check }) {
  const w = useFaceWords();
  const language = useLanguage();
  const s = useHeld();
  const present = check.steps.find((x) => x.name === check.present);
  const root = useRef<HTMLElement>(null);
  const before = useRef(check.present);
  // Whoever leads the check by keys goes on with the next step.
  useEffect(() => {
    if (before.current === check.present) return;
    before.current = check.present;
    if (document.activeElement === document.body || root.current?.contains(document.activeElement)) root.current?.querySelector<HTMLElement>(".step-title")?.focus();
  }, [check.present]);
  const fallen = upgradeOf(s, item)?.fallen === "network" && check.state === "running" && check.interruption;
  return (
    <section class="check" ref={root} aria-label={w.checkTitle} data-state={check.state}>
      <header class="check-head">
        <Icon name="shield" />
        <h3 id={`check-${check.id}`} tabIndex={-1}>
          {w.checkOf(said(check.title, language) || check.policy.replaceAll("_", " "))}
        </h3>
        {check.round > 1 && <span class="tag">{w.round(check.round)}</span>}
        <span class={`badge ${moods[check.state] ?? ""}`}>{w.checkStates[check.state] ?? check.state}</span>
      </header>
      <Steps check={check} />
      {fallen ? (
        <p class="check-note bad" role="alert">
          <Icon name="warning" />
          {w.cutNow(String(check.interruption))}
        </p>
      ) : (
        !settled(check) && <Broken check={check} />
      )}
      {!settled(check) && check.unrecorded && (
        <p class="check-note bad" role="alert">
          <Icon name="warning" />
          {w.unrecorded}
        </p>
      )}
      {!settled(check) && check.virtual && (
        <p class="check-note warn" role="status">
          <Icon name="warning" />
          {w.virtual(check.camera ?? "")}
        </p>
      )}
      {check.state === "running" && present && check.waits !== "verdict" && <StepNow key={`${check.round} ${present.name}`} check={check} step={present} />}
      {check.state === "running" && check.waits === "verdict" && <Deciding check={check} />}
      {!settled(check) && <Waits check={check} />}
      {settled(check) ? <Result item={item} check={check} /> : <Ends check={check} early={present !== undefined && check.state === "running"} />}
    </section>
  );
}

const signs: Record<string, IconName> = { done: "check", failed: "close", skipped: "right", present: "run" };

function Steps({ check }: { check: Check }) {
  const w = useFaceWords();
  return (
    <ol class="check-steps" aria-label={w.steps}>
      {check.steps.map((x) => (
        <li key={x.name} class={x.state || "later"} aria-current={x.state === "present" ? "step" : undefined}>
          <span class="step-sign" aria-hidden="true">
            {signs[x.state] ? <Icon name={signs[x.state]!} /> : check.steps.indexOf(x) + 1}
          </span>
          <span>{kindOf(x, w)}</span>
          <span class="unseen">{w.stepStates[x.state] ?? x.state}</span>
        </li>
      ))}
    </ol>
  );
}

// Waits says for what the check stands still, where that is not the officer's present step. It
// stands below the step, which stays where it is under the pointer as pictures come and go.
function Waits({ check }: { check: Check }) {
  const w = useFaceWords();
  const text = w.waits[check.waits ?? ""];
  if (!text) return null;
  return (
    <p class="check-note" role="status">
      <span class="spinner" aria-hidden="true" />
      {text}
    </p>
  );
}

// Broken says why the round before does not count, until the first step of this one is done.
function Broken({ check }: { check: Check }) {
  const w = useFaceWords();
  const last = check.broken?.at(-1);
  if (!last || last.round !== check.round - 1 || check.steps.some((x) => x.state === "done")) return null;
  const seconds = last.seconds ? (Math.round(last.seconds * 10) / 10).toString() : "";
  return (
    <p class="check-note bad" role="alert">
      <Icon name="warning" />
      {(w.brokenWhy[last.why] ?? w.brokenWhy["officer"]!)(seconds)}
    </p>
  );
}

function Deciding({ check }: { check: Check }) {
  const w = useFaceWords();
  return (
    <section class="step-now" aria-label={w.verdict}>
      <h4 tabIndex={-1} class="step-title">
        {w.verdictNow}
      </h4>
      <VerdictForm check={check} />
    </section>
  );
}

type Asking = "" | "restart" | "abort";

// Ends are what an officer may do at any step: begin again, or end it.
function Ends({ check, early }: { check: Check; early: boolean }) {
  const w = useFaceWords();
  const { hold } = useDesk();
  const run = useRun();
  const [asking, setAsking] = useState<Asking>("");
  const [deciding, setDeciding] = useState(false);
  const running = check.state === "running";
  if (asking !== "") {
    return (
      <Why
        id={`end-${check.id}`}
        question={asking === "abort" ? w.whyAbort : w.whyRestart}
        go={asking === "abort" ? w.abort : w.stepRestart}
        danger
        onGo={(why) => void run(hold.ask({ t: "check", check: check.id, do: asking, why })).then((ok) => ok && setAsking(""))}
        onCancel={() => setAsking("")}
      />
    );
  }
  return (
    <>
      {deciding && early && <VerdictForm check={check} />}
      <div class="check-ends actions">
        {running && (
          <button type="button" class="small" onClick={() => void run(hold.ask({ t: "check", check: check.id, do: "second_face" }))}>
            <Icon name="people" />
            {w.secondFace}
          </button>
        )}
        {running && (
          <button type="button" class="small" onClick={() => setAsking("restart")}>
            <Icon name="back" />
            {w.stepRestart}
          </button>
        )}
        {early && (
          <button type="button" class="small" aria-expanded={deciding} onClick={() => setDeciding(!deciding)}>
            {w.verdictEarly}
          </button>
        )}
        <button type="button" class="small quiet" onClick={() => setAsking("abort")}>
          {w.abort}
        </button>
      </div>
    </>
  );
}

const laterLooks = [1_000, 4_000]; // milliseconds after a pass: the level is the flow's to give, a moment later

// resultOf names the sentence for how a check ended.
function resultOf(check: Check): string {
  if (check.state === "passed") return check.by === "flow" ? "passed flow" : "passed";
  if (check.state === "declined") return check.verdict?.officer && !check.verdict.reasons.some((r) => r.startsWith("customer_")) ? "untold" : "declined";
  return check.state;
}

function Result({ item, check }: { item: Item; check: Check }) {
  const w = useFaceWords();
  const dw = useDeskWords();
  const language = useLanguage();
  const { hold } = useDesk();
  const { reload } = useView(item.id);
  useEffect(() => {
    if (check.state !== "passed") return;
    const timers = laterLooks.map((ms) => window.setTimeout(reload, ms));
    return () => timers.forEach((t) => window.clearTimeout(t));
  }, [check.id, check.state]);
  const level = dw.assurances[check.level] ?? check.level;
  const until = check.verdict?.until;
  return (
    <div class={`check-result ${check.state}`} role="status">
      <p>
        <strong>{w.result[resultOf(check)]?.(level) ?? check.state}</strong> {check.state === "passed" && until && w.levelUntil(clock(until, language).slice(0, 5))}
      </p>
      <Reasons check={check} />
      {check.verdict && (check.verdict.officer || check.verdict.second) && <p class="soft">{[check.verdict.officer, check.verdict.second].filter(Boolean).join(" · ")}</p>}
      <button type="button" class="small" onClick={() => hold.putAway(check.interaction)}>
        {w.dismiss}
      </button>
    </div>
  );
}
