// The customer's side of voice and pictures: what the server says is agreed on, what this
// page has begun, and its devices and connections. It knows no page; the views ask it.
//
// The camera is opened in one place (begin), and only while the server says that the customer
// has agreed and that this page has the media. What it gives goes to nobody before show.
import type { Beside, Wish } from "../beside.ts";
import type { ByLanguage, Check, Level, Signal, Upgrade } from "../protocol.ts";
import { Camera } from "../../face/camera.ts";
import type { CameraOptions } from "../../face/camera.ts";
import { Pictures } from "../../face/pictures.ts";
import type { PicturesOptions, Shown } from "../../face/pictures.ts";
import type { Cam, ScreenSignal } from "../../face/signal.ts";
import { Voice } from "../../voice/voice.ts";
import type { VoiceOptions } from "../../voice/voice.ts";
import type { Mic, VoiceState } from "../../voice/signal.ts";

export type VoiceLike = Pick<Voice, "start" | "take" | "again" | "mute" | "open" | "devices" | "use" | "level" | "close">;

export interface FacingOptions {
  link: Beside;
  changed(): void;
  heard(stream: MediaStream | null): void; // what is to be played
  voice?(o: VoiceOptions): VoiceLike;
  pictures?(o: PicturesOptions): Pictures;
  camera?(o: CameraOptions): Camera;
}

// Stage is what the person sees.
export type Stage =
  | "none"
  | "wish" // would they like to speak?
  | "waiting" // they have asked, staff is to answer
  | "asked" // staff or the flow asks
  | "elsewhere" // another page of theirs has it
  | "impossible" // this page can have no devices
  | "preview" // agreed; nobody sees them yet
  | "talk"
  | "ended";

const customerSlots = 4;
const ended: readonly string[] = ["refused", "lapsed", "withdrawn", "over"];

export class Facing {
  wished = false;
  ended: Upgrade | null = null; // the last one, until it is put away
  busy = ""; // the command that is under way
  error: { code: string; words?: ByLanguage } | null = null;
  shown = false; // the person has let their picture be seen, in this page
  insecure = false;
  mic: Mic | "" = "";
  muted = false;
  voiceState: VoiceState = "new";
  screenState: VoiceState = "new";
  seen: readonly Shown[] = [];
  sound: MediaStream | null = null; // what is heard
  voice: VoiceLike | null = null;
  pictures: Pictures | null = null;
  camera: Camera | null = null;

  private of = ""; // the upgrade that the connections belong to
  private left = ""; // the upgrade that the person has ended, while the server may not know
  private own = false; // the end was the person's own wish
  private readonly stopListening: () => void;

  constructor(private readonly o: FacingOptions) {
    this.stopListening = o.link.listen((from, signal) => this.take(from, signal));
    this.sync();
  }

  get upgrade(): Upgrade | null {
    const u = this.o.link.upgrade;
    return u && !ended.includes(u.state) ? u : null;
  }

  // raise tells that more is asked for than runs: by staff or by the person.
  get raise(): boolean {
    const u = this.upgrade;
    return u !== null && (u.state === "agreed" || u.state === "up") && u.until !== undefined && rank(u.level) > rank(u.agreed);
  }

  get stage(): Stage {
    const u = this.upgrade;
    if (u && u.id === this.left) return "none";
    if (!u) return this.ended ? "ended" : this.wished ? "wish" : "none";
    if (u.state === "asked") return u.by === "customer" ? "waiting" : "asked";
    if (!u.yours) return "elsewhere";
    if (this.insecure) return "impossible";
    if (u.agreed === "video" && !this.shown) return "preview";
    return "talk";
  }

  // live tells that the person is heard or seen, as far as this page knows.
  get live(): boolean {
    return this.upgrade?.yours === true && (this.voice !== null || (this.pictures !== null && this.shown));
  }

  // ---- what the person does

  wish(): void {
    this.ended = null;
    this.wished = true;
    this.o.changed();
  }

  put(): void {
    this.wished = false;
    this.ended = null;
    this.error = null;
    this.o.changed();
  }

