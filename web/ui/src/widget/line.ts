// One connection to the server, kept up: it tries again with growing, scattered pauses,
// notices one that died silently, and tells who listens.
import type { Host, Socket } from "./host.ts";
import { readFrame, subprotocol } from "./protocol.ts";
import type { FromServer, ToServer } from "./protocol.ts";

// off: nobody asked for it. refused: the server does not want this page; it stays so.
export type LineState = "off" | "connecting" | "up" | "waiting" | "refused";

export interface LineEvents {
  connected(): void; // say hello
  frame(f: FromServer): void;
  changed(): void; // the state is another
  closed(code: number, reason: string): "again" | "stop";
}

// Milliseconds.
const firstPause = 1_000; // the most before the second try; doubled each time
const longestPause = 30_000;
const busyPause = 5_000; // the least after the server asked to try later
const restartTries = 3; // a restart counts as so many tries that failed: the pause is up to 8 s
const quiet = 45_000; // after so long without a frame the server is asked for one
const patience = 10_000; // for an answer, or for the connection

export class Line {
  state: LineState = "off";
  private socket: Socket | null = null;
  private tries = 0;
  private cancelTry = () => {};
  private cancelWatch = () => {};

  constructor(
    private readonly host: Host,
    private readonly url: string,
    private readonly on: LineEvents,
  ) {}

  start(): void {
    if (this.state === "off") this.connect();
  }

  // poke tries at once if the line waits: the network came back, or somebody looks.
  poke(): void {
    if (this.state === "waiting") this.connect();
  }

  stop(): void {
    this.drop();
    this.become("off");
  }

  // failing reports whether the last try came to nothing.
  get failing(): boolean {
    return this.tries > 0;
  }

  // settled is told when the talk has caught up: the next pause is a short one again.
  settled(): void {
    this.tries = 0;
  }

  // up is told when the server has said welcome.
  up(): void {
    this.become("up");
  }

  // send reports whether the frame left. It may be lost all the same.
  send(f: ToServer): boolean {
    if (this.socket === null) return false;
    try {
      this.socket.send(JSON.stringify(f));
    } catch {
      return false; // closing: the close event comes
    }
    return true;
  }

  // expect has the line die unless something comes in time: an answer is due.
  expect(ms = patience): void {
    this.cancelWatch();
    this.cancelWatch = this.host.after(ms, () => this.restart());
  }

  // restart gives up the connection and makes another.
  restart(): void {
    this.drop();
    this.again(0);
  }

  private connect(): void {
    this.drop();
    this.become("connecting");
    let socket: Socket;
    try {
      socket = this.host.connect(this.url, subprotocol);
    } catch {
      this.become("refused"); // the page's own policy forbids the address
      return;
    }
    this.socket = socket;
    this.expect();
    socket.onopen = () => this.socket === socket && (this.expect(), this.on.connected());
    socket.onmessage = (e) => {
      if (this.socket !== socket) return;
      this.watch();
      const frame = readFrame(e.data);
      if (frame) this.on.frame(frame);
    };
    socket.onclose = (e) => {
      if (this.socket !== socket) return;
      this.drop();
      if (this.on.closed(e.code, e.reason) === "stop") this.become("refused");
      else {
        if (e.code === 1012) this.tries = Math.max(this.tries, restartTries); // all are sent away at once
        this.again(e.code === 1013 ? busyPause : 0);
      }
    };
  }

  // watch begins the time in which something must come anew.
  private watch(): void {
    this.cancelWatch();
    this.cancelWatch = this.host.after(quiet, () => {
      this.send({ t: "ping" });
      this.expect();
    });
  }

  // again waits a random part of a growing pause, so that a server that comes back is
  // not met by everybody at once.
  private again(least: number): void {
    const most = Math.min(longestPause, firstPause * 2 ** this.tries++);
    this.become("waiting");
    this.cancelTry = this.host.after(least + this.host.random() * most, () => this.connect());
  }

  private drop(): void {
    this.cancelTry();
    this.cancelWatch();
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

  private become(state: LineState): void {
    if (this.state === state) return;
    this.state = state;
    this.on.changed();
  }
}
