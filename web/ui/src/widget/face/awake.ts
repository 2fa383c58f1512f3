// While somebody is seen the telephone's screen stays on, and a page that was in the
// background meanwhile is noticed.
const awayFor = 2_000; // milliseconds in the background that are worth a word

interface Lock {
  release(): Promise<void>;
}

export class Awake {
  private lock: Lock | null = null;
  private asking = false;
  private hidden = 0; // since when, in milliseconds
  private readonly leave = new AbortController();

  constructor(
    private readonly wanted: () => boolean,
    private readonly back: () => void,
  ) {
    document.addEventListener("visibilitychange", () => this.turned(), { signal: this.leave.signal });
  }

  // look asks for the screen to stay on, or lets it go.
  look(): void {
    const keeper = (navigator as { wakeLock?: { request(kind: "screen"): Promise<Lock> } }).wakeLock;
    if (!this.wanted()) {
      this.lock?.release().catch(() => {});
      this.lock = null;
      return;
    }
    if (!keeper || this.lock || this.asking || document.hidden) return;
    this.asking = true;
    keeper.request("screen").then(
      (lock) => {
        this.asking = false;
        this.lock = lock;
        this.look(); // it may have ended meanwhile
      },
      () => (this.asking = false), // no battery to spare: it goes on without
    );
  }

  close(): void {
    this.leave.abort();
    this.lock?.release().catch(() => {});
    this.lock = null;
  }

  private turned(): void {
    if (document.hidden) {
      this.hidden = Date.now();
      this.lock = null; // browsers take it back
      return;
    }
    if (this.wanted() && this.hidden > 0 && Date.now() - this.hidden >= awayFor) this.back();
    this.hidden = 0;
    this.look();
  }
}
