// Journey "face": a chat becomes voice, then video; a specialist joins; the identity check is
// passed before an officer and unlocks the business; the network is cut and mends; and a caller
// with only a telephone shows themselves by a page beside their call, asked by an officer or
// by the flow. Pages are a real
// browser's with its test camera, the telephone is baresip, the server the demo.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { lacking, telephone } from "./baresip.mjs";
import { beside } from "./face/beside.mjs";
import { check as checked } from "./face/check.mjs";
import { byPhone } from "./face/phone.mjs";
import { login, person, seated, tones } from "./face/person.mjs";
import { film } from "./face/film.mjs";
import { relay, through } from "./face/relay.mjs";
import { unlock } from "./face/unlock.mjs";
import { upgrade } from "./face/upgrade.mjs";
import { desk } from "./queue/desk.mjs";
import { until, world } from "./text/world.mjs";

export const alone = true; // it starts its own server

// Everybody here comes from one address; and this machine may be busy with more than pictures.
const settings = {
  TANDEM_LIMITS_LATE: "0s",
  TANDEM_CHAT_LIMITS_CONVERSATIONS_PER_HOUR: "1000",
  TANDEM_TEXTS_PER_VISITOR_PER_HOUR: "100",
  TANDEM_TEXTS_PER_ADDRESS_PER_HOUR: "100",
  TANDEM_WEBRTC_UPGRADES_RECORD: "true",
};

export default async function face({ browser, root, startServer, ...tools }) {
  if (lacking()) return tools.skip("face to face", lacking());
  const server = await startServer(settings);
  const at = {}; // who is at which page
  const phones = [];
  let net;
  try {
    const w = await world({ browser, root, server });
    const config = await readFile(server.config, "utf8");
    const media = Number(/webrtc: \{ listen: "[^"]*:(\d+)"/.exec(config)[1]);
    const street = /street: \{ host: "([^"]+)"/.exec(config)[1];
    net = await relay(media);
    await open(w);
    const t = {
      ...tools, browser, at, net, check: seen(at, tools), note: (words) => console.log(`       ${words}`),
      desks: Object.fromEntries(await Promise.all(["anna", "bo", "sam"].map(async (name) => [name, await desk(server, name)]))),
      async staff(name, path = "/desk") {
        at[name] = await person(browser, { hz: tones[name] });
        await login(at[name], server, name, path);
        return at[name];
      },
      async customer(url, more = {}) {
        at.customer = await person(browser, { hz: tones.page, relayed: { script: through, ports: { from: media, to: net.port } }, ...more });
        await at.customer.page.goto(url);
        return at.customer;
      },
      async phone(number, more = {}) {
        const p = await telephone(number, { at: street, hz: tones.phone, ...more });
        phones.push(p);
        return p;
      },
      // calm looks a few times a second only, as the API asks.
      calm: (what, look, limit = 20_000) => until(what, look, limit, 400),
    };
    await t.check("officers are at their desks", async () => {
      for (const name of ["anna", "bo"]) {
        await t.staff(name);
        await seated(at[name]);
      }
      await t.calm("anna can be reached", async () => (await t.desks.sam.get("agents")).agents.find((a) => a.name === "anna")?.reachable?.voice, 60_000);
      await t.desks.sam.put("agents/anna/presence", { presence: "available" });
    }, 90_000);
    await upgrade(w, t);
    await checked(w, t);
    await beside(w, t);
    await unlock(w, t);
    await byPhone(w, t);
    await film(w, t);
    await t.check("the journal verifies", () => w.verify());
  } finally {
    for (const p of Object.values(at)) await p.context.close().catch(() => {});
    await Promise.all(phones.map((p) => p.close()));
    net?.close();
    await server.stop();
  }
}

// open has the bank open today, and tomorrow, as its greeting tells to do it.
async function open(w) {
  const file = `${dirname(w.server.config)}/flows/bank.calendar.yaml`;
  const day = (from) => new Date(Date.now() + 8 * 3600_000 + from * 86_400_000).toISOString().slice(0, 10); // where the bank is
  await writeFile(file, `${await readFile(file, "utf8")}overrides: { ${day(0)}: "00:00-24:00", ${day(1)}: "00:00-24:00" }\n`);
  let visitors = 0;
  await until("the bank is open", async () => {
    const number = `+86138000002${String(10 + visitors++)}`;
    const since = new Date();
    await w.reply(number, "你好");
    await w.text(number, /请问您需要什么服务/, since);
    return !(await w.inbox(number)).some((m) => /人工服务时间/.test(m.text));
  });
}

// seen is check, with pictures of all open pages when it fails.
const seen = (at, { check, shot }) => (what, fn, limit) =>
  check(what, async () => {
    try {
      await fn();
    } catch (err) {
      for (const [name, p] of Object.entries(at)) await shot(p.page, `failed-${name}`).catch(() => {}); // it may be gone
      throw err;
    }
  }, limit);

export { assert };
