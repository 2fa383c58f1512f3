// The desk's page at work: what is known (store.ts), the socket (wire.ts) and what this device
// keeps (kept.ts), together. The views ask it, tell it what the agent does, and are told when
// something changed.
import type { Api } from "../staff/api.ts";
import { asApiError } from "../staff/load.ts";
import type { Kept, Said } from "./kept.ts";
import type { RoleLink, ScreenSignal } from "./faces.ts";
import type { Command, Done, FromServer, Message, Presence, Sent, Signal } from "./protocol.ts";
import { checkAway, clocked, empty, guestOf, itemOf, linked, listed, looked, roleLinked, take, told } from "./store.ts";
import type { Item, News, State } from "./store.ts";
import { Wire } from "./wire.ts";
import type { Host } from "./wire.ts";

export interface HoldOptions {
  host: Host;
  api: Pick<Api, "get" | "skew">;
  kept: Kept;
  onNews(news: readonly News[]): void;
  onVoice(seat: string, signal: Signal): void;
  onScreen(interaction: string, page: string, signal: ScreenSignal): void; // interaction is empty where only the page is known
  onUp(): void; // the socket is up, again
}

// Milliseconds.
const typingEvery = 2_000; // between ours
const pagePause = 1_000; // before a talk that could not be read is read again

export class Hold {
  state: State = empty;
  said: readonly Said[]; // what the server has not said it has
  readonly wire: Wire;
  private readonly listeners = new Set<() => void>();
  private readonly reading = new Set<string>();
  private typedAt: Record<string, number> = {};

  constructor(private readonly o: HoldOptions) {
    this.said = o.kept.said();
    this.wire = new Wire(o.host, {
      hello: () => ({ t: "hello", ...(this.state.whole ? { epoch: this.state.epoch, since: this.state.n } : {}) }),
      frame: (f) => this.take(f),
      changed: () => {
        if (this.wire.state === "up") o.onUp();
        this.tell();
      },
    });
  }

  start(): void {
    this.wire.start();
    for (const s of this.said) if (!s.failed) this.send(s);
  }

  // subscribe has run called after each change; what it gives ends that.
  subscribe(run: () => void): () => void {
    this.listeners.add(run);
    return () => this.listeners.delete(run);
  }

  now(): number {
    return this.o.host.now();
  }

  // poke has the views look again: something that is no frame's has changed.
  poke(): void {
    this.tell();
  }

  // ---- what the agent does

  ask(command: Command, kept = false): Promise<Done> {
    return this.wire.ask(command, { kept });
  }

  say(task: string, text: string): void {
    const s: Said = { id: this.o.host.id(), task, text, at: this.now() };
    this.keepSaid([...this.said, s]);
    this.send(s);
  }

  retry(id: string): void {
    const s = this.said.find((x) => x.id === id);
    if (!s) return;
    const { failed: _, ...again } = s;
    this.keepSaid(this.said.map((x) => (x.id === id ? again : x)));
    this.send(again);
  }

  discard(id: string): void {
    this.keepSaid(this.said.filter((x) => x.id !== id));
  }

  presence(presence: Presence, reason?: string): Promise<Done> {
    return this.ask({ t: "presence", presence, ...(reason ? { reason } : {}) }, true);
  }

  // inviteBy makes a link by which somebody may join; its address is told here alone.
  async inviteBy(task: string, role: string): Promise<RoleLink> {
    const { invite } = await this.ask({ t: "invite_link", task, role });
    if (!invite) throw new Error("a link was made and not told");
    this.become({ ...roleLinked(this.state, task, { state: "made", ...invite }), news: [] });
    return invite;
  }

  async revoke(task: string, link: RoleLink): Promise<void> {
    await this.ask({ t: "invite_link", task, do: "revoke", invite: link.id });
    this.become({ ...roleLinked(this.state, task, { ...link, state: "revoked" }), news: [] });
  }

  // putAway puts away an identity check that has ended.
  putAway(interaction: string): void {
    this.become(checkAway(this.state, interaction));
  }

