// The remote counter: an operation that only an identity check by video unlocks. The flow asks
// for it, an officer is called by the policy's queue, the check is passed, the operation goes on, and the
// survey is asked.
import assert from "node:assert/strict";
import { chat, until } from "../text/world.mjs";
import { agrees, passes } from "./check.mjs";

export async function unlock(w, t) {
  const { check, at } = t;
  const { sam } = t.desks;
  const needs = (...what) => assert.ok(what.every(Boolean), "what comes before has failed");
  let c, mine;

  await check("a customer asks for what needs proof: an officer is called, and has them at the desk", async () => {
    await at.customer?.context.close();
    await wrapped(t);
    const { page } = await t.customer(`${w.door}/chat?site=remote`);
    c = chat(page);
    await page.getByRole("button", { name: "A new phone number" }).first().click({ timeout: 30_000 });
    await c.reads("What is your new phone number?");
    await c.say("+8613900000009");
    await c.reads("So an officer has to see you");
    await at.anna.page.getByRole("article", { name: /^Chat/ }).first().waitFor({ timeout: 30_000 });
    await t.shot(page, "officer-called");
    await at.anna.page.keyboard.press("Alt+A");
    mine = await t.calm("anna has it", async () => (await sam.get("line?kind=chat")).tasks.find((x) => x.state === "assigned" && x.agent === "anna"));
  }, 90_000);

  await check("the check is passed, the operation goes on, and the survey is asked", async () => {
    needs(mine);
    const { page } = at.customer;
    await page.getByText(/Stills of your face and of the document/).first().waitFor({ timeout: 30_000 });
    await t.shot(page, "unlock-asked");
    await agrees(t, "I agree");
    await at.anna.sees(10);
    await passes(t, at.anna.page);
    await c.reads("we know that it is you");
    await t.shot(page, "unlocked");
    const { story } = await until("the ticket", async () => {
      const seen = await sam.seen(mine);
      return seen.story.events.some((e) => e.kind === "ticket.opened") && seen;
    });
    const order = ["check.begun", "consent.given", "check.evidence", "check.decided", "customer.identified", "ticket.opened"].map((kind) => story.events.findIndex((e) => e.kind === kind));
    assert.deepEqual(order, order.toSorted((a, b) => a - b), "consent, evidence, verdict, level and operation stand in their order");
    await c.reads("How was it, from 1 to 5?");
    await c.tap("5");
    await c.reads("Thank you, and goodbye.");
  }, 180_000);
}

// wrapped ends what anna has, so that she is free.
export async function wrapped(t) {
  const socket = await t.desks.anna.socket();
  const mine = async () => (await t.desks.sam.get("line")).tasks.filter((x) => x.agent === "anna" && (x.state === "assigned" || x.state === "wrapping"));
  for (const x of await mine()) if (x.state === "assigned") await socket.ask({ t: "release", task: x.id, fence: x.fence }).catch(() => {});
  for (const x of await mine()) if (x.state === "wrapping") await socket.ask({ t: "wrap", task: x.id, fence: x.fence, disposition: "solved" }).catch(() => {});
  await t.calm("anna is free", async () => (await mine()).length === 0);
}
