package flows_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/flows"
	"tandem/internal/mockbank"
	"tandem/ivr/flow"
	"tandem/ivr/flow/engine"
	"tandem/ivr/flow/read"
	"tandem/ivr/flow/source"
	"tandem/media/prompt"
)

// open is an hour at which the bank is open, closed one at which it is not.
var (
	open   = time.Date(2026, 11, 23, 10, 0, 0, 0, time.FixedZone("CST", 8*3600))
	closed = open.Add(14 * time.Hour)
)

func library(t *testing.T, fsys fs.FS, settings map[string]any) *flow.Library {
	t.Helper()
	lib, found := read.FS(fsys, read.Options{Settings: settings, Now: open})
	if len(found) > 0 {
		var b bytes.Buffer
		source.Print(&b, found, false)
		t.Fatalf("flow check finds fault:\n%s", b.String())
	}
	return lib
}

// caller plays one call of a flow: it presses keys, waits, and hears prompts by name.
type caller struct {
	t     *testing.T
	lib   *flow.Library
	voice *prompt.Voice
	now   time.Time
	s     flow.Session

	heard  []string // since the last look
	spoken []tandem.Part
	asked  []flow.Effect // Fetch, Connect, Record
	ended  string
	traces []any
}

func call(t *testing.T, lib *flow.Library, name string, facts flow.Facts, at time.Time) *caller {
	t.Helper()
	v, err := prompt.New(prompt.Options{Base: flows.Sample()}) // no speech engine
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	facts.Channel = tandem.Voice
	c := &caller{t: t, lib: lib, voice: v, now: at}
	s, effects, err := engine.Start(lib, name, facts, nil, at)
	if err != nil {
		t.Fatal(err)
	}
	c.s = s
	c.take(effects)
	return c
}

func (c *caller) advance(in flow.Input) {
	c.t.Helper()
	c.now = c.now.Add(time.Second)
	in.At, in.Serial = c.now, c.s.Wait.Serial
	s, effects, err := engine.Advance(c.lib, c.s, in)
	if err != nil {
		c.t.Fatal(err)
	}
	c.s = s
	c.take(effects)
}

// take keeps what was asked for. Every prompt must be playable without an engine.
func (c *caller) take(effects []flow.Effect) {
	c.t.Helper()
	for _, e := range effects {
		switch e := e.(type) {
		case flow.Play:
			clips, err := c.voice.Clips(c.t.Context(), e.Lang, e.Parts, e.Audio)
			if err != nil || len(clips) == 0 {
				c.t.Errorf("prompt %s of step %s in %s: %d clips, %v", e.Name, e.Step, e.Lang, len(clips), err)
			}
			c.heard = append(c.heard, strings.TrimSpace(e.Lang+" "+e.Name))
			c.spoken = append(c.spoken, e.Parts...)
		case flow.Fetch, flow.Connect, flow.Record:
			c.asked = append(c.asked, e)
		case flow.Trace:
			c.traces = append(c.traces, e.Data)
		case flow.Finish:
			c.ended = e.Reason
		}
	}
}

func (c *caller) keys(keys string) {
	c.t.Helper()
	for _, k := range keys {
		c.advance(flow.Input{Kind: flow.InputKey, Text: string(k), Via: "rfc4733"})
	}
}

func (c *caller) silence() {
	c.t.Helper()
	c.advance(flow.Input{Kind: flow.InputTimeout})
}

// hears takes the prompts since the last look, which must have been these.
func (c *caller) hears(want ...string) {
	c.t.Helper()
	got := slices.DeleteFunc(c.heard, func(s string) bool { return s == "en" || s == "zh-CN" }) // the engine's own fillers
	if !slices.Equal(got, want) {
		c.t.Fatalf("heard %q, want %q", got, want)
	}
	c.heard, c.spoken = nil, nil
}

