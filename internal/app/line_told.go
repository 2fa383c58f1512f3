package app

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"tandem"
	"tandem/bridge/chat"
	"tandem/bridge/queue"
	"tandem/bridge/route"
	"tandem/ivr/flow"
	"tandem/ivr/text"
	"tandem/store"
)

// told brings the sessions that wait in line up to date with it. What has changed is a
// set of interactions, each looked at once whatever happened to it meanwhile: there are at
// most as many as customers in line.
type told struct {
	wake chan struct{}

	mu      sync.Mutex
	changed map[tandem.InteractionID]struct{}
	waiting map[tandem.InteractionID]*waiter
}

// waiter is a session that waits in line.
type waiter struct {
	task         tandem.TaskID
	in           tandem.InteractionID
	conversation tandem.ConversationID // chat and SMS
	serial       int                   // of the session's wait
	every        time.Duration         // between announcements; 0 = only the first
	offerAfter   map[string]time.Duration
	proof        bool // it waits in a step for the officer of an identity check, and in no queue step
	lent         bool // its caller's agent has lent them to the flow, and has them back once the session knows

	next   time.Time     // announcement
	handed time.Time     // when the session of one who is lent was told of their agent
	served time.Time     // when its session was last seen to know that an agent has it
	looked time.Duration // how long it had waited when it was looked at last
	shown  flow.Place    // in its chat
}

// Times of the worker.
const (
	lineTick = time.Second            // how often those who wait are looked at
	heldTick = 10 * time.Second       // and those whom an agent has
	tellTime = 10 * time.Second       // for a session to take in what is told
	lentTime = 100 * time.Millisecond // until it is looked again whether a caller who is lent can be given back
	soonTime = 20 * time.Millisecond  // until a session that comes into line is looked at again
)

func (t *told) init() {
	t.wake = make(chan struct{}, 1)
	t.changed = map[tandem.InteractionID]struct{}{}
	t.waiting = map[tandem.InteractionID]*waiter{}
}

// add has an interaction looked at.
func (t *told) add(in tandem.InteractionID) {
	t.mu.Lock()
	t.changed[in] = struct{}{}
	t.mu.Unlock()
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// take hands over what has changed.
func (t *told) take() map[tandem.InteractionID]struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := t.changed
	t.changed = map[tandem.InteractionID]struct{}{}
	return out
}

// waits notes a session that waits in line. One that is known keeps what it was told.
func (t *told) waits(w waiter) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if old := t.waiting[w.in]; old != nil && old.task == w.task {
		w.next, w.looked, w.shown, w.served = old.next, old.looked, old.shown, old.served
	}
	t.waiting[w.in] = &w
}

func (t *told) over(in tandem.InteractionID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.waiting, in)
}

// of is a session's wait in line.
func (t *told) of(in tandem.InteractionID) (waiter, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.waiting[in]
	if w == nil {
		return waiter{}, false
	}
	return *w, true
}

// all are the sessions that wait.
func (t *told) all() []waiter {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := make([]waiter, 0, len(t.waiting))
	for _, w := range t.waiting {
		out = append(out, *w)
	}
	return out
}

// update changes what is known of a session that waits, if it does still.
func (t *told) update(w waiter, do func(*waiter)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if now := t.waiting[w.in]; now != nil && now.task == w.task {
		do(now)
	}
}

// lineChanged is told of each fact, on the line's own goroutine.
func (a *App) lineChanged(f queue.Fact) {
	a.metrics.line(f)
	a.besideChanged(f)
	switch o := f.Output.(type) {
	case route.Placed:
		a.told.add(o.Task.Interaction)
	case route.TaskChanged:
		a.told.add(o.Task.Interaction)
	case route.TaskAssigned:
		a.told.add(o.Task.Interaction)
	case route.TaskReleased:
		a.told.add(o.Task.Interaction)
		if o.Task.State == tandem.TaskWrapping || o.Task.State == tandem.TaskDone {
			a.connects.over(o.Task)
		}
	case route.OfferOver:
		if _, waits := a.takes.waits(o.Task.ID); waits || isTaken(o.Task) {
			a.told.add(o.Task.Interaction)
		}
		if o.Why == "declined" && o.Task.Prefer == o.Agent {
			a.connects.declined(o.Task)
		}
	case route.TaskOver:
		a.told.add(o.Task.Interaction)
		a.connects.over(o.Task)
	}
}

// tellSessions is the worker that brings sessions up to date, until ctx ends.
func (a *App) tellSessions(ctx context.Context) {
	tick := time.NewTicker(lineTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.told.wake:
			for in := range a.told.take() {
				a.contain("line", func() { a.bring(ctx, in) })
			}
		case <-tick.C:
			for _, w := range a.told.all() {
				a.contain("line", func() { a.lookAt(ctx, w) })
			}
		}
	}
}

