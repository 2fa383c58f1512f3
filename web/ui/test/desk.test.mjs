import assert from "node:assert/strict";
import { test } from "node:test";
import { Awake } from "../src/staff/awake.ts";
import { Hold } from "../src/desk/hold.ts";
import { Kept } from "../src/desk/kept.ts";
import { can } from "../src/desk/can.ts";
import { empty, itemOf, listed, take, types, unread } from "../src/desk/store.ts";
import { World, task } from "./desk.world.mjs";

function begin(world) {
  const news = [];
  const hold = new Hold({ host: world.host, api: world.api, kept: new Kept(world.storage, "anna"), onNews: (n) => news.push(...n), onVoice: () => {}, onUp: () => {} });
  return Object.assign(hold, { heard: news });
}
const shown = (hold) => ({ items: listed(hold.state).map((i) => [i.id, i.stage, i.fence, i.kind]), talks: hold.state.talks });

// same fails unless the page knows all that was said, as the server has it, and what the agent
// said came once and in its order.
function same(hold, feed, want, when) {
  assert.deepEqual(shown(hold), want, when);
  for (const [task, all] of Object.entries(feed.messages)) assert.deepEqual(hold.state.logs[task]?.list, all, `${when}: the talk ${task}`);
  assert.deepEqual(feed.messages["a"].filter((m) => m.from === "agent").map((m) => m.text), ["good morning", "one moment"], when);
  assert.equal(hold.said.length, 0, `${when}: nothing waits to be sent`);
}

// day is what one agent goes through: two chats, a call, a text, with all that frames tell.
function* day(feed, hold) {
  yield feed.offer("a", 1);
  yield feed.assign("a", 1);
  yield feed.say("a", "customer", "hello");
  yield hold.say("a", "good morning");
  yield feed.offer("b", 2);
  yield feed.mark("a", 1, "read");
  yield feed.over("b", 2);
  yield feed.offer("c", 3, "call");
  yield hold.say("a", "one moment");
  yield feed.assign("c", 3, "call");
  yield feed.talk("c", { task: "c", interaction: "i-c", agent: "anna", parties: [{ leg: "1", role: "customer", state: "joined" }] });
  yield feed.say("a", "customer", "are you there?");
  yield feed.offer("b", 4);
  yield feed.talk("c", { task: "c", interaction: "i-c", agent: "anna", parties: [{ leg: "1", role: "customer", state: "joined", held: true }] });
  yield feed.assign("b", 4);
  yield feed.talk("c", null);
  yield feed.end("c", 3, "call");
  yield feed.say("b", "customer", "short question");
  yield hold.say("b", "short answer");
  yield feed.wrapped("c", 3);
  yield feed.end("a", 1);
  yield feed.offer("a", 9); // it comes back while the first is written up
}

async function through(world, { cutAt = Infinity, during = () => {} } = {}) {
  const hold = begin(world);
  hold.start();
  world.wire.cutAt = cutAt;
  await world.settle(0);
  let at = 0;
  for (const _ of day(world.feed, hold)) {
    during(at++);
    await world.settle(0);
  }
  await world.settle();
  return hold;
}

test("a page that is used or wanted keeps its login, one that nobody uses does not", () => {
  let asked = 0;
  const awake = new Awake(() => asked++);
  awake.look();
  assert.equal(asked, 0);
  awake.use();
  awake.look();
  awake.look();
  assert.equal(asked, 1, "once for what was done since the last look");
  awake.wanted = true;
  awake.look();
  awake.look();
  assert.equal(asked, 3, "an agent on duty, the wall");
});

test("a day cut at every frame ends as the day that was not", async () => {
  const whole = new World();
  const want = shown(await through(whole));
  const frames = whole.sockets[0].passed;
  assert.ok(frames > 40, `${frames} frames`);
  assert.deepEqual(want.items, [["a", "offered", 9, "chat"], ["b", "assigned", 4, "chat"], ["a", "wrapping", 1, "chat"]]);
  for (let cutAt = 0; cutAt <= frames; cutAt++) {
    const world = new World();
    const hold = await through(world, { cutAt });
    same(hold, world.feed, want, `cut at frame ${cutAt}`);
  }
});

test("a server that was restarted, or that remembers little, gives everything anew", async () => {
  const want = shown(await through(new World()));
  for (let at = 0; at < 22; at++) {
    const restarted = new World();
    same(await through(restarted, { during: (n) => n === at && restarted.feed.restart() }), restarted.feed, want, `restarted at ${at}`);
    const short = new World();
    short.feed.kept = 1;
    same(await through(short, { during: (n) => n === at && short.wire.cut() }), short.feed, want, `cut at ${at}, of a server that keeps one frame`);
  }
});

