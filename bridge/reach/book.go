package reach

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"tandem"
	"tandem/bridge/sms"
	"tandem/ivr/flow"
	"tandem/store"
)

// maxBooked is how many calls one interaction books; more are declined. Somebody who cannot
// stop asking must not fill the line.
const maxBooked = 5

var errEnough = errors.New("the interaction has booked enough calls")

// book books a call. It dials nothing: that is done once an agent is free, and never to a
// number that is not proven. One that may not be called at all is declined at once. The
// same number at the same time is booked once.
func (r *Reach) book(ctx context.Context, w tandem.Who, e flow.Book) error {
	to, proven, err := r.number(ctx, w, e.To)
	if err != nil {
		return err
	}
	if to == "" || r.o.Callable != nil && !r.o.Callable(to) {
		r.answer(ctx, w.Interaction, e.Serial, flow.Result{Outcome: "declined"})
		return nil
	}
	now := r.o.Now()
	task := tandem.Task{
		ID: tandem.NewID[tandem.TaskID](now, r.o.Random), Interaction: w.Interaction, Kind: tandem.TaskCallback, Queue: e.Queue,
		State: tandem.TaskWaiting, Arrived: now, Lang: e.Lang, Note: "asked for in the flow",
	}
	if at, ok := r.when(e.At); ok && at.After(now) {
		task.NotBefore = at
	}
	if e.Window > 0 {
		task.Expires = now.Add(e.Window)
		if !task.NotBefore.IsZero() {
			task.Expires = task.NotBefore.Add(e.Window)
		}
	}
	booked := tandem.Callback{Task: task.ID, To: to, At: e.At, Queue: e.Queue, Proven: proven}
	change := &store.Change{
		Key:    "callback:" + string(w.Interaction) + "/" + strings.Join([]string{to, e.At, e.Queue}, "/"),
		Events: []tandem.Event{tandem.NewEvent(w.Interaction, w.Leg, now, tandem.EventCallback, "flow", booked)},
		With: func(tx store.Tx) error {
			n := int64(0)
			_, err := tx.One("SELECT count(*) FROM task WHERE kind = ? AND id <> ? AND interaction = (SELECT no FROM interaction WHERE id = ?)",
				func(row store.Row) { n = row.Int(0) }, string(tandem.TaskCallback), string(task.ID), string(w.Interaction))
			if err == nil && n >= maxBooked {
				err = errEnough
			}
			return err
		},
	}
	if r.o.Tell != nil {
		change.Outbox = r.o.Tell(task, tandem.Interaction{ID: w.Interaction, Number: w.Number, Entry: w.Entry})
	}
	outcome := "booked"
	switch err = r.o.Open(ctx, task, change); {
	case errors.Is(err, errEnough):
		r.o.Log.Warn("a call was not booked: the interaction has booked enough", "interaction", w.Interaction, "calls", maxBooked)
		outcome = "declined"
	case err != nil && (tandem.CodeOf(err) == tandem.CodeConflict || tandem.CodeOf(err) == tandem.CodeInvalid): // not let in, or at a time that cannot be
		outcome = "declined"
	case err != nil && !errors.Is(err, store.ErrDuplicate):
		return fmt.Errorf("booking a call: %w", err)
	}
	r.answer(ctx, w.Interaction, e.Serial, flow.Result{Outcome: outcome})
	return nil
}

// when is the time that somebody has named.
func (r *Reach) when(at string) (time.Time, bool) {
	if r.o.When != nil {
		return r.o.When(at)
	}
	t, err := time.Parse(time.RFC3339, at)
	return t, err == nil
}

// Callable is the number by which the customer can be called back, in E.164: asked, or
// their own if that is "". ok is false if there is none that is proven to be theirs, or it
// may not be called.
func (r *Reach) Callable(ctx context.Context, w tandem.Who, asked string) (to string, ok bool, err error) {
	to, proven, err := r.number(ctx, w, asked)
	if err != nil || !proven || to == "" || r.o.Callable != nil && !r.o.Callable(to) {
		return "", false, err
	}
	return to, true, nil
}

// number is the phone number in one spelling that a flow means, and whether it is the
// customer's beyond doubt: the one they call or write from, or came from to the present
// chat, or one that answered a code. "" = there is none.
func (r *Reach) number(ctx context.Context, w tandem.Who, asked string) (number string, proven bool, err error) {
	own, _ := sms.Normal(w.Caller)
	if own == "" {
		texts, err := r.o.Book.ByInteraction(ctx, w.Interaction, tandem.SMS)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return "", false, fmt.Errorf("looking for the customer's texts: %w", err)
		}
		own = texts.Theirs
	}
	if asked == "" && own != "" {
		return own, true, nil
	}
	bound, err := r.o.Store.Identities(ctx, w.Customer)
	if err != nil {
		return "", false, fmt.Errorf("looking for the customer's number: %w", err)
	}
	wanted, ok := r.o.Typed(asked)
	if !ok {
		wanted = ""
	}
	if wanted != "" && wanted == own {
		return own, true, nil
	}
	for _, b := range bound {
		n, ok := sms.Normal(b.Identity.Value)
		if b.Identity.Kind != tandem.IdentityPhone || !ok || b.Checked.IsZero() || !b.Until.IsZero() {
			continue
		}
		if asked == "" || n == wanted {
			return n, true, nil
		}
	}
	return wanted, false, nil
}
