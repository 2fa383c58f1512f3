// Package layered lays out directed graphs from the top down, as flow charts are drawn:
// ranks, few crossings, straight lines (Sugiyama, Tagawa and Toda, 1981). It owns the
// places of boxes, lines and labels and runs no goroutine. It draws nothing, and the
// same graph gives the same layout.
//
// A graph is made by Node, Pill and Link; Choose decides which links become lines and
// which are better written beside their source; then the sizes are set, and Lay gives
// every box and line its place.
package layered

// Graph is boxes and the ways between them.
type Graph struct {
	W, H  int // of the picture, by Lay
	nodes []*Node
	pills []*Node
	links []*Link
	start *Node
}

// Node is a box. A pill is a small one that leads to one node and stands above it.
type Node struct {
	W, H int // set before Lay; W is even
	X, Y int // its upper left corner, by Lay
	Rank int // its row, by Choose; 0 is on top

	pill    bool
	order   int
	in, out []*Link
	cell    *cell
}

// Link is a way from one node to another; there is at most one of each kind.
type Link struct {
	From, To       *Node
	LabelW, LabelH int     // of the words on it, set before Lay; 0 = none
	Far            bool    // no line: to be written beside its source, by Choose
	Back           bool    // leads up, by Choose
	Points         []Point // corners of its line, by Lay: level or upright between each two
	Label          Point   // the upper left corner of its label, by Lay

	cells     []*cell // between the two, from the first to the last; of one that leads back from
	outX, inX int     // the turn beside From, upward, to the turn beside To
	wires     []*wire
}

// Point is a place in the picture, in px from its upper left corner.
type Point struct{ X, Y int }

// Node adds a box. The order of adding is that in which a reader comes to them.
func (g *Graph) Node() *Node {
	n := &Node{order: len(g.nodes)}
	g.nodes = append(g.nodes, n)
	return n
}

// Pill adds a pill above a node.
func (g *Graph) Pill(to *Node) (*Node, *Link) {
	n := &Node{pill: true}
	g.pills = append(g.pills, n)
	return n, g.Link(n, to)
}

// Link adds a way between two different nodes.
func (g *Graph) Link(from, to *Node) *Link {
	l := &Link{From: from, To: to}
	from.out, to.in = append(from.out, l), append(to.in, l)
	g.links = append(g.links, l)
	return l
}

// Choose decides which links are lines, and gives the nodes their ranks; start may be
// nil.
func (g *Graph) Choose(start *Node) {
	g.start = start
	g.refer()
	g.rank()
	g.referBack()
}

// Lay gives everything its place.
func (g *Graph) Lay() {
	l := newLayout(g)
	l.arrange()
	l.place()
	if l.lanes() {
		l.place()
	}
	l.route()
	g.W, g.H = l.w, l.h
	for _, layer := range l.layers {
		for _, c := range layer {
			switch {
			case c.node != nil:
				c.node.X, c.node.Y = c.x-c.w/2, l.top(c)
			case c.label:
				c.link.Label = Point{c.x - c.link.LabelW/2, l.top(c)}
			}
		}
	}
}
