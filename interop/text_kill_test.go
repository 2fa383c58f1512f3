package interop

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tandem"
	"tandem/internal/testkit"
	"tandem/store"
)

const (
	kills    = 10 // amid each, at least
	messages = 60 // that the visitor writes
	written  = 40 // texts that the phone writes
	talkTime = 4 * time.Minute
	texter   = "+8613800000001"
	texted   = "+861055550100" // a number of ours, which leads to the flow echo
	moved    = "+861055550200" // one that leads to the flow moves
)

// TestKillTalks ends the server by SIGKILL at random moments of a chat of 60
// messages and of a talk by text message: after each restart both go on, and at the end neither
// side has lost, doubled or reordered anything.
func TestKillTalks(t *testing.T) {
	t.Parallel()
	s, texts := serveTexts(t)
	random := rand.New(rand.NewPCG(4, kills))
	base := "http://" + s.HTTP.String()
	visitor := testkit.NewChat(t, base, testkit.ChatOptions{Site: "echo"})
	visitor.Open()
	visitor.Reads("Yes?")
	phone := texts.Inbox(texter)
	phone.Says("hello")
	phone.Gets("Yes?")

	var running sync.WaitGroup
	over := make(chan struct{})
	var chatting, texting atomic.Bool
	chatting.Store(true)
	texting.Store(true)
	think := rand.New(rand.NewPCG(random.Uint64(), 1))
	running.Go(func() { chats(t, visitor, think, over); chatting.Store(false) })
	running.Go(func() { writesTexts(t, phone, over); texting.Store(false) })
	done := make(chan struct{})
	go func() { running.Wait(); close(done) }()
	amid := map[string]int{} // kills while they talked
	deadline := time.Now().Add(talkTime)
	for talking := true; talking; {
		wait := time.NewTimer(time.Duration(100+random.IntN(700)) * time.Millisecond)
		select {
		case <-wait.C:
		case <-done:
			talking = false
			continue
		}
		if time.Now().After(deadline) {
			close(over)
			<-done
			t.Fatalf("the talks are not over; the chat:\n%s\nthe phone has %d texts", visitor, len(phone.Got()))
		}
		if chatting.Load() {
			amid["chat"]++
		}
		if texting.Load() {
			amid["texts"]++
		}
		s.Kill(t)
		s.Start(t)
	}
	s.Verify(t)
	inOrder(t, visitor.Messages())
	again := testkit.NewChat(t, base, testkit.ChatOptions{Site: "echo", Token: visitor.Token()})
	if a, b := plain(visitor.Messages()), plain(again.Messages()); !slices.Equal(a, b) {
		t.Errorf("a second device sees\n%s\nthe first\n%s", strings.Join(b, "\n"), strings.Join(a, "\n"))
	}
	var got []string
	for _, m := range phone.Got() {
		got = append(got, m.Text)
	}
	once(t, "the phone", "s", written, strings.Split(strings.Join(got, "\n"), "\n"))
	t.Logf("kills: %v", amid)
	if amid["chat"] < kills || amid["texts"] < kills {
		t.Errorf("kills while they talked: %v, want %d of each", amid, kills)
	}
	t.Logf("of %d texts taken %d were handed over again under their own key", texts.Counts().Taken, texts.Counts().Doubled)
	journals(t, s, visitor.Messages(), len(got))
}

// serveTexts starts a server with the flows echo, form and moves, and the phones beside it.
func serveTexts(t *testing.T) (s *testkit.Server, texts *testkit.Texts) {
	t.Helper()
	s = serve(t,
		testkit.Set("chat.sites", map[string]any{"echo": map[string]any{}}), testkit.Set("entries.chat:echo", "echo"), testkit.Set("entries.sms:"+texted, "echo"),
		testkit.Set("entries.form", "form"), testkit.Set("entries.sms:"+moved, "moves"),
		testkit.Set("texts", map[string]any{"allow": []string{"+86138"}, "per_hour": 1000, "per_number_per_hour": 1000, "per_number_per_day": 1000}),
		func(config map[string]any) {
			listen := config["http"].(map[string]any)["listen"].(string)
			texts = testkit.NewTexts(t, "http://"+listen+"/api/v1/sms/phones", texted, moved)
			testkit.Set("sms.gateways.phones", map[string]any{"kind": "webhook", "url": texts.URL + "/webhook", "secret": texts.Secret, "numbers": []string{texted, moved}})(config)
		})
	return s, texts
}

// TestKillAForm ends the server by SIGKILL while callers are in the middle of a form. Who
// rings back, gives the number and enters the code that was texted is where they were.
func TestKillAForm(t *testing.T) {
	t.Parallel()
	s, texts := serveTexts(t)
	first := testkit.NewPeer(t, "udp", s.SIP).Call("form", testkit.Options{From: texter})
	first.RTP.Type("1")
	first.RTP.Type("42")
	cut := at(t, s, "name")
	s.Kill(t)
	s.Start(t)
	again := testkit.NewPeer(t, "udp", s.SIP).Call("form", testkit.Options{From: texter})
	again.RTP.Type("2")
	at(t, s, "earlier")
	again.RTP.Type(string(cut.Interaction.Number))
	again.RTP.Type(texts.Inbox(texter).Code())
	again.RTP.Hear(3*testkit.Patience, time.Time{}, 800, 300*time.Millisecond) // the second question
	again.RTP.Type("4711")
	again.WaitBye(3 * testkit.Patience)
	story := watch(t, s, "the end", func() (store.Story, bool) {
		story := s.Story(t, string(cut.Interaction.ID))
		return story, !story.Interaction.Ended.IsZero()
	})
	kinds := testkit.Kinds(story)
	if story.Interaction.Outcome != "completed" || kinds[tandem.EventResumed] != 1 || len(story.Legs) != 2 {
		t.Errorf("the interaction ended with %q:\n%s", story.Interaction.Outcome, tell(story))
	}
	s.Verify(t)
}

