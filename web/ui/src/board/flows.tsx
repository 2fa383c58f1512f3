// Who is where: a flow's picture with those who are at each step now, what the last hour or
// day did, and one contact's way.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Choice } from "../staff/bar.tsx";
import { useApi, pathOf } from "../staff/api.ts";
import { Fault, Waiting } from "../staff/fault.tsx";
import { Icon } from "../staff/icon.tsx";
import { useLoad } from "../staff/load.ts";
import { useLanguage } from "../staff/settings.tsx";
import { Legend } from "../studio/picture/legend.tsx";
import { Picture } from "../studio/picture/picture.tsx";
import type { WherePage } from "./answers.ts";
import { useAround } from "./context.tsx";
import { useBoardWords } from "./words.ts";

const again = 1_000; // milliseconds between looks at who is where
const drawAgain = 30_000; // between pictures with counts

const spans = ["now", "hour", "day"] as const;
type Span = (typeof spans)[number];

interface Props {
  flow: string;
  interaction: string; // whose way is shown; "" = everybody
  number: string;
  onChoose(flow: string): void;
  onPath(interaction: string): void;
}

export function Flows({ flow, interaction, number, onChoose, onPath }: Props) {
  const w = useBoardWords();
  const api = useApi();
  const language = useLanguage();
  const { show } = useAround();
  const [span, setSpan] = useState<Span>("now");
  const where = useLoad<WherePage>((signal) => api.get("board/where", signal), [api]);
  const names = useLoad<{ flows: { name: string }[] }>((signal) => api.get("flows", signal), [api]);
  const reload = useRef(where.reload);
  reload.current = where.reload;
  useEffect(() => {
    const timer = window.setInterval(() => {
      if (document.visibilityState === "visible") reload.current();
    }, again);
    return () => window.clearInterval(timer);
  }, []);
  const known = names.value?.flows.map((f) => f.name) ?? [];
  const counts = where.value?.flows ?? [];
  const all = [...new Set([...known, ...counts.map((c) => c.flow)])].sort();
  const here = flow !== "" ? flow : ([...counts].sort((a, b) => b.total - a.total)[0]?.flow ?? all[0] ?? "");
  const picture = useLoad<{ picture: string; other: boolean }>(
    (signal) => {
      if (here === "") return Promise.resolve({ picture: "", other: false });
      const q = new URLSearchParams({ lang: language });
      if (interaction !== "") q.set("interaction", interaction);
      else if (span !== "now") q.set("span", span);
      return api.get(`${pathOf("flows", here, "picture")}?${q}`, signal);
    },
    [api, here, language, interaction, span],
  );
  const redraw = useRef(picture.reload);
  redraw.current = picture.reload;
  useEffect(() => {
    if (span === "now" || interaction !== "") return;
    const timer = window.setInterval(() => redraw.current(), drawAgain);
    return () => window.clearInterval(timer);
  }, [span, interaction]);
  const steps = counts.find((c) => c.flow === here)?.steps ?? {};
  const who = where.value?.who.find((x) => x.interaction === interaction);
  const [drawn, setDrawn] = useState<SVGSVGElement | null>(null);
  const at = interaction !== "" ? (who?.flow === here ? who.step : "") : "";
  usePeople(drawn, interaction === "" ? steps : at !== "" ? { [at]: 1 } : {}, w.stepPeople);
  return (
    <section class="flows" aria-label={w.flowsNow}>
      <div class="plots-head">
        <label class="field">
          <span>{w.chooseFlow}</span>
          <select value={here} onChange={(e) => onChoose(e.currentTarget.value)}>
            {all.map((name) => (
              <option key={name} value={name}>
                {`${name} (${w.inFlow(counts.find((c) => c.flow === name)?.total ?? 0)})`}
              </option>
            ))}
          </select>
        </label>
        {interaction === "" ? (
          <Choice name="counts" label={w.counts} values={spans} current={span} onChoose={(s: Span) => setSpan(s)} labelOf={(s) => w.countSpans[s] ?? s} />
        ) : (
          <span class="mode-chip">
            {w.pathOf(number)}
            <button type="button" class="quiet square" aria-label={w.noPath} title={w.noPath} onClick={() => onPath("")}>
              <Icon name="close" />
            </button>
          </span>
        )}
      </div>
      {where.error && !where.value && <Fault error={where.error} onRetry={where.reload} />}
      <div class="flows-work">
        <div class="flow-picture">
          {picture.error ? (
            <Fault error={picture.error} onRetry={picture.reload} />
          ) : (
            <Picture
              svg={picture.value?.picture ?? ""}
              of={`${here} ${interaction}`}
              label={w.pictureOf(here)}
              current={at}
              onChoose={(step) => show({ of: "step", title: w.atStep(step), flow: here, step })}
              onDrawn={setDrawn}
            />
          )}
          {!picture.value && !picture.error && <Waiting />}
          {picture.value && <Legend counts={span !== "now" && interaction === ""} path={interaction !== ""} />}
        </div>
        <Steps flow={here} steps={steps} total={counts.find((c) => c.flow === here)?.total ?? 0} />
      </div>
    </section>
  );
}

// Steps is the same in words: for keyboards, screen readers and narrow screens.
function Steps({ flow, steps, total }: { flow: string; steps: Record<string, number>; total: number }) {
  const w = useBoardWords();
  const { show } = useAround();
  const names = useMemo(() => Object.keys(steps).sort((a, b) => steps[b]! - steps[a]! || (a < b ? -1 : 1)), [steps]);
  return (
    <div class="flow-steps">
      <h2>{w.inFlow(total)}</h2>
      {names.length === 0 ? (
        <p class="soft">{w.nobodyInFlows}</p>
      ) : (
        <ul>
          {names.map((step) => (
            <li key={step}>
              <button type="button" class="plain" onClick={() => show({ of: "step", title: w.atStep(step), flow, step })}>
                <b>{steps[step]}</b> {step}
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

const svgNS = "http://www.w3.org/2000/svg";

// usePeople puts the number of those at a step into a disc at the step's corner.
function usePeople(svg: SVGSVGElement | null, steps: Record<string, number>, say: (n: number) => string): void {
  useEffect(() => {
    if (!svg) return;
    for (const old of svg.querySelectorAll(".who-here")) old.remove();
    for (const [step, n] of Object.entries(steps)) {
      const node = svg.querySelector<SVGGElement>(`[data-step="${CSS.escape(step)}"]`);
      const box = node?.querySelector<SVGGraphicsElement>(".box")?.getBBox();
      if (!node || !box || n <= 0) continue;
      const g = document.createElementNS(svgNS, "g");
      g.setAttribute("class", "who-here");
      g.setAttribute("transform", `translate(${box.x + box.width} ${box.y})`);
      const words = String(n);
      const disc = document.createElementNS(svgNS, "rect");
      const width = Math.max(24, 12 + 9 * words.length);
      disc.setAttribute("x", String(-width / 2));
      disc.setAttribute("y", "-12");
      disc.setAttribute("width", String(width));
      disc.setAttribute("height", "24");
      disc.setAttribute("rx", "12");
      const text = document.createElementNS(svgNS, "text");
      text.setAttribute("text-anchor", "middle");
      text.setAttribute("dy", "5");
      text.textContent = words;
      const title = document.createElementNS(svgNS, "title");
      title.textContent = say(n);
      g.append(title, disc, text);
      node.append(g);
    }
  }, [svg, JSON.stringify(steps)]);
}
