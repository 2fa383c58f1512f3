package text

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/chat"
	"tandem/ivr/flow"
)

const prove = head + `start: prove
steps:
  prove: { identify: { level: verified, by: [code] }, next: { passed: in, else: out } }
  in:  { needs: verified, menu: { prompt: { en: "What now?" }, choices: [ { keys: "1", phrases: { en: [bye] }, go: end } ] }, next: { else: end } }
  out: { say: { en: "No." }, next: end }
`

// A talk's words are said like the flow's, what is entered goes to the world alone, and
// its silence too; a state that is stored goes on after a stop without being begun anew.
func TestTalk(t *testing.T) {
	h := newHouse(t, prove)
	id := h.chat()
	h.open(id)
	in := h.conv(id).Interaction
	h.say(id, "000000")
	h.crash()
	h.wait(time.Minute)
	h.talked(id, "Your code? (secret)", "> ••••••", "Your code? (secret)", "Your code? (secret)")
	e, err := h.d.Say(context.Background(), id, Said{Text: "123456", Client: "x", Secret: true})
	if err != nil || e.Message.Text != "••••••" || !e.Message.Secret {
		t.Errorf("the code is seen as %+v, %v", e.Message, err)
	}
	if again, err := h.d.Say(context.Background(), id, Said{Text: "123456", Client: "x", Secret: true}); err != nil || again.Message.Seq != e.Message.Seq {
		t.Errorf("the same again gives %+v, %v", again, err)
	}
	h.talked(id, "Your code? (secret)", "> ••••••", "Your code? (secret)", "Your code? (secret)", "> ••••••", "Thank you.", "What now? [bye]")
	want := []string{"talk flow.Identify  ", "talk <nil> text 000000", "talk <nil> timeout ", "talk <nil> text 123456"}
	if got := h.world.noted(); !slices.Equal(got, want) {
		t.Errorf("the world heard %q", got)
	}
	story := h.story(in)
	if l := story.Legs[0]; l.Assurance != tandem.Verified {
		t.Errorf("the leg is %+v", l)
	}
	for _, e := range story.Events {
		if strings.Contains(string(e.Data), "123456") || strings.Contains(string(e.Data), "000000") {
			t.Errorf("the journal has %s %s", e.Kind, e.Data)
		}
	}
}

// A talk that cannot be held is a fault of the step; one that is over at once is one
// change with what follows; a double is not heard twice, even where the first is lost.
func TestTalkEnds(t *testing.T) {
	for name, c := range map[string]struct {
		talk func(Ref, flow.Session, flow.Effect, flow.Input) (flow.Turn, error)
		want []string
	}{
		"fault": {func(Ref, flow.Session, flow.Effect, flow.Input) (flow.Turn, error) {
			return flow.Turn{}, errors.New("no")
		}, nil},
		"panic": {func(Ref, flow.Session, flow.Effect, flow.Input) (flow.Turn, error) { panic("injected") }, nil},
		"at once": {func(_ Ref, _ flow.Session, e flow.Effect, _ flow.Input) (flow.Turn, error) {
			return flow.Turn{Plays: []flow.Play{words("Not you.")}, Done: &flow.Result{Outcome: "failed"}}, nil
		}, []string{"Not you.", "No."}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, prove)
			h.world.talk = c.talk
			id := h.chat()
			h.open(id)
			h.eventually("it is over", func() bool { return h.conv(id).Interaction == "" })
			h.talked(id, c.want...)
		})
	}
}

// What was held before a talk begins is no answer to it.
func TestTalkTakesNothingHeld(t *testing.T) {
	h := newHouse(t, strings.Replace(prove, "start: prove\nsteps:", "start: ask\nsteps:\n  ask: { http: { get: \"http://core/x\" }, next: prove }", 1))
	var g gate
	h.world.fetch = g.fetch
	id := h.chat()
	h.open(id)
	h.say(id, "123456")
	g.open(h, "{}")
	h.talked(id, "> 123456", "Your code? (secret)")
}

const goOn = head + `start: back
steps:
  back: { resume: {}, next: { failed: pick, else: end } }
  pick: { menu: { prompt: { en: "Then what?" }, choices: [ { keys: "1", phrases: { en: [bye] }, go: end } ] }, next: { else: end } }
`

// An earlier interaction goes on in the place of the one that asked for it, where it was;
// if it cannot, the flow goes on.
func TestGoOn(t *testing.T) {
	for _, fails := range []bool{false, true} {
		h := newHouse(t, goOn, strings.Replace(pick, "flow: f", "flow: g", 1))
		earlier := h.parked("g")
		h.world.talk = func(_ Ref, _ flow.Session, e flow.Effect, in flow.Input) (flow.Turn, error) {
			if e != nil {
				return flow.Turn{Plays: []flow.Play{words("Your number?")}, Wait: flow.Wait{Kind: flow.WaitListen}}, nil
			}
			return flow.Turn{Plays: []flow.Play{words("One moment.")}, Go: earlier.id, Assurance: tandem.Verified}, nil
		}
		h.world.resume = func(ctx context.Context, c chat.Conversation, id tandem.InteractionID, turn flow.Turn) error {
			if fails {
				return errors.New("it is gone")
			}
			return h.d.Adopt(ctx, c.ID, earlier.s, nil, Adopted{Interaction: id, Resumed: true, Assurance: turn.Assurance, Until: turn.Until})
		}
		id := h.chat()
		h.open(id)
		h.talked(id, "Your number?")
		before := h.conv(id).Interaction
		h.say(id, "12345678901")
		said := []string{"Your number?", "> 12345678901", "One moment."}
		if fails {
			h.talked(id, append(said, "Then what? [bye]")...)
			continue
		}
		h.talked(id, append(said, "Cards or loans? [cards|loans]")...)
		c := h.conv(id)
		if c.Interaction != earlier.id || c.Customer != earlier.customer {
			t.Errorf("the conversation is %+v", c)
		}
		if was := h.story(before).Interaction; was.State != tandem.Closed || was.Outcome != "resumed" {
			t.Errorf("the interaction before is %+v", was)
		}
		story := h.story(earlier.id)
		leg := story.Legs[len(story.Legs)-1]
		if story.Interaction.State != tandem.Open || leg.Kind != tandem.LegChat || leg.Assurance != tandem.Verified || !slices.Contains(h.journal(earlier.id), "session.resumed") {
			t.Errorf("the interaction that goes on is %+v, its leg %+v", story.Interaction, leg)
		}
		h.crash()
		h.say(id, "loans")
		if s := h.story(earlier.id).Interaction; s.State != tandem.Closed || s.Outcome != "completed" {
			t.Errorf("afterwards it is %+v", s)
		}
	}
}
