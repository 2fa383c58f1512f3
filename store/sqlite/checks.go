package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"

	"tandem"
	"tandem/store"
)

// saveCheck writes an identity check as it stands. What is known of an erased customer's is
// by which policy it was, and when.
func (w *writer) saveCheck(in *entry, c *store.CheckRecord) error {
	var sealed []byte
	state, officer := "erased", ""
	if in.key != nil {
		var err error
		state, officer = c.State, c.Officer
		if sealed, err = in.key.Seal(w.random, c.Data, []byte("check "+c.ID)); err != nil {
			return err
		}
	}
	var n int64
	var err error
	if c.Version == 1 {
		n, err = w.c.exec(`INSERT OR IGNORE INTO identity_check (id, interaction, policy, state, officer, begun, ended, version, data)
			VALUES (?, ?, ?, ?, ?, ?, ?, 1, ?)`, string(c.ID), in.no, c.Policy, state, officer, c.Begun, c.Ended, sealed)
	} else {
		n, err = w.c.exec(`UPDATE identity_check SET state = ?, officer = ?, ended = ?, version = ?, data = ? WHERE id = ? AND interaction = ? AND version = ?`,
			state, officer, c.Ended, c.Version, sealed, string(c.ID), in.no, c.Version-1)
	}
	if err == nil && n == 0 {
		return fmt.Errorf("check %s is not at version %d: %w", c.ID, c.Version-1, store.ErrConflict)
	}
	return err
}

const checkColumns = interactionColumns + `, k.id, k.policy, k.state, k.officer, k.begun, k.ended, k.version, k.data`

func (db *DB) checkRow(row []driver.Value) (store.CheckRecord, error) {
	r, err := db.interactionRow(row)
	if err != nil {
		return store.CheckRecord{}, err
	}
	row = row[16:]
	c := store.CheckRecord{ID: tandem.CheckID(asText(row[0])), Interaction: r.i.ID, Number: r.i.Number, Policy: asText(row[1]), State: asText(row[2]), Officer: asText(row[3]),
		Begun: fromNanos(asInt(row[4])), Ended: fromNanos(asInt(row[5])), Version: asInt(row[6])}
	if sealed := asBytes(row[7]); r.key != nil && sealed != nil {
		c.Data, err = r.key.Open(sealed, []byte("check "+c.ID))
	}
	return c, err
}

// Check reads one identity check; store.ErrNotFound if there is none.
func (db *DB) Check(ctx context.Context, id tandem.CheckID) (c store.CheckRecord, err error) {
	found := false
	err = db.each(ctx, db.pool, "SELECT "+checkColumns+` FROM identity_check k JOIN interaction i ON i.no = k.interaction
		JOIN customer c ON c.no = i.customer WHERE k.id = ?`, func(row []driver.Value) (err error) {
		found = true
		c, err = db.checkRow(row)
		return err
	}, string(id))
	if err == nil && !found {
		err = store.ErrNotFound
	}
	if err != nil {
		return c, fmt.Errorf("reading check %s: %w", id, err)
	}
	return c, nil
}

// Checks lists identity checks, the newest first.
func (db *DB) Checks(ctx context.Context, f store.CheckFilter) ([]store.CheckRecord, error) {
	limit := f.Limit
	if limit <= 0 {
		limit = 50
	}
	where, args := "1", []any(nil)
	and := func(condition string, arg ...any) { where += " AND " + condition; args = append(args, arg...) }
	if f.Interaction != "" {
		and("i.id = ?", string(f.Interaction))
	}
	if f.Open {
		and("k.ended = 0")
	}
	if f.State != "" {
		and("k.state = ?", f.State)
	}
	if f.Policy != "" {
		and("k.policy = ?", f.Policy)
	}
	if !f.Since.IsZero() {
		and("k.begun >= ?", nanos(f.Since))
	}
	if f.Before != "" {
		and("k.id < ?", string(f.Before))
	}
	out := []store.CheckRecord{}
	err := db.each(ctx, db.pool, "SELECT "+checkColumns+` FROM identity_check k JOIN interaction i ON i.no = k.interaction
		JOIN customer c ON c.no = i.customer WHERE `+where+" ORDER BY k.no DESC LIMIT ?", func(row []driver.Value) error {
		c, err := db.checkRow(row)
		out = append(out, c)
		return err
	}, append(args, min(limit, 1000))...)
	if err != nil {
		return nil, fmt.Errorf("reading checks: %w", err)
	}
	return out, nil
}

// Links reads the events of an interaction with their places in its chain of hashes, in
// order. Those of an erased customer come without payload and salt.
func (db *DB) Links(ctx context.Context, id tandem.InteractionID) ([]store.Link, error) {
	out := []store.Link{}
	err := db.each(ctx, db.pool, "SELECT "+interactionColumns+`, e.seq, e.at, e.kind, e.leg, e.actor, e.sealed, e.digest, e.hash
		FROM event e JOIN interaction i ON i.no = e.interaction JOIN customer c ON c.no = i.customer WHERE i.id = ? ORDER BY e.seq`, func(row []driver.Value) error {
		r, err := db.interactionRow(row)
		if err != nil {
			return err
		}
		row = row[16:]
		l := store.Link{Event: tandem.Event{Interaction: id, Seq: uint64(asInt(row[0])), At: fromNanos(asInt(row[1])), Kind: tandem.EventKind(asText(row[2])),
			Leg: tandem.LegID(asText(row[3])), Actor: asText(row[4])}}
		copy(l.Digest[:], asBytes(row[6]))
		copy(l.Hash[:], asBytes(row[7]))
		key := r.key
		if store.UnderSystemKey(l.Kind) {
			key = db.o.Keys.System()
		}
		if sealed := asBytes(row[5]); key != nil && sealed != nil {
			if l.Salt, l.Data, err = store.OpenSalted(&l.Event, sealed, l.Digest, key); err != nil {
				return fmt.Errorf("event %d: %w", l.Seq, err)
			}
		}
		out = append(out, l)
		return nil
	}, string(id))
	if err == nil && len(out) == 0 {
		err = store.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("reading the events of %s: %w", id, err)
	}
	return out, nil
}
