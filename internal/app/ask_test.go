package app

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/survey"
	"tandem/internal/testkit"
	"tandem/store"
)

// askFlow opens a ticket or asks a survey, and asks those by text who hang up.
const askFlow = `flow: asking
channels: [voice, chat, sms]
languages: [en]
start: main
on_leave: gone
vars: { number: { type: text } }
prompts:
  main: { en: { text: "File or rate?", audio: blip.wav } }
  filed: { en: { text: "It is filed as ${number}.", audio: blip.wav } }
  thanks: { en: { text: "Thank you.", audio: blip.wav } }
  none: { en: { text: "Never mind.", audio: blip.wav } }
steps:
  main:
    menu:
      prompt: main
      choices:
        - { keys: "1", phrases: { en: [file] }, label: { en: File }, go: file }
        - { keys: "2", phrases: { en: [rate] }, label: { en: Rate }, go: rate }
    next: { no_input: end, no_match: end }
  file: { ticket: { form: want, with: { wish: "'a secret wish'" }, owner: "team:crew", due: 2h, into: number }, next: filed }
  filed: { say: filed, next: main }
  rate: { survey: { form: mark }, next: { done: thanks, skipped: none } }
  thanks: { say: thanks, next: main }
  none: { say: none, next: main }
  gone: { survey: { form: mark, by: [sms], after: 1s }, next: end }
`

const askForms = `form: mark
fields:
  - { name: score, type: int, range: 1..5, ask: { en: { text: "How was it, from 1 to 5?", audio: blip.wav } } }
  - { name: words, type: text, ask: { en: "Why?" } }
`

const askQueues = `queues: { crew: { teams: [crew], target: { ticket: 1d } } }
teams: { crew: {} }
agents: { wang: { teams: [crew] } }
`

func newAsking(t *testing.T) *textServer {
	t.Helper()
	return newTextServer(t, textSetup{
		flows: map[string]string{"asking.flow.yaml": askFlow, "mark.form.yaml": askForms, "crew.queues.yaml": askQueues,
			"want.form.yaml": "form: want\nfields:\n  - { name: wish, type: text, ask: { en: \"What?\" } }\n"},
		wavs: map[string]time.Duration{"blip.wav": 100 * time.Millisecond},
		base: "\n  \"3\": asking\n  \"chat:demo\": asking\n  \"chat:night\": asking\n  \"sms:+861055550100\": asking\n",
		before: func(a *App) { // at any hour of the day
			var err error
			if a.surveys, err = survey.New(survey.Options{Database: a.store, Start: a.startSurvey, Library: a.Library, From: 0, To: 24, Now: a.now, Random: a.random, Log: a.log}); err != nil {
				t.Fatal(err)
			}
		},
	})
}

var statusPage = regexp.MustCompile(`https?://\S+/t/([a-z2-7]{26})`)

// page is what an address shows.
func page(t *testing.T, url string) string {
	t.Helper()
	r, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != 200 {
		t.Fatalf("%d %v %s", r.StatusCode, err, body)
	}
	return string(body)
}

// answered is what the journal of an interaction has last of a survey.
func (s *textServer) answered(t *testing.T, id tandem.InteractionID) (last tandem.Surveyed, n int) {
	t.Helper()
	for _, e := range s.read(t, id).Events {
		if e.Kind == tandem.EventSurvey {
			last, n = tandem.Surveyed{}, n+1
			if err := json.Unmarshal(e.Data, &last); err != nil {
				t.Fatal(err)
			}
		}
	}
	return last, n
}

