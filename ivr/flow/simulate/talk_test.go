package simulate_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/read"
	"tandem/ivr/flow/simulate"
	"tandem/ivr/flow/source"
)

const desk = `flow: desk
channels: [voice, chat, sms]
languages: [en]
start: opening
on_leave: left
vars:
  pin:  { type: digits, secret: ephemeral }
  card: { type: object, fields: { balance: money } }
prompts:
  pick: { en: "For your card, press 1. For a person, press 0." }
steps:
  opening: { hours: { calendar: office }, next: { open: main, else: closed } }
  main:
    menu:
      prompt: pick
      choices: [ { keys: "1", phrases: { en: [card] }, go: pin }, { keys: "0", phrases: { en: [person] }, go: person } ]
    next: { else: closed }
  pin:    { collect: { prompt: { en: "Your PIN?" }, into: pin, digits: 4 }, next: { ok: ask, else: closed } }
  ask:    { http: { post: "${settings.core}/find", json: { pin: "${pin}" }, timeout: 3s, into: card }, next: { ok: owed, else: closed } }
  owed:   { say: { en: "You owe ${card.balance}." }, next: end }
  person: { hours: { calendar: office }, next: { else: closed } }
  closed: { say: { en: "Goodbye." }, next: end }
  left:   { end: { reason: left } }
`

const office = `calendar: office
time_zone: Asia/Shanghai
weekly: { mon-fri: "09:00-18:00" }
`

// library reads flow files that a test has written out, by file name.
func library(t testing.TB, files map[string]string) *flow.Library {
	t.Helper()
	folder := fstest.MapFS{}
	for name, text := range files {
		folder[name] = &fstest.MapFile{Data: []byte(text)}
	}
	lib, found := read.FS(folder, read.Options{Settings: map[string]any{"core": "http://core.test"}, Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)})
	if source.HasErrors(found) {
		source.Print(os.Stderr, found, false)
		t.Fatal("the flows have errors")
	}
	return lib
}

