// One's own account: password, second factor, language and appearance.
import { useState } from "preact/hooks";
import type { ComponentChildren } from "preact";
import { languageNames, languages } from "../language.ts";
import type { Language } from "../language.ts";
import { useAnnounce } from "../staff/announce.tsx";
import { useApi } from "../staff/api.ts";
import type { ApiError } from "../staff/api.ts";
import { Choice } from "../staff/bar.tsx";
import { Fault } from "../staff/fault.tsx";
import { asApiError } from "../staff/load.ts";
import type { Me } from "../staff/session.ts";
import { useSettings } from "../staff/settings.tsx";
import { themes } from "../staff/theme.ts";
import { useStaffWords } from "../staff/words.ts";
import { useStudioWords } from "./words.ts";

interface Props {
  me: Me;
  onChanged(): void;
  onLanguage(language: Language): void;
}

export function Account({ me, onChanged, onLanguage }: Props) {
  const w = useStudioWords();
  const sw = useStaffWords();
  const { language, theme, chooseTheme } = useSettings();
  return (
    <main class="page account" id="content" tabIndex={-1}>
      <h1>{w.account}</h1>
      <p class="soft">{w.signedInAs(me.user.display || me.user.name, me.user.roles.map((r) => sw.roles[r]).join(sw.comma))}</p>
      <Section title={w.settings}>
        <Choice name="account-language" label={sw.language} values={languages} current={language} onChoose={onLanguage} labelOf={(l) => languageNames[l]} langOf={(l) => l} />
        <Choice name="account-theme" label={sw.theme} values={themes} current={theme} onChoose={chooseTheme} labelOf={(t) => sw.themes[t]} />
      </Section>
      {me.user.local ? (
        <>
          <Section title={w.changePassword}>
            <PasswordForm onDone={onChanged} />
          </Section>
          <Section title={w.secondFactor}>{me.user.totp ? <RemoveTotp onDone={onChanged} /> : <SetUpTotp onDone={onChanged} />}</Section>
        </>
      ) : (
        <p class="soft">{w.atProvider}</p>
      )}
    </main>
  );
}

