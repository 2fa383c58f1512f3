// Package whatif runs a routing policy in simulated time: arrivals that were made up, or
// that a journal has, go through the very Line that serves, with agents who are played.
// It tells waits, service level, fairness and occupancy, and draws them.
//
// It is a function of a plan and a seed: the same two give the same report, byte for byte.
// It starts no goroutine, reads no clock and writes nothing.
package whatif

import (
	"container/heap"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"tandem"
	"tandem/bridge/route"
)

// Plan is what is to be played.
type Plan struct {
	Policy *route.Policy
	From   time.Time
	Until  time.Time // nobody arrives after it; who is in line then is served
	// Next is the next arrival, in the order of time, of a queue that the policy has; false
	// after the last.
	Next func() (Arrival, bool)
	// Shifts say when agents are there; an agent without one is there all the time.
	Shifts map[string][]Shift
	Answer time.Duration // that an agent takes to accept an offer
	// Watch, if not nil, sees every output of the line.
	Watch  func(at time.Time, o route.Output)
	WarmUp time.Duration // what arrives before From + WarmUp is not counted
}

// Arrival is one customer's business.
type Arrival struct {
	At       time.Time
	Queue    string
	Kind     tandem.TaskKind
	Level    string
	Skills   []string
	Priority time.Duration
	Patience time.Duration // live kinds: after so long in line they leave; 0 = never
	Talk     time.Duration // from acceptance to release
	Wrap     time.Duration // notes; the policy bounds them
}

// Shift is when an agent is there.
type Shift struct{ From, Until time.Time }

// grace is how long after Until what is in line is played on.
const grace = 24 * time.Hour

// player plays one plan.
type player struct {
	plan   Plan
	line   *route.Line
	now    time.Time
	events eventHeap
	n      uint64
	jobs   map[tandem.TaskID]*job
	next   *Arrival // nil = no more
	made   int
	report *Report
	spans  *spans
}

// job is an arrival that is being served.
type job struct {
	Arrival
	id      tandem.TaskID
	counted bool
	since   time.Time // accepted
}

// event is something that players do.
type event struct {
	at time.Time
	n  uint64 // order of those at the same time
	do func()
}

type eventHeap []event

func (h eventHeap) Len() int { return len(h) }
func (h eventHeap) Less(i, j int) bool {
	if !h[i].at.Equal(h[j].at) {
		return h[i].at.Before(h[j].at)
	}
	return h[i].n < h[j].n
}
func (h eventHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *eventHeap) Push(x any)   { *h = append(*h, x.(event)) }
func (h *eventHeap) Pop() any {
	old := *h
	last := old[len(old)-1]
	old[len(old)-1].do = nil
	*h = old[:len(old)-1]
	return last
}

// Run plays a plan to its end.
func Run(p Plan) (*Report, error) {
	s := &player{plan: p, now: p.From, jobs: map[tandem.TaskID]*job{}, report: newReport(p), spans: newSpans(p)}
	s.line = route.New(p.Policy, route.Saved{At: p.From})
	for _, name := range slices.Sorted(maps.Keys(p.Policy.Agents)) {
		s.arriveAgent(name, p.Policy.Agents[name])
	}
	if err := s.draw(); err != nil {
		return nil, err
	}
	end := p.Until.Add(grace)
	for {
		at, do := s.soonest()
		if do == nil || at.After(end) {
			break
		}
		s.now = at
		if err := do(); err != nil {
			return nil, err
		}
	}
	s.spans.close(s.now)
	s.report.finish(s.spans, len(s.jobs))
	return s.report, nil
}

// draw takes the next arrival up.
func (s *player) draw() error {
	a, ok := s.plan.Next()
	if !ok {
		s.next = nil
		return nil
	}
	if s.plan.Policy.Queues[a.Queue] == nil {
		return tandem.Errorf(tandem.CodeInvalid, "arrival %d is for queue %q, which the policy does not have", s.made+1, a.Queue)
	}
	if a.At.Before(s.now) {
		return tandem.Errorf(tandem.CodeInvalid, "arrival %d is before the one before it", s.made+1)
	}
	s.next = &a
	return nil
}

// arriveAgent has an agent come and go by their shifts.
func (s *player) arriveAgent(name string, a *route.Agent) {
	shifts := s.plan.Shifts[name]
	if len(shifts) == 0 {
		shifts = []Shift{{From: s.plan.From, Until: s.plan.Until.Add(grace)}}
	}
	for _, load := range slices.Sorted(maps.Keys(a.Capacity)) {
		s.at(s.plan.From, func() { s.apply(route.Reachable{At: s.now, Agent: name, Load: load, On: true}) })
	}
	for _, shift := range shifts {
		s.at(shift.From, func() { s.apply(route.Present{At: s.now, Agent: name, Presence: tandem.PresenceAvailable}) })
		s.at(shift.Until, func() { s.apply(route.Present{At: s.now, Agent: name, Presence: tandem.PresenceOffline}) })
	}
}

