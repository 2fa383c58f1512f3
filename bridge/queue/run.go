package queue

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"tandem"
	"tandem/store"
)

// asked is an ask that waits for its answer.
type asked struct {
	Ask
	state  atomic.Int32 // waiting, then taken or given up: decides who answers
	answer chan Answer
}

const (
	askWaiting int32 = iota
	askTaken
	askGivenUp
)

// Sentences for whoever asked.
var (
	errFull    = &tandem.Error{Code: tandem.CodeUnavailable, Message: "too much is asked of the line at once; nothing was changed, try again in a moment"}
	errStopped = &tandem.Error{Code: tandem.CodeUnavailable, Message: "the line is stopped; nothing was changed, try again when the server runs", Err: store.ErrUnavailable}
)

// ask hands an ask to the router and waits until it is durable or refused.
func (r *Router) ask(ctx context.Context, q Ask) Answer {
	if ctx.Err() != nil { // nobody waits: the choice below would be chance
		return Answer{Err: givenUp(ctx)}
	}
	a := &asked{Ask: q, answer: make(chan Answer, 1)}
	select {
	case <-r.stopped:
		return Answer{Err: errStopped}
	default:
	}
	select {
	case r.inbox <- a:
	default:
		return Answer{Err: errFull}
	}
	select {
	case answer := <-a.answer:
		return answer
	case <-ctx.Done():
		if a.state.CompareAndSwap(askWaiting, askGivenUp) {
			return Answer{Err: givenUp(ctx)}
		}
	case <-r.stopped:
		if a.state.CompareAndSwap(askWaiting, askGivenUp) {
			return Answer{Err: errStopped}
		}
	}
	return <-a.answer
}

func givenUp(ctx context.Context) error {
	return fmt.Errorf("waiting for the line: %w", context.Cause(ctx))
}

// Run is the router's goroutine, until ctx ends, or with ErrTaken when another process has
// taken the line over. After either it is over for good. A fault of ours that gets this far
// is a panic, after which Run may be called again.
func (r *Router) Run(ctx context.Context) error {
	work := context.WithoutCancel(ctx) // what was begun is finished
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		var first *asked
		select {
		case <-ctx.Done():
			close(r.stopped)
			return nil
		case first = <-r.inbox:
		case <-r.stirred:
		case <-timer.C:
		}
		r.step(work, r.drained(first))
		if r.core.Taken() {
			close(r.stopped)
			return ErrTaken
		}
		timer.Reset(r.untilNext())
	}
}

// untilNext is how long nothing is to be done unless somebody asks.
func (r *Router) untilNext() time.Duration {
	const least, most = time.Millisecond, time.Minute
	at, ok := r.core.Next()
	if !ok {
		return most
	}
	return min(max(at.Sub(r.o.Now()), least), most)
}

// drained is first and what else waits, up to a batch, without those given up.
func (r *Router) drained(first *asked) (batch []*asked) {
	for a := first; ; {
		if a != nil && a.state.CompareAndSwap(askWaiting, askTaken) {
			batch = append(batch, a)
		}
		if len(batch) == maxBatch {
			return batch
		}
		select {
		case a = <-r.inbox:
		default:
			return batch
		}
	}
}

// step does a batch and answers it. A panic in it ends the batch: what it changed of the
// line is thrown away.
func (r *Router) step(ctx context.Context, batch []*asked) {
	asks := make([]Ask, len(batch))
	for i, a := range batch {
		asks[i] = a.Ask
	}
	answers, facts := r.stepped(ctx, asks)
	for _, f := range facts {
		r.tell(f)
	}
	for i, a := range batch {
		a.answer <- answers[i]
	}
	if r.o.Verify && len(facts) > 0 {
		r.verify(ctx)
	}
}

func (r *Router) stepped(ctx context.Context, asks []Ask) (answers []Answer, facts []Fact) {
	defer func() {
		if p := recover(); p != nil {
			r.panicked("the line", p)
			r.core.Drop(r.o.Now())
			answers, facts = refuse(asks, &tandem.Error{Code: tandem.CodeInternal, Message: "a fault of ours; nothing was changed", Err: fmt.Errorf("panic: %v", p)}), nil
		}
	}()
	r.mu.Lock()
	if r.policy != nil {
		r.core.SetPolicy(r.policy)
		r.policy = nil
	}
	for m, on := range r.measured {
		r.core.set(m, on)
	}
	clear(r.measured)
	if r.drain {
		r.core.Drain()
	}
	r.mu.Unlock()
	return r.core.Step(ctx, r.o.Now(), asks)
}

// tell tells everybody who watches of a fact.
func (r *Router) tell(f Fact) {
	r.mu.Lock()
	watchers := r.watchers
	r.mu.Unlock()
	for _, w := range watchers {
		r.tellOne(w, f)
	}
}

func (r *Router) tellOne(w *watcher, f Fact) {
	defer func() {
		if p := recover(); p != nil {
			r.panicked("a watcher of the line", p)
		}
	}()
	w.do(f)
}

func (r *Router) panicked(what string, p any) {
	if r.o.Panicked != nil {
		r.o.Panicked(what, p)
		return
	}
	r.o.Log.Error("a fault of ours", "in", what, "panic", fmt.Sprint(p))
}
