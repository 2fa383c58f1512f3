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
	} else if t.Queue != place.Queue || t.Prefer != place.Prefer {
		l.tell(TaskChanged{Task: t.Task, Why: "transfer"})
	}
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
