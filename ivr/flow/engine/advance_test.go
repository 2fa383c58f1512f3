package engine_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/engine"
	"tandem/ivr/flow/expression"
)

// FuzzAdvance plays random inputs to a session. Whatever they are: no panic, no
// hang, the argument is unchanged, no secret is traced, and a stored session goes on.
func FuzzAdvance(f *testing.F) {
	f.Add([]byte("1a11a62220001#1234b"))
	f.Add([]byte("c2\x00\x01b1e1d"))
	f.Add([]byte("b9*0fghij"))
	lib := library(f)
	f.Fuzz(func(t *testing.T, script []byte) {
		s, _, err := engine.Start(lib, "bank", flow.Facts{Channel: tandem.Voice}, nil, monday)
		if err != nil {
			t.Fatal(err)
		}
		now := monday
		for _, b := range script[:min(len(script), 200)] {
			now = now.Add(time.Second)
			in := inputFrom(b, s.Wait.Serial, now)
			before, err := flow.Encode(s)
			if err != nil {
				t.Fatal(err)
			}
			next, effects, err := engine.Advance(lib, s, in)
			if err != nil {
				t.Fatalf("%q: %v", b, err)
			}
			again, effects2, _ := engine.Advance(lib, s, in)
			after, _ := flow.Encode(s)
			if !bytes.Equal(before, after) || !reflect.DeepEqual(next, again) || !reflect.DeepEqual(effects, effects2) {
				t.Fatalf("%q changed its argument", b)
			}
			check(t, next, effects)
			stored(t, lib, s, in, effects)
			s = next
		}
	})
}

// inputFrom makes an input of a byte: keys as themselves, letters for the rest.
func inputFrom(b byte, serial int, now time.Time) flow.Input {
	in := flow.Input{At: now, Serial: serial, Via: "inband"}
	switch b {
	case 'a':
		in.Kind = flow.InputTimeout
	case 'b':
		in.Kind, in.Fetched = flow.InputFetched, &flow.Fetched{Status: 200, Body: json.RawMessage(`{"balance":1e2,"due":"2026-12-01","name":"Li"}`)}
	case 'c':
		in.Kind, in.Fetched = flow.InputFetched, &flow.Fetched{Status: 200, Body: json.RawMessage(`[{"day":"2026-12-01","time":"09:00"}]`)}
	case 'd':
		in.Kind, in.Fetched = flow.InputFetched, &flow.Fetched{Status: 200, Body: json.RawMessage(`{"balance":`)}
	case 'e':
		in.Kind, in.Fetched = flow.InputFetched, &flow.Fetched{Status: 404}
	case 'f':
		in.Kind, in.Result = flow.InputResult, &flow.Result{Outcome: "busy"}
	case 'g':
		in.Kind, in.Result = flow.InputResult, &flow.Result{Outcome: "no such"}
	case 'h':
		in.Kind = flow.InputLeft
	case 'i':
		in.Kind, in.Text = flow.InputFault, "broken"
	case 'j':
		in.Kind, in.Serial = flow.InputTimeout, serial-1
	case 'k':
		in.Kind, in.Text = flow.InputText, "card"
	case 'l':
		in.Kind, in.Text = flow.InputSpeech, "人工"
	case 'm':
		in.Kind = flow.InputFetched
	default:
		in.Kind, in.Text, in.Early = flow.InputKey, string(rune(b)), b > 'z'
		if b > 'z' {
			in.Text = string("0123456789*#"[b%12])
		}
	}
	return in
}

