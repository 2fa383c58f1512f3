package layered

import "slices"

// place gives every cell its x, after Brandes and Köpf (Fast and Simple Horizontal
// Coordinate Assignment, 2001): four layouts, each of which lines cells up with a median
// neighbour and packs the resulting columns, then the mean of the middle two for each
// cell. The order within layers and the distances hold in each and so in the mean.
func (l *layout) place() {
	var cells []*cell
	for _, layer := range l.layers {
		for _, c := range layer {
			c.id = len(cells)
			cells = append(cells, c)
		}
	}
	l.cells = len(cells)
	wrong := l.conflicts()
	var all [4][]int
	var lo, hi [4]int
	narrowest := 0
	for i := range all {
		all[i] = l.align(wrong, i&1 != 0, i&2 != 0)
		for id, c := range cells {
			x := all[i][id]
			if id == 0 {
				lo[i], hi[i] = x, x
			}
			lo[i], hi[i] = min(lo[i], x-c.w/2), max(hi[i], x+c.w/2)
		}
		if hi[i]-lo[i] < hi[narrowest]-lo[narrowest] {
			narrowest = i
		}
	}
	for id, c := range cells {
		var four [4]int
		for i := range all {
			four[i] = all[i][id] + lo[narrowest] - lo[i]
			if i&2 != 0 {
				four[i] = all[i][id] + hi[narrowest] - hi[i]
			}
		}
		slices.Sort(four[:])
		c.x = (four[1] + four[2]) >> 1 // rounded down, below zero too: distances hold
	}
	l.straighten()
	l.moveIn()
}

// pair is two cells in neighbouring layers, the upper first.
type pair [2]*cell

// passing reports whether a cell is a line on its way.
func (c *cell) passing() bool { return c.node == nil }

// conflicts finds lines that cross a long line between two of its passing cells: the
// long one stays straight.
func (l *layout) conflicts() map[pair]bool {
	out := map[pair]bool{}
	for i := range len(l.layers) - 1 {
		layer := l.layers[i+1]
		left, from := 0, 0
		for at, c := range layer {
			inner := -1
			if c.passing() && len(c.up) == 1 && c.up[0].passing() {
				inner = c.up[0].pos
			}
			if inner < 0 && at < len(layer)-1 {
				continue
			}
			right := inner
			if inner < 0 {
				right = len(l.layers[i])
			}
			for ; from <= at; from++ {
				for _, u := range layer[from].up {
					if u.pos < left || u.pos > right {
						if !(u.passing() && layer[from].passing()) {
							out[pair{u, layer[from]}] = true
						}
					}
				}
			}
			left = max(left, inner)
		}
	}
	return out
}

// align makes one of the four layouts: by the neighbours above or below, from the left
// or from the right.
func (l *layout) align(wrong map[pair]bool, below, fromRight bool) []int {
	root, next := make([]*cell, l.cells), make([]*cell, l.cells)
	for _, layer := range l.layers {
		for _, c := range layer {
			root[c.id], next[c.id] = c, c
		}
	}
	for i := range l.layers {
		layer := l.layers[i]
		if below {
			layer = l.layers[len(l.layers)-1-i]
		}
		reached := -1
		for at := range layer {
			c := layer[at]
			if fromRight {
				c = layer[len(layer)-1-at]
			}
			near := c.up
			if below {
				near = c.down
			}
			if len(near) == 0 {
				continue
			}
			middles := [2]int{(len(near) - 1) / 2, len(near) / 2}
			if fromRight {
				middles[0], middles[1] = middles[1], middles[0]
			}
			for _, m := range middles {
				n := near[m]
				key := pair{n, c}
				if below {
					key = pair{c, n}
				}
				pos := n.pos
				if fromRight {
					pos = len(l.layers[n.layer]) - 1 - pos
				}
				if next[c.id] == c && !wrong[key] && reached < pos {
					next[n.id], root[c.id] = c, root[n.id]
					next[c.id] = root[c.id]
					reached = pos
				}
			}
		}
	}
	return l.pack(root, fromRight)
}

// distance is how far apart the middles of two neighbours in a layer must be.
func distance(a, b *cell) int {
	gap := gapThin
	switch {
	case a.node != nil && b.node != nil:
		gap = gapBoxes
	case a.node != nil || b.node != nil || a.label && b.label:
		gap = gapLine
	}
	return (a.w+1)/2 + (b.w+1)/2 + gap
}

