import assert from "node:assert/strict";
import { test } from "node:test";
import { distanceOf, likenessOf } from "../src/desk/check/advice.ts";
import { comparedOf, complete, lastTake, pairOf, wanted } from "../src/desk/check/steps.ts";
import { can } from "../src/desk/can.ts";
import { asks, waits } from "../src/desk/faces.ts";
import { Hold } from "../src/desk/hold.ts";
import { Kept } from "../src/desk/kept.ts";
import { reachable } from "../src/desk/reach.ts";
import { Sights, runs, takesPart } from "../src/desk/sight.ts";
import { standingOf, tilesOf } from "../src/desk/standing.ts";
import { checkAway, empty, guestOf, secondsWanted, take } from "../src/desk/store.ts";
import { faceEn } from "../src/desk/words/face-en.ts";
import { faceZh } from "../src/desk/words/face-zh.ts";
import { journalEn } from "../src/desk/words/journal-en.ts";
import { journalZh } from "../src/desk/words/journal-zh.ts";
import { World, task } from "./desk.world.mjs";

const live = { ...empty, name: "anna", agent: true, phase: "live", whole: true };
const told = (s, ...frames) => frames.reduce((s, f) => take(s, { ...f, n: s.n + 1 }, 0), s);
const upgrade = (more = {}) => ({ id: "u1", interaction: "i-a", task: "a", state: "asked", by: "anna", level: "video", agreed: "", now: "", ...more });
const upgraded = (more) => ({ t: "upgrade", task: "a", interaction: "i-a", upgrade: upgrade(more) });
const checked = (more) => ({ t: "check", task: "a", interaction: "i-a", check: { id: "k1", policy: "face", state: "running", round: 1, officer: "anna", level: "proofed", steps: [], ...more } });
const assigned = { t: "task", task: task("a", "chat", "assigned", 1), why: "assigned" };

test("an upgrade is known until another begins or its task is gone; what ended stays to be read", () => {
  let s = told(live, assigned, upgraded({}));
  assert.equal(s.upgrades["i-a"].state, "asked");
  assert.deepEqual(s.news.map((n) => n.what), ["upgrade"]);
  s = told(s, upgraded({ state: "refused" }));
  s = told(s, { t: "upgrade", task: "a", interaction: "i-a", upgrade: null });
  assert.equal(s.upgrades["i-a"].state, "refused", "the end is still to be read");
  s = told(s, upgraded({ id: "u2" }));
  assert.equal(s.upgrades["i-a"].id, "u2");
  assert.equal(s.news[0].before, null, "another one is no change of the first");
  s = told(s, { t: "task", task: task("a", "chat", "wrapping", 1), why: "done" });
  assert.equal(s.upgrades["i-a"], undefined);
});

test("a snapshot has upgrades, checks and role links anew", () => {
  let s = told(live, assigned, upgraded({ state: "up", agreed: "video" }), checked({}), { t: "role_link", task: "a", link: { id: "r1", role: "specialist", url: "/desk#join=x", expires: "2026-11-22T10:00:00Z" } });
  s = told(s, { t: "role_link", task: "a", link: { id: "r1", role: "specialist", state: "used", used_by: "bo", expires: "2026-11-22T10:00:00Z" } });
  assert.deepEqual(s.roleLinks.a.map((l) => [l.state, l.used_by, l.url]), [["used", "bo", "/desk#join=x"]], "the address that was told once stays known");
  s = take(s, { t: "welcome", name: "anna", agent: true, board: false, epoch: "e2", n: 9, resumed: false }, 0);
  for (const f of [assigned, upgraded({ state: "agreed", agreed: "voice" })]) s = take(s, { ...f, n: 9 }, 0);
  s = take(s, { t: "ready", n: 9 }, 0);
  assert.deepEqual([s.upgrades["i-a"].state, Object.keys(s.checks), Object.keys(s.roleLinks)], ["agreed", [], []]);
});

