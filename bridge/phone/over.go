package phone

import (
	"slices"

	"tandem"
	"tandem/bridge/route"
)

// finish ends the room: everybody goes on by themselves, and the customer's call, which is
// not ours, goes on. The line is not told here.
func (t *talk) finish(why string) {
	t.unask("withdrawn")
	t.mended()
	t.room.Close()
	t.s.mu.Lock()
	if t.s.talks[t.in] == t {
		delete(t.s.talks, t.in)
	}
	t.s.mu.Unlock()
	if t.customer != nil {
		t.exit(t.customer, why)
	}
	t.publish(true)
}

// hangUp ends the legs of everybody but the customer's.
func (t *talk) hangUp(end ending, how tandem.Termination) {
	close(t.done)
	others := slices.Clone(t.parties)
	for _, p := range others {
		why := "over"
		if p == t.agent {
			why = agentWhy(end)
		}
		t.exit(p, why)
		t.idle(p.Name)
		t.going.Go(func() { t.goodbye(p, how) })
	}
	t.going.Wait()
}

// agentWhy is why the agent of a talk that has ended is in the room no more.
func agentWhy(end ending) string {
	switch end {
	case agentLeft:
		return "left"
	case agentLost:
		return "lost"
	case taken:
		return "transferred"
	}
	return "over"
}

// part tells the line how a talk ended, then says goodbye.
func (r *ring) part(t *talk, end ending, how tandem.Termination) {
	why := map[ending]string{customerLeft: "left", taken: "transferred"}[end]
	if why == "" {
		why = "over"
	}
	t.finish(why)
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
	t.hangUp(end, how)
}
