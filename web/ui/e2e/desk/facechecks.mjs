// Voice, video, role links and identity checks at the desk, by keyboard alone where an agent
// would: the played server says yes and no in the customer's place.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { anna, have, say, talk, task } from "./bank.mjs";
import { agree, check, coded, consented, shown, upgrade } from "./faces.mjs";
import { faceStates } from "./facestates.mjs";

const only = (bank) => Object.keys(bank.tasks)[0];
const person = { role: "customer", device: "browser" };

export async function faceChecks({ at, check: run, until }) {
  const { begin } = faceStates["face-asked"];
  const chat = { begin, make: () => faceStates["face-ask"].make() };
  const seen = { begin, make: () => faceStates["face-video"].make() };
  const last = (server, t) => server.asked.filter((c) => c.t === t).at(-1);
  const asked = (page) => page.evaluate(() => window.asked.filter((w) => w.video).length);

  await run("video by keyboard alone: two keys ask; no camera before the yes; camera, screen, down to voice, up, and the end; the chat goes on", () =>
    at(chat, async (page, server) => {
      const { bank } = server;
      const id = only(bank);
      const press = (keys) => page.keyboard.press(keys);
      await page.locator(".sound-button.up").waitFor();
      await page.locator(".chat .say").focus();
      await press("F4");
      await page.getByRole("dialog").getByLabel(/Why, for the customer/).waitFor();
      await press("Enter");
      await page.getByText("The customer is asked for video.").waitFor();
      assert.deepEqual([last(server, "upgrade").do, last(server, "upgrade").level, last(server, "upgrade").why], ["ask", "video", "see"]);
      assert.equal(await asked(page), 0);
      assert.equal(server.asked.filter((c) => c.t === "screen").length, 0, "nothing is connected before the yes");
      agree(bank, server, id, "video", talk);
      await page.locator(".face-strip.good").waitFor();
      await page.locator(".face-tile.large video").waitFor();
      await until("the camera", () => server.asked.some((c) => c.t === "screen" && c.signal.kind === "cam" && c.signal.cam === "ok"));
      assert.equal(await asked(page), 1);
      await press("Alt+e");
      await page.getByRole("button", { name: "Camera on" }).waitFor();
      await until("the camera off", () => server.asked.some((c) => c.t === "screen" && c.signal.cam === "off"));
      await press("Alt+d");
      await page.getByText("You share a screen").waitFor();
      await press("Alt+d");
      await page.getByText("You share a screen").waitFor({ state: "detached" });
      await press("Alt+m");
      await until("mute", () => server.asked.some((c) => c.t === "call" && c.do === "mute"));
      await press("F2");
      await page.getByText("You speak with each other.").waitFor();
      assert.deepEqual([last(server, "upgrade").do, last(server, "upgrade").level], ["change", "voice"]);
      await page.locator(".stage").waitFor({ state: "detached" });
      await press("F4");
      await page.locator(".face-tile.large video").waitFor();
      await page.locator(".chat .say").fill("Can you read the letter to me?");
      await press("Enter");
      await page.locator(".line.agent").getByText("Can you read the letter to me?").waitFor();
      await page.getByRole("button", { name: "End voice and video" }).click();
      await page.getByText("Voice and pictures were ended. The chat goes on.").waitFor();
      assert.equal(await page.locator(".chat .say").isVisible(), true);
    }));

  await run("a customer who would like to speak is read out, and answered by one key; refused and lapsed keep the chat", () =>
    at(chat, async (page, server) => {
      const { bank } = server;
      const id = only(bank);
      upgrade(bank, server, id, { by: "customer", level: "voice", until: new Date(Date.now() + 60_000).toISOString() });
      await page.locator("#said-now").getByText("The customer would like to speak with you.").waitFor({ state: "attached" });
      await page.keyboard.press("Alt+x");
      await page.getByText("The customer would rather not speak.").waitFor(); // the server's word for a no of either side
      assert.equal(last(server, "upgrade").do, "deny");
      await page.getByRole("button", { name: "Put away" }).click();
      await page.locator(".face-strip").waitFor({ state: "detached" });
      upgrade(bank, server, id, { id: "again", by: "customer", level: "voice", state: "asked" });
      await page.keyboard.press("Alt+a");
      await page.getByText("You speak with each other.").waitFor();
      upgrade(bank, server, id, { now: "", fallen: "network" });
      await page.getByRole("alert").getByText("The network lets neither voice nor pictures through.").waitFor();
      assert.equal(await page.locator(".chat .say").isVisible(), true);
    }));

  await run("a whole identity check by keyboard alone, from consent to verdict, with a second person in between", () =>
    at(seen, async (page, server) => {
      const { bank } = server;
      const id = only(bank);
      const { interaction } = bank.tasks[id];
      const press = (keys) => page.keyboard.press(keys);
      const tabTo = async (what) => {
        for (let n = 0; n < 80; n++) {
          if (await what.evaluate((e) => e === document.activeElement).catch(() => false)) return;
          await press("Tab");
        }
        throw new Error(`the Tab key does not come to ${what}`);
      };
      const next = async (name) => {
        await page.locator(".step-title", { hasText: name }).waitFor();
        await page.waitForFunction((n) => document.activeElement?.classList.contains("step-title") && document.activeElement.textContent.includes(n), name);
      };
      const button = (name) => page.getByRole("button", { name, exact: true });
      await press("Alt+f");
      const dialog = page.getByRole("dialog", { name: "Begin an identity check" });
      await dialog.getByLabel("Which check").waitFor();
      await tabTo(dialog.getByRole("button", { name: "Ask for consent" }));
      await press("Enter");
      await page.getByText("The customer is reading what they agree to.").waitFor();
      consented(bank, server, interaction);
      await page.getByText("+86 138 •••• 0001").last().waitFor();
      await press("Alt+f");
      coded(bank, server, interaction);
      await next("Questions");
      const answer = async (n, right = true) => {
        const group = page.locator(".asks li").nth(n).getByRole("radio");
        await tabTo(group.first());
        await press(right ? "Space" : "ArrowRight");
      };
      await answer(0);
      assert.equal(await button("Done, next").getAttribute("aria-disabled"), "true", "not before all is noted");
      await answer(1);
      await tabTo(button("Done, next"));
      await press("Enter");
      for (const name of ["Document, front", "Document, back"]) {
        await next(name);
        await tabTo(button("Take a still"));
        await press("Enter");
        await page.locator(".still img").nth(1).waitFor();
        await tabTo(button("Done, next"));
        await press("Enter");
      }
      await next("Face");
      await tabTo(button("Somebody else is in the picture"));
      await press("Enter");
      await page.getByRole("alert").getByText("Somebody else was seen").waitFor();
      await page.getByText("Round 2").waitFor();
      assert.equal(last(server, "check").do, "second_face");
      coded(bank, server, interaction);
      await page.getByText("Somebody else was seen").waitFor({ state: "detached" }); // news of the round before, till this one has begun well
      // The second round, from where the played server has it.
      const c = check(bank, server, id, "look", { round: 2 });
      await next("Face");
      await tabTo(button("Take a still"));
      await press("Enter");
      await page.locator(".still img").nth(1).waitFor();
      await tabTo(button("Done, next"));
      await press("Enter");
      await next("Random requests");
      await page.getByText("4821").waitFor();
      await answer(0);
      await answer(1, false);
      await tabTo(button("Done, next"));
      await press("Enter");
      assert.deepEqual(last(server, "check").said, { turn_left: "yes", read_number: "no" });
      await next("Comparison");
      await tabTo(page.locator(".still-open").first());
      await press("Enter");
      await page.getByRole("dialog", { name: "Side by side" }).locator("img").nth(1).waitFor();
      await press("Escape");
      for (let n = 0; n < 3; n++) await answer(n);
      await tabTo(button("Done, next"));
      await press("Enter");
      await page.getByText("All steps are through.").waitFor();
      await tabTo(page.locator('.verdict-form input[type="radio"]').first());
      await press("ArrowDown");
      await tabTo(button("Give the verdict"));
      await press("Enter");
      await page.getByText("Say at least one reason.").waitFor();
      await page.getByRole("checkbox", { name: "Another reason" }).focus();
      await press("Space");
      await page.getByText("Say the other reason in your words.").waitFor();
      await page.getByRole("radio", { name: "Yes: passed" }).focus();
      await press("Space");
      await tabTo(button("Give the verdict"));
      await press("Enter");
      await page.getByText("Passed. The customer is proofed now.", { exact: true }).waitFor(); // an agent began it: no flow waits
      assert.deepEqual([last(server, "check").check, last(server, "check").outcome, last(server, "check").reasons], [c.id, "passed", []]);
      await press("Alt+f");
      await dialog.getByLabel("Which check").waitFor(); // what is over is in nobody's way
      await press("Escape");
      assert.equal(new Set(bank.looks.map((l) => l.blob)).size, bank.looks.length, "each still is looked at once, for each look is written down");
      assert.ok(bank.looks.every((l) => l.why === "check"));
    }));

  await run("what a check waits for is said, and no verdict is asked for before its steps; what keeps it from passing is said beforehand, in the question's words", async () => {
    await at(faceStates["check-picture"], async (page) => {
      await page.getByText("Waiting for the customer's picture").waitFor();
      await page.getByText("The customer's camera is called “fake_device_0”").waitFor();
      await page.getByRole("alert").getByText("This check is to be recorded, and nothing is.").waitFor();
      assert.equal(await page.locator(".verdict-form").count(), 0);
    });
    await at(faceStates["check-barred"], async (page) => {
      assert.equal(await page.getByRole("radio", { name: "Yes: passed" }).isDisabled(), true);
      assert.deepEqual(await page.locator(".bars li").allInnerTexts(), ["Is it the same person? You answered no.", "Does the document look genuine? You answered unsure."]);
      await page.getByRole("radio", { name: "It cannot be told" }).check();
      await page.getByRole("checkbox", { name: "The picture is too poor to tell" }).waitFor();
    });
    await at(faceStates["check-match"], async (page) => {
      assert.deepEqual(await page.locator(".stills figcaption strong").allInnerTexts(), ["Document, front", "Document, back", "Face"]);
      assert.deepEqual(await page.locator(".asks li").first().getByRole("radio").evaluateAll((all) => all.map((r) => r.value)), ["yes", "no", "unsure"]);
    });
  });

  await run("the customer's picture is whole, and large by one key; what is refused is said in the dialog; a link that was sent is taken back", async () => {
    await at(faceStates["face-wide"], async (page, server) => {
      await page.locator(".face-tile.large video").waitFor();
      const size = () => page.locator(".face-tile.large video").evaluate((v) => [getComputedStyle(v).objectFit, v.clientWidth]);
      const [fit, small] = await size();
      assert.equal(fit, "contain");
      await page.keyboard.press("Alt+Shift+e");
      await page.locator(".stage.wide").waitFor();
      const [, large] = await size();
      assert.ok(large > 1.5 * small, `${large} px for ${small} px`);
      await page.getByRole("button", { name: "Take a still" }).click(); // the check stays at hand
      await until("the still", () => last(server, "check")?.do === "capture");
      await page.getByRole("button", { name: "Large picture" }).click();
      await page.locator(".stage.wide").waitFor({ state: "detached" });
    });
    await at(faceStates["face-refused-ask"], async (page) => {
      await page.locator(".call").waitFor();
      await page.keyboard.press("F4");
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel(/Why, for the customer/).waitFor();
      await page.keyboard.press("Enter");
      await dialog.getByRole("alert").getByText("no number of theirs is known").waitFor();
      await page.keyboard.press("Escape");
      await dialog.waitFor({ state: "detached" });
      assert.equal(await page.getByText("no number of theirs is known").count(), 0);
    });
    await at(faceStates["face-sent"], async (page, server) => {
      await page.getByText("it is not opened yet").waitFor();
      await page.getByRole("button", { name: "Take it back" }).click();
      await until("the end of it", () => last(server, "upgrade")?.do === "end");
    });
  });

  await run("a role link: made, copied, used or revoked; what it opens says who, to what and as what, and uses nothing before it is pressed", async () => {
    await at(seen, async (page, server) => {
      const id = only(server.bank);
      await page.locator(".face-tile.large video").waitFor();
      await page.keyboard.press("Alt+c");
      await page.getByRole("combobox").waitFor();
      await page.keyboard.type("specialist");
      await page.keyboard.press("Enter");
      await page.locator(".link-field input").waitFor();
      assert.match(await page.locator(".link-field input").inputValue(), /^http:.*\/desk#join=/);
      const [link] = server.bank.roleLinks[id];
      server.tell({ t: "role_link", task: id, link: { ...link, state: "opened" } });
      await page.getByRole("dialog").getByText("opened", { exact: true }).waitFor();
      await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
      await page.getByRole("dialog").getByText("revoked", { exact: true }).waitFor();
      assert.deepEqual([last(server, "invite_link").do, last(server, "invite_link").invite], ["revoke", link.id]);
    });
    await at({ ...faceStates["face-join"] }, async (page, server) => {
      await page.getByText("Bo Li asks you in as a specialist.").waitFor();
      assert.equal(new URL(page.url()).hash, "", "the secret is in no history");
      await page.waitForLoadState("networkidle");
      assert.equal(server.asked.some((c) => c.t === "join"), false);
      const { bank } = server;
      bank.joined = (f) => {
        bank.slots = {};
        bank.tasks["t-bo"] = { id: "t-bo", interaction: "i-bo" };
        bank.messages["t-bo"] = [];
        say(bank, null, "t-bo", "customer", "Can I pay it back earlier?");
        bank.talks["t-bo"] = { task: "t-bo", interaction: "i-bo", agent: "bo", codec: "PCMU", parties: [{ leg: "leg0", state: "joined", ...person }, { leg: "leg1", role: "agent", name: "bo", state: "joined" }, { leg: "leg2", state: "joined", ...anna, role: "specialist" }] };
        f.tell({ t: "talk", task: "t-bo", talk: bank.talks["t-bo"] });
        shown(bank, f, "t-bo", ["leg0:camera"]);
        upgrade(bank, f, "t-bo", { state: "up", by: "bo", agreed: "video", now: "video" });
      };
      await page.locator(".sound-button.up").waitFor();
      await page.getByRole("button", { name: "Join now" }).click();
      await page.locator(".guest .face-tile.large video").waitFor();
      assert.equal(last(server, "join").token, "Zm9yLXNjcmVlbnNob3RzLW9ubHk");
      await page.locator(".guest").getByText("Can I pay it back earlier?").waitFor();
      const buttons = await page.locator(".guest button").allInnerTexts();
      assert.deepEqual(buttons.map((t) => t.trim()).filter(Boolean).sort(), ["Camera off", "Large picture", "Leave the call", "Mute", "Share screen"], "a guest does nothing of the task");
      assert.equal(await page.locator(".guest textarea").count(), 0);
      await page.keyboard.press("Alt+m");
      await until("mute", () => server.asked.some((c) => c.t === "call" && c.do === "mute" && c.task === "t-bo"));
      await page.keyboard.press("Alt+t");
      assert.equal(await page.locator("dialog[open]").count(), 0);
      await page.reload();
      await page.locator(".guest").waitFor();
      assert.equal(await page.locator("dialog[open]").count(), 0, "the link is not asked about again");
    });
  });

  await run("somebody who texts is called by one button, and what they write stays beside the call", () =>
    at({ begin, make: () => faceStates["face-ask"].make() }, async (page, server) => {
      const { bank } = server;
      const id = task(bank, "sms", { queue: "service" });
      say(bank, null, id, "customer", "Can you call me?", { channel: "sms" });
      have(bank, server, id);
      const panel = page.locator(`.chat[data-task="${id}"]`);
      await panel.getByRole("button", { name: "Call", exact: true }).click();
      await until("the call", () => last(server, "place")?.interaction === bank.tasks[id].interaction);
      const call = have(bank, server, task(bank, "callback", { interaction: bank.tasks[id].interaction }));
      talk(bank, server, call, [{ role: "customer", number: "+86 138 •••• 0001", device: "phone" }, anna]);
      await page.locator(".call").waitFor();
      await panel.getByText("Can you call me?").waitFor();
      await panel.locator(".say").fill("I call you now.");
      await page.keyboard.press("Enter");
      await panel.locator(".line.agent").getByText("I call you now.").waitFor();
    }));

  await run("a second officer agrees, or says why not; what is kept is looked at with a reason, and not before", async () => {
    await at(faceStates["check-second"], async (page, server) => {
      await page.getByRole("heading", { name: "bo asks for a second look" }).waitFor();
      await page.getByRole("button", { name: "I do not agree" }).click({ force: true }); // it looks as if it could not be pressed
      assert.equal(server.asked.some((c) => c.t === "check"), false, "not without a why");
      await page.getByLabel(/Why \(needed/).fill("The ears differ.");
      await page.getByRole("button", { name: "I do not agree" }).click();
      await until("the answer", () => last(server, "check")?.do === "second");
      assert.deepEqual([last(server, "check").agree, last(server, "check").why], [false, "The ears differ."]);
    });
    await at(faceStates["check-evidence"], async (page, server) => {
      await page.locator(".journal-part summary").click();
      await page.locator(".look button").first().click();
      assert.equal(server.bank.looks.length, 0);
      assert.equal(await page.getByRole("button", { name: "Play" }).count(), 0, "recordings are for supervisors");
      await page.getByLabel(/Why do you look/).fill("complaint 12");
      await page.keyboard.press("Enter");
      await page.locator(".look img").waitFor();
      assert.deepEqual(server.bank.looks.map((l) => [l.blob, l.why]), [["front-server", "complaint 12"]]);
    });
    const overseer = { ...faceStates["check-evidence"], make: () => Object.assign(faceStates["check-evidence"].make(), { me: { name: "anna", display: "Anna Berg", roles: ["agent", "supervisor"] } }) };
    await at(overseer, async (page) => {
      await page.route("**/media/**", (route) => route.fulfill({ status: 403, json: { code: "forbidden", message: "no" } }));
      await page.locator(".journal-part summary").click();
      await page.getByRole("button", { name: "Play" }).click();
      await page.getByLabel(/Why do you listen/).fill("complaint 12");
      await page.keyboard.press("Enter");
      await page.getByText("You may not see this.").waitFor();
    });
  });

  await run("likeness: loaded when it is asked for, three words, noted as advice; more than one face is told", () =>
    at({ begin, make: () => faceStates["check-match"].make() }, async (page, server) => {
      const faces = async (n) => ({ type: "image/jpeg", bytes: await readFile(createRequire(import.meta.url).resolve(`@vladmandic/face-api/demo/sample${n}.jpg`)) });
      server.bank.stills["front-page"] = await faces(2);
      server.bank.stills["look-page"] = await faces(2);
      const loaded = [];
      page.on("request", (r) => /staff-face|staff-.*\.js/.test(r.url()) && loaded.push(r.url()));
      await page.reload();
      await page.getByRole("button", { name: "Compare by model" }).waitFor();
      const before = loaded.length;
      assert.ok(!loaded.some((u) => u.includes("staff-face")), "no model before it is asked for");
      await page.getByRole("button", { name: "Compare by model" }).click();
      await page.getByText("Likely the same person", { exact: true }).waitFor({ timeout: 80_000 }); // seconds on a machine that has nothing else to do
      assert.ok(loaded.length > before && loaded.some((u) => u.includes("face_recognition_model.bin")));
      await page.getByText("Advice only.").waitFor();
      for (const r of await page.locator(".asks").getByText("Yes", { exact: true }).all()) await r.click();
      await page.getByRole("button", { name: "Done, next" }).click();
      await until("the step", () => last(server, "check")?.do === "done");
      const { likeness } = last(server, "check").said;
      assert.deepEqual([likeness.advice, likeness.word, likeness.faces], [true, "likely", [1, 1]]);
      assert.ok(likeness.distance < 0.1, `${likeness.distance}`);
    }), 110_000);

  await run("likeness ends with a word where there is no face", () =>
    at({ begin, make: () => faceStates["check-match"].make() }, async (page, server) => {
      server.bank.stills["front-page"] = server.bank.stills["back-page"];
      await page.reload();
      await page.getByRole("button", { name: "Compare by model" }).click();
      await page.getByText("The model finds no face in the still of Document, front.").waitFor({ timeout: 80_000 });
    }), 110_000);
}
