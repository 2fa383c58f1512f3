package engine

import (
	"maps"
	"slices"

	"tandem"
	"tandem/ivr/flow"
)

// Advance tells a session what happened and returns the session after it with what
// the world is asked to do, in order. It is pure and s is not changed. An input that
// nobody waits for, such as a late answer, changes nothing. The error, a
// *tandem.Error with CodeConflict, says that s does not fit the library.
func Advance(l *flow.Library, s flow.Session, in flow.Input) (flow.Session, []flow.Effect, error) {
	r, err := take(l, s, in)
	if err != nil || r == nil {
		return s, nil, err
	}
	r.via = in.Via
	switch in.Kind {
	case flow.InputKey:
		r.onKey(in)
	case flow.InputText:
		r.onText(in.Text, false)
	case flow.InputSpeech:
		r.onText(in.Text, true)
	case flow.InputTimeout:
		if r.awaits(flow.WaitListen, in.Serial) {
			r.onTimeout()
		}
	case flow.InputFetched:
		if in.Fetched != nil && r.awaits(flow.WaitHTTP, in.Serial) {
			r.onFetched(*in.Fetched)
		}
	case flow.InputResult:
		if in.Result != nil && in.Serial == s.Wait.Serial {
			r.onResult(*in.Result)
		}
	case flow.InputLeft:
		r.onLeft()
	case flow.InputFault:
		if in.Serial == 0 || in.Serial == s.Wait.Serial {
			r.fault(faultf("%s", in.Text))
		}
	}
	r.loop()
	return r.s, r.effects, nil
}

// take opens a session for a run on a copy. It is nil for a finished one.
func take(l *flow.Library, s flow.Session, in flow.Input) (*run, error) {
	if len(s.Frames) == 0 {
		return nil, nil
	}
	if err := fits(l, s); err != nil {
		return nil, err
	}
	s.Frames = slices.Clone(s.Frames)
	for i := range s.Frames {
		f := &s.Frames[i]
		f.Vars = cloned(f.Vars)
		f.Visits = cloned(f.Visits)
		f.Secrets = maps.Clone(f.Secrets)
		f.Asked = maps.Clone(f.Asked)
		f.Ephemeral = maps.Clone(f.Ephemeral)
		f.Back = slices.Clip(f.Back)
	}
	r := &run{lib: l, now: in.At, s: s}
	r.top()
	return r, nil
}

func cloned[M ~map[K]V, K comparable, V any](m M) M {
	if m == nil {
		return M{}
	}
	return maps.Clone(m)
}

// fits checks that a session can go on with this library: the flows and steps it is
// in are there, in the version it began with.
func fits(l *flow.Library, s flow.Session) error {
	if s.Version != flow.SessionVersion {
		return tandem.Errorf(tandem.CodeConflict, "the session has format %d, this program runs %d", s.Version, flow.SessionVersion)
	}
	if s.Wait.Kind == flow.WaitNone {
		return tandem.Errorf(tandem.CodeConflict, "the session waits for nothing, yet has not ended")
	}
	if s.Steps < 0 {
		return tandem.Errorf(tandem.CodeConflict, "the session has walked %d steps", s.Steps)
	}
	if len(s.Frames) > maxFrames {
		return tandem.Errorf(tandem.CodeConflict, "the session has %d flows on its stack, more than %d", len(s.Frames), maxFrames)
	}
	for i, frame := range s.Frames {
		f, ok := l.Flows[frame.Flow]
		if !ok {
			return tandem.Errorf(tandem.CodeConflict, "the session is in a flow %q, which is not here", frame.Flow)
		}
		if f.Hash != frame.Hash {
			return tandem.Errorf(tandem.CodeConflict, "the session began with another version of the flow %s", frame.Flow)
		}
		step, ok := f.Steps[frame.Step]
		if !ok {
			return tandem.Errorf(tandem.CodeConflict, "the flow %s has no step %q", frame.Flow, frame.Step)
		}
		if c, ok := step.Verb.(*flow.Collect); frame.Confirming && (!ok || c.Confirm == nil) {
			return tandem.Errorf(tandem.CodeConflict, "the step %s of the flow %s confirms nothing", frame.Step, frame.Flow)
		}
		_, calls := step.Verb.(*flow.Subflow)
		if last := i == len(s.Frames)-1; !last && !calls || last && s.Wait.Kind != waitOf(step.Verb) {
			return tandem.Errorf(tandem.CodeConflict, "the step %s of the flow %s does not wait as the session says", frame.Step, frame.Flow)
		}
	}
	return nil
}

// waitOf is what a step of the verb waits for, WaitNone if it never waits.
func waitOf(v flow.Verb) flow.WaitKind {
	switch v.(type) {
	case *flow.HTTP:
		return flow.WaitHTTP
	case *flow.Transfer:
		return flow.WaitTransfer
	case *flow.Voicemail:
		return flow.WaitVoicemail
	}
	if hear(v) != nil {
		return flow.WaitListen
	}
	return flow.WaitNone
}
