// "Call me back": the number and the time, then the code that proves the number, then
// what was booked.
import type { ComponentChildren, RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "./api.ts";
import type { Booked } from "./api.ts";
import type { View } from "./hooks.ts";
import { Icon } from "./icon.tsx";
import { localeOf } from "./words.ts";
import type { Words } from "./words.ts";

type Stage = { at: "ask" } | { at: "code"; check: string } | { at: "booked"; booked: Booked };

const shortestNumber = 5; // digits
const longestNumber = 15; // E.164

export function CallBack({ onBack, ...view }: { onBack(): void } & View) {
  const { words: w } = view;
  const [stage, setStage] = useState<Stage>({ at: "ask" });
  const [phone, setPhone] = useState(""); // as it was written: it stays for another try
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), [stage.at]);
  return (
    <div class="callback">
      <div class="head">
        <button type="button" class="square" aria-label={w.back} title={w.back} onClick={onBack}>
          <Icon name="back" />
        </button>
        <h3 ref={heading} tabIndex={-1}>
          {w.callBack}
        </h3>
      </div>
      {stage.at === "ask" && <Ask {...view} phone={phone} setPhone={setPhone} onAsked={(check) => setStage({ at: "code", check })} />}
      {stage.at === "code" && (
        <Confirm {...view} phone={clean(phone)} check={stage.check} onBooked={(booked) => setStage({ at: "booked", booked })} onOther={() => setStage({ at: "ask" })} />
      )}
      {stage.at === "booked" && <Done {...view} phone={clean(phone)} booked={stage.booked} onBack={onBack} />}
    </div>
  );
}

interface AskProps extends View {
  phone: string;
  setPhone(phone: string): void;
  onAsked(check: string): void;
}

function Ask({ api, words: w, phone, setPhone, onAsked }: AskProps) {
  const [later, setLater] = useState(false);
  const [date, setDate] = useState("");
  const attempt = useAttempt(false);
  const submit = () => {
    const digits = /^\+?(\d+)$/.exec(clean(phone))?.[1]?.length ?? 0;
    if (digits < shortestNumber || digits > longestNumber) return attempt.fail("phone");
    const at = later ? new Date(date) : null; // the person's own clock
    if (at && !(at.getTime() > Date.now())) return attempt.fail("date");
    void attempt.run(async () => onAsked(await api.callBack(clean(phone), at && at.toISOString())));
  };
  return (
    <Form words={w} attempt={attempt} label={w.sendCode} onSubmit={submit}>
      <p>{w.callBackLead}</p>
      <Field name="phone" label={w.phone} hint={w.phoneHint} attempt={attempt} value={phone} onValue={setPhone} type="tel" autocomplete="tel" />
      <fieldset>
        <legend>{w.when}</legend>
        <label>
          <input type="radio" name="when" checked={!later} onChange={() => setLater(false)} /> {w.soon}
        </label>
        <label>
          <input type="radio" name="when" checked={later} onChange={() => setLater(true)} /> {w.later}
        </label>
      </fieldset>
      {later && <Field name="date" label={w.date} attempt={attempt} value={date} onValue={setDate} type="datetime-local" min={localNow()} />}
    </Form>
  );
}

interface ConfirmProps extends View {
  phone: string;
  check: string;
  onBooked(booked: Booked): void;
  onOther(): void; // another number
}

function Confirm({ api, words: w, phone, check, onBooked, onOther }: ConfirmProps) {
  const [code, setCode] = useState("");
  const attempt = useAttempt(true);
  const submit = () => {
    if (!/^\d{4,10}$/.test(code.trim())) return attempt.fail("code");
    void attempt.run(async () => onBooked(await api.confirm(check, code.trim())));
  };
  return (
    <Form words={w} attempt={attempt} label={w.confirm} onSubmit={submit}>
      <p>{w.codeLead(phone)}</p>
      <Field name="code" label={w.code} attempt={attempt} value={code} onValue={setCode} type="text" digits autocomplete="one-time-code" />
      <button type="button" class="other" onClick={onOther}>
        {w.otherNumber}
      </button>
    </Form>
  );
}

