// One try of this device against the server: microphone and camera are sent, the camera's
// picture comes back. Nobody is at the other end, and nothing is kept.
import { Camera } from "../face/camera.ts";
import type { CameraOptions } from "../face/camera.ts";
import { Pictures } from "../face/pictures.ts";
import type { PicturesOptions, Shown } from "../face/pictures.ts";
import type { Cam, ScreenSignal } from "../face/signal.ts";
import { Voice } from "../voice/voice.ts";
import type { VoiceOptions } from "../voice/voice.ts";
import type { Mic, Server, Signal, VoiceState } from "../voice/signal.ts";
import type { SocketLike } from "../voice/call.ts";

const subprotocol = "tandem.check.1";
const slots = 4;

export interface ProbeOptions {
  onChange(): void;
  socket?: () => SocketLike;
  voice?: (o: VoiceOptions) => Pick<Voice, "start" | "take" | "open" | "level" | "use" | "close">;
  pictures?: (o: PicturesOptions) => Pictures;
  camera?: (o: CameraOptions) => Camera;
}

export class Probe {
  begun = false;
  over = false;
  why = ""; // of over: time, bye, many, busy, closed, lost, insecure
  retryAfter = 0; // seconds; of many
  mic: Mic | "" = "";
  cam: Cam | "" = "";
  loudest = 0; // of the microphone so far, 0 to 1
  voiceState: VoiceState = "new";
  screenState: VoiceState = "new";
  voiceWasUp = false;
  back: Shown | null = null; // one's own picture, come back
  cameBack = false;
  protocol = ""; // udp, tcp, relay
  rtt = 0; // seconds

  readonly camera: Camera;
  private readonly voice: Pick<Voice, "start" | "take" | "open" | "level" | "use" | "close">;
  private pictures: Pictures | null = null;
  private socket: SocketLike | null = null;
  private welcomed: ((servers: Server[]) => void) | null = null;
  private servers: Server[] = [];

  constructor(private readonly o: ProbeOptions) {
    this.camera = (o.camera ?? ((c) => new Camera(c)))({
      onCam: (cam) => {
        this.cam = cam;
        this.pictures?.cam(cam);
        o.onChange();
      },
      onTrack: (track) => {
        this.pictures?.camera(track);
        o.onChange();
      },
    });
    this.voice = (o.voice ?? ((v) => new Voice(v)))({
      servers: () => new Promise<Server[]>((yes) => this.dial(yes)),
      send: (signal) => this.write("voice", signal),
      onState: (state) => {
        this.voiceState = state;
        if (state === "up") this.voiceWasUp = true;
        o.onChange();
      },
      onMic: (mic) => {
        this.mic = mic;
        o.onChange();
      },
      onRemote: () => {}, // it is silent
    });
  }

  // begin asks for the devices, then connects with what there is of them.
  async begin(): Promise<void> {
    this.begun = true;
    this.o.onChange();
    this.voice.open(true);
    await this.camera.open();
    try {
      await this.voice.start();
    } catch {
      this.finish("insecure");
    }
  }

  // again tries the devices that were refused.
  async again(): Promise<void> {
    if (this.cam === "denied" || this.cam === "unplugged") await this.camera.open();
    if (this.mic === "denied" || this.mic === "unplugged") await this.voice.use("");
  }

  // look measures; call it some ten times a second.
  look(): number {
    const level = this.voice.level();
    if (level > this.loudest) this.loudest = level;
    return level;
  }

  async measure(): Promise<void> {
    const f = await this.pictures?.figures();
    if (!f || f.protocol === "") return;
    this.protocol = f.protocol;
    this.rtt = f.rtt;
    this.o.onChange();
  }

  useMicrophone(id: string): Promise<void> {
    return this.voice.use(id);
  }

  close(): void {
    this.finish("bye");
    this.camera.close();
  }

  private dial(welcomed: (servers: Server[]) => void): void {
    if (this.over) return;
    this.welcomed = welcomed;
    const s = (this.socket = (this.o.socket ?? open)());
    s.onopen = () => this.socket === s && s.send(JSON.stringify({ t: "hello" }));
    s.onmessage = (e) => this.socket === s && typeof e.data === "string" && this.take(e.data);
    s.onclose = () => this.socket === s && this.finish(this.servers.length === 0 && this.welcomed ? "closed" : "lost");
  }

