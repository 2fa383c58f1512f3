// What happened in an interaction, in English: a sentence for each kind of event that says
// something to an agent.

type D = Record<string, unknown>;
const t = (d: D, key: string): string => (typeof d[key] === "string" || typeof d[key] === "number" ? String(d[key]) : "");

const released: Record<string, string> = { done: "was done with it", handed_back: "gave it back to the flow", transferred: "handed it on", left: "lost it: the customer left", moved: "has it no more: it moved", lost: "lost the connection", crash: "was cut off" };
const returned: Record<string, string> = { lapsed: "ran out", declined: "was declined", unreachable: "did not get through", restart: "was undone by a restart", gone: "was called off" };

const levels: Record<string, string> = { voice: "voice", video: "video", "": "text" };
const guests: Record<string, string> = { specialist: "specialist", listener: "listener" };
// who did it: the actor of the event, "caller" for the customer; what is older has by alone.
const who = (d: D): string => {
  const by = t(d, "actor") || t(d, "by");
  return ({ flow: "The flow", customer: "The customer", caller: "The customer", system: "" } as Record<string, string>)[by] ?? by;
};
const upgraded: Record<string, (by: string, level: string) => string> = {
  asked: (by, level) => `${by} asked for ${level}`,
  agreed: (by, level) => `${by} agreed to ${level}`,
  refused: (_, level) => `No to ${level}; the chat went on`,
  lapsed: (_, level) => `Nobody answered the ask for ${level} in time`,
  withdrawn: (by, level) => `${by} took the ask for ${level} back`,
  changed: (by, level) => (by ? `${by} went on with ${level}` : `It went on with ${level}`),
  over: (by) => (by ? `${by} ended voice and pictures` : "Voice and pictures ended"),
};
const carried: Record<string, string> = {
  "network voice": "The network was too weak for pictures: voice went on",
  "network ": "The network let neither voice nor pictures through: the chat went on",
  "camera voice": "The customer's camera gave no picture",
  "microphone ": "The customer's microphone gave no sound",
  "back video": "The pictures came back",
  "back voice": "The voice came back",
};
const breaks: Record<string, (seconds: number) => string> = {
  cut: (seconds) => `the connection was cut for ${seconds} s`,
  second_face: () => "somebody else was seen",
  changed_person: () => "another person was seen",
  officer: () => "the officer began again",
  restart: () => "the server was restarted",
};
const verdicts: Record<string, (officer: string, second: string) => string> = {
  passed: (officer, second) => (second ? `Identity check passed, by ${officer} and ${second}` : `Identity check passed, by ${officer}`),
  failed: (officer, second) => (second ? `Identity check failed, by ${officer} and ${second}` : `Identity check failed, by ${officer}`),
  declined: () => "The customer did not want the identity check",
  stopped: () => "The identity check ended without a verdict",
};

