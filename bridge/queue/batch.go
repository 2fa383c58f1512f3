package queue

import (
	"errors"
	"slices"
	"time"

	"tandem"
	"tandem/bridge/route"
	"tandem/store"
)

// batch is what is applied to the line as one durable change.
type batch struct {
	c       *Core
	now     time.Time
	events  []route.Event
	facts   []Fact
	changes []*store.Change
	own     []*store.Change // those of changes that are ours
	ours    *store.Change   // the newest of changes, if it is ours to add to; else nil

	tasks    map[tandem.TaskID]tandem.Task // touched, as they were last heard of
	taskList []tandem.TaskID               // in the order they were touched
	names    []string                      // agents touched
	whys     map[uint64]string             // of holds that end, by fence
	agents   []route.AgentState            // as they are to be stored; filled in by written
}

// newBatch begins a batch at a time as the journal keeps it: how long something lasted is
// told by the same clock, which may be set meanwhile, and not by the machine's other one.
func newBatch(c *Core, now time.Time) *batch {
	return &batch{c: c, now: now.Round(0), tasks: map[tandem.TaskID]tandem.Task{}, whys: map[uint64]string{}}
}

// apply tells the line of an event and takes in what comes of it. The event is kept for the
// readers' line.
func (b *batch) apply(e route.Event, actor string) []route.Output {
	e = stamp(e, b.now)
	b.events = append(b.events, e)
	outputs := b.c.line.Apply(e)
	for _, o := range outputs {
		if _, late := o.(route.Late); late {
			continue
		}
		b.facts = append(b.facts, Fact{At: b.now, Output: o})
		note(b.c.of, o)
		b.take(o, actor)
	}
	return outputs
}

// errDone answers what is asked of a task that is not in line.
var errDone = &tandem.Error{Code: tandem.CodeNotFound, Message: "this task is not in line: it is done, or never was"}

// ask does what is asked. What is refused leaves the line as it is, and its change is not
// written.
func (b *batch) ask(a *Ask) (answer Answer) {
	if done, is := b.already(a); is {
		return done
	}
	id := taskOf(a.Event)
	if id != "" {
		if _, live := b.c.line.Task(id); !live {
			if _, end := a.Event.(route.Ended); !end { // one that is done is ended
				return Answer{Err: errDone}
			}
			b.add(a.Change)
			return Answer{}
		}
	}
	if e, is := a.Event.(route.Present); is {
		if _, known := b.c.line.Agent(e.Agent); !known {
			return Answer{Err: tandem.Errorf(tandem.CodeNotFound, "there is no agent %q in the routing policy", e.Agent)}
		}
	}
	e := a.Event
	if err := b.nearOf(e); err != nil {
		return Answer{Err: err}
	}
	if o, is := e.(route.Opened); is {
		if err := b.fit(&o.Task); err != nil {
			return Answer{Err: err}
		}
		e, id = o, o.Task.ID
	}
	b.add(a.Change)
	for _, o := range b.apply(e, a.Actor) {
		switch o := o.(type) {
		case route.Refused:
			answer.Err = &Refused{Why: o.Why}
		case route.Late:
			answer.Err = &tandem.Error{Code: tandem.CodeConflict, Message: o.Why.En}
		}
	}
	if answer.Err != nil && a.Change != nil {
		b.changes = slices.DeleteFunc(b.changes, func(c *store.Change) bool { return c == a.Change })
	}
	if id != "" {
		answer.Task = b.task(id)
	}
	if p, is := a.Event.(route.Present); is {
		answer.Agent, _ = b.c.line.Agent(p.Agent)
	}
	return answer
}

// already answers what was done before: an answer that was lost on its way is asked for
// again, and is the same.
func (b *batch) already(a *Ask) (Answer, bool) {
	switch e := a.Event.(type) {
	case route.Opened:
		for _, t := range pick(b.c.line, b.c.of[e.Task.Interaction]) {
			if e.Task.Key != "" && t.Key == e.Task.Key || t.ID == e.Task.ID {
				return Answer{Task: t}, true
			}
		}
	case route.Accepted:
		t, ok := b.c.line.Task(e.Task)
		if ok && t.State == tandem.TaskAssigned && t.Agent == e.Agent && t.Fence == e.Fence {
			return Answer{Task: t}, true
		}
	}
	return Answer{}, false
}

// fit completes a task that is to be opened, and refuses one that cannot be.
func (b *batch) fit(t *tandem.Task) error {
	if t.Interaction == "" {
		return tandem.Errorf(tandem.CodeInvalid, "a task needs its interaction")
	}
	if t.ID == "" {
		t.ID = tandem.NewID[tandem.TaskID](b.now, b.c.o.Random)
	}
	if t.Arrived.IsZero() {
		t.Arrived = b.now
	}
	return b.near(t.Arrived, t.Due, t.NotBefore, t.Expires, t.PreferTill, t.TicketDue)
}