  private take(text: string): void {
    let f: { t: string; servers?: Server[]; signal?: ScreenSignal; why?: string; retry_after?: number };
    try {
      f = JSON.parse(text);
    } catch {
      return;
    }
    switch (f.t) {
      case "welcome":
        this.servers = f.servers ?? [];
        this.welcomed?.(this.servers);
        this.welcomed = null;
        return this.see();
      case "voice":
        return void (f.signal && this.voice.take(f.signal));
      case "screen":
        return void (f.signal && this.pictures?.take(f.signal));
      case "over":
        this.retryAfter = f.retry_after ?? 0;
        return this.finish(f.why ?? "closed");
    }
  }

  // see sends the camera, so that it comes back.
  private see(): void {
    const pictures = (this.o.pictures ?? ((p) => new Pictures(p)))({
      slots,
      servers: this.servers,
      send: (signal) => this.write("screen", signal),
      onState: (state) => {
        this.screenState = state;
        if (state === "up") void this.measure();
        this.o.onChange();
      },
      onShown: (shown) => {
        this.back = shown.find((s) => s.kind === "camera") ?? null;
        if (this.back?.live) this.cameBack = true;
        this.o.onChange();
      },
    });
    this.pictures = pictures;
    pictures.camera(this.camera.track);
    if (this.cam !== "") pictures.cam(this.cam);
    void pictures.start();
  }

  private write(t: "voice" | "screen", signal: Signal): void {
    if (this.socket?.readyState === 1) this.socket.send(JSON.stringify({ t, signal })); // 1: open
  }

  private finish(why: string): void {
    if (this.over) return;
    this.over = true;
    this.why = why;
    const s = this.socket;
    this.socket = null;
    s?.close();
    this.voice.close();
    this.pictures?.close();
    this.o.onChange();
  }
}

function open(): SocketLike {
  const url = new URL("api/v1/check/socket", document.baseURI);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return new WebSocket(url, subprotocol) as unknown as SocketLike;
}

// Finding is how one thing stands.
export type Finding = "wait" | "try" | "good" | "weak" | "bad";

export interface Findings {
  microphone: Finding;
  camera: Finding;
  sound: Finding; // by the network
  picture: Finding;
  all: "wait" | "try" | "video" | "voice" | "text"; // what will work here
}

const heard = 0.02; // of the loudest: from which somebody has spoken

// findingsOf judges a probe. It is a pure function of what the probe has seen.
export function findingsOf(p: Pick<Probe, "begun" | "over" | "why" | "mic" | "cam" | "loudest" | "voiceState" | "screenState" | "voiceWasUp" | "cameBack">): Findings {
  if (!p.begun) return { microphone: "wait", camera: "wait", sound: "wait", picture: "wait", all: "wait" };
  const failed = p.over && p.why !== "time" && p.why !== "bye";
  const microphone: Finding = p.mic === "" ? (p.over ? "bad" : "try") : p.mic === "denied" || p.mic === "unplugged" ? "bad" : p.mic === "muted" || p.mic === "silent" ? "weak" : p.loudest >= heard ? "good" : p.over ? "weak" : "try";
  const camera: Finding = p.cam === "" ? (p.over ? "bad" : "try") : p.cam === "ok" ? "good" : p.cam === "muted" ? "weak" : "bad";
  const sound: Finding = p.voiceWasUp ? "good" : p.over ? "bad" : p.voiceState === "cut" ? "weak" : "try";
  const picture: Finding = p.cameBack ? "good" : camera === "bad" && p.screenState === "up" ? "weak" : p.over ? "bad" : "try";
  const settled = (f: Finding) => f !== "try" && f !== "wait";
  const voice = microphone !== "bad" && sound === "good";
  const all: Findings["all"] = !failed && !p.over && !(settled(sound) && settled(picture) && settled(camera) && settled(microphone)) ? "try" : voice && camera !== "bad" && picture === "good" ? "video" : voice ? "voice" : "text";
  return { microphone, camera, sound, picture, all };
}
