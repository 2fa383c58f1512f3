package chat

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"

	"tandem"
	"tandem/store"
)

// Next gives the number of a conversation's next message, and counts it in c: it is
// called once for each message of a change. The caller has the conversation's Lock. When
// the change fails, c is of no use any more: Find it again.
func (b *Book) Next(c *Conversation) uint64 {
	c.Seq++
	return c.Seq
}

// Add writes the row of a message inside the change that writes its event, which has its
// number by then (Change.With). m.Seq is from Next, m.Conversation is c's. It sets c.Seq
// and c.Rev, and returns what to publish once the change is durable. A message whose
// Client is known is store.ErrDuplicate; one whose Seq does not follow, store.ErrInvalid.
func (b *Book) Add(tx store.Tx, c *Conversation, m *tandem.Message, event *tandem.Event, state tandem.MessageState) (*Entry, error) {
	e, err := b.add(tx, c, m, event, state)
	if err != nil {
		return nil, fmt.Errorf("adding message %d to conversation %s: %w", m.Seq, c.ID, err)
	}
	return e, nil
}

func (b *Book) add(tx store.Tx, c *Conversation, m *tandem.Message, event *tandem.Event, state tandem.MessageState) (*Entry, error) {
	var no int64
	var seq, rev uint64
	found, err := tx.One("SELECT no, seq, rev FROM chat_conversation WHERE id = ?", func(row store.Row) {
		no, seq, rev = row.Int(0), uint64(row.Int(1)), uint64(row.Int(2))
	}, string(c.ID))
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, store.ErrNotFound
	}
	c.Seq, c.Rev = seq, rev
	entry, err := b.insert(tx, no, c, Adding{Message: m, Event: event, State: state})
	if err != nil {
		return nil, err
	}
	seen := any(0)
	if m.From == tandem.SenderCustomer {
		seen = event.At
	}
	if _, err := tx.Exec("UPDATE chat_conversation SET seq = ?, rev = ?, seen = max(seen, ?) WHERE no = ?", m.Seq, entry.Rev, seen, no); err != nil {
		return nil, err
	}
	return entry, nil
}

// insert writes the row of the message after c's newest, and counts it in c.
func (b *Book) insert(tx store.Tx, no int64, c *Conversation, a Adding) (*Entry, error) {
	m, event := a.Message, a.Event
	if m.Seq != c.Seq+1 || m.Conversation != c.ID || event.Seq == 0 {
		return nil, fmt.Errorf("it does not follow message %d, or has no event: %w", c.Seq, store.ErrInvalid)
	}
	var client, link, linkState, blob any
	if m.Client != "" {
		client = clientHash(m.Client)
	}
	entry := &Entry{Rev: c.Rev + 1, State: a.State, Error: a.Error, At: event.At, Message: *m}
	if m.Link != nil {
		entry.Link = tandem.LinkMade
		link, linkState = string(m.Link.ID), string(tandem.LinkMade)
	}
	if m.Attachment != nil {
		blob = string(m.Attachment.Blob)
	}
	n, err := tx.Exec(`INSERT INTO chat_message (conversation, seq, rev, sender, state, error, interaction, event, client, link, link_state, blob)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (conversation, client) WHERE client IS NOT NULL DO NOTHING`,
		no, int64(m.Seq), int64(entry.Rev), string(m.From), string(a.State), a.Error, string(event.Interaction), int64(event.Seq), client, link, linkState, blob)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, store.ErrDuplicate
	}
	c.Seq, c.Rev = m.Seq, entry.Rev
	return entry, nil
}

// clientHash is what is kept of the id a client gave its message: it chose it freely, so
// there might be anything in it.
func clientHash(client string) []byte {
	sum := sha256.Sum256([]byte(client))
	return sum[:16]
}

// Since reads what changed in a conversation after a Rev, in the order of Rev: each
// message at most once, as it is now. It returns at most limit entries, 100 if that is 0;
// for more, ask again with the last one's Rev. An unknown conversation has none.
func (b *Book) Since(ctx context.Context, id tandem.ConversationID, rev uint64, limit int) ([]Entry, error) {
	if limit <= 0 {
		limit = 100
	}
	return b.entries(ctx, id, "m.rev > ? ORDER BY m.rev LIMIT ?", rev, limit)
}

// ByClient reads the message to which its sender gave an id; found is false if there is
// none.
func (b *Book) ByClient(ctx context.Context, id tandem.ConversationID, client string) (e Entry, found bool, err error) {
	if client == "" {
		return e, false, nil
	}
	entries, err := b.entries(ctx, id, "m.client = ?", clientHash(client))
	if err != nil || len(entries) == 0 {
		return e, false, err
	}
	return entries[0], true, nil
}

// HasBlob reports whether a message of a conversation shows an object.
func (b *Book) HasBlob(ctx context.Context, id tandem.ConversationID, blob tandem.BlobID) (bool, error) {
	return b.has(ctx, "m.blob = ?", string(id), string(blob))
}

// HasLink reports whether a message of a conversation offers a link.
func (b *Book) HasLink(ctx context.Context, id tandem.ConversationID, link tandem.LinkID) (bool, error) {
	return b.has(ctx, "m.link = ?", string(id), string(link))
}

func (b *Book) has(ctx context.Context, where string, args ...any) (found bool, err error) {
	err = b.o.Database.View(ctx, func(tx store.Tx) (err error) {
		found, err = tx.One("SELECT 1 FROM chat_message m JOIN chat_conversation c ON c.no = m.conversation WHERE c.id = ? AND "+where, func(store.Row) {}, args...)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("looking for a message: %w", err)
	}
	return found, nil
}

// entries reads messages of a conversation: their rows first, then their words from the
// journal in one go.
func (b *Book) entries(ctx context.Context, id tandem.ConversationID, where string, args ...any) ([]Entry, error) {
	var out []Entry
	var refs []store.EventRef
	err := b.o.Database.View(ctx, func(tx store.Tx) error {
		return tx.Each(`SELECT m.rev, m.seq, m.sender, m.state, m.error, m.link_state, m.interaction, m.event
			FROM chat_message m JOIN chat_conversation c ON c.no = m.conversation WHERE c.id = ? AND `+where, func(row store.Row) error {
			out = append(out, Entry{Rev: uint64(row.Int(0)), State: tandem.MessageState(row.Text(3)), Error: row.Text(4), Link: tandem.LinkState(row.Text(5)),
				Message: tandem.Message{Conversation: id, Seq: uint64(row.Int(1)), From: tandem.Sender(row.Text(2))}})
			refs = append(refs, store.EventRef{Interaction: tandem.InteractionID(row.Text(6)), Seq: uint64(row.Int(7))})
			return nil
		}, append([]any{string(id)}, args...)...)
	})
	if err != nil {
		return nil, fmt.Errorf("reading messages of conversation %s: %w", id, err)
	}
	if len(out) == 0 {
		return nil, nil
	}
	events, err := b.o.Journal.EventsAt(ctx, refs)
	if err != nil {
		return nil, fmt.Errorf("reading messages of conversation %s: %w", id, err)
	}
	for i := range out {
		e := &out[i]
		e.At = events[i].At
		if e.Erased = events[i].Data == nil; e.Erased {
			continue
		}
		var m tandem.Message
		if err := json.Unmarshal(events[i].Data, &m); err != nil || m.Seq != e.Message.Seq || m.Conversation != id {
			return nil, fmt.Errorf("message %d of conversation %s is not what its event %d of %s tells: %w",
				e.Message.Seq, id, refs[i].Seq, refs[i].Interaction, store.ErrDamaged)
		}
		e.Message = m
	}
	return out, nil
}
