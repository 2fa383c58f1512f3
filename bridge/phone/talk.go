package phone

import (
	"context"
	"errors"
	"time"

	"tandem"
	"tandem/bridge/room"
	"tandem/bridge/route"
	"tandem/media"
	"tandem/sip"
)

const (
	// joinTime bounds how long an answered phone waits for the session of the customer's
	// call: what the caller must hear whole, such as that the call is recorded, comes first.
	joinTime = 30 * time.Second
	// joinTone is after how much of that the agent hears that it goes on.
	joinTone = 300 * time.Millisecond
)

// ending is how a talk ended.
type ending uint8

const (
	agentLeft    ending = iota // they hung up
	agentLost                  // their phone went away
	customerLeft               // they hung up, or their phone went away
	taken                      // the line took the task away
	tooLong
	stopped
)

// serve joins the agent with the caller who waits in line.
func (r *ring) serve() {
	caller, ok := r.s.o.Caller(r.task.Interaction)
	if !ok {
		r.missed(nil)
		return
	}
	if err := r.tellSession(caller); err != nil {
		r.missed(err)
		return
	}
	end, t, err := r.talk(caller.Stream(), caller.Joined, party{left: caller.Left()}, r.agent.limit)
	if err != nil {
		r.log.Error("a caller and an agent could not be joined", "error", err)
	}
	if end == customerLeft && caller.Termination().Reason == tandem.ReasonShutdown {
		end = stopped
	}
	r.part(end, t)
}

// tellSession has the caller's session know that an agent has them. The agent may hang up
// before it does.
func (r *ring) tellSession(caller Caller) error {
	ctx, cancel := context.WithTimeout(r.ctx, joinTime)
	defer cancel()
	knows := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				r.s.o.Panicked(p)
				knows <- errFault
			}
		}()
		knows <- caller.Served(ctx, r.task.Agent)
	}()
	tone := time.NewTimer(joinTone)
	defer tone.Stop()
	defer r.agent.audio.Stream.Stop(toneID)
	give := func(err error) error {
		cancel()
		<-knows
		return err
	}
	for {
		select {
		case err := <-knows:
			return err
		case <-tone.C:
			r.play(r.s.o.Ringback)
		case e := <-r.agent.call.Events():
			if _, over := e.(sip.Ended); over {
				return give(errAgentLeft)
			}
		case e, open := <-r.agent.audio.Stream.Events():
			if _, over := silent(e, open); over {
				return give(errAgentLeft)
			}
		}
	}
}

var (
	errFault     = errors.New("a fault of ours")
	errAgentLeft = errors.New("the agent hung up before they were joined")
)

// missed ends what was answered in vain: the caller has left, or goes on by another channel,
// or their session was too busy to hear of it.
func (r *ring) missed(why error) {
	e := route.Released{Why: "left", Outcome: tandem.OutcomeLeft}
	t, ok := r.s.o.Router.Task(r.task.ID)
	switch {
	case ok && t.Kind != tandem.TaskCall:
		e = route.Released{Why: "moved", Again: true}
	case errors.Is(why, context.DeadlineExceeded), errors.Is(why, errAgentLeft), errors.Is(why, errFault):
		r.log.Warn("an agent answered and was not joined; the caller is back in line", "error", why)
		e = route.Released{Why: "handed_back", Again: true}
	}
	if r.stays() {
		r.release(e)
	}
	r.hangUp(tandem.Terminate(tandem.ByPeer, tandem.ReasonHangup))
}

// stays reports whether the line still has the task with the agent, as far as we know.
func (r *ring) stays() bool {
	return r.ctx.Err() == nil && r.held
}

// part tells the line how a talk ended, then says goodbye.
func (r *ring) part(end ending, t tandem.Termination) {
	if r.customer != nil { // whom nobody speaks with any more: not for as long as the line's store is down
		r.customer.close(t)
	}
	if r.stays() {
		switch end {
		case agentLeft, tooLong:
			r.release(route.Released{Why: "done", Outcome: tandem.OutcomeServed})
		case customerLeft:
			r.release(route.Released{Why: "left", Outcome: tandem.OutcomeServed})
		case agentLost: // the customer is still there: back to their place
			r.s.o.Counted(CountedLost)
			r.s.gone(r.task.Agent)
			r.release(route.Released{Why: "lost", Again: true})
		}
	}
	r.held = false
	r.hangUp(t)
}

