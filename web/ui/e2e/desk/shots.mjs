// Takes the desk's page in all its states, both languages, both themes and three widths, and
// has axe look at each: node web/ui/e2e/desk/shots.mjs [STATE …]
// WIDTHS, LANGS and THEMES narrow it down.
import { mkdir } from "node:fs/promises";
import { chromium } from "playwright-core";
import { noSeriousProblems } from "../axe.mjs";
import { fake } from "./fake.mjs";
import { states } from "./states.mjs";

const dist = new URL("../../dist", import.meta.url).pathname;
const out = new URL("../shots/", import.meta.url).pathname;
const set = (name, all) => process.env[name]?.split(",") ?? all;
const widths = set("WIDTHS", ["390", "1280", "1920"]);
const langs = set("LANGS", ["en-GB", "zh-CN"]);
const themes = set("THEMES", ["light", "dark"]);
const wanted = process.argv.slice(2);
await mkdir(out, { recursive: true });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"] });
let failed = 0;
for (const [name, state] of Object.entries(states)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  for (const locale of langs) {
    for (const colorScheme of themes) {
      for (const width of widths) {
        const shot = `desk-${name}-${width}-${colorScheme}-${locale.slice(0, 2)}`;
        const server = await fake(dist, state.make());
        const context = await browser.newContext({ locale, colorScheme, viewport: { width: Number(width), height: width === "390" ? 844 : width === "1920" ? 1080 : 800 }, reducedMotion: "reduce" });
        const wrong = [];
        try {
          const page = await context.newPage();
          page.on("console", (m) => m.type() === "error" && !/404|ERR_|AudioContext encountered/.test(m.text()) && wrong.push(m.text()));
          page.on("pageerror", (err) => wrong.push(String(err)));
          await page.goto(`${server.url}desk`);
          const { holds, invites } = server.bank;
          await page.locator(Object.keys({ ...holds, ...invites }).length > 0 ? ".row" : ".desk-list .empty").first().waitFor({ state: "attached" });
          if (width === "390" && (await page.locator(".row-main").count()) > 0 && name !== "invite") await page.locator(".desk-panes button").nth(1).click();
          await state.after?.(server, page);
          if (width === "390" && /^(call|offer)/.test(name)) await page.locator(".desk-panes button").nth(1).click();
          await page.evaluate(() => document.fonts.ready);
          await page.waitForLoadState("networkidle");
          const wide = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
          if (wide[0] > wide[1]) throw new Error(`${wide[0]} px wide in a view of ${wide[1]}`);
          await page.screenshot({ path: `${out}${shot}.png` });
          await noSeriousProblems(page);
          if (wrong.length > 0) throw new Error(wrong.join("\n"));
          console.log(`ok     ${shot}`);
        } catch (err) {
          failed++;
          await context.pages()[0]?.screenshot({ path: `${out}desk-failed.png` }).catch(() => {});
          console.log(`FAILED ${shot}: ${err.message ?? err}`);
        } finally {
          await context.close();
          await server.close();
        }
      }
    }
  }
}
await browser.close();
process.exit(failed > 0 ? 1 : 0);
