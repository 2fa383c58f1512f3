package ticket

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tandem"
	"tandem/bridge/route"
	"tandem/ivr/flow"
	"tandem/store"
)

// Open opens the ticket that a flow asks for, once for each visit of its step, and
// returns the step's answer: its number. queue is the one it goes into where it names no
// owner; one that the policy does not have is the policy's first. The customer is written
// the number and a link, if they can be; words is what to say where that fails. An error
// is a fault of the step.
func (d *Desk) Open(ctx context.Context, w tandem.Who, queue string, e flow.OpenTicket) (flow.Result, []flow.Play, error) {
	t, err := d.byKey(ctx, w.Interaction, e.Key)
	if errors.Is(err, store.ErrNotFound) {
		t, err = d.open(ctx, w, queue, e)
	}
	if err != nil {
		return flow.Result{}, nil, fmt.Errorf("opening a ticket: %w", err)
	}
	return flow.Result{Outcome: "opened", Value: string(t.Number)}, d.opened(ctx, w, e.Key, t), nil
}

// nowhere is where tickets wait while no file has a queue.
const nowhere = "tickets"

func (d *Desk) byKey(ctx context.Context, in tandem.InteractionID, key string) (Ticket, error) {
	return d.one(ctx, "WHERE t.interaction = ? AND t.key = ?", string(in), key)
}

func (d *Desk) open(ctx context.Context, w tandem.Who, queue string, e flow.OpenTicket) (Ticket, error) {
	policy := d.o.Policy()
	at, ok := placeOf(policy, e.Owner, queue)
	if !ok && e.Owner != "" {
		d.o.Log.Warn("a ticket has an owner that no team file names, or who serves no queue: it goes to the queue at hand", "interaction", w.Interaction, "form", e.Form)
		at, ok = placeOf(policy, "", queue)
	}
	if !ok { // there is no queue at all: a supervisor sees it, and the line takes it up once there is
		at = place{owner: "queue:" + nowhere, queue: nowhere}
	}
	now := d.now()
	number, err := d.number(ctx)
	if err != nil {
		return Ticket{}, err
	}
	t := Ticket{
		Task: tandem.NewID[tandem.TaskID](now, d.o.Random), Interaction: w.Interaction, customer: w.Customer, Number: number, Form: e.Form, Lang: e.Lang,
		link: tandem.NewID[tandem.LinkID](now, d.o.Random), Queue: at.queue, Owner: at.owner, Status: StatusOpen, Opened: now,
	}
	if t.allowance = e.Due; t.allowance <= 0 {
		t.allowance = target(policy.Queues[at.queue])
	}
	t.Due = now.Add(t.allowance)
	task := tandem.Task{
		ID: t.Task, Interaction: w.Interaction, Kind: tandem.TaskTicket, Queue: at.queue, State: tandem.TaskWaiting, Arrived: now, Due: t.Due, Lang: e.Lang,
		Prefer: at.prefer, Ticket: number, TicketDue: t.Due, Key: e.Key, Note: e.Form,
	}
	c := &store.Change{
		Events: []tandem.Event{tandem.NewEvent(w.Interaction, w.Leg, now, tandem.EventTicket, "flow", tandem.Ticket{
			Task: t.Task, Number: number, Form: e.Form, Fields: e.Fields, Owner: at.owner, Due: t.Due, Lang: e.Lang,
		})},
		With: func(tx store.Tx) error { return insert(tx, &t, e.Key) },
	}
	placed, err := d.o.Line.Open(ctx, task, c)
	if err != nil {
		return t, err
	}
	if placed.ID != task.ID { // opened meanwhile, under the same key
		return d.byKey(ctx, w.Interaction, e.Key)
	}
	d.o.Log.Info("ticket opened", "task", t.Task, "interaction", t.Interaction, "queue", t.Queue)
	return t, nil
}

// target is in which time a queue takes up tickets.
func target(q *route.Queue) time.Duration {
	if q != nil && q.Target[tandem.TaskTicket] > 0 {
		return q.Target[tandem.TaskTicket]
	}
	return route.DefaultTarget(tandem.TaskTicket)
}

// number draws a number that neither a ticket nor an interaction has: people read
// them out without saying which it is.
func (d *Desk) number(ctx context.Context) (tandem.Number, error) {
	for {
		n, taken := tandem.NewNumber(d.o.Random), false
		err := d.o.Database.View(ctx, func(tx store.Tx) (err error) {
			taken, err = tx.One("SELECT 1 FROM ticket WHERE number = ? UNION ALL SELECT 1 FROM interaction WHERE number = ?", func(store.Row) {}, string(n), string(n))
			return err
		})
		if err != nil {
			return "", fmt.Errorf("drawing a number: %w", err)
		}
		if !taken {
			return n, nil
		}
	}
}

// opened writes the number and the link to the customer. What it returns is said where
// they read: there is nothing else that tells them.
func (d *Desk) opened(ctx context.Context, w tandem.Who, key string, t Ticket) []flow.Play {
	n := tandem.Notice{Key: "ticket/" + key, Lang: w.Lang, Link: t.link}
	n.Text, n.Follow, n.Button = openedWords(w.Lang, t.Number)
	sent := false
	err := func() (err error) {
		if d.o.Send == nil {
			return nil
		}
		if w.Channel != tandem.Chat { // a chat asks for the address as the button is tapped
			if n.URL, err = d.issue(ctx, t); err != nil {
				return err
			}
		}
		sent, err = d.o.Send(ctx, w, n)
		return err
	}()
	if err != nil {
		d.o.Log.Warn("the number of a ticket was not sent to the customer", "task", t.Task, "interaction", w.Interaction, "error", err)
	}
	if sent || w.Channel == tandem.Voice { // a flow says the number as it likes
		return nil
	}
	return []flow.Play{{Name: "ticket_opened", Lang: w.Lang, Parts: []tandem.Part{{Kind: tandem.PartText, Text: n.Text}}}}
}
