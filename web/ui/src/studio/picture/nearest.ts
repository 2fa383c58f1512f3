// The step that lies nearest in a direction: how arrow keys walk a picture.

export function nearest(from: SVGGraphicsElement, all: readonly SVGGraphicsElement[], [dx, dy]: readonly [number, number]): SVGGraphicsElement | null {
  const at = middle(from);
  let best: SVGGraphicsElement | null = null;
  let least = Infinity;
  for (const node of all) {
    if (node === from) continue;
    const to = middle(node);
    const ahead = (to.x - at.x) * dx + (to.y - at.y) * dy;
    const aside = Math.abs((to.x - at.x) * dy) + Math.abs((to.y - at.y) * dx);
    if (ahead <= 4) continue;
    const far = ahead + 2 * aside; // straight ahead before near but aside
    if (far < least) {
      least = far;
      best = node;
    }
  }
  return best;
}

function middle(node: SVGGraphicsElement): { x: number; y: number } {
  const box = node.getBoundingClientRect();
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}
