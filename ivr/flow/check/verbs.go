package check

import (
	"slices"

	"tandem"
	"tandem/ivr/flow"
)

// impossible reports that a verb cannot run on a channel (rule 6), and what does instead;
// hears says whether anything is recognised in one of the flow's languages.
func impossible(v flow.Verb, c tandem.Channel, hears bool) (alternative string, is bool) {
	switch v := v.(type) {
	case *flow.Voicemail, *flow.RecordStep:
		return "on chat and sms, collect a text instead, and branch on `channel == 'voice'` before this step", !flow.Works(v, c)
	case *flow.Transfer:
		return "on chat and sms, use `queue`, or say which number to call instead, and branch on `channel == 'voice'` before this step", !flow.Works(v, c)
	case *flow.IdentifyStep:
		for _, method := range append(slices.Clone(v.By), v.Fallback) {
			if method != flow.ByVideo && method != "" {
				return "", false
			}
		}
		return "on sms nobody can be seen: hand off to chat first, name another method in `by`, or branch on `channel != 'sms'` before this step", c == tandem.SMS && len(v.By) > 0
	case *flow.Classify, *flow.Answer:
		return "configure a recogniser for the flow's languages, or branch on `channel != 'voice'` before this step", c == tandem.Voice && !hears
	}
	return "", false
}

// hears reports whether one of the flow's languages is recognised.
func (f *subject) hears() bool {
	return slices.ContainsFunc(f.Program.Languages, func(lang string) bool { return f.checker.o.Speech[lang] })
}

// joinsPerson reports that a verb lets the customer speak to a person, so that what is
// said may be recorded: by voice, or seen on a video.
func joinsPerson(v flow.Verb, c tandem.Channel) bool {
	switch v := v.(type) {
	case *flow.Transfer, *flow.QueueStep, *flow.CallbackStep:
		return c == tandem.Voice
	case *flow.IdentifyStep:
		return v.Fallback == flow.ByVideo || slices.Contains(v.By, flow.ByVideo)
	}
	return false
}
