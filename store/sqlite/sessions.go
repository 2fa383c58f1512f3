package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"time"

	"tandem"
	"tandem/store"
)

// saveSession replaces an interaction's session, sealed under its customer's key. An
// erased customer's is not kept.
func (w *writer) saveSession(in *entry, id tandem.InteractionID, s store.SessionRecord) error {
	if in.key == nil {
		return nil
	}
	sealed, err := in.key.Seal(w.random, s.Data, []byte("session "+id))
	if err != nil {
		return err
	}
	_, err = w.c.exec(`INSERT INTO session (interaction, at, data, due) VALUES (?, ?, ?, ?)
		ON CONFLICT (interaction) DO UPDATE SET at = excluded.at, data = excluded.data, due = excluded.due, parked = 0`, in.no, s.At, sealed, s.Due)
	return err
}

// changeSession does what a change says about its interaction's session.
func (w *writer) changeSession(in *entry, id tandem.InteractionID, c *store.Change) error {
	if c.Session != nil {
		if err := w.saveSession(in, id, *c.Session); err != nil {
			return err
		}
	}
	if !c.Park.IsZero() {
		if _, err := w.c.exec("UPDATE session SET parked = ?, due = 0 WHERE interaction = ?", c.Park, in.no); err != nil {
			return err
		}
	}
	if c.EndSession {
		if _, err := w.c.exec("DELETE FROM session WHERE interaction = ?", in.no); err != nil {
			return err
		}
	}
	return nil
}

// Session returns an interaction's stored flow session and when it was stored.
func (db *DB) Session(ctx context.Context, id tandem.InteractionID) ([]byte, time.Time, error) {
	var data []byte
	var at time.Time
	found := false
	err := db.each(ctx, db.pool, "SELECT "+interactionColumns+`, s.at, s.data FROM session s JOIN interaction i ON i.no = s.interaction
		JOIN customer c ON c.no = i.customer WHERE i.id = ?`, func(row []driver.Value) error {
		r, err := db.interactionRow(row)
		if err != nil || r.key == nil {
			return err
		}
		found, at = true, fromNanos(asInt(row[16]))
		data, err = r.key.Open(asBytes(row[17]), []byte("session "+id))
		return err
	}, string(id))
	if err == nil && !found {
		err = store.ErrNotFound
	}
	if err != nil {
		return nil, at, fmt.Errorf("reading the session of %s: %w", id, err)
	}
	return data, at, nil
}

// Sessions lists the stored sessions of open interactions that no call holds, with when
// their waits end: what whoever drives them has to wait for after a start.
func (db *DB) Sessions(ctx context.Context) ([]store.SessionTimer, error) {
	var out []store.SessionTimer
	err := db.each(ctx, db.pool, `SELECT i.id, s.due FROM session s JOIN interaction i ON i.no = s.interaction
		WHERE i.ended = 0 AND NOT EXISTS (SELECT 1 FROM leg WHERE interaction = i.no AND ended = 0 AND kind IN ('sip', 'webrtc'))
		ORDER BY i.no`, func(row []driver.Value) error {
		out = append(out, store.SessionTimer{Interaction: tandem.InteractionID(asText(row[0])), Due: fromNanos(asInt(row[1]))})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading which sessions wait: %w", err)
	}
	return out, nil
}

// Parked finds the interaction with a spoken number if its session can go on: it is open
// and has one, or was parked until later than now. Otherwise it is store.ErrNotFound; an
// erased customer's has none.
func (db *DB) Parked(ctx context.Context, number tandem.Number, now time.Time) (store.Parked, error) {
	var p store.Parked
	found := false
	err := db.each(ctx, db.pool, "SELECT "+interactionColumns+`, s.at, s.parked FROM interaction i JOIN session s ON s.interaction = i.no
		JOIN customer c ON c.no = i.customer WHERE i.number = ? AND c.key IS NOT NULL AND (i.ended = 0 OR s.parked > ?)`,
		func(row []driver.Value) error {
			r, err := db.interactionRow(row)
			found = true
			p = store.Parked{Interaction: r.i, Stored: fromNanos(asInt(row[16]))}
			if !r.i.Ended.IsZero() {
				p.Until = fromNanos(asInt(row[17]))
			}
			return err
		}, string(number), nanos(now))
	if err == nil && !found {
		err = store.ErrNotFound
	}
	if err != nil {
		return p, fmt.Errorf("looking for an interaction that can go on: %w", err)
	}
	return p, nil
}

// SweepParked destroys the sessions that were parked until now or earlier, and says how
// many. Call it every hour or so: a session may hold secrets.
func (db *DB) SweepParked(ctx context.Context) (swept int64, err error) {
	err = db.Update(ctx, func(tx store.Tx) error {
		swept, err = tx.Exec(`DELETE FROM session WHERE parked <> 0 AND parked <= ?
			AND interaction IN (SELECT no FROM interaction WHERE ended <> 0)`, db.o.Now())
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("sweeping parked sessions: %w", err)
	}
	return swept, nil
}
