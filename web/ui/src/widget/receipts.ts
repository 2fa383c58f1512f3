// What the person has got and seen of the other side's messages, and the telling of it:
// soon, and once for several.
import type { Host } from "./host.ts";
import type { Message, ToServer } from "./protocol.ts";

const pause = 150; // milliseconds: several messages come at once

export class Receipts {
  seen = false; // the messages are looked at
  private told = { got: 0, read: 0 }; // on this connection
  private readUpTo = 0;
  private cancel = () => {};

  constructor(
    private readonly host: Host,
    private readonly list: () => readonly Message[],
    private readonly send: (f: ToServer) => boolean, // false: not now
  ) {}

  // unread is how many the person has not seen.
  get unread(): number {
    if (this.seen) return 0;
    return this.list().filter((m) => (m.from === "flow" || m.from === "agent") && m.state !== "read" && m.seq > this.readUpTo).length;
  }

  // look is told whether the messages are looked at. What was seen until now is told first.
  look(seen: boolean): void {
    this.tell();
    this.seen = seen;
    this.soon();
  }

  // connected is told of a new connection, on which nothing was told yet.
  connected(): void {
    this.cancel();
    this.told = { got: 0, read: 0 };
  }

  // forget is told that the messages are no longer those.
  forget(): void {
    this.readUpTo = 0;
  }

  soon(): void {
    this.cancel();
    this.cancel = this.host.after(pause, () => this.tell());
  }

  private tell(): void {
    let got = 0;
    let read = 0;
    for (const m of this.list()) {
      if (m.from === "customer" || m.state === "read") continue;
      read = m.seq;
      if (m.state !== "delivered") got = m.seq;
    }
    if (this.seen) {
      if (read > this.told.read && this.send({ t: "read", seq: read })) this.told = { got: read, read };
      this.readUpTo = Math.max(this.readUpTo, read);
    } else if (got > this.told.got && this.send({ t: "got", seq: got })) {
      this.told.got = got;
    }
  }
}
