// What was recorded goes out of the house as films that a browser plays from any place.
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../text/world.mjs";

export async function film(w, t) {
  await t.check("the recording of the caller's check is exported, and played from its middle", async () => {
    const all = await mkdtemp(join(tmpdir(), "tandem-films-"));
    const context = await t.browser.newContext();
    try {
      assert.ok(t.proved, "what comes before has failed");
      const dir = await until("its films are whole and written", async () => {
        const to = await mkdtemp(join(all, "try-"));
        return w.tandem("interactions", "export", t.proved, "--why", "a look at what is kept", "-o", to).then(() => to, () => "");
      }, 20_000, 1_000);
      const films = (await readdir(dir)).filter((name) => name.endsWith(".webm"));
      assert.ok(films.length > 0, `there is a film among ${await readdir(dir)}`);
      const page = await context.newPage();
      for (const name of films) {
        const played = await page.evaluate(plays, (await readFile(join(dir, name))).toString("base64"));
        assert.ok(played.seconds > 5 && Number.isFinite(played.seconds), `${name} is ${played.seconds} s long`);
        assert.ok(played.at >= played.seconds / 2 && played.frames > 0 && played.width > 0, `${name} plays from its middle: ${JSON.stringify(played)}`);
      }
    } finally {
      await context.close();
      await rm(all, { recursive: true });
    }
  }, 60_000);
}

// plays plays a film from its middle, in a page.
async function plays(base64) {
  const video = document.createElement("video");
  const happens = (what) => new Promise((ok, not) => {
    video.addEventListener(what, ok, { once: true });
    video.addEventListener("error", () => not(new Error(video.error.message)), { once: true });
  });
  video.muted = true;
  video.src = URL.createObjectURL(await (await fetch(`data:video/webm;base64,${base64}`)).blob());
  await happens("loadedmetadata");
  const there = happens("seeked");
  video.currentTime = video.duration / 2;
  await there;
  document.body.append(video);
  const frame = new Promise((ok) => video.requestVideoFrameCallback(ok));
  await video.play();
  await frame;
  return { seconds: video.duration, at: video.currentTime, frames: video.getVideoPlaybackQuality().totalVideoFrames, width: video.videoWidth };
}
