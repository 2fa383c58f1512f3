// A server that plays Tandem's customers' door, for work on the pages without the
// program: node test/mock.mjs [PORT]. It keeps the protocol of docs/chat-protocol.md in
// the least form, serves dist/, and plays the simulator of the demo's phone. A second
// port, one higher, is somebody else's site with a strict policy and styles that get
// everywhere; the widget stands on it.
//
// Not shipped, and no proof of anything: the journeys run against the program.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { Server } from "./world.mjs";

const dist = process.env.DIST ? `${process.env.DIST}/` : new URL("../dist/", import.meta.url).pathname;
const types = { html: "text/html; charset=utf-8", js: "text/javascript; charset=utf-8", css: "text/css", svg: "image/svg+xml", txt: "text/plain" };
const policy = (extra = "") =>
  `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'${extra}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

export async function mock(port = 0) {
  const server = new Server({ get now() { return Date.now(); } });
  const control = { server, blobs: new Map(), pause: 0, sockets: new Set(), uploadTime: 0, uploadStatus: 201, linkStatus: 200, callStatus: 202, stills: [], stillStatus: [], tried: () => ({ take() {}, end() {} }), talks: greetings(), phone: { rev: 0, messages: [] } };
  server.greet = (c) => control.talks.greet(server, c);
  server.reply = (c, m) => setTimeout(() => control.talks.reply(server, c, m), control.pause);

  const http = createServer((q, r) => void answer(q, r).catch((err) => r.writeHead(500).end(String(err))));
  http.on("upgrade", (q, socket) => upgrade(control, q, socket));
  await new Promise((ok) => http.listen(port, "127.0.0.1", ok));
  const at = http.address().port;
  const door = `http://127.0.0.1:${at}`;

  const site = createServer((_, r) => {
    r.writeHead(200, { "content-type": types.html, "content-security-policy": `default-src 'none'; script-src ${door}; connect-src ${door} ${door.replace("http", "ws")}; style-src 'unsafe-inline'; require-trusted-types-for 'script'` });
    r.end(hostPage(door));
  });
  await new Promise((ok) => site.listen(port ? port + 1 : 0, "127.0.0.1", ok));

  async function answer(q, r) {
    const url = new URL(q.url, door);
    const cors = { "access-control-allow-origin": q.headers.origin ?? "*", "access-control-allow-headers": "authorization, content-type", "access-control-allow-methods": "GET, POST" };
    if (q.method === "OPTIONS") return r.writeHead(204, cors).end();
    const json = (status, body, more = {}) => r.writeHead(status, { "content-type": "application/json", ...cors, ...more }).end(JSON.stringify(body));
    const body = async () => {
      const parts = [];
      for await (const p of q) parts.push(p);
      return Buffer.concat(parts);
    };
    const path = url.pathname;
    const c = server.conversations.get((q.headers.authorization ?? "").replace("Bearer ", ""));
    if (path === "/api/v1/entries")
      return json(200, {
        demo: true, version: "mock", ready: true, calls: 0,
        entries: [{ number: "95599", flow: "hotline", languages: ["en", "zh-CN"], dial: [`sip:95599@127.0.0.1:5060`], auth: false }],
        phone: { url: door, number: "+8613800000001" },
      });
    if (path.startsWith("/api/v1/chat/")) {
      if (!c) return json(401, { code: "token", message: "unknown" });
      if (path.endsWith("/attachments")) {
        const data = await body();
        await new Promise((ok) => setTimeout(ok, control.uploadTime));
        if (control.uploadStatus !== 201) return json(control.uploadStatus, { code: "bad", message: "no" });
        const id = `b${control.blobs.size}`;
        control.blobs.set(id, { data, type: q.headers["content-type"] });
        return json(201, { id, width: 320, height: 200, bytes: data.length, media_type: q.headers["content-type"] });
      }
      const still = /\/stills\/([^/]+)\/([^/]+)$/.exec(path);
      if (still) {
        const status = control.stillStatus.shift() ?? 201;
        if (status === 201) control.stills.push({ check: still[1], step: still[2], page: url.searchParams.get("page"), camera: url.searchParams.get("camera"), type: q.headers["content-type"], data: await body() });
        return json(status, status === 201 ? { n: control.stills.length } : { code: "conflict", message: "no" });
      }
      const blob = control.blobs.get(path.split("/").at(-1));
      if (path.includes("/attachments/") || path.includes("/images/")) {
        if (!blob) return json(404, { code: "not_found", message: "no" });
        return r.writeHead(200, { "content-type": blob.type, ...cors }).end(blob.data);
      }
      if (path.includes("/links/")) return control.linkStatus === 200 ? json(200, { url: `${door}/l/token` }) : json(control.linkStatus, { code: "link_over", message: "no" });
      if (path.endsWith("/transcript")) return r.writeHead(200, { "content-type": types.html, ...cors }).end("<!doctype html><title>Talk</title>");
      if (path.endsWith("/callback")) return control.callStatus === 202 ? json(202, { check: "k1" }) : json(control.callStatus, { code: "number_refused", message: "no" });
      if (path.includes("/callback/")) {
        const { code } = JSON.parse(await body());
        return code === "123456" ? json(200, { number: "48219305776", ...(control.at ? { at: control.at } : {}) }) : json(422, { code: "code_wrong", message: "no" });
      }
    }
    const texts = /^\/phones\/([^/]+)\/(messages|reply)$/.exec(path);
    if (texts?.[2] === "messages") return json(200, { messages: control.phone.messages.filter((m) => m.rev > Number(url.searchParams.get("after") ?? 0)), rev: control.phone.rev });
    if (texts) {
      const { text } = JSON.parse(await body());
      return json(202, control.text({ by_phone: true, text, state: "sent" }));
    }
    if (path.startsWith("/l/")) return r.writeHead(200, { "content-type": types.html, "content-security-policy": policy() }).end("<!doctype html><title>Link</title><p>The link's page</p>");
    if (path === "/handoff") {
      return r.writeHead(200, { "content-type": types.html, "content-security-policy": policy() })
        .end(`<!doctype html><title>.</title><script type="application/json" id="tandem-handoff">${JSON.stringify({ site: "bank", token: url.searchParams.get("token") })}</script><script src="/handoff.js" defer></script>`);
    }
    const file = path === "/" ? "index.html" : path === "/chat" || path.startsWith("/q/") ? "chat.html" : path === "/check" ? "customer-check.html" : path.slice(1);
    let data;
    try {
      data = await readFile(dist + file);
    } catch {
      return r.writeHead(404, cors).end("nothing here");
    }
    if (file.endsWith(".html")) data = String(data).replaceAll("__ROOT__", path.startsWith("/q/") ? "../" : "");
    r.writeHead(200, { "content-type": types[file.split(".").at(-1)] ?? types.txt, "content-security-policy": policy(), "cache-control": "no-cache", "cross-origin-resource-policy": file === "widget.js" || file === "customer-face.js" ? "cross-origin" : "same-origin" });
    r.end(data);
  }

  control.text = (m) => {
    const message = { id: `t${control.phone.rev}`, rev: ++control.phone.rev, at: new Date().toISOString(), from: "+861055550100", to: "+8613800000001", parts: 1, state: "delivered", ...m };
    control.phone.messages.push(message);
    return message;
  };
  return {
    ...control, control, door, site: `http://127.0.0.1:${site.address().port}`,
    // cut ends every socket; down has the door refuse new ones.
    cut: () => control.sockets.forEach((s) => s.destroy()),
    set down(on) {
      control.refuse = on;
      if (on) control.sockets.forEach((s) => s.destroy());
    },
    async stop() {
      control.sockets.forEach((s) => s.destroy());
      http.closeAllConnections();
      site.closeAllConnections();
      await Promise.all([http, site].map((s) => new Promise((ok) => s.close(ok))));
    },
  };
}

