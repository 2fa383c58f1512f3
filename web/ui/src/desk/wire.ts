// The socket to the server, kept up: it notices within seconds that it died, tries again, and
// asks what was not answered once more with the same id.
import { ApiError } from "../staff/api.ts";
import { readFrame, socketPath, subprotocol } from "./protocol.ts";
import type { Bare, Command, Done, Failed, FromServer } from "./protocol.ts";

// off: not begun. lost: it is tried again. refused: the server does not want this page, for
// the reason beside it; it stays so.
export type WireState = "off" | "connecting" | "up" | "lost" | "refused";

// Socket is what is used of a WebSocket.
export interface Socket {
  onopen: (() => void) | null;
  onmessage: ((e: { data: unknown }) => void) | null;
  onclose: ((e: { code: number; reason: string }) => void) | null;
  send(text: string): void;
  close(): void;
}

// Host is what the wire needs of the world; tests have one of their own.
export interface Host {
  now(): number; // milliseconds
  after(ms: number, run: () => void): () => void; // what it gives cancels it
  random(): number; // 0 to 1
  id(): string;
  connect(path: string, protocol: string): Socket;
}

export interface WireEvents {
  hello(): Bare; // what begins a connection
  frame(f: FromServer): void;
  changed(): void; // of the state
}

// Milliseconds.
const quiet = 1_500; // after so long without a frame the server is asked for one
const patience = 2_500; // for the answer to that, or for a connection: together under 5 s
const firstPause = 300; // the most before the second try; doubled each time
const longestPause = 5_000;
const busyPause = 3_000; // the least after the server asked to come later
const answerTime = 12_000; // for a command, until it is asked again
const mostAsked = 3; // times, then it has failed
const mostWaiting = 64; // commands without an answer; more are refused

interface Waiting {
  frame: Command & { id: string };
  kept: boolean; // it may wait for a connection
  times: number; // that it was sent
  yes(d: Done): void;
  no(err: ApiError): void;
  cancel(): void;
}

export class Wire {
  state: WireState = "off";
  why = ""; // of refused: the reason of the close
  lostAt = 0; // when it was lost, while it is
  private socket: Socket | null = null;
  private ready = false; // hello is answered: commands may go
  private tries = 0;
  private cancelTry = () => {};
  private cancelWatch = () => {};
  private readonly waiting = new Map<string, Waiting>();

  constructor(
    private readonly host: Host,
    private readonly on: WireEvents,
  ) {}

  start(): void {
    if (this.state === "off") this.connect();
  }

  stop(): void {
    this.drop();
    this.become("off");
  }

  // poke tries at once if the wire waits: the network came back, or somebody looks.
  poke(): void {
    if (this.state === "lost") this.connect();
  }

  // offline is told when the browser has lost its network: no need to wait for silence.
  offline(): void {
    if (this.state === "up" || this.state === "connecting") this.lose(0);
  }

  // pass sends what has no answer; it may be lost.
  pass(f: Bare): boolean {
    return this.ready && this.send(f);
  }

  // ask asks for something and gives what came of it. kept: it may wait until there is a
  // connection; without, it fails at once when there is none. The id is drawn unless given.
  ask(command: Command, { kept = false, id = this.host.id() }: { kept?: boolean; id?: string } = {}): Promise<Done> {
    return new Promise((yes, no) => {
      if ((!this.ready && !kept) || this.waiting.size >= mostWaiting || this.state === "refused") return no(new ApiError(0, "offline", "", 0, {}));
      const w: Waiting = { frame: { ...command, id }, kept, times: 0, yes, no, cancel: () => {} };
      this.waiting.set(id, w);
      if (this.ready) this.put(w);
    });
  }

  private put(w: Waiting): void {
    w.cancel();
    if (w.times > 0 && w.frame.t === "call" && w.frame.do === "keys") return this.fail(w, "offline"); // played twice they are other digits
    if (w.times >= mostAsked) return this.fail(w, "offline");
    w.times++;
    w.cancel = this.host.after(answerTime, () => this.put(w));
    this.send(w.frame);
  }

  private fail(w: Waiting, code: string, message = "", retryAfter = 0): void {
    w.cancel();
    this.waiting.delete(w.frame.id);
    w.no(new ApiError(0, code, message, retryAfter, {}));
  }

  private answered(f: Done | Failed): void {
    const w = f.id === undefined ? undefined : this.waiting.get(f.id);
    if (!w) return;
    if (f.t === "error" && f.code === "too_fast") {
      w.cancel();
      w.times--; // the server has not looked at it
      w.cancel = this.host.after((f.retry_after ?? 1) * 1_000, () => this.ready && this.put(w));
      return;
    }
    if (f.t === "error") return this.fail(w, f.code, f.message, f.retry_after ?? 0);
    w.cancel();
    this.waiting.delete(w.frame.id);
    w.yes(f);
  }

  private send(f: object): boolean {
    if (this.socket === null) return false;
    try {
      this.socket.send(JSON.stringify(f));
      return true;
    } catch {
      return false; // closing: the close event comes
    }
  }

  private connect(): void {
    this.drop();
    if (this.state !== "lost") this.become("connecting");
    const socket = this.host.connect(socketPath, subprotocol);
    this.socket = socket;
    this.expect();
    socket.onopen = () => {
      if (this.socket !== socket) return;
      this.expect();
      this.send(this.on.hello());
    };
    socket.onmessage = (e) => {
      if (this.socket !== socket) return;
      this.watch();
      const f = readFrame(e.data);
      if (!f) return;
      if (f.t === "done" || f.t === "error") this.answered(f);
      this.on.frame(f);
      if (f.t === "ready") this.settled();
    };
    socket.onclose = (e) => this.socket === socket && this.closed(e.code, e.reason);
  }

  // settled is told when all that was missed has come.
  private settled(): void {
    this.ready = true;
    this.tries = 0;
    this.lostAt = 0;
    this.become("up");
    for (const w of [...this.waiting.values()]) this.put(w);
  }

  private closed(code: number, reason: string): void {
    if (code === 1008 && reason !== "flood") {
      this.drop();
      this.why = reason;
      for (const w of [...this.waiting.values()]) this.fail(w, "login");
      return this.become("refused");
    }
    this.lose(code === 1013 ? busyPause : 0);
  }

  // lose gives up the connection and tries anew after a random part of a growing pause.
  private lose(least: number): void {
    this.drop();
    if (this.lostAt === 0) this.lostAt = this.host.now();
    const most = Math.min(longestPause, firstPause * 2 ** this.tries++);
    this.cancelTry = this.host.after(least + this.host.random() * most, () => this.connect());
    this.become("lost");
  }

  // watch begins the time in which something must come anew.
  private watch(): void {
    this.cancelWatch();
    this.cancelWatch = this.host.after(quiet, () => {
      this.send({ t: "ping" });
      this.expect();
    });
  }

  private expect(): void {
    this.cancelWatch();
    this.cancelWatch = this.host.after(patience, () => this.lose(0));
  }

  private drop(): void {
    this.cancelTry();
    this.cancelWatch();
    this.ready = false;
    for (const w of this.waiting.values()) w.cancel();
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    try {
      socket.close();
    } catch {
      // It was closed already.
    }
  }

  private become(state: WireState): void {
    if (this.state === state) return;
    this.state = state;
    this.on.changed();
  }
}
