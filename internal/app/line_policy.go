package app

import (
	"maps"
	"slices"

	"tandem/bridge/route"
	"tandem/ivr/flow"
)

// Policy is the line's policy, as the flows folder has it.
func Policy(lib *flow.Library) *route.Policy {
	r := lib.Routing
	p := &route.Policy{
		Queues: map[string]*route.Queue{}, Teams: map[string]*route.Team{}, Agents: map[string]*route.Agent{},
		MostPriority: r.MostPriority, Blocks: maps.Clone(r.Blocks), Offer: maps.Clone(r.Offer), WrapUp: maps.Clone(r.WrapUp),
		DeclineRest: r.DeclineRest, Misses: r.Misses,
	}
	for name, q := range lib.Queues {
		out := &route.Queue{
			Name: name, Teams: slices.Clone(q.Teams), Target: maps.Clone(q.Target), TargetOf: maps.Clone(q.TargetOf), Full: q.Full, MaxWait: q.MaxWait,
			Prefer: q.Prefer, CallbackTries: q.CallbackTries, CallbackGap: q.CallbackGap, Escalate: slices.Clone(q.Escalate),
		}
		for _, x := range q.Relax {
			out.Relax = append(out.Relax, route.Relax{After: x.After, Levels: maps.Clone(x.Levels)})
		}
		for _, x := range q.Over {
			out.Over = append(out.Over, route.Overflow{After: x.After, Teams: slices.Clone(x.Teams)})
		}
		p.Queues[name] = out
	}
	for name, t := range lib.Teams {
		p.Teams[name] = &route.Team{Name: name, Site: t.Site}
	}
	for name, a := range lib.Agents {
		p.Agents[name] = &route.Agent{Name: name, Teams: slices.Clone(a.Teams), Skills: maps.Clone(a.Skills), Capacity: maps.Clone(a.Capacity)}
	}
	return p
}
