// What waits in the same line though nobody is on the phone or at a page: a voicemail, and
// a ticket of somebody who gave up waiting. And, when all is done, the books.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { noSeriousProblems } from "../axe.mjs";
import { is, until } from "../text/world.mjs";
import { fits } from "./looks.mjs";
import { beepHeard, decoded, level, menu, toneHeard } from "./sound.mjs";

const run = promisify(execFile);
const beep = 1000; // hertz, before a message is recorded
const voice = 520; // hertz, of the message
const spoken = 3_000; // milliseconds of it

// message is a call that finds nobody there at all and leaves a message, and the agent who
// hears it later.
export async function message(w, t) {
  const { check, desks } = t;
  const { sam, anna } = desks;
  let mine;
  await check("a call finds nobody there and leaves a message, which waits in line", async () => {
    const phone = await t.phone("+447700900123", { hz: voice });
    await phone.dial("95555", w.server.sip[0]);
    await menu(phone);
    await phone.keys("0");
    const call = await until("the call", async () => (await sam.get("interactions?limit=20")).interactions.find((i) => i.from === "+447700900123"));
    await until("nobody is there", async () => (await sam.get(`interactions/${call.id}`)).events.some(is("flow.outcome", { step: "line", outcome: "no_agents" })));
    t.sockets.anna = await anna.socket();
    await t.sockets.anna.ask({ t: "presence", presence: "away", reason: "break" });
    t.reached.away.yes();
    await until("the beep", async () => beepHeard(await phone.audio(), beep) >= 0.2, 30_000);
    const from = (await phone.audio()).length;
    await until("the message is as long as it has to be", async () => (await phone.audio()).length - from >= spoken * 8, 20_000);
    await phone.keys("#");
    await phone.ended();
    mine = await until("the message is in line", async () => (await sam.get("line?kind=voicemail")).tasks[0]);
    assert.deepEqual([mine.interaction, mine.queue, mine.state, mine.audio], [call.id, "front_door", "waiting", true]);
  }, 90_000);
  t.reached.away.yes(); // or never

  await t.reached.wrapped();
  await check("the agent is free again, takes the message, hears it, and is done", async () => {
    assert.ok(mine, "what comes before has failed");
    const offer = await t.sockets.anna.offer("voicemail");
    assert.equal(offer.task.id, mine.id);
    const { fence } = offer.task;
    assert.equal((await anna.post(`tasks/${mine.id}/accept`, { fence })).state, "assigned");
    const sound = decoded(await anna.file(`tasks/${mine.id}/audio`));
    t.note(`the message lasts ${(sound.length / 8000).toFixed(1)} s, level ${Math.round(level(sound))}`);
    assert.ok(toneHeard(sound, voice) >= 2, "what was said is heard");
    const { story } = await sam.seen(mine);
    assert.ok(story.events.some((e) => e.kind === "audit.opened" && JSON.stringify(e).includes("anna")), "who listened is written down");
    await anna.post(`tasks/${mine.id}/release`, { fence });
    await until("it is done", async () => (await sam.seen(mine)).task.state === "done");
  }, 60_000);
  t.sockets.anna?.close();
}