// greetings is what the mock's flow says.
function greetings() {
  const zh = (c) => c.langs?.[0]?.startsWith("zh");
  const menu = (c) =>
    zh(c)
      ? { text: "您好，这里是海港银行。请问您需要什么帮助？", buttons: [{ label: "查询余额", keys: "1" }, { label: "银行卡挂失", keys: "2" }, { label: "开通网上银行", keys: "3" }, { label: "人工客服", keys: "0" }] }
      : { text: "Good morning, this is Harbour Bank. What can we do for you?", buttons: [{ label: "Balance of my account", keys: "1" }, { label: "Block a card", keys: "2" }, { label: "Set up online banking", keys: "3" }, { label: "Speak to somebody", keys: "0" }] };
  return {
    greet: (s, c) => s.add(c, { from: "flow", ...menu(c) }),
    reply(s, c, m) {
      const say = (en, cn, more = {}) => s.add(c, { from: "flow", text: zh(c) ? cn : en, ...more });
      if (m.attachment) return say("Thank you for the picture.", "谢谢，图片已收到。");
      if (m.secret) return say("Your balance is 1,234.56 CNY.", "您的余额为人民币 1,234.56 元。");
      if (/^1$|alance|余额/.test(m.text)) return say("Please enter your PIN.", "请输入密码。", { asks_secret: true });
      if (/^5$|number|手机/.test(m.text)) return say("Please enter your mobile number.", "请输入手机号码。", { asks_secret: true, entry: "phone" });
      if (/^6$|code|验证码/.test(m.text)) return say("Please enter the code.", "请输入验证码。", { asks_secret: true, entry: "code" });
      if (/^3$|online|网上/.test(m.text)) return say("Set up online banking here. The link is good for 15 minutes.", "请在这里开通网上银行，链接 15 分钟内有效。", { link: { id: "l1", label: zh(c) ? "开通网上银行" : "Set up online banking", state: "made" } });
      if (/all me back|回电/.test(m.text)) {
        s.stand(c, null);
        return say("We call you back.", "我们会给您回电。");
      }
      if (/^9$|wait|排队/.test(m.text)) {
        const offers = [{ keys: "1", what: "callback", label: zh(c) ? "给我回电" : "Call me back" }, { keys: "2", what: "sms", label: zh(c) ? "转到短信" : "Go on by text message" }];
        return s.stand(c, { state: "waiting", position: 3, at_least: 120, at_most: 300, offers });
      }
      if (/^0$|omebody|人工/.test(m.text)) {
        s.stand(c, { state: "served", agent: zh(c) ? "林女士" : "Ms Lin" });
        say("", "", { from: "system", text: zh(c) ? "林女士加入了对话" : "Ms Lin has joined the talk" });
        return s.add(c, { from: "agent", name: zh(c) ? "林女士" : "Ms Lin", text: zh(c) ? "您好，我是小林。详情请见 https://bank.example/帮助 。" : "Hello, this is Lin. The terms are at https://bank.example/terms." });
      }
      return say(`You said: ${m.text}`, `您说：${m.text}`);
    },
  };
}

