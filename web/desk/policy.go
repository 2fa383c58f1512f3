package desk

import (
	"time"

	"tandem"
	"tandem/bridge/route"
	"tandem/web/desk/board"
	"tandem/web/desk/view"
)

// policy is the routing policy as the API shows it; times in seconds.
type policy struct {
	Queues       map[string]policyQueue        `json:"queues"`
	Teams        map[string]policyTeam         `json:"teams"`
	Agents       map[string]policyAgent        `json:"agents"`
	MostPriority float64                       `json:"most_priority"`
	Blocks       map[tandem.Load][]tandem.Load `json:"blocks"`
	Offer        map[tandem.Load]float64       `json:"offer"`
	WrapUp       map[tandem.Load]float64       `json:"wrap_up"`
	DeclineRest  float64                       `json:"decline_rest"`
	Misses       int                           `json:"misses"`
}

type policyQueue struct {
	Teams    []string                               `json:"teams"`
	Target   map[tandem.TaskKind]float64            `json:"target"`
	Levels   map[string]map[tandem.TaskKind]float64 `json:"levels,omitempty"`
	Full     int                                    `json:"full,omitempty"`
	MaxWait  float64                                `json:"max_wait,omitempty"`
	Prefer   float64                                `json:"prefer,omitempty"`
	Relax    []policyRelax                          `json:"relax,omitempty"`
	Overflow []policyOverflow                       `json:"overflow,omitempty"`
	Callback policyCallback                         `json:"callback"`
	Escalate []string                               `json:"escalate,omitempty"`
}

type policyRelax struct {
	After  float64        `json:"after"`
	Skills map[string]int `json:"skills"`
}

type policyOverflow struct {
	After float64  `json:"after"`
	Teams []string `json:"teams"`
}

type policyCallback struct {
	Tries int     `json:"tries,omitempty"`
	Gap   float64 `json:"gap,omitempty"`
}

type policyTeam struct {
	Site string `json:"site,omitempty"`
}

type policyAgent struct {
	Teams    []string            `json:"teams"`
	Skills   map[string]int      `json:"skills"`
	Capacity map[tandem.Load]int `json:"capacity"`
}

func policyOf(p *route.Policy) policy {
	out := policy{Queues: map[string]policyQueue{}, Teams: map[string]policyTeam{}, Agents: map[string]policyAgent{}, MostPriority: p.MostPriority.Seconds(),
		Blocks: view.Filled(p.Blocks), Offer: seconds(p.Offer), WrapUp: seconds(p.WrapUp), DeclineRest: p.DeclineRest.Seconds(), Misses: p.Misses}
	for name, q := range p.Queues {
		v := policyQueue{Teams: append([]string{}, q.Teams...), Target: board.Targets(q), Full: q.Full, MaxWait: q.MaxWait.Seconds(), Prefer: q.Prefer.Seconds(),
			Callback: policyCallback{q.CallbackTries, q.CallbackGap.Seconds()}, Escalate: q.Escalate}
		for level, of := range q.TargetOf {
			if v.Levels == nil {
				v.Levels = map[string]map[tandem.TaskKind]float64{}
			}
			v.Levels[level] = seconds(of)
		}
		for _, r := range q.Relax {
			v.Relax = append(v.Relax, policyRelax{r.After.Seconds(), view.Filled(r.Levels)})
		}
		for _, o := range q.Over {
			v.Overflow = append(v.Overflow, policyOverflow{o.After.Seconds(), append([]string{}, o.Teams...)})
		}
		out.Queues[name] = v
	}
	for name, t := range p.Teams {
		out.Teams[name] = policyTeam{t.Site}
	}
	for name, a := range p.Agents {
		out.Agents[name] = policyAgent{append([]string{}, a.Teams...), view.Filled(a.Skills), view.Filled(a.Capacity)}
	}
	return out
}

func seconds[K comparable](m map[K]time.Duration) map[K]float64 {
	out := make(map[K]float64, len(m))
	for k, v := range m {
		out[k] = v.Seconds()
	}
	return out
}
