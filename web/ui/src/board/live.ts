// The board as the server's frames tell it: kept beside the views, which draw what they need
// of it. A thousand agents change without a thousand copies.
import type { Agent, Bare, FromServer, Signal } from "../desk/protocol.ts";
import { Wire } from "../desk/wire.ts";
import type { Host } from "../desk/wire.ts";
import type { Alert, All, BoardFrame, Figures } from "./answers.ts";

export interface Listening {
  task: string;
  role: string; // listener, whisperer, agent; "" = it is over
}

const slack = 30_000; // milliseconds after which the clocks are compared anew

export class Live {
  readonly wire: Wire;
  name = ""; // who this is
  permitted = true; // the server tells the board
  at = 0; // when the picture was counted, milliseconds of this clock; 0 = there is none
  turn = 0; // grows with every picture
  queues: Figures[] = []; // by name
  agents: Agent[] = []; // by name
  all: All | null = null;
  alerts: Alert[] = [];
  listening: Listening | null = null;
  skew = 0; // milliseconds that the server's clock is ahead, as far as frames tell

  private byQueue = new Map<string, Figures>();
  private byAgent = new Map<string, Agent>();
  private coming: { queues: Map<string, Figures>; agents: Map<string, Agent> } | null = null;
  private skewAt = 0;
  private readonly listeners = new Set<() => void>();

  constructor(
    private readonly host: Host,
    private readonly on: { voice(seat: string, signal: Signal): void; alerts(before: readonly Alert[], now: readonly Alert[]): void; up(): void },
  ) {
    this.wire = new Wire(host, { hello: () => ({ t: "hello", board: true }) as Bare, frame: (f) => this.take(f), changed: () => this.changed() });
  }

  subscribe(run: () => void): () => void {
    this.listeners.add(run);
    return () => this.listeners.delete(run);
  }

  agent(name: string): Agent | undefined {
    return this.byAgent.get(name);
  }

  queue(name: string): Figures | undefined {
    return this.byQueue.get(name);
  }

  // age is how old the picture is, in seconds.
  age(): number {
    return this.at === 0 ? 0 : Math.max(0, (this.host.now() - this.at) / 1000);
  }

  // now is the server's time, in milliseconds.
  now(): number {
    return this.host.now() + this.skew;
  }

  private changed(): void {
    if (this.wire.state === "up") this.on.up();
    this.tell();
  }

  private take(f: FromServer): void {
    const frame = f as unknown as { t: string };
    if (frame.t === "board") this.board(f as unknown as BoardFrame);
    else if (frame.t === "welcome") {
      const w = f as Extract<FromServer, { t: "welcome" }>;
      this.name = w.name;
      this.permitted = w.board;
    } else if (frame.t === "voice") {
      const v = f as Extract<FromServer, { t: "voice" }>;
      this.on.voice(v.seat, v.signal);
    } else if (frame.t === "listening") {
      const l = f as unknown as Listening;
      this.listening = l.role === "" ? null : { task: l.task, role: l.role };
      this.tell();
    }
  }

  private board(f: BoardFrame): void {
    if (this.at === 0 && !this.coming && !f.fresh) return; // of a picture that is still to come
    if (f.fresh) this.coming = { queues: new Map(), agents: new Map() };
    const queues = this.coming?.queues ?? this.byQueue;
    const agents = this.coming?.agents ?? this.byAgent;
    for (const q of f.queues ?? []) queues.set(q.name, q);
    for (const a of f.agents ?? []) agents.set(a.name, a);
    const swapped = this.coming !== null && f.last === true;
    if (swapped) {
      this.byQueue = queues;
      this.byAgent = agents;
      this.coming = null;
    }
    if (this.coming) return;
    const first = this.at === 0;
    this.timed(Date.parse(f.at));
    if (swapped || (f.queues ?? []).length > 0) this.queues = [...this.byQueue.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    if (swapped || (f.agents ?? []).length > 0) this.agents = [...this.byAgent.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
    if (f.all) this.all = f.all;
    if (f.alerts) {
      const before = this.alerts;
      this.alerts = f.alerts;
      if (!first) this.on.alerts(before, f.alerts); // those of before are seen on the page
    }
    if (f.last) {
      this.turn++;
      this.tell();
    }
  }

  // timed learns how far the clocks are apart: a frame is late, never early.
  private timed(at: number): void {
    const now = this.host.now();
    if (Number.isNaN(at)) return;
    const skew = at - now;
    if (this.at === 0 || skew > this.skew || now - this.skewAt > slack) {
      this.skew = skew;
      this.skewAt = now;
    }
    this.at = at - this.skew;
  }

  private tell(): void {
    for (const run of [...this.listeners]) run();
  }
}
