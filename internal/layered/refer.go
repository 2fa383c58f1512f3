package layered

import (
	"cmp"
	"slices"
)

// Which ways are written as references instead of drawn as lines.
const (
	hubFrom   = 5   // a node that so many others lead to is a hub
	hubLines  = 3   // lines that a hub gets; other ways to it are references
	hubSpan   = 2   // ranks that a further line to a hub may span
	longSpan  = 6   // a line over more ranks becomes a reference, if another leads there too
	farSpan   = 8   // the same for the line by which a node is come to first
	backSpan  = 4   // the same for one that leads back up
	backLines = 120 // lines that lead back up; further ones are references
	fewNodes  = 12
	fewFactor = 2 // with fewNodes or less, as many times more is drawn
)

// refer decides which links are drawn and which are references. Each node keeps the
// line by which it is come to first, so that nothing hangs loose.
func (g *Graph) refer() {
	factor := 1
	if len(g.nodes) <= fewNodes {
		factor = fewFactor
	}
	first := g.firstLinks()
	hubs := map[*Node]bool{}
	for _, n := range g.nodes {
		ways := 0
		for _, l := range n.in {
			if !l.From.pill {
				ways++
			}
		}
		if ways >= hubFrom*factor {
			hubs[n] = true
		}
	}
	for _, l := range g.links {
		l.Far = hubs[l.To] && first[l.To] != l && !l.From.pill
	}
	g.rank()
	for _, n := range g.nodes {
		if hubs[n] {
			g.drawNear(n)
		}
	}
	for _, l := range g.links {
		span := l.To.Rank - l.From.Rank
		if l.Far || l.From.pill {
			continue
		}
		if first[l.To] == l {
			l.Far = span > farSpan*factor && hasNearer(l, longSpan)
		} else {
			l.Far = span > longSpan*factor || -span > backSpan*factor
		}
	}
}

// referBack makes references of the longest lines that lead back, where there are so
// many that nobody could follow them, nor a lane be found for each in good time.
func (g *Graph) referBack() {
	var back []*Link
	for _, l := range g.links {
		if l.Back && !l.Far {
			back = append(back, l)
		}
	}
	if len(back) <= backLines {
		return
	}
	slices.SortStableFunc(back, func(a, b *Link) int { return (a.From.Rank - a.To.Rank) - (b.From.Rank - b.To.Rank) })
	for _, l := range back[backLines:] {
		l.Far = true
	}
}

// hasNearer reports whether another line leads down to the same node from nearby.
func hasNearer(l *Link, span int) bool {
	for _, o := range l.To.in {
		if s := o.To.Rank - o.From.Rank; o != l && o.down() && s > 0 && s <= span {
			return true
		}
	}
	return false
}

// drawNear turns the shortest references to a hub into lines again.
func (g *Graph) drawNear(n *Node) {
	var near []*Link
	lines := 0
	for _, l := range n.in {
		if l.From.pill {
			continue
		}
		if span := n.Rank - l.From.Rank; !l.Far {
			lines++
		} else if span >= 1 && span <= hubSpan {
			near = append(near, l)
		}
	}
	slices.SortStableFunc(near, func(a, b *Link) int { return cmp.Compare(b.From.Rank, a.From.Rank) })
	for _, l := range near {
		if lines < hubLines {
			l.Far = false
			lines++
		}
	}
}

// firstLinks are the links by which a search in breadth, from the start on, comes to
// each node.
func (g *Graph) firstLinks() map[*Node]*Link {
	first := map[*Node]*Link{}
	seen := map[*Node]bool{}
	search := func(queue []*Node) {
		for len(queue) > 0 {
			n := queue[0]
			queue = queue[1:]
			for _, l := range n.out {
				if !seen[l.To] {
					seen[l.To], first[l.To] = true, l
					queue = append(queue, l.To)
				}
			}
		}
	}
	for _, root := range g.roots() {
		if !seen[root] {
			seen[root] = true
			search([]*Node{root})
		}
	}
	return first
}

// roots are where reading begins: the start, the other ways in, then nodes that
// nothing leads to, then whatever is left.
func (g *Graph) roots() []*Node {
	var out, rest []*Node
	for _, n := range g.pills {
		out = append(out, n.out[0].To)
	}
	for _, n := range g.nodes {
		if len(n.in) == 0 {
			out = append(out, n)
		} else {
			rest = append(rest, n)
		}
	}
	return append(out, rest...)
}
