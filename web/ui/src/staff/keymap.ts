// Which keys do what, where somebody wants others than ours: kept on this device, by page.

export interface Keymap {
  [id: string]: string; // what is done, and the keys for it
}

const place = (page: string): string => `tandem.keys.${page}`;

export function readKeymap(page: string): Keymap {
  try {
    const read: unknown = JSON.parse(localStorage.getItem(place(page)) ?? "{}");
    if (typeof read !== "object" || read === null) return {};
    return Object.fromEntries(Object.entries(read).filter(([, keys]) => typeof keys === "string" && keys !== "")) as Keymap;
  } catch {
    return {}; // storage is refused in some private windows
  }
}

export function keepKeymap(page: string, map: Keymap): void {
  try {
    localStorage.setItem(place(page), JSON.stringify(map));
  } catch {
    // It then lasts as long as the page.
  }
}

export const isMac = /Mac|iP(hone|ad|od)/.test(globalThis.navigator?.userAgent ?? "");

// Pressed is what is read of a key's event.
export interface Pressed {
  key: string;
  code: string;
  altKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
}

// chordOf writes what was pressed as shortcuts are written, in small letters: "mod+s", "?",
// "alt+a". Mod is ⌘ on a Mac, Ctrl elsewhere.
export function chordOf(e: Pressed): string {
  const mod = isMac ? e.metaKey : e.ctrlKey;
  const other = isMac ? e.ctrlKey : e.metaKey;
  const key = e.altKey ? letterOf(e) : e.key === " " ? "space" : e.key.toLowerCase();
  const shift = e.shiftKey && (key.length > 1 || e.altKey || mod); // "?" has its shift within
  return `${mod ? "mod+" : ""}${other ? "meta+" : ""}${e.altKey ? "alt+" : ""}${shift ? "shift+" : ""}${key}`;
}

// letterOf is the letter on the key: with Alt, some systems make another character of it.
function letterOf(e: Pressed): string {
  return /^Key([A-Z])$/.exec(e.code)?.[1]?.toLowerCase() ?? /^Digit([0-9])$/.exec(e.code)?.[1] ?? e.key.toLowerCase();
}

// usable tells whether keys can be given to something: not those that only modify, that
// move the focus or close things, and no letter alone, which is text where one writes.
export function usable(chord: string): boolean {
  const last = chord.split("+").at(-1) ?? "";
  if (["", "control", "shift", "alt", "meta", "altgraph", "dead", "process", "tab", "escape", "enter", "space", "backspace", "delete", "capslock", "unidentified"].includes(last)) return false;
  return chord.includes("alt+") || chord.includes("mod+") || /^f([1-9]|1[0-2])$/.test(last);
}

// written is a chord as it is shown in lists: "alt+shift+a" as "Alt+Shift+A".
export function written(chord: string): string {
  return chord
    .split("+")
    .map((part) => (part.length === 1 ? part.toUpperCase() : part[0]!.toUpperCase() + part.slice(1)))
    .join("+");
}
