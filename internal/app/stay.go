package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"tandem"
	"tandem/ivr"
	"tandem/ivr/flow"
	"tandem/ivr/text"
	"tandem/store"
)

// stay is what becomes of a call's session when the call does not end it: it goes on in a
// conversation, or without an ear while a page is open, or lies parked until the caller
// comes back.
type stay struct {
	open   bool         // the interaction goes on
	parked flow.Session // without Frames: none

	deaf *flow.Session // goes on while a page is open

	mu      sync.Mutex
	session flow.Session  // at its present wait
	wait    flow.Wait     // that one, or the one with an agent behind a step that they ask
	changed chan struct{} // closed as wait changes; nil = nobody looks
	asked   int           // steps that agents asked, and that are over
	checked bool          // an officer has the caller, for the check that a step waits for
	over    bool          // the session has left the call
	to      *going        // where the customer is going; nil = nowhere
}

// movable reports whether a session waits, with that serial, in a step out of which its
// customer may go on by another channel: a handoff, or a line in which nobody serves them
// yet, or in which somebody does who keeps them.
func movable(w flow.Wait, serial int, kept bool) bool {
	return w.Serial == serial && (w.Kind == flow.WaitHandoff || w.Kind == flow.WaitQueue && (!w.Served || kept))
}

// going is a customer on the way to a conversation.
type going struct {
	to     tandem.ConversationID
	why    text.Adopted
	serial int        // of the wait they were asked in
	kept   bool       // an agent has them, and goes on with them there
	done   chan error // takes one, what came of it
}

// goTime bounds how long somebody who comes by another channel waits for the call to let
// the session go: prompts are said to their end.
const goTime = 20 * time.Second

// waits notes what the session waits for. Who came for another wait was too late for it.
func (st *stay) waits(s flow.Session) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.session, st.wait = s, s.Line()
	st.tell()
	if g := st.to; g != nil && !movable(st.wait, g.serial, g.kept) {
		st.to = nil
		g.done <- errTooLate
	}
}

// tell wakes who waits for the session to come to another wait; mu is held.
func (st *stay) tell() {
	if st.changed != nil {
		close(st.changed)
		st.changed = nil
	}
}

// check notes whether an officer has the caller.
func (st *stay) check(on bool) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.checked = on
	st.tell()
}

func (st *stay) isChecked() bool {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.checked
}

