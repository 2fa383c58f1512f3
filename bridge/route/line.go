package route

import (
	"maps"
	"slices"
	"time"

	"tandem"
	"tandem/bridge/route/ordered"
)

// Line is the one line. It is not safe for concurrent use.
//
// Tasks that the same agents can take are a class, and agents who can take the same tasks
// are one; each class is kept in order. A decision looks at the first of each class, so it
// takes time by the number of classes, and by the logarithm of the tasks and agents in them.
type Line struct {
	policy  *Policy
	now     time.Time
	began   time.Time // what was to be answered by then was not this line's to wait for
	fence   uint64
	drained bool

	tasks  map[tandem.TaskID]*task
	agents map[string]*agent
	names  []*agent // agents by name
	queues map[string]*queue
	closed map[string]bool // queues, by name
	served map[tandem.InteractionID]*business
	timers timers

	supplies    []*supply // by id
	supplyKeys  map[string]*supply
	ready       [loadCount]ordered.Set // classes with somebody who can take something
	demands     []*demand              // by id; nil where freeDemands has it
	freeDemands []int
	usedDemands int
	waiting     [loadCount]ordered.Set // classes with somebody to be offered

	stirredTasks   []*task
	stirredAgents  []*agent
	stirredClasses []*demand
	stirs          []stir // a heap
	out            []Output
}

// New makes a line by a policy, as it was saved.
func New(p *Policy, s Saved) *Line {
	l := &Line{policy: p, now: s.At.Round(0), began: s.At.Round(0), fence: s.Fence, drained: s.Drained,
		tasks: map[tandem.TaskID]*task{}, agents: map[string]*agent{}, queues: map[string]*queue{}, closed: map[string]bool{}, served: map[tandem.InteractionID]*business{}}
	for _, name := range s.Closed {
		l.closed[name] = true
	}
	for name := range p.Queues {
		l.queue(name).p = p.Queues[name]
	}
	for name, pace := range s.Paces {
		q := l.queue(name)
		q.pace.waited, q.pace.starts = pace.Waited, slices.Clone(pace.Starts)
	}
	for _, name := range slices.Sorted(maps.Keys(p.Agents)) {
		l.join(newAgent(name, p.Agents[name], l.now))
	}
	for i := range s.Agents {
		l.restoreAgent(&s.Agents[i])
	}
	for i := range s.Tasks {
		l.restoreTask(s.Tasks[i])
	}
	for _, r := range s.Rests {
		if t := l.tasks[r.Task]; t != nil {
			t.rests = append(t.rests, r)
		}
	}
	for _, a := range slices.Clone(l.names) {
		a.allow()
		l.part(a)
	}
	l.index()
	return l
}

// restoreAgent takes over what an agent was, and those of their wrap-ups that stand beside
// a task: what stands in a task comes with it.
func (l *Line) restoreAgent(s *AgentState) {
	a := l.agents[s.Name]
	if a == nil {
		a = newAgent(s.Name, nil, l.now)
		l.join(a)
	}
	if a.p != nil {
		a.presence, a.reason = s.Presence, s.Reason
	}
	a.since, a.idle, a.missed, a.consulted = s.Since, s.Idle, s.Missed, s.Consulted
	for i, load := range loads {
		on, told := s.Reachable[load]
		a.reach[i], a.told[i] = on, told
	}
	for _, h := range s.Holds {
		if h.State == tandem.TaskWrapping {
			l.hold(a, h)
			l.fence = max(l.fence, h.Fence)
		}
	}
}

func (l *Line) restoreTask(s tandem.Task) {
	if s.State == tandem.TaskDone {
		return
	}
	t := l.add(s)
	l.fence = max(l.fence, t.Fence)
	if t.State == tandem.TaskWaiting {
		t.served.waiting = append(t.served.waiting, t)
		return
	}
	a := l.agents[t.Agent]
	if a == nil {
		a = newAgent(t.Agent, nil, l.now)
		l.join(a)
	}
	if t.State != tandem.TaskWrapping {
		t.served.live = t
	}
	if a.held(t.Fence) == nil {
		l.hold(a, Holding{Task: t.ID, Interaction: t.Interaction, Fence: t.Fence, Kind: t.Kind, State: t.State, Since: t.Since, Deadline: t.Deadline})
	}
}

