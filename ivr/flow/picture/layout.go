package picture

import "slices"

// Distances in px.
const (
	marginX  = 24
	marginY  = 24
	gapCards = 26 // between two cards side by side
	gapLine  = 14 // between a card and a line, or two labels
	gapThin  = 12 // between two lines
)

// layout is where everything lies. Layers are numbered from the top: cards lie in the
// odd ones, labels and pills in the even ones between.
type layout struct {
	g      *graph
	layers [][]*cell
	tops   []int // y of each layer
	highs  []int // and its height
	w, h   int
	cells  int // how many
}

// cell is one place in a layer: a card or pill, a label, or a line passing through.
type cell struct {
	node  *node // nil = part of a link
	link  *link
	label bool
	id    int
	layer int
	pos   int // in the layer
	x     int // of its middle
	w, h  int
	up    []*cell // neighbours in the layer above, by position
	down  []*cell
}

func newLayout(g *graph) *layout {
	l := &layout{g: g}
	deepest := 0
	for _, n := range g.nodes[:g.steps] {
		deepest = max(deepest, n.rank)
	}
	l.layers = make([][]*cell, 2*deepest+3)
	for _, n := range g.nodes[:g.steps] {
		n.cell = &cell{node: n, layer: 2*n.rank + 1, w: n.w, h: n.h}
	}
	for _, n := range g.nodes[g.steps:] {
		n.cell = &cell{node: n, layer: 2 * n.out[0].to.rank, w: n.w, h: n.h}
	}
	for _, k := range g.links {
		if !k.tag && !k.back {
			l.thread(k)
		}
	}
	l.begin()
	return l
}

// thread makes the cells of a link that leads down.
func (l *layout) thread(k *link) {
	last := k.from.cell
	for layer := last.layer + 1; layer < k.to.cell.layer; layer++ {
		c := k.pass(layer, layer == k.from.cell.layer+1)
		join(last, c)
		last = c
	}
	join(last, k.to.cell)
}

// pass makes a cell of a link, with its label if this is the place for it.
func (k *link) pass(layer int, label bool) *cell {
	c := &cell{link: k, layer: layer}
	if label && len(k.label) > 0 {
		c.label, c.w, c.h = true, k.labelW+k.labelW%2, len(k.label)*14+4
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
	var visit func(*node)
	visit = func(n *node) {
		if seen[n.order] {
			return
		}
		seen[n.order] = true
		for _, k := range n.in {
			if k.from.pill != "" {
				put(k.from.cell)
			}
		}
		put(n.cell)
		for _, k := range n.out {
			if k.down() {
				for _, c := range k.cells {
					put(c)
				}
				visit(k.to)
			}
		}
	}
	for _, n := range l.g.roots() {
		up := n
		for range l.g.nodes { // begin at the top of what it hangs on
			i := slices.IndexFunc(up.in, func(k *link) bool { return k.down() && !seen[k.from.order] })
			if i < 0 {
				break
			}
			up = up.in[i].from
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
