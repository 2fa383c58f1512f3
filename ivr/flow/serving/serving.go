// Package serving says who can serve a queue: which teams and agents it has, with those
// that help out later, and what nobody among them can do however long somebody waits. It
// is for the checks of flow files; what a running line does is tandem/bridge/route's.
//
// It is pure, keeps nothing and starts no goroutine.
package serving

import (
	"cmp"
	"maps"
	"slices"

	"tandem/ivr/flow"
)

// Teams is every team that may serve a queue, those that help out later too, each once.
func Teams(q *flow.Queue) []string {
	out := slices.Clone(q.Teams)
	for _, o := range q.Over {
		for _, t := range o.Teams {
			if !slices.Contains(out, t) {
				out = append(out, t)
			}
		}
	}
	return out
}

// Agents is those of a queue's teams, by name.
func Agents[A any](q *flow.Queue, all map[string]A, agent func(A) *flow.Agent) []*flow.Agent {
	teams := Teams(q)
	var out []*flow.Agent
	for _, a := range all {
		if slices.ContainsFunc(agent(a).Teams, func(t string) bool { return slices.Contains(teams, t) }) {
			out = append(out, agent(a))
		}
	}
	slices.SortFunc(out, func(a, b *flow.Agent) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// Skills is what some of the agents can do, sorted.
func Skills(agents []*flow.Agent) []string {
	all := map[string]bool{}
	for _, a := range agents {
		for s := range a.Skills {
			all[s] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// Lack reports that none of the agents has a skill at a level, relaxed as far as the queue
// ever does; relaxed says that it does at all.
func Lack(q *flow.Queue, agents []*flow.Agent, skill string, level int) (lack, relaxed bool) {
	least := level
	for _, stage := range q.Relax {
		by, named := stage.Levels[skill]
		if !named {
			by = stage.Levels["*"]
		}
		least -= by
	}
	has := func(a *flow.Agent) bool { return a.Skills[skill] >= least }
	return least > 0 && !slices.ContainsFunc(agents, has), least < level
}
