package text

import (
	"context"
	"errors"
	"fmt"

	"tandem"
	"tandem/bridge/chat"
	"tandem/ivr/flow"
	"tandem/store"
)

// commit makes the turn durable, and then shows what it said to all who look on. On an
// error nothing was done, and the turn is of no use any more.
func (t *turn) commit(ctx context.Context) error {
	if len(t.notes) == 0 && !t.changed && t.record == nil {
		return nil
	}
	if err := t.assured(ctx); err != nil {
		return err
	}
	var err error
	if t.st.deaf() {
		err = t.writeDeaf(ctx)
	} else {
		unlock := t.d.o.Book.Lock(t.st.conv.ID)
		defer unlock()
		err = t.write(ctx)
	}
	if err != nil {
		if !errors.Is(err, store.ErrDuplicate) && !errors.Is(err, store.ErrUnavailable) { // what is at hand may be wrong
			t.d.memory.forget(t.st.key())
		}
		if errors.Is(err, errPointed) && len(t.was.Frames) > 0 {
			t.d.timers.set(t.interaction, t.now) // it ends
		}
		return err
	}
	t.keep()
	if t.st.deaf() {
		return nil
	}
	frames := make([]chat.Frame, 0, len(t.entries)+2)
	for _, e := range t.entries {
		frames = append(frames, e)
	}
	if now := standing(t.st.s); !same(standing(t.was), now) || t.arrived && now.Queue != "" {
		frames = append(frames, now)
	}
	if t.closed != "" {
		frames = append(frames, chat.Over{})
	}
	t.d.o.Book.Publish(t.st.conv.ID, frames...)
	return nil
}

// errPointed says that somebody has pointed the conversation at another interaction since
// the turn began.
var errPointed = errors.New("the conversation goes on with another interaction")

// write commits the change of a conversation, whose lock is held. What is at hand of it may
// be old, since others add messages and point it elsewhere: the change itself looks, and
// then the conversation is read again. For texts it is read at once: letters are not
// written twice.
func (t *turn) write(ctx context.Context) error {
	for fresh := t.st.conv.Channel == tandem.SMS; ; fresh = true {
		was := t.st.stored
		if fresh {
			now, err := t.d.o.Book.Find(ctx, was.ID)
			if err != nil {
				return err
			}
			if now.Interaction != was.Interaction {
				return errPointed
			}
			was = now
		}
		c := was
		c.Interaction, c.Leg, c.Lang = t.st.conv.Interaction, t.st.conv.Leg, t.st.conv.Lang
		if c.Theirs == "" {
			c.Theirs = t.st.conv.Theirs
		}
		if t.closed != "" {
			c.Interaction = ""
		}
		err := t.writeOn(ctx, &was, &c)
		if errors.Is(err, chat.ErrStale) && !fresh {
			continue
		}
		if err == nil {
			t.st.conv, t.st.stored = c, c
		}
		return err
	}
}

// writeOn commits the change on a conversation as it was.
func (t *turn) writeOn(ctx context.Context, was, c *chat.Conversation) error {
	letters, err := t.number(ctx, c)
	if err != nil {
		return err
	}
	change, err := t.change(letters)
	if err != nil {
		return err
	}
	var adds []chat.Adding
	for i := range t.notes {
		if m := t.notes[i].message; m != nil {
			adds = append(adds, chat.Adding{Message: &m.m, Event: &change.Events[i], State: m.state, Error: m.rule})
		}
	}
	c.Taken = c.Seq
	if len(t.st.held) > 0 {
		c.Taken = t.st.held[0].seq - 1
	}
	change.With = func(tx store.Tx) (err error) {
		if change.Interaction != nil {
			c.Customer = change.Interaction.Customer
		}
		t.entries, err = t.d.o.Book.Write(tx, was, c, adds)
		return err
	}
	return t.d.o.Store.Commit(ctx, change)
}

// writeDeaf commits the change of a session that nobody listens to.
func (t *turn) writeDeaf(ctx context.Context) error {
	change, err := t.change(nil)
	if err != nil {
		return err
	}
	return t.d.o.Store.Commit(ctx, change)
}

