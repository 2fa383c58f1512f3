package board

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/queue"
	"tandem/bridge/queue/figures"
	"tandem/bridge/route"
)

type line struct {
	tasks  []tandem.Task
	agents []route.AgentState
	policy *route.Policy
}

func (l *line) Tasks(string, int) []tandem.Task { return l.tasks }
func (l *line) Agents() []route.AgentState      { return l.agents }
func (l *line) Policy() *route.Policy           { return l.policy }

func rule() *route.Policy {
	return &route.Policy{
		Queues: map[string]*route.Queue{"cards": {Name: "cards", Teams: []string{"a"}, Target: map[tandem.TaskKind]time.Duration{tandem.TaskChat: time.Minute}, TargetOf: map[string]map[tandem.TaskKind]time.Duration{"gold": {tandem.TaskChat: 10 * time.Second}}}, "loans": {Name: "loans", Teams: []string{"b"}}},
		Agents: map[string]*route.Agent{"anna": {Name: "anna", Teams: []string{"a", "b"}}, "bo": {Name: "bo", Teams: []string{"a"}}},
	}
}

func id(n int) tandem.TaskID { return tandem.TaskID(fmt.Sprintf("%026d", n)) }

// book is a day that is given.
type book struct {
	sums    map[figures.Key]figures.Counts
	since   time.Time
	version uint64
}

func (b *book) Today() (map[figures.Key]figures.Counts, time.Time, bool) {
	return b.sums, b.since, true
}
func (b *book) Version() uint64 { return b.version }

// TestPicture: what waits is counted as it is, today as the book has it, all queues together
// with each agent once; what changed is told, and nothing else.
func TestPicture(t *testing.T) {
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	now := at
	day := &book{sums: map[figures.Key]figures.Counts{
		{Queue: "cards"}: {Opened: 5, Answered: 2, Within: 1, Left: 1}, {Queue: "cards", Kind: tandem.TaskChat}: {Opened: 5, Answered: 2, Within: 1, Left: 1}, {}: {Opened: 6, Answered: 3, Within: 2, Left: 1},
	}, since: at.Truncate(24 * time.Hour)}
	b, l := New(func() time.Time { return now }, day), &line{policy: rule(), agents: []route.AgentState{{Name: "anna", Presence: tandem.PresenceAvailable}, {Name: "bo"}}}
	task := tandem.Task{ID: id(1), Queue: "cards", Kind: tandem.TaskChat, State: tandem.TaskWaiting, Arrived: at, Due: at.Add(time.Minute)}
	b.Took(queue.Fact{At: now, Output: route.Placed{Task: task}})
	p := b.Picture(l)
	cards := p.Queues[0]
	if cards.Total != 1 || cards.Waiting[tandem.TaskChat] != 1 || !cards.Oldest.Equal(at) || !cards.DueNext.Equal(at.Add(time.Minute)) || cards.Target[tandem.TaskCall] != 20 {
		t.Errorf("cards: %+v", cards)
	}
	if cards.Today.Level == nil || *cards.Today.Level != 1.0/3 || cards.Today.By[tandem.TaskChat].Answered != 2 || len(cards.Today.By) != 1 || p.Today.Opened != 6 || !p.Whole || !p.Since.Equal(day.since) {
		t.Errorf("today is %+v, of all %+v", cards.Today, p.Today)
	}
	if p.Agents != (Counts{Unreachable: 1, Offline: 1}) || p.Queues[1].Agents != (Counts{Unreachable: 1}) {
		t.Errorf("agents are %+v, of loans %+v", p.Agents, p.Queues[1].Agents)
	}
	if queues, _ := b.Changes(l); len(queues) != 2 {
		t.Errorf("at first %d queues are told", len(queues))
	}
	if queues, agents := b.Changes(l); len(queues)+len(agents) != 0 {
		t.Errorf("nothing changed, told are %s %v", queues, agents)
	}
	day.version++
	day.sums = map[figures.Key]figures.Counts{{Queue: "cards"}: {Opened: 6}}
	if queues, _ := b.Changes(l); len(queues) != 1 || !strings.Contains(string(queues[0]), `"opened":6`) {
		t.Errorf("of another day are told %s", queues)
	}
	task.State, task.Agent = tandem.TaskAssigned, "anna"
	b.Took(queue.Fact{At: now, Output: route.TaskAssigned{Task: task}})
	if queues, agents := b.Changes(l); len(queues) != 1 || !slices.Equal(agents, []string{"anna"}) || !strings.Contains(string(queues[0]), `"assigned":1`) {
		t.Errorf("of an assignment are told %s %v", queues, agents)
	}
	task.State, task.Outcome = tandem.TaskDone, tandem.OutcomeServed
	b.Took(queue.Fact{At: now, Output: route.TaskOver{Task: task}})
	now = now.Add(time.Second)
	if p := b.Picture(l); p.Queues[0].Assigned != 0 {
		t.Errorf("a task that is done is there: %+v", p.Queues[0])
	}
}

