package app

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/internal/testkit"
)

// A caller's number is what the network says: it is not texted if no list allows it,
// whatever is asked for; one that is spelt as in its country is the same number.
func TestSpoofedCallers(t *testing.T) {
	t.Parallel()
	s := newWishes(t, allowSome)
	for _, from := range append([]string{"", "anonymous", "95599", "1001", "+8613800000002;isub=1"}, forbidden...) {
		call := s.dials(t, "4", from)
		call.presses("3")
		call.hears("It was not done.")
		call.Bye()
	}
	s.nothingTo(t)
	call := s.dials(t, "4", "13800000001")
	call.presses("3")
	s.texts.Inbox(customer).Gets("Page:")
	call.Bye()
	s.nothingTo(t, customer)
	for _, leg := range s.shows(t, call.id, "the end of the call", closed).Legs {
		if leg.Ended.IsZero() {
			t.Errorf("after the call its leg %s goes on", leg.Kind)
		}
	}
}

// A phone that answers every text makes us write no more than the caps let through; one
// that no list allows, a service that has no number, and our own number get nothing.
func TestLoopsEnd(t *testing.T) {
	t.Parallel()
	s := newWishes(t, `{ allow: [ "+86" ], per_number_per_hour: 8, per_number_per_day: 100 }`)
	const robot = "+8613800000009"
	for _, from := range []string{ourNumber, "10086", "+19005551234"} {
		s.texts.Inbox(from).SaysTo(ourNumber, "hello")
	}
	phone := s.texts.Inbox(robot)
	phone.Says("hello")
	answered := 0
	until(t, "refused texts to a phone that answers each", func() bool {
		for got := len(phone.Got()); answered < got; answered++ {
			phone.Says("I am out of the office. 1")
		}
		return s.metric(t, "tandem_texts_refused_total", "rule", "per_number") >= 1
	})
	for range 5 { // on and on
		phone.Says("I am out of the office. 1")
	}
	until(t, "all texts taken", func() bool { return posted(phone) == answered+6 })
	s.nothingTo(t, robot)
	if n := len(phone.Got()); n != 8 {
		t.Errorf("the phone got %d texts, want 8", n)
	}
	if n := strings.Count(s.log.String(), "a text was refused"); n == 0 || n > 3 {
		t.Errorf("the log has %d lines about refused texts", n)
	}
}

// posted counts the texts of a phone that the server has taken.
func posted(i *testkit.Inbox) (n int) {
	for _, m := range i.Wrote() {
		if m.State == "sent" {
			n++
		}
	}
	return n
}

// Who wrote STOP gets one answer and then nothing, whatever asks for it, until START.
func TestStopIsHeeded(t *testing.T) {
	t.Parallel()
	s := newWishes(t, "")
	phone := s.texts.Inbox(customer)
	phone.Says("hello")
	phone.Gets("Text, call")
	phone.Says("退订")
	phone.Gets("您已退订")
	had := len(phone.Got())
	phone.Says("STOP")
	phone.Says("3") // a flow is going on
	phone.Says("hello?")
	until(t, "all texts taken", func() bool { return posted(phone) == 5 })

	call := s.dials(t, "4", customer)
	call.presses("3")
	call.hears("It was not done.")
	call.presses("4") // not even a code
	call.hears("It was not done.")
	call.Bye()
	visitor := s.visit(t)
	visitor.Open()
	visitor.Reads("Text, call")
	visitor.Say("who")
	visitor.Reads("enter the mobile number")
	visitor.SaySecret(customer)
	visitor.Reads("cannot send a code")
	s.settled(t)
	if n := len(phone.Got()); n != had {
		t.Errorf("after STOP the phone got %d texts more: %q", n-had, phone.Got()[had].Text)
	}
	stopped := payloads[tandem.Stopped](s.latest(t, "sms:"+ourNumber), tandem.EventStopped)
	if len(stopped) != 1 || !stopped[0].On {
		t.Errorf("the journal has %+v", stopped)
	}
	phone.Says("恢复")
	phone.Gets("回复“退订”可停止接收")
	phone.Says("4")
	phone.Code()
	s.nothingTo(t, customer)
}

