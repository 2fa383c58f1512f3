package app

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"tandem"
	"tandem/internal/testkit"
	"tandem/ivr/flow"
	"tandem/store"
)

var linkAddress = regexp.MustCompile(`http://\S+/l/[a-z2-7]{26}`)

// address is that of the link in a text.
func address(t *testing.T, text string) string {
	t.Helper()
	found := linkAddress.FindString(text)
	if found == "" {
		t.Fatalf("there is no link in %q", text)
	}
	return found
}

var handoffData = regexp.MustCompile(`<script type="application/json" id="tandem-handoff">(.*?)</script>`)

// goesOnInChat opens a link that leads to the chat, and the chat.
func (s *textServer) goesOnInChat(t *testing.T, link string) *testkit.Chat {
	t.Helper()
	b := testkit.NewBrowser(t).Get(link).Send("", nil)
	data := handoffData.FindStringSubmatch(b.Page)
	if data == nil {
		t.Fatalf("the page hands nothing over: status %d\n%s", b.Status, b.Words())
	}
	var to struct{ Site, Token string }
	if err := json.Unmarshal([]byte(data[1]), &to); err != nil {
		t.Fatal(err)
	}
	return testkit.NewChat(t, s.url, testkit.ChatOptions{Site: to.Site, Token: to.Token})
}

// A caller half-way through a form goes on in the chat at the same field, and from there
// by text message at the next: one interaction, one journal, no question asked twice.
func TestFormFromPhoneToChatToText(t *testing.T) {
	t.Parallel()
	s := newDesk(t, textSetup{})
	phone := s.texts.Inbox(customer)

	call := s.dials(t, "3", customer)
	call.presses("1")
	call.at("keep")
	call.hears("May we keep it?")
	call.presses("1")
	call.at("colour")
	call.presses("2")
	call.at("size")
	call.presses("*4")
	call.at("from_voice")
	call.presses("1")
	link := address(t, phone.Gets("Go on here").Text)
	for range 3 { // previewers change nothing
		testkit.NewBrowser(t).Get(link)
	}
	visitor := s.goesOnInChat(t, link)
	call.WaitBye(patience)
	visitor.Reads("Which size?")
	visitor.Say("42")
	visitor.Reads("Which customer number?")
	visitor.Say("prove") // who they are, so that they can be texted from the chat, too
	visitor.Reads("enter the mobile number")
	visitor.SaySecret("13800000001")
	visitor.Reads("Please enter it")
	visitor.SaySecret(phone.Code())
	visitor.Reads("Which customer number?")
	visitor.Say("elsewhere")
	visitor.Reads("Where to?")
	visitor.Say("sms")
	phone.Gets("Answer this to go on")
	phone.Says("good")
	phone.Gets("Which customer number?")
	phone.Says("4711")
	phone.Gets("The form is done.")

	story := s.read(t, call.id)
	moved := payloads[tandem.Moved](story, tandem.EventMoved)
	if len(moved) != 2 || moved[0].Channel != tandem.Chat || moved[1].Channel != tandem.SMS || moved[1].Carried {
		t.Errorf("the session moved %+v", moved)
	}
	for _, step := range []string{"keep", "colour", "size", "name"} {
		if n := answered(story, step); n != 1 {
			t.Errorf("%s was answered %d times", step, n)
		}
	}
	if n := len(story.Legs); n < 3 || story.Interaction.State != tandem.Open {
		t.Errorf("the interaction is %s with %d legs", story.Interaction.State, n)
	}
	if all := s.calls(t); len(all) != 1 {
		t.Errorf("there are %d interactions", len(all))
	}
	// Who stays behind in the chat is heard, and answered by nobody: the flow is elsewhere.
	visitor.Say("Are you there?")
	visitor.Acknowledged()
	if n := len(s.read(t, call.id).Legs); n != len(story.Legs) {
		t.Errorf("a message in the old chat made leg %d", n)
	}
	s.verify(t)
}

// answered counts how often a step was left with what it asked for.
func answered(story store.Story, step string) (n int) {
	for _, e := range payloads[tandem.StepLeft](story, tandem.EventOutcome) {
		if e.Step == step && e.Outcome != "skipped" && e.Outcome != "left" && e.Next != "where" && e.Next != "who" {
			n++
		}
	}
	return n
}

