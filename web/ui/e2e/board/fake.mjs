// A staff door of our own for the board's page: the built pages, the API from a made-up world,
// and the board's frames as docs/protocol.md tells them. The real server is met by the journey
// "queue".
import { execFileSync } from "node:child_process";
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import bundle from "playwright-core/lib/utilsBundle"; // Node 20 has no WebSocket of its own

const types = { ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html; charset=utf-8" };
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; media-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const dist = new URL("../../dist", import.meta.url).pathname;
const root = new URL("../../../..", import.meta.url).pathname;
const program = process.env.PROGRAM ?? `${root}bin/tandem`;

// fake starts a door for one world. o: roles, of who is there; every, milliseconds between
// steps of the world (0 = it stands still); agents that change in each.
export async function fake(world, o = {}) {
  const f = { world, asked: [], live: new Set(), deaf: false, roles: o.roles ?? ["supervisor"] };
  const drawn = execFileSync(program, ["flow", "picture", `${root}flows/hotline.flow.yaml`], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  const style = /<style>(.*?)<\/style>/s.exec(drawn)?.[1] ?? ""; // the real door serves it apart
  const svg = drawn.replace(/<style>.*?<\/style>/s, "");
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, "http://host");
    response.setHeader("content-security-policy", policy);
    if (pathname === "/api/v1/picture.css") return response.writeHead(200, { "content-type": "text/css" }).end(style);
    if (pathname.startsWith("/api/v1/")) return api(f, svg, request, response, pathname.slice(8), searchParams);
    const file = { "/": "login.html", "/board": "board.html", "/login": "login.html" }[pathname] ?? pathname.slice(1);
    try {
      response.setHeader("content-type", types[/\.[a-z]+$/.exec(file)?.[0]] ?? "application/octet-stream");
      response.end(await readFile(`${dist}/${file}`));
    } catch {
      response.writeHead(404).end();
    }
  });
  const sockets = new bundle.wsServer({ server, path: "/api/v1/desk/socket" });
  sockets.on("connection", (ws) => {
    ws.on("close", () => f.live.delete(ws));
    ws.on("message", (data) => {
      if (f.deaf) return;
      const frame = JSON.parse(String(data));
      const send = (x) => ws.send(JSON.stringify(x));
      if (frame.t === "hello") {
        send({ t: "welcome", name: "sue", agent: false, board: f.roles.length > 0, epoch: "e", n: 0, resumed: false });
        send({ t: "ready", n: 0 });
        if (!o.silent) send(world.picture());
        f.live.add(ws);
      } else if (frame.t === "ping") send({ t: "pong" });
      else if (frame.id) {
        f.asked.push(frame);
        send({ t: "done", id: frame.id });
        if (frame.t === "call" && frame.do !== "leave") send({ t: "listening", n: 1, task: frame.task, role: { listen: "listener", barge: "agent" }[frame.do] ?? "whisperer" });
        if (frame.t === "call" && frame.do === "leave") send({ t: "listening", n: 2, task: frame.task, role: "" });
      }
    });
  });
  f.tell = (frame) => {
    if (!f.deaf) for (const ws of f.live) ws.send(JSON.stringify(frame));
  };
  f.cut = () => {
    for (const ws of sockets.clients) ws.terminate();
  };
  const timer = setInterval(() => f.tell(o.every ? world.step(o.agents ?? 2) : { t: "board", last: true, at: new Date().toISOString() }), o.every || 1000);
  await new Promise((yes) => server.listen(0, "127.0.0.1", yes));
  return Object.assign(f, {
    url: `http://127.0.0.1:${server.address().port}/`,
    async close() {
      clearInterval(timer);
      f.cut();
      server.closeAllConnections();
      await new Promise((yes) => server.close(yes));
    },
  });
}

// traced is the picture with a way on it, as the real door draws one.
const way = ["choose_language", "hello", "open_now", "main"];
const traced = (svg) => way.reduce((s, step) => s.replace(new RegExp(`class="step ([^"]*)"([^>]*data-step="${step}")`), 'class="step $1 taken"$2'), svg.replace('class="picture"', 'class="picture traced"'));

