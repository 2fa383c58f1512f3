package check_test

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"tandem/ivr/flow"
	"tandem/ivr/flow/read"
	"tandem/ivr/flow/source"
)

// The broken files beside package read show every rule once; here are the rules that
// need more than one step to see.

func options() read.Options {
	return read.Options{Now: time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC)}
}

func shown(ds []source.Diagnostic) string {
	var b strings.Builder
	source.Print(&b, ds, false)
	return b.String()
}

// text reads one flow.
func text(t *testing.T, text string) (*flow.Library, []source.Diagnostic) {
	t.Helper()
	return read.FS(fstest.MapFS{"x.flow.yaml": {Data: []byte(text)}}, options())
}

// Conditions on the channel are worked out before any call.
func TestTruth(t *testing.T) {
	lib, ds := text(t, `flow: x
channels: [voice, chat]
languages: [en]
start: pick
vars: { gold: { type: bool } }
steps:
  pick:
    branch:
      - { if: "channel in ['chat', 'sms'] || gold && !(channel == 'voice')", go: written }
      - { if: "not (channel != 'voice')", go: tape }
    next: { else: written }
  written: { say: { en: "Bye." }, next: end }
  tape: { if: "channel == 'voice' and now - now < 60s and (channel == 'voice' ? gold : false)", transfer: { to: "tel:+86100" }, next: end }
`)
	if lib == nil || len(ds) != 0 {
		t.Errorf("got\n%s", shown(ds))
	}
}

// Passing a step that needs a level proves the level for what follows, and a called
// flow is judged by where it is called from.
func TestAssuranceOverPaths(t *testing.T) {
	child := `flow: child
channels: [voice]
languages: [en]
outcomes: [done]
start: owed
steps:
  owed: { needs: verified, say: { en: "You owe nothing." }, next: over }
  over: { end: { as: done } }
`
	parent := `flow: x
channels: [voice]
languages: [en]
start: prove
steps:
  prove: { needs: verified, say: { en: "Thank you." }, next: { not_assured: TO, else: call } }
  call:  { subflow: { name: child }, next: end }
`
	judged := func(to string, entries ...string) []source.Diagnostic {
		o := options()
		o.Needed = entries
		_, ds := read.FS(fstest.MapFS{
			"child.flow.yaml": {Data: []byte(child)}, "x.flow.yaml": {Data: []byte(strings.ReplaceAll(parent, "TO", to))},
		}, o)
		return ds
	}
	if ds := judged("end", "x"); len(ds) != 0 {
		t.Errorf("proved on all paths, but got\n%s", shown(ds))
	}
	if ds := judged("end", "x", "child"); len(ds) != 1 || ds[0].Rule != "assurance" || !strings.HasSuffix(ds[0].Message, "on this path: owed") {
		t.Errorf("an entry leads to the called flow, too, but got\n%s", shown(ds))
	}
	ds := judged("call")
	if len(ds) != 1 || ds[0].Rule != "assurance" || !strings.Contains(ds[0].Message, "prove → call → child: → owed") {
		t.Errorf("one path is not proved, but got\n%s", shown(ds))
	}
}

// What comes before the level of a step is looked at leaves without it: a fault in its
// if, and a visit too many.
func TestAssuranceBeforeTheStep(t *testing.T) {
	flow := `flow: x
channels: [voice]
languages: [en]
start: prove
on_error: sorry
vars: { n: { type: int } }
steps:
  prove: { EXTRA needs: verified, say: { en: "Thank you." }, next: { not_assured: end, LOOP else: over } }
  over:  { end: {} }
  sorry: { NEEDS say: { en: "Sorry." }, next: end }
`
	for _, tt := range []struct{ extra, loop, needs, path string }{
		{"", "", "", ""},
		{"if: 10 / n > 1,", "", "needs: verified,", "prove → (error) sorry"},
		{"max_visits: 2,", "", "needs: verified,", "prove → (error) sorry"},
		{"max_visits: 2,", "loop: sorry,", "needs: verified,", "prove → sorry"},
	} {
		_, ds := text(t, strings.NewReplacer("EXTRA", tt.extra, "LOOP", tt.loop, "NEEDS", tt.needs).Replace(flow))
		if tt.path == "" && len(ds) == 0 {
			continue
		}
		if len(ds) != 1 || ds[0].Rule != "assurance" || !strings.HasSuffix(ds[0].Message, ": "+tt.path) {
			t.Errorf("%s %s: want %q, got\n%s", tt.extra, tt.loop, tt.path, shown(ds))
		}
	}
}

