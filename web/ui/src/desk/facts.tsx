// Small tables of what is known, each value as text whatever it is.
import { useDeskWords } from "./words.ts";

const longest = 400; // characters of a value that are shown

// AnswersTable shows variables by name. Masked secrets come as dots, and are said to be.
export function AnswersTable({ answers, none }: { answers: Record<string, unknown> | undefined; none: string }) {
  const w = useDeskWords();
  const all = Object.entries(answers ?? {}).filter(([, v]) => v !== null && v !== "");
  if (all.length === 0) return <p class="soft">{none}</p>;
  return (
    <dl class="facts">
      {all.map(([name, value]) => (
        <div key={name}>
          <dt>{name.replaceAll("_", " ")}</dt>
          <dd>{masked(value) ? <span class="tag">{w.secretValue}</span> : textOf(value)}</dd>
        </div>
      ))}
    </dl>
  );
}

const masked = (v: unknown): boolean => typeof v === "string" && /^[•*]+$/.test(v);

// textOf writes a value for people; what is no plain one, as it came.
export function textOf(value: unknown): string {
  const text = typeof value === "string" ? value : typeof value === "number" ? String(value) : typeof value === "boolean" ? (value ? "✓" : "–") : JSON.stringify(value);
  return text.length > longest ? text.slice(0, longest) + "…" : text;
}