export const journalEn = {
  "interaction.opened": (d: D) => `Began, from ${t(d, "from") || "unknown"}`,
  "interaction.closed": (d: D) => `Closed: ${t(d, "outcome")}`,
  "flow.started": (d: D) => `Flow ${t(d, "flow")} began`,
  "flow.outcome": (d: D) => `Step ${t(d, "step")}: ${t(d, "outcome")}`,
  "flow.input": (d: D) => `Keyed: ${t(d, "keys")}`,
  "flow.error": (d: D) => `The flow failed at ${t(d, "step")}`,
  "flow.recorded": () => "The customer said something",
  "consent.given": (d: D) => (t(d, "check") ? `Consent to the identity check: ${t(d, "answer")}` : `Consent to ${t(d, "kind")}: ${t(d, "answer")}`),
  "voicemail.left": (d: D) => `Left a message of ${Math.round(Number(d["seconds"] ?? 0))} s`,
  "task.opened": (d: D) => `In line for ${t(d, "queue")}`,
  "task.changed": (d: D) => `In line for ${t(d, "queue")}, changed`,
  "task.offered": (d: D) => `Offered to ${t(d, "agent")}`,
  "task.returned": (d: D) => `The offer to ${t(d, "agent")} ${returned[t(d, "why")] ?? "came to nothing"}`,
  "task.assigned": (d: D) => `${t(d, "agent")} took it`,
  "task.released": (d: D) => `${t(d, "agent")} ${released[t(d, "why")] ?? "has it no more"}`,
  "task.wrapped": (d: D) => (t(d, "disposition") ? `${t(d, "agent")} wrote it up: ${t(d, "disposition")}` : `${t(d, "agent")} wrote it up`),
  "ticket.opened": (d: D) => `Ticket ${t(d, "number")} was opened`,
  "ticket.changed": (d: D) => `Ticket changed: ${t(d, "status") || t(d, "note") || t(d, "told") || t(d, "owner")}`,
  "survey.answered": () => "Answered the survey",
  "agent.noted": (d: D) => `Note: ${t(d, "text")}`,
  "call.dialled": (d: D) => `Called ${t(d, "to")}`,
  "callback.booked": (d: D) => (t(d, "at") ? `Asked to be called at ${t(d, "at")}` : "Asked to be called back"),
  "link.made": (d: D) => `Was sent the link ${t(d, "operation")}`,
  "link.changed": (d: D) => `Link ${({ opened: "opened", done: "done", declined: "declined", expired: "expired", revoked: "called back" } as Record<string, string>)[t(d, "state")] ?? t(d, "state")}`,
  "session.moved": (d: D) => `Goes on by ${t(d, "channel")}`,
  "session.resumed": (d: D) => `Came back, by ${t(d, "channel")}`,
  "customer.identified": (d: D) => `Identity check by ${t(d, "method")}: ${t(d, "outcome")}`,
  "code.sent": (d: D) => `A code was sent to ${t(d, "to")}`,
  "customer.bound": () => "A way to reach the customer was kept",
  "session.taken": (d: D) => `${t(d, "agent")} took the customer over, at ${t(d, "step")}`,
  "session.handed_back": (d: D) => `${t(d, "agent")} gave the customer back, at ${t(d, "step") || "the next step"}`,
  "room.joined": (d: D) => `${t(d, "name") || "The customer"} joined the call`,
  "room.left": (d: D) => `Left the call after ${Math.round(Number(d["seconds"] ?? 0))} s`,
  "audit.listened": (d: D) => `${t(d, "who")} listens in: ${t(d, "why")}`,
  "recording.kept": (d: D) => {
    const seconds = Math.round(Number(d["seconds"] ?? 0));
    if (d["cut"]) return `A recording of ${seconds} s is kept: it was cut off as the server ended`;
    if (t(d, "shows") === "display") return `A recording of a shared screen, ${seconds} s, is kept`;
    return t(d, "media_type").startsWith("video/") ? `A recording with pictures, ${seconds} s, is kept` : `A recording of ${seconds} s is kept`;
  },
  "upgrade.changed": (d: D) => upgraded[t(d, "state")]?.(who(d), levels[t(d, "level")] ?? t(d, "level")) ?? "Voice and pictures changed",
  "upgrade.carried": (d: D) => carried[`${t(d, "why")} ${t(d, "now")}`] ?? (t(d, "now") ? `The network lets ${levels[t(d, "now")] ?? t(d, "now")} through` : "The network lets only text through"),
  "room.invited": (d: D) =>
    t(d, "used") ? `${t(d, "used")} came by the link for a ${guests[t(d, "role")] ?? t(d, "role")}` : d["revoked"] ? `${t(d, "by")} revoked the link for a ${guests[t(d, "role")] ?? t(d, "role")}` : `${t(d, "by")} made a link for a ${guests[t(d, "role")] ?? t(d, "role")}`,
  "check.begun": (d: D) => (Number(d["round"] ?? 1) > 1 ? `Identity check ${t(d, "policy")}: round ${t(d, "round")} began` : `Identity check ${t(d, "policy")} began`),
  "check.step": (d: D) => `Check: step ${t(d, "step")} ${({ done: "is done", failed: "failed", skipped: "was left out", present: "began", asked: "was put to a second officer" } as Record<string, string>)[t(d, "state")] ?? t(d, "state")}`,
  "check.evidence": (d: D) => (t(d, "source") === "page" ? `Check: a still of ${t(d, "step")} from the customer's page is kept` : `Check: a still of ${t(d, "step")} as it came is kept`),
  "check.interrupted": (d: D) => `Check: round ${t(d, "round")} does not count: ${breaks[t(d, "why")]?.(Math.round(Number(d["seconds"] ?? 0))) ?? t(d, "why")}`,
  "check.decided": (d: D) => verdicts[t(d, "outcome")]?.(t(d, "officer"), t(d, "second")) ?? `Identity check: ${t(d, "outcome")}`,
  "blob.removed": () => "What was recorded was removed: its time was over",
};

export type JournalWords = Record<keyof typeof journalEn, (d: D) => string>;
