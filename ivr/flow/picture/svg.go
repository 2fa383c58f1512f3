package picture

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tandem/ivr/flow"
)

const (
	headHigh  = 46 // of the heading of a standalone picture
	bendRound = 7  // radius of bends
)

// canvas collects the SVG of one picture.
type canvas struct {
	strings.Builder
	g  *graph
	l  *layout
	id string
	o  Options
}

// svg draws a laid out graph: lines below, cards over them.
func svg(g *graph, l *layout, o Options) []byte {
	c := &canvas{g: g, l: l, o: o, id: o.ID}
	if c.id == "" {
		c.id = "flow"
	}
	head, wide := 0, max(l.w, 2*marginX)
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
		class, wide, l.h+head, wide, l.h+head, escape(c.id), c.lang())
	c.put("\n<title id=\"%s-title\">%s, %s</title>\n", escape(c.id), escape(title), escape(sub))
	if o.Standalone {
		c.put("<style>%s</style>\n", strings.ReplaceAll(Style(), "<", ""))
	}
	c.put(`<rect class="paper" width="%d" height="%d"/>`+"\n", wide, l.h+head)
	if o.Standalone {
		c.put(`<text class="heading" x="%d" y="30">%s</text><text class="soft" x="%d" y="48">%s</text>`+"\n", marginX, escape(title), marginX, escape(sub))
		c.put(`<g transform="translate(0 %d)">`+"\n", head)
	}
	for _, k := range g.links {
		if !k.tag {
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
	if k.back {
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
	c.put(`<path class="way" d="%s"/>`, round(k.points, wide))
	c.head(k.points, wide)
	for _, cell := range k.cells {
		if cell.label {
			c.label(k, cell)
		}
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
			each = append(each, text)
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
func (c *canvas) label(k *link, at *cell) {
	top := c.l.top(at)
	c.put(`<g class="label"><rect x="%d" y="%d" width="%d" height="%d" rx="3"/>`, at.x-at.w/2, top, at.w, at.h)
	for i, line := range k.label {
		class := ""
		if k.counted && i == len(k.label)-1 {
			class = ` class="n"`
		}
		c.put(`<text%s x="%d" y="%d" text-anchor="middle">%s</text>`, class, at.x, top+13+14*i, escape(line))
	}
	c.put("</g>")
}

// head draws the arrow at a line's end.
func (c *canvas) head(ps []point, wide int) {
	if len(ps) < 2 {
		return
	}
	p, half := ps[len(ps)-1], 4+max(0, wide-2)
	c.put(`<path class="head" d="M%d %dl-%d -%dh%dz"/>`, p.x, p.y, half, 8, 2*half)
}

// round writes a line with round bends; it ends where the arrow begins.
func round(ps []point, _ int) string {
	var b strings.Builder
	for i, p := range ps {
		switch {
		case i == 0:
			fmt.Fprintf(&b, "M%d %d", p.x, p.y)
		case i == len(ps)-1:
			fmt.Fprintf(&b, "L%d %d", p.x, p.y-6)
		default:
			before, after := ps[i-1], ps[i+1]
			r := min(bendRound, length(before, p)/2, length(p, after)/2)
			a, z := toward(p, before, r), toward(p, after, r)
			fmt.Fprintf(&b, "L%d %dQ%d %d %d %d", a.x, a.y, p.x, p.y, z.x, z.y)
		}
	}
	return b.String()
}

func length(a, b point) int { return abs(a.x-b.x) + abs(a.y-b.y) }

// toward is the point d px from p on the way to q, which is level or upright.
func toward(p, q point, d int) point {
	step := func(a, b int) int {
		switch {
		case a < b:
			return a + d
		case a > b:
			return a - d
		}
		return a
	}
	return point{step(p.x, q.x), step(p.y, q.y)}
}

// join2 joins classes, leaving out empty ones.
func join2(classes []string) string {
	return strings.Join(slices.DeleteFunc(classes, func(s string) bool { return s == "" }), " ")
}

// node draws a card or a pill.
func (c *canvas) node(n *node) {
	x, y := n.cell.x-n.w/2, c.l.top(n.cell)
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
			each = append(each, p.full)
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
				says = append(says, s)
			}
		}
		if n.step.Note != "" {
			says = append(says, oneLine(n.step.Note))
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
		if k.tag {
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

// icon is the path of a small drawing, 16 px square for families and pills, 12 for
// chips and rows; "" for what has none.
func icon(kind string) string {
	switch kind {
	case "speak":
		return "M2 3h12v8h-7l-3 3v-3h-2z"
	case "listen":
		return "M3 3h2v2h-2zM7 3h2v2h-2zM11 3h2v2h-2zM3 8h2v2h-2zM7 8h2v2h-2zM11 8h2v2h-2zM7 13h2v1h-2z"
	case "decide":
		return "M8 2l6 6l-6 6l-6 -6z"
	case "outside":
		return "M7 3h-4v10h10v-4M10 2h4v4M14 2l-6 6"
	case "people":
		return "M5 5a3 3 0 1 0 6 0a3 3 0 1 0 -6 0M2 14c0 -6 12 -6 12 0"
	case "call":
		return "M2 3h12v10h-12zM5 3v10M11 3v10"
	case "finish":
		return "M4 4h8v8h-8z"
	case "start":
		return "M4 3l8 5l-8 5z"
	case "leave":
		return "M6 3h-3v10h3M7 8h7M11 5l3 3l-3 3"
	case "error":
		return "M8 2l7 12h-14zM8 7v3M8 12v0.2"
	case "command":
		return "M6 2v12M10 2v12M2 6h12M2 10h12"
	case "none":
		return "M5 5l6 6M11 5l-6 6"
	case "needs":
		return "M2 6h8v5h-8zM4 6v-2a2 2 0 0 1 4 0v2"
	case "secret":
		return "M1 6c3 -4 7 -4 10 0c-3 4 -7 4 -10 0M1 11l10 -10"
	case "again":
		return "M4 4a5 4 0 1 1 -1 5M4 1v4h4"
	case "ref", "broken", "end":
		return "M2 7h9M8 4l3 3l-3 3"
	}
	return ""
}
