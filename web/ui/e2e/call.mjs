// Journey "call", the page's part: a customer opens the page, in their language, on
// whatever they have at hand, and learns what to dial.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { noSeriousProblems } from "./axe.mjs";

const run = promisify(execFile);

export default async function call({ browser, server, root, check, shot }) {
  const { phone } = await (await fetch(`${server.pages}api/v1/entries`)).json(); // whose texts the page asks for

  // open gives a page in a context of its own, and fails on any error in it.
  async function withPage(options, use) {
    const context = await browser.newContext({ locale: "en-GB", ...options });
    const page = await context.newPage();
    const wrong = [];
    page.on("console", (m) => m.type() === "error" && wrong.push(m.text()));
    page.on("pageerror", (err) => wrong.push(String(err)));
    page.on("request", (r) => {
      if (!r.url().startsWith(server.pages) && !r.url().startsWith(`${phone.url}/phones/`)) wrong.push(`a request leaves the origin: ${r.url()}`);
    });
    try {
      await page.goto(server.pages);
      await use(page);
      assert.deepEqual(wrong, [], "the page reports errors");
    } finally {
      await context.close();
    }
  }
  const address = `sip:95599@${server.sip[0].replace(/^\w+:\/\//, "")}`;

  await check("the page says what to dial and that the server is ready", () =>
    withPage({}, async (page) => {
      await page.getByRole("heading", { name: "95599" }).waitFor();
      await page.getByRole("link", { name: address }).first().waitFor();
      await page.getByText(`tandem call ${address}`).first().waitFor();
      await page.getByText("Ready. No call is up.").waitFor();
      await page.getByText("This is the demo").waitFor();
      await page.getByRole("list").first().getByText("Chinese").first().waitFor();
      assert.equal(await page.title(), "Call this Tandem");
      await shot(page, "page-en-light");
    }));

  await check("a Chinese browser gets the page in Chinese", () =>
    withPage({ locale: "zh-CN", colorScheme: "dark" }, async (page) => {
      await page.getByRole("heading", { name: "可拨打的号码" }).waitFor();
      await page.getByText("就绪，当前没有通话。").waitFor();
      assert.equal(await page.evaluate(() => document.documentElement.lang), "zh-CN");
      await shot(page, "page-zh-dark");
    }));

  await check("the language is switched by keyboard and remembered", () =>
    withPage({}, async (page) => {
      await page.getByRole("radio", { name: "English" }).focus();
      await page.keyboard.press("ArrowRight");
      await page.getByRole("heading", { name: "可拨打的号码" }).waitFor();
      await page.waitForFunction((wanted) => document.title === wanted, "拨打 Tandem");
      await page.reload();
      await page.getByRole("heading", { name: "可拨打的号码" }).waitFor();
      await page.getByRole("radio", { name: "English" }).click();
      await page.getByRole("heading", { name: "Numbers to dial" }).waitFor();
    }));

  for (const colorScheme of ["light", "dark"]) {
    for (const locale of ["en-GB", "zh-CN"]) {
      await check(`axe finds nothing serious (${colorScheme}, ${locale})`, () =>
        withPage({ colorScheme, locale }, async (page) => {
          await page.getByRole("heading", { name: "95599" }).waitFor();
          await noSeriousProblems(page);
        }));
    }
  }

  await check("at 320 px nothing is cut off", () =>
    withPage({ viewport: { width: 320, height: 640 } }, async (page) => {
      await page.getByRole("heading", { name: "95599" }).waitFor();
      const [wide, view] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
      assert.ok(wide <= view, `the page is ${wide} px wide in a view of ${view}`);
      await shot(page, "page-320");
    }));

  // The phone is baresip and its ears are in Go: it hears the greeting, keys its way
  // to the balance, leaves a message that plays back, and the journal tells it all.
  await check("a phone is led through the hotline by ear", () =>
    run("go", ["test", "-count=1", "-run", "^TestHotline$", "./interop"], { cwd: root }).catch((err) => Promise.reject(new Error(err.stdout || err.message))), 300_000);

  await check("a call shows on the page while it is up, and is in the journal after it", () =>
    withPage({}, async (page) => {
      await page.getByText("Ready. No call is up.").waitFor();
      const calling = run(server.program, ["call", address, "--keys", "1", "--for", "12s"]);
      await page.getByText("Ready. One call is up.").waitFor();
      await calling; // fails if it was not answered
      await page.getByText("Ready. No call is up.").waitFor();
      const tandem = async (...args) => (await run(server.program, [...args, "--config", server.config])).stdout;
      const [call] = JSON.parse(await tandem("interactions", "list", "--json"));
      assert.match(await tandem("interactions", "show", call.number), /keyed 1[^]*hangup by remote/);
      assert.match(await tandem("interactions", "verify"), /^right/m);
    }));

  await check("the page says so when the server does not answer, and recovers", async () => {
    const context = await browser.newContext({ locale: "en-GB" });
    try {
      const page = await context.newPage();
      await page.route("**/api/v1/entries", (route) => route.abort());
      await page.goto(server.pages);
      await page.getByText("The server does not answer.").waitFor();
      await shot(page, "page-unreachable");
      await page.unroute("**/api/v1/entries");
      await page.getByText("Ready. No call is up.").waitFor();
    } finally {
      await context.close();
    }
  });

  await check("the page runs no inline script", async () => {
    const answer = await fetch(server.pages);
    assert.match(answer.headers.get("content-security-policy") ?? "", /script-src 'self'/);
    assert.doesNotMatch(await answer.text(), /<script(?![^>]*src=)/);
  });

  await check("the doors are apart", async () => {
    assert.equal((await fetch(`${server.pages}metrics`)).status, 404);
    for (const page of ["desk", "board", "studio"]) assert.equal((await fetch(`${server.pages}${page}`)).status, 404);
    assert.equal((await fetch(`${server.staff}metrics`)).status, 404);
    assert.equal((await fetch(`${server.admin}readyz`)).status, 200);
    assert.match(await (await fetch(`${server.admin}metrics`)).text(), /^tandem_/m);
  });
}
