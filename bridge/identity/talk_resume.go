package identity

import (
	"time"

	"tandem"
	"tandem/ivr/flow"
)

// numberDigits is the length of an interaction's spoken number.
const numberDigits = 11

// heardNumber takes the number of an earlier interaction. One whose check digit does not
// fit was never anybody's: that may be told, and nothing is looked up for it.
func (t talk) heardNumber(entry string) (talk, step) {
	n, err := tandem.ParseNumber(plain(entry))
	if err != nil {
		return t.missed(t.say("identity_resume_again", ""))
	}
	t.Number, t.Missed = n, 0
	return t, step{order: orderFind{}}
}

// onFound asks for a code whether there is such an interaction or not, and whether a code
// was sent or not: what is said here may depend on nothing but the talk so far and the
// limits of whoever asks.
func (t talk) onFound(now time.Time, a found) (talk, step) {
	switch {
	case a.Over && t.Sent > 0:
		return t.missed(t.say("identity_code_no_more", ""))
	case a.Over:
		return t.fail()
	case a.Tied:
		t.Target, t.To = a.Target, target{Identity: a.To}
		return t.goOn(a.Level)
	}
	t.Stage, t.Method = askReturn, flow.ByCode
	t.Check, t.Target, t.SentAt = a.Check, a.Target, now
	t.To = target{Identity: a.To}
	if t.Sent++; t.Sent > 1 {
		return t, t.ask(t.say("identity_resume_again_sent", ""))
	}
	return t, t.ask(t.say("identity_resume_sent", ""))
}

// goOn ends the talk: the earlier interaction goes on in this one's place.
func (t talk) goOn(level tandem.Assurance) (talk, step) {
	s := t.over("found", t.say("identity_resume_found", ""))
	s.turn.Go, s.turn.Assurance, s.turn.Done.Phone = t.Target, level, t.phone()
	return t, s
}
