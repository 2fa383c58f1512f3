package hook

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tandem"
	"tandem/store"
	"tandem/store/outbox"
)

// Deliver delivers one letter: it is the outbox worker's, for Kind. A receiver that answers
// 410 is told no more. One that fails again and again has pauses, in which its letters fail
// at once, so that they hold up nobody else's.
func (d *Desk) Deliver(ctx context.Context, o store.Outgoing) error {
	l, ok := parseKey(o.Key)
	if !ok {
		return fmt.Errorf("%q is no key of a letter: %w", o.Key, outbox.ErrPermanent)
	}
	d.recount(ctx)
	m, err := d.message(l, o.Body)
	if err != nil {
		return err
	}
	err = d.sender.Send(ctx, m)
	if err != nil && ctx.Err() != nil {
		return err // cut off, which says nothing of the receiver
	}
	d.heard(l.subscription, err)
	if errors.Is(err, outbox.ErrGone) {
		if off := d.switchOff(ctx, l.subscription, WhyGone); off != nil {
			d.o.Log.Error("a receiver wants no more, but that could not be noted", "subscription", l.subscription, "error", off)
		}
	}
	return err
}

// message is a letter as it is sent.
func (d *Desk) message(l letter, body []byte) (m outbox.Message, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r, ok := d.by[l.subscription]
	if !ok || !r.Active {
		return m, fmt.Errorf("the subscription is off or removed: %w", outbox.ErrPermanent)
	}
	now := d.o.Now()
	if wait := r.pause.Sub(now); wait > 0 {
		return m, &outbox.RetryAfter{Wait: wait, Err: errors.New("the receiver has failed again and again and has a pause")}
	}
	m = outbox.Message{ID: eventID(l.ref), URL: r.sealed.URL, Body: body}
	texts := []string{r.sealed.Secret}
	if r.sealed.Old != "" && now.Before(r.OldSecretUntil) {
		texts = append(texts, r.sealed.Old)
	}
	for _, text := range texts {
		secret, err := outbox.ParseSecret(text)
		if err != nil {
			return m, fmt.Errorf("the secret of subscription %s: %w", r.ID, err)
		}
		m.Secrets = append(m.Secrets, secret)
	}
	return m, nil
}

// heard notes how a receiver has answered.
func (d *Desk) heard(id string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r, ok := d.by[id]
	if !ok {
		return
	}
	if err == nil {
		r.fails, r.wrong, r.pause, r.heard = 0, 0, time.Time{}, d.o.Now()
		r.Waiting = max(0, r.Waiting-1)
		return
	}
	if r.fails++; r.fails >= pauseAfter {
		r.pause = d.o.Now().Add(min(pauseFirst<<min(r.fails-pauseAfter, 10), pauseLongest))
	}
}

// GivenUp is told by the outbox's worker of a letter that is given up. A receiver that has
// taken none for as long as that one was tried is told no more.
func (d *Desk) GivenUp(ctx context.Context, o store.Outgoing, cause error) {
	l, ok := parseKey(o.Key)
	if !ok {
		return
	}
	d.mu.Lock()
	r, ok := d.by[l.subscription]
	off := false
	if ok && r.Active {
		r.Waiting = max(0, r.Waiting-1)
		last := r.heard
		if last.Before(d.opened) {
			last = d.opened // what it took before is not known
		}
		if errors.Is(cause, outbox.ErrPermanent) {
			r.wrong++
			off = r.wrong >= wrongAtMost
		} else {
			off = last.Before(l.at)
		}
	}
	d.mu.Unlock()
	if !off {
		return
	}
	if err := d.switchOff(ctx, l.subscription, WhyUnreachable); err != nil {
		d.o.Log.Error("a receiver cannot be reached, but that could not be noted", "subscription", l.subscription, "error", err)
	}
}

// switchOff ends the telling of one receiver.
func (d *Desk) switchOff(ctx context.Context, id, why string) error {
	s, err := d.change(ctx, id, func(r *receiver) { r.set(false, why, d.o.Now()) })
	if err == nil {
		d.o.Log.Warn("a receiver of webhooks is told no more", "subscription", id, "why", s.Why)
	}
	return err
}

// recount counts now and then what waits for each receiver, for what is counted as it comes
// and goes drifts; and it notes since when a receiver was passed over.
func (d *Desk) recount(ctx context.Context) {
	d.mu.Lock()
	now := d.o.Now()
	due := now.Sub(d.counted) >= recountEvery
	if due {
		d.counted = now
	}
	d.mu.Unlock()
	if !due {
		return
	}
	n, err := waiting(ctx, d.store)
	if err != nil {
		d.o.Log.Warn("what waits for receivers is not counted", "error", err)
		return
	}
	var unsaid []string
	d.mu.Lock()
	for id, r := range d.by {
		r.Waiting = n[id]
		if r.Waiting < maxWaiting/2 {
			r.full = false
		}
		if r.unsaid {
			unsaid = append(unsaid, id)
		}
	}
	d.mu.Unlock()
	for _, id := range unsaid {
		if _, err := d.change(ctx, id, func(r *receiver) { r.unsaid = false }); err != nil {
			d.o.Log.Warn("since when a receiver was passed over is not noted", "subscription", id, "error", err)
		}
	}
}

// Delivery is a letter on its way, or of late.
type Delivery struct {
	ID          string               `json:"id"` // as the receiver sees it in webhook-id
	Type        tandem.EventKind     `json:"type"`
	Interaction tandem.InteractionID `json:"interaction"`
	Seq         uint64               `json:"seq"`
	At          time.Time            `json:"at"`    // of the event
	State       store.LetterState    `json:"state"` // waiting, delivered, or dead: given up
	Attempts    int                  `json:"attempts"`
	Made        time.Time            `json:"made"`
	Next        time.Time            `json:"next,omitzero"`   // of the next try
	Error       string               `json:"error,omitempty"` // of the last try
}

// Deliveries lists the letters of a subscription by the time of their events, the newest
// first: those that wait, and those of the last 72 hours. before is the ID of the last one
// of the page before.
func (d *Desk) Deliveries(ctx context.Context, id, before string, limit int) ([]Delivery, error) {
	if _, err := d.Find(id); err != nil {
		return nil, err
	}
	key := ""
	if before != "" {
		var err error
		if key, err = d.keyOf(ctx, id, before); err != nil {
			return nil, err
		}
	}
	letters, err := d.store.LettersUnder(ctx, prefix(id), key, max(1, min(limit, 500)))
	if err != nil {
		return nil, err
	}
	out := []Delivery{}
	for _, l := range letters {
		if k, ok := parseKey(l.Key); ok {
			out = append(out, Delivery{ID: eventID(k.ref), Type: k.kind, Interaction: k.ref.Interaction, Seq: k.ref.Seq, At: k.at,
				State: l.State, Attempts: l.Attempts, Made: l.Made, Next: l.Next, Error: l.Error})
		}
	}
	return out, nil
}

// event reads the event that a delivery tells of.
func (d *Desk) event(ctx context.Context, delivery string) (e tandem.Event, err error) {
	ref, ok := parseEventID(delivery)
	if !ok {
		return e, tandem.Errorf(tandem.CodeInvalid, "%q is no delivery: they are named as %sINTERACTION_SEQ", delivery, idPrefix)
	}
	found, err := d.store.EventsAt(ctx, []store.EventRef{ref})
	switch {
	case errors.Is(err, store.ErrNotFound):
		return e, tandem.Errorf(tandem.CodeNotFound, "there is no event %s", delivery)
	case err != nil:
		return e, err
	}
	return found[0], nil
}
