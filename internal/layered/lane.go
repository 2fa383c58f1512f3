package layered

import (
	"cmp"
	"slices"
)

// What a lane avoids, in px of detour that it would rather take.
const (
	crossCost = 200 // crossing a line
	bendCost  = 12  // a step sideways
	laneReach = 900 // no lane goes further to the side of its two boxes than that
)

// lanes lays the lines that lead back into a finished arrangement: each from below the
// box it leaves up beside the boxes between to above the box it comes to, through the
// gaps where it crosses least and stays near. It says whether there are any.
func (l *layout) lanes() bool {
	var back []*Link
	for _, k := range l.g.links {
		if k.Back && !k.Far {
			back = append(back, k)
		}
	}
	span := func(k *Link) int { return k.From.cell.layer - k.To.cell.layer }
	slices.SortStableFunc(back, func(a, b *Link) int { return cmp.Compare(span(a), span(b)) })
	for _, k := range back {
		gaps, at := l.gaps(k)
		l.lay(k, gaps, at)
	}
	return len(back) > 0
}

// lay puts the cells of a line into the gaps found for it, from its lower end up.
func (l *layout) lay(k *Link, gaps, at []int) {
	var below *cell
	for i, gap := range gaps {
		layer := k.From.cell.layer - i
		c := k.pass(layer, i == 1)
		c.x = at[i]
		l.layers[layer] = slices.Insert(l.layers[layer], gap, c)
		number(l.layers[layer])
		if below != nil {
			join(c, below)
		}
		below = c
	}
	for i := range gaps {
		for _, c := range l.layers[k.From.cell.layer-i] {
			byPos(c.up)
			byPos(c.down)
		}
	}
}

// within is the x nearest to x that lies in a gap of a layer: gap n is before the n-th cell.
func (l *layout) within(layer, gap, x int) int {
	const far = 1 << 30
	cells := l.layers[layer]
	lo, hi := -far, far
	if gap > 0 {
		lo = cells[gap-1].x + cells[gap-1].w/2 + gapLine
	}
	if gap < len(cells) {
		hi = cells[gap].x - cells[gap].w/2 - gapLine
	}
	if lo > hi {
		return (lo + hi) / 2
	}
	return min(max(x, lo), hi)
}

// window is the gaps of a layer that a lane between two boxes may pass.
func (l *layout) window(layer int, k *Link) (lo, hi int) {
	left := min(k.From.cell.x, k.To.cell.x) - laneReach
	right := max(k.From.cell.x, k.To.cell.x) + laneReach
	cells := l.layers[layer]
	for lo < len(cells) && cells[lo].x < left {
		lo++
	}
	hi = lo
	for hi < len(cells) && cells[hi].x <= right {
		hi++
	}
	return lo, hi
}

// best is the cheapest way to one gap: its cost, the gap below, and x in this one.
type best struct{ cost, below, x int }

// gaps finds the cheapest way up, one gap for each layer from that of the box left to
// that of the box come to, and the x in each.
func (l *layout) gaps(k *Link) (gaps, xs []int) {
	bottom, top := k.From.cell.layer, k.To.cell.layer
	var all [][]best
	var first []int // gap of each row's beginning
	for layer := bottom; layer >= top; layer-- {
		lo, hi := l.window(layer, k)
		row := make([]best, hi-lo+1)
		for i := range row {
			gap := lo + i
			if layer == bottom {
				row[i].x = l.within(layer, gap, k.From.cell.x)
				row[i].cost = l.turnCost(k.From.cell, gap, row[i].x, func(c *cell) []*cell { return c.down })
				continue
			}
			below := all[len(all)-1]
			row[i] = l.cheapest(layer, gap, first[len(first)-1], below)
			if layer == top {
				row[i].cost += l.turnCost(k.To.cell, gap, row[i].x, func(c *cell) []*cell { return c.up })
			}
		}
		all, first = append(all, row), append(first, lo)
	}
	last := all[len(all)-1]
	at := 0
	for i, b := range last {
		if b.cost < last[at].cost {
			at = i
		}
	}
	gaps, xs = make([]int, len(all)), make([]int, len(all))
	for i := len(all) - 1; i >= 0; i-- {
		gaps[i], xs[i] = first[i]+at, all[i][at].x
		at = all[i][at].below
	}
	return gaps, xs
}

// cheapest finds from which gap of the layer below, of those from first on, a gap is
// best come to.
func (l *layout) cheapest(layer, gap, first int, below []best) best {
	crossed := 0 // lines between the layers that run from one side of the lane to the other
	for _, c := range l.layers[layer] {
		for _, d := range c.down {
			if (c.pos < gap) != (d.pos < first) {
				crossed++
			}
		}
	}
	var out best
	for i, b := range below {
		x := l.within(layer, gap, b.x)
		cost := b.cost + abs(x-b.x) + crossCost*crossed
		if x != b.x {
			cost += bendCost
		}
		if i == 0 || cost < out.cost {
			out = best{cost, i, x}
		}
		if under := first + i; under < len(l.layers[layer+1]) {
			for _, u := range l.layers[layer+1][under].up {
				if u.pos < gap {
					crossed--
				} else {
					crossed++
				}
			}
		}
	}
	return out
}

// turnCost is what the level part of a line costs between a box and x in a gap of its
// layer: its length and the lines of other boxes, and of its own, that it crosses.
func (l *layout) turnCost(box *cell, gap, x int, ends func(*cell) []*cell) int {
	cost := abs(x - box.x)
	from, to := box.pos+1, gap
	if gap <= box.pos {
		from, to = gap, box.pos
	}
	for _, c := range l.layers[box.layer][from:to] {
		cost += crossCost * len(ends(c))
	}
	for _, e := range ends(box) {
		if (e.x > box.x) == (gap > box.pos) && e.x != box.x {
			cost += crossCost
		}
	}
	return cost
}
