package app

import (
	"encoding/json"
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

// takenFlow asks what one wants, and has a step for those who are verified alone.
const takenFlow = `flow: taken
channels: [voice, chat, sms]
languages: [en]
start: hello
on_leave: left
vars:
  pin: { type: digits, secret: true }
  colour: { type: enum, values: [red, blue] }
prompts:
  hello: { en: { text: "Good day.", audio: blip.wav } }
  wish: { en: { text: "Cards or loans?", audio: blip.wav } }
  code: { en: { text: "Your PIN, please.", audio: blip.wav } }
  paint: { en: { text: "Red or blue?", audio: blip.wav } }
  bye: { en: { text: "Good bye.", audio: blip.wav } }
steps:
  hello: { say: hello, next: wish }
  wish:
    menu: { prompt: wish, choices: [ { keys: "1", phrases: { en: [cards] }, go: bye }, { keys: "2", phrases: { en: [loans] }, go: bye } ] }
    next: { no_input: end, no_match: end }
  code: { collect: { prompt: code, into: pin, digits: 4 }, next: { ok: bye, else: end } }
  paint: { collect: { prompt: paint, into: colour }, next: { ok: bye, else: end } }
  vault: { needs: verified, say: bye, next: end }
  prove: { identify: { level: verified, by: [code] }, next: { passed: vault, else: end } }
  line: { queue: { name: counter }, next: { answered: bye, else: end } }
  bye: { say: bye, next: end }
  left: { end: { reason: left } }
`

func newTaken(t *testing.T) *textServer {
	t.Helper()
	s := newTextServer(t, textSetup{
		flows: map[string]string{"taken.flow.yaml": takenFlow, "counter.queues.yaml": counterPolicy, "x.replies.yaml": "replies:\n  about: { text: { en: \"${agent.name} here about ${colour}, number ${interaction.number}.\" } }\n  another: { text: { en: Other. }, queues: [counter] }\n"},
		wavs:  map[string]time.Duration{"blip.wav": 100 * time.Millisecond},
		base:  "\n  \"3\": taken\n  \"chat:demo\": taken\n  \"sms:+861055550100\": taken\n",
		texts: `{ allow: [ "+86138" ], per_number_per_hour: 100, per_number_per_day: 100 }`,
		more:  "line: { verify: true }\n",
	})
	if _, err := s.line.Present(t.Context(), "wang", tandem.PresenceAway, ""); err != nil { // there, and not to be offered anything
		t.Fatal(err)
	}
	return s
}

// reached has wang's desk open for a kind of work.
func (s *textServer) reached(t *testing.T, l tandem.Load) {
	t.Helper()
	until(t, "wang to be reached", func() bool {
		s.line.Reachable("wang", l, true)
		a, _ := s.line.Agent("wang")
		return a.Reachable[l]
	})
}

// kinds are the events of a story of some kinds, in order, as kind and payload.
func kindsOf(story store.Story, kinds ...tandem.EventKind) (out []string) {
	for _, e := range story.Events {
		if slices.Contains(kinds, e.Kind) {
			out = append(out, string(e.Kind)+" "+string(e.Data))
		}
	}
	return out
}

// An agent takes a visitor out of a menu: what they write is the agent's, over a restart; the
// flow asks a secret for the agent, which nobody sees, and another thing, which is told; then
// the visitor is handed back at another step, and never at one that they may not see.
func TestAVisitorIsTakenOver(t *testing.T) {
	t.Parallel()
	s := newTaken(t)
	c := s.visit(t)
	c.Open()
	c.Reads("Cards or loans?")
	id := s.latest(t, "chat:demo").Interaction.ID
	if _, err := s.TakeOver(t.Context(), id, "wang", ""); tandem.CodeOf(err) != tandem.CodeConflict {
		t.Errorf("taken over by an agent who has no chat open: %v", err)
	}
	until(t, "the task of that to go", func() bool { return len(s.line.Of(id)) == 0 })
	s.reached(t, tandem.LoadChat)
	task, err := s.TakeOver(t.Context(), id, "wang", "it takes long")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.TakeOver(t.Context(), id, "wang", ""); err != nil || again.ID != task.ID {
		t.Errorf("taken over twice: %+v, %v", again, err)
	}
	c.Stands("an agent", func(p testkit.ChatStanding) bool { return p.State == "served" && p.Agent == "wang" })
	c.Say("1")
	c.Acknowledged()
	s.restart(t)
	c.Connect(testkit.Patience)
	c.Stands("the agent after a restart", func(p testkit.ChatStanding) bool { return p.State == "served" && p.Agent == "wang" })
	if now, err := s.stored(t.Context(), id); err != nil || now.Taken == nil || !now.WithAgent() {
		t.Fatalf("after a restart the session is %+v, %v", now.Wait, err)
	}
	conversation := tandem.ConversationID(c.Conversation())
	if _, err := s.talk.Reply(t.Context(), conversation, text.Reply{Agent: "wang", Display: "Wang Li", Client: "r1", Text: "Let me help you."}); err != nil {
		t.Fatal(err)
	}
	c.Reads("Let me help you.")

	nodes, err := s.Nodes(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]Node{}
	for _, n := range nodes {
		got[n.Step] = n
	}
	if !got["wish"].Here || !got["wish"].Allowed || got["vault"].Allowed || got["vault"].Why.En == "" || got["vault"].Why.Zh == "" || !got["code"].Secret || !got["code"].Asks ||
		got["line"].Asks || !got["line"].Allowed || got["left"].Allowed || !strings.Contains(got["wish"].Words.En, "Cards or loans?") {
		t.Errorf("the steps are %+v", nodes)
	}

	told := make(chan Asked, 4)
	defer s.WatchAsked(func(a Asked) { told <- a })()
	if err := s.Ask(t.Context(), task, "wang", "taken/vault"); tandem.CodeOf(err) != tandem.CodeConflict {
		t.Errorf("a step was asked that needs more than was shown: %v", err)
	}
	if err := s.Ask(t.Context(), task, "wang", "taken/code"); err != nil {
		t.Fatal(err)
	}
	c.Reads("Your PIN, please.")
	if err := s.Ask(t.Context(), task, "wang", "taken/paint"); tandem.CodeOf(err) != tandem.CodeConflict {
		t.Errorf("asked twice at once: %v", err)
	}
	c.SaySecret("4711")
	if a := <-told; a.Step != "code" || a.Outcome != "ok" || a.Set["pin"] != "•••" || a.Task != task.ID || a.Agent != "wang" {
		t.Errorf("told %+v", a)
	}
	if err := s.Ask(t.Context(), task, "wang", "taken/paint"); err != nil {
		t.Fatal(err)
	}
	c.Reads("Red or blue?")
	s.restart(t) // what the agent asked goes on
	defer s.WatchAsked(func(a Asked) { told <- a })()
	c.Connect(testkit.Patience)
	c.Say("blue")
	if a := <-told; a.Outcome != "ok" || a.Set["colour"] != "blue" {
		t.Errorf("told %+v", a)
	}
	c.Say("and now?")
	c.Acknowledged()
	if now, err := s.stored(t.Context(), id); err != nil || !now.WithAgent() || now.Asked != nil || now.Frames[0].Step != "wish" || now.Frames[0].Vars["colour"] != "blue" {
		t.Fatalf("after what was asked the session is %+v %+v, %v", now.Wait, now.Frames, err)
	}

	replies, err := s.Replies(t.Context(), task, "wang", "")
	if err != nil || len(replies) != 2 || !strings.HasPrefix(replies[0].Text, "wang here about blue, number ") || len(replies[0].Missing) > 0 {
		t.Errorf("replies %+v, %v", replies, err)
	}
	if replies, err = s.Replies(t.Context(), task, "wang", "/anoth"); err != nil || len(replies) != 1 || replies[0].Name != "another" {
		t.Errorf("replies to /anoth are %+v, %v", replies, err)
	}

	if err := s.HandBack(t.Context(), task, "wang", "taken/vault"); tandem.CodeOf(err) != tandem.CodeConflict || !strings.Contains(err.Error(), "verified") {
		t.Errorf("handed back where the customer may not be: %v", err)
	}
	if err := s.HandBack(t.Context(), task, "li", "taken/line"); tandem.CodeOf(err) != tandem.CodeConflict {
		t.Errorf("handed back by somebody else: %v", err)
	}
	if err := s.HandBack(t.Context(), task, "wang", "taken/paint"); err != nil {
		t.Fatal(err)
	}
	c.Reads("Red or blue?")
	c.Say("red")
	c.Reads("Good bye.")
	story := s.latest(t, "chat:demo")
	want := []string{"session.taken", "session.handed_back"}
	events := kindsOf(story, tandem.EventTakenOver, tandem.EventHandedBack)
	for i, e := range events {
		kind, data, _ := strings.Cut(e, " ")
		var d tandem.TakenOver
		if err := json.Unmarshal([]byte(data), &d); err != nil || i >= len(want) || kind != want[i] || d.Agent != "wang" || d.Task != task.ID || d.Step != []string{"wish", "paint"}[i] || d.Why != []string{"it takes long", ""}[i] {
			t.Errorf("event %s: %v", e, err)
		}
	}
	if len(events) != 2 {
		t.Errorf("the journal has %v", events)
	}
	if o := outcomes(story); !slices.Equal(o, []string{"chat done closed", "chat wrapping served"}) {
		t.Errorf("the tasks are %v", o)
	}
}

// Who is handed back without a step is where they were taken, or goes on after the queue.
func TestAVisitorIsHandedBackWhereTheyWere(t *testing.T) {
	t.Parallel()
	s := newTaken(t)
	s.reached(t, tandem.LoadChat)
	c := s.visit(t)
	c.Open()
	c.Reads("Cards or loans?")
	id := s.latest(t, "chat:demo").Interaction.ID
	task, err := s.TakeOver(t.Context(), id, "wang", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.HandBack(t.Context(), task, "wang", ""); err != nil {
		t.Fatal(err)
	}
	until(t, "the question to be asked anew", func() bool {
		now, err := s.stored(t.Context(), id)
		return err == nil && now.Taken == nil && now.Wait.Kind == flow.WaitListen && now.Wait.Step == "wish"
	})
	if task, err = s.TakeOver(t.Context(), id, "wang", ""); err != nil {
		t.Fatal(err)
	}
	if err := s.HandBack(t.Context(), task, "wang", "taken/line"); err != nil {
		t.Fatal(err)
	}
	c.Stands("a place", func(p testkit.ChatStanding) bool { return p.State == "waiting" })
	for _, h := range s.holds("wang") {
		if err := s.line.Wrap(t.Context(), "wang", h.Fence, "", false); err != nil {
			t.Fatal(err)
		}
	}
	if task, err = s.TakeOver(t.Context(), id, "wang", ""); err != nil || task.Key == "" || isTaken(task) { // out of the line it is in
		t.Fatal(task, err)
	}
	c.Stands("the agent", func(p testkit.ChatStanding) bool { return p.State == "served" })
	if err := s.HandBack(t.Context(), task, "wang", ""); err != nil {
		t.Fatal(err)
	}
	c.Reads("Good bye.")
}

// Nobody takes a visitor out of a secret: what they write next would be the agent's.
func TestNobodyIsTakenOutOfASecret(t *testing.T) {
	t.Parallel()
	s := newTaken(t)
	s.reached(t, tandem.LoadChat)
	c := s.visit(t)
	c.Open()
	c.Reads("Cards or loans?")
	id := s.latest(t, "chat:demo").Interaction.ID
	task, err := s.TakeOver(t.Context(), id, "wang", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.HandBack(t.Context(), task, "wang", "taken/code"); err != nil {
		t.Fatal(err)
	}
	c.Reads("Your PIN, please.")
	if _, err := s.TakeOver(t.Context(), id, "wang", ""); tandem.CodeOf(err) != tandem.CodeConflict || !strings.Contains(err.Error(), "secret") {
		t.Errorf("taken out of a secret: %v", err)
	}
	c.SaySecret("4711")
	c.Reads("Good bye.")
}

// holds is what an agent has.
func (s *textServer) holds(agent string) []route.Holding {
	a, _ := s.line.Agent(agent)
	return a.Holds
}
