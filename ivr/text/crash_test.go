package text

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/store"
)

// everything asks the world for all it can be asked for.
const everything = head + `start: hello
vars: { card: { type: object, fields: { owed: text } }, pin: { type: digits, secret: true }, who: { type: text } }
steps:
  hello: { say: { en: Welcome. }, next: pick }
  pick:
    menu:
      prompt: { en: "What?" }
      choices:
        - { keys: "1", phrases: { en: [look] }, go: look }
        - { keys: "2", phrases: { en: [send] }, go: send }
        - { keys: "3", phrases: { en: [link] }, go: link }
        - { keys: "4", phrases: { en: [prove] }, go: prove }
        - { keys: "5", phrases: { en: [pin] }, go: pin }
        - { keys: "6", phrases: { en: [wait] }, go: queue }
        - { keys: "7", phrases: { en: [end] }, go: end }
      tries: 2
    next: { no_input: end, no_match: end }
  look:  { http: { get: "http://core/x", into: card }, next: { ok: tell, else: pick } }
  tell:  { say: { en: "You owe ${card.owed}." }, next: pick }
  send:  { message: { prompt: { en: "A message." }, by: [chat, sms] }, next: { sent: look, else: pick } }
  link:  { link: { operation: o, prompt: { en: "Here: ${link.url}" }, by: [sms] }, next: { done: pick, else: end } }
  prove: { identify: { level: verified, by: [code] }, next: { passed: pick, else: pick } }
  pin:   { collect: { prompt: { en: PIN? }, into: pin, digits: 4, confirm: { en: Sure? } }, next: { ok: pick, else: pick } }
  queue: { queue: { name: q, max_wait: 1m, offer: { callback: "1" } }, next: { answered: pick, else: end } }
on_error: pick
`

// reach adds what the flow sends to the conversation, once, as bridge/reach does.
func (h *house) reach(ctx context.Context, r Ref, s flow.Session, e flow.Effect) ([]flow.Play, error) {
	if send, ok := e.(flow.Send); ok {
		unlock := h.book.Lock(r.Conversation)
		defer unlock()
		client := "flow:" + string(r.Interaction) + send.Key
		if _, found, err := h.book.ByClient(ctx, r.Conversation, client); err != nil || found {
			return nil, errors.Join(err, h.d.Deliver(ctx, r.Interaction, sentTo(e)))
		}
		c, err := h.book.Find(ctx, r.Conversation)
		if err != nil {
			return nil, err
		}
		m := tandem.Message{Conversation: c.ID, Seq: h.book.Next(&c), Channel: c.Channel, From: tandem.SenderFlow, Client: client, Text: flow.Text(send.Parts)}
		change := &store.Change{Events: []tandem.Event{tandem.NewEvent(r.Interaction, r.Leg, h.place.Clock.Now(), tandem.EventMessage, "flow", m)}}
		change.With = func(tx store.Tx) error {
			_, err := h.book.Add(tx, &c, &m, &change.Events[0], tandem.MessageSent)
			return err
		}
		if err := h.mortal.Commit(ctx, change); err != nil {
			return nil, err
		}
	}
	switch e := e.(type) {
	case flow.Enqueue: // which has no answer before somebody serves
		if s.Wait.Place != nil {
			return nil, nil // it was told before a crash
		}
		return nil, h.d.Deliver(ctx, r.Interaction, flow.Input{Kind: flow.InputPlace, Serial: e.Serial, Place: &flow.Place{Queue: "q", Position: 1}})
	case flow.Take:
		return nil, nil
	}
	return nil, h.d.Deliver(ctx, r.Interaction, sentTo(e))
}

