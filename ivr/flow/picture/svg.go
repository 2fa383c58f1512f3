package picture

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tandem/internal/layered"
	"tandem/ivr/flow"
)

const (
	headHigh  = 46   // of the heading of a standalone picture
	bendRound = 7    // radius of bends
	tipMost   = 3000 // px of one text that shows when pointing at something
	marginX   = 24   // to the left of the heading
)

// canvas collects the SVG of one picture.
type canvas struct {
	strings.Builder
	g  *graph
	id string
	o  Options
}

// svg draws a laid out graph: lines below, cards over them.
func svg(g *graph, o Options) []byte {
	c := &canvas{g: g, o: o, id: o.ID}
	if c.id == "" {
		c.id = "flow"
	}
	head, wide := 0, g.lay.W
	title := fmt.Sprintf(g.words.flow, g.name())
	sub := c.subtitle()
	if o.Standalone {
		head = headHigh
		wide = max(wide, 2*marginX+width(title, 18), 2*marginX+width(sub, smallSize))
	}
	class := "picture"
	if o.Standalone && o.Dark {
		class += " dark"
	}
	if len(o.Path) > 0 {
		class += " traced"
	}
	c.put(`<svg xmlns="http://www.w3.org/2000/svg" class="%s" width="%d" height="%d" viewBox="0 0 %d %d" role="graphics-document" aria-labelledby="%s-title"%s>`,
		class, wide, g.lay.H+head, wide, g.lay.H+head, escape(c.id), c.lang())
	c.put("\n<title id=\"%s-title\">%s, %s</title>\n", escape(c.id), escape(title), escape(sub))
	if o.Standalone {
		c.put("<style>%s</style>\n", strings.ReplaceAll(Style(), "<", ""))
	}
	c.put(`<rect class="paper" width="%d" height="%d"/>`+"\n", wide, g.lay.H+head)
	if o.Standalone {
		c.put(`<text class="heading" x="%d" y="30">%s</text><text class="soft" x="%d" y="48">%s</text>`+"\n", marginX, escape(title), marginX, escape(sub))
		c.put(`<g transform="translate(0 %d)">`+"\n", head)
	}
	for _, k := range g.links {
		if !k.way.Far {
			c.edge(k)
		}
	}
	for _, n := range g.nodes {
		c.node(n)
	}
	if o.Standalone {
		c.put("</g>\n")
	}
	c.put("</svg>\n")
	return []byte(c.String())
}

func (c *canvas) put(format string, args ...any) { fmt.Fprintf(c, format, args...) }

func (c *canvas) lang() string {
	if c.o.Lang == "" {
		return ""
	}
	return ` lang="` + escape(c.o.Lang) + `"`
}

// name is the flow's name, of the old one if the new has none.
func (g *graph) name() string {
	if g.flow.Name == "" && g.old != nil {
		return g.old.Name
	}
	return g.flow.Name
}

// subtitle says what kind of flow it is, how large, and what is wrong or new in it.
func (c *canvas) subtitle() string {
	f, w := c.g.flow, c.g.words
	var says []string
	for _, ch := range f.Channels {
		says = append(says, string(ch))
	}
	says = []string{strings.Join(says, " "), strings.Join(f.Languages, " "), fmt.Sprintf(w.steps, c.g.steps)}
	errors, warnings := c.g.loose, c.g.looseWarnings
	var marks [4]int
	for _, n := range c.g.nodes[:c.g.steps] {
		errors += n.errors
		warnings += n.warnings
		marks[n.mark]++
	}
	if errors > 0 {
		says = append(says, w.errors(errors))
	}
	if warnings > 0 {
		says = append(says, w.warnings(warnings))
	}
	if c.g.old != nil {
		says = append(says, fmt.Sprintf(w.summary, marks[added], marks[removed], marks[changed]))
	}
	return strings.Join(slices.DeleteFunc(says, func(s string) bool { return s == "" }), " · ")
}

