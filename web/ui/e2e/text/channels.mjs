// One flow on three channels: the same words, the same outcomes.
import assert from "node:assert/strict";
import { lacking, recorded, telephone } from "../baresip.mjs";
import { chat, is } from "./world.mjs";

const customer = "+8613800000003"; // of the mock core bank
const balance = /^您的余额为(.+)。$/; // in Chinese on all of them: the number is one from China
const steps = ["main", "look_up", "prove", "balance"]; // what there is beside them is said on one channel only

export async function channels(w, { check, skip, note }) {
  const what = "the balance by phone, in the widget and by text: the same words, the same outcomes";
  if (lacking()) return skip(what, lacking());

  await check(what, async () => {
    const told = [];
    const keep = async (channel, story) => {
      const said = story.events.map((e) => e.data?.text).findLast((text) => balance.test(text ?? ""));
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
      const { id } = await w.begun("95588", since);
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

  async function byText(keep, has) {
    const since = new Date();
    await w.reply(customer, "你好");
    await w.text(customer, /查询余额/, since);
    await w.reply(customer, "余额");
    await w.reply(customer, await w.code(customer, since));
    assert.match(await w.text(customer, balance, since), balance);
    const { id } = await w.begun("sms:+861055550100", since);
    await keep("sms", await w.told(id, "the balance", has));
  }
}
