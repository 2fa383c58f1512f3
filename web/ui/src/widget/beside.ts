// What runs beside the text: voice and pictures, and identity checks, as the server tells
// them, and what the person wants of them. What shows them is a script of its own, which is
// loaded when there is something to show.
import type { Check, FromServer, Level, Refused, Signal, ToServer, Upgrade } from "./protocol.ts";

// Refusal is why the server did not do it.
export class Refusal extends Error {
  constructor(
    readonly code: string,
    readonly words?: Refused["message"],
  ) {
    super(code);
  }
}

export type Connection = "voice" | "screen";
type Command = Extract<ToServer, { t: "upgrade" | "check" }>;
export type Wish = Command extends infer C ? (C extends Command ? Omit<C, "id"> : never) : never;

export class Beside {
  upgrade: Upgrade | null = null;
  may: Level[] = []; // what the person may ask for
  check: Check | null = null;
  up = false; // the server is there
  private told = false; // since it said welcome
  private readonly asked = new Map<string, { command: Command; yes(): void; no(why: Refusal): void }>();
  private readonly ears = new Set<(from: Connection | "line", signal?: Signal) => void>();

  constructor(
    readonly page: string, // its name, as long as it is loaded
    private readonly id: () => string,
    private readonly send: (f: ToServer) => boolean,
    private readonly changed: () => void,
  ) {}

  // calls tells that the person is to answer something.
  get calls(): boolean {
    const u = this.upgrade;
    return (this.check?.state === "asked" && this.check.waits !== "officer") || (!!u && u.by !== "customer" && (u.state === "asked" || (u.until !== undefined && (u.state === "up" || u.state === "agreed"))));
  }

  // listen has run told of each signal, and when the line is there again or gone.
  listen(run: (from: Connection | "line", signal?: Signal) => void): () => void {
    this.ears.add(run);
    return () => this.ears.delete(run);
  }

  signal(t: Connection, signal: Signal): void {
    if (this.up) this.send({ t, signal });
  }

  // want has the server do something. It is said again after a cut until it is answered.
  want(wish: Wish): Promise<void> {
    const command = { ...wish, id: this.id() } as Command;
    return new Promise((yes, no) => {
      this.asked.set(command.id, { command, yes, no });
      if (this.up) this.send(command);
    });
  }

  // take reports whether a frame was for it.
  take(f: FromServer): boolean {
    switch (f.t) {
      case "upgrade":
        this.told = true;
        this.upgrade = f.upgrade ?? null;
        this.may = f.may ?? [];
        break;
      case "check":
        this.told = true;
        this.check = f.check ?? null;
        break;
      case "voice":
      case "screen":
        for (const run of this.ears) run(f.t, f.signal);
        return true;
      case "done":
      case "refused": {
        const one = this.asked.get(f.id ?? "");
        if (!one) return f.t === "done" || (f.id === undefined && (f.code === "conflict" || f.code === "too_fast")); // of signals, which have no id
        this.asked.delete(one.command.id);
        if (f.t === "done") one.yes();
        else one.no(new Refusal(f.code, f.message));
        return true;
      }
      default:
        return false;
    }
    this.changed();
    return true;
  }

  welcome(): void {
    this.told = false;
  }

  // settle is told when all that was missed has come.
  settle(): void {
    if (!this.told) {
      this.upgrade = this.check = null;
      this.may = [];
    }
    this.up = true;
    for (const { command } of this.asked.values()) this.send(command);
    for (const run of this.ears) run("line");
  }

  down(): void {
    if (!this.up) return;
    this.up = false;
    for (const run of this.ears) run("line");
  }
}
