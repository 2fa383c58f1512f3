package text

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tandem"
	"tandem/bridge/chat"
	"tandem/ivr/flow"
	"tandem/ivr/flow/engine"
	"tandem/store"
)

// turn is one durable change in the making: what comes in, the engine's steps, and what
// is said. Nothing of it is seen by anybody before commit.
type turn struct {
	d   *Driver
	now time.Time
	st  state        // as it becomes
	was flow.Session // as it is stored

	interaction tandem.InteractionID // that the turn writes to
	leg         tandem.LegID
	record      *tandem.Interaction // to be written; nil = it stays
	caller      *tandem.Identity    // of a new interaction
	legs        []tandem.Leg
	story       *store.Story // as it was before; nil = not read
	notes       []note
	said        *Said
	heard       *message // what was said, as it is kept

	plays    []flow.Play // not shown yet
	enters   string      // what a talk asks to be entered
	ask      flow.Effect // what the session waits for, to be begun
	told     []flow.Told // what came of steps that agents asked
	takes    []flow.Take // offers of the line that were taken, to be begun
	strict   bool        // a text that may not be sent fails the turn, with the reason
	letter   error       // why a text of the turn may not be sent; nil = none was refused
	refused  string      // a verb that nobody here carries out
	finish   *flow.Finish
	goOn     *flow.Turn    // an earlier interaction goes on in this one's place
	stored   flow.Session  // what is stored instead of st.s, if it has frames
	changed  bool          // the session
	closed   string        // the outcome of an interaction that ends with this turn
	arrived  bool          // the session has come here from elsewhere
	inLine   bool          // and it waits in line
	withdraw bool          // what was asked for is not wanted any more
	entries  []*chat.Entry // of the turn's messages, once it is durable
}

// note is an event to be: a message, or anything else.
type note struct {
	kind    tandem.EventKind
	actor   string
	leg     tandem.LegID // "" = the turn's
	data    any
	message *message
}

// message is one to be added.
type message struct {
	m     tandem.Message
	state tandem.MessageState
	clear string // what the letter of a masked message says
	rule  string // that forbids its letter: a word
}

// turn begins one on a copy of the state.
func (d *Driver) turn(st state) *turn {
	t := &turn{d: d, now: d.o.Now(), st: st, was: st.s, interaction: st.conv.Interaction, leg: st.conv.Leg,
		notes: make([]note, 0, 8)}
	t.st.held = slices.Clone(st.held)
	if t.st.runs() && t.st.s.Facts.Customer == "" { // made together with the interaction
		t.st.s.Facts.Customer = string(st.conv.Customer)
	}
	return t
}

func (t *turn) note(kind tandem.EventKind, actor string, data any) {
	t.notes = append(t.notes, note{kind: kind, actor: actor, data: data})
}

// hear takes down what the customer said. A secret is masked at once.
func (t *turn) hear(s *Said) {
	m := tandem.Message{
		Channel: t.st.conv.Channel, From: tandem.SenderCustomer, Client: s.Client, Lang: t.st.conv.Lang, Text: s.Text, Attachment: s.Attachment,
	}
	if t.st.runs() && listens(t.st.s) && t.st.s.Wait.Secret && s.Text != "" {
		m.Secret, m.Text = true, masked(s.Text)
	}
	t.said, t.heard = s, &message{m: m, state: tandem.MessageSent}
	t.notes = append(t.notes, note{kind: tandem.EventMessage, actor: "caller", message: t.heard})
}

// hold keeps what was said till the flow listens, which is soon. What is said while a page
// is open, or on the way to another channel, is none of the answers to what comes minutes
// later: it is passed over. When too much is held the oldest is.
func (t *turn) hold() {
	if k := t.st.s.Wait.Kind; t.said.Text == "" || k == flow.WaitLink || k == flow.WaitHandoff {
		return
	}
	t.st.held = append(t.st.held, heldText{text: t.said.Text, via: t.said.Via, fresh: true})
	if len(t.st.held) > maxHeld {
		t.st.held = t.st.held[1:]
	}
}

// advance tells the engine what happened.
func (t *turn) advance(in flow.Input) {
	in.At = t.now
	t.step(func() (flow.Session, []flow.Effect, error) { return engine.Advance(t.st.lib, t.st.s, in) })
}

// answer is advance for the answer to the present wait.
func (t *turn) answer(in flow.Input) {
	in.Serial = t.st.s.Wait.Serial
	t.advance(in)
}

// step takes one step of the engine. What goes wrong in it is this session's end, and
// nobody else's.
func (t *turn) step(engine func() (flow.Session, []flow.Effect, error)) {
	s, effects, err := t.d.ran(engine)
	if err != nil {
		t.st.broken = err.Error()
		return
	}
	if s.Serial != t.st.s.Serial || len(s.Frames) == 0 {
		t.ask, t.takes, t.refused = nil, nil, ""
	}
	before, now := t.st.s.Wait, s.Wait
	t.changed = t.changed || proved(t.st.s.Facts, s.Facts) || len(effects) > 0 || s.Serial != t.st.s.Serial || now.Opened != before.Opened || now.Place != before.Place || now.Served != before.Served
	t.st.s = s
	for _, e := range effects {
		t.collect(e)
	}
}

