package engine_test

import (
	"testing"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/engine"
	"tandem/ivr/flow/expression"
)

// TestCollect enters one value of each type by keys and by text. An empty want means
// that it is not understood.
func TestCollect(t *testing.T) {
	type tries map[string]any
	kind := func(k expression.Kind) *expression.Type { return &expression.Type{Kind: k} }
	amount := func(s string) expression.Number {
		n, err := expression.ParseNumber(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	tests := []struct {
		name string
		verb flow.Collect
		keys tries
		text tries
	}{
		{"digits", flow.Collect{Type: kind(expression.Digits), Min: 3, Max: 5},
			tries{"123#": "123", "12345": "12345", "12#": nil, "1*3#": nil, "#": nil, "1A3#": nil},
			tries{"12-34": "1234", "１２３": "123", "12": nil, "123456": nil, "12a4": nil}},
		{"pattern", flow.Collect{Type: kind(expression.Digits), Min: 3, Max: 3, Pattern: "6.*|7"}, tries{"612": "612", "712": nil}, tries{"699": "699", "7": nil}},
		{"int", flow.Collect{Type: kind(expression.Int)}, tries{"12#": 12, "*1#": nil}, tries{"1,200": 1200, "-3": -3, "1.5": nil, "many": nil}},
		{"money", flow.Collect{Type: kind(expression.Money)}, tries{"12*5#": amount("12.5"), "1*2*3#": nil, "7#": amount("7")},
			tries{"1,234.50": amount("1234.5"), "0.12345678901": nil}},
		{"date", flow.Collect{Type: kind(expression.Date)}, tries{"20261123": "2026-11-23", "20261323": nil, "2026#": nil},
			tries{"2026-11-3": "2026-11-03", "2026/1/2": "2026-01-02", "2026年11月23日": "2026-11-23", "tomorrow": nil, "2026-02-30": nil}},
		{"time", flow.Collect{Type: kind(expression.Time)}, tries{"0930": "09:30", "2560": nil}, tries{"9:30": "09:30", "14点5分": "14:05", "noon": nil}},
		{"bool", flow.Collect{Type: kind(expression.Bool)}, tries{"1": true, "2": false, "3": nil}, tries{"Yes!": true, "不": false, "maybe": nil}},
		{"enum", flow.Collect{Type: &expression.Type{Kind: expression.Enum, Values: []string{"basic", "gold"}}}, tries{"2": "gold", "3": nil},
			tries{"Gold": "gold", "1": "basic", "silver": nil}},
		{"phone", flow.Collect{Type: kind(expression.Phone)}, tries{"10086#": "10086"}, tries{"+86 138-0000-0000": "+8613800000000", "mine": nil}},
		{"email", flow.Collect{Type: kind(expression.Email)}, tries{"12#": nil}, tries{"a@b.example": "a@b.example", "a at b": nil}},
		{"text", flow.Collect{Type: kind(expression.Text)}, tries{"12#": "12"}, tries{"My card is lost.": "My card is lost."}},
	}
	for _, tt := range tests {
		for _, by := range []struct {
			channel tandem.Channel
			tries   tries
		}{{tandem.Voice, tt.keys}, {tandem.SMS, tt.text}} {
			for entry, want := range by.tries {
				verb := tt.verb
				verb.Listen, verb.Prompt, verb.Into = flow.DefaultListen(), prompt(t, "?"), "v"
				verb.Tries = 1
				lib := goFlow(t, "", map[string]*flow.Step{
					"a":       {Verb: &verb, Next: flow.Next{By: map[string]string{"ok": "ok", "no_match": "nomatch"}, Else: "end"}},
					"ok":      {Verb: &flow.Menu{Listen: flow.DefaultListen(), Prompt: prompt(t, "1?"), Choices: []*flow.Choice{{Keys: "1", Go: "end"}}}, Next: flow.Next{To: "end"}},
					"nomatch": {Verb: &flow.End{Reason: "no_match"}},
				})
				lib.Flows["x"].Vars = []*flow.Variable{{Name: "v", Type: verb.Type}}
				s, _, err := engine.Start(lib, "x", flow.Facts{Channel: by.channel}, nil, monday)
				if err != nil {
					t.Fatal(err)
				}
				if by.channel == tandem.Voice {
					for _, k := range entry {
						s, _, _ = engine.Advance(lib, s, flow.Input{Kind: flow.InputKey, Text: string(k), At: monday})
					}
				} else {
					s, _, _ = engine.Advance(lib, s, flow.Input{Kind: flow.InputText, Text: entry, At: monday})
				}
				switch {
				case want == nil && s.Ended != "no_match":
					t.Errorf("%s: %q was understood: %+v", tt.name, entry, s.Frames)
				case want != nil && (len(s.Frames) == 0 || s.Wait.Step != "ok" || s.Frames[0].Vars["v"] != want):
					t.Errorf("%s: %q: ended %q, %+v; want %v", tt.name, entry, s.Ended, s.Frames, want)
				}
			}
		}
	}
}

// TestCommands gives each command in a menu and in a collect whose value is open.
func TestCommands(t *testing.T) {
	number := &flow.Collect{Listen: flow.DefaultListen(), Prompt: prompt(t, "number?"), Into: "n", Type: &expression.Type{Kind: expression.Int}}
	menu := &flow.Menu{Listen: flow.DefaultListen(), Prompt: prompt(t, "1?"), Choices: []*flow.Choice{{Keys: "1", Go: "number"}, {Keys: "*5", Go: "end"}}}
	lib := goFlow(t, "", map[string]*flow.Step{
		"a":      {Verb: menu, Next: flow.Next{To: "end"}},
		"number": {Verb: number, Next: flow.Next{To: "end"}},
		"help":   {Verb: &flow.End{Reason: "helped"}},
	})
	lib.Flows["x"].Commands = []*flow.Command{
		{Name: "help", Keys: "*9", Phrases: map[string][]string{"en": {"Help me"}}, Go: "help"}, {Name: "repeat", Keys: "*1"},
		{Name: "back", Keys: "*2"}, {Name: "agent", Keys: "0", Go: "help"},
		{Name: "repeat", Phrases: map[string][]string{"en": {"again"}}},
	}
	tests := []struct {
		name, keys, text string
		step, ended      string
		try              int
	}{
		{name: "help in a menu", keys: "*9", ended: "helped"},
		{name: "a menu's own key with the same beginning", keys: "*5", ended: "completed"},
		{name: "help in a collect", keys: "1*9", ended: "helped"},
		{name: "repeat counts no try", keys: "1*1*1*1*1", step: "number", try: 1},
		{name: "back to the menu", keys: "1*2", step: "a", try: 1},
		{name: "back at the first step asks again", keys: "*2", step: "a", try: 1},
		{name: "unknown", keys: "*7", step: "a", try: 2},
		{name: "a key of a value is no command", keys: "10", step: "number", try: 1},
		{name: "a key without * in a menu", keys: "0", ended: "helped"},
		{name: "by words", text: "help me!", ended: "helped"},
		{name: "by its keys in text", text: "*9", ended: "helped"},
		{name: "by words where it has no keys", text: "Again.", step: "a", try: 1},
		{name: "a mark alone is no command without keys", text: "?", step: "a", try: 2},
	}
	for _, tt := range tests {
		s, _, err := engine.Start(lib, "x", flow.Facts{Channel: tandem.Voice}, nil, monday)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range tt.keys {
			s, _, _ = engine.Advance(lib, s, flow.Input{Kind: flow.InputKey, Text: string(k), At: monday})
		}
		if tt.text != "" {
			s, _, _ = engine.Advance(lib, s, flow.Input{Kind: flow.InputText, Text: tt.text, At: monday})
		}
		if s.Wait.Step != tt.step || s.Ended != tt.ended || len(s.Frames) > 0 && s.Frames[0].Try != tt.try {
			t.Errorf("%s: at %q, ended %q, %+v", tt.name, s.Wait.Step, s.Ended, s.Frames)
		}
	}
}