// bring tells a session what has become of its task, if it does not know. What cannot be
// told now is told later.
func (a *App) bring(ctx context.Context, in tandem.InteractionID) {
	ctx, cancel := context.WithTimeout(ctx, tellTime)
	defer cancel()
	w, ok := a.told.of(in)
	if !ok {
		a.bringTaken(ctx, in)
		return
	}
	if err := a.tellSession(ctx, w); err != nil && ctx.Err() == nil {
		a.log.Warn("a session could not be told of its place in line; it is tried again", "interaction", in, "error", err)
		time.AfterFunc(lineTick, func() { a.told.add(in) })
	}
}

func (a *App) tellSession(ctx context.Context, w waiter) error {
	if w.proof {
		return a.tellProof(ctx, w)
	}
	wait, err := a.waitOf(ctx, w.in)
	switch {
	case err == nil && wait.Serial < w.serial && a.live.get(w.in) != nil: // what it waits for has just begun
		time.AfterFunc(soonTime, func() { a.told.add(w.in) })
		return nil
	case errors.Is(err, store.ErrNotFound), err == nil && (wait.Kind != flow.WaitQueue || wait.Serial != w.serial):
		a.told.over(w.in) // it is past that
		return nil
	}
	if err != nil {
		return err
	}
	t, ok := a.line.Task(w.task)
	if !ok {
		if t, err = a.pastTask(ctx, w); err != nil {
			return err
		}
	}
	a.noteInLine(ctx, t)
	in := flow.Input{At: a.now(), Serial: w.serial}
	switch {
	case t.State == tandem.TaskWrapping || t.State == tandem.TaskDone:
		in.Kind, in.Result = flow.InputResult, &flow.Result{Outcome: queueOutcome(t)}
		step, err := a.backAt(ctx, t)
		if err != nil {
			return err
		}
		if step != "" {
			in.Kind, in.Result, in.Step = flow.InputBack, nil, step
		}
		a.told.over(w.in)
	case t.Kind == tandem.TaskCallback:
		in.Kind, in.Result = flow.InputResult, &flow.Result{Outcome: "callback"}
		a.told.over(w.in)
	case t.State == tandem.TaskAssigned:
		if wait.Served {
			if w.lent { // if it cannot be done now it is tried again
				if err := a.phones.GiveBack(ctx, w.in); err != nil {
					return err
				}
			}
			a.told.update(w, func(w *waiter) { w.served, w.lent = a.now(), false })
			return nil
		}
		if t.Kind == tandem.TaskCall && !a.joined(w.in) { // a call is told as it is joined
			return nil
		}
		in.Kind, in.Text, in.Kept = flow.InputServed, a.agentName(ctx, t.Agent), w.lent
		if w.lent {
			time.AfterFunc(lentTime, func() { a.told.add(w.in) })
			if a.now().Sub(w.handed) < tellTime { // it hears what the flow says to its end first
				return nil
			}
			a.told.update(w, func(w *waiter) { w.handed = a.now() })
		}
		a.reach.Withdraw(w.in) // nobody goes elsewhere now
	case wait.Served || wait.Place == nil:
		in.Kind, in.Place = flow.InputPlace, a.placeOf(t)
		a.told.update(w, func(w *waiter) { w.next = a.now().Add(w.every) })
	default:
		return nil
	}
	return a.hand(ctx, w.in, in)
}

// hand brings an input to a session, wherever it runs.
func (a *App) hand(ctx context.Context, in tandem.InteractionID, input flow.Input) error {
	if a.live.tell(in, input) {
		return nil
	}
	return a.talk.Deliver(ctx, in, input)
}

// waitOf is what a session waits for.
func (a *App) waitOf(ctx context.Context, in tandem.InteractionID) (flow.Wait, error) {
	if k := a.live.get(in); k != nil {
		k.stay.mu.Lock()
		defer k.stay.mu.Unlock()
		return k.stay.wait, nil
	}
	s, err := a.stored(ctx, in)
	return s.Line(), err
}

// pastTask is a task that is done.
func (a *App) pastTask(ctx context.Context, w waiter) (tandem.Task, error) {
	tasks, err := a.store.Tasks(ctx, w.in)
	if err != nil {
		return tandem.Task{}, err
	}
	for _, t := range tasks {
		if t.ID == w.task {
			return t, nil
		}
	}
	return tandem.Task{}, fmt.Errorf("task %s is not there", w.task)
}

// queueOutcome is the verb's outcome for a task that an agent has no more.
func queueOutcome(t tandem.Task) string {
	switch t.Outcome {
	case "", tandem.OutcomeServed: // "" = wrapping
		return "answered"
	case tandem.OutcomeMaxWait:
		return "max_wait"
	}
	return "no_agents"
}

// placeOf is where a task waits, as its session is told.
func (a *App) placeOf(t tandem.Task) *flow.Place {
	p, _ := a.line.Place(t.ID)
	return &flow.Place{Queue: t.Queue, Position: p.Position, AtLeast: p.AtLeast, AtMost: p.AtMost, Waited: a.now().Sub(t.Arrived)}
}

