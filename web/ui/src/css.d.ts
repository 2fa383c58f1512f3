// esbuild bundles style sheets that a module imports.
declare module "*.css" {
  const text: string; // of shadow.css only
  export default text;
}
