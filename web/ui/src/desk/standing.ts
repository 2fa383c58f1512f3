// How voice and pictures stand, in a sentence and a mood; and who is to be seen. Pure.
import type { NoPicture, Tile } from "../face/tiles.tsx";
import type { Cam } from "../face/signal.ts";
import { asks, ended, waits } from "./faces.ts";
import type { Upgrade } from "./faces.ts";
import type { Party, Talk } from "./protocol.ts";
import { runs } from "./sight.ts";
import type { FaceWords } from "./words.ts";

export type Mood = "wait" | "ask" | "good" | "fallen" | "over";

export interface Standing {
  mood: Mood;
  text: string;
}

// standingOf tells how an upgrade stands to the agent of that name.
export function standingOf(u: Upgrade, me: string, w: FaceWords): Standing {
  if (ended(u)) return { mood: "over", text: (u.state === "over" && w.overWhy[u.why ?? ""]) || (w.ends[u.pictures ? `${u.state} pictures` : u.state] ?? w.ends[u.state]!)(u.level) };
  if (asks(u)) return { mood: "ask", text: w.customerAsks(u.level) };
  if (waits(u) && runs(u) !== "") return { mood: "wait", text: w.more(u.level) };
  if (u.state === "sent") return { mood: "wait", text: w.sentScreen };
  if (u.state === "asked") {
    if (u.by === "flow") return { mood: "wait", text: w.askedFlow(u.level) };
    if (u.by !== me) return { mood: "wait", text: w.askedBy(u.by, u.level) };
    return { mood: "wait", text: u.pictures ? w.askedScreen : w.askedYou(u.level) };
  }
  if (u.fallen) {
    const now = u.pictures ? " pictures" : u.now === "voice" ? " voice" : "";
    return { mood: "fallen", text: w.fallen[u.fallen === "network" ? `network${now}` : u.fallen] ?? w.fallen["network"]! };
  }
  if (u.state === "agreed") return { mood: "wait", text: w.agreed };
  return { mood: "good", text: w.up[u.pictures ? "pictures" : runs(u) || "voice"]! };
}

// Seen is what of a Sight tells who is to be seen.
export interface Seen {
  state: string;
  came: ReadonlySet<string>; // what was to be seen already
  shown: readonly { id: string; leg: string; kind: "camera" | "display"; stream: MediaStream; live: boolean }[];
  allowed: { camera: boolean };
  cam: Cam | "";
  on: boolean;
  own: MediaStream | null;
}

export interface Named {
  me: string;
  customer: string; // their name
  speaking(leg: string): boolean;
}

// tilesOf are the pictures in their order: what is shared, the customer, the others, oneself.
// Who has none stands there with the reason.
export function tilesOf(u: Upgrade | undefined, talk: Talk | undefined, seen: Seen, n: Named): Tile[] {
  const parties = talk?.parties ?? [];
  const mine = parties.find((p) => p.name === n.me && p.role !== "customer");
  const roles = new Map<string, Pick<Party, "role" | "name" | "muted">>([
    ...(u?.who ?? []).flatMap((x) => (x.leg ? [[x.leg, { role: x.role, name: x.name, muted: x.muted === true }] as const] : [])),
    ...parties.map((p) => [p.leg, p] as const),
  ]);
  const of = (leg: string) => roles.get(leg) ?? { role: "customer" }; // the page of a caller has a leg of its own
  const nameOf = (leg: string) => (of(leg).role === "customer" ? n.customer : (of(leg).name ?? ""));
  const others = seen.shown.filter((s) => s.leg !== mine?.leg);
  const tile = (s: Seen["shown"][number]): Tile => ({
    id: s.id, name: nameOf(s.leg), role: roleOf(of(s.leg).role), kind: s.kind, stream: s.stream,
    none: s.live ? "" : seen.came.has(s.id) ? "network" : "connecting", silent: of(s.leg).muted === true, speaking: s.kind === "camera" && n.speaking(s.leg),
  });
  const tiles = [...others.filter((s) => s.kind === "display" && s.live).map(tile), ...others.filter((s) => s.kind === "camera" && of(s.leg).role === "customer").map(tile)];
  const customer = parties.find((p) => p.role === "customer");
  if (!tiles.some((t) => t.role === "customer" && t.kind === "camera")) {
    tiles.push({ id: `${customer?.leg ?? "customer"}:camera`, name: n.customer, role: "customer", kind: "camera", stream: null, none: reasonOf(u, seen), silent: customer?.muted === true, speaking: customer !== undefined && n.speaking(customer.leg) });
  }
  tiles.push(...others.filter((s) => s.kind === "camera" && of(s.leg).role !== "customer").map(tile));
  for (const p of parties) {
    if (p === mine || p.role === "customer" || !["agent", "specialist"].includes(p.role) || p.device === "phone" || p.state === "ringing") continue;
    if (tiles.some((t) => t.id === `${p.leg}:camera`)) continue;
    tiles.push({ id: `${p.leg}:camera`, name: p.name ?? "", role: roleOf(p.role), kind: "camera", stream: null, none: "off", silent: p.muted === true, speaking: n.speaking(p.leg) });
  }
  if (seen.allowed.camera || seen.on) {
    const none: NoPicture = seen.own && seen.on ? "" : !seen.on ? "off" : seen.cam === "denied" || seen.cam === "unplugged" || seen.cam === "muted" ? seen.cam : "connecting";
    if (seen.allowed.camera) tiles.push({ id: "own", name: "", role: "you", kind: "camera", stream: none ? null : seen.own, none, silent: mine?.muted === true, speaking: mine !== undefined && n.speaking(mine.leg), mirror: true });
  }
  return tiles;
}

function reasonOf(u: Upgrade | undefined, seen: Seen): NoPicture {
  if (u?.fallen === "network") return "network";
  if (u?.fallen === "camera") return "off";
  if (seen.state !== "up" || u?.state !== "up") return "connecting";
  return "off";
}

const roleOf = (role: string): Tile["role"] => (role === "customer" || role === "agent" || role === "specialist" || role === "listener" ? role : "agent");
