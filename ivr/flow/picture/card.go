package picture

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"tandem"
	"tandem/ivr/flow"
)

// Measures of a card in px.
const (
	cardLeast = 132
	cardMost  = 248
	padX      = 12
	rowHigh   = 20
	chipHigh  = 18
	pillHigh  = 26
)

// card is what is written on a node, and how large that makes it.
type card struct {
	title  string
	detail string // after the verb
	prompt string
	chips  [][]chip // in lines
	w, h   int
}

// chip is a small mark on a card.
type chip struct {
	kind, text string
	x, w       int
}

// write decides what stands on each node, on each link, and their sizes.
func (g *graph) write() {
	for _, n := range g.nodes {
		if n.pill != "" {
			g.writePill(n)
		} else {
			g.writeCard(n)
		}
		n.w += n.w % 2
		n.at.W, n.at.H = n.w, n.h
	}
	for _, l := range g.links {
		if l.way.Far {
			continue
		}
		l.label = g.label(l.parts, 152)
		if n := g.tally(l.from, l.parts); n != "" {
			l.label, l.counted = append(l.label, n), true
		}
		for _, line := range l.label {
			l.way.LabelW = max(l.way.LabelW, width(line, smallSize)+10)
			l.way.LabelH = len(l.label)*14 + 4
		}
	}
}

func (g *graph) writePill(n *node) {
	if g.o.Counts != nil && n.pill == "command" {
		name, _, _ := strings.Cut(n.title, " ")
		total := 0
		for key, c := range g.o.Counts.Edges {
			if key[1] == name && !g.hasOutcome(key[0], name) {
				total += c
			}
		}
		n.title = fmt.Sprintf("%s · %d", n.title, total)
		n.out[0].parts[0].count = total
	}
	n.w, n.h = width(n.title, smallSize+1)+38, pillHigh
	if n.mark != kept {
		n.w += 14
	}
}

// hasOutcome reports whether a step has an edge of its own for an outcome.
func (g *graph) hasOutcome(step, outcome string) bool {
	n := g.byName[step]
	return n != nil && slices.ContainsFunc(n.parts, func(p part) bool { return slices.Contains(p.outcomes, outcome) })
}

func (g *graph) writeCard(n *node) {
	n.title = cut(n.name, nameSize+1, cardMost-2*padX)
	verb := ""
	if n.step != nil && n.step.Verb != nil {
		verb = n.step.Verb.Verb()
		n.detail = oneLine(detail(n.step.Verb))
		if p := promptsOf(n.step.Verb); len(p) > 0 {
			n.prompt = cut(holes(g.say(p[0])), smallSize, cardMost-2*padX)
		}
		n.rows = g.rowsOf(n)
	}
	n.detail = cut(n.detail, smallSize, cardMost-2*padX-24-width(verb, smallSize))
	w := max(cardLeast, 2*padX+width(n.title, nameSize+1), 2*padX+24+width(verb, smallSize)+width(n.detail, smallSize), 2*padX+width(n.prompt, smallSize))
	for _, r := range n.rows {
		w = max(w, 2*padX+34+width(r.label, smallSize)+width(r.target, smallSize))
	}
	chips := g.chipsOf(n)
	room := cardLeast - 2*padX
	for i := range chips {
		chips[i].text = cut(chips[i].text, smallSize-1, cardMost-2*padX-14)
		chips[i].w = width(chips[i].text, smallSize-1) + 12
		if chips[i].kind == "needs" || chips[i].kind == "secret" {
			chips[i].w += 12
		}
		room = max(room, chips[i].w)
	}
	n.w = min(max(w, room+2*padX), cardMost)
	n.h = 46
	if n.prompt != "" {
		n.h += 17
	}
	n.chips = nil
	x := n.w
	for _, c := range chips {
		if x+c.w > n.w-2*padX {
			n.chips, x = append(n.chips, nil), 0
		}
		c.x = x
		x += c.w + 4
		n.chips[len(n.chips)-1] = append(n.chips[len(n.chips)-1], c)
	}
	n.h += len(n.chips)*(chipHigh+3) + len(n.rows)*rowHigh
	if len(n.rows) > 0 {
		n.h += 4
	} else {
		n.h += 2
	}
}

// rowsOf are the ways out that are written into the card: to the end, to itself, to a
// step that does not exist, and far references.
func (g *graph) rowsOf(from *node) []row {
	var rows []row
	for _, p := range from.parts {
		r := row{to: p.to}
		to := g.byName[p.to]
		switch {
		case p.to == flow.ToEnd && to == nil:
			r.kind, r.target = "end", g.words.end
		case p.to == flow.ToRepeat && to == nil || to == from:
			r.kind, r.target, r.to = "again", g.words.again, from.name
		case to == nil:
			r.kind, r.target = "broken", cut(fmt.Sprintf(g.words.nowhere, p.to), smallSize, 130)
		default:
			at := slices.IndexFunc(from.out, func(l *link) bool { return l.to == to })
			if at < 0 || !from.out[at].way.Far {
				continue
			}
			r.kind, r.target = "ref", cut(p.to, smallSize, 130)
		}
		at := slices.IndexFunc(rows, func(o row) bool { return o.kind == r.kind && o.to == r.to })
		if at < 0 {
			rows = append(rows, r)
			at = len(rows) - 1
		}
		rows[at].parts = append(rows[at].parts, p)
	}
	for i := range rows {
		r := &rows[i]
		r.mark = marked(r.parts)
		room := cardMost - 2*padX - 34 - width(r.target, smallSize)
		words, n := strings.Join(g.label(r.parts, room), " "), g.tally(from, r.parts)
		if words == "" || n == "" {
			r.label = cut(words+n, smallSize, room)
		} else {
			r.label = cut(words, smallSize, room-width(": "+n, smallSize)) + ": " + n
		}
	}
	return rows
}

