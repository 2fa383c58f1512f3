// Lets a server-drawn picture into the page: parsed as what it claims to be, and refused
// whole if anything in it could act or reach out.

const elements = new Set(
  "svg g a path rect circle ellipse line polyline polygon text tspan title desc defs marker use symbol clippath lineargradient stop pattern mask".split(" "),
);

// safeSvg returns the picture, or null if it is none or holds what it must not.
export function safeSvg(text: string): SVGSVGElement | null {
  const parsed = new DOMParser().parseFromString(text, "image/svg+xml");
  const root = parsed.documentElement;
  if (parsed.querySelector("parsererror") || root.localName !== "svg" || root.namespaceURI !== "http://www.w3.org/2000/svg") return null;
  for (const el of [root, ...root.querySelectorAll("*")]) {
    if (!elements.has(el.localName.toLowerCase())) return null;
    for (const { name, value } of el.attributes) {
      const key = name.toLowerCase();
      if (key.startsWith("on") || key === "style") return null;
      if ((key === "href" || key === "xlink:href") && !value.startsWith("#")) return null;
      if (/url\(\s*['"]?(?!#)/i.test(value) || /^\s*javascript:/i.test(value)) return null;
    }
  }
  return document.importNode(root, true) as unknown as SVGSVGElement;
}
