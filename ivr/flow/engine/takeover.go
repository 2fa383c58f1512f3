package engine

import (
	"slices"
	"strings"

	"tandem"
	"tandem/ivr/flow"
)

// HandedBack is the outcome of a step out of which an agent has led the customer on to
// another.
const HandedBack = "handed_back"

// served reports whether an agent has the customer, and no step is asked.
func (r *run) served() bool {
	return r.s.Asked == nil && r.s.Wait.Kind == flow.WaitQueue && r.s.Wait.Served
}

// overtaken ends a step that an agent asks when something comes for the wait behind it: they
// have the customer no more.
func (r *run) overtaken(in flow.Input) {
	if r.s.Asked == nil {
		return
	}
	behind := in.Serial != 0 && in.Serial == r.s.Asked.Wait.Serial
	if in.Kind == flow.InputBack || behind && (in.Kind == flow.InputResult || in.Kind == flow.InputPlace) {
		r.cut()
	}
}

// onTaken gives the customer to an agent, but not in the middle of a secret. In a queue that is as if the line had; out of any
// other step nothing of it goes on: it is begun anew, should they come back to it.
func (r *run) onTaken(in flow.Input) {
	if r.s.Leaving || r.s.Asked != nil || r.served() || r.s.EntersSecret() {
		return
	}
	r.waited()
	if r.s.Wait.Kind == flow.WaitQueue { // Taken too, who was left by the agent and waits
		r.onServed()
		return
	}
	r.unconfirmed()
	r.hush(false)
	r.s.Taken = &flow.Taken{Key: in.Key, Kind: r.s.Wait.Kind}
	r.s.Keys, r.todo, r.set = "", nothing, nil
	r.f.Confirming, r.f.Draft = false, ""
	r.s.Wait = flow.Wait{Served: true}
	r.withdrawn()
}

// withdrawn waits for what becomes of a customer whom an agent has out of a step.
func (r *run) withdrawn() {
	queue := ""
	if r.s.Facts.Place != nil {
		queue = r.s.Facts.Place.Queue
	}
	serial := r.wait(flow.Wait{Kind: flow.WaitQueue, Served: r.s.Wait.Served, Place: r.s.Wait.Place})
	r.emit(flow.Enqueue{Serial: serial, Step: r.f.Step, Key: r.s.Taken.Key, Queue: queue, Taken: true, Lang: r.s.Lang})
}

// onBack takes a customer back from their agent: at a step, if they may go there, else where
// they were taken out, or on from the queue they waited in.
func (r *run) onBack(in flow.Input) {
	if r.served() {
		r.recall(in.Set)
		r.set = nil
	}
	here := r.s.Taken != nil && in.Step == r.f.Flow+"/"+r.f.Step
	switch {
	case !r.served():
	case in.Step != "" && !here && r.backAt(in.Step):
	case r.s.Taken != nil:
		r.back()
	default:
		r.outcome("answered", "")
	}
}

// back begins the step anew out of which an agent had taken the customer.
func (r *run) back() {
	r.waited()
	r.s.Taken, r.s.Wait = nil, flow.Wait{}
	r.f.Try, r.f.Draft = 1, ""
	if err := r.again(); err != nil {
		r.fault(err)
	}
}

// backAt goes on at a step of one of the flows under way; the flows that it had called are
// over. It reports whether the customer may go there.
func (r *run) backAt(name string) bool {
	i, step := r.find(name)
	if i < 0 || !mayGo(r, i, step).IsZero() {
		return false
	}
	r.waited()
	to := step.Name
	if i < len(r.s.Frames)-1 {
		to = name
	}
	r.trace(tandem.EventOutcome, tandem.StepLeft{Flow: r.flow.Name, Step: r.f.Step, Outcome: HandedBack, Next: to})
	r.s.Taken, r.s.Wait, r.s.Keys = nil, flow.Wait{}, ""
	for len(r.s.Frames) > i+1 {
		r.pop()
	}
	r.f.Choices, r.f.Return, r.f.Confirming, r.f.Draft, r.f.Try = nil, nil, false, "", 0
	r.next = step.Name
	return true
}

