package text

import (
	"context"
	"encoding/json"

	"tandem/ivr/flow"
)

// talk has the world's talk with the customer go on, or begin with an effect: what it says
// is said as the flow's own words are, and until it is over it has all the customer writes.
func (t *turn) talk(ctx context.Context, e flow.Effect, in flow.Input) {
	in.At, in.Serial = t.now, t.st.s.Wait.Serial
	answer, err := t.d.talked(ctx, t.st.ref(), t.st.s, e, in)
	if err != nil {
		t.answer(flow.Input{Kind: flow.InputFault, Text: err.Error()})
		return
	}
	t.enters = answer.Entry
	for _, p := range answer.Plays {
		p.Step = t.st.s.Wait.Step
		t.play(p)
	}
	s := &t.st.s
	t.changed = true
	switch {
	case answer.Go != "":
		// Nothing is taken any more until it is known what came of it. A stop in between
		// begins the talk anew.
		s.World, s.Wait.Secret, s.Wait.Timeout, s.Wait.Options = nil, false, 0, nil
		t.goOn = &answer
	case answer.Done != nil:
		t.answer(flow.Input{Kind: flow.InputResult, Result: answer.Done})
	default:
		s.World = answer.State
		if s.World == nil {
			s.World = json.RawMessage("{}")
		}
		s.Wait.Secret, s.Wait.Timeout, s.Wait.Options = answer.Wait.Secret, answer.Wait.Timeout, answer.Wait.Options
	}
}

// talked asks the world, whose panics are errors here.
func (d *Driver) talked(ctx context.Context, r Ref, s flow.Session, e flow.Effect, in flow.Input) (answer flow.Turn, err error) {
	defer d.contain("talk", &err)
	return d.o.World.Talk(ctx, r, s, e, in)
}
