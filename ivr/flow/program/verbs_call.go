package program

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
	"tandem/ivr/flow/source"
)

func (ff *File) readSubflow(s *step, n *source.Node) flow.Verb {
	name, into := "", ""
	var with []flow.Assignment
	var outcomes []string
	if !ff.Fields(n, "subflow", "name", "with", "into") {
		return flow.NewSubflow(name, with, into, outcomes)
	}
	key := n.Get("name")
	if key == nil {
		ff.Fail(n, "missing-key", "add `name: FLOW`", "subflow has no `name`")
		return flow.NewSubflow(name, with, into, outcomes)
	}
	s.Places["name"] = key
	name, _ = ff.Text(key, "name")
	child := ff.child(key, name)
	if child != nil {
		outcomes = child.Flow.Outcomes
		with = ff.handIn(n, key, child)
	}
	if i := n.Get("into"); i != nil {
		if v := ff.variable(i, "into"); v != nil {
			into = v.Name
			if child != nil {
				ff.handBack(i, v, child)
			}
		}
	}
	return flow.NewSubflow(name, with, into, outcomes)
}

// child finds the flow that is called.
func (ff *File) child(n *source.Node, name string) *File {
	child := ff.known.Flows[name]
	switch {
	case name == "":
		return nil
	case child == nil && ff.Unread(source.FlowFile): // it may be the one
		return nil
	case child == nil:
		var names []string
		for _, other := range slices.Sorted(maps.Keys(ff.known.Flows)) {
			if source.IsName(other) {
				names = append(names, other)
			}
		}
		ff.Fail(n, "unknown-flow", source.DidYouMean(name, names), "there is no flow `%s`", name)
		return nil
	case len(child.Flow.Outcomes) == 0:
		ff.Fail(n, "subflow", "add `outcomes: [done]` to it and end it with `end: { as: done }`", "flow `%s` has no `outcomes`, so it cannot be called", name)
		return nil
	}
	ff.Uses[child.Base] = true
	return child
}

// handIn reads `with` against the child's inputs.
func (ff *File) handIn(n, key *source.Node, child *File) []flow.Assignment {
	var out []flow.Assignment
	given := map[string]bool{}
	if with := n.Get("with"); with != nil && ff.AnyFields(with, "with", "write { input: expression }") {
		var names []string
		for _, in := range child.Flow.Inputs {
			names = append(names, in.Name)
		}
		for _, e := range with.Entries {
			i := slices.Index(names, e.Key.Text)
			if i < 0 {
				ff.Fail(e.Key, "unknown-variable", source.DidYouMean(e.Key.Text, names), "flow `%s` has no input `%s`", child.Flow.Name, e.Key.Text)
				continue
			}
			in := child.Flow.Inputs[i]
			given[in.Name] = true
			if p := ff.compile(e.Val, "`"+in.Name+"`", ff.env, in.Type); p != nil {
				out = append(out, flow.Assignment{Pos: ff.Pos(e.Key), Name: in.Name, Expr: p})
				ff.flowsInto(e.Val, p, in, fmt.Sprintf("input `%s` of flow `%s`", in.Name, child.Flow.Name))
			}
		}
	}
	for _, in := range child.Flow.Inputs {
		if !given[in.Name] && in.Default == nil {
			ff.Fail(key, "missing-input", fmt.Sprintf("add `with: { %s: … }`, or give it a default there", in.Name), "flow `%s` needs its input `%s`", child.Flow.Name, in.Name)
		}
	}
	return out
}

// handBack checks that the variable can hold what the child returns.
func (ff *File) handBack(n *source.Node, v *flow.Variable, child *File) {
	if len(child.Flow.Returns) == 0 {
		ff.Fail(n, "returns", "remove into, or add `returns` to that flow", "flow `%s` returns nothing", child.Flow.Name)
		return
	}
	if v.Type.Kind != expression.Object {
		ff.Fail(n, "wrong-type", fmt.Sprintf("declare `%s` as an object with the fields %s", v.Name, strings.Join(child.Flow.Returns, ", ")), "`%s` must be an object: it receives what flow `%s` returns", v.Name, child.Flow.Name)
		return
	}
	for _, w := range slices.Concat(child.Flow.Inputs, child.Flow.Vars) {
		if !slices.Contains(child.Flow.Returns, w.Name) {
			continue
		}
		if w.Secrecy != flow.Open {
			ff.known.kept.copies[w] = append(ff.known.kept.copies[w], v)
		}
		if w.Secrecy > v.Secrecy {
			ff.Fail(n, "secret-leak", fmt.Sprintf("declare `%s` with the same `secret`", v.Name), "flow `%s` returns the secret `%s`, but `%s` is not as secret", child.Flow.Name, w.Name, v.Name)
		}
		if t := v.Type.Fields[w.Name]; t != nil {
			if why, _ := w.Type.Misfit(t); why != "" {
				ff.Fail(n, "wrong-type", fmt.Sprintf("declare the field `%s` as %s", w.Name, w.Type), "flow `%s` returns `%s`, which the field does not fit: %s", child.Flow.Name, w.Name, why)
			}
		}
	}
	for _, field := range slices.Sorted(maps.Keys(v.Type.Fields)) {
		if !slices.Contains(child.Flow.Returns, field) {
			ff.Fail(n, "returns", fmt.Sprintf("add it to `returns` of that flow, or remove it from `%s`", v.Name), "flow `%s` does not return `%s`", child.Flow.Name, field)
		}
	}
}
