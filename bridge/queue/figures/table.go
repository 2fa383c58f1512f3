package figures

import (
	"context"
	"fmt"
	"time"

	"tandem"
	"tandem/store"
)

// Kept is how long figures are kept.
const Kept = 35 * 24 * time.Hour

// keepAtOnce bounds the buckets of one transaction.
const keepAtOnce = 48

// keep writes buckets that are over. Those that are there already stay as they are.
func keep(ctx context.Context, st Store, some []Bucket) error {
	return st.Update(ctx, func(tx store.Tx) error {
		for i := range some {
			for k, c := range some[i].By {
				if c.empty() {
					continue
				}
				_, err := tx.Exec(`INSERT OR IGNORE INTO figure (at, queue, kind, opened, answered, within, gone, waiting, most, waits) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
					some[i].At, k.Queue, string(k.Kind), c.Opened, c.Answered, c.Within, c.Left, c.Waiting, c.Most, c.Waits.String())
				if err != nil {
					return fmt.Errorf("keeping the figures of %s: %w", some[i].At.Format(time.RFC3339), err)
				}
			}
		}
		return nil
	})
}

// forget deletes what is older than Kept.
func forget(ctx context.Context, st Store, now time.Time) error {
	return st.Update(ctx, func(tx store.Tx) error {
		_, err := tx.Exec("DELETE FROM figure WHERE at < ?", now.Add(-Kept))
		return err
	})
}

// ReadKept reads what is kept of a time, in its order: of one key, or of all if key is nil.
func ReadKept(tx store.Tx, from, until time.Time, key *Key, do func(at time.Time, k Key, c Counts) error) error {
	query, args := "SELECT at, queue, kind, opened, answered, within, gone, waiting, most, waits FROM figure WHERE at >= ? AND at < ?", []any{from, until}
	if key != nil {
		query, args = query+" AND queue = ? AND kind = ?", append(args, key.Queue, string(key.Kind))
	}
	return tx.Each(query+" ORDER BY at, queue, kind", func(r store.Row) error {
		c := Counts{Opened: int(r.Int(3)), Answered: int(r.Int(4)), Within: int(r.Int(5)), Left: int(r.Int(6)), Waiting: int(r.Int(7)), Most: int(r.Int(8))}
		var err error
		if c.Waits, err = ParseWaits(r.Text(9)); err != nil {
			return fmt.Errorf("the figures of %s, queue %q, kind %q: %w: %w", r.Time(0).Format(time.RFC3339), r.Text(1), r.Text(2), err, store.ErrDamaged)
		}
		return do(r.Time(0), Key{r.Text(1), tandem.TaskKind(r.Text(2))}, c)
	}, args...)
}

// lastKept is the newest bucket that is kept; zero = none.
func lastKept(tx store.Tx) (at time.Time, err error) {
	_, err = tx.One("SELECT coalesce(max(at), 0) FROM figure", func(r store.Row) { at = r.Time(0) })
	return at, err
}
