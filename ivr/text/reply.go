package text

import (
	"context"
	"errors"
	"fmt"

	"tandem"
	"tandem/bridge/chat"
	"tandem/ivr/flow"
	"tandem/ivr/flow/engine"
	"tandem/store"
)

// Reply is a message of an agent to the customer they serve.
type Reply struct {
	Agent   string // the user's name, for the journal
	Display string // the name they go by, for the customer; "" = Agent
	Client  string // the sender's id of it, against doubles; "" = none
	Text    string
	Lang    string // of the text; "" = the session's
}

// errUnserved refuses a reply where no agent serves.
var errUnserved error = tandem.Errorf(tandem.CodeConflict, "no agent serves this conversation now")

// Reply writes a message of an agent to a conversation whose customer is served by one, there
// or in a call beside it:
// durably, with the text that carries it where the conversation is by SMS. Who asks has seen
// to it that it is this agent. The same again, by Agent and Client, does nothing and returns
// the first.
//
// tandem.CodeConflict says that no agent serves the conversation; tandem.CodeForbidden, that
// the text may not be sent: the entry comes back with it, kept as failed with the rule, and
// so it does for the same again. Others are as Say's.
func (d *Driver) Reply(ctx context.Context, id tandem.ConversationID, r Reply) (e chat.Entry, err error) {
	if r.Text == "" || r.Agent == "" {
		return e, tandem.Errorf(tandem.CodeInvalid, "a reply needs a text and who wrote it")
	}
	ln, err := d.lanes.enter(ctx, string(id))
	if err != nil {
		return e, err
	}
	ctx, cancel := detach(ctx)
	defer cancel()
	defer d.leave(ctx, ln)
	defer d.contain("reply", &err)
	client := ""
	if r.Client != "" { // no customer's id has a colon
		client = "agent:" + r.Agent + "/" + r.Client
		known, found, err := d.o.Book.ByClient(ctx, id, client)
		if err != nil {
			return e, err
		}
		if found {
			return known, unsent(known, nil)
		}
	}
	st, err := d.load(ctx, string(id), "")
	if err != nil {
		return e, err
	}
	if st.dropped() {
		err := d.drop(ctx, ln, st)
		return e, errors.Join(err, errUnserved)
	}
	call, beside, err := d.besideCall(ctx, &st)
	if err != nil {
		return e, err
	}
	if !beside && (st.elsewhere || st.released || !st.s.WithAgent() && !proving(st.s)) {
		return e, errUnserved
	}
	t := d.turn(st)
	if r.Lang == "" && beside {
		r.Lang = call.Lang
	}
	t.reply(r, client)
	err = t.commit(ctx)
	switch {
	case errors.Is(err, errPointed):
		return e, errUnserved
	case errors.Is(err, store.ErrErased):
		st.erased = true
		return e, d.drop(ctx, ln, st)
	case err != nil:
		return e, err
	}
	return *t.entries[0], unsent(*t.entries[0], t.letter)
}

// reply takes down what an agent wrote.
func (t *turn) reply(r Reply, client string) {
	m := tandem.Message{Channel: t.st.conv.Channel, From: tandem.SenderAgent, Name: r.Display, Client: client, Lang: r.Lang, Text: r.Text}
	if m.Name == "" {
		m.Name = r.Agent
	}
	if m.Lang == "" {
		m.Lang = t.st.s.Lang
	}
	t.notes = append(t.notes, note{kind: tandem.EventMessage, actor: r.Agent, message: &message{m: m, state: tandem.MessageSent}})
}

// unsent is the error of a message that may not leave; why is nil if it was so before.
func unsent(e chat.Entry, why error) error {
	switch {
	case e.State != tandem.MessageFailed:
		return nil
	case why == nil:
		return tandem.Errorf(tandem.CodeForbidden, "the text was not sent: %s", e.Error)
	}
	return tandem.Errorf(tandem.CodeForbidden, "the text was not sent: %w", why)
}

// Typing shows a customer that the agent who serves them writes, or has stopped. Nothing of
// it is kept. tandem.CodeConflict says that no agent serves the conversation.
func (d *Driver) Typing(ctx context.Context, id tandem.ConversationID, display string, on bool) error {
	p, ok := d.Place(ctx, id, nil)
	if !ok || !p.Served {
		return errUnserved
	}
	d.o.Book.Publish(id, chat.Typing{From: tandem.SenderAgent, Name: display, On: on})
	return nil
}

