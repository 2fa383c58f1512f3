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
	"tandem/store"
)

// texted has a call write a text to the customer, as bridge/reach does: the texts' present
// interaction is the call's from then on.
func (h *house) texted(c call, id tandem.ConversationID, text string) tandem.LegID {
	h.Helper()
	unlock := h.book.Lock(id)
	defer unlock()
	conv := h.conv(id)
	now := h.place.Clock.Now()
	leg := tandem.Leg{ID: tandem.NewID[tandem.LegID](now, h.random), Interaction: c.id, Kind: tandem.LegSMS, Role: tandem.RoleCustomer, From: ours, To: theirs, Started: now, Answered: now}
	conv.Interaction, conv.Leg, conv.Customer = c.id, leg.ID, c.customer
	m := tandem.Message{Conversation: id, Seq: h.book.Next(&conv), Channel: tandem.SMS, From: tandem.SenderFlow, Text: text}
	change := &store.Change{Legs: []tandem.Leg{leg}, Events: []tandem.Event{tandem.NewEvent(c.id, leg.ID, now, tandem.EventMessage, "flow", m)}}
	change.With = func(tx store.Tx) error {
		if err := h.book.Save(tx, &conv); err != nil {
			return err
		}
		_, err := h.book.Add(tx, &conv, &m, &change.Events[0], tandem.MessageSent)
		return err
	}
	h.must(h.db.Commit(context.Background(), change))
	return leg.ID
}

// A call that writes a text takes the texts over: what is answered there is kept with the
// call and is no menu choice, and the flow that ran there ends. When the call's session
// comes by text, its leg is the one that is there.
func TestTextsOfACall(t *testing.T) {
	for _, atHand := range []bool{true, false} {
		h := newHouse(t, moves)
		id := h.texts()
		h.say(id, "hi")
		before := h.conv(id).Interaction
		c := h.called("f", flow.Input{Kind: flow.InputKey, Text: "2"})
		leg := h.texted(c, id, "By text.")
		if !atHand {
			h.d.memory.forget(string(id))
		}
		h.say(id, "2")
		if !atHand {
			h.wait(13 * time.Hour) // it is found by its own time
		}
		if s := h.ended(before); s.Interaction.Outcome != "moved" || s.Legs[0].Ended.IsZero() {
			t.Errorf("what ran there is %+v", s.Interaction)
		}
		choices := "Where? / 1 chat / 2 sms / 3 phone / 4 out"
		h.talked(id, "> hi", choices, "By text.", "> 2")
		if got := h.journal(c.id); got[len(got)-1] != "message.added" {
			t.Errorf("the call's journal is %s", got)
		}
		h.must(h.d.Adopt(context.Background(), id, c.s, accepted(c.s), Adopted{Interaction: c.id, From: c.leg, Theirs: theirs}))
		h.hangUp(c, false)
		h.talked(id, "> hi", choices, "By text.", "> 2", "You are here. / "+choices)
		h.say(id, "4")
		story := h.ended(c.id)
		if n := len(story.Legs); n != 2 || story.Legs[1].ID != leg || story.Legs[1].Ended.IsZero() {
			t.Errorf("the legs are %+v", story.Legs)
		}
	}
}

// What is released and not taken over goes on where it was; if something else has begun
// there, its customer has left it.
func TestNobodyTakesOver(t *testing.T) {
	for _, stop := range []bool{false, true} {
		for _, gone := range []bool{false, true} {
			h := newHouse(t, moves)
			id := h.chat()
			h.open(id)
			in := h.conv(id).Interaction
			h.say(id, "3")
			if _, err := h.d.Release(context.Background(), in, nil); err != nil {
				t.Fatal(err)
			}
			h.deliver(in, flow.Input{Kind: flow.InputResult, Result: &flow.Result{Outcome: "declined"}})
			if s := h.story(in); s.Interaction.State != tandem.Open {
				t.Errorf("it is %+v", s.Interaction)
			}
			if gone {
				c := h.called("f", flow.Input{Kind: flow.InputKey, Text: "1"})
				h.must(h.d.Adopt(context.Background(), id, c.s, accepted(c.s), Adopted{Interaction: c.id, From: c.leg}))
				h.hangUp(c, false)
			}
			if stop {
				h.crash()
			} else {
				h.wait(takeOver)
			}
			if gone {
				if s := h.ended(in); s.Interaction.Outcome != "left" {
					t.Errorf("it ended as %+v", s.Interaction)
				}
				continue
			}
			h.eventually("it goes on", func() bool { return h.stored(in).Facts.Channel == tandem.Chat })
			if !slices.Contains(h.journal(in), "session.resumed") {
				t.Errorf("the journal is %s", h.journal(in))
			}
			h.deliver(in, flow.Input{Kind: flow.InputResult, Serial: h.stored(in).Wait.Serial, Result: &flow.Result{Outcome: "declined"}})
			h.say(id, "4")
			if s := h.ended(in); s.Interaction.Outcome == "left" {
				t.Errorf("it ended as %+v", s.Interaction)
			}
		}
	}
}

