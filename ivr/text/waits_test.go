package text

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/chat"
	"tandem/ivr/flow"
	"tandem/store"
)

// Who says nothing is asked again, by the channel's own time, and not by text.
func TestSilence(t *testing.T) {
	h := newHouse(t, pick)
	id, sms := h.chat(), h.texts()
	h.open(id)
	h.say(sms, "hi")
	h.wait(2*time.Minute - time.Second)
	h.talked(id, "Welcome.", "Cards or loans? [cards|loans]")
	h.wait(time.Second)
	h.talked(id, "Welcome.", "Cards or loans? [cards|loans]", "Which one? [cards|loans]")
	h.wait(time.Minute)
	h.say(id, "cards") // a reply starts the time anew
	h.wait(time.Minute + time.Second)
	h.say(id, "loans")
	h.talked(id, "Welcome.", "Cards or loans? [cards|loans]", "Which one? [cards|loans]", "> cards", "Here are cards.", "Cards or loans? [cards|loans]", "> loans", "Here are loans.")
	h.wait(time.Hour)
	h.talked(sms, "> hi", "Welcome. / Cards or loans? / 1 cards / 2 loans", "Nobody there.")
	h.eventually("nothing is due any more", func() bool { _, ok, at := h.d.timers.next(h.place.Clock.Now()); return !ok && at.IsZero() })
}

const slow = head + `start: ask
vars: { card: { type: object, fields: { owed: text } }, more: { type: text }, pin: { type: digits, secret: true } }
steps:
  ask:  { http: { get: "http://core/x", into: card }, next: { ok: tell, else: sorry } }
  sorry: { say: { en: Sorry. }, next: more }
  tell: { say: { en: "You owe ${card.owed}." }, next: more }
  more:
    menu: { prompt: { en: More? }, choices: [ { keys: "1", phrases: { en: [again] }, go: ask }, { keys: "2", phrases: { en: [pin] }, go: pin }, { keys: "3", phrases: { en: [out] }, go: end } ] }
    next: { no_input: end, no_match: end }
  pin: { collect: { prompt: { en: PIN? }, into: pin, digits: 4, tries: 1 }, next: { ok: more, no_match: wrong, else: end } }
  wrong: { say: { en: Wrong. }, next: end }
`

// gate holds exchanges back.
type gate struct {
	mu   sync.Mutex
	wait []chan flow.Fetched
}

func (g *gate) fetch(ctx context.Context, _ flow.Fetch) flow.Fetched {
	c := make(chan flow.Fetched, 1)
	g.mu.Lock()
	g.wait = append(g.wait, c)
	g.mu.Unlock()
	select {
	case f := <-c:
		return f
	case <-ctx.Done():
		return flow.Fetched{Failed: "timeout"}
	}
}

func (g *gate) open(h *house, body string) {
	h.Helper()
	h.eventually("an exchange is under way", func() bool { g.mu.Lock(); defer g.mu.Unlock(); return len(g.wait) > 0 })
	g.mu.Lock()
	defer g.mu.Unlock()
	g.wait[0] <- flow.Fetched{Status: 200, Body: []byte(body)}
	g.wait = g.wait[1:]
}

const owing = `{"owed":"5"}`

// What is said while the flow is busy is held, and taken in its order once it listens,
// one for each question; a question for a secret takes none of it.
func TestHeld(t *testing.T) {
	h := newHouse(t, slow)
	var g gate
	h.world.fetch = g.fetch
	id := h.chat()
	h.say(id, "hello")
	h.say(id, "again")
	if _, err := h.d.Say(context.Background(), id, Said{Attachment: &tandem.Attachment{Blob: "b", MediaType: "image/png"}}); err != nil {
		t.Fatal(err)
	}
	h.say(id, "2")
	h.say(id, "1234")
	if c := h.conv(id); c.Seq != 5 || c.Taken != 1 {
		t.Errorf("with three held the conversation is %+v", c)
	}
	h.d.memory.forget(string(id)) // it is read again
	g.open(h, owing)
	want := []string{"> hello", "> again", ">  (picture)", "> 2", "> 1234", "You owe 5.", "More? [again|pin|out]"}
	h.talked(id, want...)
	g.open(h, owing)
	want = append(want, "You owe 5.", "More? [again|pin|out]", "PIN? (secret)")
	h.talked(id, want...)
	if c := h.conv(id); c.Taken != c.Seq {
		t.Errorf("a secret is asked for, and the conversation is %+v", c)
	}
	h.say(id, "1111")
	h.say(id, "out")
	h.talked(id, append(want, "> ••••", "More? [again|pin|out]", "> out")...)
}

// Of too many that are held the oldest is passed over.
func TestHeldIsBounded(t *testing.T) {
	h := newHouse(t, slow)
	var g gate
	h.world.fetch = g.fetch
	id := h.chat()
	h.open(id)
	h.say(id, "2")
	for range maxHeld {
		h.say(id, "3")
	}
	if c := h.conv(id); c.Taken != 1 {
		t.Errorf("the conversation is %+v", c)
	}
	in := h.conv(id).Interaction
	g.open(h, owing)
	h.ended(in)
}

