package replay

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/engine"
	"tandem/ivr/flow/read"
	"tandem/ivr/flow/source"
)

var monday = time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)

const shop = `flow: shop
channels: [voice]
languages: [en]
start: hello
on_error: trouble
on_leave: left
vars:
  day: { type: text }
  sure: { type: bool }
  stock: { type: object, fields: { n: int } }
  pin: { type: digits, secret: true }
steps:
  hello: { say: { en: "Hello." }, next: main }
  main:
    menu:
      prompt: { en: "1 or 2." }
      choices: [ { keys: "1", phrases: { en: [stock] }, go: code }, { keys: "2", phrases: { en: [visit] }, go: visit } ]
    next: { no_input: bye, no_match: bye }
  code: { collect: { prompt: { en: "PIN?" }, into: pin, digits: 4 }, next: { ok: look, else: bye } }
  look: { http: { get: "https://shop.example/stock", into: stock }, next: { ok: many, else: trouble } }
  many: { branch: [ { if: stock.n > 5, go: plenty } ], next: { else: few } }
  plenty: { say: { en: "Plenty." }, next: main }
  few: { say: { en: "Few." }, next: main }
  visit: { subflow: { name: visit, into: got }, next: { booked: bye, gave_up: main } }
  trouble: { say: { en: "Sorry." }, next: bye }
  bye: { say: { en: "Bye." }, next: end }
  left: { end: { reason: left } }
`

const visit = `flow: visit
channels: [voice]
languages: [en]
start: ask
vars: { day: { type: digits } }
outcomes: [booked, gave_up]
returns: [day]
steps:
  ask: { collect: { prompt: { en: "Day?" }, into: day, digits: 2 }, next: { ok: yes_, else: no_ } }
  yes_: { end: { as: booked } }
  no_: { end: { as: gave_up } }
`

func library(t *testing.T, edits ...string) *flow.Library {
	t.Helper()
	text := strings.Replace(shop, "  pin:", "  got: { type: object, fields: { day: digits } }\n  pin:", 1)
	for i := 0; i < len(edits); i += 2 {
		if !strings.Contains(text, edits[i]) {
			t.Fatalf("the flow has no %q", edits[i])
		}
		text = strings.ReplaceAll(text, edits[i], edits[i+1])
	}
	lib, ds := read.FS(fstest.MapFS{"shop.flow.yaml": {Data: []byte(text)}, "visit.flow.yaml": {Data: []byte(visit)}}, read.Options{})
	if lib == nil {
		source.Print(os.Stderr, ds, false)
		t.Fatal("the flow has mistakes")
	}
	return lib
}

// live runs the shop as callers did and keeps what the journal would.
func live(t *testing.T, lib *flow.Library, do func(s flow.Session, n int) flow.Input) Past {
	t.Helper()
	at := monday
	var events []tandem.Event
	keep := func(effects []flow.Effect) {
		for _, e := range effects {
			if tr, ok := e.(flow.Trace); ok {
				events = append(events, tandem.NewEvent("x", "y", at, tr.Kind, "flow", tr.Data))
			}
		}
	}
	in := tandem.Interaction{ID: "x", Number: "12345678903", Entry: "1000", Flow: "shop", Started: at}
	s, effects, err := engine.Start(lib, "shop", flow.Facts{Number: in.Number, Entry: "1000", Channel: tandem.Voice, Caller: "+1555"}, nil, at)
	if err != nil {
		t.Fatal(err)
	}
	keep(effects)
	for n := 0; s.Wait.Kind != flow.WaitNone && n < 60; n++ {
		at = at.Add(time.Second)
		i := do(s, n)
		i.At, i.Serial = at, s.Wait.Serial
		if i.Kind == "" { // the program died here
			break
		}
		if i.Kind == flow.InputTaken { // as the world keeps it, before
			f := s.Frames[len(s.Frames)-1]
			events = append(events, tandem.NewEvent("x", "y", at, tandem.EventTakenOver, "anna", tandem.TakenOver{Agent: "anna", Flow: f.Flow, Step: f.Step}))
		}
		if s, effects, err = engine.Advance(lib, s, i); err != nil {
			t.Fatal(err)
		}
		keep(effects)
	}
	p, ok := Of(in, tandem.Leg{Kind: tandem.LegSIP, From: "+1555"}, events)
	if !ok {
		t.Fatal("nothing to replay")
	}
	return p
}

