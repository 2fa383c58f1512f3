package text

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"tandem"
	"tandem/bridge/chat"
	"tandem/ivr/flow"
)

const head = "flow: f\nchannels: [voice, chat, sms]\nlanguages: [en]\n"

const pick = head + `start: hello
steps:
  hello: { say: { en: Welcome. }, next: pick }
  pick:
    menu:
      prompt: { en: "Cards or loans?" }
      choices:
        - { keys: "1", phrases: { en: [cards] }, go: cards }
        - { keys: "2", phrases: { en: [loans] }, go: loans }
      retry_prompts: [ { en: "Which one?" } ]
      timeout: { voice: 5s, chat: 2m, sms: 1h }
      tries: 2
    next: { no_input: silent, no_match: lost }
  cards:  { say: { en: Here are cards. }, next: pick }
  loans:  { say: { en: Here are loans. }, next: end }
  silent: { say: { en: Nobody there. }, next: end }
  lost:   { say: { en: No idea. }, next: end }
`

// What the flow says and asks, and how a reply is understood, on both channels.
func TestMenu(t *testing.T) {
	for _, c := range []struct {
		name string
		sms  bool
		says []string
		want []string
	}{
		{"button", false, []string{"hi", "cards", "loans"},
			[]string{"> hi", "Welcome.", "Cards or loans? [cards|loans]", "> cards", "Here are cards.", "Cards or loans? [cards|loans]", "> loans", "Here are loans."}},
		{"number by text", true, []string{"hi", "1", "2"},
			[]string{"> hi", "Welcome. / Cards or loans? / 1 cards / 2 loans", "> 1", "Here are cards. / Cards or loans? / 1 cards / 2 loans", "> 2", "Here are loans."}},
		{"not understood", false, []string{"hi", "what", "huh"},
			[]string{"> hi", "Welcome.", "Cards or loans? [cards|loans]", "> what", "Which one? [cards|loans]", "> huh", "No idea."}},
		{"the first message answers nothing", false, []string{"1", "loans"},
			[]string{"> 1", "Welcome.", "Cards or loans? [cards|loans]", "> loans", "Here are loans."}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHouse(t, pick)
			id := h.chat()
			if c.sms {
				id = h.texts()
			}
			for _, s := range c.says {
				h.say(id, s)
			}
			h.talked(id, c.want...)
			if c := h.conv(id); c.Interaction != "" || c.Taken != c.Seq {
				t.Errorf("afterwards the conversation is %+v", c)
			}
		})
	}
}

// An interaction by text has the same records as a call, and the next message begins
// another.
func TestInteraction(t *testing.T) {
	h := newHouse(t, pick)
	id := h.texts()
	h.say(id, "hi")
	c := h.conv(id)
	in := c.Interaction
	want := []string{"interaction.opened", "leg.started", "leg.answered", "message.added", "flow.started", "flow.step", "flow.outcome", "flow.step", "message.added"}
	if got := h.journal(in); !slices.Equal(got, want) {
		t.Errorf("the journal begins %s\nwant %s", got, want)
	}
	h.say(id, "2")
	story := h.story(in)
	i, l := story.Interaction, story.Legs[0]
	if i.State != tandem.Closed || i.Outcome != "completed" || i.Entry != "sms:"+ours || i.Flow != "f" || i.FlowHash == "" || i.Lang != "en" || i.Ended.IsZero() {
		t.Errorf("the interaction is %+v", i)
	}
	if l.Kind != tandem.LegSMS || l.From != theirs || l.To != ours || !l.Inbound || l.Answered.IsZero() || l.Ended.IsZero() ||
		l.Termination != tandem.Terminate(tandem.ByFlow, tandem.ReasonCompleted) {
		t.Errorf("the leg is %+v", l)
	}
	if got := h.journal(in); !slices.Equal(got[len(got)-4:], []string{"flow.ended", "message.added", "leg.ended", "interaction.closed"}) {
		t.Errorf("the journal ends %s", got)
	}
	letters, err := h.db.Outbox(context.Background())
	h.must(err)
	if len(letters) != 2 || letters[0].Target != theirs || letters[0].Interaction != in {
		t.Errorf("the outbox has %+v", letters)
	}
	if _, _, err := h.db.Session(context.Background(), in); err == nil {
		t.Error("the session of a flow that is done is kept")
	}
	if got := h.world.noted(); !slices.Equal(got, []string{"ended completed"}) {
		t.Errorf("the world was told %s", got)
	}
	h.say(id, "hi again")
	if again := h.conv(id); again.Interaction == "" || again.Interaction == in || again.Customer != c.Customer {
		t.Errorf("the next interaction is %+v", again)
	}
}

