package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"tandem"
	"tandem/bridge/chat"
	"tandem/bridge/link"
	"tandem/bridge/reach"
	"tandem/bridge/sms"
	"tandem/ivr/flow"
	"tandem/ivr/text"
	"tandem/store"
)

// live is the calls that run a session, by interaction.
type live struct {
	mu    sync.Mutex
	calls map[tandem.InteractionID]*call
	taken map[tandem.InteractionID]struct{} // on their way from one place to another
}

// maxInbox is how many inputs from outside wait for one call; more are dropped: a link has
// a handful of states, and each can be looked up.
const maxInbox = 32

// errTooLate answers who comes when nobody waits any more.
var errTooLate error = tandem.Errorf(tandem.CodeConflict, "nobody waits for this any more")

// take has one alone bring an interaction's session to another place. Until letGo nobody
// else may; ok is false if somebody else does.
func (l *live) take(id tandem.InteractionID) (letGo func(), ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, taken := l.taken[id]; taken {
		return nil, false
	}
	if l.taken == nil {
		l.taken = map[tandem.InteractionID]struct{}{}
	}
	l.taken[id] = struct{}{}
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.taken, id)
	}, true
}

func (l *live) put(id tandem.InteractionID, k *call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.calls == nil {
		l.calls = map[tandem.InteractionID]*call{}
	}
	l.calls[id] = k
}

// drop forgets a call, unless another runs its interaction meanwhile.
func (l *live) drop(id tandem.InteractionID, k *call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.calls[id] == k {
		delete(l.calls, id)
	}
}

func (l *live) get(id tandem.InteractionID) *call {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.calls[id]
}

// tell puts an input into a call's inbox; false if no call runs the interaction.
func (l *live) tell(id tandem.InteractionID, in flow.Input) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := l.calls[id]
	if k == nil {
		return false
	}
	select {
	case k.inbox <- in:
	default:
		k.log.Warn("an answer was dropped: too many wait for the call", "kind", in.Kind)
	}
	return true
}

// answer brings an answer to the session of an interaction, wherever it runs.
func (a *App) answer(ctx context.Context, id tandem.InteractionID, in flow.Input) {
	if a.live.tell(id, in) {
		return
	}
	if err := a.talk.Deliver(ctx, id, in); err != nil {
		a.log.Warn("an answer could not be handed to its session", "interaction", id, "kind", in.Kind, "error", err)
	}
}

// linkChanged tells the session, and whoever sees the link in a chat, what became of it.
func (a *App) linkChanged(ctx context.Context, l link.Link, s tandem.LinkState, _ map[string]any) {
	if err := a.book.MarkLink(ctx, l.ID, s); err != nil {
		a.log.Warn("a link's state could not be shown in its chat", "link", l.ID, "error", err)
	}
	if a.linkTold(l.Interaction, offeredOf(l), l.Serial) {
		if s.Over() && s != tandem.LinkDone { // who presses it gets the page, and is asked there
			a.faces.unsent(l)
		}
		return
	}
	outcome := string(s)
	if s == tandem.LinkRevoked {
		outcome = string(tandem.LinkExpired)
	}
	if l.Handoff() {
		if s == tandem.LinkOpened || s == tandem.LinkDone {
			return // whoever lets the customer in says so
		}
		a.reach.Over(l.Interaction, l.Serial, l.To)
		outcome = "declined"
		if w, err := a.waitOf(ctx, l.Interaction); err == nil && w.Kind == flow.WaitQueue {
			return // they go on waiting where they are
		}
	}
	a.answer(ctx, l.Interaction, flow.Input{Kind: flow.InputResult, At: a.now(), Serial: l.Serial, Result: &flow.Result{Outcome: outcome}})
}

