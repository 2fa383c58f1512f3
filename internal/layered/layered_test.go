package layered

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// randomGraph has ways forward, back, and many to one node, sizes and labels of all
// kinds, and pills.
func randomGraph(seed uint64, most int) *Graph {
	r := rand.New(rand.NewPCG(seed, 11))
	g := &Graph{}
	n := 1 + r.IntN(most)
	var nodes []*Node
	for range n {
		nodes = append(nodes, g.Node())
	}
	hub := r.IntN(n)
	for i, from := range nodes {
		for range r.IntN(6) {
			to := nodes[min(n-1, i+1+r.IntN(5))]
			switch r.IntN(6) {
			case 0:
				to = nodes[hub]
			case 1:
				to = nodes[r.IntN(n)]
			}
			if to != from && !slices.ContainsFunc(from.out, func(l *Link) bool { return l.To == to }) {
				g.Link(from, to)
			}
		}
	}
	for range 1 + r.IntN(4) {
		g.Pill(nodes[r.IntN(n)])
	}
	g.Choose(nodes[0])
	for _, node := range slices.Concat(g.nodes, g.pills) {
		node.W, node.H = 60+2*r.IntN(90), 20+r.IntN(120)
	}
	for _, l := range g.links {
		if r.IntN(3) > 0 {
			l.LabelW, l.LabelH = 10+r.IntN(140), 18+14*r.IntN(2)
		}
	}
	return g
}

type area struct {
	name                     string
	left, top, right, bottom int
}

func (g *Graph) areaOf(n *Node) area {
	return area{g.name(n), n.X, n.Y, n.X + n.W, n.Y + n.H}
}

func (g *Graph) name(n *Node) string {
	if i := slices.Index(g.pills, n); i >= 0 {
		return fmt.Sprintf("pill %d", i)
	}
	return fmt.Sprintf("node %d", n.order)
}

func (a area) meets(o area) bool {
	return a.left < o.right && o.left < a.right && a.top < o.bottom && o.top < a.bottom
}

// check holds what must be true of every layout.
func check(t testing.TB, g *Graph) {
	t.Helper()
	var areas []area
	for _, n := range slices.Concat(g.nodes, g.pills) {
		areas = append(areas, g.areaOf(n))
	}
	for _, k := range g.links {
		name := g.name(k.From) + " > " + g.name(k.To)
		if k.Far {
			if len(k.Points) > 0 {
				t.Errorf("%s is far, and has a line", name)
			}
			continue
		}
		if d := k.To.Rank - k.From.Rank; !k.From.pill && (!k.Back && d < 1 || k.Back && d >= 0) {
			t.Errorf("%s spans %d ranks, back %v", name, d, k.Back)
		}
		if k.LabelW > 0 && !k.From.pill {
			areas = append(areas, area{"label of " + name, k.Label.X, k.Label.Y, k.Label.X + k.LabelW, k.Label.Y + k.LabelH})
		}
	}
	for i, a := range areas {
		if a.left < 0 || a.top < 0 || a.right > g.W || a.bottom > g.H {
			t.Errorf("%s is outside of the picture: %v in %d × %d", a.name, a, g.W, g.H)
		}
		for _, b := range areas[i+1:] {
			if a.meets(b) {
				t.Errorf("%v lies on %v", a, b)
			}
		}
	}
	levels := map[int][]area{} // by y
	for _, k := range g.links {
		if k.Far {
			continue
		}
		name := g.name(k.From) + " > " + g.name(k.To)
		checkLine(t, g, k, name, areas)
		for i := range len(k.Points) - 1 {
			a, b := k.Points[i], k.Points[i+1]
			if a.Y != b.Y {
				continue
			}
			way := area{name, min(a.X, b.X), a.Y, max(a.X, b.X), a.Y}
			for _, o := range levels[a.Y] {
				if o.name != name && way.left < o.right && o.left < way.right {
					t.Errorf("%v lies on %v", way, o)
				}
			}
			levels[a.Y] = append(levels[a.Y], way)
		}
	}
}

// checkLine holds that a line is level or upright everywhere, begins and ends at its
// nodes, comes from above, and runs through no other box or label.
func checkLine(t testing.TB, g *Graph, k *Link, name string, areas []area) {
	t.Helper()
	from, to := g.areaOf(k.From), g.areaOf(k.To)
	first, last := k.Points[0], k.Points[len(k.Points)-1]
	if first.Y != from.bottom || first.X < from.left || first.X > from.right || last.Y != to.top || last.X < to.left || last.X > to.right {
		t.Errorf("%s goes from %v to %v, its boxes are %v and %v", name, first, last, from, to)
	}
	for i := range len(k.Points) - 1 {
		a, b := k.Points[i], k.Points[i+1]
		if a.X != b.X && a.Y != b.Y {
			t.Errorf("%s is aslant from %v to %v", name, a, b)
		}
		if i == len(k.Points)-2 && b.Y <= a.Y {
			t.Errorf("%s does not come from above", name)
		}
		for _, o := range areas {
			if o.name != "label of "+name && min(a.X, b.X) < o.right && o.left <= max(a.X, b.X) && min(a.Y, b.Y) < o.bottom && o.top < max(a.Y, b.Y) {
				t.Errorf("%s runs through %v from %v to %v", name, o, a, b)
			}
		}
	}
}

