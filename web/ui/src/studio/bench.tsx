// The bench for one file: picture, text, and what belongs to them, each following the others.
import { useCallback, useMemo, useRef, useState } from "preact/hooks";
import { useAnnounce } from "../staff/announce.tsx";
import { useApi } from "../staff/api.ts";
import { Fault, Waiting } from "../staff/fault.tsx";
import { useShortcuts } from "../staff/keys.tsx";
import type { Loaded } from "../staff/load.ts";
import { has } from "../staff/session.ts";
import type { Me } from "../staff/session.ts";
import { useLanguage } from "../staff/settings.tsx";
import { useFormat, useTestRun } from "./actions.ts";
import type { Completion, Diagnostic, Flow, Overview } from "./answers.ts";
import { benchKeys } from "./benchkeys.ts";
import { useCheck } from "./check.ts";
import { Conflict, DraftNotes } from "./conflict.tsx";
import { Dock } from "./dock.tsx";
import type { DockTab } from "./dock.tsx";
import { useDocument } from "./document.ts";
import { useDrawn } from "./drawn.ts";
import type { Editor } from "./editor/editor.ts";
import { BenchHead } from "./head.tsx";
import { turnBeside, turnOf } from "./live.ts";
import type { Live } from "./live.ts";
import { stepAt } from "./outline.ts";
import { PicturePane } from "./picture/pane.tsx";
import { StepPanel } from "./picture/step.tsx";
import type { Mode } from "./picture/pane.tsx";
import { Publish } from "./publish.tsx";
import { useQuick } from "./quick.ts";
import { Splitter, firstSplit, keepSplit } from "./splitter.tsx";
import { TextPane } from "./text.tsx";
import { uncoveredOf } from "./tests.tsx";
import { CallPanel, usePageCall } from "../voice/panel.tsx";
import { useStudioWords } from "./words.ts";

interface Props {
  me: Me;
  file: string;
  flow: Flow | null; // none: a file that is no flow, or cannot be read as one
  overview: Loaded<Overview>;
  live: Live;
  onDrafted(): void;
}

const panes = ["picture", "text", "dock"] as const;
type Pane = (typeof panes)[number];