// script gives one input after the other: keys by themselves, "" a silence, "hang-up",
// "fault", "die", or an HTTP answer in JSON.
func script(lines ...string) func(flow.Session, int) flow.Input {
	var todo []flow.Input
	for _, l := range lines {
		switch {
		case l == "":
			todo = append(todo, flow.Input{Kind: flow.InputTimeout})
		case l == "hang-up":
			todo = append(todo, flow.Input{Kind: flow.InputLeft})
		case l == "fault":
			todo = append(todo, flow.Input{Kind: flow.InputFault, Text: "it broke"})
		case l == "die":
			todo = append(todo, flow.Input{})
		case l == "take":
			todo = append(todo, flow.Input{Kind: flow.InputTaken, Key: "k"})
		case strings.HasPrefix(l, "back "):
			todo = append(todo, flow.Input{Kind: flow.InputBack, Step: l[5:]})
		case strings.HasPrefix(l, "ask "):
			todo = append(todo, flow.Input{Kind: flow.InputAsk, Step: l[4:]})
		case strings.HasPrefix(l, "{"):
			todo = append(todo, flow.Input{Kind: flow.InputFetched, Fetched: &flow.Fetched{Status: 200, Body: json.RawMessage(l)}})
		default:
			for _, k := range l {
				todo = append(todo, flow.Input{Kind: flow.InputKey, Text: string(k)})
			}
		}
	}
	return func(_ flow.Session, n int) flow.Input { return todo[n] }
}

