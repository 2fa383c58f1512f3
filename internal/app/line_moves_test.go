package app

import (
	"context"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/internal/testkit"
	"tandem/ivr/text"
	"tandem/store"
)

// knownFlow asks for a code before the line.
var knownFlow = strings.NewReplacer("flow: lined", "flow: known", "hello: { say: hello, next: line }",
	"hello: { say: hello, next: who }\n  who: { identify: { level: verified, by: [code] }, next: { passed: line, else: end } }").Replace(queueFlow)

// newKnown is a counter whose texts are identified before they wait in line.
func newKnown(t *testing.T) *textServer {
	t.Helper()
	s := newTextServer(t, textSetup{
		flows: map[string]string{"lined.flow.yaml": queueFlow, "known.flow.yaml": knownFlow, "counter.queues.yaml": counterPolicy},
		wavs:  map[string]time.Duration{"blip.wav": 100 * time.Millisecond},
		base:  "\n  \"3\": lined\n  \"chat:demo\": lined\n  \"sms:+861055550100\": known\n",
		texts: `{ allow: [ "+86138" ], per_number_per_hour: 100, per_number_per_day: 100 }`,
		more:  "line: { verify: true }\n",
	})
	if _, err := s.line.Present(t.Context(), "wang", tandem.PresenceAway, ""); err != nil {
		t.Fatal(err)
	}
	return s
}

// A customer who is known, and whose link to the chat is forwarded to a stranger, keeps
// their level and their place: the stranger is asked for a code that only the customer is sent.
func TestAForwardedLinkFromTheLine(t *testing.T) {
	t.Parallel()
	s := newKnown(t)
	phone := s.texts.Inbox(customer)
	phone.Says("hello")
	phone.Says(phone.Code())
	phone.Gets("You are number 1 in line.")
	id := s.latest(t, "sms:"+ourNumber).Interaction.ID
	before := s.place(t, id, tandem.TaskText)
	phone.Says("2")
	link := address(t, phone.Gets("Go on waiting in the chat").Text)
	stranger := testkit.NewBrowser(t).Get(link).Send("", nil)
	for _, code := range []string{"", "000000", "123456"} {
		if handoffData.FindString(stranger.Page) != "" {
			t.Fatalf("a stranger goes on as the customer: %s", stranger.Words())
		}
		if stranger.Status != 200 && stranger.Status != 422 {
			break
		}
		stranger.Send("", map[string]string{"code": code})
	}
	if handoffData.FindString(stranger.Page) != "" {
		t.Fatalf("a stranger goes on as the customer: %s", stranger.Words())
	}
	at, err := s.stored(t.Context(), id)
	if now := s.place(t, id, tandem.TaskText); err != nil || at.Facts.Channel != tandem.SMS || !now.Due.Equal(before.Due) || now.State != tandem.TaskWaiting {
		t.Errorf("the place was %+v and is %+v; the session is by %s, %v", before, now, at.Facts.Channel, err)
	}
	s.releases(t, s.serves(t, id, tandem.TaskText)) // the customer is served where they are
	phone.Gets("Cards or loans?")
	s.sound(t)
}

// A caller goes on in the chat, and has themselves called back from there, at the number
// they called from, all at their place.
func TestFromTheChatToACallback(t *testing.T) {
	t.Parallel()
	s := newCounter(t)
	phone := s.texts.Inbox(customer)
	call := s.dials(t, "3", customer)
	first := s.place(t, call.id, tandem.TaskCall)
	until(t, "the key to be heard", func() bool {
		call.presses("2")
		all, err := s.links.Of(t.Context(), call.id)
		return err != nil || len(all) > 0
	})
	c := s.goesOnInChat(t, address(t, phone.Gets("your place in line is kept").Text))
	call.WaitBye(patience)
	c.Stands("a place", func(p testkit.ChatStanding) bool { return p.State == "waiting" })
	s.place(t, call.id, tandem.TaskChat)
	c.Say("1")
	task := s.place(t, call.id, tandem.TaskCallback)
	if task.ID != first.ID || !task.Arrived.Equal(first.Arrived) || !task.Due.Equal(first.Due) || !task.Expires.IsZero() {
		t.Errorf("the place was %+v and is %+v", first, task)
	}
	c.Over(1)
	to, ok, err := s.callbackNumber(t.Context(), task)
	if err != nil || !ok || to != "tel:"+customer {
		t.Errorf("called back is %q, %t, %v", to, ok, err)
	}
	s.sound(t)
}

