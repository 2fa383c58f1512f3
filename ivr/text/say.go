package text

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"tandem"
	"tandem/bridge/chat"
	"tandem/ivr/flow"
	"tandem/ivr/flow/engine"
	"tandem/store"
)

// Open begins the flow of the conversation's entry if no interaction is open: the customer
// has opened the panel. Errors are those of Say.
func (d *Driver) Open(ctx context.Context, id tandem.ConversationID) error {
	_, err := d.event(ctx, id, nil)
	return err
}

// Speak notes that the customer has chosen another language, a tag such as zh-CN: the next
// interaction begins in it, and the program's own words come in it at once. The flow that
// runs keeps its language: what it has asked could not be answered in another.
func (d *Driver) Speak(ctx context.Context, id tandem.ConversationID, lang string) error {
	ln, err := d.lanes.enter(ctx, string(id))
	if err != nil {
		return err
	}
	ctx, cancel := detach(ctx)
	defer cancel()
	defer d.leave(ctx, ln)
	unlock := d.o.Book.Lock(id)
	defer unlock()
	if err := d.o.Book.Speak(ctx, id, lang); err != nil {
		return err
	}
	if st := d.memory.get(string(id)); st != nil {
		now := *st
		now.conv.Lang, now.stored.Lang = lang, lang
		d.memory.put(&now)
	}
	return nil
}

// Say takes a message from the customer and returns it as both sides see it, once it and
// all that came of it are durable. The same again, by its Client, does nothing and returns
// the first. Errors to branch on: store.ErrUnavailable (try again), store.ErrNotFound,
// store.ErrErased, chat.ErrNoSecret; on any, nothing was kept of it.
func (d *Driver) Say(ctx context.Context, id tandem.ConversationID, s Said) (chat.Entry, error) {
	if s.Text == "" && s.Attachment == nil {
		return chat.Entry{}, tandem.Errorf(tandem.CodeInvalid, "there is nothing in this message")
	}
	return d.event(ctx, id, &s)
}

// event has the customer's turn: they said something, or opened the panel (nil).
func (d *Driver) event(ctx context.Context, id tandem.ConversationID, s *Said) (chat.Entry, error) {
	ln, err := d.lanes.enter(ctx, string(id))
	if err != nil {
		return chat.Entry{}, err
	}
	ctx, cancel := detach(ctx)
	defer cancel()
	defer d.leave(ctx, ln)
	for range 5 { // each but the last ended what was open, or drew a number that is taken
		e, again, err := d.said(ctx, ln, id, s)
		if !again {
			return e, err
		}
	}
	return chat.Entry{}, fmt.Errorf("no interaction can be begun: %w", store.ErrNumberTaken)
}

// detach lets a turn end whatever becomes of who asked for it: half of one is of no use.
func detach(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), turnTime)
}

// said is one try of event. again says that the ground has changed and it is to be tried
// once more.
func (d *Driver) said(ctx context.Context, ln *lane, id tandem.ConversationID, s *Said) (e chat.Entry, again bool, err error) {
	defer d.contain("turn", &err)
	st, err := d.load(ctx, string(id), "")
	if err != nil {
		return e, false, err
	}
	if st.dropped() {
		err := d.drop(ctx, ln, st)
		return e, err == nil, err
	}
	if s == nil && st.conv.Interaction != "" {
		return e, false, nil
	}
	t := d.turn(st)
	if s != nil && s.Secret && !(st.runs() && listens(st.s) && st.s.Wait.Secret) {
		return d.known(ctx, id, s, chat.ErrNoSecret)
	}
	if st.conv.Interaction == "" {
		if err := t.open(ctx, s); err != nil {
			return e, false, err
		}
	} else if err := t.take(ctx, s); err != nil {
		if errors.Is(err, store.ErrDuplicate) {
			return d.known(ctx, id, s, err)
		}
		return e, false, err
	}
	err = t.settle(ctx)
	if err == nil {
		err = t.commit(ctx)
	}
	switch {
	case err == nil:
		d.after(ctx, ln, t)
		return t.entry(), false, nil
	case errors.Is(err, store.ErrNumberTaken), errors.Is(err, errPointed):
		return e, true, nil
	case errors.Is(err, store.ErrDuplicate) && s != nil:
		return d.known(ctx, id, s, err)
	case errors.Is(err, store.ErrErased) && !st.elsewhere:
		st.erased = true
		return e, false, d.drop(ctx, ln, st)
	}
	return e, false, err
}

// known answers a message that was said before; otherwise it returns the error.
func (d *Driver) known(ctx context.Context, id tandem.ConversationID, s *Said, otherwise error) (chat.Entry, bool, error) {
	e, found, err := d.o.Book.ByClient(ctx, id, s.Client)
	if err == nil && !found {
		err = otherwise
	}
	return e, false, err
}

// drop closes the interaction of a session that cannot go on, or of an erased customer,
// whose error it returns.
func (d *Driver) drop(ctx context.Context, ln *lane, st state) error {
	t := d.turn(st)
	t.withdraw = wanted(t.was)
	var err error
	switch {
	case st.erased:
		t.st.s = flow.Session{}
		err = t.close(ctx, "erased", tandem.Terminate(tandem.BySystem, tandem.ReasonForbidden))
	case st.orphan:
		err = t.close(ctx, string(tandem.ReasonMoved), tandem.Terminate(tandem.BySystem, tandem.ReasonMoved))
	default:
		err = t.breakOff(ctx)
	}
	if err == nil {
		err = t.commit(ctx)
	}
	if err != nil {
		return err
	}
	d.after(ctx, ln, t)
	if st.erased {
		return fmt.Errorf("interaction %s: %w", t.interaction, store.ErrErased)
	}
	return nil
}

