package app

import (
	"crypto/rand"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mattn/go-sqlite3"

	"tandem"
	"tandem/bridge/chat"
	"tandem/bridge/link"
	"tandem/bridge/sms"
	"tandem/internal/config"
	"tandem/internal/testkit"
	"tandem/ivr/flow"
	"tandem/ivr/text"
	"tandem/store"
)

// twiceFlow goes on by text as soon as it has come to the chat.
var twiceFlow = strings.NewReplacer(
	"flow: desk", "flow: twice",
	"to_chat: { handoff: { to: chat, prompt: go }, next: { accepted: back_in", "to_chat: { handoff: { to: chat, prompt: go }, next: { accepted: to_sms",
).Replace(deskFlow)

// comes lets a session go on in the chat, as whoever has typed the code on the link's page.
func (s *textServer) comes(t *testing.T, id tandem.InteractionID) (*testkit.Chat, error) {
	t.Helper()
	var l link.Link
	until(t, "a link to the chat", func() bool {
		all, err := s.links.Of(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range all {
			if one.Handoff() && (l.ID == "" || one.Made.After(l.Made)) {
				l = one
			}
		}
		return l.ID != ""
	})
	until(t, "the call at the handoff", func() bool {
		k := s.live.get(id)
		if k == nil {
			return true
		}
		k.stay.mu.Lock()
		defer k.stay.mu.Unlock()
		return k.stay.wait.Kind == flow.WaitHandoff
	})
	site, token, err := s.accept(t.Context(), l)
	if err != nil {
		return nil, err
	}
	return testkit.NewChat(t, s.url, testkit.ChatOptions{Site: site, Token: token}), nil
}

// What a session begins in the chat, while the call that it left is still being ended, is
// not taken back with the call.
func TestTheEndOfACallLeavesWhatTheSessionBegan(t *testing.T) {
	t.Parallel()
	s := newDesk(t, textSetup{flows: map[string]string{"twice.flow.yaml": twiceFlow}, entries: "  \"4\": twice\n"})
	phone := s.texts.Inbox(customer)
	call := s.dials(t, "4", customer)
	call.presses("4")
	call.presses(phone.Code())
	call.at("main")
	call.presses("1")
	call.at("keep")
	call.presses("1")
	call.at("colour")
	call.presses("*4")
	call.at("from_voice")
	call.presses("1")
	phone.Gets("Go on here")
	if _, err := s.comes(t, call.id); err != nil {
		t.Fatal(err)
	}
	call.WaitBye(patience)
	phone.Gets("Answer this to go on")
	s.shows(t, call.id, "the end of the call", func(story store.Story) bool { return !story.Legs[0].Ended.IsZero() })
	// The link that led to the chat has had its day: nothing that becomes of it matters.
	all, err := s.links.Of(t.Context(), call.id)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d links, %v", len(all), err)
	}
	s.linkChanged(t.Context(), all[0], tandem.LinkExpired, nil)
	if err := s.goOn(t.Context(), call.id, all[0].Serial, chat.Conversation{ID: tandem.NewID[tandem.ConversationID](time.Now(), rand.Reader), Channel: tandem.Chat}, false); err == nil {
		t.Error("a session went by a way that it is not waiting at")
	}
	phone.Says("good")
	phone.Gets("Which colour?")
}

// A page that is finished while its caller's call is being ended is heard of.
func TestPageFinishedAsTheCallEnds(t *testing.T) {
	t.Parallel()
	s := newDesk(t, textSetup{change: func(c *config.Config) { c.Limits.MaxCallTime = 6 * time.Second }})
	phone := s.texts.Inbox(customer)
	call := s.dials(t, "3", customer)
	call.presses("2")
	b := testkit.NewBrowser(t).Get(address(t, phone.Gets("Fill this in").Text)).Send("", nil)
	call.hears("You have opened it")
	call.Want(2*patience, "BYE", func(m *testkit.Message) bool { return strings.HasPrefix(m.Start, "BYE ") }) // and does not answer it yet
	b.Send("done", map[string]string{"user": "harbour.li"})
	story := s.shows(t, call.id, "the end of the interaction", closed)
	if said := words(prompts(story)); !strings.Contains(said, "The page is done.") {
		t.Errorf("the flow said %s", said)
	}
}

