package app

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"tandem"
	"tandem/bridge/chat"
	"tandem/bridge/identity"
	"tandem/ivr/flow"
	"tandem/ivr/text"
	"tandem/store"
)

// textWorld is what the flows of conversations may ask for.
type textWorld struct{ a *App }

var _ text.World = textWorld{}

// Fetch makes an HTTP exchange.
func (w textWorld) Fetch(ctx context.Context, r text.Ref, f flow.Fetch) flow.Fetched {
	return w.a.exchange(ctx, r.Interaction, f)
}

// Begin begins what Deliver answers.
func (w textWorld) Begin(ctx context.Context, r text.Ref, s flow.Session, e flow.Effect) ([]flow.Play, error) {
	return w.a.begin(ctx, w.reached(r, s), s, e)
}

func (w textWorld) reached(r text.Ref, s flow.Session) tandem.Who {
	return tandem.Who{
		Interaction: r.Interaction, Leg: r.Leg, Customer: known(r.Customer, s), Channel: r.Channel, Conversation: r.Conversation, Number: r.Number,
		Entry: r.Entry, Caller: r.Caller, Lang: s.Lang, Assurance: s.Facts.Level(w.a.now()), Until: s.Facts.AssuranceUntil,
		Address: w.a.addressOf.get(r.Conversation),
	}
}

// known is who the customer has proved to be, or else who the interaction is with.
func known(of tandem.CustomerID, s flow.Session) tandem.CustomerID {
	if s.Facts.Customer != "" {
		return tandem.CustomerID(s.Facts.Customer)
	}
	return of
}

// Withdraw closes what the session has opened.
func (w textWorld) Withdraw(ctx context.Context, r text.Ref, s flow.Session) {
	w.a.withdrawn(ctx, r.Interaction, s)
}

// Told tells the agent what came of the step they asked.
func (w textWorld) Told(ctx context.Context, r text.Ref, t flow.Told) {
	w.a.toldOf(ctx, r.Interaction, t)
}

// Talk holds a talk with the customer.
func (w textWorld) Talk(ctx context.Context, r text.Ref, s flow.Session, e flow.Effect, in flow.Input) (flow.Turn, error) {
	if surveying(s) {
		top := s.Frames[0]
		lib, err := w.a.Library(ctx, top.Flow, top.Hash)
		if err != nil {
			return flow.Turn{}, err
		}
		return w.a.askSurvey(ctx, w.reached(r, s), lib, s, e, in)
	}
	if ask, ok := w.a.byVideo(w.reached(r, s), e); ok {
		top := s.Frames[0]
		lib, err := w.a.Library(ctx, top.Flow, top.Hash)
		if err != nil {
			return flow.Turn{}, err
		}
		return w.a.proveByVideo(ctx, w.reached(r, s), lib, ask)
	}
	if id, ok := provingOf(s.World); ok && e == nil {
		return w.a.hearProving(ctx, w.reached(r, s), id, s.Wait.Step, in)
	}
	who := identity.Who{
		Interaction: r.Interaction, Leg: r.Leg, Customer: known(r.Customer, s), Channel: r.Channel, Conversation: r.Conversation, Caller: r.Caller,
		Entry: r.Entry, Lang: s.Lang, Assurance: s.Facts.Level(w.a.now()), Address: w.a.addressOf.get(r.Conversation),
	}
	if e != nil {
		return w.a.identity.Begin(ctx, who, e)
	}
	return w.a.identity.Hear(ctx, who, s.World, in)
}

// Library is the library with a version of a flow.
func (w textWorld) Library(ctx context.Context, name, hash string) (*flow.Library, error) {
	return w.a.Library(ctx, name, hash)
}

// Entry is the flow of an entry.
func (w textWorld) Entry(name string) (string, *flow.Library, bool) {
	e, ok := w.a.entries.Load().Named(name)
	return e.Flow, w.a.shelf.Current(), ok && !w.a.draining.Load()
}

// Letter is the text that carries a message.
func (w textWorld) Letter(ctx context.Context, c chat.Conversation, m *tandem.Message, lang string) (*store.Outgoing, error) {
	if w.a.texts == nil {
		return nil, errors.New("there is no gateway for texts any more")
	}
	return w.a.reach.Letter(ctx, c, m, lang)
}

// Resume goes on with an earlier interaction in a conversation.
func (w textWorld) Resume(ctx context.Context, c chat.Conversation, earlier tandem.InteractionID, t flow.Turn) error {
	letGo, ok := w.a.live.take(earlier)
	if !ok {
		return errors.New("somebody else goes on with it")
	}
	defer letGo()
	s, _, err := w.a.takeOver(ctx, earlier, c.Channel)
	if err != nil {
		return err
	}
	why := text.Adopted{Interaction: earlier, Resumed: true, Assurance: t.Assurance, Until: t.Until, Phone: provedPhone(t), Theirs: c.Theirs}
	if err := w.a.talk.Adopt(ctx, c.ID, s, nil, why); err != nil {
		return fmt.Errorf("going on with interaction %s: %w", earlier, err)
	}
	return nil
}

// provedPhone is the phone number that a talk has proved; "" = none.
func provedPhone(t flow.Turn) string {
	if t.Done == nil {
		return ""
	}
	return t.Done.Phone
}

// Ended counts an interaction that was closed.
func (w textWorld) Ended(_ context.Context, r text.Ref, reason string) {
	w.a.reach.Withdraw(r.Interaction)
	w.a.metrics.conversationsEnded.WithLabelValues(string(r.Channel), reason).Inc()
}

// takeOver takes an interaction's session away from where it runs or lies, if its flows
// serve the channel it is to go on by. lib is the library it began with. The caller has
// taken the interaction (live.take), and keeps it till the session runs.
func (a *App) takeOver(ctx context.Context, id tandem.InteractionID, to tandem.Channel) (s flow.Session, lib *flow.Library, err error) {
	if k := a.live.get(id); k != nil {
		return s, nil, errors.New("the interaction is in a call")
	}
	if s, err = a.stored(ctx, id); err != nil {
		return s, nil, fmt.Errorf("taking over interaction %s: %w", id, err)
	}
	top := s.Frames[0]
	if lib, err = a.Library(ctx, top.Flow, top.Hash); err != nil {
		return s, nil, fmt.Errorf("finding the flow of interaction %s: %w", id, err)
	}
	for _, f := range s.Frames {
		if program := lib.Flows[f.Flow]; program == nil || !slices.Contains(program.Channels, to) {
			return s, nil, tandem.Errorf(tandem.CodeConflict, "the flow %s does not serve %s", f.Flow, to)
		}
	}
	released, err := a.talk.Release(ctx, id, func(w flow.Wait) bool {
		return !w.Served || to != tandem.Voice // an agent who writes with them has no ear for a call
	})
	switch {
	case errors.Is(err, store.ErrNotFound): // it ran nowhere: it was parked
	case err != nil:
		return s, nil, fmt.Errorf("taking over interaction %s: %w", id, err)
	default:
		s = released
	}
	a.reach.Withdraw(id)
	return s, lib, nil
}
