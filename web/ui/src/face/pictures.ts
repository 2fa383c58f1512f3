// A page's pictures: one connection to the server for video alone, beside the one for sound.
// The page offers, with a layout that never changes: section 0 sends the camera, 1 a shared
// display, the others are slots in which the server shows what it will. The connection mends
// itself: by new ICE credentials, or by a new connection where that is no help.
import type { Server, VoiceState } from "../voice/signal.ts";
import { browser } from "./host.ts";
import type { FaceHost } from "./host.ts";
import type { Cam, ScreenSignal, Slot } from "./signal.ts";

const lookEvery = 1_000; // milliseconds between looks at what comes
const darkAfter = { camera: 3_000, display: 5_000 }; // milliseconds without a packet, after which a slot shows nothing; a still screen sends little
const restartAfter = 1_000; // milliseconds after a cut: many mend by themselves
const restartEvery = 5_000; // milliseconds between tries
const restarts = 2; // tries by new credentials, before a new connection is made
const sentHeight = 720; // pixels of the short side that are sent at most; stills are larger
const fullRate = 1_500_000; // bits a second of the full picture
const smallRate = 200_000; // of the one scaled down

export interface PicturesOptions {
  slots: number; // 4 at customers' pages, 6 at the desk
  servers: Server[] | (() => Promise<Server[]>);
  send(signal: ScreenSignal): void;
  onState(state: VoiceState): void;
  onShown(shown: Shown[]): void; // whenever what is to be seen, or whether it comes, is another
  onAllowed?(allowed: Allowed): void; // what the server lets this page show
  relayOnly?: boolean; // tries the relay alone
  host?: FaceHost;
}

export interface Allowed {
  camera: boolean;
  display: boolean;
}

// Shown is what a slot shows. Its stream stays the same as long as the connection.
export interface Shown {
  id: string; // LEG:camera or LEG:display
  leg: string;
  kind: "camera" | "display";
  stream: MediaStream;
  live: boolean; // pictures come
}

export interface PictureFigures {
  sent: number; // frames a second, of all layers the largest
  width: number; // of what is sent
  height: number;
  received: { id: string; frames: number; width: number; height: number }[]; // frames: decoded so far
  rtt: number; // seconds; 0 = unknown
  protocol: string; // udp, tcp; "relay" where a relay is between
}

interface Seat {
  transceiver: RTCRtpTransceiver;
  stream: MediaStream;
  packets: number;
  dark: number; // milliseconds since a packet came
}

export class Pictures {
  state: VoiceState = "new";
  shown: readonly Shown[] = [];
  allowed: Allowed = { camera: false, display: false };
  private readonly host: FaceHost;
  private servers: Server[] = [];
  private pc: RTCPeerConnection | null = null;
  private camTransceiver: RTCRtpTransceiver | null = null;
  private displayTransceiver: RTCRtpTransceiver | null = null;
  private seats: Seat[] = [];
  private slots: Slot[] = [];
  private cameraTrack: MediaStreamTrack | null = null;
  private displayTrack: MediaStreamTrack | null = null;
  private camSaid: Cam | "" = "";
  private tries = 0;
  private work: Promise<void> = Promise.resolve(); // signals are carried out one after the other
  private cancelTry: (() => void) | null = null;
  private stops: (() => void)[] = [];

  constructor(private readonly o: PicturesOptions) {
    this.host = o.host ?? browser;
  }

  // start connects. Nothing is shown to anybody before camera or display are given.
  async start(): Promise<void> {
    this.become("connecting");
    this.servers = typeof this.o.servers === "function" ? await this.o.servers() : this.o.servers;
    if (this.gone()) return;
    this.stops.push(
      this.host.every(lookEvery, () => void this.look()),
      this.host.networkChanged(() => this.mend(restartAfter / 2)), // several changes come at once
    );
    this.connect();
    await this.run(() => this.offer());
  }

  // take carries out a signal of the server.
  take(signal: ScreenSignal): Promise<void> {
    return this.run(async () => {
      const pc = this.pc;
      if (!pc) return;
      switch (signal.kind) {
        case "answer":
          if (pc.signalingState !== "have-local-offer") return;
          await pc.setRemoteDescription({ type: "answer", sdp: signal.sdp ?? "" });
          return this.answered();
        case "restart":
          if (signal.why === "new" || pc.connectionState === "failed" || pc.connectionState === "closed") this.connect();
          else if (signal.why !== "allowed") pc.restartIce();
          return this.offer();
        case "slots":
          this.slots = signal.slots ?? [];
          return this.tellShown(true);
        case "bye":
          return this.close();
      }
    });
  }

  // again is told that the way of signalling is back: what was said meanwhile may be lost.
  again(): void {
    if (this.camSaid !== "") this.o.send({ kind: "cam", cam: this.camSaid });
    void this.run(async () => {
      const pc = this.pc;
      if (!pc) return;
      if (pc.signalingState === "have-local-offer") return this.say(pc);
      if (this.state === "up") return;
      pc.restartIce();
      await this.offer();
    });
  }