// desk does in a conversation what an agent does, as somebody who looks at what became of
// it: served, the agent's words, and done.
func (h *house) desk(id tandem.ConversationID, what string) (err error) {
	in := h.conv(id).Interaction
	data, _, err := h.db.Session(context.Background(), in)
	if err != nil {
		return err
	}
	s, err := flow.Decode(data)
	h.must(err)
	input := flow.Input{Serial: s.Wait.Serial}
	switch what {
	case "!served":
		input.Kind, input.Text = flow.InputServed, "Anna"
		if served(s) {
			return nil
		}
	case "!done":
		input.Kind, input.Result = flow.InputResult, &flow.Result{Outcome: "answered"}
		if !queues(s) {
			return nil
		}
	default:
		_, err := h.d.Reply(context.Background(), id, Reply{Agent: "anna", Client: what, Text: what[1:]})
		return err
	}
	if err := h.d.Deliver(context.Background(), in, input); err != nil {
		return err
	}
	return errors.New("not known yet what came of it")
}

func sentTo(e flow.Effect) flow.Input {
	outcome := "sent"
	return flow.Input{Kind: flow.InputResult, Serial: serialOf(e), Result: &flow.Result{Outcome: outcome}}
}

func newWideHouse(t testing.TB) *house {
	h := newHouse(t, everything)
	h.world.begin = h.reach
	h.world.fetch = func(context.Context, flow.Fetch) flow.Fetched { return flow.Fetched{Status: 200, Body: []byte(owing)} }
	return h
}

// line is one thing a customer does; client tells doubles.
type turnOf struct{ client, text string }

// play has the customer do things one after the other, each once the flow listens again,
// and returns what was read. Who hears nothing says it again, to a new driver if the old
// one died.
func (h *house) play(id tandem.ConversationID, script []turnOf) []string {
	h.Helper()
	for _, l := range script {
		for {
			var err error
			agent := strings.HasPrefix(l.text, "!")
			if agent {
				err = h.desk(id, l.text)
			} else {
				_, err = h.d.Say(context.Background(), id, Said{Text: l.text, Client: l.client, From: theirs})
			}
			if err == nil {
				break
			}
			if h.mortal.isDead() {
				h.crash()
			} else if !agent {
				h.Fatalf("saying %q: %v", l.text, err)
			}
			h.listens(id)
		}
		h.listens(id)
	}
	return h.read(id)
}

// listens waits till the flow does, or is over.
func (h *house) listens(id tandem.ConversationID) {
	h.Helper()
	h.eventually("the flow listens", func() bool {
		if h.mortal.isDead() {
			h.crash()
			return false
		}
		c := h.conv(id)
		if c.Interaction == "" {
			return true
		}
		data, _, err := h.db.Session(context.Background(), c.Interaction)
		if errors.Is(err, store.ErrNotFound) {
			return false // between two looks
		}
		h.must(err)
		s, err := flow.Decode(data)
		h.must(err)
		return listens(s) && (!queues(s) || s.Wait.Place != nil) && h.quiet(id) // in line the place comes next
	})
}

// quiet reports that nobody has the conversation's turn.
func (h *house) quiet(id tandem.ConversationID) bool {
	h.d.lanes.mu.Lock()
	defer h.d.lanes.mu.Unlock()
	return h.d.lanes.by[string(id)] == nil
}

func script(texts ...string) (out []turnOf) {
	for i, s := range texts {
		out = append(out, turnOf{fmt.Sprint("c", i), s})
	}
	return out
}