func TestAskingInAChat(t *testing.T) {
	t.Parallel()
	s := newAsking(t)
	c := s.visit(t)
	c.Open()
	c.Reads("File or rate?")
	c.Say("File")
	told := c.Wait("the number with a button", func(m testkit.ChatMessage) bool { return m.Link != nil })
	if !strings.HasPrefix(told.Text, "Your request has the number ") || told.Link.Label != "Follow your request" {
		t.Errorf("%+v", told)
	}
	c.Reads("It is filed as ")
	var to struct{ URL string }
	if status := c.Post("/api/v1/chat/links/"+told.Link.ID, map[string]any{}, &to); status != http.StatusOK {
		t.Fatal(status)
	}
	shown := page(t, to.URL)
	number := strings.TrimSuffix(strings.TrimPrefix(told.Text, "Your request has the number "), ".")
	if !strings.Contains(shown, number) || !strings.Contains(shown, "Received, not begun yet") || strings.Contains(shown, "wish") {
		t.Error(shown)
	}
	if strings.Contains(s.log.String(), statusPage.FindStringSubmatch(to.URL)[1]) {
		t.Error("the token is in the log")
	}
	story := s.latest(t, "chat:demo")
	if len(story.Tasks) != 1 || story.Tasks[0].Kind != tandem.TaskTicket || story.Tasks[0].Queue != "crew" || story.Tasks[0].Ticket == "" {
		t.Errorf("%+v", story.Tasks)
	}

	c.Say("Rate")
	c.Reads("How was it, from 1 to 5?")
	c.Say("five")
	c.Reads("Why?")
	s.restart(t)
	c = testkit.NewChat(t, s.url, testkit.ChatOptions{Site: "demo", Token: c.Token()})
	c.Say("It was quick.")
	c.Reads("Thank you.")
	if last, n := s.answered(t, story.Interaction.ID); n != 2 || last.Partial || last.Answers["score"] != 5.0 || last.Answers["words"] != "It was quick." || last.Channel != tandem.Chat {
		t.Errorf("%+v in %d events", last, n)
	}
}

// A caller is texted the number of the ticket, and, once they have hung up, the survey.
func TestAskingByTextAfterACall(t *testing.T) {
	t.Parallel()
	s := newAsking(t)
	phone := s.texts.Inbox(customer)
	call := s.dials(t, "3", customer)
	call.at("main")
	call.presses("1")
	got := phone.Gets("Your request has the number").Text
	url := statusPage.FindString(got)
	if !strings.Contains(page(t, url), "Received, not begun yet") {
		t.Error(got)
	}
	call.at("main")
	call.Bye()
	phone.Gets("How was it, from 1 to 5?")
	phone.Says("4")
	phone.Gets("Why?")
	phone.Says("I like it.")
	phone.Gets("Thank you for your answer.")
	if last, n := s.answered(t, call.id); n != 2 || last.Partial || last.Answers["score"] != 4.0 || last.Channel != tandem.SMS {
		t.Errorf("%+v in %d events", last, n)
	}
	asked := s.latest(t, "sms:"+ourNumber)
	until(t, "the end of the survey's own interaction", func() bool { return s.read(t, asked.Interaction.ID).Interaction.State == tandem.Closed })
	if asked.Interaction.Flow != "survey:mark" || asked.Interaction.Customer != s.read(t, call.id).Interaction.Customer {
		t.Errorf("%+v", asked.Interaction)
	}
	if tasks := s.line.Of(call.id); len(tasks) != 1 || tasks[0].State != tandem.TaskWaiting { // the ticket waits on
		t.Errorf("%+v", tasks)
	}
	if all, err := s.store.List(t.Context(), store.Filter{}); err != nil || len(all) != 2 {
		t.Errorf("%d interactions, %v", len(all), err)
	}
	for _, m := range phone.Got() {
		if strings.Count(m.Text, "How was it") > 0 && !strings.Contains(m.Text, "answer: quit") {
			t.Errorf("%q", m.Text)
		}
	}
	if strings.Contains(s.log.String(), statusPage.FindStringSubmatch(url)[1]) {
		t.Error("the token is in the log")
	}
	for _, e := range s.read(t, call.id).Events {
		if strings.Contains(string(e.Data), statusPage.FindStringSubmatch(url)[1]) {
			t.Errorf("the token is in the journal: %s", e.Kind)
		}
	}
}

// Who is asked in the call hangs up after the first question, which is kept, and is asked
// nothing more.
func TestHangingUpInASurvey(t *testing.T) {
	t.Parallel()
	s := newAsking(t)
	call := s.dials(t, "3", customer)
	call.at("main")
	call.presses("2")
	call.presses("3")
	until(t, "the answer", func() bool { _, n := s.answered(t, call.id); return n > 0 })
	call.Bye()
	if last, n := s.answered(t, call.id); n != 1 || last.Partial || last.Answers["score"] != 3.0 || last.Channel != tandem.Voice {
		t.Errorf("%+v in %d events", last, n)
	}
}
