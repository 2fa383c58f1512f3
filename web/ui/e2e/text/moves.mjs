// Nobody starts again: a caller goes on in a chat, and somebody who chats goes on by phone.
import assert from "node:assert/strict";
import { lacking, recorded, telephone } from "../baresip.mjs";
import { chat, is } from "./world.mjs";

export async function moves(w, { check, skip }) {
  const again = "a caller who was cut off rings back, gives the number, passes the check, and is where they were";
  const round = "from a call to text messages, to a chat, and back to text messages: one interaction";
  const toChat = "a caller half-way through a form finishes it in a chat, at the same field";
  const toPhone = "somebody who chats rings, gives the number, passes the check, and is where they were";
  if (lacking()) return [again, toChat, round, toPhone].forEach((what) => skip(what, lacking()));
  const prompt = (name) => recorded(`${w.root}flows/prompts/zh-CN/${name}.wav`);

  // calling gives a telephone that has been greeted by the counter.
  async function calling(number, use) {
    const phone = await telephone(number);
    try {
      const since = new Date();
      await phone.dial("95588", w.server.sip[0]);
      await phone.hears(await prompt("counter/hello"));
      await use(phone, await w.begun("95588", since, (i) => i.from === number), since);
    } finally {
      await phone.close();
    }
  }

  // resumed gives the number of an earlier interaction, and the code that comes by text.
  async function resumed(phone, number, spoken, from) {
    await phone.keys("7");
    await phone.hears(await prompt("identity/resume_ask"));
    await phone.keys(spoken);
    await phone.hears(await prompt("identity/resume_sent"));
    await phone.keys(await w.code(number, from));
    return phone.hears(await prompt("identity/resume_found"));
  }

  const ringsBack = check(again, async () => {
    const number = "+8613800000002";
    let earlier;
    await calling(number, async (phone, call) => {
      earlier = call;
      await phone.keys("3");
      await phone.hears(await prompt("appointment/may_keep"), 0, 30_000);
      await phone.keys("1");
      await phone.hears(await prompt("appointment/ask_about"));
      await phone.keys("3"); // a loan
      await phone.hears(await prompt("appointment/ask_day"));
      await phone.hangup();
    });
    await w.told(earlier.id, "the caller has left", (s) => s.interaction.state === "closed");
    const from = new Date();
    await calling(number, async (phone) => {
      const found = await resumed(phone, number, earlier.number, from);
      await phone.hears(await prompt("appointment/ask_day"), found);
      await phone.hangup();
    });
    const story = await w.told(earlier.id, "it went on", (s) => s.events.some(is("session.resumed", { channel: "voice" })));
    assert.deepEqual(story.legs.map((l) => l.kind), ["sip", "sip"]);
    assert.equal(story.events.filter(is("flow.step", { step: "about" })).length, 1, "what was answered is not asked again");
  }, 90_000);

  const goesOn = check(toChat, () =>
    calling("+8613800000001", async (phone, { id }, since) => {
      await phone.keys("3");
      await phone.hears(await prompt("appointment/your_number-1"));
      await phone.hears(await prompt("appointment/may_keep"), 0, 30_000);
      await phone.keys("1");
      await phone.hears(await prompt("appointment/ask_about"));
      await phone.keys("2"); // a card
      await phone.hears(await prompt("appointment/ask_day"));
      await phone.keys("*4");
      await phone.hears(await prompt("counter/where_spoken"));
      await phone.keys("1");
      const url = await w.link("+8613800000001", since);
      await w.visit({ at: url, locale: "zh-CN", viewport: { width: 390, height: 844 } }, async (page) => {
        await page.getByRole("button", { name: "打开", exact: true }).click();
        await page.waitForURL(/\/chat\?site=demo(&|$)/);
        const c = chat(page, true);
        await c.reads("您希望哪一天");
        await phone.ended();
        assert.equal(await c.log.getByText("您想谈什么").count(), 0, "what was answered is not asked again");
        await c.say("20351231");
        await c.tap("下午");
        await c.reads("请问打哪个电话");
        await c.say("13800000001");
        await c.reads("我们会拨打");
        await c.say("1");
        await c.tap("确认预约");
        await c.reads("顾问通话已经约好");
      });
      const story = await w.told(id, "the talk is booked", (s) => s.events.some(is("callback.booked")));
      assert.deepEqual([...new Set(story.legs.map((l) => l.kind))].sort(), ["chat", "link", "sip", "sms"]);
      assert.ok(story.events.some(is("session.moved", { channel: "chat" })));
      assert.match(story.events.find(is("callback.booked")).data.at, /^2035-12-31/);
      await w.verify();
    }), 90_000);
  const onward = check(round, () =>
    calling("+8613800000005", async (phone, { id }, since) => {
      const number = "+8613800000005";
      await phone.keys("6");
      await phone.hears(await prompt("counter/where_spoken"));
      await phone.keys("2");
      await w.text(number, /请回复本短信/, since);
      const answered = new Date();
      await w.reply(number, "好的");
      await w.text(number, /请问您需要什么服务/, answered);
      await phone.ended();
      const asked = new Date();
      await w.reply(number, "换渠道");
      await w.text(number, /您想在哪里继续/, asked);
      await w.reply(number, "聊天");
      await w.visit({ at: await w.link(number, asked), locale: "zh-CN" }, async (page) => {
        await page.getByRole("button", { name: "打开", exact: true }).click();
        await page.waitForURL(/\/chat\?site=demo(&|$)/);
        const c = chat(page, true);
        await c.reads("请问您需要什么服务");
        await c.tap("换个渠道");
        await c.reads("您想在哪里继续");
        const back = new Date();
        await c.tap("用短信继续");
        await w.text(number, /请回复本短信/, back);
        await w.reply(number, "1"); // says that the customer is there, and chooses nothing
        await w.text(number, /请问您需要什么服务/, back);
      });
      const story = await w.told(id, "it goes on by text", (s) => s.events.filter(is("session.moved")).length >= 3);
      assert.deepEqual(story.events.filter(is("session.moved")).map((e) => e.data.channel), ["sms", "chat", "sms"]);
      assert.equal(story.interaction.state, "open");
      assert.ok(!story.events.some(is("flow.step", { step: "look_up" })), "the reply that came over was no choice");
    }), 90_000);
  await Promise.all([ringsBack, goesOn, onward]); // three people at once

  await check(toPhone, () =>
    w.visit({ locale: "zh-CN" }, async (page) => {
      const number = "+8613800000004";
      const c = chat(page, true);
      const since = new Date();
      await c.open();
      await c.tap("查询余额");
      await c.reads("请输入您在我们这里登记的手机号码");
      await c.sayHidden(number);
      await c.reads("已向尾号为");
      await c.sayHidden(await w.code(number, since));
      await c.reads("您的余额为");
      await c.tap("预约顾问");
      await c.reads("可以吗");
      await c.say("1");
      await c.tap("贷款");
      await c.reads("您希望哪一天");
      const { id, number: spoken } = await w.begun("chat:demo", since);
      const from = new Date();
      await calling(number, async (phone, call) => {
        await phone.hears(await prompt("appointment/ask_day"), await resumed(phone, number, spoken, from));
        await phone.keys("20351230");
        await phone.hears(await prompt("appointment/ask_part"));
        await phone.hangup();
        const story = await w.told(id, "the day is known", (s) => s.events.some(is("flow.outcome", { step: "day", outcome: "ok" })));
        assert.deepEqual([...new Set(story.legs.map((l) => l.kind))].sort(), ["chat", "sip"]);
        assert.ok(story.events.some(is("session.resumed", { channel: "voice" })));
        const other = await w.told(call.id, "it is over", (s) => s.interaction.state === "closed");
        assert.ok(!JSON.stringify(other.events).includes(spoken), "the number is a secret");
      });
      await w.verify();
    }), 90_000);
}
