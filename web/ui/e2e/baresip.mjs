// A telephone: baresip with one account, its sound from and into files, led over its
// control connection. It calls and is called. What it hears can be held against a recorded
// prompt; what it says is silence, or a tone.
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const rate = 8000; // samples in a second
const longest = 300; // seconds that its microphone hears: it hangs up when they end
const loud = 8_000; // of a tone, out of 32767
const mostTries = 3; // to start it
const patience = 15_000; // milliseconds for what it is told to do
const piece = 0.75 * rate; // samples of a prompt that must be heard as they are: words alone occur in several
const alike = 0.8; // their correlation, from which they are
const sparse = 16; // every so many samples are compared first

// lacking says what is missing for a telephone; "" = nothing.
export function lacking() {
  if (!process.env.PATH.split(":").some((dir) => existsSync(join(dir, "baresip")))) return "needs baresip (make deps)";
  return modules() ? "" : "needs baresip's modules below /usr/lib";
}

// modules finds the folder: on some releases it lies in that of the machine's kind.
function modules() {
  const below = (dir) => readdirSync(dir).map((name) => join(dir, name));
  const places = ["/usr/lib", "/usr/lib64"].filter(existsSync).flatMap((dir) => [dir, ...below(dir)]);
  return places.map((dir) => join(dir, "baresip/modules")).find(existsSync);
}

// telephone starts one with a number; close ends it. at is the HOST:PORT of 127.0.0.1 where
// it can be called, any without it; hz is the tone that it says, 0 = silence.
export async function telephone(number, { at = "", hz = 0 } = {}) {
  for (let tries = 1; ; tries++) {
    try {
      return await started(number, at, hz);
    } catch (err) {
      if (tries === mostTries) throw err; // else somebody was quicker to take a port
    }
  }
}

