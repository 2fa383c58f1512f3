package text

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/engine"
	"tandem/store"
)

// Adopt goes on here with a session that ran on a call or in another conversation: with an
// input, by a handoff that the customer accepted; without, by asking again where it was,
// with what they have shown here. What the conversation had before is ended. Done twice, it
// does nothing more. A session that runs in another conversation is Released first:
// tandem.CodeConflict.
func (d *Driver) Adopt(ctx context.Context, id tandem.ConversationID, s flow.Session, in *flow.Input, why Adopted) error {
	return d.adopt(ctx, id, s, in, why, false)
}

// adopt is Adopt. back says that nobody has come for the session: if somebody has after all,
// or is about to, nothing is done.
func (d *Driver) adopt(ctx context.Context, id tandem.ConversationID, s flow.Session, in *flow.Input, why Adopted, back bool) error {
	if len(s.Frames) == 0 || why.Interaction == "" {
		return tandem.Errorf(tandem.CodeInvalid, "there is no session to go on with")
	}
	ln, err := d.lanes.enter(ctx, string(id))
	if err != nil {
		return err
	}
	ctx, cancel := detach(ctx)
	defer cancel()
	defer d.leave(ctx, ln)
	st, err := d.load(ctx, string(id), "")
	if err != nil {
		return err
	}
	hand, err := d.hands.enter(ctx, string(why.Interaction))
	if err != nil {
		return err
	}
	defer d.hands.exit(hand)
	if back {
		if free, err := d.free(ctx, why.Interaction, s); err != nil || !free {
			return err
		}
	}
	if st.conv.Interaction == why.Interaction && st.runs() {
		return nil
	}
	story, err := d.o.Store.Interaction(ctx, string(why.Interaction))
	switch {
	case err != nil:
		return err
	case !story.Customer.Erased.IsZero():
		return fmt.Errorf("interaction %s: %w", why.Interaction, store.ErrErased)
	}
	if key, err := d.where(ctx, why.Interaction); err != nil {
		return err
	} else if key != "" && key != string(id) && key != string(why.Interaction) {
		return tandem.Errorf(tandem.CodeConflict, "the session runs in another conversation")
	}
	lib, err := d.library(ctx, s)
	if err != nil {
		return err
	}
	next := state{conv: st.conv, stored: st.stored, s: s, lib: lib}
	next.conv.Interaction, next.conv.Customer = why.Interaction, story.Interaction.Customer
	t := d.turn(next)
	t.story, t.arrived = &story, true
	if err := t.adopt(in, why); err != nil {
		return err
	}
	if st.runs() || st.dropped() { // not before it is known that this one can go on
		if err := d.replace(ctx, ln, st, why); err != nil {
			return err
		}
		t.st.stored.Interaction = ""
	}
	if err := t.settle(ctx); err != nil {
		return err
	}
	if err := t.commit(ctx); err != nil {
		return err
	}
	d.memory.forget(string(why.Interaction)) // nobody listened to it
	d.claims.drop(why.Interaction)
	d.after(ctx, ln, t)
	return nil
}

// adopt takes the first step on the conversation's own leg.
func (t *turn) adopt(input *flow.Input, why Adopted) error {
	c := &t.st.conv
	if c.Theirs == "" {
		c.Theirs = why.Theirs
	}
	record := t.story.Interaction
	record.State, record.Ended, record.Outcome = tandem.Open, time.Time{}, ""
	if i := slices.IndexFunc(t.story.Legs, func(l tandem.Leg) bool { return l.ID == t.leg && l.Ended.IsZero() }); i >= 0 {
		t.record, t.legs = &record, []tandem.Leg{t.story.Legs[i]} // a message came to them by it before
	} else {
		t.begin(record)
		t.legStarted()
	}
	moved := tandem.Moved{From: why.From, To: t.leg, Channel: c.Channel, Carried: why.Carried}
	kind := tandem.EventMoved
	if why.Resumed {
		kind = tandem.EventResumed
	}
	t.note(kind, "system", moved)
	f := &t.st.s.Facts
	if input == nil {
		f.Channel, f.Caller, f.Customer, f.Phone = c.Channel, c.Theirs, string(record.Customer), why.Phone
		f.Assurance, f.AssuranceUntil, f.Browser = why.Assurance, why.Until, languages(c.Lang)
		s, effects, err := engine.Resume(t.st.lib, t.st.s, t.now)
		if err != nil {
			return err
		}
		t.step(func() (flow.Session, []flow.Effect, error) { return s, effects, nil })
	} else {
		if input.Kind == flow.InputMoved && f.Channel == tandem.Voice && c.Channel == tandem.Chat {
			t.notes = append(t.notes, note{kind: tandem.EventMessage, actor: "system", message: &message{state: tandem.MessageSent, m: tandem.Message{
				Channel: c.Channel, From: tandem.SenderSystem, Client: "moved:" + string(t.leg), Lang: t.st.s.Lang, Text: fromCallWords(t.st.s.Lang),
			}}})
		}
		t.advance(*input)
		t.lined(*input)
		t.inLine = input.Kind == flow.InputMoved && queues(t.st.s)
	}
	if t.st.broken == "" && t.st.runs() && t.st.s.Facts.Channel != c.Channel {
		return tandem.Errorf(tandem.CodeConflict, "the session goes on by %s, not by %s", t.st.s.Facts.Channel, c.Channel)
	}
	t.changed = true
	t.legs[0].Assurance, t.legs[0].AssuranceUntil = t.st.s.Facts.Assurance, t.st.s.Facts.AssuranceUntil
	return nil
}

