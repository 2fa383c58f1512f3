// The page's own stills: when the officer wants one of a step, it is taken from this page's
// camera at its full size and sent. One is taken once.
import type { Check } from "../protocol.ts";

export interface StillsOptions {
  still(): Promise<Blob>;
  send(check: string, step: string, jpeg: Blob): Promise<void>;
  told(state: "taken" | "failed"): void;
  after(ms: number, run: () => void): () => void;
}

const tries = 3;
const pause = 1_500; // milliseconds between them

export class Stills {
  private done = new Set<string>(); // check, round, step and number of those taken
  private closed = false;

  constructor(private readonly o: StillsOptions) {}

  // look is told of the check as it is now.
  look(check: Check | null, ready: boolean): void {
    const wanted = check?.state === "running" ? check.capture : undefined;
    if (!check || !wanted || !ready) return;
    const key = [check.id, check.round, wanted.step, wanted.n].join(" ");
    if (this.done.has(key)) return;
    this.done.add(key);
    void this.take(check.id, wanted.step, tries);
  }

  close(): void {
    this.closed = true;
  }

  private async take(check: string, step: string, left: number): Promise<void> {
    try {
      await this.o.send(check, step, await this.o.still());
      if (!this.closed) this.o.told("taken");
    } catch (err) {
      const status = (err as { status?: number }).status ?? 0;
      if (this.closed) return;
      if (left > 1 && (status === 0 || status === 429 || status >= 500)) this.o.after(pause, () => !this.closed && void this.take(check, step, left - 1));
      else if (status !== 409) this.o.told("failed"); // 409: it is no longer awaited
    }
  }
}
