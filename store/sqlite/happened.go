package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"
	"time"

	"tandem"
	"tandem/store"
)

const (
	happenedAtOnce = 2000            // events in one reading, so that none stands long in the way of the log's folding
	maxTrail       = 5 * time.Minute // an event may be written so long after one that happened later
)

// Happened calls fn for the events of some kinds that happened at or after a time, the
// newest first. Those of an erased customer come without their payload. It reads in
// several transactions, from the end of the journal at its beginning backwards; fn may
// take its time.
func (db *DB) Happened(ctx context.Context, since time.Time, kinds []tandem.EventKind, fn func(tandem.Event) error) error {
	if len(kinds) == 0 {
		return nil
	}
	last, oldest := int64(1)<<62, nanos(since.Add(-maxTrail))
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(kinds)), ", ")
	for {
		args := []any{last}
		for _, k := range kinds {
			args = append(args, string(k))
		}
		var events []tandem.Event
		rows, enough := 0, false
		err := db.each(ctx, db.pool, "SELECT "+interactionColumns+`, e.n, e.seq, e.at, e.kind, e.leg, e.actor, e.sealed, e.digest
			FROM event e JOIN interaction i ON i.no = e.interaction JOIN customer c ON c.no = i.customer
			WHERE e.n < ? AND e.kind IN (`+marks+") ORDER BY e.n DESC LIMIT ?", func(row []driver.Value) error {
			rows++
			last = asInt(row[16])
			at := asInt(row[18])
			enough = enough || at < oldest
			if at < nanos(since) {
				return nil
			}
			e, err := db.eventRow(row)
			events = append(events, e)
			return err
		}, append(args, happenedAtOnce)...)
		if err != nil {
			return fmt.Errorf("reading what happened: %w", err)
		}
		for _, e := range events {
			if err := fn(e); err != nil {
				return err
			}
		}
		if enough || rows < happenedAtOnce {
			return nil
		}
	}
}

// eventRow is a row of interactionColumns, then n, seq, at, kind, leg, actor, sealed, digest.
func (db *DB) eventRow(row []driver.Value) (tandem.Event, error) {
	r, err := db.interactionRow(row)
	if err != nil {
		return tandem.Event{}, err
	}
	e := tandem.Event{Interaction: r.i.ID, Seq: uint64(asInt(row[17])), At: fromNanos(asInt(row[18])), Kind: tandem.EventKind(asText(row[19])),
		Leg: tandem.LegID(asText(row[20])), Actor: asText(row[21])}
	key := r.key
	if store.UnderSystemKey(e.Kind) {
		key = db.o.Keys.System()
	}
	if sealed := asBytes(row[22]); key != nil && sealed != nil {
		var digest store.Hash
		copy(digest[:], asBytes(row[23]))
		if e.Data, err = store.OpenEvent(&e, sealed, digest, key); err != nil {
			return e, fmt.Errorf("event %d of %s: %w", e.Seq, e.Interaction, err)
		}
	}
	return e, nil
}
