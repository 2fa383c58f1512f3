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
	id     tandem.TaskID
	in     tandem.InteractionID
	task   tandem.Task // as it was offered, then as it was assigned: only run's goroutine looks
	phone  string
	desk   bool // it rings at the agent's desk, and no phone does
	joined bool // none of the line's: the talk of a chat
	log    *slog.Logger
	ctx    context.Context // ends, with its cause, once the line has taken the task away
	cancel context.CancelCauseFunc
	before *ring         // what went on with the task before
	free   func()        // closes freed
	freed  chan struct{} // nobody is joined any more

	// Under Switchboard.mu.
	fence    uint64
	agent    string
	assigned bool // by the line, however the agent took it
	passing  bool // the agent gives it to another

	took     chan struct{} // closed as assigned is set
	unseated chan struct{} // holds one: the desk is gone while it rings there

	held     bool // accepted, and not released: only run's goroutine looks
	out      *out // the agent's phone
	dialled  *out // a customer's, till they answer
	customer *called
	talk     *talk
}

// run rings, joins and says goodbye.
func (r *ring) run() {
	defer r.s.forget(r)
	defer r.cancel(nil)
	defer r.free()
	defer func() {
		if p := recover(); p != nil {
			r.s.o.Panicked(p)
			r.broken(tandem.Terminate(tandem.BySystem, tandem.ReasonPanic))
			if r.held {
				r.release(route.Released{Why: "crash", Again: true})
			}
		}
	}()
	agent, ok := r.fetch()
	if !ok {
		return
	}
	r.s.o.Counted(CountedAnswered)
	if r.before != nil { // whoever spoke with the customer lets go of them first
		<-r.before.freed
	}
	r.begin(agent)
	switch r.task.Kind {
	case tandem.TaskCallback:
		r.callBack()
	case tandem.TaskCall:
		r.serve()
	default:
		r.missed(nil)
	}
}

// begin makes the talk, with the agent in it.
func (r *ring) begin(agent *party) {
	t := r.talk
	t.agent = agent
	t.enter(agent)
	t.watch(agent)
	t.publish(false)
}

// fetch has the agent come to their device. ok is false if they do not, or come too late:
// then the line knows.
func (r *ring) fetch() (agent *party, ok bool) {
	switch {
	case r.desk:
		return r.fetchSeat()
	case r.phone == "": // nobody could hear it ring
		r.decline("unreachable")
		return nil, false
	}
	if err := r.ring(); err != nil {
		r.unanswered(err)
		return nil, false
	}
	if !r.accept() {
		return nil, false
	}
	r.talk = r.s.newTalk(r, r.in, r.ctx)
	r.talk.takeOver()
	return phoneParty(r.out, tandem.RoleAgent, r.task.Agent), true
}

// fetchSeat waits until the agent takes the offer at the desk, which the line says.
func (r *ring) fetchSeat() (*party, bool) {
	if _, there := r.s.seat(r.task.Agent); !there { // it has gone as the offer came
		select {
		case r.unseated <- struct{}{}:
		default:
		}
	}
	select {
	case <-r.took:
	case <-r.unseated:
		r.decline("unreachable")
		return nil, false
	case <-r.ctx.Done():
		if !r.isAssigned() {
			r.s.o.Counted(CountedLapsed)
		}
		return nil, false
	}
	r.held = true
	r.talk = r.s.newTalk(r, r.in, r.ctx)
	r.talk.takeOver()
	p, err := r.talk.seatParty(r.task.Agent, tandem.RoleAgent)
	if err != nil {
		r.log.Warn("an agent took a call at the desk and could not be joined", "error", err)
		r.s.o.Counted(CountedUnreachable)
		r.giveBack(route.Released{Why: "handed_back", Again: true}, tandem.Terminate(tandem.BySystem, tandem.ReasonNoMedia))
		return nil, false
	}
	return p, true
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
			r.out = s.newOut(r.task, tandem.RoleAgent, r.phone, w)
			return fmt.Errorf("%w: %w", errNotAllowed, err)
		}
		free = false // it goes by a trunk, which shows a number of its own
	} else {
		w.Dial.From, w.Dial.Name, w.Dial.About = shown.User, shown.Name, shown.About
	}
	r.out = s.newOut(r.task, tandem.RoleAgent, r.phone, w)
	r.out.free, r.out.key = free, fmt.Sprintf("ring:%s:%d", r.task.ID, r.task.Fence)
	wait := r.task.Deadline.Sub(s.o.Now())
	if r.task.Deadline.IsZero() { // it was given to them, and not offered
		wait = inviteTime
	}
	r.out.ring = max(wait, 0) + ringMargin
	if r.ctx.Err() != nil {
		return context.Cause(r.ctx)
	}
	s.o.Counted(CountedRung)
	return r.out.dial(r.ctx)
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
		r.out.close(t)
		return
	}
	r.out.close(t)
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
	r.s.tell(r.log, "declining an offer", func(ctx context.Context) error {
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
			r.out.close(tandem.Terminate(tandem.BySystem, tandem.ReasonCancelled))
			if passing(err) { // no fault of the agent's: they are offered it again
				r.s.tell(r.log, "giving back an offer", func(ctx context.Context) error {
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
	r.s.tell(r.log, "ending a talk", func(ctx context.Context) error {
		e.At = r.s.o.Now()
		_, err := r.s.o.Router.Release(ctx, e, nil)
		return err
	})
}

// tell has the line told, again and again while its store is down: else the agent would
// be held by a task that is over.
func (s *Switchboard) tell(log *slog.Logger, what string, do func(context.Context) error) {
	ctx := s.running()
	for ctx != nil {
		once, cancel := context.WithTimeout(ctx, answerTime)
		err := do(once)
		cancel()
		if err == nil || !passing(err) {
			if err != nil && tandem.CodeOf(err) != tandem.CodeConflict && tandem.CodeOf(err) != tandem.CodeNotFound {
				log.Error("the line could not be told", "what", what, "error", err)
			}
			return
		}
		log.Warn("the line could not be told yet", "what", what, "error", err)
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

// broken ends all legs of a talk that a fault of ours has ended.
func (r *ring) broken(how tandem.Termination) {
	if t := r.talk; t != nil {
		if t.customer != nil {
			t.customer.caller.Joined(nil)
		}
		select {
		case <-t.done:
		default:
			t.finish(stopped)
			t.hangUp(how)
		}
	}
	if r.out != nil {
		r.out.close(how)
	}
	if r.dialled != nil && r.customer == nil {
		r.dialled.close(how)
	}
	if r.customer != nil {
		r.customer.close(how)
	}
}
