// A bank with customers in line, as the fake door knows them: what is said is made up, in the
// languages that its customers speak.
import { randomUUID } from "node:crypto";
import { doesFaces, policies, stills } from "./faces.mjs";

const iso = (seconds = 0) => new Date(Date.now() + seconds * 1000).toISOString();
let fences = 40;

export function bank() {
  const b = {
    me: { name: "anna", display: "Anna Berg", roles: ["agent"] },
    presence: { presence: "available", since: iso(-1260) },
    reachable: { voice: true, chat: true, sms: true, work: true },
    phone: true,
    voice: false,
    tasks: {}, // by id
    holds: {}, // what the agent has: { state, fence, until }
    talks: {},
    messages: {},
    views: {},
    links: {},
    invites: {},
    upgrades: {}, // by interaction
    checks: {}, // by interaction
    roleLinks: {}, // by task
    slots: null, // by interaction: what the pictures' slots show; null: no server for pictures
    may: "camera display", // what the page may show
    guest: null, // what a role link says
    looks: [], // at evidence
    stills: stills(),
    policies: policies(),
    reasons: [
      { name: "break", words: { en: "Break", "zh-CN": "休息" } },
      { name: "lunch", words: { en: "Lunch", "zh-CN": "午餐" } },
      { name: "training", words: { en: "Training", "zh-CN": "培训" } },
    ],
    dispositions: [
      { name: "solved", words: { en: "Solved", "zh-CN": "已解决" } },
      { name: "follow_up", words: { en: "To follow up", "zh-CN": "需跟进" } },
      { name: "wrong_department", words: { en: "Wrong department", "zh-CN": "转错部门" } },
    ],
    required: ["front_door"],
    decision: { waited: 74, position: 1, eligible: 2, why: { en: "Anna speaks English best of the two who are free.", zh: "两位空闲坐席中，Anna 的英语最好。" } },
    directory: {
      agents: [
        { name: "anna", display: "Anna Berg", presence: "available", reachable: ["voice", "chat"], busy: [], teams: ["service"] },
        { name: "bo", display: "Bo Li", presence: "available", reachable: ["voice", "chat", "sms", "work"], busy: [], teams: ["service"] },
        { name: "mei", display: "Mei Chen", presence: "away", reason: "lunch", reachable: ["chat"], busy: [], teams: ["branch"] },
        { name: "sam", display: "Sam Weiss", presence: "available", reachable: ["voice"], busy: ["voice"], teams: ["service"] },
      ],
      queues: [{ name: "front_door", waiting: 3, free: 1 }, { name: "loans", waiting: 0, free: 2 }, { name: "service", waiting: 12, free: 0 }],
    },
    nodes: [
      { flow: "front_door", step: "card_number", verb: "ask", words: { en: "Asks for the card number", zh: "询问卡号" }, allowed: false, asks: true, secret: true, why: { en: "The customer has to be verified first.", zh: "须先核验客户身份。" } },
      { flow: "front_door", step: "menu", verb: "menu", words: { en: "Main menu", zh: "主菜单" }, allowed: true, asks: false, here: true },
      { flow: "front_door", step: "confirm_appointment", verb: "ask", words: { en: "Reads the appointment back and asks whether it is right", zh: "复述预约并确认" }, allowed: true, asks: true },
      { flow: "loans", step: "rates", verb: "say", words: { en: "Says today's rates", zh: "播报今日利率" }, allowed: true, asks: true },
    ],
    operations: [
      { name: "online_banking", words: { en: "Open online banking", "zh-CN": "开通网上银行" }, params: [{ name: "account", type: "text", required: true, value: "6222 •••• 0187" }], needs: "recognised" },
      { name: "card_block", words: { en: "Block a card", "zh-CN": "挂失银行卡" }, params: [] },
    ],
    replies: [
      { name: "hello", lang: "en", text: "Good morning Ms Liu, I am Anna. How can I help you?" },
      { name: "hours", lang: "en", text: "We are here Monday to Friday, 9:00 to 18:00, and on Saturday until noon." },
      { name: "branch", lang: "en", text: "Your branch is ‹branch›. Shall I make an appointment for you there?", missing: ["branch"] },
    ],
    ticket: {
      number: "T-2041-77", form: "service_request", queue: "service", owner: "queue:service", status: "open", due: iso(5 * 3600), opened: iso(-7200), lang: "en",
      fields: { subject: "Statement of March is missing", account: "6222 •••• 0187", wishes: "Please send it by post to the address you have." },
      history: [{ at: iso(-7200), actor: "flow", status: "open" }, { at: iso(-1800), actor: "bo", note: "Asked the archive." }],
    },
    picture: Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAYAAACNMs+9AAAAFUlEQVR42mNk+M9Qz0AEYBxVSF+FABJADveWkH6oAAAAAElFTkSuQmCC", "base64"),
    audio: wav(),
  };
  b.agent = () => ({
    name: b.me.name, ...b.presence, reachable: b.reachable, has: {}, teams: ["service"], skills: { "lang:en": 9 }, capacity: { voice: 1, chat: 3, sms: 5, work: 1 }, phone: b.phone,
    holds: Object.entries(b.holds).map(([task, h]) => ({ task, fence: h.fence, kind: b.tasks[task].kind, state: h.state, since: iso(), ...(h.until ? { deadline: h.until } : {}) })),
  });
  b.snapshot = () => [
    { t: "state", agent: b.agent() },
    ...Object.entries(b.holds).map(([task, h]) =>
      h.state === "wrapping" ? { t: "wrap", task, fence: h.fence, until: h.until } : h.state === "offered" ? { t: "offer", task: b.tasks[task] } : { t: "task", task: b.tasks[task], why: "assigned" }),
    ...Object.entries(b.talks).map(([task, talk]) => ({ t: "talk", task, talk })),
    ...Object.values(b.invites).map((invite) => ({ t: "invite", invite })),
    ...Object.values(b.upgrades).map((upgrade) => ({ t: "upgrade", task: upgrade.task, interaction: upgrade.interaction, upgrade })),
    ...Object.values(b.checks).map((check) => ({ t: "check", task: check.task, interaction: check.interaction, check })),
    ...Object.entries(b.roleLinks).flatMap(([task, links]) => links.map((link) => ({ t: "role_link", task, link }))),
  ];
  b.view = (id) => ({
    interaction: { id: b.tasks[id].interaction, number: "4 817 206", entry: "bank", flow: "front_door", lang: "en", from: "+86 138 •••• 0001", channels: ["sip"], started: iso(-300) },
    customer: "c1", since: iso(-86_400 * 500), assurance: "recognised", assurance_until: iso(1500), details: { name: "Liu Wei", segment: "private" },
    bindings: [{ kind: "phone", value: "+86 138 •••• 0001", since: iso(-86_400 * 500), checked: iso(-86_400 * 30) }, { kind: "chat", value: "bank.example", since: iso(-86_400) }],
    contacts: [
      { id: "i1", number: "4 790 113", flow: "front_door", state: "closed", started: iso(-86_400 * 2), channels: ["chat"], outcome: "served", queue: "front_door", agents: ["bo"], disposition: "solved", notes: [{ at: iso(-86_400 * 2), by: "bo", text: "Wants statements by post." }] },
      { id: "i2", number: "4 611 020", flow: "front_door", state: "closed", started: iso(-86_400 * 9), channels: ["sip", "sms"], outcome: "completed", agents: [], notes: [] },
      { id: "i3", number: "4 500 871", flow: "loans", state: "closed", started: iso(-86_400 * 40), channels: ["sip"], outcome: "left", queue: "loans", agents: [], notes: [] },
    ],
    open: [], answers: { topic: "card", card_number: "••••••••", amount: 1250, wants_call: true }, notes: [], links: [],
    ...b.views[id],
  });
  b.events = (id) => [
    { seq: 1, at: iso(-300), kind: "interaction.opened", data: { from: "+86138••••0001" } },
    { seq: 2, at: iso(-298), kind: "flow.started", data: { flow: "front_door" } },
    { seq: 3, at: iso(-280), kind: "flow.outcome", data: { step: "topic", outcome: "card" } },
    { seq: 4, at: iso(-240), kind: "task.opened", data: { queue: "front_door" } },
    { seq: 5, at: iso(-20), kind: "task.offered", data: { agent: "anna" } },
    ...(b.holds[id]?.state === "assigned" ? [{ seq: 6, at: iso(-10), kind: "task.assigned", data: { agent: "anna" } }] : []),
  ];
  b.does = (f, c) => does(b, f, c);
  return b;
}

