// A state of the desk, as one page in one look shows it.
import { noSeriousProblems } from "../axe.mjs";
import { fake } from "./fake.mjs";

const dist = process.env.DIST ?? new URL("../../dist", import.meta.url).pathname; // another build of the pages
const heights = { 390: 844, 1280: 800, 1920: 1080 };

// opened gives a page of a state, its server, and what the page reports as errors.
export async function opened(browser, state, { width = 1280, ...options } = {}) {
  const server = await fake(dist, state.make());
  const context = await browser.newContext({ locale: "en-GB", viewport: { width, height: heights[width] }, reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  const wrong = [];
  // A machine without sound says so; what is refused or not there is answered with 403 or 404; a network that is cut is one.
  page.on("console", (m) => m.type() === "error" && !/40[34]|ERR_|WebSocket|AudioContext encountered/.test(m.text()) && wrong.push(m.text()));
  page.on("pageerror", (err) => wrong.push(String(err)));
  if (state.begin) await page.addInitScript(typeof state.begin === "string" ? { content: state.begin } : state.begin);
  await page.goto(`${server.url}${state.path ?? "desk"}`);
  const { holds, invites } = server.bank;
  await page.locator(Object.keys(holds).length > 0 ? ".row" : Object.keys(invites).length > 0 ? ".invite" : ".desk-list .empty").first().waitFor({ state: "attached" });
  return {
    page, server, context,
    async close() {
      await context.close();
      await server.close();
      if (wrong.length > 0) throw new Error(`the page reports errors: ${wrong.join("\n")}`);
    },
  };
}

// look takes a state in one look, and looks it over.
export async function look(browser, state, { name, path, width, ...options }) {
  const o = await opened(browser, state, { width, ...options });
  try {
    const { page } = o;
    if (width === 390 && state.pane !== "list") await page.locator(".desk-panes button").nth(1).click();
    await state.after?.(o.server, page);
    if (width === 390 && state.pane === "work") await page.locator(".desk-panes button").nth(1).click();
    await page.evaluate(() => document.fonts.ready);
    await page.waitForLoadState("networkidle");
    const [wide, view] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    if (wide > view) throw new Error(`${wide} px wide in a view of ${view}`);
    await page.screenshot({ path });
    await noSeriousProblems(page);
  } catch (err) {
    throw new Error(`${name}: ${err.message}`, { cause: err });
  } finally {
    await o.close();
  }
}
