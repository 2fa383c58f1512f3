package picture

import (
	"cmp"
	"slices"
)

// Which ways are written as references instead of drawn as lines.
const (
	hubFrom   = 5 // a step that so many others lead to is a hub
	hubLines  = 3 // lines that a hub gets; other ways to it are references
	hubSpan   = 2 // ranks that a further line to a hub may span
	longSpan  = 6 // a line over more ranks becomes a reference, if another leads there too
	farSpan   = 8 // the same for the line by which a step is come to first
	backSpan  = 4 // the same for one that leads back up
	fewSteps  = 12
	fewFactor = 2 // with fewSteps or less, as many times more is drawn
)

// refer decides which links are drawn and which are references. Each step keeps the
// line by which it is come to first, so that nothing hangs loose.
func (g *graph) refer() {
	factor := 1
	if g.steps <= fewSteps {
		factor = fewFactor
	}
	first := g.firstLinks()
	hubs := map[*node]bool{}
	for _, n := range g.nodes[:g.steps] {
		ways := 0
		for _, l := range n.in {
			if l.from.pill == "" {
				ways++
			}
		}
		if ways >= hubFrom*factor {
			hubs[n] = true
		}
	}
	for _, l := range g.links {
		l.tag = hubs[l.to] && first[l.to] != l && l.from.pill == ""
	}
	g.rank()
	for _, n := range g.nodes[:g.steps] {
		if hubs[n] {
			g.drawNear(n)
		}
	}
	for _, l := range g.links {
		span := l.to.rank - l.from.rank
		if l.tag || l.from.pill != "" {
			continue
		}
		if first[l.to] == l {
			l.tag = span > farSpan*factor && hasNearer(l, longSpan)
		} else {
			l.tag = span > longSpan*factor || -span > backSpan*factor
		}
	}
}

// hasNearer reports whether another line leads down to the same step from nearby.
func hasNearer(l *link, span int) bool {
	for _, o := range l.to.in {
		if s := o.to.rank - o.from.rank; o != l && o.down() && s > 0 && s <= span {
			return true
		}
	}
	return false
}

// drawNear turns the shortest references to a hub into lines again.
func (g *graph) drawNear(n *node) {
	var near []*link
	lines := 0
	for _, l := range n.in {
		if l.from.pill != "" {
			continue
		}
		if span := n.rank - l.from.rank; !l.tag {
			lines++
		} else if span >= 1 && span <= hubSpan {
			near = append(near, l)
		}
	}
	slices.SortStableFunc(near, func(a, b *link) int { return cmp.Compare(b.from.rank, a.from.rank) })
	for _, l := range near {
		if lines < hubLines {
			l.tag = false
			lines++
		}
	}
}

// firstLinks are the links by which a search in breadth, from the start on, comes to
// each step.
func (g *graph) firstLinks() map[*node]*link {
	first := map[*node]*link{}
	seen := map[*node]bool{}
	search := func(queue []*node) {
		for len(queue) > 0 {
			n := queue[0]
			queue = queue[1:]
			for _, l := range n.out {
				if !seen[l.to] {
					seen[l.to], first[l.to] = true, l
					queue = append(queue, l.to)
				}
			}
		}
	}
	for _, root := range g.roots() {
		if !seen[root] {
			seen[root] = true
			search([]*node{root})
		}
	}
	return first
}

// roots are where reading begins: the start, the other ways in, then steps that
// nothing leads to, then whatever is left.
func (g *graph) roots() []*node {
	var out, rest []*node
	for _, n := range g.nodes[g.steps:] {
		out = append(out, n.out[0].to)
	}
	for _, n := range g.nodes[:g.steps] {
		if len(n.in) == 0 {
			out = append(out, n)
		} else {
			rest = append(rest, n)
		}
	}
	return append(out, rest...)
}
