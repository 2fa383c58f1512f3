// The desk with voice, pictures, role links and identity checks, in the states that an agent
// sees them in.
import { anna, bank, bo, customer, have, say, talk, task } from "./bank.mjs";
import { check, shown, stub, take, upgrade } from "./faces.mjs";

const person = { role: "customer", device: "browser" };

// face gives the agent a chat, and what is beside it.
function face(make) {
  return () => {
    const b = Object.assign(bank(), { voice: true, slots: {} });
    const id = have(b, null, task(b, "chat"), 190);
    say(b, null, id, "customer", "I am abroad, and my card was swallowed. Can you unlock online banking for me?");
    say(b, null, id, "agent", "Yes, once I know that it is you. May I call you here, with a picture?", { name: "Anna Berg", state: "read" });
    say(b, null, id, "customer", "All right.");
    make?.(b, id);
    return b;
  };
}

// seen is a chat with pictures; more comes beside it.
const seen = (more) =>
  face((b, id) => {
    talk(b, null, id, [person, anna], { codec: "PCMU" });
    shown(b, null, id, ["leg0:camera"]);
    upgrade(b, null, id, { state: "up", agreed: "video", now: "video" });
    more?.(b, id);
  });

// begins has the page take calls, with connections that come up by themselves.
const begins = `localStorage.setItem("tandem.desk.anna.devices", '{"seat":"page"}'); (${stub})();`;

const up = (page) => page.locator(".face-tile.large video").first().waitFor();
const state = (make, after) => ({ make: () => Object.assign(make(), { voice: true }), begin: begins, after: after ?? (async () => {}) });
const strip = (more) => state(face((b, id) => upgrade(b, null, id, more)), (f, page) => page.locator(".face-strip").waitFor());