// assured notes on the leg what the customer has proved.
func (t *turn) assured(ctx context.Context) error {
	now, was := &t.st.s.Facts, &t.was.Facts
	if t.st.deaf() || len(t.legs) > 0 || !t.st.runs() || now.Assurance == was.Assurance && now.AssuranceUntil.Equal(was.AssuranceUntil) {
		return nil
	}
	leg, err := t.d.o.Store.Leg(ctx, t.leg)
	if err != nil {
		return err
	}
	leg.Assurance, leg.AssuranceUntil = now.Assurance, now.AssuranceUntil
	t.legs = append(t.legs, leg)
	return nil
}

// number gives the turn's messages their numbers and, where they go by text, their letters.
func (t *turn) number(ctx context.Context, c *chat.Conversation) ([]store.Outgoing, error) {
	var letters []store.Outgoing
	for i := range t.notes {
		m := t.notes[i].message
		if m == nil {
			continue
		}
		m.m.Conversation, m.m.Seq = c.ID, t.d.o.Book.Next(c)
		if m.m.From == tandem.SenderCustomer || c.Channel != tandem.SMS {
			continue
		}
		carried := m.m
		if m.clear != "" {
			carried.Text = m.clear
		}
		letter, err := t.d.o.World.Letter(ctx, *c, &carried, m.m.Lang)
		if err != nil {
			if errors.Is(err, store.ErrUnavailable) || ctx.Err() != nil {
				return nil, fmt.Errorf("writing a text: %w", err)
			}
			if t.strict {
				return nil, err
			}
			m.state, m.rule, t.letter = tandem.MessageFailed, rule(err), err
			t.note(tandem.EventReceipt, "system", tandem.Receipt{Conversation: c.ID, Seq: m.m.Seq, State: m.state, Error: m.rule + ": " + err.Error()})
			continue
		}
		m.state = tandem.MessagePending
		letters = append(letters, *letter)
	}
	for i := range t.st.held {
		if t.st.held[i].fresh {
			t.st.held[i].seq = t.heard.m.Seq
		}
	}
	return letters, nil
}

// rule names the rule by which a text may not be sent.
func rule(err error) string {
	var refused interface{ Refusal() string }
	if errors.As(err, &refused) {
		return refused.Refusal()
	}
	return "failed"
}

// change is what the turn writes but for the conversation's rows.
func (t *turn) change(letters []store.Outgoing) (*store.Change, error) {
	c := &store.Change{Of: t.interaction, Interaction: t.record, Caller: t.caller, Legs: t.legs, Outbox: letters, EndSession: t.closed != ""}
	c.Living = !t.st.erased // what is still at hand of an erased customer must not go on
	c.Events = make([]tandem.Event, 0, len(t.notes))
	for _, n := range t.notes {
		data := n.data
		if n.message != nil {
			data = &n.message.m
		}
		leg := t.leg
		if n.leg != "" {
			leg = n.leg
		}
		c.Events = append(c.Events, tandem.NewEvent(t.interaction, leg, t.now, n.kind, n.actor, data))
	}
	if t.said != nil {
		for _, b := range t.said.Blobs {
			b.Interaction = t.interaction
			c.Blobs = append(c.Blobs, b)
		}
	}
	if t.changed && t.closed == "" {
		s := t.st.s
		if len(t.stored.Frames) > 0 {
			s = t.stored
		}
		data, err := flow.Encode(s)
		if err != nil {
			return nil, err
		}
		c.Session = &store.SessionRecord{Data: data, At: t.now, Due: dueOf(s, t.now)}
	}
	return c, nil
}

// keep remembers the state as it is now, and when it is due.
func (t *turn) keep() {
	d := t.d
	if t.st.elsewhere { // it has another lane
		return
	}
	d.mu.Lock()
	if d.touched != nil {
		d.touched[t.interaction] = struct{}{}
	}
	d.mu.Unlock()
	if t.changed {
		t.st.at = t.now
	}
	for i := range t.st.held {
		t.st.held[i].fresh = false
	}
	if len(t.stored.Frames) > 0 {
		t.st.s = flow.Session{}
	}
	d.timers.set(t.interaction, dueOf(t.st.s, t.st.at))
	st := t.st
	d.memory.put(&st)
	if d.o.Tally != nil {
		for _, n := range t.notes {
			if n.message == nil {
				d.o.Tally(t.now, n.data)
			}
		}
	}
}