// fromCallWords is the first line of a chat that a caller goes on in from the line.
func fromCallWords(lang string) string {
	if strings.HasPrefix(lang, "zh") {
		return "我们在这里继续刚才的通话，您的排队位置已保留。"
	}
	return "We go on here from your phone call. Your place in line is kept."
}

// replace closes the interaction that a conversation had before another came.
func (d *Driver) replace(ctx context.Context, ln *lane, st state, why Adopted) error {
	t := d.turn(st)
	outcome := string(tandem.ReasonMoved)
	if why.Resumed {
		outcome = flow.ReasonResumed
	}
	if err := t.close(ctx, outcome, tandem.Terminate(tandem.BySystem, tandem.ReasonMoved)); err != nil {
		return err
	}
	t.withdraw = wanted(t.was)
	if err := t.commit(ctx); err != nil {
		return err
	}
	d.after(ctx, ln, t)
	return nil
}

// AdoptDeaf goes on with a session whose caller has hung up while a link's page is open:
// what it asks for goes on, what it says is in the journal alone, and as soon as it would
// listen it is told that the customer has left. leg is the one that has ended.
func (d *Driver) AdoptDeaf(ctx context.Context, id tandem.InteractionID, leg tandem.LegID, s flow.Session) error {
	if len(s.Frames) == 0 {
		return tandem.Errorf(tandem.CodeInvalid, "there is no session to go on with")
	}
	ln, err := d.lanes.enter(ctx, string(id))
	if err != nil {
		return err
	}
	ctx, cancel := detach(ctx)
	defer cancel()
	defer d.leave(ctx, ln)
	hand, err := d.hands.enter(ctx, string(id))
	if err != nil {
		return err
	}
	defer d.hands.exit(hand)
	story, err := d.o.Store.Interaction(ctx, string(id))
	if err != nil {
		return err
	}
	st := state{s: s}
	st.conv.Interaction, st.conv.Leg, st.conv.Customer = id, leg, story.Interaction.Customer
	if st.lib, err = d.library(ctx, s); err != nil {
		return err
	}
	t := d.turn(st)
	t.changed = true
	if s.Wait.Kind != flow.WaitLink && !needsEar(s.Wait.Kind) { // what was asked for ended with the call
		t.step(func() (flow.Session, []flow.Effect, error) { return engine.Resume(t.st.lib, t.st.s, t.now) })
	}
	if err := t.settle(ctx); err != nil {
		return err
	}
	if err := t.commit(ctx); err != nil {
		return err
	}
	d.after(ctx, ln, t)
	return nil
}

// Release hands a session over to a call, or to another conversation: it does not run here
// any more. What the customer writes here goes into the interaction's journal as long as
// that is open. If nobody takes the session over within two minutes its customer has left.
// store.ErrNotFound if it does not run here, tandem.CodeConflict if it may not go as it is
// now; may nil = however it is. One that was released before a stop does not run here, and
// is the caller's too: it is not taken back before those two minutes are over.
func (d *Driver) Release(ctx context.Context, id tandem.InteractionID, may func(flow.Wait) bool) (flow.Session, error) {
	for range 3 { // somebody else may take it back to where it ran, just now
		s, err := d.release(ctx, id, may)
		if !errors.Is(err, errTakenBack) {
			return s, err
		}
	}
	return flow.Session{}, fmt.Errorf("letting a session go: %w", errTakenBack)
}

// errTakenBack says that a session runs elsewhere than where it was looked for.
var errTakenBack = errors.New("the session was taken over meanwhile")

// release is one try of Release.
func (d *Driver) release(ctx context.Context, id tandem.InteractionID, may func(flow.Wait) bool) (flow.Session, error) {
	key, err := d.where(ctx, id)
	if err == nil && key == "" {
		err = fmt.Errorf("a session of interaction %s here: %w", id, store.ErrNotFound)
	}
	if err != nil {
		return flow.Session{}, err
	}
	ln, err := d.lanes.enter(ctx, key)
	if err != nil {
		return flow.Session{}, err
	}
	ctx, cancel := detach(ctx)
	defer cancel()
	defer d.leave(ctx, ln)
	hand, err := d.hands.enter(ctx, string(id))
	if err != nil {
		return flow.Session{}, err
	}
	defer d.hands.exit(hand)
	if now, err := d.where(ctx, id); err != nil {
		return flow.Session{}, err
	} else if now != key {
		return flow.Session{}, errTakenBack
	}
	st, err := d.load(ctx, key, id)
	if err != nil {
		return flow.Session{}, err
	}
	if st.released {
		d.claim(id, d.o.Now())
	}
	if st.conv.Interaction != id || !st.runs() || st.released || st.dropped() {
		return flow.Session{}, fmt.Errorf("a session of interaction %s here: %w", id, store.ErrNotFound)
	}
	if may != nil && !may(st.s.Line()) {
		return flow.Session{}, tandem.Errorf(tandem.CodeConflict, "the session goes on where it is")
	}
	t := d.turn(st)
	if st.deaf() {
		d.memory.forget(key)
		d.timers.set(id, dueOf(flow.Session{}, t.now))
		return t.st.s, nil
	}
	leg, err := d.o.Store.Leg(ctx, t.leg)
	if err != nil {
		return flow.Session{}, err
	}
	leg.Ended, leg.Termination = t.now, tandem.Terminate(tandem.ByRemote, tandem.ReasonMoved)
	t.legs = []tandem.Leg{leg}
	t.note(tandem.EventLegEnded, "system", leg.Termination)
	released := t.st.s
	t.stored, t.changed, t.st.held = released, true, nil
	t.stored.Facts.Channel = "" // so that nobody takes it for one that runs here
	if err := t.commit(ctx); err != nil {
		return flow.Session{}, err
	}
	d.claim(id, t.now)
	return released, nil
}