function hostPage(door) {
  return `<!doctype html><html lang="en"><head><title>Harbour Bank</title><meta name="viewport" content="width=device-width">
<style>* { font-family: serif !important; color: purple; letter-spacing: 3px; transition: all 2s; } button, textarea { background: hotpink !important; border: 9px solid lime; } p { font-size: 40px; margin: 50px } body { line-height: 3 }</style></head>
<body><h1>Somebody else's page</h1><p>Its styles get everywhere.</p><button id="b">A button</button>
<script src="${door}/widget.js" data-site="bank" data-colour="#f5c400" async></script><script src="${door}/widget.js" data-site="bank" async></script></body></html>`;
}

// upgrade speaks RFC 6455 as far as a browser needs: text, close and ping.
function upgrade(control, q, socket) {
  const tries = q.url.startsWith("/api/v1/check/socket"); // the page that tries a device
  if (control.refuse || !(tries || q.url.startsWith("/api/v1/chat/socket"))) return socket.destroy();
  const accept = createHash("sha1").update(q.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest("base64");
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: ${tries ? "tandem.check.1" : "tandem.chat.1"}\r\n\r\n`);
  control.sockets.add(socket);
  const frame = (kind, data) => {
    const n = data.length;
    const head = n < 126 ? Buffer.from([0x80 | kind, n]) : n < 65536 ? Buffer.from([0x80 | kind, 126, n >> 8, n & 255]) : null;
    if (head && socket.writable) socket.write(Buffer.concat([head, data]));
  };
  const session = tries ? control.tried((f) => frame(1, Buffer.from(JSON.stringify(f)))) : control.server.session(
    (f) => frame(1, Buffer.from(JSON.stringify(f.t === "welcome" ? { ...f, ...control.welcome, site: { title: { en: "Harbour Bank", "zh-CN": "海港银行" }, call_back: true, languages: ["en", "zh-CN"] } } : f))),
    (code, reason) => frame(8, Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason)])),
  );
  let buffer = Buffer.alloc(0);
  socket.on("data", (data) => {
    buffer = Buffer.concat([buffer, data]);
    for (;;) {
      if (buffer.length < 2) return;
      let n = buffer[1] & 127;
      let from = 2;
      if (n === 126) {
        if (buffer.length < 4) return;
        n = buffer.readUInt16BE(2);
        from = 4;
      }
      if (buffer.length < from + 4 + n) return;
      const mask = buffer.subarray(from, from + 4);
      const text = Buffer.from(buffer.subarray(from + 4, from + 4 + n).map((b, i) => b ^ mask[i % 4]));
      const kind = buffer[0] & 15;
      buffer = buffer.subarray(from + 4 + n);
      if (kind === 8) return socket.end();
      if (kind === 9) frame(10, text);
      if (kind !== 1) continue;
      session.take(JSON.parse(text));
    }
  });
  socket.on("error", () => {});
  socket.on("close", () => {
    control.sockets.delete(socket);
    session.end();
  });
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const { door, site } = await mock(Number(process.argv[2] ?? 8090));
  console.log(`the door ${door}/, a site of somebody else ${site}/`);
}
