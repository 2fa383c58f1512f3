package simulation

import (
	"maps"
	"slices"
	"time"

	"tandem"
	"tandem/bridge/queue"
	"tandem/bridge/route"
)

// Mutant is a way to break the line or its store on purpose: what a simulator finds is
// worth something only if it finds these.
type Mutant string

// Mutants of the store, then of the line.
const (
	ForgetsHold  Mutant = "a hold is not written"
	ForgetsTask  Mutant = "a task is not written"
	ForgetsEvent Mutant = "an event is not written"
	Liar         Mutant = "says written and has not"
	NoLease      Mutant = "two processes may write"

	KeepsOffer Mutant = "an offer that lapsed stays out"
	NewPlace   Mutant = "what comes back stands at the end"
	Crowded    Mutant = "agents are given one more than they may have"
	Overtakes  Mutant = "one agent is passed over"
	LateIsFine Mutant = "an old offer can be taken"
	SameNumber Mutant = "numbers of offers begin anew after a start"
	LosesAfter Mutant = "an offered task is lost by a start"
	NoBound    Mutant = "a head start has no bound"
	GivenTwice Mutant = "who is given a task has it beside who gave it"
)

// Mutants are all of them.
func Mutants() []Mutant {
	return []Mutant{ForgetsHold, ForgetsTask, ForgetsEvent, Liar, NoLease, KeepsOffer, NewPlace, Crowded, Overtakes, LateIsFine, SameNumber, LosesAfter, NoBound, GivenTwice}
}

func (w *World) is(m Mutant) bool { return w.o.Broken == m }

// newLine makes lines that are broken as the run wants them.
func (w *World) newLine() func(*route.Policy, route.Saved) queue.Line {
	m := w.o.Broken
	if m == "" {
		return nil
	}
	return func(p *route.Policy, s route.Saved) queue.Line {
		if m == SameNumber {
			s.Fence = 0
		}
		if m == LosesAfter {
			s.Tasks = slices.DeleteFunc(slices.Clone(s.Tasks), func(t tandem.Task) bool { return t.State == tandem.TaskOffered })
			s.Agents = slices.Clone(s.Agents)
			for i := range s.Agents {
				s.Agents[i].Holds = slices.DeleteFunc(slices.Clone(s.Agents[i].Holds), func(h route.Holding) bool { return h.State == tandem.TaskOffered })
			}
		}
		return &brokenLine{Line: route.New(m.policy(p), s), m: m, later: map[tandem.TaskID]bool{}}
	}
}

// policy is a policy as a broken line understands it.
func (m Mutant) policy(p *route.Policy) *route.Policy {
	out := *p
	switch m {
	case Crowded:
		out.Agents = maps.Clone(p.Agents)
		for name, a := range p.Agents {
			b := *a
			b.Capacity = maps.Clone(a.Capacity)
			for load := range b.Capacity {
				b.Capacity[load]++
			}
			out.Agents[name] = &b
		}
	case Overtakes:
		out.Agents = maps.Clone(p.Agents)
		for name, a := range p.Agents {
			b := *a
			b.Skills = maps.Clone(a.Skills)
			delete(b.Skills, "lang:en")
			out.Agents[name] = &b
		}
	case NoBound:
		out.MostPriority = 24 * time.Hour
	}
	return &out
}

// brokenLine is a line with a fault.
type brokenLine struct {
	queue.Line
	m     Mutant
	later map[tandem.TaskID]bool // NewPlace: came back
}

// Task is a task, at the end of the line if it came back to one that is broken so.
func (l *brokenLine) Task(id tandem.TaskID) (tandem.Task, bool) {
	t, ok := l.Line.Task(id)
	if l.later[id] {
		t.Due = t.Due.Add(time.Hour)
	}
	return t, ok
}

func (l *brokenLine) Apply(e route.Event) []route.Output {
	switch e := e.(type) {
	case route.Repoliced:
		e.Policy = l.m.policy(e.Policy)
		return l.Line.Apply(e)
	case route.Accepted:
		if t, ok := l.Line.Task(e.Task); ok && l.m == LateIsFine && t.State == tandem.TaskOffered {
			e.Fence, e.Agent = t.Fence, t.Agent
			return l.Line.Apply(e)
		}
	}
	out := l.Line.Apply(e)
	if _, is := e.(route.Reassigned); is && l.m == GivenTwice {
		out = slices.DeleteFunc(out, func(o route.Output) bool { _, released := o.(route.TaskReleased); return released })
	}
	switch l.m {
	case KeepsOffer:
		out = slices.DeleteFunc(out, func(o route.Output) bool {
			over, is := o.(route.OfferOver)
			return is && over.Why == "lapsed"
		})
	case NewPlace:
		for _, o := range out {
			if over, is := o.(route.OfferOver); is && over.Task.State == tandem.TaskWaiting {
				l.later[over.Task.ID] = true
			}
		}
	}
	return out
}
