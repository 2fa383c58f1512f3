package route

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem"
	"tandem/bridge/route/ordered"
)

// loads are all, in the order in which they are shown.
var loads = [...]tandem.Load{tandem.LoadVoice, tandem.LoadChat, tandem.LoadSMS, tandem.LoadWork}

const loadCount = len(loads)

// loadNo is a load's place in loads, -1 for one that is none.
func loadNo(l tandem.Load) int { return slices.Index(loads[:], l) }

func loadOf(k tandem.TaskKind) int {
	switch k {
	case tandem.TaskCall, tandem.TaskCallback:
		return 0
	case tandem.TaskChat:
		return 1
	case tandem.TaskText:
		return 2
	}
	return 3
}

// agent is an agent, with their places in the line's indexes.
type agent struct {
	name     string
	p        *Agent  // nil: the policy has them no more, and they only finish what they have
	class    *supply // nil as p
	presence tandem.Presence
	reason   string
	since    time.Time
	idle     time.Time
	missed   int
	// consulted: they are asked in to a call of another's
	consulted bool
	reach     [loadCount]bool
	told      [loadCount]bool // reach was measured
	has       [loadCount]int
	most      [loadCount]int // capacity, or what they had as it was lowered
	holds     []*hold        // by fence

	spots   [loadCount]spot
	kept    [loadCount]ordered.Tree[*task] // waits for them alone
	prefer  ordered.Tree[*task]            // may have to wait for them alone
	stirred bool
}

// hold is one thing that an agent has.
type hold struct {
	Holding
	wake timer // a wrap-up's
}

// spot is where an agent stands for a load: in one tree of their class, by these fields.
type spot struct {
	in       *ordered.Tree[*agent]
	not      notNow
	has, cap int
	idle     int64
}

// notNow is why an agent cannot take anything of a load now; its zero value is that they
// can.
type notNow struct{ reason, detail string }

// supply is a class of agents who can take the same tasks but for what they do now: of
// the same teams, with the same skills.
type supply struct {
	id     int
	teams  []string
	skills map[string]int
	names  ordered.Tree[*agent]
	there  int                                         // who are not offline
	ready  [loadCount]ordered.Tree[*agent]             // who can take something now, in the order of choice
	not    [loadCount]map[notNow]*ordered.Tree[*agent] // the others, by why not, by name
	can    ordered.Set                                 // of demand classes
}

// choice orders agents for a load: the least loaded, then the longest idle, then by name.
func choice(load int) func(a, b *agent) int {
	return func(a, b *agent) int {
		if a == b {
			return 0
		}
		x, y := &a.spots[load], &b.spots[load]
		if c := cmp.Compare(x.has*y.cap, y.has*x.cap); c != 0 {
			return c
		}
		if c := cmp.Compare(x.idle, y.idle); c != 0 {
			return c
		}
		return cmp.Compare(a.name, b.name)
	}
}

var byChoice = [loadCount]func(a, b *agent) int{choice(0), choice(1), choice(2), choice(3)}

func byName(a, b *agent) int { return cmp.Compare(a.name, b.name) }

// newAgent is an agent without a class.
func newAgent(name string, p *Agent, at time.Time) *agent {
	a := &agent{name: name, p: p, presence: tandem.PresenceOffline, since: at, idle: at, prefer: ordered.Tree[*task]{Order: byLine}}
	for i := range a.kept {
		a.kept[i].Order = byLine
	}
	return a
}

// capacity is how many tasks of a load they may have.
func (a *agent) capacity(load int) int {
	if a.p == nil {
		return 0
	}
	return max(a.p.Capacity[loads[load]], 0)
}

// count notes that they have more or less of a load.
func (a *agent) count(load, by int) {
	a.has[load] += by
	a.most[load] = max(a.capacity(load), min(a.most[load], a.has[load]))
}

// allow takes what they have as allowed: after another policy, and after a restart.
func (a *agent) allow() {
	for i := range a.most {
		a.most[i] = max(a.capacity(i), a.has[i])
	}
}

func (a *agent) held(fence uint64) *hold {
	for _, h := range a.holds {
		if h.Fence == fence {
			return h
		}
	}
	return nil
}

func (a *agent) grab(h *hold) {
	i, _ := slices.BinarySearchFunc(a.holds, h, func(a, b *hold) int { return cmp.Compare(a.Fence, b.Fence) })
	a.holds = slices.Insert(a.holds, i, h)
	a.count(loadOf(h.Kind), 1)
}

func (a *agent) drop(h *hold) {
	a.holds = slices.DeleteFunc(a.holds, func(o *hold) bool { return o == h })
	a.count(loadOf(h.Kind), -1)
}