function Section({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="card-section">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

// MustSetUp is all a user sees whose role asks for a second factor that is not set up.
export function MustSetUp({ onDone }: { onDone(): void }) {
  const w = useStudioWords();
  return (
    <main class="page account" id="content">
      <h1>{w.mustTotpTitle}</h1>
      <p>{w.mustTotp}</p>
      <section class="card-section">
        <SetUpTotp onDone={onDone} />
      </section>
    </main>
  );
}

// MustChange is all a user sees who came in with a one-time password.
export function MustChange({ onDone }: { onDone(): void }) {
  const w = useStudioWords();
  return (
    <main class="page account" id="content">
      <h1>{w.mustChangeTitle}</h1>
      <p>{w.mustChange}</p>
      <section class="card-section">
        <PasswordForm onDone={onDone} />
      </section>
    </main>
  );
}

const shortest = 12; // characters; the server has the last word

function PasswordForm({ onDone }: { onDone(): void }) {
  const w = useStudioWords();
  const api = useApi();
  const announce = useAnnounce();
  const [old, setOld] = useState("");
  const [next, setNext] = useState("");
  const [again, setAgain] = useState("");
  const [busy, setBusy] = useState(false);
  const [said, setSaid] = useState("");
  const [error, setError] = useState<ApiError | null>(null);
  const submit = async (e: Event) => {
    e.preventDefault();
    setError(null);
    if (old === "" || next === "") return setSaid(w.fillAll);
    if ([...next].length < shortest) return setSaid(w.tooShort(shortest));
    if (next !== again) return setSaid(w.notSame);
    setSaid("");
    setBusy(true);
    try {
      await api.post("me/password", { old, new: next });
      announce(w.passwordChanged);
      setOld("");
      setNext("");
      setAgain("");
      onDone();
    } catch (err) {
      setError(asApiError(err));
    }
    setBusy(false);
  };
  return (
    <form class="form" onSubmit={submit} noValidate>
      {error && <Fault error={error} />}
      <div class="field">
        <label for="old-password">{w.oldPassword}</label>
        <input id="old-password" type="password" autocomplete="current-password" value={old} onInput={(e) => setOld(e.currentTarget.value)} />
      </div>
      <div class="field">
        <label for="new-password">{w.newPassword}</label>
        <input id="new-password" type="password" autocomplete="new-password" value={next} aria-describedby="new-hint" onInput={(e) => setNext(e.currentTarget.value)} />
        <span class="hint" id="new-hint">
          {w.passwordHint(shortest)}
        </span>
      </div>
      <div class="field">
        <label for="new-again">{w.newAgain}</label>
        <input id="new-again" type="password" autocomplete="new-password" value={again} onInput={(e) => setAgain(e.currentTarget.value)} />
      </div>
      <p role="alert" class="bad-text">
        {said}
      </p>
      <div class="actions">
        <button type="submit" class="main" aria-disabled={busy}>
          {w.changePassword}
        </button>
      </div>
    </form>
  );
}

function SetUpTotp({ onDone }: { onDone(): void }) {
  const w = useStudioWords();
  const sw = useStaffWords();
  const api = useApi();
  const announce = useAnnounce();
  const [setUp, setSetUp] = useState<{ uri: string; qr: string } | null>(null);
  const [recovery, setRecovery] = useState<string[] | null>(null);
  const [code, setCode] = useState("");
  const [error, setError] = useState<ApiError | null>(null);
  const begin = async () => {
    setError(null);
    try {
      setSetUp(await api.post<{ uri: string; qr: string }>("me/totp"));
    } catch (err) {
      setError(asApiError(err));
    }
  };
  const confirm = async (e: Event) => {
    e.preventDefault();
    setError(null);
    try {
      const { recovery: codes } = await api.post<{ recovery: string[] }>("me/totp/confirm", { code: code.replace(/\s/g, "") });
      setRecovery(codes);
      announce(w.totpOn);
    } catch (err) {
      setError(asApiError(err));
    }
  };
  if (recovery)
    return (
      <div class="form">
        <p>{w.recoveryWhat}</p>
        <ul class="recovery" aria-label={w.recoveryCodes}>
          {recovery.map((c) => (
            <li key={c}>
              <code>{c}</code>
            </li>
          ))}
        </ul>
        <div class="actions">
          <button type="button" onClick={() => void navigator.clipboard?.writeText(recovery.join("\n")).then(() => announce(sw.copied))}>
            {sw.copy}
          </button>
          <button type="button" class="main" onClick={onDone}>
            {w.recoveryKept}
          </button>
        </div>
      </div>
    );
  if (!setUp)
    return (
      <div class="form">
        <p>{w.totpOff}</p>
        {error && <Fault error={error} />}
        <div class="actions">
          <button type="button" onClick={() => void begin()}>
            {w.totpSetUp}
          </button>
        </div>
      </div>
    );
  const secret = /[?&]secret=([^&]+)/.exec(setUp.uri)?.[1] ?? "";
  return (
    <form class="form totp" onSubmit={confirm} noValidate>
      <p>{w.totpScan}</p>
      {setUp.qr.startsWith("data:image/png;base64,") && <img src={setUp.qr} alt={w.totpQr} width="200" height="200" />}
      {secret && (
        <p class="soft">
          {w.totpByHand} <code class="secret">{secret.replace(/(.{4})/g, "$1 ").trim()}</code>
        </p>
      )}
      {error && <Fault error={error} />}
      <div class="field">
        <label for="totp-code">{w.totpCode}</label>
        <input id="totp-code" inputMode="numeric" autocomplete="one-time-code" value={code} onInput={(e) => setCode(e.currentTarget.value)} />
      </div>
      <div class="actions">
        <button type="submit" class="main">
          {w.totpConfirm}
        </button>
        <button type="button" onClick={() => setSetUp(null)}>
          {sw.cancel}
        </button>
      </div>
    </form>
  );
}

function RemoveTotp({ onDone }: { onDone(): void }) {
  const w = useStudioWords();
  const api = useApi();
  const announce = useAnnounce();
  const [code, setCode] = useState("");
  const [error, setError] = useState<ApiError | null>(null);
  const remove = async (e: Event) => {
    e.preventDefault();
    setError(null);
    try {
      await api.post("me/totp/remove", { code: code.replace(/\s/g, "") });
      announce(w.totpRemoved);
      onDone();
    } catch (err) {
      setError(asApiError(err));
    }
  };
  return (
    <form class="form" onSubmit={remove} noValidate>
      <p>{w.totpIsOn}</p>
      {error && <Fault error={error} />}
      <div class="field">
        <label for="totp-remove">{w.totpCode}</label>
        <input id="totp-remove" inputMode="numeric" autocomplete="one-time-code" value={code} onInput={(e) => setCode(e.currentTarget.value)} />
      </div>
      <div class="actions">
        <button type="submit" class="danger">
          {w.totpRemove}
        </button>
      </div>
    </form>
  );
}
