package engine_test

import (
	"testing"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/engine"
)

// Only the prompt that announces the recording says so to the channel.
func TestAnnouncement(t *testing.T) {
	lib := goFlow(t, "", map[string]*flow.Step{
		"a":   {Verb: &flow.Say{Prompt: prompt(t, "Hello."), BargeIn: flow.BargeDTMF}, Next: flow.Next{To: "b"}},
		"b":   {Verb: &flow.Say{Prompt: prompt(t, "This call is recorded."), BargeIn: flow.BargeNone, Announces: "recording"}, Next: flow.Next{To: "c"}},
		"c":   {Verb: &flow.Say{Prompt: prompt(t, "Bye."), BargeIn: flow.BargeDTMF}, Next: flow.Next{To: "end"}},
		"end": {Verb: &flow.End{Reason: "done"}},
	})
	_, effects, err := engine.Start(lib, "x", flow.Facts{Channel: tandem.Voice}, nil, monday)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, e := range effects {
		if p, ok := e.(flow.Play); ok {
			got[p.Step] = p.Announces
		}
	}
	if len(got) != 3 || got["a"] != "" || got["b"] != "recording" || got["c"] != "" {
		t.Errorf("announced: %v", got)
	}
}
