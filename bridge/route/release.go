package route

import (
	"time"

	"tandem"
)

func (l *Line) released(e Released) {
	t := l.tasks[e.Task]
	switch {
	case t == nil:
		l.late(e.Task, e.Agent, wordsOver)
	case t.State != tandem.TaskAssigned || t.Fence != e.Fence || e.Agent != "" && e.Agent != t.Agent:
		l.late(e.Task, e.Agent, wordsNotTheirs)
	case e.Again && e.Queue != "" && l.policy.Queues[e.Queue] == nil:
		l.late(e.Task, e.Agent, wordsNoQueue(e.Queue))
	case e.Again && e.Prefer != "" && !l.employs(e.Prefer):
		l.late(e.Task, e.Agent, wordsNoAgent(e.Prefer))
	default:
		l.release(t, e)
	}
}

// release takes an assigned task from its agent, who wraps up beside whatever becomes of
// it: their notes end when they end, not when somebody else is done.
func (l *Line) release(t *task, e Released) {
	a := l.agents[t.Agent]
	h := a.held(t.Fence)
	load := loadOf(t.Kind)
	since, place := t.Since, t.Task
	again := e.Again
	outcome := e.Outcome
	if e.Dialled {
		t.Tries++
		if again && t.Kind == tandem.TaskCallback && t.Tries >= l.tries(t) {
			again, outcome = false, tandem.OutcomeUnreached
		}
	}
	if outcome == "" {
		outcome = tandem.OutcomeServed
	}
	wrap := l.policy.WrapUp[loads[load]]
	if e.NoWrap {
		wrap = 0
	}
	until := l.now.Add(wrap)
	a.idle = l.now
	if wrap > 0 {
		h.State, h.Since, h.Deadline = tandem.TaskWrapping, l.now, until
		l.timers.set(&h.wake, nanos(until))
	} else {
		a.drop(h)
	}
	l.settle(a)
	l.free(t)
	switch {
	case again:
		l.again(t, e, since)
	case wrap > 0:
		t.State, t.Since, t.Deadline, t.Outcome = tandem.TaskWrapping, l.now, until, outcome
	}
	why := e.Why
	if why == "" && again {
		why = "handed_back"
	} else if why == "" {
		why = "done"
	}
	out := TaskReleased{Task: t.Task, Agent: a.name, Fence: h.Fence, Why: why, Seconds: l.now.Sub(since).Seconds()}
	ends := !again && wrap == 0
	if ends {
		out.Task.State, out.Task.Outcome, out.Task.Since = tandem.TaskDone, outcome, l.now
	}
	l.tell(out)
	if wrap > 0 {
		l.tell(WrapBegun{Task: t.ID, Agent: a.name, Fence: h.Fence, Until: until})
	}
	if ends {
		l.over(t, outcome)
	} else if t.alone() {
		l.tell(TaskChanged{Task: t.Task, Why: "alone"})
	} else if t.Queue != place.Queue || t.Prefer != place.Prefer {
		l.tell(TaskChanged{Task: t.Task, Why: "transfer"})
	}
	l.part(a)
}

func (l *Line) reassigned(e Reassigned) {
	t, to := l.tasks[e.Task], l.agents[e.To]
	switch {
	case t == nil:
		l.late(e.Task, e.Agent, wordsOver)
	case t.State != tandem.TaskAssigned || t.Fence != e.Fence || e.Agent != t.Agent:
		l.late(e.Task, e.Agent, wordsNotTheirs)
	case to == nil || to.p == nil:
		l.late(e.Task, e.Agent, wordsNoAgent(e.To))
	case e.To == e.Agent:
		l.late(e.Task, e.Agent, wordsTheirs(e.To))
	case to.presence == tandem.PresenceOffline:
		l.late(e.Task, e.Agent, wordsOffline(e.To))
	case to.has[loadOf(t.Kind)] >= to.capacity(loadOf(t.Kind)):
		l.late(e.Task, e.Agent, wordsFull(e.To, loadOf(t.Kind)))
	default:
		l.reassign(t, to)
	}
}

