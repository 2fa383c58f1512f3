// The staff's side of the server: the API with somebody's key, and an agent's socket.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import bundle from "playwright-core/lib/utilsBundle"; // Node 20 has no WebSocket of its own

const patience = 20_000; // milliseconds for a frame
const path = "api/v1/desk/socket";

// desk gives what NAME can do by HTTP; an answer other than 2xx is an error.
export async function desk(server, name) {
  const key = (await readFile(server.keys[name], "utf8")).trim();
  const ask = async (method, path, body) => {
    const headers = { authorization: `Bearer ${key}`, ...(body && { "content-type": "application/json" }) };
    const answer = await fetch(`${server.staff}api/v1/${path}`, { method, headers, body: body && JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return answer;
  };
  const read = async (answer) => (answer.status === 204 ? undefined : answer.json());
  return {
    get: async (path) => read(await ask("GET", path)),
    put: async (path, body) => read(await ask("PUT", path, body)),
    post: async (path, body) => read(await ask("POST", path, body)),
    file: async (path) => Buffer.from(await (await ask("GET", path)).arrayBuffer()),
    // seen is a task of an interaction, and its story; of what is done, too.
    async seen(task) {
      const story = await read(await ask("GET", `interactions/${task.interaction}`));
      return { task: story.tasks.find((t) => t.id === task.id), story };
    },
    socket: () => socket(server, key),
  };
}

// socket opens an agent's socket and waits until it has told how everything stands.
async function socket(server, key) {
  const ws = new bundle.ws(server.staff.replace(/^http/, "ws") + path, "tandem.desk.1", { headers: { authorization: `Bearer ${key}` } });
  const frames = []; // all that came
  let news = [];
  const wake = () => news.splice(0).forEach((yes) => yes());
  let closed;
  ws.on("message", (data) => (frames.push(JSON.parse(String(data))), wake()));
  ws.on("close", (code, reason) => ((closed = `${code} ${reason}`), wake()));
  ws.on("error", (err) => ((closed = String(err)), wake()));
  await new Promise((yes, no) => ws.on("open", yes).on("error", no));

  // until waits for a frame that fits among those from a number of frames on.
  async function until(what, fits, from = 0, limit = patience) {
    for (const late = Date.now() + limit; ; ) {
      const found = frames.slice(from).find(fits);
      if (found) return found;
      assert.equal(closed, undefined, `the socket is closed while it waits for ${what}`);
      const left = late - Date.now();
      if (left <= 0) throw new Error(`the socket told of no ${what} in ${limit / 1000} s, but of ${frames.slice(from).map((f) => f.t)}`);
      let timer;
      await new Promise((yes) => (news.push(yes), (timer = setTimeout(yes, left))));
      clearTimeout(timer);
    }
  }

  let asked = 0;
  const send = (frame) => ws.send(JSON.stringify(frame));
  send({ t: "hello" });
  await until("ready", (f) => f.t === "ready");
  return {
    frames, until, send,
    // offer waits for one of a kind.
    offer: (kind, limit) => until(`offer of a ${kind}`, (f) => f.t === "offer" && f.task.kind === kind, 0, limit),
    // ask sends what is answered, and gives the answer; an error is one.
    async ask(frame) {
      const id = `e2e-${++asked}`;
      send({ ...frame, id });
      const answer = await until(`answer to ${frame.t}`, (f) => f.id === id && (f.t === "done" || f.t === "error"));
      if (answer.t === "error") throw new Error(`${JSON.stringify(frame)}: ${answer.code} ${answer.message}`);
      return answer;
    },
    close: () => ws.close(),
  };
}
