package phone

import (
	"testing"
	"time"

	"tandem"
	"tandem/bridge/queue/audit"
	"tandem/bridge/route"
)

// An attended transfer on the line itself: the task goes to the second agent in one commit,
// who has the customer without a break; the first wraps nothing up and is free. The second is
// offered nothing while they are asked in. Seconds of all parties sum right, and the audit
// finds nothing.
func TestTheLineGivesATaskAway(t *testing.T) {
	t.Parallel()
	seats := map[string]*browser{}
	l := newRealLine(t, func(_ *house, o *Options) {
		o.Seat = func(agent string) (Seat, bool) { b := seats[agent]; return b, b != nil }
	})
	for name, hz := range map[string]int{"anna": agentHz, "ben": benHz} {
		d := &desk{house: l.house, seats: map[string]*browser{}, news: make(chan struct{})}
		seats[name] = d.sit(name, hz)
	}
	c := l.waits()
	id := l.open(tandem.TaskCall)
	var task tandem.Task
	l.until("offered", func() bool { task, _ = l.router.Task(id); return task.State == tandem.TaskOffered })
	first, second := task.Agent, map[string]string{"anna": "ben", "ben": "anna"}[task.Agent]
	began := time.Now()
	task, err := l.router.Accept(t.Context(), id, first, task.Fence)
	if err != nil {
		t.Fatal(err)
	}
	hz := map[string]int{"anna": agentHz, "ben": benHz}
	c.hears(t, hz[first])
	do := func(who string, c Command) {
		t.Helper()
		c.Task = id
		if err := l.Do(t.Context(), who, c); err != nil {
			t.Fatal(err)
		}
	}
	do(first, Command{Do: Consult, To: Target{Agent: second}})
	l.until("busy", func() bool { a, _ := l.router.Agent(second); return a.Consulted })
	other := l.open(tandem.TaskCallback) // nobody is free for it: the one speaks, the other is asked in
	if err := l.Answer(t.Context(), second, l.Invites(second)[0].ID, true); err != nil {
		t.Fatal(err)
	}
	c.hears(t, musicHz)
	if waits, _ := l.router.Task(other); waits.State != tandem.TaskWaiting {
		t.Errorf("an agent who is asked in was offered %+v", waits)
	}
	do(first, Command{Do: Complete})
	c.hears(t, hz[second])
	now, _ := l.router.Task(id)
	if now.State != tandem.TaskAssigned || now.Agent != second || now.Fence <= task.Fence {
		t.Errorf("the task is %+v", now)
	}
	if _, err := l.router.Release(t.Context(), route.Released{Task: id, Agent: first, Fence: task.Fence, Why: "done"}, nil); tandem.CodeOf(err) != tandem.CodeConflict {
		t.Errorf("the first agent could still release it: %v", err)
	}
	if _, err := l.router.Reassign(t.Context(), id, first, task.Fence, second); tandem.CodeOf(err) != tandem.CodeConflict {
		t.Errorf("the first agent could give it away again: %v", err)
	}
	if err := l.router.End(t.Context(), other, tandem.OutcomeClosed, nil); err != nil {
		t.Fatal(err)
	}
	c.leaves(tandem.Terminate(tandem.ByRemote, tandem.ReasonHangup))
	l.idle()
	lasted := time.Since(began).Seconds()
	events := l.journal()
	seconds := sums(t, events)
	if s := seconds["caller"]; s <= 0 || s > lasted {
		t.Errorf("the customer was in the room for %.2f s of %.2f", s, lasted)
	}
	ledger := audit.NewLedger(l.router.Policy(), func(finding string) { t.Error(finding) })
	kinds := map[tandem.EventKind]int{}
	for i := range events {
		ledger.Enter(&events[i])
		kinds[events[i].Kind]++
	}
	if kinds[tandem.EventTaskAssigned] != 2 || kinds[tandem.EventTaskReleased] != 2 || kinds[tandem.EventJoined] != 3 || kinds[tandem.EventParted] != 3 {
		t.Errorf("the journal has %v", kinds)
	}
}
