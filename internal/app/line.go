package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tandem"
	"tandem/bridge/queue"
	"tandem/bridge/route"
	"tandem/ivr/flow"
	"tandem/store"
)

// makeLine makes the one line, as it was left, and begins to run it: what a crash has cut
// off comes into it before anything listens.
func (a *App) makeLine(ctx context.Context) (err error) {
	policy := Policy(a.shelf.Current())
	a.line, err = queue.New(ctx, queue.Options{
		Store: a.store, Policy: policy, Open: a.queueOpen, Cut: a.cutOff, Now: a.now, Random: a.random, Verify: a.cfg.Line.Verify,
		Broken: func(finding string) {
			a.metrics.lineBroken.Inc()
			a.log.Error("the line is broken", "finding", finding)
		},
		Panicked: func(what string, p any) { a.panicked(a.log, what, p) }, Log: a.log,
	})
	if err != nil {
		return fmt.Errorf("reading the line: %w", err)
	}
	a.registry.MustRegister(newGauges(a))
	a.told.init()
	a.line.Watch(a.lineChanged)
	ctx, a.stopLine = context.WithCancel(context.WithoutCancel(ctx))
	a.lining.Go(func() {
		a.keep(ctx, "line", func(ctx context.Context) {
			err := a.line.Run(ctx)
			a.lineTaken.Store(errors.Is(err, queue.ErrTaken))
			a.ran("line", err)
		})
	})
	return nil
}

// closeLine ends the line after everybody who speaks to it.
func (a *App) closeLine() {
	if a.stopLine != nil {
		a.stopLine()
		a.lining.Wait()
	}
}

// queueOpen reports whether a queue is open: by its calendar, if it has one.
func (a *App) queueOpen(name string, at time.Time) bool {
	lib := a.shelf.Current()
	q := lib.Queues[name]
	if q == nil || q.Hours == "" {
		return true
	}
	c := lib.Calendars[q.Hours]
	return c == nil || c.Status(at) == "open"
}

// cutOff reports whether a call's place in line outlives the program: its caller was
// answered, and there is a number to call. That it may be called is seen as it is dialled.
func (a *App) cutOff(ctx context.Context, t tandem.Task) bool {
	story, err := a.store.Interaction(ctx, string(t.Interaction))
	if err != nil {
		a.log.Error("a call that was cut off could not be looked up; it is to be called back", "task", t.ID, "error", err)
		return true
	}
	return slices.ContainsFunc(story.Legs, func(l tandem.Leg) bool {
		return l.Inbound && l.Role == tandem.RoleCustomer && l.Kind == tandem.LegSIP && !l.Answered.IsZero() && l.From != ""
	})
}

// kindOn is what somebody who waits on a channel is to an agent.
func kindOn(c tandem.Channel) tandem.TaskKind {
	switch c {
	case tandem.Chat:
		return tandem.TaskChat
	case tandem.SMS:
		return tandem.TaskText
	}
	return tandem.TaskCall
}

// backTime is how long the place of who left the line is theirs, should they come back to
// it: a caller who has taken the chat often hangs up before they press its link.
const backTime = 30 * time.Minute

