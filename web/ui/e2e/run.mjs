// Runs journeys: a real server, a real browser, and what a person would do.
//
//   node web/ui/e2e/run.mjs [JOURNEY]      (make e2e, make e2e J=call)
//
// Starts bin/tandem demo in a folder of its own on free ports, runs every check of
// the journey, and closes with a line "N passed, N failed". Screenshots of what was
// seen lie in web/ui/e2e/shots. CHROMIUM names the browser if it is elsewhere, PROGRAM
// another build of the program; CHECK is a pattern of the checks to run, when not all are
// wanted.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const journeys = { board: "./board.mjs", call: "./call.mjs", desk: "./desk.mjs", face: "./face.mjs", page: "./page.mjs", queue: "./queue.mjs", studio: "./studio.mjs", text: "./text.mjs", upgrade: "./upgrade.mjs", widget: "./widget.mjs" }; // each file is one journey
const root = new URL("../../..", import.meta.url).pathname;
const shots = new URL("shots/", import.meta.url).pathname;
const program = process.env.PROGRAM ?? `${root}bin/tandem`;
const browserPath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const startTime = 60_000; // milliseconds for the server to serve
const checkTime = 120_000; // for one check, on a busy machine
const only = new RegExp(process.env.CHECK ?? "");
const stopTime = 15_000; // for the server to stop

const browserOptions = {
  executablePath: browserPath,
  args: [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream", "--autoplay-policy=no-user-gesture-required",
  ],
};

const wanted = process.argv.slice(2).filter((name) => name !== "");
for (const name of wanted) {
  if (!(name in journeys)) {
    console.error(`there is no journey ${name}; there is ${Object.keys(journeys).join(", ")}`);
    process.exit(1);
  }
}
if (!existsSync(browserPath)) {
  console.log(`SKIP: needs chromium at ${browserPath} (make deps, or CHROMIUM=PATH)`);
  process.exit(process.env.REQUIRE_ALL === "1" ? 1 : 0);
}

let passed = 0;
let failed = 0;
let skipped = 0;
await mkdir(shots, { recursive: true });
for (const name of wanted.length > 0 ? wanted : Object.keys(journeys)) {
  await run(name);
}
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exit(failed > 0 ? 1 : 0);

async function run(name) {
  const { default: journey, alone } = await import(journeys[name]);
  console.log(`== journey ${name}`);
  let server;
  let browser;
  try {
    server = alone ? undefined : await startServer();
    browser = await chromium.launch(browserOptions);
    await journey({ browser, browserOptions, server, root, check, skip, startServer, shot: (page, what, more) => page.screenshot({ path: `${shots}${name}-${what}.png`, fullPage: true, ...more }) });
  } catch (err) {
    failed++;
    console.log(`FAILED ${name}: ${err.stack ?? err}`);
  } finally {
    await browser?.close();
    await server?.stop();
  }
}

// check runs one thing that must hold, for limit milliseconds at most; the journey
// goes on after a failure.
async function check(what, fn, limit = checkTime) {
  if (!only.test(what)) return;
  const begun = Date.now();
  let timer;
  try {
    const late = new Promise((_, no) => {
      timer = setTimeout(() => no(new Error(`took longer than ${limit / 1000} s`)), limit);
    });
    await Promise.race([fn(), late]);
    passed++;
    console.log(`ok     ${what} (${Date.now() - begun} ms)`);
  } catch (err) {
    failed++;
    console.log(`FAILED ${what}: ${err.stack ?? err}`);
  } finally {
    clearTimeout(timer);
  }
}

// skip says why something is not checked here.
function skip(what, why) {
  if (!only.test(what)) return;
  if (process.env.REQUIRE_ALL === "1") failed++;
  else skipped++;
  console.log(`${process.env.REQUIRE_ALL === "1" ? "FAILED" : "SKIP  "} ${what}: ${why}`);
}

// startServer starts the demo and reads the line that says where it listens. set are
// environment variables that override its configuration; dir is the folder of a demo that
// was killed, "" = a new one.
async function startServer(set = {}, dir = "") {
  const child = spawn(program, ["demo", ...(dir ? ["--dir", dir] : ["--temporary"]), "--json"], { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...set } });
  const ended = new Promise((done) => child.once("close", done));
  let log = "";
  child.stderr.on("data", (text) => {
    log = (log + text).slice(-20_000);
  });
  const lines = createInterface({ input: child.stdout });
  let timer;
  const first = await Promise.race([
    new Promise((yes) => lines.once("line", yes)),
    ended.then((status) => Promise.reject(new Error(`the demo ended with status ${status}:\n${log}`))),
    new Promise((_, no) => {
      timer = setTimeout(() => no(new Error(`the demo does not serve after ${startTime / 1000} s:\n${log}`)), startTime);
    }),
  ]).catch((err) => {
    child.kill("SIGKILL");
    throw err;
  });
  clearTimeout(timer);
  const { addresses, config, passwords, keys } = JSON.parse(first);
  return {
    program,
    config,
    passwords, // of the staff, by name
    keys, // files with the keys of agents and supervisors, by name
    pages: `http://${addresses["http.listen"][0]}/`,
    staff: `http://${addresses["http.staff_listen"][0]}/`,
    admin: `http://${addresses["http.admin_listen"][0]}/`,
    sip: addresses["sip.listen"],
    // kill ends it as a power cut does, and leaves its folder.
    async kill() {
      child.kill("SIGKILL");
      await ended;
    },
    async stop() {
      child.kill("SIGTERM");
      const kill = setTimeout(() => child.kill("SIGKILL"), stopTime);
      const status = await ended;
      clearTimeout(kill);
      if (status !== 0) {
        failed++;
        console.log(`FAILED the server stops in order: status ${status}\n${log}`);
      }
    },
  };
}