// marked is the mark of several edges together.
func marked(parts []part) mark {
	m := parts[0].mark
	for _, p := range parts {
		if p.mark != m {
			return changed
		}
	}
	return m
}

// label is what stands on a line: the words of its edges, in up to two rows.
func (g *graph) label(parts []part, most int) []string {
	var each []string
	mixed := marked(parts) == changed
	for _, p := range parts {
		text := p.text
		if mixed && p.mark != kept && text != "" {
			text = p.mark.sign() + text
		}
		if text != "" && !slices.Contains(each, text) {
			each = append(each, text)
		}
	}
	var lines []string
	if len(each) > 0 {
		text := strings.Join(each, ", ")
		if width(text, smallSize) > most && len(each) > 1 {
			half, at := "", 0
			for at < len(each)-1 && width(half+each[at]+",", smallSize) <= most {
				half += each[at] + ", "
				at++
			}
			if at > 0 {
				lines = append(lines, strings.TrimRight(half, " "))
				text = strings.Join(each[at:], ", ")
			}
		}
		lines = append(lines, cut(text, smallSize, most))
	}
	return lines
}

// tally is how many left a step by some edges, and which part of those who entered it;
// "" without counts.
func (g *graph) tally(n *node, parts []part) string {
	if g.o.Counts == nil || n.pill != "" {
		return ""
	}
	sum := 0
	for _, p := range parts {
		sum += p.count
	}
	return fmt.Sprintf("%d (%s)", sum, percent(sum, g.o.Counts.Steps[n.name]))
}

// chipsOf are the marks of a step: what is wrong with it first, then its conditions.
func (g *graph) chipsOf(n *node) []chip {
	var out []chip
	add := func(kind, text string) { out = append(out, chip{kind: kind, text: text}) }
	w := g.words
	if n.errors > 0 {
		add("errors", w.errors(n.errors))
	}
	if n.warnings > 0 {
		add("warnings", w.warnings(n.warnings))
	}
	if n.unreachable {
		add("note", w.unreachable)
	}
	s := n.step
	if s == nil {
		return out
	}
	for _, lang := range g.missing(s.Verb) {
		add("missing", fmt.Sprintf(w.missing, lang))
	}
	if s.Needs > tandem.None {
		add("needs", fmt.Sprintf(w.needs, s.Needs))
	}
	if secret(g.flow, s.Verb) {
		add("secret", w.secret)
	}
	if only := limits(g.flow, s.Verb); only != "" {
		add("channel", fmt.Sprintf(w.only, only))
	}
	if s.MaxVisits > 0 {
		add("visits", fmt.Sprintf(w.visits, s.MaxVisits))
	}
	if s.If != nil {
		add("if", fmt.Sprintf(w.cond, oneLine(s.If.Source())))
	}
	if tags := tagsTo(n); tags > 0 {
		add("from", fmt.Sprintf(w.more, tags))
	}
	if c := g.o.Counts; c != nil {
		add("entered", fmt.Sprintf(w.entered, c.Steps[n.name]))
		if left := c.Left[n.name]; left > 0 {
			add("left", fmt.Sprintf(w.left, left, percent(left, c.Steps[n.name])))
		}
	}
	return out
}

// tagsTo is how many steps refer to n without a line.
func tagsTo(n *node) int {
	sum := 0
	for _, l := range n.in {
		if l.way.Far {
			sum++
		}
	}
	return sum
}

// missing lists the flow's languages that some prompt of the verb has no words in.
func (g *graph) missing(v flow.Verb) []string {
	var out []string
	for _, lang := range g.flow.Languages {
		for _, p := range promptsOf(v) {
			if w := p.ByLang[lang]; (w == nil || w.Text == nil && w.Audio == "") && !slices.Contains(out, lang) {
				out = append(out, lang)
			}
		}
	}
	return out
}

// say is a prompt in the wanted language, or the next best; a recording by its name.
func (g *graph) say(p *flow.Prompt) string {
	if p == nil {
		return ""
	}
	for _, lang := range g.langs {
		w := p.ByLang[lang]
		if w == nil {
			continue
		}
		if w.Text != nil {
			if line := firstLine(w.Text.Source()); line != "" {
				return line
			}
		}
		if w.Audio != "" {
			return "♪ " + w.Audio
		}
	}
	return ""
}

