// Numbers as the board writes them.
import type { Agent, TaskKind } from "../desk/protocol.ts";
import type { Counts, LineTask } from "./answers.ts";
import type { BoardWords } from "./words.ts";

export const kindsInOrder: readonly TaskKind[] = ["call", "chat", "sms", "callback", "voicemail", "ticket"];
export const agentStates: readonly (keyof Counts)[] = ["free", "busy", "wrapping", "unreachable", "away", "offline"];

// long is a time in seconds as m:ss, or h:mm:ss.
export function long(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const h = Math.floor(whole / 3600);
  const m = Math.floor((whole % 3600) / 60);
  const two = (n: number) => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${two(m)}:${two(whole % 60)}` : `${m}:${two(whole % 60)}`;
}

export function percent(part: number | undefined): string {
  return part === undefined ? "–" : `${Math.round(part * 100)}%`;
}

// stateOf is what an agent counts as, as the server counts.
export function stateOf(a: Agent): keyof Counts {
  if (a.presence === "away") return "away";
  if (a.presence !== "available") return "offline";
  if (a.holds.length > 0) return a.holds.every((h) => h.state === "wrapping") ? "wrapping" : "busy";
  return Object.values(a.reachable).some(Boolean) ? "free" : "unreachable";
}

// lasts says how long a task has waited, or is being served.
export function lasts(w: BoardWords, t: LineTask, now: number): string {
  const served = t.state === "assigned" || t.state === "wrapping";
  const seconds = (now - Date.parse(served ? (t.since ?? t.arrived) : t.arrived)) / 1000;
  return served ? w.lasts(long(seconds)) : w.waited(long(seconds));
}
