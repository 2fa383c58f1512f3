package phone

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"tandem"
	"tandem/bridge/caps"
	"tandem/bridge/route"
	"tandem/sip"
	"tandem/store"
)

const (
	// ringMargin is how much longer than its offer a phone rings at most: the line says
	// when the offer is over, and this only bounds what happens if it does not.
	ringMargin = 3 * time.Second
	// answerTime bounds an answer to the line: it waits for the store.
	answerTime = 10 * time.Second
	// againAfter is how long an answer rests that the line could not take because its
	// store is down.
	againAfter = time.Second
	// findTime bounds looking up what a phone shows, or the number to call.
	findTime = 3 * time.Second
)

// ring is one offer of voice, from its making to the last goodbye.
type ring struct {
	s      *Switchboard
	fence  uint64
	task   tandem.Task // as it was offered, then as it was assigned: only run's goroutine looks
	phone  string
	log    *slog.Logger
	ctx    context.Context // ends, with its cause, once the line has taken the task away
	cancel context.CancelCauseFunc

	assigned bool // by the line, however the agent took it; under Switchboard.mu

	held     bool // accepted, and not released: only run's goroutine looks
	agent    *out
	customer *out // of a callback
}

// run rings, joins and says goodbye.
func (r *ring) run() {
	defer r.s.forget(r)
	defer r.cancel(nil)
	defer func() {
		if p := recover(); p != nil {
			r.s.o.Panicked(p)
			r.hangUp(tandem.Terminate(tandem.BySystem, tandem.ReasonPanic))
			if r.held {
				r.release(route.Released{Why: "crash", Again: true})
			}
		}
	}()
	if r.phone == "" { // nobody could hear it ring
		r.decline("unreachable")
		return
	}
	if err := r.ring(); err != nil {
		r.unanswered(err)
		return
	}
	if !r.accept() {
		return
	}
	r.s.o.Counted(CountedAnswered)
	switch r.task.Kind {
	case tandem.TaskCallback:
		r.callBack()
	case tandem.TaskCall:
		r.serve()
	default:
		r.missed(nil)
	}
}

// ring calls the agent's phone and returns nil once it is answered.
func (r *ring) ring() error {
	s := r.s
	ctx, cancel := context.WithTimeout(r.ctx, findTime)
	shown := s.o.Shows(ctx, r.task)
	cancel()
	w, free := Way{Dial: sip.Dial{To: r.phone}}, true
	if strings.HasPrefix(r.phone, "tel:") {
		var err error
		if w, err = s.o.Way(r.phone); err != nil {
			r.agent = s.newOut(r.task, tandem.RoleAgent, r.phone, w)
			return fmt.Errorf("%w: %w", errNotAllowed, err)
		}
		free = false // it goes by a trunk, which shows a number of its own
	} else {
		w.Dial.From, w.Dial.Name, w.Dial.About = shown.User, shown.Name, shown.About
	}
	r.agent = s.newOut(r.task, tandem.RoleAgent, r.phone, w)
	r.agent.free, r.agent.key = free, fmt.Sprintf("ring:%s:%d", r.task.ID, r.task.Fence)
	r.agent.ring = max(r.task.Deadline.Sub(s.o.Now()), 0) + ringMargin
	if r.ctx.Err() != nil {
		return context.Cause(r.ctx)
	}
	s.o.Counted(CountedRung)
	return r.agent.dial(r.ctx)
}

// errNotAllowed says that the operator's list does not allow a number.
var errNotAllowed = errors.New("not allowed")

// unanswered tells the line, if it still wants to know, why the phone was not answered.
func (r *ring) unanswered(err error) {
	s := r.s
	t := terminationOf(err)
	if cause := context.Cause(r.ctx); cause != nil { // the phone rang till the line took the task away
		var o over
		switch taken := errors.As(cause, &o); {
		case !taken:
			t = tandem.Terminate(tandem.BySystem, tandem.ReasonShutdown)
		case o.why == "lapsed":
			t = tandem.Terminate(tandem.ByRemote, tandem.ReasonNoAnswer)
		default:
			t = tandem.Terminate(tandem.BySystem, tandem.ReasonCancelled)
		}
		s.o.Counted(CountedLapsed)
		r.agent.close(t)
		return
	}
	r.agent.close(t)
	if t.Reason == tandem.ReasonShutdown { // the next start decides
		return
	}
	var refused *caps.Refused
	var failed *sip.DialError
	switch {
	case errors.As(err, &refused), errors.Is(err, errNotAllowed):
		r.log.Warn("an agent's phone was not rung", "error", err)
		r.decline("unreachable")
	case !errors.As(err, &failed):
		r.log.Warn("an agent's phone was not rung; the offer lapses", "error", err) // the store is down
		r.handBack()
	case t.Reason == tandem.ReasonNoAnswer && t.SIP == 0: // it rang out; the line says when the offer is over
		s.o.Counted(CountedLapsed)
		r.handBack()
	case away(t):
		r.log.Warn("an agent's phone cannot be reached", "error", err)
		if t.Reason != tandem.ReasonOverload || t.SIP != 0 { // else it is we who have no port free
			s.gone(r.task.Agent)
		}
		r.decline("unreachable")
	default:
		r.decline("declined")
	}
}

