package simulation

import (
	"encoding/json"
	"fmt"
	"time"

	"tandem"
	"tandem/bridge/queue"
	"tandem/bridge/route"
)

// promise is what a front end was answered: it must be so for ever.
type promise struct {
	what    string
	task    tandem.TaskID
	arrived time.Time
	agent   string // assigned to, by
	fence   uint64
}

// promise notes what was answered without an error, and holds it against the journal at
// once.
func (w *World) promise(e route.Event, a queue.Answer) {
	var p promise
	switch e := e.(type) {
	case route.Opened:
		p = promise{what: "opened", task: a.Task.ID, arrived: a.Task.Arrived}
		if !a.Task.Arrived.Equal(e.Task.Arrived) {
			w.wrong(fmt.Sprintf("task %s arrived at %s and is said to have at %s", a.Task.ID, e.Task.Arrived, a.Task.Arrived))
		}
	case route.Accepted:
		p = promise{what: "assigned", task: e.Task, agent: e.Agent, fence: e.Fence}
	case route.Ended:
		p = promise{what: "ended", task: e.Task}
	case route.Released:
		p = promise{what: "released", task: e.Task, agent: e.Agent, fence: e.Fence}
	case route.Reassigned:
		p = promise{what: "assigned", task: e.Task, agent: e.To, fence: a.Task.Fence}
		if a.Task.Agent != e.To || a.Task.Fence <= e.Fence {
			w.wrong(fmt.Sprintf("task %s was given to %s by number %d, and is answered as %s's by %d", e.Task, e.To, e.Fence, a.Task.Agent, a.Task.Fence))
		}
		from := promise{what: "released", task: e.Task, agent: e.Agent, fence: e.Fence}
		w.promises = append(w.promises, from)
		w.keeps(&from)
	default:
		return
	}
	w.promises = append(w.promises, p)
	w.keeps(&p)
}

// keeps looks whether a promise is kept by what is durable.
func (w *World) keeps(p *promise) {
	t, known := w.ledger.Task(p.task)
	if !known {
		w.wrong(fmt.Sprintf("task %s was answered as %s and is not in the journal", p.task, p.what))
		return
	}
	if p.what == "opened" && !t.Arrived.Equal(p.arrived) {
		w.wrong(fmt.Sprintf("task %s arrived at %s, and now at %s", p.task, p.arrived, t.Arrived))
	}
	if p.what == "ended" && t.State != tandem.TaskDone && t.State != tandem.TaskWrapping {
		w.wrong(fmt.Sprintf("task %s was answered as ended and is %s", p.task, t.State))
	}
	if p.fence == 0 {
		return
	}
	task, agent, state, known := w.ledger.Hold(p.fence)
	fits := state == tandem.TaskWrapping || state == tandem.TaskDone || state == tandem.TaskAssigned && p.what == "assigned"
	if !known || task != p.task || agent != p.agent || !fits {
		w.wrong(fmt.Sprintf("%s was answered that %s is %s by number %d; by the journal that is %s's of %s and %s", p.agent, p.task, p.what, p.fence, agent, task, state))
	}
}

// kept looks at all promises, after a start.
func (w *World) kept() {
	for i := range w.promises {
		w.keeps(&w.promises[i])
	}
}

// told takes in a fact: what is told must be durable already.
func (w *World) told(f queue.Fact) {
	var t tandem.Task
	switch o := f.Output.(type) {
	case route.Placed:
		t = o.Task
	case route.OfferMade:
		t = o.Task
		w.hold(t, t.Fence)
	case route.TaskAssigned:
		t = o.Task
		w.hold(t, t.Fence)
	case route.TaskReleased:
		t = o.Task
	case route.TaskOver:
		t = o.Task
	default:
		return
	}
	if _, known := w.ledger.Task(t.ID); !known {
		w.wrong(fmt.Sprintf("task %s was told of and is not in the journal", t.ID))
	}
}

func (w *World) hold(t tandem.Task, fence uint64) {
	if task, _, _, known := w.ledger.Hold(fence); !known || task != t.ID {
		w.wrong(fmt.Sprintf("offer %d of task %s was told of and is not in the journal", fence, t.ID))
	}
}

// due holds the due time of a task that is opened against the published rule.
func (w *World) due(e *tandem.Event) {
	if e.Kind != tandem.EventTaskOpened {
		return
	}
	var t tandem.Task
	if err := json.Unmarshal(e.Data, &t); err != nil {
		w.wrong(err.Error())
		return
	}
	p := w.policies[w.policy]
	target := route.DefaultTarget(t.Kind)
	if q := p.Queues[t.Queue]; q != nil {
		if d, ok := q.Target[t.Kind]; ok {
			target = d
		}
		if d, ok := q.TargetOf[t.Level][t.Kind]; ok {
			target = d
		}
	}
	want := t.Arrived.Add(target).Add(-min(t.Priority, p.MostPriority))
	if t.Kind == tandem.TaskTicket && !t.TicketDue.IsZero() {
		want = t.TicketDue.Add(-min(t.Priority, p.MostPriority))
	}
	if !t.Due.Equal(want) {
		w.wrong(fmt.Sprintf("task %s is due at %s, by the rule at %s", t.ID, t.Due, want))
	}
}
