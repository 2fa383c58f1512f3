// Agents who speak by their browsers: a caller is taken by a key, a colleague is asked in and
// has the call, a supervisor whispers, the flow has the caller back; a chat is served beside
// it; a customer calls from the page and reaches a telephone; a lid is closed in mid-call.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { pause, until } from "../text/world.mjs";
import { laptop, login, person, seated, tones } from "./person.mjs";
import { menu, musicHeard, toneHeard } from "./sound.mjs";

// talks runs on a server of its own, whose bank is open.
export async function talks(w, t) {
  const { check, desks } = t;
  const { sam } = desks;
  const number = t.customer.number;
  await beside(w);
  const at = {}; // who is at which page
  const open = async (name, path, hz, more) => {
    at[name] = await person(t.browser, { hz, ...more });
    await login(at[name], w.server, name, path);
    return at[name].page;
  };
  const key = (name, keys) => at[name].page.keyboard.press(keys);
  const talkOf = (task) => sam.get(`tasks/${task.id}/talk`);
  const tone = (phone, hz, from, seconds = 0.5) => until(`the phone hears ${hz} Hz`, async () => toneHeard(await phone.audio(), hz, from) >= seconds, 20_000);
  const quiet = async (phone, hz) => {
    const from = (await phone.audio()).length;
    await pause(1_500);
    assert.ok(toneHeard(await phone.audio(), hz, from) < 0.5, `the phone hears ${hz} Hz`);
  };
  const agent = async (name) => (await sam.get("agents")).agents.find((a) => a.name === name);
  const reachable = (name, on) => until(`${name} ${on ? "can" : "cannot"} be reached`, async () => Boolean((await agent(name)).reachable?.voice) === on, 60_000, 400);
  // calm looks a few times a second only, as the API asks.
  const calm = (what, look, limit = 20_000) => until(what, look, limit, 400);
  let phone, task;
  const needs = (...what) => assert.ok(what.every(Boolean), "what comes before has failed");

  try {
    await check("two agents take their calls at the desk, a supervisor is at the board", async () => {
      for (const name of ["anna", "bo"]) {
        await open(name, "/desk", tones[name]);
        await seated(at[name]);
        await reachable(name, true);
      }
      await open("sam", "/board", tones.sam);
      await available(sam, "anna");
    }, 90_000);

    await check("a caller rings at the desk with why, is taken by a key, and both hear each other, untouched on the way", async () => {
      phone = await t.phone(number, { hz: tones.phone });
      await phone.dial("95555", w.server.sip[0]);
      await menu(phone);
      await phone.keys("0");
      const offer = at.anna.page.getByRole("article").filter({ hasText: /front_door/ }).first();
      await offer.waitFor({ timeout: 30_000 });
      await offer.getByText(/Anna|anna/).first().waitFor(); // why she has it
      await t.shot(at.anna.page, "desk-offer");
      await key("anna", "Alt+A");
      task = await calm("anna has it", async () => (await sam.get("line?kind=call")).tasks.find((c) => c.state === "assigned" && c.agent === "anna"));
      await at.anna.hears(tones.phone);
      await tone(phone, tones.anna, 0);
      const talk = await talkOf(task);
      assert.equal(talk.direct, true, "packets pass as they are");
      t.note(`the server says: direct ${talk.direct}, ${talk.codec}, ${talk.parties.map((p) => `${p.role} by ${p.device}`).join(", ")}`);
      await t.shot(at.anna.page, "desk-call");
    }, 90_000);

    await check("a chat is served beside the call", async () => {
      needs(task);
      await w.visit({ at: `${w.door}/chat?site=front`, locale: "en-GB" }, async (page) => {
        await page.getByRole("button", { name: /A person/ }).first().click({ timeout: 30_000 });
        await at.anna.page.getByRole("article", { name: /^Chat/ }).first().waitFor({ timeout: 30_000 });
        await key("anna", "Alt+A");
        const write = at.anna.page.getByRole("textbox", { name: /Write a message/ }).first();
        await write.fill("Good day, this is Anna.");
        await write.press("Enter");
        await page.getByText("Good day, this is Anna.").first().waitFor();
        await t.shot(at.anna.page, "desk-both");
        await at.anna.hears(tones.phone);
      });
    }, 90_000);

    await check("a colleague is asked in while the caller hears music, then has the call without a gap", async () => {
      needs(task);
      const from = (await phone.audio()).length;
      await available(sam, "bo");
      await at.anna.page.getByRole("region", { name: "What you have" }).getByRole("button").filter({ hasText: /Call · / }).first().click();
      await key("anna", "Alt+C");
      const find = at.anna.page.getByRole("dialog").getByRole("combobox").or(at.anna.page.getByRole("dialog").getByRole("textbox")).first();
      await find.fill("Bo");
      await at.anna.page.getByRole("dialog").getByText(/Bo \(bo\)/).first().waitFor();
      await find.press("Enter");
      await at.bo.page.getByText(/asks you into a call/).first().waitFor({ timeout: 20_000 });
      await t.shot(at.bo.page, "desk-invite");
      await until("the caller hears music", async () => musicHeard(await phone.audio(), from) >= 1.5, 20_000);
      await key("bo", "Alt+A");
      await at.bo.hears(tones.anna);
      await at.anna.hears(tones.bo);
      await quiet(phone, tones.bo);
      await t.shot(at.anna.page, "desk-consult");
      await key("anna", "Alt+G");
      const together = (await phone.audio()).length;
      await until("all three hear each other", async () => musicHeard(await phone.audio(), together) === 0 && (await at.bo.heard())[tones.phone] > 0.5, 20_000);
      await at.anna.hears(tones.phone);
      await key("anna", "Alt+O");
      const then = (await phone.audio()).length;
      await tone(phone, tones.bo, then);
      await at.bo.hears(tones.phone);
      await at.anna.hearsNot(tones.phone);
      const now = await calm("the task is bo's", async () => (await sam.get("line?kind=call")).tasks.find((c) => c.id === task.id && c.agent === "bo"));
      assert.equal(now.state, "assigned");
    }, 120_000);

    await check("a supervisor whispers, and the agent alone hears it", async () => {
      needs(task);
      const page = at.sam.page;
      await page.bringToFront();
      await whispers(at.sam, task);
      await at.bo.hears(tones.sam);
      await at.sam.hears(tones.phone);
      await quiet(phone, tones.sam);
      await t.shot(page, "board-whisper");
      const { story } = await sam.seen(task);
      assert.ok(story.events.some((e) => e.kind === "audit.listened" && e.data.who === "sam"), "it is in the journal");
    }, 90_000);

    await check("the agent hands the caller back to the flow, at a step", async () => {
      needs(task);
      const from = (await phone.audio()).length;
      await at.bo.page.bringToFront();
      await key("bo", "Alt+B");
      await at.bo.page.getByRole("dialog").waitFor();
      await t.shot(at.bo.page, "desk-nodes");
      await at.bo.page.keyboard.press("Enter");
      await calm("the flow speaks with the caller", async () => {
        const { story } = await sam.seen(task);
        return story.events.some((e) => e.kind === "session.handed_back") && (await phone.audio()).length > from + 8_000;
      }, 20_000);
      await quiet(phone, tones.bo);
      await phone.hangup();
    }, 60_000);

    await check("seconds of the parties sum to the talk, through the transfer", async () => {
      needs(task);
      const story = await calm("everybody has left", async () => {
        const { story } = await sam.seen(task);
        return story.legs.every((l) => l.ended) && story;
      });
      const parted = story.events.filter((e) => e.kind === "room.left");
      const joined = story.events.filter((e) => e.kind === "room.joined");
      assert.equal(parted.length, joined.length, "everybody who came has left");
      for (const e of parted) {
        const came = joined.find((j) => j.leg === e.leg && j.seq < e.seq);
        const spent = (new Date(e.at) - new Date(came.at)) / 1000;
        assert.ok(Math.abs(spent - e.data.seconds) < 0.1, `${e.data.seconds} s in the journal, ${spent} s by its clock`);
      }
    }, 40_000);

    await check("a customer calls from the page, uses the menu by its keypad, and reaches an agent's telephone", async () => {
      await away(sam, "anna");
      await away(sam, "bo");
      await at.bo.close();
      delete at.bo;
      await calm("bo's page is gone", async () => !(await agent("bo")).seat, 40_000);
      const telephone = await t.phone("bo", { at: t.agentAt, hz: tones.bo });
      await reachable("bo", true);
      await available(sam, "bo");
      at.page = await person(t.browser, { hz: tones.page, locale: "en-GB" });
      const { page } = at.page;
      await page.goto(`${w.door}/`);
      await pageCalls(page, "95555");
      await pause(4_000); // greeted
      await page.getByRole("button", { name: "0", exact: true }).or(page.getByRole("button", { name: /^0\b/ })).first().click();
      await telephone.rung(60_000);
      await t.shot(page, "page-call");
      await telephone.answer();
      await at.page.hears(tones.bo);
      await tone(telephone, tones.page, 0);
      await telephone.hangup();
    }, 150_000);

    await check("a lid that is closed in mid-call: the caller is told and kept, the agent is out of reach, and back when it opens", async () => {
      await available(sam, "anna");
      await away(sam, "bo");
      const own = await laptop(t.browserOptions);
      try {
        const anna = await person(own.browser, { hz: tones.anna });
        await login(anna, w.server, "anna", "/desk");
        await seated(anna);
        await reachable("anna", true);
        phone = await t.phone("+8613800000005", { hz: tones.phone });
        await phone.dial("95555", w.server.sip[0]);
        await menu(phone);
        await phone.keys("0");
        await anna.page.getByRole("article").filter({ hasText: /front_door/ }).first().waitFor({ timeout: 40_000 });
        await anna.page.keyboard.press("Alt+A");
        await anna.hears(tones.phone);
        const heard = (await phone.audio()).length;
        own.lid(true);
        await until("the caller hears music", async () => musicHeard(await phone.audio(), heard) >= 1, 30_000);
        await reachable("anna", false);
        assert.equal((await agent("anna")).misses ?? 0, 0, "she has missed nothing");
        const again = (await phone.audio()).length;
        own.lid(false);
        await tone(phone, tones.anna, again);
        await phone.hangup();
      } finally {
        await own.close();
      }
    }, 180_000);
  } finally {
    for (const p of Object.values(at)) await p.close?.().catch?.((err) => t.note(String(err)));
  }
}

