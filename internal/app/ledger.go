package app

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"tandem/store"
)

const (
	// maxLate bounds the changes that wait for a failed store. Each belongs to a
	// call that was up when it failed, so the most calls at once is plenty; what
	// does not fit is closed as a crash at the next start.
	maxLate = 10_000
	// settleTime is how long the end of a call waits for the store.
	settleTime = 5 * time.Second
	// retryLate is how often waiting changes are tried again.
	retryLate = time.Second
)

// committer is the store as a call's record sees it.
type committer interface {
	Commit(ctx context.Context, c *store.Change) error
	Healthy() error
}

// ledger writes what must be written about calls that are up already: what a
// failing store refuses waits in memory and follows when the store is back. It runs
// one goroutine while something waits.
type ledger struct {
	store committer
	log   *slog.Logger

	mu      sync.Mutex
	late    []*store.Change // oldest first
	lost    int
	running bool
	stop    chan struct{}
	done    sync.WaitGroup
}

func newLedger(s committer, log *slog.Logger) *ledger {
	return &ledger{store: s, log: log, stop: make(chan struct{})}
}

// settle commits c now or, if the store cannot, later.
func (l *ledger) settle(ctx context.Context, c *store.Change) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	if l.waiting() == 0 {
		err := l.store.Commit(ctx, c)
		if err == nil || errors.Is(err, store.ErrDuplicate) {
			return
		}
		if !errors.Is(err, store.ErrUnavailable) && ctx.Err() == nil {
			l.log.Error("a change was refused by the store", "error", err)
			return
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.late) >= maxLate {
		l.lost++
		return
	}
	l.late = append(l.late, c)
	if !l.running {
		l.running = true
		l.done.Go(l.follow)
	}
}

func (l *ledger) waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.late)
}

// follow writes what waits, in order, until nothing does.
func (l *ledger) follow() {
	l.log.Warn("the store fails; the records of calls that end wait in memory")
	for {
		select {
		case <-time.After(retryLate):
		case <-l.stop:
			if !l.drain() {
				l.log.Error("records of calls could not be written; they will be closed as crashed at the next start", "calls", l.waiting()+l.lost)
			}
			return
		}
		if l.drain() {
			l.log.Info("the records of calls that waited are written")
			return
		}
	}
}

// drain writes what waits; true when nothing does any more.
func (l *ledger) drain() bool {
	for {
		l.mu.Lock()
		if len(l.late) == 0 {
			l.running, l.lost = false, 0
			l.mu.Unlock()
			return true
		}
		c := l.late[0]
		l.mu.Unlock()
		ctx, cancel := context.WithTimeout(context.Background(), settleTime)
		err := l.store.Commit(ctx, c)
		timedOut := ctx.Err() != nil
		cancel()
		if errors.Is(err, store.ErrUnavailable) || timedOut {
			return false
		}
		if err != nil && !errors.Is(err, store.ErrDuplicate) {
			l.log.Error("a change was refused by the store", "error", err)
		}
		l.mu.Lock()
		l.late = l.late[1:]
		l.mu.Unlock()
	}
}

// close tries what waits once more.
func (l *ledger) close() {
	close(l.stop)
	l.done.Wait()
}
