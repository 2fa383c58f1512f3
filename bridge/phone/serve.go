package phone

import (
	"context"
	"errors"

	"tandem"
	"tandem/bridge/route"
)

// serve joins the agent with the caller who waits in line.
func (r *ring) serve() {
	caller, ok := r.s.o.Caller(r.in)
	if !ok {
		r.missed(nil)
		return
	}
	r.join(caller)
}

// join has the customer's session know, joins the agent with them, and says goodbye once
// they part.
func (r *ring) join(caller Caller) {
	t := r.talk
	end, how, err := r.tellSession(caller)
	switch {
	case end == taken || end == stopped:
		r.part(t, end, how)
		return
	case end != goesOn:
		err = errAgentLeft
	}
	if err != nil {
		r.missed(err)
		return
	}
	end, how = t.serve(caller)
	r.part(t, end, how)
}

// tellSession has the caller's session know that an agent has them. The agent may hang up
// before it does.
func (r *ring) tellSession(caller Caller) (ending, tandem.Termination, error) {
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
	end, how, err := r.talk.until(knows, joinTone)
	if end != goesOn {
		cancel()
		<-knows
	}
	return end, how, err
}

var (
	errFault     = errors.New("a fault of ours")
	errAgentLeft = errors.New("the agent hung up before they were joined")
)

// missed ends what was answered in vain: the caller has left, or goes on by another channel,
// or their session was too busy to hear of it.
func (r *ring) missed(why error) {
	e := route.Released{Why: "left", Outcome: tandem.OutcomeLeft}
	now, ok := r.s.o.Router.Task(r.id)
	switch {
	case ok && now.Kind != tandem.TaskCall && r.customer == nil:
		e = route.Released{Why: "moved", Again: true}
	case errors.Is(why, context.DeadlineExceeded), errors.Is(why, errAgentLeft), errors.Is(why, errFault):
		r.log.Warn("an agent answered and was not joined; the caller is back in line", "error", why)
		e = route.Released{Why: "handed_back", Again: true}
	}
	if c := r.customer; c != nil && (!e.Again || !r.keeps(c, agentLost)) {
		c.close(tandem.Terminate(tandem.ByPeer, tandem.ReasonHangup))
	}
	r.giveBack(e, tandem.Terminate(tandem.ByPeer, tandem.ReasonHangup))
}

// stays reports whether the line still has the task with the agent, as far as we know.
func (r *ring) stays() bool {
	return r.ctx.Err() == nil && r.held
}
