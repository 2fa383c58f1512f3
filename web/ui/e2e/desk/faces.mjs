// Voice, pictures, role links and identity checks of the played bank, and a browser's
// connection that shows drawings in the place of people.
import { randomUUID } from "node:crypto";

const iso = (seconds = 0) => new Date(Date.now() + seconds * 1000).toISOString();
const both = (en, zh) => ({ en, "zh-CN": zh });

// ---- what a check is

export function policies() {
  return [
    { name: "face", title: both("Face to face", "面对面核验"), level: "proofed", needs_second: false, steps: steps() },
    { name: "face_loans", title: both("Face to face, for loans", "贷款面签核验"), level: "proofed", needs_second: true, steps: steps() },
  ];
}

function steps() {
  return [
    { name: "code", kind: "code", state: "", text: both("Type the code that we sent to you", "请输入我们发给您的验证码"), stills: [] },
    {
      name: "ask", kind: "questions", state: "", expect: "service", stills: [], text: both("Answer what the officer asks", "请回答工作人员的问题"),
      asks: [{ name: "born", ask: both("When were you born?", "您的出生日期是？") }, { name: "branch", ask: both("At which branch did you open the account?", "您在哪家网点开的户？") }],
    },
    { name: "front", kind: "document", side: "front", state: "", text: both("Hold the front of your card into the picture", "请把证件正面对准摄像头"), stills: [] },
    { name: "back", kind: "document", side: "back", state: "", text: both("Now the back of it", "请把证件背面对准摄像头"), stills: [] },
    { name: "look", kind: "face", state: "", text: both("Look straight into the camera", "请正视摄像头"), stills: [] },
    { name: "act", kind: "request", state: "", text: both("Do as the officer says", "请按工作人员的要求做"), requests: [{ what: "turn_left" }, { what: "read_number", number: "4821" }], stills: [] },
    {
      name: "match", kind: "compare", state: "", likeness: true, stills: [],
      asks: [{ name: "same_person", ask: both("Is it the same person?", "是同一个人吗？") }, { name: "genuine", ask: both("Does the document look genuine?", "证件看起来真实吗？") }, { name: "valid", ask: both("Is it still valid?", "证件在有效期内吗？") }],
    },
  ];
}

// check is one of an interaction at a step: those before it are done.
export function check(b, f, task, at, more = {}) {
  const all = steps().map((s) => ({ ...s, stills: [...s.stills] }));
  const present = all.findIndex((s) => s.name === at);
  const before = at === "" ? all.length : present;
  for (const [n, s] of all.entries()) {
    if (n < before) {
      s.state = "done";
      if (s.kind === "document" || s.kind === "face") s.stills = take(s.name, more.round ?? 1, 1);
      if (s.kind === "questions") s.said = { born: "right", branch: "right" };
      if (s.kind === "request") s.said = { turn_left: "yes", read_number: "yes" };
      if (s.kind === "compare") s.said = { same_person: "yes", genuine: "yes", valid: "yes" };
    } else if (n === present) s.state = "present";
  }
  const interaction = b.tasks[task]?.interaction ?? more.interaction;
  const c = {
    id: randomUUID().replaceAll("-", ""), interaction, task, policy: "face", title: both("Face to face", "面对面核验"), state: "running", round: 1, officer: "anna", level: "proofed", customer_lang: "en",
    steps: all, present: at, by: "anna", reasons, consent: { at: iso(-60), lang: "en", version: "2026-11" }, interruption: 5, needs_second: false, ...more,
  };
  b.checks[interaction] = stands(c);
  f?.tell({ t: "check", task, interaction, check: c });
  return c;
}

const reasons = {
  passed: ["same_person", "document_valid", "requests_followed", "answers_right"],
  failed: ["not_same_person", "document_expired", "document_doubtful", "requests_not_followed", "answers_wrong", "second_person", "picture_bad", "other"],
  declined: ["customer_declined", "customer_left", "no_document", "no_camera", "picture_bad", "document_unreadable"],
};

