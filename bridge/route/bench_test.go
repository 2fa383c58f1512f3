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
type world struct {
	waiting, agents, demands, supplies int
	all                                bool // everybody can take everything
}

func (w world) String() string {
	s := fmt.Sprintf("waiting=%d/agents=%d/demands=%d/supplies=%d", w.waiting, w.agents, w.demands, w.supplies)
	if w.all {
		s += "/all"
	}
	return s
}

// line makes a line in which nobody can take what waits: where anything does, everybody has
// a call and a chat, which is what they may have.
func (w world) line(r *rand.Rand) *Line {
	const queues = 20
	p := &Policy{Queues: map[string]*Queue{}, Agents: map[string]*Agent{}, MostPriority: time.Minute,
		Offer: map[tandem.Load]time.Duration{tandem.LoadVoice: time.Hour, tandem.LoadChat: time.Hour}}
	var teams []string
	for i := range queues {
		name := fmt.Sprintf("q%d", i)
		teams = append(teams, fmt.Sprintf("team%d", i))
		p.Queues[name] = &Queue{Name: name, Teams: []string{teams[i], fmt.Sprintf("team%d", (i+1)%queues)}}
	}
	s := Saved{At: noon}
	have := func(kind tandem.TaskKind, agent string) {
		n := len(s.Tasks) + 1
		s.Tasks = append(s.Tasks, tandem.Task{ID: tandem.TaskID(fmt.Sprintf("a%07d", n)), Kind: kind, Queue: fmt.Sprintf("q%d", r.IntN(queues)), State: tandem.TaskAssigned,
			Agent: agent, Fence: uint64(n), Arrived: noon.Add(-time.Duration(r.IntN(3600_000)) * time.Millisecond), Since: noon})
	}
	for i := range w.agents {
		class := i % w.supplies
		a := &Agent{Name: fmt.Sprintf("agent%05d", i), Teams: teams[class%queues : class%queues+1],
			Skills: map[string]int{fmt.Sprintf("skill%d", class/queues): 5, "lang:en": 1 + class%9}, Capacity: map[tandem.Load]int{tandem.LoadVoice: 1, tandem.LoadChat: 1}}
		if w.all {
			a.Teams = teams
			a.Skills = map[string]int{fmt.Sprintf("skill%d", class): 5, "lang:en": 9}
		}
		p.Agents[a.Name] = a
		s.Agents = append(s.Agents, AgentState{Name: a.Name, Presence: tandem.PresenceAvailable, Since: noon, Idle: noon.Add(time.Duration(r.IntN(1000)) * time.Millisecond),
			Reachable: map[tandem.Load]bool{tandem.LoadVoice: true, tandem.LoadChat: true}})
		if w.waiting > 0 {
			have(tandem.TaskCall, a.Name)
			have(tandem.TaskChat, a.Name)
		}
	}
	for i := range w.waiting {
		class := r.IntN(w.demands)
		t := tandem.Task{ID: tandem.TaskID(fmt.Sprintf("t%07d", i)), Kind: tandem.TaskCall, Queue: fmt.Sprintf("q%d", class/2%queues), State: tandem.TaskWaiting,
			Arrived: noon.Add(-time.Duration(r.IntN(3600_000)) * time.Millisecond)}
		if class%2 == 1 {
			t.Kind = tandem.TaskChat
		}
		if n := class / 2 / queues; n > 0 {
			t.Skills = []string{fmt.Sprintf("lang:en>=%d", 1+n%8)}
		}
		s.Tasks = append(s.Tasks, t)
	}
	for i := range s.Tasks {
		s.Tasks[i].Due = s.Tasks[i].Arrived.Add(DefaultTarget(s.Tasks[i].Kind))
	}
	l := New(p, s)
	if out := l.Apply(Tick{At: noon}); len(out) > 0 {
		panic("something can be offered")
	}
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
	{1_000, 5_000, 40, 40, false}, {3_000, 5_000, 40, 40, false}, {10_000, 5_000, 40, 40, false}, {30_000, 5_000, 40, 40, false},
	{100_000, 5_000, 40, 40, false}, {300_000, 5_000, 40, 40, false}, {100_000, 500, 40, 40, false}, {100_000, 50_000, 40, 40, false},
	{100_000, 5_000, 300, 300, false}, {100_000, 5_000, 300, 300, true}, {100_000, 5_000, 300, 5_000, false},
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
	for _, w := range []world{{agents: 500, demands: 40, supplies: 40}, {agents: 5_000, demands: 40, supplies: 40}, {agents: 50_000, demands: 40, supplies: 40},
		{agents: 5_000, demands: 300, supplies: 300}, {agents: 5_000, demands: 300, supplies: 300, all: true}, {agents: 5_000, demands: 300, supplies: 5_000}} {
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
