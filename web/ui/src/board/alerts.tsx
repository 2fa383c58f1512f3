// Alerts: those that fire, on top of the board; the rules they come of, on a page of their own.
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { useAnnounce } from "../staff/announce.tsx";
import { useApi, pathOf } from "../staff/api.ts";
import type { ApiError } from "../staff/api.ts";
import { Choice } from "../staff/bar.tsx";
import { Dialog } from "../staff/dialog.tsx";
import { Fault, Waiting, sentenceOf } from "../staff/fault.tsx";
import { Icon } from "../staff/icon.tsx";
import { asApiError, useLoad } from "../staff/load.ts";
import { useLanguage } from "../staff/settings.tsx";
import { dateTime } from "../staff/time.ts";
import { useStaffWords } from "../staff/words.ts";
import type { Alert, AlertsPage, Metric, Rule } from "./answers.ts";
import { metrics } from "./answers.ts";
import { useAround, useClock, useLive } from "./context.tsx";
import { kindsInOrder, long, percent } from "./figures.ts";
import { useBoardWords } from "./words.ts";
import type { BoardWords } from "./words.ts";

// shown is a figure of a metric as people read it.
export function shown(metric: Metric, value: number): string {
  if (metric === "longest") return long(value);
  if (metric === "level") return percent(value);
  return String(Math.round(value));
}

export function said(w: BoardWords, a: Pick<Alert, "metric" | "bound" | "queue" | "kind">): string {
  return [w.condition(a.metric, shown(a.metric, a.bound)), a.queue === "" ? w.allQueues : a.queue, a.kind === "" ? "" : w.kinds[a.kind]].filter((s) => s !== "").join(" · ");
}

// noteAll takes note of all alerts that fire.
export function useNote(): (alerts: readonly Alert[]) => void {
  const api = useApi();
  const sw = useStaffWords();
  const announce = useAnnounce();
  return (alerts) => {
    for (const a of alerts.filter((x) => !x.seen)) {
      api.post(pathOf("board", "alerts", a.id, "seen")).catch((err: unknown) => announce(sentenceOf(asApiError(err), sw), "bad"));
    }
  };
}

export function Strip() {
  const w = useBoardWords();
  const live = useLive();
  const { acts } = useAround();
  const note = useNote();
  useClock(1000);
  if (live.alerts.length === 0) return null;
  return (
    <ul class="alert-strip" aria-label={w.firing}>
      {live.alerts.map((a) => (
        <li key={a.id} class={`alert-line ${a.severity} ${a.seen ? "seen" : ""}`}>
          <Icon name={a.severity === "critical" ? "error" : "warning"} />
          <strong>{a.name}</strong>
          <span>{said(w, a)}</span>
          <span class="alert-value">
            {w.now}: {shown(a.metric, a.value)}
          </span>
          <span class="soft">{long((live.now() - Date.parse(a.fired)) / 1000)}</span>
          {a.seen ? (
            <span class="soft">{w.seenBy(a.seen_by ?? "")}</span>
          ) : (
            acts && (
              <button type="button" onClick={() => note([a])}>
                <Icon name="check" />
                {w.note}
              </button>
            )
          )}
        </li>
      ))}
    </ul>
  );
}

