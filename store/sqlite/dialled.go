package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"
	"time"

	"tandem"
)

// Dialled returns the calls out that began at or after a time, the oldest first, so
// that caps on them can be counted again after a restart. Those of erased customers
// are among them, without their number: they still count towards the sums.
func (db *DB) Dialled(ctx context.Context, since time.Time) ([]tandem.Leg, error) {
	var rows []interactionRow
	seen := map[int64]bool{}
	err := db.each(ctx, db.pool, "SELECT "+interactionColumns+` FROM leg l JOIN interaction i ON i.no = l.interaction
		JOIN customer c ON c.no = i.customer WHERE l.inbound = 0 AND l.kind = 'sip' AND l.started >= ? ORDER BY l.no`,
		func(row []driver.Value) error {
			r, err := db.interactionRow(row)
			if err == nil && !seen[r.no] {
				seen[r.no] = true
				rows = append(rows, r)
			}
			return err
		}, nanos(since))
	var out []tandem.Leg
	for i := range rows {
		if err != nil {
			break
		}
		var legs []tandem.Leg
		legs, err = db.legs(ctx, db.pool, rows[i], "AND inbound = 0 AND kind = 'sip'")
		for _, l := range legs {
			if !l.Started.Before(since) {
				out = append(out, l)
			}
		}
	}
	if err != nil {
		return nil, fmt.Errorf("reading calls out: %w", err)
	}
	return out, nil
}
