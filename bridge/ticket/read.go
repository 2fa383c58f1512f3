package ticket

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tandem"
	"tandem/store"
)

// Detail is a ticket with what is personal in it, for staff.
type Detail struct {
	Ticket
	Fields  map[string]any `json:"fields,omitempty"` // as the customer gave them; none once they are erased
	History []Entry        `json:"history,omitempty"`
	Erased  bool           `json:"erased,omitempty"`
}

// Entry is one change of a ticket.
type Entry struct {
	At    time.Time `json:"at"`
	Actor string    `json:"actor"`
	tandem.TicketChanged
}

// Find reads the ticket of a task; an error of code not_found if it is none.
func (d *Desk) Find(ctx context.Context, task tandem.TaskID) (Detail, error) {
	t, err := d.byTask(ctx, task)
	if err != nil {
		return Detail{}, err
	}
	return d.detail(ctx, t)
}

// ByNumber reads the ticket with a number; an error of code not_found if there is none.
func (d *Desk) ByNumber(ctx context.Context, n tandem.Number) (Detail, error) {
	t, err := d.one(ctx, "WHERE t.number = ?", string(n))
	if errors.Is(err, store.ErrNotFound) {
		return Detail{}, &tandem.Error{Code: tandem.CodeNotFound, Message: fmt.Sprintf("there is no ticket with the number %s", n), Err: store.ErrNotFound}
	}
	if err != nil {
		return Detail{}, err
	}
	return d.detail(ctx, t)
}

func (d *Desk) detail(ctx context.Context, t Ticket) (Detail, error) {
	asked, history, err := d.story(ctx, t)
	if errors.Is(err, ErrUnusable) {
		return Detail{Ticket: t, Erased: true}, nil
	}
	return Detail{Ticket: t, Fields: asked.Fields, History: history}, err
}

// Filter says which tickets to list, the newest first. Zero fields ask nothing.
type Filter struct {
	Status      string
	Queue       string
	Owner       string // as Ticket.Owner
	Interaction tandem.InteractionID
	Open        bool  // not done
	Before      int64 // older than the one with that No: the next page
	Limit       int   // 0 = 50, at most 500
}

// List lists tickets.
func (d *Desk) List(ctx context.Context, f Filter) ([]Ticket, error) {
	if f.Limit <= 0 {
		f.Limit = 50
	}
	where, args := "WHERE 1", []any{}
	and := func(asked bool, condition string, arg ...any) {
		if asked {
			where, args = where+" AND "+condition, append(args, arg...)
		}
	}
	and(f.Status != "", "t.status = ?", f.Status)
	and(f.Queue != "", "t.queue = ?", f.Queue)
	and(f.Owner != "", "t.owner = ?", f.Owner)
	and(f.Interaction != "", "t.interaction = ?", string(f.Interaction))
	and(f.Open, "t.done = 0")
	and(f.Before > 0, "t.no < ?", f.Before)
	return d.some(ctx, where+" ORDER BY t.no DESC LIMIT ?", append(args, min(f.Limit, listMost))...)
}
