package text

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"tandem"
	"tandem/bridge/chat"
	"tandem/ivr/flow"
	"tandem/ivr/flow/engine"
)

// waiting is what the driver keeps beside a wait in line, in the session's World.
type waiting struct {
	Agent string         `json:"agent,omitempty"` // who serves, by the name they go by
	Took  []string       `json:"took,omitempty"`  // offers that were taken: begun anew after a stop
	Told  tandem.Channel `json:"told,omitempty"`  // sms: the place was texted
	Met   string         `json:"met,omitempty"`   // sms: the last agent who was announced
}

// besideLine reads it. What a call kept there is nothing here.
func besideLine(s flow.Session) (w waiting) {
	beside := s.World
	if s.Asked != nil {
		beside = s.Asked.World
	}
	if s.Line().Kind == flow.WaitQueue && len(beside) > 0 && json.Unmarshal(beside, &w) != nil {
		w = waiting{}
	}
	return w
}

// keepLine writes it.
func (t *turn) keepLine(w waiting) {
	data, err := json.Marshal(w)
	if err != nil || string(data) == string(t.st.s.World) {
		return
	}
	t.st.s.World, t.changed = data, true
}

// Took reports whether the customer of a session in line has taken an offer, as far as that
// was in a conversation.
func Took(s flow.Session, what string) bool { return slices.Contains(besideLine(s).Took, what) }

// queues reports a session that waits in line, served reports that an agent has its customer
// and nothing is asked.
func queues(s flow.Session) bool { return len(s.Frames) > 0 && s.Wait.Kind == flow.WaitQueue }
func served(s flow.Session) bool { return queues(s) && s.Wait.Served }

// lined does what belongs to an input that a session in line has taken.
func (t *turn) lined(in flow.Input) {
	s := t.st.s
	taken := in.Kind == flow.InputTaken && !t.was.WithAgent()
	if !queues(s) || in.Serial != s.Wait.Serial && !taken {
		return
	}
	w := besideLine(s)
	switch in.Kind {
	case flow.InputServed, flow.InputTaken:
		if in.Kind == flow.InputTaken && !taken {
			return
		}
		t.st.held = nil // what was said till now is for the agent
		if w.Agent = in.Text; t.st.conv.Channel == tandem.SMS && w.Met != in.Text {
			w.Met = in.Text
			t.tell(t.program("agent_here", servedText(s.Lang, in.Text, t.d.o.Name)))
		}
	case flow.InputPlace:
		w.Agent = ""
		t.placeText(&w)
	case flow.InputMoved:
		w.Took = nil
		switch {
		case !s.Wait.Served:
			w.Agent = ""
			t.placeText(&w)
		case in.Text != "": // from a call: nobody has written who serves yet
			w.Agent, w.Met = in.Text, in.Text
		}
	default:
		return
	}
	t.keepLine(w)
}

// placeText texts the place, and the offers, once while the customer waits by text.
func (t *turn) placeText(w *waiting) {
	s := t.st.s
	if t.st.conv.Channel != tandem.SMS || w.Told == tandem.SMS || s.Wait.Place == nil {
		return
	}
	for _, shown := range flow.Render(tandem.SMS, s.Lang, nil, s.Wait) {
		if shown.Place {
			w.Told = tandem.SMS
			t.tell(t.program("place", shown.Text))
		}
	}
}

// program is a sentence of the program's own in the session's language.
func (t *turn) program(name, text string) flow.Play {
	return flow.Play{Name: name, Lang: t.st.s.Lang, Parts: []tandem.Part{{Kind: tandem.PartText, Text: text}}}
}

// servedText tells by text who is there now.
func servedText(lang, agent, name string) string {
	chinese := strings.HasPrefix(lang, "zh")
	switch {
	case agent == "" && chinese:
		return "客服已接入，请直接回复。"
	case agent == "":
		return "Somebody is here for you now. Just answer this message."
	case name == "" && chinese:
		return "您好，我是" + agent + "，请直接回复。"
	case name == "":
		return agent + " here. Just answer this message."
	case chinese:
		return "您好，我是" + name + "的" + agent + "，请直接回复。"
	}
	return agent + " from " + name + " here. Just answer this message."
}

// took notes that an offer is to be begun, also after a stop.
func (t *turn) took(e flow.Take) {
	t.takes = append(t.takes, e)
}

