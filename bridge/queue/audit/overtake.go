package audit

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem"
	"tandem/bridge/route"
)

// overtaken says if a task is offered to an agent who could have taken one that stands
// before it in the same queue. Only what the journal and the policy can tell is held
// against the line: a task that may be waiting for a time, or for somebody, is left out,
// and so is one of another load, since who could be reached when is not in the journal.
func (l *Ledger) overtaken(at time.Time, t *entry, agent string) {
	if l.Policy == nil || l.Policy.Queues[t.Queue] == nil || l.Policy.Agents[agent] == nil {
		return
	}
	var first *entry
	for _, u := range l.lines[t.Queue] {
		if u != t && before(u, t) && u.Kind.Load() == t.Kind.Load() && l.couldTake(at, u, l.Policy.Agents[agent]) && (first == nil || before(u, first)) {
			first = u
		}
	}
	if first != nil {
		l.unsure("task %s was overtaken in %s at %s: %s was offered %s, due at %s, and could have taken it, due at %s",
			first.ID, t.Queue, stampOf(at), agent, t.ID, stampOf(t.Due), stampOf(first.Due))
	}
}

// before reports whether u stands before t.
func before(u, t *entry) bool {
	return cmp.Or(u.Due.Compare(t.Due), u.Arrived.Compare(t.Arrived), cmp.Compare(u.ID, t.ID)) < 0
}

// couldTake reports whether an agent could surely have been offered u at a time.
func (l *Ledger) couldTake(at time.Time, u *entry, a *route.Agent) bool {
	switch {
	case u.old, u.NotBefore.After(at), u.moved && !u.Kind.Live():
		return false
	case u.Prefer != "" && u.Prefer != a.Name && !at.After(u.kept):
		return false
	}
	if passed, ok := u.passed[a.Name]; ok && at.Before(passed.Add(l.Policy.DeclineRest)) {
		return false
	}
	for _, o := range l.of[u.Interaction] {
		if o != u && (o.State == tandem.TaskOffered || o.State == tandem.TaskAssigned) {
			return false
		}
	}
	q := l.Policy.Queues[u.Queue]
	base := u.Arrived
	if u.NotBefore.After(base) {
		base = u.NotBefore
	}
	waited := at.Sub(base)
	return inTeams(q, a, waited) && hasSkills(q, a, u.Skills, waited)
}

func inTeams(q *route.Queue, a *route.Agent, waited time.Duration) bool {
	serves := func(teams []string) bool {
		return slices.ContainsFunc(teams, func(t string) bool { return slices.Contains(a.Teams, t) })
	}
	if serves(q.Teams) {
		return true
	}
	for _, o := range q.Over {
		if waited >= o.After && serves(o.Teams) {
			return true
		}
	}
	return false
}

func hasSkills(q *route.Queue, a *route.Agent, wanted []string, waited time.Duration) bool {
	for _, w := range wanted {
		name, level := w, 1
		if n, least, ok := strings.Cut(w, ">="); ok {
			name = n
			level, _ = strconv.Atoi(least)
		}
		for _, r := range q.Relax {
			if waited < r.After {
				continue
			}
			if by, named := r.Levels[name]; named {
				level -= by
			} else {
				level -= r.Levels["*"]
			}
		}
		if level > 0 && a.Skills[name] < level {
			return false
		}
	}
	return true
}