export function Alerts() {
  const w = useBoardWords();
  const sw = useStaffWords();
  const api = useApi();
  const language = useLanguage();
  const live = useLive();
  const announce = useAnnounce();
  const { acts } = useAround();
  const [editing, setEditing] = useState<Rule | "new" | null>(null);
  const [removing, setRemoving] = useState<Rule | null>(null);
  const page = useLoad<AlertsPage>((signal) => api.get("board/alerts", signal), [api]);
  const reload = useRef(page.reload);
  reload.current = page.reload;
  const key = live.alerts.map((a) => a.id + (a.seen ?? "")).join();
  useEffect(() => reload.current(), [key]);
  useEffect(() => {
    const timer = window.setInterval(() => reload.current(), 5_000);
    return () => window.clearInterval(timer);
  }, []);
  const remove = (r: Rule) => {
    api.delete(pathOf("board", "alerts", r.id)).then(
      () => {
        setRemoving(null);
        page.reload();
      },
      (err: unknown) => announce(sentenceOf(asApiError(err), sw), "bad"),
    );
  };
  if (page.error && !page.value) return <Fault error={page.error} onRetry={page.reload} />;
  if (!page.value) return <Waiting />;
  const { rules, past } = page.value;
  return (
    <section class="alerts" aria-label={w.alerts}>
      <div class="alerts-head">
        <h2>{w.rules}</h2>
        {acts && (
          <button type="button" class="main" onClick={() => setEditing("new")}>
            <Icon name="plus" />
            {w.addRule}
          </button>
        )}
      </div>
      {rules.length === 0 ? (
        <p class="empty">{w.noRules}</p>
      ) : (
        <ul class="rules">
          {rules.map((r) => (
            <li key={r.id} class={`rule ${r.firing ? r.severity : ""}`}>
              <div class="rule-says">
                <strong>{r.name}</strong>
                <span>{said(w, r)}</span>
                <span class="soft">
                  {[w.severities[r.severity], r.sound ? w.sound : "", r.active ? "" : w.unused].filter((x) => x !== "").join(" · ")}
                </span>
              </div>
              <span class="rule-now">
                {w.now}: {r.value === undefined ? w.none : shown(r.metric, r.value)}
              </span>
              {r.firing && <span class={`badge ${r.severity === "critical" ? "bad" : "warn"}`}>{w.firing}</span>}
              {acts && (
                <span class="actions">
                  <button type="button" onClick={() => setEditing(r)}>
                    {w.changeRule}
                  </button>
                  <button type="button" class="danger" onClick={() => setRemoving(r)}>
                    {w.removeRule}
                  </button>
                </span>
              )}
            </li>
          ))}
        </ul>
      )}
      <p class="soft">{w.webhookHint}</p>
      <h2>{w.past}</h2>
      {past.length === 0 ? (
        <p class="empty">{w.noPast}</p>
      ) : (
        <div class="table-scroll" tabIndex={0} role="region" aria-label={w.past}>
          <table class="stack">
            <thead>
              <tr>
                <th scope="col">{w.ruleName}</th>
                <th scope="col">{w.metric}</th>
                <th scope="col">{w.began}</th>
                <th scope="col">{w.ended}</th>
              </tr>
            </thead>
            <tbody>
              {past.map((a) => (
                <tr key={a.id}>
                  <td data-label={w.ruleName}>{a.name}</td>
                  <td data-label={w.metric}>{said(w, a)}</td>
                  <td data-label={w.began} class="nowrap">{dateTime(a.fired, language)}</td>
                  <td data-label={w.ended}>
                    {[w.lasted(long((Date.parse(a.resolved ?? a.fired) - Date.parse(a.fired)) / 1000)), w.why_[a.why ?? ""] ?? "", a.seen_by ? w.seenBy(a.seen_by) : ""].filter((x) => x !== "").join(" · ")}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {editing !== null && (
        <RuleDialog
          rule={editing === "new" ? null : editing}
          onClose={(changed) => {
            setEditing(null);
            if (changed) page.reload();
          }}
        />
      )}
      {removing && (
        <Dialog
          title={w.removeRule}
          onClose={() => setRemoving(null)}
          footer={
            <>
              <button type="button" onClick={() => setRemoving(null)}>
                {w.back}
              </button>
              <button type="button" class="danger" onClick={() => remove(removing)}>
                {w.removeRule}
              </button>
            </>
          }
        >
          <p>{w.removeSure(removing.name)}</p>
        </Dialog>
      )}
    </section>
  );
}

// factor is how many of the server's units one of the form's is.
const factor: Record<Metric, number> = { longest: 60, waiting: 1, abandoned: 1, level: 0.01, free: 1 };
const standard: Record<Metric, [number, number]> = { longest: [5, 4], waiting: [10, 7], abandoned: [20, 20], level: [80, 85], free: [2, 3] };
const tidy = (n: number) => String(Math.round(n * 100) / 100);

function RuleDialog({ rule, onClose }: { rule: Rule | null; onClose(changed: boolean): void }) {
  const w = useBoardWords();
  const api = useApi();
  const live = useLive();
  const id = useId();
  const [name, setName] = useState(rule?.name ?? "");
  const [metric, setMetric] = useState<Metric>(rule?.metric ?? "longest");
  const [queue, setQueue] = useState(rule?.queue ?? "");
  const [kind, setKind] = useState<string>(rule?.kind ?? "");
  const [bound, setBound] = useState(tidy(rule ? rule.bound / factor[rule.metric] : standard.longest[0]));
  const [clear, setClear] = useState(tidy(rule ? rule.clear / factor[rule.metric] : standard.longest[1]));
  const [hold, setHold] = useState(String(rule?.hold ?? 10));
  const [severity, setSeverity] = useState<Rule["severity"]>(rule?.severity ?? "warning");
  const [sound, setSound] = useState(rule?.sound ?? true);
  const [active, setActive] = useState(rule?.active ?? true);
  const [error, setError] = useState<ApiError | null>(null);
  const ofKind = metric !== "free" && metric !== "longest";
  const choose = (m: Metric) => {
    setMetric(m);
    setBound(tidy(standard[m][0]));
    setClear(tidy(standard[m][1]));
  };
  const send = (e: Event) => {
    e.preventDefault();
    const body = { name, queue, kind: ofKind ? kind : "", metric, bound: Number(bound) * factor[metric], clear: Number(clear) * factor[metric], hold: Number(hold), severity, sound, active };
    const asked = rule ? api.put(pathOf("board", "alerts", rule.id), body) : api.post("board/alerts", body);
    asked.then(
      () => onClose(true),
      (err: unknown) => setError(asApiError(err)),
    );
  };
  return (
    <Dialog
      title={rule ? w.changeRule : w.addRule}
      onClose={() => onClose(false)}
      footer={
        <>
          <button type="button" onClick={() => onClose(false)}>
            {w.back}
          </button>
          <button type="submit" form={`${id}-form`} class="main">
            {w.save}
          </button>
        </>
      }
    >
      <form id={`${id}-form`} class="form" onSubmit={send}>
        <label class="field">
          <span>{w.ruleName}</span>
          <input required maxLength={100} value={name} onInput={(e) => setName(e.currentTarget.value)} />
        </label>
        <label class="field">
          <span>{w.metric}</span>
          <select value={metric} onChange={(e) => choose(e.currentTarget.value as Metric)}>
            {metrics.map((m) => (
              <option key={m} value={m}>
                {w.metrics[m]}
              </option>
            ))}
          </select>
        </label>
        <div class="two">
          <label class="field">
            <span>{w.queue}</span>
            <select value={queue} onChange={(e) => setQueue(e.currentTarget.value)}>
              <option value="">{w.allQueues}</option>
              {live.queues.map((q) => (
                <option key={q.name}>{q.name}</option>
              ))}
            </select>
          </label>
          {ofKind && (
            <label class="field">
              <span>{w.channel}</span>
              <select value={kind} onChange={(e) => setKind(e.currentTarget.value)}>
                <option value="">{w.allKinds}</option>
                {kindsInOrder.map((k) => (
                  <option key={k} value={k}>
                    {w.kinds[k]}
                  </option>
                ))}
              </select>
            </label>
          )}
        </div>
        <div class="two">
          <label class="field">
            <span>{w.boundOf[metric]}</span>
            <input type="number" required min="0" step="any" value={bound} onInput={(e) => setBound(e.currentTarget.value)} />
          </label>
          <label class="field">
            <span>{w.clearOf[metric]}</span>
            <input type="number" required min="0" step="any" value={clear} onInput={(e) => setClear(e.currentTarget.value)} />
          </label>
        </div>
        <label class="field">
          <span>{w.hold}</span>
          <input type="number" required min="0" max="3600" step="1" value={hold} aria-describedby={`${id}-hold`} onInput={(e) => setHold(e.currentTarget.value)} />
          <span class="hint" id={`${id}-hold`}>
            {w.holdHint}
          </span>
        </label>
        <Choice name={`${id}-severity`} label={w.severity} values={["warning", "critical"] as const} current={severity} onChoose={(s: Rule["severity"]) => setSeverity(s)} labelOf={(s) => w.severities[s] ?? s} />
        <label class="check">
          <input type="checkbox" checked={sound} onChange={(e) => setSound(e.currentTarget.checked)} />
          <span>{w.sound}</span>
        </label>
        <label class="check">
          <input type="checkbox" checked={active} onChange={(e) => setActive(e.currentTarget.checked)} />
          <span>{w.active}</span>
        </label>
        {error && <Fault error={error} />}
      </form>
    </Dialog>
  );
}