// edge draws a line with its label.
func (c *canvas) edge(k *link) {
	classes := []string{"edge", marked(k.parts).class()}
	if k.way.Back {
		classes = append(classes, "back")
	}
	if k.from.unreachable || k.to.unreachable {
		classes = append(classes, "grey")
	}
	taken, wide := false, 1
	for _, p := range k.parts {
		taken = taken || p.taken
	}
	if taken {
		classes, wide = append(classes, "taken"), 3
	}
	if c.o.Counts != nil && (k.from.pill == "" || k.from.pill == "command") {
		wide = c.share(k)
		classes = append(classes, "w"+strconv.Itoa(wide))
	}
	c.put(`<g class="%s" data-edge="%s" data-from="%s" data-to="%s">`, join2(classes), escape(k.from.name+" > "+k.to.name), escape(k.from.name), escape(k.to.name))
	c.put(`<title>%s</title>`, escape(c.edgeTitle(k)))
	c.put(`<path class="way" d="%s"/>`, round(k.way.Points))
	c.head(k.way.Points, wide)
	if len(k.label) > 0 {
		c.label(k)
	}
	c.put("</g>\n")
}

// share is the width class of a line: by its part of all that came in.
func (c *canvas) share(k *link) int {
	sum := 0
	for _, p := range k.parts {
		sum += p.count
	}
	switch {
	case sum == 0:
		return 0
	case sum*20 < c.g.most:
		return 1
	case sum*7 < c.g.most:
		return 2
	case sum*3 < c.g.most:
		return 3
	case sum*3 < 2*c.g.most:
		return 4
	}
	return 5
}

func (c *canvas) edgeTitle(k *link) string {
	var each []string
	for _, p := range k.parts {
		text := p.full
		if p.mark != kept && text != "" {
			text = p.mark.sign() + text
		}
		if text != "" {
			each = append(each, cut(text, smallSize, tipMost))
		}
	}
	from := k.from.name
	if k.from.pill != "" {
		from = k.from.title
	}
	text := from + " → " + k.to.name
	if len(each) > 0 {
		text += ": " + strings.Join(each, ", ")
	}
	return text
}

// label draws a link's words over its line.
func (c *canvas) label(k *link) {
	x, y := k.way.Label.X, k.way.Label.Y
	c.put(`<g class="label"><rect x="%d" y="%d" width="%d" height="%d" rx="3"/>`, x, y, k.way.LabelW, k.way.LabelH)
	for i, line := range k.label {
		class := ""
		if k.counted && i == len(k.label)-1 {
			class = ` class="n"`
		}
		c.put(`<text%s x="%d" y="%d" text-anchor="middle">%s</text>`, class, x+k.way.LabelW/2, y+13+14*i, escape(line))
	}
	c.put("</g>")
}

// head draws the arrow at a line's end.
func (c *canvas) head(ps []layered.Point, wide int) {
	if len(ps) < 2 {
		return
	}
	p, half := ps[len(ps)-1], 4+max(0, wide-2)
	c.put(`<path class="head" d="M%d %dl-%d -%dh%dz"/>`, p.X, p.Y, half, 8, 2*half)
}

// round writes a line with round bends; it ends where the arrow begins.
func round(ps []layered.Point) string {
	var b strings.Builder
	for i, p := range ps {
		switch {
		case i == 0:
			fmt.Fprintf(&b, "M%d %d", p.X, p.Y)
		case i == len(ps)-1:
			fmt.Fprintf(&b, "L%d %d", p.X, p.Y-6)
		default:
			before, after := ps[i-1], ps[i+1]
			r := min(bendRound, length(before, p)/2, length(p, after)/2)
			a, z := toward(p, before, r), toward(p, after, r)
			fmt.Fprintf(&b, "L%d %dQ%d %d %d %d", a.X, a.Y, p.X, p.Y, z.X, z.Y)
		}
	}
	return b.String()
}

// length is the length of a level or upright piece.
func length(a, b layered.Point) int { return max(a.X-b.X, b.X-a.X) + max(a.Y-b.Y, b.Y-a.Y) }

// toward is the point d px from p on the way to q, which is level or upright.
func toward(p, q layered.Point, d int) layered.Point {
	step := func(a, b int) int {
		switch {
		case a < b:
			return a + d
		case a > b:
			return a - d
		}
		return a
	}
	return layered.Point{X: step(p.X, q.X), Y: step(p.Y, q.Y)}
}

// join2 joins classes, leaving out empty ones.
func join2(classes []string) string {
	return strings.Join(slices.DeleteFunc(classes, func(s string) bool { return s == "" }), " ")
}

