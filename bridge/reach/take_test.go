package reach

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/link"
	"tandem/ivr/flow"
	"tandem/store"
)

// lines has the house's customer wait in line.
func (h *house) lines() {
	h.session.Wait = flow.Wait{Kind: flow.WaitQueue, Serial: 7, Step: "ask"}
	h.session.Frames[0].Visits = map[string]int{"ask": 1}
}

// takes takes an offer and returns the words that are said.
func (h *house) takes(what string, again bool) (said []string) {
	h.t.Helper()
	plays, err := h.Begin(h.t.Context(), h.who, h.session, flow.Take{Serial: 7, What: what, Again: again})
	if err != nil {
		h.t.Fatal(err)
	}
	for _, p := range plays {
		said = append(said, p.Name)
	}
	if got := h.said(); got != nil {
		h.t.Errorf("the session was answered %v", got)
	}
	return said
}

// allLinks are those that an interaction has, oldest first.
func (h *house) allLinks() []link.Link {
	h.t.Helper()
	all, err := h.links.Of(h.t.Context(), h.who.Interaction)
	if err != nil {
		h.t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b link.Link) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return all
}

// Who waits in line takes the way to the chat: one link, however often they do; another
// once that is of no use, but not after a restart; and never an answer to the session.
func TestTakingTheChatInLine(t *testing.T) {
	h := newHouse(t)
	h.lines()
	if got := h.takes("chat", false); !slices.Equal(got, []string{flow.LineSent}) {
		t.Errorf("said is %q", got)
	}
	h.takes("chat", false)
	h.takes("chat", true)
	all := h.allLinks()
	if len(all) != 1 || all[0].To != tandem.Chat || all[0].Needs != tandem.None || len(h.letters()) != 1 {
		t.Fatalf("%d links: %+v", len(all), all)
	}
	if !h.Leads(h.who.Interaction, tandem.Chat) || h.Leads(h.who.Interaction, tandem.SMS) {
		t.Error("the wrong way lies open")
	}
	if err := h.links.Revoke(t.Context(), all[0].ID, "system", "test"); err != nil {
		t.Fatal(err)
	}
	h.Over(h.who.Interaction, 7, tandem.Chat)
	if got := h.takes("chat", true); got != nil || len(h.allLinks()) != 1 {
		t.Errorf("asked again, it says %q and has %d links", got, len(h.allLinks()))
	}
	for range 4 { // two more are sent, and then no more
		h.takes("chat", false)
		for _, l := range h.allLinks() {
			if err := h.links.Revoke(t.Context(), l.ID, "system", "test"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := len(h.allLinks()); n != maxTaken {
		t.Errorf("%d links", n)
	}
	if got := h.takes("chat", false); !slices.Equal(got, []string{flow.LineUnreachable}) {
		t.Errorf("said is %q", got)
	}
}

// A level that is carried along is asked for on the link's page, with a code that is told.
func TestTakingTheChatWithALevel(t *testing.T) {
	h := newHouse(t)
	h.lines()
	h.who.Assurance = tandem.Verified
	if got := h.takes("chat", false); !slices.Equal(got, []string{flow.LineSent, "link_code"}) {
		t.Errorf("said is %q", got)
	}
	if all := h.allLinks(); len(all) != 1 || all[0].Needs != tandem.Verified {
		t.Errorf("%+v", all)
	}
	if got := h.takes("chat", true); !slices.Equal(got, []string{"link_code"}) { // a new one, since none is kept
		t.Errorf("said again is %q", got)
	}
}

// The way to texts is a text; any answer takes it, and its end answers nothing.
func TestTakingTextsInLine(t *testing.T) {
	h := newHouse(t)
	h.lines()
	if got := h.takes("sms", false); !slices.Equal(got, []string{flow.LineSent}) {
		t.Errorf("said is %q", got)
	}
	h.takes("sms", false)
	if got := h.takes("sms", true); got != nil {
		t.Errorf("said again is %q", got)
	}
	sent := h.letters()
	if len(sent) != 1 || !strings.HasPrefix(sent[0].Text, "Answer this message") {
		t.Fatalf("sent is %+v", sent)
	}
	if _, ok := h.Came(h.who.Interaction, tandem.SMS, "another", 2); ok {
		t.Error("anybody comes by it")
	}
	c, err := h.Conversation(t.Context(), h.who.Interaction, tandem.SMS)
	if err != nil || c.Theirs != theirs {
		t.Fatalf("%+v, %v", c, err)
	}
	if serial, ok := h.Came(h.who.Interaction, tandem.SMS, c.ID, 2); !ok || serial != 7 {
		t.Errorf("it leads to %d, %t", serial, ok)
	}
	h.open(h.who.Interaction, moving{serial: 7, to: tandem.SMS, line: true}, time.Nanosecond)
	for range 1000 {
		if !h.Leads(h.who.Interaction, "") {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if got := h.said(); got != nil || h.Leads(h.who.Interaction, "") {
		t.Errorf("a way that ends answers %v", got)
	}
}

// What is taken too late, twice over or for a channel that cannot be reached is nothing.
func TestTakenInVain(t *testing.T) {
	h := newHouse(t)
	h.lines()
	h.session.Wait.Served = true
	if got := h.takes("chat", false); got != nil {
		t.Errorf("who is served gets %q", got)
	}
	h.session.Wait = flow.Wait{Kind: flow.WaitQueue, Serial: 8}
	if got := h.takes("chat", false); got != nil {
		t.Errorf("who waits anew gets %q", got)
	}
	h.lines()
	h.who.Caller = ""
	for _, what := range []string{"chat", "sms"} {
		if got := h.takes(what, false); !slices.Equal(got, []string{flow.LineUnreachable}) {
			t.Errorf("without a number %s says %q", what, got)
		}
		if got := h.takes(what, true); got != nil {
			t.Errorf("without a number %s says %q again", what, got)
		}
	}
	if _, err := h.Begin(t.Context(), h.who, h.session, flow.Take{Serial: 7, What: "pigeon"}); err == nil {
		t.Error("any offer is carried out")
	}
}

func TestCallable(t *testing.T) {
	h := newHouse(t)
	for asked, want := range map[string]string{"": theirs, theirs: theirs, "+8613800000002": "", "+19005550100": ""} {
		to, ok, err := h.Callable(t.Context(), h.who, asked)
		if err != nil || to != want || ok != (want != "") {
			t.Errorf("%q gives %q, %t, %v", asked, to, ok, err)
		}
	}
}

// Where a customer can be written to later: the chat they were in, or the texts with the
// number they called from, which are made.
func TestConversation(t *testing.T) {
	h := newHouse(t)
	if _, err := h.Conversation(t.Context(), h.who.Interaction, tandem.Chat); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a caller has a chat: %v", err)
	}
	first, err := h.Conversation(t.Context(), h.who.Interaction, tandem.SMS)
	if err != nil || first.Theirs != theirs || first.Ours != ours || first.ID == "" {
		t.Fatalf("%+v, %v", first, err)
	}
	again, err := h.Conversation(t.Context(), h.who.Interaction, tandem.SMS)
	if err != nil || again.ID != first.ID || again.Theirs != theirs {
		t.Errorf("%+v, %v", again, err)
	}
	if _, err := h.Conversation(t.Context(), "nobody", tandem.SMS); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("nobody has texts: %v", err)
	}
}