// far is how far from now a time may lie that the line is given: a customer may have named
// it, and one that is centuries away is no number of nanoseconds.
const far = 20 * 365 * 24 * time.Hour

// near is an error for times that the line cannot keep.
func (b *batch) near(times ...time.Time) error {
	for _, t := range times {
		if !t.IsZero() && t.Sub(b.now).Abs() > far {
			return tandem.Errorf(tandem.CodeInvalid, "%s is too far away; name a time within %d years", t.UTC().Format(time.DateOnly), far/(365*24*time.Hour))
		}
	}
	return nil
}

// nearOf holds the times of an event about a task that is there against near.
func (b *batch) nearOf(e route.Event) error {
	switch e := e.(type) {
	case route.Changed:
		return b.near(e.NotBefore, e.Expires, e.TicketDue)
	case route.Released:
		return b.near(e.NotBefore)
	}
	return nil
}

// task is a task as it is now, be it done.
func (b *batch) task(id tandem.TaskID) tandem.Task {
	if t, ok := b.c.line.Task(id); ok {
		return t
	}
	return b.tasks[id]
}

// add writes a caller's change after what came before.
func (b *batch) add(c *store.Change) {
	if c != nil {
		b.changes, b.ours = append(b.changes, c), nil
	}
}

// change is that of ours which the next event of an interaction goes into. Events are
// written in the order in which they came about, over all interactions: the journal is
// read in that order.
func (b *batch) change(in tandem.InteractionID) *store.Change {
	if b.ours == nil || b.ours.Of != in {
		b.ours = &store.Change{Of: in}
		b.changes, b.own = append(b.changes, b.ours), append(b.own, b.ours)
	}
	return b.ours
}

// event writes an event of a task to its interaction's journal.
func (b *batch) event(in tandem.InteractionID, kind tandem.EventKind, actor string, payload any) {
	if actor == "" {
		actor = "system"
	}
	c := b.change(in)
	c.Events = append(c.Events, tandem.NewEvent(in, "", b.now, kind, actor, payload))
}

func (b *batch) touch(t *tandem.Task) {
	if _, known := b.tasks[t.ID]; !known {
		b.taskList = append(b.taskList, t.ID)
	}
	b.tasks[t.ID] = *t
}

func (b *batch) touchAgent(name string) {
	if name != "" && !slices.Contains(b.names, name) {
		b.names = append(b.names, name)
	}
}

// take writes an output to the journal and notes whose rows it changes.
func (b *batch) take(o route.Output, actor string) {
	switch o := o.(type) {
	case route.Placed:
		b.touch(&o.Task)
		b.event(o.Task.Interaction, tandem.EventTaskOpened, actor, o.Task)
	case route.TaskChanged:
		t := &o.Task
		b.touch(t)
		b.touchAgent(t.Agent)
		b.event(t.Interaction, tandem.EventTaskChanged, actor, tandem.TaskChanged{Task: t.ID, Kind: t.Kind, Queue: t.Queue,
			Priority: t.Priority, Prefer: t.Prefer, Due: t.Due, Why: o.Why})
	case route.OfferMade:
		t := &o.Task
		b.touch(t)
		b.touchAgent(t.Agent)
		b.event(t.Interaction, tandem.EventTaskOffered, actor, tandem.Offered{Task: t.ID, Agent: t.Agent, Fence: t.Fence, Deadline: t.Deadline, Decision: o.Decision})
	case route.OfferOver:
		b.touch(&o.Task)
		b.touchAgent(o.Agent)
		b.whys[o.Fence] = o.Why
		b.event(o.Task.Interaction, tandem.EventTaskReturned, actor, tandem.Returned{Task: o.Task.ID, Agent: o.Agent, Fence: o.Fence, Why: o.Why})
	case route.TaskAssigned:
		t := &o.Task
		b.touch(t)
		b.touchAgent(t.Agent)
		b.event(t.Interaction, tandem.EventTaskAssigned, t.Agent, tandem.Assigned{Task: t.ID, Agent: t.Agent, Fence: t.Fence, Waited: b.now.Sub(t.Arrived).Seconds(),
			Target: b.c.wanted.Target(t).Seconds()})
	case route.TaskReleased:
		b.touch(&o.Task)
		b.touchAgent(o.Agent)
		b.whys[o.Fence] = o.Why
		b.event(o.Task.Interaction, tandem.EventTaskReleased, actor, tandem.Released{Task: o.Task.ID, Agent: o.Agent, Fence: o.Fence, Why: o.Why,
			Again: o.Task.State == tandem.TaskWaiting, Seconds: o.Seconds})
	case route.WrapBegun:
		b.touchAgent(o.Agent)
	case route.WrapOver:
		b.touchAgent(o.Agent)
		b.whys[o.Fence] = "wrapped"
		if o.Late {
			b.whys[o.Fence] = "late"
		}
		b.event(o.Interaction, tandem.EventTaskWrapped, actor, tandem.Wrapped{Task: o.Task, Agent: o.Agent, Fence: o.Fence,
			Disposition: o.Disposition, Seconds: o.Seconds, Late: o.Late})
	case route.TaskOver:
		b.touch(&o.Task)
		b.touchAgent(o.Task.Agent)
		b.event(o.Task.Interaction, tandem.EventTaskDone, actor, tandem.TaskOver{Task: o.Task.ID, Agent: o.Task.Agent, Outcome: o.Task.Outcome})
	case route.AgentChanged:
		b.touchAgent(o.Agent.Name)
	}
}

