package text

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"tandem"
	"tandem/bridge/chat"
	"tandem/ivr/flow"
	"tandem/store"
)

// state is what is known of a conversation between two turns.
type state struct {
	conv   chat.Conversation // without ID for a session that nobody listens to
	stored chat.Conversation // conv as it was read or written last: others may have changed it since
	s      flow.Session      // without Frames if none runs here
	at     time.Time         // when it was stored
	lib    *flow.Library
	held   []heldText

	elsewhere bool           // the interaction goes on by another leg
	there     tandem.Channel // by which; "" = it is on its way
	back      bool           // and may come back from there
	awaited   bool           // what the customer writes here is how they come here
	released  bool           // nobody has taken over yet what was handed over
	orphan    bool           // its conversation goes on with another interaction
	erased    bool           // its customer is erased
	broken    string         // why the session cannot go on
	received  int            // the wait during which a picture was acknowledged last
}

// dropped reports that the session's interaction is to be closed, whatever happens.
func (st *state) dropped() bool { return st.erased || st.orphan || st.broken != "" }

// heldText is a message that the flow has not taken yet.
type heldText struct {
	seq   uint64
	text  string
	via   string
	fresh bool // it gets its number with this turn
}

// deaf reports that nobody listens any more.
func (st *state) deaf() bool { return st.conv.ID == "" }

// runs reports that a session runs here.
func (st *state) runs() bool { return len(st.s.Frames) > 0 }

// key is the lane's name.
func (st *state) key() string {
	if st.deaf() {
		return string(st.conv.Interaction)
	}
	return string(st.conv.ID)
}

// ref says whose session this is.
func (st *state) ref() Ref {
	c := &st.conv
	r := Ref{
		Interaction: c.Interaction, Leg: c.Leg, Customer: c.Customer, Channel: c.Channel, Conversation: c.ID,
		Number: st.s.Facts.Number, Entry: st.s.Facts.Entry, Caller: c.Theirs, Lang: st.s.Lang,
	}
	if st.deaf() {
		r.Channel, r.Caller = st.s.Facts.Channel, st.s.Facts.Caller
	}
	if st.s.Facts.Customer != "" { // it may have been found out since
		r.Customer = tandem.CustomerID(st.s.Facts.Customer)
	}
	return r
}

// talking reports that the world holds a talk with the customer; one that is still to
// begin has no state.
func talking(s flow.Session) bool {
	k := s.Wait.Kind
	return (k == flow.WaitIdentify || k == flow.WaitResume || k == flow.WaitSurvey) && s.World != nil
}

// listens reports that what the customer writes is taken now: while an agent has them, by
// the agent alone.
func listens(s flow.Session) bool {
	return s.Wait.Kind == flow.WaitListen || s.Wait.Kind == flow.WaitQueue || talking(s)
}

// dueOf is when the wait of a session that was stored at a time ends by itself; zero = never.
func dueOf(s flow.Session, at time.Time) time.Time {
	var d time.Time
	if listens(s) && s.Wait.Timeout > 0 {
		d = at.Add(s.Wait.Timeout)
	}
	if until := s.Wait.Until; !until.IsZero() && (d.IsZero() || until.Before(d)) {
		d = until
	}
	return d
}

// load finds the state of a lane. The caller has its turn, and gets a copy.
func (d *Driver) load(ctx context.Context, key string, id tandem.InteractionID) (state, error) {
	if st := d.memory.get(key); st != nil {
		return *st, nil
	}
	if key == string(id) {
		return d.loadDeaf(ctx, id)
	}
	conv, err := d.o.Book.Find(ctx, tandem.ConversationID(key))
	if err != nil {
		return state{}, err
	}
	st := state{conv: conv, stored: conv}
	if conv.Interaction == "" {
		return st, nil
	}
	if err := d.loadSession(ctx, &st); err != nil {
		return st, err
	}
	if !st.runs() || st.s.Facts.Channel != conv.Channel {
		return st, d.missing(ctx, &st)
	}
	if err := d.loadLibrary(ctx, &st); err != nil {
		return st, err
	}
	return st, d.loadHeld(ctx, &st)
}

// loadSession reads the stored session of the state's interaction, if there is one.
func (d *Driver) loadSession(ctx context.Context, st *state) error {
	data, at, err := d.o.Store.Session(ctx, st.conv.Interaction)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	s, err := flow.Decode(data)
	if err != nil {
		st.broken = err.Error()
		return nil
	}
	st.s, st.at = s, at
	return nil
}

// loadLibrary finds the library the state's session began with.
func (d *Driver) loadLibrary(ctx context.Context, st *state) (err error) {
	st.lib, err = d.library(ctx, st.s)
	if tandem.CodeOf(err) == tandem.CodeNotFound || tandem.CodeOf(err) == tandem.CodeConflict {
		st.broken, err = err.Error(), nil
	}
	return err
}

// library is the one the session began with.
func (d *Driver) library(ctx context.Context, s flow.Session) (*flow.Library, error) {
	first := s.Frames[0]
	lib, err := d.o.World.Library(ctx, first.Flow, first.Hash)
	if err != nil {
		return nil, fmt.Errorf("looking for the flow %s as it was: %w", first.Flow, err)
	}
	return lib, nil
}

