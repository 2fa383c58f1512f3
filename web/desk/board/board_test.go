package board

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/queue"
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

// TestServiceLevel: a task counts once, as it is first taken up, within its target or not;
// who left before that counts against it; at midnight it begins anew.
func TestServiceLevel(t *testing.T) {
	at := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	now := at
	b, l := New(func() time.Time { return now }), &line{policy: rule()}
	tell := func(o route.Output) { b.Took(queue.Fact{At: now, Output: o}, l.policy) }
	task := func(n int, level string) tandem.Task {
		return tandem.Task{ID: id(n), Queue: "cards", Kind: tandem.TaskChat, State: tandem.TaskWaiting, Arrived: at, Due: at.Add(time.Minute), Level: level}
	}
	state := func(t tandem.Task, s tandem.TaskState) tandem.Task { t.State = s; return t }
	for n, level := range []string{"", "gold", "", ""} {
		tell(route.Placed{Task: task(n, level)})
	}
	now = at.Add(30 * time.Second)
	tell(route.TaskAssigned{Task: state(task(0, ""), tandem.TaskAssigned)})     // within a minute
	tell(route.TaskAssigned{Task: state(task(1, "gold"), tandem.TaskAssigned)}) // not within ten seconds
	tell(route.TaskReleased{Task: task(0, ""), Agent: "anna"})                  // back in line
	tell(route.TaskAssigned{Task: state(task(0, ""), tandem.TaskAssigned)})     // counts no more
	left := task(2, "")
	left.State, left.Outcome = tandem.TaskDone, tandem.OutcomeLeft
	tell(route.TaskOver{Task: left})
	gone := task(0, "")
	gone.State, gone.Outcome = tandem.TaskDone, tandem.OutcomeLeft
	tell(route.TaskOver{Task: gone}) // had been taken up
	figures, since := b.Figures(l)
	cards := figures[0]
	if cards.Name != "cards" || cards.Today.Answered != 2 || cards.Today.Within != 1 || cards.Today.Left != 1 || cards.Today.Level == nil || *cards.Today.Level != 1.0/3 {
		t.Errorf("cards: %+v", cards.Today)
	}
	if cards.Total != 1 || cards.Assigned != 1 || !cards.Oldest.Equal(at) || !cards.DueNext.Equal(at.Add(time.Minute)) || cards.Target[tandem.TaskCall] != 20 || !since.Equal(at) {
		t.Errorf("cards: %+v since %v", cards, since)
	}
	now = time.Date(2026, 11, 23, 0, 0, 1, 0, time.UTC)
	figures, since = b.Figures(l)
	if figures[0].Today != (Today{}) || !since.Equal(now.Truncate(24*time.Hour)) {
		t.Errorf("after midnight: %+v since %v", figures[0].Today, since)
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
		{route.AgentState{Presence: tandem.PresenceAvailable}, Counts{Unreachable: 1}},
		{route.AgentState{Presence: tandem.PresenceAway, Reachable: on}, Counts{Away: 1}},
		{route.AgentState{Presence: tandem.PresenceOffline, Reachable: on}, Counts{Offline: 1}},
		{route.AgentState{}, Counts{Offline: 1}},
	} {
		test.a.Name = "anna"
		l := &line{policy: rule(), agents: []route.AgentState{test.a, {Name: "stranger"}}}
		figures, _ := New(time.Now).Figures(l)
		if figures[0].Agents != test.want || figures[1].Agents != test.want {
			t.Errorf("%+v counts as %+v and %+v", test.a, figures[0].Agents, figures[1].Agents)
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
	b := New(time.Now)
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
	board := New(func() time.Time { now = now.Add(time.Second); return now })
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