test("what may run is what was asked for, as far as it was agreed to", () => {
  for (const [level, agreed, state, want] of [
    ["video", "", "asked", ""],
    ["video", "", "sent", ""],
    ["video", "video", "agreed", "video"],
    ["video", "voice", "up", "voice"],
    ["voice", "video", "up", "voice"],
    ["", "video", "up", ""],
    ["video", "video", "over", ""],
    ["video", "video", "refused", ""],
  ]) assert.equal(runs(upgrade({ level, agreed, state })), want, `${level} of ${agreed}, ${state}`);
  assert.equal(runs(undefined), "");
});

test("who is to answer: to the first ask, and to one for more than runs", () => {
  const until = "2026-11-22T10:00:00Z";
  assert.equal(waits(upgrade({ until })), true);
  assert.equal(waits(upgrade({ state: "up", level: "video", agreed: "voice", until })), true);
  assert.equal(waits(upgrade({ state: "up", level: "voice", agreed: "video", until })), false);
  assert.equal(asks(upgrade({ by: "customer", until })), true);
  assert.equal(asks(upgrade({ by: "customer", state: "up", level: "video", agreed: "voice", until })), true);
  assert.equal(asks(upgrade({ by: "customer", state: "agreed", agreed: "video", until })), false);
  assert.equal(asks(upgrade({ until })), false, "one's own ask");
});

test("every state of an upgrade has a sentence in both languages", () => {
  const seen = new Set();
  for (const w of [faceEn, faceZh]) {
    for (const state of ["asked", "sent", "agreed", "up", "refused", "lapsed", "withdrawn", "over"]) {
      for (const by of ["anna", "bo", "flow", "customer"]) for (const level of ["voice", "video"]) for (const fallen of ["", "network", "camera", "microphone", "agent"]) for (const now of ["", "voice", "video"]) for (const pictures of [false, true]) for (const agreed of ["", "voice", "video"]) for (const why of ["", "left", "ended", "lost", "agent", "no word for it"]) {
        const u = upgrade({ state, by, level, fallen, now, pictures, agreed, why, until: "2026-11-22T10:00:00Z" });
        const { mood, text } = standingOf(u, "anna", w);
        assert.ok(typeof text === "string" && text.length > 3, `${JSON.stringify(u)}: ${text}`);
        assert.equal(mood === "ask", asks(u));
        seen.add(mood);
      }
    }
  }
  assert.deepEqual([...seen].sort(), ["ask", "fallen", "good", "over", "wait"]);
});

