// Takes the board's page in all its states, both languages, both themes and three widths, and
// has axe look at each: node web/ui/e2e/board/shots.mjs [STATE …]
// WIDTHS, LANGS and THEMES narrow it down.
import { mkdir } from "node:fs/promises";
import { chromium } from "playwright-core";
import { noSeriousProblems } from "../axe.mjs";
import { fake } from "./fake.mjs";
import { states } from "./states.mjs";

const out = new URL("../shots/", import.meta.url).pathname;
const set = (name, all) => process.env[name]?.split(",") ?? all;
const langs = set("LANGS", ["en-GB", "zh-CN"]);
const themes = set("THEMES", ["light", "dark"]);
const wanted = process.argv.slice(2);
const heights = { 390: 844, 1280: 800, 1920: 1080, 2560: 1440 };
await mkdir(out, { recursive: true });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
let failed = 0;
for (const [name, state] of Object.entries(states)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  for (const locale of langs) {
    for (const colorScheme of themes) {
      for (const width of set("WIDTHS", state.widths ?? ["390", "1280", "1920"])) await shoot(name, state, locale, colorScheme, width);
    }
  }
}
await browser.close();
process.exit(failed > 0 ? 1 : 0);

async function shoot(name, state, locale, colorScheme, width) {
  const shot = `board-${name}-${width}-${colorScheme}-${locale.slice(0, 2)}`;
  const server = await fake(state.make(), state);
  const context = await browser.newContext({ locale, colorScheme, viewport: { width: Number(width), height: heights[width] }, reducedMotion: "reduce" });
  const wrong = [];
  try {
    const page = await context.newPage();
    page.on("console", (m) => m.type() === "error" && !/404|ERR_|WebSocket/.test(m.text()) && wrong.push(m.text()));
    page.on("pageerror", (err) => wrong.push(String(err)));
    await page.goto(`${server.url}board`);
    if (state.roles?.[0] !== "designer" && !state.silent) await page.locator(".age").waitFor();
    await state.after?.(server, page);
    if (state.ready) await page.locator(state.ready).first().waitFor();
    await page.evaluate(() => document.fonts.ready);
    await page.waitForTimeout(150);
    const wide = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    if (wide[0] > wide[1]) throw new Error(`${wide[0]} px wide in a view of ${wide[1]}`);
    await page.screenshot({ path: `${out}${shot}.png` });
    await noSeriousProblems(page);
    if (wrong.length > 0) throw new Error(wrong.join("\n"));
    console.log(`ok     ${shot}`);
  } catch (err) {
    failed++;
    await context.pages()[0]?.screenshot({ path: `${out}board-failed-${name}.png` }).catch(() => {});
    console.log(`FAILED ${shot}: ${err.message ?? err}`);
  } finally {
    await context.close();
    await server.close();
  }
}
