package audit

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"tandem"
	"tandem/bridge/queue"
	"tandem/bridge/route"
)

// Ledger works the line out of the journal alone, and says what cannot be: it knows nothing
// of how the line decides, only what is promised of it (docs/invariants.md). The audit, the
// simulator and its tests keep one. Events are entered in the order of the journal, over
// all interactions.
type Ledger struct {
	// Policy is what capacities, and who could have taken what, are held against; nil leaves
	// that out.
	Policy *route.Policy
	// Wrong is told what cannot be. Unsure is told what can be only if the policy was
	// another one then; nil = as Wrong.
	Wrong, Unsure func(finding string)

	tasks  map[tandem.TaskID]*entry
	of     map[tandem.InteractionID][]*entry // not done
	lines  map[string]map[tandem.TaskID]*entry
	holds  map[uint64]*holding
	has    map[agentLoad]int // offered and assigned
	erased map[tandem.InteractionID]bool
	queues map[string]*Figures
	fence  uint64 // the newest
}

type agentLoad struct {
	agent string
	load  tandem.Load
}

// entry is one task by its events.
type entry struct {
	tandem.Task
	old     bool                 // from before there was a line: nothing is known of its place
	moved   bool                 // it may be waiting for a time that no event tells
	kept    time.Time            // it may be kept for Prefer till then
	passed  map[string]time.Time // when an agent let it pass
	taken   bool                 // somebody had it once
	passing bool                 // who had it gave it on, straight to another
}

// pass notes that an agent let it pass, or handed it back.
func (t *entry) pass(agent string, at time.Time) {
	if t.passed == nil {
		t.passed = map[string]time.Time{}
	}
	t.passed[agent] = at
}

// holding is an offer and what came of it.
type holding struct {
	task     tandem.TaskID
	agent    string
	load     tandem.Load
	state    tandem.TaskState // see Ledger.Hold
	deadline time.Time
	since    time.Time
}

// Figures are what became of one queue's tasks.
type Figures struct {
	Queue    string         `json:"queue"`
	Opened   int            `json:"opened"`
	Waiting  int            `json:"waiting"`  // or offered
	Assigned int            `json:"assigned"` // or wrapping
	Outcomes map[string]int `json:"outcomes"` // of those that are done
	Median   float64        `json:"median"`   // seconds from arrival till first taken, of those taken
	Longest  float64        `json:"longest"`
	waits    []float64
}

// NewLedger is an empty one.
func NewLedger(p *route.Policy, wrong func(string)) *Ledger {
	return &Ledger{Policy: p, Wrong: wrong, tasks: map[tandem.TaskID]*entry{}, of: map[tandem.InteractionID][]*entry{}, lines: map[string]map[tandem.TaskID]*entry{},
		holds: map[uint64]*holding{}, has: map[agentLoad]int{}, erased: map[tandem.InteractionID]bool{}, queues: map[string]*Figures{}}
}

func (l *Ledger) wrong(format string, args ...any) { l.Wrong(fmt.Sprintf(format, args...)) }

func (l *Ledger) unsure(format string, args ...any) {
	if l.Unsure != nil {
		l.Unsure(fmt.Sprintf(format, args...))
		return
	}
	l.wrong(format, args...)
}

// Task is a task as the journal has it.
func (l *Ledger) Task(id tandem.TaskID) (t tandem.Task, ok bool) {
	e := l.tasks[id]
	if e == nil {
		return t, false
	}
	return e.Task, true
}

// Returned is the state of an offer that came to nothing.
const Returned tandem.TaskState = "returned"

// Hold is what came of an offer: offered, returned, assigned, wrapping (released: notes may
// follow) or done (the notes are over).
func (l *Ledger) Hold(fence uint64) (task tandem.TaskID, agent string, state tandem.TaskState, ok bool) {
	h := l.holds[fence]
	if h == nil {
		return "", "", "", false
	}
	return h.task, h.agent, h.state, true
}

// Enter takes in the next event; one that is not of a task is passed over.
func (l *Ledger) Enter(e *tandem.Event) {
	switch e.Kind {
	case tandem.EventTaskOpened, tandem.EventTaskChanged, tandem.EventTaskOffered, tandem.EventTaskReturned, tandem.EventTaskAssigned,
		tandem.EventTaskReleased, tandem.EventTaskWrapped, tandem.EventTaskDone:
	default:
		return
	}
	if len(e.Data) == 0 || string(e.Data) == "null" {
		l.erased[e.Interaction] = true
		return
	}
	switch e.Kind {
	case tandem.EventTaskOpened:
		enter(l, e, l.opened)
	case tandem.EventTaskChanged:
		enter(l, e, l.changed)
	case tandem.EventTaskOffered:
		enter(l, e, l.offered)
	case tandem.EventTaskReturned:
		enter(l, e, l.returned)
	case tandem.EventTaskAssigned:
		enter(l, e, l.assigned)
	case tandem.EventTaskReleased:
		enter(l, e, l.released)
	case tandem.EventTaskWrapped:
		enter(l, e, l.wrapped)
	case tandem.EventTaskDone:
		enter(l, e, l.over)
	}
}