// stands says for what a check waits, and what keeps it from being passed.
function stands(c) {
  c.waits ??= "";
  if (c.waits !== "picture") c.waits = { asked: "consent", second: "second" }[c.state] ?? (c.state === "running" && !c.steps.some((s) => ["", "present"].includes(s.state)) ? "verdict" : "");
  c.bars = c.steps.flatMap((s) => {
    if (s.state !== "done") return [{ step: s.name, kind: s.kind, why: { failed: "failed", skipped: "skipped" }[s.state] ?? "not_done" }];
    return (s.kind === "compare" ? s.asks : []).filter((a) => s.said?.[a.name] !== "yes").map((a) => ({ step: s.name, kind: s.kind, ask: a.ask, why: s.said?.[a.name] }));
  });
  return c;
}

// take are the two stills of a step.
export function take(name, round, n) {
  return [
    { blob: `${name}-server`, source: "server", media_type: "image/png", width: 1280, height: 720, at: iso(-9), round, n },
    { blob: `${name}-page`, source: "page", media_type: "image/jpeg", width: 1920, height: 1080, at: iso(-8), round, n },
  ];
}

// ---- what an upgrade is

export function upgrade(b, f, task, more = {}) {
  const { interaction } = b.tasks[task];
  const u = { id: randomUUID().replaceAll("-", ""), task, interaction, state: "asked", by: "anna", level: "video", agreed: "", now: "", why: "to see what you see", kept: true, who: [{ name: "anna", role: "agent" }], until: iso(100), ...b.upgrades[interaction], ...more };
  b.upgrades[interaction] = u;
  f?.tell({ t: "upgrade", task, interaction, upgrade: u });
  return u;
}

// shown has the slots of an interaction show these.
export function shown(b, f, task, ids) {
  const { interaction } = b.tasks[task] ?? { interaction: task };
  b.slots ??= {};
  b.slots[interaction] = Array.from({ length: 6 }, (_, n) => ({ mid: String(n + 2), id: ids[n] ?? "" }));
  for (const s of f?.asked.filter((c) => c.t === "screen" && c.signal.kind === "offer" && c.interaction === interaction).slice(-1) ?? []) f.pass({ t: "screen", interaction, page: s.page, signal: { kind: "slots", slots: b.slots[interaction] } });
}

// ---- what commands come to

export function doesFaces(b, f, c, { talk, no }) {
  const done = (more) => ({ t: "done", ...more });
  switch (c.t) {
    case "upgrade": {
      const { interaction } = b.tasks[c.task] ?? {};
      if (!interaction) return no("not_found", "You have no such task.");
      if (b.refuses) return no("conflict", b.refuses);
      if (c.do === "ask") return done({ upgrade: upgrade(b, f, c.task, { state: b.upgrades[interaction]?.state === "up" ? "up" : "asked", by: "anna", level: c.level, why: c.why, until: iso(100), id: randomUUID() }) });
      if (c.do === "approve") agree(b, f, c.task, b.upgrades[interaction].level, talk);
      if (c.do === "deny") upgrade(b, f, c.task, { state: "refused" });
      if (c.do === "change") upgrade(b, f, c.task, { level: c.level, now: c.level });
      if (c.do === "end") {
        delete b.talks[c.task];
        f.tell({ t: "talk", task: c.task, talk: null });
        upgrade(b, f, c.task, { state: b.upgrades[interaction].state === "asked" ? "withdrawn" : "over", why: "ended" });
        delete b.upgrades[interaction];
      }
      return done({ upgrade: b.upgrades[interaction] });
    }
    case "check":
      return doesCheck(b, f, c, done);
    case "invite_link": {
      const links = (b.roleLinks[c.task] ??= []);
      if (c.do === "revoke") {
        const link = links.find((l) => l.id === c.invite);
        link.state = "revoked";
        f.tell({ t: "role_link", task: c.task, link });
        return done();
      }
      const link = { id: randomUUID(), role: c.role, by: "anna", state: "made", expires: iso(600) };
      links.push(link);
      return done({ invite: { ...link, url: "/desk#join=Zm9yLXNjcmVlbnNob3RzLW9ubHk" } });
    }
    case "join":
      if (!b.guest) return no("not_found", "There is no such link, or it is no longer good.");
      setTimeout(() => b.joined?.(f), 20);
      return done({ joined: { interaction: "i-bo", task: "t-bo", role: b.guest.role } });
  }
  return null;
}