// The panel begins the flow once.
func TestOpen(t *testing.T) {
	h := newHouse(t, pick)
	id := h.chat()
	h.open(id)
	h.open(id)
	h.say(id, "2")
	h.talked(id, "Welcome.", "Cards or loans? [cards|loans]", "> 2", "Here are loans.")
	c := h.conversation(chat.Conversation{Channel: tandem.Chat, Entry: "chat:nobody"})
	if err := h.d.Open(context.Background(), c); tandem.CodeOf(err) != tandem.CodeNotFound {
		t.Errorf("an entry without a flow gives %v", err)
	}
	if err := h.d.Open(context.Background(), "nowhere"); err == nil {
		t.Error("a conversation that is not there can be opened")
	}
}

const form = head + `start: name
vars: { who: { type: text }, pin: { type: digits, secret: true }, code: { type: digits, secret: ephemeral } }
steps:
  name: { collect: { prompt: { en: Your name? }, into: who, confirm: { en: "${who}, right?" } }, next: { ok: pin, else: end } }
  pin:  { collect: { prompt: { en: Your PIN? }, into: pin, digits: 4 }, next: { ok: code, else: end } }
  code: { collect: { prompt: { en: Your code? }, into: code, digits: 3 }, next: { ok: call, else: end } }
  call: { collect: { prompt: { en: "When?" }, into: who }, next: { ok: ask, else: end } }
  ask:  { http: { post: "http://core/x", json: { pin: "${pin}", code: "${code}" }, idempotent: true }, next: { ok: bye, else: end } }
  bye:  { say: { en: "Bye." }, next: end }
`

// A value is confirmed; what is entered as a secret is seen and kept by nobody but the
// flow, an ephemeral one not even at rest.
func TestCollect(t *testing.T) {
	h := newHouse(t, form)
	var body string
	h.world.fetch = func(_ context.Context, f flow.Fetch) flow.Fetched {
		body = string(f.Body)
		return flow.Fetched{Status: 200}
	}
	id := h.chat()
	h.open(id)
	in := h.conv(id).Interaction
	for _, s := range []string{"Ann", "no", "Anne", "yes"} {
		h.say(id, s)
	}
	e := h.say(id, "9876")
	if !e.Message.Secret || e.Message.Text != "••••" {
		t.Errorf("the sender sees %+v", e.Message)
	}
	h.say(id, "555")
	_, err := h.d.Say(context.Background(), id, Said{Text: "9876", Client: "late", Secret: true})
	if !errors.Is(err, chat.ErrNoSecret) {
		t.Errorf("a secret that nobody waits for gives %v", err)
	}
	h.say(id, "today")
	h.talked(id, "Your name?", "> Ann", "Ann, right? [Yes|No]", "> no", "Your name?", "> Anne", "Anne, right? [Yes|No]", "> yes",
		"Your PIN? (secret)", "> ••••", "Your code? (secret)", "> •••", "When?", "> today", "Bye.")
	if body != `{"pin":"9876","code":"555"}` {
		t.Errorf("the core was told %s", body)
	}
	for _, e := range h.story(in).Events {
		if strings.Contains(string(e.Data), "9876") || strings.Contains(string(e.Data), "555") {
			t.Errorf("the journal has %s %s", e.Kind, e.Data)
		}
	}
}
