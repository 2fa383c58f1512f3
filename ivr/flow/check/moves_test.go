package check_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"tandem/ivr/flow/read"
	"tandem/ivr/flow/source"
)

// folder reads a flow x of the steps beside others and some names they may use.
func folder(head, steps string, more map[string]string) []source.Diagnostic {
	fsys := fstest.MapFS{
		"x.flow.yaml":         {Data: []byte("flow: x\nlanguages: [en]\n" + head + "steps:\n" + steps)},
		"cards.queues.yaml":   {Data: []byte("queues: { cards: { teams: [cards], target: { voice: 20s } } }\nteams: { cards: {} }\nagents: { mary: { teams: [cards] } }\nboxes: { cards: { queue: cards } }\n")},
		"page.operation.yaml": {Data: []byte("operation: page\nsteps: [ { show: { en: Look } } ]\n")},
		"ask.form.yaml":       {Data: []byte("form: ask\nfields: [ { name: score, type: int, ask: { en: How } } ]\n")},
	}
	for name, text := range more {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	_, ds := read.FS(fsys, options())
	return ds
}

// one wants a single diagnostic of a rule whose message ends as given, or none.
func one(t *testing.T, what string, ds []source.Diagnostic, rule, end string) {
	t.Helper()
	if rule == "" && len(ds) != 0 || rule != "" && (len(ds) != 1 || ds[0].Rule != rule || !strings.HasSuffix(ds[0].Message, end)) {
		t.Errorf("%s: want %q %q, got\n%s", what, rule, end, shown(ds))
	}
}

// A handoff changes the channel, and the level goes along to a chat alone.
func TestHandoff(t *testing.T) {
	steps := `  first: { branch: [ { if: "channel == 'voice'", go: prove } ], next: { else: end } }
  prove: { identify: { level: verified, by: [code] }, next: { passed: move, else: end } }
  move:  { handoff: { to: TO, prompt: { en: "Let us write." } }, next: { accepted: then, else: end } }
  then:  { THEN }
`
	for _, tt := range []struct{ to, then, rule, end string }{
		{"chat", `say: { en: "Hello." }, next: end`, "", ""},
		{"chat", `needs: verified, say: { en: "You owe." }, next: end`, "", ""},
		{"sms", `needs: verified, say: { en: "You owe." }, next: end`, "assurance", "first → prove → move → (on sms) then"},
		{"sms", `needs: verified, say: { en: "You owe." }, next: { not_assured: end, else: end }`, "", ""},
		{"chat", `voicemail: { box: cards }, next: end`, "channel", "first → prove → move → (on chat) then"},
		{"chat", `if: "channel == 'voice'", voicemail: { box: cards }, next: end`, "", ""},
		{"voice", `voicemail: { box: cards }, next: end`, "", ""},
	} {
		ds := folder("channels: [voice, chat, sms]\nstart: first\n", strings.NewReplacer("TO", tt.to, "THEN", tt.then).Replace(steps), nil)
		one(t, tt.to+" "+tt.then, ds, tt.rule, tt.end)
	}
}

// A link is sent only to who may carry its operation out.
func TestOperationNeeds(t *testing.T) {
	pay := map[string]string{"pay.operation.yaml": "operation: pay\nneeds: verified\nsteps: [ { show: { en: Pay } } ]\n"}
	for _, tt := range []struct{ first, next, rule, end string }{
		{`identify: { level: verified, by: [pin] }, next: { passed: link, else: end }`, "else: end", "", ""},
		{`say: { en: "Hello." }, next: link`, "else: end", "assurance", "operation `pay` of step `link` needs verified, but nothing is known of the caller on this path: first → link"},
		{`say: { en: "Hello." }, next: link`, "not_assured: end, else: end", "", ""},
		{`identify: { level: recognised, by: [code] }, next: { passed: link, else: end }`, "else: end", "assurance", "the caller is only recognised on this path: first → link"},
	} {
		ds := folder("channels: [voice]\nstart: first\n", "  first: { "+tt.first+" }\n  link: { link: { operation: pay, prompt: { en: \"${link.url}\" } }, next: { "+tt.next+" } }\n", pay)
		one(t, tt.first+" "+tt.next, ds, tt.rule, tt.end)
	}
}

// Who takes an offer waits on by another channel, in the same step: every outcome may
// come there, a fault and a hang-up too.
func TestOffers(t *testing.T) {
	steps := `  first: { branch: [ { if: "channel == 'voice'", go: prove } ], next: { else: end } }
  prove: { identify: { level: verified, by: [code] }, next: { passed: wait, else: end } }
  wait:  { queue: { name: cards, offer: { OFFER } }, next: { max_wait: then, answered: ANSWERED, else: end } }
  then:  { THEN, next: { else: end } }
`
	for _, tt := range []struct{ offer, answered, head, then, rule, end string }{
		{`callback: "1"`, "end", "", `voicemail: { box: cards }`, "", ""},
		{`chat: "2"`, "end", "", `voicemail: { box: cards }`, "channel", "first → prove → wait → (on chat) then"},
		{`chat: "2"`, "then", "", `record: { into: tape }`, "channel", "first → prove → wait → (on chat) then"},
		{`chat: "2"`, "end", "on_error: then\n", `voicemail: { box: cards }`, "channel", "first → prove → wait → (on chat) then"},
		{`chat: "2"`, "end", "", `needs: verified, say: { en: "You owe." }`, "", ""},
		{`sms: "3"`, "end", "", `needs: verified, say: { en: "You owe." }`, "assurance", "first → prove → wait → (on sms) then"},
	} {
		ds := folder("channels: [voice, chat, sms]\nstart: first\nvars: { tape: { type: recording } }\n",
			strings.NewReplacer("OFFER", tt.offer, "ANSWERED", tt.answered, "THEN", tt.then).Replace(steps), nil)
		one(t, tt.offer+" "+tt.then, ds, tt.rule, tt.end)
	}
	ds := folder("channels: [voice, chat]\nstart: first\non_error: sorry\n", `  first: { branch: [ { if: "channel == 'voice'", go: wait } ], next: { else: end } }
  wait:  { queue: { name: cards, offer: { chat: "2" } }, next: { else: end } }
  sorry: { if: "caller.number != ''", branch: [ { if: "channel == 'voice'", go: end } ], next: { skipped: tape, else: tape } }
  tape:  { voicemail: { box: cards }, next: end }
`, nil)
	if len(ds) != 1 || ds[0].Rule != "channel" || !strings.Contains(ds[0].Message, "(error) sorry → tape") {
		t.Errorf("a fault on chat, but got\n%s", shown(ds))
	}
}

// What an agent may start meanwhile is walked like a called flow, and may be left on
// another channel.
func TestDuring(t *testing.T) {
	steps := `  first: { branch: [ { if: "channel == 'voice'", go: wait } ], next: { else: end } }
  wait:  { queue: { name: cards, during: aside }, next: { answered: then, else: end } }
  then:  { THEN, next: { else: end } }
`
	aside := "flow: aside\nchannels: [CHANNELS]\nlanguages: [en]\noutcomes: [done]\nstart: a\nsteps:\n  a: { STEP, next: { else: over } }\n  over: { end: { as: done } }\n"
	for _, tt := range []struct{ channels, step, then, rule, end string }{
		{"voice", `identify: { level: verified, by: [code] }`, `say: { en: "Bye." }`, "", ""},
		{"voice", `identify: { level: verified, by: [code] }`, `needs: verified, say: { en: "Bye." }`, "assurance", "first → wait → then"},
		{"voice", `needs: verified, say: { en: "You owe." }`, `say: { en: "Bye." }`, "assurance", "first → wait → aside: → a"},
		{"voice, chat", `handoff: { to: chat, prompt: { en: "Let us write." } }`, `voicemail: { box: cards }`, "channel", "first → wait → (on chat) then"},
		{"chat", `say: { en: "Hello." }`, `say: { en: "Bye." }`, "channel", "first → wait"},
	} {
		more := map[string]string{"aside.flow.yaml": strings.NewReplacer("CHANNELS", tt.channels, "STEP", tt.step).Replace(aside)}
		ds := folder("channels: [voice, chat]\nstart: first\n", strings.Replace(steps, "THEN", tt.then, 1), more)
		one(t, tt.step+" then "+tt.then, ds, tt.rule, tt.end)
	}
}

// A fault in a called flow comes to the caller's on_error as the called flow left things.
func TestFaultOfCalledFlow(t *testing.T) {
	child := "flow: child\nchannels: [voice, sms]\nlanguages: [en]\noutcomes: [done]\nstart: a\nsteps:\n" +
		"  a: { handoff: { to: sms, prompt: { en: \"Let us write.\" } }, next: { accepted: b, else: over } }\n" +
		"  b: { say: { en: \"Hello.\" }, next: over }\n  over: { end: { as: done } }\n"
	ds := folder("channels: [voice, sms]\nstart: first\non_error: tape\n", `  first: { branch: [ { if: "channel == 'voice'", go: call } ], next: { else: other } }
  call:  { subflow: { name: child }, next: end }
  other: { branch: [ { if: "1 > 2", go: end } ], next: { else: end } }
  tape:  { if: "channel == 'voice' or caller.number == ''", voicemail: { box: cards }, next: end }
`, map[string]string{"child.flow.yaml": child})
	if len(ds) != 1 || ds[0].Rule != "channel" || !strings.Contains(ds[0].Message, "(error) tape") {
		t.Errorf("got\n%s", shown(ds))
	}
}

// A called flow is walked after the customer left, too: it may speak there only if it is
// also called before, and it returns to the on_leave that called it.
func TestLeavingThroughCalls(t *testing.T) {
	child := "flow: child\nchannels: [voice]\nlanguages: [en]\noutcomes: [done]\nstart: a\nsteps:\n  a: { STEP, next: { else: over } }\n  over: { end: { as: done } }\n"
	steps := `  hello: { FIRST, next: { else: end } }
  left:  { subflow: { name: child }, next: { done: after } }
  after: { AFTER, next: { else: end } }
`
	say, set := `say: { en: "Hello." }`, `set: { n: "1" }`
	for _, tt := range []struct{ first, inner, after, rule, end string }{
		{say, `ticket: { form: ask, with: { score: "1" } }`, set, "", ""},
		{say, `message: { prompt: { en: "Sorry that we missed you." } }`, set, "", ""},
		{say, say, set, "leave-speaks", "`say`"},
		{say, `link: { operation: page, prompt: { en: "${link.url}" }, wait: 1m }`, set, "leave-speaks", "`link`"},
		{say, `link: { operation: page, prompt: { en: "${link.url}" } }`, set, "", ""},
		{say, `survey: { form: ask, after: 1h }`, set, "", ""},
		{say, `survey: { form: ask }`, set, "leave-speaks", "`survey`"},
		{"subflow: { name: child }", say, set, "", ""},
		{say, `ticket: { form: ask, with: { score: "1" } }`, say, "leave-speaks", "`say`"},
	} {
		more := map[string]string{"child.flow.yaml": strings.Replace(child, "STEP", tt.inner, 1)}
		ds := folder("channels: [voice]\nstart: hello\non_leave: left\nvars: { n: { type: int } }\n", strings.NewReplacer("FIRST", tt.first, "AFTER", tt.after).Replace(steps), more)
		one(t, tt.first+", "+tt.inner+", "+tt.after, ds, tt.rule, tt.end)
	}
}

// Only what comes after waiting for somebody makes a circle one that waits.
func TestWaits(t *testing.T) {
	link := `link: { operation: page, prompt: { en: "${link.url}" }, wait: 1m }`
	for verb, quick := range map[string]map[string]bool{
		link: {"done": false, "opened": false, "expired": false, "declined": false, "undeliverable": true},
		`link: { operation: page, prompt: { en: "${link.url}" } }`: {"done": true, "undeliverable": true},
		`queue: { name: cards, offer: { callback: "1" } }`:         {"answered": false, "max_wait": false, "callback": false, "full": true, "no_agents": true},
		`identify: { level: verified, by: [code] }`:                {"passed": false, "failed": false, "declined": false, "unsupported": true},
		`survey: { form: ask }`:                                    {"done": false, "skipped": true},
		`survey: { form: ask, after: 1h }`:                         {"done": true, "skipped": true},
		`record: { into: tape }`:                                   {"done": false, "too_short": false},
		`message: { prompt: { en: "Hello." } }`:                    {"sent": true, "undeliverable": true},
		`handoff: { to: voice, prompt: { en: "Hello." } }`:         {"accepted": true, "declined": true, "undeliverable": true},
		`callback: {}`: {"booked": true, "declined": true},
		`ticket: { form: ask, with: { score: "1" } }`:        {"opened": true},
		`transfer: { to: "queue:cards" }`:                    {"ok": false, "no_answer": false, "busy": true, "failed": true},
		`consent: { kind: data, prompt: { en: "May we?" } }`: {"yes": false, "no": false, "no_input": false},
	} {
		for outcome, loops := range quick {
			next := "{ " + outcome + ": repeat, else: end }"
			if len(quick) == 1 {
				next = "{ " + outcome + ": repeat }"
			}
			ds := folder("channels: [voice]\nstart: a\nvars: { tape: { type: recording } }\n", "  a: { "+verb+", next: "+next+" }\n", nil)
			if got := len(ds) == 1 && ds[0].Rule == "endless-loop"; got != loops || !got && len(ds) != 0 {
				t.Errorf("%s on %s: endless %v, want %v\n%s", verb, outcome, got, loops, shown(ds))
			}
		}
	}
}

// Telling is asked for where a voice or a face may be recorded.
func TestTold(t *testing.T) {
	o := options()
	o.Recorded = []string{"x"}
	for _, tt := range []struct {
		channels, step string
		untold         bool
	}{
		{"voice", "queue: { name: cards }", true},
		{"chat", "queue: { name: cards }", false},
		{"voice", "callback: {}", true},
		{"voice", `transfer: { to: "agent:mary" }`, true},
		{"chat", `transfer: { to: "agent:mary" }`, false},
		{"chat", "identify: { level: proofed, by: [video] }", true},
		{"chat", "identify: { level: verified, by: [code], fallback: video }", true},
		{"voice", "identify: { level: verified, by: [code] }", false},
		{"voice", `message: { prompt: { en: "Hello." } }`, false},
	} {
		for _, tell := range []bool{false, true} {
			text := "flow: x\nchannels: [" + tt.channels + "]\nlanguages: [en]\nstart: first\nsteps:\n  first: { say: { prompt: { en: \"Hello.\" }"
			if tell {
				text += ", announces: recording"
			}
			text += " }, next: then }\n  then: { " + tt.step + ", next: { else: end } }\n"
			_, ds := read.FS(fstest.MapFS{"x.flow.yaml": {Data: []byte(text)}, "c.queues.yaml": {Data: []byte("queues: { cards: { teams: [cards], target: { voice: 20s } } }\nteams: { cards: {} }\nagents: { mary: { teams: [cards] } }\n")},
				"f.check.yaml": {Data: []byte("check: f\nlevel: proofed\nconsent: { version: \"1\", text: { en: May we? } }\nsteps: [ { name: look, face: {} } ]\n")}}, o)
			if want := tt.untold && !tell; want != (len(ds) == 1 && ds[0].Rule == "recording") || !want && len(ds) != 0 {
				t.Errorf("%s: told %v, got\n%s", tt.step, tell, shown(ds))
			}
		}
	}
}

// What nobody says cannot be sorted: on voice a recogniser is needed.
func TestSortingSpeech(t *testing.T) {
	flow := `flow: x
channels: [voice]
languages: [en, zh-CN]
start: a
vars: { words: { type: text }, kind: { type: text } }
steps:
  a: { classify: { classifier: triage, text: words, into: { request: kind } }, next: { else: end } }
`
	for _, speech := range []map[string]bool{nil, {"fr": true}, {"zh-CN": true}} {
		o := options()
		o.Speech = speech
		lib, ds := read.FS(fstest.MapFS{
			"x.flow.yaml":          {Data: []byte(flow)},
			"triage.classify.yaml": {Data: []byte("classifier: triage\nrules: [ { any: { en: [refund] }, set: { request: refund } } ]\n")},
		}, o)
		if heard := speech["zh-CN"]; heard != (lib != nil) || !heard && (len(ds) != 1 || ds[0].Rule != "channel") {
			t.Errorf("with %v, got\n%s", speech, shown(ds))
		}
	}
}
