package check

import (
	"slices"
	"strings"

	"tandem"
	"tandem/ivr/flow"
)

// voiceOnly says which channels a verb cannot serve, and what does instead.
func voiceOnly(v flow.Verb) (is bool, alternative string) {
	switch v := v.(type) {
	case *flow.Voicemail:
		return true, "on chat and sms, collect a text instead, and branch on `channel == 'voice'` before this step"
	case *flow.Transfer:
		if v.To != nil {
			src := ""
			if segments := v.To.Segments(); len(segments) > 0 {
				src = segments[0]
			}
			if strings.HasPrefix(src, "agent:") || strings.HasPrefix(src, "queue:") {
				return false, ""
			}
		}
		return true, "on chat and sms, say which number to call instead, and branch on `channel == 'voice'` before this step"
	}
	return false, ""
}

// speaks reports whether a verb speaks to the customer or listens.
func speaks(v flow.Verb) bool {
	switch v := v.(type) {
	case *flow.Say, *flow.Menu, *flow.Collect, *flow.ConsentStep, *flow.Voicemail, *flow.Transfer:
		return true
	case *flow.Language:
		return slices.Contains(v.By, "menu")
	}
	return false
}

// onChannel reports whether a verb can run on a channel.
func onChannel(v flow.Verb, c tandem.Channel) bool {
	only, _ := voiceOnly(v)
	return !only || c == tandem.Voice
}
