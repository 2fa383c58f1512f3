package app

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"tandem"
	"tandem/internal/testkit"
	"tandem/store"
)

// A visitor goes on by phone: the flow says where to call, and there they give the number
// and a code.
func TestFromChatToPhone(t *testing.T) {
	t.Parallel()
	s := newDesk(t, textSetup{})
	phone := s.texts.Inbox(customer)
	visitor := s.proves(t)
	visitor.Say("Form")
	visitor.Reads("May we keep it?")
	visitor.Say("yes")
	visitor.Reads("Which colour?")
	visitor.Say("Blue")
	visitor.Reads("Which size?")
	visitor.Say("elsewhere")
	visitor.Reads("Where to?")
	visitor.Say("phone")
	visitor.Reads("Call us on 3")
	talk := s.latest(t, "chat:night")

	call := s.dials(t, "3", customer)
	call.presses("3")
	call.at("earlier")
	call.presses(string(talk.Interaction.Number))
	call.presses(phone.Code())
	call.id = talk.Interaction.ID
	call.hears("Which size?")
	call.presses("42")
	call.at("name")
	call.Bye()
	story := s.shows(t, talk.Interaction.ID, "the end", closed)
	if n := answered(story, "colour"); n != 1 {
		t.Errorf("the colour was answered %d times", n)
	}
	visitor.Say("Here I am again") // begins anew
	visitor.Reads("Form, link, earlier")
	s.verify(t)
}

// proves is a visitor of the desk who has shown to be the customer.
func (s *textServer) proves(t *testing.T) *testkit.Chat {
	t.Helper()
	visitor := s.drops(t)
	visitor.Open()
	visitor.Reads("Form, link, earlier")
	visitor.Say("who")
	visitor.Reads("enter the mobile number")
	visitor.SaySecret("13800000001")
	visitor.Reads("Please enter it")
	visitor.SaySecret(s.texts.Inbox(customer).Code())
	visitor.Reads("We know you.")
	return visitor
}

// A server that stops in the middle goes on after its start: with a way to another channel
// that lay open, with a link that was not opened yet, and with a code that was sent.
func TestRestartInTheMiddle(t *testing.T) {
	t.Parallel()
	s := newDesk(t, textSetup{})
	phone := s.texts.Inbox(customer)
	moving := s.proves(t)
	moving.Say("Form")
	moving.Reads("May we keep it?")
	moving.Say("yes")
	moving.Reads("Which colour?")
	moving.Say("elsewhere")
	moving.Reads("Where to?")
	moving.Say("sms")
	phone.Gets("Answer this")

	second := s.texts.Inbox("+8613800000002")
	second.Says("hello")
	second.Gets("2 Link")
	second.Says("2")
	link := address(t, second.Gets("Fill this in").Text)

	checked := s.drops(t)
	checked.Open()
	checked.Reads("Form, link, earlier")
	checked.Say("who")
	checked.Reads("enter the mobile number")
	checked.SaySecret("13800000003")
	checked.Reads("Please enter it")

	s.end(t)
	phone.Says("here I am") // the gateway tries until the server is there again
	s.ended = sync.Once{}
	s.start(t)
	for _, v := range []*testkit.Chat{moving, checked} {
		if err := v.Connect(testkit.Patience); err != nil {
			t.Fatal(err)
		}
	}
	phone.Gets("Which colour?")
	b := testkit.NewBrowser(t).Get(link).Send("", nil)
	second.Gets("You have opened it.")
	b.Send("done", map[string]string{"user": "harbour.li"})
	second.Gets("The page is done.")
	checked.SaySecret(s.texts.Inbox("+8613800000003").Code())
	checked.Reads("We know you.")
	if n := len(second.Got()); n != 4 {
		t.Errorf("the phone got %d texts: %+v", n, second.Got())
	}
	s.verify(t)
}

