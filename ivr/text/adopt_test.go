package text

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/engine"
	"tandem/store"
)

// call is a call's interaction, with its session.
type call struct {
	id       tandem.InteractionID
	leg      tandem.LegID
	customer tandem.CustomerID
	s        flow.Session
}

// called begins a flow on a call and stores its session.
func (h *house) called(name string, inputs ...flow.Input) call {
	h.Helper()
	now := h.place.Clock.Now()
	in := tandem.Interaction{ID: tandem.NewID[tandem.InteractionID](now, h.random), Number: tandem.NewNumber(h.random), Entry: "95599",
		Flow: name, FlowHash: h.world.library.Flows[name].Hash, State: tandem.Open, Started: now}
	leg := tandem.Leg{ID: tandem.NewID[tandem.LegID](now, h.random), Interaction: in.ID, Kind: tandem.LegSIP, Inbound: true, Role: tandem.RoleCustomer,
		From: "+441", To: "95599", Started: now, Answered: now}
	s, _, err := engine.Start(h.world.library, name, flow.Facts{Number: in.Number, Entry: in.Entry, Channel: tandem.Voice, Caller: "+441"}, nil, now)
	h.must(err)
	for _, i := range inputs {
		if i.Serial == 0 {
			i.Serial = s.Wait.Serial
		}
		s, _, err = engine.Advance(h.world.library, s, i)
		h.must(err)
	}
	h.must(h.db.Commit(context.Background(), &store.Change{
		Interaction: &in, Caller: &tandem.Identity{Kind: tandem.IdentityPhone, Value: "+441"}, Legs: []tandem.Leg{leg}, Session: h.record(s),
		Events: []tandem.Event{tandem.NewEvent(in.ID, leg.ID, now, tandem.EventOpened, "system", nil)},
	}))
	return call{in.ID, leg.ID, in.Customer, s}
}

func (h *house) record(s flow.Session) *store.SessionRecord {
	data, err := flow.Encode(s)
	h.must(err)
	return &store.SessionRecord{Data: data, At: h.place.Clock.Now()}
}

// hangUp ends the call's leg; with park its interaction too, and the session stays.
func (h *house) hangUp(c call, park bool) {
	h.Helper()
	story := h.story(c.id)
	leg := story.Legs[0]
	leg.Ended, leg.Termination = h.place.Clock.Now(), tandem.Terminate(tandem.ByRemote, tandem.ReasonHangup)
	change := &store.Change{Legs: []tandem.Leg{leg}}
	if park {
		in := story.Interaction
		in.State, in.Ended, in.Outcome = tandem.Closed, leg.Ended, "left"
		change.Interaction, change.Park = &in, leg.Ended.Add(time.Hour)
	}
	h.must(h.db.Commit(context.Background(), change))
}

// parked is a call that was left.
func (h *house) parked(name string) call {
	c := h.called(name)
	h.hangUp(c, true)
	return c
}

const moves = head + `start: pick
steps:
  pick:
    menu: { prompt: { en: Where? }, choices: [ { keys: "1", phrases: { en: [chat] }, go: chat }, { keys: "2", phrases: { en: [sms] }, go: sms }, { keys: "3", phrases: { en: [phone] }, go: phone }, { keys: "4", phrases: { en: [out] }, go: end } ] }
    next: { no_input: end, no_match: end }
  chat:  { handoff: { to: chat, prompt: { en: "Here: ${link.url}" } }, next: { accepted: here, else: pick } }
  sms:   { handoff: { to: sms, prompt: { en: "By text." } }, next: { accepted: here, else: pick } }
  phone: { handoff: { to: voice, prompt: { en: "Call us." } }, next: { accepted: here, else: pick } }
  here:  { say: { en: "You are here." }, next: pick }
`

func accepted(s flow.Session) *flow.Input {
	return &flow.Input{Kind: flow.InputResult, Serial: s.Wait.Serial, Result: &flow.Result{Outcome: "accepted", Carried: true}}
}

