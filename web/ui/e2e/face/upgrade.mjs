// A chat becomes voice, then video, and loses them again; the text never stops.
import assert from "node:assert/strict";
import { chat, pause, until } from "../text/world.mjs";
import { tones } from "./person.mjs";

// said gives what a conversation has, in its order, as the server keeps it.
export const said = async (t, task) => (await t.desks.sam.get(`tasks/${task.id}/messages`)).messages.filter((m) => m.text && m.from !== "flow" && m.from !== "system").map((m) => m.text);

export async function upgrade(w, t) {
  const { check, at } = t;
  const { sam } = t.desks;
  const key = (name, keys) => at[name].page.keyboard.press(keys);
  const write = async (name, words) => {
    const field = at[name].page.getByRole("textbox", { name: /Write a message/ }).first();
    await field.fill(words);
    await field.press("Enter");
  };
  const ask = async (name, keys) => {
    await key(name, keys);
    const dialog = at[name].page.getByRole("dialog");
    await dialog.waitFor();
    await dialog.getByRole("button", { name: /^(Ask|Send the link)$/ }).click();
    await dialog.waitFor({ state: "detached" });
  };
  t.ask = ask;
  t.write = write;
  const needs = (...what) => assert.ok(what.every(Boolean), "what comes before has failed");
  let c;

  await check("a visitor is served in a chat", async () => {
    const { page } = await t.customer(`${w.door}/chat?site=front`);
    c = chat(page);
    await page.getByRole("button", { name: /A person/ }).first().click({ timeout: 30_000 });
    await at.anna.page.getByRole("article", { name: /^Chat/ }).first().waitFor({ timeout: 30_000 });
    await key("anna", "Alt+A");
    t.task = await t.calm("anna has it", async () => (await sam.get("line?kind=chat")).tasks.find((x) => x.state === "assigned" && x.agent === "anna"));
    await c.say("before it");
    await at.anna.page.getByText("before it").first().waitFor();
    await write("anna", "before it, too");
    await page.getByText("before it, too").first().waitFor();
  }, 90_000);

  await check("asked for voice: who, why and what is kept; a tap, and both hear each other", async () => {
    needs(t.task);
    const { page } = at.customer;
    await ask("anna", "F2");
    const card = page.getByRole("heading", { name: /would like to speak with you/ });
    await card.waitFor();
    await t.shot(page, "asked-voice");
    await t.shot(at.anna.page, "desk-asked-voice");
    assert.deepEqual(await at.customer.asked(), [], "nothing is asked of the microphone before the yes");
    await page.getByRole("button", { name: "Voice", exact: true }).click();
    await at.anna.hears(tones.page);
    await at.customer.hears(tones.anna);
    await c.say("while we speak");
    await at.anna.page.getByText("while we speak").first().waitFor();
    await t.shot(page, "voice");
    await t.shot(at.anna.page, "desk-voice");
    const talk = await sam.get(`tasks/${t.task.id}/talk`);
    assert.ok(talk.parties.some((p) => p.role === "customer" && p.device === "browser"));
  }, 90_000);

  await check("two browsers speak Opus, which is passed on as it came; held, the customer hears music, and then Opus again", async () => {
    needs(t.task);
    const both = [at.anna, at.customer];
    const opus = async (said) => (await Promise.all(both.map((p) => p.speech()))).every((s) => s[said] === "audio/opus");
    await until("both are sent Opus", async () => (await opus("said")) && (await opus("heard")), 20_000, 200);
    await at.anna.hears(tones.page);
    await at.customer.hears(tones.anna);
    const talk = await sam.get(`tasks/${t.task.id}/talk`);
    assert.ok(talk.direct && talk.codec === "Opus", JSON.stringify(talk));
    const before = await at.customer.speech();
    await key("anna", "Alt+H");
    await until("the music is G.711", async () => (await at.customer.speech()).heard === "audio/PCMU", 20_000, 200);
    await at.customer.hearsNot(tones.anna);
    await key("anna", "Alt+H");
    await until("it is Opus again", async () => (await opus("said")) && (await opus("heard")), 20_000, 200);
    await at.anna.hears(tones.page);
    await at.customer.hears(tones.anna);
    const { madeUp } = await at.customer.speech();
    t.note(`made up while it was held and taken back: ${(1000 * (madeUp - before.madeUp)).toFixed(0)} ms`);
  }, 90_000);

  await check("asked for video: the camera opens after consent is kept, a preview first, then frames at the agent", async () => {
    needs(t.task);
    const { page } = at.customer;
    await ask("anna", "F4");
    await page.getByRole("heading", { name: /would like to see you, too/ }).waitFor();
    await t.shot(page, "asked-video");
    assert.ok((await at.customer.asked()).every((a) => !a.video), "the camera was asked for before the yes");
    const from = new Date();
    await page.getByRole("button", { name: "Video", exact: true }).click();
    const start = page.getByRole("button", { name: "Start", exact: true });
    await start.waitFor();
    await t.shot(page, "preview");
    await at.anna.seesNothing(1);
    const story = (await sam.seen(t.task)).story;
    const consent = story.events.findLast((e) => e.kind === "consent.given" && e.data.kind === "video");
    assert.ok(consent && consent.data.answer === "yes" && consent.data.version && consent.data.text, "the consent is in the journal");
    assert.ok(new Date(consent.at) >= new Date(from - 1000));
    const before = await at.anna.frames();
    const pressed = Date.now();
    await start.click();
    await until("a frame at the agent", async () => (await at.anna.frames()) > before, 15_000, 20);
    t.note(`yes to the first frame at the agent: ${Date.now() - pressed} ms`);
    await at.anna.sees(20);
    await c.say("while you see me");
    await at.anna.page.getByText("while you see me").first().waitFor();
    await t.shot(page, "video");
    await t.shot(at.anna.page, "desk-video");
  }, 90_000);

  await check("the agent shows themselves: the customer decodes frames", async () => {
    needs(t.task);
    if ((await at.anna.page.getByRole("button", { name: "Camera on" }).count()) > 0) await key("anna", "Alt+E");
    await at.customer.sees(20);
    await t.shot(at.customer.page, "video-both");
  }, 60_000);

  await check("the network is cut for 5 s: it falls, comes back by itself, and nothing that was written is lost", async () => {
    needs(t.task);
    t.net.cut(true);
    await pause(1_000); // what was on its way is seen
    await at.customer.seesNothing(1.5);
    await c.say("in the dark");
    await at.anna.page.getByText("in the dark").first().waitFor();
    await pause(3_000);
    t.net.cut(false);
    await at.anna.sees(20, 40_000);
    await at.anna.hears(tones.page, 0.6, 40_000);
    await at.customer.hears(tones.anna, 0.6, 40_000);
  }, 120_000);

  await check("the network is cut for 40 s: it falls to text on both sides, and all comes back", async () => {
    needs(t.task);
    t.net.cut(true);
    const falls = at.customer.page.getByText(/Sound and picture are interrupted|The network is interrupted/).first();
    await falls.waitFor({ timeout: 30_000 });
    await at.anna.page.getByText(/The network lets neither voice nor pictures through/).first().waitFor({ timeout: 30_000 });
    await t.shot(at.customer.page, "fallen");
    await t.shot(at.anna.page, "desk-fallen");
    for (const words of ["one in the dark", "two in the dark"]) await c.say(words);
    await write("anna", "I read you");
    await at.customer.page.getByText("I read you").first().waitFor();
    await pause(30_000);
    t.net.cut(false);
    await at.anna.sees(20, 60_000);
    await at.anna.hears(tones.page, 0.6, 60_000);
    await at.customer.hears(tones.anna, 0.6, 60_000);
    await at.anna.page.getByText("two in the dark").first().waitFor();
    await t.shot(at.customer.page, "back");
  }, 180_000);

  await check("down to voice and to video again, by the customer; the text is in one order on both sides", async () => {
    needs(t.task);
    const { page } = at.customer;
    await page.getByRole("button", { name: "Go on by voice only" }).click();
    await at.anna.seesNothing(1.5);
    await at.anna.hears(tones.page);
    await c.say("after it");
    await at.anna.page.getByText("after it").first().waitFor();
    const words = (await said(t, t.task)).slice(1); // the first was said to the flow
    assert.deepEqual(words, ["before it", "before it, too", "while we speak", "while you see me", "in the dark", "one in the dark", "two in the dark", "I read you", "after it"]);
    const seen = async (p, pattern) => (await p.page.getByText(pattern).allInnerTexts()).map((x) => x.trim());
    for (const p of [at.anna, at.customer]) {
      const order = [];
      for (const word of words) order.push(await p.page.evaluate((x) => document.documentElement.innerText.indexOf(x) >= 0 || [...document.querySelectorAll("*")].some((e) => e.shadowRoot?.textContent?.includes(x)), word));
      assert.ok(order.every(Boolean), `all that was written stands on both sides: ${await seen(p, /it$/)}`);
    }
  }, 60_000);
}
