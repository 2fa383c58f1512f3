package route

import (
	"maps"
	"slices"
	"time"

	"tandem"
)

func (m *model) late() { m.tell(Late{}) }

// apply is Line.Apply; sentences are left out.
func (m *model) apply(e Event) []Output {
	m.out = nil
	at := eventTime(e)
	if at.After(m.now) {
		m.now = at
	}
	m.pass()
	m.match()
	switch e := e.(type) {
	case Opened:
		m.opened(e)
	case Changed:
		m.changed(e)
	case Ended:
		m.ended(e)
	case Accepted:
		m.accepted(e)
	case Declined:
		if t := m.answered(e.Task, e.Agent, e.Fence); t != nil {
			if e.Why != "restart" {
				m.rest(t, e.Agent)
				m.agents[e.Agent].Idle = m.now
			}
			if e.Why == "declined" {
				m.agents[e.Agent].Missed = 0
			}
			m.back(t, e.Why)
		}
	case Released:
		t := m.tasks[e.Task]
		switch {
		case t == nil || t.State != tandem.TaskAssigned || t.Fence != e.Fence || e.Agent != "" && e.Agent != t.Agent,
			e.Again && e.Queue != "" && m.p.Queues[e.Queue] == nil, e.Again && e.Prefer != "" && m.p.Agents[e.Prefer] == nil:
			m.late()
		default:
			m.release(t, e)
		}
	case Reassigned:
		m.reassigned(e)
	case Consulted:
		if a := m.agents[e.Agent]; a == nil || m.p.Agents[e.Agent] == nil {
			m.late()
		} else if a.Consulted != e.On {
			a.Consulted = e.On
			m.tell(AgentChanged{Agent: m.state(a)})
		}
	case Wrapped:
		if h := m.hold(e.Agent, e.Fence); h != nil && h.State == tandem.TaskWrapping {
			m.endWrap(e.Agent, *h, e.Disposition, e.Late)
		} else {
			m.late()
		}
	case Pulled:
		m.pulled(e)
	case Present:
		if a := m.agents[e.Agent]; a == nil || m.p.Agents[e.Agent] == nil {
			m.late()
		} else {
			m.presence(a, e.Presence, e.Reason)
		}
	case Reachable:
		m.reachable(e)
	case Hours:
		if m.p.Queues[e.Queue] != nil {
			m.closed[e.Queue] = !e.Open
		}
	case Repoliced:
		m.repoliced(e.Policy)
	case Drained:
		m.drained = true
	}
	m.pass()
	m.match()
	return m.out
}

func (m *model) accepted(e Accepted) {
	if t := m.answered(e.Task, e.Agent, e.Fence); t != nil {
		a, h := m.agents[e.Agent], m.hold(e.Agent, e.Fence)
		t.State, t.Since, t.Deadline = tandem.TaskAssigned, m.now, time.Time{}
		h.State, h.Since, h.Deadline = tandem.TaskAssigned, m.now, time.Time{}
		a.Missed, a.Idle = 0, m.now
		delete(m.rests, t.ID)
		if m.alone(t) {
			t.PreferTill = time.Time{}
		}
		m.tell(TaskAssigned{Task: *t})
	}
}

func (m *model) opened(e Opened) {
	t := e.Task
	if t.ID == "" || m.tasks[t.ID] != nil {
		m.late()
		return
	}
	t.State, t.Since = tandem.TaskWaiting, m.now
	if t.Arrived.IsZero() {
		t.Arrived = m.now
	}
	t.As = t.Kind
	if t.Due.IsZero() {
		t.Due = m.due(&t)
	}
	q := m.p.Queues[t.Queue]
	if q != nil {
		if t.Kind.Live() && t.Expires.IsZero() && q.MaxWait > 0 {
			t.Expires = m.now.Add(q.MaxWait)
		}
		if t.Prefer != "" && q.Prefer > 0 && e.Task.PreferTill.IsZero() {
			from := m.now
			if t.NotBefore.After(from) {
				from = t.NotBefore
			}
			t.PreferTill = from.Add(q.Prefer)
		}
	}
	if t.Prefer == "" {
		t.PreferTill = time.Time{}
	} else if e.Task.PreferTill.IsZero() && t.Kind == tandem.TaskTicket && !t.TicketDue.IsZero() {
		t.PreferTill = t.TicketDue
	}
	if t.Kind.Live() {
		there := func(a *AgentState) bool {
			return m.p.Agents[a.Name] != nil && a.Presence != tandem.PresenceOffline && slices.ContainsFunc(m.p.Agents[a.Name].Teams, func(team string) bool {
				return slices.Contains(q.Teams, team) || slices.ContainsFunc(q.Over, func(o Overflow) bool { return slices.Contains(o.Teams, team) })
			})
		}
		live := 0
		for _, o := range m.tasks {
			if o.State == tandem.TaskWaiting && o.Kind.Live() && o.Queue == t.Queue {
				live++
			}
		}
		switch {
		case q == nil || m.closed[t.Queue] || !slices.ContainsFunc(m.byName(), there):
			m.tell(Refused{Task: t, Why: "no_agents"})
			return
		case q.Full > 0 && live >= q.Full:
			m.tell(Refused{Task: t, Why: "full"})
			return
		}
	}
	m.tasks[t.ID] = &t
	m.tell(Placed{Task: t})
}

