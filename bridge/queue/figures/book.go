package figures

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"tandem"
	"tandem/store"
)

// Store is what a Book reads and keeps; store/sqlite's DB is one.
type Store interface {
	View(ctx context.Context, do func(tx store.Tx) error) error
	Update(ctx context.Context, do func(tx store.Tx) error) error
	EventsAt(ctx context.Context, refs []store.EventRef) ([]tandem.Event, error)
}

// Bounds and times.
const (
	remembered  = 25 * time.Hour         // that is at hand without the table
	maxContacts = 20_000                 // at hand, the newest
	grace       = 2 * time.Minute        // a bucket is kept so long after its end: what is late is in it by then
	standEvery  = 250 * time.Millisecond // between readings while something happens
	idleEvery   = 15 * time.Second       // between readings while nothing is told of
	failedRest  = 5 * time.Second        // after one that failed
	forgetEvery = time.Hour
)

// Options is what a Book is made of. Log may be left out.
type Options struct {
	Store Store
	Now   func() time.Time // its location says when a day begins
	Log   *slog.Logger
}

// Book is the figures of now and of the last days. Its methods are safe from any goroutine.
type Book struct {
	o    Options
	wake chan struct{} // of one

	// Of Follow's goroutine.
	after   int64 // the journal is read up to this number
	keeping []Bucket
	forgot  time.Time
	taking  []Contact

	mu       sync.Mutex
	fold     *Fold // nil before Follow has begun
	buckets  []Bucket
	contacts []Contact
	whole    bool // the journal is read up to when reading began
	version  uint64
	base     map[Key]*Counts // sums of the buckets of day that are over
	day      time.Time
	baseOf   int // buckets are in base up to this one
	today    map[Key]Counts
	todayOf  uint64 // version
}

