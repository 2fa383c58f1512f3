// A caller with only a telephone, from China, with whom all is in Chinese, gains a screen: a text brings a page beside the running call,
// in which they write, show themselves, and pass the identity check without hanging up.
import assert from "node:assert/strict";
import { until } from "../text/world.mjs";
import { menu, toneHeard } from "../queue/sound.mjs";
import { begins, passes } from "./check.mjs";
import { person, tones } from "./person.mjs";

const number = "+8613800000001";

export async function beside(w, t) {
  const { check, at } = t;
  const { sam } = t.desks;
  const key = (keys) => at.anna.page.keyboard.press(keys);
  const needs = (...what) => assert.ok(what.every(Boolean), "what comes before has failed");
  let phone, task;

  await check("a caller reaches the officer by telephone", async () => {
    const chats = (await sam.get("line?kind=chat")).tasks.filter((x) => x.agent === "anna" && x.state === "assigned");
    const socket = await t.desks.anna.socket();
    for (const c of chats) await socket.ask({ t: "release", task: c.id, fence: c.fence });
    for (const c of chats) await socket.ask({ t: "wrap", task: c.id, fence: c.fence, disposition: "solved" }).catch(() => {});
    await at.customer.context.close();
    await t.calm("anna can be reached", async () => (await sam.get("agents")).agents.find((a) => a.name === "anna")?.reachable?.voice, 60_000);
    phone = await t.phone(number);
    await phone.dial("95555", w.server.sip[0]);
    await menu(phone);
    await phone.keys("0");
    await at.anna.page.getByRole("article").filter({ hasText: /front_door/ }).first().waitFor({ timeout: 30_000 });
    await key("Alt+A");
    task = await t.calm("anna has it", async () => (await sam.get("line?kind=call")).tasks.find((c) => c.state === "assigned" && c.agent === "anna"));
    await at.anna.hears(tones.phone);
  }, 120_000);

  await check("a text brings a page: words both ways beside the call", async () => {
    needs(task);
    const since = new Date();
    await t.ask("anna", "F4");
    const link = await w.link(number, since);
    at.customer = await person(t.browser, { hz: tones.page, viewport: { width: 390, height: 844 }, hasTouch: true });
    const { page } = at.customer;
    await page.goto(link);
    await t.shot(page, "screen-link");
    await page.getByRole("button").first().click();
    await page.getByRole("heading", { name: /希望看到您的画面/ }).waitFor({ timeout: 30_000 });
    await t.shot(page, "asked-pictures");
    const field = page.getByRole("textbox", { name: "输入消息" });
    await field.fill("I have the page");
    await field.press("Enter");
    await at.anna.page.getByText("I have the page").first().waitFor();
    await t.write("anna", "I see it");
    await page.getByText("I see it").first().waitFor();
  }, 120_000);

  await check("the caller shows themselves; the sound stays on the telephone, and no microphone is asked for", async () => {
    needs(task);
    const { page } = at.customer;
    const before = await at.anna.frames();
    await page.getByRole("button", { name: "打开我的摄像头" }).click();
    await page.getByRole("button", { name: "开始", exact: true }).click({ timeout: 20_000 });
    await until("a frame at the officer", async () => (await at.anna.frames()) > before + 10, 30_000);
    await at.anna.hears(tones.phone);
    await at.anna.hearsNot(tones.page);
    assert.ok((await at.customer.asked()).every((a) => !a.audio), "the microphone was asked for");
    const from = (await phone.audio()).length;
    await until("the phone hears the officer", async () => toneHeard(await phone.audio(), tones.anna, from) >= 0.5, 20_000);
    await t.shot(page, "pictures");
    await t.shot(at.anna.page, "desk-pictures");
  }, 120_000);

  await check("the identity check is passed without hanging up", async () => {
    needs(task);
    await begins(t);
    const { page } = at.customer;
    await page.getByRole("button", { name: "我同意", exact: true }).click();
    await passes(t, at.anna.page);
    await page.getByText(/核验通过/).first().waitFor();
    await t.shot(page, "check-passed-390");
    const { story } = await sam.seen(task);
    assert.ok(story.events.some((e) => e.kind === "check.decided" && e.data.outcome === "passed"));
    await at.anna.hears(tones.phone);
    await phone.hangup();
    await t.calm("the call is over", async () => (await sam.seen(task)).story.interaction.state !== "assigned");
  }, 240_000);
}
