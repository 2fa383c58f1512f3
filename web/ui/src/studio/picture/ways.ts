// What a drawn picture says of one step: its words, and the ways out of it.

export interface Way {
  to: string;
  step: boolean; // to is a step of this picture, not its end
  label: string;
}

export interface StepFacts {
  says: string[]; // lines of the step's description, first its name and verb
  ways: Way[];
  in: string[]; // steps that lead here
}

export function factsOf(svg: SVGSVGElement, step: string): StepFacts {
  const node = svg.querySelector(`[data-step="${CSS.escape(step)}"]`);
  const ways: Way[] = [];
  for (const edge of svg.querySelectorAll(`[data-edge][data-from="${CSS.escape(step)}"]`)) {
    const title = edge.querySelector("title")?.textContent ?? "";
    const cut = title.indexOf(": ");
    const to = edge.getAttribute("data-to") ?? "";
    ways.push({ to, step: svg.querySelector(`[data-step="${CSS.escape(to)}"]`) !== null, label: cut < 0 ? "" : title.slice(cut + 2) });
  }
  const into = [...svg.querySelectorAll(`[data-edge][data-to="${CSS.escape(step)}"]`)].map((e) => e.getAttribute("data-from") ?? "");
  return {
    says: ([...(node?.children ?? [])].find((c) => c.localName === "title")?.textContent ?? "").split("\n").filter((line) => line !== ""),
    ways,
    in: [...new Set(into)].filter((name) => name !== "" && name !== step && svg.querySelector(`[data-step="${CSS.escape(name)}"]`) !== null),
  };
}