test("what was there during a snapshot stays until it is complete", async () => {
  const world = new World();
  const hold = begin(world);
  hold.start();
  world.feed.assign("a", 1);
  world.feed.assign("b", 2);
  await world.settle(0);
  world.feed.restart();
  hold.wire.poke();
  for (let i = 0; i < 30; i++) {
    world.clock.turn(100);
    while (world.wire.step()) assert.equal(listed(hold.state).length, 2, "nothing is gone in between");
  }
  assert.equal(hold.state.phase, "live");
  assert.equal(hold.heard.filter((n) => n.what === "offer").length, 0);
});

test("an offer rings once: not again when the line was cut, but after a restart if it is another", async () => {
  const world = new World();
  const hold = begin(world);
  hold.start();
  await world.settle(0);
  world.feed.offer("a", 1);
  await world.settle(0);
  world.wire.cut();
  await world.settle();
  world.feed.restart();
  await world.settle();
  assert.equal(hold.heard.filter((n) => n.what === "offer").length, 1);
  world.feed.held.a[0].task.fence = 2;
  world.feed.restart();
  await world.settle();
  assert.equal(hold.heard.filter((n) => n.what === "offer").length, 2);
});

test("silence is noticed within five seconds, and the line comes back by itself", async () => {
  const world = new World();
  const hold = begin(world);
  hold.start();
  await world.settle(2_000, 100);
  assert.equal(hold.wire.state, "up");
  world.feed.silent = true;
  world.reachable = false;
  let gone = 0;
  while (hold.wire.state === "up" && gone < 10_000) {
    await world.settle(0);
    world.clock.turn(100);
    gone += 100;
  }
  assert.ok(gone <= 5_000, `noticed after ${gone} ms`);
  world.feed.silent = false;
  world.reachable = true;
  await world.settle(10_000);
  assert.equal(hold.wire.state, "up");
  assert.equal(world.feed.said.findLast((f) => f.t === "hello").epoch, "e1", "it resumes");
});

test("what is said without a network goes once it is back, also after the page was loaded anew", async () => {
  const world = new World();
  let hold = begin(world);
  hold.start();
  world.feed.assign("a", 1);
  await world.settle(0);
  world.reachable = false;
  world.wire.cut();
  hold.say("a", "one");
  hold.say("a", "two");
  await world.settle(5_000);
  hold.wire.stop();
  hold = begin(world);
  assert.deepEqual(hold.said.map((s) => s.text), ["one", "two"]);
  world.reachable = true;
  hold.start();
  await world.settle();
  assert.deepEqual(world.feed.messages["a"].map((m) => m.text), ["one", "two"]);
  assert.deepEqual(hold.said, []);
  await assert.rejects((world.reachable = false, world.wire.cut(), hold.ask({ t: "release", task: "a", fence: 1 })), /./, "a command does not wait for a network");
});

test("a command whose answer was lost is asked again with its id; keys are not", async () => {
  const world = new World();
  const hold = begin(world);
  hold.start();
  await world.settle(0);
  const lose = () => {
    while (world.wire.up.length > 0) world.feed.take({ down: [] }, JSON.parse(world.wire.up.shift())); // it came, the answer does not
    world.wire.cut();
  };
  const accept = hold.ask({ t: "accept", task: "a", fence: 1 });
  lose();
  await world.settle();
  await accept;
  const accepts = world.feed.said.filter((f) => f.t === "accept");
  assert.equal(accepts.length, 2);
  assert.equal(accepts[0].id, accepts[1].id);
  const keys = hold.ask({ t: "call", task: "a", do: "keys", keys: "5" });
  keys.catch(() => {});
  lose();
  await world.settle();
  await assert.rejects(keys, (err) => err.code === "offline");
  assert.equal(world.feed.said.filter((f) => f.t === "call").length, 1, "played once");
});

test("who is not let in any more is told, and does not try again", async () => {
  const world = new World();
  const hold = begin(world);
  hold.start();
  await world.settle(0);
  const open = hold.ask({ t: "release", task: "a", fence: 1 });
  world.wire.up = [];
  world.wire.cut(1008, "login");
  await assert.rejects(open, (err) => err.code === "login");
  await world.settle(60_000);
  assert.equal(hold.wire.state, "refused");
  assert.equal(world.sockets.length, 1);
});

// ---- the store alone