// missing finds out why the session of a conversation's interaction does not run here.
func (d *Driver) missing(ctx context.Context, st *state) error {
	story, err := d.o.Store.Interaction(ctx, string(st.conv.Interaction))
	if err != nil {
		return err
	}
	alone := st.runs() && st.s.Facts.Channel == tandem.Voice // with nobody who listens, if no call is up
	other := st.runs() && !alone
	broken, runs := st.broken, st.s
	st.s, st.broken = flow.Session{}, ""
	switch {
	case !story.Interaction.Ended.IsZero():
		st.conv.Interaction = ""
	case slices.ContainsFunc(story.Legs, calling):
		st.elsewhere, st.there = true, tandem.Voice
	case other:
		st.elsewhere, st.there, st.back = true, runs.Facts.Channel, runs.Facts.Channel != "" && !runs.WithAgent()
		st.awaited = d.awaits(ctx, runs, st.conv.Channel)
	case !story.Customer.Erased.IsZero():
		st.erased = true
	case alone:
		st.conv.Interaction = ""
	case broken != "":
		st.broken = broken
	default:
		st.broken = "its session is lost"
	}
	return nil
}

// awaits reports whether a session waits for its customer to write on a channel, and to go
// on by that.
func (d *Driver) awaits(ctx context.Context, s flow.Session, here tandem.Channel) bool {
	switch {
	case here != tandem.SMS: // to a chat they come by a link
		return false
	case queues(s):
		return !s.Wait.Served && Took(s, string(here))
	case s.Wait.Kind != flow.WaitHandoff:
		return false
	}
	lib, err := d.library(ctx, s)
	if err != nil {
		return false
	}
	at := s.Frames[len(s.Frames)-1]
	program := lib.Flows[at.Flow]
	if program == nil || program.Steps[at.Step] == nil {
		return false
	}
	to, ok := program.Steps[at.Step].Verb.(*flow.Handoff)
	return ok && to.To == here
}

// calling reports a call that is up.
func calling(l tandem.Leg) bool {
	return l.Ended.IsZero() && (l.Kind == tandem.LegSIP || l.Kind == tandem.LegWebRTC)
}

// loadDeaf finds the state of a session that nobody listens to.
func (d *Driver) loadDeaf(ctx context.Context, id tandem.InteractionID) (state, error) {
	st := state{conv: chat.Conversation{Interaction: id}}
	story, err := d.o.Store.Interaction(ctx, string(id))
	if err != nil {
		return st, err
	}
	if !story.Interaction.Ended.IsZero() || slices.ContainsFunc(story.Legs, calling) {
		return st, nil
	}
	if n := len(story.Legs); n > 0 {
		st.conv.Leg = story.Legs[n-1].ID
	}
	st.conv.Customer, st.erased = story.Interaction.Customer, !story.Customer.Erased.IsZero()
	if err := d.loadSession(ctx, &st); err != nil || !st.runs() {
		return st, err
	}
	if err := d.loadLibrary(ctx, &st); err != nil {
		return st, err
	}
	switch st.s.Facts.Channel {
	case tandem.Voice:
	case "":
		st.released, st.s.Facts.Channel = true, tandem.Voice
	default: // of a conversation: it was taken over as this was waiting, or that goes on with another interaction
		_, err := d.o.Book.ByInteraction(ctx, id, st.s.Facts.Channel)
		switch {
		case err == nil:
			st.elsewhere, st.there, st.s = true, st.s.Facts.Channel, flow.Session{}
		case errors.Is(err, store.ErrNotFound):
			st.orphan = true
		default:
			return st, err
		}
	}
	return st, nil
}

// loadHeld finds the messages that the flow has not taken.
func (d *Driver) loadHeld(ctx context.Context, st *state) error {
	for rev := st.conv.Taken; st.conv.Taken < st.conv.Seq; {
		entries, err := d.o.Book.Since(ctx, st.conv.ID, rev, 0) // a message's Rev is never below its Seq
		if err != nil {
			return err
		}
		if len(entries) == 0 {
			break
		}
		for i := range entries {
			rev = entries[i].Rev
			if m := &entries[i].Message; m.From == tandem.SenderCustomer && m.Seq > st.conv.Taken && m.Text != "" && !m.Secret {
				st.held = append(st.held, heldText{seq: m.Seq, text: m.Text})
			}
		}
	}
	slices.SortFunc(st.held, func(a, b heldText) int { return int(a.seq) - int(b.seq) })
	if over := len(st.held) - maxHeld; over > 0 {
		st.held = st.held[over:]
	}
	return nil
}

// where is the lane in which an interaction runs; "" = not here.
func (d *Driver) where(ctx context.Context, id tandem.InteractionID) (string, error) {
	if key, ok := d.memory.where(id); ok {
		return key, nil
	}
	data, _, err := d.o.Store.Session(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	s, err := flow.Decode(data)
	if err == nil && (s.Facts.Channel == tandem.Voice || s.Facts.Channel == "") { // on a call, which load finds out, or with nobody who listens
		return string(id), nil
	}
	channels := []tandem.Channel{s.Facts.Channel}
	if err != nil { // whoever finds it broken ends it
		channels = []tandem.Channel{tandem.Chat, tandem.SMS}
	}
	for _, channel := range channels {
		c, err := d.o.Book.ByInteraction(ctx, id, channel)
		if err == nil {
			return string(c.ID), nil
		}
		if !errors.Is(err, store.ErrNotFound) {
			return "", err
		}
	}
	return string(id), nil
}
