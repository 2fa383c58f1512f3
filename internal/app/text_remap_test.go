package app

import (
	"slices"
	"strings"
	"testing"

	"tandem"
	"tandem/internal/testkit"
)

// Two numbers, two sites, a number for texts and a QR code start their flows; a changed
// mapping serves the next customer without a restart, and whoever is there goes on with
// what they began.
func TestRemappedTextEntries(t *testing.T) {
	t.Parallel()
	s := newTextServer(t, textSetup{texts: `{ allow: [ "+86138" ], per_number_per_hour: 50, per_number_per_day: 50 }`})
	const counterSays, nightSays = "What can we do for you?", "This is the night desk"
	visits := func(o testkit.ChatOptions, says string) *testkit.Chat {
		t.Helper()
		v := testkit.NewChat(t, s.url, o)
		v.Open()
		v.Reads(says)
		return v
	}
	dials := func(number, says string) {
		t.Helper()
		call := s.dials(t, number, "1001") // of no country: the language is asked for
		call.presses("13")
		call.hears(says)
		call.Bye()
	}
	first := visits(testkit.ChatOptions{Site: "demo"}, counterSays)
	visits(testkit.ChatOptions{Site: "night"}, nightSays)
	if place := visits(testkit.ChatOptions{QR: "branch-12"}, counterSays).Place(); place != "Branch 12" {
		t.Errorf("the place is %q", place)
	}
	dials("1", "Welcome to the counter")
	dials("2", nightSays)
	phone, other := s.texts.Inbox(customer), s.texts.Inbox("+8613800000002")
	phone.Says("你好")
	phone.Gets("1 查询余额")

	s.configure(t, `
  "1": night_desk
  "2": counter
  "chat:demo": night_desk
  "chat:night": counter
  "sms:+861055550100": night_desk
  "qr:branch-12": { flow: night_desk, site: night, place: Branch 13 }
  "qr:desk": { flow: counter, site: demo, place: Desk }
`)
	s.wait(t, "entries=7")
	visits(testkit.ChatOptions{Site: "demo"}, nightSays)
	visits(testkit.ChatOptions{Site: "night"}, counterSays)
	if place := visits(testkit.ChatOptions{QR: "branch-12"}, nightSays).Place(); place != "Branch 13" {
		t.Errorf("the place is %q", place)
	}
	visits(testkit.ChatOptions{QR: "desk"}, counterSays)
	dials("1", nightSays)
	dials("2", "Welcome to the counter")
	other.Says("你好")
	other.Gets("海港银行夜间服务台")
	first.Say("An adviser")
	first.Reads("four short questions")
	phone.Says("3")
	phone.Gets("四个简单的问题")

	for _, o := range []testkit.ChatOptions{{Site: "shop"}, {QR: "branch-99"}, {Site: "demo/../night"}, {Site: "DEMO"}, {QR: "chat:demo"}} {
		if err := testkit.TryChat(t, s.url, o); err == nil || !strings.Contains(err.Error(), `"site"`) {
			t.Errorf("%+v: %v", o, err)
		}
	}
	for _, number := range []string{"3", "chat:demo", "sms:+861055550100", "qr:desk"} {
		d, answer := s.peer(t).Ring(number, testkit.Options{}, false)
		d.Send(d.AckFailure(answer))
		if answer.Status() != 404 {
			t.Errorf("dialling %s is answered with %s", number, answer.Start)
		}
	}
}

// A number of ours that no entry serves any more takes no texts, and says so once and for
// all: the gateway is not asked to try again. Whoever is in a talk goes on.
func TestNumberWithoutEntry(t *testing.T) {
	t.Parallel()
	s := newTextServer(t, textSetup{})
	phone, other := s.texts.Inbox(customer), s.texts.Inbox("+8613800000002")
	phone.Says("你好")
	phone.Gets("1 查询余额")
	s.configure(t, "\n  \"1\": counter\n  \"chat:demo\": counter\n")
	s.wait(t, "entries=2")
	other.Says("你好")
	until(t, "a text that is not taken", func() bool { w := other.Wrote(); return w[0].State == "failed" })
	if tries := other.Wrote()[0].Tries; tries != 1 {
		t.Errorf("it was tried %d times", tries)
	}
	phone.Says("3")
	phone.Gets("四个简单的问题")
	if n := len(s.calls(t)); n != 1 {
		t.Errorf("there are %d interactions", n)
	}
	if n := s.metric(t, "tandem_sms_webhooks_refused_total", "rule", "unknown_number"); n != 1 {
		t.Errorf("%v refusals were counted", n)
	}
}

