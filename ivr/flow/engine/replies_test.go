package engine_test

import (
	"testing"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/engine"
	"tandem/ivr/flow/expression"
)

// Keys, a typed number, a tapped button and a phrase all take the same way out, on
// every channel.
func TestRepliesTakeTheSameWay(t *testing.T) {
	words := func(button string) *flow.Prompt {
		return &flow.Prompt{ByLang: map[string]*flow.Words{"en": {Text: template(t, "Your balance"), Button: button}}}
	}
	env := expression.NewEnv()
	list, err := env.Compile("['north', 'south']", nil)
	if err != nil {
		t.Fatal(err)
	}
	label, err := env.With("place", &expression.Type{Kind: expression.Text}, false).Template("To the ${place}")
	if err != nil {
		t.Fatal(err)
	}
	l := flow.DefaultListen()
	tests := []struct {
		name    string
		verb    flow.Verb
		keys    string
		replies []string
		outcome string
	}{
		{"a choice", &flow.Menu{Listen: l, Prompt: words(""), Choices: []*flow.Choice{
			{Keys: "1", Go: "end"}, {Keys: "2", Label: words("Balance"), Phrases: map[string][]string{"en": {"how much"}, "zh-CN": {"余额"}}, Go: "end"},
		}}, "2", []string{"2", "２", "Balance", "balance.", "your balance", "how much?", "余额"}, "2"},
		{"a choice from a list", &flow.Menu{Listen: l, Prompt: words(""), From: &flow.DynamicChoices{
			From: list, As: "place", Label: &flow.Prompt{ByLang: map[string]*flow.Words{"en": {Text: label}}}, Go: "end",
		}}, "2", []string{"2", "to the south", "To the  South!"}, "2"},
		{"consent", &flow.ConsentStep{Listen: l, Kind: "data", Prompt: words("")}, "1", []string{"1", "Yes", "yes!", "是的", "同意"}, "yes"},
		{"no consent", &flow.ConsentStep{Listen: l, Kind: "data", Prompt: words("")}, "2", []string{"2", "No", "不同意"}, "no"},
		{"a language", &flow.Language{Listen: l, By: []string{"menu"}, Prompt: words("")}, "1", []string{"1", "English", "英语", "en"}, "done"},
		{"yes or no", &flow.Collect{Listen: l, Prompt: words(""), Into: "yes", Type: &expression.Type{Kind: expression.Bool}}, "2", []string{"2", "No", "否"}, "ok"},
		{"one of several", &flow.Collect{Listen: l, Prompt: words(""), Into: "one", Type: &expression.Type{Kind: expression.Enum, Values: []string{"gold", "basic"}}},
			"2", []string{"2", "basic", "Basic "}, "ok"},
		{"an offer in line", &flow.QueueStep{Name: "q", Offer: []flow.Offer{{What: "callback", Keys: "2"}}}, "2", []string{"2", "callback", "Call me back", "给我回电"}, "take callback"},
	}
	for _, tt := range tests {
		by := map[string]string{}
		for _, o := range tt.verb.Outcomes() {
			by[o] = "end"
		}
		lib := goFlow(t, "", map[string]*flow.Step{"a": {Verb: tt.verb, Next: flow.Next{By: by}}})
		f := lib.Flows["x"]
		f.Channels = append(f.Channels, tandem.Chat)
		f.Vars = append(f.Vars, &flow.Variable{Name: "yes", Type: &expression.Type{Kind: expression.Bool}},
			&flow.Variable{Name: "one", Type: &expression.Type{Kind: expression.Enum, Values: []string{"gold", "basic"}}})
		lib.Queues = map[string]*flow.Queue{"q": {}}
		took := func(c tandem.Channel, in flow.Input) string {
			s, _, err := engine.Start(lib, "x", flow.Facts{Channel: c}, nil, monday)
			if err != nil {
				t.Fatal(err)
			}
			in.At = monday
			_, effects, err := engine.Advance(lib, s, in)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range effects {
				if take, ok := e.(flow.Take); ok {
					return "take " + take.What
				}
				if tr, ok := e.(flow.Trace); ok && tr.Kind == tandem.EventOutcome {
					return tr.Data.(tandem.StepLeft).Outcome
				}
			}
			return ""
		}
		if got := took(tandem.Voice, flow.Input{Kind: flow.InputKey, Text: tt.keys}); got != tt.outcome {
			t.Errorf("%s: the keys %s gave %q", tt.name, tt.keys, got)
		}
		for _, c := range []tandem.Channel{tandem.Chat, tandem.SMS} {
			for _, reply := range tt.replies {
				if got := took(c, flow.Input{Kind: flow.InputText, Text: reply}); got != tt.outcome {
					t.Errorf("%s: %q by %s gave %q", tt.name, reply, c, got)
				}
			}
		}
	}
}
