// Builds the pages into dist/, from which the Go program embeds them. Customers' and
// staff's are built apart and share no file but the icon: they are served at doors of
// their own.
import { build, transform } from "esbuild";
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { gzipSync } from "node:zlib";

const here = new URL(".", import.meta.url).pathname;
const dist = process.env.DIST ? resolve(process.env.DIST) : here + "dist"; // DIST: elsewhere, while others use the pages
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
const check = existsSync(here + "src/check/main.tsx"); // the page that tries a device beforehand
const customer = await build({ ...common, format: "esm", entryPoints: { customer: "src/customer/main.tsx", ...(check ? { "customer-check": "src/check/main.tsx" } : {}) } });
const staff = await build({
  ...common,
  format: "esm",
  splitting: true,
  chunkNames: "staff-[hash]",
  entryPoints: { login: "src/login/main.tsx", studio: "src/studio/main.tsx", desk: "src/desk/main.tsx", board: "src/board/main.tsx" },
});
const alone = { ...common, format: "iife", plugins: [shadowStyles], banner: { js: "/* Licences of what is in it: customer-licences.txt beside it */" } };
const pictures = existsSync(here + "src/widget/face/main.tsx") ? { "customer-face": "src/widget/face/main.tsx" } : {}; // loaded when somebody is to be seen or heard
const widget = await build({ ...alone, entryPoints: { widget: "src/widget/main.ts", chat: "src/chat/main.ts", handoff: "src/handoff/main.ts", ...pictures } });
const weight = gzipSync(await readFile(dist + "/widget.js"), { level: 9 }).length;
if (weight > widgetLimit) throw new Error(`widget.js is ${weight} bytes gzipped; ${widgetLimit} are allowed, for it loads on other people's pages`);
await notices([customer, widget], "customer-licences.txt");
await notices([staff], "staff-licences.txt");
await build({ ...common, format: "iife", entryPoints: { "staff-early": "src/staff/early.ts" } });
await cp(here + "src/customer/index.html", dist + "/index.html");
await cp(here + "src/chat/index.html", dist + "/chat.html");
if (check) await cp(here + "src/check/index.html", dist + "/customer-check.html");
await models();
for (const page of ["login", "studio", "desk", "board"]) await cp(`${here}src/${page}/index.html`, `${dist}/${page}.html`);
await cp(here + "src/icon.svg", dist + "/icon.svg");

// models puts the weights of the faces' model beside the staff's pages: it is in a file of its
// own, as its program is, and loaded when an officer asks for a likeness.
async function models() {
  const from = here + "node_modules/@vladmandic/face-api/model/";
  await mkdir(dist + "/staff-face", { recursive: true });
  for (const name of ["tiny_face_detector_model", "face_landmark_68_model", "face_recognition_model"]) {
    for (const file of [`${name}-weights_manifest.json`, `${name}.bin`]) await cp(from + file, `${dist}/staff-face/${file}`);
  }
}

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
