// Journey "studio": a flow designer at work. They log in, open a flow, break it and see
// where, publish, look at what callers did, and go back. Then the same page as others
// see it: a second person, a reader, somebody without rights.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { promisify } from "node:util";
import { noSeriousProblems } from "./axe.mjs";
import { codeOf } from "./code.mjs";
import { looks } from "./looks.mjs";

const run = promisify(execFile);
const wide = { width: 1280, height: 800 };
const flowFile = "hotline.flow.yaml";
const soon = 300; // milliseconds from a saved file, or the pause after typing, to its picture

export default async function studio({ browser, server, root, check, shot, startServer }) {
  const flows = `${dirname(server.config)}/flows`;
  const disk = `${flows}/${flowFile}`;
  const original = await readFile(disk, "utf8");
  const tandem = async (...args) => (await run(server.program, [...args, "--config", server.config])).stdout;

  // visit gives a page in a context of its own, and fails on any error in it. allowed
  // are answers that the browser reports as errors and that belong to the check.
  async function visit({ as, at = server, path = "studio", allowed = [], ...options }, use) {
    const context = await browser.newContext({ locale: "en-GB", viewport: wide, ...options });
    const page = await context.newPage();
    const wrong = [];
    page.on("console", (m) => m.type() === "error" && !allowed.some((a) => m.text().includes(a)) && wrong.push(m.text()));
    page.on("pageerror", (err) => wrong.push(String(err)));
    page.on("request", (r) => {
      if (!r.url().startsWith(at.staff) && !r.url().startsWith("data:")) wrong.push(`a request leaves the origin: ${r.url()}`);
    });
    try {
      if (as) {
        const login = await context.request.post(`${at.staff}api/v1/login`, { data: { name: as, password: at.passwords[as] }, headers: { origin: at.staff.slice(0, -1) } });
        assert.equal(login.status(), 200, await login.text());
      }
      await page.goto(at.staff + path);
      await use(page, context);
      assert.deepEqual(wrong, [], "the page reports errors");
    } finally {
      await context.close();
    }
  }
  const designing = (use, options = {}) => visit({ as: "designer", path: "studio#/flow/hotline", ...options }, use);
  const opened = async (page) => {
    await page.locator(".viewer [data-step]").first().waitFor({ state: "attached" });
    await page.locator(".cm-content").waitFor({ state: "attached" });
  };
  // below puts the cursor at the end of the line that begins so, and opens a new one.
  const below = async (page, line) => {
    await page.locator(".cm-content").click();
    await page.keyboard.press("ControlOrMeta+f");
    await page.locator(".cm-search input[name=search]").waitFor();
    await page.keyboard.type(line);
    await page.keyboard.press("Enter");
    await page.keyboard.press("Escape");
    await page.keyboard.press("End");
    await page.keyboard.press("Enter");
  };
  const signedOut = ["401"];

  await check("who is not signed in is sent to the login page, which axe finds well", () =>
    visit({ allowed: signedOut }, async (page) => {
      await page.waitForURL(/\/login$/);
      await page.getByRole("heading", { name: "Sign in to Tandem" }).waitFor();
      await noSeriousProblems(page);
    }));

  await check("a wrong password is told in words, without saying what was wrong", () =>
    visit({ path: "login", allowed: signedOut }, async (page) => {
      await page.getByLabel("User name").fill("designer");
      await page.getByLabel("Password", { exact: true }).fill("not the password");
      await page.keyboard.press("Enter");
      await page.getByRole("alert").getByText("The name or the password is not right.").waitFor();
      await noSeriousProblems(page);
      await shot(page, "login-wrong");
    }));

  await check("the login page in every look", () =>
    looks(async ({ name, ...options }) =>
      visit({ path: "login", allowed: signedOut, ...options }, async (page) => {
        await page.locator("#name").waitFor();
        await noSeriousProblems(page);
        await fits(page);
        await shot(page, `login-${name}`);
      })));

  await check("a designer signs in by keyboard and finds the flows", () =>
    visit({ path: "login", allowed: signedOut }, async (page) => {
      await page.getByLabel("User name").waitFor();
      await page.keyboard.type("designer");
      await page.keyboard.press("Tab");
      await page.keyboard.type(server.passwords.designer);
      await page.keyboard.press("Enter");
      await page.waitForURL(/\/studio/);
      await page.getByRole("heading", { name: "Flows", level: 1 }).waitFor();
      await page.getByRole("navigation", { name: "Flows and files" }).getByRole("link", { name: /hotline.*Served/ }).waitFor();
      await noSeriousProblems(page);
      await shot(page, "welcome");
      await page.locator(".user-button").click();
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.waitForURL(/\/login$/);
    }));

  await check("the picture and the text follow each other", () =>
    designing(async (page) => {
      await opened(page);
      await page.locator('[data-step="hello"]').click();
      await page.locator(".cm-activeLine").getByText("hello").first().waitFor();
      await page.locator('[data-step="hello"].selected').waitFor();
      await page.getByRole("group", { name: "The chosen step" }).getByText("open_now").waitFor();
      await page.locator(".cm-activeLine").click();
      await page.keyboard.press("ArrowDown");
      await page.locator('[data-step="open_now"].selected').waitFor();
      // By keys: from step to step, and from the picture to the line.
      await page.locator('[data-step="open_now"]').focus();
      await page.keyboard.press("ArrowUp");
      assert.equal(await page.evaluate(() => document.activeElement.dataset.step), "hello");
      await page.keyboard.press("Enter");
      await page.locator('[data-step="hello"].selected').waitFor();
      assert.ok(await page.evaluate(() => document.activeElement.classList.contains("cm-content")), "the editor has the focus");
    }));

  await check("in Chinese a mistake is told by its rule first, then in the checker's words", () =>
    designing(async (page) => {
      await opened(page);
      await below(page, "hello: { say: hello");
      await page.keyboard.insertText("lost: { say: helo, next: nowhere }");
      const problem = page.getByRole("tabpanel", { name: /问题/ }).getByRole("button", { name: /there is no step `nowhere`/ });
      await problem.waitFor();
      assert.match(await problem.locator(".problem-message").innerText(), /^没有这个步骤\n.*there is no step `nowhere`/s);
      await page.locator(".cm-lintRange-error", { hasText: "nowhere" }).hover();
      await page.locator(".cm-tooltip .hint-text", { hasText: "没有这个步骤" }).locator("small", { hasText: "nowhere" }).waitFor();
      await noSeriousProblems(page);
      await shot(page, "broken-zh");
    }, { locale: "zh-CN" }));

  await check("a mistake shows beside the text, in the list and in the picture", () =>
    designing(async (page) => {
      await opened(page);
      await below(page, "hello: { say: hello");
      await page.evaluate(() => {
        window.seen = new Promise((yes) => new MutationObserver((_, me) => document.querySelector('.viewer [data-step="lost"].wrong') && (me.disconnect(), yes(performance.now()))).observe(document.querySelector(".viewer-sheet"), { childList: true }));
        document.addEventListener("keydown", () => (window.typed = performance.now()), true);
      });
      await page.keyboard.insertText("lost: { say: helo, next: nowhere }");
      await page.keyboard.press("End");
      await page.locator('.viewer [data-step="lost"].wrong').waitFor({ state: "attached" });
      const took = await page.evaluate(async () => (await window.seen) - window.typed);
      console.log(`       the picture of a broken draft was there ${Math.round(took)} ms after the last key (150 ms of them pause)`);
      assert.ok(took < 150 + soon, `it took ${took} ms`);
      await page.locator(".cm-lint-marker-error").first().waitFor();
      assert.ok((await page.locator(".cm-lintRange-error").count()) >= 2, "both words are underlined");
      const problems = page.getByRole("tabpanel", { name: /Problems/ });
      await problems.getByRole("button", { name: /there is no step `nowhere`/ }).waitFor();
      await page.getByText("Draft", { exact: true }).first().waitFor();
      await problems.getByRole("button", { name: /there is no prompt `helo`/ }).click();
      await page.locator(".cm-activeLine").getByText("lost").waitFor();
      await noSeriousProblems(page);
      await shot(page, "broken");
      await page.keyboard.press("ControlOrMeta+s");
      await page.getByRole("dialog").getByText(/Mend them, then publish/).waitFor();
      assert.equal(await page.getByRole("dialog").getByRole("button", { name: "Publish" }).getAttribute("aria-disabled"), "true");
      await page.keyboard.press("Escape");
    }));

  await check("the editor offers what may stand there", () =>
    designing(async (page) => {
      await opened(page);
      await below(page, "hello: { say: hello");
      await page.keyboard.insertText("extra: { sa");
      await page.keyboard.press("Control+Space");
      await page.locator(".cm-tooltip-autocomplete").getByText("say", { exact: true }).first().waitFor();
      await shot(page, "complete");
      await page.keyboard.press("Enter");
      await page.keyboard.press("Escape");
      await page.locator(".cm-activeLine").getByText("say").waitFor();
      await page.keyboard.insertText(" hello, next: ma");
      await page.keyboard.press("Control+Space");
      await page.locator(".cm-tooltip-autocomplete").getByText("main", { exact: true }).first().waitFor();
    }));

  await check("a draft outlives a reload, a changed file is told of, and both are merged", () =>
    designing(async (page) => {
      await opened(page);
      await page.locator(".cm-content").click();
      await page.keyboard.press("ControlOrMeta+Home");
      await page.keyboard.insertText("# a designer's remark\n");
      await page.getByText("Draft", { exact: true }).first().waitFor();
      await page.reload();
      await opened(page);
      await page.getByText("This is your draft of").waitFor();
      await page.locator(".cm-content").getByText("# a designer's remark").waitFor();
      await writeFile(disk, `${original}\n# from another editor\n`);
      await page.getByText("The file has changed on disk since your draft began.").waitFor();
      await shot(page, "conflict");
      await page.getByRole("button", { name: "Compare …" }).click();
      await noSeriousProblems(page);
      await shot(page, "conflict-compare");
      await page.getByRole("button", { name: "Merge both" }).click();
      await page.locator(".cm-content").getByText("# a designer's remark").waitFor();
      await page.locator(".cm-content").click();
      await page.keyboard.press("ControlOrMeta+End");
      await page.locator(".cm-content").getByText("# from another editor").waitFor();
      await writeFile(disk, original);
      await page.getByRole("button", { name: "Take the file's" }).click();
      await page.locator(".bench-facts .draft").waitFor({ state: "detached" });
    }));

  await check("a file saved on disk changes the picture at once", () =>
    designing(async (page) => {
      await opened(page);
      await page.getByText("Live").waitFor();
      const times = [];
      for (const name of ["farewell_one", "farewell_two", "farewell_three"]) {
        await page.evaluate((step) => {
          window.seen = new Promise((yes) => new MutationObserver((_, me) => document.querySelector(`.viewer [data-step="${step}"]`) && (me.disconnect(), yes(Date.now()))).observe(document.querySelector(".viewer-sheet"), { childList: true }));
        }, name);
        const saved = Date.now();
        await writeFile(disk, original.replace(/^ {2}bye: .*$/m, `  bye: { say: goodbye, next: ${name} }\n  ${name}: { end: {} }`));
        times.push((await page.evaluate(() => window.seen)) - saved);
      }
      console.log(`       from the saved file to its picture: ${times.join(", ")} ms`);
      assert.ok(Math.min(...times) < soon, `it took ${times} ms`);
      await page.getByText(/^File changed/).waitFor();
      await writeFile(disk, original);
      await page.locator('.viewer [data-step="farewell_three"]').waitFor({ state: "detached" });
    }));

  await check("a change is published with its differences, found among the versions, and rolled back", () =>
    designing(async (page) => {
      await opened(page);
      await below(page, "hello: { say: hello");
      await page.keyboard.insertText("once: { say: hello, next: open_now }");
      await page.keyboard.press("ArrowUp");
      await page.keyboard.press("End");
      for (let i = 0; i < "open_now }".length; i++) await page.keyboard.press("Backspace");
      await page.keyboard.insertText("once }");
      await page.keyboard.press("Escape");
      await page.getByText("No problems in this file").waitFor();
      await page.locator('.viewer [data-step="once"]').waitFor({ state: "attached" });
      await page.keyboard.press("ControlOrMeta+s");
      const dialog = page.getByRole("dialog");
      await dialog.getByRole("heading", { name: "Publish hotline" }).waitFor();
      await dialog.getByRole("button", { name: "Publish" }).click();
      await dialog.getByText("Say in a few words what changes").waitFor();
      await dialog.getByLabel("What changes, and why").fill("Greets twice 问候两次");
      await dialog.locator(".step-changes").getByText("once").waitFor();
      await noSeriousProblems(page);
      await shot(page, "publish");
      await dialog.getByRole("button", { name: "Publish" }).click();
      await page.getByText(/^Published\./).waitFor();
      assert.match(await readFile(disk, "utf8"), /^ {2}once: /m, "the file has the change");
      await page.locator(".bench-facts .draft").waitFor({ state: "detached" });

      await page.getByRole("tab", { name: "Versions" }).click();
      const row = page.getByRole("row").filter({ hasText: "Greets twice" });
      await row.getByText("served").waitFor();
      await shot(page, "versions");
      await row.getByRole("button", { name: /^Compare/ }).click();
      await page.getByRole("dialog").locator('.viewer [data-step="once"].added').waitFor({ state: "attached" });
      await noSeriousProblems(page);
      await shot(page, "difference-picture");
      await page.getByRole("tab", { name: "Text", exact: true }).click();
      await page.getByRole("dialog").locator("tr.added", { hasText: "once: { say: hello" }).waitFor();
      await noSeriousProblems(page);
      await shot(page, "difference-text");
      await page.keyboard.press("Escape");

      await page.getByRole("button", { name: /^Roll back to version/ }).first().click();
      await page.getByRole("dialog").getByText("Nothing is lost").waitFor();
      await noSeriousProblems(page);
      await shot(page, "rollback");
      await page.getByRole("dialog").getByRole("button", { name: "Roll back" }).click();
      await page.getByText(/is served again/).waitFor();
      assert.equal(await readFile(disk, "utf8"), original, "the file is as it was");
      await page.locator('.viewer [data-step="once"]').waitFor({ state: "detached" });
    }));

  await check("tests are run from the page, with transcripts and what they leave out", async () => {
    const tests = `${flows}/hotline.test.yaml`;
    const thorough = await readFile(tests, "utf8");
    await writeFile(tests, [
      "flow: hotline",
      "tests:",
      "  - name: a caller is welcomed",
      "    channel: voice",
      "    script: [ { hears: pick_language }, { presses: \"1\" }, { hears: hello } ]",
      "  - name: a caller hears what nobody says",
      "    channel: voice",
      "    script: [ { hears: pick_language }, { presses: \"1\" }, { hears: \"Good morning, Vietnam\" } ]",
      "",
    ].join("\n"));
    await designing(async (page) => {
      await opened(page);
      await page.getByRole("button", { name: "Run tests" }).first().click();
      await page.getByText(/1 failed, \d+ passed/).waitFor();
      await page.locator(".case-message").first().getByText(/Good morning/).waitFor();
      await page.getByRole("region", { name: "Coverage" }).getByText("Ways no test takes").waitFor();
      assert.ok((await page.locator(".viewer .is-uncovered").count()) > 3, "ways without a test are marked in the picture");
      await noSeriousProblems(page);
      await shot(page, "tests");
    });
    await writeFile(tests, thorough);
    await designing(async (page) => {
      await opened(page);
      await page.keyboard.press("ControlOrMeta+Enter");
      await page.getByText(/All \d+ passed/).waitFor();
      await shot(page, "tests-passed");
    });
  });

  await check("past interactions are shown as a path, and counted on the picture", async () => {
    const address = `sip:95599@${server.sip[0].replace(/^\w+:\/\//, "")}`;
    await run(server.program, ["call", address, "--keys", "1", "--for", "9s"]);
    const [call] = JSON.parse(await tandem("interactions", "list", "--json"));
    await designing(async (page) => {
      await opened(page);
      await page.getByRole("tab", { name: "Interactions" }).click();
      await page.getByRole("button", { name: new RegExp(call.number) }).click();
      await page.getByRole("heading", { name: `Path of ${call.number}` }).waitFor();
      await page.locator('.viewer svg.traced [data-step="choose_language"].taken').waitFor({ state: "attached" });
      const path = page.getByRole("region", { name: `Path of ${call.number}` });
      await path.getByRole("button", { name: "choose_language" }).waitFor();
      await path.locator("kbd", { hasText: "1" }).first().waitFor();
      await path.getByText("Said").first().waitFor();
      await noSeriousProblems(page);
      await shot(page, "past");
      await page.getByRole("button", { name: "Back to the picture of the text" }).click();
      for (const span of ["Last hour", "Last 24 hours"]) {
        await page.getByRole("radio", { name: span }).check({ force: true });
        await page.getByText(new RegExp(`\\d+ entered in the ${span}`, "i")).waitFor();
        await page.locator(".viewer .chip.entered").first().waitFor({ state: "attached" });
        await page.locator(".viewer .chip.left").first().waitFor({ state: "attached" });
      }
      await noSeriousProblems(page);
      await shot(page, "counts");
    });
  }, 120_000);

  await check("the language is switched without a reload and kept for the user", () =>
    designing(async (page, context) => {
      await opened(page);
      await page.evaluate(() => (window.same = true));
      await page.locator(".user-button").click();
      await shot(page, "menu");
      const kept = page.waitForResponse((r) => r.url().endsWith("/me/lang") && r.request().method() === "PUT");
      await page.getByRole("radio", { name: "中文" }).check({ force: true });
      assert.equal((await kept).status(), 204);
      await page.getByRole("tab", { name: "问题" }).waitFor();
      await page.locator(".viewer .pill.start").getByText("开始", { exact: true }).waitFor();
      assert.equal(await page.evaluate(() => window.same), true, "the page is the same");
      assert.equal(await page.evaluate(() => document.documentElement.lang), "zh-CN");
      const other = await context.newPage();
      await other.addInitScript(() => localStorage.removeItem("tandem.language"));
      await other.goto(`${server.staff}studio`);
      await other.getByRole("heading", { name: "流程", level: 1 }).waitFor();
      await other.close();
      const back = page.waitForResponse((r) => r.url().endsWith("/me/lang"));
      await page.getByRole("radio", { name: "English" }).check({ force: true });
      await back;
      // From here on it is the browser's again.
      const { csrf } = await (await context.request.get(`${server.staff}api/v1/me`)).json();
      await context.request.put(`${server.staff}api/v1/me/lang`, { data: { lang: "" }, headers: { origin: server.staff.slice(0, -1), "x-csrf-token": csrf } });
    }));

  await check("the bench in every look: nothing cut off, nothing untranslated, axe content", () =>
    looks(async ({ name, ...options }) =>
      designing(async (page) => {
        await opened(page);
        await page.locator('[data-step="main"]').first().click();
        await noSeriousProblems(page);
        await fits(page);
        await shot(page, `bench-${name}`);
        if (options.viewport.width < 700) {
          for (const [pane, label] of [["text", /^(Text|文本)$/], ["dock", /^(Details|详情)/]]) {
            await page.locator(".pane-switch").getByRole("button", { name: label }).click();
            await noSeriousProblems(page);
            await fits(page);
            await shot(page, `bench-${pane}-${name}`);
          }
        }
        if (options.locale === "zh-CN") {
          const english = await page.evaluate(() => [...document.querySelectorAll("button, h1, h2, h3, label, a, [aria-label]")].filter((el) => !el.closest(".viewer, .cm-editor, .step-panel") && el.checkVisibility()).map((el) => el.getAttribute("aria-label") ?? el.textContent.trim()).filter((text) => /[A-Za-z]{3,} [A-Za-z]{2,}/.test(text) && !/[\u4e00-\u9fff]/.test(text)));
          assert.deepEqual(english.filter((text) => !/Dana Designer|hotline/.test(text)), [], "these are not translated");
        }
      }, options)));

  await check("the picture of a large flow can be read", () =>
    designing(async (page) => {
      await opened(page);
      await noSeriousProblems(page);
      await shot(page, "large");
      const scale = async () => parseInt(await page.locator(".viewer-zoom output").textContent(), 10);
      const first = await scale();
      await page.getByRole("button", { name: "Show all" }).click();
      const whole = await scale();
      assert.ok(whole < first, `all of it is shown at ${whole}%, the beginning at ${first}%`);
      await page.locator(".viewer-host").hover();
      await page.keyboard.down("Control");
      await page.mouse.wheel(0, -200);
      await page.keyboard.up("Control");
      await page.waitForFunction((than) => parseInt(document.querySelector(".viewer-zoom output").textContent, 10) > than, whole);
      await page.getByRole("button", { name: "Show all" }).click();
      await shot(page, "large-whole");
    }, { path: "studio#/flow/service_line" }));

  await check("every key is listed, and the panes are walked by F6", () =>
    designing(async (page) => {
      await opened(page);
      await page.locator("body").press("?");
      const help = page.getByRole("dialog", { name: "Keyboard shortcuts" });
      await help.getByText("Run the tests").waitFor();
      await noSeriousProblems(page);
      await shot(page, "keys");
      await page.keyboard.press("Escape");
      await help.waitFor({ state: "detached" });
      await page.keyboard.press("/");
      assert.equal(await page.evaluate(() => document.activeElement.type), "search");
      const panes = new Set();
      for (let i = 0; i < 3; i++) {
        await page.keyboard.press("F6");
        panes.add(await page.evaluate(() => document.activeElement.closest("[data-pane]")?.className));
      }
      assert.equal(panes.size, 3, `F6 reached ${[...panes]}`);
    }));

  await check("what an input method composes is left alone until it is whole", () =>
    designing(async (page, context) => {
      await opened(page);
      await below(page, "hello: { say: hello");
      await page.keyboard.insertText("note");
      const asked = [];
      page.on("request", (r) => r.url().endsWith("/check") && asked.push(r.postData()));
      const keys = await context.newCDPSession(page);
      for (const text of ["n", "ni", "ni h", "ni hao"]) await keys.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });
      await keys.send("Input.insertText", { text: "你好" });
      await page.waitForResponse((r) => r.url().endsWith("/check") && r.request().postData().includes("note你好"));
      assert.ok(asked.every((body) => !body.includes("ni h")), "a half-composed word was sent");
      await page.locator(".cm-activeLine").getByText("note你好").waitFor();
    }));

  await check("a stream that cannot be had is told of, and comes back by itself", () =>
    designing(async (page) => {
      await page.route("**/api/v1/events", (route) => route.abort());
      await page.reload();
      await opened(page);
      await page.getByText("The connection to the server is lost.").waitFor();
      await noSeriousProblems(page);
      await shot(page, "lost");
      await page.unroute("**/api/v1/events");
      await page.getByText("The connection to the server is lost.").waitFor({ state: "detached" });
    }, { allowed: ["ERR_FAILED"] }));

  await check("a picture that could act is not shown", () =>
    designing(async (page) => {
      await opened(page);
      await page.route("**/api/v1/check", async (route) => {
        const answer = await route.fetch();
        const body = await answer.json();
        await route.fulfill({ response: answer, json: { ...body, picture: body.picture.replace("</svg>", '<image href="x" onerror="window.stolen = 1"/></svg>') } });
      });
      await page.reload();
      await page.getByText("The picture was not shown").waitFor();
      assert.equal(await page.evaluate(() => window.stolen), undefined);
      assert.equal(await page.locator(".viewer-sheet svg").count(), 0);
    }, { allowed: ["inline event handler"] }));

  await check("requests without the page's token, or from elsewhere, are refused", () =>
    visit({ as: "designer" }, async (page, context) => {
      const origin = server.staff.slice(0, -1);
      const { csrf } = await (await context.request.get(`${server.staff}api/v1/me`)).json();
      const post = (headers) => context.request.post(`${server.staff}api/v1/format`, { data: { text: "flow: x\n" }, headers });
      assert.equal((await post({ origin })).status(), 403, "without a token");
      assert.equal((await post({ origin, "x-csrf-token": "guessed" })).status(), 403, "with a guessed token");
      assert.equal((await post({ origin: "https://evil.example", "x-csrf-token": csrf })).status(), 403, "from another origin");
      assert.equal((await post({ origin, "x-csrf-token": csrf })).status(), 200, "as the page does");
      const head = await context.request.get(`${server.staff}studio`);
      const policy = head.headers()["content-security-policy"] ?? "";
      assert.match(policy, /script-src 'self'(;|$)/);
      assert.doesNotMatch(policy, /unsafe/);
      assert.doesNotMatch(await head.text(), /<script(?![^>]*src=)|__CSP_NONCE__/);
    }));

  await check("an operator reads flows, cannot change them, and manages users", () =>
    visit({ as: "operator", path: "studio#/flow/hotline" }, async (page, context) => {
      await opened(page);
      await page.getByText("Read only").waitFor();
      assert.equal(await page.getByRole("button", { name: "Publish" }).count(), 0);
      const { csrf } = await (await context.request.get(`${server.staff}api/v1/me`)).json();
      const refused = await context.request.post(`${server.staff}api/v1/proposals`, {
        data: { file: flowFile, text: original, base: "", note: "x" },
        headers: { origin: server.staff.slice(0, -1), "x-csrf-token": csrf },
      });
      assert.equal(refused.status(), 403);
      await page.getByRole("link", { name: "Users" }).click();
      await page.getByRole("cell", { name: /designer/ }).first().waitFor();
      await noSeriousProblems(page);
      await page.getByRole("button", { name: "Add a user" }).click();
      await page.getByLabel("User name").fill("agnes");
      await page.getByLabel("Name shown to others").fill("Agnes 安");
      await page.getByLabel(/^Agent/).check();
      await noSeriousProblems(page);
      await shot(page, "user-add");
      await page.getByRole("dialog").getByRole("button", { name: "Add a user" }).click();
      await page.getByRole("heading", { name: "Password for agnes" }).waitFor();
      server.passwords.agnes = (await page.locator(".one-time code").textContent()).trim();
      await page.getByRole("dialog").getByRole("button", { name: "Close" }).last().click();
      await page.getByRole("cell", { name: /agnes/ }).first().waitFor();
      await shot(page, "users");
      await page.getByRole("link", { name: "Audit log" }).click();
      await page.getByText("Unbroken").waitFor();
      await page.getByRole("cell", { name: "User added" }).first().waitFor();
      await page.getByRole("cell", { name: "Published" }).first().waitFor();
      await noSeriousProblems(page);
      await shot(page, "audit");
    }));

  await check("a new user chooses a password first; an agent has no access to flows", () =>
    visit({ as: "agnes", allowed: ["403"] }, async (page) => {
      await page.getByRole("heading", { name: "Choose a password of your own" }).waitFor();
      await page.getByLabel("Present password").fill(server.passwords.agnes);
      await page.getByLabel("New password", { exact: true }).fill("short");
      await page.getByLabel("New password again").fill("short");
      await page.getByRole("button", { name: "Change password" }).click();
      await page.getByText("needs at least 12 characters").waitFor();
      await noSeriousProblems(page);
      await shot(page, "must-change");
      const next = "otter amber violin 42";
      await page.getByLabel("New password", { exact: true }).fill(next);
      await page.getByLabel("New password again").fill(next);
      await page.getByRole("button", { name: "Change password" }).click();
      await page.getByRole("heading", { name: "Not for your role" }).waitFor();
      server.passwords.agnes = next;
      await noSeriousProblems(page);
      await shot(page, "no-role");
    }));

  await check("a second factor is set up with its QR code, asked for, and switched off", () =>
    visit({ as: "agnes", path: "studio#/account", allowed: ["401", "403", "404"] }, async (page) => {
      await page.getByRole("button", { name: "Set up an authenticator app" }).click();
      const key = (await page.locator("code.secret").textContent()).replace(/\s/g, "");
      assert.ok(await page.getByRole("img", { name: /QR code/ }).evaluate((img) => img.naturalWidth > 50), "the code is drawn");
      await noSeriousProblems(page);
      await shot(page, "totp");
      await page.getByLabel("Code from the app").fill("000000");
      await page.getByRole("button", { name: "Switch it on" }).click();
      await page.getByRole("alert").getByText(/not right/).waitFor();
      await page.getByLabel("Code from the app").fill(codeOf(key));
      await page.getByRole("button", { name: "Switch it on" }).click();
      await page.getByRole("list", { name: "Recovery codes" }).waitFor();
      const codes = await page.getByRole("list", { name: "Recovery codes" }).getByRole("listitem").allTextContents();
      assert.ok(codes.length >= 8, `${codes.length} recovery codes`);
      await noSeriousProblems(page);
      await shot(page, "recovery");
      await page.getByRole("button", { name: "I have kept them" }).click();
      await page.locator(".user-button").click();
      await page.getByRole("button", { name: "Sign out" }).click();
      await page.waitForURL(/\/login$/);
      await page.getByLabel("User name").fill("agnes");
      await page.getByLabel("Password", { exact: true }).fill(server.passwords.agnes);
      await page.keyboard.press("Enter");
      await page.getByText("Enter the code from your authenticator app").waitFor();
      await noSeriousProblems(page);
      await shot(page, "login-code");
      await page.getByLabel("Code", { exact: true }).fill(codes[0].trim());
      await page.keyboard.press("Enter");
      await page.waitForURL(/\/desk/); // where an agent works
      await page.getByRole("heading", { name: "Desk", exact: true }).waitFor();
    }));

  await check("too many wrong passwords are told how long to wait", () =>
    visit({ path: "login", allowed: ["401", "429"] }, async (page) => {
      await page.getByLabel("User name").fill("nobody");
      await page.getByLabel("Password", { exact: true }).fill("guess");
      const told = page.getByText(/You can try again in \d+ s/).first();
      for (let i = 0; i < 30 && !(await told.isVisible()); i++) {
        const answered = page.waitForResponse((r) => r.url().endsWith("/login"));
        await page.getByLabel("Password", { exact: true }).press("Enter");
        await answered;
        await Promise.race([told.waitFor(), page.getByText(/is not right/).waitFor()]);
      }
      await told.waitFor();
      await shot(page, "login-wait");
    }));

  await check("where policy asks for it, a second person publishes", async () => {
    const strict = await startServer({ TANDEM_STUDIO_SECOND_PERSON: "true" });
    const file = `${dirname(strict.config)}/flows/${flowFile}`;
    try {
      // The operator makes a second designer, who chooses a password.
      await visit({ as: "operator", at: strict }, async (page, context) => {
        const origin = strict.staff.slice(0, -1);
        const { csrf } = await (await context.request.get(`${strict.staff}api/v1/me`)).json();
        const made = await context.request.post(`${strict.staff}api/v1/users`, { data: { name: "second", display: "Second Designer", roles: ["designer"] }, headers: { origin, "x-csrf-token": csrf } });
        strict.passwords.second = (await made.json()).password;
      });
      await visit({ as: "second", at: strict, allowed: ["403"] }, async (page) => {
        await page.getByLabel("Present password").fill(strict.passwords.second);
        strict.passwords.second = "otter amber violin 24";
        await page.getByLabel("New password", { exact: true }).fill(strict.passwords.second);
        await page.getByLabel("New password again").fill(strict.passwords.second);
        await page.getByRole("button", { name: "Change password" }).click();
        await page.getByRole("heading", { name: "Flows", level: 1 }).waitFor();
      });
      const propose = async (page, remark) => {
        await opened(page);
        await page.locator(".cm-content").click();
        await page.keyboard.press("ControlOrMeta+Home");
        await page.keyboard.insertText(`# ${remark}\n`);
        await page.getByRole("button", { name: "Propose" }).click();
        const dialog = page.getByRole("dialog");
        await dialog.getByLabel("What changes, and why").fill(remark);
        await dialog.getByRole("button", { name: "Ask a second person" }).click();
        await page.getByText("Proposed. A second person can publish it now.").waitFor();
      };
      await visit({ as: "designer", at: strict, path: "studio#/flow/hotline" }, async (page) => {
        await propose(page, "first remark");
        assert.doesNotMatch(await readFile(file, "utf8"), /first remark/, "it is not published yet");
        await page.getByRole("link", { name: /Proposals/ }).click();
        await page.getByRole("link", { name: /first remark/ }).click();
        await page.getByText("This is your own change").waitFor();
        assert.ok(await page.getByRole("button", { name: "Publish" }).isDisabled());
        await noSeriousProblems(page);
        await shot(page, "proposal-own");
      });
      await visit({ as: "second", at: strict, path: "studio" }, async (page) => {
        await page.getByRole("link", { name: /Proposals.*1 proposal waits/ }).click();
        await page.getByRole("link", { name: /first remark/ }).click();
        await page.getByRole("tab", { name: "Text" }).click();
        await page.locator("tr.added", { hasText: "# first remark" }).waitFor();
        await noSeriousProblems(page);
        await shot(page, "proposal");
        await page.getByRole("button", { name: "Publish" }).click();
        await page.getByText("Published by second").waitFor();
        assert.match(await readFile(file, "utf8"), /^# first remark/, "it is published");
      });
      await visit({ as: "designer", at: strict, path: "studio#/flow/hotline" }, async (page) => {
        await propose(page, "second remark");
      });
      await visit({ as: "second", at: strict, path: "studio#/proposals" }, async (page) => {
        await page.getByRole("link", { name: /second remark/ }).click();
        await page.getByRole("button", { name: "Refuse" }).click();
        await page.getByRole("dialog").getByRole("button", { name: "Refuse" }).click();
        await page.getByText("Give the reason").waitFor();
        await page.getByRole("dialog").getByLabel("Reason").fill("One remark is enough");
        await page.getByRole("dialog").getByRole("button", { name: "Refuse" }).click();
        await page.getByText("Refused by second").waitFor();
        await page.getByText("One remark is enough").first().waitFor();
        await shot(page, "proposal-refused");
      });
    } finally {
      await strict.stop();
    }
  }, 180_000);

  await check("the other pages in every look", () =>
    looks(async ({ name, ...options }) => {
      for (const at of ["", "users", "audit", "account"]) {
        await visit({ as: at === "users" || at === "audit" ? "operator" : "designer", path: `studio#/${at}`, ...options }, async (page) => {
          await page.locator("main h1, .flow-list li").first().waitFor();
          await page.locator(".waiting").first().waitFor({ state: "detached" });
          await noSeriousProblems(page);
          await fits(page);
          await shot(page, `${at || "flows"}-${name}`);
        });
      }
    }), 180_000);
}

// fits fails if the page is wider than the window.
async function fits(page) {
  const [is, may] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  assert.ok(is <= may, `the page is ${is} px wide in a view of ${may}`);
}
