package read

import (
	"slices"

	"tandem/ivr/flow"
)

// checkLoops finds circles in which nobody is waited for (rule 9).
func (ff *flowFile) checkLoops() {
	quick := map[string][]edge{} // the ways out that do not wait, repeat resolved
	for _, name := range ff.flow.Order {
		for _, e := range ff.edges(ff.steps[name]) {
			if e.to == flow.ToRepeat {
				e.to = name
			}
			if !e.waits && ff.steps[e.to] != nil {
				quick[name] = append(quick[name], e)
			}
		}
	}
	for _, group := range circles(ff.flow.Order, quick) {
		first := group[0]
		path, last := shortestCircle(first, group, quick)
		s := ff.steps[last.from]
		ff.fail(s.at(last.edge.place), "endless-loop", "let one step on the way wait for the caller, such as a menu, a collect or a transfer; saying something does not wait",
			"these steps can run in a circle for ever without waiting for anybody: %s", stepList(append(path, first)))
	}
}

// circles are the groups of steps that lead to one another, each in file order.
func circles(order []string, out map[string][]edge) [][]string {
	index, low, on := map[string]int{}, map[string]int{}, map[string]bool{}
	var stack []string
	var groups [][]string
	type frame struct {
		name string
		next int
	}
	for _, root := range order {
		if index[root] != 0 {
			continue
		}
		frames := []frame{{name: root}}
		for len(frames) > 0 {
			f := &frames[len(frames)-1]
			if f.next == 0 {
				index[f.name] = len(index) + 1
				low[f.name] = index[f.name]
				stack, on[f.name] = append(stack, f.name), true
			}
			if f.next < len(out[f.name]) {
				to := out[f.name][f.next].to
				f.next++
				if index[to] == 0 {
					frames = append(frames, frame{name: to})
				} else if on[to] {
					low[f.name] = min(low[f.name], index[to])
				}
				if index[to] == 0 {
					continue
				}
				if f.next < len(out[f.name]) {
					continue
				}
			}
			name := f.name
			frames = frames[:len(frames)-1]
			if len(frames) > 0 {
				parent := frames[len(frames)-1].name
				low[parent] = min(low[parent], low[name])
			}
			if low[name] != index[name] {
				continue
			}
			var group []string
			for {
				top := stack[len(stack)-1]
				stack = stack[:len(stack)-1]
				on[top] = false
				group = append(group, top)
				if top == name {
					break
				}
			}
			selfLoop := slices.ContainsFunc(out[name], func(e edge) bool { return e.to == name })
			if len(group) > 1 || selfLoop {
				slices.SortFunc(group, func(a, b string) int { return slices.Index(order, a) - slices.Index(order, b) })
				groups = append(groups, group)
			}
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
