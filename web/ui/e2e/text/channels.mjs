// One flow on three channels: the same words, the same outcomes.
import assert from "node:assert/strict";
import { lacking, recorded, telephone } from "../baresip.mjs";
import { chat, is } from "./world.mjs";

const customer = "+8613800000003"; // of the mock core bank
const balance = /^您的余额为(.+)。$/m; // in Chinese on all of them: the number is one from China
const steps = ["main", "look_up", "prove", "balance"]; // what there is beside them is said on one channel only

export async function channels(w, { check, skip, note }) {
  const what = "the balance by phone, in the widget and by text: the same words, the same outcomes";
  if (lacking()) return skip(what, lacking());

  await check(what, async () => {
    const told = [];
    const keep = async (channel, story) => {
      const said = story.events.map((e) => balance.exec(e.data?.text ?? "")?.[0]).findLast(Boolean); // a text message has the menu below it
      told.push({
        channel,
        words: said,
        steps: story.events.filter((e) => e.kind === "flow.outcome" && steps.includes(e.data.step)).map((e) => `${e.data.step}: ${e.data.outcome}`),
        level: story.events.filter(is("customer.identified")).map((e) => `${e.data.method}: ${e.data.outcome}, ${e.data.level}`),
      });
    };
    const has = (story) => story.events.some((e) => balance.test(e.data?.text ?? "")) && story.events.some(is("flow.outcome", { step: "balance" }));

    await byPhone(keep, has);
    await byChat(keep, has);
    await byText(keep, has);
    note(`${told[0].words} ${told[0].steps.join(", ")}; ${told[0].level}`);
    for (const other of told.slice(1)) assert.deepEqual({ ...other, channel: "" }, { ...told[0], channel: "" });
  }, 90_000);

  async function byPhone(keep, has) {
    const prompt = (name) => recorded(`${w.root}flows/prompts/zh-CN/${name}.wav`);
    const phone = await telephone(customer);
    try {
      const since = new Date();
      await phone.dial("95588", w.server.sip[0]);
      await phone.hears(await prompt("counter/hello"));
      await phone.keys("1");
      await phone.keys(await w.code(customer, since));
      const { id } = await w.begun("95588", since, (i) => i.from === customer);
      await keep("voice", await w.told(id, "the balance", has, 25_000)); // it is told first that it is known from now on
      await phone.hangup();
    } finally {
      await phone.close();
    }
  }

  async function byChat(keep, has) {
    await w.visit({ locale: "zh-CN" }, async (page) => {
      const c = chat(page, true);
      const since = new Date();
      await c.open();
      await c.tap("查询余额");
      await c.reads("请输入您在我们这里登记的手机号码");
      await c.sayHidden(customer.replace("+86", ""));
      await c.reads("已向尾号为");
      await c.sayHidden(await w.code(customer, since));
      await c.reads("您的余额为");
      const { id } = await w.begun("chat:demo", since);
      await keep("chat", await w.told(id, "the balance", has));
    });
  }

  // byText writes on the simulator's page, which plays anybody's phone.
  async function byText(keep, has) {
    await w.visit({ at: w.gateway }, async (page) => {
      const since = new Date();
      const says = async (text) => {
        await page.getByRole("textbox", { name: "Text", exact: true }).fill(text);
        await page.getByRole("button", { name: "Send", exact: true }).click();
      };
      const log = page.getByRole("log");
      await page.getByLabel("Another phone's number").fill(customer);
      await page.getByRole("button", { name: "Take this phone" }).click();
      await page.getByRole("heading", { name: customer }).waitFor();
      await says("你好");
      await log.getByText("查询余额").last().waitFor();
      await says("余额");
      await says(await w.code(customer, since));
      await log.getByText(balance).last().waitFor();
      const { id } = await w.begun("sms:+861055550100", since);
      await keep("sms", await w.told(id, "the balance", has));
    });
  }
}