// When a cap on all texts is reached everything stops, the log says so once, and what is
// refused is counted.
func TestCapStopsAllTexts(t *testing.T) {
	t.Parallel()
	s := newWishes(t, `{ allow: [ "+86138" ], per_hour: 3 }`)
	for i := range 8 {
		call := s.dials(t, "4", fmt.Sprintf("+861380000%04d", i))
		call.presses("3")
		if i < 3 {
			call.hears("It was done.")
		} else {
			call.hears("It was not done.")
		}
		call.Bye()
	}
	if n := s.settled(t); n != 3 || len(s.texts.Sent()) != 3 {
		t.Errorf("%d texts, want 3", n)
	}
	if n := strings.Count(s.log.String(), "texts are stopped by a cap"); n != 1 {
		t.Errorf("the alarm was logged %d times", n)
	}
	if n := s.metric(t, "tandem_texts_refused_total", "rule", "per_hour"); n < 5 {
		t.Errorf("%v refusals were counted, want 5", n)
	}
}

// A page that needs a second factor sends one code, however often it is asked for.
func TestPagesCodesAreFew(t *testing.T) {
	t.Parallel()
	s := newWishes(t, "")
	phone := s.texts.Inbox(customer)
	visitor := s.visit(t)
	visitor.Open()
	visitor.Reads("Text, call")
	visitor.Say("who")
	visitor.Reads("enter the mobile number")
	visitor.SaySecret("13800000001")
	visitor.Reads("Please enter it")
	visitor.SaySecret(phone.Code())
	visitor.Reads("It was done.")
	visitor.Say("safe")
	offered := visitor.Wait("a link", func(m testkit.ChatMessage) bool { return m.Link != nil })
	var to struct{ URL string }
	if status := visitor.Post("/api/v1/chat/links/"+offered.Link.ID, map[string]any{}, &to); status != http.StatusOK {
		t.Fatalf("the link's address: %d", status)
	}
	had := len(phone.Got())
	b := testkit.NewBrowser(t).Get(to.URL).Send("", nil)
	for range 5 {
		b.Send("again", nil)
	}
	s.settled(t)
	if n := len(phone.Got()) - had; n != 1 {
		t.Errorf("the page sent %d codes", n)
	}
	b.Get(b.Address())
	b.Send("code", map[string]string{"code": phone.Code()})
	if !strings.Contains(b.Words(), "Behind a code.") {
		t.Errorf("behind the code the page shows %q", b.Words())
	}
	s.nothingTo(t, customer)
}

// Somebody's number of an interaction, given again and again, has them get no more codes
// than the limits let through.
func TestResumeCodesAreFew(t *testing.T) {
	t.Parallel()
	s := newDesk(t, textSetup{})
	left := s.leaves(t, customer)
	for range 8 {
		visitor := s.drops(t)
		visitor.Open()
		visitor.Reads("Form, link, earlier")
		visitor.Say("earlier")
		visitor.Reads("eleven digits")
		visitor.SaySecret(string(left.Number))
		visitor.Reads("If that number is right")
	}
	s.nothingTo(t, customer)
	if n := len(s.texts.Inbox(customer).Got()); n != 5 {
		t.Errorf("whose interaction it is got %d codes, want 5", n)
	}
}

const dialFlow = `flow: dial
channels: [voice]
languages: [en]
start: to
vars: { to: { type: phone } }
prompts: { bad: { en: { text: "It was not done.", audio: blip.wav } } }
steps:
  to: { collect: { prompt: { en: { text: "To whom?", audio: blip.wav } }, into: to }, next: { ok: dial, no_input: end, no_match: end } }
  dial: { transfer: { to: "tel:${to}" }, next: { ok: end, busy: bad, no_answer: bad, failed: bad } }
  bad: { say: bad, next: to }
`

// Keys never make a call to a number that the list does not allow.
func TestTypedNumbersAreNotDialled(t *testing.T) {
	t.Parallel()
	s := newTextServer(t, textSetup{
		flows: map[string]string{"dial.flow.yaml": dialFlow}, wavs: map[string]time.Duration{"blip.wav": 100 * time.Millisecond}, entries: "  \"6\": dial\n",
	})
	call := s.dials(t, "6", customer)
	for _, keys := range []string{"13900000007#", "0019005551234#", "00881612345678#", "95599#"} {
		call.at("to")
		call.hears("To whom?")
		call.presses(keys)
		call.hears("It was not done.")
	}
	call.Bye()
	s.nothingTo(t)
}
