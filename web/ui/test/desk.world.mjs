// A world for the desk's tests: a clock that is turned by hand, and a server with one agent's
// feed as docs/protocol.md tells it. Frames wait in the wire until they are let through, so
// that a test may cut it at any of them.
import { Clock } from "./world.mjs";

export class World {
  clock = new Clock();
  feed = new Feed();
  sockets = []; // all that were opened, the present one last
  reachable = true;
  shelf = new Map();
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
  };
  storage = {
    getItem: (k) => this.shelf.get(k) ?? null,
    setItem: (k, v) => void this.shelf.set(k, v),
    removeItem: (k) => void this.shelf.delete(k),
  };
  // api answers what the desk reads by HTTP.
  api = {
    skew: () => 0,
    get: async (path) => {
      const [, task, since] = /^tasks\/(.+)\/messages\?since=(\d+)$/.exec(path) ?? [];
      if (!task) return { links: [] };
      const messages = (this.feed.messages[task] ?? []).filter((m) => m.rev > Number(since)).slice(0, 3); // several pages
      return { messages, rev: messages.at(-1)?.rev ?? Number(since) };
    },
  };

  get wire() {
    return this.sockets.at(-1);
  }

  // settle lets everything through, with time passing in between, and answers by HTTP come.
  async settle(ms = 20_000, step = 500) {
    for (let gone = 0; ; gone += step) {
      while (this.sockets.some((s) => s.step())) await 0;
      for (let i = 0; i < 8; i++) await 0;
      if (gone >= ms) return;
      this.clock.turn(step);
    }
  }
}

class Wire {
  onopen = null;
  onmessage = null;
  onclose = null;
  up = [];
  down = [];
  passed = 0;
  open = false;
  dead = false;
  cutAt = Infinity; // the wire is cut in place of this frame
  constructor(world) {
    this.world = world;
  }
  send(text) {
    if (!this.open) throw new Error("not open");
    this.up.push(text);
  }
  close() {
    this.dead = true;
    this.world.feed.leave(this);
  }
  cut(code = 1006, reason = "") {
    if (this.dead) return;
    this.close();
    this.onclose?.({ code, reason });
  }
  step() {
    if (this.dead) return false;
    if (!this.open) {
      if (!this.world.reachable) return this.cut(), true;
      this.open = true;
      this.onopen?.();
      return true;
    }
    const toServer = this.up.length > 0 && (this.passed % 2 === 0 || this.down.length === 0);
    const frame = toServer ? this.up.shift() : this.down.shift();
    if (frame === undefined) return false;
    if (this.passed++ === this.cutAt) return this.cut(), true;
    if (toServer) this.world.feed.take(this, JSON.parse(frame));
    else this.onmessage?.({ data: frame });
    return true;
  }
}

// Feed is the server's side of one agent.
export class Feed {
  epoch = "e1";
  n = 0;
  kept = 256; // frames for who comes back
  missed = [];
  held = {}; // task: the frames that tell of it in a snapshot
  messages = {};
  said = []; // what came, of all sockets
  answered = new Map();
  silent = false; // takes nothing and answers nothing
  live = new Set();

  tell(frame) {
    const data = JSON.stringify({ ...frame, n: ++this.n });
    this.missed = [...this.missed, { n: this.n, data }].slice(-this.kept);
    for (const wire of this.live) wire.down.push(data);
  }

  // restart forgets what was told, as a server does that was started anew.
  restart() {
    this.epoch += "+";
    this.missed = [];
    this.n = 0;
    for (const wire of [...this.live]) wire.cut(1012, "restart");
  }

  leave(wire) {
    this.live.delete(wire);
  }

  take(wire, f) {
    this.said.push(f);
    if (this.silent) return;
    const answer = (x) => wire.down.push(JSON.stringify(x));
    if (f.t === "ping") return answer({ t: "pong" });
    if (f.t === "hello") {
      const resumed = f.epoch === this.epoch && f.since <= this.n && this.n - f.since <= this.missed.length;
      answer({ t: "welcome", name: "anna", agent: true, board: false, epoch: this.epoch, n: this.n, resumed });
      if (resumed) for (const m of this.missed.filter((m) => m.n > f.since)) wire.down.push(m.data);
      else for (const frame of Object.values(this.held).flat()) answer({ ...frame, n: this.n });
      answer({ t: "ready", n: this.n });
      return void this.live.add(wire);
    }
    if (!f.id) return;
    const known = this.answered.get(f.id);
    if (known) return answer(known);
    const done = { t: "done", id: f.id, ...this.does(f) };
    this.answered.set(f.id, done);
    answer(done);
  }

  does(f) {
    if (f.t === "say") return { message: this.say(f.task, "agent", f.text, { client: f.id }) };
    return {};
  }

  say(task, from, text, more = {}) {
    const all = (this.messages[task] ??= []);
    const m = { rev: Math.max(0, ...all.map((x) => x.rev)) + 1, seq: all.length + 1, state: "sent", at: "2026-11-22T09:00:00Z", from, channel: "chat", text, ...more };
    all.push(m);
    this.tell({ t: "message", task, message: m });
    return m;
  }

  // mark tells that a line is in another state.
  mark(task, seq, state) {
    const all = this.messages[task];
    const m = { ...all[seq - 1], state, rev: Math.max(...all.map((x) => x.rev)) + 1 };
    all[seq - 1] = m;
    this.tell({ t: "message", task, message: m });
  }

  offer(id, fence, kind = "chat") {
    this.hold(id, { t: "offer", task: task(id, kind, "offered", fence) });
  }

  assign(id, fence, kind = "chat") {
    this.hold(id, { t: "task", task: task(id, kind, "assigned", fence), why: "assigned" });
  }

  over(id, fence, why = "lapsed") {
    delete this.held[id];
    this.tell({ t: "offer_over", task: id, fence, why });
  }

  end(id, fence, kind = "chat", why = "done") {
    delete this.held[id];
    this.tell({ t: "task", task: task(id, kind, "wrapping", fence), why });
    this.held[`${id}:wrap`] = [{ t: "wrap", task: id, fence, until: "2026-11-22T10:00:00Z" }];
    this.tell(this.held[`${id}:wrap`][0]);
  }

  wrapped(id, fence) {
    delete this.held[`${id}:wrap`];
    this.tell({ t: "wrap", task: id, fence });
  }

  talk(id, talk) {
    const rest = (this.held[id] ?? []).filter((f) => f.t !== "talk");
    this.held[id] = talk ? [...rest, { t: "talk", task: id, talk }] : rest;
    this.tell({ t: "talk", task: id, talk });
  }

  hold(id, frame) {
    this.held[id] = [frame];
    this.tell(frame);
  }
}

export function task(id, kind, state, fence) {
  return { id, interaction: `i-${id}`, kind, queue: "cards", state, arrived: "2026-11-22T08:59:00Z", since: "2026-11-22T09:00:00Z", deadline: "2026-11-22T09:00:30Z", fence };
}