async function started(number, at, hz) {
  const dir = await mkdtemp(join(tmpdir(), "tandem-phone-"));
  const [port, control] = [at ? Number(at.split(":")[1]) : await freePort(), await freePort()];
  const heard = join(dir, "heard");
  await mkdir(heard);
  await writeFile(join(dir, "says.wav"), wav(rate * longest, hz));
  await writeFile(join(dir, "accounts"), `<sip:${number}@127.0.0.1:${port}>;regint=0\n`);
  await writeFile(join(dir, "contacts"), "");
  await writeFile(join(dir, "config"), `poll_method epoll
sip_listen 127.0.0.1:${port}
call_local_timeout 120
call_max_calls 4
audio_source aufile,${join(dir, "says.wav")}
audio_player aufile,unused
ausrc_srate ${rate}
auplay_srate ${rate}
ausrc_channels 1
auplay_channels 1
audio_txmode poll
rtp_ports 10000-19998
rtp_stats no
statmode_default off
net_interface 127.0.0.1
module_path ${modules()}
module g711.so
module aufile.so
module sndfile.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:${control}
snd_path ${heard}
`);
  const child = spawn("baresip", ["-f", dir], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise((done) => child.once("close", done));
  let log = "";
  for (const out of [child.stdout, child.stderr]) out.on("data", (text) => (log = (log + text).slice(-4_000)));
  const close = async () => {
    child.kill("SIGTERM");
    const kill = setTimeout(() => child.kill("SIGKILL"), 3_000);
    await ended;
    clearTimeout(kill);
    await rm(dir, { recursive: true, force: true });
  };
  try {
    return lead(await Promise.race([connected(control), ended.then(() => Promise.reject(new Error("baresip has ended")))]), { close, heard, log: () => log });
  } catch (err) {
    await close();
    throw new Error(`${err.message}\n${log}`);
  }
}

// lead reads the control connection, netstrings of JSON, and gives the telephone's ways.
function lead(socket, { close, heard, log }) {
  const events = []; // that nobody has waited for yet
  const answers = new Map(); // by token
  let news = () => {};
  let rest = Buffer.alloc(0);
  let tokens = 0;
  let rings = 0;
  socket.on("error", () => {}); // it ends with baresip
  socket.on("data", (data) => {
    rest = Buffer.concat([rest, data]);
    for (;;) {
      const colon = rest.indexOf(":");
      const length = Number(rest.subarray(0, Math.max(colon, 0)).toString());
      if (colon < 1 || rest.length < colon + length + 2) return;
      const message = JSON.parse(rest.subarray(colon + 1, colon + 1 + length).toString());
      rest = rest.subarray(colon + length + 2);
      if (message.response) answers.get(message.token)?.(message);
      else events.push(message);
      if (message.type === "CALL_INCOMING") rings++;
      news();
    }
  });

  // command runs one of baresip's long commands.
  async function command(name, params = "") {
    const token = String(++tokens);
    const body = JSON.stringify({ command: name, params, token });
    const answer = within(new Promise((yes) => answers.set(token, yes)), `baresip does not answer to ${name}`);
    socket.write(`${Buffer.byteLength(body)}:${body},`);
    const { ok, data } = await answer;
    answers.delete(token);
    if (!ok) throw new Error(`baresip: ${name} ${params}: ${data}`);
  }

  // until waits for an event of a type, and forgets it and those before it.
  async function until(type, limit = patience) {
    const found = () => events.findIndex((e) => e.type === type);
    while (found() < 0) await within(new Promise((yes) => (news = yes)), () => `baresip tells of no ${type}, but of ${events.map((e) => e.type)}\n${log()}`, limit);
    const at = found();
    return events.splice(0, at + 1)[at];
  }

  // audio is what the newest call has heard so far, by the sample. Baresip leaves out what
  // never came: there is silence only where silent packets were.
  async function audio() {
    const [newest] = readdirSync(heard).filter((name) => name.endsWith("-dec.wav")).sort().reverse();
    if (!newest) return new Int16Array();
    const file = await readFile(join(heard, newest));
    const begin = file.indexOf("data") + 8;
    return new Int16Array(file.buffer.slice(file.byteOffset + begin, file.byteOffset + begin + ((file.length - begin) & ~1)));
  }

  // hears waits until a prompt (of recorded) has been said since the sample from, and gives
  // the sample where its loudest part begins.
  async function hears(clip, from = 0, limit = patience) {
    let seen = from;
    for (const late = Date.now() + limit; ; ) {
      const now = await audio();
      const at = find(now.subarray(seen), clip);
      if (at >= 0) return seen + at;
      seen = Math.max(from, now.length - piece);
      if (Date.now() > late) throw new Error(`the phone has not heard ${clip.name} in ${limit / 1000} s; ${(now.length / rate).toFixed(1)} s were heard`);
      await pause(40);
    }
  }

  return {
    audio,
    hears,
    close,
    // Dials and waits until somebody answers; server is an address of sip.listen.
    async dial(user, server) {
      events.length = 0;
      await command("dial", `sip:${user}@${server.replace(/^\w+:\/\//, "")}`);
      await until("CALL_ESTABLISHED");
    },
    // keys sends digits, each by RFC 4733; a comma is a second of nothing.
    async keys(digits) {
      for (const d of digits) {
        if (d === ",") await pause(1_000);
        else await command("sndcode", d);
      }
    },
    async hangup() {
      await command("hangup");
      await until("CALL_CLOSED");
    },
    // rung waits for a call to it; answer takes it. rings is how many calls came in all.
    rung: (limit) => until("CALL_INCOMING", limit),
    async answer() {
      await command("accept");
      await until("CALL_ESTABLISHED");
    },
    rings: () => rings,
    // ended waits for the other side to hang up.
    ended: () => until("CALL_CLOSED"),
  };
}

// find gives where clip's loudest part is heard in audio; -1 = nowhere.
function find(audio, clip) {
  const { samples, power } = clip;
  let energy = 0; // of the audio under the piece
  for (let i = 0; i < Math.min(piece, audio.length); i++) energy += audio[i] * audio[i];
  for (let at = 0; at + piece <= audio.length; at++) {
    // Silence, and what is far louder or quieter, is none of it.
    if (energy > power / 4 && energy < power * 4) {
      const wanted = alike * Math.sqrt(energy * power);
      let sum = 0;
      for (let i = 0; i < piece; i += sparse) sum += audio[at + i] * samples[i];
      if (sum * sparse > wanted / 2) {
        sum = 0;
        for (let i = 0; i < piece; i++) sum += audio[at + i] * samples[i];
        if (sum > wanted) return at;
      }
    }
    energy += audio[at + piece] * audio[at + piece] - audio[at] * audio[at];
  }
  return -1;
}

// recorded reads a recording of a prompt, mu-law at 8 kHz, and keeps its loudest part;
// until is the milliseconds from the prompt's begin to that part's end.
export async function recorded(file) {
  const data = await readFile(file);
  const begin = data.indexOf("data") + 8;
  const all = Int16Array.from(data.subarray(begin), ulaw);
  let energy = 0;
  let [power, at] = [0, 0];
  for (let i = 0; i < all.length; i++) {
    energy += all[i] * all[i] - (i >= piece ? all[i - piece] * all[i - piece] : 0);
    if (i + 1 >= piece && energy > power) [power, at] = [energy, i + 1 - piece];
  }
  if (all.length < piece) throw new Error(`${file} is too short to be known by`);
  return { name: file.replace(/^.*prompts\//, ""), samples: all.subarray(at, at + piece), power, until: ((at + piece) / rate) * 1000 };
}

// ulaw is a sample of it, 16 bit.
export function ulaw(byte) {
  const b = ~byte & 0xff;
  const value = (((b & 0x0f) << 3) + 0x84 << ((b & 0x70) >> 4)) - 0x84;
  return b & 0x80 ? -value : value;
}

// wav is a tone, or silence, of so many samples, 16 bit.
function wav(samples, hz) {
  const data = Buffer.alloc(44 + 2 * samples);
  data.write("RIFF");
  data.writeUInt32LE(36 + 2 * samples, 4);
  data.write("WAVEfmt ", 8);
  data.writeUInt32LE(16, 16);
  data.writeUInt16LE(1, 20);
  data.writeUInt16LE(1, 22);
  data.writeUInt32LE(rate, 24);
  data.writeUInt32LE(2 * rate, 28);
  data.writeUInt16LE(2, 32);
  data.writeUInt16LE(16, 34);
  data.write("data", 36);
  data.writeUInt32LE(2 * samples, 40);
  if (hz > 0) for (let i = 0; i < samples; i++) data.writeInt16LE(Math.round(loud * Math.sin((2 * Math.PI * hz * i) / rate)), 44 + 2 * i);
  return data;
}

// freePort finds a port of 127.0.0.1 that is free for UDP and TCP now, below those that the
// kernel gives away, so that nobody is handed it between the look and its use.
async function freePort() {
  for (;;) {
    const port = 30_000 + Math.floor(Math.random() * 2_767);
    const tcp = createServer();
    const udp = createSocket("udp4");
    const free = await Promise.all([
      new Promise((yes) => tcp.once("error", () => yes(false)).listen(port, "127.0.0.1", () => yes(true))),
      new Promise((yes) => udp.once("error", () => yes(false)).bind(port, "127.0.0.1", () => yes(true))),
    ]);
    await Promise.all([free[0] && new Promise((yes) => tcp.close(yes)), new Promise((yes) => udp.close(yes))]);
    if (free.every(Boolean)) return port;
  }
}

async function connected(port) {
  for (const late = Date.now() + patience; ; ) {
    const socket = connect(port, "127.0.0.1");
    const ok = await new Promise((yes) => socket.once("connect", () => yes(true)).once("error", () => yes(false)));
    if (ok) return socket;
    if (Date.now() > late) throw new Error("baresip's control connection cannot be opened");
    await pause(30);
  }
}

async function within(promise, why, limit = patience) {
  let timer;
  const late = new Promise((_, no) => {
    timer = setTimeout(() => no(new Error(typeof why === "string" ? why : why())), limit);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

const pause = (ms) => new Promise((yes) => setTimeout(yes, ms));