// node draws a card or a pill.
func (c *canvas) node(n *node) {
	x, y := n.at.X, n.at.Y
	if n.pill != "" {
		c.pill(n, x, y)
		return
	}
	classes := []string{"step", family(n.step), n.mark.class()}
	for _, if_ := range []struct {
		so    bool
		class string
	}{{n.unreachable, "unreachable"}, {n.errors > 0, "wrong"}, {n.errors == 0 && n.warnings > 0, "warned"}, {len(n.turns) > 0, "taken"}} {
		if if_.so {
			classes = append(classes, if_.class)
		}
	}
	c.put(`<g class="%s" id="%s" data-step="%s" tabindex="0" role="group" transform="translate(%d %d)">`,
		join2(classes), escape(c.anchor(n.name)), escape(n.name), x, y)
	c.put(`<title>%s</title>`, escape(c.about(n)))
	corner := 7
	if family(n.step) == "finish" {
		corner = 22
	}
	c.put(`<rect class="box" width="%d" height="%d" rx="%d"/>`, n.w, n.h, corner)
	if family(n.step) == "call" {
		c.put(`<path class="bar" d="M5 0v%dM%d 0v%d"/>`, n.h, n.w-5, n.h)
	} else if family(n.step) != "finish" {
		c.put(`<path class="side" d="M0 7a7 7 0 0 1 4 -6v%da7 7 0 0 1 -4 -6z"/>`, n.h-2)
	}
	c.put(`<text class="name" x="%d" y="19">%s</text>`, padX, escape(n.title))
	c.put(`<path class="icon" transform="translate(%d 25)" d="%s"/>`, padX, icon(family(n.step)))
	if n.step != nil && n.step.Verb != nil {
		verb := n.step.Verb.Verb()
		c.put(`<text x="%d" y="37"><tspan class="verb">%s</tspan>`, padX+20, escape(verb))
		if n.detail != "" {
			c.put(` <tspan class="soft">%s</tspan>`, escape(n.detail))
		}
		c.put("</text>")
	}
	at := 46
	if n.prompt != "" {
		c.put(`<text class="prompt" x="%d" y="%d">%s</text>`, padX, at+9, escape(n.prompt))
		at += 17
	}
	for _, line := range n.chips {
		for _, ch := range line {
			c.chip(ch, padX+ch.x, at)
		}
		at += chipHigh + 3
	}
	for _, r := range n.rows {
		c.row(n, r, at)
		at += rowHigh
	}
	c.sign(n)
	c.put("</g>\n")
}

// sign draws what became of a node, or the places it has in the path, at its corner.
func (c *canvas) sign(n *node) {
	if n.mark != kept {
		c.put(`<g class="sign"><circle cx="%d" cy="0" r="9"/><text x="%d" y="5" text-anchor="middle">%s</text></g>`, n.w-4, n.w-4, n.mark.sign())
	}
	if len(n.turns) > 0 {
		text := c.turnText(n)
		w := width(text, smallSize) + 12
		x, y := 8-w, 6 // on the left border, where no line comes in
		if w > 2*marginX-8 {
			x, y = n.w+8-w, -11
		}
		c.put(`<g class="turn"><rect x="%d" y="%d" width="%d" height="18" rx="9"/><text x="%d" y="%d" text-anchor="middle">%s</text></g>`, x, y, w, x+w/2, y+13, escape(text))
	}
}

// turnText is a step's places in the path; of many, the first and the last.
func (c *canvas) turnText(n *node) string {
	var each []string
	for _, t := range n.turns {
		each = append(each, strconv.Itoa(t))
	}
	if len(each) > 4 {
		each = []string{each[0], each[1], "…", each[len(each)-1]}
	}
	return strings.Join(each, ", ")
}

func (c *canvas) pill(n *node, x, y int) {
	classes := []string{"pill", n.pill, n.mark.class()}
	if n.out[0].parts[0].taken {
		classes = append(classes, "taken")
	}
	c.put(`<g class="%s" transform="translate(%d %d)">`, join2(classes), x, y)
	c.put(`<title>%s</title>`, escape(n.title+" → "+n.out[0].to.name))
	c.put(`<rect class="box" width="%d" height="%d" rx="%d"/>`, n.w, n.h, n.h/2)
	c.put(`<path class="icon" transform="translate(9 5)" d="%s"/>`, icon(n.pill))
	c.put(`<text x="29" y="17">%s</text>`, escape(n.title))
	c.sign(n)
	c.put("</g>\n")
}

