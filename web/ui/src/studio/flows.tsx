// The list of flows and files, and the bench for the one that is open.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Fault, Waiting } from "../staff/fault.tsx";
import { Icon } from "../staff/icon.tsx";
import { useShortcuts } from "../staff/keys.tsx";
import type { Loaded } from "../staff/load.ts";
import type { Me } from "../staff/session.ts";
import { useSettings } from "../staff/settings.tsx";
import { dateTime } from "../staff/time.ts";
import type { Flow, OtherFile, Overview } from "./answers.ts";
import { Bench } from "./bench.tsx";
import { draftFiles } from "./draft.ts";
import type { Live } from "./live.ts";
import { link } from "./route.ts";
import type { Route } from "./route.ts";
import { useStudioWords } from "./words.ts";

interface Props {
  me: Me;
  route: Route;
  overview: Loaded<Overview>;
  live: Live;
}

export function FlowsPage({ me, route, overview, live }: Props) {
  const w = useStudioWords();
  const [drafted, setDrafted] = useState(() => draftFiles(me.user.name));
  const all = overview.value;
  const open = all && opened(all, route);
  return (
    <div class={`flows-page ${open ? "has-open" : ""}`}>
      <FlowList all={all} error={all ? null : overview.error} onRetry={overview.reload} route={route} drafted={drafted} />
      {open ? (
        <Bench key={open.file} me={me} file={open.file} flow={open.flow} overview={overview} live={live} onDrafted={() => setDrafted(draftFiles(me.user.name))} />
      ) : (
        <main class="page no-open" id="content" tabIndex={-1}>
          {!all && overview.error && <Fault error={overview.error} onRetry={overview.reload} />}
          {!all && !overview.error && <Waiting />}
          {all && route.at !== "flows" && <p class="empty">{w.noSuchFile}</p>}
          {all && route.at === "flows" && <Welcome all={all} />}
        </main>
      )}
    </div>
  );
}

function opened(all: Overview, route: Route): { file: string; flow: Flow | null } | null {
  if (route.at === "flow") {
    const flow = all.flows.find((f) => f.name === route.name);
    return flow ? { file: flow.file, flow } : null;
  }
  if (route.at === "file") {
    const flow = all.flows.find((f) => f.file === route.file) ?? null;
    return flow || all.files.some((f) => f.file === route.file) ? { file: route.file, flow } : null;
  }
  return null;
}