// order is a caller who gives up waiting: a ticket whose page the customer can open.
export async function order(w, t) {
  const { check, desks } = t;
  const { sam, bo } = desks;
  const number = "+8613800000002";
  let mine, url;
  await t.reached["in line"]();
  await check("a caller hangs up in line: a ticket, whose page is texted to them", async () => {
    const phone = await t.phone(number);
    const since = new Date();
    await phone.dial("95555", w.server.sip[0]);
    await menu(phone);
    await phone.keys("0");
    const call = await until("the call is in line", async () => (await sam.get("line?kind=call")).tasks.find((c) => c.place?.position > 1));
    await phone.hangup();
    mine = await until("the ticket", async () => (await sam.get("line?kind=ticket")).tasks.find((x) => x.interaction === call.interaction));
    url = /https?:\/\/\S+\/t\/[\w-]+/.exec(await w.text(number, /\/t\//, since))[0];
    const { task } = await sam.seen(call);
    assert.deepEqual([task.state, task.outcome], ["done", "left"]);
    assert.equal(Math.round((new Date(mine.ticket_due) - new Date(mine.arrived)) / 60_000), 30);
  }, 60_000);
  t.reached.ticket.yes();

  // look opens the page, which is in the customer's language, and has the other one too.
  const look = (zh, width, use) =>
    w.visit({ at: url, locale: zh ? "zh-CN" : "en-GB", colorScheme: zh ? "dark" : "light", viewport: { width, height: 700 } }, async (page) => {
      await page.getByRole("link", { name: "刷新" }).waitFor();
      if (!zh) await page.getByRole("link", { name: "English" }).click();
      await page.getByText(zh ? "受理时间" : "Received", { exact: true }).waitFor();
      await use(page);
      await t.shot(page, `order-${width}-${zh ? "zh" : "en"}`);
      await fits(page);
      await noSeriousProblems(page);
    });
  await check("the ticket's page, in both languages, small and large", async () => {
    assert.ok(url, "what comes before has failed");
    for (const width of [320, 1280]) {
      for (const zh of [false, true]) {
        await look(zh, width, async (page) => {
          const heading = await page.getByRole("heading", { level: 1 }).innerText();
          assert.equal(heading.replaceAll(/\D/g, ""), mine.ticket);
          assert.doesNotMatch(await page.locator("body").innerText(), /13800000002|Gave up waiting/, "it does not show what was asked, or by whom");
        });
      }
    }
  }, 60_000);

  await t.reached["called back"]();
  await check("an agent works on it, and tells the customer there", async () => {
    assert.ok(mine, "what comes before has failed");
    const socket = await until("the second agent's socket", () => t.sockets.bo, 40_000);
    const offer = await socket.offer("ticket", 40_000);
    assert.equal(offer.task.id, mine.id);
    await bo.post(`tasks/${mine.id}/accept`, { fence: offer.task.fence });
    await bo.post(`tasks/${mine.id}/ticket`, { status: "working", told: "We call you within the hour." });
    await look(true, 320, (page) => page.getByText("We call you within the hour.").waitFor());
    await t.reached.served(); // they take nothing more
    await socket.ask({ t: "presence", presence: "away", reason: "lunch" });
    await bo.post(`tasks/${mine.id}/ticket`, { status: "done", told: "All is settled." });
    await look(false, 320, (page) => page.getByText("All is settled.").waitFor());
    assert.equal((await sam.seen(mine)).task.state, "done");
    socket.close();
  }, 90_000);
}

// books holds what was done against the line's rules.
export async function books(w, t) {
  const { check, desks } = t;
  await check("why each was served is said in both languages, and nobody was overtaken", async () => {
    for (const [mine, agent] of [[t.first, "anna"], [t.second, "bo"]]) {
      const { story } = await desks.sam.seen(mine);
      const offers = story.events.filter((e) => e.kind === "task.offered" && e.data.task === mine.id);
      assert.deepEqual(offers.map((o) => o.data.agent), [agent], "offered once, and taken");
      const { en, zh } = offers[0].data.decision.why;
      assert.match(en, /[a-z]{3}/);
      assert.match(zh, /[\u4e00-\u9fff]/);
      t.note(en);
      t.note(zh);
    }
    const report = JSON.parse(await w.tandem("audit", "--strict", "--json"));
    assert.equal(report.ok ?? report.OK, true);
    t.note((await w.tandem("audit", "--strict")).trim().split("\n").at(-1));
  });
  await check("the journal is right, and what happened can be played through the policy again", async () => {
    await w.verify();
    const folder = w.server.config.replace(/[^/]+$/, "flows");
    const { stdout } = await run(w.server.program, ["route", "simulate", "--config", w.server.config, "--since", "1h", folder]);
    t.note(stdout.trim().split("\n").slice(0, 6).join("\n       "));
    assert.match(stdout, /front_door/);
  });
}
