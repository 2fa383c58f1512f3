package engine_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/engine"
	"tandem/ivr/flow/read"
	"tandem/ivr/flow/source"
)

var update = flag.Bool("update", false, "write the golden transcripts anew")

func library(t testing.TB) *flow.Library {
	t.Helper()
	lib, found := read.Dir("testdata/flows", read.Options{Settings: map[string]any{"core": "http://core.test"}, Now: monday})
	for _, d := range found {
		if d.Severity == source.Error {
			source.Print(os.Stderr, found, false)
			t.Fatal("the test flows have errors")
		}
	}
	return lib
}

// monday is an hour at which the test calendar is open.
var monday = time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)

// talk drives a session and writes down what happens.
type talk struct {
	t   testing.TB
	lib *flow.Library
	s   flow.Session
	now time.Time
	out strings.Builder
}

func begin(t testing.TB, name string, facts flow.Facts, inputs map[string]any, at time.Time) *talk {
	t.Helper()
	d := &talk{t: t, lib: library(t), now: at}
	if facts.Channel == "" {
		facts.Channel = tandem.Voice
	}
	s, effects, err := engine.Start(d.lib, name, facts, inputs, at)
	d.took(s, effects, err)
	return d
}

func (d *talk) took(s flow.Session, effects []flow.Effect, err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatalf("%v\n%s", err, d.out.String())
	}
	d.s = s
	for _, e := range effects {
		d.out.WriteString("  " + show(e) + "\n")
	}
	w := s.Wait
	if w.Kind == flow.WaitNone {
		fmt.Fprintf(&d.out, "  ended: %s\n", s.Ended)
		return
	}
	fmt.Fprintf(&d.out, "  waits: %s #%d %s %v", w.Kind, w.Serial, w.Step, w.Timeout)
	if w.Secret {
		d.out.WriteString(" secret")
	}
	for _, o := range w.Options {
		fmt.Fprintf(&d.out, " [%s %s]", o.Keys, o.Label)
	}
	d.out.WriteString("\n")
}

// do carries out one line of a script.
func (d *talk) do(line string) {
	d.t.Helper()
	fmt.Fprintf(&d.out, "> %s\n", line)
	word, rest, _ := strings.Cut(line, " ")
	in := flow.Input{At: d.now, Serial: d.s.Wait.Serial}
	switch word {
	case "keys", "early":
		for _, k := range rest {
			in := flow.Input{Kind: flow.InputKey, At: d.now, Text: string(k), Via: "rfc4733", Early: word == "early"}
			s, effects, err := engine.Advance(d.lib, d.s, in)
			d.took(s, effects, err)
		}
		return
	case "text":
		in.Kind, in.Text, in.Via = flow.InputText, rest, "text"
	case "silence":
		in.Kind = flow.InputTimeout
	case "late":
		in.Kind, in.Serial = flow.InputTimeout, d.s.Wait.Serial-1
	case "answer":
		status, body, _ := strings.Cut(rest, " ")
		in.Kind, in.Fetched = flow.InputFetched, &flow.Fetched{MS: 12, Tries: 1}
		if code, err := strconv.Atoi(status); err == nil {
			in.Fetched.Status, in.Fetched.Body = code, json.RawMessage(body)
		} else {
			in.Fetched.Failed = rest
		}
	case "result":
		in.Kind, in.Result = flow.InputResult, &flow.Result{Outcome: rest}
	case "leaves":
		in.Kind = flow.InputLeft
	case "fault":
		in.Kind, in.Text = flow.InputFault, rest
	case "level":
		d.s.Facts.Assurance, _ = tandem.ParseAssurance(rest)
		d.s.Facts.AssuranceUntil = d.now.Add(10 * time.Minute)
		return
	case "later":
		wait, err := time.ParseDuration(rest)
		if err != nil {
			d.t.Fatal(err)
		}
		d.now = d.now.Add(wait)
		return
	case "restart":
		stored, err := flow.Encode(d.s)
		if err != nil {
			d.t.Fatal(err)
		}
		s, err := flow.Decode(stored)
		if err != nil {
			d.t.Fatal(err)
		}
		s, effects, err := engine.Resume(d.lib, s, d.now)
		d.took(s, effects, err)
		return
	default:
		d.t.Fatalf("the script says %q", line)
	}
	s, effects, err := engine.Advance(d.lib, d.s, in)
	d.took(s, effects, err)
}

