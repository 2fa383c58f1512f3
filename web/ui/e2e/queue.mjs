// Journey "queue": one line for a caller, who goes on by chat and is called back, for a
// visitor's chat, a voicemail and a ticket, and two agents who serve it. The phones of
// the caller, of the agent and of who is called back are baresip; the pages are a browser's;
// the agents work by the API and their sockets.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { lacking, telephone } from "./baresip.mjs";
import { caller } from "./queue/caller.mjs";
import { desk } from "./queue/desk.mjs";
import { books, message, order } from "./queue/later.mjs";
import { talks } from "./queue/talk.mjs";
import { visitor } from "./queue/visitor.mjs";
import { until, world } from "./text/world.mjs";

export const alone = true; // it starts its own server

// Everybody here comes from one address; and this machine may be busy with more than calls.
const settings = {
  TANDEM_LIMITS_LATE: "0s",
  TANDEM_CHAT_LIMITS_CONVERSATIONS_PER_HOUR: "1000",
  TANDEM_TEXTS_PER_VISITOR_PER_HOUR: "100",
  TANDEM_TEXTS_PER_ADDRESS_PER_HOUR: "100",
};

export default async function queue({ browser, root, startServer, browserOptions, ...tools }) {
  if (lacking()) return tools.skip("one line", lacking());
  for (const part of process.env.TALKS ? [talks] : [line, talks]) await served({ browser, root, startServer, browserOptions, ...tools }, part);
}

// line is the one line of calls, chats, callbacks, voicemails and tickets.
async function line(w, t) {
  await Promise.all([message(w, t), caller(w, t), visitor(w, t), order(w, t)]);
  await books(w, t);
}

// served runs a part of the journey on a server of its own.
async function served({ browser, root, startServer, browserOptions, ...tools }, part) {
  const server = await startServer(settings);
  const phones = [];
  try {
    const w = await world({ browser, root, server });
    w.context = (options) => context(browser, options);
    const config = await readFile(server.config, "utf8");
    const [agentAt, streetAt] = [/anna: \{ phone: "sip:anna@([^"]+)"/, /street: \{ host: "([^"]+)"/].map((at) => at.exec(config)[1]);
    const phone = async (...what) => {
      const p = await telephone(...what);
      phones.push(p);
      return p;
    };
    const t = {
      ...tools, phone, check: seen(browser, tools), browser, browserOptions, agentAt,
      note: (words) => console.log(`       ${words}`),
      desks: Object.fromEntries(await Promise.all(["anna", "bo", "sam"].map(async (name) => [name, await desk(server, name)]))),
      // the agents' telephone: who speaks by their page has none
      agent: part === line && { ...tones.agent, phone: await phone("anna", { at: agentAt, hz: tones.agent.hz }) },
      customer: { ...tones.customer, number: "+8613800000001", phone: await phone("+8613800000001", { at: streetAt, hz: tones.customer.hz }) },
      reached: milestones("away", "in line", "ticket", "called back", "wrapped", "served"),
      sockets: {}, // of the agents, by name
    };
    await open(w);
    await part(w, t);
  } finally {
    await Promise.all(phones.map((p) => p.close()));
    await server.stop();
  }
}

// What each side says, so that the other can be told to have heard it.
const tones = { agent: { hz: 440 }, customer: { hz: 620 } };

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
const seen = (browser, { check, shot }) => (what, fn, limit) =>
  check(what, async () => {
    try {
      await fn();
    } catch (err) {
      const pages = browser.contexts().flatMap((c) => c.pages());
      for (const [i, page] of pages.entries()) await shot(page, `failed-${i}`).catch(() => {}); // it may be gone
      throw err;
    }
  }, limit);

// context gives a page that stays open for as long as the journey needs it; close fails on
// any error in it.
async function context(browser, options) {
  const own = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: "reduce", ...options });
  const wrong = [];
  own.on("console", (m) => m.type() === "error" && wrong.push(`${m.text()} ${m.location().url}`));
  own.on("weberror", (e) => wrong.push(String(e.error())));
  return {
    page: await own.newPage(),
    async close() {
      await own.close();
      assert.deepEqual(wrong, [], "the pages report errors");
    },
  };
}

// milestones are what some wait for that others reach, or fail to.
function milestones(...names) {
  return Object.fromEntries(names.map((name) => {
    let yes;
    const reached = new Promise((resolve) => (yes = resolve));
    return [name, Object.assign(() => reached, { yes: (value) => yes(value) })];
  }));
}
