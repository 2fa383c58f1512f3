package store

import (
	"encoding/json"
	"fmt"

	"tandem"
)

// TaskColumns are what TaskOf reads, of a task t and its interaction i:
// SELECT TaskColumns FROM task t JOIN interaction i ON i.no = t.interaction.
const TaskColumns = `t.id, i.id, t.kind, t.queue, t.state, t.arrived, t.due, t.level, t.lang, t.skills, t.priority, t.not_before, t.expires, t.prefer,
	t.agent, t.fence, t.since, t.deadline, t.tries, t.outcome, t.blob, t.ticket, t.ticket_due, t.key, t.note, t.prefer_till, t.came_as`

// TaskOf reads a row of TaskColumns.
func TaskOf(r Row) (tandem.Task, error) {
	t := tandem.Task{ID: tandem.TaskID(r.Text(0)), Interaction: tandem.InteractionID(r.Text(1)), Kind: tandem.TaskKind(r.Text(2)), Queue: r.Text(3),
		State: tandem.TaskState(r.Text(4)), Arrived: r.Time(5), Due: r.Time(6), Level: r.Text(7), Lang: r.Text(8),
		Priority: r.Duration(10), NotBefore: r.Time(11), Expires: r.Time(12), Prefer: r.Text(13), Agent: r.Text(14), Fence: uint64(r.Int(15)),
		Since: r.Time(16), Deadline: r.Time(17), Tries: int(r.Int(18)), Outcome: r.Text(19), Blob: tandem.BlobID(r.Text(20)),
		Ticket: tandem.Number(r.Text(21)), TicketDue: r.Time(22), Key: r.Text(23), Note: r.Text(24), PreferTill: r.Time(25), As: tandem.TaskKind(r.Text(26))}
	if skills := r.Bytes(9); len(skills) > 0 {
		if err := json.Unmarshal(skills, &t.Skills); err != nil {
			return t, fmt.Errorf("skills of task %s: %w", t.ID, ErrDamaged)
		}
	}
	return t, nil
}

// LiveTasks reads all tasks that are not done, in the order they were opened.
func LiveTasks(tx Tx) ([]tandem.Task, error) {
	var out []tandem.Task
	err := tx.Each("SELECT "+TaskColumns+" FROM task t JOIN interaction i ON i.no = t.interaction WHERE t.state <> 'done' ORDER BY t.no", func(r Row) error {
		t, err := TaskOf(r)
		out = append(out, t)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the tasks in line: %w", err)
	}
	return out, nil
}