// untilSession waits until the session is as is says; false if it leaves the call, or ctx
// ends, before.
func (st *stay) untilSession(ctx context.Context, is func(flow.Session) bool) bool {
	for {
		st.mu.Lock()
		if st.over || is(st.session) {
			defer st.mu.Unlock()
			return !st.over
		}
		if st.changed == nil {
			st.changed = make(chan struct{})
		}
		changed := st.changed
		st.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// goOn has a call's session go on in a conversation, if it waits for that, and returns
// when it does.
func (k *call) goOn(ctx context.Context, to tandem.ConversationID, why text.Adopted, accepted flow.Input) error {
	why.From = k.leg.ID
	g := &going{to: to, why: why, serial: accepted.Serial, kept: accepted.Kept, done: make(chan error, 1)}
	k.stay.mu.Lock()
	if !movable(k.stay.wait, g.serial, g.kept) || k.stay.over || k.stay.to != nil {
		k.stay.mu.Unlock()
		return errTooLate
	}
	k.stay.to = g
	k.stay.mu.Unlock()
	if !k.app.live.tell(why.Interaction, accepted) {
		return errTooLate
	}
	ctx, cancel := context.WithTimeout(ctx, goTime)
	defer cancel()
	select {
	case err := <-g.done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("the call did not let the session go: %w", context.Cause(ctx))
	}
}

// goesOn decides what becomes of the session of a call whose flow has been run.
func (k *call) goesOn(ctx context.Context, result ivr.Result) {
	ctx = context.WithoutCancel(ctx)
	k.stay.mu.Lock()
	g := k.stay.to
	k.stay.over = true
	k.stay.tell()
	k.stay.mu.Unlock()
	switch {
	case result.Moved != nil && g != nil:
		err := k.app.talk.Adopt(ctx, g.to, result.Session, result.Moved, g.why)
		k.stay.open = err == nil
		if err != nil {
			k.log.Error("a session could not go on in a conversation; it is parked", "error", err)
			k.stay.parked = result.Session
		}
		g.done <- err
		return
	case result.Moved != nil:
		k.stay.parked = result.Session
	case result.GoesOn:
		k.stay.open, k.stay.deaf = true, &result.Session
	case result.Left && len(result.Session.Frames) > 0:
		k.stay.parked = result.Session
	}
	if g != nil {
		g.done <- errTooLate
	}
}

// park keeps a session that the caller may come back to, in the change that closes the
// interaction.
func (st *stay) park(c *store.Change, until time.Time) {
	if len(st.parked.Frames) == 0 {
		c.EndSession = true
		return
	}
	data, err := flow.Encode(st.parked)
	if err != nil {
		c.EndSession = true
		return
	}
	c.Session, c.Park = &store.SessionRecord{Data: data, At: c.Interaction.Ended}, until
}

// settled lets the session of a caller who hung up go on by what becomes of the page, and
// hands on what came for it meanwhile.
func (st *stay) settled(ctx context.Context, k *call) {
	if st.deaf == nil {
		return
	}
	err := k.app.talk.AdoptDeaf(ctx, k.interaction.ID, k.leg.ID, *st.deaf)
	k.app.live.drop(k.interaction.ID, k) // till now the inbox took what came
	if err != nil {
		k.log.Error("a session could not go on after the call", "error", err)
	}
	for {
		select {
		case in := <-k.inbox:
			k.app.answer(ctx, k.interaction.ID, in)
		default:
			return
		}
	}
}

// recognise looks whose number the call comes from, if its trunk is trusted for that.
func (k *call) recognise(ctx context.Context) {
	if k.leg.From == "" || !k.trusted {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, openTime)
	defer cancel()
	_, level, err := k.app.identity.Recognise(ctx, k.leg.From, true)
	if err != nil {
		k.log.Warn("a caller could not be looked up", "error", err)
		return
	}
	k.leg.Assurance = level
}

// named sets the call's log to its present interaction.
func (k *call) named() {
	k.log = k.app.log.With("interaction", k.interaction.ID, "leg", k.leg.ID)
}

// errStays says that the call stays with its present interaction.
var errStays = errors.New("an earlier interaction cannot be gone on with")

// resume goes on with an earlier interaction on this call, in the place of the present
// one, which ends.
func (k *call) resume(ctx context.Context, present flow.Session, id tandem.InteractionID, t flow.Turn) (ivr.Result, error) {
	s, err := k.becomes(ctx, id, t)
	if errors.Is(err, errStays) { // the present session goes on as if nothing had been found
		k.log.Warn("an earlier interaction could not be gone on with", "earlier", id, "error", err)
		failed := flow.Input{Kind: flow.InputResult, At: k.app.now(), Serial: present.Wait.Serial, Result: &flow.Result{Outcome: "failed"}}
		return k.runner.GoOn(ctx, present, failed)
	}
	if err != nil {
		return ivr.Result{}, err
	}
	return k.runner.Resume(ctx, s)
}

// becomes makes the call a leg of an earlier interaction, whose session it returns.
func (k *call) becomes(ctx context.Context, id tandem.InteractionID, t flow.Turn) (flow.Session, error) {
	letGo, ok := k.app.live.take(id)
	if !ok {
		return flow.Session{}, fmt.Errorf("%w: somebody else goes on with it", errStays)
	}
	defer letGo()
	s, lib, err := k.app.takeOver(ctx, id, tandem.Voice)
	if err != nil {
		return s, fmt.Errorf("%w: %w", errStays, err)
	}
	story, err := k.app.store.Interaction(ctx, string(id))
	if err != nil {
		return s, fmt.Errorf("finding an earlier interaction: %w", err)
	}
	if err := k.leave(ctx); err != nil {
		return s, err
	}
	before := k.leg.ID
	now := k.app.now()
	k.interaction = story.Interaction
	k.interaction.State, k.interaction.Ended, k.interaction.Outcome = tandem.Open, time.Time{}, ""
	k.leg.ID, k.leg.Interaction, k.leg.Started = tandem.NewID[tandem.LegID](now, k.app.random), id, now
	k.leg.Assurance, k.leg.AssuranceUntil = t.Assurance, t.Until // what it has shown of the earlier one's customer
	s.Facts.Channel, s.Facts.Caller, s.Facts.Assurance, s.Facts.AssuranceUntil = tandem.Voice, k.leg.From, k.leg.Assurance, t.Until
	s.Facts.Customer, s.Facts.Phone = string(k.interaction.Customer), provedPhone(t)
	k.stay.parked = s // till it runs: a call that ends before must not end it
	data, err := flow.Encode(s)
	if err != nil {
		return s, fmt.Errorf("keeping the session of an earlier interaction: %w", err)
	}
	err = k.app.store.Commit(ctx, &store.Change{
		Interaction: &k.interaction, Legs: []tandem.Leg{k.leg}, Session: &store.SessionRecord{Data: data, At: now},
		Events: []tandem.Event{
			k.event(tandem.EventLegStarted, k.leg), k.event(tandem.EventLegAnswered, nil),
			k.event(tandem.EventResumed, tandem.Moved{From: before, To: k.leg.ID, Channel: tandem.Voice, Carried: t.Assurance >= tandem.Verified}),
		},
	})
	if err != nil {
		return s, fmt.Errorf("going on with an earlier interaction: %w", err)
	}
	k.stay.parked = flow.Session{}
	k.named()
	k.stay.waits(flow.Session{}) // what the session before waited for says nothing of this one
	k.library, k.runner.Library = lib, lib
	k.emptyInbox()
	k.app.live.put(id, k)
	return s, nil
}

// emptyInbox drops what came for the session before: its waits have the same serials.
func (k *call) emptyInbox() {
	for {
		select {
		case <-k.inbox:
		default:
			return
		}
	}
}

// leave closes the present interaction, of which the call is a leg no more.
func (k *call) leave(ctx context.Context) error {
	k.app.live.drop(k.interaction.ID, k)
	k.app.reach.Withdraw(k.interaction.ID)
	now := k.app.now()
	t := tandem.Terminate(tandem.ByFlow, tandem.ReasonMoved)
	change := &store.Change{}
	if k.recording != nil { // it is there whatever becomes of the rest
		kept := &store.Change{}
		k.recording.keep(kept)
		k.app.store.Settle(kept)
		k.recording = nil
	}
	leg := k.leg
	leg.Ended, leg.Termination = now, t
	k.interaction.State, k.interaction.Ended, k.interaction.Outcome = tandem.Closed, now, flow.ReasonResumed
	change.Interaction, change.Legs, change.EndSession = &k.interaction, []tandem.Leg{leg}, true
	change.Events = append(change.Events, k.event(tandem.EventLegEnded, t))
	k.endBeside(ctx, change, now, t)
	change.Events = append(change.Events, k.event(tandem.EventClosed, tandem.Closing{Outcome: flow.ReasonResumed, Termination: t}))
	if err := k.app.store.Commit(ctx, change); err != nil {
		return errors.Join(errors.New("the present interaction could not be closed"), err)
	}
	return nil
}

// endBeside ends what the interaction has beside its call as that closes it: texts that
// were sent to the caller.
func (k *call) endBeside(ctx context.Context, c *store.Change, now time.Time, t tandem.Termination) {
	ctx, cancel := context.WithTimeout(ctx, openTime)
	defer cancel()
	var ids []tandem.LegID
	err := k.app.store.View(ctx, func(tx store.Tx) error {
		return tx.Each("SELECT id FROM leg WHERE interaction = (SELECT no FROM interaction WHERE id = ?) AND ended = 0 AND kind IN (?, ?)",
			func(row store.Row) error { ids = append(ids, tandem.LegID(row.Text(0))); return nil },
			string(k.interaction.ID), string(tandem.LegSMS), string(tandem.LegChat))
	})
	for _, id := range ids {
		var leg tandem.Leg
		if leg, err = k.app.store.Leg(ctx, id); err != nil {
			break
		}
		leg.Ended, leg.Termination = now, t
		c.Legs = append(c.Legs, leg)
		c.Events = append(c.Events, tandem.NewEvent(k.interaction.ID, id, now, tandem.EventLegEnded, "system", t))
	}
	if err != nil { // the interaction is closed all the same
		k.log.Warn("texts beside a call were not ended with it", "error", err)
	}
}
