package chat

import (
	"context"
	"fmt"

	"tandem"
	"tandem/store"
)

// Create adds a conversation, giving it an id and a start if it has none. A second one
// with the same two numbers is store.ErrDuplicate.
func (b *Book) Create(tx store.Tx, c *Conversation) error {
	if c.ID == "" {
		c.ID = tandem.NewID[tandem.ConversationID](b.o.Now(), b.o.Random)
	}
	if c.Started.IsZero() {
		c.Started = b.o.Now()
	}
	var peer any
	if c.Channel == tandem.SMS {
		hidden := b.peer(c.Ours, c.Theirs)
		there, err := tx.One("SELECT 1 FROM chat_conversation WHERE peer = ?", func(store.Row) {}, hidden)
		if err != nil {
			return fmt.Errorf("making a conversation: %w", err)
		}
		if there {
			return fmt.Errorf("a conversation of these numbers: %w", store.ErrDuplicate)
		}
		peer = hidden
	}
	_, err := tx.Exec(`INSERT INTO chat_conversation (id, channel, entry, interaction, leg, customer, lang, taken, ours, peer, started, seen)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(c.ID), string(c.Channel), c.Entry, string(c.Interaction), string(c.Leg), string(c.Customer), c.Lang, c.Taken, c.Ours, peer, c.Started, c.Seen)
	if err != nil {
		return fmt.Errorf("making a conversation: %w", err)
	}
	return nil
}

// Save writes what changes of a conversation: Interaction, Leg, Customer, Lang and, if
// they are later than what is kept, Taken and Seen. Seq and Rev are written by Add and Mark.
func (b *Book) Save(tx store.Tx, c *Conversation) error {
	n, err := tx.Exec(`UPDATE chat_conversation SET interaction = ?, leg = ?, customer = ?, lang = ?, taken = max(taken, ?), seen = max(seen, ?) WHERE id = ?`,
		string(c.Interaction), string(c.Leg), string(c.Customer), c.Lang, c.Taken, c.Seen, string(c.ID))
	if err == nil && n == 0 {
		err = store.ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("saving conversation %s: %w", c.ID, err)
	}
	return nil
}

// Speak notes the language that the customer has chosen, and changes nothing else.
// store.ErrNotFound if there is no such conversation.
func (b *Book) Speak(ctx context.Context, id tandem.ConversationID, lang string) error {
	err := b.o.Database.Update(ctx, func(tx store.Tx) error {
		n, err := tx.Exec("UPDATE chat_conversation SET lang = ? WHERE id = ?", lang, string(id))
		if err == nil && n == 0 {
			err = store.ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("changing the language of conversation %s: %w", id, err)
	}
	return nil
}

// Find reads a conversation; store.ErrNotFound if there is none.
func (b *Book) Find(ctx context.Context, id tandem.ConversationID) (Conversation, error) {
	return b.find(ctx, "WHERE id = ?", string(id))
}

// ByPeer reads the texts with one number at one of ours, both E.164; store.ErrNotFound
// if there are none.
func (b *Book) ByPeer(ctx context.Context, ours, theirs string) (Conversation, error) {
	return b.find(ctx, "WHERE peer = ?", b.peer(ours, theirs))
}

// ByInteraction reads the conversation of a channel whose present interaction this is: an
// interaction may have a chat, and texts beside it. Of several, as with texts to two
// numbers of ours, it is the one that the customer came to last. store.ErrNotFound if there
// is none.
func (b *Book) ByInteraction(ctx context.Context, id tandem.InteractionID, channel tandem.Channel) (Conversation, error) {
	return b.find(ctx, "WHERE interaction = ? AND interaction <> '' AND channel = ? ORDER BY leg DESC LIMIT 1", string(id), string(channel))
}

func (b *Book) peer(ours, theirs string) []byte { return b.o.Blind("chat peer", ours+" "+theirs) }

const columns = "no, id, channel, entry, interaction, leg, customer, lang, seq, rev, taken, ours, started, seen"

func conversationRow(row store.Row) Conversation {
	return Conversation{ID: tandem.ConversationID(row.Text(1)), Channel: tandem.Channel(row.Text(2)), Entry: row.Text(3),
		Interaction: tandem.InteractionID(row.Text(4)), Leg: tandem.LegID(row.Text(5)), Customer: tandem.CustomerID(row.Text(6)), Lang: row.Text(7),
		Seq: uint64(row.Int(8)), Rev: uint64(row.Int(9)), Taken: uint64(row.Int(10)), Ours: row.Text(11), Started: row.Time(12), Seen: row.Time(13)}
}

func (b *Book) find(ctx context.Context, where string, args ...any) (c Conversation, err error) {
	found := false
	err = b.o.Database.View(ctx, func(tx store.Tx) (err error) {
		found, err = tx.One("SELECT "+columns+" FROM chat_conversation "+where, func(row store.Row) { c = conversationRow(row) }, args...)
		return err
	})
	if err == nil && !found {
		err = store.ErrNotFound
	}
	if err == nil && c.Channel == tandem.SMS && c.Leg != "" {
		err = b.fillTheirs(ctx, &c)
	}
	if err != nil {
		return c, fmt.Errorf("looking for a conversation: %w", err)
	}
	return c, nil
}

// fillTheirs reads the other side's number where it lies sealed: in the leg.
func (b *Book) fillTheirs(ctx context.Context, c *Conversation) error {
	leg, err := b.o.Journal.Leg(ctx, c.Leg)
	if err != nil {
		return err
	}
	if c.Theirs = leg.To; leg.Inbound {
		c.Theirs = leg.From
	}
	return nil
}
