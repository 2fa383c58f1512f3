package layered

import "slices"

// Distances of routing in px.
const (
	portEdge  = 14 // from a box's corner to the first line
	portLeast = 10 // between two lines at a box
	trackGap  = 10 // between two lines that run level
	channelUp = 10 // above the first level line
	channelIn = 16 // below the last, before a box: room for the arrow
	smallStep = 24 // sideways, that a line had better not make
	bendClose = 8  // level lines that come so near each other do not share a track
	sameLine  = 7  // upright lines so near would look like one
)

// wire is one line between two layers: where it begins and ends on their borders.
type wire struct {
	tops, bottoms []int // x at the layer above, and below
	lo, hi        int
	track         int
}

// route gives the layers their y and every line its bends.
func (l *layout) route() {
	l.ports()
	l.tops, l.highs = make([]int, len(l.layers)), make([]int, len(l.layers))
	y := marginY
	wires := l.wires()
	for i, layer := range l.layers {
		for _, c := range layer {
			l.highs[i] = max(l.highs[i], c.h)
		}
		if i > 0 {
			tracks := stack(wires[i-1])
			y += channelUp + max(0, tracks-1)*trackGap
			if i%2 == 1 {
				y += channelIn
			} else if l.highs[i] > 0 {
				y += channelUp
			}
		}
		l.tops[i] = y
		y += l.highs[i]
	}
	l.w, l.h = 2*marginX, y+marginY
	for _, layer := range l.layers {
		for _, c := range layer {
			l.w = max(l.w, c.x+c.w/2+marginX)
		}
	}
	for _, k := range l.g.links {
		if !k.Far {
			l.bend(k)
		}
	}
}

// ports gives each line its place on the lower border of the box it leaves, and on the
// upper border of the box it comes to.
func (l *layout) ports() {
	for _, n := range slices.Concat(l.g.nodes, l.g.pills) {
		outs, ins := lines(n.out), lines(n.in)
		spread(n.cell, outs, func(k *Link) int { return k.second().x }, func(k *Link, x int) { k.outX = x })
		spread(n.cell, ins, func(k *Link) int { return k.secondLast().x }, func(k *Link, x int) { k.inX = x })
	}
	for _, k := range l.g.links {
		if !k.Far {
			l.snap(k, k.out(), 1)
			l.snap(k, k.in(), -1)
		}
	}
}

// port is where a line touches a box.
type port struct {
	box    *cell
	x      *int
	others []*Link
	at     func(*Link) int
}

func (k *Link) out() port {
	return port{k.From.cell, &k.outX, k.From.out, func(o *Link) int { return o.outX }}
}

func (k *Link) in() port {
	return port{k.To.cell, &k.inX, k.To.in, func(o *Link) int { return o.inX }}
}

// move sets the port to x, if the box's border and its other lines leave room.
func (p port) move(k *Link, x int) bool {
	if abs(x-p.box.x) > max(0, p.box.w/2-portLeast) {
		return false
	}
	for _, o := range p.others {
		if o != k && !o.Far && abs(p.at(o)-x) < portLeast {
			return false
		}
	}
	*p.x = x
	return true
}

// snap takes a small step out of a line beside one of its ports: the straight part that
// begins there moves under or over the port, or the port to it.
func (l *layout) snap(k *Link, p port, way int) {
	cells, far := slices.Clone(k.cells), k.in()
	if way < 0 {
		slices.Reverse(cells)
		far = k.out()
	}
	if len(cells) == 0 {
		if way > 0 && !p.move(k, *far.x) {
			far.move(k, *p.x)
		}
		return
	}
	step := *p.x - cells[0].x
	if step == 0 || abs(step) >= smallStep {
		return
	}
	run := 0
	for run < len(cells) && cells[run].x == cells[0].x {
		lo, hi := l.room(cells[run])
		if x := cells[run].x + step; x < lo || x > hi {
			p.move(k, cells[0].x)
			return
		}
		run++
	}
	if run == len(cells) && *far.x == cells[0].x && !far.move(k, *p.x) {
		p.move(k, cells[0].x)
		return
	}
	for _, c := range cells[:run] {
		c.x += step
	}
}

func lines(links []*Link) []*Link {
	return slices.DeleteFunc(slices.Clone(links), func(k *Link) bool { return k.Far })
}

// second is the cell that a line comes to after the box it leaves.
func (k *Link) second() *cell {
	if len(k.cells) > 0 {
		return k.cells[0]
	}
	return k.To.cell
}

// secondLast is the cell before the box that a line comes to.
func (k *Link) secondLast() *cell {
	if len(k.cells) > 0 {
		return k.cells[len(k.cells)-1]
	}
	return k.From.cell
}

// spread sets lines along a border in the order of where they come from, each as near
// to that as the others allow.
func spread(c *cell, links []*Link, want func(*Link) int, set func(*Link, int)) {
	if len(links) == 0 {
		return
	}
	slices.SortStableFunc(links, func(a, b *Link) int { return want(a) - want(b) })
	gap := portLeast * 2
	reach := c.reach()
	if len(links) > 1 {
		gap = min(gap, 2*reach/(len(links)-1))
	}
	xs := make([]int, len(links))
	for i, k := range links {
		xs[i] = nearest(c, want(k))
		if i > 0 {
			xs[i] = max(xs[i], xs[i-1]+gap)
		}
	}
	most := c.x + reach
	for i := len(xs) - 1; i >= 0; i-- {
		xs[i] = min(xs[i], most)
		most = xs[i] - gap
		set(links[i], xs[i])
	}
}