// agree is the customer's yes, or the agent's to theirs: sound and pictures come.
export function agree(b, f, task, level, talk) {
  upgrade(b, f, task, { state: "agreed", agreed: level });
  setTimeout(() => {
    talk(b, f, task, [{ role: "customer", device: "browser" }, { role: "agent", name: "anna", device: "browser" }], { codec: "PCMU" });
    if (level === "video") shown(b, f, task, [`${b.talks[task].parties[0].leg}:camera`]);
    upgrade(b, f, task, { state: "up", now: level });
  }, 60);
}

function doesCheck(b, f, c, done) {
  if (c.do === "begin") return done({ check: check(b, f, c.task, "none", { policy: c.policy, state: "asked", present: "", consent: undefined }) });
  const k = Object.values(b.checks).find((x) => x.id === c.check);
  if (!k) return { t: "error", code: "not_found", message: "There is no such check." };
  const tell = (more) => {
    stands(Object.assign(k, more));
    f.tell({ t: "check", task: k.task, interaction: k.interaction, check: structuredClone(k) });
  };
  const step = k.steps.find((s) => s.name === c.step);
  const next = () => {
    const later = k.steps.find((s) => s.state === "");
    if (later) later.state = "present";
    tell({ present: later?.name ?? "" });
  };
  switch (c.do) {
    case "capture":
      step.stills = [...step.stills, ...take(step.name, k.round, step.stills.length / 2 + 1)];
      tell({});
      break;
    case "done":
    case "fail":
    case "skip":
      Object.assign(step, { state: { done: "done", fail: "failed", skip: "skipped" }[c.do], said: c.said });
      next();
      break;
    case "second_face":
    case "restart":
      for (const s of k.steps) Object.assign(s, { state: "", said: undefined, stills: [] });
      tell({ broken: [{ round: k.round, why: c.do === "restart" ? "officer" : "second_face", at: iso() }], round: k.round + 1 });
      next();
      break;
    case "decide":
      tell({ state: k.needs_second ? "second" : c.outcome, verdict: { outcome: c.outcome, reasons: c.reasons, text: c.why, officer: "anna", until: iso(1800) } });
      break;
    case "abort":
      tell({ state: "stopped" });
      break;
    case "second":
      tell({ state: c.agree ? k.verdict.outcome : "running", second: "anna" });
  }
  return done({ check: k });
}

// consented is the customer's yes to a check.
export function consented(b, f, interaction) {
  const k = b.checks[interaction];
  k.steps[0].state = "present";
  Object.assign(k, { state: "running", present: k.steps[0].name, consent: { at: iso(), lang: "en", version: "2026-11" }, code: { to: "+86 138 •••• 0001", sent: iso() } });
  f.tell({ t: "check", task: k.task, interaction, check: structuredClone(stands(k)) });
}

// coded is the right code: the step is done by itself.
export function coded(b, f, interaction) {
  const k = b.checks[interaction];
  Object.assign(k.steps[0], { state: "done" });
  k.steps[1].state = "present";
  Object.assign(k, { present: k.steps[1].name, code: { ...k.code, ok: true } });
  f.tell({ t: "check", task: k.task, interaction, check: structuredClone(stands(k)) });
}

// ---- what is seen

const svg = (w, h, inner) => ({ type: "image/svg+xml", bytes: `<svg xmlns="http://www.w3.org/2000/svg" width="${w}" height="${h}" viewBox="0 0 160 90">${inner}</svg>` });
const face = (x, y, s) => `<g transform="translate(${x} ${y}) scale(${s})"><circle cx="0" cy="0" r="13" fill="#e7bfa3"/><path d="M-13 -3a13 13 0 0126 0q-4-7-13-7t-13 7z" fill="#3a2a20"/><circle cx="-4.500" cy="0" r="1.300"/><circle cx="4.500" cy="0" r="1.300"/><path d="M-4 6q4 3 8 0" fill="none" stroke="#7a3b2e"/></g>`;
const card = (back) => (back ? '<rect x="25" y="15" width="110" height="64" rx="4" fill="#cfd9e6"/><rect x="25" y="24" width="110" height="10" fill="#333"/><rect x="32" y="44" width="60" height="4" fill="#7b8896"/><rect x="32" y="54" width="80" height="4" fill="#7b8896"/>' : `<rect x="25" y="13" width="110" height="66" rx="4" fill="#dfe9d8"/><rect x="32" y="24" width="34" height="42" fill="#b9c9c4"/>${face(49, 46, 1.1)}<rect x="74" y="26" width="52" height="5" fill="#5b6b62"/><rect x="74" y="37" width="40" height="4" fill="#7c8b83"/><rect x="74" y="46" width="48" height="4" fill="#7c8b83"/><rect x="74" y="60" width="30" height="6" fill="#a2362f"/>`);

