package link

import (
	"context"
	"errors"
	"time"

	"tandem"
	"tandem/store"
)

const (
	sweepEvery = time.Second // an expired link is told of this much later at most
	clearEvery = time.Hour
	sweepMost  = 200 // links in one sweep; the next is a second later
)

// Run raises what expires, and forgets links that were over long ago, until ctx ends.
func (d *Desk) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	cleared, failing := time.Time{}, false
	for {
		err := d.sweep(ctx)
		if now := d.now(); err == nil && now.Sub(cleared) >= clearEvery {
			cleared = now
			err = d.clear(ctx)
		}
		if err != nil && !failing && ctx.Err() == nil {
			d.o.Log.Warn("links that expire cannot be told of; it is tried again each second", "err", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// sweep raises the links that have expired.
func (d *Desk) sweep(ctx context.Context) error {
	now := d.now()
	d.asked.sweep(now)
	var due []Link
	err := d.o.Database.View(ctx, func(tx store.Tx) error {
		return tx.Each("SELECT "+columns+" FROM link l WHERE l.state IN ('made', 'opened') AND l.expires <= ? ORDER BY l.expires LIMIT ?", func(r store.Row) error {
			due = append(due, linkOf(r))
			return nil
		}, now, sweepMost)
	})
	for _, l := range due {
		if _, e := d.turn(ctx, l, nil, tandem.LinkExpired); e != nil && !errors.Is(e, errMoved) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// clear forgets the links that were over long ago, with their tokens.
func (d *Desk) clear(ctx context.Context) error {
	return d.o.Database.Update(ctx, func(tx store.Tx) error {
		_, err := tx.Exec("DELETE FROM link WHERE over <> 0 AND over <= ?", d.now().Add(-keepFor))
		return err
	})
}
