// One person's talk with one site: what was said, what waits to be sent, and the line to
// the server. It knows no page; the views ask it and are told when something changed.
import { UploadError } from "./api.ts";
import { Beside } from "./beside.ts";
import { Busy } from "./busy.ts";
import type { Typist } from "./busy.ts";
import { Kept } from "./kept.ts";
import { Line } from "./line.ts";
import type { LineState } from "./line.ts";
import { Log } from "./log.ts";
import { Outbox } from "./outbox.ts";
import type { Item } from "./outbox.ts";
import { Receipts } from "./receipts.ts";
import type { Host } from "./host.ts";
import type { Attachment, Button, ByLanguage, FromServer, Message, Refused, Site, Standing, Welcome } from "./protocol.ts";

export interface TalkOptions {
  host: Host;
  base: string; // the server's root, with a slash at its end
  site?: string; // or a QR code
  qr?: string;
  langs(): string[]; // the person's languages, the best first
  upload(file: File, token: string, progress: (part: number) => void): Promise<Attachment>; // throws UploadError
}

// A word to the person that belongs to no message.
export interface Notice {
  code: string;
  words?: ByLanguage;
}

// Milliseconds.
const ackTime = 15_000; // for the server to take a message, or the line is made anew
const typingEvery = 3_000; // between ours
const keepPause = 500; // before messages are kept: several come at once
const mostTries = 5; // of a message that the server puts off
const longestWait = 60; // seconds; a message put off for longer has failed

export class Talk {
  readonly log = new Log();
  readonly outbox: Outbox;
  readonly beside: Beside; // voice, pictures and checks
  site: Site = {};
  place = "";
  standing: Standing | null = null; // in line, or with an agent
  notice: Notice | null = null;
  token: string | null = null; // of the conversation, once there is one
  ready = false; // connected, and everything older has come

  private conversation = "";
  private offered: string | null = null; // the token that a conversation will get, once something is said
  private opening: "no" | "wanted" | "sent" = "no"; // the person opened the panel, and the server may not know
  private inFlight: string | null = null; // the item that the server has not acknowledged
  private untold: string | null = null; // the language that was chosen, and the server does not know
  private typedAt = 0;
  private stood = false; // the server has told the standing since it said welcome
  private readonly kept: Kept;
  private readonly line: Line;
  private readonly receipts: Receipts;
  private readonly typists: Busy;
  private readonly listeners = new Set<() => void>();
  private cancelPump = () => {};
  private cancelAck = () => {};
  private cancelKeep = () => {};

  constructor(private readonly o: TalkOptions) {
    this.kept = new Kept(o.host, "tandem:" + (o.qr !== undefined ? "qr:" + o.qr : o.site));
    this.outbox = new Outbox(o.host.local, this.kept.key + ":say:");
    this.receipts = new Receipts(o.host, () => this.log.list, (f) => this.ready && this.line.send(f));
    this.typists = new Busy(o.host, () => this.tell());
    this.beside = new Beside(this.kept.takePage() ?? o.host.id(), o.host.id, (f) => this.line.send(f), () => this.tell());
    this.token = this.kept.settings.token ?? null;
    this.restore();
    const url = new URL("api/v1/chat/socket", o.base);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    this.line = new Line(o.host, url.href, {
      connected: () => this.hello(),
      frame: (f) => this.take(f),
      changed: () => this.tell(),
      closed: (code, reason) => this.closed(code, reason),
    });
    if (this.token !== null || this.outbox.items.length > 0) this.line.start();
  }

  get state(): LineState {
    return this.line.state;
  }

  // failing reports whether the server could not be reached at the last try.
  get failing(): boolean {
    return this.line.failing;
  }

  // subscribe has run called after each change; what it gives ends that.
  subscribe(run: () => void): () => void {
    this.listeners.add(run);
    return () => this.listeners.delete(run);
  }

  // ---- what the person does

  // open is told when the person opens the panel: the site's flow may begin.
  open(): void {
    this.opening = "wanted";
    this.line.start();
    this.line.poke();
    this.pump();
  }

