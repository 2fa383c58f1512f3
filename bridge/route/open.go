package route

import (
	"slices"
	"time"

	"tandem"
)

func (l *Line) opened(e Opened) {
	s := e.Task
	if s.ID == "" || l.tasks[s.ID] != nil {
		l.late(s.ID, "", wordsThere)
		return
	}
	s.State, s.Since, s.Agent, s.Fence, s.Deadline, s.Outcome = tandem.TaskWaiting, l.now, "", 0, time.Time{}, ""
	if s.Arrived.IsZero() {
		s.Arrived = l.now
	}
	if s.As == "" {
		s.As = s.Kind
	}
	p := l.policy.Queues[s.Queue]
	if s.Due.IsZero() {
		s.Due = l.due(&s)
	}
	if p != nil && s.Kind.Live() && s.Expires.IsZero() && p.MaxWait > 0 {
		s.Expires = l.now.Add(p.MaxWait)
	}
	switch {
	case s.Prefer == "":
		s.PreferTill = time.Time{}
	case !s.PreferTill.IsZero():
	case s.Kind == tandem.TaskTicket && !s.TicketDue.IsZero():
		s.PreferTill = s.TicketDue // its owner's, till it goes to the next
	case p != nil && p.Prefer > 0:
		s.PreferTill = later(l.now, s.NotBefore).Add(p.Prefer)
	}
	if why := l.refuses(&s); why != "" {
		l.tell(Refused{Task: s, Why: why})
		return
	}
	t := l.add(s)
	l.enter(t)
	l.tell(Placed{Task: t.Task})
}

// refuses says why a task is not let in. Work that is not live always is: it would be lost.
func (l *Line) refuses(s *tandem.Task) string {
	if !s.Kind.Live() {
		return ""
	}
	p, q := l.policy.Queues[s.Queue], l.queues[s.Queue]
	switch {
	case p == nil || q.closed || !l.anybody(p):
		return "no_agents"
	case p.Full > 0 && q.live >= p.Full:
		return "full"
	}
	return ""
}