// accept lets a customer go on in a chat, by a link: it makes the conversation, and the
// session comes there. token opens the conversation in the customer's browser.
func (a *App) accept(ctx context.Context, l link.Link) (site, token string, err error) {
	carried := l.Needs > tandem.None // the page has asked for a factor: it is the customer who came
	site, ok := a.chatSite(l.Flow)
	if !ok {
		return "", "", errTooLate
	}
	if l.Serial == reach.ByAgent {
		return a.acceptScreen(ctx, l, site)
	}
	if known, err := a.book.ByInteraction(ctx, l.Interaction, tandem.Chat); err == nil {
		s, err := a.stored(ctx, l.Interaction)
		switch {
		case err != nil:
			return "", "", err
		case s.Facts.Channel == tandem.Chat: // pressed again
			token, err = a.book.Token(ctx, known.ID)
			return site, token, err
		case carried: // they come back to a chat that they left
			if token, err = a.book.Token(ctx, known.ID); err != nil {
				return "", "", err
			}
			return site, token, a.goOn(ctx, l.Interaction, l.Serial, chat.Conversation{ID: known.ID, Channel: tandem.Chat}, carried)
		}
		if !a.waitsAt(ctx, l.Interaction, l.Serial) {
			return "", "", errTooLate
		}
		// Nobody knows who has pressed: what was said in the chat before is not for them.
		if err := a.closeChat(ctx, known.ID, l.Interaction); err != nil {
			return "", "", err
		}
	}
	if !a.waitsAt(ctx, l.Interaction, l.Serial) {
		return "", "", errTooLate
	}
	c := chat.Conversation{
		ID: tandem.NewID[tandem.ConversationID](a.now(), a.random), Channel: tandem.Chat, Entry: "chat:" + site, Customer: l.Customer, Lang: l.Lang, Started: a.now(),
	}
	if token, err = a.book.NewToken(); err != nil {
		return "", "", err
	}
	err = a.store.Update(ctx, func(tx store.Tx) error {
		if err := a.book.Create(tx, &c); err != nil {
			return err
		}
		return a.book.Keep(tx, c.ID, token)
	})
	if err != nil {
		return "", "", fmt.Errorf("making a conversation to go on in: %w", err)
	}
	return site, token, a.goOn(ctx, l.Interaction, l.Serial, c, carried)
}

// waitsAt reports whether an interaction's session waits for the handoff with that serial,
// or in the line with it.
func (a *App) waitsAt(ctx context.Context, id tandem.InteractionID, serial int) bool {
	w, err := a.waitOf(ctx, id)
	return err == nil && a.mayGo(id, w, serial)
}

// closeChat has a chat that an interaction's session has left be no more of it.
func (a *App) closeChat(ctx context.Context, id tandem.ConversationID, of tandem.InteractionID) error {
	unlock := a.book.Lock(id)
	defer unlock()
	c, err := a.book.Find(ctx, id)
	if err == nil && c.Interaction == of {
		c.Interaction = ""
		err = a.store.Update(ctx, func(tx store.Tx) error { return a.book.Save(tx, &c) })
	}
	if err != nil {
		return fmt.Errorf("closing the chat that was left: %w", err)
	}
	a.book.Publish(id, chat.Over{})
	return nil
}

