// Makes small.ivf and large.ivf: a few frames of VP8 from Chromium's encoder (libvpx).
//   node media/video/testdata/make.mjs
// The picture: red above left, green above right, blue below left, white below right, and a
// black square of an eighth of the height that moves to the right.
import { createRequire } from "node:module";
import { createServer } from "node:http";
import { writeFileSync } from "node:fs";
const { chromium } = createRequire(new URL("../../../web/ui/package.json", import.meta.url))("playwright-core");

const server = createServer((_, answer) => answer.setHeader("content-type", "text/html").end("<!doctype html>")).listen(0, "127.0.0.1");
await new Promise((listening) => server.once("listening", listening));
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const page = await browser.newPage();
await page.goto(`http://127.0.0.1:${server.address().port}/`);
for (const [name, width, height, frames, keys, bitrate] of [["small", 160, 120, 20, [0, 10], 60_000], ["large", 640, 480, 3, [0], 400_000]]) {
  const chunks = await page.evaluate(async ({ width, height, frames, keys, bitrate }) => {
    const chunks = [];
    const encoder = new VideoEncoder({
      output: (chunk) => {
        const data = new Uint8Array(chunk.byteLength);
        chunk.copyTo(data);
        chunks.push({ key: chunk.type === "key", data: [...data] });
      },
      error: (e) => { throw e; },
    });
    encoder.configure({ codec: "vp8", width, height, bitrate, framerate: 30, latencyMode: "realtime" });
    const canvas = new OffscreenCanvas(width, height), g = canvas.getContext("2d");
    for (let i = 0; i < frames; i++) {
      ["#f00", "#0f0", "#00f", "#fff"].forEach((colour, at) => {
        g.fillStyle = colour;
        g.fillRect((at % 2) * width / 2, at < 2 ? 0 : height / 2, width / 2, height / 2);
      });
      g.fillStyle = "#000";
      g.fillRect(i * 4, height * 7 / 16, height / 8, height / 8);
      const frame = new VideoFrame(canvas, { timestamp: i * 33_333 });
      encoder.encode(frame, { keyFrame: keys.includes(i) });
      frame.close();
    }
    await encoder.flush();
    return chunks;
  }, { width, height, frames, keys, bitrate });
  const head = Buffer.alloc(32);
  head.write("DKIF\0\0\x20\0VP80", "latin1");
  head.writeUInt16LE(width, 12);
  head.writeUInt16LE(height, 14);
  head.writeUInt32LE(30, 16);
  head.writeUInt32LE(1, 20);
  head.writeUInt32LE(chunks.length, 24);
  const parts = [head];
  chunks.forEach((chunk, i) => {
    const h = Buffer.alloc(12);
    h.writeUInt32LE(chunk.data.length, 0);
    h.writeUInt32LE(i, 4);
    parts.push(h, Buffer.from(chunk.data));
  });
  writeFileSync(new URL(`${name}.ivf`, import.meta.url), Buffer.concat(parts));
  console.log(name, chunks.map((c) => (c.key ? "K" : "") + c.data.length).join(" "));
}
await browser.close();
server.close();