// reassign gives an assigned task to another agent; the one before wraps up.
func (l *Line) reassign(t *task, to *agent) {
	a, fence, since := l.agents[t.Agent], t.Fence, t.Since
	h := a.held(fence)
	wrap := l.policy.WrapUp[loads[loadOf(t.Kind)]]
	a.idle = l.now
	if wrap > 0 {
		h.State, h.Since, h.Deadline = tandem.TaskWrapping, l.now, l.now.Add(wrap)
		l.timers.set(&h.wake, nanos(h.Deadline))
	} else {
		a.drop(h)
	}
	l.settle(a)
	l.fence++
	t.Agent, t.Fence, t.Since = to.name, l.fence, l.now
	l.hold(to, Holding{Task: t.ID, Interaction: t.Interaction, Fence: t.Fence, Kind: t.Kind, State: t.State, Since: l.now})
	to.missed, to.idle = 0, l.now
	l.settle(to)
	l.tell(TaskReleased{Task: t.Task, Agent: a.name, Fence: fence, Why: "transferred", Seconds: l.now.Sub(since).Seconds()})
	if wrap > 0 {
		l.tell(WrapBegun{Task: t.ID, Agent: a.name, Fence: fence, Until: l.now.Add(wrap)})
	}
	l.tell(TaskAssigned{Task: t.Task})
	l.part(a)
}

// tries is how often a callback is dialled.
func (l *Line) tries(t *task) int {
	if p := l.policy.Queues[t.Queue]; p != nil {
		return max(p.CallbackTries, 1)
	}
	return 1
}

// again puts a task that an agent had back into line, at its place.
func (l *Line) again(t *task, e Released, since time.Time) {
	if e.Prefer != t.Agent { // asked for by name, what they just had does not keep them from it
		t.rest(t.Agent, l.now.Add(l.policy.DeclineRest))
	}
	if e.Queue != "" && e.Queue != t.Queue {
		l.unlist(t)
		t.Queue = e.Queue
		t.Due = l.due(&t.Task)
		l.list(t)
	}
	p := l.policy.Queues[t.Queue]
	switch {
	case !e.NotBefore.IsZero():
		t.NotBefore = e.NotBefore
	case e.Dialled && p != nil:
		t.NotBefore = l.now.Add(p.CallbackGap)
	}
	if e.Prefer != "" {
		t.Prefer = e.Prefer
		t.PreferTill = l.keptTill(t)
		if e.Alone {
			t.PreferTill = l.now.Add(aloneSpan)
		}
	}
	if !t.Expires.IsZero() {
		// Its bound stood still while an agent had it.
		t.Expires = t.Expires.Add(l.now.Sub(since))
		if t.Kind.Live() && p != nil && p.MaxWait > 0 {
			t.Expires = later(t.Expires, l.now.Add(p.MaxWait))
		}
	}
	l.enter(t)
}

func (l *Line) wrapped(e Wrapped) {
	if a := l.agents[e.Agent]; a == nil {
		l.late("", e.Agent, wordsNoAgent(e.Agent))
	} else if h := a.held(e.Fence); h == nil || h.State != tandem.TaskWrapping {
		l.late("", e.Agent, wordsNoWrap)
	} else {
		l.endWrap(a, h, e.Disposition, e.Late)
	}
}

// endWrap ends an agent's notes, and the task that stood still for them.
func (l *Line) endWrap(a *agent, h *hold, disposition string, late bool) {
	l.timers.set(&h.wake, noTime)
	a.drop(h)
	a.idle = l.now
	l.settle(a)
	l.tell(WrapOver{Task: h.Task, Interaction: h.Interaction, Agent: a.name, Fence: h.Fence,
		Disposition: disposition, Seconds: l.now.Sub(h.Since).Seconds(), Late: late})
	if t := l.tasks[h.Task]; t != nil && t.State == tandem.TaskWrapping && t.Fence == h.Fence {
		l.over(t, t.Outcome)
	}
	l.part(a)
}
