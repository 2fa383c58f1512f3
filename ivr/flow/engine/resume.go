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
// placed, a recording taken and a customer identified anew.
//
// Before it resumes a session for a customer who has come back, perhaps by another
// channel, the world sets in its Facts what may have changed: Channel, Caller, Customer,
// Phone, Assurance and AssuranceUntil, which are what the new leg has shown and nothing
// more, and Browser. Entry and Number stay those of the interaction. Then the first prompts are
// those of the step at which it stopped, in the session's language, with the channel's
// buttons and waiting time; a step that needs more than was shown asks for it first, and
// a handoff to the channel that the customer now is on counts as accepted. A step that an
// agent had asked is over. Whom an agent has stays with them if the world says so (Enqueue).
//
// The error is that of Advance, or a *tandem.Error with CodeConflict if one of the flows
// under way does not serve the channel: nothing was changed, and the customer can be told
// to come back by another. A step that the channel cannot do, such as a voicemail in chat,
// is a fault of the step, and goes to on_error.
func Resume(l *flow.Library, s flow.Session, now time.Time) (flow.Session, []flow.Effect, error) {
	r, err := take(l, s, flow.Input{At: now})
	if err != nil || r == nil {
		return s, nil, err
	}
	if r.s.Asked != nil {
		r.cut()
		r.under = false
	}
	if name := r.refuses(r.s.Facts.Channel); name != "" {
		return s, nil, tandem.Errorf(tandem.CodeConflict, "the flow %s does not serve %s", name, r.s.Facts.Channel)
	}
	r.s.Keys, r.s.Hushed = "", false
	r.f.Draft = ""
	if r.s.On != "" && r.s.On != r.s.Facts.Channel {
		r.forgetBack()
	}
	r.emit(flow.Speak{Lang: r.s.Lang})
	if err := r.again(); err != nil {
		r.fault(err)
	}
	r.loop()
	r.settleWorld(s.Wait.Serial)
	return r.s, r.effects, nil
}

// again repeats what the session was waiting for. A level that has expired ends the
// called flow with the step that needed it.
func (r *run) again() error {
	if r.s.Taken != nil {
		r.withdrawn()
		return nil
	}
	if low, err := r.recheck(len(r.s.Frames)); low {
		return err
	}
	if e := hear(r.step.Verb); e != nil {
		if c, ok := e.(collect); ok && r.f.Confirming && c.Secrecy == flow.Ephemeral {
			r.f.Confirming = false // the value is lost, there is nothing to confirm
		}
		r.todo, r.anew = ask, true
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
