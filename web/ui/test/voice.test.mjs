import assert from "node:assert/strict";
import { test } from "node:test";
import { PageCall } from "../src/voice/call.ts";
import { Voice } from "../src/voice/voice.ts";

// A browser whose clock the test moves.
class Browser {
  now = 0;
  timers = [];
  connections = [];
  sent = [];
  states = [];
  mics = [];
  peak = 0.1;
  permission = Object.assign(new EventTarget(), { state: "granted" });
  refuse = null; // the name of the error that getUserMedia meets
  asked = [];
  network = new EventTarget();

  media = Object.assign(new EventTarget(), {
    getUserMedia: async ({ audio }) => {
      this.asked.push(audio.deviceId?.exact ?? "");
      if (this.refuse && (this.refuse !== "OverconstrainedError" || audio.deviceId)) throw Object.assign(new Error(this.refuse), { name: this.refuse });
      this.track = new Track();
      return { getAudioTracks: () => [this.track], getTracks: () => [this.track] };
    },
    enumerateDevices: async () => [
      { kind: "audioinput", deviceId: "a", label: "Headset" },
      { kind: "audiooutput", deviceId: "b", label: "Speaker" },
      { kind: "audioinput", deviceId: "", label: "" },
    ],
  });

  host = {
    connect: (config) => {
      const c = new Connection(config);
      this.connections.push(c);
      return c;
    },
    media: () => this.media,
    permission: async () => this.permission,
    meter: () => ({ peak: () => this.peak, close() {} }),
    silence: () => ({ track: (this.quiet ??= new Track("silence")), close() {} }),
    every: (ms, run) => this.timer(ms, run, ms),
    after: (ms, run) => this.timer(ms, run, 0),
    networkChanged: (run) => {
      this.network.addEventListener("change", run);
      return () => this.network.removeEventListener("change", run);
    },
  };

  timer(ms, run, every) {
    const one = { at: this.now + ms, run, every };
    this.timers.push(one);
    return () => (this.timers = this.timers.filter((t) => t !== one));
  }

  // pass lets time go by, and what waits for nothing else happen.
  async pass(ms) {
    const end = this.now + ms;
    for (;;) {
      await settle();
      const next = this.timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      this.now = next.at;
      if (next.every) next.at += next.every;
      else this.timers = this.timers.filter((t) => t !== next);
      next.run();
    }
    this.now = end;
    await settle();
  }

  voice(more = {}) {
    return new Voice({
      servers: [], host: this.host, send: (s) => this.sent.push(s), onState: (s) => this.states.push(s), onMic: (m) => this.mics.push(m), onRemote: () => {}, ...more,
    });
  }

  get pc() {
    return this.connections.at(-1);
  }

  kinds() {
    return this.sent.map((s) => s.kind);
  }
}

async function settle() {
  for (let i = 0; i < 30; i++) await null;
}

class Track extends EventTarget {
  enabled = true;
  muted = false;
  readyState = "live";
  constructor(name = "microphone") {
    super();
    this.name = name;
  }
  stop() {
    this.readyState = "ended";
  }
  tell(what) {
    if (what === "ended") this.readyState = "ended";
    if (what === "mute") this.muted = true;
    if (what === "unmute") this.muted = false;
    this.dispatchEvent(new Event(what));
  }
}

class Connection extends EventTarget {
  signalingState = "stable";
  connectionState = "new";
  localDescription = null;
  restarts = 0;
  packets = 0;
  dtmf = { canInsertDTMF: true, toneBuffer: "", insertDTMF: (tones) => (this.dtmf.toneBuffer = tones) };
  constructor(config) {
    super();
    this.config = config;
  }
  addTransceiver(track) {
    this.sending = track;
    const codecs = [["PCMU", 8000], ["opus", 48000, 2, "minptime=10"]].map(([name, clockRate, channels, sdpFmtpLine], payloadType) => ({ mimeType: `audio/${name}`, clockRate, channels, sdpFmtpLine, payloadType }));
    const setParameters = async (p) => {
      if (this.rigid) throw new Error("it cannot choose");
      this.speaks = p.encodings[0].codec;
    };
    return { sender: { dtmf: this.dtmf, replaceTrack: async (t) => void (this.sending = t), getParameters: () => ({ encodings: [{}], codecs }), setParameters } };
  }
  restartIce() {
    this.restarts++;
  }
  async setLocalDescription() {
    const type = this.signalingState === "have-remote-offer" ? "answer" : "offer";
    this.localDescription = { type, sdp: `${type} ${this.restarts}` };
    this.signalingState = type === "answer" ? "stable" : "have-local-offer";
  }
  async setRemoteDescription(d) {
    if (d.type === "answer" && this.signalingState !== "have-local-offer") throw new Error("no offer of ours");
    this.signalingState = d.type === "answer" ? "stable" : "have-remote-offer"; // an offer of ours is withdrawn
  }
  async getStats() {
    return new Map([["in", { type: "inbound-rtp", packetsReceived: this.packets }]]);
  }
  become(state) {
    this.connectionState = state;
    this.dispatchEvent(new Event("connectionstatechange"));
  }
  close() {
    this.connectionState = "closed";
  }
}