func (c *canvas) chip(ch chip, x, y int) {
	text := x + 6
	c.put(`<g class="chip %s"><rect x="%d" y="%d" width="%d" height="16" rx="8"/>`, ch.kind, x, y, ch.w)
	if d := icon(ch.kind); d != "" {
		c.put(`<path transform="translate(%d %d)" d="%s"/>`, x+5, y+2, d)
		text += 12
	}
	c.put(`<text x="%d" y="%d">%s</text></g>`, text, y+12, escape(ch.text))
}

// row draws a way out that is no line: a link to its step.
func (c *canvas) row(n *node, r row, y int) {
	taken := ""
	for _, p := range r.parts {
		if p.taken {
			taken = " taken"
		}
	}
	c.put(`<g class="%s" data-edge="%s" data-from="%s" data-to="%s">`,
		join2([]string{"row", r.kind, r.mark.class()})+taken, escape(n.name+" > "+r.to), escape(n.name), escape(r.to))
	if r.kind == "ref" {
		c.put(`<a href="#%s" data-go="%s">`, escape(c.anchor(r.to)), escape(r.to))
	}
	c.put(`<title>%s</title><rect x="%d" y="%d" width="%d" height="18" rx="4"/>`, escape(rowTitle(n, r)), padX-4, y, n.w-2*padX+8)
	label := r.label
	if r.mark != kept && r.mark != changed {
		label = strings.TrimSpace(r.mark.sign() + " " + label)
	}
	c.put(`<text class="soft" x="%d" y="%d">%s</text>`, padX, y+13, escape(label))
	right := n.w - padX
	if r.kind == "end" {
		w := width(r.target, smallSize) + 12
		c.put(`<rect class="stop" x="%d" y="%d" width="%d" height="14" rx="7"/>`, right-w, y+2, w)
		right -= 6
	}
	c.put(`<text class="target" x="%d" y="%d" text-anchor="end">%s</text>`, right, y+13, escape(r.target))
	c.put(`<path class="icon" transform="translate(%d %d)" d="%s"/>`, right-width(r.target, smallSize)-18, y+2, icon(r.kind))
	if r.kind == "ref" {
		c.put("</a>")
	}
	c.put("</g>")
}

func rowTitle(n *node, r row) string {
	var each []string
	for _, p := range r.parts {
		if p.full != "" {
			each = append(each, cut(p.full, smallSize, tipMost))
		}
	}
	text := n.name + " → " + r.to
	if r.to == n.name || r.kind == "end" {
		text = n.name + " → " + r.target
	}
	if len(each) > 0 {
		text += ": " + strings.Join(each, ", ")
	}
	return text
}

// anchor is the id of a step's card.
func (c *canvas) anchor(step string) string { return c.id + "-" + step }

// about is all of a card in words, for those who hear it and for those who point at it.
func (c *canvas) about(n *node) string {
	w := c.g.words
	says := []string{n.name}
	if n.step != nil && n.step.Verb != nil {
		says[0] += ": " + strings.TrimSpace(n.step.Verb.Verb()+" "+n.detail)
		if p := promptsOf(n.step.Verb); len(p) > 0 {
			if s := c.g.say(p[0]); s != "" {
				says = append(says, cut(s, smallSize, tipMost))
			}
		}
		if n.step.Note != "" {
			says = append(says, cut(oneLine(n.step.Note), smallSize, tipMost))
		}
	}
	switch n.mark {
	case added:
		says = append(says, w.added)
	case removed:
		says = append(says, w.removed)
	case changed:
		says = append(says, w.changed)
	}
	if len(n.turns) > 0 {
		says = append(says, fmt.Sprintf(w.order, c.turnText(n)))
	}
	for _, line := range n.chips {
		for _, ch := range line {
			says = append(says, ch.text)
		}
	}
	for _, k := range n.in {
		if k.way.Far {
			says = append(says, fmt.Sprintf(w.from, k.from.name))
		}
	}
	if s, ok := c.sub(n); ok {
		says = append(says, s)
	}
	says = append(says, n.messages...)
	return strings.Join(says, "\n")
}

// sub says which file a called flow is in.
func (c *canvas) sub(n *node) (string, bool) {
	if c.g.lib == nil || n.step == nil {
		return "", false
	}
	v, ok := n.step.Verb.(*flow.Subflow)
	if !ok {
		return "", false
	}
	child := c.g.lib.Flows[v.Name]
	if child == nil {
		return "", false
	}
	return fmt.Sprintf(c.g.words.flow, child.Name) + ": " + fmt.Sprintf(c.g.words.steps, len(child.Steps)), true
}
