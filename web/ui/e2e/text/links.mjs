// Who looks at a link without pressing does nothing to it; who has no right to it learns
// nothing.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { noSeriousProblems } from "../axe.mjs";
import { chat, is, pause, until } from "./world.mjs";

// texted has a customer ask for online banking by text, and gives the link that comes.
async function texted(w, number) {
  const since = new Date();
  await w.reply(number, "你好");
  await w.text(number, /网上银行/, since);
  await w.reply(number, "网银");
  const url = await w.link(number, since);
  return { url, id: (await w.begun("sms:+861055550100", since, (i) => i.from === number)).id };
}

// runsOut gives a link that holds for a minute only, which is the least: the flow is
// changed for it, on disk, while it serves.
export async function runsOut(w) {
  const file = `${dirname(w.server.config)}/flows/counter.flow.yaml`;
  const flow = await readFile(file, "utf8");
  let newcomers = 0;
  const version = async () => {
    const [since, number] = [new Date(), `+86138000001${10 + newcomers++}`];
    await w.reply(number, "你好");
    return (await w.begun("sms:+861055550100", since, (i) => i.from === number)).flow_hash;
  };
  const before = await version();
  await writeFile(file, flow.replace("expires: 15m, wait: 5m", "expires: 1m, wait: 1m"));
  try {
    await until("the saved flow serves", async () => (await version()) !== before);
    return await texted(w, "+8613800000012");
  } finally {
    await writeFile(file, flow);
    await until("the flow as it was serves", async () => (await version()) === before);
  }
}

// A flow whose page asks for a code: who chats is verified, and is told the code there,
// while the link goes to their phone.
const limitFlow = `flow: limits
channels: [chat]
languages: [en]
start: prove
steps:
  prove: { identify: { level: verified, by: [code] }, next: { passed: page, else: over } }
  page:
    link: { operation: limits, prompt: { en: "Raise your limit here: \${link.url}" }, by: [sms], expires: 15m, wait: 5m }
    next: { done: raised, else: over }
  raised: { say: { en: "Your limit is raised." }, next: over }
  over: { say: { en: "That was all." }, next: end }
`;
const limitPage = `operation: limits
needs: verified
title: { en: "Raise your limit" }
steps:
  - { form: limits }
confirm: { en: "Raise it" }
result: { en: "Your new limit holds at once." }
`;
const limitForm = `form: limits
fields:
  - { name: most, type: int, range: 100..5000, ask: { en: "The most in a day" } }
`;