// lookAt announces the place of one who waits when it is time, and shows it in a chat when
// it has changed.
func (a *App) lookAt(ctx context.Context, w waiter) {
	t, ok := a.line.Task(w.task)
	if ok && t.State == tandem.TaskAssigned && a.now().Sub(w.served) < heldTick {
		return // that a session knows is read from the store
	}
	if !ok || t.State == tandem.TaskAssigned || t.State == tandem.TaskWrapping {
		a.told.add(w.in)
		return
	}
	now := a.now()
	place := a.placeOf(t)
	a.showPlace(ctx, w, *place)
	due := t.Kind == tandem.TaskCall && w.every > 0 && !now.Before(w.next)
	for _, after := range w.offerAfter {
		due = due || w.looked < after && after <= place.Waited
	}
	a.told.update(w, func(w *waiter) {
		w.looked = place.Waited
		if due {
			w.next = now.Add(w.every)
		}
	})
	if !due || w.next.IsZero() { // the first comes as it enters the line
		return
	}
	in := flow.Input{Kind: flow.InputPlace, At: now, Serial: w.serial, Place: place}
	if err := a.hand(ctx, w.in, in); err != nil {
		a.log.Debug("a place in line could not be told", "interaction", w.in, "error", err)
	}
}

// showPlace shows a place in the chat of one who waits, if it is not what is shown there.
func (a *App) showPlace(ctx context.Context, w waiter, p flow.Place) {
	p.AtLeast, p.AtMost, p.Waited = p.AtLeast.Truncate(time.Minute), p.AtMost.Round(time.Minute), 0
	if w.conversation == "" || p == w.shown {
		return
	}
	a.told.update(w, func(w *waiter) { w.shown = p })
	if shown, ok := a.talk.Place(ctx, w.conversation, &p); ok {
		a.book.Publish(w.conversation, *shown)
	}
}

// hidePlace ends a place that is shown in a chat in whose flow no line is: somebody has them.
func (a *App) hidePlace(w waiter) {
	if w.conversation == "" || w.shown == (flow.Place{}) {
		return
	}
	a.told.update(w, func(w *waiter) { w.shown = flow.Place{} })
	a.book.Publish(w.conversation, chat.Place{})
}

// placeIn is the place that a chat shows as it is opened.
func (a *App) placeIn(ctx context.Context, c chat.Conversation) (*chat.Place, bool) {
	if p, ok := a.placeBeside(ctx, c.Interaction); ok {
		return &p, p.Served
	}
	var at *flow.Place
	if w, ok := a.told.of(c.Interaction); ok {
		if t, ok := a.line.Task(w.task); ok && t.State != tandem.TaskAssigned {
			at = a.placeOf(t)
		}
	}
	return a.talk.Place(ctx, c.ID, at)
}

// movedInLine is told of a session in line that goes on by another channel: its task is of
// that channel now, at the same place.
func (a *App) movedInLine(ctx context.Context, r text.Ref, s flow.Session) {
	if w, ok := a.told.of(r.Interaction); ok {
		w.conversation, w.serial = r.Conversation, s.Wait.Serial
		a.told.waits(w)
	}
	for _, t := range a.line.Of(r.Interaction) { // an agent may have them already, who took them as they went
		if !t.Kind.Live() || t.Key == "" || t.State == tandem.TaskWrapping || t.Kind == kindOn(r.Channel) {
			continue
		}
		if err := a.moveTask(ctx, t, kindOn(r.Channel)); err != nil && tandem.CodeOf(err) != tandem.CodeConflict {
			a.log.Warn("a task in line could not be moved to another channel; the next start tries again", "task", t.ID, "error", err)
		}
	}
	a.told.add(r.Interaction)
}

// moveTask makes a task one of another channel. An agent who took it as its customer went,
// and has as many of that kind as they may, gives it back.
func (a *App) moveTask(ctx context.Context, t tandem.Task, kind tandem.TaskKind) error {
	to := route.Changed{At: a.now(), Task: t.ID, Kind: kind, Why: "moved"}
	_, err := a.line.Change(ctx, to, nil)
	now, ok := a.line.Task(t.ID)
	if tandem.CodeOf(err) != tandem.CodeConflict || !ok || now.State != tandem.TaskAssigned || now.Kind == kind {
		return err
	}
	if _, err = a.line.Release(ctx, route.Released{At: a.now(), Task: now.ID, Agent: now.Agent, Fence: now.Fence, Why: "handed_back", Again: true, NoWrap: true}, nil); err == nil {
		_, err = a.line.Change(ctx, to, nil)
	}
	return err
}

// agentName is the name that customers know an agent by.
func (a *App) agentName(ctx context.Context, name string) string {
	if u, err := a.staff.User(ctx, name); err == nil && u.Display != "" {
		return u.Display
	}
	return name
}