// show writes an effect on one line.
func show(e flow.Effect) string {
	switch e := e.(type) {
	case flow.Play:
		var b strings.Builder
		for _, p := range e.Parts {
			b.WriteString(p.Text)
			if p.Kind != tandem.PartText {
				fmt.Fprintf(&b, "{%s %s}", p.Kind, p.Value)
			}
		}
		more := ""
		if e.Secret {
			more = " secret"
		}
		return fmt.Sprintf("play %s %s/%s%s: %s", e.Lang, e.Step, e.BargeIn, more, b.String())
	case flow.Fetch:
		return fmt.Sprintf("fetch #%d %s %s %v %s %v retries %d", e.Serial, e.Method, e.URL, e.Headers, e.Body, e.Timeout, e.Retries)
	case flow.Trace:
		return fmt.Sprintf("trace %s %s", e.Kind, payload(e.Data))
	case flow.Promise:
		return fmt.Sprintf("promise %s %s", e.Kind, payload(e.Data))
	}
	if h, ok := e.(flow.Hush); ok {
		return fmt.Sprintf("Hush{On:%v}", h.On)
	}
	return fields(e)
}

// fields writes an effect with those of its fields that are set.
func fields(e flow.Effect) string {
	v := reflect.ValueOf(e)
	var set []string
	for i := range v.NumField() {
		f := v.Field(i)
		if f.IsZero() {
			continue
		}
		if parts, ok := f.Interface().([]tandem.Part); ok {
			f = reflect.ValueOf(strconv.QuoteToASCII(flow.Text(parts)))
		}
		set = append(set, fmt.Sprintf("%s:%v", v.Type().Field(i).Name, f))
	}
	return v.Type().Name() + "{" + strings.Join(set, " ") + "}"
}

func payload(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	var m map[string]any
	if json.Unmarshal(b, &m) == nil && m["hash"] != nil {
		m["hash"] = "…"
	}
	if m["text"] != nil && m["flow"] != nil {
		m["flow"] = "…"
	}
	if b, err = json.Marshal(m); err != nil {
		return err.Error()
	}
	return string(b)
}

const found = `answer 200 {"balance":1234.5,"due":"2026-12-01","name":"Li","extra":[1]}`

var china = flow.Facts{Caller: "+8613800000000", CallerLang: "zh-CN"}

