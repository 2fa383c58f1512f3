// Which door leads to which flow, and what becomes of it when the map is changed.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { lacking, recorded, telephone } from "../baresip.mjs";
import { chat, until } from "./world.mjs";

export async function doors(w, { check, skip }) {
  const what = "two numbers and two sites begin their own flows; the map is changed while it serves";
  if (lacking()) return skip(what, lacking());
  const greetings = { counter: "欢迎来到海港银行服务台", night_desk: "这里是海港银行夜间服务台" };
  const spoken = { counter: "counter/hello", night_desk: "night_desk/hours" };

  // dials gives the flow that answers a number, by ear and by the journal.
  async function dials(number, flow) {
    const phone = await telephone("+8613800000041"); // nobody the bank knows
    try {
      const since = new Date();
      await phone.dial(number, w.server.sip[0]);
      await phone.hears(await recorded(`${w.root}flows/prompts/zh-CN/${spoken[flow]}.wav`));
      assert.equal((await w.begun(number, since)).flow, flow);
      await phone.hangup();
    } finally {
      await phone.close();
    }
  }
  async function visits(site, flow, then = () => {}) {
    const since = new Date();
    await w.visit({ at: `${w.door}/chat?site=${site}`, locale: "zh-CN" }, async (page) => {
      const c = chat(page, true);
      await c.reads(greetings[flow]);
      assert.equal((await w.begun(`chat:${site}`, since)).flow, flow);
      await then(c);
    });
  }

  await check(what, async () => {
    await Promise.all([dials("95588", "counter"), dials("95500", "night_desk"), visits("demo", "counter"), visits("night", "night_desk")]);
    const config = await readFile(w.server.config, "utf8");
    const turned = config.replace('"95588": counter', '"95588": night_desk').replace('"95500": night_desk', '"95500": counter')
      .replace('"chat:demo": counter', '"chat:demo": night_desk').replace('"chat:night": night_desk', '"chat:night": counter');
    const served = async (flow) => (await (await fetch(`${w.door}/api/v1/entries`)).json()).entries.find((e) => e.number === "95588").flow === flow;
    await visits("demo", "counter", async (c) => {
      await writeFile(w.server.config, turned);
      try {
        await until("the new map serves", () => served("night_desk"));
        await Promise.all([dials("95588", "night_desk"), dials("95500", "counter"), visits("demo", "night_desk"), visits("night", "counter")]);
        await c.tap("提问"); // who began before goes on where they were
        await c.reads("请问您想了解什么");
      } finally {
        await writeFile(w.server.config, config);
        await until("the map as it was serves", () => served("counter"));
      }
    });
  });
}
