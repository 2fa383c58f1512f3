// Builds the pages into dist/, from which the Go program embeds them. Customers' and
// staff's are built apart and share no file but the icon: they are served at doors of
// their own.
import { build, transform } from "esbuild";
import { cp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";

const here = new URL(".", import.meta.url).pathname;
const dist = here + "dist";
const widgetLimit = 30_000; // bytes of the widget, gzipped, with all that is in it
// A style sheet of the shadow DOM is text in the script: it is adopted, not linked.
const shadowStyles = {
  name: "shadow-styles",
  setup: ({ onLoad }) =>
    onLoad({ filter: /shadow\.css$/ }, async ({ path }) => ({
      contents: (await transform(await readFile(path, "utf8"), { loader: "css", minify: true, target: common.target })).code.trim(),
      loader: "text",
    })),
};
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
  entryPoints: { login: "src/login/main.tsx", studio: "src/studio/main.tsx", desk: "src/desk/main.tsx", board: "src/board/main.tsx" },
});
const alone = { ...common, format: "iife", plugins: [shadowStyles], banner: { js: "/* Licences of what is in it: customer-licences.txt beside it */" } };
const widget = await build({ ...alone, entryPoints: { widget: "src/widget/main.ts", chat: "src/chat/main.ts", handoff: "src/handoff/main.ts" } });
const weight = gzipSync(await readFile(dist + "/widget.js"), { level: 9 }).length;
if (weight > widgetLimit) throw new Error(`widget.js is ${weight} bytes gzipped; ${widgetLimit} are allowed, for it loads on other people's pages`);
await notices([customer, widget], "customer-licences.txt");
await notices([staff], "staff-licences.txt");
await build({ ...common, format: "iife", entryPoints: { "staff-early": "src/staff/early.ts" } });
await cp(here + "src/customer/index.html", dist + "/index.html");
await cp(here + "src/chat/index.html", dist + "/chat.html");
for (const page of ["login", "studio", "desk", "board"]) await cp(`${here}src/${page}/index.html`, `${dist}/${page}.html`);
await cp(here + "src/icon.svg", dist + "/icon.svg");

// notices writes the licences of the packages that went into builds, as they ask for.
async function notices(builds, name) {
  const packages = new Set(builds.flatMap(({ metafile }) => Object.keys(metafile.inputs)).map((file) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1]).filter(Boolean));
  const texts = [];
  for (const pkg of [...packages].sort()) {
    const { version } = JSON.parse(await readFile(`${here}node_modules/${pkg}/package.json`, "utf8"));
    texts.push(`${pkg} ${version}\n\n${(await readFile(`${here}node_modules/${pkg}/LICENSE`, "utf8")).trim()}\n`);
  }
  await writeFile(`${dist}/${name}`, texts.join("\n----\n\n"));
}