// Commands work where a secret is confirmed, not where it is entered.
func TestCommandsOfASecret(t *testing.T) {
	flow := `flow: x
channels: [voice]
languages: [en]
start: pin
vars: { pin: { type: digits, secret: ephemeral } }
commands: { agent: { keys: "*0", go: person } }
steps:
  pin: { collect: { prompt: { en: "Your PIN?" }, into: pin, digits: 4, secret: ephemeral, CONFIRM }, next: { ok: end, else: end } }
  person: { needs: verified, say: { en: "Hello." }, next: end }
`
	_, ds := text(t, strings.Replace(flow, ", CONFIRM", "", 1))
	if len(ds) != 1 || ds[0].Rule != "unreachable-step" {
		t.Errorf("no command is taken there, but got\n%s", shown(ds))
	}
	_, ds = text(t, strings.Replace(flow, "CONFIRM", `confirm: { en: "Is that your PIN?" }`, 1))
	if len(ds) != 1 || ds[0].Rule != "assurance" || !strings.HasSuffix(ds[0].Message, "pin → (agent) person") {
		t.Errorf("the command is taken at the confirmation, but got\n%s", shown(ds))
	}
}

// A circle is told by its shortest way round, and one that waits is none.
func TestLoops(t *testing.T) {
	circle := `flow: x
channels: [voice]
languages: [en]
start: one
vars: { n: { type: int } }
steps:
  one:   { set: { n: "n + 1" }, next: two }
  two:   { branch: [ { if: "n > 1", go: three } ], next: { else: four } }
  three: { say: { en: "Again." }, next: one }
  four:  { VERB }
`
	lib, ds := text(t, strings.Replace(circle, "VERB", `collect: { prompt: { en: "How many?" }, into: n }, next: { ok: one, else: end }`, 1))
	if lib != nil || len(ds) != 1 || ds[0].Rule != "endless-loop" || !strings.HasSuffix(ds[0].Message, ": one → two → three → one") || ds[0].Line != 9 {
		t.Errorf("a circle of three without waiting, but got\n%s", shown(ds))
	}
	waits := strings.Replace(circle, "next: one }", "next: four }", 1)
	if lib, ds := text(t, strings.Replace(waits, "VERB", `collect: { prompt: { en: "How many?" }, into: n }, next: { ok: one, else: end }`, 1)); lib == nil || len(ds) != 0 {
		t.Errorf("the circle waits for the caller, but got\n%s", shown(ds))
	}
	lib, ds = text(t, strings.Replace(waits, "VERB", `set: { n: "0" }, next: repeat`, 1))
	if lib != nil || len(ds) != 1 || !strings.HasSuffix(ds[0].Message, ": four → four") {
		t.Errorf("a step repeats itself, but got\n%s", shown(ds))
	}
}

// Keys are compared within a menu, and commands with every menu.
func TestKeys(t *testing.T) {
	menu := `flow: x
channels: [voice]
languages: [en, zh-CN]
start: main
commands:
  help: { keys: "COMMAND", go: main }
steps:
  main:
    menu:
      prompt: { en: "Press a key.", zh-CN: "请按键。" }
      choices:
        - { keys: "1", phrases: { en: [Card, "the  card"] }, go: main }
        - { keys: "KEY", phrases: { en: [PHRASE] }, go: end }
    next: { no_input: end, no_match: end }
`
	for _, tt := range []struct{ command, key, phrase, want string }{
		{"*0", "2", "loan", ""},
		{"*0", "1", "loan", "keys-collide"},
		{"*0", "12", "loan", "keys-collide"},
		{"*0", "2", "card", "phrases-collide"},
		{"*0", "2", "The card", "phrases-collide"},
		{"*0", "2", "card!", "phrases-collide"},
		{"*0", "2", "loan], zh-CN: [card", "phrases-collide"},
		{"*0", "2", "loan], zh-CN: [loan", ""},
		{"2", "2", "loan", "command-collides"},
		{"*", "*1", "loan", "command-collides"},
	} {
		_, ds := text(t, strings.NewReplacer("COMMAND", tt.command, "KEY", tt.key, "PHRASE", tt.phrase).Replace(menu))
		if tt.want == "" && len(ds) != 0 || tt.want != "" && (len(ds) != 1 || ds[0].Rule != tt.want) {
			t.Errorf("command %s, key %s, phrase %s: want %q, got\n%s", tt.command, tt.key, tt.phrase, tt.want, shown(ds))
		}
	}
}

// Words that many steps send by SMS are told of once.
func TestLongWordsOnce(t *testing.T) {
	_, ds := text(t, `flow: x
channels: [sms]
languages: [en]
start: one
prompts: { long: { en: "`+strings.Repeat("Very long words. ", 40)+`" } }
steps:
  one: { say: long, next: two }
  two: { say: long, next: three }
  three: { message: { prompt: long, by: [sms] }, next: end }
`)
	if len(ds) != 1 || ds[0].Rule != "sms-length" {
		t.Errorf("got\n%s", shown(ds))
	}
}
