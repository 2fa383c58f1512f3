import assert from "node:assert/strict";
import { test } from "node:test";
import { browserOf, isInApp, onPhone } from "../src/face/browser.ts";
import { Camera } from "../src/face/camera.ts";
import { Pictures } from "../src/face/pictures.ts";
import { faceWords } from "../src/face/words.ts";
import { findingsOf } from "../src/check/probe.ts";
import { words as checkWords } from "../src/check/words.ts";
import { Stills } from "../src/widget/face/stills.ts";
import { sentenceOf, tilesOf } from "../src/widget/face/talk.tsx";
import { words } from "../src/widget/face/words.ts";
import { Browser, Far, settle, Track } from "./face.world.mjs";
import { Clock, World } from "./world.mjs";
import { Talk } from "../src/widget/talk.ts";

test("the camera is asked for in one state only: agreed on video, by this page", async () => {
  for (const state of ["asked", "agreed", "up", "refused", "lapsed", "withdrawn", "over"])
    for (const agreed of ["", "voice", "video"])
      for (const yours of [true, false]) {
        const far = new Far();
        far.tell(far.upgrade({ state, agreed, yours }));
        await settle();
        const may = (state === "agreed" || state === "up") && agreed === "video" && yours;
        assert.equal(far.browser.asked.length, may ? 1 : 0, `${state}, ${agreed}, ${yours}`);
        assert.equal(far.voices.length > 0, (state === "agreed" || state === "up") && agreed !== "" && yours, `voice: ${state}, ${agreed}, ${yours}`);
      }
});

test("nothing is asked for while the answer is on its way; done alone asks for nothing", async () => {
  const far = new Far();
  far.tell(far.upgrade());
  const answered = far.facing.accept("video", "en");
  await settle();
  assert.deepEqual(far.sent.at(-1), { t: "upgrade", do: "accept", upgrade: "u1", level: "video", lang: "en", id: "i1" });
  assert.equal(far.browser.asked.length, 0);
  far.answer();
  assert.equal(await answered, true);
  assert.equal(far.browser.asked.length, 0, "the newest state has not come yet");
  far.tell(far.upgrade({ state: "agreed", agreed: "video", yours: true }));
  await settle();
  assert.equal(far.browser.asked.length, 1);
});

test("in the preview nothing leaves the page; Start lets it", async () => {
  const far = new Far();
  far.tell(far.upgrade({ state: "agreed", agreed: "video", yours: true }));
  await settle();
  assert.equal(far.facing.stage, "preview");
  const [camera] = far.browser.connections[0].transceivers;
  assert.equal(camera.sender.track, null);
  assert.equal(far.voice.opened, false);
  assert.deepEqual(far.sent.filter((f) => f.signal?.cam).map((f) => f.signal.cam), ["off"]);
  far.facing.show(true);
  assert.equal(far.facing.stage, "talk");
  assert.equal(camera.sender.track, far.browser.tracks[0]);
  assert.equal(far.voice.opened, true);
  assert.equal(far.sent.findLast((f) => f.signal?.cam).signal.cam, "ok");
});

test("a check is agreed to by the words that were read, and nobody is called before its officer is there", async () => {
  const far = new Far();
  const check = { id: "k1", state: "asked", round: 1, steps: [], waits: "officer" };
  far.link.take({ t: "check", check });
  assert.equal(far.link.calls, false);
  far.link.take({ t: "check", check: { ...check, waits: undefined, words: "w1" } });
  assert.equal(far.link.calls, true);
  far.tell(far.upgrade({ check: "k1", words: "u-new" }));
  void far.facing.agree(far.link.check, "en");
  assert.deepEqual(far.sent.at(-1), { t: "check", do: "accept", check: "k1", lang: "en", words: "w1", id: "i1" });
  void far.facing.accept("video", "en", "u-read");
  assert.equal(far.sent.at(-1).words, "u-read", "not those that stand by now");
});