// New makes a Book that has read nothing yet.
func New(o Options) (*Book, error) {
	if o.Store == nil || o.Now == nil {
		return nil, errors.New("figures: Options need Store and Now")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Book{o: o, wake: make(chan struct{}, 1)}, nil
}

// Stir says that something has happened to the line. It does not wait.
func (b *Book) Stir() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// Follow reads the journal of the last day, and from then on what is written to it, until ctx
// ends.
func (b *Book) Follow(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for begun := false; ; {
		select {
		case <-ctx.Done():
			return
		case <-b.wake:
		case <-timer.C:
		}
		rest := idleEvery
		err := ctx.Err()
		if !begun {
			err = b.begin(ctx)
			begun = err == nil
		}
		if err == nil {
			err = b.read(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			begun, rest = false, failedRest // what is half read is read anew
			b.o.Log.Warn("the line's figures could not be worked out; they are read again", "error", err, "after", rest)
		default:
			rest = standEvery
		}
		if !pause(ctx, rest) { // bounds how often the store is asked
			return
		}
		timer.Reset(idleEvery)
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// midnight is when the day of a time began.
func midnight(now time.Time) time.Time {
	return time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
}

// begin finds where to read from, and who waited there.
func (b *Book) begin(ctx context.Context) error {
	now := b.o.Now()
	from := now.Add(-remembered + time.Hour)
	if day := midnight(now); day.Before(from) {
		from = day
	}
	var refs []store.EventRef
	err := b.o.Store.View(ctx, func(tx store.Tx) error {
		last, err := lastKept(tx)
		if err != nil {
			return err
		}
		if !last.IsZero() && last.Before(from) {
			from = last
			if most := now.Add(-Kept); from.Before(most) {
				from = most
			}
		}
		first, err := fromNumber(tx, from)
		if err != nil {
			return err
		}
		b.after = first - 1
		refs, err = earlier(tx, first)
		return err
	})
	if err != nil {
		return fmt.Errorf("finding where the day began: %w", err)
	}
	b.keeping, b.taking = nil, nil
	fold := NewFold(from, func(x Bucket) { b.keeping = append(b.keeping, x) }, func(c Contact) { b.taking = append(b.taking, c) })
	if err := enterAll(ctx, b.o.Store, fold, refs); err != nil {
		return fmt.Errorf("finding who waited as the day began: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fold, b.buckets, b.contacts, b.whole = fold, nil, nil, false
	b.base, b.day, b.baseOf = nil, time.Time{}, 0
	b.version++
	return nil
}

// read reads on to the end of the journal, and keeps what is over.
func (b *Book) read(ctx context.Context) error {
	begun := b.o.Now() // what happened before is in the journal, but for grace
	for more := true; more; {
		var refs []store.EventRef
		var next int64
		err := b.o.Store.View(ctx, func(tx store.Tx) (err error) {
			refs, next, more, err = following(tx, b.after)
			return err
		})
		if err != nil {
			return fmt.Errorf("reading the journal: %w", err)
		}
		events, err := b.o.Store.EventsAt(ctx, refs)
		if err != nil {
			return fmt.Errorf("reading the journal: %w", err)
		}
		if err := b.enter(events); err != nil {
			return err
		}
		b.after = next
	}
	b.close(begun)
	return b.keep(ctx)
}

// enter takes in events.
func (b *Book) enter(events []tandem.Event) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := len(b.keeping)
	for i := range events {
		if err := b.fold.Enter(&events[i]); err != nil {
			return err
		}
	}
	b.took(before, len(events) > 0)
	return nil
}

// close closes the buckets that were over for long enough at a time.
func (b *Book) close(at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before := len(b.keeping)
	b.fold.Advance(at.Add(-grace))
	b.took(before, !b.whole)
	b.whole = true
}

// took takes in what the fold has told; mu is held.
func (b *Book) took(before int, changed bool) {
	if changed || len(b.keeping) > before {
		b.version++
	}
	b.buckets = append(b.buckets, b.keeping[before:]...)
	oldest := b.o.Now().Add(-remembered)
	drop := 0
	for drop < len(b.buckets) && b.buckets[drop].At.Before(oldest) {
		drop++
	}
	if drop > 0 {
		b.buckets = append([]Bucket(nil), b.buckets[drop:]...)
		b.base, b.baseOf = nil, 0
	}
	b.contacts, b.taking = append(b.contacts, b.taking...), nil
	if n := len(b.contacts); n > maxContacts+maxContacts/4 {
		b.contacts = append([]Contact(nil), b.contacts[n-maxContacts:]...)
	}
}

// keep writes what is over, and deletes what is old.
func (b *Book) keep(ctx context.Context) error {
	for len(b.keeping) > 0 {
		n := min(len(b.keeping), keepAtOnce)
		if err := keep(ctx, b.o.Store, b.keeping[:n]); err != nil {
			if errors.Is(err, store.ErrUnavailable) { // later
				return nil
			}
			return err
		}
		b.keeping = b.keeping[n:]
	}
	b.keeping = nil
	if now := b.o.Now(); now.Sub(b.forgot) >= forgetEvery {
		b.forgot = now
		if err := forget(ctx, b.o.Store, now); err != nil && !errors.Is(err, store.ErrUnavailable) {
			return fmt.Errorf("deleting old figures: %w", err)
		}
	}
	return nil
}

// Version is another one whenever the figures are.
func (b *Book) Version() uint64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.version
}

// Today sums the day that runs, by key. Nobody changes it. since is when it began; while the
// journal is still being read whole is false, and the sums are of what is read.
func (b *Book) Today() (sums map[Key]Counts, since time.Time, whole bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.o.Now()
	day := midnight(now)
	if b.fold == nil {
		return nil, day.UTC(), false
	}
	if b.today == nil || b.todayOf != b.version || !b.day.Equal(day) {
		b.sum(day)
		b.todayOf = b.version
	}
	return b.today, day.UTC(), b.whole
}

// sum makes today. mu is held.
func (b *Book) sum(day time.Time) {
	if b.base == nil || !b.day.Equal(day) {
		b.base, b.baseOf, b.day = map[Key]*Counts{}, 0, day
	}
	for ; b.baseOf < len(b.buckets); b.baseOf++ {
		if x := &b.buckets[b.baseOf]; !x.At.Before(day) {
			addAll(b.base, x.By)
		}
	}
	b.today = make(map[Key]Counts, len(b.base))
	for k, c := range b.base {
		b.today[k] = *c
	}
	now := b.fold.Now()
	if now.At.Before(day) {
		return
	}
	for k, c := range now.By {
		sum := b.today[k]
		sum.Waits = sum.Waits.clone() // base's own
		sum.Add(c)
		b.today[k] = sum
	}
}

func addAll(into map[Key]*Counts, by map[Key]*Counts) {
	for k, c := range by {
		if into[k] == nil {
			into[k] = &Counts{}
		}
		into[k].Add(c)
	}
}