// goOn moves the session of an interaction to a conversation, if it still waits for the
// handoff with that serial, or in the line with it: then it goes on waiting there, at its
// place, which movedInLine has told to the line once the session is there.
func (a *App) goOn(ctx context.Context, id tandem.InteractionID, serial int, to chat.Conversation, carried bool) error {
	why := text.Adopted{Interaction: id, Carried: carried, Theirs: to.Theirs}
	letGo, ok := a.live.take(id)
	if !ok {
		return errTooLate
	}
	defer letGo()
	w, err := a.waitOf(ctx, id)
	if err != nil || !a.mayGo(id, w, serial) {
		return errTooLate // what is released has to be taken over
	}
	came := flow.Input{Kind: flow.InputResult, At: a.now(), Serial: serial, Result: &flow.Result{Outcome: "accepted", Carried: carried}}
	if w.Kind == flow.WaitQueue {
		if err := a.servesBy(ctx, id, to.Channel); err != nil {
			return err
		}
		came = flow.Input{Kind: flow.InputMoved, At: a.now(), Serial: serial, Channel: to.Channel, Carried: carried}
		if w.Served {
			came.Kept, came.Text = true, a.agentName(ctx, a.servedBy(id))
		}
	}
	a.reach.Over(id, serial, "")
	if k := a.live.get(id); k != nil {
		return k.goOn(ctx, to.ID, why, came)
	}
	s, err := a.talk.Release(ctx, id, func(w flow.Wait) bool { return a.mayGo(id, w, serial) })
	if tandem.CodeOf(err) == tandem.CodeConflict { // an agent was quicker: they stay where they are
		return errTooLate
	}
	in := &came
	if errors.Is(err, store.ErrNotFound) { // it runs nowhere: parked when the caller hung up
		if s, err = a.stored(ctx, id); err == nil && s.Wait.Kind == flow.WaitQueue { // and their place was given up
			in = nil
			if carried {
				why.Assurance, why.Until, why.Phone = s.Facts.Assurance, s.Facts.AssuranceUntil, s.Facts.Phone
			}
		}
		why.Resumed = true
	}
	if err != nil {
		return fmt.Errorf("taking over the session: %w", err)
	}
	if !a.mayGo(id, s.Wait, serial) {
		return errTooLate
	}
	if err := a.talk.Adopt(ctx, to.ID, s, in, why); err != nil {
		return fmt.Errorf("going on in a conversation: %w", err)
	}
	return nil
}

// servesBy is an error if a flow of an interaction's session does not serve a channel: one
// that cannot go on there must not be taken away from where it is.
func (a *App) servesBy(ctx context.Context, id tandem.InteractionID, to tandem.Channel) error {
	s, err := a.stored(ctx, id)
	if err != nil || len(s.Frames) == 0 {
		return errTooLate
	}
	lib, err := a.Library(ctx, s.Frames[0].Flow, s.Frames[0].Hash)
	if err != nil {
		return fmt.Errorf("finding the flow of interaction %s: %w", id, err)
	}
	for _, f := range s.Frames {
		if program := lib.Flows[f.Flow]; program == nil || !slices.Contains(program.Channels, to) {
			return tandem.Errorf(tandem.CodeConflict, "the flow %s does not serve %s", f.Flow, to)
		}
	}
	return nil
}

// stored reads a session that is parked.
func (a *App) stored(ctx context.Context, id tandem.InteractionID) (flow.Session, error) {
	data, _, err := a.store.Session(ctx, id)
	if err != nil {
		return flow.Session{}, err
	}
	return flow.Decode(data)
}

// textArrived takes a text that somebody wrote to one of our numbers.
func (a *App) textArrived(ctx context.Context, in sms.Inbound) error {
	c, err := a.book.ByPeer(ctx, in.To, in.From)
	if err == nil && c.Interaction == "" || errors.Is(err, store.ErrNotFound) { // it would begin something
		if _, served := a.entries.Load().Named("sms:" + in.To); !served {
			return &sms.Rejected{Rule: "unknown_number", Status: http.StatusNotFound, Why: "no entry leads texts to this number to a flow"}
		}
	}
	if errors.Is(err, store.ErrNotFound) {
		c = chat.Conversation{
			Channel: tandem.SMS, Entry: "sms:" + in.To, Ours: in.To, Theirs: in.From, Lang: languageOf(in.From), Started: a.now(),
		}
		err = a.store.Update(ctx, func(tx store.Tx) error { return a.book.Create(tx, &c) })
		if errors.Is(err, store.ErrDuplicate) { // another text of theirs was quicker
			c, err = a.book.ByPeer(ctx, in.To, in.From)
		}
	}
	if err != nil {
		return fmt.Errorf("finding the texts of a number: %w", err)
	}
	said, err := a.talk.Say(ctx, c.ID, text.Said{Client: in.Client(), Text: in.Text, Via: "sms", From: in.From})
	if err != nil {
		if errors.Is(err, store.ErrErased) {
			return nil
		}
		return err
	}
	if c.Interaction == "" {
		return nil
	}
	if serial, ok := a.came(ctx, c, said.Message.Seq); ok {
		// The text is kept; that nobody could go on by it must not have it sent again.
		c.Theirs = in.From
		if err := a.goOn(ctx, c.Interaction, serial, c, false); err != nil {
			a.log.Warn("a customer could not go on by text", "interaction", c.Interaction, "error", err)
		}
	}
	return nil
}