// A caller goes on in a chat: the same interaction, at the step where they were; what the
// chat had before is ended. From there they go on by text, and then by phone.
func TestMoves(t *testing.T) {
	h := newHouse(t, moves)
	c := h.called("f", flow.Input{Kind: flow.InputKey, Text: "1"})
	id, sms := h.chat(), h.texts()
	h.say(id, "hello")
	before := h.conv(id).Interaction
	why := Adopted{Interaction: c.id, From: c.leg, Carried: true}
	h.must(h.d.Adopt(context.Background(), id, c.s, accepted(c.s), why))
	h.must(h.d.Adopt(context.Background(), id, c.s, accepted(c.s), why)) // again
	h.hangUp(c, false)
	choices := " [chat|sms|phone|out]"
	h.talked(id, "> hello", "Where?"+choices, "You are here.", "Where?"+choices)
	if was := h.story(before); was.Interaction.State != tandem.Closed || was.Interaction.Outcome != "moved" || was.Legs[0].Termination.Reason != tandem.ReasonMoved {
		t.Errorf("the chat's own interaction is %+v", was.Interaction)
	}
	if !slices.Contains(h.journal(c.id), "session.moved") || h.conv(id).Interaction != c.id || h.conv(id).Customer != c.customer {
		t.Errorf("the chat is %+v", h.conv(id))
	}
	h.crash()

	h.say(id, "sms")
	if err := h.d.Adopt(context.Background(), sms, c.s, nil, why); tandem.CodeOf(err) != tandem.CodeConflict {
		t.Errorf("a session that runs elsewhere can be adopted: %v", err)
	}
	s, err := h.d.Release(context.Background(), c.id, nil)
	h.must(err)
	if _, err := h.d.Release(context.Background(), c.id, nil); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("released twice gives %v", err)
	}
	why.From = h.conv(id).Leg
	h.must(h.d.Adopt(context.Background(), sms, s, accepted(s), why))
	h.say(id, "am I still here?")
	h.say(sms, "3")
	h.talked(sms, "You are here. / Where? / 1 chat / 2 sms / 3 phone / 4 out", "> 3")
	h.talked(id, "> hello", "Where?"+choices, "You are here.", "Where?"+choices, "> sms", "> am I still here?", "We go on by text message now. To go on here instead, write BACK.")
	h.deliver(c.id, *accepted(h.stored(c.id))) // not so
	s, err = h.d.Release(context.Background(), c.id, nil)
	h.must(err)
	if s.Wait.Kind != flow.WaitHandoff || s.Facts.Channel != tandem.SMS {
		t.Errorf("what is released waits in %+v", s.Wait)
	}
	for _, l := range h.story(c.id).Legs {
		if l.Ended.IsZero() {
			t.Errorf("the leg %+v has not ended", l)
		}
	}
}

func (h *house) stored(id tandem.InteractionID) flow.Session {
	h.Helper()
	data, _, err := h.db.Session(context.Background(), id)
	h.must(err)
	s, err := flow.Decode(data)
	h.must(err)
	return s
}

const linked = head + `start: link
on_leave: left
vars: { n: { type: text } }
steps:
  link: { link: { operation: o, prompt: { en: "Here: ${link.url}" }, by: [sms], wait: 10m, on_opened: { en: Opened. } }, next: { done: look, else: sorry } }
  look: { http: { get: "http://core/x" }, next: { ok: tell, else: sorry } }
  tell: { say: { en: Done. }, next: ask }
  ask:  { collect: { prompt: { en: "Anything else?" }, into: n }, next: { ok: end, else: end } }
  sorry: { say: { en: Sorry. }, next: end }
  left: { http: { post: "http://core/left" }, next: gone }
  gone: { end: { reason: left } }
`

// Who hangs up while a link's page is open is served to the end of what needs no ear.
func TestNobodyListens(t *testing.T) {
	for _, stop := range []bool{false, true} {
		h := newHouse(t, linked)
		c := h.called("f", flow.Input{Kind: flow.InputResult, Result: &flow.Result{Outcome: "sent"}})
		h.hangUp(c, false)
		h.must(h.d.AdoptDeaf(context.Background(), c.id, c.leg, c.s))
		serial := c.s.Wait.Serial
		if stop {
			h.crash()
			h.eventually("the link is asked for again", func() bool { return h.stored(c.id).Wait.Serial > serial })
			serial = h.stored(c.id).Wait.Serial
		}
		for _, outcome := range []string{"opened", "done"} {
			h.deliver(c.id, flow.Input{Kind: flow.InputResult, Serial: serial, Result: &flow.Result{Outcome: outcome}})
		}
		story := h.ended(c.id)
		var said []string
		for _, e := range story.Events {
			if e.Kind == tandem.EventPrompt {
				said = append(said, string(e.Data))
			}
		}
		if len(said) != 3 || !strings.Contains(said[1], `"Done."`) || !strings.Contains(said[1], `"heard":false`) {
			t.Errorf("the journal has %s", said)
		}
		if story.Interaction.Outcome != "left" || len(story.Legs) != 1 {
			t.Errorf("it ended as %+v", story.Interaction)
		}
		h.eventually("the world is told", func() bool { return slices.Contains(h.world.noted(), "ended left") })
		if got := h.world.noted(); !slices.Contains(got, "fetch http://core/left") {
			t.Errorf("the world was asked %q", got)
		}
		h.deliver(c.id, flow.Input{Kind: flow.InputLeft}) // late
	}
}

// The wait for a page is over for those who do not listen, too, and what would listen at
// once has left.
func TestNobodyListensLong(t *testing.T) {
	h := newHouse(t, linked)
	c := h.called("f", flow.Input{Kind: flow.InputResult, Result: &flow.Result{Outcome: "sent"}})
	h.hangUp(c, false)
	h.must(h.d.AdoptDeaf(context.Background(), c.id, c.leg, c.s))
	h.wait(11 * time.Minute)
	if s := h.ended(c.id); s.Interaction.Outcome != "completed" {
		t.Errorf("it ended as %+v", s.Interaction)
	}
	h2 := newHouse(t, pick)
	c = h2.called("f")
	h2.hangUp(c, false)
	h2.must(h2.d.AdoptDeaf(context.Background(), c.id, c.leg, c.s))
	if s := h2.ended(c.id); s.Interaction.Outcome != "left" {
		t.Errorf("it ended as %+v", s.Interaction)
	}
}
