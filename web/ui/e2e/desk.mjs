// Journey "desk": the agents' page by itself, against a door of our own that plays a server's
// part: a whole call and a whole chat by keyboard alone, a network that goes, an offer that
// rings in time, an input method, a language, and its looks. The real server, with calls and
// chats of people, is met by the journey "queue".
import assert from "node:assert/strict";
import { bank, have, offer, say, task } from "./desk/bank.mjs";
import { faceChecks } from "./desk/facechecks.mjs";
import { look, opened } from "./desk/looks.mjs";
import { states } from "./desk/states.mjs";

export const alone = true; // it needs no server of ours

const shots = new URL("shots/", import.meta.url).pathname;
const ringTime = 200; // milliseconds from the frame of an offer to its ring
const lostTime = 5_000; // milliseconds until a network that is gone is told of

export default async function desk({ browser, check }) {
  const at = async (state, use, options) => {
    const o = await opened(browser, state, options);
    try {
      await use(o.page, o.server);
    } finally {
      await o.close();
    }
  };
  const quiet = { make: () => bank() };
  const asked = (server, t) => server.asked.filter((c) => c.t === t);

  await check("a whole call by keyboard alone: accept, hold, mute, keys, consult, swap, merge, drop, note, end, wrap-up", () =>
    at(quiet, async (page, server) => {
      const press = (keys) => page.keyboard.press(keys);
      const done = (what, n = 1) => page.waitForFunction(() => true).then(() => until(`${what}`, () => server.asked.filter((c) => c.do === what).length === n));
      offer(server.bank, server, task(server.bank, "call"));
      await page.getByRole("article").getByText("speaks English best").waitFor(); // why it is hers
      await page.getByRole("article").getByText("1250").waitFor(); // what the flow knows
      await page.getByText("Wants statements by post.").waitFor(); // the last contact
      await press("Alt+a");
      await page.getByRole("listitem").filter({ hasText: "You" }).waitFor();
      assert.equal(asked(server, "accept").length, 1);
      await press("Alt+h");
      await done("hold");
      await page.getByText("on hold").first().waitFor();
      await press("Alt+h");
      await done("resume");
      await press("Alt+m");
      await done("mute");
      await page.getByRole("button", { name: "Unmute" }).waitFor();
      await press("Alt+m");
      await done("unmute");
      await press("Alt+k");
      await page.getByRole("dialog", { name: "Keypad" }).waitFor();
      for (const digit of "12#") await press(digit);
      await done("keys", 3);
      assert.deepEqual(server.asked.filter((c) => c.do === "keys").map((c) => c.keys), ["1", "2", "#"]);
      await press("Escape");
      await press("Alt+c");
      const find = page.getByRole("combobox", { name: /Find a colleague/ });
      await find.waitFor();
      await page.getByRole("option", { name: /Bo Li/ }).waitFor();
      await page.keyboard.type("bo");
      await press("Enter");
      await page.getByText("You consult bo.").waitFor();
      await press("Alt+s");
      await done("swap");
      await press("Alt+s");
      await done("swap", 2);
      await press("Alt+g");
      await done("merge");
      await press("Alt+u");
      await done("drop");
      await press("Alt+n");
      await page.waitForFunction(() => /note/.test(document.activeElement?.id ?? "")); // once it is drawn
      await page.keyboard.type("Wants a new card.");
      await press("Enter");
      await page.getByText("The note is kept.").waitFor();
      await press("Alt+z");
      await page.getByRole("heading", { name: /Wrap-up/ }).waitFor();
      await press("Alt+z");
      await page.getByText("Say what came of it").waitFor(); // the queue needs it
      await press("Space");
      await press("Alt+z");
      await page.getByText("Nothing at the moment.").waitFor();
      assert.equal(asked(server, "wrap")[0].disposition, "solved");
    }));

  await check("a whole chat by keyboard alone: accept, write, a canned reply, a link, hand back to a step", () =>
    at(quiet, async (page, server) => {
      const press = (keys) => page.keyboard.press(keys);
      const id = task(server.bank, "chat");
      say(server.bank, null, id, "customer", "Hello?");
      offer(server.bank, server, id);
      await page.getByRole("article").getByText("Hello?").waitFor();
      await press("Alt+a");
      await page.locator(".chat .say:focus").waitFor(); // one can write at once
      await page.keyboard.type("Good morning");
      await press("Enter");
      await page.locator(".line.agent").getByText("Good morning").waitFor();
      await page.keyboard.type("/hou");
      await page.getByRole("option", { name: /hours/ }).waitFor();
      await press("Enter");
      await page.waitForFunction(() => document.querySelector(".say")?.value.startsWith("We are here"));
      await press("Enter");
      await page.locator(".line.agent").getByText("We are here Monday").waitFor();
      await press("Alt+r");
      await page.getByRole("option", { name: /branch/ }).waitFor();
      await press("ArrowUp");
      await page.getByText("Not known, fill in: branch").waitFor();
      await press("Enter");
      await page.waitForFunction(() => getSelection()?.toString() === "‹branch›" || document.activeElement.value.slice(document.activeElement.selectionStart, document.activeElement.selectionEnd) === "‹branch›");
      await page.keyboard.type("North Road");
      await press("Enter");
      await page.locator(".line.agent").getByText("Your branch is North Road.").waitFor();
      server.tell({ t: "whisper", task: id, from: "sam", text: "She has two cards." });
      await page.locator(".line.whisper").getByText("She has two cards.").waitFor();
      await press("Alt+y");
      await page.getByRole("dialog").getByLabel("Operation").waitFor();
      await page.getByRole("dialog").getByLabel("account").focus();
      await press("Enter");
      await page.getByText("The link is sent.").waitFor();
      await page.locator(".link-strip").getByText("online_banking").waitFor();
      server.tell({ t: "link", task: id, link: { ...server.bank.links[id][0], state: "done" } });
      await page.locator(".link-strip").getByText("done").waitFor();
      await press("Alt+b");
      await page.getByRole("option", { name: /menu/ }).waitFor();
      await page.keyboard.type("appointment");
      await press("Enter");
      await page.getByRole("heading", { name: /Wrap-up/ }).waitFor();
      assert.equal(asked(server, "hand_back")[0].step, "front_door/confirm_appointment");
      assert.equal(asked(server, "say").length, 3);
    }));

  await check("an offer rings within 200 ms of its frame, flashes, and is read out", () =>
    at(quiet, async (page, server) => {
      await page.keyboard.press("Alt+l");
      for (let n = 0; n < 5; n++) {
        const id = offer(server.bank, server, task(server.bank, "call"), 60);
        await page.getByRole("article").waitFor();
        await page.waitForFunction(() => /offer rings/.test(document.title) && document.querySelector('link[rel="icon"]').href.startsWith("data:"));
        await page.locator("#said-now").getByText(/Offer: Call, front_door/).waitFor({ state: "attached" });
        delete server.bank.holds[id];
        server.tell({ t: "offer_over", task: id, fence: server.bank.tasks[id].fence, why: "gone" });
        await page.getByRole("article").waitFor({ state: "detached" });
      }
      const spans = await page.evaluate(() => performance.getEntriesByName("offer to ring").map((m) => m.duration));
      assert.equal(spans.length, 5);
      assert.ok([...spans].sort((a, b) => a - b)[2] < ringTime, `from frame to ring: ${spans.map((s) => s.toFixed(0)).join(", ")} ms`);
      console.log(`       from frame to ring: ${spans.map((s) => s.toFixed(0)).join(", ")} ms`);
    }));

  await check("a network that is gone is told of within 5 s; what is written then is sent once, and nothing is lost", () =>
    at({ make: () => states.chats.make() }, async (page, server) => {
      const id = Object.keys(server.bank.tasks)[0];
      await page.keyboard.press("Alt+1");
      await page.locator(".chat.chosen .say").focus();
      server.deaf = true;
      const begun = Date.now();
      await page.getByRole("alert").getByText("The connection to the server is lost.").waitFor({ timeout: 15_000 });
      const took = Date.now() - begun;
      assert.ok(took < lostTime + 500, `${took} ms`); // and a busy machine's delay
      await page.keyboard.type("Are you still there?");
      await page.keyboard.press("Enter");
      await page.keyboard.type("half a sen");
      say(server.bank, server, id, "customer", "Yes, I am.");
      await page.locator(".line.pending").getByText("Are you still there?").waitFor();
      server.deaf = false;
      server.cut();
      await page.getByText("The connection is back.").waitFor({ timeout: 15_000 });
      await page.getByText("Yes, I am.").first().waitFor();
      await page.locator(".line.pending").waitFor({ state: "detached" });
      assert.equal(await page.locator(".chat.chosen .say").inputValue(), "half a sen");
      assert.equal(new Set(asked(server, "say").map((c) => c.id)).size, 1);
      await page.reload();
      await page.locator(".chat .say").first().waitFor();
      await page.keyboard.press("Alt+1");
      await page.waitForFunction(() => [...document.querySelectorAll(".say")].some((f) => f.value === "half a sen")); // drafts outlive a reload
    }));

  await check("Enter that ends a word of an input method does not send", () =>
    at(quiet, async (page, server) => {
      have(server.bank, server, task(server.bank, "chat"));
      const field = page.locator(".chat .say");
      await field.fill("你好");
      await field.dispatchEvent("keydown", { key: "Enter", isComposing: true, bubbles: true, cancelable: true });
      await field.dispatchEvent("keydown", { key: "Enter", keyCode: 229, bubbles: true, cancelable: true });
      assert.equal(await field.inputValue(), "你好");
      assert.equal(asked(server, "say").length, 0);
      await field.press("Enter");
      await page.locator(".line.agent").getByText("你好").waitFor();
    }));

  await check("the language changes without a reload, in the middle of writing; keys can be others", () =>
    at({ make: () => states.chats.make() }, async (page, server) => {
      await page.locator(".chat .say").first().fill("Dear Ms Liu");
      await page.evaluate(() => (window.here = true));
      await page.locator(".user-button").click();
      await page.getByRole("radio", { name: "中文" }).check();
      await page.getByRole("heading", { name: "我的任务" }).waitFor();
      await page.getByRole("radio", { name: "English" }).check();
      await page.keyboard.press("Escape");
      assert.equal(await page.evaluate(() => window.here), true);
      assert.equal(await page.locator(".chat .say").first().inputValue(), "Dear Ms Liu");
      await page.locator("#work").focus();
      await page.keyboard.press("?");
      await page.getByRole("button", { name: "Change the keys for: Accept" }).click();
      await page.keyboard.press("Alt+m");
      await page.getByRole("alert").getByText(/Those keys are taken/).waitFor({ state: "attached" });
      await page.keyboard.press("F9");
      await page.locator("kbd").getByText("F9").waitFor();
      await page.keyboard.press("Escape");
      offer(server.bank, server, task(server.bank, "chat"));
      await page.getByRole("article").first().waitFor();
      await page.keyboard.press("F9");
      await page.getByRole("article").first().waitFor({ state: "detached" });
      assert.equal(asked(server, "accept").length, 1);
    }));

  await check("the Tab key goes through all of it and out again: nothing holds it", () =>
    at({ make: () => states["call-and-chats"].make() }, async (page) => {
      const seen = new Set();
      let [held, out, last] = [0, 0, ""];
      await page.locator(".chat").first().waitFor();
      for (let n = 0; n < 150 && out < 2; n++) {
        await page.keyboard.press("Tab");
        const here = await page.evaluate(() => {
          const e = document.activeElement;
          return e === document.body ? "" : `${e.tagName} ${e.id} ${e.className} ${e.getAttribute("aria-label") ?? e.textContent?.slice(0, 30)}`;
        });
        held = here === last ? held + 1 : 0;
        assert.ok(held < 3, `the focus stays at ${here}`);
        last = here;
        seen.add(here);
        if (here === "") out++; // past the end; it begins anew
      }
      assert.ok(seen.size > 20, `${seen.size} places`);
      assert.equal(out, 2, "one comes out of the page");
      assert.ok([...seen].some((s) => s.includes("say")) && [...seen].some((s) => s.includes("act")));
    }));

  await faceChecks({ at, check, until });

  const looks = [
    { width: 390, colorScheme: "dark", locale: "zh-CN" },
    { width: 1280, colorScheme: "light", locale: "en-GB" },
    { width: 1920, colorScheme: "dark", locale: "en-GB" },
    { width: 1280, colorScheme: "dark", locale: "zh-CN" },
    { width: 390, colorScheme: "light", locale: "en-GB" },
    { width: 1920, colorScheme: "light", locale: "zh-CN" },
  ];
  // Each state in one of the looks, in turn; node web/ui/e2e/desk/shots.mjs takes all of them.
  await check("all states look well, and axe finds nothing serious in them", async () => {
    for (const [n, [name, state]] of Object.entries(states).entries()) {
      const o = looks[n % looks.length];
      const shot = `desk-${name}-${o.width}-${o.colorScheme}-${o.locale.slice(0, 2)}`;
      await look(browser, state, { ...o, name: shot, path: `${shots}${shot}.png` });
    }
  }, 600_000);
}

async function until(what, holds) {
  for (const late = Date.now() + 20_000; !holds(); ) {
    if (Date.now() > late) throw new Error(`${what} did not come`);
    await new Promise((yes) => setTimeout(yes, 20));
  }
}
