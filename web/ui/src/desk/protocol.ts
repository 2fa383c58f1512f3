// The frames of the desk's socket as docs/protocol.md tells them, and what they carry. What
// the server adds later is let through unread.
import type { Check, CheckCommand, Joined, RoleLink, ScreenSignal, Upgrade, UpgradeCommand } from "./faces.ts";

export type TaskKind = "call" | "chat" | "sms" | "callback" | "voicemail" | "ticket";
export type TaskState = "waiting" | "offered" | "assigned" | "wrapping" | "done";
export type Load = "voice" | "chat" | "sms" | "work";
export type Presence = "offline" | "available" | "away";

export interface Task {
  id: string;
  interaction: string;
  kind: TaskKind;
  queue: string;
  state: TaskState;
  arrived: string;
  due?: string;
  level?: string;
  lang?: string;
  agent?: string;
  fence?: number;
  since?: string;
  deadline?: string;
  tries?: number;
  audio?: boolean;
  ticket?: string;
  ticket_due?: string;
  note?: string;
}

// Words is a sentence in the languages that staff read.
export interface Words {
  en: string;
  zh: string;
}

export interface Decision {
  waited: number; // seconds
  position: number;
  eligible: number;
  overflow?: string[];
  relaxed?: string[];
  why: Words;
}

export interface Holding {
  task: string;
  fence: number;
  kind: TaskKind;
  state: TaskState;
  since: string;
  deadline?: string;
}

export interface Agent {
  name: string;
  presence: Presence;
  reason?: string;
  since?: string;
  reachable: Partial<Record<Load, boolean>>;
  missed?: number;
  holds: Holding[];
  teams: string[];
  skills: Record<string, number>;
  capacity: Partial<Record<Load, number>>;
  phone: boolean;
}

export interface Picture {
  id: string;
  media_type: string;
  bytes: number;
  width: number;
  height: number;
}

export interface Message {
  rev: number;
  seq: number;
  state: string;
  at: string;
  from: "customer" | "agent" | "flow" | "system";
  name?: string;
  client?: string; // of agents' own
  channel: string;
  lang?: string;
  text: string;
  picture?: Picture;
  buttons?: { keys?: string; label: string }[];
  link?: { id: string; label?: string; state: string };
  secret?: boolean;
  error?: string;
  erased?: boolean;
}

export interface Party {
  leg: string;
  role: string; // customer, agent, specialist, listener, whisperer
  name?: string;
  number?: string;
  device?: string; // phone, browser
  state: string; // ringing, joined, cut
  muted?: boolean;
  held?: boolean;
  since?: string;
  guest?: boolean; // joined by a link: they are in the talk, not asked aside
  camera?: boolean; // their pictures are shown
  display?: boolean; // they share their screen
}

export interface Talk {
  task: string;
  interaction: string;
  agent: string;
  parties: Party[];
  recording?: string; // "", on, paused
  secret?: boolean;
  lent?: boolean; // the flow has the customer for a step
  direct?: boolean;
  codec?: string;
}

export interface Invite {
  id: string;
  from: string;
  task: string;
  interaction: string;
  until?: string;
}

export interface Sent {
  id: string;
  operation: string;
  state: string;
  by: string;
  at: string;
}

export interface Signal {
  kind: string;
  sdp?: string;
  mic?: string;
  why?: string;
}

// Numbered are the frames that come in their order, and again to who missed them.
export type Numbered =
  | { t: "state"; n: number; agent: Agent }
  | { t: "offer"; n: number; task: Task; decision?: Decision }
  | { t: "offer_over"; n: number; task: string; fence: number; why: string }
  | { t: "task"; n: number; task: Task; why: string }
  | { t: "message"; n: number; task: string; message: Message }
  | { t: "wrap"; n: number; task: string; fence: number; until?: string }
  | { t: "talk"; n: number; task: string; talk: Talk | null }
  | { t: "invite"; n: number; invite: Invite }
  | { t: "invite_over"; n: number; invite: string; why: string }
  | { t: "link"; n: number; task: string; link: Sent }
  | { t: "asked"; n: number; task: string; flow: string; step: string; outcome: string; set?: Record<string, unknown> }
  | { t: "whisper"; n: number; task: string; from: string; text: string; at?: string }
  | { t: "upgrade"; n: number; task?: string; interaction: string; upgrade: Upgrade | null }
  | { t: "check"; n: number; task?: string; interaction: string; check: Check | null }
  | { t: "role_link"; n: number; task: string; link: RoleLink };