// pack sets the columns side by side: each as far to the left as those before it
// allow, then as near to those after it as they stand. From the right it is mirrored.
func (l *layout) pack(root []*cell, fromRight bool) []int {
	type beside struct {
		to   *cell
		dist int
	}
	before, after := make([][]beside, l.cells), make([][]beside, l.cells)
	var columns []*cell
	for _, layer := range l.layers {
		for i, c := range layer {
			if root[c.id] == c {
				columns = append(columns, c)
			}
			if i == 0 {
				continue
			}
			a, b, d := root[layer[i-1].id], root[c.id], distance(layer[i-1], c)
			if fromRight {
				a, b = b, a
			}
			before[b.id] = append(before[b.id], beside{a, d})
			after[a.id] = append(after[a.id], beside{b, d})
		}
	}
	x := make([]int, l.cells)
	done := make([]bool, l.cells)
	least := 0
	var sorted []*cell
	var visit func(*cell)
	visit = func(c *cell) {
		done[c.id] = true
		for _, n := range before[c.id] {
			if !done[n.to.id] {
				visit(n.to)
			}
			x[c.id] = max(x[c.id], x[n.to.id]+n.dist)
		}
		sorted = append(sorted, c)
	}
	for _, c := range columns {
		if !done[c.id] {
			visit(c)
		}
	}
	for _, c := range slices.Backward(sorted) {
		for i, n := range after[c.id] {
			if room := x[n.to.id] - n.dist; i == 0 || room < least {
				least = room
			}
		}
		if len(after[c.id]) > 0 {
			x[c.id] = max(x[c.id], least)
		}
	}
	out := make([]int, l.cells)
	for id, r := range root {
		out[id] = x[r.id]
		if fromRight {
			out[id] = -out[id]
		}
	}
	return out
}

const straightPasses = 4

// straighten moves labels, passing lines and boxes under or over the next places of
// their lines, as far as their neighbours leave room.
func (l *layout) straighten() {
	for pass := range straightPasses {
		for i := range l.layers {
			layer := l.layers[i]
			if pass%2 == 1 {
				layer = l.layers[len(l.layers)-1-i]
			}
			for _, c := range layer {
				l.pull(c)
			}
		}
	}
}

// room is between which x a cell may move without coming too near its neighbours.
func (l *layout) room(c *cell) (lo, hi int) {
	const far = 1 << 30
	layer := l.layers[c.layer]
	lo, hi = -far, far
	if c.pos > 0 {
		lo = layer[c.pos-1].x + distance(layer[c.pos-1], c)
	}
	if c.pos < len(layer)-1 {
		hi = layer[c.pos+1].x - distance(c, layer[c.pos+1])
	}
	return lo, hi
}

// pull moves one cell where its lines have fewer bends or, at as many, are shorter; a
// box only where they are fewer and no longer.
func (l *layout) pull(c *cell) {
	lo, hi := l.room(c)
	if lo > hi {
		return
	}
	ends := append(slices.Clone(c.up), c.down...)
	reach := c.reach()
	off := func(e *cell, x int) int { return max(0, abs(e.x-x)-e.reach()-reach) }
	cost := func(x int) (bends, way int) {
		for _, e := range ends {
			if d := off(e, x); d > 0 {
				bends++
				way += d
			}
		}
		return bends, way
	}
	best := c.x
	fewest, shortest := cost(best)
	for _, e := range ends {
		for _, x := range [2]int{e.x - e.reach() - reach, e.x + e.reach() + reach} {
			x = min(max(x, lo), hi)
			bends, way := cost(x)
			if bends > fewest || way > shortest && (bends == fewest || c.node != nil) || c.node != nil && bends == fewest {
				continue
			}
			if bends < fewest || way < shortest || abs(x-c.x) < abs(best-c.x) {
				best, fewest, shortest = x, bends, way
			}
		}
	}
	c.x = best
}

// reach is how far from its middle a line may join a cell.
func (c *cell) reach() int {
	if c.node != nil {
		return max(0, c.w/2-portEdge)
	}
	return 0
}

// nearest is the x within a cell's reach that is nearest to x.
func nearest(c *cell, x int) int { return min(max(x, c.x-c.reach()), c.x+c.reach()) }

func abs(n int) int {
	if n < 0 {
		return -n
	}
	return n
}

// moveIn moves everything to the margins.
func (l *layout) moveIn() {
	lo, first := 0, true
	for _, layer := range l.layers {
		for _, c := range layer {
			if first || c.x-c.w/2 < lo {
				lo, first = c.x-c.w/2, false
			}
		}
	}
	for _, layer := range l.layers {
		for _, c := range layer {
			c.x += marginX - lo
		}
	}
}
