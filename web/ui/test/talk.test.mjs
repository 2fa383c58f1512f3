import assert from "node:assert/strict";
import { test } from "node:test";
import { UploadError } from "../src/widget/api.ts";
import { Talk } from "../src/widget/talk.ts";
import { World } from "./world.mjs";

function begin(world, more = {}) {
  return new Talk({ host: world.host, base: "https://host.example/", site: "bank", langs: () => ["en"], upload: async () => ({ id: "blob1" }), ...more });
}
const texts = (talk) => talk.log.list.map((m) => m.text);
const only = (world) => [...world.server.conversations.values()][0];

test("a visitor without a talk connects only when the panel opens, and is greeted once", () => {
  const world = new World();
  const talk = begin(world);
  world.settle(5_000);
  assert.equal(world.sockets.length, 0);
  assert.equal(talk.state, "off");
  talk.open();
  world.run();
  assert.deepEqual(texts(talk), ["hello"]);
  assert.equal(talk.state, "up");
  world.wire.cut();
  world.settle();
  assert.equal(only(world).opened, 1, "a cut does not open anew");
  assert.equal(JSON.parse(world.local.get("tandem:bank")).token, "token1");
});

test("the server is told of a language that was chosen, also without a connection", () => {
  const world = new World();
  const talk = begin(world);
  talk.open();
  world.run();
  talk.chooseLanguage("zh-CN");
  world.run();
  assert.deepEqual(only(world).langs, ["zh-CN"]);
  world.reachable = false;
  world.wire.cut();
  talk.chooseLanguage("en");
  world.settle();
  assert.deepEqual(only(world).langs, ["zh-CN"]);
  world.reachable = true;
  world.settle();
  assert.deepEqual(only(world).langs, ["en"]);
  assert.equal(world.server.said.filter((f) => f.t === "lang").length, 2, "each once");
  assert.equal(talk.language(), "en");
});

test("an open that was lost with the connection is said again", () => {
  const world = new World();
  const talk = begin(world);
  talk.open();
  world.sockets[0].cutAt = 2; // hello, welcome, open
  world.settle();
  assert.deepEqual(texts(talk), ["hello"]);
});

test("a token is kept when the first thing is said, not before", () => {
  const world = new World();
  const talk = begin(world);
  talk.open();
  world.wire.cutAt = 1; // the welcome does not come
  world.run();
  assert.equal(world.local.get("tandem:bank"), null);
  world.clock.turn(5_000);
  world.wire.cutAt = 3; // hello, welcome, open; the answer to it is lost
  world.settle();
  assert.equal(world.server.conversations.size, 1);
  assert.equal(JSON.parse(world.local.get("tandem:bank")).token, talk.token);
  assert.deepEqual(texts(talk), ["hello"]);
});

test("messages show pending, then sent; the next goes when the one before has come", () => {
  const world = new World();
  const talk = begin(world);
  talk.open();
  world.run();
  talk.say("one");
  talk.say("two");
  assert.deepEqual(talk.outbox.items.map((i) => i.text), ["one", "two"]);
  assert.equal(world.wire.up.filter((f) => f.includes('"say"')).length, 1);
  world.run();
  assert.equal(talk.outbox.items.length, 0);
  assert.deepEqual(texts(talk), ["hello", "one", "reply to one", "two", "reply to two"]);
  assert.equal(talk.log.list[1].state, "sent");
});

test("what is said without a network survives a reload and goes once, in order", () => {
  const world = new World();
  let talk = begin(world);
  talk.open();
  world.run();
  world.reachable = false;
  world.wire.cut();
  for (const text of ["a", "b", "c"]) talk.say(text);
  world.settle(300_000);
  assert.equal(talk.state, "waiting");
  talk.stop();
  talk = begin(world); // the page is loaded again
  assert.deepEqual(talk.outbox.items.map((i) => i.text), ["a", "b", "c"]);
  assert.deepEqual(texts(talk), ["hello"], "the tab has kept what came");
  const rev = talk.log.rev;
  world.reachable = true;
  talk.poke();
  world.settle(60_000);
  assert.deepEqual(texts(talk).filter((t) => !t.startsWith("reply")), ["hello", "a", "b", "c"]);
  assert.equal(world.local.keys().length, 1, "the outbox is empty in the storage too");
  assert.equal(world.server.said.findLast((f) => f.t === "hello").after, rev, "it asks for what is newer only");
});

// The talk of the shipped promise: cut at every frame, nothing is lost, doubled or out of order.
test("sixty messages, cut at every frame", () => {
  const whole = new World();
  const frames = talkOfSixty(whole, Infinity);
  assert.ok(frames > 120, `${frames} frames`);
  for (let cutAt = 0; cutAt <= frames; cutAt++) talkOfSixty(new World(), cutAt);
});

