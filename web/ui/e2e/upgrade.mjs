// Journey "upgrade": a chat becomes voice and video, falls and comes back, and a check is
// made, in a real browser with a played camera, against a server that is played
// (test/mock.mjs, test/peer.mjs): for every state that the customer's page can be in. The
// journey "face" has the program itself at the other end.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { mock } from "../test/mock.mjs";
import { browserArgs, peer } from "../test/peer.mjs";
import { looks } from "./upgrade/looks.mjs";
import { asks, at, checkOf, jpegSize, tried } from "./upgrade/told.mjs";

export const alone = true; // no server is started for it

export default async function upgrade({ browserOptions, check, shot }) {
  const browser = await chromium.launch({ ...browserOptions, args: [...browserOptions.args, ...browserArgs] });
  try {
    await run(browser, check, shot);
  } finally {
    await browser.close();
  }
}

async function run(browser, check, shot) {
  // withPage gives a page of a world of its own. Every use of the devices is written down.
  async function withPage(options, use) {
    const { expect = /never/, init, path = "/chat?site=bank", agent, ...context } = options;
    const world = await mock();
    const ctx = await browser.newContext({ locale: "en-GB", viewport: { width: 390, height: 844 }, reducedMotion: "reduce", permissions: ["camera", "microphone"], ...(agent ? { userAgent: agent } : {}), ...context });
    const other = await browser.newContext({ permissions: ["camera", "microphone"] });
    const far = await peer(other, world.door + "/l/far");
    await ctx.addInitScript(() => {
      window.asked = []; // of getUserMedia
      window.tracks = [];
      const media = navigator.mediaDevices;
      if (!media) return;
      const real = media.getUserMedia.bind(media);
      media.getUserMedia = async (c) => {
        window.asked.push(Object.keys(c).join());
        if (window.refuse) throw new DOMException("no", window.refuse);
        const s = await real(c);
        window.tracks.push(...s.getTracks());
        return s;
      };
    });
    if (init) await ctx.addInitScript(init);
    const page = await ctx.newPage();
    const wrong = [];
    page.on("console", (m) => m.type() === "error" && !expect.test(m.text()) && wrong.push(m.text()));
    page.on("pageerror", (err) => wrong.push(String(err)));
    const w = played(world, far);
    try {
      await page.goto(path === "site" ? world.site : world.door + path);
      await use(page, w).catch(async (err) => {
        await shot(page, "failed").catch(() => {});
        throw new Error(`${err.stack}\n${wrong.join("\n")}`);
      });
      assert.deepEqual(wrong, [], "the page reports errors");
    } finally {
      await ctx.close();
      await other.close();
      await world.stop();
    }
  }

  // played is the server's side of an upgrade: what customers want is done, and what they
  // offer is answered.
  function played(world, far) {
    const w = { ...world, world, far, wants: [], hold: null, show: [{ id: "L1:camera", as: 0 }], get talk() { return [...world.server.conversations.values()][0]; } };
    w.tell = (what) => world.server.face(w.talk, what);
    w.change = (more) => w.tell({ upgrade: { ...w.talk.face.upgrade, ...more } });
    world.server.beside = (c, f, page) => {
      w.wants.push(f);
      const u = c.face?.upgrade;
      queueMicrotask(() => {
        if (f.t === "check") return;
        if (f.do === "ask") return w.tell({ page, upgrade: asks(false, { by: "customer", name: "", level: f.level, text: undefined, why: "" }) });
        if (f.do === "refuse") return w.tell({ upgrade: u.state === "asked" ? { ...u, state: "refused" } : { ...u, level: u.agreed, until: undefined } });
        if (f.do === "end") return w.tell({ upgrade: { ...u, state: "over", why: "ended" } });
        if (f.do === "accept" && !w.hold) return w.tell({ page, upgrade: { ...u, state: u.state === "asked" ? "agreed" : u.state, agreed: f.level, until: undefined } });
        if (f.do === "change") return w.tell({ upgrade: { ...u, agreed: f.level, now: f.level } });
      });
      return null;
    };
    world.server.signalled = async (c, t, signal) => {
      if (signal.kind === "cam") w.cam = signal.cam;
      if (signal.kind !== "offer") return;
      const answered = await far.answer(t, signal.sdp, w.show).catch(() => null); // the test is over
      if (!answered) return;
      const { sdp, slots } = answered;
      world.server.signal(c, t, { kind: "answer", sdp });
      if (t === "screen") world.server.signal(c, t, { kind: "slots", slots });
    };
    return w;
  }

  const begin = async (page, w, zh = false) => {
    await page.getByText(zh ? "您好" : "Good morning").last().waitFor();
    w.server.stand(w.talk, { state: "served", agent: "Mei Lin" });
  };
  const ask = async (page, w, more, zh) => {
    await begin(page, w, zh);
    w.tell({ may: ["voice", "video"], upgrade: asks(zh, more) });
    await page.getByRole("heading", { name: zh ? "Mei Lin希望" : "Mei Lin would like" }).waitFor();
  };
  const button = (page, name) => page.getByRole("button", { name, exact: true });
  const toPreview = async (page, w, more, zh) => {
    await ask(page, w, more, zh);
    await button(page, zh ? "视频" : "Video").click();
    await button(page, zh ? "开始" : "Start").waitFor();
  };
  const toTalk = async (page, w, more, zh) => {
    await toPreview(page, w, more, zh);
    await button(page, zh ? "开始" : "Start").click();
    w.change({ state: "up", now: "video" });
    await page.getByText(zh ? "Mei Lin能看到和听到您" : "You are seen and heard by Mei Lin").waitFor();
    await page.locator('tandem-chat video[aria-label*="Mei"]').waitFor();
  };
  const until = async (what, holds, limit = 10_000) => {
    for (const end = Date.now() + limit; ; ) {
      const value = await holds();
      if (value) return value;
      if (Date.now() > end) throw new Error(`not within ${limit / 1000} s: ${what}`);
      await new Promise((ok) => setTimeout(ok, 60));
    }
  };
  const say = async (page, text, label = "Write a message") => {
    const field = page.getByRole("textbox", { name: label });
    await field.fill(text);
    await field.press("Enter");
  };
  const asked = (page) => page.evaluate(() => window.asked);

  await check("no device is asked for before the consent is stored; nobody sees anything before Start", () =>
    withPage({}, async (page, w) => {
      await ask(page, w);
      assert.deepEqual(await asked(page), [], "while it is asked");
      w.hold = true; // the consent is on its way, and not stored
      await button(page, "Video").click();
      await until("accept", () => w.wants.some((f) => f.do === "accept" && f.level === "video" && f.lang === "en"));
      assert.deepEqual(await asked(page), [], "while the consent is on its way");
      w.tell({ page: [...w.talk.pages][0].page, upgrade: asks(false, { state: "agreed", agreed: "video", until: undefined }) });
      await button(page, "Start").waitFor();
      assert.deepEqual((await asked(page)).sort(), ["audio", "video"]);
      await page.getByText("Nobody sees or hears you yet.").waitFor();
      await until("the connection", async () => (await w.far.got("voice")).sound > 10);
      assert.equal((await w.far.got("screen")).frames, 0, "frames before Start");
      assert.ok((await w.far.got("voice")).energy < 1e-6, "sound before Start");
      assert.equal(w.cam, "off");
      await button(page, "Start").click();
      w.change({ state: "up", now: "video" });
      await until("frames at the other end", async () => (await w.far.got("screen")).frames > 5);
      await until("sound at the other end", async () => (await w.far.got("voice")).energy > 1e-5);
      assert.equal(w.cam, "ok");
      const size = await until("the agent's picture", () => page.evaluate(() => [...document.querySelector("tandem-chat").shadowRoot.querySelectorAll("video")].find((v) => v.getAttribute("aria-label").includes("Mei"))?.videoWidth));
      assert.equal(size, 640);
    }));

  await check("two taps from the question to the talk; refusing keeps the chat and asks for no device", () =>
    withPage({}, async (page, w) => {
      await ask(page, w);
      await button(page, "No, thanks").click();
      await until("refuse", () => w.wants.some((f) => f.do === "refuse"));
      await page.getByRole("heading", { name: "Mei Lin would like" }).waitFor({ state: "detached" });
      assert.deepEqual(await asked(page), []);
      await say(page, "rather in writing");
      await page.getByRole("log", { name: "Messages" }).getByText("You said: rather in writing").waitFor();
    }));

  await check("text before, during and after stays one list; the field stays in sight at 390 px", () =>
    withPage({}, async (page, w) => {
      await begin(page, w);
      await say(page, "before");
      w.tell({ may: ["video"], upgrade: asks(false) });
      await button(page, "Video").click();
      await button(page, "Start").click();
      w.change({ state: "up", now: "video" });
      await page.locator('tandem-chat video[aria-label*="Mei"]').waitFor();
      await say(page, "during");
      const log = page.getByRole("log", { name: "Messages" });
      await log.getByText("You said: during").waitFor();
      for (const part of [page.getByRole("textbox", { name: "Write a message" }), log.getByText("You said: during"), button(page, "End voice and video")]) {
        const box = await part.boundingBox();
        assert.ok(box && box.y >= 0 && box.y + box.height <= 844 && box.x >= 0 && box.x + box.width <= 390, `in sight: ${JSON.stringify(box)}`);
      }
      await button(page, "End voice and video").click();
      await until("end", () => w.wants.some((f) => f.do === "end"));
      await until("devices are given back", () => page.evaluate(() => window.tracks.every((t) => t.readyState === "ended")));
      await say(page, "after");
      await log.getByText("You said: after").waitFor();
      assert.deepEqual(w.talk.list.filter((m) => m.from === "customer").map((m) => m.text), ["before", "during", "after"]);
    }));

  await check("voice alone: one tap, no camera; video later is previewed first; down again gives the camera back", () =>
    withPage({}, async (page, w) => {
      await ask(page, w, { level: "voice" });
      await button(page, "Voice").click();
      w.change({ state: "up", now: "voice" });
      await page.getByText("You are speaking with Mei Lin.").waitFor();
      assert.deepEqual(await asked(page), ["audio"]);
      await until("sound", async () => (await w.far.got("voice")).energy > 1e-5);
      w.change({ level: "video", by: "agent", until: "2099-01-01T00:00:00Z" });
      await page.getByRole("heading", { name: "Mei Lin would like to see you, too" }).waitFor();
      assert.deepEqual(await asked(page), ["audio"]);
      await button(page, "Video").click();
      await button(page, "Start").click();
      w.change({ now: "video" });
      await until("frames", async () => (await w.far.got("screen")).frames > 3);
      await button(page, "Go on by voice only").click();
      await page.getByText("You are speaking with Mei Lin.").waitFor();
      await until("the camera is given back", () => page.evaluate(() => window.tracks.filter((t) => t.kind === "video").every((t) => t.readyState === "ended")));
    }));

  await check("muted, camera off and on: told in words, and at the other end", () =>
    withPage({}, async (page, w) => {
      await toTalk(page, w);
      await button(page, "Switch the microphone off").click();
      await page.getByText("Your microphone is off: nobody hears you.").waitFor();
      await button(page, "Switch the microphone on").click();
      await button(page, "Switch the camera off").click();
      await page.getByText("You are heard by Mei Lin, and not seen.").waitFor();
      await until("cam off", () => w.cam === "off");
      await until("its light goes out", () => page.evaluate(() => window.tracks.filter((t) => t.kind === "video").every((t) => t.readyState === "ended")));
      const before = (await w.far.got("screen")).frames;
      await button(page, "Switch the camera on").click();
      await until("frames again", async () => (await w.far.got("screen")).frames > before + 3);
      assert.equal(w.cam, "ok");
    }));

  await check("falls are told in words and come back; nothing written meanwhile is lost", () =>
    withPage({ expect: /WebSocket|ERR_/ }, async (page, w) => {
      await toTalk(page, w);
      w.change({ now: "voice", fallen: "network" });
      await page.getByText("The network is too weak for pictures.").waitFor();
      w.change({ now: "", fallen: "network" });
      await page.getByText("Sound and picture are interrupted.").waitFor();
      w.change({ now: "video", fallen: undefined });
      await page.getByText("You are seen and heard by Mei Lin").waitFor();
      w.world.down = true;
      await page.getByText("The network is interrupted.").first().waitFor();
      await say(page, "written meanwhile");
      assert.ok(await page.evaluate(() => window.tracks.some((t) => t.readyState === "live")), "the talk goes on without the socket");
      w.world.down = false;
      await page.evaluate(() => dispatchEvent(new Event("online")));
      await page.getByText("You are seen and heard by Mei Lin").waitFor();
      await page.getByRole("log", { name: "Messages" }).getByText("You said: written meanwhile").waitFor();
      const pages = w.server.said.filter((f) => f.t === "hello").map((f) => f.page);
      assert.ok(pages.length >= 2 && new Set(pages).size === 1, `one page throughout: ${pages}`);
    }));

  await check("a connection that breaks is offered anew by the page itself", () =>
    withPage({}, async (page, w) => {
      await toTalk(page, w);
      await w.far.hangUp("screen");
      const offers = () => w.server.said.filter((f) => f.t === "screen" && f.signal.kind === "offer").length;
      const before = offers();
      w.server.signal(w.talk, "screen", { kind: "restart", why: "new" });
      await until("another offer", () => offers() > before);
      await until("frames again", async () => (await w.far.got("screen")).frames > 3);
    }));

  await check("loaded again it is the same page; the picture is shown to the person first", () =>
    withPage({}, async (page, w) => {
      await toTalk(page, w);
      await page.reload();
      await button(page, "Start").waitFor({ timeout: 10_000 });
      const pages = w.server.said.filter((f) => f.t === "hello").map((f) => f.page);
      assert.equal(new Set(pages).size, 1);
      assert.equal(w.cam, "off");
      await button(page, "Start").click();
      await until("frames", async () => (await w.far.got("screen")).frames > 3);
    }));

  await check("another tab is told where the talk is, asks for no device, and can end it", () =>
    withPage({}, async (page, w) => {
      await toTalk(page, w);
      const other = await page.context().newPage();
      await other.goto(w.door + "/chat?site=bank");
      await other.getByText("You are connected on another device or page.").waitFor();
      assert.deepEqual(await asked(other), []);
      await button(other, "End it there").click();
      await until("the end", () => w.wants.some((f) => f.do === "end"));
      await page.getByText("Voice and video are over.").waitFor();
      await until("devices are given back", () => page.evaluate(() => window.tracks.every((t) => t.readyState === "ended")));
    }));

  await check("a permission that is denied: the way to allow it in this browser, again, or by voice", () =>
    withPage({ init: () => (window.refuse = "NotAllowedError") }, async (page, w) => {
      await ask(page, w);
      await button(page, "Video").click();
      await page.getByText("Your browser does not let this page use camera and microphone").waitFor();
      await page.getByText("Click the sign at the left end of the address bar.").waitFor();
      await page.evaluate(() => (window.refuse = ""));
      await button(page, "Try again").click();
      await button(page, "Start").waitFor();
    }));

  await check("no camera there: said so, and on by voice", () =>
    withPage({ init: () => {
      const media = navigator.mediaDevices;
      const real = media.getUserMedia.bind(media);
      media.getUserMedia = (c) => (c.video ? Promise.reject(new DOMException("none", "NotFoundError")) : real(c));
    } }, async (page, w) => {
      await ask(page, w);
      await button(page, "Video").click();
      await page.getByText("No camera was found.").waitFor();
      await button(page, "Voice only").click();
      await until("change", () => w.wants.some((f) => f.do === "change" && f.level === "voice"));
      await page.getByText(/speaking with Mei Lin|Connecting/).waitFor();
    }));

  await check("a caller's screen: pictures alone, the sound stays on the telephone", () =>
    withPage({}, async (page, w) => {
      await begin(page, w);
      w.tell({ upgrade: asks(false, { pictures: true, why: "see", why_text: { en: "to see what you see", "zh-CN": "看看您遇到的情况" } }) });
      await page.getByText("Who sees you", { exact: true }).waitFor();
      await page.getByText("to see what you see", { exact: true }).waitFor();
      await button(page, "Show my camera").click();
      await page.getByText("Nobody sees you yet.").waitFor();
      await button(page, "Start").click();
      w.change({ state: "up", now: "video" });
      await page.getByText("You are seen by Mei Lin. The sound is on your telephone.").waitFor();
      await page.getByText("Recorded", { exact: true }).waitFor();
      await until("frames", async () => (await w.far.got("screen")).frames > 3);
      assert.deepEqual(await asked(page), ["video"], "no microphone");
      assert.ok(!w.server.said.some((f) => f.t === "voice"), "no connection for sound");
    }));

  await check("a page that was in the background says so when it is back", () =>
    withPage({}, async (page, w) => {
      await toTalk(page, w);
      const turn = (hidden) => page.evaluate((h) => {
        Object.defineProperty(document, "hidden", { configurable: true, get: () => h });
        document.dispatchEvent(new Event("visibilitychange"));
      }, hidden);
      await page.clock.install();
      await turn(true);
      await page.clock.fastForward(3_000);
      await turn(false);
      await page.getByText("Your page was in the background.").waitFor();
      await button(page, "OK").click();
      await page.getByText("Your page was in the background.").waitFor({ state: "detached" });
    }));

  const wechat = "Mozilla/5.0 (Linux; Android 13; 2201123C Build/TKQ1; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/116.0 Mobile Safari/537.36 XWEB/1160 MicroMessenger/8.0.45 Language/zh_CN";
  await check("within WeChat: explained before anything is agreed to, and the address copied", () =>
    withPage({ agent: wechat, permissions: ["camera", "microphone", "clipboard-read", "clipboard-write"] }, async (page, w) => {
      await ask(page, w);
      await page.getByText("This app shows the page in a window of its own").waitFor();
      await button(page, "Copy the address").click();
      await page.getByText("Copied. Open it in your browser.").waitFor();
      assert.equal(await page.evaluate(() => navigator.clipboard.readText()), page.url());
    }));

  await check("the person asks, staff agrees; the wish can be taken back", () =>
    withPage({}, async (page, w) => {
      await begin(page, w);
      w.tell({ may: ["voice", "video"] });
      await button(page, "Speak with us by voice or video").click();
      await button(page, "Voice only").click();
      await page.getByText("We have asked our staff.").waitFor();
      assert.deepEqual(await asked(page), []);
      w.change({ state: "agreed", agreed: "voice", until: undefined });
      await until("the microphone", async () => (await asked(page)).join() === "audio");
      w.change({ state: "up", now: "voice" });
      await page.getByText("You are speaking with Mei Lin.").waitFor();
      w.change({ state: "over", why: "left" });
      await page.getByText("Voice and video are over.").waitFor();
      await button(page, "OK").click();
    }));

  await check("a check: consent, code, stills of the camera's full size once each, requests, verdict", () =>
    withPage({ expect: /status of 500/ }, async (page, w) => {
      await begin(page, w);
      w.tell({ check: checkOf({ state: "asked", agreed: false, waits: "officer" }) });
      w.server.stand(w.talk, { state: "waiting", position: 2 });
      await page.getByText("We have asked for a colleague who does the check.").waitFor();
      await page.getByText("You are number 2 in line.").first().waitFor();
      assert.equal(await button(page, "I agree").count(), 0, "asked before anybody is there");
      w.tell({ check: checkOf({ state: "asked", agreed: false, words: "w1" }) });
      await page.getByText("We check your identity by video").waitFor();
      assert.deepEqual(await asked(page), []);
      await button(page, "I agree").click();
      await until("accept", () => w.wants.some((f) => f.t === "check" && f.do === "accept" && f.lang === "en" && f.words === "w1"));
      w.tell({ check: checkOf({ away: true }), upgrade: asks(false, { check: "k1", kept: false }) });
      await button(page, "Video").click();
      await button(page, "Start").click();
      w.change({ state: "up", now: "video" });
      await page.getByText("One moment: the check begins.").waitFor();
      assert.equal(await page.getByText("Recorded", { exact: true }).count(), 0, "nothing is recorded");
      w.change({ kept: true });
      await page.getByText("Recorded", { exact: true }).waitFor();
      w.tell({ check: at("code", { code: "+86 *** 0001" }) });
      await page.getByText("Step 1 of 6").waitFor();
      await page.getByText("We have sent it to +86 *** 0001.").waitFor();
      await page.getByRole("textbox", { name: "Code" }).fill("123456");
      await page.keyboard.press("Enter");
      await until("the code", () => w.wants.some((f) => f.do === "code" && f.text === "123456"));
      w.tell({ check: at("front") });
      await page.getByText("Hold the front of your document into the frame").waitFor();
      await page.locator("tandem-chat .face-guide rect").waitFor();
      w.stillStatus.push(500);
      for (let i = 0; i < 3; i++) w.tell({ check: at("front", { capture: { step: "front", n: 1 } }) });
      await page.getByText("A picture was taken.").waitFor();
      assert.equal(w.stills.length, 1, "one that was sent is not sent again");
      const { step, type, page: of, camera, data } = w.stills[0];
      assert.deepEqual([step, type, of === [...w.talk.pages][0].page, camera !== ""], ["front", "image/jpeg", true, true]);
      const own = await page.evaluate(() => window.tracks.findLast((t) => t.kind === "video").getSettings());
      assert.deepEqual(jpegSize(data), [own.width, own.height]);
      assert.ok(own.width >= 1280, `the camera's full size: ${own.width}`);
      w.tell({ check: at("look") });
      await page.locator("tandem-chat .face-guide ellipse").waitFor();
      w.tell({ check: at("act", { request: ["turn_left", "read_number"], number: "4821" }) });
      await page.getByText("Turn your head slowly to your left").waitFor();
      await page.getByText("4 8 2 1").waitFor();
      w.tell({ check: at("act", { state: "broken" }) });
      await page.getByText("The check begins again when it is back.").waitFor();
      w.tell({ check: at("code", { round: 2, again: "cut" }) });
      await page.getByText("The picture was interrupted, so the check begins again.").waitFor();
      w.tell({ check: at("front", { round: 2, again: "second_face" }) }); // the code that was right stays
      await page.getByText("Somebody else was in the picture, so the check begins again.").waitFor();
      w.tell({ check: at("back", { round: 2, again: "second_face" }) });
      await page.getByText("Somebody else was in the picture").waitFor({ state: "detached" });
      w.tell({ check: { ...at("match"), state: "second" } });
      await page.getByText("A second member of staff looks at the check.").waitFor();
      w.tell({ check: { ...at("match"), state: "passed", until: new Date(Date.now() + 1_800_000).toISOString() } });
      await page.getByText("The check is passed. It holds until").waitFor();
      w.tell({ check: null });
      await page.getByText("The check is passed. It holds until").waitFor();
    }));

  await check("a check that asks for video while one speaks: one card, one tap, the check's consent first", () =>
    withPage({}, async (page, w) => {
      await ask(page, w, { level: "voice" });
      await button(page, "Voice").click();
      w.change({ state: "up", now: "voice" });
      await page.getByText("You are speaking with Mei Lin.").waitFor();
      w.tell({ check: checkOf({ state: "asked", agreed: false }), upgrade: { ...w.talk.face.upgrade, level: "video", check: "k1", until: "2099-01-01T00:00:00Z" } });
      await page.getByRole("heading", { name: "We would like to check who you are" }).waitFor();
      assert.equal(await button(page, "No, thanks").count(), 1);
      await shot(page, "check-raise-390-light-en", { fullPage: false });
      await button(page, "I agree").click();
      await button(page, "Start").waitFor();
      assert.deepEqual(w.wants.filter((f) => f.do === "accept").map((f) => [f.t, f.level]), [["upgrade", "voice"], ["check", undefined], ["upgrade", "video"]]);
    }));

  await check("a check of a flow: nothing is asked before its officer is there, then both by one card", () =>
    withPage({}, async (page, w) => {
      await begin(page, w);
      w.tell({ check: checkOf({ state: "asked", agreed: false, waits: "officer" }), upgrade: asks(false, { check: "k1" }) });
      await page.getByText("We have asked for a colleague who does the check.").waitFor();
      assert.equal(await button(page, "Video").count(), 0);
      w.tell({ check: checkOf({ state: "asked", agreed: false }) });
      await button(page, "I agree").click();
      await button(page, "Start").waitFor();
      assert.deepEqual(w.wants.filter((f) => f.do === "accept").map((f) => [f.t, f.level]), [["check", undefined], ["upgrade", "video"]]);
    }));

  await check("a check can be stopped at any time, by two taps", () =>
    withPage({}, async (page, w) => {
      await toTalk(page, w);
      w.tell({ check: at("front") });
      await button(page, "Stop the check").click();
      await button(page, "Go on").click();
      assert.ok(!w.wants.some((f) => f.do === "stop"));
      await button(page, "Stop the check").click();
      await button(page, "Stop it").click();
      await until("stop", () => w.wants.some((f) => f.t === "check" && f.do === "stop"));
      w.tell({ check: { ...at("front"), state: "declined", why: "customer_stopped" } });
      await page.getByText("You have stopped the check. The chat goes on.").waitFor();
    }));

  for (const viewport of [{ width: 390, height: 844 }, { width: 1280, height: 800 }, { width: 844, height: 390 }]) {
    await check(`the newest words stay in sight as the picture opens, and all of a picture is seen: ${viewport.width} × ${viewport.height} px`, () =>
      withPage({ viewport }, async (page, w) => {
        await begin(page, w);
        for (let i = 0; i < 12; i++) w.server.add(w.talk, { from: "flow", text: `Of all that was said before this is sentence ${i}, and it takes more than one line where the list is narrow.` });
        const newest = page.getByRole("log", { name: "Messages" }).getByText("sentence 11,");
        const seen = () => newest.evaluate((e) => {
          const [b, l] = [e.getBoundingClientRect(), e.closest(".log").getBoundingClientRect()];
          return b.bottom <= l.bottom + 1 && b.bottom > l.top;
        });
        await newest.waitFor();
        await until("at its newest", seen);
        w.tell({ may: ["video"], upgrade: asks(false) });
        await button(page, "Video").click();
        await button(page, "Start").waitFor();
        const whole = () => page.evaluate(() => [...document.querySelector("tandem-chat").shadowRoot.querySelectorAll("video")].map((v) => getComputedStyle(v).objectFit).every((f) => f === "contain"));
        assert.ok(await whole(), "the preview is cut");
        await button(page, "Start").click();
        w.change({ state: "up", now: "video" });
        await page.locator('tandem-chat video[aria-label*="Mei"]').waitFor();
        await page.evaluate(() => new Promise((ok) => requestAnimationFrame(() => requestAnimationFrame(ok))));
        assert.ok(await seen(), "the newest words are out of sight");
        assert.equal(await page.getByRole("button", { name: "New messages" }).count(), 0);
        assert.ok(await whole(), "a picture is cut");
      }));
  }

  await check("within somebody else's strict page: the script loads, the launcher tells while it is closed", () =>
    withPage({ path: "site", viewport: { width: 1280, height: 800 } }, async (page, w) => {
      await page.getByRole("button", { name: "Open the chat" }).click();
      await toTalk(page, w);
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "Open the chat, you are connected by voice or video" }).click();
      await page.locator('tandem-chat video[aria-label*="Mei"]').waitFor();
      await until("frames go on", async () => (await w.far.got("screen")).frames > 3);
      assert.deepEqual(await page.evaluate(() => Object.getOwnPropertyNames(window).filter((k) => /tandem|preact/i.test(k))), ["Tandem"]);
    }));

  await check("by keyboard alone: accept, start, mute, end", () =>
    withPage({ viewport: { width: 1280, height: 800 } }, async (page, w) => {
      await ask(page, w);
      const press = async (name) => {
        for (let i = 0; i < 40; i++) {
          const now = await page.evaluate(() => {
            let e = document.activeElement;
            while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
            return e?.getAttribute("aria-label") ?? e?.textContent?.trim();
          });
          if (now === name) return page.keyboard.press("Enter");
          await page.keyboard.press("Shift+Tab");
        }
        throw new Error(`Tab never comes to ${name}`);
      };
      await press("Video");
      await button(page, "Start").waitFor();
      await press("Start");
      w.change({ state: "up", now: "video" });
      await page.getByText("You are seen and heard by Mei Lin").waitFor();
      await press("Switch the microphone off");
      await page.getByText("Your microphone is off").waitFor();
      await press("End voice and video");
      await until("the end", () => w.wants.some((f) => f.do === "end"));
    }));

  await check("the page /check: devices, the picture comes back, what will work", () =>
    withPage({ path: "/check" }, async (page, w) => {
      w.world.control.tried = tried(w);
      await button(page, "Begin the test").waitFor();
      assert.deepEqual(await asked(page), []);
      await button(page, "Begin the test").click();
      await page.getByText("Voice and video will work here.").waitFor();
      await page.getByText("Your picture came back.").waitFor();
      await button(page, "Stop the test").click();
      await until("devices are given back", () => page.evaluate(() => window.tracks.every((t) => t.readyState === "ended")));
      w.world.control.tried = (send) => ({ take: () => send({ t: "over", why: "many", retry_after: 600 }), end() {} });
      await button(page, "Test once more").click();
      await page.getByText("Please try again in 10 minutes.").waitFor();
    }));

  await looks({ check, shot, withPage, begin, ask, toPreview, toTalk, button });
}
