package route

import (
	"time"

	"tandem"
)

// defaultOffer is how long an offer lasts where the policy does not say.
const defaultOffer = 30 * time.Second

// offer is how long an agent has to answer an offer of a load.
func (p *Policy) offer(load int) time.Duration {
	if d := p.Offer[loads[load]]; d > 0 {
		return d
	}
	return defaultOffer
}

// offer proposes a task that waits to an agent who has room for it.
func (l *Line) offer(t *task, a *agent, d tandem.Decision) {
	l.leave(t)
	l.fence++
	t.State, t.Agent, t.Fence, t.Since = tandem.TaskOffered, a.name, l.fence, l.now
	t.Deadline = l.now.Add(l.policy.offer(loadOf(t.Kind)))
	l.hold(a, Holding{Task: t.ID, Interaction: t.Interaction, Fence: t.Fence, Kind: t.Kind, State: t.State, Since: l.now, Deadline: t.Deadline})
	l.timers.set(&t.wake, l.wakeOf(t))
	l.settle(a)
	l.engage(t.served, t)
	l.tell(OfferMade{Task: t.Task, Decision: d})
}

// back ends an offer that came to nothing: the task waits at its old place.
func (l *Line) back(t *task, why string) {
	a := l.agents[t.Agent]
	fence := t.Fence
	a.drop(a.held(fence))
	l.settle(a)
	l.free(t)
	l.enter(t)
	l.tell(OfferOver{Task: t.Task, Agent: a.name, Fence: fence, Why: why})
	l.part(a)
}

// free notes that nobody has a task any more: others of its interaction may be offered.
func (l *Line) free(t *task) {
	l.timers.set(&t.wake, noTime)
	l.engage(t.served, nil)
}

// lapse: an agent did not answer in time.
func (l *Line) lapse(t *task) {
	a := l.agents[t.Agent]
	if !t.Deadline.After(l.began) { // nobody was there to hear an answer
		l.back(t, "restart")
		return
	}
	t.rest(a.name, l.now.Add(l.policy.DeclineRest))
	a.missed++
	a.idle = l.now
	l.back(t, "lapsed")
	if l.policy.Misses > 0 && a.missed >= l.policy.Misses && a.presence == tandem.PresenceAvailable {
		l.setPresence(a, tandem.PresenceAway, "missed")
	}
}

// answered is the task that an agent answers an offer of; nil: it is over, which was said.
func (l *Line) answered(id tandem.TaskID, agent string, fence uint64) *task {
	t := l.tasks[id]
	switch {
	case t == nil:
		l.late(id, agent, wordsOver)
	case t.State != tandem.TaskOffered || t.Fence != fence || t.Agent != agent:
		l.late(id, agent, wordsOfferOver)
	default:
		return t
	}
	return nil
}

func (l *Line) accepted(e Accepted) {
	t := l.answered(e.Task, e.Agent, e.Fence)
	if t == nil {
		return
	}
	if t.Since.After(t.from()) {
		t.in.pace.start(l.now)
	}
	a := l.agents[t.Agent]
	h := a.held(t.Fence)
	h.State, h.Since, h.Deadline = tandem.TaskAssigned, l.now, time.Time{}
	t.State, t.Since, t.Deadline = tandem.TaskAssigned, l.now, time.Time{}
	a.missed, a.idle = 0, l.now
	t.rests = nil
	if t.alone() { // it has come to them
		t.PreferTill = time.Time{}
	}
	l.timers.set(&t.wake, noTime)
	l.settle(a)
	l.tell(TaskAssigned{Task: t.Task})
}

func (l *Line) declined(e Declined) {
	t := l.answered(e.Task, e.Agent, e.Fence)
	if t == nil {
		return
	}
	why := e.Why
	if why == "" {
		why = "declined"
	}
	if why != "restart" {
		a := l.agents[t.Agent]
		t.rest(a.name, l.now.Add(l.policy.DeclineRest))
		a.idle = l.now
		if why == "declined" {
			a.missed = 0
		}
	}
	l.back(t, why)
}

func (l *Line) pulled(e Pulled) {
	t, a := l.tasks[e.Task], l.agents[e.Agent]
	switch {
	case t == nil:
		l.late(e.Task, e.Agent, wordsOver)
		return
	case a == nil || a.p == nil:
		l.late(e.Task, e.Agent, wordsNoAgent(e.Agent))
		return
	}
	load := loadOf(t.Kind)
	var why tandem.Words
	switch {
	case l.drained:
		why = wordsStopping
	case t.State != tandem.TaskWaiting:
		why = wordsTaken
	case t.NotBefore.After(l.now):
		why = wordsNotYet(t.NotBefore.Sub(l.now))
	case t.served.live != nil:
		why = wordsBarred
	case a.presence == tandem.PresenceOffline:
		why = wordsOffline(a.name)
	case a.has[load] >= a.capacity(load), a.consulted && loads[load] == tandem.LoadVoice:
		why = wordsFull(a.name, load)
	case !a.reach[load]:
		why = wordsUnreachable(a.name, load)
	default:
		d := l.record(t)
		d.Why = wordsPulled(a.name)
		l.offer(t, a, d)
		return
	}
	l.late(t.ID, a.name, why)
}