function talkOfSixty(world, cutAt) {
  const talk = begin(world);
  talk.look(true);
  talk.open();
  world.run = () => {
    for (const s of world.sockets) s.cutAt = cutAt; // the second connection is cut there too
    for (let moved = true; moved; ) moved = world.sockets.map((s) => s.step()).some(Boolean);
    cutAt = world.sockets.length > 2 ? Infinity : cutAt;
  };
  for (let i = 1; i <= 30; i++) talk.say(`m${i}`);
  world.settle(120_000);
  const c = only(world);
  const want = ["hello", ...Array.from({ length: 30 }, (_, i) => [`m${i + 1}`, `reply to m${i + 1}`]).flat()];
  assert.deepEqual(c.list.map((m) => m.text), want, `server, cut at ${cutAt}`);
  assert.deepEqual(texts(talk), want, `client, cut at ${cutAt}`);
  assert.equal(talk.outbox.items.length, 0);
  assert.deepEqual(talk.log.list, c.list, "states are the same on both sides");
  assert.ok(c.list.every((m) => m.from === "customer" || m.state === "read"));
  return world.sockets[0].passed;
}

test("changed messages take the newer word, whatever the order", () => {
  const world = new World();
  const talk = begin(world);
  talk.open();
  world.settle(1_000);
  const m = (seq, rev, state) => ({ data: JSON.stringify({ t: "message", seq, rev, state, from: "customer", text: `t${seq}`, at: "2026-01-01T00:00:00Z" }) });
  for (const [seq, rev, state] of [[3, 12, "sent"], [2, 11, "delivered"], [2, 10, "sent"], [3, 13, "read"]]) world.wire.onmessage(m(seq, rev, state));
  assert.deepEqual(talk.log.list.map((x) => [x.seq, x.state]), [[1, "delivered"], [2, "delivered"], [3, "read"]]);
  assert.equal(talk.log.rev, 13);
  for (const odd of ["", "{", "null", "[]", '{"t":"message"}', '{"t":"message","seq":-1,"rev":2,"from":"flow"}', '{"t":"message","seq":9,"rev":99,"from":"me"}', '{"t":"new"}', 7]) world.wire.onmessage({ data: odd });
  assert.equal(talk.log.list.length, 3, "what cannot be read is passed over");
});

test("refusals: put off and tried again, or failed until the person asks", () => {
  const world = new World();
  const talk = begin(world);
  talk.open();
  world.run();
  world.server.refuse = [{ code: "too_fast", retry_after: 3 }];
  talk.say("slow");
  talk.say("after it");
  world.run();
  assert.equal(talk.outbox.items.length, 2);
  assert.equal(talk.outbox.items[0].failed, undefined);
  world.clock.turn(3_000);
  world.run();
  assert.deepEqual(texts(talk).filter((t) => !t.startsWith("reply")), ["hello", "slow", "after it"]);

  world.server.refuse = [{ code: "too_long", message: { en: "Too long." } }];
  talk.say("long");
  talk.say("short");
  world.run();
  assert.deepEqual(talk.outbox.items.map((i) => [i.text, i.failed]), [["long", "too_long"]], "the others go on");
  const id = talk.outbox.items[0].id;
  talk.retry(id);
  world.run();
  assert.equal(talk.outbox.items.length, 0);
  assert.equal(talk.log.list.at(-2).id, id, "with the same id");

  world.server.refuse = Array(10).fill({ code: "full", retry_after: 1 });
  talk.say("again and again");
  world.settle(30_000);
  assert.equal(talk.outbox.items[0].failed, "full", "it is not tried for ever");
  talk.discard(talk.outbox.items[0].id);
  assert.equal(talk.outbox.items.length, 0);

  world.server.refuse = [{ code: "full", retry_after: 3600 }];
  talk.say("later");
  world.run();
  assert.equal(talk.outbox.items[0].failed, "full", "an hour is not waited for");
});