// task puts something in line; more are fields of it.
export function task(b, kind, more = {}) {
  const id = randomUUID().replaceAll("-", "");
  b.tasks[id] = { id, interaction: randomUUID().replaceAll("-", ""), kind, queue: "front_door", state: "waiting", arrived: iso(-74), lang: "en", ...more };
  return id;
}

// offer offers something for some seconds.
export function offer(b, f, id, seconds = 30) {
  const t = (b.tasks[id] = { ...b.tasks[id], state: "offered", agent: "anna", fence: ++fences, since: iso(), deadline: iso(seconds) });
  b.holds[id] = { state: "offered", fence: t.fence, until: t.deadline };
  f?.tell({ t: "offer", task: t, decision: b.decision });
  return id;
}

// have gives something to the agent, since some seconds.
export function have(b, f, id, since = 0) {
  const t = (b.tasks[id] = { ...b.tasks[id], state: "assigned", agent: "anna", fence: b.tasks[id].fence ?? ++fences, since: iso(-since) });
  b.holds[id] = { state: "assigned", fence: t.fence };
  f?.tell({ t: "task", task: t, why: "assigned" });
  return id;
}

// wrapUp ends something with a wrap-up of some seconds.
export function wrapUp(b, f, id, seconds = 60, why = "done") {
  const { fence } = b.holds[id];
  b.tasks[id] = { ...b.tasks[id], state: "wrapping" };
  b.holds[id] = { state: "wrapping", fence, until: iso(seconds) };
  delete b.talks[id];
  f?.tell({ t: "talk", task: id, talk: null });
  f?.tell({ t: "task", task: b.tasks[id], why });
  f?.tell({ t: "wrap", task: id, fence, until: b.holds[id].until });
}