// Somebody who has begun by text message rings up, gives the number, passes the check, and
// goes on by phone at the same question.
func TestFromTextToPhoneByNumber(t *testing.T) {
	t.Parallel()
	s := newDesk(t, textSetup{})
	phone := s.texts.Inbox(customer)
	phone.Says("Hello")
	phone.Gets("1 Form")
	phone.Says("1")
	phone.Gets("May we keep it?")
	phone.Says("yes")
	phone.Gets("Which colour?")
	phone.Says("Red")
	phone.Gets("Which size?")
	earlier := s.latest(t, "sms:"+ourNumber)

	call := s.dials(t, "3", customer)
	call.presses("3")
	call.at("earlier")
	call.presses(string(earlier.Interaction.Number))
	call.presses(phone.Code())
	call.id = earlier.Interaction.ID
	call.hears("Which size?")
	call.presses("42")
	call.at("name")
	call.Bye()
	story := s.shows(t, earlier.Interaction.ID, "the end", closed)
	for _, step := range []string{"keep", "colour", "size"} {
		if n := answered(story, step); n != 1 {
			t.Errorf("%s was answered %d times", step, n)
		}
	}
	if got := payloads[tandem.Moved](story, tandem.EventResumed); len(got) != 1 || got[0].Channel != tandem.Voice {
		t.Errorf("resumed: %+v", got)
	}
	// Who now writes a text begins anew: the business went on by phone and is parked.
	phone.Says("Are you there?")
	phone.Gets("1 Form")
	s.verify(t)
}

// A caller hangs up in mid-form, rings back, gives the number, passes the check, and is
// where they were. Doing that a second time goes on from there.
func TestRingBack(t *testing.T) {
	t.Parallel()
	s := newDesk(t, textSetup{})
	phone := s.texts.Inbox(customer)
	first := s.dials(t, "3", customer)
	first.presses("1")
	first.at("keep")
	first.hears("May we keep it?")
	first.presses("1")
	first.at("colour")
	first.Bye()
	story := s.shows(t, first.id, "the end of the first call", closed)

	for _, question := range []struct{ words, keys, next string }{{"Which colour?", "2", "size"}, {"Which size?", "42", "name"}} {
		again := s.dials(t, "3", customer)
		present := again.id
		again.presses("3")
		again.at("earlier")
		again.presses(string(story.Interaction.Number))
		again.presses(phone.Code())
		again.id, again.taken[first.id] = first.id, len(prompts(s.read(t, first.id)))
		again.hears(question.words)
		if state := s.read(t, first.id).Interaction.State; state != tandem.Open {
			t.Errorf("the interaction that goes on is %s", state)
		}
		if story := s.shows(t, present, "the end of the present interaction", closed); story.Interaction.Outcome != flow.ReasonResumed {
			t.Errorf("the present interaction ended with %q", story.Interaction.Outcome)
		}
		again.presses(question.keys)
		again.at(question.next)
		again.Bye()
		story = s.shows(t, first.id, "the end", closed)
	}
	for _, step := range []string{"keep", "colour", "size"} {
		if n := answered(story, step); n != 1 {
			t.Errorf("%s was answered %d times", step, n)
		}
	}
	if len(story.Legs) != 3 {
		t.Errorf("the interaction has %d legs", len(story.Legs))
	}
	s.verify(t)
}

// The page of a caller who has hung up is finished: the flow goes on by what was filled in
// and the page shows what it said.
func TestPageFinishedAfterTheCall(t *testing.T) {
	t.Parallel()
	s := newDesk(t, textSetup{})
	phone := s.texts.Inbox(customer)
	call := s.dials(t, "3", customer)
	call.presses("2")
	b := testkit.NewBrowser(t).Get(address(t, phone.Gets("Fill this in").Text))
	if strings.Contains(b.Page, "138") || strings.Contains(b.Words(), string(s.read(t, call.id).Interaction.Number)) {
		t.Error("the page before the press tells of the person")
	}
	b.Send("", nil)
	call.hears("You have opened it")
	call.Bye()
	s.shows(t, call.id, "the caller's leg ended", func(story store.Story) bool { return !story.Legs[0].Ended.IsZero() })
	if state := s.read(t, call.id).Interaction.State; state != tandem.Open {
		t.Errorf("after the hang-up the interaction is %s", state)
	}
	b.Send("done", map[string]string{"user": "harbour.li"})
	story := s.shows(t, call.id, "the end of the interaction", closed)
	said := prompts(story)
	if len(said) == 0 || !strings.Contains(words(said), "The page is done.") {
		t.Errorf("the flow said %s", words(said))
	}
	b.Get(b.Address())
	if !strings.Contains(b.Words(), "The page is done.") {
		t.Errorf("the page shows %s", b.Words())
	}
	if outcome := story.Interaction.Outcome; outcome != "left" {
		t.Errorf("the outcome is %q", outcome)
	}
	s.verify(t)
}

func words(all []tandem.Prompted) string {
	var b strings.Builder
	for _, p := range all {
		b.WriteString(p.Text + "\n")
	}
	return b.String()
}
