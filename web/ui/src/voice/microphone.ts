// The microphone: which one it is, whether it gives sound, and why not.
import type { Host, Meter, Silence } from "./host.ts";
import type { Device, Mic } from "./signal.ts";

const lookEvery = 100; // milliseconds between looks at the level
const silentAfter = 15_000; // milliseconds of nothing but zeros
const zero = 1 / 65_536; // half of the least that 16 bits tell from silence

export interface MicrophoneOptions {
  host: Host;
  onMic(mic: Mic): void;
  onTrack(track: MediaStreamTrack | null): void; // what is to be sent from now on
}

export class Microphone {
  mic: Mic | "" = "";
  track: MediaStreamTrack | null = null; // null while there is none
  private device = "";
  private meter: Meter | null = null;
  private silence: Silence | undefined;
  private peak = 0;
  private zeros = 0; // milliseconds
  private opening = 0; // counts tries: only the newest may take effect
  private closed = false;
  private stops: (() => void)[] = [];

  constructor(private readonly o: MicrophoneOptions) {}

  // open asks for the microphone. It fails only where no page can have one.
  async open(device = ""): Promise<void> {
    const media = this.o.host.media();
    if (!media) throw new DOMException("a page needs https or localhost to use the microphone", "SecurityError");
    if (this.stops.length === 0) {
      const changed = () => void this.devicesChanged();
      media.addEventListener("devicechange", changed);
      this.stops.push(() => media.removeEventListener("devicechange", changed), this.o.host.every(lookEvery, () => this.look()));
      void this.followPermission();
    }
    await this.take(device);
  }

  // use takes another microphone, in the middle of a call too.
  use(device: string): Promise<void> {
    return this.open(device);
  }

  async devices(): Promise<Device[]> {
    const all = (await this.o.host.media()?.enumerateDevices()) ?? [];
    return all.filter((d) => d.kind === "audioinput" && d.deviceId !== "").map((d) => ({ id: d.deviceId, label: d.label }));
  }

  // level is how loud it is now, 0 to 1.
  level(): number {
    return this.track && this.mic !== "muted" ? Math.min(1, this.peak) : 0;
  }

  close(): void {
    this.closed = true;
    this.opening++;
    for (const stop of this.stops) stop();
    this.stops = [];
    this.drop();
    this.silence?.close();
  }

  // quiet is a track without sound, which is sent while there is no microphone: so that the
  // server sees that the page is there.
  quiet(): MediaStreamTrack | null {
    this.silence ??= this.o.host.silence();
    return this.silence?.track ?? null;
  }

  private async take(device: string): Promise<void> {
    const mine = ++this.opening;
    this.device = device;
    let stream: MediaStream;
    try {
      stream = await this.ask(device);
    } catch (err) {
      if (mine !== this.opening) return;
      this.drop();
      this.o.onTrack(this.quiet());
      const name = (err as { name?: string }).name;
      return this.become(name === "NotAllowedError" || name === "SecurityError" ? "denied" : "unplugged");
    }
    const track = stream.getAudioTracks()[0];
    if (mine !== this.opening || !track) {
      for (const t of stream.getTracks()) t.stop();
      return;
    }
    this.drop();
    this.track = track;
    this.meter = this.o.host.meter(track);
    this.zeros = 0;
    track.addEventListener("mute", () => this.track === track && this.become("muted"));
    track.addEventListener("unmute", () => this.track === track && this.become("ok"));
    track.addEventListener("ended", () => this.track === track && void this.ended());
    this.o.onTrack(track);
    this.become(track.muted ? "muted" : "ok");
  }

  private async ask(device: string): Promise<MediaStream> {
    const media = this.o.host.media();
    if (!media) throw new DOMException("no devices", "SecurityError");
    const audio: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
    if (device === "") return media.getUserMedia({ audio });
    try {
      return await media.getUserMedia({ audio: { ...audio, deviceId: { exact: device } } });
    } catch (err) {
      const name = (err as { name?: string }).name;
      if (name !== "OverconstrainedError" && name !== "NotFoundError") throw err;
      return media.getUserMedia({ audio }); // the one that was chosen is gone: any other is better than none
    }
  }

  // ended is told when the microphone was taken out, or is allowed no more.
  private async ended(): Promise<void> {
    this.drop();
    this.o.onTrack(this.quiet());
    const permission = await this.o.host.permission();
    if (this.track || this.closed) return;
    if (permission?.state === "denied") return this.become("denied");
    this.become("unplugged");
    await this.take(""); // there may be another one
  }

  private async devicesChanged(): Promise<void> {
    if (this.closed || this.track || this.mic === "denied") return;
    await this.take(this.device);
  }

  private async followPermission(): Promise<void> {
    const permission = await this.o.host.permission();
    if (!permission || this.closed) return;
    const changed = () => {
      if (permission.state === "granted" && !this.track) void this.take(this.device);
      if (permission.state === "denied" && this.track) {
        this.drop();
        this.o.onTrack(this.quiet());
        this.become("denied");
      }
    };
    permission.addEventListener("change", changed);
    this.stops.push(() => permission.removeEventListener("change", changed));
  }

  private look(): void {
    const peak = this.meter?.peak();
    if (peak === undefined) return void (this.peak = 0);
    this.peak = Math.max(peak, this.peak * 0.7);
    if (this.mic !== "ok" && this.mic !== "silent") return;
    if (peak >= zero) {
      this.zeros = 0;
      return this.become("ok");
    }
    this.zeros += lookEvery;
    if (this.zeros >= silentAfter) this.become("silent");
  }

  private drop(): void {
    const track = this.track;
    this.track = null;
    this.meter?.close();
    this.meter = null;
    this.peak = 0;
    track?.stop();
  }

  private become(mic: Mic): void {
    if (this.closed || this.mic === mic) return;
    this.mic = mic;
    this.zeros = mic === "silent" ? this.zeros : 0;
    this.o.onMic(mic);
  }
}