// hold gives an agent something to have; a wrap-up ends by itself.
func (l *Line) hold(a *agent, had Holding) *hold {
	h := &hold{Holding: had}
	h.wake = timer{id: string(h.Task), fence: h.Fence, hold: h, agent: a}
	a.grab(h)
	if h.State == tandem.TaskWrapping {
		l.timers.set(&h.wake, nanos(h.Deadline))
	}
	return h
}

// add makes a task known, without a place in line yet.
func (l *Line) add(s tandem.Task) *task {
	t := &task{Task: s, due: nanos(s.Due), arrived: nanos(s.Arrived), in: l.queue(s.Queue), served: l.businessOf(s.Interaction)}
	t.Skills = slices.Clone(s.Skills)
	if t.As == "" {
		t.As = t.Kind
	}
	t.wants = wanted(t.Skills)
	t.skills = written(t.wants)
	t.wake = timer{id: string(t.ID), task: t}
	t.in.all.Insert(t)
	l.tasks[t.ID] = t
	return t
}

func (l *Line) queue(name string) *queue {
	q := l.queues[name]
	if q == nil {
		q = &queue{name: name, closed: l.closed[name], line: ordered.Tree[*task]{Order: byLine}, all: ordered.Tree[*task]{Order: byLine}, classes: map[demandKey]*demand{}}
		l.queues[name] = q
	}
	return q
}

// join and part: an agent is known from when the policy has them till it has not and they
// have finished what they had.
func (l *Line) join(a *agent) {
	l.agents[a.name] = a
	i, _ := slices.BinarySearchFunc(l.names, a, byName)
	l.names = slices.Insert(l.names, i, a)
	a.allow()
}

func (l *Line) part(a *agent) {
	if a.p == nil && len(a.holds) == 0 && l.agents[a.name] == a {
		delete(l.agents, a.name)
		l.names = slices.DeleteFunc(l.names, func(o *agent) bool { return o == a })
	}
}

// index makes all classes anew and gives everything its place.
func (l *Line) index() {
	tasks := l.order()
	for _, t := range tasks {
		l.lift(t)
	}
	l.supplies, l.supplyKeys, l.ready = nil, map[string]*supply{}, [loadCount]ordered.Set{}
	l.demands, l.freeDemands, l.usedDemands, l.waiting = nil, nil, 0, [loadCount]ordered.Set{}
	for _, q := range l.queues {
		q.classes = map[demandKey]*demand{}
	}
	for _, a := range l.names {
		a.class, a.spots = nil, [loadCount]spot{}
		if a.p != nil {
			a.class = l.supplyOf(a.p)
			a.class.names.Insert(a)
			a.class.count(a.presence, 1)
			l.settle(a)
		}
	}
	for _, t := range tasks {
		l.put(t)
		if t.State == tandem.TaskOffered {
			l.timers.set(&t.wake, l.wakeOf(t))
		}
	}
	l.stirAll()
}

// Save is the whole line: New makes one of it that does the same from there on.
func (l *Line) Save() Saved {
	s := Saved{At: l.now, Fence: l.fence, Drained: l.drained, Agents: l.Agents(), Tasks: l.Tasks("", 0)}
	for name, closed := range l.closed {
		if closed {
			s.Closed = append(s.Closed, name)
		}
	}
	slices.Sort(s.Closed)
	for name, q := range l.queues {
		if p := (Pace{Waited: q.pace.clock(l.now), Starts: slices.Clone(q.pace.starts)}); p.Waited > 0 || len(p.Starts) > 0 {
			if s.Paces == nil {
				s.Paces = map[string]Pace{}
			}
			s.Paces[name] = p
		}
	}
	for _, t := range l.order() {
		for _, r := range t.rests {
			if l.now.Before(r.Until) {
				s.Rests = append(s.Rests, r)
			}
		}
	}
	return s
}

// Apply takes an event in and returns what came of it. Time passes first, as by a Tick:
// whatever was due by then happens then.
func (l *Line) Apply(e Event) []Output {
	l.out = nil
	h, at := l.handler(e)
	if at = at.Round(0); at.After(l.now) {
		l.now = at
	}
	l.run()
	if h != nil {
		h()
		l.run()
	}
	return l.out
}

