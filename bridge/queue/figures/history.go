package figures

import (
	"context"
	"fmt"
	"slices"
	"time"

	"tandem"
	"tandem/store"
)

// MaxPoints bounds one answer of History.
const MaxPoints = 2016

// Point is a time's figures, from At.
type Point struct {
	At time.Time
	Counts
}

// Query says what of the past is wanted.
type Query struct {
	Key         Key
	From, Until time.Time     // Until zero = now
	Step        time.Duration // of a point, whole Spans; 0 = as fine as MaxPoints allows
}

// fit completes a query and refuses one that cannot be answered.
func (q *Query) fit(now time.Time) error {
	if q.Until.IsZero() || !q.Until.Before(now) {
		q.Until = now.Add(1) // what begins now is among it
	}
	if q.From.IsZero() {
		q.From = q.Until.Add(-24 * time.Hour)
	}
	if q.From.Before(now.Add(-Kept)) {
		q.From = now.Add(-Kept)
	}
	q.From = q.From.UTC().Truncate(Span)
	if !q.From.Before(q.Until) {
		return tandem.Errorf(tandem.CodeInvalid, "since is a time before until, of the last %d days", int(Kept.Hours()/24))
	}
	spans := q.Until.Sub(q.From)
	if q.Step == 0 {
		q.Step = Span
		for _, wider := range []time.Duration{15 * time.Minute, time.Hour} {
			if spans/q.Step > MaxPoints/4 {
				q.Step = wider
			}
		}
	}
	if q.Step < Span || q.Step%Span != 0 || q.Step > 24*time.Hour {
		return tandem.Errorf(tandem.CodeInvalid, "step is whole minutes that 5 divides, up to a day")
	}
	if spans/q.Step > MaxPoints {
		return tandem.Errorf(tandem.CodeInvalid, "that would be more than %d points: ask for a wider step or a shorter time", MaxPoints)
	}
	return nil
}

// History is the past of one key, in its order, without gaps, and the step of its points.
func (b *Book) History(ctx context.Context, q Query) ([]Point, time.Duration, error) {
	if err := q.fit(b.o.Now()); err != nil {
		return nil, 0, err
	}
	by := map[int64]Counts{}
	note := func(at time.Time, _ Key, c Counts) error {
		by[at.UnixNano()] = c
		return nil
	}
	if err := b.each(ctx, q.From, q.Until, &q.Key, note); err != nil {
		return nil, 0, err
	}
	var out []Point
	for at := q.From; at.Before(q.Until); at = at.Add(q.Step) {
		p := Point{At: at}
		for part := at; part.Before(at.Add(q.Step)) && part.Before(q.Until); part = part.Add(Span) {
			c := by[part.UnixNano()]
			p.Add(&c)
		}
		out = append(out, p)
	}
	return out, q.Step, nil
}

// All calls do for the buckets of all keys in a time, in its order: for an export.
func (b *Book) All(ctx context.Context, q Query, do func(at time.Time, k Key, c Counts) error) error {
	if err := q.fit(b.o.Now()); err != nil {
		return err
	}
	return b.each(ctx, q.From, q.Until, nil, do)
}

// each calls do for the buckets of one key, or of all, in a time: what is at hand from here,
// what is older from the table.
func (b *Book) each(ctx context.Context, from, until time.Time, key *Key, do func(at time.Time, k Key, c Counts) error) error {
	recent, begins := b.recent(from, until)
	if begins.IsZero() || from.Before(begins) {
		if begins.IsZero() || begins.After(until) {
			begins = until
		}
		err := b.o.Store.View(ctx, func(tx store.Tx) error { return ReadKept(tx, from, begins, key, do) })
		if err != nil {
			return fmt.Errorf("reading the figures that are kept: %w", err)
		}
	}
	for i := range recent {
		for _, k := range sortedKeys(recent[i].By) {
			if key != nil && k != *key {
				continue
			}
			if c := recent[i].By[k]; !c.empty() {
				if err := do(recent[i].At, k, *c); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// recent are the buckets at hand that are in a time, and when the first at hand begins. What
// waits in the last one goes on waiting.
func (b *Book) recent(from, until time.Time) (out []Bucket, begins time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fold == nil {
		return nil, begins
	}
	now := b.fold.Now()
	begins = now.At
	if len(b.buckets) > 0 {
		begins = b.buckets[0].At
	}
	for _, x := range append(slices.Clip(b.buckets), now) {
		if !x.At.Before(from) && x.At.Before(until) {
			out = append(out, x)
		}
	}
	for at := now.At.Add(Span); at.Before(until) && !at.After(b.o.Now()); at = at.Add(Span) {
		still := Bucket{At: at, By: map[Key]*Counts{}}
		for k, c := range now.By {
			still.By[k] = &Counts{Waiting: c.Waiting, Most: c.Waiting}
		}
		if !at.Before(from) {
			out = append(out, still)
		}
	}
	return out, begins
}

func sortedKeys(by map[Key]*Counts) []Key {
	out := make([]Key, 0, len(by))
	for k := range by {
		out = append(out, k)
	}
	slices.SortFunc(out, func(a, b Key) int {
		if a.Queue != b.Queue {
			if a.Queue < b.Queue {
				return -1
			}
			return 1
		}
		if a.Kind < b.Kind {
			return -1
		}
		return 1
	})
	return out
}

// Contacts are the newest n behind a number, the newest first, and how many there are: of a
// key, of a time (zero = no bound) that is at hand.
func (b *Book) Contacts(k Key, what What, from, until time.Time, n int) (out []Contact, total int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := len(b.contacts) - 1; i >= 0; i-- {
		c := &b.contacts[i]
		if k.Queue != "" && k.Queue != c.Queue || k.Kind != "" && k.Kind != c.Kind || what != "" && what != c.What ||
			c.At.Before(from) || !until.IsZero() && !c.At.Before(until) {
			continue
		}
		if total++; len(out) < n {
			out = append(out, *c)
		}
	}
	return out, total
}
