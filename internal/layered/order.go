package layered

import (
	"cmp"
	"slices"
)

const (
	maxSweeps  = 24      // over all layers, to lessen crossings
	patience   = 6       // sweeps without gain before giving up
	maxWork    = 400_000 // cells visited in sweeps: bounds the time for very large flows
	maxSwaps   = 10      // passes of swapping neighbours in one sweep
	fewestRuns = 2
)

// arrange orders each layer so that few lines cross: sweeps down and up that put each
// cell at the median of its neighbours, then swap neighbours while that helps. The
// best arrangement is kept; the first one, in file order, wins where it is no worse.
func (l *layout) arrange() {
	best, cells := l.keep(), 0
	for _, layer := range l.layers {
		cells += len(layer)
	}
	sweeps := min(maxSweeps, max(fewestRuns, maxWork/max(cells, 1)/4))
	least := l.crossings()
	for i, idle := 0, 0; i < sweeps && idle < patience && least > 0; i++ {
		l.sweep(i%2 == 0)
		l.swap()
		if n := l.crossings(); n < least {
			least, best, idle = n, l.keep(), 0
		} else {
			idle++
		}
	}
	l.layers = best
	for _, layer := range l.layers {
		number(layer)
	}
	l.sortNeighbours()
}

func (l *layout) keep() [][]*cell {
	out := make([][]*cell, len(l.layers))
	for i, layer := range l.layers {
		out[i] = slices.Clone(layer)
	}
	return out
}

func number(layer []*cell) {
	for i, c := range layer {
		c.pos = i
	}
}

func (l *layout) sortNeighbours() {
	for _, layer := range l.layers {
		for _, c := range layer {
			byPos(c.up)
			byPos(c.down)
		}
	}
}

// sweep sorts layer after layer by the medians in the one before; a cell without
// neighbours there stays where it is.
func (l *layout) sweep(down bool) {
	l.sortNeighbours()
	for i := range l.layers {
		layer := l.layers[i]
		if !down {
			layer = l.layers[len(l.layers)-1-i]
		}
		type weighed struct {
			c *cell
			m float64
		}
		var free []weighed
		for _, c := range layer {
			near := c.up
			if !down {
				near = c.down
			}
			if len(near) > 0 {
				free = append(free, weighed{c, median(near)})
			}
		}
		slices.SortStableFunc(free, func(a, b weighed) int { return cmp.Compare(a.m, b.m) })
		next := 0
		for at, c := range layer {
			near := c.up
			if !down {
				near = c.down
			}
			if len(near) > 0 {
				layer[at] = free[next].c
				next++
			}
		}
		number(layer)
		for _, c := range layer {
			for _, n := range c.down {
				byPos(n.up)
			}
			for _, n := range c.up {
				byPos(n.down)
			}
		}
	}
}

// median is the middle of the neighbours' positions; of an even number, between the
// two in the middle, nearer to where they lie closer together.
func median(near []*cell) float64 {
	n := len(near)
	m := n / 2
	switch {
	case n%2 == 1:
		return float64(near[m].pos)
	case n == 2:
		return float64(near[0].pos+near[1].pos) / 2
	}
	left, right := float64(near[m-1].pos-near[0].pos), float64(near[n-1].pos-near[m].pos)
	if left+right == 0 {
		return float64(near[m-1].pos+near[m].pos) / 2
	}
	return (float64(near[m-1].pos)*right + float64(near[m].pos)*left) / (left + right)
}

// swap exchanges neighbours in a layer while that removes crossings.
func (l *layout) swap() {
	for range maxSwaps {
		better := false
		for _, layer := range l.layers {
			for i := range len(layer) - 1 {
				a, b := layer[i], layer[i+1]
				now := inversions(a.up, b.up) + inversions(a.down, b.down)
				if now > 0 && inversions(b.up, a.up)+inversions(b.down, a.down) < now {
					layer[i], layer[i+1] = b, a
					a.pos, b.pos = i+1, i
					better = true
					for _, c := range [2]*cell{a, b} {
						for _, n := range c.up {
							byPos(n.down)
						}
						for _, n := range c.down {
							byPos(n.up)
						}
					}
				}
			}
		}
		if !better {
			return
		}
	}
}

// inversions counts the pairs where a neighbour of the left cell lies to the right of
// one of the right cell.
func inversions(left, right []*cell) int {
	sum, j := 0, 0
	for _, a := range left {
		for j < len(right) && right[j].pos < a.pos {
			j++
		}
		sum += j
	}
	return sum
}

// crossings counts the crossings of lines between all layers.
func (l *layout) crossings() int {
	l.sortNeighbours()
	sum := 0
	for i := range len(l.layers) - 1 {
		tree := make([]int, len(l.layers[i+1])+1)
		seen := 0
		for _, c := range l.layers[i] {
			for _, n := range c.down { // those before that end at or left of n
				upto := 0
				for k := n.pos + 1; k > 0; k -= k & -k {
					upto += tree[k]
				}
				sum += seen - upto
			}
			for _, n := range c.down {
				for k := n.pos + 1; k < len(tree); k += k & -k {
					tree[k]++
				}
				seen++
			}
		}
	}
	return sum
}
