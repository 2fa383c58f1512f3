package simulate_test

import (
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/ivr/flow/simulate"
)

const inLine = `flow: line
channels: [voice, chat]
languages: [en]
start: person
on_leave: left
steps:
  person:
    queue: { name: cards, level: gold, skills: ["lang:en"], priority: 60s, offer: { callback: "1", chat: "2" } }
    next: { answered: end, callback: end, else: sorry }
  sorry:  { say: { en: "Nobody is free." }, next: end }
  left:   { branch: [ { if: "outcome == 'answered'", go: served } ], next: { else: gone } }
  served: { end: { reason: served } }
  gone:   { end: { reason: gave_up } }
`

const cards = `queues:
  cards: { teams: [cards], target: { voice: 20s }, levels: { gold: { voice: 10s } }, max_wait: 5m, offer_after: { callback: 90s } }
teams: { cards: {} }
agents: { anna: { teams: [cards], skills: { "lang:en": 5 } } }
`

func waiter(t *testing.T, channel tandem.Channel) *simulate.Talk {
	t.Helper()
	talk, err := simulate.New(library(t, map[string]string{"line.flow.yaml": inLine, "cards.queues.yaml": cards}), "line", simulate.Options{Channel: channel})
	if err != nil {
		t.Fatal(err)
	}
	return talk
}

// told is what was heard in line, with the minute it was said.
func told(talk *simulate.Talk) string {
	var out []string
	for _, l := range talk.Lines() {
		if l.Place {
			out = append(out, l.Text)
		}
	}
	return strings.Join(out, "|")
}

func TestInLine(t *testing.T) {
	talk := waiter(t, tandem.Voice)
	if q := talk.Lines()[len(talk.Lines())-2]; q.Word != simulate.Queued || q.String() != "queued  cards  level gold  priority 1m  skills lang:en" {
		t.Errorf("%s", q)
	}
	const place = "You are number 1 in line. The wait is less than a minute."
	if got := told(talk); got != place+" To go on in chat, press 2." {
		t.Errorf("at first: %s", got)
	}
	if after, ok := talk.OffersIn(); !ok || after != 90*time.Second {
		t.Errorf("more is offered in %s, %v", after, ok)
	}
	if err := talk.Press("1"); err != nil || talk.Session().Wait.Kind == "" {
		t.Errorf("an offer that is not made yet was taken: %v", err)
	}
	talk.Pass(90 * time.Second)
	if got := told(talk); got != place+" To go on in chat, press 2.|"+place+" To be called back, press 1. To go on in chat, press 2." {
		t.Errorf("after 90 seconds: %s", got)
	}
	if _, ok := talk.OffersIn(); ok {
		t.Error("more is to come")
	}
	if err := talk.Press("1"); err != nil {
		t.Error(err)
	}
	if reason, over := talk.Ended(); !over || reason != "completed" {
		t.Errorf("the callback ends it as %q, %v", reason, over)
	}
}

// Outside its hours a queue lets nobody in, unless a test says that somebody is there.
func TestQueueIsClosed(t *testing.T) {
	lib := library(t, map[string]string{
		"line.flow.yaml": inLine, "cards.queues.yaml": strings.Replace(cards, "max_wait: 5m", "max_wait: 5m, hours: office", 1), "office.calendar.yaml": office,
	})
	for _, tt := range []struct {
		hour   int
		agents *simulate.Agents
		over   bool
	}{{10, nil, false}, {20, nil, true}, {20, &simulate.Agents{}, false}} {
		at := time.Date(2026, 2, 3, tt.hour, 0, 0, 0, time.FixedZone("CST", 8*3600))
		talk, err := simulate.New(lib, "line", simulate.Options{Channel: tandem.Voice, At: at, Given: simulate.Given{Agents: tt.agents}})
		if err != nil {
			t.Fatal(err)
		}
		if _, over := talk.Ended(); over != tt.over {
			t.Errorf("at %d with %v: over %v", tt.hour, tt.agents, over)
		}
	}
}

// The queue's own bound holds where the step has none.
func TestQueueEndsTheWait(t *testing.T) {
	talk := waiter(t, tandem.Chat)
	talk.Pass(5 * time.Minute)
	if reason, over := talk.Ended(); !over || reason != "completed" || !strings.Contains(talk.Transcript(), "Nobody is free.") {
		t.Errorf("%q, %v\n%s", reason, over, talk.Transcript())
	}
}

func TestWhoIsServed(t *testing.T) {
	talk := waiter(t, tandem.Voice)
	if err := talk.AgentDoes(simulate.AgentAnswers); err != nil || !talk.Session().Wait.Served {
		t.Fatal(err)
	}
	before := len(talk.Lines())
	talk.Pass(10 * time.Minute)
	if err := talk.Press("2"); err != nil {
		t.Error(err)
	}
	if now := talk.Lines()[before:]; len(now) != 2 {
		t.Errorf("while an agent has them: %v", now)
	}
	if err := talk.Leave(); err != nil {
		t.Error(err)
	}
	if reason, _ := talk.Ended(); reason != "served" {
		t.Errorf("who leaves then ends as %q", reason)
	}
	talk = waiter(t, tandem.Voice)
	if err := talk.Leave(); err != nil {
		t.Error(err)
	}
	if reason, _ := talk.Ended(); reason != "gave_up" {
		t.Errorf("who leaves the line ends as %q", reason)
	}
}
