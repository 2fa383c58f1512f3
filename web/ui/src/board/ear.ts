// The supervisor's own voice, for listening in: connected when it is first needed, its
// microphone open only while they whisper or have joined.
import { Seat } from "../desk/seat.ts";
import type { Server } from "../desk/seat.ts";
import type { Signal } from "../desk/protocol.ts";
import type { Api } from "../staff/api.ts";
import { Voice } from "../voice/voice.ts";
import type { Live } from "./live.ts";

export type Part = "listen" | "whisper" | "barge";

const settle = 15_000; // milliseconds for the voice to come up

export class Ear {
  readonly seat: Seat;
  task = ""; // that is listened to by voice; "" = none
  part: Part | "" = "";
  private readonly sound = new Audio();
  private readonly listeners = new Set<() => void>();

  constructor(
    api: Api,
    private readonly live: () => Live,
    private readonly id: () => string,
  ) {
    this.sound.autoplay = true;
    this.seat = new Seat({
      make: (o) => new Voice(o),
      servers: async () => (await api.get<{ servers: Server[] }>("voice/servers")).servers,
      send: (of, signal) => this.live().wire.pass({ t: "voice", seat: of, signal }),
      id: this.id,
      after: (ms, run) => {
        const timer = window.setTimeout(run, ms);
        return () => window.clearTimeout(timer);
      },
      onRemote: (stream) => {
        this.sound.srcObject = stream;
        if (stream) void this.sound.play().catch(() => {}); // it begins with the next key
      },
    });
    this.seat.subscribe(() => this.tell());
  }

  subscribe(run: () => void): () => void {
    this.listeners.add(run);
    return () => this.listeners.delete(run);
  }

  take(seat: string, signal: Signal): void {
    this.seat.take(seat, signal);
  }

  // join takes part in a conversation: a call by voice, a chat by what is written, and by voice
  // where it has that and this page can. It gives whether it is heard.
  async join(task: string, interaction: string, part: Part, why: string, by: "voice" | "both" | "text"): Promise<boolean> {
    let voice = by === "voice";
    if (by !== "text") voice = await this.connect().then(() => true, (err: unknown) => (by === "both" ? false : Promise.reject(err)));
    await this.live().wire.ask({ t: "call", task, interaction, do: part, why } as never);
    if (!voice) return false;
    this.task = task;
    this.part = part;
    this.open(part !== "listen");
    this.tell();
    return true;
  }

  async leave(task: string): Promise<void> {
    const voice = this.task === task;
    if (voice) {
      this.open(false);
      this.task = "";
      this.part = "";
      this.tell();
    }
    try {
      await this.live().wire.ask({ t: "call", task, do: "leave", why: "" } as never);
    } finally {
      if (voice) this.seat.end();
    }
  }

  // over is told that a task is done: nothing is to be heard of it any more.
  over(task: string): void {
    if (this.task !== task || task === "") return;
    this.task = "";
    this.part = "";
    this.open(false);
    this.seat.end();
    this.tell();
  }

  end(): void {
    this.seat.end();
  }

  private open(on: boolean): void {
    const parties = on ? [{ leg: "", role: "whisperer", name: "me", state: "joined" }] : [];
    this.seat.follow([{ task: this.task, interaction: "", agent: "", parties }], "me");
  }

  private connect(): Promise<void> {
    if (this.seat.state === "up") return Promise.resolve();
    return new Promise((yes, no) => {
      const settled = (run: () => void) => {
        window.clearTimeout(timer);
        stop();
        run();
      };
      const timer = window.setTimeout(() => settled(() => no(new Error("voice"))), settle);
      const stop = this.seat.subscribe(() => {
        if (this.seat.state === "up") settled(yes);
        else if (this.seat.mic === "denied" || this.seat.mic === "unplugged") settled(() => no(new Error(this.seat.mic)));
      });
      void this.seat.begin();
    });
  }

  private tell(): void {
    for (const run of [...this.listeners]) run();
  }
}
