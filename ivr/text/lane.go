package text

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"tandem"
	"tandem/ivr/flow"
)

// job is one thing to be taken in a conversation's turn.
type job struct {
	interaction tandem.InteractionID
	kind        jobKind
	input       flow.Input  // of an answer
	talk        flow.Effect // that begins
	plays       []flow.Play // to tell
	tries       int         // so far, without success
}

type jobKind uint8

const (
	jobInput   jobKind = iota // an answer
	jobTimer                  // a wait is over, if it is
	jobTalk                   // a talk begins
	jobTell                   // words of the program's own
	jobRestore                // the session was left by a stop or a crash
	jobGone                   // the customer has left
)

// lanes see to it that each conversation has one turn at a time. A lane is there while
// somebody has it or waits for it.
type lanes struct {
	mu sync.Mutex
	by map[string]*lane
}

// lane is the turns of one conversation, or of one session without one.
type lane struct {
	key   string
	turn  chan struct{}           // full while somebody has the turn
	users int                     // lanes.mu guards it and what follows
	queue []job                   // taken by whoever has the turn, before they give it up
	after []func(context.Context) // done by them once they have given it up. Theirs alone
}

func (l *lanes) use(key string) *lane {
	ln := l.by[key]
	if ln == nil {
		ln = &lane{key: key, turn: make(chan struct{}, 1)}
		l.by[key] = ln
	}
	ln.users++
	return ln
}

func (l *lanes) unuse(ln *lane) {
	if ln.users--; ln.users == 0 {
		delete(l.by, ln.key)
	}
}

// enter waits for the turn.
func (l *lanes) enter(ctx context.Context, key string) (*lane, error) {
	l.mu.Lock()
	ln := l.use(key)
	l.mu.Unlock()
	select {
	case ln.turn <- struct{}{}:
		return ln, nil
	case <-ctx.Done():
		l.mu.Lock()
		defer l.mu.Unlock()
		l.unuse(ln)
		return nil, fmt.Errorf("waiting for the conversation: %w", context.Cause(ctx))
	}
}

// hand gives a job to whoever has the turn. If nobody has, the caller gets the turn and
// does it.
func (l *lanes) hand(key string, j job) (*lane, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ln := l.use(key)
	select {
	case ln.turn <- struct{}{}:
		return ln, nil
	default:
	}
	l.unuse(ln)
	if len(ln.queue) >= maxQueue {
		return nil, tandem.Errorf(tandem.CodeUnavailable, "too much waits for this conversation's turn")
	}
	ln.queue = append(ln.queue, j)
	return nil, nil
}

// first gives a job to the lane whose turn the caller has, before all that waits there.
func (l *lanes) first(ln *lane, j job) {
	l.mu.Lock()
	defer l.mu.Unlock()
	ln.queue = slices.Insert(ln.queue, 0, j)
}

// next takes the next job, or gives up the turn if there is none.
func (l *lanes) next(ln *lane) (j job, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(ln.queue) > 0 {
		j, ln.queue = ln.queue[0], ln.queue[1:]
		return j, true
	}
	<-ln.turn
	l.unuse(ln)
	return j, false
}
