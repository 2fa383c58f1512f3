// Builds the pages into dist/, from which the Go program embeds them. Customers' and
// staff's are built apart and share no file but the icon: they are served at doors of
// their own.
import { build } from "esbuild";
import { cp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";

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
  metafile: true,
};

await mkdir(dist, { recursive: true });
for (const name of await readdir(dist)) {
  if (name !== ".keep") await rm(`${dist}/${name}`, { recursive: true });
}
const customer = await build({ ...common, format: "esm", entryPoints: { customer: "src/customer/main.tsx" } });
const staff = await build({
  ...common,
  format: "esm",
  splitting: true,
  chunkNames: "staff-[hash]",
  entryPoints: { login: "src/login/main.tsx", studio: "src/studio/main.tsx" },
});
await notices(customer, "customer-licences.txt");
await notices(staff, "staff-licences.txt");
await build({ ...common, format: "iife", entryPoints: { "staff-early": "src/staff/early.ts" } });
await cp(here + "src/customer/index.html", dist + "/index.html");
await cp(here + "src/login/index.html", dist + "/login.html");
await cp(here + "src/studio/index.html", dist + "/studio.html");
await cp(here + "src/icon.svg", dist + "/icon.svg");

// notices writes the licences of the packages that went into a build, as they ask for.
async function notices({ metafile }, name) {
  const packages = new Set(Object.keys(metafile.inputs).map((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1]).filter(Boolean));
  const texts = [];
  for (const pkg of [...packages].sort()) {
    const { version } = JSON.parse(await readFile(`${here}node_modules/${pkg}/package.json`, "utf8"));
    texts.push(`${pkg} ${version}\n\n${(await readFile(`${here}node_modules/${pkg}/LICENSE`, "utf8")).trim()}\n`);
  }
  await writeFile(`${dist}/${name}`, texts.join("\n----\n\n"));
}
