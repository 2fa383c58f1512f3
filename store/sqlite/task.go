package sqlite

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/mattn/go-sqlite3"

	"tandem"
	"tandem/store"
)

// running is what an interaction without tasks is stored as. Whoever writes one says
// whether its session or call has ended, by Ended or by the state Closed; what else State
// says is not looked at.
func running(i *tandem.Interaction, now time.Time) (state tandem.State, ended time.Time) {
	switch {
	case !i.Ended.IsZero():
		return tandem.Closed, i.Ended
	case i.State == tandem.Closed:
		return tandem.Closed, now
	}
	return tandem.Open, time.Time{}
}

// foremost is the no of the task of interaction i that says what state it is in: the live
// one that has come furthest, and of those the oldest.
const foremost = `(SELECT no FROM task WHERE interaction = i.no AND state <> 'done'
	ORDER BY CASE state WHEN 'assigned' THEN 0 WHEN 'wrapping' THEN 1 WHEN 'offered' THEN 2 ELSE 3 END, no LIMIT 1)`

// stateOf is the state of interaction i.
const stateOf = `coalesce((SELECT CASE state WHEN 'waiting' THEN 'queued' ELSE state END FROM task WHERE no = ` + foremost + `),
	CASE ended WHEN 0 THEN 'open' ELSE 'closed' END)`

// restate works an interaction's state out of its tasks and of whether it has ended.
func (w *writer) restate(in *entry) error {
	_, err := w.c.exec("UPDATE interaction AS i SET state = "+stateOf+" WHERE no = ?", in.no)
	return err
}

// saveTask makes or updates a task.
func (w *writer) saveTask(in *entry, t *tandem.Task) error {
	skills := ""
	if len(t.Skills) > 0 {
		list, err := json.Marshal(t.Skills)
		if err != nil {
			return fmt.Errorf("skills of task %s: %w", t.ID, err)
		}
		skills = string(list)
	}
	in.tasks = true
	n, err := w.c.exec(`INSERT INTO task (id, interaction, kind, queue, state, arrived, due, level, lang, skills, priority, not_before, expires, prefer,
			agent, fence, since, deadline, tries, outcome, blob, ticket, ticket_due, key, note, prefer_till, came_as)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, queue = excluded.queue, state = excluded.state, arrived = excluded.arrived,
			due = excluded.due, level = excluded.level, lang = excluded.lang, skills = excluded.skills, priority = excluded.priority,
			not_before = excluded.not_before, expires = excluded.expires, prefer = excluded.prefer, agent = excluded.agent, fence = excluded.fence,
			since = excluded.since, deadline = excluded.deadline, tries = excluded.tries, outcome = excluded.outcome, blob = excluded.blob,
			ticket = excluded.ticket, ticket_due = excluded.ticket_due, key = excluded.key, note = excluded.note,
			prefer_till = excluded.prefer_till, came_as = excluded.came_as
		WHERE task.interaction = excluded.interaction`,
		string(t.ID), in.no, string(t.Kind), t.Queue, string(t.State), t.Arrived, t.Due, t.Level, t.Lang, skills, t.Priority, t.NotBefore, t.Expires, t.Prefer,
		t.Agent, t.Fence, t.Since, t.Deadline, t.Tries, t.Outcome, string(t.Blob), string(t.Ticket), t.TicketDue, t.Key, t.Note, t.PreferTill, string(t.As))
	var e sqlite3.Error
	switch {
	case errors.As(err, &e) && e.ExtendedCode == sqlite3.ErrConstraintUnique:
		return fmt.Errorf("interaction %s has a live task with the key %q: %w", t.Interaction, t.Key, store.ErrDuplicate)
	case err == nil && n == 0:
		return fmt.Errorf("task %s belongs to another interaction: %w", t.ID, store.ErrInvalid)
	}
	return err
}

// Tasks reads all tasks of an interaction, the oldest first. An unknown one has none.
func (db *DB) Tasks(ctx context.Context, in tandem.InteractionID) ([]tandem.Task, error) {
	out, err := db.tasks(ctx, db.pool, "i.id = ?", string(in))
	if err != nil {
		return nil, fmt.Errorf("reading tasks of %s: %w", in, err)
	}
	return out, nil
}

// tasks reads those for which a condition on task t and interaction i holds.
func (db *DB) tasks(ctx context.Context, q querier, where string, args ...any) ([]tandem.Task, error) {
	var out []tandem.Task
	err := db.each(ctx, q, "SELECT "+store.TaskColumns+" FROM task t JOIN interaction i ON i.no = t.interaction WHERE "+where+" ORDER BY t.no", func(row []driver.Value) error {
		t, err := store.TaskOf(row)
		out = append(out, t)
		return err
	}, args...)
	return out, err
}
