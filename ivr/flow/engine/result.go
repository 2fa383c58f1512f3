package engine

import "tandem/ivr/flow"

// onResult takes the answer to the effect that the session waits for.
func (r *run) onResult(a flow.Result) {
	switch r.s.Wait.Kind {
	case flow.WaitTransfer:
		if a.Outcome == "ok" || a.Outcome == "no_answer" { // the others may come at once, and so in circles
			r.waited()
		}
		r.outcome(a.Outcome, "failed")
	case flow.WaitVoicemail:
		r.waited()
		r.outcome(a.Outcome, "too_short")
	}
}
