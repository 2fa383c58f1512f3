// A browser's camera and connections, and the server's side of an upgrade, played for the tests
// of the customer's voice and pictures.
import { Camera } from "../src/face/camera.ts";
import { Pictures } from "../src/face/pictures.ts";
import { Beside } from "../src/widget/beside.ts";
import { Facing } from "../src/widget/face/facing.ts";
import { Clock } from "./world.mjs";

export const settle = () => new Promise((ok) => setTimeout(ok));

export class Track extends EventTarget {
  constructor(kind, settings = { width: 1920, height: 1080 }) {
    super();
    Object.assign(this, { kind, settings, muted: false, enabled: true, readyState: "live", label: "FaceTime" });
  }
  getSettings() {
    return this.settings;
  }
  stop() {
    this.readyState = "ended";
  }
  is(event) {
    this.muted = event === "mute";
    if (event === "ended") this.readyState = "ended";
    this.dispatchEvent(new Event(event));
  }
}

// Browser is one whose devices and connections are played; all that is asked of it is written down.
export class Browser {
  clock = new Clock();
  asked = []; // of getUserMedia
  refuse = "";
  tracks = [];
  connections = [];
  permissions = Object.assign(new EventTarget(), { state: "granted" });
  devices = [{ kind: "videoinput", deviceId: "c1", label: "Front" }, { kind: "videoinput", deviceId: "c2", label: "Back" }];
  media = Object.assign(new EventTarget(), {
    getUserMedia: async (c) => {
      this.asked.push(c);
      if (this.refuse) throw Object.assign(new Error(this.refuse), { name: this.refuse });
      const track = new Track("video", { width: 1920, height: 1080, deviceId: c.video.deviceId?.exact ?? "c1" });
      this.tracks.push(track);
      return { getVideoTracks: () => [track], getTracks: () => [track] };
    },
    enumerateDevices: async () => this.devices,
  });
  host = {
    connect: (config) => {
      const c = new Connection(config);
      this.connections.push(c);
      return c;
    },
    media: () => this.media,
    permission: async () => this.permissions,
    every: (ms, run) => {
      let stop = () => {};
      const again = () => (stop = this.clock.after(ms, () => (run(), again())));
      again();
      return () => stop();
    },
    after: (ms, run) => this.clock.after(ms, run),
    networkChanged: () => () => {},
    stream: (track) => ({ track }),
    grab: async () => new Blob(["jpeg"]),
  };
  async pass(ms) {
    for (let gone = 0; gone < ms; gone += 250) {
      this.clock.turn(250);
      await settle();
    }
  }
}

// Connection is an RTCPeerConnection as far as pictures use it.
export class Connection extends EventTarget {
  transceivers = [];
  signalingState = "stable";
  connectionState = "new";
  localDescription = null;
  restarts = 0;
  offers = 0;
  packets = {};
  constructor(config) {
    super();
    this.config = config;
  }
  addTransceiver(kind, init) {
    const t = {
      kind, init, mid: String(this.transceivers.length), currentDirection: null,
      sender: { track: null, replaceTrack: async (x) => void (t.sender.track = x), getParameters: () => t.parameters, setParameters: async (p) => void (t.parameters = p) },
      receiver: { track: { kind } }, parameters: { encodings: (init.sendEncodings ?? [{}]).map((e) => ({ ...e })) },
    };
    this.transceivers.push(t);
    return t;
  }
  restartIce() {
    this.restarts++;
  }
  async setLocalDescription() {
    this.signalingState = "have-local-offer";
    this.localDescription = { type: "offer", sdp: `offer ${++this.offers}` };
  }
  async setRemoteDescription({ sdp }) {
    this.signalingState = "stable";
    this.transceivers.forEach((t, i) => (t.currentDirection = i < 2 ? (sdp.includes("camera") && i === 0 ? "sendonly" : "inactive") : "recvonly"));
  }
  async getStats() {
    return new Map(Object.entries(this.packets).map(([mid, n]) => [mid, { type: "inbound-rtp", mid, packetsReceived: n }]));
  }
  become(state) {
    this.connectionState = state;
    this.dispatchEvent(new Event("connectionstatechange"));
  }
  close() {
    this.closed = true;
  }
}

// Far plays the server's side of a Beside, and of the devices.
export class Far {
  browser = new Browser();
  sent = [];
  voices = [];
  changes = 0;
  #ids = 0;
  link = new Beside("p1", () => `i${++this.#ids}`, (f) => (this.sent.push(f), true), () => this.facing?.sync());
  constructor() {
    this.link.settle();
    this.facing = new Facing({
      link: this.link,
      changed: () => this.changes++,
      heard: () => {},
      voice: (o) => {
        const v = { o, opened: false, muted: false, closed: false, start: async () => {}, take: async (s) => void (v.took = s), again() {}, mute: (on) => (v.muted = on), open: (on) => (v.opened = on), devices: async () => [], use: async () => {}, level: () => 0, close: () => (v.closed = true) };
        this.voices.push(v);
        return v;
      },
      pictures: (o) => new Pictures({ ...o, host: this.browser.host }),
      camera: (o) => new Camera({ ...o, host: this.browser.host }),
    });
  }
  get voice() {
    return this.voices.at(-1);
  }
  tell(upgrade, may = []) {
    this.link.take({ t: "upgrade", upgrade, may });
  }
  answer(refusal) {
    const f = this.sent.findLast((f) => f.id !== undefined);
    this.link.take(refusal ? { t: "refused", id: f.id, ...refusal } : { t: "done", id: f.id });
    return f;
  }
  upgrade(more = {}) {
    return { id: "u1", state: "asked", by: "agent", name: "Mei", level: "video", agreed: "", now: "", who: [{ name: "Mei", role: "agent", leg: "L1" }], ...more };
  }
}
