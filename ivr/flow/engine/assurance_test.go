package engine_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/engine"
)

// ask is a step that waits for a key and goes where it says.
func ask(t *testing.T, needs tandem.Assurance, to string) *flow.Step {
	return &flow.Step{
		Needs: needs, Next: flow.Next{To: to},
		Verb: &flow.Menu{Listen: flow.DefaultListen(), Prompt: prompt(t, "1?"), Choices: []*flow.Choice{{Keys: "1", Go: to}}},
	}
}

func prove(level, needs tandem.Assurance, by map[string]string) *flow.Step {
	return &flow.Step{Needs: needs, Verb: &flow.IdentifyStep{Level: level, By: []string{flow.ByCode}}, Next: flow.Next{By: by, Else: "end"}}
}

// identified drives a session with one input for each word: a key, "passed", "failed",
// "declined", "leaves" or "fault"; it returns where the session then is, or how it ended.
func identified(t *testing.T, lib *flow.Library, facts flow.Facts, script string) string {
	t.Helper()
	s, effects, err := engine.Start(lib, "x", facts, nil, monday)
	for _, word := range strings.Fields(script) {
		if err != nil {
			t.Fatal(err)
		}
		in := flow.Input{At: monday, Serial: s.Wait.Serial}
		switch word {
		case "leaves":
			in.Kind = flow.InputLeft
		case "fault":
			in.Kind = flow.InputFault
		case "passed", "failed", "declined", "accepted", "sent", "done":
			in.Kind, in.Result = flow.InputResult, &flow.Result{Outcome: word}
		case "moved":
			in.Kind, in.Channel = flow.InputMoved, tandem.SMS
		default:
			in.Kind, in.Text = flow.InputKey, word
		}
		s, effects, err = engine.Advance(lib, s, in)
	}
	if err != nil {
		t.Fatal(err)
	}
	check(t, s, effects)
	if s.Ended != "" {
		return s.Ended
	}
	for _, f := range s.Frames {
		if step := lib.Flows[f.Flow].Steps[f.Step]; len(f.Return) > 0 && step.Verb.Verb() != "identify" {
			t.Errorf("at %s it is to go back to %v", f.Step, f.Return)
		}
	}
	return s.Wait.Step
}

