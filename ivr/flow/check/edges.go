package check

import (
	"maps"
	"slices"
	"strconv"

	"tandem/ivr/flow"
)

// edge is one way out of a step.
type edge struct {
	outcome string
	to      string // a step, end or repeat
	place   string // the part of the step that says so, for step.at
	waits   bool   // it is taken only after waiting for somebody (rule 9)
}

// edges lists the ways out of a step: its verb's, then those of rules 1 and 8.
func (f *subject) edges(s *Step) []edge {
	out := f.verbEdges(s)
	if s.If != nil {
		out = f.addOutcome(out, s, "skipped", false)
	}
	if s.MaxVisits > 0 {
		if to, ok := s.Next.By["loop"]; ok {
			out = append(out, edge{"loop", to, "next loop", false})
		} else if f.Program.OnError != "" {
			out = append(out, edge{"loop", f.Program.OnError, "max_visits", false})
		}
	}
	if to, ok := s.Next.By["not_assured"]; ok && s.Needs > 0 {
		out = append(out, edge{"not_assured", to, "next not_assured", false})
	}
	return out
}

func (f *subject) verbEdges(s *Step) []edge {
	var out []edge
	switch v := s.Verb.(type) {
	case nil:
		for _, outcome := range slices.Sorted(maps.Keys(s.Next.By)) {
			out = append(out, edge{"", s.Next.By[outcome], "next", true})
		}
		for _, to := range []string{s.Next.To, s.Next.Else} {
			if to != "" {
				out = append(out, edge{"", to, "next", true})
			}
		}
		return out
	case *flow.Menu:
		for i, c := range v.Choices {
			out = append(out, edge{"choice", c.Go, "choice " + strconv.Itoa(i+1), true})
		}
		if v.From != nil {
			out = append(out, edge{"choice", v.From.Go, "verb", true})
		}
	case *flow.Branch:
		for i, a := range v.Arms {
			out = append(out, edge{"arm", a.Go, "arm " + strconv.Itoa(i+1), false})
		}
	case *flow.Subflow:
		quick := f.checker.quickOutcomes(v.Name)
		for _, o := range v.Outcomes() {
			out = f.addOutcome(out, s, o, !quick[o])
		}
		return out
	}
	for _, o := range s.Verb.Outcomes() {
		out = f.addOutcome(out, s, o, flow.Waits(s.Verb, o))
	}
	return out
}

func (f *subject) addOutcome(out []edge, s *Step, outcome string, waits bool) []edge {
	to, ok := s.Next.Target(outcome)
	if !ok || to == "" {
		return out
	}
	place := "next"
	if s.Places["next "+outcome] != nil {
		place = "next " + outcome
	} else if s.Places["next else"] != nil {
		place = "next else"
	}
	return append(out, edge{outcome, to, place, waits})
}

// quickOutcomes are those a called flow can reach without waiting for anybody.
func (c *checker) quickOutcomes(name string) map[string]bool {
	if q, ok := c.quick[name]; ok {
		return q
	}
	q := map[string]bool{}
	c.quick[name] = q // a flow that calls itself is an error of its own
	f := c.flows[name]
	if f == nil {
		return q
	}
	seen := map[string]bool{}
	for todo := []string{f.Program.Start}; len(todo) > 0; {
		s := f.Steps[todo[len(todo)-1]]
		todo = todo[:len(todo)-1]
		if s == nil || seen[s.Name] {
			continue
		}
		seen[s.Name] = true
		if end, ok := s.Verb.(*flow.End); ok && end.As != "" {
			q[end.As] = true
		}
		for _, e := range f.edges(s) {
			if !e.waits {
				todo = append(todo, e.to)
			}
		}
	}
	return q
}
