// A caller is sent a page in mid-call, and the call knows what happens on it.
import assert from "node:assert/strict";
import { lacking, recorded, telephone } from "../baresip.mjs";
import { is, ms, until } from "./world.mjs";

const soon = 1_000; // milliseconds from a press on the page to the voice

export async function calls(w, { check, skip, note }) {
  const prompt = (name) => recorded(`${w.root}flows/prompts/zh-CN/counter/${name}.wav`);
  const customer = "+8613800000001"; // a caller from China is led in Chinese

  // called dials the counter with a telephone, and chooses online banking from the menu.
  async function called(number, use) {
    const phone = await telephone(number);
    try {
      const since = new Date();
      await phone.dial("95588", w.server.sip[0]);
      await phone.hears(await prompt("hello"));
      await phone.keys("2");
      await use(phone, await w.begun("95588", since, (i) => i.from === number), since);
    } finally {
      await phone.close();
    }
  }
  const opened = (page) => page.getByRole("button", { name: "打开", exact: true }).click();
  async function filled(page) {
    await page.getByLabel("您想用的用户名").fill("lin");
    await page.getByLabel("接收通知的邮箱").fill("lin@example.com");
    await page.getByRole("button", { name: "确认开通" }).click();
  }

  const sent = "a caller is sent a page, opens it, is told so by the voice, fills it in, and goes on";
  const left = "a caller who hangs up goes on with the page, and the flow with it";
  const away = lacking();
  if (away) {
    skip(sent, away);
    skip(left, away);
    return;
  }

  await check(sent, () =>
    w.visit({ locale: "zh-CN" }, async (demo, context) =>
      called(customer, async (phone, { id }, since) => {
        const coming = await phone.hears(await prompt("link_coming"));
        const url = await w.link(customer, since);
        const inbox = demo.getByRole("log", { name: "短信" });
        const [page] = await Promise.all([context.waitForEvent("page"), inbox.getByRole("link", { name: url }).click()]);
        const open = page.getByRole("button", { name: "打开", exact: true });
        await open.waitFor();
        const text = await page.locator("body").innerText();
        assert.doesNotMatch(text, /13800000001|95588|网上银行|\d{11}/, "the page before the press tells nothing of anybody");
        const before = await w.told(id, "the voice has said that a link comes", (s) => s.events.some(is("flow.prompt", { name: "link_coming" })));
        assert.ok(!before.events.some(is("link.changed")), "nothing happens before the press");

        const pressed = Date.now();
        await open.click();
        const words = await prompt("seen");
        const seen = await phone.hears(words, coming);
        const heard = Date.now() - pressed - words.until; // when it began
        const { events } = await w.told(id, "the voice says that the page is open", (s) => s.events.some(is("flow.prompt", { name: "seen" })));
        const at = events.find(is("link.changed", { state: "opened" }));
        const said = events.find(is("flow.prompt", { name: "seen" }));
        const began = ms(at, said) - said.data.heard_ms; // it is written when it has been said
        note(`from the press to the voice: ${heard} ms by ear, ${began} ms by the journal`);
        assert.ok(heard < soon && began < soon);
        await filled(page);
        await page.getByText("网上银行已开通").waitFor();
        const set = await phone.hears(await prompt("all_set"), seen);
        await phone.hears(await prompt("pick_keys"), set);
        await phone.hangup();
        const story = await w.told(id, "it is over", (s) => s.interaction.state === "closed");
        assert.equal(story.interaction.outcome, "left");
        assert.deepEqual([...new Set(story.legs.map((l) => l.kind))].sort(), ["link", "sip", "sms"]);
        assert.deepEqual(story.events.filter(is("link.changed")).map((e) => e.data.state), ["opened", "done"]);
        assert.deepEqual(story.events.find(is("link.changed", { state: "done" })).data.fields, { user: "lin", mail: "lin@example.com" });
        assert.ok(!JSON.stringify(story).includes(url.split("/l/")[1]), "the journal has no token");
        await w.verify();
      })));

  await check(left, () =>
    w.visit({ at: "", locale: "zh-CN" }, async (page) =>
      called("+8613800000002", async (phone, { id }, since) => {
        await page.goto(await w.link("+8613800000002", since));
        await opened(page);
        await phone.hears(await prompt("seen"));
        await phone.hangup();
        await filled(page);
        await page.getByText("网上银行已开通").waitFor();
        const story = await w.told(id, "it is over", (s) => s.interaction.state === "closed");
        assert.ok(story.events.some(is("flow.outcome", { step: "page", outcome: "done" })), "the flow goes on by what became of the page");
        await page.reload();
        await page.getByText("网上银行已经为您开通。").waitFor();
        await w.verify();
      })));
}
