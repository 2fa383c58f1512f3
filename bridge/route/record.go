package route

import (
	"cmp"
	"slices"
	"time"

	"tandem"
	"tandem/bridge/route/ordered"
)

// shown is how many agents a record names of each group: the rest are counted.
const shown = 5

// reasons are those of tandem.NotNow, in the order in which a record has them.
var reasons = []string{"team", "skill", "offline", "away", "unreachable", "capacity", "offered", "wrap_up", "blocked", "held_for_other", "declined"}

// record is who can take a task that has a class, and why the others cannot: by what the
// classes count, so that it takes time by the number of classes.
func (l *Line) record(t *task) tandem.Decision {
	d := tandem.Decision{Waited: max(l.now.Sub(t.Arrived), 0).Seconds(), Position: t.in.line.Rank(t) + 1,
		Overflow: slices.Clone(t.class.over), Relaxed: slices.Clone(t.class.relaxed)}
	var g groups
	var best []*agent
	for _, s := range l.supplies {
		switch {
		case !t.class.ofTeam(s):
			g.add(notNow{"team", ""}, s.names.Size(), &s.names)
		case !t.class.can.Has(s.id):
			g.add(notNow{"skill", t.class.missing(s)}, s.names.Size(), &s.names)
		default:
			for not, names := range s.not[t.class.load] {
				g.add(not, names.Size(), names)
			}
			if t.keeper == nil {
				d.Eligible += s.ready[t.class.load].Size()
				best = l.top(t, s, best, shown)
			} else {
				g.add(notNow{"held_for_other", t.keeper.name}, s.ready[t.class.load].Size(), &s.ready[t.class.load])
			}
		}
	}
	if t.keeper != nil && t.keeper.spots[t.class.load].not == (notNow{}) {
		g.take(notNow{"held_for_other", t.keeper.name}, t.keeper)
		if t.rested(t.keeper.name, l.now) {
			g.put(notNow{"declined", ""}, t.keeper)
		} else {
			d.Eligible, best = 1, []*agent{t.keeper}
		}
	}
	for _, r := range t.rests {
		a := l.agents[r.Agent]
		if t.keeper == nil && a != nil && a.class != nil && l.now.Before(r.Until) && t.class.can.Has(a.class.id) && a.spots[t.class.load].not == (notNow{}) {
			d.Eligible--
			g.put(notNow{"declined", ""}, a)
		}
	}
	for _, a := range best {
		d.Agents = append(d.Agents, a.name)
	}
	d.Not = g.list()
	return d
}

// groups counts agents by why they cannot take a task.
type groups []group

type group struct {
	notNow
	count int
	from  []*ordered.Tree[*agent]
	some  []*agent
	less  *agent // who is in from, but not in the group
}

func (g *groups) of(why notNow) *group {
	for i := range *g {
		if (*g)[i].notNow == why {
			return &(*g)[i]
		}
	}
	*g = append(*g, group{notNow: why})
	return &(*g)[len(*g)-1]
}

func (g *groups) add(why notNow, n int, names *ordered.Tree[*agent]) {
	if n > 0 {
		o := g.of(why)
		o.count += n
		o.from = append(o.from, names)
	}
}

func (g *groups) put(why notNow, a *agent) {
	o := g.of(why)
	o.count++
	o.some = append(o.some, a)
}

func (g *groups) take(why notNow, a *agent) {
	o := g.of(why)
	o.count--
	o.less = a
}

// list is the groups as a record has them.
func (g groups) list() []tandem.NotNow {
	slices.SortFunc(g, func(a, b group) int {
		if c := cmp.Compare(slices.Index(reasons, a.reason), slices.Index(reasons, b.reason)); c != 0 {
			return c
		}
		return cmp.Compare(a.detail, b.detail)
	})
	var out []tandem.NotNow
	for i := range g {
		if g[i].count > 0 {
			out = append(out, tandem.NotNow{Reason: g[i].reason, Detail: g[i].detail, Count: g[i].count, Agents: g[i].names()})
		}
	}
	return out
}

// names is some of a group, the first of each class, by name.
func (g *group) names() []string {
	some := g.some
	for _, from := range g.from {
		n := 0
		for a := range from.All() {
			if a == g.less {
				continue
			}
			i, _ := slices.BinarySearchFunc(some, a, byName)
			if n++; n > shown || i == shown {
				break
			}
			if some = slices.Insert(some, i, a); len(some) > shown {
				some = some[:shown]
			}
		}
	}
	slices.SortFunc(some, byName)
	out := make([]string, 0, len(some))
	for _, a := range some {
		out = append(out, a.name)
	}
	return out[:min(len(out), shown)]
}

// explain says why a task that is to be offered goes to an agent.
func (l *Line) explain(d *tandem.Decision, t *task, a *agent) {
	load := t.class.load
	switch {
	case t.keeper != nil:
		d.Why = wordsKept(a.name)
	case d.Eligible == 1:
		d.Why = wordsOnly(a.name)
	default:
		x, y := a.spots[load], l.agents[d.Agents[1]].spots[load]
		switch {
		case x.has*y.cap != y.has*x.cap:
			d.Why = wordsLeastLoaded(a.name, d.Eligible, load, x.has, x.cap)
		case x.idle != y.idle:
			d.Why = wordsLongestIdle(a.name, d.Eligible, l.now.Sub(a.idle))
		default:
			d.Why = wordsFirstByName(a.name, d.Eligible)
		}
	}
}

// Why is why a waiting task waits: who is there to take it, and why none of them does,
// as a decision without a choice. Who can take it is as of the newest event; there are some
// where it is not for want of agents that it waits.
func (l *Line) Why(id tandem.TaskID, now time.Time) (d tandem.Decision, ok bool) {
	t := l.tasks[id]
	if t == nil || t.State != tandem.TaskWaiting {
		return d, false
	}
	inClass := t.class != nil
	if !inClass {
		t.class = l.demandOf(t)
	}
	d = l.record(t)
	d.Waited = max(now.Sub(t.Arrived), 0).Seconds()
	d.Why = l.whyWaits(t, &d, now)
	if !inClass {
		t.class = nil
	}
	return d, true
}

// whyWaits is the first thing that is in a task's way.
func (l *Line) whyWaits(t *task, d *tandem.Decision, now time.Time) tandem.Words {
	fit, there := d.Eligible, d.Eligible
	for _, n := range d.Not {
		switch n.Reason {
		case "team", "skill":
		case "offline", "away":
			fit += n.Count
		default:
			fit, there = fit+n.Count, there+n.Count
		}
	}
	switch {
	case l.drained:
		return wordsStopping
	case t.in.p == nil:
		return wordsNoQueue(t.Queue)
	case t.NotBefore.After(now):
		return wordsNotYet(t.NotBefore.Sub(now))
	case t.in.closed:
		return wordsClosed(t.Queue)
	case t.served.live != nil:
		return wordsBarred
	case t.keeper != nil && t.alone():
		return wordsAlone(t.keeper.name)
	case t.keeper != nil:
		return wordsKeptWaiting(t.keeper.name, t.PreferTill.Sub(now))
	case fit == 0:
		return wordsNobodyFits
	case there == 0:
		return wordsNobodyThere(fit)
	case d.Eligible == 0:
		return wordsNobodyFree(there)
	}
	return wordsSoon
}
