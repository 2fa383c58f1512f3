// The desk's keys as they are to begin with. All hold while one writes, too, so each has Alt;
// the agent may give other ones.
export const keys = {
  accept: { id: "accept", keys: "Alt+A" },
  decline: { id: "decline", keys: "Alt+X" },
  next: { id: "next", keys: "Alt+ArrowDown" },
  previous: { id: "previous", keys: "Alt+ArrowUp" },
  list: { id: "list", keys: "Alt+L" },
  work: { id: "work", keys: "Alt+W" },
  customer: { id: "customer", keys: "Alt+I" },
  hold: { id: "hold", keys: "Alt+H" },
  mute: { id: "mute", keys: "Alt+M" },
  keypad: { id: "keypad", keys: "Alt+K" },
  consult: { id: "consult", keys: "Alt+C" },
  swap: { id: "swap", keys: "Alt+S" },
  merge: { id: "merge", keys: "Alt+G" },
  complete: { id: "complete", keys: "Alt+O" },
  drop: { id: "drop", keys: "Alt+U" },
  transfer: { id: "transfer", keys: "Alt+T" },
  handBack: { id: "handBack", keys: "Alt+B" },
  ask: { id: "ask", keys: "Alt+Q" },
  finish: { id: "finish", keys: "Alt+Z" },
  takeOver: { id: "takeOver", keys: "Alt+Shift+T" },
  note: { id: "note", keys: "Alt+N" },
  replies: { id: "replies", keys: "Alt+R" },
  link: { id: "link", keys: "Alt+Y" },
  move: { id: "move", keys: "Alt+V" },
  place: { id: "place", keys: "Alt+P" },
  presence: { id: "presence", keys: "Alt+J" },
  sound: { id: "sound", keys: "F8" },
} as const;

export type KeyName = keyof typeof keys;
