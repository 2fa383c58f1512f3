// Runs the unit tests of the pages with node's own runner: node test/run.mjs
// They import TypeScript, so each is bundled first.
import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { readdir, rm } from "node:fs/promises";

const here = new URL(".", import.meta.url).pathname;
const out = new URL("../node_modules/.tests", import.meta.url).pathname; // a folder that git passes over
await rm(out, { recursive: true, force: true });
const tests = (await readdir(here)).filter((name) => name.endsWith(".test.mjs"));
await build({
  entryPoints: tests.map((name) => here + name),
  outdir: out,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  platform: "node",
  format: "esm",
  target: "es2022",
  sourcemap: "inline",
  logLevel: "warning",
});
const { status } = spawnSync(process.execPath, ["--test", "--test-reporter=spec", "--enable-source-maps", ...tests.map((name) => `${out}/${name}`)], { stdio: "inherit" });
process.exit(status ?? 1);
