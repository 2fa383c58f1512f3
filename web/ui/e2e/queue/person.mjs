// Somebody at a page with a microphone: they say one tone for ever, and what they hear is
// measured where the page plays it.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { chromium } from "playwright-core";
import { until } from "../text/world.mjs";

// Tones that are told apart, in hertz; those of the telephones are among them.
export const tones = { phone: 620, anna: 440, bo: 880, sam: 1300, page: 1000 };

// person opens a context whose pages speak hz; wrong collects what they report as errors.
export async function person(browser, { hz, ...options }) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: "reduce", permissions: ["microphone", "notifications"], ...options });
  const wrong = [];
  context.on("console", (m) => m.type() === "error" && !/401 \(/.test(m.text()) && wrong.push(`${m.text()} ${m.location().url}`));
  context.on("weberror", (e) => wrong.push(String(e.error())));
  await context.addInitScript(ears, { hz, all: Object.values(tones) });
  const page = await context.newPage();
  // heard gives seconds of each tone, and of silence under 0, since the page was opened.
  const heard = () => page.evaluate(() => window.ears.heard);
  return {
    page, context, wrong, heard,
    // hears waits until a tone was there for some seconds from now on.
    async hears(hz, seconds = 0.6, limit = 20_000) {
      const before = (await heard())[hz] ?? 0;
      await until(`${hz} Hz is heard`, async () => ((await heard())[hz] ?? 0) - before >= seconds, limit);
    },
    // hearsNot looks for a while and finds none of a tone.
    async hearsNot(hz, seconds = 1.5) {
      const before = await heard();
      await new Promise((yes) => setTimeout(yes, seconds * 1000));
      const now = await heard();
      const looked = Object.values(now).reduce((a, b) => a + b, 0) - Object.values(before).reduce((a, b) => a + b, 0);
      assert.ok(looked > seconds / 4, `nothing was measured for ${seconds} s`);
      assert.ok((now[hz] ?? 0) - (before[hz] ?? 0) < 0.25, `${hz} Hz was heard`);
    },
    // speech tells what its sound is sent and heard as now, and how much of what was heard was
    // made up for want of packets, in seconds.
    speech: () => page.evaluate(() => window.ears.speech()),
    async close() {
      await context.close();
      assert.deepEqual(wrong, [], "the pages report errors");
    },
  };
}

// login goes to a page of the staff as somebody.
export async function login(p, server, name, path) {
  await p.page.goto(`${server.staff}login`);
  await p.page.locator("input[name=name], input[autocomplete=username]").first().fill(name);
  await p.page.locator("input[type=password]").first().fill(server.passwords[name]);
  await p.page.locator("input[type=password]").first().press("Enter");
  await p.page.waitForURL((url) => !url.pathname.startsWith("/login"));
  if (!p.page.url().includes(path)) await p.page.goto(server.staff + path.replace(/^\//, ""));
}

// seated waits until an agent's calls come to their desk: with the microphone allowed it asks
// for nothing.
export const seated = ({ page }) => page.locator(".sound-button.up").waitFor();

// laptop is a browser of its own, whose lid can be closed: then nothing of it runs, as on a
// machine that sleeps.
export async function laptop(options) {
  const own = await chromium.launchServer(options);
  const pid = own.process().pid;
  const browser = await chromium.connect(own.wsEndpoint());
  const tell = (signal) => processes(pid).forEach((p) => process.kill(p, signal));
  return {
    browser,
    lid: (closed) => tell(closed ? "SIGSTOP" : "SIGCONT"),
    async close() {
      tell("SIGCONT");
      await browser.close();
      await own.close();
    },
  };
}

// processes gives a process and all that it has started.
function processes(pid) {
  const parents = new Map();
  for (const name of readdirSync("/proc").filter((n) => /^\d+$/.test(n))) {
    try {
      parents.set(Number(name), Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${name}/status`, "utf8"))[1]));
    } catch {} // it has ended meanwhile
  }
  const all = [pid];
  for (let i = 0; i < all.length; i++) all.push(...[...parents].filter(([, parent]) => parent === all[i]).map(([child]) => child));
  return all;
}

// ears runs in the page before anything else: the microphone is a tone, and each track that
// comes is listened to.
function ears({ hz, all }) {
  const heard = { 0: 0 };
  const connections = new Set();
  window.ears = {
    heard, connections,
    async speech() {
      const is = { said: "", heard: "", madeUp: 0 };
      for (const pc of connections) {
        if (pc.connectionState !== "connected") continue;
        const stats = await pc.getStats();
        for (const s of stats.values()) {
          const codec = s.kind === "audio" && stats.get(s.codecId)?.mimeType;
          if (codec && s.type === "outbound-rtp") is.said = codec;
          if (codec && s.type === "inbound-rtp") [is.heard, is.madeUp] = [codec, s.concealedSamples / 48_000];
        }
      }
      return is;
    },
  };
  let sound;
  const speaker = () => (sound ??= new AudioContext());
  if (!navigator.mediaDevices) return; // not a page of the server's
  navigator.mediaDevices.getUserMedia = async () => {
    const context = speaker();
    await context.resume();
    const [tone, level, out] = [context.createOscillator(), context.createGain(), context.createMediaStreamDestination()];
    tone.frequency.value = hz;
    level.gain.value = 0.25;
    tone.connect(level).connect(out);
    tone.start();
    return out.stream;
  };
  const goertzel = (samples, at, hz) => {
    const k = 2 * Math.cos((2 * Math.PI * hz) / at);
    let [one, two] = [0, 0];
    for (const s of samples) [one, two] = [s + k * one - two, one];
    return (2 * (one * one + two * two - k * one * two)) / samples.length;
  };
  function listen(track) {
    const context = speaker();
    const from = context.createMediaStreamSource(new MediaStream([track]));
    const look = context.createAnalyser();
    look.fftSize = 4096;
    from.connect(look);
    const samples = new Float32Array(look.fftSize);
    const timer = setInterval(() => {
      if (track.readyState === "ended") return clearInterval(timer);
      void context.resume();
      look.getFloatTimeDomainData(samples);
      const energy = samples.reduce((sum, s) => sum + s * s, 0);
      if (Math.sqrt(energy / samples.length) < 0.003) return void (heard[0] += 0.1);
      for (const hz of all) if (goertzel(samples, context.sampleRate, hz) / energy > 0.15) heard[hz] = (heard[hz] ?? 0) + 0.1;
      heard.any = (heard.any ?? 0) + 0.1;
    }, 100);
  }
  const Real = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Real {
    constructor(...args) {
      super(...args);
      connections.add(this);
      this.addEventListener("track", (e) => listen(e.track));
    }
  };
}
