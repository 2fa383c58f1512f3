package reach

import (
	"strings"
	"testing"

	"tandem"
	"tandem/bridge/chat"
	"tandem/store"
)

const statusPage = "https://pages.example/t/mzxw6ytboi4dsnrzgq3tmobqge"

func TestNote(t *testing.T) {
	h := newHouse(t)
	n := tandem.Notice{Key: "ticket/1", Lang: "en", Text: "Your request has the number 1.", Follow: " Follow it here: ", URL: statusPage, Link: "link1", Button: "Follow your request"}
	for range 2 { // once, however often it is asked for
		if sent, err := h.Note(t.Context(), h.who, n); err != nil || !sent {
			t.Fatal(sent, err)
		}
	}
	letters := h.letters()
	if len(letters) != 1 || letters[0].Text != "Your request has the number 1. Follow it here: "+statusPage || letters[0].To != theirs {
		t.Fatalf("%+v", letters)
	}
	c, err := h.book.ByPeer(t.Context(), ours, theirs)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := h.book.Since(t.Context(), c.ID, 0, 10)
	if err != nil || len(entries) != 1 || !strings.HasSuffix(entries[0].Message.Text, "https://pages.example/t/••••") {
		t.Errorf("%+v %v", entries, err)
	}
	// A number that nothing may be sent to, and one that is withheld.
	for _, caller := range []string{"+447700900000", ""} {
		h.who.Caller = caller
		h.who.Interaction = "another"
		h.who.Customer = "nobody"
		n.Key = "ticket/" + caller
		if sent, err := h.Note(t.Context(), h.who, n); err != nil || sent {
			t.Errorf("%q: %t %v", caller, sent, err)
		}
	}
}

func TestNoteInAChat(t *testing.T) {
	h := newHouse(t)
	c := chat.Conversation{Channel: tandem.Chat, Entry: "chat:bank", Interaction: h.who.Interaction, Leg: h.who.Leg, Customer: h.who.Customer, Lang: "en"}
	if err := h.db.Update(t.Context(), func(tx store.Tx) error { return h.book.Create(tx, &c) }); err != nil {
		t.Fatal(err)
	}
	n := tandem.Notice{Key: "told/1", Lang: "en", Text: "About your request.", Follow: " Here: ", Link: "link1", Button: "Follow your request"}
	if sent, err := h.Tell(t.Context(), h.who.Interaction, n); err != nil || sent {
		t.Errorf("who is on the phone is told nothing in a chat: %t %v", sent, err)
	}
	leg := tandem.Leg{ID: tandem.LegID("l" + string(h.who.Leg[1:])), Interaction: h.who.Interaction, Kind: tandem.LegChat, Inbound: true, Role: tandem.RoleCustomer, From: "chat:" + string(c.ID), To: c.Entry, Started: h.clock.Now()}
	if err := h.db.Commit(t.Context(), &store.Change{Legs: []tandem.Leg{leg}}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if sent, err := h.Tell(t.Context(), h.who.Interaction, n); err != nil || !sent {
			t.Fatal(sent, err)
		}
	}
	entries, err := h.book.Since(t.Context(), c.ID, 0, 10)
	if err != nil || len(entries) != 1 || entries[0].Message.Text != "About your request." || entries[0].Message.Link == nil || entries[0].Message.Link.ID != "link1" || entries[0].Message.Link.Label != "Follow your request" {
		t.Errorf("%+v %v", entries, err)
	}
	if letters := h.letters(); len(letters) > 0 {
		t.Errorf("%+v", letters)
	}
}
