// Plays what is heard. Browsers let a page sound after a gesture only: if there was none,
// that is told, and the next gesture starts it.

export class Player {
  private readonly audio = document.createElement("audio");
  private readonly gesture = () => void this.play();

  constructor(private readonly onBlocked: (blocked: boolean) => void) {
    this.audio.autoplay = true;
  }

  start(stream: MediaStream): void {
    this.audio.srcObject = stream;
    void this.play();
  }

  stop(): void {
    this.wait(false);
    this.audio.pause();
    this.audio.srcObject = null;
  }

  private async play(): Promise<void> {
    try {
      await this.audio.play();
      this.wait(false);
    } catch (err) {
      if ((err as { name?: string }).name === "NotAllowedError") this.wait(true);
    }
  }

  private wait(blocked: boolean): void {
    for (const kind of ["pointerdown", "keydown"]) {
      if (blocked) document.addEventListener(kind, this.gesture);
      else document.removeEventListener(kind, this.gesture);
    }
    this.onBlocked(blocked);
  }
}
