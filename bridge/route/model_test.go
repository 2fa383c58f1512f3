package route

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"tandem"
)

// model is the published rule, written as plainly as can be: no indexes, no classes, every
// task looked at for every agent. It is what the line is held against.
type model struct {
	p          *Policy
	now, began time.Time
	fence      uint64
	drained    bool
	tasks      map[tandem.TaskID]*tandem.Task
	agents     map[string]*AgentState
	rests      map[tandem.TaskID]map[string]time.Time
	closed     map[string]bool
	out        []Output
}

func newModel(p *Policy, at time.Time) *model {
	m := &model{p: p, now: at, began: at, tasks: map[tandem.TaskID]*tandem.Task{}, agents: map[string]*AgentState{},
		rests: map[tandem.TaskID]map[string]time.Time{}, closed: map[string]bool{}}
	for name := range p.Agents {
		m.agents[name] = &AgentState{Name: name, Presence: tandem.PresenceOffline, Since: at, Idle: at}
	}
	return m
}

func (m *model) tell(o Output) { m.out = append(m.out, o) }

func (m *model) line(states ...tandem.TaskState) []*tandem.Task {
	var out []*tandem.Task
	for _, t := range m.tasks {
		if slices.Contains(states, t.State) {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, func(a, b *tandem.Task) int {
		if c := a.Due.Compare(b.Due); c != 0 {
			return c
		}
		if c := a.Arrived.Compare(b.Arrived); c != 0 {
			return c
		}
		return cmp.Compare(a.ID, b.ID)
	})
	return out
}

func (m *model) byName() []*AgentState {
	var out []*AgentState
	for _, name := range slices.Sorted(maps.Keys(m.agents)) {
		out = append(out, m.agents[name])
	}
	return out
}

// fits: team and skills. It says why not.
func (m *model) fits(t *tandem.Task, p *Agent) (reason, detail string) {
	q := m.p.Queues[t.Queue]
	wants := wanted(t.Skills)
	var teams []string
	if q != nil {
		from := t.Arrived
		if t.NotBefore.After(from) {
			from = t.NotBefore
		}
		teams = append(teams, q.Teams...)
		for _, o := range q.Over {
			if !from.Add(o.After).After(m.now) {
				teams = append(teams, o.Teams...)
			}
		}
		for i := range wants {
			for _, r := range q.Relax {
				if !from.Add(r.After).After(m.now) {
					if by, named := r.Levels[wants[i].skill]; named {
						wants[i].level -= by
					} else {
						wants[i].level -= r.Levels["*"]
					}
				}
			}
		}
	}
	if !slices.ContainsFunc(p.Teams, func(team string) bool { return slices.Contains(teams, team) }) {
		return "team", ""
	}
	for _, w := range wants {
		if w.level > 0 && p.Skills[w.skill] < w.level {
			w.name()
			return "skill", w.text
		}
	}
	return "", ""
}

func (m *model) has(a *AgentState, load tandem.Load, state tandem.TaskState) int {
	n := 0
	for _, h := range a.Holds {
		if h.Kind.Load() == load && (state == "" || h.State == state) {
			n++
		}
	}
	return n
}

// cannot says why an agent cannot take a task now.
func (m *model) cannot(t *tandem.Task, a *AgentState) (reason, detail string) {
	p, load := m.p.Agents[a.Name], t.Kind.Load()
	if reason, detail = m.fits(t, p); reason != "" {
		return reason, detail
	}
	switch {
	case p.Capacity[load] == 0:
		return "capacity", "none"
	case a.Presence == tandem.PresenceOffline:
		return "offline", ""
	case a.Presence == tandem.PresenceAway:
		return "away", a.Reason
	case !a.Reachable[load]:
		return "unreachable", string(load)
	case m.has(a, load, "") >= p.Capacity[load]:
		switch {
		case m.has(a, load, tandem.TaskWrapping) > 0:
			return "wrap_up", string(load)
		case m.has(a, load, tandem.TaskOffered) > 0:
			return "offered", string(load)
		}
		return "capacity", string(load)
	case a.Consulted && load == tandem.LoadVoice:
		return "capacity", string(load)
	}
	for _, other := range []tandem.Load{tandem.LoadVoice, tandem.LoadChat, tandem.LoadSMS, tandem.LoadWork} {
		if (m.has(a, other, "") > 0 || a.Consulted && other == tandem.LoadVoice) && slices.Contains(m.p.Blocks[other], load) {
			return "blocked", string(other)
		}
	}
	if keeper := m.keeper(t); keeper != "" && keeper != a.Name {
		return "held_for_other", keeper
	}
	if m.now.Before(m.rests[t.ID][a.Name]) {
		return "declined", ""
	}
	return "", ""
}

// keeper is whom a task is kept for now.
func (m *model) keeper(t *tandem.Task) string {
	a := m.agents[t.Prefer]
	if a != nil && m.alone(t) && m.p.Agents[t.Prefer] != nil && a.Presence != tandem.PresenceOffline {
		if reason, _ := m.fits(t, m.p.Agents[t.Prefer]); reason == "" && m.p.Agents[t.Prefer].Capacity[t.Kind.Load()] > 0 {
			return t.Prefer
		}
		return ""
	}
	if a == nil || m.p.Agents[t.Prefer] == nil || !m.now.Before(t.PreferTill) || a.Presence != tandem.PresenceAvailable || m.now.Before(m.rests[t.ID][a.Name]) {
		return ""
	}
	if reason, _ := m.fits(t, m.p.Agents[t.Prefer]); reason != "" || m.p.Agents[t.Prefer].Capacity[t.Kind.Load()] == 0 {
		return ""
	}
	if there, told := a.Reachable[t.Kind.Load()]; told && !there {
		return ""
	}
	return t.Prefer
}

// alone: nobody else is ever offered it.
func (m *model) alone(t *tandem.Task) bool {
	return t.Prefer != "" && t.PreferTill.Sub(t.Arrived) > 8*365*24*time.Hour
}

func (m *model) barred(t *tandem.Task) bool {
	for _, o := range m.tasks {
		if o != t && t.Interaction != "" && o.Interaction == t.Interaction && (o.State == tandem.TaskOffered || o.State == tandem.TaskAssigned) {
			return true
		}
	}
	return false
}

// match: the first task in line that anybody can take, to the best of those who can.
func (m *model) match() {
	for again := !m.drained; again; {
		again = false
		for _, t := range m.line(tandem.TaskWaiting) {
			if t.NotBefore.After(m.now) || m.closed[t.Queue] || m.barred(t) {
				continue
			}
			if can := m.can(t); len(can) > 0 {
				m.offer(t, can[0], m.decision(t))
				again = true
				break
			}
		}
	}
}

// can is who can take a task, best first.
func (m *model) can(t *tandem.Task) []*AgentState {
	var can []*AgentState
	for _, a := range m.byName() {
		if m.p.Agents[a.Name] == nil {
			continue
		}
		if reason, _ := m.cannot(t, a); reason == "" {
			can = append(can, a)
		}
	}
	load := t.Kind.Load()
	slices.SortStableFunc(can, func(a, b *AgentState) int {
		x, y := m.has(a, load, "")*m.p.Agents[b.Name].Capacity[load], m.has(b, load, "")*m.p.Agents[a.Name].Capacity[load]
		if c := cmp.Compare(x, y); c != 0 {
			return c
		}
		return a.Idle.Compare(b.Idle)
	})
	return can
}

func (m *model) decision(t *tandem.Task) tandem.Decision {
	d := tandem.Decision{Waited: max(m.now.Sub(t.Arrived), 0).Seconds(), Position: m.position(t)}
	for _, a := range m.can(t) {
		if d.Eligible++; len(d.Agents) < 5 {
			d.Agents = append(d.Agents, a.Name)
		}
	}
	for _, reason := range reasons {
		details := map[string][]string{}
		for _, a := range m.byName() {
			if m.p.Agents[a.Name] == nil {
				continue
			}
			if r, detail := m.cannot(t, a); r == reason {
				details[detail] = append(details[detail], a.Name)
			}
		}
		for _, detail := range slices.Sorted(maps.Keys(details)) {
			names := details[detail]
			d.Not = append(d.Not, tandem.NotNow{Reason: reason, Detail: detail, Count: len(names), Agents: names[:min(len(names), 5)]})
		}
	}
	if q := m.p.Queues[t.Queue]; q != nil {
		from := t.Arrived
		if t.NotBefore.After(from) {
			from = t.NotBefore
		}
		for _, o := range q.Over {
			for _, team := range o.Teams {
				if !from.Add(o.After).After(m.now) && !slices.Contains(q.Teams, team) && !slices.Contains(d.Overflow, team) {
					d.Overflow = append(d.Overflow, team)
				}
			}
		}
		for _, w := range wanted(t.Skills) {
			for _, r := range q.Relax {
				by, named := r.Levels[w.skill]
				if !named {
					by = r.Levels["*"]
				}
				if by > 0 && !from.Add(r.After).After(m.now) && !slices.Contains(d.Relaxed, w.skill) {
					d.Relaxed = append(d.Relaxed, w.skill)
				}
			}
		}
	}
	return d
}

func (m *model) position(t *tandem.Task) int {
	n := 1
	for _, o := range m.line(tandem.TaskWaiting, t.State) {
		if o == t {
			break
		}
		if o.State == tandem.TaskWaiting && o.Queue == t.Queue && !o.NotBefore.After(m.now) {
			n++
		}
	}
	return n
}

func (m *model) offer(t *tandem.Task, a *AgentState, d tandem.Decision) {
	m.fence++
	span := m.p.Offer[t.Kind.Load()]
	if span <= 0 {
		span = 30 * time.Second
	}
	t.State, t.Agent, t.Fence, t.Since, t.Deadline = tandem.TaskOffered, a.Name, m.fence, m.now, m.now.Add(span)
	a.Holds = append(a.Holds, Holding{Task: t.ID, Interaction: t.Interaction, Fence: t.Fence, Kind: t.Kind, State: t.State, Since: m.now, Deadline: t.Deadline})
	m.tell(OfferMade{Task: *t, Decision: d})
}

func (m *model) hold(name string, fence uint64) *Holding {
	if a := m.agents[name]; a != nil {
		for i := range a.Holds {
			if a.Holds[i].Fence == fence {
				return &a.Holds[i]
			}
		}
	}
	return nil
}

func (m *model) unhold(name string, fence uint64) {
	a := m.agents[name]
	a.Holds = slices.DeleteFunc(a.Holds, func(h Holding) bool { return h.Fence == fence })
	if len(a.Holds) == 0 && m.p.Agents[name] == nil {
		delete(m.agents, name)
	}
}

func (m *model) wait(t *tandem.Task) {
	t.State, t.Agent, t.Since, t.Deadline = tandem.TaskWaiting, "", m.now, time.Time{}
}

func (m *model) rest(t *tandem.Task, agent string) {
	if m.rests[t.ID] == nil {
		m.rests[t.ID] = map[string]time.Time{}
	}
	m.rests[t.ID][agent] = m.now.Add(m.p.DeclineRest)
}

func (m *model) back(t *tandem.Task, why string) {
	agent, fence := t.Agent, t.Fence
	m.wait(t)
	m.tell(OfferOver{Task: *t, Agent: agent, Fence: fence, Why: why})
	m.unhold(agent, fence)
}

func (m *model) over(t *tandem.Task, outcome string) {
	delete(m.tasks, t.ID)
	delete(m.rests, t.ID)
	t.State, t.Outcome, t.Since, t.Deadline = tandem.TaskDone, outcome, m.now, time.Time{}
	m.tell(TaskOver{Task: *t})
}

// pass lets what is due by now happen, one after the other.
func (m *model) pass() {
	type due struct {
		at    time.Time
		id    tandem.TaskID
		fence uint64
		do    func()
	}
	for {
		var all []due
		for _, t := range m.tasks {
			if t.State == tandem.TaskOffered {
				all = append(all, due{t.Deadline, t.ID, 0, func() { m.lapse(t) }})
			}
			if t.State == tandem.TaskWaiting && !t.Expires.IsZero() {
				all = append(all, due{t.Expires, t.ID, 0, func() { m.over(t, tandem.OutcomeMaxWait) }})
			}
		}
		for _, a := range m.agents {
			for _, h := range a.Holds {
				if h.State == tandem.TaskWrapping {
					all = append(all, due{h.Deadline, h.Task, h.Fence, func() { m.endWrap(a.Name, h, "", true) }})
				}
			}
		}
		all = slices.DeleteFunc(all, func(d due) bool { return d.at.After(m.now) })
		if len(all) == 0 {
			return
		}
		slices.SortFunc(all, func(a, b due) int {
			return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.id, b.id), cmp.Compare(a.fence, b.fence))
		})
		all[0].do()
	}
}