func (s *player) at(t time.Time, do func()) {
	s.n++
	heap.Push(&s.events, event{at: t, n: s.n, do: do})
}

// apply hands the line an event; what comes of it is heard.
func (s *player) apply(e route.Event) {
	for _, o := range s.line.Apply(e) {
		if s.plan.Watch != nil {
			s.plan.Watch(s.now, o)
		}
		s.heard(o)
	}
}

// soonest is what happens next: what a player does, an arrival, or time passing in line.
func (s *player) soonest() (at time.Time, do func() error) {
	if tick, ok := s.line.Next(); ok {
		at, do = tick, func() error { s.apply(route.Tick{At: s.now}); return nil }
	}
	if s.next != nil && (do == nil || s.next.At.Before(at)) {
		at, do = s.next.At, s.arrive
	}
	if len(s.events) > 0 && (do == nil || !at.Before(s.events[0].at)) {
		at, do = s.events[0].at, func() error { heap.Pop(&s.events).(event).do(); return nil }
	}
	return at, do
}

// arrive puts the next arrival into line.
func (s *player) arrive() error {
	a := s.next
	s.made++
	j := &job{Arrival: *a, id: tandem.TaskID(fmt.Sprintf("%08d", s.made)), counted: !a.At.Before(s.plan.From.Add(s.plan.WarmUp))}
	s.jobs[j.id] = j
	s.apply(route.Opened{At: s.now, Task: tandem.Task{
		ID: j.id, Interaction: tandem.InteractionID(j.id), Kind: a.Kind, Queue: a.Queue, Arrived: a.At, Level: a.Level, Skills: a.Skills, Priority: a.Priority,
	}})
	return s.draw()
}

// heard plays what people do about an output.
func (s *player) heard(o route.Output) {
	switch o := o.(type) {
	case route.Placed:
		s.spans.waiting(s.now, +1)
		if j := s.jobs[o.Task.ID]; j.Kind.Live() && j.Patience > 0 {
			s.at(s.now.Add(j.Patience), func() { s.leave(j) })
		}
	case route.Refused:
		s.done(o.Task.ID, func(j *job, c *Class) { c.Refused++ })
	case route.OfferMade:
		t := o.Task
		s.at(s.now.Add(s.plan.Answer), func() { s.apply(route.Accepted{At: s.now, Task: t.ID, Agent: t.Agent, Fence: t.Fence}) })
	case route.TaskAssigned:
		s.assigned(o.Task)
	case route.TaskReleased:
		s.spans.busy(s.now, o.Agent, -1)
	case route.WrapBegun:
		s.spans.busy(s.now, o.Agent, +1)
		wrap := time.Duration(0)
		if j := s.jobs[o.Task]; j != nil {
			wrap = j.Wrap
		}
		s.at(s.now.Add(wrap), func() { s.apply(route.Wrapped{At: s.now, Agent: o.Agent, Fence: o.Fence}) })
	case route.WrapOver:
		s.spans.busy(s.now, o.Agent, -1)
		s.forget(o.Task)
	case route.TaskOver:
		s.over(o.Task)
	}
}

// assigned plays the talk.
func (s *player) assigned(t tandem.Task) {
	j := s.jobs[t.ID]
	j.since = s.now
	s.spans.waiting(s.now, -1)
	s.spans.busy(s.now, t.Agent, +1)
	if j.counted {
		s.report.wait(j, s.now.Sub(j.At))
	}
	s.at(s.now.Add(j.Talk), func() {
		s.apply(route.Released{At: s.now, Task: t.ID, Agent: t.Agent, Fence: t.Fence, Why: "done", Outcome: tandem.OutcomeServed, NoWrap: j.Wrap == 0})
	})
}

// leave plays a customer whose patience is over.
func (s *player) leave(j *job) {
	if t, ok := s.line.Task(j.id); ok && (t.State == tandem.TaskWaiting || t.State == tandem.TaskOffered) {
		s.apply(route.Ended{At: s.now, Task: j.id, Outcome: tandem.OutcomeLeft})
	}
}

// over counts a task that nobody took.
func (s *player) over(t tandem.Task) {
	j := s.jobs[t.ID]
	if j == nil {
		return
	}
	if j.since.IsZero() {
		s.spans.waiting(s.now, -1)
		waited := s.now.Sub(j.At)
		s.done(t.ID, func(j *job, c *Class) { c.Left++; c.leftAfter(waited) })
		return
	}
	if j.Wrap == 0 {
		s.forget(t.ID)
	}
}

func (s *player) done(id tandem.TaskID, count func(j *job, c *Class)) {
	if j := s.jobs[id]; j.counted {
		count(j, s.report.class(j))
	}
	s.forget(id)
}

func (s *player) forget(id tandem.TaskID) { delete(s.jobs, id) }

// Random is the source of chance of a seed.
func Random(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0x7461_6e64_656d)) }
