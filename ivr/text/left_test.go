package text

import (
	"context"
	"strings"
	"testing"

	"tandem"
	"tandem/bridge/chat"
	"tandem/ivr/flow"
)

// moved has a session in line go on by text, and returns the chat it left and the texts.
func moved(t *testing.T) (h *house, from, to tandem.ConversationID) {
	h = newHouse(t, lined)
	from, to = h.chat(), h.texts()
	h.open(from)
	h.line(from, third())
	in := h.conv(from).Interaction
	s, err := h.d.Release(t.Context(), in, nil)
	h.must(err)
	came := flow.Input{Kind: flow.InputMoved, Serial: s.Wait.Serial, Channel: tandem.SMS}
	h.must(h.d.Adopt(t.Context(), to, s, &came, Adopted{Interaction: in, Theirs: theirs}))
	return h, from, to
}

// Who writes where the talk was before hears once where it goes on, and may come back.
func TestTheChannelThatWasLeft(t *testing.T) {
	h, from, to := moved(t)
	in := h.conv(to).Interaction
	h.world.resume = func(ctx context.Context, c chat.Conversation, earlier tandem.InteractionID, _ flow.Turn) error {
		s, err := h.d.Release(ctx, earlier, nil)
		if err != nil {
			return err
		}
		return h.d.Adopt(ctx, c.ID, s, nil, Adopted{Interaction: earlier, Resumed: true, Theirs: c.Theirs})
	}
	h.say(from, "Hello?")
	h.say(from, "Anybody?")
	there := "We go on by text message now. To go on here instead, write BACK."
	h.talked(from, "> Hello?", there, "> Anybody?")
	h.say(from, "back")
	h.eventually("it is back", func() bool { return h.quiet(from) && h.session(from).Facts.Channel == tandem.Chat })
	if s := h.session(from); s.Wait.Kind != flow.WaitQueue || h.conv(from).Interaction != in {
		t.Errorf("it waits in %+v", s.Wait)
	}
	h.say(to, "and here?") // which was left in its turn
	if got := h.read(to); len(got) != 3 || !strings.HasPrefix(got[2], "We go on in the chat now.") {
		t.Errorf("the texts read %q", got)
	}
	h.line(from, anna())
	h.line(from, answered())
	h.talked(from, "> Hello?", there, "> Anybody?", "> back", "Cards or loans? [cards|loans]")
}

// Nobody is taken away from an agent, and a text to somebody who is on the phone is no
// channel that was left.
func TestNoWayBack(t *testing.T) {
	h, from, to := moved(t)
	h.line(to, anna())
	h.say(from, "back")
	h.talked(from, "> back", "We go on by text message now. What you write here is kept.")
	h.say(from, "返回")
	h.talked(from, "> back", "We go on by text message now. What you write here is kept.", "> 返回")
	if !served(h.session(to)) {
		t.Error("the agent has lost them")
	}
	for _, lang := range []string{"en", "zh-CN"} {
		for _, there := range []tandem.Channel{tandem.Voice, tandem.Chat, tandem.SMS} {
			for _, back := range []bool{true, false} {
				if leftWords(lang, there, back) == "" {
					t.Errorf("nothing is said in %s of %s", lang, there)
				}
			}
		}
	}
}