  // look is told whether the panel is open and its page in front.
  look(seen: boolean): void {
    if (seen === this.receipts.seen) return;
    this.receipts.look(seen);
    if (seen) this.line.poke();
    this.tell();
  }

  // say puts a message into the outbox; secret marks an answer to a masked question.
  say(text: string, secret = false): void {
    const asking = secret ? this.asking?.seq : undefined;
    this.put({ text, ...(secret ? { secret: asking ?? 0 } : {}) });
  }

  sayPicture(file: File): void {
    this.put({ text: "", file });
  }

  retry(id: string): void {
    this.outbox.again(id, this.o.host.now());
    this.line.start();
    this.line.poke();
    this.pump();
    this.tell();
  }

  discard(id: string): void {
    this.outbox.remove(id);
    this.tell();
  }

  // typing is told of each key, and with false when the text is gone.
  typing(on: boolean): void {
    const now = this.o.host.now();
    if (!this.ready || (on ? now - this.typedAt < typingEvery : this.typedAt === 0)) return;
    this.typedAt = on ? now : 0;
    this.line.send({ t: "typing", on });
  }

  // poke tries to connect at once if the line waits to.
  poke(): void {
    this.line.poke();
  }

  // offline is told when the browser has lost its network: no need to wait for silence.
  offline(): void {
    if (this.state === "up" || this.state === "connecting") {
      this.lost();
    }
  }

  // stop leaves for good, or until open: the page is put away.
  stop(): void {
    this.save();
    if (this.beside.upgrade?.yours) this.kept.keepPage(this.beside.page); // loaded again, it goes on with its voice
    this.down();
    this.line.stop();
  }

  start(): void {
    this.kept.takePage();
    if (this.token !== null || this.opening !== "no" || this.outbox.items.length > 0) this.line.start();
  }

  // changedElsewhere is told when another tab of this browser has changed what is kept.
  changedElsewhere(key: string | null, value: string | null): void {
    if (key === this.kept.key) {
      const token = this.kept.settings.token ?? null;
      if (token === null || token === this.token) return;
      this.token = token; // the other tab, or a link page, has begun: go on there
      this.forget();
      this.down();
      this.line.stop();
      this.line.start();
    } else if (key !== null && value === null) {
      this.outbox.gone(key);
      this.tell();
    }
  }

  // ---- what the views ask

  // asking is the message that asks for a secret, while it is to be answered.
  get asking(): Message | null {
    const m = this.log.unanswered;
    return m?.asks_secret ? m : null;
  }

  // choices are the buttons that can be tapped now, and the message they belong to.
  get choices(): { of: number; buttons: Button[] } | null {
    const m = this.log.unanswered;
    return m?.buttons?.length && this.outbox.items.every((i) => i.failed !== undefined || i.file || i.attachment) ? { of: m.seq, buttons: m.buttons } : null;
  }

  get unread(): number {
    return this.receipts.unread;
  }

  // busy is who is typing, or will say something soon.
  get busy(): Typist | null {
    return this.typists.who;
  }

  language(): string | undefined {
    return this.kept.settings.lang;
  }

  chooseLanguage(lang: string): void {
    this.kept.change({ lang });
    this.speak(lang);
  }

  // speak is told that the widget's language is another: the server is to know.
  speak(lang: string): void {
    this.untold = lang;
    this.pump();
  }

  // ---- the line

  private hello(): void {
    const { site, qr, langs } = this.o;
    this.receipts.connected();
    this.line.send({
      t: "hello",
      ...(qr !== undefined ? { qr } : { site: site ?? "" }),
      ...(this.token !== null ? { token: this.token, after: this.log.rev } : {}),
      langs: langs(),
      page: this.beside.page,
    });
    this.line.expect();
  }

