// The desk in the states that an agent sees it in.
import { faceStates } from "./facestates.mjs";
import { anna, bank, bo, customer, have, offer, say, talk, task, wrapUp } from "./bank.mjs";

// chats gives the agent some talks, one with all that can stand in it.
function chats(b, f, n = 1) {
  const ids = [];
  const first = have(b, f, task(b, "chat"), 190);
  say(b, f, first, "flow", "Welcome to the bank. What can we do for you?", { buttons: [{ label: "Cards" }, { label: "Loans" }, { label: "Something else" }] });
  say(b, f, first, "customer", "Cards");
  say(b, f, first, "flow", "Please enter your card number. It is not shown to anyone.");
  say(b, f, first, "customer", "••••••••", { secret: true });
  say(b, f, first, "agent", "Good morning, I am Anna. How can I help you?", { name: "Anna Berg", state: "read" });
  say(b, f, first, "customer", "My card was declined this morning, although there is enough money on my account. See the message the machine gave me:");
  say(b, f, first, "customer", "", { picture: { id: "p1", media_type: "image/png", bytes: 9_000, width: 320, height: 240 } });
  b.links[first] = [{ id: "l1", operation: "card_block", state: "opened", by: "chat", at: new Date().toISOString() }];
  ids.push(first);
  if (n > 1) {
    const second = have(b, f, task(b, "chat", { lang: "zh-CN", queue: "loans" }), 65);
    b.views[second] = { details: { name: "王芳" }, assurance: "none", assurance_until: undefined, bindings: [], contacts: [], answers: { 贷款用途: "装修", 金额: "200000" }, customer: undefined };
    say(b, f, second, "customer", "您好，我想咨询一下装修贷款的利率，另外提前还款有没有违约金？", { lang: "zh-CN" });
    say(b, f, second, "agent", "您好，我是 Anna。请稍等，我为您查询。", { lang: "zh-CN", name: "Anna Berg" });
    ids.push(second);
  }
  if (n > 2) {
    const third = have(b, f, task(b, "sms", { queue: "service" }), 480);
    b.views[third] = { details: {}, interaction: { id: "x", number: "4 817 310", from: "+86 139 •••• 7731", lang: "en", started: new Date().toISOString() } };
    say(b, f, third, "customer", "IS THE BRANCH OPEN TODAY", { channel: "sms" });
    ids.push(third);
  }
  return ids;
}

// states are made before the page is opened; what is done in the page follows.
export const states = {
  empty: { make: () => bank(), pane: "list" },
  offer: {
    pane: "work",
    make: () => bank(),
    after: async (f, page) => {
      offer(f.bank, f, task(f.bank, "call", { level: "vip" }), 300);
      await page.locator(".offer .accept").waitFor();
    },
  },
  "offer-chat": {
    pane: "work",
    make: () => bank(),
    after: async (f, page) => {
      const id = task(f.bank, "chat");
      say(f.bank, null, id, "flow", "Welcome to the bank. What can we do for you?");
      say(f.bank, null, id, "customer", "I would like to talk to somebody about my mortgage.");
      offer(f.bank, f, id, 300);
      await page.locator(".offer .bubble").first().waitFor();
    },
  },
  call: {
    make() {
      const b = bank();
      const id = have(b, null, task(b, "call"), 95);
      talk(b, null, id, [customer, anna]);
      return b;
    },
  },
  "call-consult": {
    make() {
      const b = bank();
      const id = have(b, null, task(b, "call"), 240);
      talk(b, null, id, [{ ...customer, held: true }, anna, bo], { direct: false });
      return b;
    },
  },
  "call-secret": {
    make() {
      const b = bank();
      const id = have(b, null, task(b, "call"), 130);
      talk(b, null, id, [customer, { ...anna, muted: true }], { secret: true, lent: true, recording: "paused" });
      return b;
    },
  },
  chats: {
    make() {
      const b = bank();
      chats(b, null, 3);
      return b;
    },
    async after(f, page) {
      await page.locator(".chat .bubble").first().waitFor();
      f.tell({ t: "whisper", task: Object.keys(f.bank.tasks)[0], from: "sam", text: "The terminal of that shop has been out of order since Monday.", at: new Date().toISOString() });
      await page.locator(".note").first().waitFor();
    },
  },
  "call-and-chats": {
    pane: "work",
    make() {
      const b = bank();
      const id = have(b, null, task(b, "call"), 95);
      talk(b, null, id, [customer, anna]);
      chats(b, null, 2);
      return b;
    },
    after: async (f, page) => {
      await page.keyboard.press("Alt+2");
      await page.locator(".chat").first().waitFor({ state: "attached" });
    },
  },
  replies: {
    make() {
      const b = bank();
      chats(b, null, 1);
      return b;
    },
    async after(f, page) {
      await page.locator(".chat .say").fill("/");
      await page.getByRole("option").nth(2).waitFor();
    },
  },
  wrap: {
    make() {
      const b = bank();
      const id = have(b, null, task(b, "call"), 95);
      wrapUp(b, null, id, 47);
      return b;
    },
  },
  voicemail: {
    make() {
      const b = bank();
      have(b, null, task(b, "voicemail", { audio: true, note: "Front door, out of hours" }), 20);
      return b;
    },
  },
  ticket: {
    make() {
      const b = bank();
      have(b, null, task(b, "ticket", { ticket: "T-2041-77", queue: "service" }), 400);
      return b;
    },
  },
  "offer-in-call": {
    pane: "work",
    make: () => states["call-and-chats"].make(),
    after: async (f, page) => {
      offer(f.bank, f, task(f.bank, "chat", { queue: "loans" }), 300);
      await page.locator(".offer.small .accept").waitFor({ state: "attached" });
    },
  },
  microphone: {
    make: () => Object.assign(bank(), { voice: true }),
    begin: () => {
      localStorage.setItem("tandem.desk.anna.devices", JSON.stringify({ seat: "page" }));
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("not allowed", "NotAllowedError"));
    },
    after: (f, page) => page.locator(".banner.bad").waitFor(),
  },
  invite: {
    pane: "list",
    make() {
      const b = bank();
      b.invites.v1 = { id: "v1", from: "bo", task: "t", interaction: "i", until: new Date(Date.now() + 60_000).toISOString() };
      chats(b, null, 1);
      return b;
    },
  },
  consult: { make: () => states.call.make(), after: (f, page) => opened(page, "Alt+c") },
  transfer: { make: () => states.call.make(), after: (f, page) => opened(page, "Alt+t") },
  "hand-back": { make: () => states.call.make(), after: (f, page) => opened(page, "Alt+b") },
  link: { make: () => states.call.make(), after: (f, page) => opened(page, "Alt+y") },
  place: { make: () => bank(), after: (f, page) => opened(page, "Alt+p") },
  sound: { make: () => bank(), after: (f, page) => opened(page, "F8") },
  keys: {
    make: () => bank(),
    after: async (f, page) => {
      await page.locator("#content, #work, #list").first().focus();
      await opened(page, "?");
    },
  },
  presence: { make: () => bank(), after: (f, page) => page.locator("#presence").click() },
  ...faceStates,
  lost: {
    make() {
      const b = bank();
      chats(b, null, 1);
      return b;
    },
    async after(f, page) {
      f.deaf = true;
      await page.locator(".banner.bad").waitFor();
    },
  },
};

async function opened(page, key) {
  await page.locator(".row-main, .desk-list .empty").first().waitFor({ state: "attached" });
  await page.keyboard.press(key);
  await page.locator("dialog[open]").waitFor();
  await page.locator("dialog[open] .waiting").waitFor({ state: "detached" });
}
