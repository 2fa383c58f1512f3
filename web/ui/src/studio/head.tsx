// The head of the bench: which file, how it stands, and what can be done with it.
import { Icon } from "../staff/icon.tsx";
import { isMac } from "../staff/keys.tsx";
import { useLanguage } from "../staff/settings.tsx";
import { clock } from "../staff/time.ts";
import type { Flow } from "./answers.ts";
import type { Checking } from "./check.ts";
import type { Document } from "./document.ts";
import { FlowState } from "./flows.tsx";
import { link } from "./route.ts";
import { useStudioWords } from "./words.ts";

interface Props {
  file: string;
  flow: Flow | null;
  doc: Document;
  check: Checking;
  errors: number;
  mayEdit: boolean;
  secondPerson: boolean;
  running: boolean;
  onFormat(): void;
  onTests(): void;
  onTry: (() => void) | null; // null: nobody can speak with this flow, or one does
  onPublish(): void;
}

export function BenchHead({ file, flow, doc, check, errors, mayEdit, secondPerson, running, onFormat, onTests, onTry, onPublish }: Props) {
  const w = useStudioWords();
  const language = useLanguage();
  const mod = isMac ? "⌘" : "Ctrl+";
  const state = check.error ? "" : check.busy || !check.value ? w.checking : doc.changedAt && check.at && doc.changedAt <= check.at && !doc.draft ? w.refreshedAt(clock(doc.changedAt, language)) : check.at ? w.checkedAt(clock(check.at, language)) : "";
  return (
    <header class="bench-head">
      <a class="button square quiet to-list" href={link({ at: "flows" })} aria-label={w.backToList}>
        <Icon name="left" />
      </a>
      <div class="bench-title">
        <h1>
          {flow?.name ?? file}
          {flow && <span class="soft file-name">{file}</span>}
        </h1>
        <p class="bench-facts">
          {flow && <FlowState flow={flow} />}
          {doc.draft && <span class="badge warn draft">{w.draft}</span>}
          {!mayEdit && <span class="badge">{w.readOnly}</span>}
          {flow && <span class="soft facts-text">{w.flowFacts(flow.steps, flow.channels.map((c) => w.channels[c] ?? c), flow.languages)}</span>}
          <span class="soft check-state">{state}</span>
        </p>
      </div>
      <div class="actions">
        {mayEdit && (
          <button type="button" onClick={onFormat} title={`${w.format} (Shift+Alt+F)`}>
            <Icon name="format" />
            <span>{w.format}</span>
          </button>
        )}
        <button type="button" onClick={onTests} aria-disabled={running} title={`${w.runTests} (${mod}Enter)`}>
          <Icon name="run" />
          <span>{w.runTests}</span>
        </button>
        {mayEdit && flow?.channels.includes("voice") && (
          <button type="button" onClick={() => onTry?.()} aria-disabled={onTry === null} title={w.tryByVoiceHint}>
            <Icon name="phone" />
            <span>{w.tryByVoice}</span>
          </button>
        )}
        {mayEdit && (
          <button type="button" class="main" onClick={onPublish} disabled={!doc.draft} title={errors > 0 ? w.errorsFirst(errors) : `${w.publish} (${mod}S)`}>
            <Icon name="publish" />
            <span>{secondPerson ? w.proposeShort : w.publish}</span>
          </button>
        )}
      </div>
    </header>
  );
}