  private take(f: FromServer): void {
    if (this.beside.take(f)) return;
    switch (f.t) {
      case "welcome":
        return this.welcome(f);
      case "message":
        return this.message(f);
      case "caught_up":
        return this.settle();
      case "refused":
        return this.refused(f);
      case "place":
        return this.stand(f);
      case "typing":
        if (f.from === "customer") return; // our own, in another tab
        return f.on ? this.typists.typing({ from: f.from, ...(f.name ? { name: f.name } : {}) }) : this.typists.end();
      case "over":
        this.stand(null);
        return this.typists.end();
      case "pong":
        if (this.opening === "sent") this.opening = "no"; // it answers what was sent behind open
    }
  }

  private welcome(w: Welcome): void {
    this.site = w.site ?? this.site;
    this.place = w.place ?? "";
    this.stood = false;
    this.beside.welcome();
    if (w.token && w.conversation) this.kept.change({ token: (this.token = w.token) });
    else if (w.token) this.offered = w.token;
    const other = w.conversation !== undefined && this.conversation !== "" && w.conversation !== this.conversation;
    if (w.conversation) this.conversation = w.conversation;
    if (other || w.rev < this.log.rev) {
      this.forget(); // what this tab kept is not of this conversation: all of it anew
      this.conversation = w.conversation ?? "";
      return this.lost();
    }
    this.line.up();
    if (!w.conversation || w.rev === 0) this.settle(); // there is nothing older
    this.tell();
  }

  // stand is told how the person stands in line; null = in none.
  private stand(s: Standing | null): void {
    this.stood = true;
    this.standing = s && s.state !== "over" ? s : null;
    if (this.standing) this.typists.end(); // a person answers when they can
    this.tell();
  }

  private settle(): void {
    this.ready = true;
    if (!this.stood) this.standing = null; // what was before the cut is over
    this.line.settled();
    this.beside.settle();
    this.pump();
    this.receipts.soon();
    this.tell();
  }

  private message(m: Message): void {
    const what = this.log.apply(m);
    if (m.from === "customer") {
      // What was sent twice is answered with what came of the first, new or not.
      if (m.id && this.outbox.remove(m.id) && this.ready && !m.attachment && !this.standing) this.typists.await();
      if (m.id && m.id === this.inFlight) this.landed();
    } else if (what === "new" && m.from !== "system") {
      this.typists.end();
    }
    this.cancelKeep();
    this.cancelKeep = this.o.host.after(keepPause, () => this.save());
    if (this.ready) {
      this.pump();
      this.receipts.soon();
    }
    this.tell();
  }

  private refused(f: Refused): void {
    const item = this.outbox.items.find((i) => i.id === f.id);
    if (!item) {
      this.notify(f);
      return;
    }
    if (this.inFlight === item.id) this.landed();
    const wait = f.retry_after ?? (f.code === "too_fast" ? 2 : 0);
    if (item.secret !== undefined && f.code === "not_now") {
      this.outbox.remove(item.id);
      this.notify({ code: "secret_gone" });
    } else if (wait > 0 && wait <= longestWait && item.tries < mostTries) {
      this.outbox.change(item.id, { tries: item.tries + 1, notBefore: this.o.host.now() + wait * 1000 });
    } else {
      this.outbox.change(item.id, { failed: f.code, ...(f.message ? { words: f.message } : {}) });
    }
    this.pump();
    this.tell();
  }

  private closed(code: number, reason: string): "again" | "stop" {
    this.down();
    if (code !== 1008) return "again";
    if (reason === "token" && this.token !== null) {
      this.token = null; // the server does not know it any more: begin anew
      this.kept.change({ token: undefined });
      this.forget();
    }
    return reason === "origin" || reason === "site" ? "stop" : "again";
  }

  // down is what holds without a connection.
  private down(): void {
    this.ready = false;
    this.beside.down();
    this.offered = null;
    this.landed();
    if (this.opening === "sent") this.opening = "wanted";
    this.typedAt = 0;
    this.cancelPump();
    this.typists.end();
  }

  // ---- sending

