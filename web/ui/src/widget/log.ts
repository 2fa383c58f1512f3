// The messages of a conversation as the server tells them: by number, each at its newest.
import type { Message } from "./protocol.ts";

export class Log {
  list: readonly Message[] = []; // by seq; replaced at each change, never changed itself
  rev = 0; // of the newest change that came

  // apply takes a message and says whether it is new, or changes one that is here. An
  // older word about one is passed over.
  apply(m: Message): "new" | "changed" | "known" {
    this.rev = Math.max(this.rev, m.rev);
    const place = this.place(m.seq);
    const there = this.list[place];
    if (there?.seq !== m.seq) {
      this.list = [...this.list.slice(0, place), m, ...this.list.slice(place)];
      return "new";
    }
    if (m.rev <= there.rev) return "known";
    this.list = this.list.map((old, i) => (i === place ? m : old));
    return "changed";
  }

  // unanswered is the last message of a flow or agent that the person has not answered yet;
  // a picture is no answer.
  get unanswered(): Message | null {
    for (let i = this.list.length - 1; i >= 0; i--) {
      const m = this.list[i] as Message;
      if (m.from === "customer" && !m.attachment) return null;
      if (m.from === "flow" || m.from === "agent") return m;
    }
    return null;
  }

  clear(): void {
    this.list = [];
    this.rev = 0;
  }

  // place is where a number is, or would be. Most are at the end.
  private place(seq: number): number {
    let i = this.list.length;
    while (i > 0 && (this.list[i - 1] as Message).seq >= seq) i--;
    return i;
  }
}
