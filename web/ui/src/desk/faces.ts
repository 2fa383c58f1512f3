// Voice and pictures beside a chat, who is let in by a link, and identity checks, as
// docs/protocol.md tells them ("Faces", "Identity checks").
export type { ScreenSignal } from "../face/signal.ts";

export type Level = "" | "voice" | "video"; // "" is text alone

export interface Upgrade {
  id: string;
  task?: string;
  interaction: string;
  state: "asked" | "sent" | "agreed" | "up" | "refused" | "lapsed" | "withdrawn" | "over"; // sent: a caller has the link to a page, and has not opened it
  by: string; // an agent's name, "flow", "customer"
  level: Level; // asked for
  agreed?: Level;
  now?: Level; // gets through
  fallen?: string; // why less does than was agreed: network, camera, microphone
  pictures?: boolean; // the sound stays on the telephone
  kept?: boolean;
  who?: { name: string; role: string; leg?: string; muted?: boolean }[];
  why?: string;
  until?: string;
  check?: string; // that asked for it
  ice?: { urls: string | string[]; username?: string; credential?: string }[];
}

export const ended = (u: Upgrade): boolean => u.state === "refused" || u.state === "lapsed" || u.state === "withdrawn" || u.state === "over";

// waits tells whether somebody is to answer: to the first ask, or to one for more than runs.
export function waits(u: Upgrade): boolean {
  return u.state === "asked" || ((u.state === "agreed" || u.state === "up") && rank[u.level] > rank[u.agreed ?? ""] && u.until !== undefined);
}

const rank: Record<Level, number> = { "": 0, voice: 1, video: 2 };
export const lesser = (a: Level, b: Level): Level => (rank[a] < rank[b] ? a : b);
export const asks = (u: Upgrade | undefined): boolean => u !== undefined && u.by === "customer" && waits(u); // the agent is to answer

export type UpgradeCommand =
  | { t: "upgrade"; task: string; do: "ask"; level: Level; why: string }
  | { t: "upgrade"; task: string; do: "approve" | "deny" | "end" }
  | { t: "upgrade"; task: string; do: "change"; level: Level };

// RoleLink lets one person into a talk, once.
export interface RoleLink {
  id: string;
  role: string; // specialist, listener
  by?: string;
  url?: string; // only where it was made
  expires: string;
  state?: string; // made, opened, used, revoked, expired
  used_by?: string;
}

export interface Joined {
  interaction: string;
  task: string;
  role: string;
}

// Guest is what a link says before it is used.
export interface Guest {
  from: string;
  display?: string;
  role: string;
  number?: string; // of the interaction
  queue?: string;
  expires: string;
}

export type Said = Record<string, string>; // by language tag

export interface Still {
  blob: string;
  source: string; // server: a keyframe as it passed; page: the customer's page's own, sharper
  media_type?: string;
  width: number;
  height: number;
  at: string;
  n?: number; // which take of the step
  round?: number;
}

export interface Ask {
  name: string;
  ask: Said;
}

export interface Step {
  name: string;
  kind: string; // code, questions, document, face, request, compare
  side?: string; // of a document: front, back
  state: string; // "", present, done, failed, skipped
  text?: Said;
  asks?: Ask[]; // of questions and compare
  expect?: string; // service: what the flow knows has what is right
  requests?: { what: string; number?: string }[]; // as they were drawn; a number is to be read aloud
  likeness?: boolean; // a score may be noted, as advice
  said?: Record<string, unknown>;
  stills: Still[];
}

export interface Verdict {
  outcome: string; // passed, failed, declined
  reasons: string[];
  text?: string;
  officer?: string;
  second?: string;
  until?: string;
}

// Bar is something for which a check cannot be passed now.
export interface Bar {
  step?: string;
  kind?: string;
  ask?: Said; // the question of a comparison
  what?: string; // the request that was not followed
  why: string; // consent, picture, not_done, failed, skipped, no, unsure, not_followed
}

export interface Check {
  id: string;
  by: string; // flow: one waits for it; else the agent who began it
  waits?: string; // officer, consent, picture, verdict, second; none: for its present step
  bars?: Bar[]; // none: it may be passed
  camera?: string;
  virtual?: boolean; // it is called as a program's is: a hint
  record?: boolean; // the policy wants a recording
  unrecorded?: boolean; // and none runs
  interaction: string;
  task?: string;
  policy: string;
  title?: Said;
  state: string; // asked, running, broken, second, passed, failed, declined, stopped
  round: number;
  officer?: string;
  second?: string; // once they have looked
  needs_second?: boolean;
  level: string;
  customer_lang?: string;
  consent?: { at: string; lang: string; version: string };
  steps: Step[];
  present?: string;
  code?: { to: string; sent?: string; ok?: boolean };
  capturing?: { step: string; n: number };
  broken?: { round: number; why: string; seconds?: number; at?: string }[];
  interruption?: number; // seconds that may pass
  reasons?: Record<string, string[]>; // the closed lists for a verdict, by outcome
  verdict?: Verdict;
}

export const settled = (c: Check): boolean => ["passed", "failed", "declined", "stopped"].includes(c.state);

export type CheckCommand =
  | { t: "check"; task: string; do: "begin"; policy?: string }
  | { t: "check"; check: string; do: "capture"; step: string }
  | { t: "check"; check: string; do: "done" | "fail" | "skip"; step: string; said?: Record<string, unknown>; why?: string }
  | { t: "check"; check: string; do: "restart" | "abort"; why: string }
  | { t: "check"; check: string; do: "second"; agree: boolean; why?: string }
  | { t: "check"; check: string; do: "second_face" | "resend_code" }
  | { t: "check"; check: string; do: "decide"; outcome: string; reasons: string[]; why?: string };

// Policy is one that a check may follow.
export interface Policy {
  name: string;
  title?: Said;
  level: string;
  steps: Step[];
  needs_second?: boolean;
}