// bank carries out the one fetch asked for against a mock core bank.
func (c *caller) bank(core http.Handler) {
	c.t.Helper()
	if len(c.asked) != 1 {
		c.t.Fatalf("asked for %v, want one fetch", c.asked)
	}
	f, ok := c.asked[0].(flow.Fetch)
	if !ok {
		c.t.Fatalf("asked for %T, want a fetch", c.asked[0])
	}
	c.asked = nil
	req := httptest.NewRequest(f.Method, f.URL, bytes.NewReader(f.Body))
	for _, h := range f.Headers {
		req.Header.Set(h[0], h[1])
	}
	for _, secret := range []string{"100001", "2468", "Bearer"} {
		if strings.Contains(f.URL, secret) {
			c.t.Errorf("%s is in the address %s", secret, f.URL)
		}
	}
	w := httptest.NewRecorder()
	core.ServeHTTP(w, req)
	c.advance(flow.Input{Kind: flow.InputFetched, Fetched: &flow.Fetched{Status: w.Code, Body: json.RawMessage(w.Body.Bytes()), Tries: 1}})
}

func (c *caller) value(kind tandem.PartKind) string {
	for _, p := range c.spoken {
		if p.Kind == kind {
			return p.Value
		}
	}
	return ""
}

func hotline(t *testing.T, facts flow.Facts, at time.Time) (*caller, *mockbank.Bank) {
	t.Helper()
	lib := library(t, flows.Sample(), map[string]any{"core": "http://127.0.0.1:8090", "agent": "sip:agent@127.0.0.1:5090"})
	core := mockbank.New(mockbank.Options{Now: func() time.Time { return at }, Random: strings.NewReader(strings.Repeat("random bytes ", 100))})
	return call(t, lib, "hotline", facts, at), core
}

func TestHotlineReadsTheBalance(t *testing.T) {
	for _, x := range []struct{ lang, key string }{{"en", "1"}, {"zh-CN", "2"}} {
		t.Run(x.lang, func(t *testing.T) {
			c, core := hotline(t, flow.Facts{}, open)
			in := func(names ...string) []string {
				for i := range names {
					names[i] = x.lang + " " + names[i]
				}
				return names
			}
			c.hears("en pick_language", "zh-CN pick_language")
			c.keys(x.key)
			c.hears(in("hello", "pick")...)
			c.keys("1")
			c.hears(in("ask_account")...)
			c.keys("100001")
			if got := c.value(tandem.PartDigits); got != "100001" {
				t.Errorf("the number read back is %q, want its digits", got)
			}
			c.hears(in("confirm_account")...)
			c.keys("1")
			c.hears(in("ask_pin")...)
			c.keys("2468")
			c.bank(core) // signs in
			c.bank(core) // asks for the balance
			if got := c.value(tandem.PartMoney); got != "12345.60 CNY" {
				t.Errorf("the balance read is %q", got)
			}
			c.hears(in("balance_is", "pick")...)
			c.keys("2") // signed in already
			c.bank(core)
			if c.value(tandem.PartMoney) != "128.50 CNY" || c.value(tandem.PartDate) != "2026-11-20" {
				t.Errorf("the transaction read is %+v", c.spoken)
			}
			c.hears(in("latest_out", "pick")...)
			for _, data := range c.traces {
				if b, err := json.Marshal(data); err != nil || strings.Contains(string(b), "2468") {
					t.Errorf("the PIN is in a trace: %s %v", b, err)
				}
			}
		})
	}
}

func TestHotlineKnowsTheCallersLanguage(t *testing.T) {
	c, _ := hotline(t, flow.Facts{CallerLang: "zh-CN"}, open)
	c.hears("zh-CN hello", "zh-CN pick")
}

func TestHotlineHelpsWhoMistypes(t *testing.T) {
	c, core := hotline(t, flow.Facts{CallerLang: "en"}, open)
	c.keys("1")
	c.hears("en hello", "en pick", "en ask_account")
	c.keys("100009")
	c.keys("2") // no, again
	c.keys("100001")
	c.keys("1")
	c.keys("0000")
	c.heard = nil
	c.bank(core)
	c.hears("en wrong_pin", "en ask_account")
	for range 2 {
		c.keys("100001" + "1" + "0000")
		c.bank(core)
	}
	// The third wrong try reaches a person.
	c.hears("en confirm_account", "en ask_pin", "en wrong_pin", "en ask_account", "en confirm_account", "en ask_pin", "en wrong_pin", "en may_record")
}

