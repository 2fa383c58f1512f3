package app

import (
	"strings"
	"testing"

	"tandem"
	"tandem/bridge/link"
	"tandem/internal/testkit"
	"tandem/ivr/flow"
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
	phone.Says("good")
	phone.Gets("Which colour?")
}
