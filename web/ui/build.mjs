// Builds the pages into dist/, from which the Go program embeds them. Customers' and
// staff's are built apart and share no file but the icon: they are served at doors of
// their own.
import { build } from "esbuild";
import { cp, mkdir, readdir, rm } from "node:fs/promises";

const here = new URL(".", import.meta.url).pathname;
const dist = here + "dist";
const common = {
  absWorkingDir: here,
  outdir: dist,
  bundle: true,
  minify: true,
  target: ["es2022"],
  charset: "utf8",
  legalComments: "eof",
  logLevel: "warning",
};

await mkdir(dist, { recursive: true });
for (const name of await readdir(dist)) {
  if (name !== ".keep") await rm(`${dist}/${name}`, { recursive: true });
}
await build({ ...common, format: "esm", entryPoints: { customer: "src/customer/main.tsx" } });
await build({
  ...common,
  format: "esm",
  splitting: true,
  chunkNames: "staff-[hash]",
  entryPoints: { login: "src/login/main.tsx", studio: "src/studio/main.tsx" },
});
await build({ ...common, format: "iife", entryPoints: { "staff-early": "src/staff/early.ts" } });
await cp(here + "src/customer/index.html", dist + "/index.html");
await cp(here + "src/login/index.html", dist + "/login.html");
await cp(here + "src/studio/index.html", dist + "/studio.html");
await cp(here + "src/icon.svg", dist + "/icon.svg");