// away reports an end that says that nobody is at the phone, or that it is no phone for
// us; what else a phone refuses with is its user's wish.
func away(t tandem.Termination) bool {
	switch t.Reason {
	case tandem.ReasonTransport, tandem.ReasonNoEntry, tandem.ReasonNoAnswer, tandem.ReasonNoMedia, tandem.ReasonAuth, tandem.ReasonBadRequest,
		tandem.ReasonOverload, tandem.ReasonFlowError, tandem.ReasonForbidden, tandem.ReasonMediaTimeout:
		return true
	}
	return t.SIP == 410 || t.SIP >= 500 && t.SIP < 600
}

// decline lets the offer pass; what the agent has taken by other means goes back.
func (r *ring) decline(why string) {
	if why == "declined" {
		r.s.o.Counted(CountedDeclined)
	} else {
		r.s.o.Counted(CountedUnreachable)
	}
	if r.handBack() {
		return
	}
	r.tell("declining an offer", func(ctx context.Context) error {
		return r.s.o.Router.Decline(ctx, r.task.ID, r.task.Agent, r.task.Fence, why)
	})
}

// handBack gives back a task that the agent took by other means and whose phone did not
// answer. It reports whether there was one.
func (r *ring) handBack() bool {
	if !r.isAssigned() {
		return false
	}
	r.release(route.Released{Why: "handed_back", Again: true})
	return true
}

func (r *ring) isAssigned() bool {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	return r.assigned
}

// accept tells the line that the phone was answered. If that comes too late the phone is
// hung up on.
func (r *ring) accept() bool {
	if !r.isAssigned() { // else the agent has said so by other means already
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), answerTime)
		t, err := r.s.o.Router.Accept(ctx, r.task.ID, r.task.Agent, r.task.Fence)
		cancel()
		if err != nil && !r.isAssigned() {
			if tandem.CodeOf(err) != tandem.CodeConflict {
				r.log.Error("an answered phone could not be given its call", "error", err)
			}
			r.s.o.Counted(CountedLapsed)
			r.agent.close(tandem.Terminate(tandem.BySystem, tandem.ReasonCancelled))
			if passing(err) { // no fault of the agent's: they are offered it again
				r.tell("giving back an offer", func(ctx context.Context) error {
					return r.s.o.Router.Decline(ctx, r.task.ID, r.task.Agent, r.task.Fence, "restart")
				})
			}
			return false
		}
		if err == nil {
			r.task = t
		}
	}
	r.held = true
	return true
}

// release says once that the agent has the task no more, unless the line knows already.
func (r *ring) release(e route.Released) {
	r.held = false
	e.Task, e.Agent, e.Fence = r.task.ID, r.task.Agent, r.task.Fence
	r.tell("ending a talk", func(ctx context.Context) error {
		e.At = r.s.o.Now()
		_, err := r.s.o.Router.Release(ctx, e, nil)
		return err
	})
}

// tell has the line told, again and again while its store is down: else the agent would
// be held by a task that is over.
func (r *ring) tell(what string, do func(context.Context) error) {
	ctx := r.s.running()
	for ctx != nil {
		once, cancel := context.WithTimeout(ctx, answerTime)
		err := do(once)
		cancel()
		if err == nil || !passing(err) {
			if err != nil && tandem.CodeOf(err) != tandem.CodeConflict && tandem.CodeOf(err) != tandem.CodeNotFound {
				r.log.Error("the line could not be told", "what", what, "error", err)
			}
			return
		}
		r.log.Warn("the line could not be told yet", "what", what, "error", err)
		select {
		case <-time.After(againAfter):
		case <-ctx.Done():
			return
		}
	}
}

// passing reports an error that may be none the next time.
func passing(err error) bool {
	return errors.Is(err, store.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) || tandem.CodeOf(err) == tandem.CodeUnavailable
}

// running is the context of Run, nil if it does not run.
func (s *Switchboard) running() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ctx
}

// hangUp ends both calls out.
func (r *ring) hangUp(t tandem.Termination) {
	for _, o := range []*out{r.customer, r.agent} {
		if o != nil {
			o.close(t)
		}
	}
}