  private put(what: Pick<Item, "text" | "secret" | "file">): void {
    this.notice = null;
    if (this.outbox.full) return this.notify({ code: "outbox_full" });
    this.outbox.add(this.o.host.id(), this.o.host.now(), what);
    this.typedAt = 0;
    this.line.start();
    this.line.poke();
    this.pump();
    this.tell();
  }

  // pump sends what is due, one message at a time: the next one goes when the server has
  // taken the one before, so that nothing is overtaken.
  private pump(): void {
    if (!this.ready) return;
    if (this.offered !== null && (this.opening === "wanted" || this.outbox.head)) {
      // Kept before anything is said: if the answer is lost, the talk is found again.
      this.kept.change({ token: (this.token = this.offered) });
      this.offered = null;
    }
    if (this.untold !== null && this.line.send({ t: "lang", lang: this.untold })) this.untold = null;
    if (this.opening === "wanted" && this.line.send({ t: "open" })) {
      this.opening = "sent";
      this.line.send({ t: "ping" }); // its answer tells that open has come
      this.line.expect();
      if (this.log.list.length === 0) this.typists.await();
    }
    this.cancelPump();
    const item = this.outbox.head;
    if (!item || this.inFlight !== null) return;
    const wait = item.notBefore - this.o.host.now();
    if (wait > 0) {
      this.cancelPump = this.o.host.after(wait, () => this.pump());
      return;
    }
    if (item.secret !== undefined && item.secret !== this.asking?.seq) {
      this.outbox.remove(item.id); // the question is gone: the secret must not go elsewhere
      this.notify({ code: "secret_gone" });
      return this.pump();
    }
    this.inFlight = item.id;
    if (item.file && item.attachment === undefined) {
      void this.upload(item, item.file);
      return;
    }
    const sent = this.line.send({
      t: "say",
      id: item.id,
      ...(item.attachment !== undefined ? { attachment: item.attachment } : { text: item.text }),
      ...(item.secret !== undefined ? { secret: true as const } : {}),
    });
    if (sent) this.cancelAck = this.o.host.after(ackTime, () => this.lost());
  }

  // landed is told when nothing is on its way any more.
  private landed(): void {
    this.inFlight = null;
    this.cancelAck();
  }

  // lost is told when the server does not take what was sent: perhaps the line is dead.
  private lost(): void {
    this.down();
    this.line.restart();
  }

  private async upload(item: Item, file: File): Promise<void> {
    const settle = (what: Partial<Item>) => {
      this.outbox.change(item.id, what);
      if (this.inFlight === item.id) this.landed();
      this.pump();
      this.tell();
    };
    try {
      if (this.token === null || this.conversation === "") throw new UploadError("not_now", true); // soon
      const { id } = await this.o.upload(file, this.token, (progress) => {
        this.outbox.change(item.id, { progress });
        this.tell();
      });
      settle({ attachment: id });
    } catch (err) {
      const why = err instanceof UploadError ? err : new UploadError("upload", true);
      const wait = Math.max(why.retryAfter, 2 ** item.tries);
      if (why.again && wait <= longestWait && item.tries < mostTries) settle({ tries: item.tries + 1, notBefore: this.o.host.now() + wait * 1000 });
      else settle({ failed: why.code });
    }
  }

  // ---- small things

  private notify(n: { code: string; message?: ByLanguage }): void {
    this.notice = { code: n.code, ...(n.message ? { words: n.message } : {}) };
    this.tell();
  }

  private tell(): void {
    for (const run of this.listeners) run();
  }

  private forget(): void {
    this.log.clear();
    this.standing = null;
    this.conversation = "";
    this.receipts.forget();
    this.kept.dropMessages();
  }

  private save(): void {
    this.cancelKeep();
    if (this.token === null || this.log.list.length === 0) return;
    this.kept.keepMessages({ token: this.token, conversation: this.conversation, rev: this.log.rev, messages: this.log.list });
  }

  private restore(): void {
    const kept = this.kept.messages(this.token);
    if (!kept) return;
    for (const m of kept.messages) this.log.apply(m);
    this.log.rev = kept.rev;
    this.conversation = kept.conversation;
  }
}
