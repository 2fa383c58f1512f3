package engine_test

import (
	"slices"
	"testing"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/engine"
	"tandem/ivr/flow/expression"
)

func template(t *testing.T, text string) *expression.Template {
	t.Helper()
	tmpl, err := expression.NewEnv().Template(text)
	if err != nil {
		t.Fatal(err)
	}
	return tmpl
}

// moved stores a session and resumes what was stored.
func moved(t *testing.T, lib *flow.Library, s flow.Session, at time.Time) (flow.Session, []flow.Effect) {
	t.Helper()
	b, err := flow.Encode(s)
	if err != nil {
		t.Fatal(err)
	}
	if s, err = flow.Decode(b); err != nil {
		t.Fatal(err)
	}
	s, effects, err := engine.Resume(lib, s, at)
	if err != nil {
		t.Fatal(err)
	}
	return s, effects
}

func TestResumeSendsOnlyWhatMayBeSentTwice(t *testing.T) {
	tests := []struct {
		verb flow.HTTP
		sent bool
	}{
		{flow.HTTP{Method: "GET"}, true},
		{flow.HTTP{Method: "PUT"}, true},
		{flow.HTTP{Method: "DELETE"}, true},
		{flow.HTTP{Method: "POST"}, false},
		{flow.HTTP{Method: "PATCH"}, false},
		{flow.HTTP{Method: "POST", Idempotent: true}, true},
	}
	for _, tt := range tests {
		verb := tt.verb
		verb.URL = template(t, "http://core.test/x")
		lib := goFlow(t, "", map[string]*flow.Step{
			"a":      {Verb: &verb, Next: flow.Next{By: map[string]string{"error": "failed"}, Else: "end"}},
			"failed": {Verb: &flow.End{Reason: "failed"}},
		})
		s, _, err := engine.Start(lib, "x", flow.Facts{Channel: tandem.Voice}, nil, monday)
		if err != nil {
			t.Fatal(err)
		}
		old := s.Wait.Serial
		s, effects := moved(t, lib, s, monday)
		sent := slices.ContainsFunc(effects, func(e flow.Effect) bool { _, ok := e.(flow.Fetch); return ok })
		if sent != tt.sent || sent == (s.Ended == "failed") {
			t.Errorf("%s %v: sent again is %v, ended %q", verb.Method, verb.Idempotent, sent, s.Ended)
		}
		if !sent {
			continue
		}
		late, effects, _ := engine.Advance(lib, s, flow.Input{Kind: flow.InputFetched, Serial: old, At: monday, Fetched: &flow.Fetched{Status: 200}})
		if late.Ended != "" || len(effects) != 0 {
			t.Errorf("%s: the answer to the first request was taken for the second's", verb.Method)
		}
	}
}

// The key of a request that is made again is that of the first, and a further visit
// to the step, or another step, has its own.
func TestResumeKeepsTheKey(t *testing.T) {
	post := func(to string) *flow.Step {
		return &flow.Step{Verb: &flow.HTTP{Method: "POST", URL: template(t, "http://core.test/x"), Idempotent: true}, Next: flow.Next{To: to}}
	}
	once := &flow.Step{Verb: &flow.HTTP{Method: "POST", URL: template(t, "http://core.test/x")}, Next: flow.Next{To: "end"}}
	child := &flow.Flow{Name: "child", Hash: "c", Start: "a", Channels: []tandem.Channel{tandem.Voice}, Outcomes: []string{"done"}, Steps: map[string]*flow.Step{
		"a": post("over"), "over": {Name: "over", Verb: &flow.End{As: "done"}},
	}}
	child.Steps["a"].Name = "a"
	call := func(to string) *flow.Step {
		return &flow.Step{Verb: flow.NewSubflow("child", nil, "", child.Outcomes), Next: flow.Next{To: to}}
	}
	lib := goFlow(t, "", map[string]*flow.Step{
		"a": {Verb: &flow.Set{}, MaxVisits: 2, Next: flow.Next{To: "b", By: map[string]string{"loop": "last"}}},
		"b": post("c"), "c": call("a"), "last": once,
	})
	lib.Flows["child"] = child
	s, effects, err := engine.Start(lib, "x", flow.Facts{Channel: tandem.Voice}, nil, monday)
	key := func() string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		f, ok := effects[len(effects)-1].(flow.Fetch)
		if !ok {
			t.Fatalf("nothing is asked: %v", effects)
		}
		return f.Key
	}
	for _, want := range []string{"x.b#1", "x.c#1/child.a#1", "x.b#2", "x.c#2/child.a#1", ""} {
		if got := key(); got != want {
			t.Errorf("the key is %q, want %q", got, want)
		}
		if want != "" {
			if s, effects = moved(t, lib, s, monday); key() != want {
				t.Errorf("after %q the request made again has the key %q", want, key())
			}
		}
		s, effects, err = engine.Advance(lib, s, flow.Input{Kind: flow.InputFetched, Serial: s.Wait.Serial, At: monday, Fetched: &flow.Fetched{Status: 200}})
	}
}