// written is all that the batch writes.
func (b *batch) written() *Written {
	k := b.c.kept
	w := &Written{Rows: Rows{Version: k.version, Next: k.version + 1, Fence: k.fence, At: b.now}}
	last := map[tandem.InteractionID]*store.Change{} // the newest of ours of each
	for _, c := range b.own {
		last[c.Of] = c
	}
	for _, id := range b.taskList {
		t := b.task(id)
		c := last[t.Interaction]
		if c == nil {
			c = b.change(t.Interaction)
		}
		c.Tasks = append(c.Tasks, t)
		w.Rows.Fence = max(w.Rows.Fence, t.Fence)
	}
	for fence := range b.whys {
		w.Rows.Fence = max(w.Rows.Fence, fence)
	}
	w.Changes = b.changes
	slices.Sort(b.names)
	for _, name := range b.names {
		is, ok := b.c.line.Agent(name)
		if !ok {
			is = route.AgentState{Name: name, Presence: tandem.PresenceOffline}
		}
		was, stored := k.agents[name]
		b.holds(&w.Rows, &was, &is)
		if !stored || was.Presence != is.Presence || was.Reason != is.Reason || !was.Since.Equal(is.Since) || !was.Idle.Equal(is.Idle) || was.Missed != is.Missed {
			w.Rows.Agents = append(w.Rows.Agents, is)
			if stored && (was.Presence != is.Presence || was.Reason != is.Reason) || !stored && is.Presence != tandem.PresenceOffline {
				w.Rows.Present = append(w.Rows.Present, is)
			}
		}
		b.agents = append(b.agents, is)
	}
	return w
}

// holds writes in which way an agent's holds differ from what is stored.
func (b *batch) holds(r *Rows, was, is *route.AgentState) {
	old := make(map[uint64]*route.Holding, len(was.Holds))
	for i := range was.Holds {
		old[was.Holds[i].Fence] = &was.Holds[i]
	}
	for i := range is.Holds {
		h := is.Holds[i]
		before := old[h.Fence]
		delete(old, h.Fence)
		if before != nil && before.State == h.State && before.Kind == h.Kind && before.Since.Equal(h.Since) && before.Deadline.Equal(h.Deadline) {
			continue
		}
		row := Hold{Holding: h, Agent: is.Name, Load: h.Kind.Load(), New: before == nil}
		if h.State == tandem.TaskAssigned {
			row.Assigned = h.Since
		}
		r.Holds = append(r.Holds, row)
	}
	for i := range was.Holds {
		if fence := was.Holds[i].Fence; old[fence] != nil {
			r.Over = append(r.Over, Over{Fence: fence, Why: b.whys[fence]})
		}
	}
}

// stamp puts the time into an event that has none.
func stamp(e route.Event, at time.Time) route.Event {
	switch e := e.(type) {
	case route.Opened:
		e.At = at
		return e
	case route.Changed:
		e.At = or(e.At, at)
		return e
	case route.Ended:
		e.At = or(e.At, at)
		return e
	case route.Accepted:
		e.At = at
		return e
	case route.Declined:
		e.At = or(e.At, at)
		return e
	case route.Released:
		e.At = or(e.At, at)
		return e
	case route.Reassigned:
		e.At = at
		return e
	case route.Consulted:
		e.At = at
		return e
	case route.Wrapped:
		e.At = at
		return e
	case route.Pulled:
		e.At = at
		return e
	case route.Present:
		e.At = at
		return e
	case route.Reachable:
		e.At = at
		return e
	case route.Hours:
		e.At = at
		return e
	case route.Repoliced:
		e.At = at
		return e
	case route.Drained:
		e.At = at
		return e
	case route.Tick:
		e.At = at
		return e
	}
	panic(errors.New("queue: an event without a time"))
}

func or(at, now time.Time) time.Time {
	if at.IsZero() {
		return now
	}
	return at
}

// taskOf is the task that an event is about; "" if it is about none that is there.
func taskOf(e route.Event) tandem.TaskID {
	switch e := e.(type) {
	case route.Changed:
		return e.Task
	case route.Ended:
		return e.Task
	case route.Accepted:
		return e.Task
	case route.Declined:
		return e.Task
	case route.Released:
		return e.Task
	case route.Reassigned:
		return e.Task
	case route.Pulled:
		return e.Task
	}
	return ""
}