// state is the agent as others see them.
func (a *agent) state() AgentState {
	s := AgentState{Name: a.name, Presence: a.presence, Reason: a.reason, Since: a.since, Idle: a.idle, Missed: a.missed, Consulted: a.consulted}
	for i, load := range loads {
		if a.told[i] {
			if s.Reachable == nil {
				s.Reachable = map[tandem.Load]bool{}
			}
			s.Reachable[load] = a.reach[i]
		}
		if a.has[i] > 0 {
			if s.Has == nil {
				s.Has = map[tandem.Load]int{}
			}
			s.Has[load] = a.has[i]
		}
	}
	for _, h := range a.holds {
		s.Holds = append(s.Holds, h.Holding)
	}
	return s
}

// now is why they cannot take anything of a load now, whatever it asks for.
func (a *agent) now(load int, blocks map[tandem.Load][]tandem.Load) notNow {
	cap := a.capacity(load)
	switch {
	case cap == 0:
		return notNow{"capacity", "none"}
	case a.presence == tandem.PresenceOffline:
		return notNow{"offline", ""}
	case a.presence != tandem.PresenceAvailable:
		return notNow{"away", a.reason}
	case !a.reach[load]:
		return notNow{"unreachable", string(loads[load])}
	case a.has[load] >= cap:
		return notNow{a.busy(load), string(loads[load])}
	case a.consulted && load == loadNo(tandem.LoadVoice):
		return notNow{"capacity", string(loads[load])}
	}
	for i, other := range loads {
		if (a.has[i] > 0 || a.consulted && other == tandem.LoadVoice) && slices.Contains(blocks[other], loads[load]) {
			return notNow{"blocked", string(other)}
		}
	}
	return notNow{}
}

// busy says what fills their capacity: the first of notes, an offer, and work.
func (a *agent) busy(load int) string {
	reason := "capacity"
	for _, h := range a.holds {
		switch {
		case loadOf(h.Kind) != load:
		case h.State == tandem.TaskWrapping:
			return "wrap_up"
		case h.State == tandem.TaskOffered:
			reason = "offered"
		}
	}
	return reason
}

// settle puts an agent where they stand now. One who can take what they could not is
// stirred.
func (l *Line) settle(a *agent) {
	if a.class == nil {
		return
	}
	for i := range loads {
		next := spot{not: a.now(i, l.policy.Blocks), has: a.has[i], cap: a.capacity(i), idle: nanos(a.idle)}
		was := &a.spots[i]
		next.in = was.in
		if was.in != nil && next == *was {
			continue
		}
		if was.in != nil && next.not == was.not && next.not != (notNow{}) {
			*was = next // by name: it stays where it is
			continue
		}
		became := next.not == (notNow{}) && (was.in == nil || was.not != notNow{})
		l.unsettle(a, i)
		next.in = a.class.tree(i, next.not)
		a.spots[i] = next
		next.in.Insert(a)
		if next.not == (notNow{}) {
			l.ready[i].Add(a.class.id)
		}
		if became {
			l.stirAgent(a)
		}
	}
}

// unsettle takes an agent out of their tree for a load.
func (l *Line) unsettle(a *agent, load int) {
	was := &a.spots[load]
	if was.in == nil {
		return
	}
	was.in.Remove(a)
	if was.in.Size() == 0 {
		if was.not == (notNow{}) {
			l.ready[load].Drop(a.class.id)
		} else {
			delete(a.class.not[load], was.not)
		}
	}
	was.in = nil
}

func (s *supply) tree(load int, not notNow) *ordered.Tree[*agent] {
	if not == (notNow{}) {
		return &s.ready[load]
	}
	t := s.not[load][not]
	if t == nil {
		t = &ordered.Tree[*agent]{Order: byName}
		s.not[load][not] = t
	}
	return t
}

// supplyOf is the class that an agent of the policy is of.
func (l *Line) supplyOf(p *Agent) *supply {
	teams := slices.Clone(p.Teams)
	slices.Sort(teams)
	teams = slices.Compact(teams)
	var key strings.Builder
	for _, team := range teams {
		key.WriteString(strconv.Quote(team))
	}
	for _, skill := range slices.Sorted(maps.Keys(p.Skills)) {
		key.WriteString(" " + strconv.Quote(skill) + strconv.Itoa(p.Skills[skill]))
	}
	s := l.supplyKeys[key.String()]
	if s == nil {
		s = &supply{id: len(l.supplies), teams: teams, skills: p.Skills, names: ordered.Tree[*agent]{Order: byName}}
		for i := range s.ready {
			s.ready[i].Order = byChoice[i]
			s.not[i] = map[notNow]*ordered.Tree[*agent]{}
		}
		l.supplies = append(l.supplies, s)
		l.supplyKeys[key.String()] = s
	}
	return s
}
