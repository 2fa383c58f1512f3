// A caller who waits in line goes on by chat, asks to be called back from there, and is: at
// the place they came with.
import assert from "node:assert/strict";
import { recorded } from "../baresip.mjs";
import { chat, is, until } from "../text/world.mjs";
import { bars } from "./looks.mjs";
import { menu, musicHeard, toneHeard } from "./sound.mjs";

export async function caller(w, t) {
  const { check, desks, agent, customer } = t;
  const { sam, anna } = desks;
  const prompt = (name) => recorded(`${w.root}flows/prompts/zh-CN/line/${name}.wav`);
  // mine is what the caller has in line, as it was first, once it is there.
  let phone, mine, page, socket, since;
  const needs = (...what) => assert.ok(what.every(Boolean), "what comes before has failed");

  await t.reached.away(); // agents are there, but nobody is available
  await check("a caller waits with music, is told their place, and supervisors see it and why", async () => {
    phone = await t.phone(customer.number);
    since = new Date();
    await phone.dial("95555", w.server.sip[0]);
    await menu(phone);
    await phone.keys("0");
    mine = await until("the call is in line", async () => (await sam.get("line?kind=call")).tasks.find((c) => c.state === "waiting"));
    t.first = mine;
    t.reached["in line"].yes();
    assert.deepEqual([mine.queue, mine.place.position, mine.skills.join()], ["front_door", 1, "lang:zh-CN"]);
    assert.equal(Math.round((new Date(mine.due) - new Date(mine.arrived)) / 1000), 20, "due by its queue's target");
    const told = await phone.hears(await prompt("place-1"));
    const offered = await phone.hears(await prompt("offer_chat-1"), told);
    await until("two seconds of music", async () => musicHeard(await phone.audio(), offered) >= 2);
    const { now } = await sam.get(`tasks/${mine.id}/decisions`);
    assert.deepEqual([now.position, now.eligible], [1, 0]);
    assert.ok(now.waited > 0 && now.not.length > 0, "how long it has waited, and why");
    assert.match(now.why.en, /away|available/i);
    assert.match(now.why.zh, /[\u4e00-\u9fff]/);
    t.note(now.why.en);
    t.note(now.why.zh);
    const { story } = await until("the journal has what was said", async () => {
      const seen = await sam.seen(mine);
      return seen.story.events.some((e) => e.kind === "flow.prompt" && /您排在第1位/.test(e.data.text)) && seen;
    });
    assert.equal(story.interaction.state, "queued");
  }, 60_000);
  t.reached["in line"].yes(); // or never

  let closePage;
  await check("pressing 2 sends a link; the chat goes on at the same place, and the call ends", async () => {
    needs(mine);
    await phone.keys("2");
    await phone.hears(await prompt("sent"));
    const context = await w.context({ locale: "zh-CN", viewport: { width: 390, height: 844 } });
    closePage = context.close;
    page = context.page;
    await page.goto(await w.link(customer.number, since));
    await page.getByRole("button", { name: "打开", exact: true }).click();
    await page.waitForURL(/\/chat\?site=/);
    await phone.ended();
    await page.getByText("您排在第 1 位").first().waitFor();
    const { task: now, story } = await until("the task is a chat", async () => {
      const seen = await sam.seen(mine);
      return seen.task.kind === "chat" && seen;
    });
    assert.deepEqual([now.id, now.arrived, now.due, now.state], [mine.id, mine.arrived, mine.due, "waiting"]);
    assert.ok(story.legs.find((l) => l.kind === "sip").ended, "the call is over");
  }, 60_000);

  await check("call me back, from the chat: a callback at the same place, and the chat says so", async () => {
    needs(page);
    const callBack = page.getByRole("group", { name: "其他方式" }).getByRole("button", { name: "给我回电" });
    await callBack.waitFor({ timeout: 40_000 }); // it is offered after half a minute
    await bars(page, t, "zh-all");
    await callBack.click();
    const { task: now } = await until("the task is a callback", async () => {
      const seen = await sam.seen(mine);
      return seen.task.kind === "callback" && seen;
    });
    assert.deepEqual([now.arrived, now.due, now.state], [mine.arrived, mine.due, "waiting"]);
    await chat(page, true).reads("轮到您时我们会给您回电");
    await until("the bar is gone", async () => (await page.getByText("您排在第 1 位").count()) === 0);
  }, 60_000);

  let fence;
  await check("an agent is available: their phone rings once, then the customer's; both hear each other", async () => {
    needs(mine);
    socket = t.sockets.anna;
    await until("the agent's phone is known to be there", async () => (await anna.get("agent")).agent.reachable.voice, 40_000);
    await socket.ask({ t: "presence", presence: "available" });
    const offer = await socket.offer("callback");
    assert.deepEqual([offer.task.id, offer.task.state], [mine.id, "offered"]);
    assert.match(offer.decision.why.zh, /[\u4e00-\u9fff]/);
    ({ fence } = offer.task);
    await agent.phone.rung();
    assert.equal(customer.phone.rings(), 0, "nobody is dialled before an agent is there");
    await agent.phone.answer();
    await socket.until("the task is theirs", (f) => f.t === "task" && f.task.id === mine.id && f.why === "assigned");
    t.reached["called back"].yes();
    const { offers } = await sam.get(`tasks/${mine.id}/decisions`);
    assert.deepEqual(offers.map((o) => [o.agent, o.fence, o.end]), [["anna", fence, "assigned"]]);
    await customer.phone.rung();
    await customer.phone.answer();
    const hears = async (who, hz) => until(`a tone of ${hz} Hz`, async () => toneHeard(await who.audio(), hz) >= 2);
    await Promise.all([hears(agent.phone, customer.hz), hears(customer.phone, agent.hz)]);
  }, 90_000);
  t.reached["called back"].yes(); // or never

  await check("the customer hangs up; the agent's notes are done; one call was made", async () => {
    needs(fence);
    await customer.phone.hangup();
    await agent.phone.ended();
    await socket.until("wrap-up", (f) => f.t === "wrap" && f.task === mine.id && f.until);
    await anna.post(`tasks/${mine.id}/notes`, { client: "n-1", text: "Wants a new card." });
    await anna.post(`tasks/${mine.id}/wrap`, { fence, disposition: "solved" });
    const { task: done, story } = await until("the task is done", async () => {
      const seen = await sam.seen(mine);
      return seen.task.state === "done" && seen.story.interaction.state === "closed" && seen;
    });
    assert.deepEqual([done.kind, done.outcome, done.agent, done.arrived, done.due], ["callback", "served", "anna", mine.arrived, mine.due]);
    const dialled = story.events.filter((e) => e.kind === "call.dialled");
    assert.equal(dialled.filter((e) => JSON.stringify(e.data).includes(customer.number)).length, 1);
    assert.deepEqual([agent.phone.rings(), customer.phone.rings()], [1, 1]);
    assert.ok(story.events.some(is("agent.noted", { text: "Wants a new card." })));
  }, 60_000);
  t.reached.wrapped.yes();
  await closePage?.();
}
