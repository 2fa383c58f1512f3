package route

import (
	"testing"
	"time"

	"tandem"
)

// shift is a line with some agents at work, and a clock.
type shift struct {
	t   testing.TB
	l   *Line
	now time.Time
}

// working is a policy of one queue, cards, with agents of all-round skill.
func working(agents ...string) *Policy {
	p := &Policy{Queues: map[string]*Queue{"cards": {Name: "cards", Teams: []string{"cards"}, CallbackTries: 2, CallbackGap: 15 * time.Minute}},
		Agents: map[string]*Agent{}, MostPriority: 10 * time.Minute, DeclineRest: time.Minute, Misses: 3,
		Offer:  map[tandem.Load]time.Duration{tandem.LoadVoice: 20 * time.Second, tandem.LoadChat: 30 * time.Second},
		WrapUp: map[tandem.Load]time.Duration{tandem.LoadVoice: time.Minute}}
	for _, name := range agents {
		p.Agents[name] = &Agent{Name: name, Teams: []string{"cards"}, Capacity: map[tandem.Load]int{tandem.LoadVoice: 1, tandem.LoadChat: 3, tandem.LoadWork: 1}}
	}
	return p
}

func begin(t testing.TB, p *Policy) *shift {
	s := &shift{t: t, l: New(p, Saved{At: noon}), now: noon}
	for _, a := range s.l.Agents() {
		s.do(Present{At: noon, Agent: a.Name, Presence: tandem.PresenceAvailable})
		for _, load := range loads {
			s.do(Reachable{At: noon, Agent: a.Name, Load: load, On: true})
		}
	}
	return s
}

func (s *shift) do(e Event) []Output {
	s.t.Helper()
	out := s.l.Apply(e)
	if found := s.l.Check(); len(found) > 0 {
		s.t.Fatalf("after %s: %q", show(e), found)
	}
	return out
}

// later lets time pass, tick by tick.
func (s *shift) later(d time.Duration) (out []Output) {
	s.t.Helper()
	end := s.now.Add(d)
	for {
		at, ok := s.l.Next()
		if !ok || at.After(end) {
			break
		}
		s.now = at
		out = append(out, s.do(Tick{At: at})...)
	}
	s.now = end
	return append(out, s.do(Tick{At: end})...)
}

func (s *shift) open(id string, kind tandem.TaskKind, more ...func(*tandem.Task)) []Output {
	s.t.Helper()
	t := tandem.Task{ID: tandem.TaskID(id), Interaction: tandem.InteractionID("of " + id), Kind: kind, Queue: "cards"}
	for _, m := range more {
		m(&t)
	}
	return s.do(Opened{At: s.now, Task: t})
}

func (s *shift) task(id string) tandem.Task {
	t, _ := s.l.Task(tandem.TaskID(id))
	return t
}

// offered is who has an offer of a task; "" = nobody.
func (s *shift) offered(id string) string {
	if t := s.task(id); t.State == tandem.TaskOffered {
		return t.Agent
	}
	return ""
}

func (s *shift) accept(id string) tandem.Task {
	s.t.Helper()
	t := s.task(id)
	s.do(Accepted{At: s.now, Task: t.ID, Agent: t.Agent, Fence: t.Fence})
	if t = s.task(id); t.State != tandem.TaskAssigned {
		s.t.Fatalf("%s is %s", id, t.State)
	}
	return t
}

func (s *shift) release(id string, how ...func(*Released)) []Output {
	s.t.Helper()
	t := s.task(id)
	e := Released{At: s.now, Task: t.ID, Agent: t.Agent, Fence: t.Fence}
	for _, h := range how {
		h(&e)
	}
	return s.do(e)
}

func nowrap(e *Released) { e.NoWrap = true }
func back(e *Released)   { e.Again = true }

func count[T Output](out []Output) (n int) {
	for _, o := range out {
		if _, ok := o.(T); ok {
			n++
		}
	}
	return n
}