globalThis.MediaStream = class {};
globalThis.DOMException ??= class extends Error {};

async function up(b, more) {
  const v = b.voice(more);
  await v.start();
  await v.take({ kind: "answer", sdp: "a" });
  b.pc.packets = 1;
  b.pc.become("connected");
  return v;
}

// runs packets for as long as time goes by.
async function flowing(b, ms) {
  for (let t = 0; t < ms; t += 500) {
    b.pc.packets += 25;
    await b.pass(500);
  }
}

test("it connects: the microphone first, then an offer; and is silent until it is opened", async () => {
  const b = new Browser();
  const v = await up(b);
  assert.deepEqual(b.kinds(), ["mic", "offer"]);
  assert.deepEqual(b.states, ["connecting", "up"]);
  assert.equal(b.track.enabled, false);
  v.open(true);
  assert.equal(b.track.enabled, true);
  v.mute(true);
  assert.equal(b.track.enabled, false);
  v.mute(false);
  v.open(false);
  assert.equal(b.track.enabled, false);
  assert.equal(v.keys("12#"), true);
  assert.equal(b.pc.dtmf.toneBuffer, "12#");
  assert.equal(v.keys("12x"), false);
  assert.deepEqual(await v.devices(), [{ id: "a", label: "Headset" }]);
  v.close();
  assert.equal(b.track.readyState, "ended");
  assert.equal(b.timers.length, 0, "nothing goes on");
});

test("a microphone that is denied or missing is told, and silence is sent", async () => {
  for (const [error, mic] of [["NotAllowedError", "denied"], ["NotFoundError", "unplugged"], ["NotReadableError", "unplugged"]]) {
    const b = new Browser();
    b.refuse = error;
    const v = await up(b);
    assert.deepEqual(b.mics, [mic]);
    assert.deepEqual(b.sent[0], { kind: "mic", mic });
    assert.equal(b.pc.sending.name, "silence");
    b.refuse = null; // it is allowed now, or plugged in
    if (mic === "denied") b.permission.dispatchEvent(new Event("change"));
    else b.media.dispatchEvent(new Event("devicechange"));
    await b.pass(0);
    assert.deepEqual(b.mics, [mic, "ok"]);
    assert.equal(b.pc.sending, b.track);
    assert.equal(b.connections.length, 1, "without a new connection");
    v.close();
  }
});

test("a page that is not secure can have no microphone", async () => {
  const b = new Browser();
  b.media = undefined;
  await assert.rejects(b.voice().start(), { name: "SecurityError" });
  assert.deepEqual(b.states, ["connecting", "gone"]);
});

test("mute by the system, silence, and a microphone that is taken out are told apart", async () => {
  const b = new Browser();
  const v = await up(b);
  b.track.tell("mute");
  b.track.tell("unmute");
  b.peak = 0;
  await flowing(b, 14_000);
  assert.deepEqual(b.mics, ["ok", "muted", "ok"]);
  await flowing(b, 2_000);
  assert.deepEqual(b.mics.slice(3), ["silent"]);
  b.peak = 0.01;
  await flowing(b, 500);
  assert.deepEqual(b.mics.slice(4), ["ok"]);
  b.refuse = "NotFoundError";
  b.track.tell("ended");
  await b.pass(0);
  assert.deepEqual(b.mics.slice(5), ["unplugged"]);
  assert.equal(b.pc.sending.name, "silence");
  assert.deepEqual(b.sent.filter((s) => s.kind === "mic").map((s) => s.mic), b.mics);
  v.close();
});