test("a secret stays in memory, and goes only where it was asked for", () => {
  const world = new World();
  world.server.greet = (c) => world.server.add(c, { from: "flow", text: "Your PIN?", asks_secret: true });
  world.server.reply = () => {};
  let talk = begin(world);
  talk.open();
  world.run();
  assert.equal(talk.asking.text, "Your PIN?");
  world.reachable = false;
  world.wire.cut();
  talk.say("1234", true);
  assert.ok(![...world.local.map.values(), ...world.session.map.values()].some((v) => v.includes("1234")));
  world.reachable = true;
  world.settle();
  assert.deepEqual(texts(talk), ["Your PIN?", "••••"]);
  assert.deepEqual(world.server.said.filter((f) => f.t === "say").map((f) => [f.text, f.secret]), [["1234", true]]);

  world.server.add(only(world), { from: "flow", text: "Again?", asks_secret: true });
  world.run();
  world.reachable = false;
  world.wire.cut();
  talk.say("5678", true);
  world.server.add(only(world), { from: "flow", text: "Too late. Name?" });
  world.reachable = true;
  world.settle();
  assert.equal(talk.outbox.items.length, 0);
  assert.equal(talk.notice.code, "secret_gone");
  assert.ok(!world.server.said.some((f) => f.text === "5678"), "it never left");

  world.server.add(only(world), { from: "flow", text: "Once more?", asks_secret: true });
  world.run();
  world.server.refuse = [{ code: "not_now" }];
  talk.say("9999", true);
  world.run();
  assert.equal(talk.outbox.items.length, 0, "refused: it is not kept for a retry");
  assert.equal(talk.notice.code, "secret_gone");
});

test("read when looked at, delivered when not; unread counts what was not seen", () => {
  const world = new World();
  const talk = begin(world);
  talk.open();
  world.settle(1_000);
  assert.equal(talk.log.list[0].state, "delivered");
  assert.equal(talk.unread, 1);
  world.server.add(only(world), { from: "agent", name: "Lin", text: "are you there?" });
  world.server.add(only(world), { from: "system", text: "Lin has joined" });
  world.settle(1_000);
  assert.equal(talk.unread, 2, "the system's words do not count");
  talk.look(true);
  world.settle(1_000);
  assert.equal(talk.unread, 0);
  assert.ok(talk.log.list.every((m) => m.state === "read"));
  talk.look(false);
  world.wire.cut();
  world.settle();
  assert.equal(talk.unread, 0, "after a new connection too");
  assert.equal(world.server.said.filter((f) => f.t === "read").length, 1, "one report for several");
});

test("a token the server does not know is forgotten, and the talk begins anew", () => {
  const world = new World();
  world.local.set("tandem:bank", JSON.stringify({ token: "old", lang: "zh-CN" }));
  const talk = begin(world);
  world.settle();
  assert.equal(talk.state, "up");
  talk.open();
  world.run();
  assert.deepEqual(texts(talk), ["hello"]);
  assert.deepEqual(JSON.parse(world.local.get("tandem:bank")), { lang: "zh-CN", token: "token1" });
  world.wire.cut(1008, "origin");
  world.settle();
  assert.equal(talk.state, "refused", "the page is not wanted: no more tries");
  assert.equal(JSON.parse(world.local.get("tandem:bank")).token, "token1");
});

test("pauses grow, are scattered and end with the network's return", () => {
  const world = new World();
  world.reachable = false;
  const talk = begin(world);
  talk.open();
  world.settle(10 * 60_000);
  assert.ok(world.sockets.length > 20 && world.sockets.length < 60, `${world.sockets.length} tries in ten minutes`);
  world.reachable = true;
  const before = world.sockets.length;
  talk.poke();
  world.run();
  assert.equal(world.sockets.length, before + 1);
  assert.equal(talk.state, "up");
});

test("a line that died silently is noticed", () => {
  const world = new World();
  const talk = begin(world);
  talk.open();
  world.run();
  world.server.silent = true;
  talk.say("anybody?");
  world.settle(14_000);
  assert.equal(world.sockets.length, 1);
  world.server.silent = false;
  world.settle(10_000);
  assert.equal(world.sockets.length, 2, "the message was not taken in time");
  assert.equal(talk.outbox.items.length, 0);
  world.server.silent = true;
  world.settle(70_000);
  assert.ok(world.sockets.length > 2, "nothing came, not even an answer to ping");
});

test("two tabs: what one has sent leaves the other's outbox, and a new token is taken over", () => {
  const world = new World();
  const a = begin(world);
  const b = begin(world);
  a.open();
  world.run();
  b.changedElsewhere("tandem:bank", world.local.get("tandem:bank"));
  world.run();
  assert.deepEqual(texts(b), ["hello"]);
  a.say("from a");
  world.run();
  assert.deepEqual(texts(b), texts(a));
  assert.equal(world.server.conversations.size, 1);
  world.reachable = false;
  for (const s of world.sockets) s.cut();
  a.say("waiting");
  const key = [...world.local.keys()].find((k) => k.includes(":say:"));
  const c = begin(world); // a third tab sees it waiting
  assert.equal(c.outbox.items.length, 1);
  c.changedElsewhere(key, null);
  assert.equal(c.outbox.items.length, 0);
});

