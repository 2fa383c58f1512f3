// A staff door of our own for the desk's page: it serves the built pages, answers the API from
// tables, and speaks the desk's socket as docs/protocol.md tells it, so that a state of the
// page can be had without the calls and chats that lead to it. The real server is met by the
// journey "queue".
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import bundle from "playwright-core/lib/utilsBundle"; // Node 20 has no WebSocket of its own
import { api } from "./fakeapi.mjs";

const kept = 256; // frames for who comes back
const types = { ".json": "application/json", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html; charset=utf-8" };
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; media-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

// fake starts a server for one agent; bank is what it knows, as bank() in states.mjs makes it.
export async function fake(dist, bank) {
  const f = new Feed(bank);
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, "http://host");
    response.setHeader("content-security-policy", policy);
    response.setHeader("permissions-policy", "camera=(self), microphone=(self), display-capture=(self)");
    if (pathname.startsWith("/api/v1/")) return api(f, request, response, pathname.slice(8), searchParams);
    const file = { "/": "login.html", "/desk": "desk.html", "/board": "board.html", "/studio": "studio.html", "/login": "login.html" }[pathname] ?? pathname.slice(1);
    try {
      const content = await readFile(`${dist}/${file}`);
      response.setHeader("content-type", types[/\.[a-z]+$/.exec(file)?.[0]] ?? "application/octet-stream");
      response.setHeader("content-length", content.length);
      response.end(content);
    } catch {
      response.writeHead(404).end();
    }
  });
  const sockets = new bundle.wsServer({ server, path: "/api/v1/desk/socket" });
  sockets.on("connection", (ws) => f.serve(ws));
  await new Promise((yes) => server.listen(0, "127.0.0.1", yes));
  return Object.assign(f, {
    url: `http://127.0.0.1:${server.address().port}/`,
    async close() {
      for (const ws of sockets.clients) ws.terminate();
      server.closeAllConnections();
      await new Promise((yes) => server.close(yes));
    },
  });
}

// Feed is what one agent is told, and what they ask for.
export class Feed {
  epoch = randomUUID();
  n = 0;
  missed = [];
  live = new Set();
  asked = []; // commands that came
  answered = new Map(); // by their id
  deaf = false; // takes nothing and answers nothing, as a network that is gone
  lose = 0; // answers that get lost from now on
  constructor(bank) {
    this.bank = bank;
  }

  tell(frame) {
    const data = JSON.stringify({ ...frame, n: ++this.n });
    this.missed.push({ n: this.n, data });
    if (this.missed.length > kept) this.missed.shift();
    if (!this.deaf) for (const ws of this.live) ws.send(data);
  }

  pass(frame) {
    if (!this.deaf) for (const ws of this.live) ws.send(JSON.stringify(frame));
  }

  // cut ends all connections.
  cut() {
    for (const ws of this.live) ws.terminate();
  }

  serve(ws) {
    if (this.deaf) return; // it is never answered
    ws.on("close", () => this.live.delete(ws));
    ws.on("message", (data) => {
      const frame = JSON.parse(String(data));
      if (this.deaf) return;
      if (frame.t === "hello") return this.hello(ws, frame);
      if (frame.t === "ping") return ws.send('{"t":"pong"}');
      this.asked.push(frame);
      if (frame.t === "typing") return;
      if (frame.t === "voice" || frame.t === "screen") return this.signal(ws, frame);
      const again = this.answered.get(frame.id);
      const answer = again ?? this.bank.does(this, frame);
      this.answered.set(frame.id, answer);
      if (this.lose > 0) this.lose--;
      else ws.send(JSON.stringify({ id: frame.id, ...answer }));
    });
  }

  // signal answers offers of sound and pictures, as far as the bank plays them.
  signal(ws, { t, signal, ...of }) {
    const say = (signal) => ws.send(JSON.stringify({ t, ...of, signal }));
    if (signal.kind !== "offer") return;
    if (t === "voice" ? !this.bank.voice : !this.bank.slots) return;
    say({ kind: "answer", sdp: t === "screen" ? this.bank.may : "" });
    if (t === "screen") say({ kind: "slots", slots: this.bank.slots[of.interaction] ?? [] });
  }

  hello(ws, { epoch, since }) {
    const first = this.missed[0]?.n ?? this.n + 1;
    const resumed = epoch === this.epoch && since >= first - 1;
    ws.send(JSON.stringify({ t: "welcome", name: this.bank.me.name, agent: true, board: false, epoch: this.epoch, n: resumed ? since : this.n, resumed }));
    if (resumed) for (const m of this.missed.filter((m) => m.n > since)) ws.send(m.data);
    else for (const frame of this.bank.snapshot()) ws.send(JSON.stringify({ ...frame, n: this.n }));
    ws.send(JSON.stringify({ t: "ready", n: this.n }));
    this.live.add(ws);
  }
}
