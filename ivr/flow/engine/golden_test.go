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
	if !w.Until.IsZero() {
		fmt.Fprintf(&d.out, " until %s", w.Until.Format(time.TimeOnly))
	}
	if w.Place != nil {
		fmt.Fprintf(&d.out, " place %d", w.Place.Position)
	}
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
		in.Kind, in.Result = flow.InputResult, d.result(rest)
	case "place":
		in.Kind, in.Place = flow.InputPlace, &flow.Place{Queue: "cards", AtLeast: 2 * time.Minute, AtMost: 4 * time.Minute}
		in.Place.Position, _ = strconv.Atoi(rest)
	case "served":
		in.Kind, in.Text = flow.InputServed, rest
	case "moved":
		channel, how, _ := strings.Cut(rest, " ")
		in.Kind, in.Channel, in.Carried = flow.InputMoved, tandem.Channel(channel), how == "carried"
	case "outcome":
		outcome, set, _ := strings.Cut(rest, " ")
		in.Kind, in.Text = flow.InputOutcome, outcome
		if set != "" {
			if err := json.Unmarshal([]byte(set), &in.Set); err != nil {
				d.t.Fatal(err)
			}
		}
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

// result reads an outcome and what comes with it: "done blob_1", "passed for 5m", "accepted carried".
func (d *talk) result(line string) *flow.Result {
	outcome, rest, _ := strings.Cut(line, " ")
	out := &flow.Result{Outcome: outcome}
	if how, for_, ok := strings.Cut(rest, " "); ok && how == "for" {
		wait, err := time.ParseDuration(for_)
		if err != nil {
			d.t.Fatal(err)
		}
		out.Until = d.now.Add(wait)
	} else if rest == "carried" {
		out.Carried = true
	} else if rest != "" {
		out.Value = rest
	}
	return out
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
		if e.Image != "" {
			more += " " + e.Image
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

// TestVerbs plays every verb that reaches beyond the call.
func TestVerbs(t *testing.T) {
	chat, sms := china, china
	chat.Channel, sms.Channel, sms.CallerLang = tandem.Chat, tandem.SMS, "en"
	tests := []struct {
		name   string
		facts  flow.Facts
		script []string
	}{
		{"message", china, []string{"keys 1", "keys 6", "result sent"}},
		{"message undeliverable", china, []string{"keys 1", "result undeliverable", "restart", "result no such"}},
		{"link finished", china, []string{"keys 2", "result sent", "keys 5", "result opened", "later 1m", "result opened", "restart", "result done", "keys 1"}},
		{"link opened and no more", china, []string{"keys 2", "result opened", "late", "later 3m", "silence", "result done"}},
		{"link expired", china, []string{"keys 2", "result sent", "later 3m", "silence", "result sent"}},
		{"link declined", chat, []string{"text 网上银行", "result declined", "text 2", "result lost"}},
		{"link left", china, []string{"keys 2", "result opened", "leaves", "result sent"}},
		{"handoff", china, []string{"keys 3", "result accepted", "result passed for 5m", "text 余额"}},
		{"handoff declined", china, []string{"keys 3", "result declined", "keys 3", "result what"}},
		{"handoff carried", china, []string{"level verified", "keys 3", "result accepted carried", "text 1"}},
		{"handoff to here", chat, []string{"text 3", "result unsupported"}},
		{"identify", china, []string{"keys 4", "keys 123", "result passed for 10m", "keys 1", "keys 4", "later 11m", "keys 1", "result passed", "keys 4"}},
		{"identify again and elsewhere", china, []string{"keys 4", "result passed for 10m", "later 11m", "keys 1", "result failed"}},
		{"identify restarted", china, []string{"keys 4", "restart", "result passed for 1s", "later 1s", "keys 1", "restart", "result passed", "restart"}},
		{"identify in vain", sms, []string{"text 4", "result declined", "text 4", "result unsupported"}},
		{"identify too late", china, []string{"keys 4", "result passed for -1s"}},
		{"identify by video", chat, []string{"text 4", "result passed for 10m", "text 2", "result passed for 1m", "text 4", "text 视频", "later 2m", "text 4"}},
		{"classify and answer", chat, []string{"text 5", "text 我要退款,几点营业?", "text 5", "text What hours are you open? It is broken, and I want a refund."}},
		{"classify unsure", sms, []string{"text 5", "text Hello, knowhours refunds", "result callback"}},
		{"queue", china, []string{"keys 6", "place 3", "keys 9", "keys 3", "keys 4", "place 1", "moved sms", "text 2", "moved voice", "restart", "result answered", "result done"}},
		{"queue served", china, []string{"keys 6", "place 1", "keys 3", "served Anna", "keys 41", "text 1", "moved chat", "restart", "place 1", "text 1", "served Bo", "result answered", "result done"}},
		{"queue callback", china, []string{"early 6", "early 1", "keys 1", "result callback"}},
		{"queue full", sms, []string{"text 6", "text call me back", "text hello", "result full", "result done"}},
		{"queue in vain", chat, []string{"text 6", "place 2", "result gone fishing", "result done"}},
		{"queue left", china, []string{"keys 6", "place 2", "leaves"}},
		{"callback", china, []string{"keys 7", "restart", "result booked"}},
		{"callback after the queue", china, []string{"keys 6", "result max_wait", "result refused"}},
		{"record", china, []string{"keys 8", "keys #", "result done blob_1", "result opened T-17"}},
		{"record too short", china, []string{"keys 8", "restart", "result too_short"}},
		{"ticket in text", chat, []string{"text 8", "text 洗衣机不转", "restart", "result opened T-17"}},
		{"ticket refused", chat, []string{"text 8", "text 洗衣机不转", "result no"}},
		{"survey", chat, []string{"text 6", "result answered", "result done"}},
		{"survey nobody answers", china, []string{"keys 6", "result answered", "restart", "result undeliverable"}},
		{"survey later", sms, []string{"silence", "result done"}},
		{"replay", china, []string{"outcome 4", `outcome passed`, "outcome 1", "outcome agent", "outcome answered", "outcome done"}},
		{"replay with values", chat, []string{"outcome 5", `outcome ok {"words":"refund","nothing":1,"day":7,"pin":"•••"}`, "outcome answered"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := begin(t, "desk", tt.facts, nil, monday)
			for _, line := range tt.script {
				d.do(line)
			}
			golden(t, "desk "+tt.name, d.out.String())
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