func TestRandomGraphs(t *testing.T) {
	seeds := 300
	if testing.Short() {
		seeds = 60
	}
	for seed := range seeds {
		most := 60
		if seed%50 == 0 {
			most = 400
		}
		g, again := randomGraph(uint64(seed), most), randomGraph(uint64(seed), most)
		g.Lay()
		again.Lay()
		check(t, g)
		for i, l := range g.links {
			if !slices.Equal(l.Points, again.links[i].Points) {
				t.Errorf("one graph has two layouts")
			}
		}
		if t.Failed() {
			t.Fatalf("with seed %d", seed)
		}
	}
}

// chain is nodes one below another.
func chain(n int) *Graph {
	g := &Graph{}
	for i := range n {
		node := g.Node()
		node.W, node.H = 100, 40
		if i > 0 {
			g.Link(g.nodes[i-1], node)
		}
	}
	return g
}

func TestChain(t *testing.T) {
	g := chain(8)
	g.Choose(g.nodes[0])
	g.Lay()
	for i, n := range g.nodes {
		if n.Rank != i || n.X != g.nodes[0].X {
			t.Errorf("node %d has rank %d and x %d", i, n.Rank, n.X)
		}
	}
	for _, l := range g.links {
		if len(l.Points) != 2 {
			t.Errorf("a line of the chain has bends: %v", l.Points)
		}
	}
}

func TestCycle(t *testing.T) {
	g := chain(4)
	back := g.Link(g.nodes[3], g.nodes[0])
	g.Choose(g.nodes[0])
	g.Lay()
	check(t, g)
	if !back.Back || back.Far || g.nodes[3].Rank != 3 {
		t.Errorf("the way back: %+v", back)
	}
}

// A graph without nodes, and one that is a cycle with no start, have a layout.
func TestNoStart(t *testing.T) {
	g := &Graph{}
	g.Choose(nil)
	g.Lay()
	if g.W <= 0 || g.H <= 0 {
		t.Errorf("nothing is %d × %d", g.W, g.H)
	}
	g = chain(2)
	g.Link(g.nodes[1], g.nodes[0])
	g.Choose(nil)
	g.Lay()
	check(t, g)
}

// Ten ways to one node: the first and the nearest are lines, the rest is far.
func TestHub(t *testing.T) {
	g := chain(20)
	hub := g.Node()
	hub.W, hub.H = 100, 40
	for _, n := range g.nodes[:20] {
		if n.order%2 == 0 {
			g.Link(n, hub)
		}
	}
	g.Choose(g.nodes[0])
	g.Lay()
	check(t, g)
	lines := 0
	for _, l := range hub.in {
		if !l.Far {
			lines++
		}
	}
	if lines == 0 || lines > hubLines || hub.in[0].Far {
		t.Errorf("%d lines, the first far %v", lines, hub.in[0].Far)
	}
}

// A tree has no crossings, whatever the order of its leaves.
func TestTree(t *testing.T) {
	g := &Graph{}
	root := g.Node()
	for range 3 {
		g.Link(root, g.Node())
	}
	for _, i := range []int{3, 1, 2, 1, 3, 2} {
		g.Link(g.nodes[i], g.Node())
	}
	g.Choose(root)
	for _, n := range g.nodes {
		n.W, n.H = 80, 30
	}
	l := newLayout(g)
	l.arrange()
	if n := l.crossings(); n != 0 {
		t.Errorf("a tree has %d crossings", n)
	}
}

// FuzzLay makes a graph of any bytes.
func FuzzLay(f *testing.F) {
	f.Add([]byte{9, 1, 2, 2, 3, 3, 1, 1, 4, 4, 5, 5, 4})
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) == 0 || len(in) > 160 {
			return
		}
		g := &Graph{}
		for range int(in[0])%24 + 1 {
			g.Node()
		}
		g.Pill(g.nodes[0])
		for i := 1; i+1 < len(in); i += 2 {
			from, to := g.nodes[int(in[i])%len(g.nodes)], g.nodes[int(in[i+1])%len(g.nodes)]
			if from != to && !slices.ContainsFunc(from.out, func(l *Link) bool { return l.To == to }) {
				g.Link(from, to).LabelW = int(in[i]/2) * 2
			}
		}
		g.Choose(g.nodes[0])
		for i, n := range slices.Concat(g.nodes, g.pills) {
			n.W, n.H = 40+2*int(in[i%len(in)]), 20+int(in[i%len(in)])
		}
		for _, l := range g.links {
			l.LabelH = min(l.LabelW, 20)
		}
		g.Lay()
		check(t, g)
	})
}

// Of very many lines that lead back, the shortest are drawn and the others written: a
// lane for each would take minutes, and nobody could follow them.
func TestManyLoops(t *testing.T) {
	g := &Graph{}
	var nodes []*Node
	for range 10 * backLines {
		nodes = append(nodes, g.Node())
	}
	for i, n := range nodes {
		if i+1 < len(nodes) {
			g.Link(n, nodes[i+1])
		}
		if back := i - 1 - i%3; back >= 0 {
			g.Link(n, nodes[back])
		}
	}
	g.Choose(nodes[0])
	drawn, longest, shortestFar := 0, 0, len(nodes)
	for _, l := range g.links {
		switch span := l.From.Rank - l.To.Rank; {
		case span < 0:
			if l.Far {
				t.Fatalf("a line of the chain is written")
			}
		case l.Far:
			shortestFar = min(shortestFar, span)
		default:
			drawn, longest = drawn+1, max(longest, span)
		}
	}
	if drawn != backLines || longest > shortestFar {
		t.Errorf("%d lines lead back, the longest over %d ranks; one over %d is written", drawn, longest, shortestFar)
	}
}
