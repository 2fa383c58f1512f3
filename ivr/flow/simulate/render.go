package simulate

import (
	"tandem/ivr/flow"
)

// page is what one turn of the flow shows: for each prompt the message that it begins,
// nil for one that joins the message before it or cannot be shown.
type page struct{ begins []*Line }

// next is the message that the next prompt begins, nil if it begins none.
func (p *page) next() *Line {
	if len(p.begins) == 0 {
		return nil
	}
	l := p.begins[0]
	p.begins = p.begins[1:]
	return l
}

// render works out what the prompts among effects look like on the customer's channel.
func (t *Talk) render(effects []flow.Effect) *page {
	var plays []flow.Play
	for _, e := range effects {
		if p, ok := e.(flow.Play); ok {
			plays = append(plays, p)
		}
	}
	if len(plays) == 0 {
		return &page{}
	}
	w := t.s.Wait
	if w.Kind == flow.WaitQueue { // the place is told when it is known
		w = flow.Wait{Kind: flow.WaitQueue}
	}
	shown := flow.Render(t.Channel(), t.s.Lang, plays, w)
	lines := make([]Line, len(shown))
	out := &page{begins: make([]*Line, len(plays))}
	last := -1
	for i, p := range plays {
		at := len(flow.Render(t.Channel(), t.s.Lang, plays[:i+1], flow.Wait{Kind: listening(w.Kind), Step: w.Step})) - 1
		if at < 0 || at >= len(shown) {
			continue
		}
		l := &lines[at]
		if at != last {
			last = at
			*l = Line{Word: Hears, Step: p.Step, Lang: p.Lang, Means: string(t.Channel()), Text: shown[at].Text, Image: shown[at].Image, Buttons: shown[at].Buttons}
			out.begins[i] = l
		}
		l.Names = append(l.Names, p.Name)
	}
	return out
}

// listening is the kind of wait that makes several prompts one message.
func listening(k flow.WaitKind) flow.WaitKind {
	if k == flow.WaitListen {
		return k
	}
	return flow.WaitNone
}

// show notes what the customer hears or reads.
func (t *Talk) show(l *Line) {
	if l != nil {
		l.Text = t.addressed(l.Text)
		t.note(*l)
	}
}

// tell notes the place in line, as the channel tells it.
func (t *Talk) tell() {
	for _, s := range flow.Render(t.Channel(), t.s.Lang, nil, t.s.Wait) {
		t.note(Line{Word: Hears, Lang: t.s.Lang, Means: string(t.Channel()), Text: s.Text, Buttons: s.Buttons, Names: []string{""}, Place: true})
	}
}