// FuzzDecode reads anything as a stored session and goes on with what reads as one.
func FuzzDecode(f *testing.F) {
	lib := library(f)
	for _, script := range [][]string{{"keys 1"}, {"keys 11622200010#"}, {"keys 2", `answer 200 [{"day":"2026-12-01","time":"09:00"}]`}, {"keys 0"}} {
		d := begin(f, "bank", flow.Facts{}, map[string]any{"account": "62220001"}, monday)
		for _, line := range script {
			d.do(line)
		}
		b, err := flow.Encode(d.s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, script := range [][]string{{"keys 2", "result opened"}, {"keys 4"}, {"keys 6", "place 2"}, {"keys 8"}, {"keys 8", "result done b"}} {
		d := begin(f, "desk", flow.Facts{}, nil, monday)
		for _, line := range script {
			d.do(line)
		}
		b, err := flow.Encode(d.s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, stored []byte) {
		s, err := flow.Decode(stored)
		if err != nil {
			return
		}
		for _, b := range []byte("1*0#abcdefgh") {
			_, _, err := engine.Advance(lib, s, inputFrom(b, s.Wait.Serial, monday))
			if err != nil && tandem.CodeOf(err) != tandem.CodeConflict {
				t.Fatal(err)
			}
		}
		if _, _, err := engine.Resume(lib, s, monday); err != nil && tandem.CodeOf(err) != tandem.CodeConflict {
			t.Fatal(err)
		}
		if _, err := flow.Encode(s); err != nil {
			t.Fatal(err)
		}
	})
}

// check holds a session and effects against what is always true.
func check(t *testing.T, s flow.Session, effects []flow.Effect) {
	t.Helper()
	if (len(s.Frames) == 0) != (s.Wait.Kind == flow.WaitNone) || (len(s.Frames) == 0) != (s.Ended != "") {
		t.Fatalf("neither waiting nor ended: %+v", s)
	}
	if len(s.Keys) > engine.MaxKeys || len(effects) > 24*engine.MaxSteps {
		t.Fatalf("%d keys, %d effects", len(s.Keys), len(effects))
	}
	if s.Hushed != s.Wait.Secret {
		t.Fatalf("hushed is %v while the wait's secret is %v", s.Hushed, s.Wait.Secret)
	}
	finished := 0
	for _, e := range effects {
		if _, ok := e.(flow.Finish); ok {
			finished++
		}
	}
	if finished > 1 || finished == 1 && len(s.Frames) > 0 {
		t.Fatalf("finished %d times", finished)
	}
}

// stored checks that a session survives storing: it can be resumed, and if nothing
// in it is of the kind that is not stored, it goes on just the same.
func stored(t *testing.T, lib *flow.Library, s flow.Session, in flow.Input, want []flow.Effect) {
	t.Helper()
	b, err := flow.Encode(s)
	if err != nil {
		t.Fatal(err)
	}
	back, err := flow.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if engine.Kept(s) {
		if _, got, err := engine.Advance(lib, back, in); err != nil && in.Kind != flow.InputOutcome || !reflect.DeepEqual(got, want) {
			t.Fatalf("after storing: %v\n%v\nwant %v", err, got, want)
		}
	}
	resumed, effects, err := engine.Resume(lib, back, in.At)
	if err != nil {
		t.Fatal(err)
	}
	check(t, resumed, effects)
}

// TestSecretsStayIn enters secrets in every way and looks for them in all that leaves
// the engine but the HTTP request they are for.
func TestSecretsStayIn(t *testing.T) {
	const account, pin = "987654321", "5566"
	scripts := map[string][]string{
		"keys":        {"keys 11" + account + "#" + pin, found, "keys 1#1"},
		"typed ahead": {"keys 1", "keys 2", "keys 1" + account + "#" + pin, "answer 500", "fault broken"},
		"restart":     {"keys 11" + account + "#" + pin, "restart", "keys " + pin, found},
		"leaves":      {"keys 11" + account + "#" + pin[:3], "leaves"},
		"wrong body":  {"keys 11" + account + "#" + pin, `answer 200 {"balance":"` + account + `"}`},
	}
	for name, script := range scripts {
		t.Run(name, func(t *testing.T) {
			d := begin(t, "bank", flow.Facts{}, nil, monday)
			for _, line := range script {
				d.do(line)
			}
			sent := false
			for _, line := range strings.Split(d.out.String(), "\n") {
				if strings.HasPrefix(line, "  fetch") {
					sent = sent || strings.Contains(line, account)
				} else if !strings.HasPrefix(line, ">") && (strings.Contains(line, account) || strings.Contains(line, pin)) {
					t.Errorf("a secret got out: %s", line)
				}
			}
			if name == "keys" && !sent {
				t.Error("the secret did not reach the request either")
			}
			b, err := flow.Encode(d.s)
			if err != nil || strings.Contains(string(b), pin) {
				t.Errorf("the ephemeral PIN was stored: %v", err)
			}
		})
	}
}

// goFlow builds a small flow in Go, for what the checker would refuse.
func goFlow(t *testing.T, onError string, steps map[string]*flow.Step) *flow.Library {
	t.Helper()
	env := expression.NewEnv()
	f := &flow.Flow{
		Name: "x", Hash: "h", Channels: []tandem.Channel{tandem.Voice, tandem.SMS}, Languages: []string{"en"}, Start: "a", OnError: onError,
		Steps: steps, Env: env, Vars: []*flow.Variable{{Name: "n", Type: &expression.Type{Kind: expression.Int}}},
	}
	for name, s := range steps {
		s.Name = name
	}
	return &flow.Library{Flows: map[string]*flow.Flow{"x": f}}
}

func prompt(t *testing.T, text string) *flow.Prompt {
	t.Helper()
	tmpl, err := expression.NewEnv().Template(text)
	if err != nil {
		t.Fatal(err)
	}
	return &flow.Prompt{ByLang: map[string]*flow.Words{"en": {Text: tmpl}}}
}

func TestRunaway(t *testing.T) {
	loop := func(to string) *flow.Step { return &flow.Step{Verb: &flow.Set{}, Next: flow.Next{To: to}} }
	menu := &flow.Step{
		Verb: &flow.Menu{Listen: flow.DefaultListen(), Prompt: prompt(t, "Press 1."), Choices: []*flow.Choice{{Keys: "1", Go: "a"}}},
		Next: flow.Next{To: "end"},
	}
	tests := []struct {
		name    string
		onError string
		steps   map[string]*flow.Step
		wait    flow.WaitKind
		ended   string
	}{
		{"goes to on_error", "m", map[string]*flow.Step{"a": loop("b"), "b": loop("a"), "m": menu}, flow.WaitListen, ""},
		{"nowhere to go", "", map[string]*flow.Step{"a": loop("b"), "b": loop("a")}, flow.WaitNone, flow.ReasonError},
		{"on_error loops too", "b", map[string]*flow.Step{"a": loop("b"), "b": loop("a")}, flow.WaitNone, flow.ReasonError},
		{"repeat", "m", map[string]*flow.Step{"a": loop(flow.ToRepeat), "m": menu}, flow.WaitListen, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			lib := goFlow(t, tt.onError, tt.steps)
			s, effects, err := engine.Start(lib, "x", flow.Facts{Channel: tandem.Voice}, nil, monday)
			if err != nil || s.Wait.Kind != tt.wait || s.Ended != tt.ended {
				t.Fatalf("waits %q, ended %q, %v", s.Wait.Kind, s.Ended, err)
			}
			check(t, s, effects)
			if tt.wait == flow.WaitListen { // and again: the guard is armed anew by each wait
				s, _, err = engine.Advance(lib, s, flow.Input{Kind: flow.InputKey, Text: "1", At: monday})
				if err != nil || s.Wait.Kind != flow.WaitListen {
					t.Fatalf("the second time: %+v %v", s.Wait, err)
				}
			}
		})
	}
}

// TestRunawayThroughFaults: a called flow that fails and is called again is a runaway
// too, though its on_error begins anew each time.
func TestRunawayThroughFaults(t *testing.T) {
	child := &flow.Flow{Name: "child", Hash: "c", Start: "a", OnError: "over", Outcomes: []string{"done"}, Steps: map[string]*flow.Step{
		"a": {Name: "a", Verb: &flow.Hours{Calendar: "nope"}}, "over": {Name: "over", Verb: &flow.End{As: "done"}},
	}}
	for onError, want := range map[string]string{"": flow.ReasonError, "a": flow.ReasonError, "sorry": "sorry"} {
		lib := goFlow(t, onError, map[string]*flow.Step{
			"a":     {Verb: flow.NewSubflow("child", nil, "", child.Outcomes), Next: flow.Next{To: "a"}},
			"sorry": {Verb: &flow.End{Reason: "sorry"}},
		})
		lib.Flows["child"] = child
		s, effects, err := engine.Start(lib, "x", flow.Facts{Channel: tandem.Voice}, nil, monday)
		if err != nil || s.Ended != want {
			t.Errorf("on_error %q: ended %q, %v", onError, s.Ended, err)
		}
		check(t, s, effects)
	}
}

func TestSMSNeverAsksAgainBySilence(t *testing.T) {
	lib := goFlow(t, "", map[string]*flow.Step{
		"a": {
			Verb: &flow.Menu{Listen: flow.DefaultListen(), Prompt: prompt(t, "1?"), Choices: []*flow.Choice{{Keys: "1", Go: "end"}}},
			Next: flow.Next{By: map[string]string{"no_input": "silent", "no_match": "end"}},
		},
		"silent": {Verb: &flow.End{Reason: "silent"}},
	})
	s, _, err := engine.Start(lib, "x", flow.Facts{Channel: tandem.SMS}, nil, monday)
	if err != nil || s.Wait.Timeout != 12*time.Hour {
		t.Fatalf("waits %v, %v", s.Wait.Timeout, err)
	}
	s, _, _ = engine.Advance(lib, s, flow.Input{Kind: flow.InputText, Text: "what?", At: monday})
	if s.Wait.Kind != flow.WaitListen {
		t.Fatal("a reply nobody understood is asked again")
	}
	s, _, _ = engine.Advance(lib, s, flow.Input{Kind: flow.InputTimeout, Serial: s.Wait.Serial, At: monday})
	if s.Ended != "silent" {
		t.Errorf("ended %q", s.Ended)
	}
}

func TestTypeAheadOff(t *testing.T) {
	deaf := flow.DefaultListen()
	deaf.TypeAhead, deaf.BargeIn = false, flow.BargeNone
	lib := goFlow(t, "", map[string]*flow.Step{"a": {
		Verb: &flow.Menu{Listen: deaf, Prompt: prompt(t, "1?"), Choices: []*flow.Choice{{Keys: "1", Go: "end"}}},
		Next: flow.Next{To: "end"},
	}})
	s, _, err := engine.Start(lib, "x", flow.Facts{Channel: tandem.Voice}, nil, monday)
	if err != nil {
		t.Fatal(err)
	}
	s, effects, _ := engine.Advance(lib, s, flow.Input{Kind: flow.InputKey, Text: "1", Early: true, At: monday})
	if s.Ended != "" || len(effects) != 0 {
		t.Fatalf("a key during the prompt was taken: %v", effects)
	}
	if s, _, _ = engine.Advance(lib, s, flow.Input{Kind: flow.InputKey, Text: "1", At: monday}); s.Ended == "" {
		t.Error("a key after the prompt was not taken")
	}
}

func TestMisfits(t *testing.T) {
	lib := library(t)
	good, _, err := engine.Start(lib, "bank", flow.Facts{Channel: tandem.Voice}, nil, monday)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]func(*flow.Session){
		"unknown flow":      func(s *flow.Session) { s.Frames[0].Flow = "nope" },
		"another version":   func(s *flow.Session) { s.Frames[0].Hash = "nope" },
		"unknown step":      func(s *flow.Session) { s.Frames[0].Step = "nope" },
		"another wait":      func(s *flow.Session) { s.Wait.Kind = flow.WaitHTTP },
		"no wait":           func(s *flow.Session) { s.Wait.Kind = flow.WaitNone },
		"another format":    func(s *flow.Session) { s.Version = 7 },
		"confirms nothing":  func(s *flow.Session) { s.Frames[0].Confirming = true },
		"nowhere to return": func(s *flow.Session) { s.Frames[0].Return = []string{"nope"} },
		"no call":           func(s *flow.Session) { s.Frames = append(s.Frames, s.Frames[0]) },
	}
	for name, spoil := range tests {
		s := good
		s.Frames = append([]flow.Frame(nil), good.Frames...)
		spoil(&s)
		_, _, err := engine.Advance(lib, s, flow.Input{Kind: flow.InputKey, Text: "1", At: monday})
		_, _, err2 := engine.Resume(lib, s, monday)
		if tandem.CodeOf(err) != tandem.CodeConflict || tandem.CodeOf(err2) != tandem.CodeConflict {
			t.Errorf("%s: %v, %v", name, err, err2)
		}
	}
}