// Words of the program's own come before the answer; in a text they are masked for all but
// who gets it.
func TestWords(t *testing.T) {
	for _, sms := range []bool{false, true} {
		h := newHouse(t, linked)
		h.world.begin = func(ctx context.Context, r Ref, s flow.Session, e flow.Effect) ([]flow.Play, error) {
			for _, outcome := range []string{"sent", "opened"} { // at once, and from inside
				in := flow.Input{Kind: flow.InputResult, Serial: serialOf(e), Result: &flow.Result{Outcome: outcome}}
				if err := h.d.Deliver(ctx, r.Interaction, in); err != nil {
					return nil, err
				}
			}
			return []flow.Play{{Lang: "en", Parts: []tandem.Part{{Text: "Code 42."}}, Secret: true}}, nil
		}
		if !sms {
			id := h.chat()
			h.open(id)
			h.talked(id, "Code 42.", "Opened.")
			continue
		}
		id := h.texts()
		h.say(id, "hi")
		h.talked(id, "> hi", "••••••••", "Opened.")
		for _, e := range h.story(h.conv(id).Interaction).Events {
			if strings.Contains(string(e.Data), "42") {
				t.Errorf("the journal has %s", e.Data)
			}
		}
		lent, err := h.db.Lease(context.Background(), 10, time.Minute)
		h.must(err)
		if !slices.ContainsFunc(lent, func(l store.Leased) bool { return string(l.Body) == "Code 42." }) {
			t.Errorf("the letters are %+v", lent)
		}
	}
}

// What cannot be begun is a fault of the step, and so is what nobody here carries out.
func TestFaults(t *testing.T) {
	const faulty = head + `start: pick
on_error: pick
steps:
  pick:
    menu: { prompt: { en: What? }, choices: [ { keys: "1", phrases: { en: [send] }, go: send }, { keys: "2", phrases: { en: [line] }, go: line }, { keys: "3", phrases: { en: [survey] }, go: survey } ] }
    next: { no_input: end, no_match: end }
  send: { message: { prompt: { en: Hi. }, by: [sms] }, next: { sent: pick, else: pick } }
  line: { queue: { name: q, max_wait: 1m }, next: { answered: end, else: end } }
  survey: { callback: { queue: q }, next: { booked: pick, declined: pick } }
`
	h := newHouse(t, faulty)
	h.world.begin = func(ctx context.Context, r Ref, s flow.Session, e flow.Effect) ([]flow.Play, error) {
		if _, ok := e.(flow.Book); ok {
			panic("injected")
		}
		return nil, errors.New("no gateway")
	}
	id := h.chat()
	h.open(id)
	in := h.conv(id).Interaction
	for _, s := range []string{"1", "2", "3"} {
		h.say(id, s)
	}
	ask := "What? [send|line|survey]"
	h.talked(id, ask, "> 1", ask, "> 2", ask, "> 3", ask)
	var faults []string
	for _, e := range h.story(in).Events {
		if e.Kind == tandem.EventFlowError {
			faults = append(faults, string(e.Data))
		}
	}
	if len(faults) != 3 || !strings.Contains(faults[0], "no gateway") || !strings.Contains(faults[1], "no gateway") || !strings.Contains(faults[2], "fault of ours") {
		t.Errorf("the journal has %s", faults)
	}
}

