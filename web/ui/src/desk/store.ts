// What an agent has, as the frames tell it: a pure function from what was known and a frame
// to what is known. It keeps no timer and asks nobody; desk.ts does.
import { ended, settled } from "./faces.ts";
import type { Check, RoleLink, Upgrade } from "./faces.ts";
import type { Agent, Decision, FromServer, Invite, Message, Numbered, Party, Sent, Talk, Task, TaskKind } from "./protocol.ts";

// Item is one thing that the agent is offered, has, or writes up.
export interface Item {
  id: string; // of the task
  stage: "offered" | "assigned" | "wrapping";
  fence: number;
  task: Task | null; // null: a wrap-up of which only the clock was told
  kind: TaskKind;
  decision?: Decision | undefined;
  since: number; // milliseconds of this clock, in which stage it is; 0 = not told
  until: number; // when the offer or the wrap-up ends; 0 = not told
}

export interface Whisper {
  from: string;
  text: string;
  at: string;
}

// Log is what was said in one talk, by number.
export interface Log {
  rev: number; // highest
  list: readonly Message[];
}

// News is what happened last, for who listens rather than looks.
export type News =
  | { what: "offer"; task: string; kind: TaskKind }
  | { what: "offer_over"; task: string; why: string; kind: TaskKind }
  | { what: "assigned"; task: string; kind: TaskKind }
  | { what: "gone"; task: string; why: string; kind: TaskKind }
  | { what: "message"; task: string; message: Message }
  | { what: "whisper"; task: string; from: string; text: string }
  | { what: "invite"; invite: Invite }
  | { what: "invite_over"; invite: string; why: string }
  | { what: "wrap"; task: string }
  | { what: "link"; task: string; link: Sent }
  | { what: "asked"; task: string; step: string; outcome: string }
  | { what: "talk"; task: string; before: Talk | null; talk: Talk | null }
  | { what: "upgrade"; task: string; before: Upgrade | null; upgrade: Upgrade }
  | { what: "check"; task: string; before: Check | null; check: Check }
  | { what: "role_link"; task: string; link: RoleLink };

export interface State {
  name: string; // who this is
  agent: boolean;
  epoch: string;
  n: number; // highest that came
  phase: "off" | "snapshot" | "missed" | "live"; // everything comes anew, what was missed comes, all has come
  whole: boolean; // n tells all that is known: one may go on from there
  snapshot: readonly Numbered[]; // that came; it holds once it is complete
  me: Agent | null;
  items: Readonly<Record<string, Item>>; // by task; a wrap-up beside the task has ":wrap" behind it
  invites: Readonly<Record<string, Invite>>;
  talks: Readonly<Record<string, Talk>>;
  logs: Readonly<Record<string, Log>>;
  typing: Readonly<Record<string, number>>; // when it was last said that the customer writes
  seen: Readonly<Record<string, number>>; // of each talk, the number up to which it was looked at
  links: Readonly<Record<string, readonly Sent[]>>;
  whispers: Readonly<Record<string, readonly Whisper[]>>;
  upgrades: Readonly<Record<string, Upgrade>>; // by interaction, the last of each
  checks: Readonly<Record<string, Check>>; // by interaction, the last of each
  roleLinks: Readonly<Record<string, readonly RoleLink[]>>; // by task
  known: Readonly<Record<string, Task>>; // tasks that were seen lately
  left: Readonly<Record<string, string>>; // why the agent has a task no more, while they write it up
  turn: Readonly<Record<string, number>>; // grows when something about a task happened that its story tells
  skew: number; // milliseconds that the server's clock is ahead of this one
  learned: boolean; // that, from frames
  news: readonly News[]; // of the last frame only
}

export const empty: State = {
  name: "", agent: false, epoch: "", n: 0, phase: "off", whole: false, snapshot: [], me: null, items: {}, invites: {}, talks: {}, logs: {}, typing: {}, seen: {},
  links: {}, whispers: {}, upgrades: {}, checks: {}, roleLinks: {}, known: {}, left: {}, turn: {}, skew: 0, learned: false, news: [],
};