func TestNotAssured(t *testing.T) {
	const verified, proofed = tandem.Verified, tandem.Proofed
	end := func(reason string) *flow.Step { return &flow.Step{Verb: &flow.End{Reason: reason}} }
	tests := []struct {
		name   string
		order  []string
		steps  map[string]*flow.Step
		script string
		want   string
	}{
		{"to the identify step and back", []string{"a", "p"}, map[string]*flow.Step{"a": ask(t, verified, "end"), "p": prove(verified, 0, nil)}, "passed", "a"},
		{"a level that is too low is not asked for", []string{"low", "p"},
			map[string]*flow.Step{"a": ask(t, proofed, "end"), "low": prove(verified, 0, nil), "p": prove(proofed, 0, nil)}, "", "p"},
		{"another outcome goes its own way", []string{"p"},
			map[string]*flow.Step{"a": ask(t, verified, "end"), "p": prove(verified, 0, map[string]string{"failed": "f"}), "f": ask(t, 0, "p")}, "failed", "f"},
		{"and is not remembered", []string{"p"},
			map[string]*flow.Step{"a": ask(t, verified, "end"), "p": prove(verified, 0, map[string]string{"failed": "f", "passed": "own"}), "f": ask(t, 0, "p"), "own": ask(t, 0, "end")},
			"failed 1 passed", "own"},
		{"nobody can identify", nil, map[string]*flow.Step{"a": ask(t, verified, "end")}, "", flow.ReasonError},
		{"on_error", nil, map[string]*flow.Step{"a": ask(t, verified, "end"), "sorry": end("sorry")}, "", "sorry"},
		{"an identify step that itself needs a level", []string{"p", "q"},
			map[string]*flow.Step{"a": ask(t, proofed, "end"), "p": prove(proofed, verified, nil), "q": prove(verified, 0, nil)}, "passed", "p"},
		{"and back by both", []string{"p", "q"},
			map[string]*flow.Step{"a": ask(t, proofed, "end"), "p": prove(proofed, verified, nil), "q": prove(verified, 0, nil)}, "passed passed", "a"},
		{"two that need each other", []string{"p", "q"},
			map[string]*flow.Step{"a": ask(t, verified, "end"), "p": prove(verified, verified, nil), "q": prove(verified, verified, nil), "sorry": end("sorry")}, "", "sorry"},
		{"not_assured is named", []string{"p"}, map[string]*flow.Step{
			"a": {Needs: verified, Verb: &flow.Set{}, Next: flow.Next{To: "end", By: map[string]string{"not_assured": "low"}}}, "p": prove(verified, 0, nil), "low": end("low"),
		}, "", "low"},
		{"a fault on the way", []string{"p"}, map[string]*flow.Step{"a": ask(t, verified, "end"), "p": prove(verified, 0, nil), "sorry": ask(t, 0, "p")}, "fault 1 passed", "completed"},
		{"leaving on the way", []string{"p"}, map[string]*flow.Step{"a": ask(t, verified, "end"), "p": prove(verified, 0, nil)}, "leaves", flow.ReasonLeft},
		{"one visit is one visit", []string{"p"}, map[string]*flow.Step{
			"a": {Needs: verified, MaxVisits: 1, Verb: ask(t, 0, "end").Verb, Next: flow.Next{To: "end"}}, "p": prove(verified, 0, nil),
		}, "passed", "a"},
	}
	for _, tt := range tests {
		onError := ""
		if tt.steps["sorry"] != nil {
			onError = "sorry"
		}
		lib := goFlow(t, onError, tt.steps)
		lib.Flows["x"].Order = tt.order
		if got := identified(t, lib, flow.Facts{Channel: tandem.Voice}, tt.script); got != tt.want {
			t.Errorf("%s: at %q, want %q", tt.name, got, tt.want)
		}
	}
}

// A level that did not come along to another channel ends what needed it: the called
// flow, or the place in line.
func TestLevelsAreCheckedAfterAMove(t *testing.T) {
	verified := flow.Facts{Channel: tandem.Voice, Assurance: tandem.Verified}
	move := &flow.Step{Verb: &flow.Handoff{To: tandem.SMS, Prompt: prompt(t, "Come.")}, Next: flow.Next{To: "b"}}
	after := ask(t, 0, "end")
	child := &flow.Flow{
		Name: "child", Hash: "c", Start: "move", Languages: []string{"en"}, Channels: []tandem.Channel{tandem.Voice, tandem.SMS}, Outcomes: []string{"done"},
		Steps: map[string]*flow.Step{"move": move, "b": after},
	}
	for name, s := range child.Steps {
		s.Name = name
	}
	low := &flow.Step{Verb: &flow.End{Reason: "low"}}
	next := flow.Next{To: "end", By: map[string]string{"not_assured": "low"}}
	for _, tt := range []struct {
		name, script, want string
		step               *flow.Step
	}{
		{"a called flow", "accepted", "low", &flow.Step{Needs: tandem.Verified, Verb: flow.NewSubflow("child", nil, "", child.Outcomes), Next: next}},
		{"a called flow that needs none", "accepted", "b", &flow.Step{Verb: flow.NewSubflow("child", nil, "", child.Outcomes), Next: next}},
		{"the step that moved has done what it needed", "accepted", "completed", &flow.Step{Needs: tandem.Verified, Verb: move.Verb, Next: next}},
		{"a place in line", "moved", "low", &flow.Step{Needs: tandem.Verified, Verb: &flow.QueueStep{Name: "q"}, Next: next}},
		{"a place that needs none", "moved", "a", &flow.Step{Verb: &flow.QueueStep{Name: "q"}, Next: next}},
	} {
		lib := goFlow(t, "", map[string]*flow.Step{"a": tt.step, "low": low})
		lib.Flows["child"] = child
		lib.Queues = map[string]*flow.Queue{"q": {}}
		if got := identified(t, lib, verified, tt.script); got != tt.want {
			t.Errorf("%s: at %q, want %q", tt.name, got, tt.want)
		}
	}
}

