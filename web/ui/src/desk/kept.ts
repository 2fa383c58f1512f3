// What this device remembers of the desk: drafts, what was sent and not yet taken, devices.
// Storage may be refused; things then last as long as the page.

// Shelf is what is used of the browser's storage.
export interface Shelf {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

export interface Devices {
  microphone?: string;
  speaker?: string;
  ring?: string;
  volume?: number; // of the ring, 0 to 1
  seat?: "page" | "phone"; // where calls are taken
  camera?: string;
  shown?: boolean; // the camera is on as pictures begin; on, if nothing was chosen
}

// Said is a message that the server has not said it has.
export interface Said {
  id: string;
  task: string;
  text: string;
  at: number;
  failed?: string; // the error's code
}

const mostDrafts = 40; // the oldest go
const draftAge = 24 * 3600_000; // milliseconds: what was meant for a talk of yesterday is not kept

export class Kept {
  private readonly memory = new Map<string, string>();

  constructor(
    private readonly shelf: Shelf | null,
    private readonly name: string, // whose it is: several may use one device
  ) {}

  devices(): Devices {
    return this.read<Devices>("devices") ?? {};
  }

  choose(change: Devices): Devices {
    const next = { ...this.devices(), ...change };
    this.write("devices", next);
    return next;
  }

  // draft is what was being written under a name: a talk's message, a note, a ticket's words.
  draft(what: string): string {
    return this.drafts()[what]?.text ?? "";
  }

  keepDraft(what: string, text: string, now: number): void {
    const all = this.drafts();
    if (text === "") delete all[what];
    else all[what] = { text, at: now };
    const fresh = Object.entries(all).filter(([, d]) => now - d.at < draftAge).sort(([, a], [, b]) => b.at - a.at).slice(0, mostDrafts);
    this.write("drafts", Object.fromEntries(fresh));
  }

  said(): Said[] {
    return this.read<Said[]>("said") ?? [];
  }

  keepSaid(list: readonly Said[]): void {
    this.write("said", list);
  }

  private drafts(): Record<string, { text: string; at: number }> {
    return this.read("drafts") ?? {};
  }

  private key(what: string): string {
    return `tandem.desk.${this.name}.${what}`;
  }

  private read<T>(what: string): T | null {
    const key = this.key(what);
    try {
      const text = this.memory.get(key) ?? this.shelf?.getItem(key) ?? null;
      return text === null ? null : (JSON.parse(text) as T);
    } catch {
      return null;
    }
  }

  private write(what: string, value: unknown): void {
    const key = this.key(what);
    const text = JSON.stringify(value);
    try {
      this.shelf?.setItem(key, text);
      this.memory.delete(key);
    } catch {
      this.memory.set(key, text);
    }
    if (!this.shelf) this.memory.set(key, text);
  }
}