function Welcome({ all }: { all: Overview }) {
  const w = useStudioWords();
  const { language } = useSettings();
  const errors = all.problems.filter((p) => p.severity === "error");
  return (
    <div class="welcome">
      <h1>{w.flows}</h1>
      <p class="soft">{all.flows.length === 0 ? w.noFlows : w.chooseFlow}</p>
      {all.release && (
        <p class="soft">
          {w.releaseLine(all.release.number, dateTime(all.release.at, language), all.release.by)}
          {all.release.note && <q class="note-text">{all.release.note}</q>}
        </p>
      )}
      {(all.behind ?? errors.length > 0) && <p class="banner bad">{w.folderErrors(errors.length)}</p>}
      <ul class="cards">
        {all.flows.map((f) => (
          <li key={f.name}>
            <a class="card-link" href={link({ at: "flow", name: f.name })}>
              <strong>{f.name}</strong>
              <FlowState flow={f} />
              <span class="soft">{w.flowFacts(f.steps, f.channels.map((c) => w.channels[c] ?? c), f.languages)}</span>
              <span class="soft">{f.entries.length > 0 ? w.reachedBy(f.entries.join(", ")) : w.reachedByNone}</span>
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}

// FlowState says in a word how a flow stands.
export function FlowState({ flow }: { flow: Flow }) {
  const w = useStudioWords();
  if (flow.errors > 0) return <span class="badge bad">{w.errors(flow.errors)}</span>;
  if (flow.served) return <span class="badge good">{w.served}</span>;
  return <span class="badge">{w.notServed}</span>;
}

function FlowList({ all, error, onRetry, route, drafted }: { all: Overview | null; error: Loaded<Overview>["error"]; onRetry(): void; route: Route; drafted: Set<string> }) {
  const w = useStudioWords();
  const [query, setQuery] = useState("");
  const field = useRef<HTMLInputElement>(null);
  const here = useRef<HTMLElement>(null);
  useShortcuts([{ keys: "/", what: w.keySearch, group: w.flows, run: () => field.current?.focus() }]);
  const wanted = query.trim().toLowerCase();
  const flows = useMemo(() => all?.flows.filter((f) => matches(wanted, f.name, f.file, ...f.entries)) ?? [], [all, wanted]);
  const files = useMemo(() => all?.files.filter((f) => matches(wanted, f.file, f.kind)) ?? [], [all, wanted]);
  useEffect(() => {
    here.current?.querySelector('[aria-current="page"]')?.scrollIntoView({ block: "nearest" });
  }, [route, all === null]);
  const move = (e: KeyboardEvent) => {
    if (e.key !== "ArrowDown" && e.key !== "ArrowUp") return;
    const links = [...(here.current?.querySelectorAll<HTMLElement>("a") ?? [])];
    const at = links.indexOf(document.activeElement as HTMLElement);
    const to = e.key === "ArrowDown" ? at + 1 : at - 1;
    e.preventDefault();
    if (to < 0) field.current?.focus();
    else links[to]?.focus();
  };
  return (
    <nav class="flow-list" aria-label={w.flowsAndFiles} ref={here} onKeyDown={move}>
      <div class="search">
        <Icon name="search" />
        <input ref={field} type="search" value={query} aria-label={w.search} placeholder={w.search} onInput={(e) => setQuery(e.currentTarget.value)} autocomplete="off" spellcheck={false} />
      </div>
      {!all && error && <Fault error={error} onRetry={onRetry} />}
      {!all && !error && <Waiting />}
      {all && (
        <>
          <h2>{w.flows}</h2>
          {flows.length === 0 && <p class="soft list-none">{wanted === "" ? w.noFlows : w.nothingFound}</p>}
          <ul>
            {flows.map((f) => (
              <FlowRow key={f.name} flow={f} current={(route.at === "flow" && route.name === f.name) || (route.at === "file" && route.file === f.file)} drafted={drafted.has(f.file)} />
            ))}
          </ul>
          {files.length > 0 && <h2>{w.otherFiles}</h2>}
          <ul>
            {files.map((f) => (
              <FileRow key={f.file} file={f} current={route.at === "file" && route.file === f.file} drafted={drafted.has(f.file)} />
            ))}
          </ul>
          {all.release && <p class="soft list-foot">{w.release(all.release.number)}</p>}
        </>
      )}
    </nav>
  );
}

function FlowRow({ flow: f, current, drafted }: { flow: Flow; current: boolean; drafted: boolean }) {
  const w = useStudioWords();
  const state = f.errors > 0 ? "bad" : f.served ? "good" : "";
  const says = f.errors > 0 ? w.errors(f.errors) : f.served ? w.served : w.notServed;
  return (
    <li>
      <a href={link({ at: "flow", name: f.name })} aria-current={current ? "page" : undefined}>
        <span class={`state-dot ${state}`} aria-hidden="true" />
        <span class="row-main">
          <span class="row-name">
            {f.name}
            {drafted && <span class="draft-mark">{w.draft}</span>}
          </span>
          <span class="row-sub">{f.entries.length > 0 ? f.entries.join(" · ") : f.served ? w.called : says}</span>
        </span>
        <Counts errors={f.errors} warnings={f.warnings} />
        <span class="unseen">{says}</span>
      </a>
    </li>
  );
}

function FileRow({ file: f, current, drafted }: { file: OtherFile; current: boolean; drafted: boolean }) {
  const w = useStudioWords();
  return (
    <li>
      <a href={link({ at: "file", file: f.file })} aria-current={current ? "page" : undefined}>
        <Icon name="file" />
        <span class="row-main">
          <span class="row-name">
            {f.file.slice(f.file.lastIndexOf("/") + 1)}
            {drafted && <span class="draft-mark">{w.draft}</span>}
          </span>
          <span class="row-sub">{f.file.includes("/") ? f.file.slice(0, f.file.lastIndexOf("/")) : (w.kinds[f.kind] ?? f.kind)}</span>
        </span>
        <Counts errors={f.errors} warnings={f.warnings} />
      </a>
    </li>
  );
}

function Counts({ errors, warnings }: { errors: number; warnings: number }) {
  const w = useStudioWords();
  return (
    <span class="row-counts">
      {errors > 0 && (
        <span class="badge bad">
          <span aria-hidden="true">✕ {errors}</span>
          <span class="unseen">{w.errors(errors)}</span>
        </span>
      )}
      {warnings > 0 && (
        <span class="badge warn">
          <span aria-hidden="true">▲ {warnings}</span>
          <span class="unseen">{w.warnings(warnings)}</span>
        </span>
      )}
    </span>
  );
}

function matches(wanted: string, ...where: string[]): boolean {
  return wanted === "" || where.some((text) => text.toLowerCase().includes(wanted));
}
