// Keyboard shortcuts: each part of a page names its own, "?" shows all that hold now.
import { createContext } from "preact";
import type { ComponentChildren } from "preact";
import { useContext, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Dialog } from "./dialog.tsx";
import { useStaffWords } from "./words.ts";

export interface Shortcut {
  // As written on the keyboard: "?", "/", "Mod+S", "F6". Mod is ⌘ on a Mac, Ctrl elsewhere.
  keys: string;
  what: string;
  group: string;
  run?(): void; // none: another part carries it out, this only tells of it
}

interface Registry {
  add(list: () => readonly Shortcut[]): () => void;
  showHelp(): void;
}

const KeysContext = createContext<Registry>({ add: () => () => {}, showHelp: () => {} });

export const isMac = /Mac|iP(hone|ad|od)/.test(navigator.userAgent);

// useShortcuts makes shortcuts hold while the calling part is on the page.
export function useShortcuts(list: readonly Shortcut[]): void {
  const registry = useContext(KeysContext);
  const latest = useRef(list);
  latest.current = list;
  useEffect(() => registry.add(() => latest.current), [registry]);
}

export function useKeyHelp(): () => void {
  return useContext(KeysContext).showHelp;
}

export function Keys({ children }: { children: ComponentChildren }) {
  const w = useStaffWords();
  const lists = useRef(new Set<() => readonly Shortcut[]>());
  const [help, setHelp] = useState(false);
  const registry = useMemo<Registry>(
    () => ({
      add(list) {
        lists.current.add(list);
        return () => lists.current.delete(list);
      },
      showHelp: () => setHelp(true),
    }),
    [],
  );
  useEffect(() => {
    const press = (e: KeyboardEvent) => {
      if (e.isComposing || e.defaultPrevented || document.querySelector("dialog[open]")) return;
      const chord = chordOf(e);
      if (chord.length === 1 && writing(e.target)) return;
      const all = [...lists.current].flatMap((list) => list());
      const match = all.find((s) => s.run && s.keys.toLowerCase() === chord);
      const run = match?.run ?? (chord === "?" ? registry.showHelp : undefined);
      if (!run) return;
      e.preventDefault();
      run();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [registry]);
  return (
    <KeysContext.Provider value={registry}>
      {children}
      {help && (
        <Dialog title={w.keys} onClose={() => setHelp(false)} size="wide">
          <KeyList shortcuts={[...[...lists.current].flatMap((list) => list()), { keys: "?", what: w.keysHelp, group: w.keysEverywhere }]} />
        </Dialog>
      )}
    </KeysContext.Provider>
  );
}

function KeyList({ shortcuts }: { shortcuts: readonly Shortcut[] }) {
  const groups = [...new Set(shortcuts.map((s) => s.group))];
  return (
    <div class="key-groups">
      {groups.map((group) => (
        <section key={group}>
          <h3>{group}</h3>
          <dl>
            {shortcuts
              .filter((s) => s.group === group)
              .map((s) => (
                <div key={s.keys}>
                  <dt>
                    {s.keys.split(" ").map((chord) => (
                      <kbd key={chord}>{shown(chord)}</kbd>
                    ))}
                  </dt>
                  <dd>{s.what}</dd>
                </div>
              ))}
          </dl>
        </section>
      ))}
    </div>
  );
}

function shown(chord: string): string {
  return isMac ? chord.replace("Mod+", "⌘").replace("Shift+", "⇧").replace("Alt+", "⌥").replace("Ctrl+", "⌃") : chord.replace("Mod+", "Ctrl+");
}

function chordOf(e: KeyboardEvent): string {
  const mod = isMac ? e.metaKey : e.ctrlKey;
  const key = e.key.toLowerCase();
  const shift = e.shiftKey && key.length > 1; // "?" has its shift within
  return `${mod ? "mod+" : ""}${e.altKey ? "alt+" : ""}${shift ? "shift+" : ""}${key}`;
}

// writing tells whether a letter typed there is text.
function writing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}