// What was asked is kept with the answer, in the words and the language in which it was
// asked, in a chat and by text as by phone.
func TestConsentKeepsItsWords(t *testing.T) {
	t.Parallel()
	s := newTextServer(t, textSetup{texts: `{ allow: [ "+86138" ], per_number_per_hour: 50, per_number_per_day: 50 }`})
	const en, zh = "We keep your answers until the talk has taken place. Is that all right? For yes, 1. For no, 2.", "您的回答会保存到通话完成为止，可以吗？可以请选1，不可以请选2。"
	visitor := s.visit(t)
	visitor.Open()
	visitor.Reads("What can we do")
	visitor.Say("An adviser")
	visitor.Reads("Is that all right?")
	visitor.Say("yes")
	visitor.Reads("What would you like to talk about")
	s.consented(t, "chat:demo", "yes", "en", en)

	refuses := testkit.NewChat(t, s.url, testkit.ChatOptions{Site: "demo", Langs: []string{"zh-CN"}})
	refuses.Open()
	refuses.Reads("请问您需要什么服务")
	refuses.Say("3")
	refuses.Reads("可以吗")
	refuses.Say("不可以")
	refuses.Reads("请问您需要什么服务")
	s.consented(t, "chat:demo", "no", "zh-CN", zh)

	phone := s.texts.Inbox(customer)
	phone.Says("你好")
	phone.Gets("3 预约顾问")
	phone.Says("3")
	phone.Gets("可以吗")
	phone.Says("1")
	phone.Gets("您想谈什么")
	s.consented(t, "sms:"+ourNumber, "yes", "zh-CN", zh)
	s.verify(t)
}

func (s *textServer) consented(t *testing.T, entry, answer, lang, text string) {
	t.Helper()
	story := s.latest(t, entry)
	got := payloads[tandem.Consent](story, tandem.EventConsent)
	if len(got) != 1 || got[0].Kind != "data" || got[0].Answer != answer || got[0].Lang != lang || got[0].Text != text || got[0].Flow == "" {
		t.Errorf("by %s the journal keeps %+v", entry, got)
	}
}

// Who writes to one of several numbers is answered by that one, whatever answers.
func TestNumbersStayApart(t *testing.T) {
	t.Parallel()
	const second = "+861055550200"
	s := newDesk(t, textSetup{numbers: []string{ourNumber, second}, entries: "  \"sms:" + second + "\": desk\n"})
	phone := s.texts.Inbox(customer)
	for _, ours := range []string{second, ourNumber} {
		for _, x := range []struct{ says, gets string }{{"hello", "1 Form"}, {"4", "is your code"}, {"0", "1 Form"}, {"2", "Fill this in"}} {
			phone.SaysTo(ours, x.says)
			if from := phone.Gets(x.gets).From; from != ours {
				t.Errorf("%q to %s is answered by %s", x.says, ours, from)
			}
		}
	}
	var codes []string // their replies go where they came from
	for _, m := range phone.Got() {
		if strings.Contains(m.Text, "is your code") {
			codes = append(codes, m.From)
		}
	}
	if !slices.Equal(codes, []string{second, ourNumber}) {
		t.Errorf("codes came from %v", codes)
	}
	if n := len(s.calls(t)); n != 2 {
		t.Errorf("there are %d interactions, want one for each number", n)
	}
}

// A talk stays on the version of the flow that it began with, over a changed file and a
// restart; the next one has the new version.
func TestTalkKeepsItsVersion(t *testing.T) {
	t.Parallel()
	s := newDesk(t, textSetup{})
	first := s.drops(t)
	first.Open()
	first.Reads("Form, link, earlier")
	phone := s.texts.Inbox(customer)
	phone.Says("hello")
	phone.Gets("Form, link, earlier")
	changed := strings.NewReplacer("Which colour?", "What colour is it?", "Form, link, earlier", "Link, form, earlier").Replace(deskFlow)
	write(t, s.path("flows/desk.flow.yaml"), changed)
	s.wait(t, "flows read again")
	second := s.drops(t)
	second.Open()
	second.Reads("Link, form, earlier")
	first.Say("form")
	first.Reads("May we keep it?")
	s.restart(t)
	if err := first.Connect(testkit.Patience); err != nil {
		t.Fatal(err)
	}
	first.Say("yes")
	first.Reads("Which colour?")
	phone.Says("1")
	phone.Gets("May we keep it?")
	phone.Says("yes")
	phone.Gets("Which colour?")
	if err := second.Connect(testkit.Patience); err != nil {
		t.Fatal(err)
	}
	second.Say("form")
	second.Reads("May we keep it?")
	second.Say("yes")
	second.Reads("What colour is it?")
}