// wires collects what runs between each two layers.
func (l *layout) wires() [][]*wire {
	out := make([][]*wire, len(l.layers))
	add := func(layer int, w *wire) *wire {
		all := append(slices.Clone(w.tops), w.bottoms...)
		w.lo, w.hi = slices.Min(all), slices.Max(all)
		out[layer] = append(out[layer], w)
		return w
	}
	for _, k := range l.g.links {
		if k.Far {
			continue
		}
		if k.Back {
			first, last := k.cells[0], k.cells[len(k.cells)-1]
			k.wires = append(k.wires, add(first.layer, &wire{tops: []int{k.outX, first.x}}))
			for i, c := range k.cells[1:] {
				k.wires = append(k.wires, add(c.layer, &wire{tops: []int{c.x}, bottoms: []int{k.cells[i].x}}))
			}
			k.wires = append(k.wires, add(last.layer-1, &wire{bottoms: []int{last.x, k.inX}}))
			continue
		}
		x, layer := k.outX, k.From.cell.layer
		for _, c := range k.cells {
			k.wires = append(k.wires, add(layer, &wire{tops: []int{x}, bottoms: []int{c.x}}))
			x, layer = c.x, c.layer
		}
		k.wires = append(k.wires, add(layer, &wire{tops: []int{x}, bottoms: []int{k.inX}}))
	}
	return out
}

func (w *wire) straight() bool { return w.lo == w.hi }

// above is how much is crossed, or worse runs over another, if a lies above b.
func above(a, b *wire) int {
	sum := 0
	for _, x := range b.tops {
		if x > a.lo && x < a.hi {
			sum++
		}
		for _, y := range a.bottoms {
			if abs(x-y) < sameLine {
				sum += 100
			}
		}
	}
	for _, x := range a.bottoms {
		if x > b.lo && x < b.hi {
			sum++
		}
	}
	return sum
}

// stack gives the level parts of wires their tracks, 0 on top, such that none lie on
// each other and few cross; it says how many tracks there are. Straight ones need none.
func stack(wires []*wire) int {
	var level []*wire
	for _, w := range wires {
		if !w.straight() {
			level = append(level, w)
		}
	}
	slices.SortStableFunc(level, func(a, b *wire) int { return a.lo - b.lo })
	n := len(level)
	near := make([][]int, n) // those that overlap
	score := make([]int, n)  // what it costs to lie above the others, less what it saves
	prefer := func(i, j int) int { return above(level[i], level[j]) - above(level[j], level[i]) }
	for i, a := range level {
		for j := i + 1; j < n; j++ {
			b := level[j]
			if b.lo > a.hi+bendClose {
				break
			}
			near[i], near[j] = append(near[i], j), append(near[j], i)
			d := prefer(i, j)
			score[i] += max(d, 0)
			score[j] += max(-d, 0)
		}
	}
	done := make([]bool, n)
	tracks := 0
	for range n {
		next := -1
		for i := range level {
			if !done[i] && (next < 0 || score[i] < score[next]) {
				next = i
			}
		}
		done[next] = true
		track := 0
		for _, j := range near[next] {
			if done[j] && j != next {
				track = max(track, level[j].track+1)
			} else {
				score[j] -= max(prefer(j, next), 0)
			}
		}
		level[next].track = track
		tracks = max(tracks, track+1)
	}
	return tracks
}

// bend makes the points of a line from its wires.
func (l *layout) bend(k *Link) {
	levelAt := func(i int, w *wire) int { return l.tops[i] + l.highs[i] + channelUp + w.track*trackGap }
	at := Point{k.outX, l.top(k.From.cell) + k.From.cell.h}
	k.Points = append(k.Points[:0], at)
	to := func(x, y int) {
		at = Point{x, y}
		k.Points = append(k.Points, at)
	}
	for i, w := range k.wires {
		layer := k.From.cell.layer + i
		switch {
		case !k.Back:
		case i == len(k.wires)-1:
			layer = k.To.cell.layer - 1
		default:
			layer = k.cells[i].layer
		}
		y := levelAt(layer, w)
		to(at.X, y)
		x := k.inX
		if i < len(k.cells) {
			x = k.cells[i].x
		}
		to(x, y)
	}
	to(k.inX, l.top(k.To.cell))
	k.Points = simple(k.Points)
}

// top is the y of a cell's upper border: boxes hang from the top of their layer, pills
// stand on its ground, labels lie in the middle.
func (l *layout) top(c *cell) int {
	switch {
	case c.label:
		return l.tops[c.layer] + (l.highs[c.layer]-c.h)/2
	case c.node != nil && c.node.pill:
		return l.tops[c.layer] + l.highs[c.layer] - c.h
	}
	return l.tops[c.layer]
}

// simple leaves out points that change nothing.
func simple(in []Point) []Point {
	var out []Point
	for _, p := range in {
		n := len(out)
		if n > 0 && out[n-1] == p {
			continue
		}
		if n > 1 && (out[n-1].X == p.X && out[n-2].X == p.X || out[n-1].Y == p.Y && out[n-2].Y == p.Y) {
			out[n-1] = p
			continue
		}
		out = append(out, p)
	}
	return out
}