// whispers has a supervisor speak to the agent of a queue's only call, from the board.
async function whispers({ page }) {
  await page.getByRole("row", { name: /front_door/ }).getByRole("button", { name: /With agents/ }).first().click();
  await page.getByRole("button", { name: /^Call · front_door/ }).or(page.getByRole("link", { name: /^Call · front_door/ })).first().click();
  await page.getByRole("button", { name: "Whisper to the agent" }).first().click();
  const dialog = page.getByRole("dialog").last();
  await dialog.getByLabel("Reason").fill("Training");
  await dialog.getByRole("button", { name: "Do it" }).click();
}

// pageCalls calls a number from the customers' page.
async function pageCalls(page, number) {
  await page.getByRole("button", { name: new RegExp(`^Call ${number}`) }).first().click();
  await page.getByRole("button", { name: /Hang up/ }).first().waitFor({ timeout: 20_000 });
}

// beside lets agents have chats beside a call.
async function beside(w) {
  const file = `${dirname(w.server.config)}/flows/service.queues.yaml`;
  const text = await readFile(file, "utf8");
  await writeFile(file, text.replace("blocks: { voice: [chat, sms, work] }", "blocks: { voice: [work] }"));
}

const available = (sam, name) => sam.put(`agents/${name}/presence`, { presence: "available" });
const away = (sam, name) => sam.put(`agents/${name}/presence`, { presence: "away", reason: "break" });