// enqueue puts a session's customer into line, or finds them there: after a restart, or
// when a caller who was cut off is back.
func (a *App) enqueue(ctx context.Context, w tandem.Who, s flow.Session, e flow.Enqueue) ([]flow.Play, error) {
	if e.Taken {
		return nil, a.withAgent(ctx, w, e)
	}
	now := a.now()
	t := tandem.Task{
		Interaction: w.Interaction, Kind: kindOn(w.Channel), Queue: e.Queue, Arrived: now, Level: e.Level, Lang: e.Lang, Skills: e.Skills,
		Priority: e.Priority, Key: e.Key, Note: "waits in the flow",
	}
	if e.MaxWait > 0 {
		t.Expires = now.Add(e.MaxWait)
	}
	had, err := a.served(ctx, w.Interaction, e.Key)
	if err != nil {
		return nil, err
	}
	if had != nil && had.State == tandem.TaskDone && had.Outcome == tandem.OutcomeLeft { // and are here again
		if had.Queue == t.Queue && now.Sub(had.Since) < backTime {
			t.Arrived, t.Due = had.Arrived, had.Due
		}
		had = nil
	}
	lent := false
	if had == nil {
		if had, err = a.officersTask(ctx, w, s, e); err != nil {
			return nil, err
		}
		lent = had != nil && w.Channel == tandem.Voice
	}
	if had == nil {
		if t.Prefer, err = a.knows(ctx, w.Customer); err != nil {
			return nil, err
		}
		opened, err := a.line.Open(ctx, t, nil)
		var refused *queue.Refused
		if errors.As(err, &refused) {
			a.answerLine(ctx, w.Interaction, e.Serial, flow.Result{Outcome: refused.Why})
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("coming into line: %w", err)
		}
		had = &opened
	}
	if had.State != tandem.TaskDone && had.Kind != t.Kind { // they are back before we called, or wait by another channel now
		if _, err := a.line.Change(ctx, route.Changed{At: now, Task: had.ID, Kind: t.Kind, Why: "moved"}, nil); err != nil && tandem.CodeOf(err) != tandem.CodeConflict {
			return nil, fmt.Errorf("coming back into line: %w", err)
		}
	}
	a.told.waits(waiter{task: had.ID, in: w.Interaction, conversation: w.Conversation, serial: e.Serial, every: e.AnnounceEvery, offerAfter: e.OfferAfter, lent: lent})
	a.told.add(w.Interaction)
	return nil, nil
}

// served is the task that a step has opened before, done or not; nil = none.
func (a *App) served(ctx context.Context, in tandem.InteractionID, key string) (*tandem.Task, error) {
	story, err := a.store.Tasks(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("looking for a place in line: %w", err)
	}
	for i := len(story) - 1; i >= 0; i-- {
		if story[i].Key == key && key != "" {
			return &story[i], nil
		}
	}
	return nil, nil
}

// knows is the agent who served a customer last; "" = none.
func (a *App) knows(ctx context.Context, customer tandem.CustomerID) (agent string, err error) {
	err = a.store.View(ctx, func(tx store.Tx) error {
		_, err := tx.One(`SELECT t.agent FROM task t JOIN interaction i ON i.no = t.interaction JOIN customer c ON c.no = i.customer
			WHERE c.id = ? AND t.agent <> '' AND t.state = ? AND t.outcome = ? ORDER BY t.since DESC LIMIT 1`,
			func(row store.Row) { agent = row.Text(0) }, string(customer), string(tandem.TaskDone), tandem.OutcomeServed)
		return err
	})
	if err != nil {
		return "", fmt.Errorf("looking for who served the customer last: %w", err)
	}
	return agent, nil
}

// answerLine answers a session that waits in line.
func (a *App) answerLine(ctx context.Context, in tandem.InteractionID, serial int, r flow.Result) {
	a.answer(ctx, in, flow.Input{Kind: flow.InputResult, At: a.now(), Serial: serial, Result: &r})
}

// take takes an offer of the queue that a session waits in.
func (a *App) take(ctx context.Context, w tandem.Who, s flow.Session, e flow.Take) ([]flow.Play, error) {
	t, ok := a.inLine(w.Interaction)
	if !ok {
		return nil, nil // an agent was quicker, or it is done: the session hears
	}
	if e.What != "callback" {
		return a.reach.Begin(ctx, w, s, e)
	}
	to, ok, err := a.reach.Callable(ctx, w, "")
	if err != nil {
		return nil, err
	}
	if !ok {
		return []flow.Play{flow.LinePlay(w.Lang, flow.LineNoCallback)}, nil
	}
	now := a.now()
	booked := tandem.Callback{Task: t.ID, To: to, Queue: t.Queue, Proven: true}
	_, err = a.line.Change(ctx, route.Changed{At: now, Task: t.ID, Kind: tandem.TaskCallback, NoExpiry: true, Why: "callback", Unserved: true}, &store.Change{
		Events: []tandem.Event{tandem.NewEvent(w.Interaction, w.Leg, now, tandem.EventCallback, "flow", booked)},
	})
	if tandem.CodeOf(err) == tandem.CodeConflict {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("booking a call back: %w", err)
	}
	a.reach.Withdraw(w.Interaction)
	return nil, nil
}