func TestTranscripts(t *testing.T) {
	tests := []struct {
		name   string
		facts  flow.Facts
		inputs map[string]any
		at     time.Time
		script []string
	}{
		{name: "balance", script: []string{"keys 1", "keys 1", "keys 622200010#", "keys 1234", found, "keys 200*5#", "keys 1", "keys 1", "keys *0", "result ok"}},
		{name: "typed ahead through three menus", script: []string{"keys 11", "late", "silence"}},
		{name: "typed ahead during http", facts: china, inputs: map[string]any{"account": "6222000100"}, script: []string{"keys 1", "keys 1234", "keys 50#12", found, "keys 2", "keys 0", "result busy", "result left"}},
		{name: "a wrong key typed ahead drops the rest", facts: china, script: []string{"keys 2", "keys 91", `answer 200 [{"day":"2026-11-24","time":"09:00"}]`, "keys 1"}},
		{name: "keys in a transfer are not ours", facts: china, script: []string{"keys 0", "keys 123", "result busy", "keys #", "result left"}},
		{name: "silence escalates", facts: china, script: []string{"silence", "keys 9", "silence", "result no_answer", "result too_short"}},
		{name: "chinese", facts: china, script: []string{"keys 1", "keys 622200010", "silence", "keys 0000", "answer 404", "keys 6222000100", "keys 1234", found}},
		{name: "not found twice", facts: china, inputs: map[string]any{"account": "6222000100"}, script: []string{"keys 1", "keys 1234", "answer 404", "keys 6222000101", "keys 4321", "answer 404", "keys 6222000102", "keys 4321", "answer 404"}},
		{name: "http goes wrong", facts: china, inputs: map[string]any{"account": "6222000100"}, script: []string{"keys 11234", `answer 200 {"balance":1.5}`, "result failed"}},
		{name: "http too slow", facts: china, inputs: map[string]any{"account": "6222000100"}, script: []string{"keys 11234", "answer timeout"}},
		{name: "short entry", script: []string{"keys 11", "keys 123", "silence", "keys 12#", "keys 7", "silence"}},
		{name: "commands", script: []string{"keys 1", "keys 1", "keys *1", "keys *2", "keys 1", "keys *9", "keys *0"}},
		{name: "no commands in a secret", script: []string{"keys 1", "keys 1", "keys 622200010#", "keys *0", "silence"}},
		{name: "confirmation", facts: china, inputs: map[string]any{"account": "6222000100"}, script: []string{"keys 11234", found, "keys 99#", "keys 2", "keys 98#", "silence", "keys 7", "result ok"}},
		{name: "needs a level", facts: china, inputs: map[string]any{"account": "6222000100"}, script: []string{"keys 11234", found, "keys 1234*5#", "keys 11"}},
		{name: "has the level", facts: china, inputs: map[string]any{"account": "6222000100"}, script: []string{"keys 11234", found, "level verified", "keys 1234*5#", "keys 11"}},
		{name: "level expired", facts: china, inputs: map[string]any{"account": "6222000100"}, script: []string{"keys 11234", found, "level verified", "keys 1234*5#", "keys 1", "later 10m", "keys 1"}},
		{name: "booking", facts: china, script: []string{"keys 2", `answer 200 [{"day":"2026-11-24","time":"09:00"},{"day":"2026-11-25","time":"14:30"}]`, "keys 2", "keys 1", "keys 2", "answer 200 []", "keys 0"}},
		{name: "booking given up", facts: china, script: []string{"keys 2", `answer 200 [{"day":"2026-11-24","time":"09:00"}]`, "keys 3", "keys 1", "keys 2", "leaves"}},
		{name: "leaves during a subflow", facts: china, script: []string{"keys 2", `answer 200 [{"day":"2026-11-24","time":"09:00"}]`, "keys 1", "leaves", "keys 1", "leaves"}},
		{name: "a fault", facts: china, script: []string{"keys 2", "fault no such prompt", "fault again"}},
		{name: "closed", at: time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC), script: []string{"result left"}},
		{name: "holiday", at: time.Date(2027, 1, 1, 2, 0, 0, 0, time.UTC)},
		{name: "override", at: time.Date(2026, 12, 31, 7, 0, 0, 0, time.UTC)},
		{name: "restart in the PIN", facts: china, inputs: map[string]any{"account": "6222000100"}, script: []string{"keys 112", "restart", "keys 1234", "restart", found}},
		{name: "restart without the PIN", facts: china, inputs: map[string]any{"account": "6222000100"}, script: []string{"keys 11234", "restart", "keys 1234", found, "restart", "keys 50#", "restart", "keys 1"}},
		{name: "chat", facts: flow.Facts{Channel: tandem.Chat, CallerLang: "en-GB"}, script: []string{"text Card.", "text 6222 0001 00", "text 12345", "text １２３４", found, "text 1,000.50", "text yes", "text sure", "text agent"}},
		{name: "early keys", facts: china, script: []string{"early 2", "answer 500"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			at := tt.at
			if at.IsZero() {
				at = monday
			}
			d := begin(t, "bank", tt.facts, tt.inputs, at)
			for _, line := range tt.script {
				d.do(line)
			}
			golden(t, tt.name, d.out.String())
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", strings.ReplaceAll(name, " ", "_")+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		a, b := strings.Split(got, "\n"), strings.Split(string(want), "\n")
		for i := range max(len(a), len(b)) {
			if i >= len(a) || i >= len(b) || a[i] != b[i] {
				t.Fatalf("%s:%d differs (go test ./ivr/flow/engine -update writes it anew)\ngot:\n%s", file, i+1, strings.Join(a[min(i, len(a)):min(i+5, len(a))], "\n"))
			}
		}
	}
}