// handler is what an event does, besides letting time pass.
func (l *Line) handler(e Event) (do func(), at time.Time) {
	switch e := e.(type) {
	case Opened:
		return func() { l.opened(e) }, e.At
	case Changed:
		return func() { l.changed(e) }, e.At
	case Ended:
		return func() { l.ended(e) }, e.At
	case Accepted:
		return func() { l.accepted(e) }, e.At
	case Declined:
		return func() { l.declined(e) }, e.At
	case Released:
		return func() { l.released(e) }, e.At
	case Reassigned:
		return func() { l.reassigned(e) }, e.At
	case Wrapped:
		return func() { l.wrapped(e) }, e.At
	case Pulled:
		return func() { l.pulled(e) }, e.At
	case Present:
		return func() { l.present(e) }, e.At
	case Reachable:
		return func() { l.reachable(e) }, e.At
	case Consulted:
		return func() { l.consulted(e) }, e.At
	case Hours:
		return func() { l.hours(e) }, e.At
	case Repoliced:
		return func() { l.repoliced(e) }, e.At
	case Drained:
		return func() { l.drained = true }, e.At
	case Tick:
		return nil, e.At
	}
	return nil, l.now
}

// run does what is due by now, then makes the offers that can be made.
func (l *Line) run() {
	now := nanos(l.now)
	for len(l.timers) > 0 && l.timers[0].at <= now {
		t := l.timers[0]
		l.timers.set(t, noTime)
		switch {
		case t.hold != nil:
			l.endWrap(t.agent, t.hold, "", true)
		case t.task.State == tandem.TaskOffered:
			l.lapse(t.task)
		default:
			l.wakeUp(t.task, t.at)
		}
	}
	l.match()
}

// wakeUp has a waiting task looked at again, as was due at a time.
func (l *Line) wakeUp(t *task, at int64) {
	if !t.Expires.IsZero() && nanos(t.Expires) <= at {
		l.leave(t)
		l.over(t, tandem.OutcomeMaxWait)
		return
	}
	t.rests = slices.DeleteFunc(t.rests, func(r Rest) bool { return !l.now.Before(r.Until) })
	l.put(t)
}

func (l *Line) tell(o Output) { l.out = append(l.out, o) }

// Next is when a Tick is due; ok is false if nothing waits for time to pass.
func (l *Line) Next() (at time.Time, ok bool) {
	if len(l.timers) == 0 {
		return at, false
	}
	return time.Unix(0, l.timers[0].at).In(l.now.Location()), true
}

// Task is a task that is not done.
func (l *Line) Task(id tandem.TaskID) (t tandem.Task, ok bool) {
	if t := l.tasks[id]; t != nil {
		return t.Task, true
	}
	return t, false
}

// Tasks are those of a queue that are not done, in the order of the line; "" = of all.
// limit 0 is no limit.
func (l *Line) Tasks(queue string, limit int) []tandem.Task {
	var out []tandem.Task
	if q := l.queues[queue]; q != nil {
		for t := range q.all.All() {
			if out = append(out, t.Task); len(out) == limit {
				break
			}
		}
		return out
	}
	if queue != "" {
		return nil
	}
	tasks := l.order()
	if limit > 0 {
		tasks = tasks[:min(limit, len(tasks))]
	}
	for _, t := range tasks {
		out = append(out, t.Task)
	}
	return out
}

// order is every task that is not done.
func (l *Line) order() []*task {
	out := make([]*task, 0, len(l.tasks))
	for _, t := range l.tasks {
		out = append(out, t)
	}
	slices.SortFunc(out, byLine)
	return out
}

// Agent is one agent, Agents all, by name.
func (l *Line) Agent(name string) (a AgentState, ok bool) {
	if a := l.agents[name]; a != nil {
		return a.state(), true
	}
	return a, false
}

func (l *Line) Agents() []AgentState {
	out := make([]AgentState, 0, len(l.names))
	for _, a := range l.names {
		out = append(out, a.state())
	}
	return out
}

// late answers that what was asked cannot be.
func (l *Line) late(id tandem.TaskID, agent string, why tandem.Words) {
	l.tell(Late{Task: id, Agent: agent, Why: why})
}
