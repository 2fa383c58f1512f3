// Which part of a picture is seen, and how large: moved by wheel, pinch, drag, keys and
// buttons. It works on the viewBox, so that lines and letters stay sharp.

const smallest = 0.05;
const largest = 4;
const comfortable = 0.8; // below this a picture cannot be read: its beginning is shown then, not all of it
const margin = 16; // pixels around a fitted picture

export class View {
  scale = 1;
  private x = 0; // picture units at the left edge
  private y = 0;
  private width = 0; // of the picture
  private height = 0;
  private svg: SVGSVGElement | null = null;
  private moved = false; // by the person: a new picture then stays where they are
  private begin: () => void = () => this.fit(); // what a new picture shows first
  private readonly pointers = new Map<number, { x: number; y: number }>();
  private dragged = 0; // pixels since the pointer went down
  private readonly watch: ResizeObserver;

  constructor(
    private readonly host: HTMLElement,
    private readonly onScale: (scale: number) => void,
  ) {
    host.addEventListener("wheel", this.wheel, { passive: false });
    host.addEventListener("pointerdown", this.down);
    host.addEventListener("pointermove", this.move);
    host.addEventListener("pointerup", this.up);
    host.addEventListener("pointercancel", this.up);
    this.watch = new ResizeObserver(() => (this.moved ? this.apply() : this.begin()));
    this.watch.observe(host);
  }

  destroy(): void {
    this.watch.disconnect();
    this.host.removeEventListener("wheel", this.wheel);
    this.host.removeEventListener("pointerdown", this.down);
    this.host.removeEventListener("pointermove", this.move);
    this.host.removeEventListener("pointerup", this.up);
    this.host.removeEventListener("pointercancel", this.up);
  }

  // show takes a new picture; fresh: of something else, so it begins anew: at what marks
  // selects, where given, else where the flow begins.
  show(svg: SVGSVGElement, fresh: boolean, marks = ""): void {
    const box = svg.viewBox.baseVal;
    this.svg = svg;
    this.width = box?.width || Number(svg.getAttribute("width")) || 1;
    this.height = box?.height || Number(svg.getAttribute("height")) || 1;
    svg.removeAttribute("width");
    svg.removeAttribute("height");
    svg.setAttribute("preserveAspectRatio", "xMinYMin meet");
    if (fresh) this.begin = marks === "" ? () => this.fit() : () => this.fitOn(marks);
    if (fresh || !this.moved) this.begin();
    else this.apply();
  }

  // wasDragged tells a click from the end of a drag.
  get wasDragged(): boolean {
    return this.dragged > 4;
  }

  // fit shows all of it where that can be read, else its width, else where it begins.
  fit(): void {
    const { clientWidth: w, clientHeight: h } = this.host;
    if (w === 0 || h === 0) return;
    const across = (w - 2 * margin) / this.width;
    const whole = Math.min(across, (h - 2 * margin) / this.height);
    this.scale = clamp(Math.min(1, Math.max(whole, comfortable, across)));
    const seen = w / this.scale;
    this.x = (this.width - seen) / 2;
    if (this.width > seen) this.x = Math.min(Math.max(this.beginning() - seen / 2, -margin / this.scale), this.width - seen + margin / this.scale);
    this.y = -margin / this.scale;
    this.moved = false;
    this.apply();
  }

