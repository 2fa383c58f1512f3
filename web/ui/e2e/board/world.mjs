// A call centre made up for the board's page: queues, agents, a day behind them, and what
// changes as one looks on. The same seed gives the same world.

const kinds = ["call", "chat", "sms", "callback", "voicemail", "ticket"];

// chance is a small generator of numbers from 0 to 1 (mulberry32).
export function chance(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const id = (n) => String(n).padStart(26, "0");
const iso = (ms) => new Date(ms).toISOString();

export class World {
  constructor({ agents = 24, queues = ["cards", "loans", "transfers", "accounts", "fraud", "private-banking"], seed = 7, empty = false } = {}) {
    this.random = chance(seed);
    this.started = Date.now();
    this.names = empty ? [] : queues;
    this.tasks = [];
    this.next = 1;
    this.agents = Array.from({ length: empty ? 0 : agents }, (_, i) => this.agent(i));
    this.days = Object.fromEntries(this.names.map((q) => [q, { opened: 0, answered: 0, within: 0, left: 0 }]));
    for (const q of this.names) {
      const d = this.days[q];
      d.opened = 40 + Math.floor(this.random() * 400);
      d.left = Math.floor(d.opened * 0.06 * this.random());
      d.answered = d.opened - d.left;
      d.within = Math.floor(d.answered * (0.55 + 0.44 * this.random()));
    }
    for (let i = 0; i < (empty ? 0 : this.names.length * 4); i++) this.arrive(Math.floor(this.random() * 400_000));
    this.alerts = [];
    this.rules = [];
    this.past = [];
  }

  pick(list) {
    return list[Math.floor(this.random() * list.length)];
  }

  agent(i) {
    const first = ["anna", "bo", "cleo", "dora", "emil", "fang", "gerd", "hui", "ines", "jun", "kai", "li", "mei", "nora", "otto", "ping"];
    const r = this.random();
    const presence = r < 0.72 ? "available" : r < 0.87 ? "away" : "offline";
    const now = Date.now();
    const holds = presence === "available" && this.random() < 0.6 ? [this.hold(now)] : [];
    return {
      name: `${first[i % first.length]}${i < first.length ? "" : Math.floor(i / first.length)}`,
      presence,
      ...(presence === "away" ? { reason: this.pick(["lunch", "training", "break"]) } : {}),
      since: iso(now - this.random() * 3_600_000),
      reachable: this.random() < 0.93 ? { voice: true, chat: true, sms: true, work: true } : {},
      has: {},
      holds,
      ...(this.random() < 0.05 ? { missed: 2 } : {}),
      teams: [this.pick(this.names.length > 0 ? this.names : ["cards"])],
      skills: { "lang:en": 2, "lang:zh": 3 },
      capacity: { voice: 1, chat: 3, sms: 5, work: 2 },
      phone: this.random() < 0.5,
    };
  }

  hold(now) {
    return { task: id(900_000 + Math.floor(this.random() * 90_000)), fence: Math.floor(this.random() * 9000), kind: this.pick(kinds), state: this.random() < 0.8 ? "assigned" : "wrapping", since: iso(now - this.random() * 600_000) };
  }

  arrive(ago = 0) {
    const at = Date.now() - ago;
    const kind = this.pick(kinds);
    const due = at + { call: 20, chat: 60, sms: 900, callback: 20, voicemail: 14_400, ticket: 86_400 }[kind] * 1000;
    this.tasks.push({ id: id(this.next), interaction: id(500_000 + this.next++), kind, queue: this.pick(this.names), state: "waiting", arrived: iso(at), due: iso(due), lang: this.pick(["en", "zh-CN"]) });
  }

  counts(agents) {
    const c = { free: 0, busy: 0, wrapping: 0, unreachable: 0, away: 0, offline: 0 };
    for (const a of agents) {
      if (a.presence === "away") c.away++;
      else if (a.presence !== "available") c.offline++;
      else if (a.holds.length > 0) c[a.holds.every((h) => h.state === "wrapping") ? "wrapping" : "busy"]++;
      else if (!Object.values(a.reachable).some(Boolean)) c.unreachable++;
      else c.free++;
    }
    return c;
  }

  sum(d) {
    const n = d.answered + d.left;
    return { ...d, ...(n > 0 ? { level: d.within / n, p50: 21.4, p90: 94.8 } : {}), by: {} };
  }

  figures(name) {
    const mine = this.tasks.filter((t) => t.queue === name && t.state === "waiting");
    const waiting = {};
    for (const t of mine) waiting[t.kind] = (waiting[t.kind] ?? 0) + 1;
    const first = (key) => mine.map((t) => t[key]).sort()[0];
    return {
      name,
      teams: [name],
      waiting,
      total: mine.length,
      ...(mine.length > 0 ? { oldest: first("arrived"), due_next: first("due") } : {}),
      offered: this.tasks.filter((t) => t.queue === name && t.state === "offered").length,
      assigned: 3,
      wrapping: 1,
      agents: this.counts(this.agents.filter((a) => a.teams.includes(name))),
      today: this.sum(this.days[name]),
      target: { call: 20, chat: 60 },
    };
  }

  all() {
    const total = { opened: 0, answered: 0, within: 0, left: 0 };
    for (const d of Object.values(this.days)) for (const k of Object.keys(total)) total[k] += d[k];
    const midnight = new Date();
    midnight.setHours(0, 0, 0, 0);
    return { agents: this.counts(this.agents), today: this.sum(total), since: midnight.toISOString(), whole: true };
  }

  picture() {
    return { t: "board", fresh: true, last: true, at: iso(Date.now()), queues: this.names.map((q) => this.figures(q)), agents: this.agents, all: this.all(), alerts: this.alerts };
  }

  // step lets half a second pass: so many agents change, tasks come and go.
  step(agents = 2) {
    const queues = new Set();
    if (this.names.length > 0 && this.random() < 0.6) this.arrive();
    if (this.tasks.length > this.names.length * 3 && this.random() < 0.7) {
      const t = this.tasks.splice(Math.floor(this.random() * this.tasks.length), 1)[0];
      const d = this.days[t.queue];
      d.opened++;
      if (this.random() < 0.9) {
        d.answered++;
        d.within++;
      } else d.left++;
    }
    for (const t of this.tasks) queues.add(t.queue);
    const changed = [];
    for (let i = 0; i < Math.min(agents, this.agents.length); i++) {
      const at = Math.floor(this.random() * this.agents.length);
      const a = { ...this.agents[at] };
      if (a.presence === "available") a.holds = a.holds.length > 0 ? [] : [this.hold(Date.now())];
      this.agents[at] = a;
      changed.push(a);
    }
    return { t: "board", last: true, at: iso(Date.now()), queues: [...queues].map((q) => this.figures(q)), agents: changed, all: this.all() };
  }

  // history is a day as GET board/history has it.
  history(points = 288) {
    const h = { step: 300, at: [], opened: [], answered: [], within: [], left: [], waiting: [], most: [], p50: [], p90: [] };
    const end = Math.floor(Date.now() / 300_000) * 300;
    const r = chance(11);
    for (let i = points - 1; i >= 0; i--) {
      const at = end - i * 300;
      const hour = (at / 3600) % 24;
      const load = Math.max(0, Math.sin(((hour - 6) / 14) * Math.PI)) * 18;
      const opened = Math.floor(load * (0.6 + 0.8 * r()));
      const left = Math.floor(opened * 0.1 * r());
      h.at.push(at);
      h.opened.push(opened);
      h.left.push(left);
      h.answered.push(opened - left);
      h.within.push(Math.floor((opened - left) * 0.8));
      h.waiting.push(Math.floor(load * 0.4 * r()));
      h.most.push(Math.floor(load * 0.8 * r() + (opened > 0 ? 1 : 0)));
      h.p50.push(opened > 0 ? 10 + 40 * r() : null);
      h.p90.push(opened > 0 ? 60 + 160 * r() : null);
    }
    return h;
  }

  alert(name, more = {}) {
    const a = { id: id(700_000 + this.alerts.length), rule: id(710_000), name, queue: "cards", kind: "", metric: "longest", bound: 300, severity: "critical", sound: true, fired: iso(Date.now() - 95_000), value: 412, ...more };
    this.alerts = [...this.alerts, a];
    return a;
  }
}