// A way to the chat that is pressed many times at once leads to one conversation.
func TestWayIsPressedTwice(t *testing.T) {
	t.Parallel()
	s := newDesk(t, textSetup{})
	call := s.dials(t, "3", customer)
	call.presses("*4")
	call.at("from_voice")
	call.presses("1")
	b := testkit.NewBrowser(t).Get(address(t, s.texts.Inbox(customer).Gets("Go on here").Text))
	var presses sync.WaitGroup
	tokens := make(chan string, 5)
	for range 5 {
		one := b.Copy()
		presses.Go(func() {
			one.Send("", nil)
			if data := handoffData.FindStringSubmatch(one.Page); data != nil {
				tokens <- data[1]
			}
		})
	}
	presses.Wait()
	close(tokens)
	call.WaitBye(patience)
	n := 0
	for data := range tokens {
		n++
		var handed struct{ Token string }
		if err := json.Unmarshal([]byte(data), &handed); err != nil {
			t.Fatal(err)
		}
		visitor := testkit.NewChat(t, s.url, testkit.ChatOptions{Site: "demo", Token: handed.Token})
		visitor.Reads("Which colour?")
	}
	if n == 0 {
		t.Error("no press led to the chat")
	}
	story := s.read(t, call.id)
	if moved := payloads[tandem.Moved](story, tandem.EventMoved); len(moved) != 1 {
		t.Errorf("the session moved %d times", len(moved))
	}
	legs := 0
	for _, l := range story.Legs {
		if l.Kind == tandem.LegChat {
			legs++
		}
	}
	if legs != 1 {
		t.Errorf("there are %d legs in chats", legs)
	}
}

// anew waits until what somebody erased has said is refused, or begins an interaction of
// somebody who is not known: their own may have been closed before by a step under way.
func (s *textServer) anew(t *testing.T, visitor *testkit.Chat, was tandem.InteractionID) (in tandem.Interaction, ok bool) {
	t.Helper()
	until(t, "an answer to somebody erased", func() bool {
		if r, refused := visitor.WasRefused(); refused {
			if r.Code != "closed" && r.Code != "not_now" {
				t.Errorf("what somebody erased says is refused as %q", r.Code)
			}
			return true
		}
		all, err := s.store.List(t.Context(), store.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range all {
			if x.Interaction.ID != was && x.Interaction.Entry == "chat:night" {
				in, ok = x.Interaction, true
			}
		}
		return ok
	})
	return in, ok
}

// Whoever is erased in the middle of a talk is answered no more, by none of their ways, and
// their token opens nothing; the journals still verify.
func TestErasedInTheMiddle(t *testing.T) {
	t.Parallel()
	s := newDesk(t, textSetup{})
	visitor := s.proves(t)
	visitor.Say("link")
	visitor.Reads("Fill this in")
	offered := visitor.Wait("a link", func(m testkit.ChatMessage) bool { return m.Link != nil })
	var to struct{ URL string }
	visitor.Post("/api/v1/chat/links/"+offered.Link.ID, map[string]any{}, &to)
	b := testkit.NewBrowser(t).Get(to.URL).Send("", nil)
	talk := s.latest(t, "chat:night")
	if err := s.store.Erase(t.Context(), talk.Interaction.Customer, "tester", "a test"); err != nil {
		t.Fatal(err)
	}
	if b.Send("done", map[string]string{"user": "harbour.li"}); strings.Contains(b.Words(), "switched on") {
		t.Errorf("the page of somebody erased shows %q", b.Words())
	}
	visitor.Say("Are you there?")
	if again, ok := s.anew(t, visitor, talk.Interaction.ID); ok && (again.Customer == talk.Interaction.Customer || again.Entry != talk.Interaction.Entry) {
		t.Errorf("what somebody erased says goes on in %+v", again)
	}
	if err := testkit.TryChat(t, s.url, testkit.ChatOptions{Site: "night", Token: visitor.Token()}); err == nil {
		t.Error("the token of somebody erased opens their chat")
	}
	story := s.read(t, talk.Interaction.ID)
	for _, e := range story.Events {
		if len(e.Data) > 0 && e.Kind != tandem.EventErased {
			t.Errorf("%s of somebody erased can be read: %s", e.Kind, e.Data)
			break
		}
	}
	s.verify(t)
}
