// A world for the talk's tests: a clock that is turned by hand, storages, and a server
// that keeps conversations as docs/chat-protocol.md tells it. Frames wait in the wire
// until they are let through, so that a test may cut it at any of them.
export class Clock {
  now = 1_700_000_000_000;
  #timers = [];
  after(ms, run) {
    const timer = { at: this.now + ms, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((t) => t !== timer);
    };
  }
  get next() {
    return Math.min(...this.#timers.map((t) => t.at));
  }
  // turn lets time pass.
  turn(ms) {
    const end = this.now + ms;
    for (;;) {
      const due = this.#timers.filter((t) => t.at <= end).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.#timers = this.#timers.filter((t) => t !== due);
      this.now = Math.max(this.now, due.at);
      due.run();
    }
    this.now = end;
  }
}

export function storage() {
  const map = new Map();
  return {
    map,
    get: (k) => map.get(k) ?? null,
    set: (k, v) => void map.set(k, v),
    remove: (k) => void map.delete(k),
    keys: () => [...map.keys()],
  };
}

export class World {
  clock = new Clock();
  local = storage();
  session = storage();
  server = new Server(this.clock);
  sockets = []; // all that were opened, the present one last
  reachable = true;
  #ids = 0;
  host = {
    now: () => this.clock.now,
    after: (ms, run) => this.clock.after(ms, run),
    random: () => 0.5,
    id: () => `id${++this.#ids}`,
    connect: () => {
      const socket = new Wire(this);
      this.sockets.push(socket);
      return socket;
    },
    local: this.local,
    session: this.session,
  };

  get wire() {
    return this.sockets.at(-1);
  }

  // run lets everything through until nothing moves any more.
  run() {
    while (this.sockets.some((s) => s.step())) {}
  }

  // settle is run with time passing in between: pauses end, answers come.
  settle(ms = 60_000) {
    for (let gone = 0; gone < ms; gone += 500) {
      this.run();
      this.clock.turn(500);
    }
    this.run();
  }
}

// Wire is one socket: what goes each way waits until it is let through.
class Wire {
  onopen = null;
  onmessage = null;
  onclose = null;
  up = []; // to the server
  down = []; // to the client
  passed = 0; // frames let through, either way
  open = false;
  dead = false;
  cutAt = Infinity; // the wire is cut in place of this frame
  constructor(world) {
    this.world = world;
    this.session = null;
  }
  send(text) {
    if (!this.open) throw new Error("not open");
    this.up.push(text);
  }
  close() {
    this.dead = true;
    this.session?.end();
  }
  // cut loses all that is on its way; the client hears of it.
  cut(code = 1006, reason = "") {
    if (this.dead) return;
    this.close();
    this.up = [];
    this.down = [];
    this.onclose?.({ code, reason });
  }
  step() {
    if (this.dead) return false;
    if (!this.open) {
      if (!this.world.reachable) {
        this.cut();
        return true;
      }
      this.open = true;
      this.session = this.world.server.session(
        (f) => this.down.push(JSON.stringify(f)),
        (code, reason) => this.down.push({ code, reason }),
      );
      this.onopen?.();
      return true;
    }
    const toServer = this.up.length > 0 && (this.passed % 2 === 0 || this.down.length === 0);
    const frame = toServer ? this.up.shift() : this.down.shift();
    if (frame === undefined) return false;
    if (this.passed++ === this.cutAt) {
      this.cut();
      return true;
    }
    if (toServer) this.session.take(JSON.parse(frame));
    else if (typeof frame === "string") this.onmessage?.({ data: frame });
    else this.cut(frame.code, frame.reason);
    return true;
  }
}

export class Server {
  conversations = new Map(); // by token
  refuse = []; // answers to the next says, in place of taking them
  silent = false; // takes nothing and answers nothing
  said = []; // frames that came, of all sockets
  reply = (c, m) => this.add(c, { from: "flow", text: `reply to ${m.text}` });
  beside = () => null; // does what is wanted of voice, pictures and checks; gives a refusal, or null
  signalled = () => {};
  greet = (c) => this.add(c, { from: "flow", text: "hello" });
  #tokens = 0;
  constructor(clock) {
    this.clock = clock;
  }

  begin(token) {
    const c = { id: `c-${token}`, token, rev: 0, list: [], live: new Set(), opened: 0 };
    this.conversations.set(token, c);
    return c;
  }

