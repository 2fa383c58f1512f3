// A visitor's chat beside the calls: in line, served by an agent, asked how it was.
import assert from "node:assert/strict";
import { chat, is, until } from "../text/world.mjs";
import { bars } from "./looks.mjs";

export async function visitor(w, t) {
  const { check, desks } = t;
  const { sam, bo } = desks;
  const context = await w.context({ locale: "en-GB" });
  const { page } = context;
  const c = chat(page);
  let mine;

  await t.reached["in line"]();
  await check("a visitor of the chat comes into the same line", async () => {
    await page.goto(`${w.door}/chat?site=front`);
    await c.reads("How can we help you?");
    await c.tap("A person");
    await page.getByText(/You are number \d in line/).first().waitFor();
    mine = await until("the chat is in line", async () => (await sam.get("line?kind=chat")).tasks.find((x) => x.skills.includes("lang:en")));
    assert.equal(mine.state, "waiting");
    await c.say("I have lost my card in Paris.");
    await bars(page, t, "en");
  }, 60_000);

  await t.reached["called back"](); // and the agent with the phone is busy
  await t.reached.ticket();
  let fence;
  const socket = await bo.socket();
  t.sockets.bo = socket;
  await check("another agent takes the chat: words and typing both ways, by name", async () => {
    assert.ok(mine, "what comes before has failed");
    await socket.ask({ t: "presence", presence: "available" });
    const offer = await socket.offer("chat");
    assert.equal(offer.task.id, mine.id);
    ({ fence } = offer.task);
    const { task } = await socket.ask({ t: "accept", task: mine.id, fence });
    assert.equal(task.state, "assigned");
    await page.getByText("You are talking with Bo.").first().waitFor();
    const { messages } = await bo.get(`tasks/${mine.id}/messages`);
    assert.ok(messages.some((m) => m.from === "customer" && m.text === "I have lost my card in Paris."), "what was written in line is there");
    await t.shot(page, "served-1280-en");

    socket.send({ t: "typing", task: mine.id, on: true });
    await page.getByText("Bo is typing").first().waitFor();
    await socket.ask({ t: "say", task: mine.id, text: "Good morning, I am Bo. Which card is it?" });
    await c.reads("Good morning, I am Bo. Which card is it?");
    const from = socket.frames.length;
    await c.field.pressSequentially("The blue one", { delay: 20 });
    await socket.until("typing", (f) => f.t === "typing" && f.task === mine.id && f.on, from);
    await c.field.press("Enter");
    await socket.until("the visitor's words", (f) => f.t === "message" && f.message.text === "The blue one" && f.message.from === "customer", from);
    const said = (await c.all()).filter((text) => /Good morning|blue/.test(text));
    assert.deepEqual(said, ["Good morning, I am Bo. Which card is it?", "The blue one"]);
  }, 60_000);

  await check("the agent is done: the survey is asked, answered and counted", async () => {
    assert.ok(fence, "what comes before has failed");
    await socket.ask({ t: "release", task: mine.id, fence });
    await c.reads("How was it, from 1 to 5?");
    await c.tap("5");
    await c.reads("Thank you, and goodbye.");
    await bo.post(`tasks/${mine.id}/wrap`, { fence, disposition: "solved" });
    const { task, story } = await until("all is over", async () => {
      const seen = await sam.seen(mine);
      return seen.task.state === "done" && seen.story.interaction.state === "closed" && seen;
    });
    assert.deepEqual([task.outcome, task.agent], ["served", "bo"]);
    const answered = story.events.findLast(is("survey.answered"));
    assert.equal(answered.data.answers.score, 5);
    const figures = await until("the figures", async () => (await sam.get("surveys")).figures.find((f) => f.form === "bank_score" && f.agent === "bo"));
    assert.deepEqual([figures.answered, figures.fields[0].mean], [1, 5]);
    await t.shot(page, "survey-1280-en");
  }, 60_000);
  t.second = mine;
  t.reached.served.yes();
  await context.close();
}
