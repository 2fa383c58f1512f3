package engine

import (
	"maps"
	"slices"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
)

// replay leaves the step that waits by an outcome of another session, with the values
// that were set there. It changes nothing and returns a *tandem.Error with CodeInvalid
// if the step cannot be left so. A value that was masked, or that fits no variable of
// this flow, is skipped.
func (r *run) replay(in flow.Input) error {
	e, v := r.hearing(), r.step.Verb
	m, _ := e.(menu)
	choice := -1
	if m.Menu != nil {
		for i := range m.count(r) {
			if m.outcome(i) == in.Text {
				choice = i
			}
		}
	}
	var command *flow.Command
	if e != nil && e.commands() {
		if i := slices.IndexFunc(r.flow.Commands, func(c *flow.Command) bool { return c.Name == in.Text }); i >= 0 {
			command = r.flow.Commands[i]
		}
	}
	if choice < 0 && command == nil && in.Text != "not_assured" && !slices.Contains(v.Outcomes(), in.Text) {
		return tandem.Errorf(tandem.CodeInvalid, "the step %s of the flow %s cannot be left by %q", r.f.Step, r.flow.Name, in.Text)
	}
	if e != nil {
		r.waited()
		r.f.Draft, r.s.Keys = "", ""
		r.emit(flow.Cut{})
	}
	r.recall(in.Set)
	var err error
	switch {
	case choice >= 0:
		err = m.choose(r, choice)
	case command != nil:
		if err = r.obey(e, command); err == nil {
			err = r.settle(e)
		}
	case in.Text == "not_assured":
		err = r.notAssured()
	default:
		err = r.leaveAs(in)
	}
	if err != nil {
		r.fault(err)
	}
	return nil
}

// leaveAs leaves the step by an outcome of its verb, with what that does besides.
func (r *run) leaveAs(in flow.Input) error {
	switch v := r.step.Verb.(type) {
	case *flow.ConsentStep:
		if in.Text != "no_input" {
			return consent{v}.given(r, in.Text)
		}
	case *flow.Language:
		if lang, ok := in.Set["lang"].(string); ok && slices.Contains(r.flow.Languages, lang) {
			r.speak(lang)
		}
	case *flow.IdentifyStep:
		r.onIdentify(v, flow.Result{Outcome: in.Text})
		return nil
	case *flow.Handoff:
		r.onHandoff(v, flow.Result{Outcome: in.Text, Carried: in.Carried})
		return nil
	}
	r.outcome(in.Text, "")
	return nil
}

// recall sets variables as another session had set them in this step.
func (r *run) recall(set map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(set)) {
		v := r.flow.Variable(name)
		if v == nil || v.Secrecy != flow.Open {
			continue
		}
		if value, err := expression.Convert(v.Type, expression.Normalize(set[name])); err == nil {
			r.put(v, value)
			r.changed(v, value)
		}
	}
}
