package ticket

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tandem"
	"tandem/store"
)

const columns = `t.no, t.task, t.interaction, t.customer, t.number, t.link, t.form, t.lang, t.queue, t.owner, t.status, t.allowance, t.due, t.step,
	t.alarmed, t.opened, t.done, t.seq`

func ticketOf(r store.Row) Ticket {
	return Ticket{
		No: r.Int(0), Task: tandem.TaskID(r.Text(1)), Interaction: tandem.InteractionID(r.Text(2)), customer: tandem.CustomerID(r.Text(3)),
		Number: tandem.Number(r.Text(4)), link: tandem.LinkID(r.Text(5)), Form: r.Text(6), Lang: r.Text(7), Queue: r.Text(8), Owner: r.Text(9),
		Status: r.Text(10), allowance: time.Duration(r.Int(11)), Due: r.Time(12), Step: int(r.Int(13)), Overdue: r.Bool(14), Opened: r.Time(15),
		Done: r.Time(16), seq: uint64(r.Int(17)),
	}
}

// one reads a ticket by a condition; store.ErrNotFound if there is none.
func (d *Desk) one(ctx context.Context, where string, args ...any) (t Ticket, err error) {
	found := false
	err = d.o.Database.View(ctx, func(tx store.Tx) (err error) {
		found, err = tx.One("SELECT "+columns+" FROM ticket t "+where, func(r store.Row) { t = ticketOf(r) }, args...)
		return err
	})
	if err == nil && !found {
		err = store.ErrNotFound
	}
	if err != nil {
		return t, fmt.Errorf("looking for a ticket: %w", err)
	}
	return t, nil
}

// some reads tickets by a condition.
func (d *Desk) some(ctx context.Context, where string, args ...any) (out []Ticket, err error) {
	err = d.o.Database.View(ctx, func(tx store.Tx) error {
		return tx.Each("SELECT "+columns+" FROM ticket t "+where, func(r store.Row) error {
			out = append(out, ticketOf(r))
			return nil
		}, args...)
	})
	if err != nil {
		return nil, fmt.Errorf("looking for tickets: %w", err)
	}
	return out, nil
}

// byTask reads the ticket of a task, in words for whoever asked.
func (d *Desk) byTask(ctx context.Context, task tandem.TaskID) (Ticket, error) {
	t, err := d.one(ctx, "WHERE t.task = ?", string(task))
	if errors.Is(err, store.ErrNotFound) {
		return t, &tandem.Error{Code: tandem.CodeNotFound, Message: fmt.Sprintf("there is no ticket %s", task), Err: store.ErrNotFound}
	}
	return t, err
}

// insert writes a new ticket, in the change that opens its task: its event, which has
// its number by then, is the newest of its kind.
func insert(tx store.Tx, t *Ticket, key string) error {
	_, err := tx.Exec(`INSERT INTO ticket (task, interaction, customer, number, key, link, form, lang, queue, owner, status, allowance, due, opened, seq)
		SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, max(e.seq) FROM event e JOIN interaction i ON i.no = e.interaction
		WHERE i.id = ? AND e.kind = ?`,
		string(t.Task), string(t.Interaction), string(t.customer), string(t.Number), key, string(t.link), t.Form, t.Lang, t.Queue, t.Owner, t.Status,
		int64(t.allowance), t.Due, t.Opened, string(t.Interaction), string(tandem.EventTicket))
	return err
}

// errMoved: somebody else changed the ticket meanwhile.
var errMoved = errors.New("the ticket has changed meanwhile")

// update writes what changes of a ticket, if it still is what was read.
func update(tx store.Tx, was, t *Ticket) error {
	n, err := tx.Exec(`UPDATE ticket SET queue = ?, owner = ?, status = ?, due = ?, step = ?, alarmed = ?, done = ?
		WHERE no = ? AND step = ? AND status = ? AND due = ? AND owner = ? AND alarmed = ?`,
		t.Queue, t.Owner, t.Status, t.Due, t.Step, t.Overdue, t.Done, was.No, was.Step, was.Status, was.Due, was.Owner, was.Overdue)
	if err == nil && n == 0 {
		err = errMoved
	}
	return err
}
