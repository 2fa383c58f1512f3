// The picture of a flow in the page: seen in part or whole, walked by keys, its steps
// chosen by a click or Enter.
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { Icon } from "../../staff/icon.tsx";
import { useSettings } from "../../staff/settings.tsx";
import { useStudioWords } from "../words.ts";
import { nearest } from "./nearest.ts";
import { safeSvg } from "./safe.ts";
import { View } from "./view.ts";

interface Props {
  svg: string; // "" = none yet
  of: string; // what it is of: another one is fitted anew
  label: string;
  current?: string | undefined; // the step to highlight
  uncovered?: ReadonlySet<string> | undefined; // steps and edges no test walked, as data-step and "step label" say
  onChoose?: ((step: string, focus: boolean) => void) | undefined;
  onDrawn?: ((svg: SVGSVGElement | null) => void) | undefined;
  marks?: string | undefined; // selects the steps to show first; else where the flow begins
}

export function Picture({ svg, of, label, current, uncovered, onChoose, onDrawn, marks }: Props) {
  const w = useStudioWords();
  const host = useRef<HTMLDivElement>(null);
  const sheet = useRef<HTMLDivElement>(null);
  const view = useRef<View | null>(null);
  const shownOf = useRef("");
  const chosen = useRef("");
  const { theme } = useSettings();
  const [scale, setScale] = useState(1);
  const [refused, setRefused] = useState(false);

  useLayoutEffect(() => {
    if (!host.current) return;
    const made = new View(host.current, setScale);
    view.current = made;
    return () => made.destroy();
  }, []);

  useLayoutEffect(() => {
    const at = sheet.current;
    if (!at) return;
    if (svg === "") {
      at.replaceChildren();
      shownOf.current = "";
      onDrawn?.(null);
      return;
    }
    const drawn = safeSvg(svg);
    setRefused(drawn === null);
    if (!drawn) {
      at.replaceChildren();
      onDrawn?.(null);
      return;
    }
    const focused = document.activeElement?.closest?.("[data-step]")?.getAttribute("data-step");
    const hadFocus = at.contains(document.activeElement);
    prepare(drawn, label, onChoose !== undefined, focused ?? chosen.current);
    at.replaceChildren(drawn);
    view.current?.show(drawn, shownOf.current !== of, marks);
    shownOf.current = of;
    onDrawn?.(drawn);
    if (hadFocus && focused) stepNode(drawn, focused)?.focus();
  }, [svg, of, label]);

  // The picture's own colours follow the device; a chosen theme overrules it.
  useLayoutEffect(() => {
    const drawn = sheet.current?.querySelector("svg");
    drawn?.classList.toggle("light", theme === "light");
    drawn?.classList.toggle("dark", theme === "dark");
  }, [svg, theme]);

  useLayoutEffect(() => {
    const drawn = sheet.current?.querySelector("svg");
    if (!drawn) return;
    for (const node of drawn.querySelectorAll(".selected")) {
      node.classList.remove("selected");
      node.removeAttribute("aria-current");
    }
    if (current === undefined || current === "") return;
    const node = stepNode(drawn, current);
    if (!node) return;
    node.classList.add("selected");
    node.setAttribute("aria-current", "true");
    if (chosen.current !== current) {
      chosen.current = current;
      for (const other of drawn.querySelectorAll('[data-step][tabindex="0"]')) other.setAttribute("tabindex", "-1");
      node.setAttribute("tabindex", "0");
      if (!drawn.contains(document.activeElement)) view.current?.reveal(node);
    }
  }, [svg, current]);

  useLayoutEffect(() => {
    const drawn = sheet.current?.querySelector("svg");
    if (!drawn) return;
    for (const el of drawn.querySelectorAll("[data-step], [data-edge]")) {
      const name = el.getAttribute("data-edge") ?? el.getAttribute("data-step") ?? "";
      el.classList.toggle("is-uncovered", uncovered?.has(name) ?? false);
    }
  }, [svg, uncovered]);

  const press = (e: KeyboardEvent) => {
    const v = view.current;
    const drawn = sheet.current?.querySelector("svg");
    if (!v || !drawn || e.ctrlKey || e.metaKey || e.altKey) return;
    const node = (e.target as Element).closest<SVGGraphicsElement>("[data-step]");
    const far = 60;
    const arrows: Record<string, [number, number]> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const arrow = arrows[e.key];
    if (arrow && node && !e.shiftKey) {
      const to = nearest(node, [...drawn.querySelectorAll<SVGGraphicsElement>("[data-step]")], arrow);
      if (to) {
        for (const other of drawn.querySelectorAll('[data-step][tabindex="0"]')) other.setAttribute("tabindex", "-1");
        to.setAttribute("tabindex", "0");
        to.focus({ preventScroll: true });
        v.reveal(to);
      }
    } else if (arrow) v.pan(arrow[0] * far, arrow[1] * far);
    else if (e.key === "+" || e.key === "=") v.zoom(1.25);
    else if (e.key === "-") v.zoom(0.8);
    else if (e.key === "0") v.fitWhole();
    else if ((e.key === "Enter" || e.key === " ") && node) onChoose?.(node.getAttribute("data-step") ?? "", true);
    else return;
    e.preventDefault();
  };

  const click = (e: MouseEvent) => {
    if (view.current?.wasDragged) return;
    const went = (e.target as Element).closest("[data-go]")?.getAttribute("data-go");
    if (went) {
      onChoose?.(went, false); // chosen by effect: brought into sight then
      return;
    }
    const step = (e.target as Element).closest("[data-step]")?.getAttribute("data-step");
    if (!step) return;
    chosen.current = step;
    onChoose?.(step, false);
  };

  return (
    <div class="viewer">
      <div class="viewer-host" ref={host} onKeyDown={press} onClick={click} role="group" aria-label={label} tabIndex={svg === "" ? -1 : 0}>
        <div class="viewer-sheet" ref={sheet} />
        {refused && <p class="empty">{w.pictureRefused}</p>}
      </div>
      {svg !== "" && !refused && (
        <div class="viewer-zoom" role="group" aria-label={w.zoom}>
          <button type="button" class="square" aria-label={w.zoomOut} title={w.zoomOut} onClick={() => view.current?.zoom(0.8)}>
            <Icon name="minus" />
          </button>
          <output>{Math.round(scale * 100)}%</output>
          <button type="button" class="square" aria-label={w.zoomIn} title={w.zoomIn} onClick={() => view.current?.zoom(1.25)}>
            <Icon name="plus" />
          </button>
          <button type="button" class="square" aria-label={w.fit} title={w.fit} onClick={() => view.current?.fitWhole()}>
            <Icon name="fit" />
          </button>
        </div>
      )}
    </div>
  );
}

function stepNode(svg: SVGSVGElement, step: string): SVGGraphicsElement | null {
  return svg.querySelector<SVGGraphicsElement>(`[data-step="${CSS.escape(step)}"]`);
}

// prepare names the picture's parts for screen readers and makes one step a tab stop.
function prepare(svg: SVGSVGElement, label: string, choosable: boolean, stop: string): void {
  svg.setAttribute("role", "group");
  svg.setAttribute("aria-label", label);
  svg.removeAttribute("aria-labelledby");
  const nodes = [...svg.querySelectorAll<SVGGraphicsElement>("[data-step]")];
  const first = nodes.find((n) => n.getAttribute("data-step") === stop) ?? nodes[0];
  for (const node of nodes) {
    if (choosable) {
      node.setAttribute("role", "button");
      node.setAttribute("tabindex", node === first ? "0" : "-1");
    } else {
      node.setAttribute("role", "img");
      node.removeAttribute("tabindex");
    }
  }
  // A link to another step is followed by the page: the address names the page's place.
  for (const a of svg.querySelectorAll("a")) a.removeAttribute("href");
}
