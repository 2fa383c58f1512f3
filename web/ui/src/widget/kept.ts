// What is kept of a talk: in the browser the token and the language that was chosen, in
// the tab the messages, so that the next page of the site shows them at once and asks
// only for what is newer. The browser drops those with the tab.
import type { Host } from "./host.ts";
import type { Message } from "./protocol.ts";

export interface Settings {
  token?: string | undefined;
  lang?: string | undefined;
}

interface Snapshot {
  token: string;
  conversation: string;
  rev: number;
  messages: readonly Message[];
}

const mostKept = 200_000; // characters of messages; a longer talk is asked for anew

export class Kept {
  constructor(
    private readonly host: Host,
    readonly key: string,
  ) {}

  get settings(): Settings {
    const kept = parsed(this.host.local.get(this.key));
    return typeof kept === "object" && kept !== null ? kept : {};
  }

  change(what: Settings): void {
    this.host.local.set(this.key, JSON.stringify({ ...this.settings, ...what }));
  }

  // messages of the talk with this token, or null.
  messages(token: string | null): Snapshot | null {
    const kept = parsed(this.host.session.get(this.key)) as Snapshot | null;
    return kept !== null && token !== null && kept.token === token && Array.isArray(kept.messages) ? kept : null;
  }

  keepMessages(s: Snapshot): void {
    const text = JSON.stringify(s);
    if (text.length <= mostKept) this.host.session.set(this.key, text);
    else this.dropMessages();
  }

  dropMessages(): void {
    this.host.session.remove(this.key);
  }

  // keepPage keeps the page's name over a reload; takePage takes it, once: a tab that is made
  // of this one later must not have it too.
  keepPage(page: string): void {
    this.host.session.set(this.key + ":page", page);
  }

  takePage(): string | null {
    const page = this.host.session.get(this.key + ":page");
    this.host.session.remove(this.key + ":page");
    return page;
  }
}

function parsed(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return null;
  }
}
