package chat

import (
	"context"
	"fmt"
	"regexp"
	"slices"

	"tandem"
	"tandem/store"
)

// marked is one message whose state has changed.
type marked struct {
	seq         uint64
	state       tandem.MessageState
	interaction tandem.InteractionID
}

// Mark notes how far a message has come, durably, in the journal and to all who look on.
// What is not further than what is known changes nothing: receipts come late, twice and
// out of order; a number that no message has, too. why says why it failed: a word of up to 32 of a–z, 0–9 and _ is kept and
// shown to clients, a sentence goes to the journal alone.
func (b *Book) Mark(ctx context.Context, id tandem.ConversationID, seq uint64, s tandem.MessageState, why string) error {
	return b.mark(ctx, id, s, why, "seq = ?", seq)
}

// MarkTo notes that all messages to the customer, up to one, were delivered or read.
func (b *Book) MarkTo(ctx context.Context, id tandem.ConversationID, seq uint64, s tandem.MessageState) error {
	return b.mark(ctx, id, s, "", "seq <= ? AND sender <> 'customer' AND state <> 'read' ORDER BY seq", seq)
}

// word is what Mark keeps of why.
var word = regexp.MustCompile(`^[a-z0-9_]{1,32}$`)

func (b *Book) mark(ctx context.Context, id tandem.ConversationID, s tandem.MessageState, why, where string, seq uint64) error {
	var done []marked
	err := b.o.Database.Update(ctx, func(tx store.Tx) error {
		done = nil
		var no int64
		var rev uint64
		found, err := tx.One("SELECT no, rev FROM chat_conversation WHERE id = ?", func(row store.Row) { no, rev = row.Int(0), uint64(row.Int(1)) }, string(id))
		if err == nil && !found {
			err = store.ErrNotFound
		}
		if err != nil {
			return err
		}
		err = tx.Each("SELECT seq, state, interaction FROM chat_message WHERE conversation = ? AND "+where, func(row store.Row) error {
			if s.After(tandem.MessageState(row.Text(1))) {
				done = append(done, marked{uint64(row.Int(0)), s, tandem.InteractionID(row.Text(2))})
			}
			return nil
		}, no, seq)
		if err != nil || len(done) == 0 {
			return err
		}
		kept := ""
		if s == tandem.MessageFailed {
			if kept = "failed"; word.MatchString(why) {
				kept = why
			}
		}
		for _, m := range done {
			rev++
			if _, err := tx.Exec("UPDATE chat_message SET rev = ?, state = ?, error = ? WHERE conversation = ? AND seq = ?", rev, string(s), kept, no, m.seq); err != nil {
				return err
			}
		}
		_, err = tx.Exec("UPDATE chat_conversation SET rev = ? WHERE no = ?", rev, no)
		return err
	})
	if err != nil {
		return fmt.Errorf("marking messages of conversation %s as %s: %w", id, s, err)
	}
	for _, m := range done {
		b.o.Journal.Note(tandem.NewEvent(m.interaction, "", b.o.Now(), tandem.EventReceipt, "system",
			tandem.Receipt{Conversation: id, Seq: m.seq, State: s, Error: why}))
	}
	if len(done) > 0 {
		b.show(ctx, id, done[0].seq, done[len(done)-1].seq, func(e *Entry) bool {
			return slices.ContainsFunc(done, func(m marked) bool { return m.seq == e.Message.Seq })
		})
	}
	return nil
}

// MarkLink notes what became of a link, in all messages that offer it, and shows it to
// all who look on. A link that is over stays as it is.
func (b *Book) MarkLink(ctx context.Context, link tandem.LinkID, s tandem.LinkState) error {
	type place struct {
		no  int64
		id  tandem.ConversationID
		seq uint64
	}
	var done []place
	err := b.o.Database.Update(ctx, func(tx store.Tx) error {
		done = nil
		err := tx.Each("SELECT c.no, c.id, m.seq, m.link_state FROM chat_message m JOIN chat_conversation c ON c.no = m.conversation WHERE m.link = ? ORDER BY c.no, m.seq",
			func(row store.Row) error {
				if before := tandem.LinkState(row.Text(3)); before != s && !before.Over() {
					done = append(done, place{row.Int(0), tandem.ConversationID(row.Text(1)), uint64(row.Int(2))})
				}
				return nil
			}, string(link))
		for _, p := range done {
			if err == nil {
				_, err = tx.Exec("UPDATE chat_conversation SET rev = rev + 1 WHERE no = ?", p.no)
			}
			if err == nil {
				_, err = tx.Exec(`UPDATE chat_message SET link_state = ?, rev = (SELECT rev FROM chat_conversation WHERE no = ?) WHERE conversation = ? AND seq = ?`,
					string(s), p.no, p.no, p.seq)
			}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("marking link %s as %s: %w", link, s, err)
	}
	for _, p := range done {
		b.show(ctx, p.id, p.seq, p.seq, func(*Entry) bool { return true })
	}
	return nil
}

// show publishes messages as they are now, those from one to another that which picks. If
// they cannot be read now, whoever looks on finds out with the next change.
func (b *Book) show(ctx context.Context, id tandem.ConversationID, from, to uint64, which func(*Entry) bool) {
	if !b.watched(id) {
		return
	}
	entries, err := b.entries(ctx, id, "m.seq BETWEEN ? AND ? ORDER BY m.rev", from, to)
	if err != nil {
		b.log.Warn("a change of messages could not be shown", "conversation", id, "error", err)
		return
	}
	frames := make([]Frame, 0, len(entries))
	for i := range entries {
		if which(&entries[i]) {
			frames = append(frames, &entries[i])
		}
	}
	b.Publish(id, frames...)
}
