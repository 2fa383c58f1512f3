// The camera: which one it is, whether it gives a picture, and why not. It is the one place
// that asks the browser for it, and it asks only when it is told to.
import type { Device } from "../voice/signal.ts";
import { browser } from "./host.ts";
import type { FaceHost } from "./host.ts";
import type { Cam } from "./signal.ts";

export interface CameraOptions {
  onCam(cam: Cam): void;
  onTrack(track: MediaStreamTrack | null): void; // what the camera gives from now on
  host?: FaceHost;
}

export type Facing = "user" | "environment";

export class Camera {
  cam: Cam | "" = "";
  track: MediaStreamTrack | null = null; // null while there is none
  busy = false; // of unplugged: it is there, and another program holds it
  facing: Facing = "user";
  private readonly host: FaceHost;
  private device = "";
  private wanted = false; // the person wants it on
  private opening = 0; // counts tries: only the newest may take effect
  private closed = false;
  private stops: (() => void)[] = [];

  constructor(private readonly o: CameraOptions) {
    this.host = o.host ?? browser;
  }

  // on tells whether the person wants it on; it may fail all the same.
  get on(): boolean {
    return this.wanted;
  }

  // open asks for the camera. Whatever comes of it is told by onCam.
  async open(device = ""): Promise<void> {
    if (this.closed) return;
    this.wanted = true;
    const media = this.host.media();
    if (media && this.stops.length === 0) {
      const changed = () => void this.devicesChanged();
      media.addEventListener("devicechange", changed);
      this.stops.push(() => media.removeEventListener("devicechange", changed));
      void this.followPermission();
    }
    await this.take(device);
  }

  // use takes another camera, while it is seen too.
  use(device: string): Promise<void> {
    return this.open(device);
  }

  // flip takes the camera that looks the other way, or the next one where none says which way.
  async flip(): Promise<void> {
    const all = await this.devices();
    this.facing = this.facing === "user" ? "environment" : "user";
    const settings = this.track?.getSettings();
    if (settings?.facingMode !== undefined || all.length < 2) return this.open();
    const at = all.findIndex((d) => d.id === settings?.deviceId);
    return this.open(all[(at + 1) % all.length]?.id ?? "");
  }

  async devices(): Promise<Device[]> {
    const all = (await this.host.media()?.enumerateDevices()) ?? [];
    return all.filter((d) => d.kind === "videoinput" && d.deviceId !== "").map((d) => ({ id: d.deviceId, label: d.label }));
  }

  // still is one picture at the camera's full size, as JPEG.
  still(): Promise<Blob> {
    return this.track ? this.host.grab(this.track) : Promise.reject(new Error("there is no camera"));
  }

  // off gives the camera back: its light goes out.
  off(): void {
    this.wanted = false;
    this.opening++;
    this.drop();
    this.become("off");
  }

  close(): void {
    this.wanted = false;
    this.opening++;
    for (const stop of this.stops) stop();
    this.stops = [];
    this.drop();
    this.closed = true;
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
      const name = (err as { name?: string }).name;
      this.busy = name === "NotReadableError" || name === "AbortError";
      return this.become(name === "NotAllowedError" || name === "SecurityError" ? "denied" : "unplugged");
    }
    const track = stream.getVideoTracks()[0];
    if (mine !== this.opening || !track) {
      for (const t of stream.getTracks()) t.stop();
      return;
    }
    this.drop(false);
    this.busy = false;
    this.track = track;
    track.addEventListener("mute", () => this.track === track && this.become("muted"));
    track.addEventListener("unmute", () => this.track === track && this.become("ok"));
    track.addEventListener("ended", () => this.track === track && void this.ended());
    this.o.onTrack(track);
    this.become(track.muted ? "muted" : "ok");
  }

  // ask wants a large picture, for stills; what is sent is scaled down.
  private async ask(device: string): Promise<MediaStream> {
    const media = this.host.media();
    if (!media) throw new DOMException("a page needs https or localhost to use the camera", "SecurityError");
    const size: MediaTrackConstraints = { width: { ideal: 1920 }, height: { ideal: 1080 }, frameRate: { ideal: 24, max: 30 } };
    const any = () => media.getUserMedia({ video: { ...size, facingMode: { ideal: this.facing } } });
    if (device === "") {
      this.drop(); // phones open one camera at a time
      return any();
    }
    try {
      return await media.getUserMedia({ video: { ...size, deviceId: { exact: device } } });
    } catch (err) {
      const name = (err as { name?: string }).name;
      if (name !== "OverconstrainedError" && name !== "NotFoundError") throw err;
      return any(); // the one that was chosen is gone: any other is better than none
    }
  }

  // ended is told when the camera was taken out, or is allowed no more.
  private async ended(): Promise<void> {
    this.drop();
    const permission = await this.host.permission("camera");
    if (this.track || this.closed || !this.wanted) return;
    if (permission?.state === "denied") return this.become("denied");
    this.become("unplugged");
    await this.take(""); // there may be another one
  }

  private async devicesChanged(): Promise<void> {
    if (this.closed || this.track || !this.wanted || this.cam === "denied") return;
    await this.take(this.device);
  }

  private async followPermission(): Promise<void> {
    const permission = await this.host.permission("camera");
    if (!permission || this.closed) return;
    const changed = () => {
      if (permission.state === "granted" && !this.track && this.wanted) void this.take(this.device);
      if (permission.state === "denied" && this.wanted) {
        this.drop();
        this.become("denied");
      }
    };
    permission.addEventListener("change", changed);
    this.stops.push(() => permission.removeEventListener("change", changed));
  }

  private drop(tell = true): void {
    const track = this.track;
    this.track = null;
    if (!track) return;
    track.stop();
    if (tell && !this.closed) this.o.onTrack(null);
  }

  private become(cam: Cam): void {
    if (this.closed || this.cam === cam) return;
    this.cam = cam;
    this.o.onCam(cam);
  }
}