test("words of faces and of the journal: the same in both languages", () => {
  const shape = (w) => Object.fromEntries(Object.entries(w).map(([k, v]) => [k, typeof v === "object" ? Object.keys(v).sort() : typeof v]));
  assert.deepEqual(shape(faceZh), shape(faceEn));
  assert.deepEqual(shape(journalZh), shape(journalEn));
  const data = { check: "k", policy: "face", round: 2, step: "front", state: "done", source: "page", why: "cut", seconds: 6.2, outcome: "passed", officer: "anna", second: "bo", by: "customer", level: "video", now: "voice", role: "specialist", used: "mei", agent: "anna" };
  for (const kind of ["upgrade.changed", "upgrade.carried", "room.invited", "check.begun", "check.step", "check.evidence", "check.interrupted", "check.decided", "blob.removed"]) {
    for (const j of [journalEn, journalZh]) {
      assert.doesNotMatch(j[kind](data), /undefined|NaN|\[object/, kind);
      assert.doesNotMatch(j[kind]({}), /undefined|NaN|\[object/, `${kind} of nothing`);
    }
  }
});

test("who came by a link is in the talk: it can be held, and others asked in", () => {
  const guest = can(talk(customer, anna, { ...bo, guest: true }), "anna");
  assert.deepEqual([guest.hold, guest.consult, guest.consulting], [true, true, false]);
  assert.equal(can(talk(customer, anna, bo), "anna").consulting, true);
});

// ---- who is seen

const stream = (name) => ({ name });
const talk = (...parties) => ({ task: "a", interaction: "i-a", agent: "anna", parties });
const customer = { leg: "c", role: "customer", device: "browser", state: "joined" };
const anna = { leg: "me", role: "agent", name: "anna", device: "browser", state: "joined" };
const bo = { leg: "b", role: "specialist", name: "bo", device: "browser", state: "joined" };
const up = upgrade({ state: "up", agreed: "video", now: "video" });
const nobody = { me: "anna", customer: "Liu Wei", speaking: () => false };
const seen = (more = {}) => ({ state: "up", shown: [], came: new Set(), allowed: { camera: true }, cam: "ok", on: true, own: stream("own"), ...more });
const shown = (id, liveNow = true) => ({ id, leg: id.split(":")[0], kind: id.split(":")[1], stream: stream(id), live: liveNow });
const ids = (tiles) => tiles.map((t) => [t.id, t.role, t.none ?? ""]);

test("tiles: what is shared, the customer, the others, oneself", () => {
  const all = tilesOf(up, talk(customer, anna, bo), seen({ shown: [shown("b:camera"), shown("c:camera"), shown("b:display")] }), nobody);
  assert.deepEqual(ids(all), [["b:display", "specialist", ""], ["c:camera", "customer", ""], ["b:camera", "specialist", ""], ["own", "you", ""]]);
  assert.equal(all[1].name, "Liu Wei");
  assert.deepEqual(ids(tilesOf(up, talk(customer, anna, bo), seen({ shown: [shown("c:camera"), shown("b:display", false)] }), nobody))[0], ["c:camera", "customer", ""], "nobody shares a screen");
  assert.equal(all[3].mirror, true);
});

test("tiles: why there is no picture", () => {
  const of = (u, s, t = talk(customer, anna)) => ids(tilesOf(u, t, s, nobody))[0];
  assert.deepEqual(of(up, seen({ state: "connecting" })), ["c:camera", "customer", "connecting"]);
  assert.deepEqual(of(up, seen()), ["c:camera", "customer", "off"]);
  assert.deepEqual(of({ ...up, fallen: "network" }, seen()), ["c:camera", "customer", "network"]);
  assert.deepEqual(of(up, seen({ shown: [shown("c:camera", false)] })), ["c:camera", "customer", "connecting"], "on its way, not lost");
  assert.deepEqual(of(up, seen({ shown: [shown("c:camera", false)], came: new Set(["c:camera"]) })), ["c:camera", "customer", "network"], "it was there");
  assert.deepEqual(ids(tilesOf(up, talk(customer, anna), seen({ own: null, cam: "denied" }), nobody))[1], ["own", "you", "denied"]);
  assert.deepEqual(ids(tilesOf(up, talk(customer, anna), seen({ on: false }), nobody))[1], ["own", "you", "off"]);
});

test("tiles: a caller's page has a leg of its own, a listener shows nothing, a telephone has no tile", () => {
  const phone = { leg: "x", role: "customer", number: "+861", device: "phone", state: "joined" };
  assert.deepEqual(ids(tilesOf({ ...up, pictures: true }, talk(phone, anna), seen({ shown: [shown("page:camera")] }), nobody)), [["page:camera", "customer", ""], ["own", "you", ""]]);
  const listener = tilesOf(up, talk(customer, bo, { ...anna, role: "listener" }), seen({ allowed: { camera: false }, shown: [shown("c:camera")] }), nobody);
  assert.ok(!listener.some((t) => t.role === "you"));
  assert.ok(!tilesOf(up, talk(customer, anna, { ...bo, device: "phone" }), seen(), nobody).some((t) => t.role === "specialist"));
});

// ---- the connection

function played() {
  const w = { sent: [], made: [], cameras: [], timers: [], wanted: { camera: true, device: "" }, chosen: [], displays: 0 };
  let n = 0;
  w.sights = new Sights({
    pictures(o) {
      const p = { o, log: [], start: async () => void p.log.push("start"), take: async (s) => void p.log.push(s.kind), again: () => p.log.push("again"), camera: (t) => p.log.push(t ? "camera" : "no camera"), display: (t) => p.log.push(t ? "display" : "no display"), cam: (c) => p.log.push(`cam ${c}`), close: () => p.log.push("close") };
      w.made.push(p);
      return p;
    },
    camera(o) {
      const c = { o, log: [], track: null, open: async () => (c.log.push("open"), o.onCam("ok"), o.onTrack({})), use: async () => {}, off: () => (c.log.push("off"), o.onTrack(null)), close: () => c.log.push("close") };
      w.cameras.push(c);
      return c;
    },
    share: async () => ({ stop: () => w.displays++, addEventListener() {} }),
    servers: async () => [],
    send: (interaction, page, s) => (w.sent.push([interaction, page, s.kind, s.why]), true),
    id: () => `p${++n}`,
    after: (ms, run) => (w.timers.push({ ms, run }), () => (w.timers = w.timers.filter((t) => t.run !== run))),
    wanted: () => w.wanted,
    choose: (on) => w.chosen.push(on),
  });
  return w;
}

const having = (more) => told(live, assigned, upgraded({ state: "agreed", agreed: "video", ...more }));

test("pictures are connected once they were agreed to, and for who takes part only", () => {
  const w = played();
  w.sights.follow(told(live, assigned, upgraded({})));
  assert.equal(w.made.length, 0, "asked is not agreed");
  w.sights.follow(told(live, upgraded({ state: "agreed", agreed: "video" })));
  assert.equal(w.made.length, 0, "nobody of this page's");
  w.sights.follow(having({ agreed: "voice" }));
  assert.equal(w.made.length, 0, "voice has none");
  w.sights.follow(having());
  assert.equal(w.made.length, 1);
  assert.equal(w.made[0].o.slots, 6);
  w.sights.follow(having({ state: "up" }));
  assert.equal(w.made.length, 1, "it is the same");
  w.sights.follow(having({ level: "voice" }));
  assert.equal(w.sights.of("i-a"), undefined, "down to voice they end");
  assert.deepEqual(w.sent.at(-1), ["i-a", "p1", "bye", "closed"]);
});

test("the camera is opened when the server lets it be shown, not before, and is shut at the end", async () => {
  const w = played();
  w.sights.follow(having());
  assert.equal(w.cameras.length, 0);
  w.made[0].o.onAllowed({ camera: true, display: true });
  await 0;
  assert.deepEqual(w.cameras[0].log, ["open"]);
  assert.deepEqual(w.made[0].log.filter((x) => x.startsWith("cam")), ["cam ok", "camera"]);
  w.made[0].o.onAllowed({ camera: false, display: false });
  assert.equal(w.cameras[0].log.at(-1), "off", "it may be shown no more");
  w.sights.follow(told(having(), upgraded({ state: "over", why: "ended" })));
  assert.equal(w.cameras[0].log.at(-1), "close");
  const quiet = played();
  quiet.wanted = { camera: false, device: "" };
  quiet.sights.follow(having());
  quiet.made[0].o.onAllowed({ camera: true, display: true });
  assert.equal(quiet.cameras.length, 0, "the agent chose to keep it off");
  quiet.sights.of("i-a").camera(true);
  assert.equal(quiet.cameras.length, 1);
  assert.deepEqual(quiet.chosen, [true]);
});

test("a listener's page opens no camera and shares nothing", async () => {
  const w = played();
  const s = told(live, { t: "talk", task: "t", talk: { ...talk(customer, { ...anna, role: "listener" }), task: "t" } }, { ...upgraded({ state: "up", agreed: "video" }), task: "t" });
  assert.equal(guestOf(s, "t").role, "listener");
  w.sights.follow(s);
  assert.equal(w.made.length, 1, "but sees");
  w.made[0].o.onAllowed({ camera: false, display: false });
  assert.equal(w.cameras.length, 0);
});

test("another page takes the pictures: this one lets its devices go until it takes them back", async () => {
  const w = played();
  w.sights.follow(having());
  w.made[0].o.onAllowed({ camera: true, display: true });
  await w.sights.of("i-a").share(true);
  w.sights.take("i-a", "p1", { kind: "bye", why: "elsewhere" });
  assert.equal(w.sights.of("i-a").elsewhere, true);
  assert.equal(w.displays, 1, "the screen is shared no more");
  assert.equal(w.cameras[0].log.at(-1), "close");
  assert.equal(w.timers.length, 0, "it does not fight for them");
  w.sights.of("i-a").here();
  assert.equal(w.made.length, 2);
});

test("pictures that are lost come back by themselves, later each time; old signals are none of theirs", async () => {
  const w = played();
  w.sights.follow(having());
  const waits = [];
  for (let n = 0; n < 6; n++) {
    w.made.at(-1).o.onState("gone");
    waits.push(w.timers[0].ms);
    w.timers.shift().run();
  }
  assert.deepEqual(waits, [1500, 3000, 6000, 12000, 20000, 20000]);
  w.made.at(-1).o.onState("up");
  w.sights.take("i-a", "p1", { kind: "answer", sdp: "" });
  assert.ok(!w.made.at(-1).log.includes("answer"), "it was for a connection before");
  w.made[0].o.onShown([shown("c:camera")]);
  assert.equal(w.sights.of("i-a").shown.length, 0);
  w.sights.refused("p7", "forbidden");
  assert.equal(w.timers.length, 1, "the server does not want it now: later");
  w.sights.reconnected();
});

// ---- identity checks

test("a check waits for another officer's eyes, never for its own officer's", () => {
  let s = told(live, assigned, checked({ state: "second" }));
  assert.deepEqual(secondsWanted(s), []);
  s = told(s, { t: "check", interaction: "i-b", check: { ...checked({ id: "k2", state: "second", officer: "bo" }).check } });
  assert.deepEqual(secondsWanted(s).map((c) => c.id), ["k2"]);
  s = told(s, { t: "check", interaction: "i-b", check: { ...checked({ id: "k2", state: "passed", officer: "bo" }).check } });
  assert.deepEqual(secondsWanted(s), []);
  assert.equal(checkAway(s, "i-a").checks["i-a"].id, "k1", "one that goes on is not put away");
  assert.equal(checkAway(s, "i-b").checks["i-b"], undefined);
});

const still = (blob, source, round, n) => ({ blob, source, round, n, width: 1, height: 1, at: "" });
const step = (kind, more = {}) => ({ name: kind, kind, state: "present", stills: [], ...more });

test("a step is done when all is noted, with a still of this round where one is needed", () => {
  const check = { id: "k", round: 2, steps: [] };
  const asked = step("compare", { asks: [{ name: "a", ask: {} }, { name: "b", ask: {} }] });
  assert.deepEqual(wanted(asked), ["a", "b"]);
  assert.equal(complete(check, asked, { a: "yes" }), false);
  assert.equal(complete(check, asked, { a: "yes", b: "no" }), true);
  const acts = step("request", { requests: [{ what: "turn_left" }, { what: "read_number", number: "4821" }] });
  assert.equal(complete(check, acts, { turn_left: "yes" }), false);
  assert.equal(complete(check, acts, { turn_left: "yes", read_number: "no" }), true);
  assert.equal(complete(check, step("document", { stills: [still("x", "server", 1, 1)] }), {}), false, "of a round that is void");
  assert.equal(complete(check, step("document", { stills: [still("x", "server", 2, 1)] }), {}), true);
  assert.equal(complete(check, step("code"), {}), false, "the customer does it");
});

test("the newest stills of this round are compared, the sharper first", () => {
  const front = step("document", { name: "front", stills: [still("old", "page", 1, 1), still("s1", "server", 2, 2), still("s2", "server", 2, 3), still("p2", "page", 2, 3)] });
  assert.deepEqual(lastTake(front).map((s) => s.blob), ["s2", "p2"]);
  const look = step("face", { stills: [still("f", "server", 2, 4)] });
  assert.deepEqual([pairOf({ round: 2, steps: [front, look] }).document.still.blob, pairOf({ round: 2, steps: [front, look] }).face.still.blob], ["p2", "f"]);
  assert.equal(pairOf({ round: 3, steps: [front, look] }), undefined, "void rounds give none");
  const back = step("document", { name: "back", side: "back", stills: [still("b", "page", 2, 5)] });
  assert.deepEqual(comparedOf({ round: 2, steps: [front, back, look] }).map((c) => [c.step.name, c.still.blob]), [["front", "p2"], ["back", "b"], ["face", "f"]], "both sides, then the face");
});

test("likeness is a word of three, and nothing sure around the line", () => {
  assert.deepEqual([0, 0.49, 0.5, 0.6, 0.65, 0.66, 1.2].map(likenessOf), ["likely", "likely", "unsure", "unsure", "unsure", "unlikely", "unlikely"]);
  assert.equal(distanceOf(Float32Array.of(1, 0), Float32Array.of(1, 0)), 0);
  assert.ok(Math.abs(distanceOf(Float32Array.of(1, 0), Float32Array.of(0, 1)) - Math.SQRT2) < 1e-6);
});

// ---- the page at work

test("a guest reads what was said, and signals of pictures go where they belong", async () => {
  const world = new World();
  const screens = [];
  const hold = new Hold({ host: world.host, api: world.api, kept: new Kept(world.storage, "anna"), onNews: () => {}, onVoice: () => {}, onScreen: (...x) => screens.push(x), onUp: () => {} });
  hold.start();
  world.feed.messages["t"] = [{ rev: 1, seq: 1, state: "sent", at: "2026-11-22T09:00:00Z", from: "customer", channel: "chat", text: "hello" }];
  await world.settle(0);
  world.feed.talk("t", { task: "t", interaction: "i-t", agent: "bo", parties: [customer, { ...anna, role: "specialist" }] });
  await world.settle();
  assert.deepEqual(hold.state.logs["t"].list.map((m) => m.text), ["hello"]);
  assert.equal(takesPart(hold.state, upgrade({ interaction: "i-t" })), true);
  world.wire.onmessage({ data: JSON.stringify({ t: "screen", interaction: "i-t", page: "p1", signal: { kind: "answer" } }) });
  world.wire.onmessage({ data: JSON.stringify({ t: "error", page: "p1", code: "forbidden", message: "" }) });
  world.wire.onmessage({ data: JSON.stringify({ t: "error", page: "p1", code: "too_fast", message: "" }) });
  assert.deepEqual(screens, [["i-t", "p1", { kind: "answer" }], ["", "p1", { kind: "bye", why: "forbidden" }]]);
});

// ---- words

test("the journal says who did it, by the event's actor", () => {
  const say = journalEn["upgrade.changed"];
  assert.equal(say({ actor: "caller", by: "anna", state: "agreed", level: "voice" }), "The customer agreed to voice");
  assert.equal(say({ actor: "caller", by: "anna", state: "over" }), "The customer ended voice and pictures");
  assert.equal(say({ actor: "system", by: "anna", state: "over" }), "Voice and pictures ended");
  assert.equal(journalEn["consent.given"]({ kind: "video", check: "k1", answer: "yes" }), "Consent to the identity check: yes");
});

test("a customer can be called whose number is known, not who only has a chat", () => {
  const view = (from, ...bindings) => ({ interaction: { from }, bindings });
  assert.equal(reachable(view("chat:0123456789")), false);
  assert.equal(reachable(view("", { kind: "chat" })), false);
  assert.equal(reachable(view("+86 138 •••• 0001")), true);
  assert.equal(reachable(view("chat:012", { kind: "phone" })), true);
  assert.equal(reachable(null), false);
});
