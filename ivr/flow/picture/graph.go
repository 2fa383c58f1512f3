package picture

import (
	"slices"
	"strings"

	"tandem"
	"tandem/internal/layered"
	"tandem/ivr/flow"
)

// mark says what became of a step or an edge between two versions.
type mark uint8

const (
	kept mark = iota
	added
	removed
	changed
)

// class is the mark as a class of the picture, "" for kept.
func (m mark) class() string { return [...]string{"", "added", "removed", "changed"}[m] }

// sign is the mark for those who do not see colours.
func (m mark) sign() string { return [...]string{"", "+", "−", "~"}[m] }

// graph is a flow as what will be drawn: steps, pills, and the ways between them.
type graph struct {
	flow, old *flow.Flow
	lib       *flow.Library
	o         Options
	words     words
	lay       layered.Graph
	langs     []string // in which prompts are looked for, best first

	nodes         []*node // steps as written, then pills
	steps         int     // how many of nodes are steps
	byName        map[string]*node
	links         []*link
	most          int // the most interactions that any step saw
	loose         int // errors and warnings outside of the steps
	looseWarnings int
}

// node is a step, or a pill: a source that leads to one.
type node struct {
	name string
	step *flow.Step
	mark mark
	pill string // kind of a pill: start, leave, error, command; "" = a step

	parts       []part // the ways out, as written
	in, out     []*link
	rows        []row // ways out that are no line
	reached     bool
	unreachable bool
	errors      int
	warnings    int
	messages    []string
	turns       []int // places in the path

	card
	at *layered.Node
}

// part is one edge of the flow.
type part struct {
	text     string // as shown
	full     string // uncut
	outcomes []string
	to       string
	mark     mark
	count    int
	taken    bool
}

// link is all edges from one node to another.
type link struct {
	from, to *node
	parts    []part
	label    []string
	counted  bool // the last of label is a number
	way      *layered.Link
}

// row is a way out that is written into the node.
type row struct {
	label, target, to string
	kind              string // end, again, ref, broken
	mark              mark
	parts             []part
}

// newGraph collects the nodes and links. With old, those of both are in it, marked.
func newGraph(lib *flow.Library, old, f *flow.Flow, o Options) *graph {
	g := &graph{flow: f, old: old, lib: lib, o: o, words: wordsIn(o.Lang), byName: map[string]*node{}}
	for _, l := range append([]string{o.Lang}, f.Languages...) {
		if l != "" && !slices.Contains(g.langs, l) {
			g.langs = append(g.langs, l)
		}
	}
	g.addSteps()
	g.steps = len(g.nodes)
	g.diagnose()
	for _, n := range g.nodes[:g.steps] {
		g.addLinks(n)
	}
	g.addPills()
	start := g.byName[g.flow.Start]
	if start == nil {
		g.lay.Choose(nil)
	} else {
		g.lay.Choose(start.at)
	}
	g.count()
	g.follow()
	g.reach()
	return g
}

// addSteps adds the steps as written; one that was removed comes after the step that
// it used to follow.
func (g *graph) addSteps() {
	order := stepNames(g.flow)
	if g.old != nil {
		after := -1
		for _, name := range stepNames(g.old) {
			if at := slices.Index(order, name); at >= 0 {
				after = at
				continue
			}
			after++
			order = slices.Insert(order, after, name)
		}
	}
	for _, name := range order {
		n := &node{name: name, step: g.flow.Steps[name], at: g.lay.Node()}
		if g.old != nil {
			before := g.old.Steps[name]
			switch {
			case n.step == nil:
				n.step, n.mark = before, removed
			case before == nil:
				n.mark = added
			case fingerprint(before) != fingerprint(n.step):
				n.mark = changed
			}
		}
		g.nodes = append(g.nodes, n)
		g.byName[name] = n
	}
}

