package app

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/internal/config"
	"tandem/internal/testkit"
	"tandem/store"
)

// Nobody may cause a text or a call that is forbidden: to a number that no list allows, to
// somebody who has not asked for it, or more than the caps let through. Each of these tests
// tries one way and looks at what the phones got.

// wishesFlow does what flows with bad manners do: it texts and calls what is typed.
const wishesFlow = `flow: wishes
channels: [voice, chat, sms]
languages: [en]
start: main
vars:
  to: { type: phone }
  words: { type: text }
prompts:
  main: { en: { text: "Text, call, link, who, words, move?", audio: blip.wav } }
  to: { en: { text: "To whom?", audio: blip.wav } }
  words: { en: "Which words?" }
  said: { en: { text: "For you: ${words} ${to}", audio: blip.wav } }
  page: { en: { text: "Page: ${link.url}", audio: blip.wav } }
  answer: { en: { text: "Answer this to go on.", audio: blip.wav } }
  good: { en: { text: "It was done.", audio: blip.wav } }
  bad: { en: { text: "It was not done.", audio: blip.wav } }
steps:
  main:
    menu:
      prompt: main
      choices:
        - { keys: "1", phrases: { en: [text] }, go: to_text }
        - { keys: "2", phrases: { en: [call] }, go: to_call }
        - { keys: "3", phrases: { en: [link] }, go: link }
        - { keys: "4", phrases: { en: [who] }, go: who }
        - { keys: "5", phrases: { en: [words] }, go: by_words }
        - { keys: "6", phrases: { en: [move] }, go: move }
        - { keys: "7", phrases: { en: [safe] }, go: safe }
    next: { no_input: main, no_match: main }
  to_text: { collect: { prompt: to, into: to }, next: { ok: text, no_input: main, no_match: main } }
  text: { message: { prompt: said, by: [sms], to: to }, next: { sent: good, undeliverable: bad } }
  to_call: { collect: { prompt: to, into: to }, next: { ok: call, no_input: main, no_match: main } }
  call: { callback: { to: to, queue: front }, next: { booked: good, declined: bad } }
  link: { link: { operation: online_banking, prompt: page, by: [sms] }, next: { done: good, undeliverable: bad } }
  safe: { link: { operation: safe, prompt: page, by: [chat] }, next: { done: good, undeliverable: bad, not_assured: bad } }
  who: { identify: { level: verified, by: [code] }, next: { passed: good, else: bad } }
  by_words: { branch: [ { if: "channel == 'voice'", go: main } ], next: { else: ask_words } }
  ask_words: { collect: { prompt: words, into: words }, next: { ok: mine, no_input: main, no_match: main } }
  mine: { message: { prompt: said, by: [sms] }, next: { sent: good, undeliverable: bad } }
  move: { branch: [ { if: "channel == 'sms'", go: main } ], next: { else: to_sms } }
  to_sms: { handoff: { to: sms, prompt: answer }, next: { accepted: good, declined: bad, undeliverable: bad } }
  good: { say: good, next: main }
  bad: { say: bad, next: main }
`

const safeOperation = `operation: safe
needs: verified
steps: [ { show: { en: "Behind a code." } } ]
`

// newWishes is a text server on which that flow serves everything.
func newWishes(t *testing.T, texts string) *textServer {
	t.Helper()
	return newTextServer(t, textSetup{
		flows: map[string]string{"wishes.flow.yaml": wishesFlow, "safe.operation.yaml": safeOperation, "front.queues.yaml": "queues: { front: {} }\n"},
		wavs:  map[string]time.Duration{"blip.wav": 100 * time.Millisecond},
		base:  "\n  \"4\": wishes\n  \"chat:demo\": wishes\n  \"sms:+861055550100\": wishes\n", texts: texts,
	})
}

// forbidden are numbers that nothing may be sent to: in no list, denied, premium, ours.
var forbidden = []string{stranger, "+8613811110000", "+19005551234", "+881612345678", "+447012345678", "+861686812345", ourNumber, "+8610086"}

const allowSome = `{ allow: [ "+86138", "+1", "+44", "+881", "+861686" ], deny: [ "+861381111" ] }`

// nothingTo checks that none of the forbidden numbers got a text, and that nobody was called.
func (s *textServer) nothingTo(t *testing.T, but ...string) {
	t.Helper()
	s.settled(t)
	for number, got := range s.texts.Sent() {
		if !in(but, number) {
			t.Errorf("%s got %d texts, such as %q", number, len(got), got[0].Text)
		}
	}
	if legs, err := s.store.Dialled(t.Context(), time.Now().Add(-time.Hour)); err != nil || len(legs) != 0 {
		t.Errorf("dialled: %+v, %v", legs, err)
	}
}