// at waits until the newest interaction has come to a step.
func at(t *testing.T, s *testkit.Server, step string) store.Story {
	t.Helper()
	return watch(t, s, "step "+step, func() (newest store.Story, there bool) {
		if list := s.Interactions(t); len(list) > 0 {
			newest = s.Story(t, string(list[0].ID))
		}
		entered := ""
		for _, e := range newest.Events {
			var data tandem.StepEntered
			if e.Kind == tandem.EventStep && json.Unmarshal(e.Data, &data) == nil {
				entered = data.Step
			}
		}
		return newest, entered == step
	})
}

// watch looks at an interaction until it is as it should be.
func watch(t *testing.T, s *testkit.Server, what string, look func() (store.Story, bool)) store.Story {
	t.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(3 * testkit.Patience); ; <-tick.C {
		story, there := look()
		if there {
			return story
		}
		if time.Now().After(deadline) {
			t.Fatalf("it never came to %s:\n%s", what, tell(story))
		}
	}
}

// chats has a visitor write, one to three messages at a time, and connect again whenever
// the connection is lost.
func chats(t *testing.T, c *testkit.Chat, random *rand.Rand, over chan struct{}) {
	for said := 0; said < messages; {
		for range min(1+random.IntN(3), messages-said) {
			said++
			c.Say(fmt.Sprintf("m-%d", said))
		}
		last := fmt.Sprintf("Heard: m-%d.", said)
		for {
			select {
			case <-over:
				return
			default:
			}
			if c.Lost() {
				_ = c.Connect(200 * time.Millisecond) // the server may be away
				continue
			}
			if _, ok := c.Sees(100*time.Millisecond, func(m testkit.ChatMessage) bool { return m.Text == last }); ok {
				break
			}
		}
		wait := time.NewTimer(time.Duration(random.IntN(600)) * time.Millisecond) // people think
		<-wait.C
	}
	if n := c.Unacknowledged(); n != 0 {
		t.Errorf("%d messages were answered and not acknowledged", n)
	}
}

// writesTexts has a phone write one text after the other, once the last was answered.
func writesTexts(t *testing.T, phone *testkit.Inbox, over chan struct{}) {
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for said := 1; said <= written; said++ {
		phone.Says(fmt.Sprintf("s-%d", said))
		last := fmt.Sprintf("Heard: s-%d.", said)
		for answered := false; !answered; {
			select {
			case <-over:
				return
			case <-look.C:
			}
			for _, m := range phone.Got() {
				answered = answered || strings.Contains(m.Text, last)
			}
		}
	}
}

// inOrder checks the chat as the visitor sees it.
func inOrder(t *testing.T, all []testkit.ChatMessage) {
	t.Helper()
	var own, theirs []string
	for i, m := range all {
		if m.Seq != uint64(i+1) {
			t.Fatalf("message %d has number %d", i+1, m.Seq)
		}
		if m.From == "customer" {
			own = append(own, m.Text)
		} else {
			theirs = append(theirs, m.Text)
		}
	}
	for i, text := range own {
		if want := fmt.Sprintf("m-%d", i+1); text != want {
			t.Fatalf("the visitor's message %d is %q", i+1, text)
		}
	}
	if len(own) != messages {
		t.Errorf("the visitor has written %d messages, %d are there", messages, len(own))
	}
	once(t, "the visitor", "m", messages, theirs)
}

// once checks that each message was noted and heard once, in its order, with the question
// after it.
func once(t *testing.T, who, prefix string, n int, got []string) {
	t.Helper()
	want := []string{"Yes?"}
	for i := range n {
		name := fmt.Sprintf("%s-%d", prefix, i+1)
		want = append(want, "Noted: "+name+".", "Heard: "+name+".", "Yes?")
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s has read\n%s", who, strings.Join(got, "\n"))
	}
}

func plain(all []testkit.ChatMessage) []string {
	var lines []string
	for _, m := range all {
		lines = append(lines, fmt.Sprintf("%d %s %s", m.Seq, m.From, m.Text))
	}
	return lines
}

// journals holds the journals of both talks against what the customers have.
func journals(t *testing.T, s *testkit.Server, seen []testkit.ChatMessage, texts int) {
	t.Helper()
	list := s.Interactions(t)
	if len(list) != 2 {
		t.Fatalf("there are %d interactions, want one for each talk", len(list))
	}
	for _, x := range list {
		story := s.Story(t, string(x.ID))
		if !story.Interaction.Ended.IsZero() {
			t.Errorf("the talk by %s is %s", x.Entry, story.Interaction.State)
		}
		count := testkit.Kinds(story)
		want := len(seen)
		if strings.HasPrefix(x.Entry, "sms:") {
			want = texts + written + 1
		}
		if count[tandem.EventMessage] != want || count[tandem.EventFlowError] != 0 {
			t.Errorf("by %s the journal has %d messages, want %d, and %d faults", x.Entry, count[tandem.EventMessage], want, count[tandem.EventFlowError])
		}
		for i, e := range story.Events {
			if e.Seq != uint64(i+1) {
				t.Errorf("event %d of %s has number %d", i+1, x.Entry, e.Seq)
				break
			}
		}
	}
}
