package ticket

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/route"
)

func TestEscalates(t *testing.T) {
	h := newHouse(t)
	o := h.opened("", time.Hour)
	closing := h.call.Closing(h.now(), tandem.Terminate(tandem.ByRemote, tandem.ReasonCompleted))
	closing.Interaction.Customer = h.who.Customer
	h.must(h.db.Commit(t.Context(), closing)) // the customer has gone
	if h.pass(59 * time.Minute); h.journal(tandem.EventTicketChanged) != 0 {
		t.Error("too soon")
	}
	h.pass(2 * time.Minute)
	d, task := h.row(o.Task), h.task(o.Task)
	if d.Owner != "team:leads" || d.Step != 1 || d.Queue != "cards" || task.Queue != "leads" || !task.TicketDue.Equal(d.Due) || d.History[0].Why != "escalated" || d.History[0].Actor != "system" {
		t.Errorf("%+v %+v", d, task)
	}
	if left := d.Due.Sub(h.now()); left < 59*time.Minute || left > time.Hour {
		t.Errorf("%v left", left)
	}
	h.pass(0) // nothing more
	h.pass(0)
	// The next owner has it, is late too, and the one after them is unknown: it goes to the last.
	h.takes("olga", o.Task)
	_, err := h.Change(t.Context(), "olga", Change{Task: o.Task, Status: StatusWorking})
	h.must(err)
	h.pass(time.Hour)
	d, task = h.row(o.Task), h.task(o.Task)
	if d.Owner != "agent:olga" || d.Step != 3 || d.Status != StatusOpen || task.Prefer != "olga" || task.State == tandem.TaskAssigned || !task.TicketDue.Equal(d.Due) || d.Overdue {
		t.Errorf("%+v %+v", d, task)
	}
	if len(h.late) != 0 {
		t.Error("an alarm too soon")
	}
	h.pass(2 * time.Hour)
	h.pass(time.Hour)
	if d = h.row(o.Task); len(h.late) != 1 || h.late[0].ID != o.Task || !d.Overdue || h.journal(tandem.EventTicketChanged) != 3 {
		t.Errorf("%d alarms, %+v", len(h.late), d)
	}
	// It is given more time, and raises another alarm after that.
	_, err = h.Change(t.Context(), "boss", Change{Task: o.Task, Due: h.now().Add(time.Hour)})
	h.must(err)
	h.pass(2 * time.Hour)
	if len(h.late) != 2 {
		t.Errorf("%d alarms", len(h.late))
	}
	if story, err := h.db.Interaction(t.Context(), string(h.call.ID)); err != nil || story.Interaction.State == tandem.Closed {
		t.Errorf("%s %v", story.Interaction.State, err)
	}
	// A new owner begins at the head of the list.
	_, err = h.Change(t.Context(), "boss", Change{Task: o.Task, Owner: "queue:cards", Due: h.now().Add(time.Hour)})
	h.must(err)
	h.pass(2 * time.Hour)
	if d = h.row(o.Task); d.Owner != "team:leads" || d.Step != 1 {
		t.Errorf("%+v", d)
	}
}

// Who was given a ticket and is late has it no more, nor is it kept for them.
func TestTakenFromItsOwner(t *testing.T) {
	h := newHouse(t)
	o := h.opened("agent:anna", time.Hour)
	h.takes("anna", o.Task)
	h.pass(2 * time.Hour)
	if d, task := h.row(o.Task), h.task(o.Task); d.Owner != "team:leads" || task.Queue != "leads" || task.Prefer != "" || task.Agent != "" || task.State != tandem.TaskWaiting || !task.TicketDue.Equal(d.Due) {
		t.Errorf("%+v %+v", d, task)
	}
	story, err := h.db.Interaction(t.Context(), string(h.call.ID))
	h.must(err)
	if len(story.Tasks) != 1 || story.Tasks[0].Queue != "leads" {
		t.Errorf("%+v", story.Tasks)
	}
}

