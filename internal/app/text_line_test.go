package app

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/route"
	"tandem/internal/testkit"
	"tandem/ivr/flow"
	"tandem/ivr/text"
	"tandem/store"
)

// queueFlow waits in line by any channel, and asks something afterwards.
const queueFlow = `flow: lined
channels: [voice, chat, sms]
languages: [en]
start: hello
prompts:
  hello: { en: { text: "One moment.", audio: blip.wav } }
  more: { en: { text: "Cards or loans?", audio: blip.wav } }
  bye: { en: { text: "Good bye.", audio: blip.wav } }
steps:
  hello: { say: hello, next: line }
  line:
    queue: { name: counter, max_wait: 1h, offer: { callback: "1", chat: "2", sms: "3" } }
    next: { answered: more, callback: end, else: end }
  more:
    menu: { prompt: more, choices: [ { keys: "1", phrases: { en: [cards] }, go: bye }, { keys: "2", phrases: { en: [loans] }, go: bye } ] }
    next: { no_input: end, no_match: end }
  bye: { say: bye, next: end }
`

const counterPolicy = `queues: { counter: { teams: [crew] } }
teams: { crew: {} }
agents: { wang: { teams: [crew], capacity: { chat: 2, sms: 2 } } }
`

func newCounter(t *testing.T) *textServer {
	t.Helper()
	s := newTextServer(t, textSetup{
		flows: map[string]string{"lined.flow.yaml": queueFlow, "counter.queues.yaml": counterPolicy},
		wavs:  map[string]time.Duration{"blip.wav": 100 * time.Millisecond},
		base:  "\n  \"3\": lined\n  \"chat:demo\": lined\n  \"sms:+861055550100\": lined\n",
		texts: `{ allow: [ "+86138" ], per_number_per_hour: 100, per_number_per_day: 100 }`,
		more:  "line: { verify: true }\n",
	})
	if _, err := s.line.Present(t.Context(), "wang", tandem.PresenceAway, ""); err != nil { // there, and busy
		t.Fatal(err)
	}
	return s
}

// place is the task of an interaction that waits in line.
func (s *textServer) place(t *testing.T, id tandem.InteractionID, kind tandem.TaskKind) (task tandem.Task) {
	t.Helper()
	until(t, "a place in line for a "+string(kind), func() bool {
		for _, task = range s.line.Of(id) {
			if task.Kind == kind {
				return true
			}
		}
		return false
	})
	return task
}

// serves has wang take the task of a kind that an interaction has.
func (s *textServer) serves(t *testing.T, id tandem.InteractionID, kind tandem.TaskKind) tandem.Task {
	t.Helper()
	task := s.place(t, id, kind)
	if _, err := s.line.Present(t.Context(), "wang", tandem.PresenceAvailable, ""); err != nil {
		t.Fatal(err)
	}
	until(t, "an agent to have it", func() bool {
		s.line.Reachable("wang", kind.Load(), true) // as the desk measures where wang has it open
		now, ok := s.line.Task(task.ID)
		if ok && now.State == tandem.TaskOffered {
			now, err := s.line.Accept(t.Context(), task.ID, "wang", now.Fence)
			if err == nil {
				task = now
			}
			return err == nil
		}
		return false
	})
	return task
}

// releases ends what wang does.
func (s *textServer) releases(t *testing.T, task tandem.Task) {
	t.Helper()
	if _, err := s.line.Release(t.Context(), route.Released{At: s.now(), Task: task.ID, Agent: task.Agent, Fence: task.Fence, Why: "done", Outcome: tandem.OutcomeServed}, nil); err != nil {
		t.Fatal(err)
	}
}

