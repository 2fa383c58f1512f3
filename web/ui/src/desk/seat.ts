// The agent's seat: their microphone and the voices they hear, connected for as long as the
// page is open. It says how it stands; the voice itself is web/ui/src/voice's.
import type { Mic, Server, VoiceState } from "../voice/signal.ts";
import type { Signal, Talk } from "./protocol.ts";

export type { Server } from "../voice/signal.ts";

// off: calls ring elsewhere. elsewhere: another page has taken the seat over.
export type SeatState = "off" | "starting" | "up" | "cut" | "gone" | "elsewhere";

// VoiceLike is what is used of the class Voice.
export interface VoiceLike {
  take(signal: Signal): unknown;
  start(deviceId?: string): Promise<unknown>;
  mute(on: boolean): void;
  open(on: boolean): void;
  use(deviceId: string): Promise<unknown>;
  level(): number;
  again(): void; // the way of signalling is back: what was said meanwhile may be lost
  close(): void;
}

export interface VoiceMaker {
  servers: Server[];
  send(signal: Signal): void;
  onState(state: VoiceState): void;
  onMic(mic: Mic): void;
  onRemote(stream: MediaStream): void;
}

export interface SeatOptions {
  make(o: VoiceMaker): VoiceLike;
  servers(): Promise<Server[]>;
  send(seat: string, signal: Signal): boolean;
  id(): string;
  after(ms: number, run: () => void): () => void;
  onRemote(stream: MediaStream | null): void;
}

const againAfter = 2_000; // milliseconds before a seat that was lost is made anew; doubled each time
const longestPause = 30_000;

export class Seat {
  state: SeatState = "off";
  mic: Mic | "" = ""; // "" = not known yet
  available = true; // the server does voice at all
  remote: MediaStream | null = null; // what is heard
  private voice: VoiceLike | null = null;
  private seat = "";
  private device = "";
  private tries = 0;
  private talking = false; // in a call
  private muted = false;
  private cancelAgain = () => {};
  private readonly listeners = new Set<() => void>();

  constructor(private readonly o: SeatOptions) {}

  subscribe(run: () => void): () => void {
    this.listeners.add(run);
    return () => this.listeners.delete(run);
  }

  // begin connects the microphone; the browser may ask the agent for it.
  async begin(device = ""): Promise<void> {
    this.drop(true);
    this.device = device;
    this.become("starting");
    let servers: Server[];
    try {
      servers = await this.o.servers();
    } catch (err) {
      const status = (err as { status?: number }).status;
      this.available = status !== 404 && status !== 409;
      if (!this.available) return this.become("off");
      return this.lost();
    }
    const seat = (this.seat = this.o.id());
    const mine = <T extends unknown[]>(run: (...args: T) => void) => (...args: T) => void (this.seat === seat && run(...args));
    this.voice = this.o.make({
      servers,
      send: (signal) => this.seat === seat && void this.o.send(seat, signal),
      onState: mine((state: VoiceState) => this.changed(state)),
      onMic: mine((mic: Mic) => this.heard(mic)),
      onRemote: mine((stream: MediaStream) => this.hear(stream)),
    });
    this.apply();
    try {
      await this.voice.start(device || undefined);
    } catch {
      if (this.seat !== seat) return;
      this.available = false; // no microphone in this browser, or the page came by plain http
      this.drop(false);
      this.become("off");
    }
  }

  // end gives the seat up: calls ring elsewhere.
  end(): void {
    this.drop(true);
    this.mic = "";
    this.become("off");
  }

  // take is told of the server's signalling.
  take(seat: string, signal: Signal): void {
    if (seat !== this.seat || !this.voice) return;
    if (signal.kind === "bye") {
      this.drop(false);
      if (signal.why === "elsewhere") this.become("elsewhere");
      else this.lost();
      return;
    }
    void this.voice.take(signal);
  }

  // use changes the microphone, in the middle of a call too.
  async use(device: string): Promise<void> {
    this.device = device;
    if (this.voice && this.mic !== "denied") await this.voice.use(device);
    else await this.begin(device);
  }

  // follow is told of the calls as they are: the microphone is open during them only.
  follow(talks: readonly Talk[], name: string): void {
    const me = talks.flatMap((t) => t.parties).filter((p) => p.name === name && p.role !== "customer" && p.state !== "ringing");
    this.talking = me.length > 0;
    this.muted = me.some((p) => p.muted);
    this.apply();
  }

  // level is how loud the microphone is now, 0 to 1.
  level(): number {
    return this.voice?.level() ?? 0;
  }

  // reconnected is told that the socket is up again: what was signalled meanwhile is lost.
  reconnected(): void {
    if (this.voice) this.voice.again();
    else if (this.state === "gone") void this.begin(this.device);
  }

  // retry makes the seat anew, after the agent has mended what was wrong.
  retry(): void {
    void this.begin(this.device);
  }

  private apply(): void {
    this.voice?.open(this.talking);
    this.voice?.mute(this.muted);
  }

  private changed(state: VoiceState): void {
    switch (state) {
      case "up":
        this.tries = 0;
        return this.become("up");
      case "cut":
        return this.become("cut");
      case "gone":
        this.drop(false);
        return this.lost();
    }
  }

  private heard(mic: Mic): void {
    if (this.mic === mic) return;
    this.mic = mic;
    this.tell();
  }

  // lost tries again before long, unless the microphone is what is missing.
  private lost(): void {
    this.become("gone");
    this.cancelAgain();
    this.cancelAgain = this.o.after(Math.min(longestPause, againAfter * 2 ** this.tries++), () => void this.begin(this.device));
  }

  private drop(sayBye: boolean): void {
    this.cancelAgain();
    const { voice, seat } = this;
    this.voice = null;
    this.seat = "";
    if (!voice) return;
    if (sayBye) this.o.send(seat, { kind: "bye", why: "closed" });
    voice.close();
    this.hear(null);
  }

  private hear(stream: MediaStream | null): void {
    this.remote = stream;
    this.o.onRemote(stream);
    this.tell();
  }

  private become(state: SeatState): void {
    if (this.state === state) return;
    this.state = state;
    this.tell();
  }

  private tell(): void {
    for (const run of [...this.listeners]) run();
  }
}
