import type { VoiceLike, VoiceMaker } from "./seat.ts";
export class Voice implements VoiceLike {
  constructor(_: VoiceMaker) {}
  take() {}
  async start() {}
  mute() {}
  open() {}
  async use() {}
  level() { return 0; }
  close() {}
}