// A visitor waits in line with everything beside the talk, is served, and goes on; a
// restart in between changes nothing.
func TestAVisitorIsServed(t *testing.T) {
	t.Parallel()
	s := newCounter(t)
	c := s.visit(t)
	c.Open()
	c.Reads("One moment.")
	at := c.Stands("a place", func(p testkit.ChatStanding) bool { return p.State == "waiting" && p.Position == 1 })
	if len(at.Offers) != 2 || at.Offers[0].What != "callback" || at.Offers[1].What != "sms" {
		t.Errorf("offered is %+v", at.Offers)
	}
	id := s.latest(t, "chat:demo").Interaction.ID
	c.Say("My card is gone.")
	c.Say("Go on by text message")
	c.Reads("Sorry, we cannot reach you there.") // nobody knows their number
	before := s.place(t, id, tandem.TaskChat)
	s.restart(t)
	c.Connect(testkit.Patience)
	c.Stands("the place after a restart", func(p testkit.ChatStanding) bool { return p.State == "waiting" })
	task := s.serves(t, id, tandem.TaskChat)
	if task.ID != before.ID || !task.Arrived.Equal(before.Arrived) || !task.Due.Equal(before.Due) {
		t.Errorf("the place was %+v and is %+v", before, task)
	}
	c.Stands("an agent", func(p testkit.ChatStanding) bool { return p.State == "served" && p.Agent == "wang" })
	conversation := tandem.ConversationID(c.Conversation())
	reply := text.Reply{Agent: "wang", Display: "Wang Li", Client: "r1", Text: "Which card?"}
	for range 2 {
		if _, err := s.talk.Reply(t.Context(), conversation, reply); err != nil {
			t.Fatal(err)
		}
	}
	if m := c.Reads("Which card?"); m.From != "agent" || m.Name != "Wang Li" {
		t.Errorf("%+v", m)
	}
	c.Say("1")
	c.Acknowledged()
	s.restart(t)
	c.Connect(testkit.Patience)
	c.Stands("the agent after a restart", func(p testkit.ChatStanding) bool { return p.State == "served" && p.Agent == "wang" })
	s.releases(t, s.place(t, id, tandem.TaskChat))
	c.Reads("Cards or loans?")
	c.Stands("no line any more", func(p testkit.ChatStanding) bool { return p.State == "over" })
	reply.Client = "r2"
	if _, err := s.talk.Reply(t.Context(), conversation, reply); tandem.CodeOf(err) != tandem.CodeConflict {
		t.Errorf("who serves no more may write: %v", err)
	}
	c.Say("cards")
	c.Reads("Good bye.")
	var said []string
	for _, m := range c.Messages() {
		said = append(said, m.Text)
	}
	want := []string{"One moment.", "My card is gone.", "Go on by text message", "Sorry, we cannot reach you there.", "Which card?", "1", "Cards or loans?", "cards", "Good bye."}
	if !slices.Equal(said, want) {
		t.Errorf("the talk is %q", said)
	}
	s.verify(t)
}