func enter[P any](l *Ledger, e *tandem.Event, take func(*tandem.Event, *P)) {
	var p P
	if err := json.Unmarshal(e.Data, &p); err != nil {
		l.wrong("event %d of interaction %s cannot be read: %v", e.Seq, e.Interaction, err)
		return
	}
	take(e, &p)
}

// live finds a task that an event is about.
func (l *Ledger) live(e *tandem.Event, id tandem.TaskID) *entry {
	t := l.tasks[id]
	switch {
	case t == nil:
		l.wrong("%s of task %s, which was never opened", e.Kind, id)
		return nil
	case t.State == tandem.TaskDone:
		l.wrong("%s of task %s, which is done", e.Kind, id)
		return nil
	case t.Interaction != e.Interaction:
		l.wrong("%s of task %s stands with interaction %s, the task is of %s", e.Kind, id, e.Interaction, t.Interaction)
	}
	return t
}

// set moves a task to a state.
func (l *Ledger) set(t *entry, s tandem.TaskState) {
	if t.State == tandem.TaskWaiting {
		delete(l.lines[t.Queue], t.ID)
	}
	t.State = s
	if s == tandem.TaskWaiting {
		l.enqueue(t)
	}
}

func (l *Ledger) enqueue(t *entry) {
	q := l.lines[t.Queue]
	if q == nil {
		q = map[tandem.TaskID]*entry{}
		l.lines[t.Queue] = q
	}
	q[t.ID] = t
}

func (l *Ledger) figures(queue string) *Figures {
	f := l.queues[queue]
	if f == nil {
		f = &Figures{Queue: queue, Outcomes: map[string]int{}}
		l.queues[queue] = f
	}
	return f
}

func (l *Ledger) opened(e *tandem.Event, p *tandem.Task) {
	if l.tasks[p.ID] != nil {
		l.wrong("task %s was opened twice", p.ID)
		return
	}
	t := &entry{Task: *p, old: p.Due.IsZero(), kept: p.PreferTill}
	if t.Interaction != e.Interaction {
		l.wrong("task %s of interaction %s stands with interaction %s", t.ID, t.Interaction, e.Interaction)
		t.Interaction = e.Interaction
	}
	if t.State != tandem.TaskWaiting && !t.old {
		l.wrong("task %s was opened %s and not waiting", t.ID, t.State)
	}
	t.State = tandem.TaskWaiting
	for _, o := range l.of[t.Interaction] {
		if t.Key != "" && o.Key == t.Key {
			l.wrong("tasks %s and %s of interaction %s were opened for the same %s", o.ID, t.ID, t.Interaction, t.Key)
		}
	}
	l.keep(t, e.At)
	l.tasks[t.ID] = t
	l.of[t.Interaction] = append(l.of[t.Interaction], t)
	l.enqueue(t)
	l.figures(t.Queue).Opened++
}

// keep notes for how long a task may be kept for whom it prefers: the queue's time, and
// after it was handed to them as long as an offer lasts.
func (l *Ledger) keep(t *entry, at time.Time) {
	span := 30 * time.Second
	if l.Policy != nil {
		span = max(span, l.Policy.Offer[t.Kind.Load()])
		if q := l.Policy.Queues[t.Queue]; q != nil {
			span = max(span, q.Prefer)
		}
	}
	till := at.Add(span)
	if t.NotBefore.After(at) {
		till = till.Add(t.NotBefore.Sub(at))
	}
	if t.Prefer != "" && till.After(t.kept) {
		t.kept = till
	}
}