func (m *model) changed(e Changed) {
	t := m.tasks[e.Task]
	if t == nil || t.State == tandem.TaskWrapping || e.Unserved && t.State == tandem.TaskAssigned || e.Queue != "" && m.p.Queues[e.Queue] == nil ||
		e.Prefer != "" && e.Prefer != "-" && m.p.Agents[e.Prefer] == nil {
		m.late()
		return
	}
	if e.Queue == t.Queue {
		e.Queue = ""
	}
	if e.Priority != nil && *e.Priority == t.Priority {
		e.Priority = nil
	}
	later := t.As == tandem.TaskTicket && !e.TicketDue.IsZero() && !e.TicketDue.Equal(t.TicketDue)
	if t.State == tandem.TaskAssigned {
		from, to := t.Kind.Load(), e.Kind.Load()
		if p := m.p.Agents[t.Agent]; e.Kind != "" && from != to && p != nil && m.has(m.agents[t.Agent], to, "") >= p.Capacity[to] {
			m.late()
			return
		}
		if e.Kind != "" {
			m.hold(t.Agent, t.Fence).Kind = e.Kind
		}
		e.Queue, e.Prefer, e.NotBefore = "", "", time.Time{}
	}
	if t.State == tandem.TaskOffered && (e.Kind != "" && e.Kind != t.Kind || e.Queue != "" && e.Queue != t.Queue ||
		e.Prefer != "" && e.Prefer != "-" && e.Prefer != t.Agent || e.NotBefore.After(m.now)) {
		m.back(t, "gone")
	}
	freed := false
	if e.Kind != "" {
		if t.Kind.Live() && !e.Kind.Live() {
			t.Expires = time.Time{}
		}
		freed = t.State == tandem.TaskWaiting && m.alone(t) && t.Kind.Load() != e.Kind.Load()
		t.Kind = e.Kind
	}
	if e.Queue != "" {
		t.Queue = e.Queue
	}
	if e.Priority != nil {
		t.Priority = *e.Priority
	}
	if !e.NotBefore.IsZero() {
		t.NotBefore = e.NotBefore
	}
	if !e.TicketDue.IsZero() {
		t.TicketDue = e.TicketDue
		if t.Kind == tandem.TaskTicket && t.Prefer != "" {
			t.PreferTill = e.TicketDue
		}
	}
	if freed {
		t.PreferTill = m.keptTill(t)
	}
	if e.Prefer == "-" {
		t.Prefer, t.PreferTill = "", time.Time{}
	} else if e.Prefer != "" {
		t.Prefer, t.PreferTill = e.Prefer, m.keptTill(t)
	}
	if e.NoExpiry {
		t.Expires = time.Time{}
	} else if !e.Expires.IsZero() {
		t.Expires = e.Expires
	}
	if e.Queue != "" || e.Priority != nil || later {
		t.Due = m.due(t)
	}
	m.tell(TaskChanged{Task: *t, Why: e.Why})
}

func (m *model) keptTill(t *tandem.Task) time.Time {
	if t.Kind == tandem.TaskTicket && !t.TicketDue.IsZero() {
		return t.TicketDue
	}
	from, span := m.now, m.p.Offer[t.Kind.Load()]
	if span <= 0 {
		span = 30 * time.Second
	}
	if q := m.p.Queues[t.Queue]; q != nil {
		span = max(span, q.Prefer)
	}
	if t.NotBefore.After(from) {
		from = t.NotBefore
	}
	return from.Add(span)
}

