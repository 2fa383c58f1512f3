package sqlite

import (
	"context"
	"database/sql/driver"
	"encoding/json"

	"tandem"
)

// told is what the journal says a task is.
type told struct {
	kind  tandem.TaskKind
	queue string
	state tandem.TaskState
	agent string // offered and assigned: who has it
	due   int64  // 0 = it is not said
	out   string // done: how
}

// task takes in what an event says of a task.
func (v *verifier) task(e *tandem.Event, data []byte) {
	switch e.Kind {
	case tandem.EventTaskOpened:
		if t, ok := read[tandem.Task](data); ok {
			v.tasks[t.ID] = &told{kind: t.Kind, queue: t.Queue, state: tandem.TaskWaiting, due: nanos(t.Due)}
		}
	case tandem.EventTaskChanged:
		if p, ok := read[tandem.TaskChanged](data); ok {
			v.tell(p.Task, func(t *told) { t.kind, t.queue, t.due = p.Kind, p.Queue, nanos(p.Due) })
		}
	case tandem.EventTaskOffered:
		if p, ok := read[tandem.Offered](data); ok {
			v.tell(p.Task, func(t *told) { t.state, t.agent = tandem.TaskOffered, p.Agent })
		}
	case tandem.EventTaskReturned:
		if p, ok := read[tandem.Returned](data); ok {
			v.tell(p.Task, func(t *told) { t.state, t.agent = tandem.TaskWaiting, "" })
		}
	case tandem.EventTaskAssigned:
		if p, ok := read[tandem.Assigned](data); ok {
			v.tell(p.Task, func(t *told) { t.state, t.agent = tandem.TaskAssigned, p.Agent })
		}
	case tandem.EventTaskReleased:
		if p, ok := read[tandem.Released](data); ok {
			v.tell(p.Task, func(t *told) {
				if t.state = tandem.TaskWrapping; p.Again { // if there are no notes to write, it is done next
					t.state = tandem.TaskWaiting
				}
			})
		}
	case tandem.EventTaskDone:
		if p, ok := read[tandem.TaskOver](data); ok {
			v.tell(p.Task, func(t *told) { t.state, t.out = tandem.TaskDone, p.Outcome })
		}
	}
}

func read[T any](data []byte) (p T, ok bool) { return p, json.Unmarshal(data, &p) == nil }

// tell changes what is known of a task. One whose opening is missing is found by its row.
func (v *verifier) tell(id tandem.TaskID, do func(*told)) {
	if t := v.tasks[id]; t != nil {
		do(t)
	}
}

// rows holds the rows of tasks against what the journal says of them, and the state of
// each interaction against its tasks. Of an erased customer the journal says nothing more.
func (v *verifier) rows(ctx context.Context, tx querier) error {
	err := v.db.each(ctx, tx, `SELECT t.id, t.kind, t.queue, t.state, t.agent, t.due, t.outcome, i.id, c.erased
		FROM task t JOIN interaction i ON i.no = t.interaction JOIN customer c ON c.no = i.customer`, func(row []driver.Value) error {
		id := tandem.TaskID(asText(row[0]))
		want := v.tasks[id]
		delete(v.tasks, id)
		if asInt(row[8]) != 0 {
			return nil
		}
		in := asText(row[7])
		if want == nil {
			v.find("Interaction %s has task %s, which no event opened: it was put there behind the journal's back.", in, id)
			return nil
		}
		for _, c := range want.compare(row) {
			v.find("Task %s of interaction %s was altered: its %s is %q, the journal says %s.", id, in, c.what, c.is, c.want)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for id := range v.tasks {
		v.find("Task %s was deleted, but its events are there.", id)
	}
	return v.db.each(ctx, tx, "SELECT id, state, "+stateOf+" AS now FROM interaction i WHERE state <> now", func(row []driver.Value) error {
		v.find("Interaction %s was altered: its state is %q, by its tasks and its end it is %q.", asText(row[0]), asText(row[1]), asText(row[2]))
		return nil
	})
}

// differs is one column that is not as the journal says.
type differs struct{ what, is, want string }

// compare holds a row against what is told of the task.
func (t *told) compare(row []driver.Value) (out []differs) {
	differ := func(what, is, want string) {
		if is != want {
			out = append(out, differs{what, is, `"` + want + `"`})
		}
	}
	state := tandem.TaskState(asText(row[3]))
	differ("kind", asText(row[1]), string(t.kind))
	differ("queue", asText(row[2]), t.queue)
	differ("state", string(state), string(t.state))
	switch state {
	case tandem.TaskOffered, tandem.TaskAssigned:
		differ("agent", asText(row[4]), t.agent)
	case tandem.TaskWaiting:
		differ("agent", asText(row[4]), "")
	case tandem.TaskDone:
		differ("outcome", asText(row[6]), t.out)
	}
	if due := asInt(row[5]); t.due != 0 && due != t.due {
		differ("due time", fromNanos(due).Format(timeForm), fromNanos(t.due).Format(timeForm))
	}
	return out
}

// timeForm is how a finding says a time.
const timeForm = "2006-01-02 15:04:05.000"
