package check

// calls finds flows that call themselves, even through others.
func (c *checker) calls() {
	for _, f := range c.order {
		for _, name := range f.Program.Order {
			s := f.Steps[name]
			for place, child := range s.calls() {
				path := c.callPath(child, f.Program.Name, map[string]bool{})
				if path == nil {
					continue
				}
				way := f.Program.Name
				for _, p := range path {
					way += " → " + p
				}
				f.Fail(s.At(place), "recursion", "end the called flow instead and loop in the caller", "flow `%s` calls itself: %s", f.Program.Name, way)
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
		for _, child := range f.Steps[name].calls() {
			if rest := c.callPath(child, to, seen); rest != nil {
				return append([]string{from}, rest...)
			}
		}
	}
	return nil
}