// links checks; early is a link that runs out meanwhile.
export async function links(w, { browser, check, shot }, early) {
  const site = async () => (await fetch(`${w.door}/api/v1/chat/site?site=night`)).json();
  await check("a page that needs more asks for the code that is told in the chat", async () => {
    const number = "+8613800000004";
    const folder = `${dirname(w.server.config)}/flows`;
    for (const [file, text] of Object.entries({ "limits.flow.yaml": limitFlow, "limits.operation.yaml": limitPage, "limits.form.yaml": limitForm })) await writeFile(`${folder}/${file}`, text);
    const config = await readFile(w.server.config, "utf8");
    await writeFile(w.server.config, config.replace('"chat:night": night_desk', '"chat:night": limits'));
    await until("the new flow serves", async () => (await site()).languages.join() === "en");
    const since = new Date();
    await w.visit({ at: `${w.door}/chat?site=night` }, async (page) => {
      const c = chat(page);
      await c.reads("Please enter the mobile number");
      await c.sayHidden(number);
      await c.reads("We have sent a code");
      await c.sayHidden(await w.code(number, since));
      await c.log.getByText("The page asks for this code").waitFor();
      const [code] = /\d{6}/.exec((await c.all()).find((text) => text.includes("The page asks")).replaceAll(" ", ""));
      await w.visit({ at: await w.link(number, since), viewport: { width: 390, height: 844 }, expect: /status of 4/ }, async (phone) => {
        await phone.getByRole("button", { name: "Open", exact: true }).click();
        const field = phone.getByRole("textbox", { name: "Code" });
        await field.fill(code === "000000" ? "111111" : "000000");
        await phone.getByRole("button", { name: "Go on" }).click();
        await phone.getByText("That was not right. You can try 4 more times.").waitFor();
        await noSeriousProblems(phone);
        await shot(phone, "page-code");
        await field.fill(code);
        await phone.keyboard.press("Enter");
        await phone.getByLabel("The most in a day").fill("9000");
        await phone.getByRole("button", { name: "Raise it" }).click();
        await phone.getByText("A whole number from 100 to 5000").waitFor();
        await phone.getByLabel("The most in a day").fill("900");
        await phone.getByRole("button", { name: "Raise it" }).click();
        await phone.getByText("Your new limit holds at once.").waitFor();
      });
      await c.reads("Your limit is raised.");
      const story = await w.told((await w.begun("chat:night", since)).id, "it is over", (s) => s.interaction.state === "closed");
      assert.ok(!JSON.stringify(story.events).includes(code), "the journal has no code");
      assert.equal(story.events.find(is("link.changed", { state: "done" })).data.fields.most, 900);
    });
  });
  const changes = async (id) => (await w.show(id)).events.filter(is("link.changed")).map((e) => e.data.state);
  const open = (page) => page.getByRole("button", { name: "打开", exact: true }).click();

  await check("100 looks by previewers raise nothing; then the person opens it", async () => {
    const { url, id } = await texted(w, "+8613800000011");
    const statuses = new Set();
    for (let i = 0; i < 45; i++) {
      for (const method of ["GET", "HEAD"]) statuses.add((await fetch(url, { method, redirect: "follow" })).status);
    }
    assert.deepEqual([...statuses], [200]);
    const context = await browser.newContext({ locale: "zh-CN" });
    try {
      await Promise.all(Array.from({ length: 10 }, async () => {
        const page = await context.newPage(); // of one previewer: what it is given it keeps
        await page.goto(url);
        await pause(3_000); // its scripts run
        assert.equal(await page.getByRole("button", { name: "打开", exact: true }).count(), 1);
      }));
      assert.deepEqual(await context.cookies(), [], "it is given nothing");
    } finally {
      await context.close();
    }
    assert.deepEqual(await changes(id), [], "nothing is raised by a look");
    await w.visit({ at: url, locale: "zh-CN" }, async (page) => {
      await page.waitForFunction(() => !location.href.includes("/l/") || location.pathname === "/l/open");
      await open(page);
      await page.getByRole("heading", { name: "开通网上银行" }).waitFor();
    });
    await w.told(id, "it is opened", (s) => s.events.some(is("link.changed", { state: "opened" })));
    assert.deepEqual(await changes(id), ["opened"]);
  });

  await check("a link that ran out, a flipped bit, another browser, a guess: one plain page", async () => {
    const over = await early;
    const { url, id } = await texted(w, "+8613800000013");
    const at = url.lastIndexOf("/l/") + 10;
    const flipped = url.slice(0, at) + (url[at] === "a" ? "b" : "a") + url.slice(at + 1);
    const guess = `${w.door}/l/${"abcdefghijklmnopqrstuvwx23".split("").sort(() => Math.random() - 0.5).join("")}`;
    await w.told(over.id, "the link has run out", (s) => s.events.some(is("link.changed", { state: "expired" })), 65_000);

    await w.visit({ at: url, locale: "zh-CN" }, async (page) => {
      await open(page);
      await page.getByRole("heading", { name: "开通网上银行" }).waitFor();
      const bodies = [];
      for (const refused of [over.url, flipped, url, guess]) {
        await w.visit({ at: refused, locale: "zh-CN", expect: /status of 404/ }, async (other) => {
          const [answer] = await Promise.all([other.waitForResponse((r) => r.request().method() === "POST"), open(other)]);
          await other.getByRole("heading", { name: "此链接无法使用" }).waitFor();
          assert.equal(answer.status(), 404);
          bodies.push((await other.locator("html").innerHTML()).replaceAll(/nonce="[^"]*"/g, ""));
          await noSeriousProblems(other);
        });
      }
      assert.equal(new Set(bodies).size, 1, "all of them are told the same");
      // The one who opened it goes on all the same.
      await page.getByLabel("您想用的用户名").fill("lin");
      await page.getByRole("button", { name: "确认开通" }).click();
      await page.getByText("网上银行已开通").waitFor();
    });
    assert.deepEqual(await changes(id), ["opened", "done"]);
  }, 120_000); // the minute of the first link, if this check is run alone
}
