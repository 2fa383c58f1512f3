package live

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/queue"
	"tandem/bridge/route"
	"tandem/web/desk/board"
	"tandem/web/desk/view"
)

// thousand is a line of a thousand agents in twenty queues, with two thousand tasks.
type thousand struct {
	policy *route.Policy
	agents []route.AgentState
	tasks  []tandem.Task
}

func (l *thousand) Tasks(string, int) []tandem.Task { return l.tasks }
func (l *thousand) Agents() []route.AgentState      { return l.agents }
func (l *thousand) Policy() *route.Policy           { return l.policy }

func newThousand() *thousand {
	l := &thousand{policy: &route.Policy{Queues: map[string]*route.Queue{}, Agents: map[string]*route.Agent{}}}
	for i := range 20 {
		name := fmt.Sprintf("queue-%02d", i)
		l.policy.Queues[name] = &route.Queue{Name: name, Teams: []string{fmt.Sprintf("team-%02d", i)}}
	}
	on := map[tandem.Load]bool{tandem.LoadVoice: true, tandem.LoadChat: true}
	for i := range 1000 {
		name := fmt.Sprintf("agent-%04d", i)
		l.policy.Agents[name] = &route.Agent{Name: name, Teams: []string{fmt.Sprintf("team-%02d", i%20), fmt.Sprintf("team-%02d", i*7%20)}, Skills: map[string]int{"lang:en": 3, "cards": 2}}
		l.agents = append(l.agents, route.AgentState{Name: name, Presence: tandem.PresenceAvailable, Reachable: on, Since: time.Unix(1000, 0),
			Holds: []route.Holding{{Task: tandem.TaskID(fmt.Sprintf("%026d", i)), Kind: tandem.TaskCall, State: tandem.TaskAssigned, Since: time.Unix(1000, 0)}}})
	}
	for i := range 2000 {
		l.tasks = append(l.tasks, tandem.Task{ID: tandem.TaskID(fmt.Sprintf("%026d", i)), Queue: fmt.Sprintf("queue-%02d", i%20), Kind: tandem.TaskChat, State: tandem.TaskWaiting, Arrived: time.Unix(int64(i), 0), Due: time.Unix(int64(i), 0)})
	}
	return l
}

// BenchmarkBoardThousand is one telling of the board, as happens at most twice a second: with a
// hundred of a thousand agents changed, whatever the number of those who look; and whole, for
// one who comes.
func BenchmarkBoardThousand(b *testing.B) {
	l := newThousand()
	now := time.Unix(1_000_000, 0)
	seen := board.New(func() time.Time { return now }, nil)
	seen.Read(l)
	agent := func(a *route.AgentState) json.RawMessage {
		return raw(view.AgentOf(*a, l.policy.Agents[a.Name], true, func(string) (bool, string) { return true, "ok" }))
	}
	b.Run("changes", func(b *testing.B) {
		n := 0
		for b.Loop() {
			now = now.Add(time.Second)
			for range 100 {
				n++
				t := l.tasks[n%len(l.tasks)]
				t.Agent = l.agents[n%1000].Name
				seen.Took(queue.Fact{At: now, Output: route.TaskAssigned{Task: t}})
			}
			queues, names := seen.Changes(l)
			var agents []json.RawMessage
			for i := range names {
				agents = append(agents, agent(&l.agents[i]))
			}
			if frames := boardFrames(now, queues, agents, boardFrame{}); len(frames) == 0 {
				b.Fatal("nothing is told")
			}
		}
	})
	b.Run("whole", func(b *testing.B) {
		bytes := 0
		for b.Loop() {
			figures, _ := seen.Figures(l)
			var all, agents []json.RawMessage
			for i := range figures {
				all = append(all, raw(&figures[i]))
			}
			for i := range l.agents {
				agents = append(agents, agent(&l.agents[i]))
			}
			bytes = 0
			for _, f := range boardFrames(now, all, agents, boardFrame{Fresh: true}) {
				bytes += len(f)
			}
		}
		b.ReportMetric(float64(bytes), "bytes")
	})
}
