package app

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"tandem"
	"tandem/ivr"
	"tandem/ivr/flow"
	"tandem/store"
)

// world is what one call's flow may ask for.
type world struct {
	call *call
	pair pairing // the transfer that is up, if any
}

var _ ivr.World = (*world)(nil)

// Fetch makes an HTTP exchange.
func (w *world) Fetch(ctx context.Context, f flow.Fetch) (out flow.Fetched) {
	k := w.call
	defer func() {
		if p := recover(); p != nil {
			k.app.panicked(k.log, "fetch", p)
			out = flow.Fetched{Failed: "a fault of ours"}
		}
	}()
	if f.Key != "" {
		f.Key = fmt.Sprintf("%s/%s", k.interaction.ID, f.Key)
	}
	out = k.app.fetch.Do(ctx, f)
	k.app.metrics.fetches.WithLabelValues(fetchResult(out)).Inc()
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

// errNotHere answers what nothing here carries out.
var errNotHere = errors.New("it is not carried out here")

// Begin begins what is answered later.
func (w *world) Begin(context.Context, flow.Session, flow.Effect) error { return errNotHere }

// Talk holds a talk with the caller.
func (w *world) Talk(context.Context, flow.Session, flow.Effect, flow.Input) (flow.Turn, error) {
	return flow.Turn{}, errNotHere
}

// Withdraw ends what is not wanted any more.
func (w *world) Withdraw(context.Context, flow.Session) {}

// Inbox has what comes to the session from outside.
func (w *world) Inbox() <-chan flow.Input { return nil }

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
