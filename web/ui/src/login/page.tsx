// The login page: name and password, a code where the user has set one up, or a provider.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { languageNames, languages } from "../language.ts";
import { Api, ApiError } from "../staff/api.ts";
import { Choice } from "../staff/bar.tsx";
import { sentenceOf } from "../staff/fault.tsx";
import { Icon } from "../staff/icon.tsx";
import { asApiError } from "../staff/load.ts";
import { homeOf } from "../staff/places.ts";
import type { Me, Ways } from "../staff/session.ts";
import { languageOf, useSettings } from "../staff/settings.tsx";
import { useStaffWords } from "../staff/words.ts";
import { words } from "./words.ts";

type Trouble = { kind: "wrong" | "codeNeeded" | "codeWrong" } | { kind: "fault"; error: ApiError };

export function LoginPage() {
  const { language, chooseLanguage } = useSettings();
  const w = words[language];
  const sw = useStaffWords();
  const api = useMemo(() => new Api(() => {}), []);
  const [ways, setWays] = useState<Ways | null>(null);
  const [fault, setFault] = useState<ApiError | null>(null);

  const failed = useMemo(() => new URLSearchParams(location.search).get("failed"), []);

  const ask = () => {
    setFault(null);
    api.get<Me>("me").then(
      (me) => location.replace(homeOf(me.user)),
      (err: unknown) => {
        const e = asApiError(err);
        const login = e.body["login"] as Ways | undefined;
        if (e.code === "login") setWays({ local: login?.local ?? true, oidc: login?.oidc ?? [] });
        else setFault(e);
      },
    );
  };
  useEffect(ask, [api]);
  useEffect(() => {
    document.title = w.title;
  }, [w]);

  return (
    <div class="login">
      <header>
        <p class="brand">
          <img src="/icon.svg" alt="" width="26" height="26" />
          <span>Tandem</span>
        </p>
        <Choice name="language" label={sw.language} quiet values={languages} current={language} onChoose={chooseLanguage} labelOf={(l) => languageNames[l]} langOf={(l) => l} />
      </header>
      <main class="login-card" aria-busy={ways === null && fault === null}>
        <h1>{w.title}</h1>
        <p class="soft">{w.lead}</p>
        {fault && (
          <div class="login-trouble" role="alert">
            <p>{sentenceOf(fault, sw)}</p>
            <button type="button" onClick={ask}>
              {sw.retry}
            </button>
          </div>
        )}
        {failed !== null && (
          <p class="login-trouble" role="alert">
            <Icon name="error" />
            <span>{w.oidc[failed] ?? w.oidc["oidc_refused"]}</span>
          </p>
        )}
        {ways?.local && <PasswordForm api={api} />}
        {ways && ways.local && ways.oidc.length > 0 && <p class="login-or">{w.or}</p>}
        {ways?.oidc.map((p) => (
          <a key={p.id} class="button provider" href={`/api/v1/oidc/${encodeURIComponent(p.id)}`}>
            {w.with(p.name)}
          </a>
        ))}
        {ways && !ways.local && ways.oidc.length === 0 && <p>{w.noWay}</p>}
      </main>
    </div>
  );
}