func (m *model) lapse(t *tandem.Task) {
	if !t.Deadline.After(m.began) {
		m.back(t, "restart")
		return
	}
	a := m.agents[t.Agent]
	m.rest(t, a.Name)
	a.Missed++
	a.Idle = m.now
	m.back(t, "lapsed")
	if m.p.Misses > 0 && a.Missed >= m.p.Misses && a.Presence == tandem.PresenceAvailable {
		m.presence(a, tandem.PresenceAway, "missed")
	}
}

func (m *model) endWrap(name string, h Holding, disposition string, late bool) {
	m.agents[name].Idle = m.now
	m.tell(WrapOver{Task: h.Task, Interaction: h.Interaction, Agent: name, Fence: h.Fence, Disposition: disposition, Seconds: m.now.Sub(h.Since).Seconds(), Late: late})
	if t := m.tasks[h.Task]; t != nil && t.State == tandem.TaskWrapping && t.Fence == h.Fence {
		m.over(t, t.Outcome)
	}
	m.unhold(name, h.Fence)
}

func (m *model) state(a *AgentState) AgentState {
	s := *a
	s.Reachable, s.Has, s.Holds = maps.Clone(a.Reachable), nil, append([]Holding(nil), a.Holds...)
	for _, h := range a.Holds {
		if s.Has == nil {
			s.Has = map[tandem.Load]int{}
		}
		s.Has[h.Kind.Load()]++
	}
	return s
}

