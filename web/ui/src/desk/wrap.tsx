// The wrap-up: the clock that ends it by itself, what came of it, and the last notes.
import { useEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../staff/icon.tsx";
import { useKeysOf } from "../staff/keys.tsx";
import { useLanguage } from "../staff/settings.tsx";
import { span } from "../staff/time.ts";
import { useDesk, useNow, useRun } from "./context.tsx";
import type { DialogName } from "./dialogs.tsx";
import { keys } from "./keylist.ts";
import { nameOf, useView } from "./names.ts";
import { NoteForm } from "./notes.tsx";
import { readable } from "./store.ts";
import type { Item } from "./store.ts";
import { namedIn, useDeskWords } from "./words.ts";

export function Wrap({ item, onDialog }: { item: Item; onDialog(name: DialogName): void }) {
  const w = useDeskWords();
  const language = useLanguage();
  const { hold, kept, standing } = useDesk();
  const run = useRun();
  const shown = useKeysOf();
  const now = useNow();
  const { view } = useView(item.id);
  const draft = `disposition ${item.id}`;
  const [disposition, setDisposition] = useState(() => kept.draft(draft));
  const [problem, setProblem] = useState(false);
  const first = useRef<HTMLInputElement>(null);
  const choices = standing?.dispositions ?? [];
  const needed = standing?.required?.includes(item.task?.queue ?? view?.task.queue ?? "") ?? false;
  const left = (item.until - now) / 1000;
  useEffect(() => {
    if (document.activeElement === document.body || document.activeElement === null) first.current?.focus();
  }, []);
  const keep = (text: string) => {
    setDisposition(text);
    setProblem(false);
    kept.keepDraft(draft, text, hold.now());
  };
  const finish = async (e: Event) => {
    e.preventDefault();
    if (needed && disposition.trim() === "") {
      setProblem(true);
      return first.current?.focus();
    }
    const said = disposition.trim();
    if (await run(hold.ask({ t: "wrap", task: item.id, fence: item.fence, ...(said ? { disposition: said } : {}) }))) kept.keepDraft(draft, "", hold.now());
  };
  return (
    <article class="work-one wrap">
      <header class="work-head">
        <h2>
          {w.wrapTitle} <span class="soft">{nameOf(view, w)}</span>
        </h2>
        {item.until > 0 && (
          <p class={`wrap-clock ${left < 10 ? "late" : ""}`}>
            <span class="soft">{w.wrapEnds}</span> <strong class="clock">{span(left)}</strong>
          </p>
        )}
      </header>
      <form class="form" onSubmit={finish} id="wrap-form">
        {choices.length > 0 ? (
          <fieldset class="picks" aria-describedby={problem ? `${item.id}-problem` : undefined}>
            <legend>{w.disposition}</legend>
            {choices.map((c, i) => (
              <label key={c.name}>
                <input ref={i === 0 ? first : null} type="radio" name={`disposition-${item.id}`} value={c.name} checked={disposition === c.name} onChange={() => keep(c.name)} />
                <span>{namedIn(c, language)}</span>
              </label>
            ))}
          </fieldset>
        ) : (
          <div class="field">
            <label for={`${item.id}-disposition`}>{w.disposition}</label>
            <input ref={first} id={`${item.id}-disposition`} maxLength={64} value={disposition} onInput={(e) => keep(e.currentTarget.value)} aria-describedby={`${item.id}-hint`} />
            <span class="hint" id={`${item.id}-hint`}>
              {w.dispositionOwn}
            </span>
          </div>
        )}
        {problem && (
          <p class="problem" role="alert" id={`${item.id}-problem`}>
            {w.dispositionNeeded}
          </p>
        )}
        <div class="actions">
          <button type="submit" class="main" title={shown(keys.finish)}>
            <Icon name="check" />
            {w.wrapFinish}
            <kbd>{shown(keys.finish)}</kbd>
          </button>
          {readable(hold.state, item.id) && (
            <button type="button" title={shown(keys.takeOver)} onClick={() => onDialog("takeOver")}>
              {w.takeOver}
            </button>
          )}
        </div>
      </form>
      <section>
        <h3>{w.note}</h3>
        <NoteForm task={item.id} />
      </section>
    </article>
  );
}
