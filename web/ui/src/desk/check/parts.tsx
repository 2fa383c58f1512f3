// Pieces of the check's panel that several parts show.
import { useEffect, useRef, useState } from "preact/hooks";
import { useLanguage } from "../../staff/settings.tsx";
import type { Check, Said, Step } from "../faces.ts";
import { useFaceWords } from "../words.ts";

// said is a policy's words in a language; the first there are where it has none in that.
export function said(words: Said | undefined, language: string): string {
  if (!words) return "";
  return words[language] ?? words[language.split("-")[0]!] ?? Object.entries(words).find(([tag]) => tag.split("-")[0] === language.split("-")[0])?.[1] ?? words["en"] ?? Object.values(words)[0] ?? "";
}

// Both is what the customer is told, in their language, and in the officer's below where that
// is another.
export function Both({ words, check }: { words: Said | undefined; check: Check }) {
  const language = useLanguage();
  const theirs = check.customer_lang ? said(words, check.customer_lang) : "";
  const ours = said(words, language);
  if (theirs === "" || theirs === ours) return <span lang={language}>{ours}</span>;
  return (
    <span class="both">
      <span lang={check.customer_lang}>{theirs}</span>
      <span class="soft" lang={language}>
        {ours}
      </span>
    </span>
  );
}

interface EitherProps {
  name: string;
  label: string;
  values: readonly (readonly [value: string, label: string])[];
  current: string;
  onChoose(value: string): void;
}

// Either is a choice of two or three beside what it is about.
export function Either({ name, label, values, current, onChoose }: EitherProps) {
  return (
    <span class="either" role="radiogroup" aria-label={label}>
      {values.map(([value, text]) => (
        <label key={value}>
          <input type="radio" name={name} value={value} checked={current === value} onChange={() => onChoose(value)} />
          <span>{text}</span>
        </label>
      ))}
    </span>
  );
}

// Why asks for a reason before something is done.
export function Why({ id, question, go, danger, onGo, onCancel }: { id: string; question: string; go: string; danger?: boolean; onGo(why: string): void; onCancel(): void }) {
  const w = useFaceWords();
  const [why, setWhy] = useState("");
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => field.current?.focus(), []);
  return (
    <form
      class="why-form"
      onSubmit={(e) => {
        e.preventDefault();
        if (why.trim() !== "") onGo(why.trim());
      }}
      onKeyDown={(e) => {
        if (e.key !== "Escape") return;
        e.stopPropagation();
        onCancel();
      }}
    >
      <label for={id}>{question}</label>
      <input id={id} maxLength={500} value={why} onInput={(e) => setWhy(e.currentTarget.value)} ref={field} />
      <span class="actions">
        <button type="submit" class={danger ? "danger small" : "main small"} aria-disabled={why.trim() === "" ? "true" : undefined}>
          {go}
        </button>
        <button type="button" class="small quiet" onClick={onCancel}>
          {w.cancel}
        </button>
      </span>
    </form>
  );
}

// Noted is what the officer noted in a step, in words.
export function Noted({ check, step }: { check: Check; step: Step }) {
  const w = useFaceWords();
  const language = useLanguage();
  const entries = Object.entries(step.said ?? {});
  if (entries.length === 0) return null;
  const label = (name: string) => said(step.asks?.find((a) => a.name === name)?.ask, language) || w.requests[name] || (name === "likeness" ? w.likeness : name.replaceAll("_", " "));
  const value = (v: unknown): string => {
    if (typeof v === "object" && v !== null && "word" in v) return w.likenessWords[String((v as { word: unknown }).word)] ?? "–";
    return ({ yes: w.yes, no: w.no, unsure: w.unsure, right: w.right, wrong: w.wrong } as Record<string, string>)[String(v)] ?? String(v);
  };
  return (
    <dl class="facts" aria-label={`${w.noted}: ${check.policy}`}>
      {entries.map(([name, v]) => (
        <div key={name}>
          <dt>{label(name)}</dt>
          <dd>{value(v)}</dd>
        </div>
      ))}
    </dl>
  );
}
