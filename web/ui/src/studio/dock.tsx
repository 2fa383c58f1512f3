// What belongs to the open file, one thing at a time: problems, tests, past interactions,
// versions.
import { TabPanel, Tabs } from "../staff/tabs.tsx";
import type { Tab } from "../staff/tabs.tsx";
import type { Me } from "../staff/session.ts";
import type { Diagnostic, Flow } from "./answers.ts";
import type { Live } from "./live.ts";
import { Past } from "./past.tsx";
import type { Mode } from "./picture/pane.tsx";
import { Problems } from "./problems.tsx";
import { Tests } from "./tests.tsx";
import type { Run } from "./tests.tsx";
import { Versions } from "./versions.tsx";
import { useStudioWords } from "./words.ts";

export type DockTab = "problems" | "tests" | "past" | "versions";

interface Props {
  file: string;
  flow: Flow | null;
  me: Me;
  tab: DockTab;
  onTab(tab: DockTab): void;
  diagnostics: readonly Diagnostic[];
  checked: boolean;
  onDiagnostic(d: Diagnostic): void;
  run: Run;
  onRun(): void;
  live: Live;
  mode: Mode;
  onMode(mode: Mode): void;
  onStep(step: string): void;
  onTestLine(file: string, line: number): void;
  onPublished(): void;
}

export function Dock(p: Props) {
  const w = useStudioWords();
  const errors = p.diagnostics.filter((d) => d.severity === "error").length;
  const count = p.diagnostics.length;
  const tabs: Tab<DockTab>[] = [
    { id: "problems", label: w.problems, badge: count, mood: errors > 0 ? "bad" : "warn", meaning: w.problemCount(errors, count - errors) },
    { id: "tests", label: w.tests, badge: p.run.value?.failed ?? 0, mood: "bad", meaning: w.testsFailed(p.run.value?.failed ?? 0) },
  ];
  if (p.flow) tabs.push({ id: "past", label: w.interactions }, { id: "versions", label: w.versions });
  const tab = tabs.some((t) => t.id === p.tab) ? p.tab : "problems";
  return (
    <section class="dock" aria-label={w.details} data-pane tabIndex={-1}>
      <Tabs name="dock" label={w.details} tabs={tabs} current={tab} onChoose={p.onTab} />
      <TabPanel name="dock" id={tab}>
        {tab === "problems" && <Problems file={p.file} diagnostics={p.diagnostics} checked={p.checked} onOpen={p.onDiagnostic} />}
        {tab === "tests" && <Tests flow={p.flow?.name ?? ""} run={p.run} onRun={p.onRun} onLine={p.onTestLine} onStep={p.onStep} />}
        {tab === "past" && p.flow && <Past flow={p.flow} mode={p.mode} onMode={p.onMode} onStep={p.onStep} />}
        {tab === "versions" && p.flow && <Versions me={p.me} flow={p.flow} live={p.live} onPublished={p.onPublished} />}
      </TabPanel>
    </section>
  );
}
