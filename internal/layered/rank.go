package layered

import "slices"

// rank gives each node its row, 0 on top, such that every line but those that close a
// cycle leads down, and lines are short. Pills stand between rows, above their node.
func (g *Graph) rank() {
	g.breakCycles()
	order := g.downward()
	for _, n := range order {
		n.Rank = 0
		for _, l := range n.in {
			if l.down() {
				n.Rank = max(n.Rank, l.From.Rank+1)
			}
		}
	}
	for range 8 {
		moved := false
		for _, n := range slices.Backward(order) {
			moved = n != g.start && n.settle(true) || moved
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
		if i == 0 || n.Rank < least {
			least = n.Rank
		}
	}
	for _, n := range order {
		n.Rank -= least
	}
}

// down reports whether a link is a line that leads down from node to node.
func (l *Link) down() bool { return !l.Far && !l.Back && !l.From.pill }

// breakCycles marks the links that lead back to a node on the way from the start.
func (g *Graph) breakCycles() {
	for _, l := range g.links {
		l.Back = false
	}
	const (
		fresh = iota
		open
		done
	)
	state := make([]int, len(g.nodes))
	var visit func(*Node)
	visit = func(n *Node) {
		state[n.order] = open
		for _, l := range n.out {
			switch {
			case l.Far:
			case state[l.To.order] == open:
				l.Back = true
			case state[l.To.order] == fresh:
				visit(l.To)
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

// downward lists the nodes such that each comes after those above it, else in file order.
func (g *Graph) downward() []*Node {
	var out []*Node
	seen := make([]bool, len(g.nodes))
	var visit func(*Node)
	visit = func(n *Node) {
		seen[n.order] = true
		for _, l := range n.in {
			if l.down() && !seen[l.From.order] {
				visit(l.From)
			}
		}
		out = append(out, n)
	}
	for _, n := range g.nodes {
		if !seen[n.order] {
			visit(n)
		}
	}
	return out
}

// settle moves a node as far down, or up, as its lines become shorter in sum.
func (n *Node) settle(down bool) bool {
	const far = 1 << 30
	top, bottom, in, out := 0, far, 0, 0
	for _, l := range n.in {
		if l.down() {
			top = max(top, l.From.Rank+1)
			in++
		}
	}
	for _, l := range n.out {
		if l.down() {
			bottom = min(bottom, l.To.Rank-1)
			out++
		}
	}
	to := n.Rank
	if down && out > in && bottom < far {
		to = bottom
	} else if !down && in > out {
		to = top
	}
	if to == n.Rank {
		return false
	}
	n.Rank = to
	return true
}
