package reach

import (
	"context"
	"fmt"

	"tandem"
	"tandem/bridge/chat"
	"tandem/bridge/sms"
	"tandem/store"
)

// Letter is the text that carries a message of a flow that runs in the texts themselves.
// It is counted against the caps. An error says why it may not be sent.
func (r *Reach) Letter(ctx context.Context, c chat.Conversation, m *tandem.Message, lang string) (*store.Outgoing, error) {
	text := sms.Message{Key: letterKey(c.ID, m.Seq), From: c.Ours, To: c.Theirs, Text: m.Text, Lang: lang}
	if err := r.reserve(ctx, text); err != nil {
		return nil, err
	}
	o := r.o.Texts.Letter(text)
	return &o, nil
}

// reserve counts a text in a transaction of its own. One that is not posted after all
// stays counted, which errs on the side of fewer texts.
func (r *Reach) reserve(ctx context.Context, m sms.Message) error {
	return r.o.Store.Update(ctx, func(tx store.Tx) error { return r.o.Texts.Reserve(ctx, tx, m, m.Parts()) })
}

// Code is a text with a one-time code. It goes into no conversation: nobody shall read
// it again.
type Code struct {
	Key      string // the same text is sent once under it
	To       string // E.164
	Lang     string
	Text     string
	Template string
	Params   map[string]string
	// Conversation is where it was asked for; "" = in none. A talk by text with To gets it
	// from the number of ours that it is with, so that the reply comes there.
	Conversation tandem.ConversationID
	Visitor      string // who caused it, for the caps
	Address      string // network address, likewise
}

// Code sends a one-time code. It returns once that is durable; an error, such as
// *sms.Refused, means that it will not be sent.
func (r *Reach) Code(ctx context.Context, c Code) error {
	if r.o.Texts == nil {
		return fmt.Errorf("there is no gateway for texts")
	}
	ours, err := r.ours(ctx, c.Conversation, "", c.To)
	if err != nil {
		return err
	}
	text := sms.Message{Key: c.Key, From: ours, To: c.To, Text: c.Text, Template: c.Template, Params: c.Params, Lang: c.Lang, Visitor: c.Visitor, Address: c.Address}
	return r.o.Store.Commit(ctx, &store.Change{
		Outbox: []store.Outgoing{r.o.Texts.Letter(text)},
		With:   func(tx store.Tx) error { return r.o.Texts.Reserve(ctx, tx, text, text.Parts()) },
	})
}