export const faceStates = {
  "face-ask": state(face(), (f, page) => pressed(page, "F4")),
  "face-asked": strip({}),
  "face-sent": state(
    () => {
      const b = bank();
      const id = have(b, null, task(b, "call"), 95);
      talk(b, null, id, [customer, anna]);
      upgrade(b, null, id, { state: "sent", pictures: true });
      return b;
    },
    (f, page) => page.locator(".face-strip").waitFor(),
  ),
  "face-wanted": strip({ by: "customer", level: "voice" }),
  "face-refused": strip({ state: "refused" }),
  "face-lapsed": strip({ state: "lapsed" }),
  "face-agreed": strip({ state: "agreed", agreed: "video" }),
  "face-voice": state(
    face((b, id) => {
      talk(b, null, id, [person, anna], { codec: "PCMU" });
      upgrade(b, null, id, { level: "voice", state: "up", agreed: "voice", now: "voice" });
    }),
    (f, page) => page.locator(".face-strip.good").waitFor(),
  ),
  "face-video": state(seen(), (f, page) => up(page)),
  "face-wide": state(seen((b, id) => check(b, null, id, "front")), async (f, page) => {
    await up(page);
    await page.keyboard.press("Alt+Shift+e");
    await page.locator(".stage.wide").waitFor();
  }),
  "face-refused-ask": state(
    () => {
      const b = Object.assign(bank(), { refuses: "Nothing can be sent to this customer by sms: no number of theirs is known or allowed." });
      talk(b, null, have(b, null, task(b, "call"), 95), [customer, anna]);
      return b;
    },
    async (f, page) => {
      await pressed(page, "F4");
      await page.keyboard.press("Enter");
      await page.locator("dialog .note.bad").waitFor();
    },
  ),
  "face-many": state(
    seen((b, id) => {
      talk(b, null, id, [person, anna, bo, { role: "specialist", name: "mei", device: "browser", muted: true }], { codec: "PCMU", direct: false });
      shown(b, null, id, ["leg0:camera", "leg2:display", "leg2:camera"]);
      b.roleLinks[id] = [{ id: "r1", role: "specialist", by: "anna", state: "used", used_by: "mei", expires: new Date(Date.now() + 400_000).toISOString() }, { id: "r2", role: "listener", by: "anna", state: "opened", expires: new Date(Date.now() + 500_000).toISOString() }];
    }),
    (f, page) => up(page),
  ),
  "face-fallen": state(seen((b, id) => upgrade(b, null, id, { now: "voice", fallen: "network" })), (f, page) => page.locator(".face-strip.fallen").waitFor()),
  "face-fallen-text": state(seen((b, id) => upgrade(b, null, id, { now: "", fallen: "network" })), (f, page) => page.locator(".face-strip.fallen").waitFor()),
  "face-over": strip({ state: "over", why: "lost" }),
  "face-sharing": state(seen(), async (f, page) => {
    await up(page);
    await page.keyboard.press("Alt+d");
    await page.getByRole("button", { name: /Stop sharing|停止共享/ }).waitFor();
  }),
  "face-denied": {
    ...state(seen(), (f, page) => page.locator(".stage-note.warn").waitFor()),
    begin: `${begins} navigator.mediaDevices.getUserMedia = (w) => (w.video ? Promise.reject(new DOMException("no", "NotAllowedError")) : Promise.resolve(new MediaStream([new AudioContext().createMediaStreamDestination().stream.getAudioTracks()[0]])));`,
  },
  "face-screen": state(
    () => {
      const b = bank();
      const id = have(b, null, task(b, "call"), 95);
      talk(b, null, id, [customer, anna]);
      shown(b, null, id, ["leg0:camera"]);
      upgrade(b, null, id, { state: "up", agreed: "video", now: "video", pictures: true });
      say(b, null, id, "customer", "This is the letter that I got.");
      return b;
    },
    async (f, page) => {
      await up(page);
      say(f.bank, f, Object.keys(f.bank.tasks)[0], "agent", "Thank you, I see it.", { name: "Anna Berg" });
      await page.getByText("Thank you, I see it.").first().waitFor();
    },
  ),
  "face-screen-ask": state(
    () => {
      const b = bank();
      const id = have(b, null, task(b, "call"), 95);
      talk(b, null, id, [customer, anna]);
      return b;
    },
    (f, page) => pressed(page, "F4"),
  ),
  "face-sms": state(
    () => {
      const b = bank();
      const id = have(b, null, task(b, "sms", { queue: "service" }), 300);
      say(b, null, id, "customer", "I cannot find the branch. Can you call me?", { channel: "sms" });
      const call = have(b, null, task(b, "callback", { interaction: b.tasks[id].interaction }), 8);
      talk(b, null, call, [{ ...customer, state: "ringing" }, anna]);
      return b;
    },
    (f, page) => page.locator(".call").waitFor(),
  ),
  "face-role-link": state(seen(), async (f, page) => {
    await up(page);
    await pressed(page, "Alt+c");
    await page.getByRole("option", { name: /A link for a specialist|给专家的链接/ }).click();
    await page.locator(".link-field").waitFor();
  }),
  "face-join": {
    ...state(
      () => Object.assign(bank(), { voice: true, guest: { from: "bo", display: "Bo Li", role: "specialist", number: "4 817 206", queue: "loans", expires: new Date(Date.now() + 500_000).toISOString() } }),
      (f, page) => page.locator(".join-from").waitFor(),
    ),
    pane: "list",
    path: "desk#join=Zm9yLXNjcmVlbnNob3RzLW9ubHk",
  },
  "face-join-none": { ...state(() => bank(), (f, page) => page.locator('dialog [role="alert"]').waitFor()), pane: "list", path: "desk#join=Zm9yLXNjcmVlbnNob3RzLW9ubHk" },
  "face-guest": state(() => guest("specialist"), (f, page) => up(page)),
  "face-listener": state(() => guest("listener"), (f, page) => up(page)),

  "check-begin": state(seen(), async (f, page) => (await up(page), await pressed(page, "Alt+f"))),
  "check-asked": state(seen((b, id) => check(b, null, id, "none", { state: "asked", present: "" })), (f, page) => up(page)),
  "check-picture": state(seen((b, id) => check(b, null, id, "code", { waits: "picture", camera: "fake_device_0", virtual: true, record: true, unrecorded: true })), (f, page) => up(page)),
  "check-barred": state(
    seen((b, id) => {
      const c = check(b, null, id, "");
      c.steps.at(-1).said = { same_person: "no", genuine: "unsure", valid: "yes" };
      Object.assign(c, { bars: c.steps.at(-1).asks.slice(0, 2).map((a, n) => ({ step: "match", kind: "compare", ask: a.ask, why: n ? "unsure" : "no" })) });
    }),
    (f, page) => page.locator(".bars").waitFor(),
  ),
  "check-code": state(seen((b, id) => check(b, null, id, "code", { code: { to: "+86 138 •••• 0001", sent: new Date().toISOString() } })), (f, page) => up(page)),
  "check-ask": state(seen((b, id) => check(b, null, id, "ask", { customer_lang: "zh-CN" })), (f, page) => up(page)),
  "check-front": state(
    seen((b, id) => {
      const c = check(b, null, id, "front");
      c.steps[2].stills = take("front", 1, 1);
    }),
    (f, page) => page.locator(".still img").nth(1).waitFor(),
  ),
  "check-act": state(seen((b, id) => check(b, null, id, "act")), (f, page) => up(page)),
  "check-match": state(seen((b, id) => check(b, null, id, "match")), (f, page) => page.locator(".still img").nth(1).waitFor()),
  "check-beside": state(seen((b, id) => check(b, null, id, "match")), async (f, page) => {
    await page.locator(".still-open").first().click();
    await page.locator(".beside-frame img").nth(1).waitFor();
  }),
  "check-broken": state(
    seen((b, id) => check(b, null, id, "code", { round: 2, code: { to: "+86 138 •••• 0001", ok: false }, broken: [{ round: 1, why: "cut", seconds: 7.4 }] })),
    (f, page) => up(page),
  ),
  "check-verdict": state(seen((b, id) => check(b, null, id, "")), async (f, page) => {
    await page.locator('.verdict-form input[type="radio"]').first().check();
    await page.locator('.verdict-form input[type="checkbox"]').first().check();
  }),
  "check-waits": state(seen((b, id) => check(b, null, id, "", { state: "second", needs_second: true, verdict: { outcome: "passed", reasons: ["same_person"], officer: "anna" } })), (f, page) => up(page)),
  "check-passed": state(
    seen((b, id) => check(b, null, id, "", { state: "passed", verdict: { outcome: "passed", reasons: ["same_person", "document_valid"], officer: "anna", second: "bo", until: new Date(Date.now() + 1_800_000).toISOString() } })),
    (f, page) => page.locator(".check-result").waitFor(),
  ),
  "check-failed": state(seen((b, id) => check(b, null, id, "", { state: "failed", verdict: { outcome: "failed", reasons: ["not_same_person"], text: "The ears differ.", officer: "anna" } })), (f, page) => page.locator(".check-result").waitFor()),
  "check-second": {
    ...state(
      () => {
        const b = bank();
        check(b, null, "", "", { interaction: "i-bo", task: "", officer: "bo", state: "second", needs_second: true, verdict: { outcome: "passed", reasons: ["same_person", "document_valid"], officer: "bo" } });
        return b;
      },
      async (f, page) => {
        await page.locator(".second-more").click();
        await page.locator(".second-steps .still img").first().waitFor();
      },
    ),
    pane: "work",
  },
  "check-evidence": state(
    face((b, id) => {
      const events = b.events;
      b.events = (of) => [...events(of), ...journal(id)];
    }),
    async (f, page) => {
      await page.locator(".journal-part summary").click({ force: true }).catch(() => {});
      if (await page.locator(".desk-panes").isVisible()) await page.locator(".desk-panes button").nth(2).click(), await page.locator(".journal-part summary").click();
      await page.locator(".look button").nth(1).click();
    },
  ),
};

