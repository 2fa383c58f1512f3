// The text of a file: CodeMirror with what a flow file needs. Loaded only when a file is
// opened. It keeps no draft and asks nothing by itself but completions.
import { acceptCompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { bracketMatching, codeFolding, foldGutter, foldKeymap, indentOnInput, indentUnit } from "@codemirror/language";
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { highlightSelectionMatches, search, searchKeymap } from "@codemirror/search";
import { Compartment, EditorState } from "@codemirror/state";
import { EditorView, drawSelection, dropCursor, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, keymap, lineNumbers } from "@codemirror/view";
import type { Language } from "../../language.ts";
import type { Diagnostic } from "../answers.ts";
import { colours } from "./colours.ts";
import { completion } from "./complete.ts";
import type { Ask } from "./complete.ts";
import { phrases } from "./phrases.ts";
import { offsetOf } from "./places.ts";

export interface Handlers {
  onChange(text: string): void; // not while an input method composes
  onCursor(line: number, moved: boolean): void; // moved: by the person, not by us
  onFormat(): void;
  onTests(): void;
  complete: Ask;
  kindOf(kind: string): string;
  fixLabel(): string; // before a suggestion
}

export interface Naming {
  language: Language;
  label: string; // for screen readers
}

export interface Editor {
  text(): string;
  setText(text: string): void; // changes only what differs: cursor and undo stay
  setDiagnostics(list: readonly Diagnostic[]): void;
  setReadOnly(readOnly: boolean): void;
  setNaming(naming: Naming): void;
  goTo(line: number, column: number, focus: boolean): void;
  focus(): void;
  destroy(): void;
}

const nonce = document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.content ?? "";

export function createEditor(parent: HTMLElement, text: string, readOnly: boolean, naming: Naming, handlers: () => Handlers): Editor {
  const locked = new Compartment();
  const named = new Compartment();
  let told = text;

  const tell = (view: EditorView) => {
    const now = view.state.doc.toString();
    if (now === told) return;
    told = now;
    handlers().onChange(now);
  };
  const lock = (on: boolean) => [EditorState.readOnly.of(on), EditorView.editable.of(true)];
  const name = (n: Naming) => [EditorState.phrases.of(phrases[n.language]), EditorView.contentAttributes.of({ "aria-label": n.label, tabindex: "0", spellcheck: "false", autocorrect: "off", autocapitalize: "off" })];

  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        EditorView.cspNonce.of(nonce),
        lineNumbers(),
        highlightActiveLineGutter(),
        highlightSpecialChars(),
        history(),
        codeFolding({ placeholderText: "…" }),
        foldGutter({ openText: "⌄", closedText: "›" }),
        drawSelection(),
        dropCursor(),
        indentOnInput(),
        indentUnit.of("  "),
        EditorState.tabSize.of(2),
        bracketMatching(),
        closeBrackets(),
        highlightActiveLine(),
        highlightSelectionMatches(),
        search({ top: true }),
        lintGutter(),
        yaml(),
        colours,
        completion(() => handlers().complete, (kind) => handlers().kindOf(kind)),
        keymap.of([
          {
            key: "Shift-Alt-f",
            run: () => {
              handlers().onFormat();
              return true;
            },
          },
          {
            key: "Mod-Enter",
            run: () => {
              handlers().onTests();
              return true;
            },
          },
          { key: "Tab", run: acceptCompletion },
          ...closeBracketsKeymap,
          ...defaultKeymap,
          ...searchKeymap,
          ...historyKeymap,
          ...foldKeymap,
          ...completionKeymap,
          ...lintKeymap,
          indentWithTab,
        ]),
        locked.of(lock(readOnly)),
        named.of(name(naming)),
        EditorView.lineWrapping,
        EditorView.updateListener.of((u) => {
          if (u.docChanged && !u.view.composing) tell(u.view);
          if (u.selectionSet || u.docChanged) {
            const moved = u.transactions.some((tr) => tr.isUserEvent("select") || tr.isUserEvent("input") || tr.isUserEvent("delete") || tr.isUserEvent("move"));
            handlers().onCursor(u.state.doc.lineAt(u.state.selection.main.head).number, moved);
          }
        }),
        EditorView.domEventHandlers({
          // What was composed is told when it is whole.
          compositionend: (_, v) => {
            window.setTimeout(() => tell(v), 0);
            return false;
          },
        }),
      ],
    }),
  });

  return {
    text: () => view.state.doc.toString(),
    setText(next) {
      const now = view.state.doc.toString();
      if (next === now) return;
      let head = 0;
      while (head < now.length && head < next.length && now[head] === next[head]) head++;
      let tail = 0;
      while (tail < now.length - head && tail < next.length - head && now[now.length - 1 - tail] === next[next.length - 1 - tail]) tail++;
      told = next;
      view.dispatch({ changes: { from: head, to: now.length - tail, insert: next.slice(head, next.length - tail) } });
    },
    setDiagnostics(list) {
      const doc = view.state.doc;
      view.dispatch(
        setDiagnostics(
          view.state,
          list.map((d) => {
            const from = offsetOf(doc, d.line, d.column);
            const row = doc.lineAt(from);
            const to = Math.max(Math.min(offsetOf(doc, d.line, d.column + Math.max(1, d.width ?? 1)), row.to), from);
            return {
              from,
              to,
              severity: d.severity,
              source: d.rule,
              message: d.about ?? d.message,
              renderMessage: () => messageOf(d, handlers().fixLabel()),
            };
          }),
        ),
      );
    },
    setReadOnly: (on) => view.dispatch({ effects: locked.reconfigure(lock(on)) }),
    setNaming: (n) => view.dispatch({ effects: named.reconfigure(name(n)) }),
    goTo(line, column, focus) {
      const at = offsetOf(view.state.doc, line, column);
      view.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "center" }) });
      if (focus) view.focus();
    },
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  };
}

function messageOf(d: Diagnostic, fix: string): HTMLElement {
  const box = document.createElement("div");
  box.className = "hint-text";
  const message = document.createElement("div");
  message.textContent = d.about ?? d.message;
  box.append(message);
  if (d.about) {
    const original = document.createElement("small");
    original.lang = "en";
    original.textContent = d.message;
    message.append(original);
  }
  if (d.suggestion) {
    const line = document.createElement("div");
    line.className = "hint-fix";
    line.textContent = `${fix} ${d.suggestion}`;
    box.append(line);
  }
  return box;
}

