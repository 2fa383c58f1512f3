package phone

import (
	"context"
	"errors"
	"slices"

	"tandem"
	"tandem/bridge/route"
)

// finish ends the room: nobody is in it any more, and the customer's call, which is not
// ours, goes on. The line is not told here, and nobody is said goodbye to.
func (t *talk) finish(end ending) {
	t.why = whyOver[end]
	t.unask("withdrawn")
	t.mended()
	t.room.Close()
	t.s.mu.Lock()
	if t.s.talks[t.in] == t {
		delete(t.s.talks, t.in)
	}
	t.s.mu.Unlock()
	for _, p := range slices.Clone(t.parties) {
		why := "over"
		switch {
		case p == t.agent:
			why = t.agentWhy(end)
		case p == t.customer && end == customerLeft:
			why = "left"
		case p == t.customer && end == taken:
			why = t.agentWhy(end)
		}
		t.exit(p, why)
		t.idle(p.Name)
		t.leaving = append(t.leaving, p)
	}
	t.publish(true)
}

// whyOver are the words of Talk.Why.
var whyOver = map[ending]string{goesOn: "over", agentLeft: "left", agentLost: "lost", customerLeft: "customer", taken: "taken", tooLong: "over", stopped: "over"}

// hangUp says goodbye to everybody but the customer, after finish.
func (t *talk) hangUp(how tandem.Termination) {
	close(t.done)
	for _, p := range t.leaving {
		t.going.Go(func() { t.goodbye(p, how) })
	}
	t.going.Wait()
	for { // a phone that was answered in the last moment
		select {
		case n := <-t.inbox:
			if a, is := n.(answered); is {
				a.close()
			}
		default:
			return
		}
	}
}

// agentWhy is why the agent of a talk that has ended is in the room no more.
func (t *talk) agentWhy(end ending) string {
	var o over
	switch {
	case end == agentLeft:
		return "left"
	case end == agentLost:
		return "lost"
	case end == taken && errors.As(context.Cause(t.ctx), &o) && (o.why == "transferred" || o.why == "handed_back" || o.why == "moved"):
		return "transferred"
	}
	return "over"
}

// part tells the line how a talk ended, then says goodbye.
func (r *ring) part(t *talk, end ending, how tandem.Termination) {
	t.finish(end)
	c := r.customer
	if c != nil && !r.keeps(c, end) { // whom nobody speaks with any more: not for as long as the line's store is down
		c.close(how)
	}
	r.free()
	if r.stays() {
		switch end {
		case agentLeft, tooLong:
			r.release(route.Released{Why: "done", Outcome: tandem.OutcomeServed})
		case customerLeft:
			r.release(route.Released{Why: "left", Outcome: tandem.OutcomeServed})
		case agentLost: // the customer is still there: back to their place
			t.lose(t.agent)
			r.release(route.Released{Why: "lost", Again: true})
		}
	}
	r.held = false
	t.hangUp(how)
}