test("another microphone is used without a new connection, and one that is gone is replaced", async () => {
  const b = new Browser();
  const v = await up(b);
  const before = b.track;
  await v.use("a");
  assert.equal(before.readyState, "ended");
  assert.equal(b.pc.sending, b.track);
  b.refuse = "OverconstrainedError";
  await v.use("gone");
  assert.deepEqual(b.asked, ["", "a", "gone", ""]);
  assert.equal(b.mics.at(-1), "ok");
  assert.equal(b.connections.length, 1);
  v.close();
});

test("a cut is mended by new credentials, then by a new connection", async () => {
  const b = new Browser();
  const v = await up(b);
  b.pc.become("disconnected");
  assert.equal(b.states.at(-1), "cut");
  await b.pass(1_000);
  assert.equal(b.pc.restarts, 1);
  assert.equal(b.sent.at(-1).sdp, "offer 1");
  await b.pass(5_000);
  assert.equal(b.pc.restarts, 2);
  await b.pass(5_000);
  assert.equal(b.connections.length, 2, "a new connection");
  await v.take({ kind: "answer", sdp: "a" });
  b.pc.become("connected");
  assert.equal(b.states.at(-1), "up");
  const said = b.sent.length;
  await flowing(b, 20_000);
  assert.equal(b.sent.length, said, "it tries no more");
  v.close();
});

test("a connection by which nothing comes is cut within 5 seconds, though it looks well", async () => {
  const b = new Browser();
  const v = await up(b);
  await flowing(b, 3_000);
  assert.equal(b.states.at(-1), "up");
  await b.pass(5_000);
  assert.ok(b.states.includes("cut"));
  await flowing(b, 1_000);
  assert.equal(b.states.at(-1), "up");
  v.close();
});

test("another network has it connect anew before anything is cut", async () => {
  const b = new Browser();
  const v = await up(b);
  b.network.dispatchEvent(new Event("change"));
  b.network.dispatchEvent(new Event("change"));
  b.pc.packets++;
  await b.pass(600);
  assert.equal(b.pc.restarts, 1);
  assert.deepEqual(b.kinds().filter((k) => k === "offer").length, 2);
  v.close();
});

test("where offers cross the page takes the server's", async () => {
  const b = new Browser();
  const v = await up(b);
  b.pc.become("disconnected");
  await b.pass(1_000); // ours is under way
  assert.equal(b.pc.signalingState, "have-local-offer");
  await v.take({ kind: "offer", sdp: "o" });
  assert.equal(b.sent.at(-1).kind, "answer");
  assert.equal(b.pc.signalingState, "stable");
  await v.take({ kind: "answer", sdp: "late" });
  assert.equal(b.pc.signalingState, "stable");
  v.close();
});

test("when signalling is back, what was not answered is said anew", async () => {
  const b = new Browser();
  const v = b.voice();
  await v.start();
  b.sent.length = 0;
  v.again();
  await b.pass(0);
  assert.deepEqual(b.kinds(), ["mic", "offer"]);
  await v.take({ kind: "answer", sdp: "a" });
  b.pc.become("connected");
  b.sent.length = 0;
  v.again();
  await b.pass(0);
  assert.deepEqual(b.kinds(), ["mic"], "what is up is left alone");
  v.close();
});

test("the server asks for a new connection, and says goodbye", async () => {
  const b = new Browser();
  const v = await up(b);
  await v.take({ kind: "restart", why: "new" });
  assert.equal(b.connections.length, 2);
  assert.equal(b.connections[0].connectionState, "closed");
  await v.take({ kind: "restart", why: "cut" });
  assert.equal(b.pc.restarts, 1);
  await v.take({ kind: "bye" });
  assert.equal(b.states.at(-1), "gone");
});

test("it speaks as the server asks; what it cannot speak changes nothing", async () => {
  const b = new Browser();
  const v = await up(b);
  await v.take({ kind: "speak", codec: "opus" });
  assert.deepEqual(b.pc.speaks, { mimeType: "audio/opus", clockRate: 48000, channels: 2, sdpFmtpLine: "minptime=10" });
  await v.take({ kind: "speak", codec: "PCMU" });
  assert.deepEqual(b.pc.speaks, { mimeType: "audio/PCMU", clockRate: 8000 });
  await v.take({ kind: "speak", codec: "G722" });
  await v.take({ kind: "speak" });
  assert.equal(b.pc.speaks.mimeType, "audio/PCMU");
  b.pc.rigid = true;
  await v.take({ kind: "speak", codec: "opus" });
  assert.deepEqual([v.state, b.pc.speaks.mimeType, b.kinds()], ["up", "audio/PCMU", ["mic", "offer"]]);
  v.close();
});

