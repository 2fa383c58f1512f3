// The bar on top of every staff page: where one is, how things stand, who one is.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { languageNames, languages } from "../language.ts";
import type { Language } from "../language.ts";
import { Icon } from "./icon.tsx";
import { useKeyHelp } from "./keys.tsx";
import type { User } from "./session.ts";
import { useSettings } from "./settings.tsx";
import { themes } from "./theme.ts";
import { useStaffWords } from "./words.ts";

export interface Place {
  href: string;
  label: string;
  current: boolean;
  badge?: number;
  meaning?: string; // of the badge, for screen readers
}

interface Props {
  user: User;
  places: readonly Place[];
  account?: string | undefined; // where the account page is; none while it cannot be opened
  onLanguage(language: Language): void;
  onSignOut(): void;
  children?: ComponentChildren; // how things stand
}

export function TopBar({ user, places, account, onLanguage, onSignOut, children }: Props) {
  const w = useStaffWords();
  return (
    <header class="bar">
      <p class="brand">
        <img src="/icon.svg" alt="" width="22" height="22" />
        <span>Tandem</span>
      </p>
      <nav aria-label={w.places}>
        {places.map((p) => (
          <a key={p.href} href={p.href} aria-current={p.current ? "page" : undefined}>
            {p.label}
            {p.badge !== undefined && p.badge > 0 && (
              <span class="badge warn">
                <span aria-hidden="true">{p.badge}</span>
                <span class="unseen">{p.meaning}</span>
              </span>
            )}
          </a>
        ))}
      </nav>
      <div class="bar-end">
        {children}
        <UserMenu user={user} account={account} onLanguage={onLanguage} onSignOut={onSignOut} />
      </div>
    </header>
  );
}

function UserMenu({ user, account, onLanguage, onSignOut }: Pick<Props, "user" | "account" | "onLanguage" | "onSignOut">) {
  const w = useStaffWords();
  const { language, theme, chooseTheme } = useSettings();
  const showHelp = useKeyHelp();
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (!open) return;
    const outside = (e: Event) => {
      if (e.target instanceof Node && !root.current?.contains(e.target)) setOpen(false);
    };
    document.addEventListener("pointerdown", outside);
    document.addEventListener("focusin", outside);
    return () => {
      document.removeEventListener("pointerdown", outside);
      document.removeEventListener("focusin", outside);
    };
  }, [open]);
  const close = () => {
    setOpen(false);
    button.current?.focus();
  };
  return (
    <div
      class="user"
      ref={root}
      onKeyDown={(e) => {
        if (e.key !== "Escape" || !open) return;
        e.stopPropagation();
        close();
      }}
    >
      <button type="button" class="quiet user-button" ref={button} aria-expanded={open} onClick={() => setOpen(!open)}>
        <span class="initial" aria-hidden="true">
          {[...(user.display || user.name)][0]?.toUpperCase()}
        </span>
        <span class="user-name">{user.display || user.name}</span>
        <Icon name="down" />
      </button>
      {open && (
        <div class="user-menu">
          <p class="user-who">
            <strong>{user.display || user.name}</strong>
            <span>{user.roles.map((r) => w.roles[r]).join(w.comma)}</span>
          </p>
          <Choice name="language" label={w.language} values={languages} current={language} onChoose={onLanguage} labelOf={(l) => languageNames[l]} langOf={(l) => l} />
          <Choice name="theme" label={w.theme} values={themes} current={theme} onChoose={chooseTheme} labelOf={(t) => w.themes[t]} />
          {account && (
            <a href={account} onClick={() => setOpen(false)}>
              <Icon name="people" />
              {w.account}
            </a>
          )}
          <button
            type="button"
            class="plain"
            onClick={() => {
              close();
              showHelp();
            }}
          >
            <Icon name="keys" />
            {w.keys}
            <kbd>?</kbd>
          </button>
          <button type="button" class="plain" onClick={onSignOut}>
            <Icon name="out" />
            {w.signOut}
          </button>
        </div>
      )}
    </div>
  );
}

interface ChoiceProps<T extends string> {
  name: string;
  label: string;
  values: readonly T[];
  current: T;
  onChoose(value: T): void;
  labelOf(value: T): string;
  langOf?(value: T): string;
  quiet?: boolean; // the label is for screen readers only
}

// Choice is one of a few, all seen at once.
export function Choice<T extends string>({ name, label, values, current, onChoose, labelOf, langOf, quiet }: ChoiceProps<T>) {
  return (
    <fieldset class="choice">
      <legend class={quiet ? "unseen" : ""}>{label}</legend>
      <div>
        {values.map((v) => (
          <label key={v} lang={langOf?.(v)}>
            <input type="radio" name={name} value={v} checked={v === current} onChange={() => onChoose(v)} />
            <span>{labelOf(v)}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