  // camera shows a track from now on; null shows nothing.
  camera(track: MediaStreamTrack | null): void {
    this.cameraTrack = track;
    this.replace(this.camTransceiver, track);
    this.scale();
  }

  display(track: MediaStreamTrack | null): void {
    this.displayTrack = track;
    this.replace(this.displayTransceiver, track);
  }

  // cam tells the server how the camera is.
  cam(cam: Cam): void {
    if (this.camSaid === cam) return;
    this.camSaid = cam;
    this.o.send({ kind: "cam", cam });
  }

  async figures(): Promise<PictureFigures> {
    const f: PictureFigures = { sent: 0, width: 0, height: 0, received: [], rtt: 0, protocol: "" };
    const all = [...((await this.pc?.getStats()) as unknown as Map<string, Stat> | undefined)?.values() ?? []];
    for (const s of all) {
      if (s.type === "outbound-rtp" && (s.frameWidth ?? 0) > f.width) {
        f.sent = s.framesPerSecond ?? 0;
        f.width = s.frameWidth ?? 0;
        f.height = s.frameHeight ?? 0;
      }
      if (s.type === "inbound-rtp") {
        const id = this.slots.find((slot) => slot.mid === s.mid)?.id ?? "";
        if (id !== "") f.received.push({ id, frames: s.framesDecoded ?? 0, width: s.frameWidth ?? 0, height: s.frameHeight ?? 0 });
      }
      if (s.type === "candidate-pair" && s.nominated) {
        f.rtt = s.currentRoundTripTime ?? 0;
        const local = all.find((c) => c.id === s.localCandidateId);
        f.protocol = local?.candidateType === "relay" ? "relay" : (local?.protocol ?? "");
      }
    }
    return f;
  }

  close(): void {
    if (this.state === "gone") return;
    this.cancelTry?.();
    for (const stop of this.stops) stop();
    this.stops = [];
    this.drop();
    this.slots = [];
    this.tellShown(false);
    this.become("gone");
  }

  // connect makes a connection, in the place of the one there is.
  private connect(): void {
    this.drop();
    const config: RTCConfiguration = { iceServers: this.servers as RTCIceServer[], bundlePolicy: "max-bundle" };
    if (this.o.relayOnly) config.iceTransportPolicy = "relay";
    const pc = (this.pc = this.host.connect(config));
    this.camTransceiver = cameraOf(pc);
    this.displayTransceiver = pc.addTransceiver("video", { direction: "sendonly" });
    this.seats = Array.from({ length: this.o.slots }, () => {
      const transceiver = pc.addTransceiver("video", { direction: "recvonly" });
      return { transceiver, stream: this.host.stream(transceiver.receiver.track), packets: 0, dark: darkAfter.display };
    });
    for (const t of [this.camTransceiver, this.displayTransceiver, ...this.seats.map((s) => s.transceiver)]) onlyVP8(t);
    this.replace(this.camTransceiver, this.cameraTrack);
    this.replace(this.displayTransceiver, this.displayTrack);
    pc.addEventListener("connectionstatechange", () => this.pc === pc && this.changed(pc.connectionState));
  }

  private drop(): void {
    const pc = this.pc;
    this.pc = null;
    this.camTransceiver = this.displayTransceiver = null;
    this.seats = [];
    pc?.close();
  }

  private async offer(): Promise<void> {
    const pc = this.pc;
    if (!pc || (pc.signalingState !== "stable" && pc.signalingState !== "have-local-offer")) return;
    await pc.setLocalDescription();
    this.say(pc);
  }

  // say sends our newest offer. It has no candidates: the server never looks for us.
  private say(pc: RTCPeerConnection): void {
    const ours = pc.localDescription;
    if (this.pc === pc && ours?.type === "offer") this.o.send({ kind: "offer", sdp: ours.sdp });
  }

  private answered(): void {
    const may = (t: RTCRtpTransceiver | null) => t?.currentDirection === "sendonly";
    this.allowed = { camera: may(this.camTransceiver), display: may(this.displayTransceiver) };
    this.scale();
    this.o.onAllowed?.(this.allowed);
  }

  private replace(transceiver: RTCRtpTransceiver | null, track: MediaStreamTrack | null): void {
    transceiver?.sender.replaceTrack(track).catch(() => {}); // of a connection that was just closed
  }

  // scale keeps what is sent small, though the camera gives a large picture for stills.
  private scale(): void {
    const sender = this.camTransceiver?.sender;
    const settings = this.cameraTrack?.getSettings?.();
    const short = Math.min(settings?.width ?? 0, settings?.height ?? 0);
    const parameters = short > 0 ? sender?.getParameters?.() : undefined;
    if (!sender || !parameters?.encodings?.length) return;
    const by = Math.max(1, short / sentHeight);
    for (const e of parameters.encodings) e.scaleResolutionDownBy = e.rid === "l" ? by * 2 : by;
    sender.setParameters(parameters).catch(() => {}); // an older browser sends it as it is
  }

