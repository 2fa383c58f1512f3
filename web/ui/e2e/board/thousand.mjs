// What a board with a thousand agents costs the browser: node web/ui/e2e/board/thousand.mjs
// A hundred agents change twice a second; it prints how busy the page's thread is, and how long
// frames take, on the view of agents and on that of queues.
import { chromium } from "playwright-core";
import { fake } from "./fake.mjs";
import { World } from "./world.mjs";

const seconds = 15;
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
for (const tab of ["agents", "queues"]) {
  const server = await fake(new World({ agents: 1000, queues: Array.from({ length: 20 }, (_, i) => `queue-${String(i).padStart(2, "0")}`) }), { every: 500, agents: 100 });
  const page = await browser.newPage({ viewport: { width: 1920, height: 1080 } });
  await page.goto(`${server.url}board#/${tab}`);
  await page.locator(tab === "agents" ? ".agent-row" : ".queues tbody tr").first().waitFor();
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Performance.enable");
  const busy = async () => Object.fromEntries((await cdp.send("Performance.getMetrics")).metrics.map((m) => [m.name, m.value]));
  const before = await busy();
  const frames = await page.evaluate(
    (ms) =>
      new Promise((yes) => {
        const all = [];
        let last = performance.now();
        const end = last + ms;
        const run = (now) => {
          all.push(now - last);
          last = now;
          if (now < end) requestAnimationFrame(run);
          else yes(all.sort((a, b) => a - b));
        };
        requestAnimationFrame(run);
      }),
    seconds * 1000,
  );
  const after = await busy();
  const at = (p) => frames[Math.floor((frames.length - 1) * p)].toFixed(1);
  const drawn = await page.locator(".agent-row").count();
  const part = (after.TaskDuration - before.TaskDuration) / seconds;
  console.log(`${tab}: thread busy ${(part * 100).toFixed(1)}%, scripts ${((100 * (after.ScriptDuration - before.ScriptDuration)) / seconds).toFixed(1)}%; frames p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms; rows drawn ${drawn}`);
  await page.close();
  await server.close();
}
await browser.close();
