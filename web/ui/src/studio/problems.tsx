// Every problem of the file and of what it uses, each with its reason and its fix.
import { Icon } from "../staff/icon.tsx";
import type { Diagnostic } from "./answers.ts";
import { Says } from "./says.tsx";
import { useStudioWords } from "./words.ts";

interface Props {
  file: string;
  diagnostics: readonly Diagnostic[];
  checked: boolean;
  onOpen(d: Diagnostic): void;
}

export function Problems({ file, diagnostics, checked, onOpen }: Props) {
  const w = useStudioWords();
  if (!checked) return <p class="empty">{w.checking}</p>;
  if (diagnostics.length === 0)
    return (
      <p class="empty good">
        <Icon name="check" />
        {w.noProblems}
      </p>
    );
  const own = diagnostics.filter((d) => d.file === file);
  const other = diagnostics.filter((d) => d.file !== file);
  return (
    <ol class="problems">
      {[...own, ...other].map((d) => (
        <li key={`${d.file}:${d.line}:${d.column}:${d.rule}:${d.message}`}>
          <button type="button" class={`plain problem ${d.severity}`} onClick={() => onOpen(d)}>
            <Icon name={d.severity} />
            <span class="problem-main">
              <span class="unseen">{d.severity === "error" ? w.error : w.warning} </span>
              <Says of={d} />
              {d.suggestion && (
                <span class="problem-fix">
                  <span class="fix-label">{w.fix}</span> {d.suggestion}
                </span>
              )}
            </span>
            <span class="problem-where">
              <code>{d.rule}</code>
              <span>
                {d.file === file ? "" : `${d.file} `}
                {w.line(d.line)}
              </span>
            </span>
          </button>
        </li>
      ))}
    </ol>
  );
}
