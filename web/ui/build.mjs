// Builds the pages into dist/, from which the Go program embeds them.
import { build } from "esbuild";
import { cp, mkdir, readdir, rm } from "node:fs/promises";

const here = new URL(".", import.meta.url).pathname;
const dist = here + "dist";

await mkdir(dist, { recursive: true });
for (const name of await readdir(dist)) {
  if (name !== ".keep") await rm(`${dist}/${name}`, { recursive: true });
}
await build({
  absWorkingDir: here,
  entryPoints: { customer: "src/customer/main.tsx" },
  outdir: dist,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["es2022"],
  charset: "utf8",
  legalComments: "eof",
  logLevel: "warning",
});
await cp(here + "src/customer/index.html", dist + "/index.html");
await cp(here + "src/icon.svg", dist + "/icon.svg");
