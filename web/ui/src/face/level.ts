// How loud a track is, for the sign of who speaks.
import { browser } from "../voice/host.ts";
import type { Host, Meter } from "../voice/host.ts";

const falls = 0.8; // of the level, from one look to the next
const speech = 0.05; // from which a person is taken to speak

export class Loudness {
  private readonly meter: Meter;
  private at = 0;

  constructor(track: MediaStreamTrack, host: Pick<Host, "meter"> = browser) {
    this.meter = host.meter(track);
  }

  // level is how loud it is, 0 to 1; look about ten times a second.
  level(): number {
    this.at = Math.max(Math.min(1, this.meter.peak() ?? 0), this.at * falls);
    return this.at;
  }

  get speaking(): boolean {
    return this.at >= speech;
  }

  close(): void {
    this.meter.close();
  }
}