const mostKnown = 60; // tasks that are remembered; the oldest go
const mostWhispers = 50; // of one talk; the oldest go
const mostRoleLinks = 8; // of one talk; the oldest go
const wrapKey = (task: string) => `${task}:wrap`;

// take is what is known after a frame that came at now, in milliseconds of this clock.
export function take(before: State, f: FromServer, now: number): State {
  const s: State = before.news.length > 0 ? { ...before, news: [] } : before;
  switch (f.t) {
    case "welcome":
      return welcome(s, f);
    case "ready":
      return ready(s, f.n, now);
    case "typing":
      return { ...s, typing: f.on ? { ...s.typing, [f.task]: now } : without(s.typing, f.task) };
    case "done":
      return f.message ? say(s, taskOf(s, f.message) ?? "", f.message) : s;
    case "error":
    case "pong":
    case "voice":
    case "screen":
      return s;
  }
  if (typeof f.n !== "number") return s; // one of a kind that is not known, without a number
  if (s.phase === "snapshot") return { ...s, snapshot: [...s.snapshot, f] };
  if (f.n <= s.n) return s; // it was here already
  return happened({ ...s, n: f.n }, f, now);
}

// happened is what is known after a numbered frame.
function happened(s: State, f: Numbered, now: number): State {
  const next = s;
  switch (f.t) {
    case "state":
      return { ...next, me: f.agent };
    case "offer":
      return offer(next, f.task, f.decision, now);
    case "offer_over":
      return offerOver(next, f.task, f.fence, f.why);
    case "task":
      return f.why === "assigned" || f.why === "changed" ? assigned(next, f.task, f.why, now) : gone(next, f.task, f.why);
    case "message":
      return say(next, f.task, f.message);
    case "wrap":
      return wrap(next, f.task, f.fence, f.until, now);
    case "talk":
      return { ...next, talks: f.talk ? { ...s.talks, [f.task]: f.talk } : without(s.talks, f.task), news: [{ what: "talk", task: f.task, before: s.talks[f.task] ?? null, talk: f.talk }] };
    case "invite":
      return { ...next, invites: { ...s.invites, [f.invite.id]: f.invite }, news: [{ what: "invite", invite: f.invite }] };
    case "invite_over":
      return { ...next, invites: without(s.invites, f.invite), news: [{ what: "invite_over", invite: f.invite, why: f.why }] };
    case "link":
      return { ...turned(next, f.task), links: { ...s.links, [f.task]: [...(s.links[f.task] ?? []).filter((l) => l.id !== f.link.id), f.link] }, news: [{ what: "link", task: f.task, link: f.link }] };
    case "asked":
      return { ...turned(next, f.task), news: [{ what: "asked", task: f.task, step: f.step, outcome: f.outcome }] };
    case "whisper": {
      const all = [...(s.whispers[f.task] ?? []), { from: f.from, text: f.text, at: f.at ?? new Date(now).toISOString() }];
      return { ...next, whispers: { ...s.whispers, [f.task]: all.slice(-mostWhispers) }, news: [{ what: "whisper", task: f.task, from: f.from, text: f.text }] };
    }
    case "upgrade":
      return upgraded(next, f);
    case "check":
      return checked(next, f);
    case "role_link":
      return roleLinked(next, f.task, f.link);
    default:
      return next;
  }
}

// welcome begins a connection: what was known stays if the server goes on where it was, else
// everything comes anew, and takes its place once it is complete.
function welcome(s: State, f: Extract<FromServer, { t: "welcome" }>): State {
  const base = { ...s, name: f.name, agent: f.agent, epoch: f.epoch, snapshot: [] };
  return f.resumed ? { ...base, phase: "missed" } : { ...base, n: f.n, phase: "snapshot", whole: false };
}