function PasswordForm({ api }: { api: Api }) {
  const { language, chooseLanguage } = useSettings();
  const w = words[language];
  const sw = useStaffWords();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const [codeStep, setCodeStep] = useState(false);
  const [shown, setShown] = useState(false);
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<Trouble | null>(null);
  const wait = useCountdown();
  const first = useRef<HTMLInputElement>(null);
  const codeField = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);
  useEffect(() => {
    if (codeStep) codeField.current?.focus();
  }, [codeStep]);

  const submit = async (e: Event) => {
    e.preventDefault();
    if (busy || wait.left > 0) return;
    setBusy(true);
    setTrouble(null);
    wait.clear();
    try {
      const me = await api.post<Me>("login", { name: name.trim(), password, ...(codeStep ? { code: code.replace(/\s/g, "") } : {}) });
      const kept = languageOf(me.user.lang);
      if (kept) chooseLanguage(kept);
      location.replace(homeOf(me.user));
    } catch (err) {
      setBusy(false);
      const failed = asApiError(err);
      switch (failed.code) {
        case "code_required":
          setCodeStep(true);
          setTrouble({ kind: "codeNeeded" });
          break;
        case "login_failed":
          setTrouble({ kind: codeStep ? "codeWrong" : "wrong" });
          setCode("");
          (codeStep ? codeField : first).current?.select();
          break;
        case "too_many":
          wait.start(failed.retryAfter || 30);
          break;
        default:
          setTrouble({ kind: "fault", error: failed });
      }
    }
  };

  return (
    <form class="form" onSubmit={submit} noValidate>
      <div role="alert">
        {trouble && (
          <p class={`login-trouble ${trouble.kind === "codeNeeded" ? "mild" : ""}`}>
            <Icon name={trouble.kind === "codeNeeded" ? "keys" : "error"} />
            <span>{trouble.kind === "fault" ? sentenceOf(trouble.error, sw) : w[trouble.kind]}</span>
          </p>
        )}
        {wait.begun && wait.left > 0 && <p class="unseen">{w.tooMany(wait.from)}</p>}
        {wait.begun && wait.left === 0 && <p class="login-trouble mild">{w.nowAgain}</p>}
      </div>
      {wait.left > 0 && (
        <p class="login-trouble" aria-hidden="true">
          <Icon name="clock" />
          <span>{w.tooMany(wait.left)}</span>
        </p>
      )}
      <div class="field">
        <label for="name">{w.name}</label>
        <input id="name" ref={first} value={name} onInput={(e) => setName(e.currentTarget.value)} autocomplete="username" autocapitalize="none" spellcheck={false} required readOnly={codeStep} />
      </div>
      <div class="field">
        <label for="password">{w.password}</label>
        <div class="with-button">
          <input id="password" type={(shown ? "text" : "password") as "password"} value={password} onInput={(e) => setPassword(e.currentTarget.value)} autocomplete="current-password" required readOnly={codeStep} />
          <button type="button" class="quiet square" aria-pressed={shown} aria-label={w.show} title={w.show} onClick={() => setShown(!shown)}>
            <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
              <path d="M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8zM8 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4z" />
            </svg>
          </button>
        </div>
      </div>
      {codeStep && (
        <div class="field">
          <label for="code">{w.code}</label>
          <input id="code" ref={codeField} value={code} onInput={(e) => setCode(e.currentTarget.value)} autocomplete="one-time-code" autocapitalize="none" spellcheck={false} aria-describedby="code-hint" required />
          <span class="hint" id="code-hint">
            {w.codeHint}
          </span>
        </div>
      )}
      <button type="submit" class="main" aria-disabled={busy || wait.left > 0 || name.trim() === "" || password === ""}>
        {busy ? w.signingIn : w.signIn}
      </button>
      {codeStep && (
        <button
          type="button"
          class="quiet"
          onClick={() => {
            setCodeStep(false);
            setCode("");
            setPassword("");
            setTrouble(null);
            first.current?.focus();
          }}
        >
          {w.differentUser}
        </button>
      )}
    </form>
  );
}

// useCountdown counts whole seconds down to 0.
function useCountdown() {
  const [until, setUntil] = useState(0);
  const [from, setFrom] = useState(0);
  const [now, setNow] = useState(() => Date.now());
  const left = Math.max(0, Math.ceil((until - now) / 1000));
  useEffect(() => {
    if (left === 0) return;
    const timer = window.setTimeout(() => setNow(Date.now()), (until - now) % 1000 || 1000);
    return () => window.clearTimeout(timer);
  }, [until, now, left]);
  return {
    left,
    from,
    begun: until > 0,
    start(seconds: number) {
      const begin = Date.now();
      setNow(begin);
      setFrom(seconds);
      setUntil(begin + seconds * 1000);
    },
    clear: () => setUntil(0),
  };
}
