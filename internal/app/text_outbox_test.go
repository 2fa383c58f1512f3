package app

import (
	"strings"
	"testing"

	"tandem"
	"tandem/bridge/sms/simulator"
	"tandem/store"
)

// A text goes out once, whatever its gateway does: where that was busy it is sent again,
// where the answer was lost a receipt tells that it has it, and where it is refused it is
// given up, which the flow is told.
func TestGatewaysFail(t *testing.T) {
	t.Parallel()
	s := newWishes(t, "")
	phone := s.texts.Inbox(customer)

	s.texts.Next(simulator.Knobs{Vanish: 1})
	call := s.dials(t, "4", customer)
	call.presses("3")
	phone.Gets("Page:")
	s.settled(t)

	s.texts.Next(simulator.Knobs{Temporary: 1})
	second := s.dials(t, "4", "+8613800000002")
	second.presses("3")
	s.texts.Inbox("+8613800000002").Gets("Page:")
	s.settled(t)

	s.texts.Next(simulator.Knobs{Fail: 1})
	third := s.dials(t, "4", "+8613800000003")
	third.presses("3")
	third.hears("It was not done.")
	for _, c := range []*caller{call, second, third} {
		c.Bye()
	}
	s.settled(t)
	letters, err := s.store.Outbox(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	states := map[store.LetterState]int{}
	for _, l := range letters {
		states[l.State]++
	}
	if states[store.LetterDelivered] != 2 || states[store.LetterDead] != 1 {
		t.Errorf("the outbox has %v", states)
	}
	story := s.read(t, third.id)
	dead := payloads[tandem.Delivery](story, tandem.EventOutboxDead)
	failed := payloads[tandem.Receipt](story, tandem.EventReceipt)
	if len(dead) != 1 || len(failed) == 0 || failed[len(failed)-1].State != tandem.MessageFailed {
		t.Errorf("the journal of a text that was given up has %+v and %+v", dead, failed)
	}
	if sent := s.texts.Sent(); len(sent) != 2 || len(sent[customer]) != 1 || len(sent["+8613800000002"]) != 1 || !strings.HasPrefix(sent[customer][0].Text, "Page:") {
		t.Errorf("the phones got %+v", sent)
	}
}