  // typing is told of each key, and with false when the text is gone or sent.
  typing(task: string, on: boolean): void {
    const last = this.typedAt[task] ?? 0;
    if (on ? this.now() - last < typingEvery : last === 0) return;
    this.typedAt[task] = on ? this.now() : 0;
    this.wire.pass({ t: "typing", task, on });
  }

  look(task: string): void {
    this.become(looked(this.state, task));
  }

  // ---- what is read by HTTP

  // readTalk reads what was said in a talk since what is known of it.
  async readTalk(task: string): Promise<void> {
    if (this.reading.has(task)) return;
    this.reading.add(task);
    try {
      for (let more = true; more; ) {
        const since = this.state.logs[task]?.rev ?? 0;
        const page = await this.o.api.get<{ messages: Message[]; rev: number }>(`tasks/${task}/messages?since=${since}`);
        this.become(told(this.state, task, page.messages));
        more = page.messages.length > 0 && page.rev > since;
      }
    } catch (err) {
      const code = asApiError(err).code;
      if (code === "offline" || code === "unavailable" || code === "too_many") this.o.host.after(pagePause, () => (itemOf(this.state, task) || guestOf(this.state, task)) && void this.readTalk(task));
    } finally {
      this.reading.delete(task);
    }
  }

  async readLinks(task: string): Promise<void> {
    try {
      const { links } = await this.o.api.get<{ links: Sent[] }>(`tasks/${task}/links`);
      this.become(linked(this.state, task, links));
    } catch {
      // Links that are sent from now on are told; these are shown in the journal, too.
    }
  }

  // ---- the rest

  private take(f: FromServer): void {
    if (f.t === "offer") performance.mark(`frame ${f.task.id} ${f.task.fence ?? 0}`);
    if (f.t === "error" && f.seat && f.code !== "too_fast") return this.o.onVoice(f.seat, { kind: "bye", why: f.code });
    if (f.t === "error" && f.page && f.code !== "too_fast") return this.o.onScreen("", f.page, { kind: "bye", why: f.code });
    if (f.t === "voice") return this.o.onVoice(f.seat, f.signal);
    if (f.t === "screen") return this.o.onScreen(f.interaction, f.page, f.signal);
    const before = this.state;
    this.become(clocked(take(before, f, this.now()), this.o.api.skew()));
    if (f.t === "ready") this.catchUp(before);
    const { news } = this.state;
    if (news.length === 0) return;
    for (const n of news) {
      if ((n.what === "offer" || n.what === "assigned") && talks(n.kind)) void this.readTalk(n.task);
      if (n.what === "talk" && n.talk && !n.before && guestOf(this.state, n.task)) void this.readTalk(n.task);
      if (n.what === "message" && n.message.client) this.arrived(n.message.client);
    }
    this.o.onNews(news);
  }

  // catchUp reads what frames do not bring again: talks and links of what was had all along.
  private catchUp(before: State): void {
    for (const i of listed(this.state)) {
      if (talks(i.kind) && (before.phase === "snapshot" || !this.state.logs[i.id])) void this.readTalk(i.id);
      if (i.stage === "assigned" && before.phase === "snapshot") void this.readLinks(i.id);
    }
    for (const task of Object.keys(this.state.talks)) if (guestOf(this.state, task)) void this.readTalk(task);
  }

  private send(s: Said): void {
    this.wire.ask({ t: "say", task: s.task, text: s.text }, { kept: true, id: s.id }).then(
      (d) => {
        if (d.message) this.become(told(this.state, s.task, [d.message]));
        this.arrived(s.id);
      },
      (err: unknown) => this.keepSaid(this.said.map((x) => (x.id === s.id ? { ...x, failed: asApiError(err).code } : x))),
    );
  }

  private arrived(id: string): void {
    if (this.said.some((x) => x.id === id)) this.keepSaid(this.said.filter((x) => x.id !== id));
  }

  private keepSaid(list: readonly Said[]): void {
    this.said = list;
    this.o.kept.keepSaid(list);
    this.tell();
  }

  private become(state: State): void {
    if (state === this.state) return;
    this.state = state;
    this.tell();
  }

  private tell(): void {
    for (const run of [...this.listeners]) run();
  }
}

const talks = (kind: Item["kind"]): boolean => kind === "chat" || kind === "sms";