// stills are drawings in the place of evidence.
export function stills() {
  const room = '<rect width="160" height="90" fill="#33464c"/>';
  const all = { front: room + card(false), back: room + card(true), look: `${room}<path d="M50 90q30-34 60 0z" fill="#4d6f8c"/>${face(80, 46, 1.9)}` };
  return Object.fromEntries(Object.entries(all).flatMap(([name, inner]) => [[`${name}-server`, svg(1280, 720, inner)], [`${name}-page`, svg(1920, 1080, inner)]]));
}

// stub is run in the page before anything else: connections that come up by themselves and
// show drawings, a camera and a microphone, and a screen to share.
export function stub() {
  const colours = ["#33464c", "#5a4a6a", "#2f5d4a", "#6a5a33", "#3d4f7a", "#6a3d3d", "#44606a", "#50506a"];
  const drawn = (n, wide = 640, tall = 360) => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [wide, tall];
    const c = canvas.getContext("2d");
    let t = 0;
    const draw = () => {
      t++;
      c.fillStyle = colours[n % colours.length];
      c.fillRect(0, 0, wide, tall);
      const [x, y, r] = [wide / 2, tall / 2, tall / 5];
      c.fillStyle = "#4d6f8c";
      c.beginPath();
      c.ellipse(x, tall * 1.08, r * 1.9, r * 2, 0, 0, 7);
      c.fill();
      c.fillStyle = ["#e7bfa3", "#c99572", "#f0d2b6", "#8a5a3c"][n % 4];
      c.beginPath();
      c.arc(x, y, r, 0, 7);
      c.fill();
      c.fillStyle = "#222";
      for (const dx of [-0.35, 0.35]) c.fillRect(x + dx * r - 4, y - 6, 8, 8);
      c.fillRect(x - r * 0.3, y + r * 0.4, r * 0.6, 3 + (t % 3));
    };
    draw();
    setInterval(draw, 200);
    return canvas.captureStream(5).getVideoTracks()[0];
  };
  const sounded = () => new AudioContext().createMediaStreamDestination().stream.getAudioTracks()[0];
  const window_ = window;
  window_.dark = false; // pictures do not come
  class Connection extends EventTarget {
    signalingState = "stable";
    connectionState = "new";
    localDescription = null;
    #all = [];
    #packets = 0;
    addTransceiver(of) {
      const n = this.#all.length;
      const audio = of === "audio" || of?.kind === "audio";
      let track = null;
      const t = {
        mid: null, direction: "sendonly", currentDirection: null, setCodecPreferences() {},
        sender: { dtmf: null, replaceTrack: async () => {}, getParameters: () => ({ encodings: [] }), setParameters: async () => {} },
        receiver: { get track() { return (track ??= audio ? sounded() : drawn(n)); } },
      };
      this.#all.push(t);
      return t;
    }
    restartIce() {}
    async setLocalDescription() {
      this.#all.forEach((t, n) => (t.mid = String(n)));
      this.localDescription = { type: "offer", sdp: "v=0" };
      this.signalingState = "have-local-offer";
    }
    async setRemoteDescription({ sdp }) {
      this.signalingState = "stable";
      if (this.#all.length > 1) ["camera", "display"].forEach((what, n) => (this.#all[n].currentDirection = sdp.includes(what) ? "sendonly" : "inactive"));
      this.connectionState = "connected";
      setTimeout(() => this.dispatchEvent(new Event("connectionstatechange")));
    }
    async getStats() {
      if (!window_.dark) this.#packets += 50;
      return new Map(this.#all.map((t) => [t.mid, { type: "inbound-rtp", mid: t.mid, packetsReceived: this.#packets }]));
    }
    close() {
      this.connectionState = "closed";
    }
  }
  window_.RTCPeerConnection = Connection;
  window_.asked = []; // of devices
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    window_.asked.push(wanted);
    return new MediaStream([...(wanted.video ? [drawn(6, 640, 480)] : []), ...(wanted.audio ? [sounded()] : [])]);
  };
  navigator.mediaDevices.getDisplayMedia = async () => new MediaStream([drawn(7)]);
}