// proved reports whether something more, or else, is known now of who the customer is.
func proved(before, now flow.Facts) bool {
	return now.Assurance != before.Assurance || !now.AssuranceUntil.Equal(before.AssuranceUntil) || now.Customer != before.Customer || now.Phone != before.Phone
}

// ran runs the engine, whose panics are errors here.
func (d *Driver) ran(engine func() (flow.Session, []flow.Effect, error)) (s flow.Session, effects []flow.Effect, err error) {
	defer d.contain("flow", &err)
	return engine()
}

// collect notes what an effect asks for.
func (t *turn) collect(e flow.Effect) {
	switch e := e.(type) {
	case flow.Play:
		t.play(e)
	case flow.Trace:
		actor := "flow"
		if e.Kind == tandem.EventInput {
			actor = "caller"
		}
		t.note(e.Kind, actor, e.Data)
	case flow.Promise:
		t.note(e.Kind, "flow", e.Data)
	case flow.Speak:
		t.st.conv.Lang = e.Lang
	case flow.Finish:
		t.finish = &e
	case flow.Cut, flow.Hush:
		// What was written stays; the wait says what is a secret.
	case flow.Take:
		t.took(e)
	case flow.Told:
		t.told = append(t.told, e)
	case flow.Fetch, flow.Send, flow.SendLink, flow.Move, flow.Book, flow.Identify, flow.Resume, flow.Enqueue, flow.OpenTicket, flow.Survey:
		t.ask = e
	case flow.Connect:
		t.refused = "transfer"
	case flow.Record:
		t.refused = "a recording"
	}
}

// tell says something in the program's own words, at once. A text with a secret is masked
// in the journal; in a chat it stands as it is, since whoever looks again must find it.
func (t *turn) tell(p flow.Play) {
	c := &t.st.conv
	m := &message{state: tandem.MessageSent, m: tandem.Message{Channel: c.Channel, From: tandem.SenderSystem, Lang: p.Lang, Text: flow.Text(p.Parts)}}
	if p.Secret && c.Channel != tandem.Chat {
		m.clear, m.m.Text, m.m.Secret = m.m.Text, masked(m.m.Text), true
	}
	if t.st.deaf() {
		t.note(tandem.EventPrompt, "system", tandem.Prompted{Step: t.st.s.Wait.Step, Name: p.Name, Lang: p.Lang, Text: m.m.Text})
		return
	}
	t.notes = append(t.notes, note{kind: tandem.EventMessage, actor: "system", message: m})
}

// masked stands for a secret: a dot for each character.
func masked(s string) string { return strings.Repeat("•", utf8.RuneCountInString(s)) }

// play says something: to nobody, if nobody listens any more.
func (t *turn) play(p flow.Play) {
	if t.st.deaf() {
		t.note(tandem.EventPrompt, "flow", tandem.Prompted{Step: p.Step, Name: p.Name, Lang: p.Lang, Text: flow.Text(p.Parts)})
		return
	}
	t.plays = append(t.plays, p)
}

// settle goes on until the session waits for something that is not at hand, or ends.
func (t *turn) settle(ctx context.Context) error {
	for range maxPasses {
		switch {
		case t.st.broken != "":
			return t.breakOff(ctx)
		case t.finish != nil:
			return t.end(ctx)
		case t.st.deaf() && t.needsEar():
			t.advance(flow.Input{Kind: flow.InputLeft})
		case t.refused != "":
			t.answer(flow.Input{Kind: flow.InputFault, Text: t.refused + " is not carried out here"})
		case t.takesHeld():
			t.show()
			next := t.st.held[0]
			t.st.held = t.st.held[1:]
			t.advance(flow.Input{Kind: flow.InputText, Text: next.text, Via: via(next.via)})
		default:
			t.show()
			t.keepTakes()
			return nil
		}
	}
	t.st.broken = fmt.Sprintf("%d steps without an end", maxPasses)
	return t.breakOff(ctx)
}

// takesHeld reports whether the session takes a message that was held. Where a secret is
// asked for, and where it is the world that asks, what was written before is no answer and
// is passed over.
func (t *turn) takesHeld() bool {
	if !listens(t.st.s) {
		return false
	}
	if t.st.s.Wait.Secret || talking(t.st.s) {
		t.st.held = nil
	}
	return len(t.st.held) > 0
}

func via(s string) string {
	if s == "" {
		return "text"
	}
	return s
}

// needsEar reports that what the session waits for cannot be waited for when nobody
// listens. A survey that is asked later can be.
func (t *turn) needsEar() bool {
	if e, later := t.ask.(flow.Survey); later && e.After > 0 {
		return false
	}
	return needsEar(t.st.s.Wait.Kind)
}

// needsEar reports the kinds of which that is so.
func needsEar(k flow.WaitKind) bool {
	switch k {
	case flow.WaitHTTP, flow.WaitMessage, flow.WaitLink, flow.WaitHandoff, flow.WaitCallback, flow.WaitTicket, flow.WaitNone:
		return false
	}
	return true
}

