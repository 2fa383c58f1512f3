package chat

import (
	"errors"
	"fmt"

	"tandem"
	"tandem/store"
)

// ErrStale says that others have added messages to a conversation since it was read, or
// pointed it at another interaction: Find it again.
var ErrStale = errors.New("the conversation has changed")

// Adding is a message that a change adds.
type Adding struct {
	Message *tandem.Message
	Event   *tandem.Event // that has its words
	State   tandem.MessageState
	Error   string // why it failed: a word for programs
}

// Write is Add for all messages of a change, and Save, in as few steps as can be: for
// those that have a conversation at hand and hold its Lock. c is what it becomes, was what it was
// when it was read. If the stored one does not have was's Seq and Interaction it is ErrStale
// and nothing has changed, so that what is at hand may be old.
func (b *Book) Write(tx store.Tx, was *Conversation, c *Conversation, adds []Adding) ([]*Entry, error) {
	entries, err := b.write(tx, was, c, adds)
	if err != nil {
		return nil, fmt.Errorf("adding messages to conversation %s: %w", c.ID, err)
	}
	return entries, nil
}

func (b *Book) write(tx store.Tx, was *Conversation, c *Conversation, adds []Adding) ([]*Entry, error) {
	var no int64
	stale := false
	found, err := tx.One("SELECT no, seq, rev, interaction FROM chat_conversation WHERE id = ?", func(row store.Row) {
		no, c.Seq, c.Rev = row.Int(0), uint64(row.Int(1)), uint64(row.Int(2))
		stale = c.Seq != was.Seq || row.Text(3) != string(was.Interaction)
	}, string(c.ID))
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, store.ErrNotFound
	case stale:
		return nil, ErrStale
	}
	entries := make([]*Entry, 0, len(adds))
	for _, a := range adds {
		e, err := b.insert(tx, no, c, a)
		if err != nil {
			return nil, err
		}
		entries = append(entries, e)
		if a.Message.From == tandem.SenderCustomer && a.Event.At.After(c.Seen) {
			c.Seen = a.Event.At
		}
	}
	_, err = tx.Exec("UPDATE chat_conversation SET seq = ?, rev = ?, taken = max(taken, ?), seen = max(seen, ?) WHERE no = ?", c.Seq, c.Rev, c.Taken, c.Seen, no)
	if err == nil && (c.Interaction != was.Interaction || c.Leg != was.Leg || c.Customer != was.Customer || c.Lang != was.Lang) {
		_, err = tx.Exec("UPDATE chat_conversation SET interaction = ?, leg = ?, customer = ?, lang = ? WHERE no = ?",
			string(c.Interaction), string(c.Leg), string(c.Customer), c.Lang, no)
	}
	return entries, err
}
