// The step of a check that is being done: what the officer does now, what they note, and on.
import { useState } from "preact/hooks";
import { Icon } from "../../staff/icon.tsx";
import { useDesk, useRun } from "../context.tsx";
import type { Check, Step } from "../faces.ts";
import { useFaceWords } from "../words.ts";
import { LikenessPart } from "./likeness.tsx";
import type { Advice } from "./advice.ts";
import { Both, Either, Why } from "./parts.tsx";
import { complete } from "./steps.ts";
import { kindOf, Compared, Stills } from "./stills.tsx";

const yesNo = ["yes", "no", "unsure"] as const;
const rightWrong = ["right", "wrong"] as const;

type Asking = "" | "fail" | "skip";

export function StepNow({ check, step }: { check: Check; step: Step }) {
  const w = useFaceWords();
  const { hold } = useDesk();
  const run = useRun();
  const [said, setSaid] = useState<Record<string, unknown>>({});
  const [asking, setAsking] = useState<Asking>("");
  const note = (name: string, value: unknown) => setSaid((was) => ({ ...was, [name]: value }));
  const over = (what: "done" | "fail" | "skip", why = "") => run(hold.ask({ t: "check", check: check.id, do: what, step: step.name, ...(Object.keys(said).length > 0 ? { said } : {}), ...(why ? { why } : {}) }));
  const ready = complete(check, step, said);
  const at = check.steps.indexOf(step) + 1;
  return (
    <section class="step-now" aria-labelledby={`step-${check.id}`}>
      <h4 id={`step-${check.id}`} tabIndex={-1} class="step-title">
        {kindOf(step, w)} <span class="soft">{w.progress(at, check.steps.length)}</span>
      </h4>
      <p class="step-todo">{w.todo[step.kind] ?? ""}</p>
      {step.text && (
        <p class="step-read">
          <span class="soft">{w.theyRead}</span> <Both words={step.text} check={check} />
        </p>
      )}
      {step.kind === "code" && <Code check={check} />}
      {step.kind === "request" && <Requests check={check} step={step} said={said} onNote={note} />}
      {(step.kind === "document" || step.kind === "face" || step.kind === "request") && <Capture check={check} step={step} />}
      {step.kind === "compare" && <Compared check={check} />}
      {(step.kind === "questions" || step.kind === "compare") && <Asks check={check} step={step} said={said} onNote={note} />}
      {step.likeness && <LikenessPart check={check} advice={said["likeness"] as Advice | undefined} onAdvice={(a) => note("likeness", a)} />}
      {asking !== "" ? (
        <Why id={`why-${check.id}`} question={asking === "fail" ? w.whyFail : w.whySkip} go={asking === "fail" ? w.stepFail : w.stepSkip} danger={asking === "fail"} onGo={(why) => void over(asking, why).then((ok) => ok && setAsking(""))} onCancel={() => setAsking("")} />
      ) : (
        <div class="actions">
          {step.kind !== "code" && (
            <button type="button" class="main" aria-disabled={ready ? undefined : "true"} onClick={() => ready && void over("done")}>
              <Icon name="check" />
              {w.stepDone}
            </button>
          )}
          <button type="button" class="danger" onClick={() => setAsking("fail")}>
            {w.stepFail}
          </button>
          <button type="button" class="quiet" onClick={() => setAsking("skip")}>
            {w.stepSkip}
          </button>
        </div>
      )}
    </section>
  );
}

function Code({ check }: { check: Check }) {
  const w = useFaceWords();
  const { hold } = useDesk();
  const run = useRun();
  return (
    <div class="step-code">
      {check.code?.to && (
        <p>
          {w.todo["codeTo"]} <strong class="mono">{check.code.to}</strong> {check.code.ok && <span class="badge good">{w.codeOk}</span>}
        </p>
      )}
      {!check.code?.ok && (
        <button type="button" class="small" onClick={() => void run(hold.ask({ t: "check", check: check.id, do: "resend_code" }), w.resent)}>
          {w.resend}
        </button>
      )}
    </div>
  );
}

function Capture({ check, step }: { check: Check; step: Step }) {
  const w = useFaceWords();
  const { hold } = useDesk();
  const run = useRun();
  const [waits, setWaits] = useState(false);
  const wanted = check.capturing?.step === step.name ? check.capturing.n : 0;
  const came = step.stills.some((s) => s.n === wanted); // the server's own; the page's may yet come
  const taking = waits || (wanted > 0 && !came);
  const take = async () => {
    if (taking) return;
    setWaits(true);
    await run(hold.ask({ t: "check", check: check.id, do: "capture", step: step.name }));
    setWaits(false);
  };
  return (
    <>
      <button type="button" class="capture" aria-disabled={taking ? "true" : undefined} onClick={() => void take()}>
        <Icon name="camera" />
        {taking ? w.stillTaking : step.stills.length > 0 ? w.stillAgain : w.still}
      </button>
      {(step.kind !== "request" || step.stills.length > 0) && <Stills check={check} step={step} />}
      {wanted > 0 && came && <p class="soft">{w.sharperComes}</p>}
    </>
  );
}

interface NotingProps {
  check: Check;
  step: Step;
  said: Record<string, unknown>;
  onNote(name: string, value: unknown): void;
}

function Requests({ check, step, said, onNote }: NotingProps) {
  const w = useFaceWords();
  return (
    <ol class="asks">
      {(step.requests ?? []).map((r) => (
        <li key={r.what}>
          <span>
            {w.requests[r.what] ?? r.what.replaceAll("_", " ")}
            {r.number && (
              <>
                <br />
                <span class="soft">{w.numberIs}</span> <strong class="read-number">{r.number}</strong>
              </>
            )}
          </span>
          <Either name={`${check.id} ${check.round} ${r.what}`} label={w.requests[r.what] ?? r.what} values={[["yes", w.did], ["no", w.didNot]]} current={String(said[r.what] ?? "")} onChoose={(v) => onNote(r.what, v)} />
        </li>
      ))}
    </ol>
  );
}

function Asks({ check, step, said, onNote }: NotingProps) {
  const w = useFaceWords();
  const values = (step.kind === "questions" ? rightWrong : yesNo).map((v) => [v, w[v]] as const);
  return (
    <>
      <ol class="asks">
        {(step.asks ?? []).map((a) => (
          <li key={a.name}>
            <Both words={a.ask} check={step.kind === "questions" ? check : { ...check, customer_lang: "" }} />
            <Either name={`${check.id} ${check.round} ${a.name}`} label={a.name.replaceAll("_", " ")} values={values} current={String(said[a.name] ?? "")} onChoose={(v) => onNote(a.name, v)} />
          </li>
        ))}
      </ol>
      {step.expect === "service" && <p class="soft">{w.expectService}</p>}
    </>
  );
}
