package engine_test

import (
	"testing"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/engine"
	"tandem/ivr/flow/expression"
)

func TestRequest(t *testing.T) {
	env := expression.NewEnv()
	env.Declare("caller", &expression.Type{Kind: expression.Object, Fields: map[string]*expression.Type{"number": {Kind: expression.Phone}}}, false)
	tmpl := func(s string) *expression.Template {
		out, err := env.Template(s)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	body := &flow.Value{Object: true, Fields: []flow.Field{
		{Name: "z", Value: &flow.Value{Text: tmpl("${caller.number}")}},
		{Name: "a", Value: &flow.Value{List: []*flow.Value{{Literal: 1}, {Literal: nil}, {Literal: true}, {Text: tmpl("say \"hi\"")}}}},
		{Name: "wait", Value: &flow.Value{Text: tmpl("${8m}")}},
		{Name: "rate", Value: &flow.Value{Text: tmpl("${1.50 * 2}")}},
		{Name: "none", Value: &flow.Value{Object: true}},
	}}
	tests := []struct {
		name   string
		verb   flow.HTTP
		caller string
		url    string
		body   string
		header string
		failed bool
	}{
		{name: "members keep their order", verb: flow.HTTP{Method: "POST", URL: tmpl("http://h/x"), JSON: body}, caller: "+86138", url: "http://h/x",
			body: `{"z":"+86138","a":[1,null,true,"say \"hi\""],"wait":480,"rate":3.0,"none":{}}`},
		{name: "a value stays in its segment", verb: flow.HTTP{Method: "GET", URL: tmpl("http://h/${caller.number}?n=${caller.number}")}, caller: "../a?b#c&d", url: "http://h/..%2Fa%3Fb%23c&d?n=..%2Fa%3Fb%23c%26d"},
		{name: "a header", verb: flow.HTTP{Method: "GET", URL: tmpl("http://h/"), Headers: []flow.Header{{Name: "X-N", Value: tmpl("n ${caller.number}")}}}, caller: "1", url: "http://h/", header: "n 1"},
		{name: "a line break in a header", verb: flow.HTTP{Method: "GET", URL: tmpl("http://h/"), Headers: []flow.Header{{Name: "X-N", Value: tmpl("${caller.number}")}}}, caller: "1\r\nX-Evil: 1", failed: true},
		{name: "no web address", verb: flow.HTTP{Method: "GET", URL: tmpl("file:///etc/passwd")}, failed: true},
		{name: "a host made of nothing", verb: flow.HTTP{Method: "GET", URL: tmpl("http://${caller.number}/x")}, failed: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			verb := tt.verb
			lib := goFlow(t, "", map[string]*flow.Step{"a": {Verb: &verb, Next: flow.Next{To: "end"}}})
			s, effects, err := engine.Start(lib, "x", flow.Facts{Channel: tandem.Voice, Caller: tt.caller}, nil, monday)
			if err != nil {
				t.Fatal(err)
			}
			if tt.failed {
				if s.Ended != flow.ReasonError {
					t.Fatalf("it was sent: %v", effects)
				}
				return
			}
			f, ok := effects[len(effects)-1].(flow.Fetch)
			if !ok || f.URL != tt.url || string(f.Body) != tt.body || f.Timeout <= 0 {
				t.Fatalf("%+v body %s", f, f.Body)
			}
			if tt.header != "" && (len(f.Headers) != 1 || f.Headers[0][1] != tt.header) {
				t.Errorf("headers %v", f.Headers)
			}
		})
	}
}

func TestAnswers(t *testing.T) {
	tests := []struct {
		answer flow.Fetched
		want   string
	}{
		{flow.Fetched{Status: 200, Body: []byte(`{"n":1}`)}, "ok"},
		{flow.Fetched{Status: 201, Body: []byte(` {"n":1,"more":{}} `)}, "ok"},
		{flow.Fetched{Status: 204}, "error"}, // into needs a body
		{flow.Fetched{Status: 200, Body: []byte(`{"n":"x"}`)}, "error"},
		{flow.Fetched{Status: 200, Body: []byte(`{"n":1}{}`)}, "error"},
		{flow.Fetched{Status: 200, Body: []byte(`{"n":1`)}, "error"},
		{flow.Fetched{Status: 200, Body: make([]byte, 2<<20)}, "error"},
		{flow.Fetched{Status: 301}, "error"},
		{flow.Fetched{Status: 404}, "not_found"},
		{flow.Fetched{Status: 503}, "error"},
		{flow.Fetched{Failed: "timeout"}, "timeout"},
		{flow.Fetched{Failed: "connection refused"}, "error"},
		{flow.Fetched{}, "error"},
	}
	object := &expression.Type{Kind: expression.Object, Fields: map[string]*expression.Type{"n": {Kind: expression.Int}}}
	by := map[string]string{}
	steps := map[string]*flow.Step{"a": {Verb: &flow.HTTP{Method: "GET", URL: template(t, "http://h/"), Into: "got"}, Next: flow.Next{By: by}}}
	for _, outcome := range []string{"ok", "not_found", "timeout", "error"} {
		by[outcome] = outcome
		steps[outcome] = &flow.Step{Verb: &flow.End{Reason: outcome}}
	}
	lib := goFlow(t, "", steps)
	lib.Flows["x"].Vars = []*flow.Variable{{Name: "got", Type: object}}
	for _, tt := range tests {
		s, _, err := engine.Start(lib, "x", flow.Facts{Channel: tandem.Voice}, nil, monday)
		if err != nil {
			t.Fatal(err)
		}
		s, _, err = engine.Advance(lib, s, flow.Input{Kind: flow.InputFetched, Serial: s.Wait.Serial, At: monday, Fetched: &tt.answer})
		if err != nil || s.Ended != tt.want {
			t.Errorf("%d %q %.40s: %s, %v; want %s", tt.answer.Status, tt.answer.Failed, tt.answer.Body, s.Ended, err, tt.want)
		}
	}
}
