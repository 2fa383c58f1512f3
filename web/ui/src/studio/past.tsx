// Past interactions of a flow: choose one and its path is drawn, with what was said,
// pressed and set at each step beside it.
import { useState } from "preact/hooks";
import { pathOf, useApi } from "../staff/api.ts";
import { Fault, Waiting } from "../staff/fault.tsx";
import { Icon } from "../staff/icon.tsx";
import { useLoad } from "../staff/load.ts";
import { useLanguage } from "../staff/settings.tsx";
import { clock, dateTime, span } from "../staff/time.ts";
import type { Flow, Past as Interaction, PastPath, Taken } from "./answers.ts";
import type { Mode } from "./picture/pane.tsx";
import { useStudioWords } from "./words.ts";

interface Props {
  flow: Flow;
  mode: Mode;
  onMode(mode: Mode): void;
  onStep(step: string): void;
}

export function Past({ flow, mode, onMode, onStep }: Props) {
  const w = useStudioWords();
  const language = useLanguage();
  const api = useApi();
  const [older, setOlder] = useState<Interaction[]>([]);
  const [all, setAll] = useState(false); // no older ones are left
  const [busy, setBusy] = useState(false);
  const first = useLoad<{ interactions: Interaction[] }>(
    async (signal) => {
      const answer = await api.get<{ interactions: Interaction[] | null }>(pathOf("flows", flow.name, "interactions"), signal);
      setOlder([]);
      setAll(false);
      return { interactions: answer.interactions ?? [] };
    },
    [api, flow.name],
  );
  if (first.error) return <Fault error={first.error} onRetry={first.reload} />;
  if (!first.value) return <Waiting />;
  const list = [...first.value.interactions, ...older];
  if (list.length === 0)
    return (
      <div class="empty">
        <p>{w.noInteractions}</p>
        <button type="button" onClick={first.reload}>
          {w.refresh}
        </button>
      </div>
    );
  const chosen = mode.kind === "past" ? mode.id : "";
  const more = async () => {
    const last = list.at(-1);
    if (!last || busy) return;
    setBusy(true);
    try {
      const answer = await api.get<{ interactions: Interaction[] | null }>(`${pathOf("flows", flow.name, "interactions")}?before=${encodeURIComponent(last.id)}`);
      const next = answer.interactions ?? [];
      setOlder((o) => [...o, ...next]);
      if (next.length === 0) setAll(true);
    } catch {
      first.reload();
    }
    setBusy(false);
  };
  return (
    <div class={`past ${chosen ? "has-chosen" : ""}`}>
      <div class="past-list">
        <div class="panel-head">
          <p class="soft">{w.chooseInteraction}</p>
          <button type="button" class="quiet small" onClick={first.reload}>
            {w.refresh}
          </button>
        </div>
        <ul>
          {list.map((i) => (
            <li key={i.id}>
              <button type="button" class="plain past-row" aria-pressed={i.id === chosen} onClick={() => onMode(i.id === chosen ? { kind: "text" } : { kind: "past", id: i.id, number: i.number, hash: i.hash })}>
                <strong>{i.number}</strong>
                <span>{dateTime(i.at, language)}</span>
                <span class="tag">{w.channels[i.channel] ?? i.channel}</span>
                <span class="soft">{span(i.seconds)}</span>
                <span class="soft">{w.endings[i.outcome] ?? i.outcome}</span>
              </button>
            </li>
          ))}
        </ul>
        {!all && (
          <button type="button" class="quiet small" aria-disabled={busy} onClick={() => void more()}>
            {w.older}
          </button>
        )}
      </div>
      {mode.kind === "past" ? <Path id={mode.id} flow={flow} onStep={onStep} /> : <p class="empty path-none">{w.noInteractionChosen}</p>}
    </div>
  );
}

function Path({ id, flow, onStep }: { id: string; flow: Flow; onStep(step: string): void }) {
  const w = useStudioWords();
  const api = useApi();
  const path = useLoad<PastPath>((signal) => api.get(pathOf("interactions", id, "path"), signal), [api, id]);
  if (path.error) return <Fault error={path.error} onRetry={path.reload} />;
  if (!path.value) return <Waiting />;
  const steps = path.value.steps ?? [];
  return (
    <section class="path" aria-label={w.pathOf(path.value.number)}>
      <h3>{w.pathOf(path.value.number)}</h3>
      {path.value.hash !== flow.hash && <p class="soft">{w.otherVersion}</p>}
      {steps.length === 0 && <p class="empty">{path.value.erased ? w.erased : w.noSteps}</p>}
      <ol>
        {steps.map((s, i) => (
          <PathStep key={i} step={s} onStep={onStep} />
        ))}
      </ol>
    </section>
  );
}

function PathStep({ step: s, onStep }: { step: Taken; onStep(step: string): void }) {
  const w = useStudioWords();
  const language = useLanguage();
  const said = s.said === null || s.said === undefined ? [] : Array.isArray(s.said) ? s.said : [s.said];
  const set = Object.entries(s.set ?? {});
  return (
    <li>
      <p class="path-head">
        <button type="button" class="quiet small" onClick={() => onStep(s.step)}>
          <strong>{s.step}</strong>
        </button>
        <span class="tag">{s.verb}</span>
        <span class="path-outcome">
          {s.outcome}
          {s.next && (
            <>
              <Icon name="right" />
              {s.next}
            </>
          )}
        </span>
        <time class="soft" dateTime={s.at}>
          {clock(s.at, language)}
        </time>
      </p>
      {s.fault && <p class="path-fault">{s.fault}</p>}
      {(said.some((t) => t !== "") || s.pressed || set.length > 0) && (
        <dl>
          {said.filter((t) => t !== "").length > 0 && (
            <div>
              <dt>{w.said}</dt>
              <dd>{said.join(" ")}</dd>
            </div>
          )}
          {s.pressed && (
            <div>
              <dt>{w.pressed}</dt>
              <dd>
                <kbd>{s.pressed}</kbd>
              </dd>
            </div>
          )}
          {set.map(([name, value]) => (
            <div key={name}>
              <dt>
                <code>{name}</code>
              </dt>
              <dd>
                <code>{typeof value === "string" ? value : JSON.stringify(value)}</code>
              </dd>
            </div>
          ))}
        </dl>
      )}
    </li>
  );
}