// ready ends what came after the welcome. Of a snapshot only offers are news; what was said
// stays known by its rev.
function ready(s: State, n: number, now: number): State {
  if (s.phase !== "snapshot") return { ...s, n: Math.max(s.n, n), phase: "live" };
  let next: State = { ...s, me: null, items: {}, invites: {}, talks: {}, upgrades: {}, checks: {}, roleLinks: {} };
  const news: News[] = [];
  for (const f of s.snapshot) {
    next = happened({ ...next, news: [] }, f, now);
    const offered = f.t === "offer" && s.items[f.task.id]?.fence !== f.task.fence;
    const asked = f.t === "invite" && !s.invites[f.invite.id];
    if (offered || asked) news.push(...next.news);
  }
  return { ...next, n: Math.max(s.n, n), phase: "live", whole: true, snapshot: [], news };
}

function offer(s: State, task: Task, decision: Decision | undefined, now: number): State {
  const { skew, learned } = skewBy(s, task.since, now);
  const item: Item = { id: task.id, stage: "offered", fence: task.fence ?? 0, task, kind: task.kind, decision, since: here(task.since, skew), until: here(task.deadline, skew) };
  const known = s.items[task.id];
  if (known && known.fence > item.fence) return s; // it is a newer one already
  return { ...turned(remember(s, task), task.id), skew, learned, left: without(s.left, task.id), items: { ...s.items, [task.id]: item }, news: [{ what: "offer", task: task.id, kind: task.kind }] };
}

function offerOver(s: State, id: string, fence: number, why: string): State {
  const item = s.items[id];
  if (!item || item.stage !== "offered" || item.fence > fence) return s;
  return { ...s, items: without(s.items, id), news: [{ what: "offer_over", task: id, why, kind: item.kind }] };
}

function assigned(s: State, task: Task, why: string, now: number): State {
  const before = s.items[task.id];
  const fresh = before?.stage !== "assigned" || before.fence !== (task.fence ?? before.fence);
  const { skew, learned } = why === "assigned" && fresh ? skewBy(s, task.since, now) : s;
  const item: Item = { id: task.id, stage: "assigned", fence: task.fence ?? before?.fence ?? 0, task, kind: task.kind, decision: before?.decision, since: here(task.since, skew), until: 0 };
  const next = { ...turned(remember(s, task), task.id), skew, learned, left: without(s.left, task.id), items: { ...s.items, [task.id]: item } };
  return fresh ? { ...next, news: [{ what: "assigned", task: task.id, kind: task.kind }] } : next;
}

function gone(s: State, task: Task, why: string): State {
  const item = s.items[task.id];
  const next = { ...turned(remember(s, task), task.id), left: { ...s.left, [task.id]: why }, items: without(s.items, task.id), talks: without(s.talks, task.id), typing: without(s.typing, task.id), upgrades: without(s.upgrades, task.interaction), roleLinks: without(s.roleLinks, task.id) };
  return item ? { ...next, news: [{ what: "gone", task: task.id, why, kind: item.kind }] } : next;
}

function wrap(s: State, id: string, fence: number, until: string | undefined, now: number): State {
  const key = wrapKey(id);
  if (!until) {
    const item = s.items[key];
    return item && item.fence <= fence ? { ...turned(s, id), left: without(s.left, id), items: without(s.items, key) } : s;
  }
  const task = s.known[id] ?? null;
  const kind = task?.kind ?? s.me?.holds.find((h) => h.task === id)?.kind ?? "chat";
  const item: Item = { id, stage: "wrapping", fence, task, kind, since: now, until: here(until, s.skew) };
  const live = s.items[id];
  const items = live?.stage === "assigned" && live.fence === fence ? without(s.items, id) : s.items; // the same of which the end is still to be told
  return { ...turned(s, id), items: { ...items, [key]: item }, news: [{ what: "wrap", task: id }] };
}

