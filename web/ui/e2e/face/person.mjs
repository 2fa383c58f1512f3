// Somebody with a microphone and a camera: their voice is a tone, as in ../queue/person.mjs,
// their camera the browser's own test picture; what they see is read from the browser's statistics.
import { person as speaker } from "../queue/person.mjs";
import { until } from "../text/world.mjs";

export { login, seated } from "../queue/person.mjs";

// Tones that are told apart, in hertz.
export const tones = { phone: 620, anna: 440, bo: 880, mei: 1300, page: 1000 };

export async function person(browser, { relayed, ...options }) {
  const p = await speaker(browser, { locale: "en-GB", permissions: ["microphone", "camera", "notifications"], ...options });
  const [page] = p.context.pages();
  await page.close(); // what follows runs in pages that are opened after it
  await p.context.addInitScript(eyes);
  if (relayed) await p.context.addInitScript(relayed.script, relayed.ports);
  p.page = await p.context.newPage();
  const evaluate = (...args) => p.page.evaluate(...args);
  Object.assign(p, {
    heard: () => evaluate(() => window.ears.heard),
    speech: () => evaluate(() => window.ears.speech()),
    // seen gives frames that were decoded, by the mid of the slot, and the size of the largest.
    seen: () => evaluate(() => window.eyes.seen()),
    shown: () => evaluate(() => window.eyes.shown()),
    // asked lists what this page asked of camera and microphone, each with what stood then.
    asked: () => evaluate(() => window.eyes.asked),
  });
  const count = async () => Object.values((await p.seen()).decoded).reduce((a, b) => a + b, 0);
  Object.assign(p, {
    frames: count,
    // sees waits until this many frames more are decoded.
    async sees(more = 15, limit = 20_000) {
      const before = await count();
      await until(`${more} frames are seen`, async () => (await count()) - before >= more, limit);
    },
    // seesSlots waits until so many pictures move.
    async seesSlots(n, limit = 20_000) {
      await until(`${n} pictures move`, async () => {
        const before = (await p.seen()).decoded;
        await new Promise((yes) => setTimeout(yes, 700));
        const now = (await p.seen()).decoded;
        return Object.keys(now).filter((mid) => now[mid] > (before[mid] ?? 0)).length >= n;
      }, limit);
    },
    // seesNothing looks for a while and finds no frame.
    async seesNothing(seconds = 1.5) {
      const before = await count();
      await new Promise((yes) => setTimeout(yes, seconds * 1000));
      const now = await count();
      if (now > before + 2) throw new Error(`${now - before} frames were seen`);
    },
    // the same by what this page reads of its own clock
    async hears(hz, seconds = 0.6, limit = 20_000) {
      const before = (await p.heard())[hz] ?? 0;
      await until(`${hz} Hz is heard`, async () => ((await p.heard())[hz] ?? 0) - before >= seconds, limit);
    },
    async hearsNot(hz, seconds = 1.5) {
      const before = (await p.heard())[hz] ?? 0;
      await new Promise((yes) => setTimeout(yes, seconds * 1000));
      const more = ((await p.heard())[hz] ?? 0) - before;
      if (more > 0.25) throw new Error(`${hz} Hz was heard for ${more.toFixed(1)} s`);
    },
  });
  return p;
}

// eyes runs in the page after the ears: the camera is the browser's, the microphone their tone.
function eyes() {
  if (!navigator.mediaDevices) return;
  const media = navigator.mediaDevices;
  const tone = media.getUserMedia; // of the ears
  const real = MediaDevices.prototype.getUserMedia.bind(media);
  const asked = [];
  media.getUserMedia = async (want) => {
    asked.push({ audio: !!want.audio, video: !!want.video, at: performance.now() });
    const out = new MediaStream();
    if (want.audio) for (const t of (await tone.call(media, { audio: true })).getTracks()) out.addTrack(t);
    if (want.video) {
      const tracks = (await real({ video: want.video })).getTracks();
      asked.at(-1).camera = performance.now();
      for (const t of tracks) out.addTrack(t);
    }
    return out;
  };
  const each = async (kind, take) => {
    for (const pc of window.ears.connections) {
      if (pc.signalingState === "closed") continue;
      for (const s of (await pc.getStats()).values()) if (s.type === kind && s.kind === "video") take(s);
    }
  };
  window.eyes = {
    asked,
    async seen() {
      const decoded = {};
      let width = 0;
      await each("inbound-rtp", (s) => {
        decoded[s.mid] = (decoded[s.mid] ?? 0) + (s.framesDecoded ?? 0);
        width = Math.max(width, s.frameWidth ?? 0);
      });
      return { decoded, width };
    },
    async shown() {
      let frames = 0;
      await each("outbound-rtp", (s) => (frames += s.framesEncoded ?? 0));
      return frames;
    },
  };
}