// Who comes when the wait is over is told at once, and is not in the way of the next.
func TestTooLateForACall(t *testing.T) {
	k := &call{app: &App{}, inbox: make(chan flow.Input, maxInbox)}
	k.app.live.put("i", k)
	k.stay.waits(flow.Session{Wait: flow.Wait{Kind: flow.WaitHandoff, Serial: 3}})
	for _, serial := range []int{3, 5} {
		came := make(chan error, 1)
		go func() { came <- k.goOn(t.Context(), "c", text.Adopted{Interaction: "i"}, flow.Input{Serial: serial}) }()
		select {
		case <-k.inbox:
		case err := <-came:
			t.Fatalf("at wait %d: %v", serial, err)
		}
		k.stay.waits(flow.Session{Wait: flow.Wait{Kind: flow.WaitHandoff, Serial: serial + 2}}) // its own time was over meanwhile
		if err := <-came; !errors.Is(err, errTooLate) {
			t.Errorf("at wait %d: %v", serial, err)
		}
	}
}

// A session that lies parked goes to one of those who come for it at once.
func TestParkedSessionGoesToOne(t *testing.T) {
	t.Parallel()
	s := newDesk(t, textSetup{})
	phone := s.texts.Inbox(customer)
	call := s.dials(t, "3", customer)
	call.presses("1")
	call.at("keep")
	call.presses("1")
	call.at("colour")
	call.presses("*4")
	call.at("from_voice")
	call.presses("1")
	phone.Gets("Go on here")
	call.Bye()
	s.shows(t, call.id, "the end of the call", closed)
	parked, err := s.stored(t.Context(), call.id)
	if err != nil || parked.Wait.Kind != flow.WaitHandoff {
		t.Fatalf("%v: parked is %+v", err, parked.Wait)
	}
	var all sync.WaitGroup
	var went atomic.Int32
	for range 8 {
		c := chat.Conversation{ID: tandem.NewID[tandem.ConversationID](time.Now(), rand.Reader), Channel: tandem.Chat, Entry: "chat:night", Lang: "en", Started: time.Now()}
		if err := s.store.Update(t.Context(), func(tx store.Tx) error { return s.book.Create(tx, &c) }); err != nil {
			t.Fatal(err)
		}
		all.Go(func() {
			if s.goOn(t.Context(), call.id, parked.Wait.Serial, c, false) == nil {
				went.Add(1)
			}
		})
	}
	all.Wait()
	moved := payloads[tandem.Moved](s.read(t, call.id), tandem.EventResumed)
	if went.Load() != 1 || len(moved) != 1 {
		t.Errorf("the session went to %d conversations, by %d moves", went.Load(), len(moved))
	}
}

// A store that fails in the middle of going on with an earlier interaction: that lies
// parked as it was.
func TestStoreFailsAsACallGoesOn(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	var left atomic.Int32 // commits that still go well
	s := newDesk(t, textSetup{fault: func(point string) error {
		if down.Load() && point == "commit" && left.Add(-1) < 0 {
			return sqlite3.Error{Code: sqlite3.ErrFull}
		}
		return nil
	}})
	first := s.dials(t, "3", customer)
	first.presses("1")
	first.at("keep")
	first.Bye()
	earlier := s.shows(t, first.id, "the end of the call", closed).Interaction

	now := time.Now()
	k := &call{app: s.App, log: s.App.log, inbox: make(chan flow.Input, maxInbox), outcome: "error"}
	k.interaction = tandem.Interaction{ID: tandem.NewID[tandem.InteractionID](now, rand.Reader), Number: tandem.NewNumber(rand.Reader), Entry: "3", Flow: "desk", State: tandem.Open, Started: now}
	k.leg = tandem.Leg{ID: tandem.NewID[tandem.LegID](now, rand.Reader), Interaction: k.interaction.ID, Kind: tandem.LegSIP, Inbound: true, Role: tandem.RoleCustomer, From: customer, Started: now}
	if err := s.store.Commit(t.Context(), &store.Change{Interaction: &k.interaction, Legs: []tandem.Leg{k.leg}, Events: []tandem.Event{k.event(tandem.EventOpened, nil)}}); err != nil {
		t.Fatal(err)
	}
	left.Store(1)
	down.Store(true)
	_, err := k.becomes(t.Context(), earlier.ID, flow.Turn{Assurance: tandem.Verified})
	down.Store(false)
	if err == nil {
		t.Fatal("the store did not fail")
	}
	until(t, "the store again", func() bool { return s.store.Healthy() == nil })
	change := &store.Change{Interaction: &k.interaction}
	k.interaction.State, k.interaction.Ended = tandem.Closed, now
	k.stay.park(change, now.Add(time.Hour))
	if k.interaction.ID != earlier.ID || change.EndSession || change.Session == nil {
		t.Errorf("interaction %s of %s ends with %+v", k.interaction.ID, earlier.ID, change)
	}
}