func (l *Ledger) changed(e *tandem.Event, p *tandem.TaskChanged) {
	t := l.live(e, p.Task)
	if t == nil {
		return
	}
	waits := t.State == tandem.TaskWaiting
	if waits {
		delete(l.lines[t.Queue], t.ID)
	}
	ticket := t.Kind == tandem.TaskTicket
	if !t.old && !ticket && !p.Due.Equal(t.Due) && p.Queue == t.Queue && p.Priority == t.Priority {
		l.wrong("task %s lost its place: it was due at %s and is at %s, and neither its queue nor its priority changed", t.ID, stampOf(t.Due), stampOf(p.Due))
	}
	if h := l.holds[t.Fence]; h != nil && (h.state == tandem.TaskOffered || h.state == tandem.TaskAssigned) { // it counts as what it is now
		l.has[agentLoad{h.agent, h.load}]--
		h.load = p.Kind.Load()
		l.has[agentLoad{h.agent, h.load}]++
	}
	t.Kind, t.Queue, t.Priority, t.Prefer, t.Due = p.Kind, p.Queue, p.Priority, p.Prefer, p.Due
	t.moved = true
	l.keep(t, e.At)
	if p.Why == "alone" {
		t.kept = e.At.Add(100 * 365 * 24 * time.Hour)
	}
	if waits {
		l.enqueue(t)
	}
}