// A number that a stranger types in a chat is nobody's: without its code nothing is booked,
// and what waits in line is not called.
func TestANumberThatIsNotProven(t *testing.T) {
	t.Parallel()
	s := newCounter(t)
	c := s.visit(t)
	c.Open()
	c.Stands("a place", func(p testkit.ChatStanding) bool { return p.State == "waiting" })
	id := s.latest(t, "chat:demo").Interaction.ID
	var asked struct{ Check string }
	c.Post("/api/v1/chat/callback", map[string]string{"phone": customer}, &asked)
	for _, code := range []string{"", "000000", "999999"} {
		c.Post("/api/v1/chat/callback/"+asked.Check, map[string]string{"code": code}, nil)
	}
	c.Say(customer)
	c.Say("1") // which says that there is no number to call
	c.Acknowledged()
	c.Reads("Sorry")
	for _, task := range s.line.Tasks("", 0) {
		if task.Kind == tandem.TaskCallback {
			t.Errorf("a callback is booked: %+v", task)
		}
		if to, ok, err := s.callbackNumber(t.Context(), task); ok || to != "" || err != nil {
			t.Errorf("%s would be called back at %q, %v", task.ID, to, err)
		}
	}
	if got := s.place(t, id, tandem.TaskChat); got.State != tandem.TaskWaiting {
		t.Errorf("the place is %+v", got)
	}
	s.sound(t)
}

// An agent who takes somebody in the very moment in which they press the link to another
// channel: they go or they stay, and either way the two can write to each other.
func TestAnAgentAnswersAsTheCustomerMoves(t *testing.T) {
	t.Parallel()
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	s := newCounter(t)
	var id tandem.InteractionID
	moved := 0
	defer func() {
		if t.Failed() {
			at, err := s.stored(context.WithoutCancel(t.Context()), id)
			t.Logf("the session is by %s, served %t, %v; in line are %+v\n%s", at.Facts.Channel, at.Wait.Served, err, s.line.Of(id), tell(s.read(t, id)))
		}
	}()
	for n := range rounds {
		from := "+861380000" + string(rune('1'+n%9)) + string(rune('0'+n/9)) + "00"
		phone := s.texts.Inbox(from)
		phone.Says("hello")
		phone.Gets("You are number")
		phone.Says("2")
		phone.Gets("Go on waiting in the chat")
		for _, task := range s.line.Tasks("", 0) {
			if task.State == tandem.TaskWaiting {
				id = task.Interaction
			}
		}
		before := s.place(t, id, tandem.TaskText)
		all, err := s.links.Of(t.Context(), id)
		if err != nil || len(all) != 1 {
			t.Fatalf("%d links, %v", len(all), err)
		}
		if _, err := s.line.Present(t.Context(), "wang", tandem.PresenceAvailable, ""); err != nil {
			t.Fatal(err)
		}
		var task tandem.Task
		until(t, "an offer", func() bool {
			s.line.Reachable("wang", tandem.LoadSMS, true)
			s.line.Reachable("wang", tandem.LoadChat, true)
			task, _ = s.line.Task(before.ID)
			return task.State == tandem.TaskOffered
		})
		gone := make(chan string, 1)
		go func() {
			_, token, err := s.accept(t.Context(), all[0])
			if err != nil {
				token = ""
			}
			gone <- token
		}()
		served, err := s.line.Accept(t.Context(), task.ID, "wang", task.Fence)
		token := <-gone
		if tandem.CodeOf(err) == tandem.CodeConflict { // they have gone: the offer was for a text
			until(t, "an offer of the chat", func() bool {
				task, _ = s.line.Task(before.ID)
				return task.State == tandem.TaskOffered && task.Kind == tandem.TaskChat
			})
			served, err = s.line.Accept(t.Context(), task.ID, "wang", task.Fence)
		}
		if err != nil {
			t.Fatal(err)
		}
		until(t, "the session to be served", func() bool { at, err := s.stored(t.Context(), id); return err == nil && at.Wait.Served })
		at, err := s.stored(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if at.Facts.Channel == tandem.Chat {
			moved++
			if token == "" {
				t.Error("who went is told that they did not")
			}
		}
		until(t, "the task to be of the session's channel", func() bool {
			now, ok := s.line.Task(before.ID)
			return ok && now.Kind == kindOn(at.Facts.Channel) && now.State == tandem.TaskAssigned && now.Due.Equal(before.Due)
		})
		c, err := s.book.ByInteraction(t.Context(), id, at.Facts.Channel)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.talk.Reply(t.Context(), c.ID, text.Reply{Agent: "wang", Display: "Wang", Client: "r", Text: "Good day."}); err != nil {
			t.Errorf("the agent cannot write by %s: %v", at.Facts.Channel, err)
		}
		if now, _ := s.line.Task(before.ID); now.Fence == served.Fence {
			s.releases(t, served)
		}
		if err := s.line.Wrap(t.Context(), "wang", served.Fence, "", false); err != nil && tandem.CodeOf(err) != tandem.CodeConflict { // texts have none
			t.Error(err)
		}
		s.shows(t, id, "the task served", func(story store.Story) bool {
			return len(story.Tasks) == 1 && story.Tasks[0].Outcome == tandem.OutcomeServed
		})
		if at.Facts.Channel == tandem.SMS {
			phone.Gets("Cards or loans?")
		}
		if _, err := s.line.Present(t.Context(), "wang", tandem.PresenceAway, ""); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d of %d have moved", moved, rounds)
	s.sound(t)
}
