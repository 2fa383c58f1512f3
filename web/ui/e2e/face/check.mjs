// A specialist joins by a link, and sees and is seen; the identity check is passed before the
// officer; what was kept of it goes out of the house as a pack that verifies by itself.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../text/world.mjs";
import { promisify } from "node:util";
import { tones } from "./person.mjs";

const run = promisify(execFile);

export async function check(w, t) {
  const { check, at } = t;
  const { sam, anna } = t.desks;
  const needs = (...what) => assert.ok(what.every(Boolean), "what comes before has failed");

  await check("a specialist comes by a link of their role, used once: all three hear each other", async () => {
    needs(t.task);
    const socket = await anna.socket();
    const { invite } = await socket.ask({ t: "invite_link", task: t.task.id, role: "specialist" });
    assert.ok(invite.url, "the link has an address");
    const { page } = at.bo;
    await page.goto("about:blank"); // a new fragment alone loads nothing
    await page.goto(invite.url);
    await page.getByRole("button", { name: "Join now" }).waitFor({ timeout: 20_000 });
    await t.shot(page, "join");
    await page.getByRole("button", { name: "Join now" }).click();
    await at.bo.hears(tones.page, 0.6, 30_000);
    await at.bo.hears(tones.anna);
    await at.customer.hears(tones.bo);
    await at.anna.hears(tones.bo);
    await until("three are mixed", async () => (await Promise.all([at.anna, at.bo, at.customer].map((p) => p.speech()))).every((s) => s.heard === "audio/PCMU"), 20_000, 200);
    await t.shot(page, "guest");
    await assert.rejects(t.desks.bo.post("role_links/join", { token: invite.url.split("join=")[1] }), /40[34]/, "it opens nothing twice, and nothing to a program");
    const { talk } = { talk: await sam.get(`tasks/${t.task.id}/talk`) };
    assert.deepEqual(talk.parties.map((p) => p.role).sort(), ["agent", "customer", "specialist"]);
  }, 120_000);

  await check("the officer begins the identity check: one card, one tap, and the picture is there", async () => {
    needs(t.task);
    await at.anna.page.bringToFront();
    await begins(t);
    await t.shot(at.customer.page, "check-asked");
    const before = await at.anna.frames();
    await agrees(t, "I agree"); // they are heard alone until then, and see themselves first
    await until("a frame at the officer", async () => (await at.anna.frames()) > before + 10, 20_000);
    await at.bo.sees(10, 20_000);
    const { story } = await sam.seen(t.task);
    const consent = story.events.findLast((e) => e.kind === "consent.given" && e.data.version === "2026-11");
    assert.ok(consent, "the consent to the check is in the journal");
    await t.shot(at.customer.page, "check-begun");
    await t.shot(at.anna.page, "desk-check");
  }, 120_000);

  await check("the check is passed: stills of both kinds, requests, comparison, verdict", async () => {
    needs(t.task);
    await passes(t, at.anna.page);
    await at.customer.page.getByText(/The check is passed/).first().waitFor();
    await t.shot(at.customer.page, "check-passed");
    await t.shot(at.anna.page, "desk-check-passed");
    const { story } = await sam.seen(t.task);
    const stills = story.events.filter((e) => e.kind === "check.evidence");
    assert.deepEqual([...new Set(stills.map((e) => e.data.source))].sort(), ["page", "server"]);
    assert.ok(stills.every((e) => /^[0-9a-f]{64}$/.test(e.data.hash) && e.data.signature));
    const verdict = story.events.findLast((e) => e.kind === "check.decided");
    assert.deepEqual([verdict.data.outcome, verdict.data.level, verdict.data.officer], ["passed", "proofed", "anna"]);
    t.checked = verdict.data.check;
    await t.calm("the desk says proofed", async () => /Identity\s+proofed/.test(await at.anna.page.locator("body").innerText()));
  }, 180_000);

  await check("the evidence goes out as a pack that verifies by itself, and each look is in the journal", async () => {
    needs(t.checked);
    const pack = join(tmpdir(), `tandem-${process.pid}.zip`);
    await w.tandem("checks", "export", t.checked, "-o", pack, "--why", "asked by the auditor");
    const { stdout } = await run(w.server.program, ["checks", "verify", pack]); // knows nothing of this server
    assert.match(stdout, /right|verif|whole/i);
    await rm(pack);
    const { story } = await sam.seen(t.task);
    assert.ok(story.events.some((e) => e.kind === "audit.opened" && /auditor/.test(JSON.stringify(e.data))));
  }, 60_000);
}

// begins has the officer begin a check by keys.
export async function begins(t) {
  const { page } = t.at.anna;
  await page.keyboard.press("Alt+F");
  await page.getByRole("dialog").getByRole("button", { name: "Ask for consent" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await t.at.customer.page.getByText(/Stills of your face and of the document|面部和证件照片/).first().waitFor({ timeout: 20_000 });
}

// agrees has the customer agree, and show themselves.
export async function agrees(t, name) {
  const { page } = t.at.customer;
  await page.getByRole("button", { name, exact: true }).first().click();
  await page.getByRole("button", { name: "Start", exact: true }).click({ timeout: 20_000 });
}

// passes leads an officer's page through all steps of the bank's check.
export async function passes(t, page) {
  const panel = page.getByRole("region", { name: "Identity check" }).first();
  const present = (title) => panel.locator(".step-title", { hasText: title }).waitFor({ timeout: 30_000 });
  const next = () => panel.getByRole("button", { name: "Done, next" }).click();
  const each = async (answer, n) => {
    const all = panel.getByRole("radio", { name: answer, exact: true });
    await until(`${n} answers to give`, async () => (await all.count()) === n);
    for (let i = 0; i < n; i++) await all.nth(i).check({ force: true });
  };
  await present("Questions");
  await each("Right", 2);
  await next();
  for (const title of ["Document, front", "Document, back", "Face"]) {
    await present(title);
    const both = async () => (await panel.getByText("As it came").count()) > 0 && (await panel.getByText("From their page, sharper").count()) > 0;
    for (let more = 3; more > 0 && !(await both()); more--) { // an officer presses again where a busy machine sent no picture in time
      await panel.getByRole("button", { name: /^Take a/ }).click();
      await until(`both stills of ${title}`, both, more > 1 ? 12_000 : 30_000).catch((err) => more > 1 || Promise.reject(err));
    }
    if (title === "Face") await t.shot(page, "desk-check-stills");
    await next();
  }
  await present("Random requests");
  await t.shot(t.at.customer.page, "check-requests");
  await each("They did", 2);
  await next();
  await present("Comparison");
  await t.shot(page, "desk-check-compare");
  await each("Yes", 3);
  await next();
  await panel.getByRole("radio", { name: "Yes: passed" }).check({ force: true });
  await panel.getByRole("checkbox", { name: "The face is that of the document" }).check({ force: true });
  await t.shot(page, "desk-check-verdict");
  await panel.getByRole("button", { name: "Give the verdict" }).click();
}