// inLine is the task that an interaction's customer waits with: live, and not with an agent.
func (a *App) inLine(in tandem.InteractionID) (tandem.Task, bool) {
	for _, t := range a.line.Of(in) {
		if t.Kind.Live() && t.Key != "" && (t.State == tandem.TaskWaiting || t.State == tandem.TaskOffered) {
			return t, true
		}
	}
	return tandem.Task{}, false
}

// leaveLine gives an interaction's place up: its customer has left. Who was with an agent
// was served.
func (a *App) leaveLine(ctx context.Context, in tandem.InteractionID) {
	for _, t := range a.line.Of(in) {
		if !t.Kind.Live() || t.Key == "" {
			continue
		}
		a.endTask(ctx, t.ID)
	}
}

// withdrawn closes what a session's wait has begun.
func (a *App) withdrawn(ctx context.Context, in tandem.InteractionID, s flow.Session) {
	a.reach.Withdraw(in)
	if s.Line().Kind == flow.WaitQueue || s.Wait.Kind == flow.WaitTransfer {
		a.leaveLine(ctx, in)
	}
	if _, ok := provingOf(s.World); ok && s.Wait.Kind == flow.WaitIdentify {
		a.abandon(ctx, in)
	}
}

// endTask takes a task out of line that nobody waits for any more.
func (a *App) endTask(ctx context.Context, id tandem.TaskID) {
	t, ok := a.line.Task(id)
	if !ok {
		return
	}
	var err error
	if t.State == tandem.TaskAssigned {
		_, err = a.line.Release(ctx, route.Released{At: a.now(), Task: t.ID, Agent: t.Agent, Fence: t.Fence, Why: "left", Outcome: tandem.OutcomeServed}, nil)
	} else if t.State != tandem.TaskWrapping {
		err = a.line.End(ctx, t.ID, tandem.OutcomeLeft, nil)
	}
	if err != nil && tandem.CodeOf(err) != tandem.CodeConflict {
		a.log.Warn("a place in line could not be given up", "task", t.ID, "error", err)
	}
}

// openTask puts into line what nobody waits for at the other end: a callback, a voicemail.
// One that names no queue, or none that there is, goes to that of its flow.
func (a *App) openTask(ctx context.Context, t tandem.Task, of string, c *store.Change) (tandem.Task, error) {
	lib := a.shelf.Current()
	if lib.Queues[t.Queue] == nil {
		t.Queue = queueOfFlow(lib, of)
	}
	return a.line.Open(ctx, t, c)
}

// queueOfFlow is the queue that a flow's customers wait in: the one its steps name first,
// else the first of all; "" = there is none.
func queueOfFlow(lib *flow.Library, name string) string {
	if f := lib.Flows[name]; f != nil {
		for _, step := range f.Order {
			if q, ok := f.Steps[step].Verb.(*flow.QueueStep); ok {
				return q.Name
			}
		}
	}
	if all := slices.Sorted(maps.Keys(lib.Queues)); len(all) > 0 {
		return all[0]
	}
	return ""
}

// morning is the time of day of a callback for which a customer named a date alone.
const morning = 9 * time.Hour

// when is the time that a customer or a flow has named, a date, a time of day or both, in
// the server's zone. A time of day that is past is tomorrow's.
func (a *App) when(at string) (time.Time, bool) {
	if t, err := time.Parse(time.RFC3339, at); err == nil {
		return t, true
	}
	at = strings.Replace(at, "T", " ", 1)
	for _, layout := range [...]string{"2006-01-02 15:04:05", "2006-01-02 15:04"} {
		if t, err := time.ParseInLocation(layout, at, time.Local); err == nil {
			return t, true
		}
	}
	if t, err := time.ParseInLocation(time.DateOnly, at, time.Local); err == nil {
		return t.Add(morning), true
	}
	now := a.now().In(time.Local)
	for _, layout := range [...]string{"15:04:05", "15:04"} {
		t, err := time.Parse(layout, at)
		if err != nil {
			continue
		}
		t = time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.Local)
		if t.Before(now) {
			t = t.AddDate(0, 0, 1)
		}
		return t, true
	}
	return time.Time{}, false
}