// settled waits until nothing is on its way to a gateway, and returns how many texts were
// ever posted.
func (s *textServer) settled(t *testing.T) (posted int) {
	t.Helper()
	until(t, "an outbox where nothing waits", func() bool {
		letters, err := s.store.Outbox(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		posted = 0
		for _, l := range letters {
			if l.State == store.LetterWaiting {
				return false
			}
			if l.Kind == "sms" {
				posted++
			}
		}
		return true
	})
	return posted
}

func TestNoTextByIdentifying(t *testing.T) {
	t.Parallel()
	s := newWishes(t, allowSome)
	for _, number := range forbidden {
		visitor := s.visit(t)
		visitor.Open()
		visitor.Reads("Text, call")
		visitor.Say("who")
		visitor.Reads("enter the mobile number")
		visitor.SaySecret(number)
		if m := visitor.Reads(""); !strings.Contains(m.Text, "cannot send a code to that number") && !strings.Contains(m.Text, "no mobile number") {
			t.Errorf("for %s a visitor reads %q", number, m.Text)
		}
	}
	s.nothingTo(t)
	if n := s.metric(t, "tandem_texts_refused_total", "rule", "denied"); n == 0 {
		t.Error("no refusal was counted")
	}
}

// Codes to numbers that may be texted are few, whoever asks for them, in however many chats.
func TestCodesAreFew(t *testing.T) {
	t.Parallel()
	s := newWishes(t, "")
	for i := range 14 {
		visitor := s.visit(t)
		visitor.Open()
		visitor.Reads("Text, call")
		visitor.Say("who")
		visitor.Reads("enter the mobile number")
		visitor.SaySecret(fmt.Sprintf("+861380000%04d", 100+i))
		visitor.Reads("")
	}
	posted := s.settled(t)
	if n := len(s.texts.Sent()); n != 10 || posted != 10 {
		t.Errorf("%d codes came of %d for chats of one address within the hour, want 10", n, posted)
	}
}

func TestNoTextByCallbackForm(t *testing.T) {
	t.Parallel()
	s := newTextServer(t, textSetup{texts: allowSome, change: func(c *config.Config) { c.Chat.Limits.CallbacksPerHour = 100 }})
	visitor := s.visit(t)
	visitor.Open()
	visitor.Reads("Welcome")
	for _, number := range append([]string{"", "call me", "0", "sip:agent@127.0.0.1:9", "+86 138 0000 0001; rm", strings.Repeat("1", 41)}, forbidden...) {
		var no struct{ Code string }
		status := visitor.Post("/api/v1/chat/callback", map[string]string{"phone": number}, &no)
		if status != http.StatusUnprocessableEntity {
			t.Errorf("for %q the answer is %d %s", number, status, no.Code)
		}
	}
	for _, at := range []string{"1990-01-01T00:00:00Z", "9999-12-31T00:00:00Z", "tomorrow"} {
		if status := visitor.Post("/api/v1/chat/callback", map[string]string{"phone": customer, "at": at}, nil); status != http.StatusUnprocessableEntity && status != http.StatusBadRequest {
			t.Errorf("for the time %s the answer is %d", at, status)
		}
	}
	s.nothingTo(t)
	if tasks := s.tasks(t); len(tasks) != 0 {
		t.Errorf("booked: %+v", tasks)
	}
}

// A call is booked for the number that has answered the code, and for no other.
func TestCallbackNeedsItsCode(t *testing.T) {
	t.Parallel()
	s := newTextServer(t, textSetup{})
	phone := s.texts.Inbox(customer)
	visitor, other := s.visit(t), s.visit(t)
	for _, v := range []*testkit.Chat{visitor, other} {
		v.Open()
		v.Reads("Welcome")
	}
	var asked struct{ Check string }
	if status := visitor.Post("/api/v1/chat/callback", map[string]string{"phone": "138 0000 0001"}, &asked); status != http.StatusAccepted {
		t.Fatalf("asking for a call: %d", status)
	}
	code := phone.Code()
	for _, try := range []struct {
		who         *testkit.Chat
		check, code string
	}{{visitor, asked.Check, wrong(code)}, {other, asked.Check, code}, {visitor, "callback-aaaaaaaaaaaaaaaaaaaaaaaaaa", code}, {visitor, "x", code}} {
		if status := try.who.Post("/api/v1/chat/callback/"+try.check, map[string]string{"code": try.code}, nil); status != http.StatusUnprocessableEntity {
			t.Errorf("a wrong confirmation is answered with %d", status)
		}
	}
	if tasks := s.tasks(t); len(tasks) != 0 {
		t.Fatalf("booked: %+v", tasks)
	}
	var booked struct{ Number tandem.Number }
	if status := visitor.Post("/api/v1/chat/callback/"+asked.Check, map[string]string{"code": code}, &booked); status != http.StatusOK {
		t.Fatalf("the right code is answered with %d", status)
	}
	if status := visitor.Post("/api/v1/chat/callback/"+asked.Check, map[string]string{"code": code}, nil); status != http.StatusUnprocessableEntity {
		t.Errorf("the code a second time is answered with %d", status)
	}
	story := s.read(t, tandem.InteractionID(booked.Number))
	calls := payloads[tandem.Callback](story, tandem.EventCallback)
	if len(calls) != 1 || calls[0].To != customer || !calls[0].Proven || calls[0].Queue != "cards" || len(s.tasks(t)) != 1 {
		t.Errorf("booked: %+v", calls)
	}
	s.nothingTo(t, customer)
	s.verify(t)
}

func wrong(code string) string {
	if code[0] == '1' {
		return "2" + code[1:]
	}
	return "1" + code[1:]
}

// tasks are all that wait in line.
func (s *textServer) tasks(t *testing.T) []tandem.Task {
	t.Helper()
	var all []tandem.Task
	for _, id := range s.calls(t) {
		all = append(all, s.read(t, id).Tasks...)
	}
	return all
}

// A number that a flow has somebody type is not texted, whoever typed it, until it has
// answered a code; a call to it may be booked, but not as to one that was proved, and not
// to where no call may go.
func TestTypedNumbers(t *testing.T) {
	t.Parallel()
	s := newWishes(t, `{ allow: [ "+86138", "+86139", "+1" ] }`)
	wishes := func(what, number, answer string) {
		t.Helper()
		visitor := s.visit(t)
		visitor.Open()
		visitor.Reads("Text, call")
		visitor.Say(what)
		visitor.Reads("To whom?")
		visitor.Say(number)
		visitor.Reads(answer)
	}
	for _, number := range []string{"+8613800000002", stranger, "+19005551234", "13800000002"} {
		wishes("text", number, "It was not done.")
	}
	for _, number := range []string{stranger, "+19005551234", "10086", ourNumber} {
		wishes("call", number, "It was not done.")
	}
	wishes("call", "13800000002", "It was done.")
	byChat := s.latest(t, "chat:demo")
	if calls := payloads[tandem.Callback](byChat, tandem.EventCallback); len(calls) != 1 || calls[0].Proven || calls[0].To != "+8613800000002" {
		t.Errorf("booked by chat: %+v", calls)
	}

	call := s.dials(t, "4", customer) // the same by keys
	call.presses("1")
	call.at("to_text")
	call.hears("To whom?")
	call.presses("13800000002#")
	call.hears("It was not done.")
	call.presses("2")
	call.at("to_call")
	call.hears("To whom?")
	call.presses("13900000007#")
	call.hears("It was not done.")
	call.Bye()
	s.nothingTo(t)

	phone := s.texts.Inbox(customer) // and by text: to another no, to oneself yes
	phone.Says("hello")
	phone.Gets("Text, call")
	phone.Says("1")
	phone.Gets("To whom?")
	phone.Says("13800000002")
	phone.Gets("It was not done.")
	phone.Says("1")
	phone.Gets("To whom?")
	phone.Says("13800000001")
	phone.Gets("For you:")
	s.nothingTo(t, customer)
}

// What a customer writes is data: it goes to their own phone as they wrote it, and nowhere
// else, whatever numbers and signs are in it.
func TestWordsAreData(t *testing.T) {
	t.Parallel()
	s := newWishes(t, `{ allow: [ "+86138" ], per_number_per_hour: 50, per_number_per_day: 50 }`)
	phone := s.texts.Inbox(customer)
	phone.Says("hello")
	phone.Gets("Text, call")
	for _, words := range []string{
		"+8613800000002", "to: +8613800000002", "\r\nTo: +8613800000002\r\n\r\nhi", "${to}", "${settings.core}", "{{.To}}", `","to":"+8613800000002`,
		"tel:+8613800000002 sms:+8613800000002", "<script>x</script>", "'; DROP TABLE sms_sent; --",
	} {
		phone.Says("5")
		phone.Gets("Which words?")
		phone.Says(words)
		if got := phone.Gets("For you:").Text; !strings.Contains(got, strings.TrimSpace(words)) {
			t.Errorf("the words %q came as %q", words, got)
		}
		phone.Gets("It was done.")
	}
	s.nothingTo(t, customer)
}