function guest(role) {
  const b = bank();
  b.talks["t-bo"] = {
    task: "t-bo", interaction: "i-bo", agent: "bo", recording: "on", codec: "PCMU", direct: false,
    parties: [
      { leg: "leg0", role: "customer", device: "browser", state: "joined", since: new Date(Date.now() - 90_000).toISOString() },
      { leg: "leg1", role: "agent", name: "bo", device: "browser", state: "joined" },
      { leg: "leg2", role, name: "anna", device: "browser", state: "joined" },
    ],
  };
  b.may = role === "listener" ? "" : "camera display";
  b.tasks["t-bo"] = { id: "t-bo", interaction: "i-bo", kind: "chat", queue: "loans" };
  say(b, null, "t-bo", "customer", "Can I pay it back earlier?");
  say(b, null, "t-bo", "agent", "I ask our specialist in.", { name: "Bo Li" });
  upgrade(b, null, "t-bo", { state: "up", by: "bo", agreed: "video", now: "video" });
  shown(b, null, "t-bo", ["leg0:camera", "leg1:camera"]);
  return b;
}

const journal = (id) => {
  const at = new Date().toISOString();
  const e = (seq, kind, data) => ({ seq, at, kind, data });
  return [
    e(20, "upgrade.changed", { state: "asked", by: "anna", level: "video" }),
    e(21, "consent.given", { kind: "video", answer: "yes" }),
    e(22, "upgrade.changed", { state: "agreed", by: "customer", level: "video" }),
    e(23, "room.invited", { role: "specialist", by: "anna" }),
    e(24, "room.invited", { role: "specialist", by: "anna", used: "mei" }),
    e(25, "check.begun", { policy: "face", round: 1, check: "c1" }),
    e(26, "check.evidence", { check: "c1", step: "front", source: "server", blob: "front-server" }),
    e(27, "check.evidence", { check: "c1", step: "front", source: "page", blob: "front-page" }),
    e(28, "check.step", { step: "front", state: "done" }),
    e(29, "upgrade.carried", { why: "network", now: "voice" }),
    e(30, "check.interrupted", { round: 1, why: "cut", seconds: 7.4 }),
    e(31, "check.begun", { policy: "face", round: 2, check: "c1" }),
    e(32, "check.decided", { outcome: "passed", officer: "anna", second: "bo" }),
    e(33, "recording.kept", { seconds: 184, blob: "r1", media_type: "video/webm" }),
    e(34, "upgrade.changed", { state: "over", why: "done", level: "video", by: "anna" }),
  ];
};

async function pressed(page, key) {
  await page.locator(".row-main").first().waitFor({ state: "attached" });
  await page.locator(".chat, .call").first().waitFor({ state: "attached" });
  await page.keyboard.press(key);
  await page.locator("dialog[open]").waitFor();
  await page.locator("dialog[open] .waiting").waitFor({ state: "detached" });
}