export function say(b, f, id, from, text, more = {}) {
  const all = (b.messages[id] ??= []);
  const m = { rev: (all.at(-1)?.rev ?? 0) + 1, seq: all.length + 1, state: from === "customer" ? "received" : "delivered", at: iso((all.length - 8) * 14), from, channel: "chat", lang: "en", text, ...more };
  all.push(m);
  f?.tell({ t: "message", task: id, message: m });
  return m;
}

// talk sets who is in the call of something.
export function talk(b, f, id, parties, more = {}) {
  b.talks[id] = {
    task: id, interaction: b.tasks[id].interaction, agent: "anna", recording: "on", secret: false, lent: false, direct: true, codec: "PCMU", ...more,
    parties: parties.map((p, i) => ({ leg: `leg${i}`, state: "joined", since: iso(-95), ...p })),
  };
  f?.tell({ t: "talk", task: id, talk: b.talks[id] });
}

export const customer = { role: "customer", number: "+86 138 •••• 0001", device: "phone" };
export const anna = { role: "agent", name: "anna", device: "browser" };
export const bo = { role: "specialist", name: "bo", device: "browser", since: iso(-12) };

// does is what a command comes to.
function does(b, f, c) {
  const h = c.task ? b.holds[c.task] : undefined;
  const no = (code, message) => ({ t: "error", code, message });
  const face = doesFaces(b, f, c, { talk, no });
  if (face) return face;
  if (c.task && !h) return no("not_found", "You have no such task.");
  const change = (parties, more) => talk(b, f, c.task, parties, { ...b.talks[c.task], ...more });
  switch (c.t) {
    case "accept":
      if (h.state === "offered" && h.fence !== c.fence) return no("conflict", "The offer is over.");
      have(b, f, c.task);
      if (b.tasks[c.task].kind === "call" || b.tasks[c.task].kind === "callback") setTimeout(() => talk(b, f, c.task, [customer, anna]), 60);
      return { t: "done", task: b.tasks[c.task] };
    case "decline":
      delete b.holds[c.task];
      f.tell({ t: "offer_over", task: c.task, fence: c.fence, why: "declined" });
      return { t: "done" };
    case "say":
      return { t: "done", message: say(b, f, c.task, "agent", c.text, { client: c.id, name: "Anna Berg", at: iso() }) };
    case "release":
    case "hand_back":
    case "transfer":
      wrapUp(b, f, c.task, 60, { release: "done", hand_back: "handed_back", transfer: "transferred" }[c.t]);
      return { t: "done", task: b.tasks[c.task] };
    case "wrap":
      delete b.holds[c.task];
      f.tell({ t: "wrap", task: c.task, fence: c.fence });
      return { t: "done" };
    case "presence":
      b.presence = { presence: c.presence, ...(c.reason ? { reason: c.reason } : {}), since: iso() };
      f.tell({ t: "state", agent: b.agent() });
      return { t: "done", agent: b.agent() };
    case "call": {
      const parties = b.talks[c.task].parties;
      const held = (held) => parties.map((p) => (p.role === "customer" ? { ...p, held } : p));
      if (c.do === "hold" || c.do === "resume") change(held(c.do === "hold"));
      if (c.do === "mute" || c.do === "unmute") change(parties.map((p) => (p.name === "anna" ? { ...p, muted: c.do === "mute" } : p)));
      if (c.do === "consult") {
        change([...held(true), { ...bo, name: c.to.agent, number: c.to.number, state: "ringing", since: iso() }], { direct: false });
        setTimeout(() => b.talks[c.task] && change(b.talks[c.task].parties.map((p) => (p.role === "specialist" ? { ...p, state: "joined" } : p))), 300);
      }
      if (c.do === "swap") change(parties.map((p) => (p.role === "agent" ? p : { ...p, held: !p.held })));
      if (c.do === "merge") change(parties.map((p) => ({ ...p, held: false })));
      if (c.do === "drop") change(held(false).filter((p) => p.role !== "specialist"), { direct: true });
      if (c.do === "complete") wrapUp(b, f, c.task, 60, "transferred");
      return { t: "done" };
    }
    case "link": {
      const link = { id: randomUUID(), operation: c.operation, state: "made", by: c.by ?? "chat", at: iso() };
      (b.links[c.task] ??= []).push(link);
      f.tell({ t: "link", task: c.task, link });
      return { t: "done", link };
    }
    case "note":
      (b.views[c.task] ??= {}).notes = [...(b.views[c.task]?.notes ?? []), { at: iso(), by: "anna", text: c.text }];
      return { t: "done" };
  }
  return { t: "done" };
}

// wav is a second of silence.
function wav() {
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + 8000, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8000, 24);
  head.writeUInt32LE(8000, 28);
  head.writeUInt16LE(1, 32);
  head.writeUInt16LE(8, 34);
  head.write("data", 36);
  head.writeUInt32LE(8000, 40);
  return Buffer.concat([head, Buffer.alloc(8000, 128)]);
}