// A call: its socket, and a voice that does what it is told.
class Call {
  browser = new Browser();
  sockets = [];
  voice = { opened: false, taken: [], agains: 0, closed: false };
  mic = "ok";
  constructor() {
    this.call = new PageCall({
      to: "95599", langs: ["en"], onChange: () => {}, onRemote: () => {}, now: () => this.browser.now, after: (ms, run) => this.browser.host.after(ms, run),
      socket: () => {
        const s = { readyState: 1, sent: [], send: (t) => s.sent.push(JSON.parse(t)), close: () => (s.closed = true) };
        this.sockets.push(s);
        return s;
      },
      voice: (o) => {
        this.o = o;
        return {
          start: async () => {
            o.onMic(this.mic);
            o.send({ kind: "mic", mic: this.mic });
            if (this.call.state === "over") return;
            this.servers = await o.servers();
          },
          take: async (s) => void this.voice.taken.push(s), again: () => this.voice.agains++, mute: () => {}, open: (on) => (this.voice.opened = on),
          keys: () => true, devices: async () => [], use: async () => {}, level: () => 0, close: () => (this.voice.closed = true),
        };
      },
    });
  }
  get socket() {
    return this.sockets.at(-1);
  }
  says(frame) {
    this.socket.onmessage({ data: JSON.stringify(frame) });
  }
  async begin() {
    void this.call.begin();
    await settle();
    this.socket.onopen();
    this.says({ t: "welcome", call: "token", servers: [{ urls: ["turn:x"] }], resumed: false });
    await settle();
  }
}

test("a call: hello, welcome, ringing, up, keys, hung up", async () => {
  const c = new Call();
  await c.begin();
  assert.deepEqual(c.socket.sent, [{ t: "hello", to: "95599", langs: ["en"] }, { t: "voice", signal: { kind: "mic", mic: "ok" } }]);
  assert.deepEqual(c.servers, [{ urls: ["turn:x"] }]);
  assert.equal(c.call.keys("1"), false, "before it is up");
  c.says({ t: "state", state: "ringing" });
  assert.equal(c.call.state, "ringing");
  c.browser.now = 5_000;
  c.says({ t: "state", state: "up" });
  assert.equal(c.call.since, 5_000);
  assert.equal(c.call.keys("1"), true);
  c.says({ t: "voice", signal: { kind: "answer", sdp: "a" } });
  assert.equal(c.voice.taken.length, 1);
  c.call.hangup();
  assert.deepEqual(c.socket.sent.at(-1), { t: "bye" });
  assert.equal(c.call.why, "hangup");
  assert.ok(c.voice.closed && c.socket.closed);
});

test("a microphone that is denied ends the call before there is one", async () => {
  const c = new Call();
  c.mic = "denied";
  void c.call.begin();
  await settle();
  assert.equal(c.call.why, "denied");
  assert.equal(c.sockets.length, 0);
});

test("the server refuses, in words", async () => {
  const c = new Call();
  await c.begin();
  c.says({ t: "state", state: "over", why: "busy", message: { en: "Busy." } });
  assert.equal(c.call.state, "over");
  assert.deepEqual([c.call.why, c.call.message.en], ["busy", "Busy."]);
});

test("a socket that is lost comes back by its token while the voice goes on", async () => {
  const c = new Call();
  await c.begin();
  c.says({ t: "state", state: "up" });
  c.socket.onclose({ code: 1006, reason: "" });
  assert.equal(c.call.lineLost, true);
  assert.equal(c.call.state, "up");
  await c.browser.pass(300);
  c.socket.onopen();
  assert.deepEqual(c.socket.sent, [{ t: "hello", call: "token" }]);
  c.says({ t: "welcome", call: "token", servers: [], resumed: true });
  assert.equal(c.call.lineLost, false);
  assert.equal(c.voice.agains, 1);
});

test("one that does not come back within 30 seconds is lost", async () => {
  const c = new Call();
  await c.begin();
  for (let i = 0; i < 30 && c.call.state !== "over"; i++) {
    c.socket.onclose({ code: 1006, reason: "" });
    await c.browser.pass(3_000);
  }
  assert.equal(c.call.why, "lost");
  assert.ok(c.browser.now >= 30_000);
});
