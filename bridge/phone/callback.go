package phone

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tandem"
	"tandem/bridge/caps"
	"tandem/bridge/route"
	"tandem/media"
	"tandem/sip"
)

const (
	// customerRing is how long a customer who is called back has to answer.
	customerRing = 40 * time.Second
	// toneTime is how long an agent hears that the customer did not answer.
	toneTime = 3 * time.Second
	// toneID names ringback and busy tone among a stream's items, beside hold music.
	toneID = 1<<31 + 1
)

// callBack dials the customer for an agent who is there already, unless the customer is
// still on the line from the agent before.
func (r *ring) callBack() {
	if c := r.s.parkedOf(r.id); c != nil {
		r.customer = c
		r.join(c)
		return
	}
	ctx, cancel := context.WithTimeout(r.ctx, findTime)
	to, ok, err := r.s.o.Number(ctx, r.task)
	cancel()
	if err != nil {
		r.log.Error("a customer's number could not be looked up; they are called later", "error", err)
		r.giveBack(route.Released{Why: "handed_back", Again: true, NotBefore: r.later()}, tandem.Terminate(tandem.BySystem, tandem.ReasonStoreDown))
		return
	}
	w := Way{}
	if ok {
		w, err = r.s.o.Way(to)
	}
	if !ok || err != nil {
		r.log.Warn("a customer may not be called back", "known", ok, "error", err)
		r.refused()
		return
	}
	r.dialled = r.s.newOut(r.task, tandem.RoleCustomer, to, w)
	r.dialled.key, r.dialled.ring = r.promise(), customerRing
	switch end, how, err := r.reach(); {
	case end == taken || end == stopped:
		r.passedOn(end)
		r.dialled.close(how)
		r.talk.finish(end)
		r.held = false
		r.talk.hangUp(how)
	case end == goesOn && err == nil:
		r.s.o.Counted(CountedReached)
		r.customer = r.s.newCalled(r.s.running(), r.dialled, r.id)
		r.join(r.customer)
	default:
		r.unreached(end, how, err)
	}
}

// promise is the key of a call to the customer: one for each try, and one for each agent to
// whom the task was passed on in the middle of it. After a crash nobody knows of those: then
// the try counts as used.
func (r *ring) promise() string {
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	key := fmt.Sprintf("dial:%s:%d", r.task.ID, r.task.Tries+1)
	if n := r.s.passed[r.task.ID]; n > 0 {
		key += fmt.Sprintf(":%d", n)
	}
	return key
}

// passedOn notes that the line took the task from an agent for whom the customer was called:
// whoever has it next calls them anew.
func (r *ring) passedOn(end ending) {
	if _, there := r.s.o.Router.Task(r.task.ID); end != taken || !there {
		return
	}
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	r.s.passed[r.task.ID]++
}

// reach dials the customer, unless the agent leaves before they answer.
func (r *ring) reach() (ending, tandem.Termination, error) {
	ctx, cancel := context.WithCancel(r.ctx)
	defer cancel()
	answered := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				r.s.o.Panicked(p)
				answered <- &sip.DialError{Termination: tandem.Terminate(tandem.BySystem, tandem.ReasonPanic)}
			}
		}()
		answered <- r.dialled.dial(ctx)
	}()
	end, how, err := r.talk.until(answered, 0)
	if end != goesOn {
		cancel()
		err = <-answered
	}
	return end, how, err
}