// Who leaves a step that asked for something has it withdrawn.
func TestWithdraw(t *testing.T) {
	h := newHouse(t, linked)
	id := h.chat()
	h.open(id)
	in := h.conv(id).Interaction
	h.eventually("the link is sent", func() bool { return h.quiet(id) })
	h.deliver(in, flow.Input{Kind: flow.InputLeft})
	if s := h.ended(in); s.Interaction.Outcome != "left" {
		t.Errorf("it ended as %+v", s.Interaction)
	}
	if got := h.world.noted(); !slices.Contains(got, "withdraw link") {
		t.Errorf("the world was asked %q", got)
	}
}

// A session whose flow is not there any more ends, and the customer's message begins
// another.
func TestLostFlow(t *testing.T) {
	h := newHouse(t, pick)
	id := h.chat()
	h.open(id)
	before := h.conv(id).Interaction
	h.world.library = library(t, strings.Replace(pick, "Welcome.", "Welcome back.", 1))
	h.d.memory.forget(string(id))
	h.say(id, "cards")
	h.talked(id, "Welcome.", "Cards or loans? [cards|loans]", "> cards", "Welcome back.", "Cards or loans? [cards|loans]")
	if s := h.story(before); s.Interaction.Outcome != "error" || s.Legs[0].Termination.Reason != tandem.ReasonFlowError {
		t.Errorf("the interaction before is %+v", s.Interaction)
	}
}

// A flow that is saved meanwhile serves the next interaction; the present one stays on the
// version it began with, also when it is read again.
func TestVersions(t *testing.T) {
	h := newHouse(t, pick)
	id := h.chat()
	h.open(id)
	h.world.old = append(h.world.old, h.world.library)
	h.world.library = library(t, strings.Replace(pick, "Here are cards.", "New cards.", 1))
	h.say(id, "cards")
	h.crash()
	h.say(id, "cards")
	h.say(id, "loans")
	h.open(id)
	h.say(id, "cards")
	ask := "Cards or loans? [cards|loans]"
	h.talked(id, "Welcome.", ask, "> cards", "Here are cards.", ask, "> cards", "Here are cards.", ask, "> loans", "Here are loans.", "Welcome.", ask, "> cards", "New cards.", ask)
}

// A picture is shown and taken by nobody; the first to a question is acknowledged in the
// customer's language, and the question stands.
func TestPicture(t *testing.T) {
	h := newHouse(t, pick)
	id := h.chat()
	h.open(id)
	ref, err := h.keptPicture()
	h.must(err)
	e, err := h.d.Say(context.Background(), id, Said{Client: "p", Attachment: &tandem.Attachment{Blob: ref.ID, MediaType: "image/png"}, Blobs: []store.BlobRef{ref}})
	h.must(err)
	h.must(h.d.Speak(context.Background(), id, "zh-CN"))
	if _, err := h.d.Say(context.Background(), id, Said{Client: "q", Attachment: &tandem.Attachment{Blob: "b", MediaType: "image/png"}}); err != nil {
		t.Fatal(err)
	}
	h.say(id, "neither")
	if _, err := h.d.Say(context.Background(), id, Said{Client: "r", Attachment: &tandem.Attachment{Blob: "b", MediaType: "image/png"}}); err != nil {
		t.Fatal(err)
	}
	h.say(id, "loans")
	ask := "Cards or loans? [cards|loans]"
	h.talked(id, "Welcome.", ask, ">  (picture)", "We have your picture. Please choose one of the answers above.", ">  (picture)", "> neither", "Which one? [cards|loans]", ">  (picture)",
		"已收到您的图片。请从上面的选项中选择。", "> loans", "Here are loans.")
	if c := h.conv(id); c.Lang != "zh-CN" {
		t.Errorf("a turn has forgotten the language that was chosen: %q", c.Lang)
	}
	if e.Message.Attachment == nil || len(h.story(h.events(id)).Blobs) != 1 {
		t.Errorf("the sender sees %+v", e.Message)
	}
}

// events is the interaction of a conversation's first message.
func (h *house) events(id tandem.ConversationID) tandem.InteractionID {
	h.Helper()
	all, err := h.db.List(context.Background(), store.Filter{})
	h.must(err)
	return all[len(all)-1].ID
}

func (h *house) keptPicture() (store.BlobRef, error) {
	w, err := h.place.Blobs.Create("", "image/png")
	if err != nil {
		return store.BlobRef{}, err
	}
	if _, err := w.Write([]byte("picture")); err != nil {
		return store.BlobRef{}, err
	}
	return w.Commit()
}
