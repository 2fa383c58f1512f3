// A page's voice: one connection to the server for as long as the page wants, whose
// microphone is heard only while it is open. It signals by whatever socket the page has,
// and mends itself: by new ICE credentials, or by a new connection where that is no help.
import { browser } from "./host.ts";
import type { Host } from "./host.ts";
import { Microphone } from "./microphone.ts";
import type { Device, Mic, Server, Signal, VoiceState } from "./signal.ts";

export type { Device, Mic, Server, Signal, VoiceState } from "./signal.ts";

const lookEvery = 1_000; // milliseconds between looks at what comes
const quietAfter = 3_000; // milliseconds without a packet, of which the server sends fifty a second
const restartAfter = 1_000; // milliseconds after a cut: many mend by themselves
const restartEvery = 5_000; // milliseconds between tries
const restarts = 2; // tries by new credentials, before a new connection is made

// Encoding is what is sent, with the codec, which TypeScript does not know yet.
type Encoding = RTCRtpEncodingParameters & { codec?: { mimeType: string; clockRate: number; channels?: number; sdpFmtpLine?: string } };

export interface VoiceOptions {
  servers: Server[] | (() => Promise<Server[]>); // asked for once the microphone is there
  send(signal: Signal): void;
  onState(state: VoiceState): void;
  onMic(mic: Mic): void;
  onRemote(stream: MediaStream): void; // what is heard; again for each new connection
  host?: Host;
}

export class Voice {
  state: VoiceState = "new";
  private readonly host: Host;
  private readonly microphone: Microphone;
  private servers: Server[] = [];
  private pc: RTCPeerConnection | null = null;
  private sender: RTCRtpSender | null = null;
  private sent: MediaStreamTrack | null = null;
  private opened = false;
  private muted = false;
  private tries = 0;
  private received = -1; // packets, at the last look
  private quiet = 0; // milliseconds since they grew
  private work: Promise<void> = Promise.resolve(); // signals are carried out one after the other
  private cancelTry: (() => void) | null = null;
  private stops: (() => void)[] = [];

  constructor(private readonly o: VoiceOptions) {
    this.host = o.host ?? browser;
    this.microphone = new Microphone({
      host: this.host,
      onMic: (mic) => {
        o.onMic(mic);
        o.send({ kind: "mic", mic });
      },
      onTrack: (track) => this.sendTrack(track),
    });
  }

  get mic(): Mic | "" {
    return this.microphone.mic;
  }

  // start asks for the microphone and connects. It fails only in a page that can have none;
  // a microphone that is denied or missing is told by onMic, and the page can still hear.
  async start(device?: string): Promise<void> {
    this.become("connecting");
    try {
      await this.microphone.open(device);
    } catch (err) {
      this.close();
      throw err;
    }
    if (this.ended()) return;
    this.servers = typeof this.o.servers === "function" ? await this.o.servers() : this.o.servers;
    if (this.ended()) return;
    this.stops.push(
      this.host.every(lookEvery, () => void this.look()),
      this.host.networkChanged(() => this.mend(restartAfter / 2)), // several changes come at once
    );
    this.connect();
    await this.run(() => this.offer());
  }

  // take carries out a signal of the server.
  take(signal: Signal): Promise<void> {
    return this.run(async () => {
      const pc = this.pc;
      if (!pc) return;
      switch (signal.kind) {
        case "answer":
          if (pc.signalingState === "have-local-offer") await pc.setRemoteDescription({ type: "answer", sdp: signal.sdp ?? "" });
          return;
        case "offer": // where offers cross, ours is withdrawn: the page is polite
          await pc.setRemoteDescription({ type: "offer", sdp: signal.sdp ?? "" });
          await pc.setLocalDescription();
          return this.say(pc, "answer");
        case "restart":
          if (signal.why === "new" || pc.connectionState === "failed" || pc.connectionState === "closed") this.connect();
          else pc.restartIce();
          return this.offer();
        case "speak":
          return this.speak(signal.codec ?? "");
        case "bye":
          return this.close();
      }
    });
  }

  // again is told that the way of signalling is back: what was said meanwhile may be lost.
  again(): void {
    if (this.microphone.mic !== "") this.o.send({ kind: "mic", mic: this.microphone.mic });
    void this.run(async () => {
      const pc = this.pc;
      if (!pc) return;
      if (pc.signalingState === "have-local-offer") return this.say(pc, "offer");
      if (this.state === "up") return;
      pc.restartIce();
      await this.offer();
    });
  }

  // mute is the person's wish not to be heard.
  mute(on: boolean): void {
    this.muted = on;
    this.gate();
  }

  // open says whether the microphone is to be heard at all: in calls it is.
  open(on: boolean): void {
    this.opened = on;
    this.gate();
  }

