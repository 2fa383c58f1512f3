package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/engine"
	"tandem/ivr/flow/expression"
)

// Who is asked whether a secret is right may enter it again instead of a yes or no.
func TestSecretEnteredWhereAYesIsAskedFor(t *testing.T) {
	const again = "424242"
	for _, channel := range []tandem.Channel{tandem.Voice, tandem.SMS} {
		digits := &expression.Type{Kind: expression.Digits}
		lib := goFlow(t, "", map[string]*flow.Step{
			"a": {Verb: &flow.Collect{Listen: flow.DefaultListen(), Prompt: prompt(t, "number?"), Into: "number", Type: digits, Min: 6, Max: 6,
				Confirm: prompt(t, "right?"), Secrecy: flow.Secret}, Next: flow.Next{To: "end"}},
		})
		lib.Flows["x"].Vars = []*flow.Variable{{Name: "number", Type: digits, Secrecy: flow.Secret}}
		s, traced, err := engine.Start(lib, "x", flow.Facts{Channel: channel}, nil, monday)
		if err != nil {
			t.Fatal(err)
		}
		enter := func(kind flow.InputKind, text string) {
			var effects []flow.Effect
			s, effects, err = engine.Advance(lib, s, flow.Input{Kind: kind, Text: text, At: monday})
			if err != nil {
				t.Fatal(err)
			}
			traced = append(traced, effects...)
		}
		enter(flow.InputText, "123456")
		if !s.Frames[0].Confirming || !s.Wait.Secret || !s.Hushed {
			t.Fatalf("%s: the reply to the confirmation is heard by others: %+v", channel, s)
		}
		if channel == tandem.Voice {
			for _, k := range again[:2] {
				enter(flow.InputKey, string(k))
			}
		} else {
			enter(flow.InputText, again)
		}
		if got := fmt.Sprintf("%+v", traced); strings.Contains(got, "4") || !strings.Contains(got, "•") {
			t.Errorf("%s: the value got out: %s", channel, got)
		}
		if channel == tandem.SMS {
			enter(flow.InputText, "yes")
			if s.Ended != flow.ReasonCompleted || s.Hushed {
				t.Errorf("after a yes: %+v", s)
			}
		}
	}
}