func (m *model) ended(e Ended) {
	t := m.tasks[e.Task]
	if t == nil || t.State == tandem.TaskWrapping {
		m.late()
		return
	}
	switch t.State {
	case tandem.TaskAssigned:
		why := "done"
		if e.Outcome == tandem.OutcomeLeft || e.Outcome == tandem.OutcomeMoved {
			why = e.Outcome
		}
		m.release(t, Released{Why: why, Outcome: e.Outcome})
	case tandem.TaskOffered:
		m.back(t, "gone")
		m.over(t, e.Outcome)
	default:
		m.over(t, e.Outcome)
	}
}

func (m *model) answered(id tandem.TaskID, agent string, fence uint64) *tandem.Task {
	t := m.tasks[id]
	if t == nil || t.State != tandem.TaskOffered || t.Agent != agent || t.Fence != fence {
		m.late()
		return nil
	}
	return t
}

func (m *model) release(t *tandem.Task, e Released) {
	a, h := m.agents[t.Agent], m.hold(t.Agent, t.Fence)
	load, since, place := t.Kind.Load(), t.Since, *t
	q := m.p.Queues[t.Queue]
	if e.Dialled {
		t.Tries++
		most := 1
		if q != nil && q.CallbackTries > 1 {
			most = q.CallbackTries
		}
		if e.Again && t.Kind == tandem.TaskCallback && t.Tries >= most {
			e.Again, e.Outcome = false, tandem.OutcomeUnreached
		}
	}
	if e.Outcome == "" {
		e.Outcome = tandem.OutcomeServed
	}
	wrap := m.p.WrapUp[load]
	if e.NoWrap {
		wrap = 0
	}
	a.Idle = m.now
	h.State, h.Since, h.Deadline = tandem.TaskWrapping, m.now, m.now.Add(wrap)
	switch {
	case e.Again:
		if e.Prefer != a.Name {
			m.rest(t, a.Name)
		}
		if e.Queue != "" && e.Queue != t.Queue {
			t.Queue = e.Queue
			t.Due = m.due(t)
		}
		q = m.p.Queues[t.Queue]
		if !e.NotBefore.IsZero() {
			t.NotBefore = e.NotBefore
		} else if e.Dialled && q != nil {
			t.NotBefore = m.now.Add(q.CallbackGap)
		}
		if e.Prefer != "" {
			t.Prefer, t.PreferTill = e.Prefer, m.keptTill(t)
			if e.Alone {
				t.PreferTill = m.now.Add(16 * 365 * 24 * time.Hour)
			}
		}
		if !t.Expires.IsZero() {
			t.Expires = t.Expires.Add(m.now.Sub(since))
			if q != nil && t.Kind.Live() && q.MaxWait > 0 && t.Expires.Before(m.now.Add(q.MaxWait)) {
				t.Expires = m.now.Add(q.MaxWait)
			}
		}
		m.wait(t)
	case wrap > 0:
		t.State, t.Since, t.Deadline, t.Outcome = tandem.TaskWrapping, m.now, h.Deadline, e.Outcome
	default:
		t.State, t.Since, t.Outcome = tandem.TaskDone, m.now, e.Outcome
	}
	why := e.Why
	if why == "" {
		why = "done"
		if e.Again {
			why = "handed_back"
		}
	}
	m.tell(TaskReleased{Task: *t, Agent: a.Name, Fence: h.Fence, Why: why, Seconds: m.now.Sub(since).Seconds()})
	if wrap > 0 {
		m.tell(WrapBegun{Task: t.ID, Agent: a.Name, Fence: h.Fence, Until: h.Deadline})
	} else {
		m.unhold(a.Name, h.Fence)
	}
	if t.State == tandem.TaskDone {
		m.over(t, e.Outcome)
	} else if m.alone(t) {
		m.tell(TaskChanged{Task: *t, Why: "alone"})
	} else if t.Queue != place.Queue || t.Prefer != place.Prefer {
		m.tell(TaskChanged{Task: *t, Why: "transfer"})
	}
}