export interface Done {
  t: "done";
  id: string;
  task?: Task;
  message?: Message;
  agent?: Agent;
  link?: Sent;
  upgrade?: Upgrade;
  check?: Check;
  invite?: RoleLink;
  joined?: Joined;
}

export interface Failed {
  t: "error";
  id?: string;
  seat?: string; // in the place of id: of what was signalled
  page?: string; // in the place of id: of pictures that were signalled
  code: string;
  message: string;
  retry_after?: number;
}

export type FromServer =
  | Numbered
  | { t: "welcome"; name: string; agent: boolean; board: boolean; epoch: string; n: number; resumed: boolean }
  | { t: "ready"; n: number }
  | { t: "typing"; task: string; on: boolean }
  | { t: "voice"; seat: string; signal: Signal }
  | { t: "screen"; interaction: string; page: string; signal: ScreenSignal }
  | { t: "pong" }
  | Done
  | Failed;

// Target is who is asked into a call.
export interface Target {
  agent?: string;
  number?: string;
}

// Command is what the agent asks for; the id is put to it as it is asked.
export type Command =
  | { t: "accept"; task: string; fence: number }
  | { t: "decline"; task: string; fence: number; why?: string }
  | { t: "say"; task: string; text: string }
  | { t: "note"; task: string; text: string }
  | { t: "presence"; presence: Presence; reason?: string }
  | { t: "release"; task: string; fence: number }
  | { t: "hand_back"; task: string; fence: number; step?: string }
  | { t: "ask"; task: string; fence: number; step: string }
  | { t: "transfer"; task: string; fence: number; queue?: string; agent?: string }
  | { t: "wrap"; task: string; fence: number; disposition?: string }
  | { t: "call"; task: string; do: string; to?: Target; keys?: string; leg?: string; why?: string }
  | { t: "invite"; invite: string; accept: boolean }
  | { t: "take_over"; interaction: string; why: string }
  | { t: "place"; to?: string; queue?: string; interaction?: string }
  | { t: "link"; task: string; operation: string; params?: Record<string, unknown>; by?: string }
  | { t: "move"; task: string; to: string }
  | UpgradeCommand
  | CheckCommand
  | { t: "invite_link"; task: string; role: string }
  | { t: "invite_link"; task: string; do: "revoke"; invite: string }
  | { t: "join"; token: string };

// Bare are frames to the server that have no answer.
export type Bare =
  | { t: "hello"; epoch?: string; since?: number }
  | { t: "typing"; task: string; on: boolean }
  | { t: "voice"; seat: string; signal: Signal }
  | { t: "screen"; interaction: string; page: string; signal: ScreenSignal }
  | { t: "ping" };

export const subprotocol = "tandem.desk.1";
export const socketPath = "/api/v1/desk/socket";

// readFrame reads a frame; undefined if it is none.
export function readFrame(data: unknown): FromServer | undefined {
  if (typeof data !== "string") return undefined;
  try {
    const read: unknown = JSON.parse(data);
    if (typeof read === "object" && read !== null && typeof (read as { t?: unknown }).t === "string") return read as FromServer;
  } catch {
    // It is left alone, as all that is not understood.
  }
  return undefined;
}

// loadOf is how a kind is counted.
export function loadOf(kind: TaskKind): Load {
  if (kind === "call" || kind === "callback") return "voice";
  if (kind === "chat" || kind === "sms") return kind;
  return "work";
}

export const isTalk = (kind: TaskKind): boolean => kind === "chat" || kind === "sms";
export const isCall = (kind: TaskKind): boolean => kind === "call" || kind === "callback";
