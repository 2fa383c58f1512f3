package check

import (
	"slices"

	"tandem/ivr/flow"
)

// loops finds circles in which nobody is waited for (rule 9).
func (f *subject) loops() {
	quick := map[string][]edge{} // the ways out that do not wait, repeat resolved
	for _, name := range f.Program.Order {
		for _, e := range f.edges(f.Steps[name]) {
			if e.to == flow.ToRepeat {
				e.to = name
			}
			if !e.waits && f.Steps[e.to] != nil {
				quick[name] = append(quick[name], e)
			}
		}
	}
	for _, group := range circles(f.Program.Order, quick) {
		first := group[0]
		path, last := shortestCircle(first, group, quick)
		s := f.Steps[last.from]
		f.Fail(s.At(last.edge.place), "endless-loop", "let one step on the way wait for the caller, such as a menu, a collect or a transfer; saying something does not wait",
			"these steps can run in a circle for ever without waiting for anybody: %s", stepList(append(path, first)))
	}
}

// circles are the groups of steps that lead to one another, each in file order:
// the strongly connected components of R. Tarjan's algorithm.
func circles(order []string, out map[string][]edge) [][]string {
	index, low, open := map[string]int{}, map[string]int{}, map[string]bool{}
	var stack []string
	var groups [][]string
	var visit func(string)
	visit = func(name string) { // as deep as a flow has steps
		index[name] = len(index) + 1
		low[name] = index[name]
		stack, open[name] = append(stack, name), true
		loops := false
		for _, e := range out[name] {
			loops = loops || e.to == name
			if index[e.to] == 0 {
				visit(e.to)
				low[name] = min(low[name], low[e.to])
			} else if open[e.to] {
				low[name] = min(low[name], index[e.to])
			}
		}
		if low[name] != index[name] {
			return
		}
		at := slices.Index(stack, name)
		group := slices.Clone(stack[at:])
		stack = stack[:at]
		for _, g := range group {
			open[g] = false
		}
		if len(group) > 1 || loops {
			slices.SortFunc(group, func(a, b string) int { return slices.Index(order, a) - slices.Index(order, b) })
			groups = append(groups, group)
		}
	}
	for _, root := range order {
		if index[root] == 0 {
			visit(root)
		}
	}
	return groups
}

type closing struct {
	from string
	edge edge
}

// shortestCircle is the way from a step back to itself inside its group, and the
// edge that closes it.
func shortestCircle(first string, group []string, out map[string][]edge) ([]string, closing) {
	in := map[string]bool{}
	for _, g := range group {
		in[g] = true
	}
	before := map[string]string{first: ""}
	for todo := []string{first}; len(todo) > 0; todo = todo[1:] {
		for _, e := range out[todo[0]] {
			if e.to == first {
				var path []string
				for at := todo[0]; at != ""; at = before[at] {
					path = append([]string{at}, path...)
				}
				return path, closing{todo[0], e}
			}
			if _, seen := before[e.to]; !seen && in[e.to] {
				before[e.to] = todo[0]
				todo = append(todo, e.to)
			}
		}
	}
	return []string{first}, closing{from: first}
}
