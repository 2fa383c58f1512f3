// Journey "page": a customer calls from the page, by microphone and keypad, with mouse and
// by keyboard alone; what goes wrong is told; a designer tries a flow by microphone.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { noSeriousProblems } from "./axe.mjs";

const run = promisify(execFile);

export default async function page({ browser, server, check, shot }) {
  const tandem = async (...args) => (await run(server.program, [...args.slice(0, 1), "--config", server.config, ...args.slice(1)])).stdout;

  // withPage opens a page whose connections can be looked at; set runs in it before all else.
  async function withPage(options, use, { set, url = server.pages } = {}) {
    const context = await browser.newContext({ locale: "en-GB", permissions: ["microphone"], ...options });
    const wrong = [];
    context.on("console", (m) => m.type() === "error" && !m.text().includes("status of 401") && wrong.push(m.text())); // who is not logged in yet is told so
    context.on("weberror", (e) => wrong.push(String(e.error())));
    await context.addInitScript(() => {
      window.connections = [];
      const Real = window.RTCPeerConnection;
      window.RTCPeerConnection = class extends Real {
        constructor(...args) {
          super(...args);
          window.connections.push(this);
        }
      };
      window.sockets = [];
      const Socket = window.WebSocket;
      window.WebSocket = class extends Socket {
        constructor(...args) {
          super(...args);
          window.sockets.push(this);
        }
      };
    });
    if (set) await context.addInitScript(set);
    const p = await context.newPage();
    try {
      await p.goto(url, { waitUntil: "domcontentloaded" });
      await use(p);
      assert.deepEqual(wrong, [], "the page reports errors");
    } finally {
      await context.close();
    }
  }

  const panel = (p) => p.getByRole("region", { name: /95599/ });
  const dial = (p) => p.getByRole("button", { name: "Call 95599 from this page" });

  // figures are what the browser says of its newest connection.
  const figures = (p) =>
    p.evaluate(async () => {
      const all = [...(await window.connections.at(-1).getStats()).values()];
      const of = (type) => all.find((r) => r.type === type) ?? {};
      const codec = all.find((r) => r.id === of("inbound-rtp").codecId);
      return { energy: of("inbound-rtp").totalAudioEnergy ?? 0, received: of("inbound-rtp").packetsReceived ?? 0, sent: of("outbound-rtp").packetsSent ?? 0, codec: codec?.mimeType };
    });

  async function hears(p, limit = 15_000) {
    const before = (await figures(p)).energy;
    const end = Date.now() + limit;
    while ((await figures(p)).energy <= before + 0.001) {
      assert.ok(Date.now() < end, "nothing is heard");
      await p.waitForTimeout(200);
    }
  }

  // keyed waits until the newest call's journal has a key.
  async function keyed(what, limit = 15_000) {
    const end = Date.now() + limit;
    for (;;) {
      const [call] = JSON.parse(await tandem("interactions", "list", "--json"));
      const story = call ? await tandem("interactions", "show", call.number) : "";
      if (what.test(story)) return story;
      assert.ok(Date.now() < end, `${what} is not in\n${story}`);
      await new Promise((yes) => setTimeout(yes, 300));
    }
  }

  await check("a customer calls from the page, hears the flow, keys a choice, and hangs up", () =>
    withPage({}, async (p) => {
      await dial(p).click();
      await panel(p).getByText("You are connected.").waitFor();
      await hears(p);
      assert.equal((await figures(p)).codec, "audio/PCMU");
      await panel(p).getByRole("button", { name: "1", exact: true }).click();
      await keyed(/keyed 1/);
      await shot(p, "up-en-light", { fullPage: false });
      await panel(p).getByRole("button", { name: "Mute" }).click();
      await panel(p).locator('button[aria-pressed="true"]').waitFor();
      await panel(p).getByRole("button", { name: "Hang up" }).click();
      await panel(p).getByText("You have hung up.").waitFor();
      await keyed(/hangup by remote/);
      await panel(p).getByRole("button", { name: "Close" }).click();
      await panel(p).waitFor({ state: "detached" });
    }));

  await check("a whole call by keyboard alone; the focus comes back to where it began", () =>
    withPage({}, async (p) => {
      await dial(p).focus();
      await p.keyboard.press("Enter");
      await panel(p).getByText("You are connected.").waitFor();
      assert.equal(await p.evaluate(() => document.activeElement?.textContent), "Hang up");
      await hears(p);
      await p.keyboard.type("2");
      await keyed(/keyed 2/);
      await noSeriousProblems(p);
      await p.keyboard.press("Enter");
      await panel(p).getByText("You have hung up.").waitFor();
      await p.keyboard.press("Enter");
      await panel(p).waitFor({ state: "detached" });
      assert.equal(await p.evaluate(() => document.activeElement?.textContent), "Call 95599 from this page");
    }));

  await check("the socket drops in mid-call: the voice goes on, and it comes back", () =>
    withPage({}, async (p) => {
      await dial(p).click();
      await panel(p).getByText("You are connected.").waitFor();
      await p.evaluate(() => window.sockets.filter((s) => s.url.includes("voice")).at(-1).close(4999));
      await p.waitForFunction(() => window.sockets.filter((s) => s.url.includes("voice") && s.readyState === 1).length === 1);
      await panel(p).getByText("You are connected.").waitFor();
      await hears(p);
      assert.equal(await p.evaluate(() => window.connections.length), 1);
      await panel(p).getByRole("button", { name: "Hang up" }).click();
      await panel(p).getByText("You have hung up.").waitFor();
    }));

  await check("the connection is torn down in mid-call: a new one takes its place", () =>
    withPage({}, async (p) => {
      await dial(p).click();
      await panel(p).getByText("You are connected.").waitFor();
      await p.evaluate(() => window.connections.at(-1).close());
      await p.waitForFunction(() => window.connections.length > 1 && window.connections.at(-1).connectionState === "connected", null, { timeout: 30_000 });
      await hears(p);
      await panel(p).getByRole("button", { name: "Hang up" }).click();
    }));

  for (const [what, set, says] of [
    ["denied", () => navigator.mediaDevices && (navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("no", "NotAllowedError"); }), "Your browser may not use the microphone."],
    ["missing", () => navigator.mediaDevices && (navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("no", "NotFoundError"); }), "No microphone was found"],
    ["impossible in a page that is not secure", () => Object.defineProperty(window, "isSecureContext", { value: false }), "Browsers let only secure pages use the microphone."],
  ]) {
    await check(`a microphone that is ${what} is told`, () =>
      withPage({}, async (p) => {
        await dial(p).click();
        await panel(p).getByText(says).waitFor();
        await shot(p, `microphone-${what.split(" ")[0]}`, { fullPage: false });
      }, { set }));
  }

  await check("a microphone that is taken out is told in the call, and another one takes its place", () =>
    withPage({}, async (p) => {
      await dial(p).click();
      await panel(p).getByText("You are connected.").waitFor();
      await p.evaluate(() => {
        window.refused = true;
        window.streams.at(-1).getAudioTracks()[0].dispatchEvent(new Event("ended"));
      });
      await panel(p).getByText("Your microphone is gone").waitFor();
      await p.evaluate(() => {
        window.refused = false;
        navigator.mediaDevices.dispatchEvent(new Event("devicechange"));
      });
      await panel(p).getByText("Your microphone is gone").waitFor({ state: "detached" });
      await hears(p);
    }, {
      set: () => {
        window.streams = [];
        if (!navigator.mediaDevices) return; // not the page yet
        const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        navigator.mediaDevices.getUserMedia = async (what) => {
          if (window.refused) throw new DOMException("no", "NotFoundError");
          const stream = await real(what);
          window.streams.push(stream);
          return stream;
        };
      },
    }));

  for (const [name, options] of Object.entries({
    "zh-dark-320": { locale: "zh-CN", colorScheme: "dark", viewport: { width: 320, height: 700 } },
    "zh-light-390": { locale: "zh-CN", viewport: { width: 390, height: 844 } },
    "en-dark-1280": { colorScheme: "dark", viewport: { width: 1280, height: 800 } },
  })) {
    await check(`the call looks right: ${name}`, () =>
      withPage(options, async (p) => {
        await p.getByRole("button", { name: /95599 from this page|在本页拨打 95599/ }).click();
        await panel(p).getByText(/You are connected|已接通/).waitFor();
        assert.ok(await p.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "the page scrolls sideways");
        assert.ok(await panel(p).evaluate((e) => e.scrollWidth <= e.clientWidth + 1 && e.getBoundingClientRect().bottom <= innerHeight + 1), "the panel does not fit");
        await noSeriousProblems(p);
        await shot(p, `up-${name}`, { fullPage: false });
        await panel(p).getByRole("button", { name: /Hang up|挂断/ }).click();
        await panel(p).getByText(/You have hung up|您已挂断/).waitFor();
        await shot(p, `over-${name}`, { fullPage: false });
      }));
  }

  await check("a designer tries a flow by microphone", () =>
    withPage({}, async (p) => {
      await p.locator("input[autocomplete=username]").first().fill("designer");
      await p.locator("input[type=password]").first().fill(server.passwords.designer);
      await p.locator("input[type=password]").first().press("Enter");
      await p.waitForURL((url) => !url.pathname.startsWith("/login"));
      await p.goto(`${server.staff}studio#/flow/hotline`);
      await p.getByRole("button", { name: "Try by microphone" }).click();
      const tried = p.locator("section.call-panel");
      await tried.getByText("You are connected.").waitFor();
      await hears(p);
      await noSeriousProblems(p);
      await shot(p, "studio", { fullPage: false });
      await tried.getByRole("button", { name: "Hang up" }).click();
      await tried.getByText("You have hung up.").waitFor();
    }, { url: `${server.staff}login` }));
}
