// What a customer has at hand, and where they look: a telephone, its texts, the widget on
// a page, the pages of links; and for us, the journal.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

const run = promisify(execFile);
const patience = 10_000; // milliseconds for what is waited for here
const shots = new URL("../shots/", import.meta.url).pathname;

export const pause = (ms) => new Promise((yes) => setTimeout(yes, ms));

// until waits for something that is looked up again and again: it comes as soon as look
// gives more than nothing.
export async function until(what, look, limit = patience, every = 60) {
  for (const late = Date.now() + limit; ; ) {
    const found = await look();
    if (found) return found;
    if (Date.now() > late) throw new Error(`${what}: not within ${limit / 1000} s`);
    await pause(every);
  }
}

// world is what one server is used by.
export async function world({ browser, server, root }) {
  const config = await readFile(server.config, "utf8");
  const gateway = /url: "(http:\/\/[^"]+)\/webhook"/.exec(config)[1];
  const door = server.pages.slice(0, -1);

  const tandem = async (...args) => (await run(server.program, [...args, "--config", server.config], { maxBuffer: 64 << 20 })).stdout;
  const list = async () => JSON.parse(await tandem("interactions", "list", "--json"));
  const show = async (id) => JSON.parse(await tandem("interactions", "show", id, "--json"));
  // told waits until an interaction's journal fits: events are happenings, too, which trail.
  const told = (id, what, fits, limit) =>
    until(
      `the journal of ${id}: ${what}`,
      async () => {
        const story = await show(id);
        return fits(story) && story;
      },
      limit,
    );
  // begun waits for the newest interaction of an entry that began since a time.
  const begun = (entry, since, fits = () => true) =>
    until(`an interaction by ${entry}`, async () => (await list()).find((i) => i.entry === entry && new Date(i.started) >= since && fits(i)));

  const phones = async (path, body) => {
    const init = body ? { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) } : {};
    const answer = await fetch(`${gateway}/phones/${encodeURIComponent(path[0])}/${path[1]}`, init);
    assert.ok(answer.ok, `the simulator answers ${answer.status}`);
    return answer.json();
  };
  const inbox = async (number) => (await phones([number, "messages"])).messages;
  // text gives the newest text to a phone that fits and came since a time.
  const text = (number, pattern, since, limit) =>
    until(`a text like ${pattern} to ${number}`, async () => (await inbox(number)).findLast((m) => !m.by_phone && new Date(m.at) >= since && pattern.test(m.text))?.text, limit);

  return {
    server, root, door, gateway, tandem, list, show, told, begun, inbox, text,
    reply: (number, words, more) => phones([number, "reply"], { text: words, ...more }),
    code: async (number, since) => /\b\d{6}\b/.exec(await text(number, /验证码\d{6}|\d{6} is your code/, since))?.[0] ?? "",
    link: async (number, since) => /https?:\/\/\S+\/l\/[\w-]+/.exec(await text(number, /\/l\//, since))[0],
    verify: async () => assert.match(await tandem("interactions", "verify"), /^right/m),
    visit: (options, use) => visit(browser, door, options, use),
  };
}

// visit gives a page in a context of its own, and fails on any error in it but those that
// are expected there: a lost network, a refusal.
async function visit(browser, door, { at = `${door}/`, expect = /(?!)/, elsewhere = /(?!)/, ...options }, use) {
  const context = await browser.newContext({ locale: "en-GB", viewport: { width: 1280, height: 800 }, reducedMotion: "reduce", ...options });
  const wrong = [];
  context.on("console", (m) => m.type() === "error" && !expect.test(m.text()) && wrong.push(`${m.text()} ${m.location().url}`));
  context.on("weberror", (e) => wrong.push(String(e.error())));
  context.on("dialog", (d) => {
    wrong.push(`a dialog: ${d.message()}`);
    void d.dismiss();
  });
  try {
    const page = await context.newPage();
    if (at) await page.goto(at);
    await use(page, context);
    assert.deepEqual(wrong, [], "the pages report errors");
  } catch (err) {
    for (const [i, page] of context.pages().entries()) await page.screenshot({ path: `${shots}text-failed-${i}.png` }).catch(() => {}); // it may be gone
    throw err;
  } finally {
    await context.close();
  }
}

// chat is the widget on a page, by its names in a language.
export function chat(page, zh = false) {
  const w = (en, cn) => (zh ? cn : en);
  const log = page.getByRole("log", { name: w("Messages", "消息") });
  const field = page.getByRole("textbox", { name: w("Write a message", "输入消息") });
  const secret = page.locator("input#field"); // masked, or of the kind that is asked for; else it is a textarea
  return {
    log, field, secret,
    open: () => page.getByRole("button", { name: w("Open the chat", "打开对话") }).click(),
    reads: (text, limit) => log.locator("li:not(.own)").getByText(text).last().waitFor(limit && { timeout: limit }),
    tap: (label) => page.getByRole("group", { name: w("Choices", "选项") }).getByRole("button", { name: label }).click(),
    async say(text) {
      await field.fill(text);
      await field.press("Enter");
    },
    async sayHidden(text) {
      await secret.fill(text);
      await secret.press("Enter");
    },
    own: () => log.locator("li.own .text").allTextContents(),
    all: () => log.locator("li .text").allTextContents(),
  };
}

// ms is the time between two events of a journal.
export const ms = (from, to) => new Date(to.at) - new Date(from.at);

// is finds events: of a kind, with what their payload has.
export const is = (kind, has = {}) => (e) => e.kind === kind && Object.entries(has).every(([k, v]) => (v instanceof RegExp ? v.test(e.data?.[k] ?? "") : e.data?.[k] === v));
