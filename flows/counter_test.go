package flows_test

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/flows"
	"tandem/internal/mockbank"
	"tandem/ivr/flow"
	"tandem/ivr/flow/engine"
)

// The counter tells a balance to who was proved, asks the core in the form that it
// understands, and comes to the same on every channel.
func TestCounterReadsTheBalance(t *testing.T) {
	lib := library(t, flows.Sample(), settings())
	core := mockbank.New(mockbank.Options{Now: func() time.Time { return open }, Random: strings.NewReader(strings.Repeat("random bytes ", 100))})
	for _, channel := range []tandem.Channel{tandem.Voice, tandem.Chat, tandem.SMS} {
		s, _, err := engine.Start(lib, "counter", flow.Facts{Channel: channel, CallerLang: "en"}, nil, open)
		var effects []flow.Effect
		step := func(in flow.Input) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			in.At, in.Serial = open, s.Wait.Serial
			s, effects, err = engine.Advance(lib, s, in)
		}
		if channel == tandem.Voice {
			step(flow.Input{Kind: flow.InputKey, Text: "1", Via: "rfc4733"})
		} else {
			step(flow.Input{Kind: flow.InputText, Text: "1", Via: "text"})
		}
		if s.Wait.Kind != flow.WaitIdentify {
			t.Fatalf("%s: it waits for %s", channel, s.Wait.Kind)
		}
		step(flow.Input{Kind: flow.InputResult, Result: &flow.Result{Outcome: "passed", Phone: "+8613800000001", Until: open.Add(time.Hour)}})
		f, ok := effects[len(effects)-1].(flow.Fetch)
		if !ok || strings.Contains(f.URL, "138") {
			t.Fatalf("%s: it asks %+v", channel, effects[len(effects)-1])
		}
		w := httptest.NewRecorder()
		core.ServeHTTP(w, httptest.NewRequest(f.Method, f.URL, bytes.NewReader(f.Body)))
		step(flow.Input{Kind: flow.InputFetched, Fetched: &flow.Fetched{Status: w.Code, Body: json.RawMessage(w.Body.Bytes()), Tries: 1}})
		said := ""
		for _, e := range effects {
			if p, ok := e.(flow.Play); ok {
				said += flow.Text(p.Parts) + "\n"
			}
		}
		if err != nil || !strings.Contains(said, "12,345.60") || s.Wait.Step != "main" {
			t.Errorf("%s: %d, it says %q in step %s, %v", channel, w.Code, said, s.Wait.Step, err)
		}
	}
}

// A caller whose session was parked in the middle of the four questions goes on in chat,
// at the same question.
func TestCounterGoesOnAnotherDay(t *testing.T) {
	lib := library(t, flows.Sample(), settings())
	s, _, err := engine.Start(lib, "counter", flow.Facts{Channel: tandem.Voice, CallerLang: "en"}, nil, open)
	for _, key := range "3" + "1" + "2" + "20261201" {
		if err == nil {
			s, _, err = engine.Advance(lib, s, flow.Input{Kind: flow.InputKey, At: open, Text: string(key), Via: "rfc4733"})
		}
	}
	if err != nil || s.Wait.Step != "part" {
		t.Fatalf("it is in step %s, %v", s.Wait.Step, err)
	}
	stored, err := flow.Encode(s)
	if err != nil {
		t.Fatal(err)
	}
	if s, err = flow.Decode(stored); err != nil {
		t.Fatal(err)
	}
	s.Facts.Channel, s.Facts.Caller = tandem.Chat, ""
	s, effects, err := engine.Resume(lib, s, open.AddDate(0, 0, 3))
	if err != nil || s.Wait.Step != "part" || len(s.Wait.Options) != 2 || s.Wait.Options[1].Label != "Afternoon" {
		t.Fatalf("%+v, %v\n%v", s.Wait, err, effects)
	}
	s, _, err = engine.Advance(lib, s, flow.Input{Kind: flow.InputText, At: open.AddDate(0, 0, 3), Text: "Afternoon"})
	if err != nil || s.Wait.Step != "reach" {
		t.Errorf("it goes on in step %s, %v", s.Wait.Step, err)
	}
}
