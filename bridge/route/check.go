package route

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tandem"
)

// Check holds the line against its invariants and says what is broken, a sentence each. It
// works everything out from what tasks, agents and the policy are, without the indexes that
// decisions are made by, and then holds those against indexes made anew. It takes time by
// tasks and agents.
func (l *Line) Check() []string {
	c := &checker{l: l, fences: map[uint64]string{}, live: map[tandem.InteractionID]tandem.TaskID{}}
	for _, a := range l.names {
		c.agent(a)
	}
	for _, t := range l.order() {
		c.task(t)
	}
	c.offers()
	c.indexes()
	return c.found
}

type checker struct {
	l      *Line
	found  []string
	fences map[uint64]string
	live   map[tandem.InteractionID]tandem.TaskID
}

func (c *checker) say(format string, fill ...any) {
	c.found = append(c.found, fmt.Sprintf(format, fill...))
}

// agent: nobody has more than they may, or something that is not theirs.
func (c *checker) agent(a *agent) {
	var has [loadCount]int
	for _, h := range a.holds {
		has[loadOf(h.Kind)]++
		if other := c.fences[h.Fence]; other != "" {
			c.say("fence %d is held by %s and by %s", h.Fence, other, a.name)
		}
		c.fences[h.Fence] = a.name
		if h.Fence > c.l.fence {
			c.say("fence %d of %s is newer than the newest, %d", h.Fence, a.name, c.l.fence)
		}
		t := c.l.tasks[h.Task]
		switch {
		case h.State == tandem.TaskWrapping:
			if !h.Deadline.After(c.l.now) {
				c.say("the wrap-up of %s by %s should be over", h.Task, a.name)
			}
		case h.State != tandem.TaskOffered && h.State != tandem.TaskAssigned:
			c.say("%s holds %s as %s", a.name, h.Task, h.State)
		case t == nil || t.State != h.State || t.Agent != a.name || t.Fence != h.Fence:
			c.say("%s holds %s as %s under fence %d, and the task does not say so", a.name, h.Task, h.State, h.Fence)
		}
	}
	for i, load := range loads {
		if has[i] != a.has[i] {
			c.say("%s is counted to have %d of %s and has %d", a.name, a.has[i], load, has[i])
		}
		if has[i] > max(a.capacity(i), a.most[i]) {
			c.say("%s has %d of %s and may have %d", a.name, has[i], load, a.capacity(i))
		}
	}
}

// task: each is in one state, with what belongs to it, and one of an interaction at most is
// with an agent.
func (c *checker) task(t *task) {
	now := c.l.now
	if t.Fence > c.l.fence {
		c.say("fence %d of task %s is newer than the newest, %d", t.Fence, t.ID, c.l.fence)
	}
	switch t.State {
	case tandem.TaskWaiting:
		if t.Agent != "" || !t.Deadline.IsZero() {
			c.say("task %s waits and has an agent or a deadline", t.ID)
		}
		if !t.Expires.IsZero() && !t.Expires.After(now) {
			c.say("task %s waits past its bound", t.ID)
		}
		return
	case tandem.TaskOffered, tandem.TaskAssigned:
		if t.Interaction != "" {
			if other := c.live[t.Interaction]; other != "" {
				c.say("tasks %s and %s of one interaction are both with agents", other, t.ID)
			}
			c.live[t.Interaction] = t.ID
		}
	case tandem.TaskWrapping:
	default:
		c.say("task %s is in the line as %q", t.ID, t.State)
		return
	}
	a := c.l.agents[t.Agent]
	if a == nil {
		c.say("task %s is with %q, who is not known", t.ID, t.Agent)
		return
	}
	h := a.held(t.Fence)
	if h == nil || h.Task != t.ID || h.State != t.State || !h.Deadline.Equal(t.Deadline) || h.Kind != t.Kind {
		c.say("task %s is %s by %s under fence %d, who does not hold it so", t.ID, t.State, t.Agent, t.Fence)
	}
	if t.State == tandem.TaskOffered && !t.Deadline.After(now) {
		c.say("the offer of task %s to %s should have lapsed", t.ID, t.Agent)
	}
}

// offers: nobody waits whom somebody could serve now.
func (c *checker) offers() {
	if c.l.drained {
		return
	}
	var free []*agent
	for _, a := range c.l.names {
		if a.p != nil && a.presence == tandem.PresenceAvailable {
			free = append(free, a)
		}
	}
	for _, t := range c.l.tasks {
		if t.State != tandem.TaskWaiting || c.l.queues[t.Queue].closed || t.NotBefore.After(c.l.now) || c.live[t.Interaction] != "" {
			continue
		}
		teams, wants := c.asks(&t.Task)
		var kept *agent
		if a := c.l.agents[t.Prefer]; a != nil && c.l.now.Before(t.PreferTill) && c.meets(a, teams, wants) {
			there := a.presence == tandem.PresenceAvailable && !t.rested(a.name, c.l.now)
			if there || isAlone(&t.Task) && a.presence != tandem.PresenceOffline {
				kept = a
			}
		}
		for _, a := range free {
			if (kept == nil || kept == a) && c.room(a, t.Kind.Load()) && !t.rested(a.name, c.l.now) && c.meets(a, teams, wants) {
				c.say("task %s waits although %s could take it", t.ID, a.name)
				break
			}
		}
	}
}