func (m *model) reassigned(e Reassigned) {
	t, to, p := m.tasks[e.Task], m.agents[e.To], m.p.Agents[e.To]
	if t == nil || t.State != tandem.TaskAssigned || t.Fence != e.Fence || t.Agent != e.Agent || p == nil || e.To == e.Agent ||
		to.Presence == tandem.PresenceOffline || m.has(to, t.Kind.Load(), "") >= p.Capacity[t.Kind.Load()] {
		m.late()
		return
	}
	from, h, since := m.agents[t.Agent], m.hold(t.Agent, t.Fence), t.Since
	from.Idle = m.now
	m.fence++
	fence := t.Fence
	t.Agent, t.Fence, t.Since = to.Name, m.fence, m.now
	to.Missed, to.Idle = 0, m.now
	to.Holds = append(to.Holds, Holding{Task: t.ID, Interaction: t.Interaction, Fence: t.Fence, Kind: t.Kind, State: tandem.TaskAssigned, Since: m.now})
	m.tell(TaskReleased{Task: *t, Agent: from.Name, Fence: fence, Why: "transferred", Seconds: m.now.Sub(since).Seconds()})
	if wrap := m.p.WrapUp[t.Kind.Load()]; wrap > 0 {
		h.State, h.Since, h.Deadline = tandem.TaskWrapping, m.now, m.now.Add(wrap)
		m.tell(WrapBegun{Task: t.ID, Agent: from.Name, Fence: fence, Until: h.Deadline})
	} else {
		m.unhold(from.Name, fence)
	}
	m.tell(TaskAssigned{Task: *t})
}

func (m *model) pulled(e Pulled) {
	t, a, p := m.tasks[e.Task], m.agents[e.Agent], m.p.Agents[e.Agent]
	if m.drained || t == nil || p == nil || t.State != tandem.TaskWaiting || t.NotBefore.After(m.now) || m.barred(t) ||
		a.Presence == tandem.PresenceOffline || !a.Reachable[t.Kind.Load()] || m.has(a, t.Kind.Load(), "") >= p.Capacity[t.Kind.Load()] ||
		a.Consulted && t.Kind.Load() == tandem.LoadVoice {
		m.late()
		return
	}
	m.offer(t, a, m.decision(t))
}

func (m *model) reachable(e Reachable) {
	a := m.agents[e.Agent]
	if a == nil || m.p.Agents[e.Agent] == nil {
		m.late()
		return
	}
	was, told := a.Reachable[e.Load]
	if told && was == e.On {
		return
	}
	if a.Reachable == nil {
		a.Reachable = map[tandem.Load]bool{}
	}
	a.Reachable[e.Load] = e.On
	if was == e.On {
		return
	}
	m.tell(AgentChanged{Agent: m.state(a)})
	if !e.On {
		m.withdraw(a, "unreachable", e.Load)
	}
}

func (m *model) repoliced(p *Policy) {
	old := m.p
	m.p = p
	for _, name := range slices.Sorted(maps.Keys(p.Agents)) {
		if m.agents[name] == nil {
			m.agents[name] = &AgentState{Name: name, Presence: tandem.PresenceOffline, Since: m.now, Idle: m.now}
		}
	}
	for _, a := range m.byName() {
		if old.Agents[a.Name] == nil || p.Agents[a.Name] != nil {
			continue
		}
		a.Presence, a.Reason, a.Since = tandem.PresenceOffline, "", m.now
		m.tell(AgentChanged{Agent: m.state(a)})
		if len(a.Holds) == 0 {
			delete(m.agents, a.Name)
		}
		for _, h := range slices.Clone(a.Holds) {
			if h.State == tandem.TaskOffered {
				m.back(m.tasks[h.Task], "gone")
			} else if h.State == tandem.TaskAssigned && h.Kind.Load() == tandem.LoadWork {
				m.release(m.tasks[h.Task], Released{Why: "handed_back", Again: true, NoWrap: true})
			}
		}
	}
	for _, t := range m.line(tandem.TaskOffered) {
		a, load := p.Agents[t.Agent], t.Kind.Load()
		reason := "gone"
		if a != nil {
			reason, _ = m.fits(t, a)
		}
		if reason != "" || m.has(m.agents[t.Agent], load, "") > a.Capacity[load] {
			m.back(t, "gone")
		}
	}
}

func eventTime(e Event) time.Time {
	_, at := (&Line{}).handler(e)
	return at
}
