// Writes a CycloneDX list of what is in the program, from `go version -m -json` on
// standard input and the lockfile of the pages: node sbom.mjs VERSION package-lock.json
import { readFileSync } from "node:fs";

const [version, lockFile] = process.argv.slice(2);
const built = JSON.parse(readFileSync(0, "utf8"));
const lock = JSON.parse(readFileSync(lockFile, "utf8"));

const goModule = (m) => ({
  type: "library",
  name: m.Path,
  version: m.Version,
  purl: `pkg:golang/${m.Path}@${m.Version}`,
  ...(m.Sum ? { properties: [{ name: "go:sum", value: m.Sum }] } : {}),
});
const goRoot = { type: "library", name: "std", version: built.GoVersion.replace(/^go/, ""), purl: `pkg:golang/std@${built.GoVersion.replace(/^go/, "")}` };
const pages = Object.entries(lock.packages)
  .filter(([path, p]) => path && !p.dev && !p.optional)
  .map(([path, p]) => {
    const name = path.replace(/^.*node_modules\//, "");
    const [algorithm, digest] = (p.integrity ?? "").split("-");
    return {
      type: "library",
      name,
      version: p.version,
      purl: `pkg:npm/${name.replace("@", "%40")}@${p.version}`,
      ...(algorithm === "sha512" ? { hashes: [{ alg: "SHA-512", content: Buffer.from(digest, "base64").toString("hex") }] } : {}),
      ...(p.license ? { licenses: [{ license: { id: p.license } }] } : {}),
    };
  });
const components = [goRoot, ...(built.Deps ?? []).map(goModule), ...pages].sort((a, b) => (a.purl < b.purl ? -1 : a.purl > b.purl ? 1 : 0));
if (!components.length || !pages.length) throw new Error("sbom: the list is empty; was the program built with modules and pages?");

process.stdout.write(JSON.stringify({
  bomFormat: "CycloneDX",
  specVersion: "1.5",
  version: 1,
  metadata: { component: { type: "application", name: "tandem", version, purl: `pkg:golang/tandem@${version}` } },
  components,
}, null, 2) + "\n");
