// The remote counter by telephone: the flow texts the caller a page and calls an officer; the check is
// passed on the page with the sound on the telephone, and the call goes on in the flow.
import assert from "node:assert/strict";
import { recorded } from "../baresip.mjs";
import { level, menu, toneHeard } from "../queue/sound.mjs";
import { until } from "../text/world.mjs";
import { passes } from "./check.mjs";
import { person, tones } from "./person.mjs";
import { wrapped } from "./unlock.mjs";

const number = "+8613800000003";

export async function byPhone(w, t) {
  const { check, at } = t;
  const { sam } = t.desks;
  const needs = (...what) => assert.ok(what.every(Boolean), "what comes before has failed");
  const prompt = (name) => recorded(`${w.root}flows/prompts/zh-CN/${name}.wav`);
  let phone, link, task;

  await check("the remote counter by telephone: a page is texted, and an officer comes", async () => {
    await at.customer?.context.close();
    delete at.customer;
    await wrapped(t);
    await t.calm("anna can be reached", async () => (await sam.get("agents")).agents.find((a) => a.name === "anna")?.reachable?.voice, 60_000);
    const since = new Date();
    phone = await t.phone(number, { at: "" });
    await phone.dial("95566", w.server.sip[0]);
    await menu(phone);
    await phone.hears(await prompt("remote_counter/pick_keys"), 0, 30_000);
    await phone.keys("1");
    await phone.hears(await prompt("remote_counter/ask_phone"), 0, 30_000);
    await phone.keys("008613900000002#");
    await phone.hears(await prompt("line/officer"), 0, 40_000);
    link = await w.link(number, since);
    await at.anna.page.bringToFront();
    await at.anna.page.getByRole("article").filter({ hasText: /front_door/ }).first().waitFor({ timeout: 30_000 });
    await at.anna.page.keyboard.press("Alt+A");
    task = await t.calm("anna has it", async () => (await sam.get("line?kind=call")).tasks.find((c) => c.state === "assigned" && c.agent === "anna"));
    await at.anna.hears(tones.phone);
    const talk = (await phone.audio()).length;
    await until("the phone hears the officer", async () => toneHeard(await phone.audio(), tones.anna, talk) >= 0.5, 20_000);
  }, 180_000);

  await check("the remote counter by telephone: the check is passed on the page, with the sound on the phone", async () => {
    needs(link, task);
    at.customer = await person(t.browser, { hz: tones.page, viewport: { width: 390, height: 844 }, hasTouch: true });
    const { page } = at.customer;
    await page.goto(link);
    await page.getByRole("button").first().click();
    await page.getByText(/面部和证件照片/).first().waitFor({ timeout: 30_000 });
    await t.shot(page, "phone-check-asked");
    const before = await at.anna.frames();
    await page.getByRole("button", { name: "我同意", exact: true }).click();
    await page.getByRole("button", { name: "开始", exact: true }).click({ timeout: 20_000 });
    await until("a frame at the officer", async () => (await at.anna.frames()) > before + 10, 30_000);
    assert.ok((await at.customer.asked()).every((a) => !a.audio), "the microphone was asked for");
    await at.anna.hears(tones.phone);
    await passes(t, at.anna.page);
    await page.getByText(/核验通过/).first().waitFor();
    await t.shot(page, "phone-check-passed");
  }, 240_000);

  await check("the remote counter by telephone: the call goes on in the flow, never hung up, with the operation unlocked", async () => {
    needs(task);
    await phone.hears(await prompt("remote_counter/filed-1"), 0, 30_000);
    const { story } = await until("the ticket", async () => {
      const seen = await sam.seen(task);
      return seen.story.events.some((e) => e.kind === "ticket.opened") && seen;
    });
    const order = ["check.begun", "consent.given", "check.evidence", "check.decided", "customer.identified", "ticket.opened"].map((kind) => story.events.findIndex((e) => e.kind === kind));
    assert.deepEqual(order, order.toSorted((a, b) => a - b), "consent, evidence, verdict, level and operation stand in their order");
    assert.ok(order[0] >= 0, "the check was begun");
    assert.equal(story.legs.filter((l) => l.kind === "sip" && l.role === "customer").length, 1, "one call from the beginning to the end");
    await t.calm("anna is done with them", async () => (await sam.get("line?kind=call")).tasks.every((c) => c.agent !== "anna" || c.state !== "assigned"));
    const from = (await phone.audio()).length;
    await until("the survey's question", async () => level((await phone.audio()).subarray(from)) > 200, 20_000);
    await phone.hangup();
    t.proved = task.interaction;
  }, 90_000);
}
