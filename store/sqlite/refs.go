package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"

	"tandem"
	"tandem/store"
)

// refsAtOnce bounds the events read by one query: it has two arguments for each.
const refsAtOnce = 500

// EventsAt reads events by their places, in the order of refs. Those of an erased
// customer come without their payload. If one is not there it is store.ErrNotFound.
func (db *DB) EventsAt(ctx context.Context, refs []store.EventRef) ([]tandem.Event, error) {
	out := make([]tandem.Event, 0, len(refs))
	for len(refs) > 0 {
		some := refs[:min(len(refs), refsAtOnce)]
		refs = refs[len(some):]
		args := make([]any, 0, 2*len(some))
		for _, r := range some {
			args = append(args, string(r.Interaction), int64(r.Seq))
		}
		found := make(map[store.EventRef]tandem.Event, len(some))
		err := db.each(ctx, db.pool, "WITH ref(id, seq) AS (VALUES "+strings.TrimSuffix(strings.Repeat("(?, ?), ", len(some)), ", ")+") SELECT "+
			interactionColumns+`, e.n, e.seq, e.at, e.kind, e.leg, e.actor, e.sealed, e.digest
			FROM ref CROSS JOIN interaction i ON i.id = ref.id CROSS JOIN event e ON e.interaction = i.no AND e.seq = ref.seq
			CROSS JOIN customer c ON c.no = i.customer`, func(row []driver.Value) error {
			e, err := db.eventRow(row)
			found[store.EventRef{Interaction: e.Interaction, Seq: e.Seq}] = e
			return err
		}, args...)
		if err != nil {
			return nil, fmt.Errorf("reading events: %w", err)
		}
		for _, r := range some {
			e, ok := found[r]
			if !ok {
				return nil, fmt.Errorf("event %d of %s: %w", r.Seq, r.Interaction, store.ErrNotFound)
			}
			out = append(out, e)
		}
	}
	return out, nil
}

// Leg reads one leg; store.ErrNotFound if there is none. That of an erased customer has
// no addresses.
func (db *DB) Leg(ctx context.Context, id tandem.LegID) (l tandem.Leg, err error) {
	var r interactionRow
	found := false
	err = db.each(ctx, db.pool, "SELECT "+interactionColumns+` FROM leg l JOIN interaction i ON i.no = l.interaction
		JOIN customer c ON c.no = i.customer WHERE l.id = ?`, func(row []driver.Value) (err error) {
		found = true
		r, err = db.interactionRow(row)
		return err
	}, string(id))
	var legs []tandem.Leg
	if err == nil && found {
		legs, err = db.legs(ctx, db.pool, r, "AND id = ?", string(id))
	}
	if err == nil && len(legs) == 0 {
		err = store.ErrNotFound
	}
	if err != nil {
		return l, fmt.Errorf("reading leg %s: %w", id, err)
	}
	return legs[0], nil
}