// Starting is a flow to be begun in a conversation by the program itself.
type Starting struct {
	Interaction tandem.InteractionID // of its own, drawn by who asks
	Flow        string
	Library     *flow.Library // which World.Library finds again
	Inputs      map[string]any
	Lang        string
	Customer    tandem.CustomerID // "" = the conversation's
	Theirs      string            // sms: their number, where the conversation does not know it yet
}

// Start begins an interaction with a flow of the program's choice in a conversation in which
// nothing goes on: tandem.CodeConflict if something does. What the customer says next is the
// flow's. store.ErrDuplicate says that the interaction is there already; the error of a text
// that may not be sent is World.Letter's, and nothing was written.
func (d *Driver) Start(ctx context.Context, id tandem.ConversationID, s Starting) (err error) {
	if s.Interaction == "" || s.Library == nil || s.Library.Flows[s.Flow] == nil {
		return tandem.Errorf(tandem.CodeInvalid, "there is no flow to begin with")
	}
	ln, err := d.lanes.enter(ctx, string(id))
	if err != nil {
		return err
	}
	ctx, cancel := detach(ctx)
	defer cancel()
	defer d.leave(ctx, ln)
	defer d.contain("start", &err)
	for range 5 { // each but the last drew a number that is taken
		if err = d.started(ctx, ln, id, s); !errors.Is(err, store.ErrNumberTaken) {
			return err
		}
	}
	return err
}

// started is one try of Start.
func (d *Driver) started(ctx context.Context, ln *lane, id tandem.ConversationID, s Starting) error {
	_, err := d.o.Store.Interaction(ctx, string(s.Interaction))
	if err == nil {
		return fmt.Errorf("interaction %s: %w", s.Interaction, store.ErrDuplicate)
	}
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	st, err := d.load(ctx, string(id), "")
	if err != nil {
		return err
	}
	if st.conv.Interaction != "" {
		return tandem.Errorf(tandem.CodeConflict, "something else goes on in this conversation")
	}
	t := d.turn(st)
	t.strict = true
	if err := t.start(s); err != nil {
		return err
	}
	if err := t.settle(ctx); err != nil {
		return err
	}
	err = t.commit(ctx)
	if errors.Is(err, errPointed) {
		return tandem.Errorf(tandem.CodeConflict, "something else goes on in this conversation")
	}
	if err == nil {
		d.after(ctx, ln, t)
	}
	return err
}

// start takes a flow's first step for a customer who has not asked for it.
func (t *turn) start(s Starting) error {
	c := &t.st.conv
	if c.Theirs == "" {
		c.Theirs = s.Theirs
	}
	if s.Lang != "" {
		c.Lang = s.Lang
	}
	in := tandem.Interaction{
		ID: s.Interaction, Number: tandem.NewNumber(t.d.o.Random), Customer: s.Customer, Entry: c.Entry,
		Flow: s.Flow, FlowHash: s.Library.Flows[s.Flow].Hash, Lang: s.Lang, State: tandem.Open, Started: t.now,
	}
	who := t.begin(in)
	l := &t.legs[0]
	l.Inbound, l.From, l.To = false, l.To, l.From
	t.story, t.caller = &store.Story{}, &who
	t.note(tandem.EventOpened, "system", tandem.Opened{Entry: c.Entry, Channel: c.Channel, From: l.From, To: l.To})
	t.legStarted()
	facts := flow.Facts{Number: in.Number, Entry: c.Entry, Channel: c.Channel, Caller: c.Theirs, CallerLang: c.Lang, Customer: string(s.Customer), Browser: languages(c.Lang)}
	t.st.lib, t.st.held = s.Library, nil
	t.step(func() (flow.Session, []flow.Effect, error) {
		return engine.Start(s.Library, s.Flow, facts, s.Inputs, t.now)
	})
	if t.st.broken != "" && !t.st.runs() {
		return tandem.Errorf(tandem.CodeInvalid, "the flow %s cannot begin: %s", s.Flow, t.st.broken)
	}
	return nil
}
