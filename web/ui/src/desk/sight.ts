// The pictures of one interaction in this page: what is seen, and what of the agent's camera
// and screen is shown. It begins and ends with the upgrade, and mends itself without the sound.
import type { Cam, ScreenSignal } from "../face/signal.ts";
import type { Shown } from "../face/pictures.ts";
import type { Server, VoiceState } from "../voice/signal.ts";
import { ended, lesser } from "./faces.ts";
import type { Level, Upgrade } from "./faces.ts";
import type { State } from "./store.ts";

export const slots = 6; // pictures that a page of the desk receives at once

// PicturesLike, CameraLike are what is used of the classes of web/ui/src/face.
export interface PicturesLike {
  start(): Promise<void>;
  take(s: ScreenSignal): Promise<void>;
  again(): void;
  camera(track: MediaStreamTrack | null): void;
  display(track: MediaStreamTrack | null): void;
  cam(c: Cam): void;
  close(): void;
}

export interface CameraLike {
  track: MediaStreamTrack | null;
  open(device?: string): Promise<void>;
  use(device: string): Promise<void>;
  off(): void;
  close(): void;
}

export interface PicturesMaker {
  slots: number;
  servers(): Promise<Server[]>;
  send(s: ScreenSignal): void;
  onState(s: VoiceState): void;
  onShown(shown: Shown[]): void;
  onAllowed(a: { camera: boolean; display: boolean }): void;
}

export interface CameraMaker {
  onCam(c: Cam): void;
  onTrack(t: MediaStreamTrack | null): void;
}

export interface SightOptions {
  pictures(o: PicturesMaker): PicturesLike;
  camera(o: CameraMaker): CameraLike;
  share(): Promise<MediaStreamTrack | null>;
  servers(): Promise<Server[]>;
  send(interaction: string, page: string, s: ScreenSignal): boolean;
  id(): string;
  after(ms: number, run: () => void): () => void;
  wanted(): { camera: boolean; device: string }; // what the agent chose for this device
  choose(camera: boolean): void;
}

const againAfter = 1_500; // milliseconds before pictures that were lost are tried anew; doubled each time
const longestPause = 20_000;

// Sight is the connection for one interaction.
export class Sight {
  state: VoiceState = "new";
  shown: readonly Shown[] = [];
  allowed = { camera: false, display: false };
  cam: Cam | "" = "";
  came = new Set<string>(); // what was to be seen already: it is no longer on its way
  elsewhere = false; // another page of the agent's has them
  on: boolean; // the camera is wanted
  own: MediaStreamTrack | null = null; // what the camera gives
  screen: MediaStreamTrack | null = null; // what is shared
  private page = "";
  private pictures: PicturesLike | null = null;
  private eye: CameraLike | null = null;
  private tries = 0;
  private over = false;
  private cancelAgain = () => {};

  constructor(
    readonly interaction: string,
    private readonly o: SightOptions,
    private readonly tell: () => void,
  ) {
    this.on = o.wanted().camera;
    this.connect();
  }

  take(page: string, s: ScreenSignal): void {
    if (page !== this.page) return;
    if (s.kind !== "bye") return void this.pictures?.take(s);
    this.lose();
    if (s.why === "elsewhere") {
      this.elsewhere = true;
      this.stop();
      this.tell();
    } else this.later();
  }

  again(): void {
    this.pictures?.again();
  }

  // here takes the pictures to this page, after another had them, or anew.
  here(): void {
    this.elsewhere = false;
    this.tries = 0;
    this.lose();
    this.connect();
  }

  // camera turns it on or off; the page asks the browser for it at the first time only.
  camera(on: boolean): void {
    this.on = on;
    this.o.choose(on);
    this.apply();
    this.tell();
  }

  device(id: string): void {
    if (this.on) void this.eye?.use(id);
  }

  // share begins to share a screen, or ends that. The browser asks which.
  async share(on: boolean): Promise<void> {
    if (!on || this.screen) return this.unshare();
    const track = await this.o.share();
    if (!track) return;
    if (this.over || !this.pictures) return track.stop();
    this.screen = track;
    track.addEventListener("ended", () => this.screen === track && this.unshare());
    this.pictures.display(track);
    this.tell();
  }

  close(): void {
    this.over = true;
    this.lose();
    this.stop();
  }