// A caller in line goes on in the chat, at the place they had, and from there by text.
func TestFromALineToTheChatAndToTexts(t *testing.T) {
	t.Parallel()
	s := newCounter(t)
	phone := s.texts.Inbox(customer)
	call := s.dials(t, "3", customer)
	call.at("line")
	until(t, "the call to be told its place", func() bool {
		k := s.live.get(call.id)
		k.stay.mu.Lock()
		defer k.stay.mu.Unlock()
		return k.stay.wait.Kind == flow.WaitQueue && k.stay.wait.Place != nil
	})
	first := s.place(t, call.id, tandem.TaskCall)
	until(t, "the key to be heard", func() bool { // one pressed before the announcement has begun is not
		call.presses("2")
		all, err := s.links.Of(t.Context(), call.id)
		return err != nil || len(all) > 0
	})
	link := address(t, phone.Gets("your place in line is kept").Text)
	if now := s.place(t, call.id, tandem.TaskCall); now.State != tandem.TaskWaiting {
		t.Errorf("till they come, the place is %+v", now)
	}
	c := s.goesOnInChat(t, link)
	call.WaitBye(patience)
	c.Stands("a place in the chat", func(p testkit.ChatStanding) bool { return p.State == "waiting" && p.Position == 1 })
	second := s.place(t, call.id, tandem.TaskChat)
	if second.ID != first.ID || !second.Arrived.Equal(first.Arrived) || !second.Due.Equal(first.Due) {
		t.Errorf("the place was %+v and is %+v", first, second)
	}
	c.Say("3") // texts
	phone.Gets("Answer this message to go on waiting by text")
	phone.Says("here I am")
	told := phone.Gets("You are number 1 in line.")
	if !strings.Contains(told.Text, "1 Call me back") || !strings.Contains(told.Text, "2 Go on in chat") {
		t.Errorf("the text says %q", told.Text)
	}
	c.Stands("no line in the chat", func(p testkit.ChatStanding) bool { return p.State == "over" })
	task := s.serves(t, call.id, tandem.TaskText)
	if task.ID != first.ID || !task.Due.Equal(first.Due) {
		t.Errorf("the place was %+v and is %+v", first, task)
	}
	phone.Gets("wang from Harbour Bank here")
	story := s.read(t, call.id)
	moved := payloads[tandem.Moved](story, tandem.EventMoved)
	if len(moved) != 2 || moved[0].Channel != tandem.Chat || moved[1].Channel != tandem.SMS {
		t.Errorf("the session moved %+v", moved)
	}
	if len(story.Tasks) != 1 {
		t.Errorf("the tasks are %+v", story.Tasks)
	}
	s.releases(t, task)
	phone.Gets("Cards or loans?")
	s.verify(t)
}

// A way that is declined, or that an agent is quicker than, changes nothing.
func TestWaysOutOfTheLineThatAreNotTaken(t *testing.T) {
	t.Parallel()
	s := newCounter(t)
	phone := s.texts.Inbox(customer)
	phone.Says("hello")
	phone.Gets("You are number 1 in line.")
	id := s.latest(t, "sms:"+ourNumber).Interaction.ID
	before := s.place(t, id, tandem.TaskText)
	phone.Says("2")
	phone.Gets("Go on waiting in the chat")
	phone.Says("2") // twice
	all, err := s.links.Of(t.Context(), id)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d links, %v", len(all), err)
	}
	s.linkChanged(t.Context(), all[0], tandem.LinkDeclined, nil)
	if now := s.place(t, id, tandem.TaskText); now.State != tandem.TaskWaiting || !now.Due.Equal(before.Due) {
		t.Errorf("the place was %+v and is %+v", before, now)
	}
	task := s.serves(t, id, tandem.TaskText)
	phone.Gets("wang from Harbour Bank here")
	until(t, "the session to be served", func() bool { at, err := s.stored(t.Context(), id); return err == nil && at.Wait.Served })
	if _, _, err := s.accept(t.Context(), all[0]); err == nil {
		t.Error("who is served can go away")
	}
	s.releases(t, task)
	phone.Gets("Cards or loans?")
	s.shows(t, id, "one task, served", func(story store.Story) bool {
		return len(story.Tasks) == 1 && story.Tasks[0].Outcome == tandem.OutcomeServed
	})
}

// A caller who hangs up and then presses the link is in line again where they were.
func TestHangingUpBeforeThePress(t *testing.T) {
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
	link := address(t, phone.Gets("your place in line is kept").Text)
	call.Bye()
	s.shows(t, call.id, "the place to be given up", func(story store.Story) bool {
		return len(story.Tasks) == 1 && story.Tasks[0].Outcome == tandem.OutcomeLeft
	})
	c := s.goesOnInChat(t, link)
	c.Stands("a place in the chat", func(p testkit.ChatStanding) bool { return p.State == "waiting" && p.Position == 1 })
	second := s.place(t, call.id, tandem.TaskChat)
	if !second.Arrived.Equal(first.Arrived) || !second.Due.Equal(first.Due) {
		t.Errorf("the place was %+v and is %+v", first, second)
	}
	s.releases(t, s.serves(t, call.id, tandem.TaskChat))
	c.Reads("Cards or loans?")
	s.verify(t)
}