export function Bench({ me, file, flow, overview, live, onDrafted }: Props) {
  const w = useStudioWords();
  const api = useApi();
  const announce = useAnnounce();
  const language = useLanguage();
  const mayEdit = has(me.user, "designer");
  const drawable = file.endsWith(".flow.yaml") || flow !== null;

  const doc = useDocument(api, me.user.name, file, turnOf(live, file), onDrafted);
  const check = useCheck(api, file, doc.loaded ? doc.text : null, language, doc.outside, turnBeside(live, file));
  const [mode, setMode] = useState<Mode>({ kind: "text" });
  const drawn = useDrawn(flow, mode, live.flows);
  const editor = useRef<Editor | null>(null);
  const [step, setStep] = useState("");
  const [svg, setSvg] = useState<SVGSVGElement | null>(null);
  const [pane, setPane] = useState<Pane>(drawable ? "picture" : "text");
  const [tab, setTab] = useState<DockTab>("problems");
  const [split, setSplit] = useState(() => firstSplit("picture", 50));
  const [deep, setDeep] = useState(() => firstSplit("dock", 67));
  const [publishing, setPublishing] = useState(false);
  const [comparing, setComparing] = useState(false);

  const checked = check.value;
  const outline = checked?.outline ?? [];
  const mine = useMemo(() => (checked?.diagnostics ?? []).filter((d) => d.file === file), [checked, file]);
  const errors = mine.filter((d) => d.severity === "error").length;

  const goTo = useCallback((line: number, column: number, focus = true) => {
    setPane("text");
    // The pane may have been hidden: it has to be laid out before it can scroll.
    window.requestAnimationFrame(() => editor.current?.goTo(line, column, focus));
  }, []);
  const chooseStep = useCallback(
    (name: string, focus: boolean) => {
      setStep(name);
      const at = outline.find((s) => s.step === name);
      if (!at) return;
      if (focus) goTo(at.line, 1);
      else editor.current?.goTo(at.line, 1, false);
    },
    [outline, goTo],
  );
  const openDiagnostic = useCallback(
    (d: Diagnostic) => {
      if (d.file === file) goTo(d.line, d.column);
      else location.hash = `#/file/${d.file}`;
    },
    [file, goTo],
  );
  const tries = usePageCall();
  const tryIt = () => flow && tries.begin(`try:${flow.name}`, [language]);
  const format = useFormat(api, doc, mayEdit, goTo);
  const [run, runTests] = useTestRun(api, file, doc, () => {
    setTab("tests");
    setPane("dock");
  });
  const publish = useCallback(() => {
    if (!mayEdit) return;
    if (!doc.draft) announce(w.nothingToPublish);
    else setPublishing(true);
  }, [mayEdit, doc.draft, w]);

  useShortcuts(benchKeys(w, mayEdit, { publish, tests: () => void runTests() }));

  const complete = (text: string, line: number, column: number, signal: AbortSignal) => api.post<Completion>("complete", { file, text, line, column, lang: language }, signal);
  // Text that cannot be read at all has no picture: the last one stays, and says so.
  const lastPicture = useRef("");
  if (checked?.picture) lastPicture.current = checked.picture;
  const stale = mode.kind === "text" && checked !== null && checked.picture === "" && lastPicture.current !== "";
  const quick = useQuick(api, flow, language, turnOf(live, file), mode.kind === "text" && !doc.draft, check);
  const picture = mode.kind === "text" ? quick || checked?.picture || lastPicture.current : (drawn.value?.picture ?? "");
  const uncovered = useMemo(() => (tab === "tests" && run.value && mode.kind === "text" ? uncoveredOf(run.value, flow?.name ?? "") : undefined), [tab, run.value, mode, flow]);

  if (!doc.loaded)
    return (
      <main class="bench" id="content" tabIndex={-1}>
        {doc.error ? <Fault error={doc.error} onRetry={doc.reload} /> : <Waiting />}
      </main>
    );
  return (
    <main class={`bench shows-${pane} ${drawable ? "" : "no-picture"}`} id="content" tabIndex={-1}>
      <BenchHead file={file} flow={flow} doc={doc} check={check} errors={errors} mayEdit={mayEdit} secondPerson={me.second_person} running={run.busy} onFormat={() => void format()} onTests={() => void runTests()} onTry={tries.call && tries.call.state !== "over" ? null : tryIt} onPublish={publish} />
      <CallPanel calls={tries} title={flow?.name ?? file} language={language} />
      <DraftNotes doc={doc} mayEdit={mayEdit} onCompare={() => setComparing(true)} />
      {check.error && <Fault error={check.error} onRetry={doc.reload} />}
      <div class="pane-switch" role="group" aria-label={w.panes}>
        {panes
          .filter((p) => drawable || p !== "picture")
          .map((p) => (
            <button key={p} type="button" aria-pressed={pane === p} onClick={() => setPane(p)}>
              {{ picture: w.picture, text: w.text, dock: w.details }[p]}
              {p === "dock" && errors > 0 && <span class="badge bad">{errors}</span>}
            </button>
          ))}
      </div>
      <div
        class="bench-body"
        style={{ gridTemplateRows: `minmax(0, ${deep}fr) auto minmax(0, ${100 - deep}fr)` }}
      >
        <div class="bench-work" style={drawable ? { gridTemplateColumns: `minmax(0, ${split}fr) auto minmax(0, ${100 - split}fr)` } : {}}>
          {drawable && (
            <>
              <PicturePane
                flow={flow}
                file={file}
                svg={picture}
                stale={stale}
                mode={mode}
                drawn={drawn}
                draft={doc.draft}
                busy={mode.kind === "text" ? check.busy : drawn.loading}
                step={step}
                uncovered={uncovered}
                onMode={setMode}
                onChoose={chooseStep}
                onDrawn={setSvg}
              />
              <Splitter label={w.splitPicture} across value={split} onChange={(v) => (setSplit(v), keepSplit("picture", v))} />
            </>
          )}
          <section class="text-pane" aria-label={w.text} data-pane tabIndex={-1}>
            <TextPane
              file={file}
              text={doc.text}
              outside={doc.outside}
              readOnly={!mayEdit}
              diagnostics={mine}
              of={check.of}
              handlers={{
                onChange: doc.type,
                onCursor: (line) => {
                  const at = stepAt(outline, editor.current?.text() ?? doc.text, line);
                  if (at !== "") setStep(at);
                },
                onFormat: () => void format(),
                onTests: () => void runTests(),
                complete,
              }}
              onReady={(made) => {
                editor.current = made;
              }}
            />
          </section>
        </div>
        <Splitter label={w.splitDock} across={false} value={deep} onChange={(v) => (setDeep(v), keepSplit("dock", v))} />
        <div class="bench-foot">
          {drawable && <StepPanel svg={svg} step={step} outline={outline} file={file} text={doc.text} diagnostics={mine} onChoose={chooseStep} onDiagnostic={openDiagnostic} />}
          <Dock
            file={file}
            flow={flow}
            me={me}
            tab={tab}
            onTab={setTab}
            diagnostics={checked?.diagnostics ?? []}
            checked={checked !== null}
            onDiagnostic={openDiagnostic}
            run={run}
            onRun={() => void runTests()}
            live={live}
            mode={mode}
            onMode={(next) => {
              setMode(next);
              if (next.kind === "past") setPane("dock");
            }}
            onStep={(name) => chooseStep(name, false)}
            onTestLine={(at, line) => (at === file ? goTo(line, 1) : (location.hash = `#/file/${at}`))}
            onPublished={() => {
              overview.reload();
              doc.reload();
            }}
          />
        </div>
      </div>
      {publishing && (
        <Publish
          me={me}
          file={file}
          flow={flow}
          doc={doc}
          checked={checked}
          onClose={() => setPublishing(false)}
          onDone={() => {
            setPublishing(false);
            overview.reload();
            doc.reload();
          }}
        />
      )}
      {comparing && doc.conflict && <Conflict doc={doc} onClose={() => setComparing(false)} />}
    </main>
  );
}
