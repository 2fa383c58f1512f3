package hook

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tandem"
	"tandem/store"
)

// Replay sends everything again that a subscription wants and that happened from since to
// before until (zero, or a time to come = all that has happened by now), and says how many
// letters that are. Each has the id it had the first time; tasks in them are as they are
// now. What still waits is not sent twice.
func (d *Desk) Replay(ctx context.Context, id string, since, until time.Time) (queued int, err error) {
	s, err := d.on(id)
	if err != nil {
		return 0, err
	}
	if !until.Before(d.o.Now()) {
		until = time.Time{}
	}
	if since.IsZero() || !until.IsZero() && !since.Before(until) {
		return 0, tandem.Errorf(tandem.CodeInvalid, "say since when to replay: a time before its end")
	}
	errMany := errors.New("too many")
	var events []tandem.Event
	err = d.store.Happened(ctx, since, kindsOf(s.Kinds), func(e tandem.Event) error {
		if !until.IsZero() && !e.At.Before(until) {
			return nil
		}
		if len(events) == maxReplay {
			return errMany
		}
		events = append(events, e)
		return nil
	})
	if errors.Is(err, errMany) {
		return 0, tandem.Errorf(tandem.CodeConflict, "more than %d events happened since then: replay a shorter time, one after the other", maxReplay)
	}
	if err != nil {
		return 0, err
	}
	if err := d.send(ctx, s, events); err != nil {
		return 0, err
	}
	if !s.MissedSince.IsZero() && !since.After(s.MissedSince) && until.IsZero() {
		_, err = d.change(ctx, id, func(r *receiver) {
			if !r.full {
				r.MissedSince, r.unsaid = time.Time{}, false
			}
		})
	}
	return len(events), err
}

// ReplayOne sends one delivery again, under the same id.
func (d *Desk) ReplayOne(ctx context.Context, id, delivery string) error {
	s, err := d.on(id)
	if err != nil {
		return err
	}
	e, err := d.event(ctx, delivery)
	if err != nil {
		return err
	}
	if contents[e.Kind] == nil {
		return tandem.Errorf(tandem.CodeInvalid, "nobody is told of %s", e.Kind)
	}
	return d.send(ctx, s, []tandem.Event{e})
}

// on finds a subscription that is active.
func (d *Desk) on(id string) (Subscription, error) {
	s, err := d.Find(id)
	if err == nil && !s.Active {
		err = tandem.Errorf(tandem.CodeConflict, "the subscription is off (%s): switch it on first", s.Why)
	}
	return s, err
}

// send puts letters of events into the outbox, the oldest first.
func (d *Desk) send(ctx context.Context, s Subscription, events []tandem.Event) error {
	abouts := map[tandem.InteractionID]store.About{}
	var letters []store.Outgoing
	for i := len(events) - 1; i >= 0; i-- {
		e := &events[i]
		about, ok := abouts[e.Interaction]
		if !ok {
			var err error
			if about, err = d.about(ctx, e.Interaction); err != nil {
				return err
			}
			abouts[e.Interaction] = about
		}
		body, err := body(e, about)
		if err != nil {
			return err
		}
		letters = append(letters, store.Outgoing{Key: keyOf(s.ID, e), Kind: Kind, Target: s.ID, Body: body, Again: true})
	}
	for len(letters) > 0 {
		n := min(len(letters), atOnce)
		if err := d.store.Commit(ctx, &store.Change{Outbox: letters[:n]}); err != nil {
			return fmt.Errorf("sending again: %w", err)
		}
		letters = letters[n:]
	}
	return nil
}

// about reads what is told of an interaction's events beside themselves.
func (d *Desk) about(ctx context.Context, in tandem.InteractionID) (about store.About, err error) {
	err = d.store.View(ctx, func(tx store.Tx) error {
		_, err := tx.One("SELECT number FROM interaction WHERE id = ?", func(row store.Row) { about.Number = tandem.Number(row.Text(0)) }, string(in))
		if err != nil {
			return err
		}
		return tx.Each("SELECT "+store.TaskColumns+" FROM task t JOIN interaction i ON i.no = t.interaction WHERE i.id = ?", func(row store.Row) error {
			t, err := store.TaskOf(row)
			about.Tasks = append(about.Tasks, t)
			return err
		}, string(in))
	})
	if err != nil {
		return about, fmt.Errorf("reading what interaction %s is: %w", in, err)
	}
	return about, nil
}
