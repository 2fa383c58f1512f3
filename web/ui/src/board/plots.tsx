// Plots of the last hours: who waited, what came of them, how long they waited; by queue and
// channel, as plots or as the same numbers in a table.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { TaskKind } from "../desk/protocol.ts";
import { useApi } from "../staff/api.ts";
import { Fault, Waiting } from "../staff/fault.tsx";
import { Icon } from "../staff/icon.tsx";
import { useLoad } from "../staff/load.ts";
import { useSettings } from "../staff/settings.tsx";
import { clock, dateTime } from "../staff/time.ts";
import type { History } from "./answers.ts";
import { useLive } from "./context.tsx";
import { kindsInOrder, long } from "./figures.ts";
import { useBoardWords } from "./words.ts";

const again = 60_000; // milliseconds between readings
const legendHeight = 30; // pixels below a plot
const hours = ["6", "24", "168", "840"] as const;

interface Props {
  queue: string;
  kind: string;
  onChoose(queue: string, kind: string): void;
}

export function Plots({ queue, kind, onChoose }: Props) {
  const w = useBoardWords();
  const api = useApi();
  const live = useLive();
  const [span, setSpan] = useState<(typeof hours)[number]>("24");
  const [table, setTable] = useState(false);
  const query = useMemo(() => {
    const q = new URLSearchParams();
    if (queue !== "") q.set("queue", queue);
    if (kind !== "") q.set("kind", kind);
    return q;
  }, [queue, kind]);
  const since = () => new Date(Date.now() - Number(span) * 3600_000).toISOString().replace(/\.\d+Z$/, "Z");
  const loaded = useLoad<History>(
    (signal) => {
      const q = new URLSearchParams(query);
      q.set("since", since());
      return api.get(`board/history?${q}`, signal);
    },
    [api, query, span],
  );
  const reload = useRef(loaded.reload);
  reload.current = loaded.reload;
  useEffect(() => {
    const timer = window.setInterval(() => reload.current(), again);
    return () => window.clearInterval(timer);
  }, []);
  const csv = new URLSearchParams(query);
  csv.set("since", since());
  return (
    <section class="plots" aria-label={w.plots}>
      <div class="plots-head">
        <label class="field">
          <span>{w.queue}</span>
          <select value={queue} onChange={(e) => onChoose(e.currentTarget.value, kind)}>
            <option value="">{w.allQueues}</option>
            {live.queues.map((q) => (
              <option key={q.name}>{q.name}</option>
            ))}
          </select>
        </label>
        <label class="field">
          <span>{w.channel}</span>
          <select value={kind} onChange={(e) => onChoose(queue, e.currentTarget.value)}>
            <option value="">{w.allKinds}</option>
            {kindsInOrder.map((k) => (
              <option key={k} value={k}>
                {w.kinds[k as TaskKind]}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span>{w.span}</span>
          <select value={span} onChange={(e) => setSpan(e.currentTarget.value as (typeof hours)[number])}>
            {hours.map((h) => (
              <option key={h} value={h}>
                {w.spans[h]}
              </option>
            ))}
          </select>
        </label>
        <div class="actions">
          <button type="button" aria-pressed={table} onClick={() => setTable(!table)}>
            <Icon name="list" />
            {table ? w.asPlot : w.asTable}
          </button>
          <a class="button" href={`/api/v1/board/history.csv?${csv}`} download="tandem-board.csv">
            <Icon name="file" />
            {w.exportCsv}
          </a>
        </div>
      </div>
      {loaded.error && !loaded.value && <Fault error={loaded.error} onRetry={loaded.reload} />}
      {!loaded.value && !loaded.error && <Waiting />}
      {loaded.value && (table ? <Table h={loaded.value} /> : <Drawn h={loaded.value} />)}
    </section>
  );
}

export function Drawn({ h, small }: { h: History; small?: boolean }) {
  const w = useBoardWords();
  const minutes = (all: (number | null)[]) => all.map((s) => (s === null ? null : s / 60));
  return (
    <div class={`plot-grid ${small ? "small" : ""}`}>
      <Plot title={w.plotWaiting} at={h.at} series={[{ name: w.plotMost, values: h.most, colour: "warn", stepped: true }, { name: w.plotEnd, values: h.waiting, colour: "accent", stepped: true }]} />
      <Plot title={w.plotFlow} at={h.at} series={[{ name: w.opened, values: h.opened, colour: "accent", stepped: true }, { name: w.answered, values: h.answered, colour: "good", stepped: true }, { name: w.abandoned, values: h.left, colour: "bad", stepped: true }]} />
      <Plot title={`${w.plotWait}, ${w.unitMinutes}`} at={h.at} series={[{ name: w.p50, values: minutes(h.p50), colour: "accent", points: true }, { name: w.p90, values: minutes(h.p90), colour: "warn", points: true }]} />
    </div>
  );
}

interface Series {
  name: string;
  values: (number | null)[];
  colour: "accent" | "good" | "bad" | "warn";
  stepped?: boolean;
  points?: boolean;
}

// Plot is one plot. Its last point of all it says in words, for who does not see it.
function Plot({ title, at, series }: { title: string; at: number[]; series: Series[] }) {
  const w = useBoardWords();
  const host = useRef<HTMLDivElement>(null);
  const { theme, language } = useSettings();
  const [dark, setDark] = useState(() => matchMedia("(prefers-color-scheme: dark)").matches);
  useEffect(() => {
    const media = matchMedia("(prefers-color-scheme: dark)");
    const run = () => setDark(media.matches);
    media.addEventListener("change", run);
    return () => media.removeEventListener("change", run);
  }, []);
  useEffect(() => {
    const el = host.current;
    if (!el) return;
    const probe = document.createElement("i");
    el.append(probe);
    const colour = (name: string) => {
      probe.style.color = `var(--${name})`;
      return getComputedStyle(probe).color;
    };
    const axis = { stroke: colour("soft"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line"), width: 1 }, font: "12px system-ui, sans-serif" };
    const time = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hour12: false });
    const day = new Intl.DateTimeFormat(language, { month: "numeric", day: "numeric" });
    const wide = at.length > 1 && at[at.length - 1]! - at[0]! > 36 * 3600;
    const plot = new uPlot(
      {
        width: Math.max(200, el.clientWidth),
        height: Math.max(120, el.clientHeight - legendHeight),
        legend: { show: true, live: true },
        cursor: { drag: { x: true, y: false } },
        axes: [
          { ...axis, values: (_u, splits) => splits.map((t) => (wide ? day.format(t * 1000) : time.format(t * 1000))) },
          { ...axis, size: 44, space: 34, incrs: [...(series.some((s) => s.points) ? [0.1, 0.2, 0.5] : []), 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] },
        ],
        scales: { y: { range: (_u, _min, max) => [0, Math.max(1, max * 1.08)] } },
        series: [
          { value: (_u, t) => (t === null ? "–" : `${wide ? `${day.format(t * 1000)} ` : ""}${time.format(t * 1000)}`), label: w.time },
          ...series.map((s) => ({
            label: s.name,
            stroke: colour(s.colour),
            width: 1.6,
            spanGaps: false,
            points: { show: s.points === true, size: 4 },
            ...(s.stepped ? { paths: uPlot.paths.stepped!({ align: 1 }) } : {}),
            value: (_u: uPlot, v: number | null) => (v === null ? "–" : String(Math.round(v * 10) / 10)),
          })),
        ],
      },
      [at, ...series.map((s) => s.values)] as uPlot.AlignedData,
      el,
    );
    probe.remove();
    const watch = new ResizeObserver(() => {
      const size = { width: Math.max(200, el.clientWidth), height: Math.max(120, el.clientHeight - legendHeight) };
      if (size.width !== plot.width || size.height !== plot.height) plot.setSize(size);
    });
    watch.observe(el);
    return () => {
      watch.disconnect();
      plot.destroy();
    };
  }, [at, series.map((s) => s.name).join(), theme, dark, language]);
  const said = series.map((s) => `${s.name}: ${Math.round(([...s.values].reverse().find((v) => v !== null) ?? 0) * 10) / 10}`).join("; ");
  return (
    <figure class="plot" role="img" aria-label={`${title}. ${said}`}>
      <figcaption aria-hidden="true">{title}</figcaption>
      <div class="plot-host" ref={host} aria-hidden="true" />
    </figure>
  );
}

function Table({ h }: { h: History }) {
  const w = useBoardWords();
  const { language } = useSettings();
  const rows = h.at.map((at, i) => ({ at, i })).reverse().filter(({ i }) => h.opened[i] || h.answered[i] || h.left[i] || h.waiting[i] || h.most[i]);
  return (
    <div class="table-scroll plots-table" tabIndex={0} role="region" aria-label={w.plots}>
      <table>
        <thead>
          <tr>
            {[w.time, w.opened, w.answered, w.abandoned, w.plotEnd, w.plotMost, w.p50, w.p90].map((head, i) => (
              <th key={head} scope="col" class={i > 0 ? "number" : ""}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ at, i }) => (
            <tr key={at}>
              <td class="nowrap">{h.step >= 3600 ? dateTime(new Date(at * 1000).toISOString(), language) : clock(new Date(at * 1000), language)}</td>
              {[h.opened[i], h.answered[i], h.left[i], h.waiting[i], h.most[i]].map((n, k) => (
                <td key={k} class="number">
                  {n}
                </td>
              ))}
              {[h.p50[i], h.p90[i]].map((s, k) => (
                <td key={k} class="number">
                  {s === null || s === undefined ? w.none : long(s)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