// Who opens a link that led from texts back to the chat, and has shown nothing, does not
// see what was said there before: the text may have been forwarded.
func TestForwardedLinkShowsNoEarlierChat(t *testing.T) {
	t.Parallel()
	s := newDesk(t, textSetup{})
	phone := s.texts.Inbox(customer)
	visitor := s.drops(t)
	visitor.Open()
	visitor.Reads("Form, link")
	visitor.Say("who")
	visitor.Reads("mobile number")
	visitor.SaySecret(customer)
	visitor.SaySecret(phone.Code())
	visitor.Reads("We know you.")
	visitor.Say("form")
	visitor.Reads("May we keep it?")
	visitor.Say("yes")
	visitor.Reads("Which colour?")
	visitor.Say("elsewhere")
	visitor.Reads("Where to?")
	visitor.Say("sms")
	phone.Gets("Answer this to go on")
	phone.Says("good")
	phone.Gets("Which colour?")
	phone.Says("elsewhere")
	phone.Gets("Where to?")
	phone.Says("chat")
	stranger := s.goesOnInChat(t, address(t, phone.Gets("Go on here").Text))
	stranger.Reads("Which colour?")
	for _, m := range stranger.Messages() {
		if strings.Contains(m.Text, "We know you.") || m.From == "customer" {
			t.Errorf("the stranger reads %q", m.Text)
		}
	}
	if stranger.Conversation() == visitor.Conversation() {
		t.Error("it is the same conversation")
	}
	visitor.Over(1)
	// Back to the texts: the old link leads nowhere, and the chat stays as it is.
	used, err := s.links.Of(t.Context(), s.latest(t, "chat:night").Interaction.ID)
	if err != nil || len(used) != 1 {
		t.Fatalf("%d links, %v", len(used), err)
	}
	stranger.Say("Red")
	stranger.Reads("Which size?")
	stranger.Say("elsewhere")
	stranger.Reads("Where to?")
	stranger.Say("sms")
	phone.Gets("Answer this to go on")
	phone.Says("good")
	phone.Gets("Which size?")
	if _, _, err := s.accept(t.Context(), used[0]); !errors.Is(err, errTooLate) {
		t.Errorf("the old link: %v", err)
	}
	if c, err := s.book.Find(t.Context(), tandem.ConversationID(stranger.Conversation())); err != nil || c.Interaction != used[0].Interaction {
		t.Errorf("the chat is of %q, %v", c.Interaction, err)
	}
	s.verify(t)
}

// A text that a gateway brings once more, since the program was killed before it said that
// it had taken it, and that comes late: it answered the question of then, and is no answer
// to one that was asked since.
func TestLateDoubleIsNoAnswer(t *testing.T) {
	t.Parallel()
	s := newDesk(t, textSetup{})
	phone := s.texts.Inbox(customer)
	first := s.proves(t)
	first.Say("form")
	first.Reads("May we keep it?")
	first.Say("yes")
	first.Reads("Which colour?")
	first.Say("elsewhere")
	first.Reads("Where to?")
	first.Say("sms")
	phone.Gets("Answer this to go on")
	phone.Says("good")
	phone.Gets("Which colour?")
	id := s.latest(t, "chat:night").Interaction.ID
	wrote := phone.Wrote()
	double := sms.Inbound{Gateway: "phones", ID: wrote[len(wrote)-1].ID, From: customer, To: ourNumber, Text: "good"}

	phone.Says("elsewhere")
	phone.Gets("Where to?")
	phone.Says("chat")
	second := s.goesOnInChat(t, address(t, phone.Gets("Go on here").Text))
	second.Reads("Which colour?")
	second.Say("elsewhere")
	second.Reads("Where to?")
	second.Say("sms")
	phone.Gets("Answer this to go on")
	before := len(phone.Got())
	if err := s.textArrived(t.Context(), double); err != nil { // whose mark that it was seen is lost
		t.Fatal(err)
	}
	if now, err := s.stored(t.Context(), id); err != nil || now.Facts.Channel != tandem.Chat || now.Wait.Kind != flow.WaitHandoff {
		t.Errorf("%v: after a double the session is by %s, at %s", err, now.Facts.Channel, now.Wait.Kind)
	}
	phone.Says("good again")
	phone.Gets("Which colour?")
	phone.Says("Red")
	phone.Gets("Which size?")
	said := 0
	for _, m := range phone.Got()[before:] {
		if strings.HasPrefix(m.Text, "Which") {
			said++
		}
		if strings.HasPrefix(m.Text, "We go on in the chat") {
			t.Errorf("who comes by text is told %q", m.Text)
		}
	}
	if said != 2 {
		t.Errorf("there came %d questions: %+v", said, phone.Got()[before:])
	}
	s.verify(t)
}
