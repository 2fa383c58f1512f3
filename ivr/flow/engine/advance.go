package engine

import (
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
	r.overtaken(in)
	switch in.Kind {
	case flow.InputKey:
		r.onKey(in)
	case flow.InputText:
		r.onText(in.Text, false)
	case flow.InputSpeech:
		r.onText(in.Text, true)
	case flow.InputTimeout:
		switch {
		case r.awaits(flow.WaitListen, in.Serial):
			r.onTimeout()
		case r.awaits(flow.WaitLink, in.Serial):
			r.onLinkOver()
		}
	case flow.InputFetched:
		if in.Fetched != nil && r.awaits(flow.WaitHTTP, in.Serial) {
			r.onFetched(*in.Fetched)
		}
	case flow.InputResult:
		if in.Result != nil && in.Serial == r.s.Wait.Serial {
			r.onResult(*in.Result)
		}
	case flow.InputPlace:
		if in.Place != nil && r.awaits(flow.WaitQueue, in.Serial) {
			r.onPlace(*in.Place)
		}
	case flow.InputServed:
		if r.awaits(flow.WaitQueue, in.Serial) {
			r.onServed()
		}
	case flow.InputTaken:
		r.onTaken(in)
	case flow.InputBack:
		r.onBack(in)
	case flow.InputAsk:
		r.onAsk(in)
	case flow.InputAssured:
		r.onAssured(in)
	case flow.InputMoved:
		if r.awaits(flow.WaitQueue, in.Serial) {
			r.onMoved(in)
		}
	case flow.InputOutcome:
		if err := r.replay(in); err != nil {
			return s, nil, err
		}
	case flow.InputLeft:
		r.onLeft(in)
	case flow.InputFault:
		if in.Serial == 0 || in.Serial == s.Wait.Serial {
			r.fault(faultf("%s", in.Text))
		}
	}
	r.loop()
	r.settleWorld(s.Wait.Serial)
	return r.s, r.effects, nil
}

// settleWorld drops what the world kept beside a wait that is over.
func (r *run) settleWorld(serial int) {
	if r.s.Wait.Serial != serial && !r.under {
		r.s.World = nil
	}
}

// take opens a session for a run on a copy. It is nil for a finished one.
func take(l *flow.Library, s flow.Session, in flow.Input) (*run, error) {
	if len(s.Frames) == 0 {
		return nil, nil
	}
	if err := fits(l, s); err != nil {
		return nil, err
	}
	s.Frames = slices.Clone(s.Frames) // their maps are cloned once they change
	r := &run{lib: l, now: in.At, s: s}
	r.top()
	return r, nil
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
	if s.Steps < 0 || s.Idle < 0 || s.Faults < 0 {
		return tandem.Errorf(tandem.CodeConflict, "the session has walked %d steps, with %d answers and %d faults", s.Steps, s.Idle, s.Faults)
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
		for _, name := range frame.Return {
			if _, ok := f.Steps[name]; !ok {
				return tandem.Errorf(tandem.CodeConflict, "the flow %s has no step %q to go back to", frame.Flow, name)
			}
		}
		_, calls := step.Verb.(*flow.Subflow)
		last := i == len(s.Frames)-1
		switch {
		case s.Asked != nil && s.Asked.Guest && i == len(s.Frames)-2:
		case last && s.Asked == nil && s.Taken != nil && s.Wait.Kind == flow.WaitQueue:
		case last && s.Wait.Kind == waitOf(step.Verb), !last && calls:
		default:
			return tandem.Errorf(tandem.CodeConflict, "the step %s of the flow %s does not wait as the session says", frame.Step, frame.Flow)
		}
	}
	if s.Asked == nil {
		return nil
	}
	if s.Asked.Guest && len(s.Frames) < 2 {
		return tandem.Errorf(tandem.CodeConflict, "the session asks a step of a flow that nobody called")
	}
	return fits(l, without(s))
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
	case *flow.RecordStep:
		return flow.WaitRecord
	case *flow.Message:
		return flow.WaitMessage
	case *flow.LinkStep:
		return flow.WaitLink
	case *flow.Handoff:
		return flow.WaitHandoff
	case *flow.IdentifyStep:
		return flow.WaitIdentify
	case *flow.ResumeStep:
		return flow.WaitResume
	case *flow.QueueStep:
		return flow.WaitQueue
	case *flow.CallbackStep:
		return flow.WaitCallback
	case *flow.TicketStep:
		return flow.WaitTicket
	case *flow.SurveyStep:
		return flow.WaitSurvey
	}
	if hear(v) != nil {
		return flow.WaitListen
	}
	return flow.WaitNone
}
