// "Call me back": the number and the time, then the code that proves the number, then
// what was booked.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "./api.ts";
import type { Booked } from "./api.ts";
import type { View } from "./hooks.ts";
import { Icon } from "./icon.tsx";
import { localeOf } from "./words.ts";

type Stage = { at: "ask" } | { at: "code"; check: string } | { at: "booked"; booked: Booked };

const shortestNumber = 5; // digits
const longestNumber = 15; // E.164

export function CallBack({ api, words: w, language, onBack }: { onBack(): void } & View) {
  const [stage, setStage] = useState<Stage>({ at: "ask" });
  const [phone, setPhone] = useState("");
  const [later, setLater] = useState(false);
  const [date, setDate] = useState("");
  const [code, setCode] = useState("");
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState("");
  const heading = useRef<HTMLHeadingElement>(null);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => heading.current?.focus(), [stage.at]);
  const clean = phone.replace(/[\s().-]/g, "").replace(/^00/, "+");

  // attempt runs one question to the server; what went wrong is said beside the field.
  const attempt = async (ask: () => Promise<Stage>) => {
    if (busy) return;
    setBusy(true);
    setWrong("");
    try {
      setStage(await ask());
    } catch (err) {
      fail(err instanceof ApiError ? reasonOf(err, stage.at === "code") : "other");
    }
    setBusy(false);
  };
  const fail = (why: string) => {
    setWrong(why);
    form.current?.querySelector<HTMLElement>(`[name=${why === "phone" || why === "not_allowed" ? "phone" : why}]`)?.focus();
  };
  const ask = () => {
    const digits = /^\+?(\d+)$/.exec(clean)?.[1]?.length ?? 0;
    if (digits < shortestNumber || digits > longestNumber) return fail("phone");
    const at = later ? new Date(date) : null; // the person's own clock
    if (at && !(at.getTime() > Date.now())) return fail("date");
    void attempt(async () => ({ at: "code", check: await api.callBack(clean, at && at.toISOString()) }));
  };
  const confirm = (check: string) => {
    if (!/^\d{4,10}$/.test(code.trim())) return fail("code");
    void attempt(async () => ({ at: "booked", booked: await api.confirm(check, code.trim()) }));
  };

  const head = (
    <div class="head">
      <button type="button" class="square" aria-label={w.back} title={w.back} onClick={onBack}>
        <Icon name="back" />
      </button>
      <h3 ref={heading} tabIndex={-1}>
        {w.callBack}
      </h3>
    </div>
  );
  if (stage.at === "booked") {
    const { number, at } = stage.booked;
    const when = at && later ? new Intl.DateTimeFormat(localeOf(language), { dateStyle: "full", timeStyle: "short" }).format(new Date(at)) : "";
    return (
      <div class="callback">
        {head}
        <p role="status">{when !== "" ? w.bookedAt(clean, when) : w.bookedSoon(clean)}</p>
        <p>{w.number}</p>
        <p class="number">{grouped(number)}</p>
        <p class="hint">{w.numberHint}</p>
        <button type="button" class="main" onClick={onBack}>
          {w.back}
        </button>
      </div>
    );
  }
  const error = (
    <p class="error" role="alert" id="wrong">
      {wrong && (w.callWhy[wrong] ?? w.callWhy.other)}
    </p>
  );
  const field = (name: string, label: string, input: ComponentChildren, hint?: string) => (
    <div class="field">
      <label for={name}>{label}</label>
      {hint && (
        <p class="hint" id={`${name}-hint`}>
          {hint}
        </p>
      )}
      {input}
    </div>
  );
  const typed = (set: (v: string) => void) => (e: { currentTarget: HTMLInputElement }) => {
    set(e.currentTarget.value);
    setWrong("");
  };
  const about = (name: string) => ({ id: name, name, "aria-invalid": wrong === name, "aria-describedby": wrong === name ? `wrong ${name}-hint` : `${name}-hint` });
  return (
    <form
      class="callback"
      noValidate
      ref={form}
      onSubmit={(e) => {
        e.preventDefault();
        if (stage.at === "ask") ask();
        else confirm(stage.check);
      }}
    >
      {head}
      {stage.at === "ask" ? (
        <>
          <p>{w.callBackLead}</p>
          {field(
            "phone",
            w.phone,
            <input {...about("phone")} type="tel" autocomplete="tel" value={phone} onInput={typed(setPhone)} />,
            w.phoneHint,
          )}
          <fieldset>
            <legend>{w.when}</legend>
            <label>
              <input type="radio" name="when" checked={!later} onChange={() => setLater(false)} /> {w.soon}
            </label>
            <label>
              <input type="radio" name="when" checked={later} onChange={() => setLater(true)} /> {w.later}
            </label>
          </fieldset>
          {later && field("date", w.date, <input {...about("date")} type="datetime-local" min={localNow()} value={date} onInput={typed(setDate)} />)}
        </>
      ) : (
        <>
          <p>{w.codeLead(clean)}</p>
          {field("code", w.code, <input {...about("code")} inputMode="numeric" autocomplete="one-time-code" maxLength={10} value={code} onInput={typed(setCode)} />)}
        </>
      )}
      {error}
      <button type="submit" class="main" aria-disabled={busy}>
        {busy ? w.working : stage.at === "ask" ? w.sendCode : w.confirm}
      </button>
      {stage.at === "code" && (
        <button
          type="button"
          onClick={() => {
            setStage({ at: "ask" });
            setCode("");
            setWrong("");
          }}
        >
          {w.otherNumber}
        </button>
      )}
    </form>
  );
}

// reasonOf is the key of the words for a refusal.
function reasonOf(err: ApiError, entering: boolean): string {
  switch (err.code) {
    case "offline":
    case "phone":
      return err.code;
    case "number_refused":
      return "not_allowed";
    case "code_wrong":
      return "code";
    case "code_over":
      return "expired";
    case "not_found":
      return entering ? "expired" : "closed";
  }
  return err.status === 429 ? "too_many" : err.status === 503 ? "closed" : "other";
}

// grouped is an interaction's number as it is read out.
function grouped(number: string): string {
  return number.replace(/^(\d{4})(\d{4})(\d{3})$/, "$1 $2 $3");
}

function localNow(): string {
  const now = new Date();
  return new Date(now.getTime() - now.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
