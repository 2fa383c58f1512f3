package chat

import (
	"errors"
	"testing"

	"tandem"
	"tandem/store"
)

// Write does what Add and Save do, and refuses what was read too early.
func TestWrite(t *testing.T) {
	h := newHouse(t)
	c := h.begin("")
	h.say(&c, tandem.SenderCustomer, "hi", "a")
	was, err := h.book.Find(t.Context(), c.ID)
	h.must(err)
	write := func(was Conversation, change func(*Conversation), texts ...string) ([]*Entry, error) {
		now := was
		var messages []*tandem.Message
		work := &store.Change{Of: c.Interaction}
		for _, text := range texts {
			m := &tandem.Message{Conversation: now.ID, Channel: tandem.Chat, From: tandem.SenderCustomer, Text: text, Client: text, Seq: h.book.Next(&now)}
			messages = append(messages, m)
			work.Events = append(work.Events, tandem.NewEvent(c.Interaction, c.Leg, h.place.Clock.Now(), tandem.EventMessage, "caller", m))
		}
		if change != nil {
			change(&now)
		}
		var entries []*Entry
		work.With = func(tx store.Tx) (err error) {
			var adds []Adding
			for i, m := range messages {
				adds = append(adds, Adding{Message: m, Event: &work.Events[i], State: tandem.MessageSent})
			}
			entries, err = h.book.Write(tx, &was, &now, adds)
			return err
		}
		return entries, h.db.Commit(t.Context(), work)
	}
	entries, err := write(was, func(c *Conversation) { c.Taken, c.Lang, c.Interaction = 3, "zh-CN", "" }, "b", "c")
	h.must(err)
	if len(entries) != 2 || entries[0].Rev != 2 || entries[1].Message.Seq != 3 {
		t.Errorf("added were %+v", entries)
	}
	now, err := h.book.Find(t.Context(), c.ID)
	h.must(err)
	if now.Seq != 3 || now.Rev != 3 || now.Taken != 3 || now.Lang != "zh-CN" || now.Interaction != "" || !now.Seen.Equal(entries[1].At) {
		t.Errorf("the conversation is %+v", now)
	}
	if all := h.since(c.ID, 0); len(all) != 3 || all[2].Message.Text != "c" {
		t.Errorf("it has %+v", all)
	}
	for name, old := range map[string]func(*Conversation){
		"a message since": func(c *Conversation) { c.Seq-- },
		"pointed since":   func(c *Conversation) { c.Interaction = "another" },
	} {
		was := now
		old(&was)
		if _, err := write(was, nil, "d"); !errors.Is(err, ErrStale) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := write(now, nil, "b"); !errors.Is(err, store.ErrDuplicate) {
		t.Errorf("a double gives %v", err)
	}
	gone := now
	gone.ID = "nowhere"
	if _, err := write(gone, nil); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("no conversation gives %v", err)
	}
	if again, err := h.book.Find(t.Context(), c.ID); err != nil || again != now {
		t.Errorf("after what failed it is %+v, %v", again, err)
	}
}
