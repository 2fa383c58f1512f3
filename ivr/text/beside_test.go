package text

import (
	"slices"
	"strings"
	"testing"

	"tandem"
	"tandem/bridge/chat"
	"tandem/ivr/flow"
	"tandem/store"
)

// besides makes a chat that stands beside a call, as a link's page does.
func (h *house) besides(c call) tandem.ConversationID {
	h.Helper()
	now := h.place.Clock.Now()
	leg := tandem.Leg{ID: tandem.NewID[tandem.LegID](now, h.random), Interaction: c.id, Kind: tandem.LegChat, Inbound: true, Role: tandem.RoleCustomer, Started: now, Answered: now}
	conv := chat.Conversation{Channel: tandem.Chat, Entry: "chat:bank", Interaction: c.id, Leg: leg.ID, Customer: c.customer, Lang: "en"}
	h.must(h.db.Commit(h.Context(), &store.Change{Legs: []tandem.Leg{leg}, With: func(tx store.Tx) error { return h.book.Create(tx, &conv) }}))
	return conv.ID
}

// What is written beside a call is kept in its interaction for both sides, and no step of the
// flow: that runs in the call.
func TestBesideACall(t *testing.T) {
	h := newHouse(t, lined)
	c := h.called("f", third(), anna())
	id := h.besides(c)
	before := h.stored(c.id)
	h.open(id)
	e := h.say(id, "Do you see my card?")
	if again := h.say(id, "Do you see my card?"); again.Message.Seq <= e.Message.Seq {
		t.Errorf("what is said is kept as %+v and %+v", e, again)
	}
	if p, ok := h.d.Place(t.Context(), id, nil); !ok || !p.Served || p.Position != 0 || len(p.Offers) > 0 {
		t.Errorf("it stands at %+v, %v", p, ok)
	}
	h.must(h.d.Typing(t.Context(), id, "Anna", true))
	first, err := h.reply(id, "r1", "Yes. Turn it, please.")
	h.must(err)
	again, err := h.reply(id, "r1", "Yes. Turn it, please.")
	h.must(err)
	if first.Message.Seq != again.Message.Seq || first.Message.Lang == "" {
		t.Errorf("answered with %+v and %+v", first, again)
	}
	h.talked(id, "> Do you see my card?", "> Do you see my card?", "Yes. Turn it, please.")
	story := h.story(c.id)
	said := 0
	for _, ev := range story.Events {
		switch {
		case ev.Kind == tandem.EventMessage:
			said++
		case strings.HasPrefix(string(ev.Kind), "flow.") && ev.Leg != c.leg:
			t.Errorf("the flow took a step here: %+v", ev)
		}
	}
	if said != 3 || h.conv(id).Interaction != c.id || len(story.Legs) != 2 {
		t.Errorf("%d messages, conversation of %s, %d legs", said, h.conv(id).Interaction, len(story.Legs))
	}
	if now := h.stored(c.id); now.Wait.Serial != before.Wait.Serial || now.Wait.Kind != flow.WaitQueue || !now.Wait.Served {
		t.Errorf("the session in the call waits in %+v", now.Wait)
	}
}

// Nobody who does not serve writes beside a call; what its caller writes there is kept all the
// same, and once the call is over the next word begins another interaction.
func TestBesideACallThatNobodyServes(t *testing.T) {
	h := newHouse(t, lined)
	c := h.called("f", third())
	id := h.besides(c)
	h.say(id, "Hello?")
	if _, err := h.reply(id, "r1", "Hello."); tandem.CodeOf(err) != tandem.CodeConflict {
		t.Errorf("who does not serve may write: %v", err)
	}
	if _, ok := h.d.Place(t.Context(), id, nil); ok {
		t.Error("a caller's place in line is told beside the call")
	}
	if err := h.d.Typing(t.Context(), id, "Anna", true); tandem.CodeOf(err) != tandem.CodeConflict {
		t.Errorf("who does not serve types: %v", err)
	}
	h.talked(id, "> Hello?")
	h.hangUp(c, true)
	if _, err := h.reply(id, "r2", "Still there?"); tandem.CodeOf(err) != tandem.CodeConflict {
		t.Errorf("after the call: %v", err)
	}
	h.say(id, "And again.")
	if in := h.conv(id).Interaction; in == c.id || in == "" {
		t.Errorf("after the call it goes on in %q", in)
	}
	if story := h.story(c.id); slices.ContainsFunc(story.Events, func(e tandem.Event) bool {
		return e.Kind == tandem.EventMessage && strings.Contains(string(e.Data), "again")
	}) {
		t.Error("it was kept in the interaction that is over")
	}
}
