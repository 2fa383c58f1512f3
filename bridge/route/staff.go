package route

import (
	"maps"
	"slices"

	"tandem"
)

func (l *Line) present(e Present) {
	a := l.agents[e.Agent]
	if a == nil || a.p == nil {
		l.late("", e.Agent, wordsNoAgent(e.Agent))
		return
	}
	switch e.Presence {
	case tandem.PresenceAvailable, tandem.PresenceAway, tandem.PresenceOffline:
		l.setPresence(a, e.Presence, e.Reason)
	default:
		l.late("", e.Agent, wordsNoPresence(string(e.Presence)))
	}
}

// setPresence has an agent be something else. Offers to one who is not available come back.
func (l *Line) setPresence(a *agent, p tandem.Presence, reason string) {
	if p == tandem.PresenceAvailable {
		reason = ""
	}
	was := a.presence
	if p != was || reason != a.reason {
		a.presence, a.reason, a.since = p, reason, l.now
	}
	if p == tandem.PresenceAvailable {
		a.missed = 0
		if was != p {
			a.idle = l.now
		}
	}
	if a.class != nil {
		a.class.count(was, -1)
		a.class.count(p, 1)
	}
	l.settle(a)
	if p != was {
		l.review(a)
	}
	l.tell(AgentChanged{Agent: a.state()})
	if p == was {
		return
	}
	switch p {
	case tandem.PresenceAway:
		l.withdraw(a, "declined", func(int) bool { return true })
	case tandem.PresenceOffline:
		l.withdraw(a, "unreachable", func(int) bool { return true })
	}
}

// count notes that an agent of the class comes (by 1) to be something, or goes.
func (s *supply) count(p tandem.Presence, by int) {
	if p != tandem.PresenceOffline {
		s.there += by
	}
}

// review looks again at the tasks that an agent's coming and going matters to.
func (l *Line) review(a *agent) {
	for _, t := range slices.Collect(a.prefer.All()) {
		l.put(t)
	}
}

// withdraw takes an agent's offers of some loads back.
func (l *Line) withdraw(a *agent, why string, of func(load int) bool) {
	for _, h := range slices.Clone(a.holds) {
		if h.State == tandem.TaskOffered && of(loadOf(h.Kind)) {
			l.back(l.tasks[h.Task], why)
		}
	}
}

func (l *Line) reachable(e Reachable) {
	a, load := l.agents[e.Agent], loadNo(e.Load)
	switch {
	case a == nil || a.p == nil:
		l.late("", e.Agent, wordsNoAgent(e.Agent))
		return
	case load < 0:
		l.late("", e.Agent, wordsNoLoad(string(e.Load)))
		return
	}
	if a.told[load] && a.reach[load] == e.On {
		return
	}
	changed := a.reach[load] != e.On
	a.reach[load], a.told[load] = e.On, true
	l.settle(a)
	l.review(a)
	if !changed {
		return
	}
	l.tell(AgentChanged{Agent: a.state()})
	if !e.On {
		l.withdraw(a, "unreachable", func(of int) bool { return of == load })
	}
}

func (l *Line) consulted(e Consulted) {
	a := l.agents[e.Agent]
	if a == nil || a.p == nil {
		l.late("", e.Agent, wordsNoAgent(e.Agent))
		return
	}
	if a.consulted == e.On {
		return
	}
	a.consulted = e.On
	l.settle(a)
	l.tell(AgentChanged{Agent: a.state()})
}

func (l *Line) hours(e Hours) {
	q := l.queues[e.Queue]
	if q == nil || q.p == nil || q.closed == !e.Open {
		return
	}
	q.closed = !e.Open
	l.closed[q.name] = q.closed
	for _, d := range q.classes {
		switch {
		case q.closed:
			l.waiting[d.load].Drop(d.id)
		case d.tasks.Size() > 0:
			l.waiting[d.load].Add(d.id)
			l.stirClass(d)
		}
	}
	for _, a := range l.names {
		for i := range a.kept {
			if a.kept[i].Size() > 0 {
				l.stirAgent(a)
			}
		}
	}
}

func (l *Line) repoliced(e Repoliced) {
	if e.Policy == nil {
		return
	}
	l.policy = e.Policy
	for name, q := range l.queues {
		q.p = e.Policy.Queues[name]
	}
	for name := range e.Policy.Queues {
		l.queue(name).p = e.Policy.Queues[name]
	}
	names := slices.Sorted(maps.Keys(e.Policy.Agents))
	var gone []*agent
	for _, a := range l.names {
		if a.p != nil && e.Policy.Agents[a.name] == nil {
			gone = append(gone, a)
		}
		a.p = e.Policy.Agents[a.name]
	}
	for _, name := range names {
		if l.agents[name] == nil {
			l.join(newAgent(name, e.Policy.Agents[name], l.now))
		}
	}
	for _, a := range l.names {
		a.allow()
	}
	l.index()
	for _, a := range gone {
		l.dismiss(a)
	}
	for _, t := range l.order() {
		if t.State == tandem.TaskOffered && !l.suits(t) {
			l.back(t, "gone")
		}
	}
	for name, q := range l.queues {
		if q.p == nil && q.all.Size() == 0 {
			delete(l.queues, name)
		}
	}
}

// suits reports whether an offer that is out could be made by the policy of now.
func (l *Line) suits(t *task) bool {
	a := l.agents[t.Agent]
	load := loadOf(t.Kind)
	return a.class != nil && a.has[load] <= a.capacity(load) && l.demandOf(t).can.Has(a.class.id)
}

// dismiss lets an agent go whom the policy has no more. Offers come back, and work that no
// customer waits in; a talk goes on till it is over.
func (l *Line) dismiss(a *agent) {
	a.presence, a.reason, a.since = tandem.PresenceOffline, "", l.now
	l.tell(AgentChanged{Agent: a.state()})
	for _, h := range slices.Clone(a.holds) {
		t := l.tasks[h.Task]
		switch {
		case h.State == tandem.TaskOffered:
			l.back(t, "gone")
		case h.State == tandem.TaskAssigned && loads[loadOf(h.Kind)] == tandem.LoadWork:
			l.release(t, Released{Why: "handed_back", Again: true, NoWrap: true})
		}
	}
	l.part(a)
}
