// The frames of a chat, as docs/chat-protocol.md tells them, and the reading of what comes.

export const subprotocol = "tandem.chat.1";

export type Sender = "customer" | "flow" | "agent" | "system";
export type State = "pending" | "sent" | "failed" | "delivered" | "read";
export type LinkState = "made" | "opened" | "done" | "declined" | "expired" | "revoked";

// A sentence by language tag.
export type ByLanguage = Partial<Record<string, string>>;

export interface Button {
  label: string;
  keys?: string; // what a telephone would press
}

export interface Attachment {
  id: string;
  width: number; // pixels
  height: number;
  bytes: number;
}

export interface Message {
  t: "message";
  rev: number;
  seq: number;
  state: State;
  at: string;
  from: Sender;
  name?: string; // of the agent
  id?: string; // the client's own, of what this person said
  lang?: string; // of the text
  text: string;
  image?: string; // the address of a flow's picture, seen from the server's root
  attachment?: Attachment;
  buttons?: Button[];
  link?: { id: string; label?: string; state: LinkState };
  secret?: boolean; // said by the person as a secret: text is dots
  asks_secret?: boolean;
  entry?: string; // of an answer that may be seen while it is typed: phone, number, code
  error?: string;
  erased?: boolean; // its text is gone for good
}

// Another way to be served while waiting: saying its label takes it.
export interface Offer {
  what: string; // callback, chat, sms
  label: string;
  keys?: string;
}

// How the person stands in line. It is shown in one place and is no message.
export interface Standing {
  t: "place";
  state: "waiting" | "served" | "over";
  position?: number; // 1 = next
  at_least?: number; // seconds
  at_most?: number; // seconds
  offers?: Offer[];
  agent?: string;
}

export interface Site {
  title?: ByLanguage;
  call_back?: boolean;
  languages?: string[];
}

export interface Welcome {
  t: "welcome";
  conversation?: string;
  token?: string;
  rev: number;
  lang?: string;
  site?: Site;
  place?: string;
}

export interface Refused {
  t: "refused";
  id?: string;
  code: string;
  message?: ByLanguage;
  retry_after?: number; // seconds
}

export type Level = "" | "voice" | "video";

// Signal is what the ends of a connection tell each other.
export interface Signal {
  kind: string;
  sdp?: string;
  why?: string;
  mic?: string;
}

// Voice and pictures beside the text.
export interface Upgrade {
  id: string;
  state: "asked" | "agreed" | "up" | "refused" | "lapsed" | "withdrawn" | "over";
  by: string; // agent, flow, customer
  name?: string; // of the agent who asked
  level: Level; // asked for
  agreed: Level;
  now: Level; // gets through
  why?: string;
  why_text?: ByLanguage; // the sentence, where why is a word that is known
  kept?: boolean; // it is recorded
  keeps?: boolean; // it will be, once what is asked is agreed to
  who?: { name: string; role: string; leg?: string; muted?: boolean }[];
  text?: ByLanguage; // to agree to
  words?: string; // names the text; said with accept
  until?: string; // an answer is waited for
  fallen?: string; // network, camera, microphone
  pictures?: boolean; // the sound stays on the telephone
  yours?: boolean; // this page has them
  ice?: { urls: string | string[]; username?: string; credential?: string }[];
  check?: string;
}

export interface CheckStep {
  name: string;
  kind: string; // code, questions, document, face, request, compare
  state: string; // present, done, failed, skipped
  side?: string; // of a document: front, back
  text?: ByLanguage;
}

// An identity check, as its customer sees it.
export interface Check {
  id: string;
  state: "asked" | "running" | "broken" | "second" | "passed" | "failed" | "declined" | "stopped";
  round: number;
  consent?: { version: string; text: ByLanguage };
  words?: string; // names the consent's text; said with accept
  agreed?: boolean;
  waits?: string; // officer: nobody has come for it yet
  steps: CheckStep[];
  present?: string;
  request?: string | string[];
  number?: string;
  code?: string;
  capture?: { step: string; n: number };
  away?: boolean; // they are not seen just now
  again?: string; // why the round before this one does not count
  why?: string; // of an ended one
  until?: string;
}

export type FromServer =
  | Welcome
  | Message
  | Refused
  | Standing
  | { t: "caught_up"; rev: number }
  | { t: "typing"; from: Sender; name?: string; on: boolean }
  | { t: "upgrade"; upgrade: Upgrade | null; may?: Level[] }
  | { t: "check"; check: Check | null }
  | { t: "voice" | "screen"; signal: Signal }
  | { t: "done"; id: string }
  | { t: "over" } // the flow has ended; what is said next begins another
  | { t: "pong" };

export type ToServer =
  | { t: "hello"; site?: string; qr?: string; token?: string; after?: number; langs: string[]; page?: string }
  | { t: "open" }
  | { t: "say"; id: string; text?: string; attachment?: string; secret?: true }
  | { t: "read"; seq: number }
  | { t: "got"; seq: number }
  | { t: "typing"; on: boolean }
  | { t: "lang"; lang: string }
  | { t: "upgrade"; id: string; do: "ask" | "accept" | "refuse" | "change" | "end"; upgrade?: string; level?: Level; lang?: string; words?: string }
  | { t: "check"; id: string; do: "accept" | "refuse" | "code" | "stop"; check: string; text?: string; lang?: string; words?: string }
  | { t: "voice" | "screen"; signal: Signal }
  | { t: "ping" };

const senders: readonly string[] = ["customer", "flow", "agent", "system"];

// readFrame gives what a frame says, or null for one that this widget does not know: a
// newer server may send more.
export function readFrame(data: unknown): FromServer | null {
  if (typeof data !== "string") return null;
  let f: Record<string, unknown>;
  try {
    f = JSON.parse(data);
  } catch {
    return null;
  }
  if (typeof f !== "object" || f === null) return null;
  switch (f.t) {
    case "message":
      if (!isCount(f.seq) || !isCount(f.rev) || !senders.includes(f.from as string)) return null;
      if (typeof f.text !== "string") f.text = "";
      if (!Array.isArray(f.buttons)) delete f.buttons;
      return f as unknown as Message;
    case "welcome":
      if (!isCount(f.rev)) f.rev = 0;
      return f as unknown as Welcome;
    case "caught_up":
      return isCount(f.rev) ? (f as { t: "caught_up"; rev: number }) : { t: "caught_up", rev: 0 };
    case "place":
      if (f.state !== "waiting" && f.state !== "served" && f.state !== "over") return null;
      for (const n of ["position", "at_least", "at_most"]) if (!isCount(f[n])) delete f[n];
      f.offers = (Array.isArray(f.offers) ? f.offers : []).filter((o) => typeof o?.label === "string" && o.label !== "");
      return f as unknown as Standing;
    case "typing":
    case "refused":
    case "upgrade":
    case "check":
    case "voice":
    case "screen":
    case "done":
    case "over":
    case "pong":
      return f as unknown as FromServer;
  }
  return null;
}

function isCount(v: unknown): v is number {
  return typeof v === "number" && Number.isSafeInteger(v) && v >= 0;
}