// came takes the way that leads to a conversation by text, if message seq of that answers
// it. While it is just being opened, right after a start or because the reply was quicker
// than we, it is waited for: gateways bring what they have as soon as the server is there.
func (a *App) came(ctx context.Context, c chat.Conversation, seq uint64) (serial int, ok bool) {
	for range comeTries {
		if serial, ok := a.reach.Came(c.Interaction, tandem.SMS, c.ID, seq); ok || a.reach.Leads(c.Interaction, tandem.SMS) || !a.moves(ctx, c.Interaction) {
			return serial, ok
		}
		select {
		case <-time.After(comeEvery):
		case <-ctx.Done():
			return 0, false
		}
	}
	return 0, false
}

const (
	comeEvery = 50 * time.Millisecond
	comeTries = 60
)

// moves reports whether an interaction's session waits for its customer elsewhere.
func (a *App) moves(ctx context.Context, id tandem.InteractionID) bool {
	if k := a.live.get(id); k != nil {
		k.stay.mu.Lock()
		defer k.stay.mu.Unlock()
		return k.stay.wait.Kind == flow.WaitHandoff
	}
	s, err := a.stored(ctx, id)
	if err != nil || s.Facts.Channel == tandem.SMS {
		return false
	}
	return s.Wait.Kind == flow.WaitHandoff || s.Wait.Kind == flow.WaitQueue && !s.Wait.Served && text.Took(s, string(tandem.SMS))
}

// textMarked is told how far a text has come.
func (a *App) textMarked(ctx context.Context, key string, r sms.Receipt) error {
	c, seq, ok := reach.LetterKey(key)
	if !ok {
		return nil // a code: nobody waits for its receipt
	}
	if err := a.book.Mark(ctx, c, seq, r.State, r.Error); err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	a.reach.Marked(key, r.State)
	return nil
}

// textsStopped writes a wish for no more texts into the journal of the number's present
// interaction, if it has one.
func (a *App) textsStopped(ctx context.Context, s sms.Stop) (store.Change, error) {
	c, err := a.book.ByPeer(ctx, s.Ours, s.Theirs)
	if errors.Is(err, store.ErrNotFound) || err == nil && c.Interaction == "" {
		return store.Change{}, nil
	}
	if err != nil {
		return store.Change{}, err
	}
	stopped := tandem.Stopped{Number: s.Theirs, On: s.On, Word: s.Word}
	return store.Change{Events: []tandem.Event{tandem.NewEvent(c.Interaction, c.Leg, s.At, tandem.EventStopped, "caller", stopped)}}, nil
}

// sweepEvery is how often parked sessions whose time is over are destroyed.
const sweepEvery = time.Hour

// sweep destroys the sessions that nobody came back to.
func (a *App) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		if n, err := a.store.SweepParked(ctx); err != nil && ctx.Err() == nil {
			a.log.Error("sessions that nobody came back to could not be destroyed", "error", err)
		} else if n > 0 {
			a.log.Info("sessions that nobody came back to were destroyed", "sessions", n)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// retainEvery is how often there is looked for what was kept long enough.
const retainEvery = time.Hour

// retain removes what can be heard or seen once its time is over, until ctx ends.
func (a *App) retain(ctx context.Context) {
	k := a.cfg.Store.Keep
	keep := map[string]time.Duration{
		store.ClassRecording: k.Recordings, store.ClassVoicemail: k.Voicemails, store.ClassPicture: k.Pictures, store.ClassEvidence: k.Evidence,
	}
	tick := time.NewTicker(retainEvery)
	defer tick.Stop()
	for {
		if n, err := a.store.Dispose(ctx, a.now(), keep); err != nil && ctx.Err() == nil {
			a.log.Error("what was kept long enough could not be removed", "error", err)
		} else if n > 0 {
			a.log.Info("what was kept long enough was removed", "objects", n)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