// stepNames are the steps of a flow in file order; one that Order does not have, as
// may be in a flow read in part, comes last.
func stepNames(f *flow.Flow) []string {
	var out []string
	for _, name := range f.Order {
		if f.Steps[name] != nil && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	if len(out) < len(f.Steps) {
		var rest []string
		for name, s := range f.Steps {
			if s != nil && !slices.Contains(out, name) {
				rest = append(rest, name)
			}
		}
		slices.Sort(rest)
		out = append(out, rest...)
	}
	return out
}

// addLinks collects the ways out of a step and joins those with the same target.
func (g *graph) addLinks(n *node) {
	n.parts = g.partsOf(n.step, n.mark)
	if g.old != nil && n.mark != added && n.mark != removed {
		before := g.partsOf(g.old.Steps[n.name], removed)
		same := func(a part) func(part) bool {
			return func(b part) bool { return a.full == b.full && a.to == b.to }
		}
		for i, p := range n.parts {
			n.parts[i].mark = kept
			if !slices.ContainsFunc(before, same(p)) {
				n.parts[i].mark = added
			}
		}
		for _, p := range before {
			if !slices.ContainsFunc(n.parts, same(p)) {
				n.parts = append(n.parts, p)
			}
		}
	}
	if n.mark == kept && slices.ContainsFunc(n.parts, func(p part) bool { return p.mark != kept }) {
		n.mark = changed
	}
	for _, p := range n.parts {
		to := g.byName[p.to]
		if to == nil || to == n {
			continue
		}
		at := slices.IndexFunc(n.out, func(l *link) bool { return l.to == to })
		if at < 0 {
			g.link(n, to, g.lay.Link(n.at, to.at))
			at = len(n.out) - 1
		}
		n.out[at].parts = append(n.out[at].parts, p)
	}
}

func (g *graph) link(from, to *node, way *layered.Link) *link {
	l := &link{from: from, to: to, way: way}
	from.out, to.in = append(from.out, l), append(to.in, l)
	g.links = append(g.links, l)
	return l
}

// partsOf are a step's edges with the words that a designer knows them by.
func (g *graph) partsOf(s *flow.Step, m mark) []part {
	if s == nil || s.Verb == nil {
		return nil
	}
	var out []part
	for i, e := range s.Edges() {
		p := part{text: e.Label, full: e.Label, outcomes: e.Outcomes, to: e.To, mark: m}
		switch v := s.Verb.(type) {
		case *flow.Menu:
			if i < len(v.Choices) {
				name := g.choiceName(v.Choices[i])
				p.text = strings.TrimSpace(v.Choices[i].Keys + " " + cut(name, smallSize, 84))
				p.full = strings.TrimSpace(v.Choices[i].Keys + " " + name)
			}
		case *flow.Branch:
			if i < len(v.Arms) && v.Arms[i].If != nil {
				p.full = oneLine(v.Arms[i].If.Source())
				p.text = cut(p.full, smallSize, 150)
			}
		}
		out = append(out, p)
	}
	return out
}

// choiceName is what a choice is called: on its button, or the first phrase.
func (g *graph) choiceName(c *flow.Choice) string {
	if c.Label != nil {
		if s := g.say(c.Label); s != "" {
			return s
		}
	}
	for _, lang := range g.langs {
		if phrases := c.Phrases[lang]; len(phrases) > 0 {
			return phrases[0]
		}
	}
	return ""
}

// addPills adds the ways into the flow: its start, hang-ups, faults, commands. In a
// difference one that leads elsewhere now is there twice.
func (g *graph) addPills() {
	type source struct{ kind, text, to string }
	list := func(f *flow.Flow) []source {
		out := []source{{"start", g.words.start, f.Start}, {"leave", g.words.onLeave, f.OnLeave}, {"error", g.words.onError, f.OnError}}
		for _, c := range f.Commands {
			if c != nil {
				out = append(out, source{"command", strings.TrimSpace(c.Name + " " + c.Keys), c.Go})
			}
		}
		return out
	}
	now := list(g.flow)
	pill := func(s source, m mark) {
		to := g.byName[s.to]
		if to == nil {
			return
		}
		at, way := g.lay.Pill(to.at)
		n := &node{name: s.kind + " " + s.to, pill: s.kind, mark: m, at: at}
		n.card.title = s.text
		g.nodes = append(g.nodes, n)
		g.link(n, to, way).parts = []part{{mark: m, to: s.to}}
	}
	var before []source
	if g.old != nil {
		before = list(g.old)
	}
	for _, s := range now {
		m := kept
		if g.old != nil && !slices.Contains(before, s) {
			m = added
		}
		pill(s, m)
	}
	for _, s := range before {
		if !slices.Contains(now, s) {
			pill(s, removed)
		}
	}
}

// reach finds the steps that nothing leads to, which the checker, too, would report.
// An identify step may be come to without being named.
func (g *graph) reach() {
	var visit func(*node)
	visit = func(n *node) {
		if n.reached {
			return
		}
		n.reached = true
		for _, l := range n.out {
			visit(l.to)
		}
	}
	for _, n := range g.nodes[g.steps:] {
		visit(n)
	}
	if n := g.firstIdentify(); n != nil {
		visit(n)
	}
	for _, n := range g.nodes[:g.steps] {
		if !n.reached && g.flow.Start != "" {
			n.unreachable = true
		}
	}
}

// firstIdentify is the step to which the engine sends those whose level is too low for
// a reached step that says nothing about it; nil if there is no such step.
func (g *graph) firstIdentify() *node {
	var identify *node
	needed := false
	for _, n := range g.nodes[:g.steps] {
		if n.step == nil {
			continue
		}
		if _, ok := n.step.Verb.(*flow.IdentifyStep); ok && identify == nil {
			identify = n
		}
		if _, ok := n.step.Next.By["not_assured"]; !ok && n.reached && n.step.Needs > tandem.None {
			needed = true
		}
	}
	if !needed {
		return nil
	}
	return identify
}

// count gives each edge its number; a command's way belongs to its pill.
func (g *graph) count() {
	if g.o.Counts == nil {
		return
	}
	for _, n := range g.nodes[:g.steps] {
		g.most = max(g.most, g.o.Counts.Steps[n.name])
		each := func(p *part) {
			p.count = 0
			for _, outcome := range p.outcomes {
				p.count += g.o.Counts.Edges[[2]string{n.name, outcome}]
			}
		}
		for i := range n.parts {
			each(&n.parts[i])
		}
		for _, l := range n.out {
			for i := range l.parts {
				each(&l.parts[i])
			}
		}
	}
}

// follow marks what the path went through.
func (g *graph) follow() {
	for i, t := range g.o.Path {
		n := g.byName[t.Step]
		if n == nil {
			continue
		}
		n.turns = append(n.turns, i+1)
		if !g.hasOutcome(n.name, t.Outcome) {
			for _, pill := range g.nodes[g.steps:] {
				if name, _, _ := strings.Cut(pill.card.title, " "); pill.pill == "command" && name == t.Outcome {
					pill.out[0].parts[0].taken = true
				}
			}
		}
		took := func(p *part) {
			if t.Outcome != "" && slices.Contains(p.outcomes, t.Outcome) {
				p.taken = true
			}
		}
		for i := range n.parts {
			took(&n.parts[i])
		}
		for _, l := range n.out {
			for i := range l.parts {
				took(&l.parts[i])
			}
		}
		if i == 0 && len(n.in) > 0 {
			for _, l := range n.in {
				if l.from.pill == "start" {
					l.parts[0].taken = true
				}
			}
		}
	}
}
