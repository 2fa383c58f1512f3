package ticket

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tandem"
	"tandem/bridge/route"
	"tandem/store"
)

// Change is what somebody changes of a ticket. Zero fields are left alone.
type Change struct {
	Task   tandem.TaskID
	Status string
	Owner  string // as a flow names one; the list of owners begins anew
	Due    time.Time
	// Until puts it off: nobody is offered it before, and whoever has it gives it back, to
	// take it up again then. Its time does not move. Where no Status is given it is waiting.
	Until time.Time
	Note  string // for staff
	Told  string // for the customer: whoever has the link reads it
}

// mostTurns bounds how often a change is tried anew after an agent was faster.
const mostTurns = 3

// Change changes a ticket and its place in line in one durable step. One that is done
// takes notes and words for the customer, and no more: an error of code conflict. Done
// takes it out of line, from whoever has it.
func (d *Desk) Change(ctx context.Context, by string, c Change) (Ticket, error) {
	c.Note, c.Told = strings.TrimSpace(c.Note), strings.TrimSpace(c.Told)
	if err := d.check(&c); err != nil {
		return Ticket{}, err
	}
	d.mu.Lock()
	t, err := d.change(ctx, by, c)
	d.mu.Unlock()
	if err != nil {
		return t, err
	}
	d.o.Log.Info("ticket changed", "task", t.Task, "interaction", t.Interaction, "status", t.Status, "by", by)
	d.tell(ctx, t, c.Told)
	return t, nil
}

func (d *Desk) check(c *Change) error {
	if !c.Until.IsZero() && c.Status == "" {
		c.Status = StatusWaiting
	}
	now := d.now()
	switch {
	case c.Status != "" && !slices.Contains([]string{StatusOpen, StatusWorking, StatusWaiting, StatusDone}, c.Status):
		return tandem.Errorf(tandem.CodeInvalid, "a ticket's status is open, working, waiting or done")
	case !c.Due.IsZero() && !c.Due.After(now), !c.Until.IsZero() && !c.Until.After(now):
		return tandem.Errorf(tandem.CodeInvalid, "that time has passed; name a later one")
	case c.Due.Sub(now) > farthest, c.Until.Sub(now) > farthest:
		return tandem.Errorf(tandem.CodeInvalid, "that time is too far away; name one within ten years")
	case !c.Until.IsZero() && c.Status != StatusWaiting:
		return tandem.Errorf(tandem.CodeInvalid, "a ticket that is put off is waiting")
	case *c == Change{Task: c.Task}:
		return tandem.Errorf(tandem.CodeInvalid, "this changes nothing; name a status, an owner, a time, a note or words for the customer")
	}
	for _, s := range []string{c.Note, c.Told} {
		if n := utf8.RuneCountInString(s); n > maxWords {
			return tandem.Errorf(tandem.CodeInvalid, "that text has %d characters; up to %d are kept", n, maxWords)
		}
		if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) {
			return tandem.Errorf(tandem.CodeInvalid, "that text has characters that cannot be kept")
		}
	}
	return nil
}

// change is Change under the lock.
func (d *Desk) change(ctx context.Context, by string, c Change) (Ticket, error) {
	was, err := d.byTask(ctx, c.Task)
	if err != nil {
		return was, err
	}
	if !was.Done.IsZero() && c != (Change{Task: c.Task, Note: c.Note, Told: c.Told}) {
		return was, tandem.Errorf(tandem.CodeConflict, "this ticket is done; open another one")
	}
	now, t := d.now(), was
	e := tandem.TicketChanged{Task: t.Task, Status: c.Status, Due: c.Due, Note: c.Note, Told: c.Told}
	move := route.Changed{At: now, Task: t.Task, Why: "transfer", TicketDue: c.Due, NotBefore: c.Until}
	if c.Owner != "" {
		at, ok := placeOf(d.o.Policy(), c.Owner, t.Queue)
		if !ok {
			return t, tandem.Errorf(tandem.CodeInvalid, "there is no owner %q, or they serve no queue; write agent:NAME, team:NAME or queue:NAME", c.Owner)
		}
		t.Queue, t.Owner, t.Step, e.Owner = at.queue, at.owner, 0, at.owner
		moveTo(&move, at)
	}
	if c.Status != "" {
		t.Status = c.Status
	}
	if !c.Due.IsZero() {
		t.Due, t.Overdue = c.Due, false
	}
	if t.Status == StatusDone && t.Done.IsZero() {
		t.Done = now
	}
	err = d.carry(ctx, &was, &t, move, func() *store.Change {
		return &store.Change{Events: []tandem.Event{tandem.NewEvent(t.Interaction, "", now, tandem.EventTicketChanged, by, e)}}
	})
	return t, err
}