// The command back leads to no question that was asked on another channel.
func TestBackStaysOnItsChannel(t *testing.T) {
	lib := goFlow(t, "", map[string]*flow.Step{
		"a": ask(t, 0, "m"), "m": {Verb: &flow.Handoff{To: tandem.SMS, Prompt: prompt(t, "Come.")}, Next: flow.Next{To: "b"}},
		"b": ask(t, 0, "c"), "c": ask(t, 0, "end"),
	})
	lib.Flows["x"].Commands = []*flow.Command{{Name: "back", Keys: "*"}}
	for script, want := range map[string]string{"1 accepted *": "b", "1 accepted 1 *": "b", "1 accepted 1 * *": "b"} {
		if got := identified(t, lib, flow.Facts{Channel: tandem.Voice}, script); got != want {
			t.Errorf("%s: at %q, want %q", script, got, want)
		}
	}
}

// A level never falls by being identified, and the later end of two holds.
func TestGrant(t *testing.T) {
	const verified, proofed = tandem.Verified, tandem.Proofed
	hour, day := monday.Add(time.Hour), monday.Add(24*time.Hour)
	tests := []struct {
		have  tandem.Assurance
		until time.Time
		level tandem.Assurance
		given time.Time
		want  tandem.Assurance
		ends  time.Time
	}{
		{tandem.None, time.Time{}, verified, hour, verified, hour},
		{verified, monday, verified, hour, verified, hour},
		{proofed, monday, verified, hour, verified, hour},
		{verified, hour, proofed, monday.Add(time.Minute), proofed, monday.Add(time.Minute)},
		{verified, hour, proofed, time.Time{}, proofed, time.Time{}},
		{tandem.Recognised, time.Time{}, verified, day, verified, day},
	}
	for _, tt := range tests {
		lib := goFlow(t, "", map[string]*flow.Step{"a": prove(tt.level, 0, map[string]string{"passed": "b"}), "b": ask(t, 0, "end")})
		s, _, err := engine.Start(lib, "x", flow.Facts{Channel: tandem.Voice, Assurance: tt.have, AssuranceUntil: tt.until}, nil, monday)
		if err != nil {
			t.Fatal(err)
		}
		s, _, _ = engine.Advance(lib, s, flow.Input{Kind: flow.InputResult, Serial: s.Wait.Serial, At: monday, Result: &flow.Result{Outcome: "passed", Until: tt.given}})
		if s.Facts.Assurance != tt.want || !s.Facts.AssuranceUntil.Equal(tt.ends) {
			t.Errorf("%+v: %v until %v", tt, s.Facts.Assurance, s.Facts.AssuranceUntil)
		}
	}
}

