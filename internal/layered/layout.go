package layered

import "slices"

// Distances in px.
const (
	marginX  = 24
	marginY  = 24
	gapBoxes = 26 // between two boxes side by side
	gapLine  = 14 // between a box and a line, or two labels
	gapThin  = 12 // between two lines
)

// layout is where everything lies. Layers are numbered from the top: boxes lie in the
// odd ones, labels and pills in the even ones between.
type layout struct {
	g      *Graph
	layers [][]*cell
	tops   []int // y of each layer
	highs  []int // and its height
	w, h   int
	cells  int // how many
}

// cell is one place in a layer: a box or pill, a label, or a line passing through.
type cell struct {
	node  *Node // nil = part of a link
	link  *Link
	label bool
	id    int
	layer int
	pos   int // in the layer
	x     int // of its middle
	w, h  int
	up    []*cell // neighbours in the layer above, by position
	down  []*cell
}

func newLayout(g *Graph) *layout {
	l := &layout{g: g}
	deepest := 0
	for _, n := range g.nodes {
		deepest = max(deepest, n.Rank)
	}
	l.layers = make([][]*cell, 2*deepest+3)
	for _, n := range g.nodes {
		n.cell = &cell{node: n, layer: 2*n.Rank + 1, w: n.W, h: n.H}
	}
	for _, n := range g.pills {
		n.cell = &cell{node: n, layer: 2 * n.out[0].To.Rank, w: n.W, h: n.H}
	}
	for _, k := range g.links {
		if !k.Far && !k.Back {
			l.thread(k)
		}
	}
	l.begin()
	return l
}

// thread makes the cells of a link that leads down.
func (l *layout) thread(k *Link) {
	last := k.From.cell
	for layer := last.layer + 1; layer < k.To.cell.layer; layer++ {
		c := k.pass(layer, layer == k.From.cell.layer+1)
		join(last, c)
		last = c
	}
	join(last, k.To.cell)
}

// pass makes a cell of a link, with its label if this is the place for it.
func (k *Link) pass(layer int, label bool) *cell {
	c := &cell{link: k, layer: layer}
	if label && k.LabelW > 0 {
		c.label, c.w, c.h = true, k.LabelW+k.LabelW%2, k.LabelH
	}
	k.cells = append(k.cells, c)
	return c
}

func join(a, b *cell) {
	a.down = append(a.down, b)
	b.up = append(b.up, a)
}

// begin puts the cells into their layers as a reader of the file comes to them, depth
// first, so that choices stand from left to right as written.
func (l *layout) begin() {
	put := func(c *cell) {
		c.pos = len(l.layers[c.layer])
		l.layers[c.layer] = append(l.layers[c.layer], c)
	}
	seen := make([]bool, len(l.g.nodes))
	var visit func(*Node)
	visit = func(n *Node) {
		if seen[n.order] {
			return
		}
		seen[n.order] = true
		for _, k := range n.in {
			if k.From.pill {
				put(k.From.cell)
			}
		}
		put(n.cell)
		for _, k := range n.out {
			if k.down() {
				for _, c := range k.cells {
					put(c)
				}
				visit(k.To)
			}
		}
	}
	for _, n := range l.g.roots() {
		up := n
		for range l.g.nodes { // begin at the top of what it hangs on
			i := slices.IndexFunc(up.in, func(k *Link) bool { return k.down() && !seen[k.From.order] })
			if i < 0 {
				break
			}
			up = up.in[i].From
		}
		visit(up)
		visit(n)
	}
	for _, layer := range l.layers {
		for _, c := range layer {
			byPos(c.up)
			byPos(c.down)
		}
	}
}

func byPos(cells []*cell) {
	slices.SortStableFunc(cells, func(a, b *cell) int { return a.pos - b.pos })
}
