// A call from a page: the calling socket (tandem.voice.1) and the voice beside it. The
// socket may drop and come back while the voice goes on.
import { Voice } from "./voice.ts";
import type { Device, Mic, Server, Signal, VoiceState } from "./signal.ts";
import type { VoiceOptions } from "./voice.ts";

// asking: the browser asks the person for the microphone.
export type CallState = "asking" | "connecting" | "ringing" | "up" | "over";

// SocketLike is what is used of a WebSocket.
export interface SocketLike {
  onopen: ((e: never) => void) | null;
  onmessage: ((e: { data: unknown }) => void) | null;
  onclose: ((e: { code: number; reason: string }) => void) | null;
  readonly readyState: number;
  send(text: string): void;
  close(): void;
}

export interface CallOptions {
  to: string;
  langs: readonly string[];
  onChange(): void;
  onRemote(stream: MediaStream): void;
  socket?: () => SocketLike;
  voice?: (o: VoiceOptions) => Pick<Voice, "start" | "take" | "again" | "mute" | "open" | "keys" | "devices" | "use" | "level" | "close">;
  after?: (ms: number, run: () => void) => () => void;
  now?: () => number; // milliseconds
}

const awayFor = 30_000; // milliseconds that the server keeps a call whose socket is gone
const pauses = [200, 500, 1_000, 2_000, 3_000]; // milliseconds before the next try
const subprotocol = "tandem.voice.1";

export class PageCall {
  state: CallState = "asking";
  why = ""; // of over: a word, as in docs/webrtc.md, or denied, unplugged, insecure: there was no call
  message: Record<string, string> = {}; // of over, from the server: by language
  mic: Mic | "" = "";
  cut = false; // the voice does not come through at this moment
  muted = false;
  since = 0; // when it was answered, in the milliseconds of now

  private readonly voice: ReturnType<NonNullable<CallOptions["voice"]>>;
  private socket: SocketLike | null = null;
  private token = "";
  private welcomed: ((servers: Server[]) => void) | null = null;
  private away: number | null = null; // when the socket was lost; null = it is there
  private tries = 0;
  private cancelTry: (() => void) | null = null;
  private pending: Signal[] = [];

  constructor(private readonly o: CallOptions) {
    const make = o.voice ?? ((v: VoiceOptions) => new Voice(v));
    this.voice = make({
      servers: () => new Promise<Server[]>((yes) => this.dial(yes)),
      send: (signal) => this.signal(signal),
      onState: (state) => this.voiced(state),
      onMic: (mic) => this.heard(mic),
      onRemote: (stream) => o.onRemote(stream),
    });
  }

  // begin asks for the microphone, and calls.
  async begin(): Promise<void> {
    this.voice.open(true);
    try {
      await this.voice.start();
    } catch {
      this.finish("insecure");
    }
  }

  hangup(): void {
    if (this.state === "over") return;
    this.write({ t: "bye" });
    this.finish("hangup");
  }

  mute(on: boolean): void {
    this.muted = on;
    this.voice.mute(on);
    this.o.onChange();
  }

  keys(digits: string): boolean {
    return this.state === "up" && this.voice.keys(digits);
  }

  level(): number {
    return this.voice.level();
  }

  devices(): Promise<Device[]> {
    return this.voice.devices();
  }

  use(device: string): Promise<void> {
    return this.voice.use(device);
  }

  // dial opens the socket once the person has let the page use the microphone.
  private dial(welcomed: (servers: Server[]) => void): void {
    if (this.state === "over") return;
    this.welcomed = welcomed;
    this.become("connecting");
    this.connect();
  }

  private connect(): void {
    const s = (this.socket = (this.o.socket ?? open)());
    s.onopen = () => this.write(this.token !== "" ? { t: "hello", call: this.token } : { t: "hello", to: this.o.to, langs: this.o.langs });
    s.onmessage = (e) => this.socket === s && typeof e.data === "string" && this.take(e.data);
    s.onclose = (e) => this.socket === s && this.lost(e.code, e.reason);
  }

  private take(text: string): void {
    let f: Frame;
    try {
      f = JSON.parse(text) as Frame;
    } catch {
      return;
    }
    switch (f.t) {
      case "welcome": {
        this.token = f.call ?? "";
        this.away = null;
        this.tries = 0;
        this.welcomed?.(f.servers ?? []);
        this.welcomed = null;
        if (f.resumed === true) {
          this.voice.again();
          this.o.onChange();
        } else for (const signal of this.pending.splice(0)) this.write({ t: "voice", signal });
        return;
      }
      case "voice":
        return void (f.signal && this.voice.take(f.signal));
      case "state":
        if (f.state === "over") {
          this.message = f.message ?? {};
          return this.finish(f.why ?? "ended");
        }
        if (f.state === "ringing" || f.state === "up" || f.state === "connecting") this.become(f.state);
    }
  }

  private lost(code: number, reason: string): void {
    this.socket = null;
    if (this.state === "over") return;
    const now = this.now();
    if (this.token === "" || code === 1008 || code === 4002 || (this.away !== null && now - this.away > awayFor)) {
      return this.finish(reason === "full" || code === 1013 ? "busy" : reason === "restart" ? "restart" : this.token === "" ? "closed" : "lost");
    }
    this.away ??= now;
    this.o.onChange();
    const pause = pauses[Math.min(this.tries++, pauses.length - 1)] ?? 3_000;
    this.cancelTry = (this.o.after ?? timer)(pause, () => this.state !== "over" && this.connect());
  }

  private signal(signal: Signal): void {
    if (this.token === "") return void this.pending.push(signal); // the microphone is told of before there is a call
    this.write({ t: "voice", signal });
  }

  private voiced(state: VoiceState): void {
    this.cut = state === "cut";
    if (state === "gone" && this.state !== "over") return; // finish follows
    this.o.onChange();
  }

  private heard(mic: Mic): void {
    this.mic = mic;
    if (this.state === "asking" && (mic === "denied" || mic === "unplugged")) return this.finish(mic);
    this.o.onChange();
  }

  private finish(why: string): void {
    if (this.state === "over") return;
    this.why = why;
    this.cancelTry?.();
    this.state = "over";
    this.voice.close();
    const s = this.socket;
    this.socket = null;
    s?.close();
    this.o.onChange();
  }

  private become(state: CallState): void {
    if (this.state === state || this.state === "over") return;
    if (state === "up" && this.since === 0) this.since = this.now();
    this.state = state;
    this.o.onChange();
  }

  private write(frame: object): void {
    if (this.socket?.readyState === 1) this.socket.send(JSON.stringify(frame)); // 1: open
  }

  private now(): number {
    return (this.o.now ?? Date.now)();
  }

  // lineLost tells that the socket is away: the call goes on as long as it comes back.
  get lineLost(): boolean {
    return this.away !== null && this.state !== "over";
  }
}

interface Frame {
  t: string;
  call?: string;
  servers?: Server[];
  resumed?: boolean;
  signal?: Signal;
  state?: string;
  why?: string;
  message?: Record<string, string>;
}

function open(): SocketLike {
  const url = new URL("api/v1/voice/socket", document.baseURI); // a proxy may have put the page below a path of its own
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return new WebSocket(url, subprotocol) as unknown as SocketLike;
}

function timer(ms: number, run: () => void): () => void {
  const id = window.setTimeout(run, ms);
  return () => window.clearTimeout(id);
}