// show makes messages of what was said and of the wait after it.
func (t *turn) show() {
	if t.st.deaf() || len(t.plays) == 0 {
		return
	}
	w := t.st.s.Wait
	if talking(t.st.s) {
		w.Kind = flow.WaitListen
	}
	channel := t.st.conv.Channel
	for _, shown := range flow.Render(channel, t.st.s.Lang, t.plays, w) {
		if shown.Place { // it is no message: see standing, and placeText
			continue
		}
		m := &message{state: tandem.MessageSent, m: tandem.Message{
			Channel: channel, From: tandem.SenderFlow, Lang: t.st.s.Lang, Text: shown.Text, Image: shown.Image, AsksSecret: shown.Secret,
		}}
		if shown.Secret {
			m.m.Entry = t.enters
		}
		for _, o := range shown.Buttons {
			m.m.Buttons = append(m.m.Buttons, tandem.Button{Keys: o.Keys, Label: o.Label})
		}
		if channel == tandem.SMS {
			t.text(m)
		} else {
			t.notes = append(t.notes, note{kind: tandem.EventMessage, actor: "flow", message: m})
		}
	}
	t.plays = nil
}

// text adds to the one text of a turn: texts cost, and may overtake each other. A picture
// alone is none.
func (t *turn) text(m *message) {
	if m.m.Text == "" {
		return
	}
	for i, n := range t.notes {
		if n.message != nil && n.message.m.From == tandem.SenderFlow {
			m.m.Text = n.message.m.Text + "\n" + m.m.Text
			t.notes = slices.Delete(t.notes, i, i+1)
			break
		}
	}
	t.notes = append(t.notes, note{kind: tandem.EventMessage, actor: "flow", message: m})
}

// end closes the interaction of a flow that is done.
func (t *turn) end(ctx context.Context) error {
	t.show()
	reason := tandem.ReasonCompleted
	if t.finish.Failed {
		reason = tandem.ReasonFlowError
	}
	return t.close(ctx, t.finish.Reason, tandem.Terminate(tandem.ByFlow, reason))
}

// breakOff closes the interaction of a session that cannot go on.
func (t *turn) breakOff(ctx context.Context) error {
	t.show()
	t.note(tandem.EventFlowError, "system", tandem.FlowFault{Step: t.st.s.Wait.Step, Message: t.st.broken})
	t.withdraw = wanted(t.was)
	t.d.log.Error("a flow could not go on", "interaction", t.interaction, "leg", t.leg, "error", t.st.broken)
	return t.close(ctx, flow.ReasonError, tandem.Terminate(tandem.BySystem, tandem.ReasonFlowError))
}

// close ends the customer's legs here and closes the interaction, as the end of a call
// does. The conversation stays: the customer's next message begins another.
func (t *turn) close(ctx context.Context, outcome string, why tandem.Termination) error {
	if t.story == nil {
		story, err := t.d.o.Store.Interaction(ctx, string(t.interaction))
		if err != nil {
			return err
		}
		t.story, t.record = &story, &story.Interaction
	}
	for _, l := range t.story.Legs { // texts beside a chat are one of their own
		written := l.Kind == tandem.LegChat || l.Kind == tandem.LegSMS
		if written && l.Ended.IsZero() && !slices.ContainsFunc(t.legs, func(o tandem.Leg) bool { return o.ID == l.ID }) {
			t.legs = append(t.legs, l)
		}
	}
	for i := range t.legs {
		l := &t.legs[i]
		if l.Ended, l.Termination = t.now, why; l.ID == t.leg {
			l.Assurance, l.AssuranceUntil = t.st.s.Facts.Assurance, t.st.s.Facts.AssuranceUntil
		}
		t.notes = append(t.notes, note{kind: tandem.EventLegEnded, actor: "system", leg: l.ID, data: why})
	}
	in := *t.record
	in.State, in.Ended, in.Outcome = tandem.Closed, t.now, outcome
	if t.st.s.Lang != "" {
		in.Lang = t.st.s.Lang
	}
	t.record = &in
	t.note(tandem.EventClosed, "system", tandem.Closing{Outcome: outcome, Termination: why})
	t.closed, t.ask, t.takes, t.st.held = outcome, nil, nil, nil
	t.st.s = flow.Session{Facts: t.st.s.Facts, Lang: t.st.s.Lang}
	return nil
}

// wanted reports a session that has asked something of the world: for its wait, or for the
// one behind it.
func wanted(s flow.Session) bool { return asks(s.Wait.Kind) || s.Asked != nil }

// asks reports a wait for something that was asked of the world and can be withdrawn.
func asks(k flow.WaitKind) bool {
	switch k {
	case flow.WaitMessage, flow.WaitLink, flow.WaitHandoff, flow.WaitCallback, flow.WaitIdentify, flow.WaitResume, flow.WaitQueue, flow.WaitSurvey:
		return true
	}
	return false
}

// panicked tells of a panic, where it happened.
func (d *Driver) panicked(what string, p any) {
	if d.o.Panicked != nil {
		d.o.Panicked(what, p)
		return
	}
	d.log.Error("a fault of ours in a conversation", "in", what, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
}