// asks is what a task asks for by now.
func (c *checker) asks(t *tandem.Task) (teams []string, wants map[string]int) {
	wants = map[string]int{}
	for _, w := range wanted(t.Skills) {
		wants[w.skill] = w.level
	}
	q := c.l.policy.Queues[t.Queue]
	if q == nil {
		return nil, wants
	}
	teams = q.Teams
	from := later(t.Arrived, t.NotBefore)
	behind := func(after time.Duration) bool { return c.l.now.Sub(from) >= after }
	for _, o := range q.Over {
		if behind(o.After) {
			teams = append(slices.Clip(teams), o.Teams...)
		}
	}
	for _, r := range q.Relax {
		for skill := range wants {
			by, named := r.Levels[skill]
			if !named {
				by = r.Levels["*"]
			}
			if behind(r.After) {
				wants[skill] -= max(by, 0)
			}
		}
	}
	return teams, wants
}

func (c *checker) meets(a *agent, teams []string, wants map[string]int) bool {
	if a.p == nil || !slices.ContainsFunc(a.p.Teams, func(team string) bool { return slices.Contains(teams, team) }) {
		return false
	}
	for skill, level := range wants {
		if a.p.Skills[skill] < level {
			return false
		}
	}
	return true
}

func (c *checker) room(a *agent, load tandem.Load) bool {
	has := map[tandem.Load]int{}
	for _, h := range a.holds {
		has[h.Kind.Load()]++
	}
	if a.consulted { // a call of another's
		has[tandem.LoadVoice] = max(has[tandem.LoadVoice], a.p.Capacity[tandem.LoadVoice], 1)
	}
	for other := range has {
		if slices.Contains(c.l.policy.Blocks[other], load) {
			return false
		}
	}
	return a.reach[loadNo(load)] && has[load] < a.p.Capacity[load]
}

// indexes: a line made of what this one would save has everything in the same places.
func (c *checker) indexes() {
	fresh := New(c.l.policy, c.l.Save())
	if len(fresh.tasks) != len(c.l.tasks) || len(fresh.agents) != len(c.l.agents) {
		c.say("the line has %d tasks and %d agents, and %d and %d made anew", len(c.l.tasks), len(c.l.agents), len(fresh.tasks), len(fresh.agents))
		return
	}
	for id, t := range c.l.tasks {
		if was, is := t.index(c.l), fresh.tasks[id].index(fresh); was != is {
			c.say("task %s is indexed as %s, and made anew as %s", id, was, is)
		}
	}
	for name, a := range c.l.agents {
		if was, is := a.index(c.l), fresh.agents[name].index(fresh); was != is {
			c.say("%s is indexed as %s, and made anew as %s", name, was, is)
		}
	}
	for name, q := range c.l.queues {
		if o := fresh.queue(name); q.line.Size() != o.line.Size() || q.all.Size() != o.all.Size() || q.live != o.live {
			c.say("queue %s counts %d, %d, %d, and made anew %d, %d, %d", name, q.line.Size(), q.all.Size(), q.live, o.line.Size(), o.all.Size(), o.live)
		}
	}
	for i := range loads {
		if was, is := c.l.open(i), fresh.open(i); was != is {
			c.say("%s is indexed as %s, and made anew as %s", loads[i], was, is)
		}
	}
}

// index is where a task stands in the indexes.
func (t *task) index(l *Line) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d of %s, wakes %d", t.in.all.Rank(t), t.in.name, l.wakeOf(t))
	if t.wake.pos == 0 && l.wakeOf(t) != noTime || t.wake.pos > 0 && t.wake.at != l.wakeOf(t) {
		b.WriteString(" at another time")
	}
	if t.lined {
		fmt.Fprintf(&b, ", %d in line", t.in.line.Rank(t))
	}
	if d := t.class; d != nil {
		fmt.Fprintf(&b, ", class %v %s %s, %d", d.teams, loads[d.load], written(d.wants), d.tasks.Rank(t))
	}
	if t.keeper != nil {
		fmt.Fprintf(&b, ", kept for %s, %d", t.keeper.name, t.keeper.kept[t.class.load].Rank(t))
	}
	return b.String()
}

// index is where an agent stands in the indexes.
func (a *agent) index(l *Line) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d preferring", a.prefer.Size())
	for i := range a.spots {
		s := &a.spots[i]
		if s.in == nil {
			continue
		}
		fmt.Fprintf(&b, ", %s %v %d/%d: %d of %d", loads[i], s.not, s.has, s.cap, s.in.Rank(a), s.in.Size())
	}
	return b.String()
}

// open is how many classes of a load have tasks and agents, by the sets that are searched
// and by what the classes say themselves.
func (l *Line) open(load int) string {
	tasks, agents, named := 0, 0, 0
	for _, d := range l.demands {
		if d == nil || d.load != load {
			continue
		}
		if d.tasks.Size() > 0 && !d.in.closed {
			tasks++
			if !l.waiting[load].Has(d.id) {
				return "a class that is not searched"
			}
		}
	}
	for _, s := range l.supplies {
		if s.ready[load].Size() > 0 {
			agents++
			if !l.ready[load].Has(s.id) {
				return "agents who are not searched"
			}
		}
		named += s.there
	}
	return fmt.Sprintf("%d classes of tasks, %d of agents, %d agents there", tasks, agents, named)
}
