package check

import "tandem/ivr/flow"

// calls finds flows that call themselves, even through others.
func (c *checker) calls() {
	for _, f := range c.order {
		for _, name := range f.Program.Order {
			s := f.Steps[name]
			call, ok := s.Verb.(*flow.Subflow)
			if !ok || c.flows[call.Name] == nil {
				continue
			}
			if path := c.callPath(call.Name, f.Program.Name, map[string]bool{}); path != nil {
				way := f.Program.Name
				for _, p := range path {
					way += " → " + p
				}
				f.Fail(s.At("name"), "recursion", "end the called flow instead and loop in the caller", "flow `%s` calls itself: %s", f.Program.Name, way)
			}
		}
	}
}

// callPath is the chain of calls from one flow to another, nil if there is none.
func (c *checker) callPath(from, to string, seen map[string]bool) []string {
	if from == to {
		return []string{to}
	}
	if seen[from] || c.flows[from] == nil {
		return nil
	}
	seen[from] = true
	f := c.flows[from]
	for _, name := range f.Program.Order {
		if call, ok := f.Steps[name].Verb.(*flow.Subflow); ok {
			if rest := c.callPath(call.Name, to, seen); rest != nil {
				return append([]string{from}, rest...)
			}
		}
	}
	return nil
}