test("what is sent twice and known already leaves the outbox", () => {
  const world = new World();
  const talk = begin(world);
  talk.open();
  world.run();
  talk.say("once");
  world.run();
  const id = talk.log.list[1].id;
  talk.outbox.add(id, world.clock.now, { text: "once" }); // as another tab has it, that heard nothing yet
  talk.say("after it");
  world.run();
  assert.equal(talk.outbox.items.length, 0);
  assert.deepEqual(texts(talk), ["hello", "once", "reply to once", "after it", "reply to after it"]);
});

test("the outbox is bounded", () => {
  const world = new World();
  world.reachable = false;
  const talk = begin(world);
  for (let i = 0; i < 105; i++) talk.say(`m${i}`);
  assert.equal(talk.outbox.items.length, 100);
  assert.equal(talk.notice.code, "outbox_full");
});

test("a picture is sent first, then said; a refused one fails in words", async () => {
  const world = new World();
  let result = async (_file, token, progress) => (progress(0.5), { id: `blob of ${token}` });
  const talk = begin(world, { upload: (...a) => result(...a) });
  talk.open();
  world.run();
  const file = { name: "a.png", type: "image/png", size: 3 };
  talk.sayPicture(file);
  talk.say("look");
  assert.equal(talk.outbox.items[0].progress, 0.5);
  assert.ok(!world.local.keys().some((k) => world.local.get(k).includes("a.png")), "files are not kept");
  await Promise.resolve();
  await Promise.resolve();
  world.run();
  assert.deepEqual(only(world).list.filter((m) => m.from === "customer").map((m) => m.attachment?.id ?? m.text), ["blob of token1", "look"]);

  result = async () => {
    throw new UploadError("picture_large", false);
  };
  talk.sayPicture(file);
  await Promise.resolve();
  await Promise.resolve();
  assert.equal(talk.outbox.items[0].failed, "picture_large");

  let tries = 0;
  result = async () => {
    if (++tries < 3) throw new UploadError("upload", true);
    return { id: "late" };
  };
  talk.retry(talk.outbox.items[0].id);
  for (let i = 0; i < 20; i++) {
    await Promise.resolve();
    world.clock.turn(1_000);
    world.run();
  }
  assert.equal(tries, 3);
  assert.equal(talk.outbox.items.length, 0);
});

test("a reply that takes longer than a second shows as on its way, not for ever", () => {
  const world = new World();
  world.server.reply = () => {};
  const talk = begin(world);
  talk.open();
  world.run();
  talk.say("slow?");
  world.run();
  world.clock.turn(900);
  assert.equal(talk.busy, null);
  world.server.mark(only(world), 1, "read"); // another tab; no reply
  world.run();
  world.clock.turn(200);
  assert.deepEqual(talk.busy, { from: "flow" });
  world.server.add(only(world), { from: "flow", text: "here" });
  world.run();
  assert.equal(talk.busy, null);
  talk.say("and now?");
  world.run();
  world.clock.turn(25_000);
  assert.equal(talk.busy, null);
  world.wire.onmessage({ data: '{"t":"typing","from":"agent","name":"Lin","on":true}' });
  assert.deepEqual(talk.busy, { from: "agent", name: "Lin" });
  world.clock.turn(9_000);
  assert.equal(talk.busy, null, "a typing that is never taken back");
});

test("choices go when one was tapped, and come back with the next question", () => {
  const world = new World();
  world.server.greet = (c) => world.server.add(c, { from: "flow", text: "What?", buttons: [{ label: "Balance" }, { label: "Cards" }] });
  world.server.reply = (c, m) => m.text === "Cards" && world.server.add(c, { from: "flow", text: "Which?", buttons: [{ label: "Gold" }] });
  const talk = begin(world);
  talk.open();
  world.run();
  assert.deepEqual(talk.choices.buttons.map((b) => b.label), ["Balance", "Cards"]);
  world.server.add(only(world), { from: "customer", attachment: { id: "a" }, text: "" });
  world.run();
  assert.equal(talk.choices.of, 1, "a picture is no answer");
  talk.say("Cards");
  assert.equal(talk.choices, null);
  world.run();
  assert.deepEqual(talk.choices.buttons.map((b) => b.label), ["Gold"]);
});

test("a database that was set back makes the tab begin at the start", () => {
  const world = new World();
  const talk = begin(world);
  talk.open();
  world.run();
  talk.say("kept");
  world.run();
  const c = only(world);
  c.list.splice(1);
  c.rev = 1;
  world.wire.cut();
  world.settle();
  assert.deepEqual(texts(talk), ["hello"]);
});