  // beginning is where across the picture its start is.
  private beginning(): number {
    const start = this.svg?.querySelector<SVGGraphicsElement>(".pill.start, [data-step]");
    const shift = /translate\(\s*(-?[\d.]+)/.exec(start?.getAttribute("transform") ?? "")?.[1];
    return shift === undefined ? this.width / 2 : Number(shift) + 60;
  }

  // fitOn shows the marked steps, as large as they can all be read; the beginning if none
  // is marked.
  private fitOn(marks: string): void {
    const boxes = [...(this.svg?.querySelectorAll<SVGGElement>(marks) ?? [])].map(boxOf).filter((box) => box !== null);
    const { clientWidth: w, clientHeight: h } = this.host;
    if (w === 0 || h === 0) return;
    if (boxes.length === 0) this.fit();
    else {
      const left = Math.min(...boxes.map((b) => b.x));
      const top = Math.min(...boxes.map((b) => b.y));
      const wide = Math.max(...boxes.map((b) => b.x + b.width)) - left;
      const high = Math.max(...boxes.map((b) => b.y + b.height)) - top;
      const around = 90; // picture units, so that the neighbours are seen
      this.scale = clamp(Math.max(Math.min(w / (wide + 2 * around), h / (high + 2 * around), 1), comfortable / 2));
      this.x = left + wide / 2 - w / this.scale / 2;
      this.y = Math.min(top + high / 2 - h / this.scale / 2, top - around / 2);
    }
    this.moved = false;
    this.apply();
  }

  fitWhole(): void {
    const { clientWidth: w, clientHeight: h } = this.host;
    if (w === 0 || h === 0) return;
    this.scale = clamp(Math.min((w - 2 * margin) / this.width, (h - 2 * margin) / this.height, 1.5));
    this.x = (this.width - w / this.scale) / 2;
    this.y = (this.height - h / this.scale) / 2;
    this.moved = true;
    this.apply();
  }

  // zoom keeps the point (px, py) of the host in its place; by default its middle.
  zoom(factor: number, px = this.host.clientWidth / 2, py = this.host.clientHeight / 2): void {
    const next = clamp(this.scale * factor);
    this.x += px / this.scale - px / next;
    this.y += py / this.scale - py / next;
    this.scale = next;
    this.moved = true;
    this.apply();
  }

  pan(dx: number, dy: number): void {
    this.x += dx / this.scale;
    this.y += dy / this.scale;
    this.moved = true;
    this.apply();
  }

  // reveal moves just so far that the element is seen whole.
  reveal(el: SVGGraphicsElement): void {
    const to = el.getBoundingClientRect();
    const host = this.host.getBoundingClientRect();
    const room = 24;
    const shift = (lo: number, hi: number, from: number, until: number) => (lo < from + room ? lo - from - room : hi > until - room ? Math.min(hi - until + room, lo - from - room) : 0);
    const dx = shift(to.left, to.right, host.left, host.right);
    const dy = shift(to.top, to.bottom, host.top, host.bottom);
    if (dx !== 0 || dy !== 0) this.pan(dx, dy);
  }

  private apply(): void {
    const { clientWidth: w, clientHeight: h } = this.host;
    if (!this.svg || w === 0 || h === 0) return;
    // A corner of the picture stays in sight.
    const keep = 60 / this.scale;
    this.x = Math.min(Math.max(this.x, keep - w / this.scale), this.width - keep);
    this.y = Math.min(Math.max(this.y, keep - h / this.scale), this.height - keep);
    this.svg.setAttribute("viewBox", `${this.x} ${this.y} ${w / this.scale} ${h / this.scale}`);
    this.onScale(this.scale);
  }

  private readonly wheel = (e: WheelEvent): void => {
    e.preventDefault();
    const unit = e.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : e.deltaMode === WheelEvent.DOM_DELTA_PAGE ? 400 : 1;
    if (e.ctrlKey || e.metaKey) {
      const host = this.host.getBoundingClientRect();
      this.zoom(Math.exp(-e.deltaY * unit * 0.004), e.clientX - host.left, e.clientY - host.top);
    } else if (e.shiftKey && e.deltaX === 0) this.pan(e.deltaY * unit, 0);
    else this.pan(e.deltaX * unit, e.deltaY * unit);
  };

  private readonly down = (e: PointerEvent): void => {
    if (e.pointerType === "mouse" && e.button > 1) return;
    this.pointers.set(e.pointerId, { x: e.clientX, y: e.clientY });
    if (this.pointers.size === 1) this.dragged = 0;
  };

  private readonly move = (e: PointerEvent): void => {
    const was = this.pointers.get(e.pointerId);
    if (!was) return;
    const now = { x: e.clientX, y: e.clientY };
    const other = [...this.pointers].find(([id]) => id !== e.pointerId)?.[1];
    this.pointers.set(e.pointerId, now);
    if (other) {
      const host = this.host.getBoundingClientRect();
      const before = Math.hypot(was.x - other.x, was.y - other.y);
      const after = Math.hypot(now.x - other.x, now.y - other.y);
      this.dragged = 99;
      if (before > 0) this.zoom(after / before, (now.x + other.x) / 2 - host.left, (now.y + other.y) / 2 - host.top);
    }
    this.dragged += Math.hypot(now.x - was.x, now.y - was.y);
    if (this.wasDragged) {
      if (!this.host.hasPointerCapture(e.pointerId)) this.host.setPointerCapture(e.pointerId);
      this.host.classList.add("dragging");
      const part = other ? 0.5 : 1; // two fingers move it together
      this.pan((was.x - now.x) * part, (was.y - now.y) * part);
    }
  };

  private readonly up = (e: PointerEvent): void => {
    this.pointers.delete(e.pointerId);
    if (this.pointers.size === 0) this.host.classList.remove("dragging");
  };
}

// boxOf is where a step is drawn: its group is moved there and holds its box.
function boxOf(step: SVGGElement): { x: number; y: number; width: number; height: number } | null {
  const at = /translate\(\s*(-?[\d.]+)[\s,]+(-?[\d.]+)/.exec(step.getAttribute("transform") ?? "");
  const rect = step.querySelector("rect.box");
  if (!at || !rect) return null;
  return { x: Number(at[1]), y: Number(at[2]), width: Number(rect.getAttribute("width")), height: Number(rect.getAttribute("height")) };
}

function clamp(scale: number): number {
  return Math.min(Math.max(scale, smallest), largest);
}