// take has an open interaction take what was said.
func (t *turn) take(ctx context.Context, s *Said) error {
	st := &t.st
	if st.runs() && talking(st.s) && s.Client != "" { // before the world hears it twice
		_, found, err := t.d.o.Book.ByClient(ctx, st.conv.ID, s.Client)
		if err != nil {
			return err
		}
		if found {
			return store.ErrDuplicate
		}
	}
	t.hear(s)
	switch {
	case !st.runs():
		return t.left(ctx, s)
	case served(st.s): // for the agent, who reads it
	case s.Text == "":
		t.received()
	case talking(st.s):
		t.talk(ctx, nil, flow.Input{Kind: flow.InputText, Text: s.Text, Via: via(s.Via)})
	case listens(st.s):
		t.advance(flow.Input{Kind: flow.InputText, Text: s.Text, Via: via(s.Via)})
	default:
		t.hold()
	}
	return nil
}

// received answers a picture while the flow waits for words: it is kept for those who read
// the conversation, and the question stands. It is said once for each question.
func (t *turn) received() {
	w := t.st.s.Wait
	if w.Kind != flow.WaitListen && !talking(t.st.s) || t.st.received == w.Serial {
		return
	}
	t.st.received = w.Serial
	words := pictureWords(t.st.conv.Lang, len(w.Options) > 0 && !talking(t.st.s))
	t.tell(flow.Play{Name: "picture_received", Lang: t.st.conv.Lang, Parts: []tandem.Part{{Kind: tandem.PartText, Text: words}}})
}

// pictureWords say that a picture has come, and what is still to be done.
func pictureWords(lang string, choose bool) string {
	chinese := strings.HasPrefix(lang, "zh")
	switch {
	case choose && chinese:
		return "已收到您的图片。请从上面的选项中选择。"
	case choose:
		return "We have your picture. Please choose one of the answers above."
	case chinese:
		return "已收到您的图片。请继续回答上面的问题。"
	}
	return "We have your picture. Please answer the question above."
}

// open begins an interaction. What the customer said first is kept as that: the flow's own
// words answer it.
func (t *turn) open(ctx context.Context, s *Said) error {
	d, c := t.d, &t.st.conv
	name, lib, ok := d.o.World.Entry(c.Entry)
	if !ok {
		return tandem.Errorf(tandem.CodeNotFound, "no flow serves the entry %s", c.Entry)
	}
	if c.Channel == tandem.SMS && c.Theirs == "" && s != nil {
		c.Theirs = s.From
	}
	in := tandem.Interaction{
		ID: tandem.NewID[tandem.InteractionID](t.now, d.o.Random), Number: tandem.NewNumber(d.o.Random),
		Entry: c.Entry, Flow: name, State: tandem.Open, Started: t.now,
	}
	if f := lib.Flows[name]; f != nil {
		in.FlowHash = f.Hash
	}
	who := t.begin(in)
	t.story = &store.Story{}
	t.caller = &who
	t.note(tandem.EventOpened, "system", tandem.Opened{Entry: c.Entry, Channel: c.Channel, From: t.legs[0].From, To: t.legs[0].To})
	t.legStarted()
	if s != nil {
		t.hear(s)
	}
	facts := flow.Facts{Number: in.Number, Entry: c.Entry, Channel: c.Channel, Caller: c.Theirs, CallerLang: c.Lang, Browser: languages(c.Lang)}
	bound, found, err := d.o.Store.CustomerOf(ctx, who)
	if err != nil {
		return err
	}
	if found {
		facts.Customer = string(bound.Customer)
	}
	t.st.lib, t.st.held = lib, nil
	t.step(func() (flow.Session, []flow.Effect, error) { return engine.Start(lib, name, facts, nil, t.now) })
	if t.st.broken != "" && !t.st.runs() {
		return tandem.Errorf(tandem.CodeUnavailable, "the flow of the entry %s cannot begin: %s", c.Entry, t.st.broken)
	}
	return nil
}

// begin points the conversation at an interaction, with a leg of its own, and says who is
// on it.
func (t *turn) begin(in tandem.Interaction) tandem.Identity {
	c := &t.st.conv
	who := tandem.Identity{Kind: tandem.IdentityChat, Value: "chat:" + string(c.ID)}
	kind, from, to := tandem.LegChat, who.Value, c.Entry
	if c.Channel == tandem.SMS {
		who = tandem.Identity{Kind: tandem.IdentityPhone, Value: c.Theirs}
		kind, from, to = tandem.LegSMS, c.Theirs, c.Ours
	}
	leg := tandem.Leg{
		ID: tandem.NewID[tandem.LegID](t.now, t.d.o.Random), Interaction: in.ID, Kind: kind, Inbound: true, Role: tandem.RoleCustomer,
		From: from, To: to, Started: t.now, Answered: t.now,
	}
	t.record, t.interaction, t.leg, t.legs = &in, in.ID, leg.ID, []tandem.Leg{leg}
	t.st.elsewhere = false
	c.Interaction, c.Leg = in.ID, leg.ID
	return who
}

func (t *turn) legStarted() {
	t.note(tandem.EventLegStarted, "system", t.legs[0])
	t.note(tandem.EventLegAnswered, "system", nil)
}

func languages(lang string) []string {
	if lang == "" {
		return nil
	}
	return []string{lang}
}

// entry is what the customer said, as it is kept.
func (t *turn) entry() chat.Entry {
	i := slices.IndexFunc(t.entries, func(e *chat.Entry) bool { return e.Message.From == tandem.SenderCustomer })
	if i < 0 {
		return chat.Entry{}
	}
	return *t.entries[i]
}