test("down to voice and the end give the camera back; a refused end goes on", async () => {
  const far = new Far();
  far.tell(far.upgrade({ state: "up", agreed: "video", now: "video", yours: true }));
  await settle();
  far.facing.show(true);
  far.tell(far.upgrade({ state: "up", agreed: "voice", now: "voice", yours: true }));
  assert.equal(far.browser.tracks[0].readyState, "ended");
  assert.equal(far.browser.connections[0].closed, true);
  assert.equal(far.voice.closed, false);
  assert.equal(far.voice.opened, true);
  const ended = far.facing.end();
  assert.equal(far.voice.closed, true, "at once, whatever the line does");
  assert.equal(far.facing.stage, "none");
  far.link.take({ t: "upgrade", upgrade: far.upgrade({ state: "up", agreed: "voice", now: "voice", yours: true }) });
  assert.equal(far.voices.length, 1, "what is told meanwhile begins nothing");
  far.answer();
  await ended;
  far.tell(far.upgrade({ state: "over", why: "ended" }));
  assert.equal(far.facing.stage, "none", "the person's own end needs no words");
});

test("an end by others is told until it is put away", () => {
  const far = new Far();
  far.tell(far.upgrade({ state: "up", agreed: "voice", yours: true }));
  far.tell(far.upgrade({ state: "over", why: "left" }));
  assert.equal(far.facing.stage, "ended");
  far.tell(null);
  assert.equal(far.facing.stage, "ended");
  far.facing.put();
  assert.equal(far.facing.stage, "none");
});

test("what is wanted is said again after a cut, with the same id, until it is answered", async () => {
  const far = new Far();
  far.tell(far.upgrade());
  far.link.down();
  const done = far.facing.refuse();
  assert.equal(far.sent.length, 0);
  far.link.welcome();
  far.tell(far.upgrade());
  far.link.settle();
  far.link.down();
  far.link.settle();
  assert.deepEqual(far.sent.map((f) => [f.do, f.id]), [["refuse", "i1"], ["refuse", "i1"]]);
  far.answer();
  assert.equal(await done, true);
});

test("what was told before a cut is over if it is not told after it", () => {
  const far = new Far();
  far.tell(far.upgrade({ state: "up", agreed: "video", yours: true }));
  far.link.down();
  far.link.welcome();
  far.link.settle();
  assert.equal(far.link.upgrade, null);
  assert.equal(far.facing.stage, "none");
  assert.equal(far.voice.closed, true);
});

test("refusals are told in words, a conflict is not: the newest state has come", async () => {
  for (const [code, told] of [["forbidden", "forbidden"], ["conflict", undefined]]) {
    const far = new Far();
    far.tell(far.upgrade());
    const answered = far.facing.accept("voice", "en");
    far.answer({ code });
    assert.equal(await answered, false);
    assert.equal(far.facing.error?.code, told);
  }
});

test("a raise: asked while voice runs, previewed when it is agreed on", async () => {
  const far = new Far();
  const up = { state: "up", agreed: "voice", now: "voice", yours: true };
  far.tell(far.upgrade({ ...up, level: "voice" }));
  assert.equal(far.facing.raise, false);
  far.tell(far.upgrade({ ...up, until: "2099-01-01T00:00:00Z" }));
  assert.deepEqual([far.facing.raise, far.facing.stage, far.link.calls], [true, "talk", true]);
  await settle();
  assert.equal(far.browser.asked.length, 0);
  far.tell(far.upgrade({ ...up, agreed: "video" }));
  await settle();
  assert.equal(far.facing.stage, "preview");
  assert.equal(far.voices.length, 1, "the sound goes on");
});

test("the camera: denied, taken by another program, gone, another one, off and on", async () => {
  const b = new Browser();
  const told = [];
  const tracks = [];
  const camera = new Camera({ host: b.host, onCam: (c) => told.push(c), onTrack: (t) => tracks.push(t) });
  b.refuse = "NotAllowedError";
  await camera.open();
  assert.equal(camera.cam, "denied");
  b.refuse = "NotReadableError";
  await camera.open();
  assert.deepEqual([camera.cam, camera.busy], ["unplugged", true]);
  b.refuse = "";
  await camera.open();
  assert.deepEqual([camera.cam, camera.busy], ["ok", false]);
  camera.track.is("mute");
  camera.track.is("unmute");
  await camera.use("c2");
  assert.equal(b.asked.at(-1).video.deviceId.exact, "c2");
  const before = camera.track;
  camera.track.is("ended");
  await settle();
  assert.notEqual(camera.track, before, "another one is taken");
  camera.off();
  assert.equal(camera.track, null);
  assert.deepEqual(told, ["denied", "unplugged", "ok", "muted", "ok", "unplugged", "ok", "off"]);
  b.media.dispatchEvent(new Event("devicechange"));
  await settle();
  assert.equal(camera.track, null, "switched off, it stays off");
  await camera.open();
  camera.close();
  assert.ok(b.tracks.every((t) => t.readyState === "ended"));
});

