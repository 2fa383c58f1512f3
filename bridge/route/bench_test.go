package route

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"tandem"
)

// world is a large line: how many wait, serve, and how many classes there are of each.
type world struct{ waiting, agents, demands, supplies int }

func (w world) String() string {
	return fmt.Sprintf("waiting=%d/agents=%d/demands=%d/supplies=%d", w.waiting, w.agents, w.demands, w.supplies)
}

// line makes a line in which nobody can take what still waits: everybody has a call and a
// chat, as far as there are any that they can take.
func (w world) line(r *rand.Rand) *Line {
	const queues = 20
	p := &Policy{Queues: map[string]*Queue{}, Agents: map[string]*Agent{}, MostPriority: time.Minute,
		Offer: map[tandem.Load]time.Duration{tandem.LoadVoice: time.Hour, tandem.LoadChat: time.Hour}}
	for i := range queues {
		name := fmt.Sprintf("q%d", i)
		p.Queues[name] = &Queue{Name: name, Teams: []string{fmt.Sprintf("team%d", i), fmt.Sprintf("team%d", (i+1)%queues)}}
	}
	s := Saved{At: noon}
	for i := range w.agents {
		class := i % w.supplies
		a := &Agent{Name: fmt.Sprintf("agent%05d", i), Teams: []string{fmt.Sprintf("team%d", class%queues)},
			Skills: map[string]int{fmt.Sprintf("skill%d", class/queues): 5, "lang:en": 1 + class%9}, Capacity: map[tandem.Load]int{tandem.LoadVoice: 1, tandem.LoadChat: 1}}
		p.Agents[a.Name] = a
		s.Agents = append(s.Agents, AgentState{Name: a.Name, Presence: tandem.PresenceAvailable, Since: noon, Idle: noon.Add(time.Duration(r.IntN(1000)) * time.Millisecond),
			Reachable: map[tandem.Load]bool{tandem.LoadVoice: true, tandem.LoadChat: true}})
	}
	n := w.waiting
	if n > 0 {
		n += 2 * w.agents
	}
	for i := range n {
		class := r.IntN(w.demands)
		t := tandem.Task{ID: tandem.TaskID(fmt.Sprintf("t%07d", i)), Kind: tandem.TaskCall, Queue: fmt.Sprintf("q%d", class/2%queues), State: tandem.TaskWaiting,
			Arrived: noon.Add(-time.Duration(r.IntN(3600_000)) * time.Millisecond)}
		if class%2 == 1 {
			t.Kind = tandem.TaskChat
		}
		if n := class / 2 / queues; n > 0 {
			t.Skills = []string{fmt.Sprintf("lang:en>=%d", 1+n%8)}
		}
		t.Due = t.Arrived.Add(DefaultTarget(t.Kind))
		s.Tasks = append(s.Tasks, t)
	}
	l := New(p, s)
	accept(l, l.Apply(Tick{At: noon}))
	return l
}

// accept has every offer taken.
func accept(l *Line, out []Output) {
	for _, o := range out {
		if o, ok := o.(OfferMade); ok {
			l.Apply(Accepted{At: l.now, Task: o.Task.ID, Agent: o.Task.Agent, Fence: o.Task.Fence})
		}
	}
}

var worlds = []world{
	{1_000, 5_000, 40, 40}, {3_000, 5_000, 40, 40}, {10_000, 5_000, 40, 40}, {30_000, 5_000, 40, 40}, {100_000, 5_000, 40, 40}, {300_000, 5_000, 40, 40},
	{100_000, 500, 40, 40}, {100_000, 20_000, 40, 40}, {100_000, 5_000, 300, 300}, {100_000, 5_000, 300, 5_000},
}

// BenchmarkDecision tells how long a decision takes in lines of different sizes: decide is
// the decision alone (which task, and to whom), for an agent who becomes free; apply is all
// of the event by which they do, with the offer and its record. Medians, in ns.
func BenchmarkDecision(b *testing.B) {
	for _, w := range worlds {
		var l *Line
		b.Run(w.String(), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 1))
			if l == nil { // b.Run calls this again with another b.N
				l = w.line(r)
			}
			now := l.now
			var decide, apply []time.Duration
			for b.Loop() {
				a := l.names[r.IntN(len(l.names))]
				for len(a.holds) == 0 {
					a = l.names[r.IntN(len(l.names))]
				}
				h := a.holds[r.IntN(len(a.holds))]
				now = now.Add(time.Millisecond)

				began := time.Now()
				out := l.Apply(Released{At: now, Task: h.Task, Agent: a.name, Fence: h.Fence, Again: true})
				apply = append(apply, time.Since(began))

				accept(l, out)

				// The decision alone: the agent is looked at again as one who became free.
				h = a.holds[len(a.holds)-1]
				l.release(l.tasks[h.Task], Released{Again: true})
				l.settleStirs()
				l.stirAgent(a)
				began = time.Now()
				t, to := l.decide()
				decide = append(decide, time.Since(began))
				if t == nil || to == nil {
					b.Fatal("nothing was decided")
				}
				l.out = nil
				l.stirTask(l.tasks[h.Task])
				l.match()
				accept(l, l.out)
			}
			b.ReportMetric(median(decide), "decide-ns")
			b.ReportMetric(median(apply), "apply-ns")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkArrival is the other decision: a task comes, and the best of many free agents
// takes it.
func BenchmarkArrival(b *testing.B) {
	for _, w := range []world{{0, 500, 40, 40}, {0, 5_000, 40, 40}, {0, 20_000, 40, 40}, {0, 5_000, 300, 300}, {0, 5_000, 300, 5_000}} {
		b.Run(w.String(), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 1))
			l := w.line(r)
			now := l.now
			var decide, apply []time.Duration
			for n := 0; b.Loop(); n++ {
				now = now.Add(time.Millisecond)
				s := tandem.Task{ID: tandem.TaskID(fmt.Sprintf("x%07d", n)), Kind: tandem.TaskCall, Queue: fmt.Sprintf("q%d", r.IntN(20))}
				began := time.Now()
				out := l.Apply(Opened{At: now, Task: s})
				apply = append(apply, time.Since(began))
				made := out[len(out)-1].(OfferMade).Task

				t := l.tasks[s.ID]
				l.back(t, "restart")
				l.settleStirs()
				l.stirTask(t)
				began = time.Now()
				_, to := l.decide()
				decide = append(decide, time.Since(began))
				if to.name != made.Agent {
					b.Fatalf("decided %s, was %s", to.name, made.Agent)
				}
				l.match()
				l.Apply(Ended{At: now, Task: s.ID, Outcome: tandem.OutcomeLeft})
			}
			b.ReportMetric(median(decide), "decide-ns")
			b.ReportMetric(median(apply), "apply-ns")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func median(d []time.Duration) float64 {
	slices.Sort(d)
	return float64(d[len(d)/2])
}