// TestAgentsCountOnce: each agent of a queue is in one column.
func TestAgentsCountOnce(t *testing.T) {
	on := map[tandem.Load]bool{tandem.LoadChat: true}
	for _, test := range []struct {
		a    route.AgentState
		want Counts
	}{
		{route.AgentState{Presence: tandem.PresenceAvailable, Reachable: on}, Counts{Free: 1}},
		{route.AgentState{Presence: tandem.PresenceAvailable, Reachable: on, Holds: make([]route.Holding, 1)}, Counts{Busy: 1}},
		{route.AgentState{Presence: tandem.PresenceAvailable, Holds: []route.Holding{{State: tandem.TaskWrapping}}}, Counts{Wrapping: 1}},
		{route.AgentState{Presence: tandem.PresenceAvailable, Holds: []route.Holding{{State: tandem.TaskWrapping}, {State: tandem.TaskOffered}}}, Counts{Busy: 1}},
		{route.AgentState{Presence: tandem.PresenceAvailable}, Counts{Unreachable: 1}},
		{route.AgentState{Presence: tandem.PresenceAway, Reachable: on}, Counts{Away: 1}},
		{route.AgentState{Presence: tandem.PresenceOffline, Reachable: on}, Counts{Offline: 1}},
		{route.AgentState{}, Counts{Offline: 1}},
	} {
		test.a.Name = "anna"
		l := &line{policy: rule(), agents: []route.AgentState{test.a, {Name: "stranger"}}}
		counted, _ := New(time.Now, nil).Figures(l)
		if counted[0].Agents != test.want || counted[1].Agents != test.want {
			t.Errorf("%+v counts as %+v and %+v", test.a, counted[0].Agents, counted[1].Agents)
		}
	}
}

// TestPagesAreTheLine: pages of any size, one after the other, are the line in its order.
func TestPagesAreTheLine(t *testing.T) {
	l := &line{policy: rule()}
	at := time.Unix(1000, 0)
	for n := range 500 {
		l.tasks = append(l.tasks, tandem.Task{ID: id(n), Queue: []string{"cards", "loans"}[n%2], Kind: tandem.TaskChat, State: tandem.TaskWaiting, Arrived: at.Add(time.Duration(n%7) * time.Second), Due: at.Add(time.Duration(n*37%11) * time.Second)})
	}
	b := New(time.Now, nil)
	b.Read(l)
	want := slices.Clone(l.tasks)
	slices.SortFunc(want, func(x, y tandem.Task) int {
		if c := x.Due.Compare(y.Due); c != 0 {
			return c
		}
		if c := x.Arrived.Compare(y.Arrived); c != 0 {
			return c
		}
		return slices.Compare([]byte(x.ID), []byte(y.ID))
	})
	for _, size := range []int{1, 7, 200, 500, 501} {
		var got []tandem.TaskID
		for after := ""; ; {
			spot, err := ParseSpot(after)
			if err != nil {
				t.Fatal(err)
			}
			ids, next, total := b.Page(Filter{}, spot, size)
			if total != 500 || len(ids) > size {
				t.Fatalf("%d of %d", len(ids), total)
			}
			got = append(got, ids...)
			if after = next; after == "" {
				break
			}
		}
		for i := range want {
			if len(got) != len(want) || got[i] != want[i].ID {
				t.Fatalf("pages of %d: %d tasks, the %dth differs", size, len(got), i)
			}
		}
	}
	if _, _, total := b.Page(Filter{Queue: "loans"}, nil, 5); total != 250 {
		t.Errorf("loans has %d", total)
	}
}

// FuzzParseSpot: where a page goes on is read as it was written, or refused.
func FuzzParseSpot(f *testing.F) {
	f.Add("1_2_" + string(id(3)))
	f.Add("__")
	f.Fuzz(func(t *testing.T, s string) {
		if spot, err := ParseSpot(s); err == nil && spot != nil {
			again, err := ParseSpot(spot.String())
			if err != nil || *again != *spot {
				t.Errorf("%q is %v, then %v %v", s, spot, again, err)
			}
		}
	})
}

// BenchmarkFigures counts over a long line, as is done at most twice a second.
func BenchmarkFigures(b *testing.B) {
	l := &line{policy: rule()}
	for n := range 100_000 {
		l.tasks = append(l.tasks, tandem.Task{ID: id(n), Queue: "cards", Kind: tandem.TaskChat, State: tandem.TaskWaiting, Arrived: time.Unix(int64(n), 0), Due: time.Unix(int64(n), 0)})
	}
	for n := range 5000 {
		l.agents = append(l.agents, route.AgentState{Name: []string{"anna", "bo"}[n%2]})
	}
	now := time.Unix(0, 0)
	board := New(func() time.Time { now = now.Add(time.Second); return now }, nil)
	board.Read(l)
	b.Run("figures", func(b *testing.B) {
		for b.Loop() {
			board.Figures(l)
		}
	})
	b.Run("page", func(b *testing.B) {
		for b.Loop() {
			board.Page(Filter{}, nil, 50)
		}
	})
}