// upgraded keeps what became of voice and pictures; one that has ended stays to be read until
// another begins, or its task is gone.
function upgraded(s: State, f: Extract<Numbered, { t: "upgrade" }>): State {
  const before = s.upgrades[f.interaction] ?? null;
  if (!f.upgrade) return { ...s, upgrades: before && ended(before) ? s.upgrades : without(s.upgrades, f.interaction) };
  const task = f.task ?? f.upgrade.task ?? "";
  const upgrade = { ...f.upgrade, task, interaction: f.interaction };
  return { ...turned(s, task), upgrades: last(s.upgrades, f.interaction, upgrade), news: [{ what: "upgrade", task, before: before?.id === upgrade.id ? before : null, upgrade }] };
}

function checked(s: State, f: Extract<Numbered, { t: "check" }>): State {
  const before = s.checks[f.interaction] ?? null;
  if (!f.check) return { ...s, checks: before && settled(before) ? s.checks : without(s.checks, f.interaction) };
  const task = f.task ?? f.check.task ?? "";
  const check = { ...f.check, task, interaction: f.interaction };
  return { ...(before?.state === check.state ? s : turned(s, task)), checks: last(s.checks, f.interaction, check), news: [{ what: "check", task, before: before?.id === check.id ? before : null, check }] };
}

// checkAway puts away a check that has ended.
export function checkAway(s: State, interaction: string): State {
  const check = s.checks[interaction];
  return check && settled(check) ? { ...s, checks: without(s.checks, interaction), news: [] } : s;
}

// roleLinked is told of a link for somebody to join; its address is known only where it was made.
export function roleLinked(s: State, task: string, link: RoleLink): State {
  const all = s.roleLinks[task] ?? [];
  const known = all.find((l) => l.id === link.id);
  return { ...s, roleLinks: { ...s.roleLinks, [task]: [...all.filter((l) => l.id !== link.id), { ...known, ...link }].slice(-mostRoleLinks) }, news: [{ what: "role_link", task, link }] };
}

// say puts a line of a talk where it belongs, if it is newer than what is there.
function say(s: State, task: string, m: Message): State {
  if (task === "") return s;
  const log = s.logs[task] ?? { rev: 0, list: [] };
  const known = log.list.find((l) => l.seq === m.seq);
  if (known && known.rev >= m.rev) return s;
  const list = [...log.list.filter((l) => l.seq !== m.seq), m].sort((a, b) => a.seq - b.seq);
  const next: State = { ...s, logs: { ...s.logs, [task]: { rev: Math.max(log.rev, m.rev), list } } };
  if (known) return next;
  if (m.from === "customer") next.typing = without(s.typing, task);
  return { ...next, news: [...next.news, { what: "message", task, message: m }] };
}

// taskOf finds the talk that an answer's message belongs to: the one with it already.
function taskOf(s: State, m: Message): string | undefined {
  return Object.keys(s.logs).find((task) => s.logs[task]!.list.some((l) => l.seq === m.seq && m.client !== undefined && l.client === m.client));
}

// ---- what is not told by frames

// told adds messages that were read by HTTP; they are no news.
export function told(s: State, task: string, messages: readonly Message[]): State {
  let next = s;
  for (const m of messages) next = say(next, task, m);
  return { ...next, logs: { ...next.logs, [task]: next.logs[task] ?? { rev: 0, list: [] } }, news: [] };
}

// linked is told of the links that were read by HTTP.
export function linked(s: State, task: string, links: readonly Sent[]): State {
  return { ...s, links: { ...s.links, [task]: links }, news: [] };
}

// looked is told that the agent saw a talk up to its last line.
export function looked(s: State, task: string): State {
  const last = s.logs[task]?.list.at(-1)?.seq ?? 0;
  return last > (s.seen[task] ?? 0) ? { ...s, seen: { ...s.seen, [task]: last }, news: [] } : s;
}

// ---- what the views ask

const rank = { offered: 0, assigned: 1, wrapping: 2 };

