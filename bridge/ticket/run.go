package ticket

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tandem"
	"tandem/bridge/route"
	"tandem/store"
)

const (
	sweepEvery  = time.Second     // a deadline that has passed is acted on this much later at most
	settleEvery = 5 * time.Second // and one that was done in the line is noted
	clearEvery  = time.Hour
	sweepMost   = 200 // tickets in one sweep; the next is a second later
)

// Run hands tickets on whose time has passed, notes those that were done in the line,
// and forgets addresses that lead nowhere any more, until ctx ends.
func (d *Desk) Run(ctx context.Context) error {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	settled, cleared, failing := time.Time{}, time.Time{}, false
	for {
		now := d.now()
		err := d.sweep(ctx)
		if now.Sub(settled) >= settleEvery {
			settled = now
			err = errors.Join(err, d.settle(ctx))
		}
		if err == nil && now.Sub(cleared) >= clearEvery {
			cleared = now
			err = d.clear(ctx)
		}
		if err != nil && !failing && ctx.Err() == nil {
			d.o.Log.Warn("tickets cannot be looked after; it is tried again each second", "error", err)
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// sweep hands on what is late.
func (d *Desk) sweep(ctx context.Context) error {
	late, err := d.some(ctx, "WHERE t.done = 0 AND t.alarmed = 0 AND t.due <= ? ORDER BY t.due LIMIT ?", d.now(), sweepMost)
	for _, t := range late {
		if e := d.escalate(ctx, t.Task); e != nil && !errors.Is(e, errMoved) && !errors.Is(e, store.ErrDuplicate) {
			err = errors.Join(err, fmt.Errorf("handing on ticket %s: %w", t.Task, e))
		}
	}
	return err
}

// escalate hands a ticket whose time has passed to the next of its queue's owners who
// can be found. It does so once for each owner: the change has a key that names how many
// were late. After the last it stays where it is, and an alarm is raised.
func (d *Desk) escalate(ctx context.Context, task tandem.TaskID) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	was, err := d.byTask(ctx, task)
	now := d.now()
	if err != nil || !was.Done.IsZero() || was.Overdue || was.Due.After(now) {
		return err
	}
	in, live := d.o.Line.Task(task)
	if !live || in.State == tandem.TaskWrapping { // it was done in the line: settle notes it
		return nil
	}
	policy, t := d.o.Policy(), was
	var owners []string
	if q := policy.Queues[was.Queue]; q != nil {
		owners = q.Escalate
	}
	at, found := place{}, false
	for !found && t.Step < len(owners) {
		if at, found = placeOf(policy, owners[t.Step], was.Queue); !found {
			d.o.Log.Warn("a ticket passes over an owner that no team file names", "task", task, "queue", was.Queue, "owner", owners[t.Step])
		}
		t.Step++
	}
	if !found {
		return d.alarm(ctx, was, t, in)
	}
	t.Owner, t.Due = at.owner, now.Add(was.allowance)
	if t.Status == StatusWorking {
		t.Status = StatusOpen
	}
	e := tandem.TicketChanged{Task: task, Owner: t.Owner, Due: t.Due, Why: "escalated"}
	move := route.Changed{At: now, Task: task, TicketDue: t.Due, Why: "escalated"}
	moveTo(&move, at)
	err = d.carry(ctx, &was, &t, move, func() *store.Change {
		return &store.Change{
			Key:    fmt.Sprintf("escalate:%s:%d", task, was.Due.UnixNano()),
			Events: []tandem.Event{tandem.NewEvent(t.Interaction, "", now, tandem.EventTicketChanged, "system", e)},
		}
	})
	if err == nil {
		d.o.Log.Info("ticket escalated", "task", task, "interaction", t.Interaction, "step", t.Step)
	}
	return err
}

// alarm notes that the last owner was late, too.
func (d *Desk) alarm(ctx context.Context, was, t Ticket, in tandem.Task) error {
	t.Overdue = true
	if err := d.o.Database.Update(ctx, func(tx store.Tx) error { return update(tx, &was, &t) }); err != nil {
		return err
	}
	d.o.Log.Warn("a ticket is overdue, and there is nobody left to hand it to; it stays where it is", "task", t.Task, "interaction", t.Interaction, "queue", in.Queue)
	if d.o.Overdue != nil {
		d.o.Overdue(in)
	}
	return nil
}

// settle notes the tickets whose tasks were done in the line, by an agent or a
// supervisor, and gives those in line the time that they have here.
func (d *Desk) settle(ctx context.Context) error {
	over, err := d.some(ctx, "JOIN task k ON k.id = t.task WHERE t.done = 0 AND k.state IN ('wrapping', 'done') LIMIT ?", sweepMost)
	for _, t := range over {
		if e := d.over(ctx, t.Task); e != nil && !errors.Is(e, errMoved) {
			err = errors.Join(err, fmt.Errorf("noting that ticket %s is done: %w", t.Task, e))
		}
	}
	moved, e := d.some(ctx, "JOIN task k ON k.id = t.task WHERE t.done = 0 AND k.ticket_due <> t.due AND k.state IN ('waiting', 'offered') LIMIT ?", sweepMost)
	for i := range moved {
		d.mu.Lock()
		d.dues(ctx, &moved[i])
		d.mu.Unlock()
	}
	return errors.Join(err, e)
}

// over notes that a task was done.
func (d *Desk) over(ctx context.Context, task tandem.TaskID) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	was, err := d.byTask(ctx, task)
	if err != nil || !was.Done.IsZero() {
		return err
	}
	if in, live := d.o.Line.Task(task); live && in.State != tandem.TaskWrapping { // it went back into line meanwhile
		return nil
	}
	now, t := d.now(), was
	t.Status, t.Done = StatusDone, now
	return d.o.Database.Commit(ctx, &store.Change{
		Events: []tandem.Event{tandem.NewEvent(t.Interaction, "", now, tandem.EventTicketChanged, "system", tandem.TicketChanged{Task: task, Status: StatusDone})},
		With:   func(tx store.Tx) error { return update(tx, &was, &t) },
	})
}

// clear forgets the addresses of what was done long ago.
func (d *Desk) clear(ctx context.Context) error {
	return d.o.Database.Update(ctx, func(tx store.Tx) error {
		_, err := tx.Exec("DELETE FROM ticket_link WHERE ticket IN (SELECT no FROM ticket WHERE done <> 0 AND done <= ?)", d.now().Add(-keepLinks))
		return err
	})
}