test("pictures: a layout that stays, what may be shown by the answer, slots, dark slots", async () => {
  const b = new Browser();
  const sent = [];
  const shown = [];
  const allowed = [];
  const p = new Pictures({ host: b.host, slots: 4, servers: [{ urls: "stun:x" }], send: (s) => sent.push(s), onState: () => {}, onShown: (s) => shown.push(s), onAllowed: (a) => allowed.push(a) });
  await p.start();
  const pc = b.connections[0];
  assert.deepEqual(pc.transceivers.map((t) => t.init.direction), ["sendonly", "sendonly", "recvonly", "recvonly", "recvonly", "recvonly"]);
  assert.deepEqual(pc.transceivers[0].init.sendEncodings.map((e) => e.rid), ["l", "h"]);
  assert.deepEqual(sent, [{ kind: "offer", sdp: "offer 1" }]);
  const track = new Track("video");
  p.camera(track);
  await p.take({ kind: "answer", sdp: "camera" });
  assert.deepEqual(allowed, [{ camera: true, display: false }]);
  assert.deepEqual(pc.transceivers[0].parameters.encodings.map((e) => e.scaleResolutionDownBy), [3, 1.5], "1080 lines are sent as 720 and 360");
  pc.become("connected");
  await p.take({ kind: "slots", slots: [{ mid: "2", id: "L1:camera" }, { mid: "3", id: "" }, { mid: "4", id: "L2:display" }] });
  assert.deepEqual(p.shown.map((s) => [s.id, s.leg, s.kind, s.live]), [["L1:camera", "L1", "camera", false], ["L2:display", "L2", "display", false]]);
  const { stream } = p.shown[0];
  pc.packets = { 2: 10, 4: 10 };
  await b.pass(1_000);
  assert.deepEqual(p.shown.map((s) => s.live), [true, true]);
  await b.pass(3_000);
  assert.deepEqual(p.shown.map((s) => s.live), [false, true], "a still screen sends little");
  await b.pass(2_000);
  assert.deepEqual(p.shown.map((s) => s.live), [false, false]);
  assert.equal(p.shown[0].stream, stream);
  const told = shown.length;
  await b.pass(3_000);
  assert.equal(shown.length, told, "nothing new is not told");
  await p.take({ kind: "restart", why: "allowed" });
  assert.deepEqual([pc.restarts, b.connections.length, sent.length], [0, 1, 2]);
  await p.take({ kind: "answer", sdp: "camera" });
  await p.take({ kind: "restart", why: "cut" });
  assert.deepEqual([pc.restarts, b.connections.length, sent.length], [1, 1, 3]);
  await p.take({ kind: "restart", why: "new" });
  assert.deepEqual([b.connections.length, pc.closed, b.connections[1].transceivers.length], [2, true, 6]);
  assert.equal(b.connections[1].transceivers[0].sender.track, track, "what was shown is shown again");
  await p.take({ kind: "bye" });
  assert.equal(p.state, "gone");
});

test("pictures mend themselves: by new credentials twice, then by a new connection", async () => {
  const b = new Browser();
  const states = [];
  const p = new Pictures({ host: b.host, slots: 4, servers: [], send: () => {}, onState: (s) => states.push(s), onShown: () => {} });
  await p.start();
  const pc = b.connections[0];
  await p.take({ kind: "answer", sdp: "" });
  pc.become("connected");
  pc.become("disconnected");
  await b.pass(7_000);
  assert.deepEqual([pc.restarts, b.connections.length], [2, 1]);
  await b.pass(5_000);
  assert.equal(b.connections.length, 2);
  await p.take({ kind: "answer", sdp: "" });
  b.connections[1].become("connected");
  assert.deepEqual(states, ["connecting", "up", "cut", "up"]);
  p.close();
  await b.pass(60_000);
  assert.equal(b.connections.length, 2);
});