// Wherever the program dies, before a commit or between one and what it asks for, people
// read the same in the end, and nothing is lost or doubled.
func TestCrashAtEveryCommit(t *testing.T) {
	talk := script("hi", "look", "send", "link", "prove", "111111", "123456", "pin", "1234", "yes", "wait", "nonsense", "1",
		"!served", "look", "!Which card?", "send", "!done", "look", "end", "hi", "7")
	for _, sms := range []bool{false, true} {
		begin := func(t testing.TB) (*house, tandem.ConversationID) {
			h := newWideHouse(t)
			if sms {
				return h, h.texts()
			}
			return h, h.chat()
		}
		h, id := begin(t)
		want := h.play(id, talk)
		commits := h.mortal.count()
		if commits < 20 || len(want) < 25 {
			t.Fatalf("%d commits, %s", commits, strings.Join(want, "\n"))
		}
		for n := 1; n <= commits; n++ {
			for _, after := range []bool{true, false} {
				if sms && !after {
					break // nothing was written: that is the chat's case
				}
				t.Run(fmt.Sprintf("sms %t, commit %d, written %t", sms, n, after), func(t *testing.T) {
					t.Parallel()
					h, id := begin(t)
					h.mortal.die(n, after)
					if got := h.play(id, talk); !slices.Equal(got, want) {
						t.Errorf("it reads\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
					}
					letters, err := h.db.Outbox(context.Background())
					h.must(err)
					flows := 0
					for _, l := range want {
						if !strings.HasPrefix(l, "> ") && l != "A message." {
							flows++ // and the line's, and the agent's
						}
					}
					if sms && len(letters) != flows || !sms && len(letters) > 0 {
						t.Errorf("%d letters for %d messages", len(letters), flows)
					}
				})
			}
		}
	}
}

// Any talk, with doubles and with crashes anywhere, reads as it does without.
func TestRandomTalks(t *testing.T) {
	vocabulary := []string{"look", "send", "link", "prove", "pin", "wait", "123456", "000000", "1234", "yes", "no", "nonsense", "7"}
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 1))
			var plain, doubled []turnOf
			for i := range 25 {
				l := turnOf{fmt.Sprint("c", i), vocabulary[r.IntN(len(vocabulary))]}
				plain = append(plain, l)
				doubled = append(doubled, l)
				for r.IntN(3) == 0 {
					doubled = append(doubled, plain[r.IntN(len(plain))])
				}
			}
			h := newWideHouse(t)
			want := h.play(h.chat(), plain)
			h = newWideHouse(t)
			id := h.chat()
			var got []string
			for _, l := range doubled {
				if r.IntN(3) == 0 {
					h.mortal.die(1+r.IntN(4), r.IntN(2) == 0)
				}
				if r.IntN(8) == 0 {
					h.crash()
				}
				got = h.play(id, []turnOf{l})
			}
			if !slices.Equal(got, want) {
				t.Errorf("it reads\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
			}
		})
	}
}

// Many talk at once, each with their own order.
func TestMany(t *testing.T) {
	h := newWideHouse(t)
	talk := script("hi", "look", "send", "prove", "123456", "pin", "1234", "yes", "link", "end")
	want := h.play(h.chat(), talk)
	var wg sync.WaitGroup
	ids := make([]tandem.ConversationID, 200)
	for i := range ids {
		ids[i] = h.chat()
		wg.Go(func() {
			for _, l := range talk {
				for range 2 {
					if _, err := h.d.Say(context.Background(), ids[i], Said{Text: l.text, Client: l.client}); err != nil {
						t.Error(err)
					}
				}
				for n := 0; !h.rests(ids[i]); n++ {
					if n > 5000 {
						t.Error("the flow does not listen")
						return
					}
					time.Sleep(time.Millisecond)
				}
			}
		})
	}
	wg.Wait()
	for _, id := range ids {
		if got := h.read(id); !slices.Equal(got, want) {
			t.Fatalf("it reads\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
		}
	}
	h.eventually("nothing is left but what is at hand", func() bool {
		h.d.lanes.mu.Lock()
		defer h.d.lanes.mu.Unlock()
		return len(h.d.lanes.by) == 0
	})
	if n := len(h.d.memory.by); n > 0 {
		t.Errorf("%d conversations that are over are at hand", n)
	}
}

// rests is listens, looked at once, by what is at hand.
func (h *house) rests(id tandem.ConversationID) bool {
	st := h.d.memory.get(string(id))
	return (st == nil || listens(st.s)) && h.quiet(id)
}
