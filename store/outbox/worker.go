// Package outbox carries outside effects out of the store: webhooks now, later texts
// and links. Each is delivered at least once, under a key that stays the same, so that
// a receiver can drop repeats.
//
// A Worker runs in the goroutine that calls Run, with one more goroutine for each
// delivery under way. It never keeps anything of its own: what it was doing when the
// program stopped is lent again when the lease ends.
package outbox

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime/debug"
	"sync"
	"time"

	"tandem/store"
)

// Defaults of a Worker.
const (
	defaultLease    = time.Minute
	defaultTries    = 12 // with the gaps below: given up after about ten hours
	defaultParallel = 8
	defaultPoll     = time.Second
	defaultFirst    = 5 * time.Second
	defaultLongest  = 3 * time.Hour
)

// Store is what a Worker asks of the store.
type Store interface {
	Lease(ctx context.Context, max int, lease time.Duration) ([]store.Leased, error)
	Delivered(ctx context.Context, key string) error
	Failed(ctx context.Context, key string, cause error, retryAt time.Time) error
}

// ErrPermanent marks a failure that no repeat will cure: the outgoing is given up at once.
var ErrPermanent = errors.New("it is of no use to try again")

// Worker delivers what is in the outbox. Zero fields take the defaults.
type Worker struct {
	Store   Store                                       // required
	Deliver func(context.Context, store.Outgoing) error // required; nil = it has arrived; must be safe for concurrent use
	Log     *slog.Logger                                // slog.Default if nil
	Now     func() time.Time                            // time.Now if nil
	Jitter  func() float64                              // required: random in [0, 1)
	// GivenUp is told of an outgoing that is among the dead letters now, and why; nil = nobody is.
	GivenUp func(ctx context.Context, o store.Outgoing, cause error)
	// Panicked is told of a panic that ended one delivery, where it happened; nil logs it.
	Panicked func(p any)

	Lease    time.Duration // the longest one delivery may take; default one minute
	Tries    int           // then it is given up; default 12
	Parallel int           // deliveries at once; default 8
	Poll     time.Duration // how often the outbox is looked at; default one second
	First    time.Duration // gap after the first failure, doubled after each; default 5 s
	Longest  time.Duration // the longest gap; default 3 h
}

func (w *Worker) defaults() {
	if w.Log == nil {
		w.Log = slog.Default()
	}
	if w.Now == nil {
		w.Now = time.Now
	}
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{{&w.Lease, defaultLease}, {&w.Poll, defaultPoll}, {&w.First, defaultFirst}, {&w.Longest, defaultLongest}} {
		if *d.value <= 0 {
			*d.value = d.standard
		}
	}
	if w.Tries <= 0 {
		w.Tries = defaultTries
	}
	if w.Parallel <= 0 {
		w.Parallel = defaultParallel
	}
}

// Run delivers until ctx ends, and returns when the last delivery under way is over.
func (w *Worker) Run(ctx context.Context) {
	w.defaults()
	free := make(chan struct{}, w.Parallel) // a place for each delivery at once
	var under sync.WaitGroup
	defer under.Wait()
	poll := time.NewTicker(w.Poll)
	defer poll.Stop()
	for {
		// Only as much is leased as can begin at once: a lease runs from now.
		n := w.Parallel - len(free)
		var leased []store.Leased
		if n > 0 {
			var err error
			if leased, err = w.Store.Lease(ctx, n, w.Lease); err != nil && ctx.Err() == nil {
				w.Log.Warn("cannot look into the outbox", "error", err)
			}
		}
		for _, l := range leased {
			free <- struct{}{}
			under.Go(func() {
				defer func() { <-free }()
				defer func() { // the lease ends by itself
					if p := recover(); p != nil {
						w.panicked(p)
					}
				}()
				w.one(ctx, l)
			})
		}
		if len(leased) > 0 && len(leased) == n {
			select { // there may be more: look again as soon as a place is free
			case free <- struct{}{}:
				<-free
				continue
			case <-ctx.Done():
				return
			}
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return
		}
	}
}

// settleFor is how long the store is given to note a result, also after ctx ended.
const settleFor = 10 * time.Second

// one delivers once and notes what came of it. If noting fails, the lease ends and it
// is delivered again: at least once, never none.
func (w *Worker) one(ctx context.Context, l store.Leased) {
	err := w.deliver(ctx, l)
	if err != nil && ctx.Err() != nil {
		return // cut off by the stop: the lease ends by itself
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleFor)
	defer cancel()
	log := w.Log.With("key", l.Key, "kind", l.Kind, "attempt", l.Attempt, "interaction", l.Interaction)
	if err == nil {
		switch err := w.Store.Delivered(ctx, l.Key); {
		case errors.Is(err, store.ErrNotFound):
			log.Warn("delivered, though it has left the outbox meanwhile: its customer is erased")
		case err != nil:
			log.Error("delivered, but that could not be noted: it is delivered again", "error", err)
		}
		return
	}
	var retryAt time.Time
	if l.Attempt < w.Tries && !errors.Is(err, ErrPermanent) {
		retryAt = w.Now().Add(w.gap(l.Attempt, err))
	}
	switch noting := w.Store.Failed(ctx, l.Key, err, retryAt); {
	case errors.Is(noting, store.ErrNotFound):
		log.Warn("not delivered, and not tried again: it has left the outbox, since its customer is erased")
	case noting != nil:
		log.Error("not delivered, and that could not be noted: it is tried again", "error", noting)
	case retryAt.IsZero():
		log.Error("given up; it is among the dead letters", "error", err)
		if w.GivenUp != nil {
			w.GivenUp(ctx, l.Outgoing, err)
		}
	default:
		log.Warn("not delivered; it is tried again", "error", err, "at", retryAt)
	}
}

// deliver survives a panic by failing this delivery alone.
func (w *Worker) deliver(ctx context.Context, l store.Leased) (err error) {
	ctx, cancel := context.WithTimeout(ctx, w.Lease)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			w.panicked(p)
			err = fmt.Errorf("a fault of ours while delivering: %v", p)
		}
	}()
	return w.Deliver(ctx, l.Outgoing)
}

// panicked tells of a fault of ours, once.
func (w *Worker) panicked(p any) {
	if w.Panicked != nil {
		w.Panicked(p)
		return
	}
	w.Log.Error("a fault of ours ended one delivery", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
}

// gap is the wait after a failed attempt: doubled each time, then between half and
// whole of that, so that what failed together does not come back together. A receiver
// that asks for a longer one gets it.
func (w *Worker) gap(attempt int, err error) time.Duration {
	d := time.Duration(math.Min(float64(w.First)*math.Pow(2, float64(attempt-1)), float64(w.Longest)))
	d = d/2 + time.Duration(w.Jitter()*float64(d/2))
	var later *RetryAfter
	if errors.As(err, &later) {
		d = max(d, min(later.Wait, w.Longest))
	}
	return d
}

// RetryAfter is a failure whose receiver said how long to wait.
type RetryAfter struct {
	Wait time.Duration
	Err  error
}

func (r *RetryAfter) Error() string { return r.Err.Error() }
func (r *RetryAfter) Unwrap() error { return r.Err }