func (m *model) presence(a *AgentState, p tandem.Presence, reason string) {
	if p == tandem.PresenceAvailable {
		reason, a.Missed = "", 0
		if a.Presence != p {
			a.Idle = m.now
		}
	}
	was := a.Presence
	if p != was || reason != a.Reason {
		a.Presence, a.Reason, a.Since = p, reason, m.now
	}
	m.tell(AgentChanged{Agent: m.state(a)})
	switch {
	case p == was:
	case p == tandem.PresenceAway:
		m.withdraw(a, "declined", "")
	case p == tandem.PresenceOffline:
		m.withdraw(a, "unreachable", "")
	}
}

func (m *model) withdraw(a *AgentState, why string, load tandem.Load) {
	for _, h := range slices.Clone(a.Holds) {
		if h.State == tandem.TaskOffered && (load == "" || load == h.Kind.Load()) {
			m.back(m.tasks[h.Task], why)
		}
	}
}

func (m *model) due(t *tandem.Task) time.Time {
	head := min(max(t.Priority, 0), m.p.MostPriority)
	if t.As == tandem.TaskTicket && !t.TicketDue.IsZero() {
		return t.TicketDue.Add(-head)
	}
	target := DefaultTarget(t.As)
	if q := m.p.Queues[t.Queue]; q != nil {
		if d, ok := q.Target[t.As]; ok {
			target = d
		}
		if d, ok := q.TargetOf[t.Level][t.As]; ok {
			target = d
		}
	}
	return t.Arrived.Add(target - head)
}