test("a still of each number is sent once, tried again when the line fails, not when it is not awaited", async () => {
  const clock = new Clock();
  const sent = [];
  const told = [];
  let fails = [];
  const s = new Stills({
    still: async () => new Blob(["x"]),
    send: async (check, step) => {
      const status = fails.shift();
      if (status !== undefined) throw Object.assign(new Error(), { status });
      sent.push(`${check} ${step}`);
    },
    told: (what) => told.push(what),
    after: (ms, run) => clock.after(ms, run),
  });
  const check = (n, more = {}) => ({ id: "k", state: "running", round: 1, steps: [], capture: { step: "front", n }, ...more });
  const look = async (...args) => {
    s.look(...args);
    await settle();
  };
  await look(check(1), false); // nobody sees the camera yet
  await look(check(1), true);
  await look(check(1), true);
  assert.deepEqual([sent, told], [["k front"], ["taken"]]);
  await look(check(1, { round: 2 }), true);
  assert.equal(sent.length, 2, "another round is another still");
  await look(check(2, { state: "broken" }), true);
  assert.equal(sent.length, 2);
  fails = [0, 503];
  await look(check(3), true);
  clock.turn(1_500);
  await settle();
  clock.turn(1_500);
  await settle();
  assert.equal(sent.length, 3);
  fails = [409];
  await look(check(4), true);
  assert.deepEqual(told, ["taken", "taken", "taken"], "one that is no longer awaited needs no words");
  fails = [422];
  await look(check(5), true);
  assert.equal(told.at(-1), "failed");
});

test("the page's name lives as long as it is loaded, and once over a reload", () => {
  const world = new World();
  const make = () => new Talk({ host: world.host, base: "https://x/", site: "bank", langs: () => ["en"], upload: async () => ({}) });
  const talk = make();
  talk.open();
  world.settle();
  const c = [...world.server.conversations.values()][0];
  const { page } = world.server.said.find((f) => f.t === "hello");
  assert.equal(page, talk.beside.page);
  world.server.face(c, { page, may: ["voice"], upgrade: { id: "u1", state: "up", by: "agent", level: "voice", agreed: "voice", now: "voice" } });
  world.run();
  assert.equal(talk.beside.upgrade.yours, true);
  talk.stop();
  const again = make();
  world.settle();
  assert.equal(again.beside.page, page, "loaded again");
  assert.equal(again.beside.upgrade.yours, true);
  const copy = make();
  world.settle();
  assert.notEqual(copy.beside.page, page, "a tab made of it is another page");
  assert.equal(copy.beside.upgrade.yours, false);
});

test("who is seen: shared screens first, names by leg, why there is no picture", () => {
  const u = { agreed: "video", who: [{ name: "Mei", role: "agent", leg: "L1" }, { name: "Wu", role: "specialist", leg: "L2" }, { name: "Ear", role: "listener", leg: "L3" }] };
  const seen = (id, live) => ({ id, leg: id.split(":")[0], kind: id.split(":")[1], stream: {}, live });
  const facing = { seen: [seen("L1:camera", true), seen("L1:display", true)], screenState: "up", camera: { cam: "off", track: null, facing: "user" }, muted: true };
  assert.deepEqual(tilesOf(facing, u).map((t) => [t.id, t.name, t.none]), [["L1:display", "Mei", ""], ["L1:camera", "Mei", ""], ["of L2", "Wu", "off"], ["own", "", "off"]]);
  facing.seen = [seen("L1:camera", false), seen("L1:display", false)];
  facing.screenState = "cut";
  assert.deepEqual(tilesOf(facing, u).map((t) => [t.id, t.none]), [["L1:camera", "network"], ["of L2", "network"], ["own", "off"]]);
});