// What was done in the line is done here, whoever did it and whenever that is seen.
func TestDoneInTheLine(t *testing.T) {
	h := newHouse(t)
	o := h.opened("", time.Hour)
	h.takes("anna", o.Task)
	task := h.task(o.Task)
	_, err := h.line.Release(t.Context(), route.Released{Task: o.Task, Agent: "anna", Fence: task.Fence, Why: "done", Outcome: tandem.OutcomeServed}, nil)
	h.must(err)
	h.pass(2 * time.Hour) // it was late, but it was done
	d := h.row(o.Task)
	if d.Status != StatusDone || d.Done.IsZero() || len(d.History) != 1 || d.Owner != "queue:cards" {
		t.Errorf("%+v", d)
	}
	o = h.opened("", time.Hour)
	h.must(h.line.End(t.Context(), o.Task, tandem.OutcomeClosed, nil))
	h.pass(0)
	if d = h.row(o.Task); d.Status != StatusDone {
		t.Errorf("%+v", d)
	}
}

func TestRun(t *testing.T) {
	h := newHouse(t)
	o := h.opened("", time.Hour)
	h.place.Clock.Add(2 * time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- h.Run(ctx) }()
	h.eventually("it is handed on", func() bool { return h.row(o.Task).Step == 1 })
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// Wherever the program dies, there is one ticket with one number, each deadline hands
// it on once, and line and desk agree in the end.
func TestCrashAtEveryCommit(t *testing.T) {
	play := func(t *testing.T, at, after int64) int64 {
		h := newHouse(t)
		count := &counter{}
		begin := func() {
			h.stop()
			h.start(mortal{h.db, count}, mortal{h.db, count})
		}
		begin()
		from := count.n.Load()
		count.at, count.after = at+from, after
		if at == 0 {
			count.at = 0
		}
		retry := func(what string, do func() error) {
			for range 20 {
				err := do()
				if err == nil {
					return
				}
				if count.at == 0 {
					h.t.Fatalf("%s: %v", what, err)
				}
				count.at = 0
				begin()
			}
			h.t.Fatalf("%s fails for good", what)
		}
		ctx := t.Context()
		value := ""
		retry("opening", func() error {
			r, _, err := h.Open(ctx, h.who, "cards", h.effect("visit", "", time.Hour))
			if err == nil {
				value = r.Value.(string)
			}
			return err
		})
		d, err := h.ByNumber(ctx, tandem.Number(value))
		h.must(err)
		sweep := func() {
			retry("sweeping", func() error { return errors.Join(h.sweep(ctx), h.settle(ctx)) })
		}
		h.place.Clock.Add(61 * time.Minute)
		sweep()
		sweep()
		retry("changing", func() error {
			_, err := h.Change(ctx, "olga", Change{Task: d.Task, Status: StatusDone, Told: "It is done."})
			if tandem.CodeOf(err) == tandem.CodeConflict && count.at == 0 { // the first try was written
				return nil
			}
			return err
		})
		sweep()
		d = h.row(d.Task)
		escalated, done := 0, 0
		for _, e := range d.History {
			if e.Why == "escalated" {
				escalated++
			}
			if e.Status == StatusDone {
				done++
			}
		}
		if d.Status != StatusDone || escalated != 1 || done != 1 || d.Step != 1 || h.journal(tandem.EventTicket) != 1 || h.journal(tandem.EventTaskOpened) != 1 || h.journal(tandem.EventTaskDone) != 1 {
			t.Errorf("%d escalated, %d done, %+v", escalated, done, d)
		}
		if _, live := h.line.Task(d.Task); live {
			t.Error("it is in line still")
		}
		return count.n.Load() - from
	}
	writes := play(t, 0, 0)
	if writes < 4 {
		t.Fatal(writes)
	}
	for at := int64(1); at <= writes; at++ {
		for after := range int64(2) {
			t.Run(fmt.Sprintf("write %d, done %d", at, after), func(t *testing.T) { play(t, at, after) })
		}
	}
}
