// What the person said and the server has not acknowledged yet. It survives a reload:
// each item has a key of its own in the browser's storage, so that several tabs do not
// overwrite each other. Secrets and files that were not sent yet stay in memory only.
import type { Keep } from "./host.ts";
import type { ByLanguage } from "./protocol.ts";

export interface Item {
  id: string; // sent with it, so that the server takes it once
  at: number; // milliseconds; their order
  text: string;
  secret?: number; // it answers the message of this number, which asked for a secret
  file?: File; // a picture that must be sent first
  progress?: number; // of that, 0 to 1
  attachment?: string; // its id, once the server has it
  failed?: string; // why it will not be sent unless the person asks: a code
  words?: ByLanguage; // what the server said about it
  tries: number; // refusals after which it is tried again by itself
  notBefore: number; // milliseconds
}

const atMost = 100; // items; more are refused, nobody types so much without a network

export class Outbox {
  items: readonly Item[] = []; // in order; replaced at each change

  constructor(
    private readonly keep: Keep,
    private readonly prefix: string, // of the keys
  ) {
    for (const key of keep.keys()) if (key.startsWith(prefix)) this.load(key.slice(prefix.length));
  }

  get full(): boolean {
    return this.items.length >= atMost;
  }

  // head is the one to be sent next. Those that failed stand aside.
  get head(): Item | undefined {
    return this.items.find((i) => i.failed === undefined);
  }

  add(id: string, at: number, what: Pick<Item, "text" | "secret" | "file">): Item {
    const last = this.items.at(-1)?.at ?? 0;
    const item: Item = { id, at: Math.max(at, last + 1), tries: 0, notBefore: 0, ...what };
    this.items = [...this.items, item];
    this.store(item);
    return item;
  }

  change(id: string, what: Partial<Item>): void {
    this.items = this.items.map((i) => {
      if (i.id !== id) return i;
      const next = { ...i, ...what };
      if (!("progress" in what)) this.store(next);
      return next;
    });
  }

  // again puts one that failed behind the others.
  again(id: string, at: number): void {
    const item = this.items.find((i) => i.id === id);
    if (!item) return;
    const { failed: _, words: __, progress: ___, ...rest } = item;
    this.items = this.items.filter((i) => i.id !== id);
    const next = { ...rest, tries: 0, notBefore: 0, at: Math.max(at, (this.items.at(-1)?.at ?? 0) + 1) };
    this.items = [...this.items, next];
    this.store(next);
  }

  remove(id: string): boolean {
    const before = this.items.length;
    this.items = this.items.filter((i) => i.id !== id);
    this.keep.remove(this.prefix + id);
    return this.items.length < before;
  }

  // gone is told when another tab has changed a key of the storage.
  gone(key: string): void {
    if (key.startsWith(this.prefix)) this.items = this.items.filter((i) => this.prefix + i.id !== key);
  }

  clear(): void {
    for (const item of this.items) this.remove(item.id);
  }

  private store(i: Item): void {
    if (i.secret !== undefined || (i.file && i.attachment === undefined)) return;
    this.keep.set(this.prefix + i.id, JSON.stringify({ at: i.at, text: i.text, attachment: i.attachment, failed: i.failed, words: i.words }));
  }

  private load(id: string): void {
    try {
      const kept = JSON.parse(this.keep.get(this.prefix + id) ?? "") as Partial<Item>;
      if (typeof kept.text !== "string" || typeof kept.at !== "number") throw new Error("not an item");
      const item: Item = { ...kept, id, at: kept.at, text: kept.text, tries: 0, notBefore: 0 };
      this.items = [...this.items, item].sort((a, b) => a.at - b.at);
    } catch {
      this.keep.remove(this.prefix + id);
    }
  }
}
