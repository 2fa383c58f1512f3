package outbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem/store"
)

// fake is a store of its own that speaks of what the worker told it.
type fake struct {
	mu     sync.Mutex
	queue  []store.Leased
	told   chan string
	refuse error // for Delivered and Failed
}

func (f *fake) Lease(_ context.Context, max int, _ time.Duration) ([]store.Leased, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := min(max, len(f.queue))
	out := f.queue[:n:n]
	f.queue = f.queue[n:]
	return out, nil
}

func (f *fake) Delivered(_ context.Context, key string) error {
	f.told <- "delivered " + key
	return f.refuse
}

func (f *fake) Failed(_ context.Context, key string, cause error, at time.Time) error {
	if at.IsZero() {
		f.told <- "dead " + key
	} else {
		f.told <- fmt.Sprintf("again %s in %v", key, at.Sub(time.Unix(0, 0)))
	}
	return f.refuse
}

func leased(key string, attempt int) store.Leased {
	return store.Leased{Outgoing: store.Outgoing{Key: key}, Attempt: attempt}
}

func TestWorker(t *testing.T) {
	f := &fake{told: make(chan string, 10), queue: []store.Leased{leased("good", 1), leased("bad", 1), leased("bad", 4), leased("bad", 5), leased("never", 1), leased("panics", 2), leased("later", 1)}}
	faults := 0
	w := &Worker{Store: f, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.Unix(0, 0) }, Jitter: func() float64 { return 0.5 },
		Panicked: func(any) { faults++ },
		Tries:    5, First: 8 * time.Second, Longest: 40 * time.Second, Parallel: 1, Poll: time.Millisecond,
		Deliver: func(_ context.Context, o store.Outgoing) error {
			switch o.Key {
			case "good":
				return nil
			case "never":
				return fmt.Errorf("410: %w", ErrPermanent)
			case "panics":
				panic("a fault")
			case "later":
				return &RetryAfter{Wait: 30 * time.Second, Err: errors.New("503")}
			}
			return errors.New("500")
		}}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); w.Run(ctx) }()
	// With jitter in the middle, three quarters of 8, 16, 32 … bounded by 40 seconds.
	for _, want := range []string{"delivered good", "again bad in 6s", "again bad in 30s", "dead bad", "dead never", "again panics in 12s", "again later in 30s"} {
		select {
		case got := <-f.told:
			if got != want {
				t.Errorf("the worker said %q, want %q", got, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("the worker did not say %q", want)
		}
	}
	cancel()
	<-ended
	if faults != 1 {
		t.Errorf("%d faults were told of, want 1", faults)
	}
}

// TestWorkerSaysWhatIsTrue: what the log promises for a result that cannot be noted.
func TestWorkerSaysWhatIsTrue(t *testing.T) {
	erased := fmt.Errorf("outgoing k: %w", store.ErrNotFound)
	for _, test := range []struct {
		name            string
		deliver, noting error
		want, not       string
	}{
		{"delivered", nil, errors.New("disk"), "it is delivered again", "erased"},
		{"delivered, erased meanwhile", nil, erased, "its customer is erased", "again"},
		{"failed", errors.New("500"), errors.New("disk"), "it is tried again", "erased"},
		{"failed, erased meanwhile", errors.New("500"), erased, "not tried again", "it is tried again"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var log bytes.Buffer
			w := &Worker{Store: &fake{told: make(chan string, 1), refuse: test.noting}, Log: slog.New(slog.NewTextHandler(&log, nil)), Jitter: func() float64 { return 0 },
				Deliver: func(context.Context, store.Outgoing) error { return test.deliver }}
			w.defaults()
			w.one(t.Context(), leased("k", 1))
			if said := log.String(); !strings.Contains(said, test.want) || strings.Contains(said, test.not) {
				t.Errorf("the log says %q, want %q and not %q", said, test.want, test.not)
			}
		})
	}
}

func TestWorkerStopsInOrder(t *testing.T) {
	f := &fake{told: make(chan string, 10), queue: []store.Leased{leased("slow", 1), leased("done", 1)}}
	begun := make(chan string, 2)
	release := make(chan struct{})
	w := &Worker{Store: f, Log: slog.New(slog.DiscardHandler), Jitter: func() float64 { return 0 }, Deliver: func(ctx context.Context, o store.Outgoing) error {
		begun <- o.Key
		if o.Key == "slow" {
			<-ctx.Done()
			return ctx.Err()
		}
		<-release
		return nil
	}}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); w.Run(ctx) }()
	<-begun
	<-begun
	cancel()
	select {
	case <-ended:
		t.Fatal("Run returned with a delivery under way")
	default:
	}
	close(release)
	<-ended
	// What arrived is noted although the worker stops; what was cut off is left to its lease.
	if got := <-f.told; got != "delivered done" || len(f.told) != 0 {
		t.Errorf("the worker said %q and %d more", got, len(f.told))
	}
}