  async ask(level: Level, lang: string): Promise<void> {
    if (await this.want({ t: "upgrade", do: "ask", level, lang })) this.wished = false;
    this.o.changed();
  }

  // accept agrees to what is asked; words are those that were on the screen.
  accept(level: Level, lang: string, words = this.upgrade?.words): Promise<boolean> {
    return this.with((u) => ({ t: "upgrade", do: "accept", upgrade: u, level, lang, ...(words ? { words } : {}) }));
  }

  // agree agrees to an identity check, by the words that were on the screen.
  agree(check: Check, lang: string): Promise<boolean> {
    return this.want({ t: "check", do: "accept", check: check.id, lang, ...(check.words ? { words: check.words } : {}) });
  }

  refuse(): Promise<boolean> {
    this.own = true;
    return this.with((u) => ({ t: "upgrade", do: "refuse", upgrade: u }));
  }

  change(level: Level): Promise<boolean> {
    return this.with((u) => ({ t: "upgrade", do: "change", upgrade: u, level }));
  }

  // end goes back to text. Devices are given back at once, whatever the line does.
  async end(): Promise<void> {
    const u = this.upgrade;
    if (!u) return;
    this.own = true;
    this.left = u.id;
    this.drop();
    if (await this.want({ t: "upgrade", do: "end", upgrade: u.id })) return;
    this.left = "";
    this.sync();
  }

  // show lets the picture be seen, or the sound be heard, from now on.
  show(withPicture: boolean): void {
    this.shown = true;
    if (withPicture) this.reveal();
    else this.camera?.off();
    this.voice?.open(true);
    this.o.changed();
  }

  mute(on: boolean): void {
    this.muted = on;
    this.voice?.mute(on);
    this.o.changed();
  }

  // see switches the camera on or off while the talk goes on.
  async see(on: boolean): Promise<void> {
    if (!this.camera) return;
    if (on) await this.open();
    else this.camera.off();
    this.o.changed();
  }

  // again tries a device that was not allowed or not there.
  async again(): Promise<void> {
    this.error = null;
    await Promise.all([
      this.camera && this.camera.cam !== "ok" && this.camera.cam !== "off" ? this.open() : undefined,
      this.voice && (this.mic === "denied" || this.mic === "unplugged") ? this.voice.use("") : undefined,
    ]);
    this.o.changed();
  }

  async flip(): Promise<void> {
    await this.camera?.flip();
    this.o.changed();
  }

  close(): void {
    this.stopListening();
    this.drop();
  }

  // ---- what the server says

  // sync brings connections and devices to what the server says.
  sync(): void {
    const u = this.o.link.upgrade;
    if (!u || ended.includes(u.state)) {
      if (this.of !== "") this.over(u);
      return;
    }
    if (this.of !== u.id) {
      this.drop();
      this.of = u.id;
      this.own = false;
      this.ended = null;
      this.wished = false;
      this.error = null;
    }
    const running = u.yours === true && (u.state === "agreed" || u.state === "up");
    if (!running || this.left === u.id) return this.drop();
    this.begin(u);
  }

  private over(u: Upgrade | null): void {
    this.drop();
    this.of = this.left = "";
    if (u && !this.own) this.ended = u; // who ended it needs no word of it
    this.own = false;
  }

  // begin makes what was agreed on and is not there yet, and gives back what is too much.
  private begin(u: Upgrade): void {
    const servers = u.ice ?? [];
    if (!u.pictures && rank(u.agreed) >= 1 && !this.voice && !this.insecure) this.beginVoice(servers);
    if (u.agreed === "video" && !this.insecure) {
      if (!this.pictures) this.beginPictures(servers);
      if (!this.camera) this.beginCamera();
    } else {
      this.dropPictures();
      this.shown = false;
    }
    if (u.agreed === "voice") this.voice?.open(true); // it has no preview: there is nothing to see
    else this.voice?.open(this.shown);
  }

