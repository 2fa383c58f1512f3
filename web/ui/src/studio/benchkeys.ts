// The keys that hold on the bench.
import type { Shortcut } from "../staff/keys.tsx";
import type { Words } from "./words/en.ts";

export function benchKeys(w: Words, mayEdit: boolean, run: { publish(): void; tests(): void }): Shortcut[] {
  return [
    ...(mayEdit ? [{ keys: "Mod+S", what: w.keyPublish, group: w.keysFile, run: run.publish }] : []),
    { keys: "Mod+Enter", what: w.keyTests, group: w.keysFile, run: run.tests },
    { keys: "F6", what: w.keyNextPane, group: w.keysFile, run: () => walkPanes(1) },
    { keys: "Shift+F6", what: w.keyPreviousPane, group: w.keysFile, run: () => walkPanes(-1) },
    { keys: "↑ ↓ ← →", what: w.keyWalk, group: w.picture },
    { keys: "Enter", what: w.keyToLine, group: w.picture },
    { keys: "+ - 0", what: w.keyZoom, group: w.picture },
    ...(mayEdit
      ? [
          { keys: "Ctrl+Space", what: w.keyComplete, group: w.text },
          { keys: "Shift+Alt+F", what: w.keyFormat, group: w.text },
          { keys: "Mod+Z", what: w.keyUndo, group: w.text },
        ]
      : []),
    { keys: "F8 Shift+F8", what: w.keyNextProblem, group: w.text },
    { keys: "Mod+F", what: w.keyFind, group: w.text },
    { keys: "Esc Tab", what: w.keyLeave, group: w.text },
  ];
}

// walkPanes moves the focus to the next part of the bench that is seen, or the one before.
function walkPanes(by: number): void {
  const panes = [...document.querySelectorAll<HTMLElement>("[data-pane]")].filter((el) => el.offsetParent !== null);
  const at = panes.findIndex((el) => el.contains(document.activeElement));
  const next = at < 0 && by < 0 ? panes.at(-1) : panes[(at + by + panes.length) % panes.length];
  (next?.querySelector<HTMLElement>('.cm-content, [data-step][tabindex="0"], [role="tab"][aria-selected="true"]') ?? next)?.focus();
}