func TestRun(t *testing.T) {
	then := library(t)
	for _, c := range []struct {
		name  string
		calls []string
		edits []string
		want  Result
	}{
		{"nothing has changed", []string{"1", "1234", `{"n": 9}`, "2", "23"}, nil, Result{Verdict: Same}},
		{"an agent took over, asked, and handed back", []string{"take", "ask shop/code", "1234", "ask shop/trouble", "back shop/look", `{"n": 9}`, "2", "23"}, nil, Result{Verdict: Same}},
		{"an agent handed back where they were", []string{"take", "back ", "2", "23"}, nil, Result{Verdict: Same}},
		{"who hung up on an agent", []string{"take", "hang-up"}, nil, Result{Verdict: Same}},
		{"an agent handed back at a step that is gone", []string{"take", "back shop/few", "hang-up"}, []string{"else: few }", "else: main }", "  few: { say: { en: \"Few.\" }, next: main }\n", ""}, Result{Verdict: Elsewhere, Flow: "shop", After: "main", By: "handed_back", Then: "few", Now: "no such way"}},
		{"a choice leads elsewhere", []string{"2", "23"}, []string{"[visit] }, go: visit", "[visit] }, go: bye"}, Result{Verdict: Elsewhere, Flow: "shop", After: "main", By: "2", Then: "visit", Now: "bye"}},
		{"a branch decides otherwise, by what the journal knows", []string{"1", "1234", `{"n": 9}`, "hang-up"}, []string{"stock.n > 5", "stock.n > 10"}, Result{Verdict: Elsewhere, Flow: "shop", After: "many", By: "arm 1", Then: "plenty", Now: "few"}},
		{"a branch asks for a secret, which no journal holds", []string{"1", "1234", `{"n": 9}`, "hang-up"}, []string{"stock.n > 5", "stock.n > 5 and pin == '1234'"}, Result{Verdict: Unknown, Flow: "shop", After: "many", By: "arm 1", Then: "plenty", Now: "few"}},
		{"a step more on the way", []string{"1", "1234", `{"n": 9}`, "hang-up"}, []string{"go: code }", "go: note }", "  code:", "  note: { say: { en: \"Your PIN, please.\" }, next: code }\n  code:"}, Result{Verdict: Same, Flow: "shop", Added: []string{"note"}}},
		{"a step less on the way", []string{"1", "1234", `{"n": 1}`, "hang-up"}, []string{"else: few }", "else: main }", "  few: { say: { en: \"Few.\" }, next: main }\n", ""}, Result{Verdict: Same, Flow: "shop", Removed: []string{"few"}}},
		{"a choice is gone", []string{"2", "23"}, []string{`, { keys: "2", phrases: { en: [visit] }, go: visit }`, "", "  visit: { subflow: { name: visit, into: got }, next: { booked: bye, gave_up: main } }\n", ""}, Result{Verdict: Elsewhere, Flow: "shop", After: "main", By: "2", Then: "visit", Now: "no such way"}},
		{"a question more", []string{"2", "23"}, []string{"go: visit }", "go: sure_ }", "  visit:", "  sure_: { collect: { prompt: { en: \"Sure?\" }, into: sure, type: bool }, next: { ok: visit, else: bye } }\n  visit:"}, Result{Verdict: Unknown, Flow: "shop", After: "main", By: "2", Then: "visit", Now: "sure_", Added: []string{"sure_"}}},
		{"silence leads elsewhere", []string{"", "", ""}, []string{"no_input: bye", "no_input: trouble"}, Result{Verdict: Elsewhere, Flow: "shop", After: "main", By: "no_input", Then: "bye", Now: "trouble"}},
		{"it failed then, and goes elsewhere now", []string{"1", "1234", "fault"}, []string{"on_error: trouble", "on_error: bye"}, Result{Verdict: Elsewhere, Flow: "shop", After: "look", By: "error", Then: "trouble", Now: "bye"}},
		{"the program died", []string{"1", "12", "die"}, nil, Result{Verdict: Same}},
		{"it ends for another reason", []string{"", "", ""}, []string{"bye: { say: { en: \"Bye.\" }, next: end }", "bye: { say: { en: \"Bye.\" }, next: over }\n  over: { end: { reason: over } }"}, Result{Verdict: Elsewhere, Flow: "shop", After: "bye", By: "done", Then: "ends: completed", Now: "ends: over", Added: []string{"over"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := live(t, then, script(c.calls...))
			got, err := Run(library(t, c.edits...), Had(then), p)
			if err != nil {
				t.Fatal(err)
			}
			if c.want.Verdict == Same {
				c.want.Flow, c.want.After, c.want.By = got.Flow, got.After, got.By
			}
			a, _ := json.Marshal(got)
			b, _ := json.Marshal(c.want)
			if string(a) != string(b) {
				t.Errorf("got  %s\nwant %s", a, b)
			}
		})
	}
}

// TestRunOfTheSameFlow: whatever callers did, the same flow takes them the same way.
func TestRunOfTheSameFlow(t *testing.T) {
	lib := library(t)
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		p := live(t, lib, func(s flow.Session, n int) flow.Input {
			switch x := r.IntN(20); {
			case x == 0:
				return flow.Input{Kind: flow.InputLeft}
			case x == 1:
				return flow.Input{Kind: flow.InputFault, Text: "it broke"}
			case s.Wait.Kind == flow.WaitHTTP && x < 8:
				return flow.Input{Kind: flow.InputFetched, Fetched: &flow.Fetched{Failed: "timeout"}}
			case s.Wait.Kind == flow.WaitHTTP:
				return flow.Input{Kind: flow.InputFetched, Fetched: &flow.Fetched{Status: 200, Body: json.RawMessage(`{"n": ` + string(rune('0'+r.IntN(10))) + `}`)}}
			case x < 6:
				return flow.Input{Kind: flow.InputTimeout}
			}
			return flow.Input{Kind: flow.InputKey, Text: string(rune('1' + r.IntN(3)))}
		})
		for _, had := range []func(string, string) bool{Had(lib), Always} {
			if got, err := Run(lib, had, p); err != nil || got.Verdict != Same || got.Added != nil || got.Removed != nil {
				t.Fatalf("seed %d: %+v, %v\n%+v", seed, got, err, p.Steps)
			}
		}
	}
}

func TestErased(t *testing.T) {
	if _, ok := Of(tandem.Interaction{}, tandem.Leg{}, []tandem.Event{{Kind: tandem.EventFlowStarted}, {Kind: tandem.EventStep}}); ok {
		t.Error("an erased interaction was replayed")
	}
}