const story = (f, id) => {
  const t = f.world.tasks.find((x) => x.interaction === id) ?? { id: "9".repeat(26), interaction: id, kind: "call", queue: "cards", state: "assigned", agent: "anna", arrived: new Date(Date.now() - 180_000).toISOString() };
  const at = (s) => new Date(Date.now() - s * 1000).toISOString();
  const serving = t.state === "assigned";
  return {
    interaction: { id, number: "08798529501", entry: "95599", flow: "hotline", lang: t.lang ?? "en", state: t.state === "waiting" ? "queued" : "assigned", started: at(320), channels: [t.kind === "chat" ? "chat" : "sip"], from: "+861012345678" },
    assurance: "verified",
    legs: [{ id: "a".repeat(26), kind: "sip", inbound: true, role: "customer", from: "+861012345678", assurance: "verified", started: at(320), answered: at(318) }],
    answers: { account: "6222 •••• 4711", balance: 1284.5, wants: "a new card" },
    tasks: [t],
    events: [
      { seq: 1, at: at(320), kind: "interaction.opened", data: { from: "+861012345678" } },
      { seq: 2, at: at(316), kind: "flow.step", data: { flow: "hotline", step: "main" } },
      { seq: 3, at: at(300), kind: "flow.outcome", data: { step: "main", outcome: "cards" } },
      { seq: 4, at: at(180), kind: "task.opened", data: { queue: t.queue } },
      ...(serving
        ? [
            { seq: 5, at: at(150), kind: "task.assigned", actor: "anna", data: { agent: "anna" } },
            { seq: 6, at: at(149), kind: "room.joined", leg: "a".repeat(26), data: { role: "customer" } },
            { seq: 7, at: at(149), kind: "room.joined", leg: "b".repeat(26), data: { role: "agent", name: "anna" } },
          ]
        : []),
    ],
    contacts: [],
  };
};

function api(f, svg, request, response, path, q) {
  const json = (body, status = 200) => response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
  const w = f.world;
  if (request.method !== "GET") {
    let body = "";
    request.on("data", (text) => (body += text));
    request.on("end", () => {
      f.asked.push({ method: request.method, path, body: body === "" ? null : JSON.parse(body) });
      if (path === "board/alerts") w.rules.push({ id: `${w.rules.length}`.padStart(26, "8"), firing: false, value: 3, ...JSON.parse(body) });
      if (/^board\/alerts\/\d+\/seen$/.test(path)) {
        w.alerts = w.alerts.map((a) => (path.includes(a.id) ? { ...a, seen: new Date().toISOString(), seen_by: "sue" } : a));
        f.tell({ t: "board", last: true, at: new Date().toISOString(), alerts: w.alerts });
      }
      json({});
    });
    return;
  }
  if (path === "me") return json({ user: { name: "sue", display: "Sue", roles: f.roles, lang: "", totp: false, local: true }, csrf: "x", second_person: false });
  if (path === "flows") return json({ flows: [{ name: "hotline" }, { name: "site" }] });
  if (/^flows\/[^/]+\/picture$/.test(path)) return json({ picture: q.get("interaction") ? traced(svg) : svg, hash: "h", other: false });
  if (path === "line") {
    const all = w.tasks.filter((t) => (!q.get("queue") || t.queue === q.get("queue")) && (!q.get("kind") || t.kind === q.get("kind")) && (!q.get("state") || t.state === q.get("state")) && (!q.get("agent") || t.agent === q.get("agent")));
    all.sort((a, b) => (a.due < b.due ? -1 : 1));
    return json({ tasks: all.slice(0, 100).map((t, i) => (t.state === "waiting" ? { ...t, place: { position: i + 1 } } : t)), total: all.length });
  }
  if (path === "board/contacts") {
    const list = Array.from({ length: 30 }, (_, i) => ({ at: new Date(Date.now() - i * 140_000).toISOString(), task: `${i}`.padStart(26, "3"), interaction: `${i}`.padStart(26, "4"), queue: q.get("queue") || w.names[i % w.names.length], kind: i % 2 ? "chat" : "call", what: q.get("what") || (i % 5 ? "answered" : "left"), ...(i % 5 ? { agent: "anna" } : {}), waited: 12 + i * 7, within: i < 12 }));
    return json({ contacts: list, total: 214 });
  }
  if (path === "board/history") return json(w.history());
  if (path === "board/where") {
    const steps = { main: 7, choose_language: 2, balance: 3, person: 12 };
    const who = Object.entries(steps).flatMap(([step, n]) => Array.from({ length: n }, (_, i) => ({ interaction: `${i}`.padStart(26, step === "main" ? "5" : "6"), number: "08798529501", entry: "95599", channel: i % 3 ? "sip" : "chat", state: "open", flow: "hotline", step, since: new Date(Date.now() - i * 9_000 - 4_000).toISOString() })));
    return json({ at: new Date().toISOString(), flows: w.names.length === 0 ? [] : [{ flow: "hotline", total: who.length, steps }], who: w.names.length === 0 ? [] : who });
  }
  if (path === "board/alerts") return json({ rules: w.rules, firing: w.alerts, past: w.past });
  if (/^interactions\//.test(path)) return json(story(f, path.split("/")[1]));
  return json({ code: "not_found", message: "There is no such thing." }, 404);
}