func TestStartErrors(t *testing.T) {
	lib := library(t)
	tests := []struct {
		flow    string
		channel tandem.Channel
		inputs  map[string]any
		code    tandem.Code
	}{
		{"nope", tandem.Voice, nil, tandem.CodeNotFound},
		{"bank", tandem.SMS, nil, tandem.CodeInvalid},
		{"bank", tandem.Voice, map[string]any{"account": "12a"}, tandem.CodeInvalid},
		{"bank", tandem.Voice, map[string]any{"acount": "12"}, tandem.CodeInvalid},
	}
	for _, tt := range tests {
		_, _, err := engine.Start(lib, tt.flow, flow.Facts{Channel: tt.channel}, tt.inputs, monday)
		if err == nil || tandem.CodeOf(err) != tt.code {
			t.Errorf("%s %s %v: %v", tt.flow, tt.channel, tt.inputs, err)
		}
	}
}

func TestCalendar(t *testing.T) {
	c := library(t).Calendars["head"]
	shanghai := time.FixedZone("", 8*3600)
	tests := map[time.Time]string{
		time.Date(2026, 11, 23, 9, 0, 0, 0, shanghai):   "open",
		time.Date(2026, 11, 23, 8, 59, 59, 0, shanghai): "closed",
		time.Date(2026, 11, 23, 18, 0, 0, 0, shanghai):  "closed",
		time.Date(2026, 11, 21, 12, 30, 0, 0, shanghai): "closed",
		time.Date(2026, 11, 21, 13, 0, 0, 0, shanghai):  "open",
		time.Date(2026, 12, 25, 10, 0, 0, 0, shanghai):  "closed",
		time.Date(2026, 12, 31, 15, 0, 0, 0, shanghai):  "closed",
		time.Date(2027, 1, 1, 10, 0, 0, 0, shanghai):    "holiday",
		time.Date(2026, 11, 22, 23, 30, 0, 0, time.UTC): "closed",
		time.Date(2026, 11, 23, 1, 30, 0, 0, time.UTC):  "open",
	}
	for at, want := range tests {
		if got := c.Status(at); got != want {
			t.Errorf("%v: %s, want %s", at, got, want)
		}
	}
}

