// Journey "board": a supervisor sees a customer come into line, does something about it by
// keyboard alone, is told of an alert, and finds the day as it was after the server was killed.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { noSeriousProblems } from "./axe.mjs";
import { desk } from "./queue/desk.mjs";
import { chat, until, world } from "./text/world.mjs";

export const alone = true; // it starts its own server, and kills it

const settings = { TANDEM_LIMITS_LATE: "0s", TANDEM_CHAT_LIMITS_CONVERSATIONS_PER_HOUR: "1000" };

export default async function board({ browser, root, startServer, check, shot }) {
  let server = await startServer(settings);
  const contexts = [];
  const open = async (options) => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-GB", reducedMotion: "reduce", ...options });
    contexts.push(context);
    return context.newPage();
  };
  // signedIn is the board of the demo's supervisor.
  const signedIn = async () => {
    const page = await open();
    const wrong = [];
    page.on("pageerror", (err) => wrong.push(String(err)));
    const login = await page.request.post(`${server.staff}api/v1/login`, { data: { name: "sam", password: server.passwords.sam }, headers: { origin: server.staff.slice(0, -1) } });
    assert.equal(login.status(), 200, await login.text());
    await page.goto(`${server.staff}board`);
    await page.locator(".queues tbody tr").first().waitFor();
    return Object.assign(page, { wrong });
  };
  try {
    const w = await world({ browser, root, server });
    const [sam, bo] = await Promise.all(["sam", "bo"].map((name) => desk(server, name)));
    await bankIsOpen(server);
    const reasons = (await bo.get("agent")).reasons;
    await bo.put("agent/presence", { presence: "away", reason: reasons[0].name }); // somebody is there, and takes nothing
    let page = await signedIn();
    let task;

    await check("a customer who comes into line is on the board within a second", async () => {
      const visitor = await open();
      await until("the bank is open", async () => {
        await visitor.goto(`${w.door}/chat?site=front`);
        const c = chat(visitor);
        await c.reads("How can we help you?");
        await c.tap("A person");
        return visitor.getByText(/You are number \d in line/).first().waitFor({ timeout: 5_000 }).then(() => true, () => (visitor.context().clearCookies(), false));
      });
      task = await until("the chat is in line", async () => (await sam.get("line?kind=chat")).tasks[0]);
      const from = Date.now();
      await page.locator(".tile strong").first().filter({ hasText: /^[1-9]/ }).waitFor({ timeout: 3_000 });
      assert.ok(Date.now() - from < 1_000, `${Date.now() - from} ms`);
      const age = parseFloat(await page.locator(".age").innerText());
      assert.ok(age < 2, `the picture is ${age} s old`);
    });

    await check("by keyboard alone: who waits, their story, another queue with a reason; the audit log has it", async () => {
      const key = (k) => page.keyboard.press(k);
      const to = async (what, selector, back) => {
        for (let i = 0; i < 80; i++) {
          if (await page.evaluate((s) => document.activeElement?.matches(s) ?? false, selector)) return;
          await key(back ? "Shift+Tab" : "Tab");
        }
        throw new Error(`Tab does not come to ${what}`);
      };
      await key("w");
      await page.locator(".contact").first().waitFor();
      await to("the first contact", ".contact");
      await key("Enter");
      await page.locator(".task-actions").waitFor();
      await noSeriousProblems(page);
      await shot(page, "story");
      await to("what can be done", ".task-actions button");
      await key("Enter"); // another queue
      await page.locator("dialog select").waitFor();
      await to("the reason", "dialog textarea");
      await page.keyboard.type("they ask about a loan");
      await to("the button", "dialog button.main");
      await key("Enter");
      await page.locator("dialog").waitFor({ state: "detached" });
      const moved = await until("the task is elsewhere", async () => (await sam.get("line")).tasks.find((t) => t.id === task.id && t.queue !== task.queue));
      const { stdout } = await promisify(execFile)(server.program, ["interactions", "show", "--config", server.config, "--json", task.interaction]);
      assert.match(stdout, new RegExp(moved.queue));
      await key("Escape");
      await key("Escape");
      await page.locator(".contacts").waitFor({ state: "detached" });
      await key("?");
      await page.locator("dialog[open] .key-groups").waitFor();
      await key("Escape");
    });

    await check("where the customer is in the flow, on its picture", async () => {
      const where = await until("they are at a step", async () => (await sam.get("board/where")).who.find((x) => x.interaction === task.interaction));
      await page.goto(`${server.staff}board#/flows?flow=${where.flow}`);
      await page.locator(`[data-step="${where.step}"] .who-here`).waitFor({ state: "attached" });
      await page.locator(".flow-steps button").filter({ hasText: where.step }).click();
      await page.locator(".contact").first().click();
      await page.locator(".story").waitFor();
      await page.getByRole("button", { name: "Show on the flow's picture" }).click();
      await page.locator(".mode-chip").waitFor();
      await shot(page, "path");
      await noSeriousProblems(page);
    });

    await check("an alert fires, is seen, heard by screen readers and noted, and is over", async () => {
      await page.goto(`${server.staff}board#/alerts`);
      await page.getByRole("button", { name: "Add a rule" }).click();
      await page.locator("dialog input").first().fill("Somebody waits");
      await page.locator("dialog select").first().selectOption("waiting");
      for (const [i, value] of ["0", "0", "1"].entries()) await page.locator('dialog input[type="number"]').nth(i).fill(value);
      await page.getByRole("button", { name: "Save" }).click();
      await page.locator(".alert-line").waitFor({ timeout: 10_000 });
      await page.locator('[role="alert"] .note').filter({ hasText: "Somebody waits" }).waitFor();
      await noSeriousProblems(page);
      await shot(page, "alert");
      await page.locator(".alert-line").getByRole("button", { name: "Take note" }).click();
      await page.locator(".alert-line.seen").waitFor();
      await sam.post(`tasks/${task.id}/end`, { why: "the journey is at its end" });
      await page.locator(".alert-line").waitFor({ state: "detached", timeout: 10_000 });
      await page.locator('[role="status"] .note').filter({ hasText: "Somebody waits" }).waitFor();
    });

    await check("the day is the same after the server was killed, and the audit proves it", async () => {
      const before = (await sam.get("board")).today;
      assert.ok(before.opened > 0, JSON.stringify(before));
      const csv = await (await fetchAs(page, `${server.staff}api/v1/board/history.csv`)).text();
      assert.match(csv, /^from,queue,kind,opened/);
      await server.kill();
      await page.locator(".lost").waitFor({ timeout: 8_000 });
      server = await startServer(settings, dirname(server.config));
      const again = await desk(server, "sam");
      const after = await until("today is read", async () => {
        const b = await again.get("board");
        return b.whole && b.today;
      });
      assert.deepEqual(after, before);
      const { stdout } = await promisify(execFile)(server.program, ["audit", "--config", server.config, "--json"]);
      const report = JSON.parse(stdout);
      assert.ok(report.ok, stdout);
      page = await signedIn();
      await page.locator(".tile").filter({ hasText: "Left" }).waitFor();
      assert.deepEqual(page.wrong, []);
    });
  } finally {
    for (const context of contexts) await context.close();
    await server.stop();
  }
}

const fetchAs = async (page, url) => {
  const answer = await page.request.get(url);
  assert.equal(answer.status(), 200);
  return answer;
};

// bankIsOpen has the bank open today, and tomorrow.
async function bankIsOpen(server) {
  const file = `${dirname(server.config)}/flows/bank.calendar.yaml`;
  const day = (from) => new Date(Date.now() + 8 * 3600_000 + from * 86_400_000).toISOString().slice(0, 10); // where the bank is
  await writeFile(file, `${await readFile(file, "utf8")}overrides: { ${day(0)}: "00:00-24:00", ${day(1)}: "00:00-24:00" }\n`);
}
