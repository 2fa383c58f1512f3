package engine

import (
	"maps"

	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
)

// Maps of a frame that a run has made its own.
const (
	ownVars uint8 = 1 << iota
	ownSecrets
	ownEphemeral
	ownAsked
	ownVisits
	ownAll uint8 = 1<<iota - 1
)

// own makes a map of the called flow this run's before it changes it: the session that
// came in keeps what it has.
func own[V any](r *run, which uint8, m *map[string]V) {
	owned := &r.owned[len(r.s.Frames)-1]
	if *owned&which != 0 {
		return
	}
	*owned |= which
	if *m == nil {
		*m = map[string]V{}
		return
	}
	*m = maps.Clone(*m)
}

// put keeps a value of the called flow.
func (r *run) put(v *flow.Variable, value any) {
	switch v.Secrecy {
	case flow.Open:
		own(r, ownVars, &r.f.Vars)
	case flow.Secret:
		own(r, ownSecrets, &r.f.Secrets)
	case flow.Ephemeral:
		own(r, ownEphemeral, &r.f.Ephemeral)
	}
	put(r.f, v, value)
}

// assign converts a value and keeps it. A secret's value never reaches the trace.
func (r *run) assign(name string, value any) error {
	v := r.flow.Variable(name)
	if v == nil {
		return faultf("there is no variable %q", name)
	}
	value, err := expression.Convert(v.Type, value)
	if err != nil {
		return faultf("setting %s: %v", name, err)
	}
	r.put(v, value)
	if v.Secrecy == flow.Ephemeral {
		by := ""
		if _, ok := r.step.Verb.(*flow.Collect); ok {
			by = r.f.Step
		}
		own(r, ownAsked, &r.f.Asked)
		asked(r.f, name, by)
	}
	r.changed(v, value)
	return nil
}

// changed notes a variable for the trace of the step, a secret's value masked.
func (r *run) changed(v *flow.Variable, value any) {
	if v.Secrecy != flow.Open {
		value = masked
	}
	if r.set == nil {
		r.set = map[string]any{}
	}
	r.set[v.Name] = value
}
