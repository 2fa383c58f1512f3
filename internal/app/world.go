package app

import (
	"context"
	"fmt"
	"strings"

	"tandem"
	"tandem/bridge/identity"
	"tandem/ivr"
	"tandem/ivr/flow"
	"tandem/store"
)

// world is what one call's flow may ask for.
type world struct {
	call *call
}

var _ ivr.World = (*world)(nil)

// Fetch makes an HTTP exchange.
func (w *world) Fetch(ctx context.Context, f flow.Fetch) flow.Fetched {
	return w.call.app.exchange(ctx, w.call.interaction.ID, f)
}

// exchange makes an HTTP exchange of an interaction's flow.
func (a *App) exchange(ctx context.Context, in tandem.InteractionID, f flow.Fetch) (out flow.Fetched) {
	defer func() {
		if p := recover(); p != nil {
			a.panicked(a.log.With("interaction", in), "fetch", p)
			out = flow.Fetched{Failed: "a fault of ours"}
		}
	}()
	if f.Key != "" {
		f.Key = fmt.Sprintf("%s/%s", in, f.Key)
	}
	out = a.fetch.Do(ctx, f)
	a.metrics.fetches.WithLabelValues(fetchResult(out)).Inc()
	return out
}

// fetchResult classes an exchange for metrics.
func fetchResult(f flow.Fetched) string {
	switch {
	case f.Failed == "timeout":
		return "timeout"
	case f.Failed != "":
		return "failed"
	}
	return fmt.Sprintf("%dxx", f.Status/100)
}

// Promise commits an event before the flow goes on.
func (w *world) Promise(ctx context.Context, kind tandem.EventKind, data any) error {
	k := w.call
	ctx, cancel := context.WithTimeout(ctx, openTime)
	defer cancel()
	if err := k.app.store.Commit(ctx, &store.Change{Events: []tandem.Event{k.event(kind, data)}}); err != nil {
		return err
	}
	if c, ok := data.(tandem.Consent); ok && c.Kind == "recording" && c.Answer == "yes" {
		k.record()
	}
	return nil
}

// Begin begins what the inbox answers.
func (w *world) Begin(ctx context.Context, s flow.Session, e flow.Effect) ([]flow.Play, error) {
	return w.call.app.begin(ctx, w.who(s), s, e)
}

// who is the caller, as the session knows them.
func (w *world) who(s flow.Session) tandem.Who {
	k := w.call
	return tandem.Who{
		Interaction: k.interaction.ID, Leg: k.leg.ID, Customer: known(k.interaction.Customer, s), Channel: tandem.Voice, Number: k.interaction.Number,
		Entry: k.interaction.Entry, Caller: k.app.identity.Phone(k.leg.From).Value, Lang: s.Lang, Assurance: s.Facts.Level(k.app.now()), Until: s.Facts.AssuranceUntil,
	}
}

// Talk holds a talk with the caller.
func (w *world) Talk(ctx context.Context, s flow.Session, e flow.Effect, in flow.Input) (flow.Turn, error) {
	k := w.call
	if surveying(s) {
		return k.app.askSurvey(ctx, w.who(s), k.library, s, e, in)
	}
	if ask, ok := k.app.byVideo(w.who(s), e); ok {
		k.stay.check(false)
		return k.app.proveByVideo(ctx, w.who(s), k.library, ask)
	}
	if _, ok := provingOf(s.World); ok && e == nil {
		return k.hearCaller(ctx, w.who(s), s.World, in)
	}
	who := identity.Who{
		Interaction: k.interaction.ID, Leg: k.leg.ID, Customer: known(k.interaction.Customer, s), Channel: tandem.Voice, Caller: k.leg.From,
		Entry: k.interaction.Entry, Lang: s.Lang, Assurance: s.Facts.Level(k.app.now()), Recognised: k.leg.Assurance >= tandem.Recognised,
	}
	if e != nil {
		return k.app.identity.Begin(ctx, who, e)
	}
	return k.app.identity.Hear(ctx, who, s.World, in)
}

// Withdraw closes what the session has opened. A place in line outlives a server that
// stops, as it does one that crashes.
func (w *world) Withdraw(ctx context.Context, s flow.Session) {
	if w.call.stopped() {
		w.call.app.reach.Withdraw(w.call.interaction.ID)
		return
	}
	w.call.app.withdrawn(ctx, w.call.interaction.ID, s)
}

// Told tells the agent what came of the step they asked.
func (w *world) Told(ctx context.Context, t flow.Told) {
	w.call.app.toldOf(ctx, w.call.interaction.ID, t)
}

// Inbox has what comes to the session from outside.
func (w *world) Inbox() <-chan flow.Input { return w.call.inbox }

// Trace notes a happening.
func (w *world) Trace(kind tandem.EventKind, data any) {
	k := w.call
	e := k.event(kind, data)
	e.Actor = "flow"
	if kind == tandem.EventInput {
		e.Actor = "caller"
	}
	k.app.store.Note(e)
	k.app.tally.Note(e.At, data)
}

// Save keeps the session for whoever goes on with it.
func (w *world) Save(s flow.Session) {
	data, err := flow.Encode(s)
	if err != nil {
		w.call.log.Error("a session could not be stored", "error", err)
		return
	}
	w.call.stay.waits(s)
	w.call.app.store.NoteSession(w.call.interaction.ID, data)
}

// languageOf guesses a caller's language from the country code; "" = no guess.
func languageOf(number string) string {
	for _, c := range [...]struct{ prefix, lang string }{
		{"+852", "zh-HK"}, {"+853", "zh-MO"}, {"+886", "zh-TW"}, {"+86", "zh-CN"}, {"+1", "en"}, {"+44", "en"}, {"+61", "en"},
		{"+64", "en"}, {"+353", "en"}, {"+65", "en"},
	} {
		if strings.HasPrefix(number, c.prefix) {
			return c.lang
		}
	}
	return ""
}
