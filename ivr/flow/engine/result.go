package engine

import "tandem/ivr/flow"

// onResult takes the answer to the effect that the session waits for.
func (r *run) onResult(a flow.Result) {
	outcome := a.Outcome
	if r.s.Taken != nil && r.s.Asked == nil { // the agent has them no more
		r.back()
		return
	}
	switch v := r.step.Verb.(type) {
	case *flow.LinkStep:
		r.onLink(v, outcome)
	case *flow.Handoff:
		r.onHandoff(v, a)
	case *flow.IdentifyStep:
		r.onIdentify(v, a)
	case *flow.ResumeStep:
		r.outcome(outcome, "failed")
	case *flow.Transfer:
		r.outcome(outcome, "failed")
	case *flow.Voicemail:
		r.outcome(outcome, "too_short")
	case *flow.RecordStep:
		r.onValue(a, "done", v.Into, "too_short")
	case *flow.Message:
		r.outcome(outcome, "undeliverable")
	case *flow.QueueStep:
		r.outcome(outcome, "no_agents")
	case *flow.CallbackStep:
		r.outcome(outcome, "declined")
	case *flow.TicketStep:
		r.onValue(a, "opened", v.Into, "")
	case *flow.SurveyStep:
		r.outcome(outcome, "skipped")
	}
}

// onValue takes an answer that brings a value with its good outcome.
func (r *run) onValue(a flow.Result, good, into, otherwise string) {
	if a.Outcome == good && into != "" {
		if err := r.assign(into, a.Value); err != nil {
			r.fault(err)
			return
		}
	}
	r.outcome(a.Outcome, otherwise)
}