  private connect(): void {
    const page = (this.page = this.o.id());
    const mine = <T extends unknown[]>(run: (...args: T) => void) => (...args: T) => void (this.page === page && !this.over && run(...args));
    this.pictures = this.o.pictures({
      slots,
      servers: () => this.o.servers(),
      send: (s) => this.page === page && void this.o.send(this.interaction, page, s),
      onState: mine((s: VoiceState) => this.changed(s)),
      onShown: mine((shown: Shown[]) => {
        this.shown = [...shown];
        for (const s of shown) if (s.live) this.came.add(s.id);
        this.tell();
      }),
      onAllowed: mine((a: { camera: boolean; display: boolean }) => {
        this.allowed = a;
        if (!a.display && this.screen) this.unshare();
        this.apply();
        this.tell();
      }),
    });
    if (this.screen) this.pictures.display(this.screen);
    if (this.own) this.pictures.camera(this.own);
    void this.pictures.start().catch(() => {
      if (this.page !== page) return;
      this.lose();
      this.later();
    });
  }

  // apply opens the camera where it is wanted and may be shown, and shuts it where not.
  private apply(): void {
    if (!this.on || !this.allowed.camera) {
      this.eye?.off();
      return;
    }
    if (this.own) return;
    this.eye ??= this.o.camera({
      onCam: (c) => {
        this.cam = c;
        this.pictures?.cam(c);
        this.tell();
      },
      onTrack: (t) => {
        this.own = t;
        this.pictures?.camera(t);
        this.tell();
      },
    });
    void this.eye.open(this.o.wanted().device || undefined).catch(() => {
      this.cam = "denied"; // no camera in a page by plain http
      this.tell();
    });
  }

  private changed(s: VoiceState): void {
    this.state = s;
    if (s === "up") this.tries = 0;
    if (s === "gone") {
      this.lose();
      this.later();
    }
    this.tell();
  }

  private later(): void {
    if (this.over || this.elsewhere) return;
    this.cancelAgain();
    this.cancelAgain = this.o.after(Math.min(longestPause, againAfter * 2 ** this.tries++), () => this.connect());
  }

  private lose(): void {
    this.cancelAgain();
    const { pictures, page } = this;
    this.page = "";
    this.pictures = null;
    this.shown = [];
    this.state = "gone";
    if (!pictures) return;
    this.o.send(this.interaction, page, { kind: "bye", why: "closed" });
    pictures.close();
  }

  // stop lets the devices go.
  private stop(): void {
    this.unshare();
    this.eye?.close();
    this.eye = null;
    this.own = null;
    this.cam = "";
  }

  private unshare(): void {
    const { screen } = this;
    this.screen = null;
    screen?.stop();
    this.pictures?.display(null);
    if (screen) this.tell();
  }
}

// Sights are those of all interactions that have pictures.
export class Sights {
  private readonly all = new Map<string, Sight>();
  private readonly listeners = new Set<() => void>();

  constructor(private readonly o: SightOptions) {}

  subscribe(run: () => void): () => void {
    this.listeners.add(run);
    return () => this.listeners.delete(run);
  }

  of(interaction: string): Sight | undefined {
    return this.all.get(interaction);
  }

  // follow is told of what is held: pictures are there where they were agreed to, and the
  // agent takes part.
  follow(s: State): void {
    const tell = () => {
      for (const run of [...this.listeners]) run();
    };
    const wanted = new Set(
      Object.values(s.upgrades)
        .filter((u) => runs(u) === "video" && takesPart(s, u))
        .map((u) => u.interaction),
    );
    for (const [interaction, sight] of this.all) {
      if (wanted.has(interaction)) continue;
      sight.close();
      this.all.delete(interaction);
      tell();
    }
    for (const interaction of wanted) if (!this.all.has(interaction)) this.all.set(interaction, new Sight(interaction, this.o, tell));
  }

  take(interaction: string, page: string, s: ScreenSignal): void {
    this.all.get(interaction)?.take(page, s);
  }

  // refused is told of what the server answered to a signal, by the page's id.
  refused(page: string, why: string): void {
    for (const sight of this.all.values()) sight.take(page, { kind: "bye", why });
  }

  // device is another camera, for all of them.
  device(id: string): void {
    for (const sight of this.all.values()) sight.device(id);
  }

  reconnected(): void {
    for (const sight of this.all.values()) sight.again();
  }

  close(): void {
    for (const sight of this.all.values()) sight.close();
    this.all.clear();
  }
}

// runs is the level that may run now: what was asked for, as far as it was agreed to.
export function runs(u: Upgrade | undefined): Level {
  if (!u || ended(u)) return "";
  return lesser(u.level, u.agreed ?? "");
}

// takesPart tells whether the agent serves the customer, or is in their call.
export function takesPart(s: State, u: Upgrade): boolean {
  const item = Object.values(s.items).find((i) => i.task?.interaction === u.interaction);
  if (item) return item.stage === "assigned";
  return Object.values(s.talks).some((t) => t.interaction === u.interaction && t.parties.some((p) => p.name === s.name && p.state !== "ringing"));
}
