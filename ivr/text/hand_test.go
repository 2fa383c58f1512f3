package text

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/store"
)

// comes has somebody go on in a conversation, by a way that the interaction's session waits
// at, as a link's page does: once more if they were not let in.
func (h *house) comes(id tandem.ConversationID, in tandem.InteractionID) {
	h.Helper()
	try := func() error {
		was := h.stored(in)
		if was.Facts.Channel == tandem.Chat {
			return nil
		}
		why := Adopted{Interaction: in}
		s, err := h.d.Release(context.Background(), in, func(w flow.Wait) bool { return w.Kind == flow.WaitHandoff && w.Serial == was.Wait.Serial })
		if errors.Is(err, store.ErrNotFound) {
			s, err = h.stored(in), nil
			why.Resumed = true
		}
		if err == nil && (s.Wait.Kind != flow.WaitHandoff || s.Wait.Serial != was.Wait.Serial) {
			err = errors.New("too late")
		}
		if err == nil {
			err = h.d.Adopt(context.Background(), id, s, accepted(s), why)
		}
		return err
	}
	h.eventually("they are let in", func() bool { return try() == nil })
}

// Whoever was let go and taken by nobody, since the program was killed, is taken back after
// the start. Wherever in that they come themselves, they go to one of the two: their session
// runs once, and asks once.
func TestComesWhileTakenBack(t *testing.T) {
	choices := "Where? / 1 chat / 2 sms / 3 phone / 4 out"
	later := false // than all that is looked at or written as somebody is taken back
	for n := int64(1); !later; n++ {
		t.Run(fmt.Sprint("asked ", n), func(t *testing.T) {
			h := newHouse(t, moves)
			texts, there := h.texts(), h.chat()
			h.say(texts, "hello")
			h.say(texts, "1")
			in := h.conv(texts).Interaction
			_, err := h.d.Release(t.Context(), in, nil)
			h.must(err)

			var asked atomic.Int64
			came := make(chan struct{})
			do := func() {
				if asked.Add(1) != n {
					return
				}
				go func() { h.comes(there, in); close(came) }()
				select {
				case <-came:
				case <-time.After(100 * time.Millisecond): // they have to wait for us
				}
			}
			h.mortal.kill()
			h.stop()
			h.asked.Store(&do)
			h.start()
			h.eventually("they are taken back, or have come", func() bool {
				select {
				case <-came:
					return true
				default:
					return h.stored(in).Facts.Channel == tandem.SMS && h.quiet(texts)
				}
			})
			h.asked.Store(nil)
			if later = asked.Load() < n; later {
				h.comes(there, in)
			} else {
				<-came
			}
			h.eventually("nobody moves", func() bool { return h.quiet(texts) && h.quiet(there) && h.quiet(tandem.ConversationID(in)) })

			if s := h.stored(in); s.Facts.Channel != tandem.Chat || s.Wait.Kind != flow.WaitListen {
				t.Errorf("by %s it waits in %+v", s.Facts.Channel, s.Wait)
			}
			h.say(texts, "here?")
			h.talked(texts, "> hello", choices, "> 1", "> here?", "We go on in the chat now. To go on here instead, write BACK.")
			h.say(there, "out")
			h.talked(there, "You are here.", "Where? [chat|sms|phone|out]", "> out")
			story := h.ended(in)
			if story.Interaction.Outcome != "completed" {
				t.Errorf("it ended as %q: %q", story.Interaction.Outcome, h.journal(in))
			}
			chats := slices.DeleteFunc(story.Legs, func(l tandem.Leg) bool { return l.Kind != tandem.LegChat })
			if len(chats) != 1 {
				t.Errorf("there are %d legs in the chat", len(chats))
			}
		})
	}
}
