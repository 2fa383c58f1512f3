package engine

import (
	"time"

	"tandem"
	"tandem/ivr/flow"
)

// Resume goes on with a session that was stored or moved to another channel: it
// tells the language, checks what the step needs once more, and asks again at the
// current wait under a new serial. An HTTP request is sent again if it is idempotent;
// nobody knows whether another one arrived, so it has the outcome error. Effects with a
// Key are asked for again under the same, so that nothing is done twice; a call is
// placed, a recording taken and a customer identified anew. The error is that of Advance.
func Resume(l *flow.Library, s flow.Session, now time.Time) (flow.Session, []flow.Effect, error) {
	r, err := take(l, s, flow.Input{At: now})
	if err != nil || r == nil {
		return s, nil, err
	}
	r.s.Keys, r.s.Hushed = "", false
	r.f.Draft = ""
	r.emit(flow.Speak{Lang: r.s.Lang})
	if err := r.again(); err != nil {
		r.fault(err)
	}
	r.loop()
	return r.s, r.effects, nil
}

// again repeats what the session was waiting for. A level that has expired ends the
// called flow with the step that needed it.
func (r *run) again() error {
	if low, err := r.recheck(len(r.s.Frames)); low {
		return err
	}
	if e := hear(r.step.Verb); e != nil {
		if c, ok := e.(collect); ok && r.f.Confirming && c.Secrecy == flow.Ephemeral {
			r.f.Confirming = false // the value is lost, there is nothing to confirm
		}
		r.todo = ask
		return r.settle(e)
	}
	if v, ok := r.step.Verb.(*flow.HTTP); ok && !idempotent(v) {
		r.trace(tandem.EventFlowError, tandem.FlowFault{Step: r.f.Step, Message: "nobody knows whether the request arrived: it is not sent again"})
		return r.leave("error")
	}
	return r.ask()
}

func idempotent(v *flow.HTTP) bool {
	switch v.Method {
	case "GET", "PUT", "DELETE":
		return true
	}
	return v.Idempotent
}
