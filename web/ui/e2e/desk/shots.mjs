// Takes the desk's page in all its states, both languages, both themes and three widths, and
// has axe look at each: node web/ui/e2e/desk/shots.mjs [STATE …]
// WIDTHS, LANGS and THEMES narrow it down.
import { mkdir } from "node:fs/promises";
import { chromium } from "playwright-core";
import { look } from "./looks.mjs";
import { states } from "./states.mjs";

const out = new URL("../shots/", import.meta.url).pathname;
const set = (name, all) => process.env[name]?.split(",") ?? all;
const wanted = process.argv.slice(2);
await mkdir(out, { recursive: true });
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"] });
let failed = 0;
for (const [state, what] of Object.entries(states)) {
  if (wanted.length > 0 && !wanted.includes(state)) continue;
  for (const locale of set("LANGS", ["en-GB", "zh-CN"])) {
    for (const colorScheme of set("THEMES", ["light", "dark"])) {
      for (const width of set("WIDTHS", ["390", "1280", "1920"])) {
        const name = `desk-${state}-${width}-${colorScheme}-${locale.slice(0, 2)}`;
        await look(browser, what, { name, path: `${out}${name}.png`, width: Number(width), colorScheme, locale }).then(
          () => console.log(`ok     ${name}`),
          (err) => (failed++, console.log(`FAILED ${err.message}`)),
        );
      }
    }
  }
}
await browser.close();
process.exit(failed > 0 ? 1 : 0);
