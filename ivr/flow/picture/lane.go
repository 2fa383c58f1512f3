package picture

import (
	"cmp"
	"slices"
)

// What a lane avoids, in px of detour that it would rather take.
const (
	crossCost = 90 // crossing a line
	bendCost  = 12 // a step sideways
)

// lanes lays the lines that lead back into a finished arrangement: each from below the
// card it leaves up beside the cards between to above the card it comes to, through the
// gaps where it crosses least and stays near. It says whether there are any.
func (l *layout) lanes() bool {
	var back []*link
	for _, k := range l.g.links {
		if k.back && !k.tag {
			back = append(back, k)
		}
	}
	span := func(k *link) int { return k.from.cell.layer - k.to.cell.layer }
	slices.SortStableFunc(back, func(a, b *link) int { return cmp.Compare(span(a), span(b)) })
	for _, k := range back {
		l.lay(k, l.gaps(k))
	}
	return len(back) > 0
}

// lay puts the cells of a line into the gaps found for it, from its lower end up.
func (l *layout) lay(k *link, gaps []int) {
	var below *cell
	for i, gap := range gaps {
		layer := k.from.cell.layer - i
		c := k.pass(layer, i == 1)
		c.x = l.gapAt(layer, gap)
		l.layers[layer] = slices.Insert(l.layers[layer], gap, c)
		number(l.layers[layer])
		if below != nil {
			join(c, below)
		}
		below = c
	}
	for i := range gaps {
		for _, c := range l.layers[k.from.cell.layer-i] {
			byPos(c.up)
			byPos(c.down)
		}
	}
}

// gapAt is the x of a gap in a layer: gap n lies before the n-th cell.
func (l *layout) gapAt(layer, gap int) int {
	cells := l.layers[layer]
	switch {
	case len(cells) == 0:
		return 0
	case gap == 0:
		return cells[0].x - cells[0].w/2 - gapLine
	case gap == len(cells):
		return cells[gap-1].x + cells[gap-1].w/2 + gapLine
	}
	a, b := cells[gap-1], cells[gap]
	return (a.x + a.w/2 + b.x - b.w/2) / 2
}

// gaps finds the cheapest way up, one gap for each layer from that of the card left to
// that of the card come to.
func (l *layout) gaps(k *link) []int {
	bottom, top := k.from.cell.layer, k.to.cell.layer
	type best struct {
		cost, below int
	}
	var all [][]best
	for layer := bottom; layer >= top; layer-- {
		row := make([]best, len(l.layers[layer])+1)
		for gap := range row {
			if layer == bottom {
				row[gap].cost = l.turnCost(k.from.cell, gap, func(c *cell) []*cell { return c.down })
				continue
			}
			at := l.gapAt(layer, gap)
			for under, b := range all[len(all)-1] {
				cost := b.cost + abs(at-l.gapAt(layer+1, under)) + crossCost*l.crossed(layer, gap, under)
				if abs(at-l.gapAt(layer+1, under)) > gapLine {
					cost += bendCost
				}
				if under == 0 || cost < row[gap].cost {
					row[gap] = best{cost, under}
				}
			}
			if layer == top {
				row[gap].cost += l.turnCost(k.to.cell, gap, func(c *cell) []*cell { return c.up })
			}
		}
		all = append(all, row)
	}
	at := 0
	for gap, b := range all[len(all)-1] {
		if b.cost < all[len(all)-1][at].cost {
			at = gap
		}
	}
	out := make([]int, len(all))
	for i := len(all) - 1; i >= 0; i-- {
		out[i] = at
		at = all[i][at].below
	}
	return out
}

// turnCost is what the level part of a line costs between a card and a gap of its layer.
func (l *layout) turnCost(card *cell, gap int, ends func(*cell) []*cell) int {
	cost := abs(l.gapAt(card.layer, gap) - card.x)
	from, to := card.pos+1, gap
	if gap <= card.pos {
		from, to = gap, card.pos
	}
	for _, c := range l.layers[card.layer][from:to] {
		cost += crossCost * len(ends(c))
	}
	for _, e := range ends(card) { // of the card's own, those on the way
		if (e.x > card.x) == (gap > card.pos) && e.x != card.x {
			cost += crossCost
		}
	}
	return cost
}

// crossed counts the lines between a layer and the next that one from a gap to a gap
// below would cross.
func (l *layout) crossed(layer, gap, under int) int {
	sum := 0
	for _, c := range l.layers[layer] {
		for _, d := range c.down {
			if (c.pos < gap) != (d.pos < under) {
				sum++
			}
		}
	}
	return sum
}