// find finds a step by "flow/step" among the flows under way: the frame's number and the
// step; -1 if there is none.
func (r *run) find(name string) (int, *flow.Step) {
	of, step, _ := strings.Cut(name, "/")
	for i := len(r.s.Frames) - 1; i >= 0; i-- {
		if r.s.Frames[i].Flow != of {
			continue
		}
		if s := r.lib.Flows[of].Steps[step]; s != nil {
			return i, s
		}
	}
	return -1, nil
}

// onAsk runs one step for the agent who has the customer.
func (r *run) onAsk(in flow.Input) {
	if !r.served() {
		return
	}
	i, step := r.find(in.Step)
	during := r.during()
	guest := false
	if of, name, _ := strings.Cut(in.Step, "/"); i < 0 && during != nil && of == during.Name {
		step, guest = during.Steps[name], true
	}
	if step == nil || !mayAsk(r, i, step).IsZero() {
		return
	}
	a := &flow.Asked{Step: step.Name, Guest: guest, Wait: r.s.Wait, World: r.s.World}
	if guest {
		frame, err := newFrame(during, nil)
		if err != nil {
			return
		}
		frame.Step = step.Name
		r.s.Frames = append(r.s.Frames, frame)
		r.owned[len(r.s.Frames)-1] = ownAll
	} else {
		a.At = r.s.Frames[i]
		a.At.Vars, a.At.Secrets, a.At.Ephemeral, a.At.Asked, a.At.Visits = nil, nil, nil, nil, nil
		a.Over = slices.Clone(r.s.Frames[i+1:])
		r.s.Frames = r.s.Frames[:i+1]
	}
	r.top()
	r.waited()
	a.Flow = r.flow.Name
	r.s.Asked, r.s.Wait, r.s.Keys = a, flow.Wait{}, ""
	r.f.Choices, r.f.Return, r.f.Confirming, r.f.Draft, r.f.Try = nil, nil, false, "", 0
	r.next = step.Name
}

// during is the flow that an agent may ask steps of while they have the customer; nil =
// none.
func (r *run) during() *flow.Flow {
	if q, ok := r.step.Verb.(*flow.QueueStep); ok && q.During != "" && len(r.s.Frames) < maxFrames {
		return r.lib.Flows[q.During]
	}
	return nil
}

// cut ends a step that is asked before it is over.
func (r *run) cut() {
	r.set = nil
	r.unconfirmed()
	r.answered("cut")
}

// answered ends the step that was asked: the agent has the customer back.
func (r *run) answered(outcome string) {
	set := r.set
	r.trace(tandem.EventOutcome, tandem.StepLeft{Flow: r.flow.Name, Step: r.f.Step, Outcome: outcome, Set: set})
	r.hush(false)
	r.emit(flow.Told{Flow: r.s.Asked.Flow, Step: r.s.Asked.Step, Outcome: outcome, Set: set})
	r.s = without(r.s)
	r.owned = [maxFrames]uint8{}
	r.top()
	r.s.Keys, r.set, r.todo, r.next, r.under = "", nil, nothing, "", true
}

// without is a session in which the step that was asked is over, with what it changed.
func without(s flow.Session) flow.Session {
	a := s.Asked
	last := len(s.Frames) - 1
	frames := slices.Clone(s.Frames)
	if a.Guest {
		frames = frames[:last]
	} else {
		now := frames[last]
		frames[last] = a.At
		f := &frames[last]
		f.Vars, f.Secrets, f.Ephemeral, f.Asked, f.Visits = now.Vars, now.Secrets, now.Ephemeral, now.Asked, now.Visits
	}
	s.Frames = append(frames, a.Over...)
	s.Wait, s.World, s.Asked = a.Wait, a.World, nil
	return s
}

// Unasked is a session as it stands once the step that an agent asked is over, whatever
// comes of it. It changes nothing in one without.
func Unasked(s flow.Session) flow.Session {
	if s.Asked == nil || len(s.Frames) == 0 {
		return s
	}
	return without(s)
}

// unconfirmed drops a value whose yes has not come.
func (r *run) unconfirmed() {
	if c, ok := r.step.Verb.(*flow.Collect); ok && r.f.Confirming {
		collect{c}.forget(r)
		r.f.Confirming = false
	}
}