// keepTakes writes down which offers were taken, before any is begun.
func (t *turn) keepTakes() {
	if len(t.takes) == 0 || !queues(t.st.s) {
		return
	}
	w := besideLine(t.st.s)
	for _, e := range t.takes {
		if !slices.Contains(w.Took, e.What) {
			w.Took = append(w.Took, e.What)
		}
	}
	t.keepLine(w)
}

// waitsAgain has a session in line ask the world for its place once more after a stop, as
// it asked before: nobody knows whether the world had heard it. It keeps its wait, and who
// serves. A session that may not wait there any more, since what its customer had shown is
// over, goes on as a resumed one does.
//
// While an agent asks a step it is the wait behind that which asks; the step goes on.
func (t *turn) waitsAgain() bool {
	t.d.timers.set(t.interaction, dueOf(t.st.s, t.st.at))
	under := t.st
	under.s = engine.Unasked(under.s)
	s, effects, err := t.d.resumed(under, t.now)
	again := func(e flow.Effect) bool { _, is := e.(flow.Enqueue); return is }
	i := slices.IndexFunc(effects, again)
	switch {
	case err == nil && i >= 0 && queues(s):
		e := effects[i].(flow.Enqueue)
		e.Serial = under.s.Wait.Serial
		t.ask = e
	case under.s.WithAgent():
		return false
	default:
		t.withdraw = true
		t.step(func() (flow.Session, []flow.Effect, error) { return s, effects, err })
		return true
	}
	for _, what := range besideLine(t.st.s).Took {
		t.takes = append(t.takes, flow.Take{Serial: t.st.s.Wait.Serial, Step: t.st.s.Wait.Step, What: what, Again: true})
	}
	return true
}

// standing is how a session stands in line, as the customer sees it; Queue "" = in none.
func standing(s flow.Session) chat.Place {
	wait := s.Line()
	if len(s.Frames) == 0 || wait.Kind != flow.WaitQueue {
		return chat.Place{}
	}
	p := chat.Place{Served: wait.Served}
	if at := wait.Place; at != nil {
		p.Queue, p.Position, p.AtLeast, p.AtMost = at.Queue, at.Position, at.AtLeast, at.AtMost
	} else if at := s.Facts.Place; at != nil {
		p.Queue = at.Queue
	}
	if p.Queue == "" {
		p.Queue = wait.Step // a session from before queues were told, or taken out of a flow without
	}
	if p.Served {
		p.Position, p.AtLeast, p.AtMost, p.Agent = 0, 0, 0, besideLine(s).Agent
		return p
	}
	for _, o := range wait.Options {
		p.Offers = append(p.Offers, chat.Offer{Keys: o.Keys, What: o.Label, Label: flow.Offered(s.Lang, o.Label)})
	}
	return p
}

// same reports whether the customer would see no difference.
func same(a, b chat.Place) bool {
	offers := slices.Equal(a.Offers, b.Offers)
	a.Offers, b.Offers = nil, nil
	return offers && a.Queue == b.Queue && a.Position == b.Position && a.AtLeast == b.AtLeast && a.AtMost == b.AtMost && a.Served == b.Served && a.Agent == b.Agent
}

// Place is how a conversation stands in line now: the offers and who serves as its session
// has them, and the place at, if it is not nil, in the place of the one that was stored. It
// writes nothing and waits for nobody's turn; ok is false if it is in no line here. One whose
// step waits for an officer is in the line at. One that
// stands beside a call is served while an agent has its caller.
func (d *Driver) Place(ctx context.Context, id tandem.ConversationID, at *flow.Place) (p *chat.Place, ok bool) {
	st, err := d.load(ctx, string(id), "")
	if err == nil && st.elsewhere {
		if s, ok, err := d.besideCall(ctx, &st); err == nil && ok && s.WithAgent() {
			now := standing(s)
			now.Served = true
			return &now, true
		}
	}
	if err != nil || st.dropped() || st.elsewhere || st.released || len(st.s.Frames) == 0 {
		return nil, false
	}
	if at != nil && proving(st.s) {
		return &chat.Place{Queue: at.Queue, Position: at.Position, AtLeast: at.AtLeast, AtMost: at.AtMost}, true
	}
	if st.s.Line().Kind != flow.WaitQueue {
		return nil, false
	}
	if at != nil && st.s.Asked == nil {
		st.s.Wait.Place = at
	}
	now := standing(st.s)
	return &now, true
}
