// What makes an offer noticed: a tone, the page's title and picture, a note by the system.

const tones = [440, 554]; // Hz, one after the other, twice in each turn
const tone = 0.22; // seconds of each
const turn = 2_400; // milliseconds from one ring to the next
const fade = 0.02; // seconds, so that nothing clicks

type Sinking = AudioContext & { setSinkId?(id: string): Promise<void> };

export class Ring {
  private context: Sinking | null = null;
  private device = "";
  private volume = 0.6;
  private touched = false;
  private timer = 0;
  private rung = ""; // for what it rings
  private readonly listeners = new Set<() => void>();

  // blocked tells whether the browser keeps the page silent until it is touched.
  get blocked(): boolean {
    return !this.touched && this.context !== null && this.context.state === "suspended";
  }

  get ringing(): boolean {
    return this.timer !== 0;
  }

  subscribe(run: () => void): () => void {
    this.listeners.add(run);
    return () => this.listeners.delete(run);
  }

  // prepare opens the sound, so that a ring begins at once.
  prepare(): void {
    if (!this.context) {
      try {
        this.context = new AudioContext();
      } catch {
        return; // a machine without sound; offers flash all the same
      }
      this.context.onstatechange = () => this.tell();
      void this.sink();
      this.tell();
    }
    if (this.context.state === "suspended") void this.context.resume().catch(() => {});
  }

  // touch is told that the agent pressed or clicked something: browsers let a page sound then.
  touch(): void {
    this.prepare();
    if (this.touched) return;
    this.touched = true;
    this.tell();
  }

  set(device: string, volume: number): void {
    this.volume = volume;
    if (device === this.device) return;
    this.device = device;
    void this.sink();
  }

  // start rings for something until stop; mark names it in the page's measurements.
  start(mark: string): void {
    if (this.timer !== 0 && this.rung === mark) return;
    this.prepare();
    this.rung = mark;
    window.clearInterval(this.timer);
    this.once();
    performance.mark(`ring ${mark}`);
    try {
      performance.measure("offer to ring", `frame ${mark}`, `ring ${mark}`);
    } catch {
      // It was told by no frame: a page that was loaded in the middle of an offer.
    }
    this.timer = window.setInterval(() => this.once(), turn);
  }

  stop(): void {
    window.clearInterval(this.timer);
    this.timer = 0;
    this.rung = "";
  }

  // once rings one turn.
  once(): void {
    this.prepare();
    const context = this.context;
    if (!context || context.state === "suspended" || this.volume === 0) return;
    for (let i = 0; i < 4; i++) {
      const at = context.currentTime + i * tone + (i > 1 ? tone : 0);
      const sound = context.createOscillator();
      const loud = context.createGain();
      sound.frequency.value = tones[i % 2]!;
      loud.gain.setValueAtTime(0, at);
      loud.gain.linearRampToValueAtTime(this.volume * 0.5, at + fade);
      loud.gain.setValueAtTime(this.volume * 0.5, at + tone - fade);
      loud.gain.linearRampToValueAtTime(0, at + tone);
      sound.connect(loud).connect(context.destination);
      sound.start(at);
      sound.stop(at + tone);
    }
  }

  private async sink(): Promise<void> {
    try {
      await this.context?.setSinkId?.(this.device);
    } catch {
      // The device is gone: the system's own rings.
    }
  }

  private tell(): void {
    for (const run of [...this.listeners]) run();
  }
}

// Flash shows in the page's title and picture that something waits.
export class Flash {
  private timer = 0;
  private shown = false;
  private icon: HTMLLinkElement | null = null;
  private plain = "";

  // show puts a title up: with urgent it alternates with the plain one, and the picture too.
  show(plain: string, urgent: string): void {
    window.clearInterval(this.timer);
    this.timer = 0;
    this.shown = false;
    document.title = urgent || plain;
    this.picture(urgent !== "");
    if (urgent === "" || matchMedia("(prefers-reduced-motion: reduce)").matches) return;
    this.timer = window.setInterval(() => {
      this.shown = !this.shown;
      document.title = this.shown ? plain : urgent;
      this.picture(!this.shown);
    }, 1_000);
  }

  private picture(on: boolean): void {
    this.icon ??= document.querySelector<HTMLLinkElement>('link[rel="icon"]');
    if (!this.icon) return;
    this.plain ||= this.icon.getAttribute("href") ?? "";
    const href = on ? alarm : this.plain;
    if (this.icon.getAttribute("href") !== href) this.icon.setAttribute("href", href);
  }
}

const alarm = "data:image/svg+xml," + encodeURIComponent('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><circle cx="16" cy="16" r="15" fill="#c8281f"/><path d="M16 7v12M16 23.4v1.6" stroke="#fff" stroke-width="4" stroke-linecap="round"/></svg>');

// notifying tells whether the system shows notes of this page: granted, denied, default, or
// none where the browser has no such thing.
export function notifying(): NotificationPermission | "none" {
  return typeof Notification === "undefined" ? "none" : Notification.permission;
}

// notify shows a note by the system while the page is hidden; what it gives takes it away.
export function notify(title: string, body: string, tag: string): () => void {
  if (notifying() !== "granted" || !document.hidden) return () => {};
  try {
    const note = new Notification(title, { body, tag, requireInteraction: true, icon: "/icon.svg" });
    note.onclick = () => {
      window.focus();
      note.close();
    };
    return () => note.close();
  } catch {
    return () => {}; // some mobile browsers have the name and not the thing
  }
}
