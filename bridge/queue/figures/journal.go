package figures

import (
	"context"
	"fmt"
	"time"

	"tandem"
	"tandem/store"
)

const (
	readAtOnce = 1000            // events
	maxTrail   = 5 * time.Minute // an event may be written so long after one that happened later
)

// from finds the number of the first event of the journal that may have happened at or after
// a time. Numbers have no gaps.
func fromNumber(tx store.Tx, at time.Time) (first int64, err error) {
	var last int64
	if _, err = tx.One("SELECT coalesce(max(n), 0) FROM event", func(r store.Row) { last = r.Int(0) }); err != nil {
		return 0, err
	}
	at = at.Add(-maxTrail)
	low, high := int64(1), last+1
	for low < high {
		middle := low + (high-low)/2
		var then time.Time
		if _, err = tx.One("SELECT at FROM event WHERE n = ?", func(r store.Row) { then = r.Time(0) }, middle); err != nil {
			return 0, err
		}
		if then.Before(at) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low, nil
}

// earlier are the places of the events before a number of all tasks that are not done or were
// touched since, in the order of the journal.
func earlier(tx store.Tx, before int64) (refs []store.EventRef, err error) {
	err = tx.Each(`WITH live(no) AS (SELECT interaction FROM task WHERE state <> 'done' UNION SELECT interaction FROM event WHERE n >= ? AND kind LIKE 'task.%')
		SELECT i.id, e.seq FROM live CROSS JOIN event e ON e.interaction = live.no CROSS JOIN interaction i ON i.no = live.no
		WHERE e.n < ? AND e.kind LIKE 'task.%' ORDER BY e.n`, func(r store.Row) error {
		refs = append(refs, store.EventRef{Interaction: tandem.InteractionID(r.Text(0)), Seq: uint64(r.Int(1))})
		return nil
	}, before, before)
	return refs, err
}

// following are the places of the next events of tasks after a number, and the number to go
// on after; more says that there may be others already.
func following(tx store.Tx, after int64) (refs []store.EventRef, next int64, more bool, err error) {
	next = after
	err = tx.Each(`SELECT i.id, e.seq, e.n FROM event e CROSS JOIN interaction i ON i.no = e.interaction
		WHERE e.n > ? AND e.kind LIKE 'task.%' ORDER BY e.n LIMIT ?`, func(r store.Row) error {
		refs = append(refs, store.EventRef{Interaction: tandem.InteractionID(r.Text(0)), Seq: uint64(r.Int(1))})
		next = r.Int(2)
		return nil
	}, after, int64(readAtOnce))
	if err != nil || len(refs) == readAtOnce {
		return refs, next, true, err
	}
	_, err = tx.One("SELECT coalesce(max(n), 0) FROM event", func(r store.Row) { next = max(next, r.Int(0)) })
	return refs, next, false, err
}

// Replay folds the whole journal. It is for audits: refs come in pages, in the order of the
// journal.
func Replay(ctx context.Context, st Store, f *Fold) (events int, err error) {
	for after, more := int64(0), true; more; {
		var refs []store.EventRef
		err := st.View(ctx, func(tx store.Tx) (err error) {
			refs, after, more, err = following(tx, after)
			return err
		})
		if err == nil {
			err = enterAll(ctx, st, f, refs)
		}
		if err != nil {
			return events, fmt.Errorf("reading the journal: %w", err)
		}
		events += len(refs)
	}
	return events, nil
}

// enterAll enters events by their places.
func enterAll(ctx context.Context, st Store, f *Fold, refs []store.EventRef) error {
	for len(refs) > 0 {
		some := refs[:min(len(refs), readAtOnce)]
		refs = refs[len(some):]
		events, err := st.EventsAt(ctx, some)
		if err != nil {
			return err
		}
		for i := range events {
			if err := f.Enter(&events[i]); err != nil {
				return err
			}
		}
	}
	return nil
}