// anybody reports whether somebody of a queue's teams is there, be they away, or of those
// that will help out.
func (l *Line) anybody(p *Queue) bool {
	helps := func(s *supply) bool {
		for _, team := range s.teams {
			if slices.Contains(p.Teams, team) || slices.ContainsFunc(p.Over, func(o Overflow) bool { return slices.Contains(o.Teams, team) }) {
				return true
			}
		}
		return false
	}
	for _, s := range l.supplies {
		if s.there > 0 && helps(s) {
			return true
		}
	}
	return false
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// due is when a task is to be taken up: the published rule.
func (l *Line) due(s *tandem.Task) time.Time {
	head := min(max(s.Priority, 0), max(l.policy.MostPriority, 0))
	if s.As == tandem.TaskTicket && !s.TicketDue.IsZero() {
		return s.TicketDue.Add(-head)
	}
	return s.Arrived.Add(l.policy.target(s) - head)
}

// Target is in which time after its arrival a task is to be taken up: a ticket that has a
// time of its own by that, any other as its queue says.
func (p *Policy) Target(t *tandem.Task) time.Duration {
	if t.As == tandem.TaskTicket && !t.TicketDue.IsZero() {
		return t.TicketDue.Sub(t.Arrived)
	}
	return p.target(t)
}

// target is in which time a task is to be taken up.
func (p *Policy) target(s *tandem.Task) time.Duration {
	q := p.Queues[s.Queue]
	if q == nil {
		return DefaultTarget(s.As)
	}
	if d, ok := q.TargetOf[s.Level][s.As]; ok {
		return d
	}
	if d, ok := q.Target[s.As]; ok {
		return d
	}
	return DefaultTarget(s.As)
}

func (l *Line) changed(e Changed) {
	t := l.tasks[e.Task]
	switch {
	case t == nil:
		l.late(e.Task, "", wordsOver)
	case t.State == tandem.TaskWrapping:
		l.late(e.Task, "", wordsServed)
	case e.Queue != "" && l.policy.Queues[e.Queue] == nil:
		l.late(e.Task, "", wordsNoQueue(e.Queue))
	case e.Prefer != "" && e.Prefer != "-" && !l.employs(e.Prefer):
		l.late(e.Task, e.Prefer, wordsNoAgent(e.Prefer))
	case t.State == tandem.TaskAssigned && e.Unserved:
		l.late(e.Task, t.Agent, wordsTaken)
	case t.State == tandem.TaskAssigned:
		l.changeAssigned(t, e)
	default:
		l.changeWaiting(t, e)
	}
}

// employs reports whether the policy has an agent.
func (l *Line) employs(name string) bool {
	a := l.agents[name]
	return a != nil && a.p != nil
}

func (l *Line) changeAssigned(t *task, e Changed) {
	e.Queue = "" // it is with somebody: its place does not matter
	if e.Kind != "" && e.Kind != t.Kind {
		a := l.agents[t.Agent]
		from, to := loadOf(t.Kind), loadOf(e.Kind)
		if from != to && a.p != nil && a.has[to] >= a.capacity(to) {
			l.late(t.ID, a.name, wordsFull(a.name, to))
			return
		}
		h := a.held(t.Fence)
		h.Kind = e.Kind
		a.count(from, -1)
		a.count(to, 1)
		a.most[to] = max(a.most[to], a.has[to])
		l.settle(a)
	}
	l.amend(t, e)
	l.tell(TaskChanged{Task: t.Task, Why: e.Why})
}

func (l *Line) changeWaiting(t *task, e Changed) {
	if e.Queue == t.Queue { // what is the same already moves nobody
		e.Queue = ""
	}
	if t.State == tandem.TaskOffered && t.unfit(e, l.now) {
		l.back(t, "gone")
	}
	if t.State == tandem.TaskWaiting {
		l.lift(t)
	}
	if e.Queue != "" {
		t.Queue = e.Queue
	}
	if !e.NotBefore.IsZero() {
		t.NotBefore = e.NotBefore
	}
	alone, load := t.alone(), loadOf(t.Kind)
	l.amend(t, e)
	if alone && load != loadOf(t.Kind) { // whom it was given to may not be reached for what it is now
		t.PreferTill = l.keptTill(t)
	}
	switch {
	case e.Prefer == "-":
		t.Prefer, t.PreferTill = "", time.Time{}
	case e.Prefer != "":
		t.Prefer, t.PreferTill = e.Prefer, l.keptTill(t)
	}
	if t.State == tandem.TaskWaiting {
		l.put(t)
	}
	l.tell(TaskChanged{Task: t.Task, Why: e.Why})
}

// unfit reports whether an offer that is out does not fit a task any more once it changes.
func (t *task) unfit(e Changed, now time.Time) bool {
	return e.Kind != "" && e.Kind != t.Kind || e.Queue != "" && e.Queue != t.Queue ||
		e.Prefer != "" && e.Prefer != "-" && e.Prefer != t.Agent || e.NotBefore.After(now)
}

// keptTill is until when a task is kept for an agent it was handed to: for as long as the
// queue says, and as an offer lasts at least; a ticket till it is due.
func (l *Line) keptTill(t *task) time.Time {
	if t.Kind == tandem.TaskTicket && !t.TicketDue.IsZero() {
		return t.TicketDue
	}
	span := l.policy.offer(loadOf(t.Kind))
	if p := l.policy.Queues[t.Queue]; p != nil {
		span = max(span, p.Prefer)
	}
	return later(l.now, t.NotBefore).Add(span)
}

// amend changes what a task is wherever it stands, and its due time with it.
func (l *Line) amend(t *task, e Changed) {
	l.unlist(t)
	if e.Kind != "" {
		if t.Kind.Live() && !e.Kind.Live() {
			t.Expires = time.Time{} // nobody waits on the line any more
		}
		t.Kind = e.Kind
	}
	moved := e.Queue != "" || e.Priority != nil && *e.Priority != t.Priority ||
		t.As == tandem.TaskTicket && !e.TicketDue.IsZero() && !e.TicketDue.Equal(t.TicketDue)
	if e.Priority != nil {
		t.Priority = *e.Priority
	}
	if !e.TicketDue.IsZero() {
		t.TicketDue = e.TicketDue
		if t.Kind == tandem.TaskTicket && t.Prefer != "" {
			t.PreferTill = e.TicketDue
		}
	}
	switch {
	case e.NoExpiry:
		t.Expires = time.Time{}
	case !e.Expires.IsZero():
		t.Expires = e.Expires
	}
	if moved {
		t.Due = l.due(&t.Task)
	}
	l.list(t)
}

// unlist takes a task out of its queue, which is forgotten if it is in no policy and empty.
func (l *Line) unlist(t *task) {
	q := t.in
	q.all.Remove(t)
	if q.p == nil && q.all.Size() == 0 {
		for _, d := range q.classes {
			l.dropDemand(d)
		}
		delete(l.queues, q.name)
	}
}

// list puts a task into its queue by what it is now.
func (l *Line) list(t *task) {
	t.due, t.arrived, t.in = nanos(t.Due), nanos(t.Arrived), l.queue(t.Queue)
	t.in.all.Insert(t)
}

func (l *Line) ended(e Ended) {
	t := l.tasks[e.Task]
	if t == nil || t.State == tandem.TaskWrapping {
		l.late(e.Task, "", wordsOver)
		return
	}
	outcome := e.Outcome
	if outcome == "" {
		outcome = tandem.OutcomeClosed
	}
	switch t.State {
	case tandem.TaskAssigned:
		why := "done"
		if outcome == tandem.OutcomeLeft || outcome == tandem.OutcomeMoved {
			why = outcome
		}
		l.release(t, Released{Why: why, Outcome: outcome})
		return
	case tandem.TaskOffered:
		l.back(t, "gone")
	}
	l.leave(t)
	l.over(t, outcome)
}

// over ends a task that nobody has and that waits no more.
func (l *Line) over(t *task, outcome string) {
	l.unlist(t)
	delete(l.tasks, t.ID)
	l.tidy(t)
	t.State, t.Outcome, t.Since, t.Deadline = tandem.TaskDone, outcome, l.now, time.Time{}
	l.tell(TaskOver{Task: t.Task})
}

// tidy forgets an interaction that has nothing in the line any more.
func (l *Line) tidy(t *task) {
	if t.served.live == nil && len(t.served.waiting) == 0 && l.served[t.Interaction] == t.served {
		delete(l.served, t.Interaction)
	}
}
