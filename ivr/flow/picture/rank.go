package picture

import "slices"

// rank gives each step its row, 0 on top, such that every line but those that close a
// cycle leads down, and lines are short. Pills stand between rows, above their step.
func (g *graph) rank() {
	g.breakCycles()
	order := g.downward()
	for _, n := range order {
		n.rank = 0
		for _, l := range n.in {
			if l.down() {
				n.rank = max(n.rank, l.from.rank+1)
			}
		}
	}
	start := g.byName[g.flow.Start]
	for range 8 {
		moved := false
		for _, n := range slices.Backward(order) {
			moved = n != start && n.settle(true) || moved
		}
		for _, n := range order {
			moved = n.settle(false) || moved
		}
		if !moved {
			break
		}
	}
	least := 0
	for i, n := range order {
		if i == 0 || n.rank < least {
			least = n.rank
		}
	}
	for _, n := range order {
		n.rank -= least
	}
}

// down reports whether a link is a line that leads down from step to step.
func (l *link) down() bool { return !l.tag && !l.back && l.from.pill == "" }

// breakCycles marks the links that lead back to a step on the way from the start.
func (g *graph) breakCycles() {
	for _, l := range g.links {
		l.back = false
	}
	const (
		fresh = iota
		open
		done
	)
	state := make([]int, len(g.nodes))
	var visit func(*node)
	visit = func(n *node) {
		state[n.order] = open
		for _, l := range n.out {
			switch {
			case l.tag:
			case state[l.to.order] == open:
				l.back = true
			case state[l.to.order] == fresh:
				visit(l.to)
			}
		}
		state[n.order] = done
	}
	for _, n := range g.roots() {
		if state[n.order] == fresh {
			visit(n)
		}
	}
}

// downward lists the steps such that each comes after those above it, else in file order.
func (g *graph) downward() []*node {
	var out []*node
	seen := make([]bool, len(g.nodes))
	var visit func(*node)
	visit = func(n *node) {
		seen[n.order] = true
		for _, l := range n.in {
			if l.down() && !seen[l.from.order] {
				visit(l.from)
			}
		}
		out = append(out, n)
	}
	for _, n := range g.nodes[:g.steps] {
		if !seen[n.order] {
			visit(n)
		}
	}
	return out
}

// settle moves a step as far down, or up, as its lines become shorter in sum.
func (n *node) settle(down bool) bool {
	const far = 1 << 30
	top, bottom, in, out := 0, far, 0, 0
	for _, l := range n.in {
		if l.down() {
			top = max(top, l.from.rank+1)
			in++
		}
	}
	for _, l := range n.out {
		if l.down() {
			bottom = min(bottom, l.to.rank-1)
			out++
		}
	}
	to := n.rank
	if down && out > in && bottom < far {
		to = bottom
	} else if !down && in > out {
		to = top
	}
	if to == n.rank {
		return false
	}
	n.rank = to
	return true
}