// TestOfWhatWasResumedAndMoved: the story stops where the flow first ended, and a move
// tells its handoff whether the assurance came along.
func TestOfWhatWasResumedAndMoved(t *testing.T) {
	var events []tandem.Event
	note := func(kind tandem.EventKind, v any) {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, tandem.Event{Kind: kind, Data: data})
	}
	note(tandem.EventFlowStarted, tandem.FlowRef{Flow: "x"})
	for _, step := range []string{"first", "second"} {
		note(tandem.EventStep, tandem.StepEntered{Flow: "x", Step: step, Verb: "handoff"})
		note(tandem.EventOutcome, tandem.StepLeft{Flow: "x", Step: step, Outcome: "accepted"})
		note(tandem.EventMoved, tandem.Moved{Carried: step == "second"})
	}
	note(tandem.EventStep, tandem.StepEntered{Flow: "x", Step: "menu"})
	note(tandem.EventOutcome, tandem.StepLeft{Flow: "x", Step: "menu", Outcome: "left"})
	note(tandem.EventFlowEnded, tandem.FlowEnd{Reason: flow.ReasonLeft})
	note(tandem.EventResumed, tandem.Moved{})
	note(tandem.EventStep, tandem.StepEntered{Flow: "x", Step: "later"})
	note(tandem.EventFlowEnded, tandem.FlowEnd{Reason: "later"})
	p, ok := Of(tandem.Interaction{}, tandem.Leg{Kind: tandem.LegChat}, events)
	if !ok || p.Reason != flow.ReasonLeft || len(p.Steps) != 3 || p.Steps[0].Carried || !p.Steps[1].Carried || p.Steps[2].Outcome != "left" {
		t.Errorf("%v %+v", ok, p)
	}
}

// Who left while an agent had them goes by on_leave as they did then.
func TestLeftWhileServed(t *testing.T) {
	lib, ds := read.FS(fstest.MapFS{
		"line.flow.yaml": {Data: []byte("flow: line\nchannels: [voice]\nlanguages: [en]\nstart: wait\non_leave: left\nsteps:\n" +
			"  wait: { queue: { name: cards }, next: { else: end } }\n" +
			"  left: { branch: [ { if: \"outcome == 'answered'\", go: served } ], next: { else: gone } }\n" +
			"  served: { end: { reason: served } }\n  gone: { end: { reason: gone } }\n")},
		"cards.queues.yaml": {Data: []byte("queues: { cards: {} }\n")},
	}, read.Options{})
	if lib == nil {
		source.Print(os.Stderr, ds, false)
		t.Fatal("the flow has mistakes")
	}
	event := func(kind tandem.EventKind, data any) tandem.Event {
		b, err := json.Marshal(data)
		if err != nil {
			t.Fatal(err)
		}
		return tandem.Event{At: monday, Kind: kind, Data: b}
	}
	assigned, again, gone := event(tandem.EventTaskAssigned, tandem.Assigned{Agent: "anna"}), event(tandem.EventTaskReleased, tandem.Released{Agent: "anna", Why: "transferred", Again: true}), event(tandem.EventTaskReleased, tandem.Released{Agent: "anna", Why: "left"})
	for name, tt := range map[string]struct {
		between []tandem.Event
		served  bool
	}{
		"waiting": {nil, false}, "served": {[]tandem.Event{assigned}, true}, "back in line": {[]tandem.Event{assigned, again}, false},
		"served again": {[]tandem.Event{assigned, again, assigned, gone}, true},
	} {
		reason := "gone"
		if tt.served {
			reason = "served"
		}
		events := []tandem.Event{event(tandem.EventFlowStarted, tandem.FlowRef{Flow: "line"}), event(tandem.EventStep, tandem.StepEntered{Flow: "line", Step: "wait"})}
		events = append(events, tt.between...)
		events = append(events, event(tandem.EventOutcome, tandem.StepLeft{Flow: "line", Step: "wait", Outcome: "left", Next: "left"}),
			event(tandem.EventStep, tandem.StepEntered{Flow: "line", Step: "left"}), event(tandem.EventOutcome, tandem.StepLeft{Flow: "line", Step: "left", Outcome: reason, Next: reason}),
			event(tandem.EventStep, tandem.StepEntered{Flow: "line", Step: reason}), event(tandem.EventFlowEnded, tandem.FlowEnd{Reason: reason}))
		past, ok := Of(tandem.Interaction{}, tandem.Leg{}, events)
		got, err := Run(lib, Always, past)
		if !ok || err != nil || got.Verdict != Same {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}