// BenchmarkSteps plays a call through a menu, an HTTP exchange and what it answers.
func BenchmarkSteps(b *testing.B) {
	lib := library(b)
	body := json.RawMessage(`{"balance":1234.5,"due":"2026-12-01","name":"Li"}`)
	steps := 0
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for b.Loop() {
		s, effects, err := engine.Start(lib, "bank", caller(), map[string]any{"account": "6222000100"}, monday)
		push := func(in flow.Input) {
			for _, e := range effects {
				if t, ok := e.(flow.Trace); ok && t.Kind == tandem.EventStep {
					steps++
				}
			}
			if err != nil {
				b.Fatal(err)
			}
			in.At, in.Serial = monday, s.Wait.Serial
			s, effects, err = engine.Advance(lib, s, in)
		}
		for _, k := range []string{"1", "1", "2", "3", "4"} {
			push(flow.Input{Kind: flow.InputKey, Text: k})
		}
		push(flow.Input{Kind: flow.InputFetched, Fetched: &flow.Fetched{Status: 200, Body: body}})
		push(flow.Input{Kind: flow.InputLeft})
	}
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(steps)/b.Elapsed().Seconds(), "steps/s")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(steps), "allocs/step")
}

func caller() flow.Facts {
	f := china
	f.Channel = tandem.Voice
	return f
}
