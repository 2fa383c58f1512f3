package engine

import (
	"time"

	"tandem"
	"tandem/ivr/flow"
)

// Resume goes on with a session that was stored or moved to another channel: it
// tells the language, checks what the step needs once more, and asks again at the
// current wait under a new serial. An HTTP request is sent again if it is idempotent;
// nobody knows whether another one arrived, so it has the outcome error. The error is
// that of Advance.
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
	for i, f := range r.s.Frames {
		if r.s.Facts.Level(r.now) >= r.lib.Flows[f.Flow].Steps[f.Step].Needs {
			continue
		}
		for len(r.s.Frames) > i+1 {
			r.pop()
		}
		return r.leave("not_assured")
	}
	if e := hear(r.step.Verb); e != nil {
		if c, ok := e.(collect); ok && r.f.Confirming && c.Secrecy == flow.Ephemeral {
			r.f.Confirming = false // the value is lost, there is nothing to confirm
		}
		r.todo = ask
		return r.settle(e)
	}
	switch v := r.step.Verb.(type) {
	case *flow.HTTP:
		if !idempotent(v) {
			r.trace(tandem.EventFlowError, tandem.FlowFault{Step: r.f.Step, Message: "nobody knows whether the request arrived: it is not sent again"})
			return r.leave("error")
		}
		return r.fetch(v)
	case *flow.Transfer:
		return r.connect(v)
	case *flow.Voicemail:
		return r.record(v)
	}
	return faultf("the verb %s does not wait", r.step.Verb.Verb())
}

func idempotent(v *flow.HTTP) bool {
	switch v.Method {
	case "GET", "PUT", "DELETE":
		return true
	}
	return v.Idempotent
}