// unreached tells the line that a customer was not spoken with.
func (r *ring) unreached(end ending, t tandem.Termination, err error) {
	var refused *caps.Refused
	var failed *sip.DialError
	switch {
	case errors.As(err, &refused):
		r.log.Warn("a customer may not be called back", "error", err)
		r.capped(refused.Rule)
		return
	case terminationOf(err).Reason == tandem.ReasonShutdown: // the next start decides
		r.held = false
		r.dialled.close(terminationOf(err))
		r.talk.finish(stopped)
		r.talk.hangUp(terminationOf(err))
		return
	case errors.Is(err, errUsed):
		r.log.Warn("a customer is not called again for a try that was begun before the server stopped")
	case err != nil && !errors.As(err, &failed): // the store is down: nobody was dialled
		r.log.Error("a customer was not called back yet", "error", err)
		r.dialled.close(tandem.Terminate(tandem.BySystem, tandem.ReasonStoreDown))
		r.giveBack(route.Released{Why: "handed_back", Again: true, NotBefore: r.later()}, tandem.Terminate(tandem.BySystem, tandem.ReasonStoreDown))
		return
	}
	r.s.o.Counted(CountedUnreached)
	if err != nil {
		r.dialled.close(terminationOf(err))
	} else {
		r.dialled.close(tandem.Terminate(tandem.ByPeer, tandem.ReasonCancelled))
	}
	e := route.Released{Why: "handed_back", Again: true, Dialled: true, NotBefore: r.later()}
	tries, _ := r.policy()
	if r.task.Tries+1 >= tries {
		e = route.Released{Why: "done", Outcome: tandem.OutcomeUnreached, Dialled: true}
	}
	if now, ok := r.s.o.Router.Task(r.task.ID); ok && now.Kind != tandem.TaskCallback { // they came back by themselves, and wait
		e = route.Released{Why: "moved", Again: true}
	}
	if end == agentLost {
		r.s.gone(r.task.Agent)
	}
	if end == goesOn { // the agent is there: let them hear why nobody answers
		t = tandem.Terminate(tandem.ByPeer, tandem.ReasonCompleted)
		r.tone()
	}
	r.giveBack(e, t)
}

// capped: the operator's figures stand against a call now. Some of them pass within the
// hour, whoever is called; then it is tried later.
func (r *ring) capped(rule string) {
	if rule != "at_once" && rule != "per_hour" {
		r.refused()
		return
	}
	r.s.o.Counted(CountedRefused)
	r.dialled.close(tandem.Terminate(tandem.BySystem, tandem.ReasonForbidden))
	r.tone()
	r.giveBack(route.Released{Why: "handed_back", Again: true, NotBefore: r.later()}, tandem.Terminate(tandem.BySystem, tandem.ReasonForbidden))
}

// refused ends a callback whose number may not be dialled.
func (r *ring) refused() {
	r.s.o.Counted(CountedRefused)
	if r.dialled != nil {
		r.dialled.close(tandem.Terminate(tandem.BySystem, tandem.ReasonForbidden))
	}
	r.tone()
	r.giveBack(route.Released{Why: "done", Outcome: tandem.OutcomeRefused}, tandem.Terminate(tandem.BySystem, tandem.ReasonForbidden))
}

// giveBack tells the line and says goodbye to the agent.
func (r *ring) giveBack(e route.Released, how tandem.Termination) {
	r.talk.finish(goesOn)
	r.free()
	if r.stays() {
		r.release(e)
	}
	r.held = false
	r.talk.hangUp(how)
}

// policy is how often and how far apart a customer is called.
func (r *ring) policy() (tries int, gap time.Duration) {
	if p := r.s.o.Router.Policy(); p != nil {
		if q := p.Queues[r.task.Queue]; q != nil {
			tries, gap = q.CallbackTries, q.CallbackGap
		}
	}
	return max(tries, 1), gap
}

// later is when the customer may be called again.
func (r *ring) later() time.Time {
	_, gap := r.policy()
	return r.s.o.Now().Add(max(gap, leastGap))
}

// leastGap keeps a callback that cannot be dialled now from going round and round.
const leastGap = time.Minute

// play has a party hear something over and over.
func (t *talk) play(p *party, clips []*media.Clip) {
	if len(clips) > 0 {
		_ = p.stream.Play(media.Item{ID: toneID, Clips: clips, Loop: true}) // who hears nothing is told by the end
	}
}

// tone has the agent hear that nobody answers, until they hang up or have heard enough.
func (r *ring) tone() {
	if len(r.s.o.Busy) == 0 {
		return
	}
	t := r.talk
	t.agent.stream.Stop(toneID)
	t.play(t.agent, r.s.o.Busy)
	defer t.agent.stream.Stop(toneID)
	enough := time.NewTimer(toneTime)
	defer enough.Stop()
	for {
		select {
		case <-enough.C:
			return
		case <-r.ctx.Done():
			return
		case n := <-t.inbox:
			switch n := n.(type) {
			case left:
				if n.p == t.agent {
					return
				}
			case moved:
				if n.state == SeatGone {
					return
				}
			case command:
				n.reply <- errNotJoined
			}
		}
	}
}