func begin(t testing.TB, o simulate.Options) *simulate.Talk {
	t.Helper()
	talk, err := simulate.New(library(t, map[string]string{"desk.flow.yaml": desk, "office.calendar.yaml": office}), "desk", o)
	if err != nil {
		t.Fatal(err)
	}
	return talk
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestTalk(t *testing.T) {
	talk := begin(t, simulate.Options{Given: simulate.Given{HTTP: map[string][]simulate.Answer{"ask": {{Failed: "timeout"}, {Status: 200, Body: []byte(`{"balance": 12.5}`)}}}}})
	must(t, talk.Press("1"))
	before := talk.Clone()
	must(t, talk.Press("1234"))
	if reason, over := talk.Ended(); !over || reason != "completed" {
		t.Errorf("ended %q, %v", reason, over)
	}
	const want = `begins Thu 2026-01-01 09:00:00 +08:00
   0:00  opening  → main  (open)
   0:00  main     hears  For your card, press 1. For a person, press 0.
   0:00  main     presses  1
   0:00  main     → pin  (1)
   0:00  pin      hears  Your PIN?
   0:00  pin      presses  ••••
   0:00  pin      → ask  (ok)  pin = "•••"
   0:00  ask      asks  POST  http://core.test/find
   0:03  ask      answers  timeout
   0:03  ask      → closed  (timeout)
   0:03  closed   hears  Goodbye.
   0:03  closed   → end  (done)
   0:03           ends  completed
`
	if got := talk.Transcript(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	// The clone stands where it was made, with all answers still to come.
	if n := len(before.Lines()); n != 5 {
		t.Errorf("the clone has %d lines", n)
	}
	must(t, before.Press("1234"))
	if got := before.Transcript(); got != want {
		t.Errorf("the clone has\n%s", got)
	}
}

func TestTalkOnChannels(t *testing.T) {
	for _, channel := range []tandem.Channel{tandem.Voice, tandem.Chat, tandem.SMS} {
		talk := begin(t, simulate.Options{Channel: channel, Given: simulate.Given{HTTP: map[string][]simulate.Answer{"ask": {{Status: 200, Body: []byte(`{"balance": 12.5}`)}}}}})
		must(t, talk.Press("1"))
		must(t, talk.Press("1234"))
		if !slices.ContainsFunc(talk.Lines(), func(l simulate.Line) bool { return strings.Contains(l.Text, "You owe 12.50") }) {
			t.Errorf("%s:\n%s", channel, talk.Transcript())
		}
		if strings.Contains(talk.Transcript(), "1234") {
			t.Errorf("%s: the PIN is in\n%s", channel, talk.Transcript())
		}
	}
}

// Keys of a secret that are pressed in one go with others are dots all the same.
func TestSecretTypedAhead(t *testing.T) {
	talk := begin(t, simulate.Options{})
	before := talk.Clone()
	must(t, talk.Press("112349"))
	if got := talk.Transcript(); !strings.Contains(got, "presses  ••••\n") || strings.Contains(got, "34") {
		t.Errorf("got\n%s", got)
	}
	if len(before.Lines()) != 2 {
		t.Errorf("the clone has changed:\n%s", before.Transcript())
	}
}

func TestSilence(t *testing.T) {
	talk := begin(t, simulate.Options{})
	talk.Pass(4 * time.Second)
	if n := len(talk.Left()); n != 1 {
		t.Fatalf("4 seconds were taken for silence:\n%s", talk.Transcript())
	}
	talk.Pass(11 * time.Second) // three times 5 seconds in all
	if reason, over := talk.Ended(); !over {
		t.Errorf("not ended but %q:\n%s", reason, talk.Transcript())
	}
	if got := talk.Now().Sub(talk.Began()); got != 15*time.Second {
		t.Errorf("%v have passed", got)
	}
	if talk.Silence() {
		t.Error("time brings something after the end")
	}
}

func TestUnanswered(t *testing.T) {
	talk := begin(t, simulate.Options{})
	must(t, talk.Press("1"))
	must(t, talk.Press("1234"))
	if _, ok := talk.Wanted().(flow.Fetch); !ok || !strings.Contains(talk.Waiting(), "http step ask") {
		t.Fatalf("wants %T, %s", talk.Wanted(), talk.Waiting())
	}
	talk.Given(simulate.Given{HTTP: map[string][]simulate.Answer{"desk.ask": {{Status: 404}}}})
	if _, over := talk.Ended(); !over {
		t.Errorf("given later, the answer is not taken: %s", talk.Waiting())
	}
}

func TestActsThatMakeNoSense(t *testing.T) {
	tests := []struct {
		name string
		act  func(*simulate.Talk) error
		want string
	}{
		{"no key", func(t *simulate.Talk) error { return t.Press("x") }, "are no keys"},
		{"typing by phone", func(t *simulate.Talk) error { return t.Type("hello") }, "nobody can type"},
		{"speech where nothing listens", func(t *simulate.Talk) error { return t.Say("card") }, "does not listen to speech"},
		{"a link that was not sent", func(t *simulate.Talk) error { return t.Link(simulate.Opens) }, "no link has been sent"},
		{"an agent nobody asked for", func(t *simulate.Talk) error { return t.AgentDoes(simulate.AgentAnswers) }, "listens to the customer in step main"},
		{"an answer nobody asked for", func(t *simulate.Talk) error { return t.Answer(simulate.Answer{Status: 200}) }, "no http step waits"},
		{"a decision nobody asked for", func(t *simulate.Talk) error { return t.Decide(simulate.Identified, "passed") }, "listens to the customer"},
		{"after the end", func(t *simulate.Talk) error { t.Leave(); return t.Leave() }, "has ended: left"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.act(begin(t, simulate.Options{})); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestOpening(t *testing.T) {
	lib := library(t, map[string]string{"desk.flow.yaml": desk, "office.calendar.yaml": strings.Replace(office, "mon-fri", "tue", 1)})
	if got, want := simulate.Opening(lib, lib.Flows["desk"]).UTC(), time.Date(2026, 1, 6, 1, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("opens %v, want %v", got, want)
	}
}
