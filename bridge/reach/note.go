package reach

import (
	"context"
	"errors"
	"strings"

	"tandem"
	"tandem/store"
)

// maskedPage stands in the journal for the part of a status page's address that opens it.
const maskedPage = "/t/••••"

// Note writes to the customer where the flow runs: in their chat, by text where they
// text, and by text to the number that calls, under the caps. sent is false if nothing
// may or can be sent.
func (r *Reach) Note(ctx context.Context, w tandem.Who, n tandem.Notice) (sent bool, err error) {
	means := "sms"
	if w.Channel == tandem.Chat {
		means = "chat"
	}
	by, ok, err := r.way(ctx, w, []string{means}, "")
	if err != nil || !ok {
		return false, err
	}
	return r.note(ctx, w, by, n)
}

// Tell writes to the customer of an interaction, open or closed, where they would see it:
// in the chat they were in last, or in texts if they text about it still. sent is false if
// there is no such place.
func (r *Reach) Tell(ctx context.Context, in tandem.InteractionID, n tandem.Notice) (sent bool, err error) {
	c, err := r.Conversation(ctx, in, tandem.Chat)
	if errors.Is(err, store.ErrNotFound) && r.o.Texts != nil {
		c, err = r.o.Book.ByInteraction(ctx, in, tandem.SMS)
	}
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return r.Note(ctx, tandem.Who{Interaction: in, Leg: c.Leg, Customer: c.Customer, Channel: c.Channel, Conversation: c.ID, Caller: c.Theirs, Lang: n.Lang}, n)
}

func (r *Reach) note(ctx context.Context, w tandem.Who, by way, n tandem.Notice) (bool, error) {
	d := draft{who: w, way: by, key: n.Key, message: tandem.Message{Lang: n.Lang, Text: n.Text}, text: n.Text}
	switch {
	case by.by == "chat" && n.Link != "":
		d.message.Link = &tandem.MessageLink{ID: n.Link, Label: n.Button}
	case n.URL != "":
		d.text = n.Text + n.Follow + n.URL
		d.message.Text = n.Text + n.Follow + maskedAddress(n.URL)
	}
	p, err := r.plainly(ctx, d)
	return err == nil && p.state != tandem.MessageFailed, err
}

// maskedAddress is a status page's address as it may be read by others.
func maskedAddress(url string) string {
	if i := strings.LastIndex(url, "/t/"); i >= 0 {
		return url[:i] + maskedPage
	}
	return maskedPage
}