// Label is what a step is called in a list, in one line: its name and what it says, or what
// its verb is about.
func Label(f *flow.Flow, name, lang string) string {
	step := f.Steps[name]
	if step == nil || step.Verb == nil {
		return name
	}
	g := &graph{langs: append([]string{lang}, f.Languages...)}
	about := ""
	if p := promptsOf(step.Verb); len(p) > 0 {
		about = oneLine(holes(g.say(p[0])))
	}
	if about = cmp.Or(about, oneLine(detail(step.Verb))); about == "" {
		return name
	}
	return name + ": " + about
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	return oneLine(line)
}

// holes shows what is worked out in a text as {…}.
func holes(s string) string {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(s, "${")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		_, after, closed := strings.Cut(rest, "}")
		if !closed {
			return b.String() + "{…}"
		}
		b.WriteString("{…}")
		s = after
	}
}

// secret reports whether a step takes in something secret.
func secret(f *flow.Flow, v flow.Verb) bool {
	into := ""
	switch v := v.(type) {
	case *flow.Collect:
		if v.Secrecy != flow.Open {
			return true
		}
		into = v.Into
	case *flow.HTTP:
		into = v.Into
	case *flow.RecordStep:
		into = v.Into
	}
	x := f.Variable(into)
	return x != nil && x.Secrecy != flow.Open
}

// limits names the channels of the flow that a verb is possible on, if not on all.
func limits(f *flow.Flow, v flow.Verb) string {
	can := []tandem.Channel{tandem.Voice, tandem.Chat, tandem.SMS}
	switch v := v.(type) {
	case *flow.Voicemail, *flow.RecordStep:
		can = can[:1]
	case *flow.Transfer:
		if v.To != nil {
			if to := v.To.Source(); strings.HasPrefix(to, "sip:") || strings.HasPrefix(to, "tel:") {
				can = can[:1]
			}
		}
	case *flow.IdentifyStep:
		if len(v.By) == 1 && v.By[0] == flow.ByVideo && v.Fallback == "" {
			can = can[:2]
		}
	}
	var both []string
	for _, c := range f.Channels {
		if slices.Contains(can, c) {
			both = append(both, string(c))
		}
	}
	if len(both) == len(f.Channels) {
		return ""
	}
	if len(both) == 0 {
		return string(can[0])
	}
	return strings.Join(both, ", ")
}

// detail is the word that tells one use of a verb from another.
func detail(v flow.Verb) string {
	switch v := v.(type) {
	case *flow.Menu:
		if v.From != nil {
			return v.From.As + " → " + v.From.Into
		}
	case *flow.Collect:
		return v.Into
	case *flow.Language:
		return cmp.Or(v.Set, strings.Join(v.By, ", "))
	case *flow.Set:
		var names []string
		for _, a := range v.Assign {
			names = append(names, a.Name)
		}
		return strings.Join(names, ", ")
	case *flow.Hours:
		return v.Calendar
	case *flow.HTTP:
		return v.Method + " " + path(v)
	case *flow.Subflow:
		return v.Name
	case *flow.Transfer:
		if v.To != nil {
			return holes(v.To.Source())
		}
	case *flow.Voicemail:
		return v.Box
	case *flow.ConsentStep:
		return v.Kind
	case *flow.End:
		return cmp.Or(v.As, v.Reason)
	case *flow.Message:
		return cmp.Or(v.Template, strings.Join(v.By, ", "))
	case *flow.LinkStep:
		return v.Operation
	case *flow.Handoff:
		return string(v.To)
	case *flow.IdentifyStep:
		if v.Check != "" {
			return fmt.Sprintf("%s: %s (%s)", v.Level, strings.Join(v.By, ", "), v.Check)
		}
		return fmt.Sprintf("%s: %s", v.Level, strings.Join(v.By, ", "))
	case *flow.Classify:
		return v.Classifier
	case *flow.Answer:
		return v.Knowledge
	case *flow.QueueStep:
		return v.Name
	case *flow.CallbackStep:
		return v.Queue
	case *flow.RecordStep:
		return v.Into
	case *flow.TicketStep:
		return v.Form
	case *flow.SurveyStep:
		return v.Form
	}
	return ""
}

// path is a request's address without its host.
func path(v *flow.HTTP) string {
	if v.URL == nil {
		return ""
	}
	s := holes(v.URL.Source())
	if _, rest, ok := strings.Cut(s, "://"); ok {
		s = rest
	}
	if i := strings.IndexByte(s, '/'); i > 0 {
		s = s[i:]
	}
	return s
}

// family groups the verbs as the picture colours them.
func family(s *flow.Step) string {
	if s == nil || s.Verb == nil {
		return "none"
	}
	switch s.Verb.(type) {
	case *flow.Say, *flow.Message, *flow.Answer:
		return "speak"
	case *flow.Menu, *flow.Collect, *flow.Language, *flow.ConsentStep, *flow.SurveyStep, *flow.RecordStep:
		return "listen"
	case *flow.Set, *flow.Branch, *flow.Hours, *flow.Classify:
		return "decide"
	case *flow.HTTP, *flow.LinkStep, *flow.TicketStep:
		return "outside"
	case *flow.Subflow:
		return "call"
	case *flow.End:
		return "finish"
	}
	return "people"
}
