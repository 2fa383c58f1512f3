package ticket

import (
	"maps"
	"slices"
	"strings"

	"tandem/bridge/route"
)

// place is where in the line an owner is found.
type place struct {
	owner  string // agent:NAME, team:NAME or queue:NAME
	queue  string
	prefer string // the agent; "" = anybody of the queue
}

// placeOf finds an owner: "agent:NAME", "team:NAME", "queue:NAME", or a NAME that is
// looked up in that order; "" is whoever serves the queue at hand. A team or an agent has
// the queue at hand if they serve it, else the first by name that they do. ok is false if
// there is no such owner, or if they serve no queue.
func placeOf(p *route.Policy, owner, queue string) (at place, ok bool) {
	if p.Queues[queue] == nil {
		if queue = first(p, func(*route.Queue) bool { return true }); queue == "" {
			return at, false
		}
	}
	kind, name, named := strings.Cut(owner, ":")
	if owner == "" {
		kind, name, named = "queue", queue, true
	}
	kinds := []string{kind}
	if !named {
		kinds, name = []string{"agent", "team", "queue"}, owner
	}
	for _, kind := range kinds {
		if at, ok := placeIn(p, kind, name, queue); ok {
			return at, true
		}
	}
	return at, false
}

func placeIn(p *route.Policy, kind, name, queue string) (place, bool) {
	at := place{owner: kind + ":" + name}
	switch kind {
	case "queue":
		if p.Queues[name] == nil {
			return at, false
		}
		at.queue = name
	case "team":
		at.queue = servedBy(p, []string{name}, queue)
	case "agent":
		a := p.Agents[name]
		if a == nil {
			return at, false
		}
		at.queue, at.prefer = servedBy(p, a.Teams, queue), name
	}
	return at, at.queue != ""
}

// servedBy is a queue that one of the teams serves: the one at hand before others.
func servedBy(p *route.Policy, teams []string, queue string) string {
	serves := func(q *route.Queue) bool {
		return slices.ContainsFunc(q.Teams, func(t string) bool { return slices.Contains(teams, t) })
	}
	if q := p.Queues[queue]; q != nil && serves(q) {
		return queue
	}
	return first(p, serves)
}

// first is the first queue by name for which something holds; "" = none.
func first(p *route.Policy, holds func(*route.Queue) bool) string {
	for _, name := range slices.Sorted(maps.Keys(p.Queues)) {
		if holds(p.Queues[name]) {
			return name
		}
	}
	return ""
}
