package flow

import (
	"maps"
	"slices"

	"tandem"
)

// Advance tells a session what happened and returns the session after it with what
// the world is asked to do, in order. It is pure and s is not changed. An input that
// nobody waits for, such as a late answer, changes nothing. The error, a
// *tandem.Error with CodeConflict, says that s does not fit the library.
func (l *Library) Advance(s Session, in Input) (Session, []Effect, error) {
	r, err := l.take(s, in)
	if err != nil || r == nil {
		return s, nil, err
	}
	r.via = in.Via
	switch in.Kind {
	case InputKey:
		r.onKey(in)
	case InputText:
		r.onText(in.Text, false)
	case InputSpeech:
		r.onText(in.Text, true)
	case InputTimeout:
		if r.awaits(WaitListen, in.Serial) {
			r.onTimeout()
		}
	case InputFetched:
		if in.Fetched != nil && r.awaits(WaitHTTP, in.Serial) {
			r.onFetched(*in.Fetched)
		}
	case InputTransferred:
		if in.Transferred != nil && r.awaits(WaitTransfer, in.Serial) {
			if o := in.Transferred.Outcome; o == "ok" || o == "no_answer" { // the others may come at once, and so in circles
				r.waited()
			}
			r.outcome(in.Transferred.Outcome, "failed")
		}
	case InputRecorded:
		if in.Recorded != nil && r.awaits(WaitVoicemail, in.Serial) {
			r.waited()
			r.outcome(in.Recorded.Outcome, "too_short")
		}
	case InputLeft:
		r.onLeft()
	case InputFault:
		if in.Serial == 0 || in.Serial == s.Wait.Serial {
			r.fault(faultf("%s", in.Text))
		}
	}
	r.loop()
	return r.s, r.effects, nil
}

// take opens a session for a run on a copy. It is nil for a finished one.
func (l *Library) take(s Session, in Input) (*run, error) {
	if len(s.Frames) == 0 {
		return nil, nil
	}
	if err := l.fits(s); err != nil {
		return nil, err
	}
	s.Frames = slices.Clone(s.Frames)
	for i := range s.Frames {
		f := &s.Frames[i]
		f.Vars = cloned(f.Vars)
		f.Visits = cloned(f.Visits)
		f.Secrets = maps.Clone(f.Secrets)
		f.Asked = maps.Clone(f.Asked)
		f.ephemeral = maps.Clone(f.ephemeral)
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
func (l *Library) fits(s Session) error {
	if s.Version != SessionVersion {
		return tandem.Errorf(tandem.CodeConflict, "the session has format %d, this program runs %d", s.Version, SessionVersion)
	}
	if s.Wait.Kind == WaitNone {
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
		if c, ok := step.Verb.(*Collect); frame.Confirming && (!ok || c.Confirm == nil) {
			return tandem.Errorf(tandem.CodeConflict, "the step %s of the flow %s confirms nothing", frame.Step, frame.Flow)
		}
		_, calls := step.Verb.(*Subflow)
		if last := i == len(s.Frames)-1; !last && !calls || last && s.Wait.Kind != waitOf(step.Verb) {
			return tandem.Errorf(tandem.CodeConflict, "the step %s of the flow %s does not wait as the session says", frame.Step, frame.Flow)
		}
	}
	return nil
}

// waitOf is what a step of the verb waits for, WaitNone if it never waits.
func waitOf(v Verb) WaitKind {
	switch v.(type) {
	case ear:
		return WaitListen
	case *HTTP:
		return WaitHTTP
	case *Transfer:
		return WaitTransfer
	case *Voicemail:
		return WaitVoicemail
	}
	return WaitNone
}