func stampOf(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000") }

func (l *Ledger) offered(e *tandem.Event, p *tandem.Offered) {
	t := l.live(e, p.Task)
	if t == nil {
		return
	}
	if t.State != tandem.TaskWaiting {
		l.wrong("task %s was offered to %s while it was %s", t.ID, p.Agent, t.State)
	}
	if p.Fence <= l.fence {
		l.wrong("the offer of task %s to %s has number %d, one before has %d", t.ID, p.Agent, p.Fence, l.fence)
	}
	l.fence = max(l.fence, p.Fence)
	if !p.Deadline.After(e.At) {
		l.wrong("the offer of task %s to %s was over as it was made", t.ID, p.Agent)
	}
	for _, o := range l.of[t.Interaction] {
		if o != t && (o.State == tandem.TaskOffered || o.State == tandem.TaskAssigned) {
			l.wrong("interaction %s has two tasks with agents: %s is %s to %s while %s is offered to %s", t.Interaction, o.ID, o.State, o.Agent, t.ID, p.Agent)
		}
	}
	load := t.Kind.Load()
	if most, known := l.capacity(p.Agent, load); known && l.has[agentLoad{p.Agent, load}] >= most {
		l.unsure("%s was offered task %s at %s beside %d of %s, and may have %d", p.Agent, t.ID, stampOf(e.At), l.has[agentLoad{p.Agent, load}], load, most)
	}
	if e.Actor != queue.Supervisor {
		l.overtaken(e.At, t, p.Agent)
	}
	l.set(t, tandem.TaskOffered)
	t.Agent, t.Fence, t.Deadline = p.Agent, p.Fence, p.Deadline
	l.holds[p.Fence] = &holding{task: t.ID, agent: p.Agent, load: load, state: tandem.TaskOffered, deadline: p.Deadline, since: e.At}
	l.has[agentLoad{p.Agent, load}]++
}

// capacity is how much of a load an agent may have; known is false without a policy.
func (l *Ledger) capacity(agent string, load tandem.Load) (most int, known bool) {
	if l.Policy == nil || l.Policy.Agents[agent] == nil {
		return 0, false
	}
	return l.Policy.Agents[agent].Capacity[load], true
}

// hold finds the hold that an event is about, in the state it must be in.
func (l *Ledger) hold(e *tandem.Event, id tandem.TaskID, agent string, fence uint64, states ...tandem.TaskState) *holding {
	h := l.holds[fence]
	switch {
	case h == nil:
		l.wrong("%s of task %s by %s with number %d, which no offer has", e.Kind, id, agent, fence)
		return nil
	case h.task != id || h.agent != agent:
		l.wrong("%s of task %s by %s with number %d, which is of task %s and %s", e.Kind, id, agent, fence, h.task, h.agent)
		return nil
	case !slices.Contains(states, h.state):
		l.wrong("%s of task %s by %s with number %d, which is %s", e.Kind, id, agent, fence, h.state)
		return nil
	}
	return h
}

// drop takes an offer or an assignment from its agent.
func (l *Ledger) drop(h *holding, s tandem.TaskState) {
	l.has[agentLoad{h.agent, h.load}]--
	h.state = s
}

func (l *Ledger) returned(e *tandem.Event, p *tandem.Returned) {
	t, h := l.live(e, p.Task), l.hold(e, p.Task, p.Agent, p.Fence, tandem.TaskOffered)
	if t == nil || h == nil {
		return
	}
	if p.Why == "lapsed" && e.At.Before(h.deadline) {
		l.wrong("the offer of task %s to %s lapsed at %s, before its deadline %s", t.ID, p.Agent, stampOf(e.At), stampOf(h.deadline))
	}
	t.pass(p.Agent, e.At)
	l.drop(h, Returned)
	l.set(t, tandem.TaskWaiting)
	t.Agent, t.Deadline = "", time.Time{}
}

func (l *Ledger) assigned(e *tandem.Event, p *tandem.Assigned) {
	if t := l.tasks[p.Task]; t != nil && t.passing && t.State == tandem.TaskWrapping && l.holds[p.Fence] == nil {
		l.reassigned(e, t, p)
		return
	}
	t, h := l.live(e, p.Task), l.hold(e, p.Task, p.Agent, p.Fence, tandem.TaskOffered)
	if t == nil || h == nil {
		return
	}
	if e.At.After(h.deadline) {
		l.wrong("task %s was assigned to %s at %s, after its offer's deadline %s", t.ID, p.Agent, stampOf(e.At), stampOf(h.deadline))
	}
	waited := e.At.Sub(t.Arrived).Seconds()
	if !t.old && (p.Waited-waited > 0.001 || waited-p.Waited > 0.001) {
		l.wrong("task %s is said to have waited %.3f s when it was assigned; it was %.3f s", t.ID, p.Waited, waited)
	}
	if !t.taken {
		t.taken = true
		f := l.figures(t.Queue)
		f.waits = append(f.waits, waited)
	}
	h.state = tandem.TaskAssigned
	h.since = e.At
	if t.kept.After(e.At) { // what was kept has come to somebody
		t.kept = e.At
	}
	l.set(t, tandem.TaskAssigned)
	t.Deadline = time.Time{}
}

func (l *Ledger) released(e *tandem.Event, p *tandem.Released) {
	t, h := l.live(e, p.Task), l.hold(e, p.Task, p.Agent, p.Fence, tandem.TaskAssigned)
	if t == nil || h == nil {
		return
	}
	l.drop(h, tandem.TaskWrapping)
	t.passing = p.Why == "transferred" && !p.Again // straight to another, as the next event says
	if p.Again {
		l.set(t, tandem.TaskWaiting)
		t.Agent, t.moved = "", true
		t.pass(p.Agent, e.At) // and is not offered to them again at once
		return
	}
	l.set(t, tandem.TaskWrapping)
}

// reassigned is an assignment without an offer: who had the task has given it to somebody.
func (l *Ledger) reassigned(e *tandem.Event, t *entry, p *tandem.Assigned) {
	if p.Agent == t.Agent {
		l.wrong("task %s was given by %s to themselves", t.ID, t.Agent)
	}
	if p.Fence <= l.fence {
		l.wrong("task %s was given to %s with number %d, one before has %d", t.ID, p.Agent, p.Fence, l.fence)
	}
	l.fence = max(l.fence, p.Fence)
	load := t.Kind.Load()
	if most, known := l.capacity(p.Agent, load); known && l.has[agentLoad{p.Agent, load}] >= most {
		l.unsure("%s was given task %s at %s beside %d of %s, and may have %d", p.Agent, t.ID, stampOf(e.At), l.has[agentLoad{p.Agent, load}], load, most)
	}
	t.Agent, t.Fence, t.passing = p.Agent, p.Fence, false
	l.set(t, tandem.TaskAssigned)
	l.holds[p.Fence] = &holding{task: t.ID, agent: p.Agent, load: load, state: tandem.TaskAssigned, since: e.At}
	l.has[agentLoad{p.Agent, load}]++
}

func (l *Ledger) wrapped(e *tandem.Event, p *tandem.Wrapped) {
	if h := l.hold(e, p.Task, p.Agent, p.Fence, tandem.TaskWrapping); h != nil {
		h.state = tandem.TaskDone
	}
}

func (l *Ledger) over(e *tandem.Event, p *tandem.TaskOver) {
	t := l.live(e, p.Task)
	if t == nil {
		return
	}
	if t.State == tandem.TaskOffered || t.State == tandem.TaskAssigned {
		l.wrong("task %s is done while it is %s to %s", t.ID, t.State, t.Agent)
	}
	if p.Outcome == "" {
		l.wrong("task %s is done without an outcome", t.ID)
	}
	l.set(t, tandem.TaskDone)
	t.Outcome = p.Outcome
	l.of[t.Interaction] = slices.DeleteFunc(l.of[t.Interaction], func(o *entry) bool { return o == t })
	if len(l.of[t.Interaction]) == 0 {
		delete(l.of, t.Interaction)
	}
	l.figures(t.Queue).Outcomes[p.Outcome]++
}