test("how the talk stands: one sentence, the worst thing first", () => {
  const u = (more) => ({ state: "up", agreed: "video", now: "video", who: [{ name: "Mei", role: "agent" }], ...more });
  const facing = (more) => ({ voiceState: "up", screenState: "up", camera: { cam: "ok" }, ...more });
  const say = (f, v, up = true) => sentenceOf(facing(f), u(v), up, words.en, "en").text;
  assert.equal(say({}, {}), "You are seen and heard by Mei.");
  assert.equal(say({}, {}, false), words.en.cut);
  assert.equal(say({}, { now: "voice", fallen: "network" }), words.en.fallen.network);
  assert.equal(say({}, { now: "", fallen: "network" }), words.en.fallenText);
  assert.equal(say({}, { now: "voice", fallen: "camera" }), words.en.fallen.camera);
  assert.equal(say({ voiceState: "cut" }, {}), words.en.voiceCut);
  assert.equal(say({ camera: { cam: "off" } }, {}), "You are heard by Mei, and not seen.");
  assert.equal(say({}, { agreed: "voice", now: "voice" }), "You are speaking with Mei.");
  assert.equal(say({ voiceState: "connecting", screenState: "connecting" }, { state: "agreed", now: "" }), words.en.connecting);
});

test("browsers and apps are told apart by what they say of themselves", () => {
  const cases = [
    ["Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36", 0, "chromium"],
    ["Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0", 0, "chromium"],
    ["Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0", 0, "firefox"],
    ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15", 0, "safari"],
    ["Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15", 5, "ios-safari"],
    ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1", 5, "ios-safari"],
    ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/131.0 Mobile/15E148 Safari/604.1", 5, "ios-other"],
    ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148", 5, "inapp"],
    ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.53 NetType/WIFI Language/zh_CN", 5, "wechat"],
    ["Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36", 5, "android-chrome"],
    ["Mozilla/5.0 (Android 14; Mobile; rv:133.0) Gecko/133.0 Firefox/133.0", 5, "android-firefox"],
    ["Mozilla/5.0 (Linux; Android 14; Pixel 8; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/131.0 Mobile Safari/537.36", 5, "inapp"],
    ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Instagram 360.0", 5, "inapp"],
    ["Mozilla/5.0 (Linux; Android 13; M2 wv) AppleWebKit/537.36 Chrome/116 Mobile Safari/537.36 AlipayClient/10.5", 5, "inapp"],
    ["", 0, "chromium"],
  ];
  for (const [agent, touch, is] of cases) assert.equal(browserOf(agent, touch), is, agent);
  assert.ok(isInApp("wechat") && isInApp("inapp") && !isInApp("safari"));
  assert.ok(onPhone("wechat") && onPhone("ios-safari") && !onPhone("chromium"));
});

test("what a test of the device has found", () => {
  const p = (more) => ({ begun: true, over: false, why: "", mic: "ok", cam: "ok", loudest: 0.1, voiceState: "up", screenState: "up", voiceWasUp: true, cameBack: true, ...more });
  assert.equal(findingsOf(p({ begun: false })).all, "wait");
  assert.equal(findingsOf(p()).all, "video");
  assert.equal(findingsOf(p({ loudest: 0 })).microphone, "try");
  assert.equal(findingsOf(p({ loudest: 0, over: true, why: "time" })).all, "video");
  assert.equal(findingsOf(p({ cameBack: false, over: true, why: "time" })).all, "voice");
  assert.equal(findingsOf(p({ cameBack: false })).all, "try");
  assert.equal(findingsOf(p({ cam: "denied", cameBack: false })).all, "voice");
  assert.equal(findingsOf(p({ mic: "denied" })).all, "text");
  assert.equal(findingsOf(p({ voiceWasUp: false, cameBack: false, over: true, why: "time" })).all, "text");
  assert.equal(findingsOf(p({ over: true, why: "many", voiceWasUp: false, cameBack: false, mic: "", cam: "" })).all, "text");
});

test("each language has every sentence, whole", () => {
  const same = (a, b, at) => {
    assert.equal(typeof b, typeof a, at);
    if (typeof a === "function") return assert.equal(b.length, a.length, at);
    if (typeof a !== "object") return assert.ok(typeof b === "string" && (a === "" || b !== ""), at);
    assert.deepEqual(Object.keys(b).sort(), Object.keys(a).sort(), at);
    for (const k of Object.keys(a)) same(a[k], b[k], `${at}.${k}`);
  };
  for (const [name, w] of Object.entries({ words, faceWords, checkWords })) same(w.en, w["zh-CN"], name);
  for (const w of Object.values(faceWords)) for (const steps of Object.values(w.steps)) for (const what of ["camera", "microphone", "both"]) assert.ok(steps(what).every((s) => s.length > 3));
});
