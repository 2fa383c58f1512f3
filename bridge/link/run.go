package link

import (
	"context"
	"errors"
	"sync"
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
		err := errors.Join(d.sweep(ctx), d.others(ctx))
		if now := d.now(); err == nil && now.Sub(cleared) >= clearEvery {
			cleared = now
			err = d.clear(ctx)
		}
		if err != nil && !failing && ctx.Err() == nil {
			d.o.Log.Warn("links that expire cannot be told of; it is tried again each second", "error", err)
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

// revoked is what this desk has revoked of late, so that what others did is told apart: an
// operator's command opens the database beside the server.
type revoked struct {
	mu    sync.Mutex
	since time.Time // of what happened before nobody here waits
	own   map[tandem.LinkID]time.Time
}

// lookBack is how late the change of another process may be seen.
const lookBack = time.Minute

func (r *revoked) add(id tandem.LinkID, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, at := range r.own {
		if now.Sub(at) > 2*lookBack {
			delete(r.own, id)
		}
	}
	r.own[id] = now
}

// news reports whether a link was revoked by somebody else, once.
func (r *revoked) news(id tandem.LinkID, now time.Time) bool {
	r.mu.Lock()
	_, own := r.own[id]
	r.mu.Unlock()
	if !own {
		r.add(id, now)
	}
	return !own
}

// others tells of the links that another process has revoked.
func (d *Desk) others(ctx context.Context) error {
	now := d.now()
	since := now.Add(-lookBack)
	if since.Before(d.gone.since) {
		since = d.gone.since
	}
	var found []Link
	err := d.o.Database.View(ctx, func(tx store.Tx) error {
		return tx.Each("SELECT "+columns+" FROM link l WHERE l.over >= ? AND l.over <> 0 AND l.state = 'revoked' ORDER BY l.over LIMIT ?", func(r store.Row) error {
			found = append(found, linkOf(r))
			return nil
		}, since, listMost)
	})
	for _, l := range found {
		if d.gone.news(l.ID, now) {
			d.asked.forget(l.ID)
			d.o.Log.Info("link revoked elsewhere", "link", l.ID, "interaction", l.Interaction)
			d.o.Changed(ctx, l, tandem.LinkRevoked, nil)
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