  private changed(state: RTCPeerConnectionState): void {
    switch (state) {
      case "connected":
        this.cancelTry?.();
        this.cancelTry = null;
        this.tries = 0;
        return this.become("up");
      case "disconnected":
      case "failed":
        if (this.state === "up") this.become("cut");
        if (this.state !== "gone") this.mend(restartAfter);
    }
  }

  // mend tries again before long, until it is mended.
  private mend(after: number): void {
    if (this.cancelTry) return;
    this.cancelTry = this.host.after(after, () => {
      this.cancelTry = null;
      if (this.state === "gone") return;
      const dead = this.pc?.connectionState === "failed" || this.pc?.connectionState === "closed";
      const fresh = this.tries++ >= restarts || dead;
      void this.run(async () => {
        if (fresh) this.connect();
        else this.pc?.restartIce();
        await this.offer();
      });
      if (this.state !== "up") this.mend(restartEvery);
    });
  }

  // look notices which slots get pictures, and which do not though they should.
  private async look(): Promise<void> {
    const pc = this.pc;
    if (!pc) return;
    const packets = new Map<string, number>();
    for (const [, s] of (await pc.getStats()) as unknown as Iterable<[string, Stat]>) {
      if (s.type === "inbound-rtp" && s.mid !== undefined) packets.set(s.mid, s.packetsReceived ?? 0);
    }
    if (this.pc !== pc) return;
    for (const seat of this.seats) {
      const now = packets.get(seat.transceiver.mid ?? "") ?? 0;
      seat.dark = now !== seat.packets ? 0 : seat.dark + lookEvery;
      seat.packets = now;
    }
    this.tellShown(false);
  }

  private tellShown(anew: boolean): void {
    const shown: Shown[] = [];
    for (const slot of this.slots) {
      const seat = this.seats.find((s) => s.transceiver.mid === slot.mid);
      if (!seat || slot.id === "") continue;
      const at = slot.id.lastIndexOf(":");
      const kind = slot.id.slice(at + 1) === "display" ? "display" : "camera";
      shown.push({ id: slot.id, leg: slot.id.slice(0, at), kind, stream: seat.stream, live: this.state === "up" && seat.dark < darkAfter[kind] });
    }
    const same = shown.length === this.shown.length && shown.every((s, i) => this.shown[i]?.id === s.id && this.shown[i]?.live === s.live && this.shown[i]?.stream === s.stream);
    if (same && !anew) return;
    this.shown = shown;
    this.o.onShown(shown);
  }

  // run carries out one thing after the other. What fails is mended by trying anew.
  private run(what: () => void | Promise<void>): Promise<void> {
    this.work = this.work.then(async () => {
      if (this.state === "gone") return;
      try {
        await what();
      } catch (err) {
        console.warn("pictures:", err);
        this.mend(restartAfter);
      }
    });
    return this.work;
  }

  private gone(): boolean {
    return this.state === "gone";
  }

  private become(state: VoiceState): void {
    if (this.state === state || this.state === "gone") return;
    this.state = state;
    this.o.onState(state);
    if (state !== "gone") this.tellShown(false);
  }
}

interface Stat {
  type: string;
  id?: string;
  mid?: string;
  packetsReceived?: number;
  framesDecoded?: number;
  framesPerSecond?: number;
  frameWidth?: number;
  frameHeight?: number;
  nominated?: boolean;
  currentRoundTripTime?: number;
  localCandidateId?: string;
  candidateType?: string;
  protocol?: string;
}

// cameraOf adds the section of the camera: in two sizes where the browser can.
function cameraOf(pc: RTCPeerConnection): RTCRtpTransceiver {
  try {
    return pc.addTransceiver("video", {
      direction: "sendonly",
      sendEncodings: [
        { rid: "l", scaleResolutionDownBy: 2, maxBitrate: smallRate },
        { rid: "h", maxBitrate: fullRate },
      ],
    });
  } catch {
    return pc.addTransceiver("video", { direction: "sendonly" });
  }
}

// onlyVP8 keeps other codecs out of the offer: the server forwards this one alone.
function onlyVP8(t: RTCRtpTransceiver): void {
  try {
    const all = RTCRtpReceiver.getCapabilities("video")?.codecs ?? [];
    const wanted = all.filter((c) => /^video\/(VP8|rtx)$/i.test(c.mimeType));
    if (wanted.some((c) => /VP8/i.test(c.mimeType))) t.setCodecPreferences(wanted);
  } catch {
    // An older browser offers all it has; the answer names one.
  }
}
