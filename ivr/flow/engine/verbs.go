package engine

import (
	"strconv"

	"tandem"
	"tandem/ivr/flow"
)

// assignAll is the verb set: each expression sees what those before it have set.
func (r *run) assignAll(list []flow.Assignment) error {
	for _, a := range list {
		if v := r.flow.Variable(a.Name); a.Expr.Secret() && v != nil && v.Secrecy == flow.Open {
			return faultf("%s is not secret, but what it would be set to is", a.Name)
		}
		v, err := r.eval(a.Expr)
		if err != nil {
			return err
		}
		if err := r.assign(a.Name, v); err != nil {
			return err
		}
	}
	return r.leave("done")
}

func (r *run) branch(v *flow.Branch) error {
	for i, arm := range v.Arms {
		holds, err := r.eval(arm.If)
		if err != nil {
			return err
		}
		if holds == true {
			r.leaveTo("arm "+strconv.Itoa(i+1), arm.Go)
			return nil
		}
	}
	return r.leave("else")
}

func (r *run) hours(v *flow.Hours) error {
	c, ok := r.lib.Calendars[v.Calendar]
	if !ok {
		return faultf("there is no calendar %q", v.Calendar)
	}
	return r.leave(c.Status(r.now))
}

// call is the verb subflow: it hands the child its inputs and goes to its start.
func (r *run) call(v *flow.Subflow) error {
	child, ok := r.lib.Flows[v.Name]
	if !ok {
		return faultf("there is no flow %q", v.Name)
	}
	if len(r.s.Frames) >= maxFrames {
		return faultf("more than %d flows have called each other", maxFrames)
	}
	inputs := make(map[string]any, len(v.With))
	for _, a := range v.With {
		if in := child.Variable(a.Name); a.Expr.Secret() && in != nil && in.Secrecy == flow.Open {
			return faultf("calling %s: %s is not secret, but what is handed in is", v.Name, a.Name)
		}
		value, err := r.eval(a.Expr)
		if err != nil {
			return err
		}
		inputs[a.Name] = value
	}
	frame, err := newFrame(child, inputs)
	if err != nil {
		return faultf("calling %s: %v", v.Name, err)
	}
	r.s.Frames = append(r.s.Frames, frame)
	r.owned[len(r.s.Frames)-1] = ownAll
	r.top()
	r.trace(tandem.EventFlowStarted, tandem.FlowRef{Flow: child.Name, Hash: child.Hash})
	r.next = child.Start
	return nil
}

// end is the verb end: it returns from a called flow, or ends everything. Nobody waits
// for what a flow that was left ends as: the flows that called it have their on_leave.
func (r *run) end(v *flow.End) error {
	if v.As == "" || len(r.s.Frames) == 1 {
		reason := v.Reason
		if reason == "" {
			reason = v.As
		}
		if reason == "" {
			reason = flow.ReasonCompleted
		}
		r.finish(reason, false)
		return nil
	}
	if r.f.Left {
		r.trace(tandem.EventOutcome, tandem.StepLeft{Flow: r.flow.Name, Step: r.f.Step, Outcome: v.As})
		r.climb()
		return nil
	}
	returned, secret, err := r.returns()
	if err != nil {
		return err
	}
	r.trace(tandem.EventOutcome, tandem.StepLeft{Flow: r.flow.Name, Step: r.f.Step, Outcome: v.As})
	r.pop()
	call, ok := r.step.Verb.(*flow.Subflow)
	if !ok {
		return faultf("%s called no flow", r.f.Step)
	}
	if call.Into != "" {
		if into := r.flow.Variable(call.Into); secret && into != nil && into.Secrecy == flow.Open {
			return faultf("%s is not secret, but what %s returns is", call.Into, call.Name)
		}
		if err := r.assign(call.Into, returned); err != nil {
			return err
		}
	}
	return r.leave(v.As)
}

// returns collects what a called flow hands back, and tells if a secret is in it.
func (r *run) returns() (values map[string]any, secret bool, err error) {
	values = make(map[string]any, len(r.flow.Returns))
	for _, name := range r.flow.Returns {
		if values[name], err = r.value(name); err != nil {
			return nil, false, err
		}
		if v := r.flow.Variable(name); v != nil && v.Secrecy != flow.Open {
			secret = true
		}
	}
	return values, secret, nil
}