function Done({ words: w, language, phone, booked, onBack }: { phone: string; booked: Booked; onBack(): void } & View) {
  const when = booked.at && new Intl.DateTimeFormat(localeOf(language), { dateStyle: "full", timeStyle: "short" }).format(new Date(booked.at));
  return (
    <>
      <p role="status">{when ? w.bookedAt(phone, when) : w.bookedSoon(phone)}</p>
      <p>{w.number}</p>
      <p class="number">{grouped(booked.number)}</p>
      <p class="hint">{w.numberHint}</p>
      <button type="button" class="main" onClick={onBack}>
        {w.back}
      </button>
    </>
  );
}

// Attempt is one question to the server at a time, and what went wrong with the last.
interface Attempt {
  form: RefObject<HTMLFormElement | null>;
  busy: boolean;
  wrong: string; // a key of callWhy; "" = nothing
  fail(why: string): void;
  clear(): void;
  run(ask: () => Promise<void>): Promise<void>;
}

function useAttempt(entering: boolean): Attempt {
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState("");
  const form = useRef<HTMLFormElement>(null);
  const fail = (why: string) => {
    setWrong(why);
    form.current?.querySelector<HTMLElement>(`[name="${why === "not_allowed" ? "phone" : why}"]`)?.focus();
  };
  return {
    form,
    busy,
    wrong,
    fail,
    clear: () => setWrong(""),
    async run(ask) {
      if (busy) return;
      setBusy(true);
      setWrong("");
      try {
        await ask();
      } catch (err) {
        fail(err instanceof ApiError ? reasonOf(err, entering) : "other");
      }
      setBusy(false);
    },
  };
}

function Form({ words: w, attempt, label, onSubmit, children }: { words: Words; attempt: Attempt; label: string; onSubmit(): void; children: ComponentChildren }) {
  return (
    <form
      noValidate
      ref={attempt.form}
      onSubmit={(e) => {
        e.preventDefault();
        onSubmit();
      }}
    >
      {children}
      <p class="error" role="alert" id="wrong">
        {attempt.wrong && (w.callWhy[attempt.wrong] ?? w.callWhy.other)}
      </p>
      <button type="submit" class="main" aria-disabled={attempt.busy}>
        {attempt.busy ? w.working : label}
      </button>
    </form>
  );
}

interface FieldProps {
  type: "tel" | "text" | "datetime-local";
  name: string;
  label: string;
  hint?: string;
  attempt: Attempt;
  value: string;
  onValue(value: string): void;
  autocomplete?: "tel" | "one-time-code";
  digits?: boolean; // a keyboard of digits
  min?: string;
}

function Field({ type, name, label, hint, attempt, value, onValue, autocomplete, digits, min }: FieldProps) {
  const bad = attempt.wrong === name || (name === "phone" && attempt.wrong === "not_allowed");
  return (
    <div class="field">
      <label for={name}>{label}</label>
      {hint && (
        <p class="hint" id={`${name}-hint`}>
          {hint}
        </p>
      )}
      <input
        type={type as "text"} // the types want one kind for each line
        value={value}
        autocomplete={autocomplete}
        inputMode={digits ? "numeric" : undefined}
        min={min}
        id={name}
        name={name}
        aria-invalid={bad}
        aria-describedby={[bad && "wrong", hint && `${name}-hint`].filter(Boolean).join(" ") || undefined}
        onInput={(e) => {
          onValue(e.currentTarget.value);
          attempt.clear();
        }}
      />
    </div>
  );
}

// clean is a number without what people write between the digits.
function clean(phone: string): string {
  return phone.replace(/[\s().-]/g, "").replace(/^00/, "+");
}

// reasonOf is the key of the words for a refusal.
function reasonOf(err: ApiError, entering: boolean): string {
  switch (err.code) {
    case "offline":
    case "phone":
      return err.code;
    case "bad_time":
      return "date";
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