  add(c, m) {
    const message = { t: "message", seq: c.list.length + 1, rev: ++c.rev, state: "sent", at: new Date(this.clock.now).toISOString(), text: "", ...m };
    c.list.push(message);
    for (const send of c.live) send(message);
    return message;
  }

  // face tells of voice, pictures and checks; each is a part of what is known, whole.
  face(c, what) {
    c.face = { ...c.face, ...what };
    for (const to of c.pages ?? []) this.#tellFace(c, to, Object.keys(what));
  }

  #tellFace(c, { send, page }, keys = Object.keys(c.face ?? {})) {
    const { upgrade, may, check, page: owner } = c.face ?? {};
    if (keys.some((k) => k !== "check")) {
      const yours = upgrade ? owner === page : undefined;
      send({ t: "upgrade", may: may ?? [], upgrade: upgrade ? { ...upgrade, yours, ...(yours ? { ice: [] } : {}) } : null });
    }
    if (keys.includes("check")) send({ t: "check", check: check ?? null });
  }

  // signal tells the page that has the media.
  signal(c, t, signal) {
    for (const { send, page } of c.pages ?? []) if (page === c.face?.page) send({ t, signal });
  }

  // stand tells how the person stands in line; null = in none any more.
  stand(c, place) {
    c.place = place && { t: "place", ...place };
    for (const send of c.live) send(c.place ?? { t: "place", state: "over" });
  }

  mark(c, seq, state) {
    const order = ["pending", "sent", "failed", "delivered", "read"];
    for (const [i, m] of c.list.entries()) {
      if (m.seq > seq || m.from === "customer" || order.indexOf(m.state) >= order.indexOf(state)) continue;
      c.list[i] = { ...m, state, rev: ++c.rev };
      for (const send of c.live) send(c.list[i]);
    }
  }

  session(send, close) {
    let c = null;
    let token = null;
    let langs = [];
    let ended = false;
    let here = null; // this page, of a conversation
    const guarded = (f) => !ended && send(f);
    const made = () => {
      if (c) return c;
      c = this.begin(token);
      c.langs = langs;
      c.live.add(guarded);
      (c.pages ??= new Set()).add(here);
      guarded({ t: "welcome", conversation: c.id, rev: 0 });
      return c;
    };
    return {
      end: () => {
        ended = true;
        c?.live.delete(guarded);
        c?.pages?.delete(here);
      },
      take: (f) => {
        this.said.push(f);
        if (this.silent) return;
        switch (f.t) {
          case "hello":
            langs = f.langs;
            here = { send: guarded, page: f.page };
            token = f.token ?? `token${++this.#tokens}`;
            c = this.conversations.get(token) ?? null;
            if (f.token && !c) return close(1008, "token");
            send({ t: "welcome", rev: c?.rev ?? 0, site: { title: { en: "Bank" } }, ...(c ? { conversation: c.id } : { token }) });
            if (!c) return;
            if (c.place) send(c.place);
            (c.pages ??= new Set()).add(here);
            if (c.face) this.#tellFace(c, here);
            for (const m of c.list.filter((m) => m.rev > (f.after ?? 0)).sort((a, b) => a.rev - b.rev)) send(m);
            send({ t: "caught_up", rev: c.rev });
            c.live.add(guarded);
            return;
          case "open":
            if (made().opened++ === 0) this.greet(c);
            return;
          case "say": {
            made();
            const known = c.list.find((m) => m.id === f.id);
            if (known) return send(known);
            const refusal = this.refuse.shift();
            if (refusal) return send({ t: "refused", id: f.id, ...refusal });
            const m = this.add(c, { from: "customer", id: f.id, text: f.secret ? "•".repeat(f.text.length) : (f.text ?? ""), ...(f.secret ? { secret: true } : {}), ...(f.attachment ? { attachment: { id: f.attachment } } : {}) });
            this.reply(c, m);
            return;
          }
          case "lang":
            langs = [f.lang];
            if (c) c.langs = langs;
            return;
          case "read":
            return c && this.mark(c, f.seq, "read");
          case "got":
            return c && this.mark(c, f.seq, "delivered");
          case "ping":
            return send({ t: "pong" });
          case "upgrade":
          case "check": {
            const refusal = c ? this.beside(c, f, here.page) : { code: "bad" };
            return guarded(refusal ? { t: "refused", id: f.id, ...refusal } : { t: "done", id: f.id });
          }
          case "voice":
          case "screen":
            return c && this.signalled(c, f.t, f.signal, here.page);
        }
      },
    };
  }
}