  private beginVoice(servers: NonNullable<Upgrade["ice"]>): void {
    const make = this.o.voice ?? ((o: VoiceOptions) => new Voice(o));
    const voice = make({
      servers,
      send: (signal) => this.o.link.signal("voice", signal),
      onState: (state) => {
        if (this.voice !== voice) return;
        this.voiceState = state;
        this.o.changed();
      },
      onMic: (mic) => {
        if (this.voice !== voice) return;
        this.mic = mic;
        this.o.changed();
      },
      onRemote: (stream) => {
        if (this.voice !== voice) return;
        this.sound = stream;
        this.o.heard(stream);
        this.o.changed();
      },
    });
    this.voice = voice;
    voice.mute(this.muted);
    voice.start().catch(() => {
      if (this.voice !== voice) return;
      this.insecure = true; // a page that can have no devices
      this.drop();
      this.o.changed();
    });
  }

  private beginPictures(servers: NonNullable<Upgrade["ice"]>): void {
    const make = this.o.pictures ?? ((o: PicturesOptions) => new Pictures(o));
    const pictures = make({
      slots: customerSlots,
      servers,
      send: (signal) => this.o.link.signal("screen", signal as Signal),
      onState: (state) => {
        if (this.pictures !== pictures) return;
        this.screenState = state;
        this.o.changed();
      },
      onShown: (seen) => {
        if (this.pictures !== pictures) return;
        this.seen = seen;
        this.o.changed();
      },
    });
    this.pictures = pictures;
    pictures.cam("off"); // until the person shows it
    void pictures.start();
  }

  private beginCamera(): void {
    const make = this.o.camera ?? ((o: CameraOptions) => new Camera(o));
    const camera = make({
      onCam: (cam) => this.cam(cam),
      onTrack: () => {
        if (this.shown) this.reveal();
        this.o.changed();
      },
    });
    this.camera = camera;
    void this.open();
  }

  // open asks the browser for the camera: only of what was agreed on, and is this page's.
  private async open(): Promise<void> {
    const u = this.upgrade;
    if (!this.camera || !u?.yours || u.agreed !== "video" || (u.state !== "agreed" && u.state !== "up")) return;
    await this.camera.open();
  }

  private cam(cam: Cam): void {
    if (this.shown) this.pictures?.cam(cam);
    this.o.changed();
  }

  // reveal gives the camera's picture to the connection.
  private reveal(): void {
    this.pictures?.camera(this.camera?.track ?? null);
    if (this.camera?.cam) this.pictures?.cam(this.camera.cam);
  }

  private take(from: "voice" | "screen" | "line", signal?: Signal): void {
    if (from === "line") {
      if (this.o.link.up) {
        this.sync();
        this.voice?.again();
        this.pictures?.again();
      }
      return this.o.changed();
    }
    if (!signal) return;
    if (from === "voice") void this.voice?.take(signal);
    else void this.pictures?.take(signal as ScreenSignal);
  }

  private drop(): void {
    const voice = this.voice;
    this.voice = null;
    voice?.close();
    this.sound = null;
    if (voice) this.o.heard(null);
    this.dropPictures();
    this.voiceState = "new";
    this.mic = "";
    this.muted = false;
    this.shown = false;
  }

  private dropPictures(): void {
    this.camera?.close();
    this.camera = null;
    const pictures = this.pictures;
    this.pictures = null;
    pictures?.close();
    this.screenState = "new";
    this.seen = [];
  }

  private with(command: (upgrade: string) => Wish): Promise<boolean> {
    const u = this.upgrade;
    return u ? this.want(command(u.id)) : Promise.resolve(false);
  }

  // want has one command done at a time. What is refused is told; a conflict needs no words:
  // the newest state has come.
  async want(wish: Wish): Promise<boolean> {
    this.busy = wish.do;
    this.error = null;
    this.o.changed();
    try {
      await this.o.link.want(wish);
      return true;
    } catch (err) {
      const { code = "other", words } = err as { code?: string; words?: ByLanguage };
      if (code !== "conflict") this.error = { code, ...(words ? { words } : {}) };
      return false;
    } finally {
      if (this.busy === wish.do) this.busy = "";
      this.o.changed();
    }
  }
}

export function rank(level: Level): number {
  return level === "video" ? 2 : level === "voice" ? 1 : 0;
}