// listed is everything held and offered: offers first, those that end soonest before others,
// then what is being done in the order it came, then what is written up.
export function listed(s: State): Item[] {
  return Object.values(s.items).sort((a, b) => rank[a.stage] - rank[b.stage] || (a.stage === "assigned" ? a.since - b.since || a.fence - b.fence : a.until - b.until || a.fence - b.fence));
}

export const keyOf = (i: Item): string => (i.stage === "wrapping" ? wrapKey(i.id) : i.id);

// itemOf is what is held of a task, the live part before the wrap-up.
export function itemOf(s: State, task: string): Item | undefined {
  return s.items[task] ?? s.items[wrapKey(task)];
}

// readable tells whether the server lets the agent read about a task: not once it goes on
// with somebody else.
export function readable(s: State, task: string): boolean {
  const item = itemOf(s, task);
  return item !== undefined && (item.stage !== "wrapping" || !["transferred", "lost"].includes(s.left[task] ?? ""));
}

// unread counts what the customer said that the agent has not looked at.
export function unread(s: State, task: string): number {
  const from = s.seen[task] ?? 0;
  return (s.logs[task]?.list ?? []).filter((m) => m.from === "customer" && m.seq > from).length;
}

// upgradeOf and checkOf are those of a task's interaction.
export const upgradeOf = (s: State, item: Item): Upgrade | undefined => s.upgrades[item.task?.interaction ?? ""];
export const checkOf = (s: State, item: Item): Check | undefined => s.checks[item.task?.interaction ?? ""];

// guestOf is the part that the agent has in a talk of somebody else's.
export function guestOf(s: State, task: string): Party | undefined {
  if (s.items[task]?.stage === "assigned") return undefined;
  return s.talks[task]?.parties.find((p) => p.name === s.name && p.state !== "ringing");
}

// secondsWanted are the checks of others that wait for a second officer, as this agent may be.
export function secondsWanted(s: State): Check[] {
  const own = new Set(Object.values(s.items).filter((i) => i.stage === "assigned").map((i) => i.task?.interaction));
  return Object.values(s.checks).filter((c) => c.state === "second" && c.officer !== s.name && !own.has(c.interaction));
}

// types tells whether the customer of a task writes; it holds for some seconds.
export function types(s: State, task: string, now: number): boolean {
  const at = s.typing[task];
  return at !== undefined && now - at < 8_000;
}

// ---- the rest

// here is a time of the server's on this clock, in milliseconds; 0 for none.
export function here(at: string | undefined, skew: number): number {
  if (!at) return 0;
  const ms = Date.parse(at);
  return Number.isNaN(ms) || ms < 0 ? 0 : ms - skew;
}

// skewBy learns from a frame that is told as it happens how far the clocks are apart. A frame
// is late, never early: of two the higher is right.
function skewBy(s: State, since: string | undefined, now: number): Pick<State, "skew" | "learned"> {
  const seen = since ? Date.parse(since) - now : NaN;
  if (s.phase !== "live" || Number.isNaN(seen)) return s;
  return { skew: s.learned ? Math.max(seen, s.skew) : seen, learned: true };
}

// clocked is told how far the clocks are apart as an answer by HTTP has it, to a second.
export function clocked(s: State, skew: number): State {
  return s.learned ? s : { ...s, skew };
}

function remember(s: State, task: Task): State {
  return { ...s, known: last(s.known, task.id, task) };
}

// last puts something in as the newest; of more than are remembered the oldest go.
function last<T>(all: Readonly<Record<string, T>>, key: string, value: T): Readonly<Record<string, T>> {
  const next: Record<string, T> = { ...without(all, key), [key]: value };
  const names = Object.keys(next);
  for (const old of names.slice(0, Math.max(0, names.length - mostKnown))) delete next[old];
  return next;
}

function turned(s: State, task: string): State {
  return { ...s, turn: { ...s.turn, [task]: (s.turn[task] ?? 0) + 1 } };
}

function without<T>(all: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> {
  if (!(key in all)) return all;
  const { [key]: _, ...rest } = all;
  return rest;
}
