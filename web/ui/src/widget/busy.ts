// Who is about to say something: somebody types, or a reply takes longer than a moment.
import type { Host } from "./host.ts";
import type { Sender } from "./protocol.ts";

export interface Typist {
  from: Sender;
  name?: string;
}

// Milliseconds.
const replyPause = 1_000; // after so long without a reply the person sees that one is coming
const replyTime = 10_000; // then it is no longer claimed
const typingTime = 8_000; // for a "typing" that is never taken back

export class Busy {
  who: Typist | null = null;
  private cancel = () => {};

  constructor(
    private readonly host: Host,
    private readonly changed: () => void,
  ) {}

  // typing is told that somebody types.
  typing(who: Typist): void {
    this.show(who, typingTime);
  }

  // await is told that the person said something: a reply is due.
  await(): void {
    this.cancel();
    this.cancel = this.host.after(replyPause, () => this.show({ from: "flow" }, replyTime));
  }

  // end is told that it was said, or will not be.
  end(): void {
    this.cancel();
    if (this.who === null) return;
    this.who = null;
    this.changed();
  }

  private show(who: Typist, ms: number): void {
    this.cancel();
    this.who = who;
    this.cancel = this.host.after(ms, () => this.end());
    this.changed();
  }
}
