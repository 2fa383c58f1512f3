package phone

import (
	"context"
	"sync"
	"time"

	"tandem"
	"tandem/media"
	"tandem/sip"
)

// called is a customer whom we have called, as a Caller: they outlive the agent who had
// them, if that passes them on or is lost.
type called struct {
	s    *Switchboard
	out  *out
	task tandem.TaskID
	left chan struct{}
	stop context.CancelFunc

	mu   sync.Mutex
	far  Far
	held bool
	over bool
}

var _ Caller = (*called)(nil)

// newCalled takes over a call that a customer has answered. A goroutine listens to it until
// it ends, which it does with the switchboard, or once it has lasted as long as the caps let it.
func (s *Switchboard) newCalled(ctx context.Context, o *out, task tandem.TaskID) *called {
	ctx, cancel := context.WithCancel(ctx)
	c := &called{s: s, out: o, task: task, left: make(chan struct{}), stop: cancel}
	s.going.Go(func() {
		defer cancel()
		defer func() {
			if p := recover(); p != nil {
				s.o.Panicked(p)
				c.end(tandem.Terminate(tandem.BySystem, tandem.ReasonPanic))
			}
		}()
		c.end(c.listen(ctx))
		s.unpark(c)
	})
	return c
}

// listen is what becomes of the call.
func (c *called) listen(ctx context.Context) tandem.Termination {
	var late <-chan time.Time
	if c.out.limit > 0 {
		timer := time.NewTimer(c.out.limit)
		defer timer.Stop()
		late = timer.C
	}
	for {
		select {
		case <-ctx.Done():
			return tandem.Terminate(tandem.BySystem, tandem.ReasonShutdown)
		case <-late:
			return tandem.Terminate(tandem.BySystem, tandem.ReasonMaxDuration)
		case e := <-c.out.call.Events():
			switch e := e.(type) {
			case sip.Held:
				c.s.hold(c.out, e.On)
				c.hold(e.On)
			case sip.Key:
				c.mu.Lock()
				if c.far != nil {
					c.far.Key(e.Digit)
				}
				c.mu.Unlock()
			case sip.Ended:
				return e.Termination
			}
		case e, open := <-c.out.audio.Stream.Events():
			if t, over := silent(e, open); over {
				return t
			}
		}
	}
}

func (c *called) hold(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held = on
	if c.far != nil {
		c.far.Held(on)
	}
}

// end ends the call and its record, once.
func (c *called) end(t tandem.Termination) {
	c.mu.Lock()
	first := !c.over
	c.over = true
	c.mu.Unlock()
	if first {
		c.out.close(t)
		close(c.left)
	}
}

// close says goodbye.
func (c *called) close(t tandem.Termination) {
	c.end(t)
	c.stop()
}

// Stream is the call's audio.
func (c *called) Stream() *media.Stream { return c.out.audio.Stream }

// Served has the music end.
func (c *called) Served(context.Context, string) error {
	c.Interrupted(false)
	select {
	case <-c.left:
		return errOver
	default:
		return nil
	}
}

// Joined tells whom the customer's signalling reaches.
func (c *called) Joined(far Far) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.far = far
	if far != nil && c.held {
		far.Held(true)
	}
}

// Interrupted has the customer hear music.
func (c *called) Interrupted(on bool) {
	stream := c.out.audio.Stream
	stream.Stop(toneID)
	if on && len(c.s.o.Music) > 0 {
		_ = stream.Play(media.Item{ID: toneID, Clips: c.s.o.Music, Loop: true}) // who hears nothing is kept all the same
	}
}

// Left is closed once the call has ended, and Termination says how.
func (c *called) Left() <-chan struct{}           { return c.left }
func (c *called) Termination() tandem.Termination { return c.out.leg.Termination }

// Leg is of the call's record what never changes.
func (c *called) Leg() tandem.Leg {
	return tandem.Leg{ID: c.out.leg.ID, Interaction: c.out.leg.Interaction, Kind: c.out.leg.Kind, Role: c.out.leg.Role, To: c.out.leg.To}
}

// keeps has a customer who was called wait with music for the next agent, if the line still
// has their task: they were passed on, or their agent was lost.
func (r *ring) keeps(c *called, end ending) bool {
	if end != taken && end != agentLost {
		return false
	}
	now, there := r.s.o.Router.Task(r.id)
	if end == taken && (!there || now.State == tandem.TaskDone || now.State == tandem.TaskWrapping || now.Kind.Load() != tandem.LoadVoice) {
		return false
	}
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	select {
	case <-c.left:
		return false
	default:
	}
	if r.s.ctx == nil {
		return false
	}
	r.s.parked[r.id] = c
	c.Interrupted(true)
	return true
}

// unpark forgets a customer who waited and has left; the line is told.
func (s *Switchboard) unpark(c *called) {
	s.mu.Lock()
	waits := s.parked[c.task] == c
	if waits {
		delete(s.parked, c.task)
	}
	ctx := s.ctx
	s.mu.Unlock()
	if !waits || ctx == nil || ctx.Err() != nil || c.Termination().Reason == tandem.ReasonShutdown {
		return
	}
	s.tell(s.o.Log.With("task", c.task), "ending a callback", func(ctx context.Context) error {
		return s.o.Router.End(ctx, c.task, tandem.OutcomeLeft, nil)
	})
}

// parkedOf is the customer who waits for the next agent, who is theirs from now on.
func (s *Switchboard) parkedOf(id tandem.TaskID) *called {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.parked[id]
	delete(s.parked, id)
	return c
}

// caller finds the call of a customer, who called or was called.
func (s *Switchboard) caller(in tandem.InteractionID) (Caller, bool) {
	s.mu.Lock()
	for _, c := range s.parked {
		if c.out.leg.Interaction == in {
			s.mu.Unlock()
			return c, true
		}
	}
	s.mu.Unlock()
	return s.o.Caller(in)
}