  // keys sends what a telephone's keypad would: 0-9 * # A-D. False if it cannot now.
  keys(digits: string): boolean {
    const dtmf = this.sender?.dtmf;
    if (!dtmf?.canInsertDTMF || !/^[0-9A-D*#]{1,32}$/.test(digits)) return false;
    dtmf.insertDTMF(dtmf.toneBuffer + digits, 120, 70);
    return true;
  }

  devices(): Promise<Device[]> {
    return this.microphone.devices();
  }

  // use takes another microphone.
  use(device: string): Promise<void> {
    return this.microphone.use(device);
  }

  // level is how loud the microphone is now, 0 to 1.
  level(): number {
    return this.microphone.level();
  }

  close(): void {
    if (this.state === "gone") return;
    this.cancelTry?.();
    for (const stop of this.stops) stop();
    this.stops = [];
    this.microphone.close();
    this.drop();
    this.become("gone");
  }

  // connect makes a connection, in the place of the one there is.
  private connect(): void {
    this.drop();
    const pc = (this.pc = this.host.connect({ iceServers: this.servers as RTCIceServer[], bundlePolicy: "max-bundle", rtcpMuxPolicy: "require" }));
    this.received = -1;
    this.quiet = 0;
    this.sent = this.microphone.track ?? this.microphone.quiet();
    this.gate();
    const stream = new MediaStream();
    this.sender = pc.addTransceiver(this.sent ?? "audio", { direction: "sendrecv", streams: [stream] }).sender;
    pc.addEventListener("track", (e) => this.pc === pc && this.o.onRemote(e.streams[0] ?? new MediaStream([e.track])));
    pc.addEventListener("connectionstatechange", () => this.pc === pc && this.changed(pc.connectionState));
  }

  private drop(): void {
    const pc = this.pc;
    this.pc = null;
    this.sender = null;
    pc?.close();
  }

  private async offer(): Promise<void> {
    const pc = this.pc;
    if (!pc) return;
    if (pc.signalingState === "stable" || pc.signalingState === "have-local-offer") {
      await pc.setLocalDescription();
      this.say(pc, "offer");
    }
  }

  // speak sends in another of the codecs that were agreed on. A browser that cannot choose
  // goes on with the first of them.
  private async speak(codec: string): Promise<void> {
    const chosen = this.sender?.getParameters();
    const first: Encoding | undefined = chosen?.encodings[0];
    const found = chosen?.codecs.find((c) => c.mimeType.toLowerCase() === `audio/${codec.toLowerCase()}`);
    if (!chosen || !first || !found) return;
    const { mimeType, clockRate, channels, sdpFmtpLine } = found;
    first.codec = { mimeType, clockRate, ...(channels ? { channels } : {}), ...(sdpFmtpLine ? { sdpFmtpLine } : {}) };
    await this.sender?.setParameters(chosen).catch(() => {});
  }

  // say sends our newest description. It has no candidates: the server never looks for us.
  private say(pc: RTCPeerConnection, kind: "offer" | "answer"): void {
    const ours = pc.localDescription;
    if (this.pc === pc && ours && ours.type === kind) this.o.send({ kind, sdp: ours.sdp });
  }

  private changed(state: RTCPeerConnectionState): void {
    switch (state) {
      case "connected":
        this.quiet = 0;
        return this.mended();
      case "disconnected":
      case "failed":
        return this.cut();
    }
  }

  private cut(): void {
    if (this.state === "up") this.become("cut");
    if (this.state !== "gone") this.mend(restartAfter);
  }

  private mended(): void {
    this.cancelTry?.();
    this.cancelTry = null;
    this.tries = 0;
    this.become("up");
  }

  // mend tries again before long, until it is mended.
  private mend(after: number): void {
    if (this.cancelTry) return;
    this.cancelTry = this.host.after(after, () => {
      this.cancelTry = null;
      if (this.state === "gone") return;
      const fresh = this.tries++ >= restarts || this.pc?.connectionState === "failed" || this.pc?.connectionState === "closed";
      void this.run(async () => {
        if (fresh) this.connect();
        else this.pc?.restartIce();
        await this.offer();
      });
      if (this.state !== "up") this.mend(restartEvery);
    });
  }

  // look notices that nothing comes, though the connection looks well.
  private async look(): Promise<void> {
    const pc = this.pc;
    if (!pc || pc.connectionState !== "connected") return;
    let packets = 0;
    for (const [, report] of (await pc.getStats()) as unknown as Iterable<[string, { type: string; packetsReceived?: number }]>) {
      if (report.type === "inbound-rtp") packets += report.packetsReceived ?? 0;
    }
    if (this.pc !== pc) return;
    if (packets !== this.received) {
      this.received = packets;
      this.quiet = 0;
      if (this.state === "cut") this.mended();
      if (this.state === "up") this.tries = 0;
      return;
    }
    this.quiet += lookEvery;
    if (this.quiet >= quietAfter && this.received > 0) this.cut();
  }

  // sendTrack sends another track from now on.
  private sendTrack(track: MediaStreamTrack | null): void {
    this.sent = track;
    this.gate();
    this.sender?.replaceTrack(track).catch(() => {}); // of a connection that was just closed
  }

  private gate(): void {
    const track = this.microphone.track;
    if (track) track.enabled = this.opened && !this.muted;
  }

  // run carries out one thing after the other. What fails is mended by trying anew.
  private run(what: () => void | Promise<void>): Promise<void> {
    this.work = this.work.then(async () => {
      if (this.state === "gone") return;
      try {
        await what();
      } catch (err) {
        console.warn("voice:", err);
        this.mend(restartAfter);
      }
    });
    return this.work;
  }

  private ended(): boolean {
    return this.state === "gone";
  }

  private become(state: VoiceState): void {
    if (this.state === state || this.state === "gone") return;
    this.state = state;
    this.o.onState(state);
  }
}
