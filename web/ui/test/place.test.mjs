import assert from "node:assert/strict";
import { test } from "node:test";
import { sentences } from "../src/widget/place.tsx";
import { Talk } from "../src/widget/talk.ts";
import { words } from "../src/widget/words.ts";
import { World } from "./world.mjs";

function begin(world) {
  const talk = new Talk({ host: world.host, base: "https://host.example/", site: "bank", langs: () => ["en"], upload: async () => ({ id: "blob1" }) });
  talk.open();
  world.run();
  return talk;
}
const only = (world) => [...world.server.conversations.values()][0];
const third = { state: "waiting", position: 3, at_least: 120, at_most: 300, offers: [{ keys: "1", what: "callback", label: "Call me back" }] };

test("the place in line is one place that changes, and no message", () => {
  const world = new World();
  const talk = begin(world);
  assert.equal(talk.standing, null);
  world.server.stand(only(world), third);
  world.run();
  assert.equal(talk.standing.position, 3);
  assert.equal(talk.standing.offers[0].label, "Call me back");
  world.server.stand(only(world), { state: "served", agent: "Anna" });
  world.run();
  assert.equal(talk.standing.agent, "Anna");
  assert.equal(talk.log.list.length, 1, "nothing of it is a message");
  world.server.stand(only(world), null);
  world.run();
  assert.equal(talk.standing, null);
});

test("a standing survives a cut, and what is over by then is gone", () => {
  const world = new World();
  const talk = begin(world);
  world.server.stand(only(world), third);
  world.run();
  world.wire.cut();
  assert.equal(talk.standing.position, 3, "it stays to be seen");
  world.settle(30_000);
  assert.equal(talk.standing.position, 3);
  world.wire.cut();
  only(world).place = null; // while nobody listened
  world.settle(30_000);
  assert.equal(talk.standing, null);
  world.server.stand(only(world), third);
  world.run();
  for (const send of only(world).live) send({ t: "over" });
  world.run();
  assert.equal(talk.standing, null, "the business is done");
});

test("no reply is promised where a person answers", () => {
  const world = new World();
  const talk = begin(world);
  world.settle(15_000); // what was awaited has come
  world.server.reply = () => {};
  world.server.stand(only(world), third);
  world.run();
  talk.say("hello?");
  world.run();
  world.clock.turn(3_000);
  assert.equal(talk.busy, null);
  for (const send of only(world).live) send({ t: "typing", from: "agent", name: "Anna", on: true });
  world.run();
  assert.deepEqual(talk.busy, { from: "agent", name: "Anna" });
});

test("odd standings are read as far as they can be", () => {
  const world = new World();
  const talk = begin(world);
  for (const odd of [{ t: "place" }, { t: "place", state: "flying" }]) world.wire.onmessage({ data: JSON.stringify(odd) });
  assert.equal(talk.standing, null);
  world.wire.onmessage({ data: JSON.stringify({ t: "place", state: "waiting", position: -1, at_most: "soon", offers: [{ what: "chat" }, null, { what: "odd", label: "Wave" }] }) });
  assert.deepEqual(talk.standing, { t: "place", state: "waiting", offers: [{ what: "odd", label: "Wave" }] });
});

test("each standing is whole sentences in both languages", () => {
  const en = (s) => sentences({ t: "place", ...s }, words.en).join(" ");
  const zh = (s) => sentences({ t: "place", ...s }, words["zh-CN"]).join("");
  assert.equal(en(third), "You are number 3 in line. The wait is 2 to 5 minutes.");
  assert.equal(zh(third), "您排在第 3 位。预计等待 2 到 5 分钟。");
  assert.equal(en({ state: "waiting" }), "You are in line.");
  assert.equal(en({ state: "waiting", position: 1, at_most: 50 }), "You are number 1 in line. The wait is less than a minute.");
  assert.equal(en({ state: "waiting", position: 1, at_least: 10, at_most: 200 }), "You are number 1 in line. The wait is up to 4 minutes.");
  assert.equal(zh({ state: "waiting", at_least: 240, at_most: 240 }), "您正在排队。预计等待约 4 分钟。");
  assert.equal(en({ state: "served", agent: "Anna" }), "You are talking with Anna.");
  assert.equal(zh({ state: "served" }), "客服正在为您服务。");
});