// party is whom the agent speaks with.
type party struct {
	left   <-chan struct{} // of a call that somebody else listens to
	events <-chan sip.Event
	media  <-chan media.Event
}

// talk joins the agent's phone with the stream of a customer until one of them leaves, or
// the line takes the task away.
func (r *ring) talk(near *media.Stream, joined func(Far), p party, limit time.Duration) (ending, tandem.Termination, error) {
	pair, err := room.NewPair(near, r.agent.audio.Stream, r.s.o.Music)
	if err != nil { // the customer's stream has gone, or ours
		return customerLeft, tandem.Terminate(tandem.BySystem, tandem.ReasonNoMedia), err
	}
	joined(paired{pair, near, r.agent.audio.Stream})
	defer func() {
		joined(nil)
		pair.Part()
	}()
	var late <-chan time.Time
	if limit > 0 {
		timer := time.NewTimer(limit)
		defer timer.Stop()
		late = timer.C
	}
	for {
		select {
		case <-r.ctx.Done():
			end, t := r.takenAway()
			return end, t, nil
		case <-late:
			return tooLong, tandem.Terminate(tandem.BySystem, tandem.ReasonMaxDuration), nil
		case <-p.left:
			return customerLeft, tandem.Terminate(tandem.ByPeer, tandem.ReasonHangup), nil
		case e := <-r.agent.call.Events():
			if t, over := r.heard(e, pair, r.agent); over {
				return lostOr(agentLeft, t), t, nil
			}
		case e := <-p.events:
			if t, over := r.heard(e, pair, r.customer); over {
				return lostOr(customerLeft, t), tandem.Terminate(tandem.ByPeer, tandem.ReasonHangup), nil
			}
		case e, open := <-r.agent.audio.Stream.Events():
			if t, over := silent(e, open); over {
				return agentLost, t, nil
			}
		case e, open := <-p.media:
			if t, over := silent(e, open); over {
				return customerLeft, t, nil
			}
		}
	}
}

// takenAway is the end of a talk by the line's word, or as the server stops: the next
// start decides about what was going on.
func (r *ring) takenAway() (ending, tandem.Termination) {
	var o over
	if errors.As(context.Cause(r.ctx), &o) {
		return taken, tandem.Terminate(tandem.ByPeer, tandem.ReasonHangup)
	}
	return stopped, tandem.Terminate(tandem.BySystem, tandem.ReasonShutdown)
}

// lostOr sorts out a call that did not end as somebody wished.
func lostOr(end ending, t tandem.Termination) ending {
	switch {
	case t.Reason == tandem.ReasonShutdown:
		return stopped
	case end == agentLeft && t.Class != tandem.ClassNormal:
		return agentLost
	}
	return end
}

// heard takes what signalling tells of one side.
func (r *ring) heard(e sip.Event, pair *room.Pair, o *out) (t tandem.Termination, over bool) {
	switch e := e.(type) {
	case sip.Held:
		if err := pair.Hold(o.audio.Stream, e.On); err != nil {
			r.log.Warn("holding failed", "error", err)
		}
		r.s.hold(o, e.On)
	case sip.Ended:
		return e.Termination, true
	}
	return tandem.Termination{}, false
}

// silent reports a stream whose far end sends nothing any more, or that a fault has ended.
func silent(e media.Event, open bool) (t tandem.Termination, over bool) {
	if !open {
		return tandem.Terminate(tandem.BySystem, tandem.ReasonPanic), true
	}
	_, over = e.(media.Silent)
	return tandem.Terminate(tandem.BySystem, tandem.ReasonMediaTimeout), over
}

// paired is a customer joined with an agent.
type paired struct {
	pair *room.Pair
	near *media.Stream
	far  *media.Stream
}

func (p paired) Held(on bool)   { _ = p.pair.Hold(p.near, on) }
func (p paired) Key(digit byte) { _ = p.far.SendKey(digit, 160) }