// TestStall finds sessions in which effects are answered without anybody being waited
// for: the guard counts answers that came at once, whatever they are.
func TestStall(t *testing.T) {
	loop := func(v flow.Verb) map[string]*flow.Step {
		return map[string]*flow.Step{"a": {Verb: v, Next: flow.Next{To: "a"}}, "sorry": {Verb: &flow.End{Reason: "sorry"}}}
	}
	tests := []struct {
		name    string
		verb    flow.Verb
		outcome string
		stalls  bool
	}{
		{"message", &flow.Message{By: []string{"sms"}, Prompt: prompt(t, "Hi")}, "undeliverable", true},
		{"message sent", &flow.Message{By: []string{"sms"}, Prompt: prompt(t, "Hi")}, "sent", true},
		{"link without wait", &flow.LinkStep{Operation: "o", Prompt: prompt(t, "Hi")}, "sent", true},
		{"link", &flow.LinkStep{Operation: "o", Prompt: prompt(t, "Hi"), Wait: time.Minute}, "declined", false},
		{"link undeliverable", &flow.LinkStep{Operation: "o", Prompt: prompt(t, "Hi"), Wait: time.Minute}, "undeliverable", true},
		{"handoff", &flow.Handoff{To: tandem.SMS, Prompt: prompt(t, "Hi")}, "declined", true},
		{"identify", &flow.IdentifyStep{Level: tandem.Verified}, "failed", false},
		{"identify unsupported", &flow.IdentifyStep{Level: tandem.Verified}, "unsupported", true},
		{"queue", &flow.QueueStep{Name: "q"}, "max_wait", false},
		{"queue full", &flow.QueueStep{Name: "q"}, "full", true},
		{"callback", &flow.CallbackStep{}, "declined", true},
		{"record", &flow.RecordStep{Into: "n"}, "too_short", false},
		{"transfer", &flow.Transfer{To: template(t, "tel:1")}, "busy", true},
		{"ticket", &flow.TicketStep{Form: "f"}, "opened", true},
		{"survey", &flow.SurveyStep{Form: "f"}, "done", false},
		{"survey skipped", &flow.SurveyStep{Form: "f"}, "skipped", true},
		{"survey later", &flow.SurveyStep{Form: "f", After: time.Hour}, "done", true},
	}
	for _, tt := range tests {
		lib := goFlow(t, "sorry", loop(tt.verb))
		lib.Operations, lib.Forms, lib.Queues = map[string]*flow.Operation{"o": {}}, map[string]*flow.Form{"f": {}}, map[string]*flow.Queue{"q": {}}
		s, _, err := engine.Start(lib, "x", flow.Facts{Channel: tandem.Voice}, nil, monday)
		asked := 0
		for ; err == nil && s.Ended == "" && asked < 200; asked++ {
			s, _, err = engine.Advance(lib, s, flow.Input{Kind: flow.InputResult, Serial: s.Wait.Serial, At: monday, Result: &flow.Result{Outcome: tt.outcome}})
		}
		if err != nil || tt.stalls != (s.Ended == "sorry") || tt.stalls && asked > 60 {
			t.Errorf("%s: after %d answers it ended %q, %v", tt.name, asked, s.Ended, err)
		}
	}
}

// TestReplayRefuses: a step is not left by what it does not have, and nothing changes.
func TestReplayRefuses(t *testing.T) {
	lib := library(t)
	d := begin(t, "desk", flow.Facts{Channel: tandem.Chat}, nil, monday)
	for _, outcome := range []string{"", "11", "ok", "choice 1", "back", "left", "sent"} {
		s, effects, err := engine.Advance(lib, d.s, flow.Input{Kind: flow.InputOutcome, At: monday, Text: outcome})
		if tandem.CodeOf(err) != tandem.CodeInvalid || len(effects) > 0 || s.Wait.Serial != d.s.Wait.Serial {
			t.Errorf("%q: %v, %v", outcome, effects, err)
		}
	}
}

// TestReplayTakesEveryWayOut leaves each step of the test flows that waits by each of
// its edges, as it is written.
func TestReplayTakesEveryWayOut(t *testing.T) {
	lib := library(t)
	f := lib.Flows["desk"]
	left := 0
	for _, name := range f.Order {
		step := f.Steps[name]
		for _, e := range step.Edges() {
			for _, outcome := range e.Outcomes {
				start := *f
				start.Start = name
				lib := *lib
				lib.Flows = map[string]*flow.Flow{"desk": &start}
				s, _, err := engine.Start(&lib, "desk", flow.Facts{Channel: tandem.Voice, Assurance: step.Needs}, nil, monday)
				if err != nil {
					t.Fatal(err)
				}
				if s.Wait.Step != name || outcome == "not_assured" || outcome == "skipped" && step.If != nil || outcome == "loop" {
					continue
				}
				left++
				_, effects, err := engine.Advance(&lib, s, flow.Input{Kind: flow.InputOutcome, At: monday, Text: outcome})
				if want := name + " " + outcome; err != nil || !slices.Contains(way(effects), want) {
					t.Errorf("%s: %v, %v", want, way(effects), err)
				}
			}
		}
	}
	if left < 50 {
		t.Errorf("only %d ways were taken", left)
	}
}