const at = 1_763_800_000_000;
const live = (...frames) => [{ t: "welcome", name: "anna", agent: true, board: false, epoch: "e", n: 0, resumed: false }, { t: "ready", n: 0 }, ...frames.map((f, i) => ({ n: i + 1, ...f }))].reduce((s, f) => take(s, f, at), empty);

test("a frame of an older offer does not undo a newer one", () => {
  const s = live({ t: "offer", task: task("a", "chat", "offered", 7) }, { t: "offer_over", task: "a", fence: 5, why: "lapsed" });
  assert.equal(itemOf(s, "a").fence, 7);
  assert.equal(listed(live({ t: "offer", task: task("a", "chat", "offered", 7) }, { t: "offer_over", task: "a", fence: 7, why: "lapsed" })).length, 0);
});

test("lines are kept by their number, the newest of each", () => {
  const m = (seq, rev, text, from = "customer") => ({ t: "message", task: "a", message: { seq, rev, text, from, state: "sent", at: "", channel: "chat" } });
  const s = live(m(2, 2, "two"), m(1, 1, "one"), m(1, 4, "one again"), m(1, 3, "older"), m(3, 5, "mine", "agent"));
  assert.deepEqual(s.logs.a.list.map((x) => x.text), ["one again", "two", "mine"]);
  assert.equal(unread(s, "a"), 2);
});

test("writing is forgotten after some seconds, and when a message comes", () => {
  const s = live({ t: "typing", task: "a", on: true });
  assert.ok(types(s, "a", at + 1_000));
  assert.ok(!types(s, "a", at + 60_000));
  assert.ok(!types(take(s, { t: "message", n: 9, task: "a", message: { seq: 1, rev: 1, text: "x", from: "customer", state: "sent", at: "", channel: "chat" } }, at), "a", at));
});

test("a clock that is wrong by minutes shows what is left as it is", () => {
  const now = Date.parse("2026-11-22T09:00:00Z") - 300_000; // this clock is five minutes behind
  const s = [{ t: "welcome", name: "anna", agent: true, board: false, epoch: "e", n: 0, resumed: false }, { t: "ready", n: 0 }, { t: "offer", n: 1, task: task("a", "chat", "offered", 1) }].reduce((x, f) => take(x, f, now), empty);
  assert.equal(itemOf(s, "a").until - now, 30_000);
});

test("frames that nobody knows change nothing", () => {
  const s = live({ t: "offer", task: task("a", "chat", "offered", 1) });
  assert.deepEqual(take(s, { t: "something", n: 2 }, at).items, s.items);
  assert.deepEqual(take(s, { t: "something" }, at).items, s.items);
});

test("what can be done with a call follows who is in it", () => {
  const customer = { leg: "1", role: "customer", state: "joined" };
  const me = { leg: "2", role: "agent", name: "anna", state: "joined" };
  const asked = { leg: "3", role: "specialist", name: "bo", state: "ringing" };
  const of = (parties, more) => can({ task: "a", interaction: "i", agent: "anna", parties, ...more }, "anna");
  assert.deepEqual({ ...of([customer, me]) }, { hold: true, held: false, muted: false, keys: true, consult: true, consulting: false, both: false, merged: false });
  assert.equal(of([{ ...customer, held: true }, me]).held, true);
  assert.equal(of([{ ...customer, held: true }, me, asked]).both, false);
  assert.equal(of([{ ...customer, held: true }, me, { ...asked, state: "joined" }]).both, true);
  assert.equal(of([customer, me, { ...asked, state: "joined" }]).merged, true);
  assert.equal(of([customer, me], { secret: true }).consult, false);
  assert.equal(of([customer, me], { lent: true }).hold, false);
  assert.equal(can(undefined, "anna").keys, false);
});

test("drafts are kept by what they are for, and end with the day", () => {
  const { storage } = new World();
  const kept = new Kept(storage, "anna");
  kept.keepDraft("say a", "half a sen", at);
  assert.equal(new Kept(storage, "anna").draft("say a"), "half a sen");
  assert.equal(new Kept(storage, "bo").draft("say a"), "", "of another agent nothing is shown");
  kept.keepDraft("say b", "x", at + 25 * 3600_000);
  assert.equal(kept.draft("say a"), "");
  const broken = new Kept({ getItem: () => "{", setItem: () => { throw new Error("full"); }, removeItem: () => {} }, "anna");
  broken.keepDraft("say a", "lasts as long as the page", at);
  assert.equal(broken.draft("say a"), "lasts as long as the page");
});