// Whatever goes wrong, the caller ends with a person or at the voicemail box.
func TestHotlineNeverHangsUpOnTheCaller(t *testing.T) {
	for _, x := range []struct {
		name string
		at   time.Time
		do   func(c *caller, core *mockbank.Bank)
		want string // the last prompt
	}{
		{"silence in the menu", open, func(c *caller, _ *mockbank.Bank) { c.silence(); c.silence(); c.silence() }, "en may_record"},
		{"wrong keys in the menu", open, func(c *caller, _ *mockbank.Bank) { c.keys("777") }, "en may_record"},
		{"silence, closed", closed, func(c *caller, _ *mockbank.Bank) { c.silence(); c.silence(); c.silence() }, "en nobody"},
		{"silence at the account", open, func(c *caller, _ *mockbank.Bank) { c.keys("1"); c.silence(); c.silence(); c.silence() }, "en may_record"},
		{"silence at the PIN", open, func(c *caller, _ *mockbank.Bank) { c.keys("11000011"); c.silence(); c.silence(); c.silence() }, "en may_record"},
		{"the bank is down", open, func(c *caller, core *mockbank.Bank) { core.Fail(503); c.keys("11000011" + "2468"); c.bank(core) }, "en may_record"},
		{"the bank is slow", open, func(c *caller, _ *mockbank.Bank) {
			c.keys("11000011" + "2468")
			c.asked = nil
			c.advance(flow.Input{Kind: flow.InputFetched, Fetched: &flow.Fetched{Failed: "timeout"}})
		}, "en may_record"},
		{"the account is locked", open, func(c *caller, core *mockbank.Bank) {
			for range 5 {
				core.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("POST", "/sessions", strings.NewReader(`{"account":"100001","pin":"1"}`)))
			}
			c.keys("11000011" + "2468")
			c.bank(core)
		}, "en may_record"},
		{"a person by command", open, func(c *caller, _ *mockbank.Bank) { c.keys("1*0") }, "en may_record"},
		{"a fault", open, func(c *caller, _ *mockbank.Bank) { c.advance(flow.Input{Kind: flow.InputFault, Text: "test"}) }, "en nobody"},
	} {
		t.Run(x.name, func(t *testing.T) {
			c, core := hotline(t, flow.Facts{CallerLang: "en"}, x.at)
			x.do(c, core)
			if c.ended != "" || len(c.heard) == 0 || c.heard[len(c.heard)-1] != x.want {
				t.Errorf("heard %q, ended %q; want %q last", c.heard, c.ended, x.want)
			}
		})
	}
}

func TestHotlineConnectsOrTakesAMessage(t *testing.T) {
	for _, outcome := range []string{"busy", "no_answer", "failed", "ok"} {
		c, _ := hotline(t, flow.Facts{CallerLang: "en"}, open)
		c.keys("0")
		c.keys("1") // yes to the recording
		connect, ok := c.asked[0].(flow.Connect)
		if !ok || connect.To != "sip:agent@127.0.0.1:5090" {
			t.Fatalf("asked for %+v", c.asked)
		}
		c.asked, c.heard = nil, nil
		c.advance(flow.Input{Kind: flow.InputResult, Result: &flow.Result{Outcome: outcome}})
		if outcome == "ok" {
			c.hears("en goodbye")
			if c.ended != "completed" {
				t.Errorf("ended %q", c.ended)
			}
			continue
		}
		c.hears("en nobody")
		if box, ok := c.asked[0].(flow.Record); !ok || box.Box != "service" {
			t.Fatalf("%s: asked for %+v, want the voicemail box", outcome, c.asked)
		}
		c.advance(flow.Input{Kind: flow.InputResult, Result: &flow.Result{Outcome: "too_short"}})
		c.hears("en too_short", "en leave_message")
		c.advance(flow.Input{Kind: flow.InputResult, Result: &flow.Result{Outcome: "left"}})
		c.hears("en thanks", "en goodbye")
		if c.ended != "completed" {
			t.Errorf("%s: ended %q", outcome, c.ended)
		}
	}
}

func TestHotlineWhenClosed(t *testing.T) {
	c, core := hotline(t, flow.Facts{CallerLang: "en"}, closed)
	c.hears("en hello", "en closed_now", "en pick")
	c.keys("11000011" + "2468")
	c.bank(core)
	c.bank(core)
	c.hears("en ask_account", "en confirm_account", "en ask_pin", "en balance_is", "en pick")
	c.keys("*4")
	c.hears("en how_to", "en pick")
	c.keys("3")
	c.hears("en leave_message")
	c.advance(flow.Input{Kind: flow.InputLeft})
	if c.ended != "left" {
		t.Errorf("ended %q", c.ended)
	}
}