// nobody is how the line is told that a task is for nobody in particular any more.
const nobody = "-"

// moveTo makes a change of the line's lead to an owner.
func moveTo(move *route.Changed, at place) {
	if move.Queue, move.Prefer = at.queue, at.prefer; at.prefer == "" {
		move.Prefer = nobody
	}
}

// carry writes a ticket as it becomes, with its event, and moves its task in the same
// transaction. Whatever is faster in between is looked at again.
func (d *Desk) carry(ctx context.Context, was, t *Ticket, move route.Changed, change func() *store.Change) (err error) {
	for range mostTurns {
		c := change()
		c.With = func(tx store.Tx) error { return update(tx, was, t) }
		if err = d.move(ctx, was, t, move, c); tandem.CodeOf(err) != tandem.CodeConflict {
			return err
		}
	}
	return err
}

// move is one try of carry.
func (d *Desk) move(ctx context.Context, was, t *Ticket, move route.Changed, c *store.Change) error {
	task, live := d.o.Line.Task(t.Task)
	held := task.State == tandem.TaskAssigned
	again := move.Queue != "" || !move.NotBefore.IsZero()
	var err error
	switch {
	case !live || task.State == tandem.TaskWrapping:
		return d.o.Database.Commit(ctx, c)
	case !t.Done.IsZero() && was.Done.IsZero() && held:
		_, err = d.o.Line.Release(ctx, route.Released{At: move.At, Task: t.Task, Agent: task.Agent, Fence: task.Fence, Why: "done", Outcome: tandem.OutcomeServed}, c)
	case !t.Done.IsZero() && was.Done.IsZero():
		err = d.o.Line.End(ctx, t.Task, tandem.OutcomeServed, c)
	case held && again:
		release := route.Released{At: move.At, Task: t.Task, Agent: task.Agent, Fence: task.Fence, Why: "transferred", Again: true,
			Queue: move.Queue, Prefer: move.Prefer, NotBefore: move.NotBefore}
		switch {
		case move.Queue == "":
			if release.Why = "handed_back"; d.o.Policy().Agents[task.Agent] != nil {
				release.Prefer = task.Agent // who put it off takes it up again
			}
		case move.Prefer == nobody:
			release.Prefer = ""
		}
		if _, err = d.o.Line.Release(ctx, release, c); err == nil {
			d.dues(ctx, t)
		}
	case held, !again && move.TicketDue.IsZero():
		return d.o.Database.Commit(ctx, c)
	default:
		_, err = d.o.Line.Change(ctx, move, c)
	}
	return err
}

// dues gives a task in line the time of its ticket, where it is another: of what an
// agent has, the line changes nothing but the place. What fails here is done by the next
// sweep.
func (d *Desk) dues(ctx context.Context, t *Ticket) {
	task, live := d.o.Line.Task(t.Task)
	if !live || task.State != tandem.TaskWaiting && task.State != tandem.TaskOffered || task.TicketDue.Equal(t.Due) {
		return
	}
	move := route.Changed{At: d.now(), Task: t.Task, TicketDue: t.Due, Why: "escalated"}
	if task.Prefer != "" && t.Owner != "agent:"+task.Prefer && t.Status != StatusWaiting { // whoever had it has it no more
		move.Prefer = nobody
	}
	if _, err := d.o.Line.Change(ctx, move, nil); err != nil && !errors.Is(err, context.Canceled) {
		d.o.Log.Warn("the line has an old time for a ticket; it is told again", "task", t.Task, "error", err)
	}
}

// tell writes what an agent tells the customer into their conversation, if there is one.
func (d *Desk) tell(ctx context.Context, t Ticket, told string) {
	if told == "" || d.o.Tell == nil {
		return
	}
	n := tandem.Notice{Key: fmt.Sprintf("told/%s/%d", t.Task, d.now().UnixNano()), Lang: t.Lang, Text: toldWords(t.Lang, t.Number, told), Link: t.link}
	_, _, n.Button = openedWords(t.Lang, t.Number)
	if _, err := d.o.Tell(ctx, t.Interaction, n); err != nil {
		d.o.Log.Warn("the customer was not told of their ticket; the page of their link has it", "task", t.Task, "error", err)
	}
}
