package flow

import (
	"slices"
	"strings"

	"tandem"
)

// Waits tells whether an outcome of a verb comes only after somebody was waited for
// (rule 9 of the language): a way that takes no such outcome may be walked in a moment.
func Waits(v Verb, outcome string) bool {
	switch v := v.(type) {
	case *Menu:
		return outcome != "none"
	case *Collect, *ConsentStep, *Voicemail, *RecordStep, *ResumeStep:
		return true
	case *Language:
		return false // the first means may answer at once
	case *Transfer:
		return outcome == "ok" || outcome == "no_answer"
	case *LinkStep:
		return v.Wait > 0 && outcome != "undeliverable"
	case *IdentifyStep:
		return outcome != "unsupported"
	case *QueueStep:
		return outcome == "answered" || outcome == "max_wait" || outcome == "callback"
	case *SurveyStep:
		return v.After <= 0 && outcome == "done"
	}
	return false
}

// Works tells whether a channel can do a verb at all (rule 6 of the language). What
// hangs on the customer, such as being seen or heard, is not looked at.
func Works(v Verb, c tandem.Channel) bool {
	switch v := v.(type) {
	case *Voicemail, *RecordStep:
		return c == tandem.Voice
	case *Transfer:
		return c == tandem.Voice || within(v)
	}
	return true
}

// within reports a transfer to an agent or a queue of our own, which any channel can do.
func within(t *Transfer) bool {
	if t.To == nil {
		return true
	}
	segments := t.To.Segments()
	return len(segments) > 0 && (strings.HasPrefix(segments[0], "agent:") || strings.HasPrefix(segments[0], "queue:"))
}

// Speaks tells whether a verb speaks to the customer or listens, and so can do nothing
// once the customer has left.
func Speaks(v Verb) bool {
	switch v := v.(type) {
	case *Say, *Menu, *Collect, *ConsentStep, *Transfer, *Voicemail, *RecordStep, *Handoff, *IdentifyStep, *ResumeStep, *Answer, *QueueStep:
		return true
	case *Language:
		return slices.Contains(v.By, "menu")
	case *LinkStep:
		return v.Wait > 0
	case *SurveyStep:
		return v.After <= 0
	}
	return false
}
