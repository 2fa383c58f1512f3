// Keyboard shortcuts: each part of a page names its own, "?" shows all that hold now. Those
// with an id can be given other keys there.
import { createContext } from "preact";
import type { ComponentChildren } from "preact";
import { useContext, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Dialog } from "./dialog.tsx";
import { chordOf, isMac, keepKeymap, readKeymap, usable, written } from "./keymap.ts";
import type { Keymap } from "./keymap.ts";
import { useStaffWords } from "./words.ts";

export { isMac } from "./keymap.ts";

export interface Shortcut {
  // As written on the keyboard: "?", "/", "Mod+S", "F6". Mod is ⌘ on a Mac, Ctrl elsewhere.
  keys: string;
  what: string; // "" = it is told of by another one
  group: string;
  id?: string; // other keys may be chosen for it
  always?: boolean; // it holds while a dialog is open, too
  run?(): void; // none: another part carries it out, this only tells of it
}

interface Registry {
  add(list: () => readonly Shortcut[]): () => void;
  showHelp(): void;
  keysOf(s: Pick<Shortcut, "id" | "keys">): string;
}

const KeysContext = createContext<Registry>({ add: () => () => {}, showHelp: () => {}, keysOf: (s) => s.keys });

// useShortcuts makes shortcuts hold while the calling part is on the page.
export function useShortcuts(list: readonly Shortcut[]): void {
  const registry = useContext(KeysContext);
  const latest = useRef(list);
  latest.current = list;
  useEffect(() => registry.add(() => latest.current), [registry.add]);
}

export function useKeyHelp(): () => void {
  return useContext(KeysContext).showHelp;
}

// useKeysOf gives the keys that hold for a shortcut, as they are shown.
export function useKeysOf(): (s: Pick<Shortcut, "id" | "keys">) => string {
  const { keysOf } = useContext(KeysContext);
  return (s) => shown(keysOf(s));
}

// Keys is around a page. name is the page's: under it other keys are remembered.
export function Keys({ children, name = "" }: { children: ComponentChildren; name?: string }) {
  const w = useStaffWords();
  const lists = useRef(new Set<() => readonly Shortcut[]>());
  const [help, setHelp] = useState(false);
  const [map, setMap] = useState<Keymap>(() => (name === "" ? {} : readKeymap(name)));
  const own = useRef(map);
  own.current = map;
  const stable = useMemo(
    () => ({
      add(list: () => readonly Shortcut[]) {
        lists.current.add(list);
        return () => void lists.current.delete(list);
      },
      showHelp: () => setHelp(true),
    }),
    [],
  );
  const registry = useMemo<Registry>(() => ({ ...stable, keysOf: (s) => (s.id && map[s.id]) || s.keys }), [stable, map]);
  const all = () => [...lists.current].flatMap((list) => list());
  useEffect(() => {
    const press = (e: KeyboardEvent) => {
      if (e.isComposing || e.defaultPrevented) return;
      const modal = document.querySelector("dialog[open]") !== null;
      const chord = chordOf(e);
      if (chord.length === 1 && writing(e.target)) return;
      const match = all().find((s) => s.run && (s.always || !modal) && ((s.id && own.current[s.id]) || s.keys).toLowerCase() === chord);
      const run = match?.run ?? (chord === "?" && !modal ? stable.showHelp : undefined);
      if (!run) return;
      e.preventDefault();
      run();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [stable]);
  const change = (next: Keymap) => {
    keepKeymap(name, next);
    setMap(next);
  };
  return (
    <KeysContext.Provider value={registry}>
      {children}
      {help && (
        <Dialog title={w.keys} onClose={() => setHelp(false)} size="wide">
          <KeyList shortcuts={[...all(), { keys: "?", what: w.keysHelp, group: w.keysEverywhere }]} map={map} onChange={change} />
        </Dialog>
      )}
    </KeysContext.Provider>
  );
}

function KeyList({ shortcuts, map, onChange }: { shortcuts: readonly Shortcut[]; map: Keymap; onChange(map: Keymap): void }) {
  const w = useStaffWords();
  const [asking, setAsking] = useState(""); // the id whose new keys are waited for
  const [problem, setProblem] = useState("");
  const groups = [...new Set(shortcuts.filter((s) => s.what !== "").map((s) => s.group))];
  const keysOf = (s: Shortcut) => (s.id && map[s.id]) || s.keys;
  const choose = (s: Shortcut, chord: string) => {
    if (!usable(chord)) return setProblem(w.keysUnusable);
    const other = shortcuts.find((o) => o.id !== s.id && keysOf(o).toLowerCase() === chord);
    if (other) return setProblem(w.keysTaken(other.what));
    const { [s.id!]: _, ...rest } = map;
    onChange(s.keys.toLowerCase() === chord ? rest : { ...rest, [s.id!]: written(chord) });
    setAsking("");
    setProblem("");
  };
  return (
    <>
      <p class="unseen" role="alert">{problem}</p>
      {Object.keys(map).length > 0 && (
        <button type="button" onClick={() => onChange({})}>
          {w.keysReset}
        </button>
      )}
      <div class="key-groups">
        {groups.map((group) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>
              {shortcuts
                .filter((s) => s.group === group && s.what !== "")
                .map((s) => (
                  <div key={s.id ?? s.keys}>
                    <dt>
                      {asking !== "" && asking === s.id ? (
                        <KeyCatcher problem={problem} onKeys={(chord) => choose(s, chord)} onLeave={() => (setAsking(""), setProblem(""))} />
                      ) : (
                        <>
                          {keysOf(s).split(" ").map((chord) =>
                            chord === "…" ? <span key={chord}>…</span> : <kbd key={chord}>{shown(chord)}</kbd>,
                          )}
                          {s.id && (
                            <button type="button" class="quiet small" aria-label={w.keysChangeOf(s.what)} onClick={() => setAsking(s.id!)}>
                              {w.keysChange}
                            </button>
                          )}
                        </>
                      )}
                    </dt>
                    <dd>{s.what}</dd>
                  </div>
                ))}
            </dl>
          </section>
        ))}
      </div>
    </>
  );
}

// KeyCatcher takes the next keys that are pressed. Escape and Tab leave it as ever.
function KeyCatcher({ problem, onKeys, onLeave }: { problem: string; onKeys(chord: string): void; onLeave(): void }) {
  const w = useStaffWords();
  const field = useRef<HTMLButtonElement>(null);
  useEffect(() => field.current?.focus(), []);
  return (
    <button
      type="button"
      class="small catching"
      ref={field}
      onBlur={onLeave}
      onKeyDown={(e) => {
        if (e.key === "Tab") return;
        e.preventDefault();
        e.stopPropagation();
        if (e.key === "Escape") return onLeave();
        if (!["Control", "Shift", "Alt", "Meta"].includes(e.key)) onKeys(chordOf(e));
      }}
    >
      {problem || w.keysPress}
    </button>
  );
}

function shown(keys: string): string {
  const chord = keys.replace("ArrowDown", "↓").replace("ArrowUp", "↑");
  return isMac ? chord.replace("Mod+", "⌘").replace("Shift+", "⇧").replace("Alt+", "⌥").replace("Ctrl+", "⌃") : chord.replace("Mod+", "Ctrl+");
}

// writing tells whether a letter typed there is text.
function writing(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}