func TestResumeChecksTheLevel(t *testing.T) {
	lib := goFlow(t, "", map[string]*flow.Step{
		"a": {
			Needs: tandem.Verified,
			Verb:  &flow.Menu{Listen: flow.DefaultListen(), Prompt: prompt(t, "1?"), Choices: []*flow.Choice{{Keys: "1", Go: "end"}}},
			Next:  flow.Next{To: "end", By: map[string]string{"not_assured": "low"}},
		},
		"low": {Verb: &flow.End{Reason: "low"}},
	})
	s, _, err := engine.Start(lib, "x", flow.Facts{Channel: tandem.Voice, Assurance: tandem.Verified, AssuranceUntil: monday.Add(time.Minute)}, nil, monday)
	if err != nil || s.Wait.Kind != flow.WaitListen {
		t.Fatalf("%+v %v", s.Wait, err)
	}
	if s, _ := moved(t, lib, s, monday.Add(59*time.Second)); s.Wait.Kind != flow.WaitListen {
		t.Error("the level holds, yet the step was left")
	}
	if s, _ := moved(t, lib, s, monday.Add(time.Minute)); s.Ended != "low" {
		t.Errorf("the level has expired, yet the session waits for %s", s.Wait.Kind)
	}
}

// TestResumeChecksTheLevelOfTheCaller ends a called flow whose calling step needs a
// level that has expired.
func TestResumeChecksTheLevelOfTheCaller(t *testing.T) {
	menu := &flow.Menu{Listen: flow.DefaultListen(), Prompt: prompt(t, "1?"), Choices: []*flow.Choice{{Keys: "1", Go: "end"}}}
	child := &flow.Flow{
		Name: "child", Hash: "c", Start: "ask", Channels: []tandem.Channel{tandem.Voice}, Languages: []string{"en"}, Outcomes: []string{"done"},
		Steps: map[string]*flow.Step{"ask": {Name: "ask", Verb: menu, Next: flow.Next{To: "end"}}},
	}
	lib := goFlow(t, "", map[string]*flow.Step{
		"a":   {Needs: tandem.Verified, Verb: flow.NewSubflow("child", nil, "", child.Outcomes), Next: flow.Next{To: "end", By: map[string]string{"not_assured": "low"}}},
		"low": {Verb: &flow.End{Reason: "low"}},
	})
	lib.Flows["child"] = child
	s, _, err := engine.Start(lib, "x", flow.Facts{Channel: tandem.Voice, Assurance: tandem.Verified, AssuranceUntil: monday.Add(time.Minute)}, nil, monday)
	if err != nil || s.Wait.Step != "ask" {
		t.Fatalf("%+v %v", s.Wait, err)
	}
	if s, _ := moved(t, lib, s, monday.Add(59*time.Second)); s.Wait.Step != "ask" {
		t.Error("the level holds, yet the called flow was left")
	}
	if s, _ := moved(t, lib, s, monday.Add(time.Minute)); s.Ended != "low" {
		t.Errorf("the level has expired, yet the session waits at %q", s.Wait.Step)
	}
}

// TestFaultInACalledFlow goes to on_error of the nearest flow that has one.
func TestFaultInACalledFlow(t *testing.T) {
	broken := &flow.Step{Name: "a", Verb: &flow.Hours{Calendar: "nope"}, Next: flow.Next{To: "end"}}
	child := &flow.Flow{Name: "child", Hash: "c", Start: "a", Languages: []string{"en"}, Outcomes: []string{"done"}, Steps: map[string]*flow.Step{"a": broken}}
	lib := goFlow(t, "sorry", map[string]*flow.Step{
		"a":     {Verb: flow.NewSubflow("child", nil, "", child.Outcomes), Next: flow.Next{To: "end"}},
		"sorry": {Verb: &flow.End{Reason: "sorry"}},
	})
	lib.Flows["child"] = child
	if s, _, err := engine.Start(lib, "x", flow.Facts{Channel: tandem.Voice}, nil, monday); err != nil || s.Ended != "sorry" {
		t.Errorf("ended %q, %v", s.Ended, err)
	}
	child.OnError = "b"
	child.Steps["b"] = &flow.Step{Name: "b", Verb: &flow.End{As: "done"}}
	if s, _, err := engine.Start(lib, "x", flow.Facts{Channel: tandem.Voice}, nil, monday); err != nil || s.Ended != flow.ReasonCompleted {
		t.Errorf("ended %q, %v", s.Ended, err)
	}
}

func TestSecretsAreNotReturnedIntoTheOpen(t *testing.T) {
	digits := &expression.Type{Kind: expression.Digits}
	child := &flow.Flow{
		Name: "child", Hash: "c", Start: "a", Outcomes: []string{"done"}, Returns: []string{"pin"},
		Vars:  []*flow.Variable{{Name: "pin", Type: digits, Secrecy: flow.Secret, Default: "4711"}},
		Steps: map[string]*flow.Step{"a": {Name: "a", Verb: &flow.End{As: "done"}}},
	}
	for secrecy, want := range map[flow.Secrecy]string{flow.Open: flow.ReasonError, flow.Secret: flow.ReasonCompleted} {
		lib := goFlow(t, "", map[string]*flow.Step{"a": {Verb: flow.NewSubflow("child", nil, "got", child.Outcomes), Next: flow.Next{To: "end"}}})
		lib.Flows["child"] = child
		lib.Flows["x"].Vars = []*flow.Variable{{Name: "got", Type: &expression.Type{Kind: expression.Object, Fields: map[string]*expression.Type{"pin": digits}}, Secrecy: secrecy}}
		s, effects, err := engine.Start(lib, "x", flow.Facts{Channel: tandem.Voice}, nil, monday)
		if err != nil || s.Ended != want {
			t.Errorf("secrecy %d: ended %q, %v", secrecy, s.Ended, err)
		}
		for _, e := range effects {
			if line := show(e); len(line) > 0 && slices.Contains([]byte(line), '7') {
				t.Errorf("the secret is in %s", line)
			}
		}
	}
}
