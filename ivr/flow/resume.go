package flow

import (
	"time"

	"tandem"
)

// Resume goes on with a session that was stored or moved to another channel: it
// tells the language, checks what the step needs once more, and asks again at the
// current wait under a new serial. An HTTP request is sent again if it is idempotent;
// nobody knows whether another one arrived, so it has the outcome error. The error is
// that of Advance.
func (l *Library) Resume(s Session, now time.Time) (Session, []Effect, error) {
	r, err := l.take(s, Input{At: now})
	if err != nil || r == nil {
		return s, nil, err
	}
	r.s.Keys, r.s.Hushed = "", false
	r.f.draft = ""
	r.emit(Speak{Lang: r.s.Lang})
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
		if r.s.Facts.level(r.now) >= r.lib.Flows[f.Flow].Steps[f.Step].Needs {
			continue
		}
		for len(r.s.Frames) > i+1 {
			r.pop()
		}
		return r.leave("not_assured")
	}
	switch v := r.step.Verb.(type) {
	case ear:
		if c, ok := v.(*Collect); ok && r.f.Confirming && c.Secrecy == Ephemeral {
			r.f.Confirming = false // the value is lost, there is nothing to confirm
		}
		r.todo = ask
		return r.settle(v)
	case *HTTP:
		if !idempotent(v) {
			r.trace(tandem.EventFlowError, tandem.FlowFault{Step: r.f.Step, Message: "nobody knows whether the request arrived: it is not sent again"})
			return r.leave("error")
		}
		return r.fetch(v)
	case *Transfer:
		return r.connect(v)
	case *Voicemail:
		return r.record(v)
	}
	return faultf("the verb %s does not wait", r.step.Verb.Verb())
}

func idempotent(v *HTTP) bool {
	switch v.Method {
	case "GET", "PUT", "DELETE":
		return true
	}
	return v.Idempotent
}