// A message that comes twice is taken once and answered the same.
func TestDoubles(t *testing.T) {
	h := newHouse(t, pick)
	id := h.chat()
	var first []chat.Entry
	for _, s := range []string{"hi", "1", "2"} {
		e, err := h.d.Say(context.Background(), id, Said{Text: s, Client: s})
		h.must(err)
		first = append(first, e)
		for _, again := range first {
			e, err := h.d.Say(context.Background(), id, Said{Text: again.Message.Text, Client: again.Message.Client})
			if err != nil || e.Message.Seq != again.Message.Seq || e.Rev != again.Rev || !e.At.Equal(again.At) {
				t.Errorf("%q again gives %+v, %v instead of %+v", again.Message.Text, e, err, again)
			}
		}
	}
	h.talked(id, "> hi", "Welcome.", "Cards or loans? [cards|loans]", "> 1", "Here are cards.", "Cards or loans? [cards|loans]", "> 2", "Here are loans.")
	if c := h.conv(id); c.Interaction != "" {
		t.Errorf("a double has begun an interaction: %+v", c)
	}
	if _, err := h.d.Say(context.Background(), id, Said{}); tandem.CodeOf(err) != tandem.CodeInvalid {
		t.Errorf("nothing said gives %v", err)
	}
}

// A message that others have added meanwhile does not stand in the way.
func TestOthersAdd(t *testing.T) {
	h := newHouse(t, pick)
	id := h.chat()
	h.open(id)
	c := h.conv(id)
	unlock := h.book.Lock(id)
	m := tandem.Message{Conversation: id, Seq: h.book.Next(&c), Channel: tandem.Chat, From: tandem.SenderSystem, Text: "By the way."}
	change := &store.Change{Events: []tandem.Event{tandem.NewEvent(c.Interaction, c.Leg, h.place.Clock.Now(), tandem.EventMessage, "system", m)}}
	change.With = func(tx store.Tx) error {
		_, err := h.book.Add(tx, &c, &m, &change.Events[0], tandem.MessageSent)
		return err
	}
	h.must(h.db.Commit(context.Background(), change))
	unlock()
	h.say(id, "2")
	h.talked(id, "Welcome.", "Cards or loans? [cards|loans]", "By the way.", "> 2", "Here are loans.")
}

// Whoever looks on sees each message once it is durable, in order, and that it is over.
func TestPublished(t *testing.T) {
	h := newHouse(t, pick)
	id := h.chat()
	var mu sync.Mutex
	var got []string
	sub, err := h.book.Subscribe(id, func(f chat.Frame) bool {
		mu.Lock()
		defer mu.Unlock()
		switch f := f.(type) {
		case *chat.Entry:
			got = append(got, fmt.Sprintf("%d %d %s", f.Message.Seq, f.Rev, f.Message.Text))
		case chat.Over:
			got = append(got, "over")
		}
		return true
	})
	h.must(err)
	defer sub.Close()
	h.say(id, "hi")
	h.say(id, "2")
	mu.Lock()
	defer mu.Unlock()
	if want := []string{"1 1 hi", "2 2 Welcome.", "3 3 Cards or loans?", "4 4 2", "5 5 Here are loans.", "over"}; !slices.Equal(got, want) {
		t.Errorf("seen was %q", got)
	}
}

// While the store cannot write nothing is done and the sender is told; what comes from
// elsewhere is tried again.
func TestStoreFails(t *testing.T) {
	h := newHouse(t, slow)
	var g gate
	h.world.fetch = g.fetch
	id := h.chat()
	h.open(id)
	full := errors.New("disk full")
	h.fault.Store(&full)
	if _, err := h.d.Say(context.Background(), id, Said{Text: "again", Client: "x"}); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("a store that fails gives %v", err)
	}
	g.open(h, owing)
	h.eventually("the answer waits", func() bool { _, _, at := h.d.timers.next(h.place.Clock.Now().Add(-time.Hour)); return !at.IsZero() })
	h.talked(id)
	h.fault.Store(nil)
	h.eventually("it writes again", func() bool { return h.db.Healthy() == nil })
	h.wait(retryMost)
	h.talked(id, "You owe 5.", "More? [again|pin|out]")
	if _, err := h.d.Say(context.Background(), id, Said{Text: "3", Client: "x"}); err != nil {
		t.Error(err)
	}
}

// An erased customer's session ends; what they write then begins anew.
func TestErased(t *testing.T) {
	for name, prepare := range map[string]func(*house, tandem.ConversationID){
		"at hand": func(*house, tandem.ConversationID) {},
		"read":    func(h *house, id tandem.ConversationID) { h.d.memory.forget(string(id)) },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, pick)
			id := h.texts()
			h.say(id, "hi")
			c := h.conv(id)
			h.must(h.db.Erase(context.Background(), c.Customer, "operator", "asked for"))
			prepare(h, id)
			// What is at hand is found to be erased; what is read is a stranger's from the start.
			if _, err := h.d.Say(context.Background(), id, Said{Text: "2", Client: "y", From: theirs}); err != nil && !errors.Is(err, store.ErrErased) {
				t.Errorf("an erased customer's message gives %v", err)
			}
			if s := h.story(c.Interaction); s.Interaction.State != tandem.Closed || s.Legs[0].Ended.IsZero() {
				t.Errorf("their interaction is %+v", s.Interaction)
			}
			h.say(id, "hi")
			if again := h.conv(id); again.Customer == c.Customer || again.Interaction == "" || again.Theirs != theirs {
				t.Errorf("afterwards the conversation is %+v", again)
			}
		})
	}
}

// A text that may not be sent stands in the conversation as failed.
func TestRefusedLetter(t *testing.T) {
	h := newHouse(t, pick)
	h.world.refuse = errors.New("stopped by the customer")
	id := h.texts()
	h.say(id, "hi")
	h.talked(id, "> hi", "Welcome. / Cards or loans? / 1 cards / 2 loans (failed)")
	if letters, err := h.db.Outbox(context.Background()); err != nil || len(letters) > 0 {
		t.Errorf("the outbox has %+v, %v", letters, err)
	}
}
