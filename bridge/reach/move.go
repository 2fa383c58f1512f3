package reach

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"tandem"
	"tandem/bridge/link"
	"tandem/ivr/flow"
	"tandem/store"
)

// move asks the customer to go on by another channel.
func (r *Reach) move(ctx context.Context, w tandem.Who, s flow.Session, e flow.Move) ([]flow.Play, error) {
	patience := patience(w.Channel)
	undeliverable := func() ([]flow.Play, error) {
		r.answer(ctx, w.Interaction, e.Serial, flow.Result{Outcome: "undeliverable"})
		return nil, nil
	}
	means := "sms"
	if w.Channel == tandem.Chat && e.To != tandem.SMS {
		means = "chat"
	}
	by, ok, err := r.way(ctx, w, []string{means}, "")
	if err != nil {
		return nil, err
	}
	if !ok || e.To == tandem.Chat && !r.o.Chat() {
		return undeliverable()
	}
	m := tandem.Message{Lang: e.Lang, Image: e.Image}
	text := flow.Text(e.Parts)
	if e.To == tandem.Chat {
		order := r.order(w, s, by, e.Key, e.Serial, e.Lang)
		order.To, order.Expires = e.To, patience
		order.Needs = w.Assurance // who the link was forwarded to does not go on as the customer
		r.open(w.Interaction, moving{serial: e.Serial, to: e.To}, patience)
		return r.wayTo(ctx, w, by, order, e, m, text)
	}
	address := ""
	if e.To == tandem.Voice {
		if address = r.o.Dial(w.Entry); address == "" {
			return undeliverable()
		}
	}
	m.Text = strings.TrimSpace(strings.ReplaceAll(text, flow.LinkHere, address))
	p, err := r.plainly(ctx, draft{who: w, way: by, key: e.Key, message: m, text: m.Text})
	if err != nil {
		return nil, err
	}
	if p.state == tandem.MessageFailed {
		return undeliverable()
	}
	open := moving{serial: e.Serial, to: e.To}
	if e.To == tandem.SMS {
		open.conversation, open.asked = p.conversation, p.seq
	}
	r.open(w.Interaction, open, patience)
	return nil, nil
}

// newest is the number of the text that asked the customer to come, if it was sent, else of
// the newest message where it will stand.
func (r *Reach) newest(ctx context.Context, w tandem.Who, by way, key string) (uint64, error) {
	c, unlock, _, err := r.conversation(ctx, w, by)
	if err != nil {
		return 0, err
	}
	unlock()
	old, found, err := r.o.Book.ByClient(ctx, c.ID, client(w, key))
	switch {
	case err != nil:
		return 0, fmt.Errorf("looking for a message sent before: %w", err)
	case found:
		return old.Message.Seq, nil
	}
	return c.Seq, nil
}

// patience is how long a way lies open for who is on a channel.
func patience(c tandem.Channel) time.Duration {
	switch c {
	case tandem.Chat:
		return moveText
	case tandem.SMS:
		return moveTexts
	}
	return moveVoice
}

// wayTo sends the link by which the customer comes to the chat. What becomes of the link
// answers the step, so its sending does not.
func (r *Reach) wayTo(ctx context.Context, w tandem.Who, by way, order link.Order, e flow.Move, m tandem.Message, text string) ([]flow.Play, error) {
	if known, err := r.o.Links.State(ctx, w.Interaction, order.Key); err == nil {
		l, _, err := r.o.Links.Make(ctx, order, nil)
		if err != nil {
			return nil, fmt.Errorf("going on with a link: %w", err)
		}
		if known.State.Over() && known.State != tandem.LinkDone {
			r.Withdraw(w.Interaction)
			r.answer(ctx, w.Interaction, e.Serial, flow.Result{Outcome: "declined"})
			return nil, nil
		}
		if known.State == tandem.LinkDone { // a stop came between the press and the chat: it can be pressed again for a while
			r.open(w.Interaction, moving{serial: e.Serial, to: e.To}, pressTime)
		}
		return codeWords(order, l.Code), nil
	} else if !errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("looking for a link sent before: %w", err)
	}
	if !strings.Contains(text, flow.LinkHere) {
		text = strings.TrimSpace(text + " " + flow.LinkHere)
	}
	p, made, err := r.postLink(ctx, draft{who: w, way: by, key: order.Key, message: m}, order, text, e.Button)
	if err == nil && p.state == tandem.MessageFailed {
		r.Withdraw(w.Interaction)
		r.answer(ctx, w.Interaction, e.Serial, flow.Result{Outcome: "undeliverable"})
	}
	return codeWords(order, made.Code), err
}

// path is a way to another channel that lies open: an interaction has one to each, at most.
type path struct {
	in tandem.InteractionID
	to tandem.Channel
}

// open notes a way to another channel, and closes it when the customer's time is up.
func (r *Reach) open(in tandem.InteractionID, m moving, patience time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	key := path{in, m.to}
	if old, ok := r.moves[key]; ok {
		old.timer.Stop()
	}
	m.timer = time.AfterFunc(patience, func() {
		r.mu.Lock()
		now, ok := r.moves[key]
		ok = ok && now.serial == m.serial
		if ok {
			delete(r.moves, key)
		}
		over := r.closed
		r.mu.Unlock()
		if ok && !over && !m.line { // who waits in line goes on waiting where they are
			r.answer(context.Background(), in, m.serial, flow.Result{Outcome: "declined"})
		}
	})
	r.moves[key] = m
}

// shut closes the ways of an interaction that which picks. mu is held.
func (r *Reach) shut(in tandem.InteractionID, which func(moving) bool) {
	for _, to := range []tandem.Channel{tandem.Voice, tandem.Chat, tandem.SMS} {
		if m, ok := r.moves[path{in, to}]; ok && which(m) {
			m.timer.Stop()
			delete(r.moves, path{in, to})
		}
	}
}

// Over closes the ways that were opened in the wait with that serial: to a channel, or all
// if that is "".
func (r *Reach) Over(in tandem.InteractionID, serial int, to tandem.Channel) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.shut(in, func(m moving) bool { return m.serial == serial && (to == "" || to == m.to) })
}

// Came takes a way that lies open: the customer of the interaction is there, on a channel
// and, by text, with message seq of a conversation. One from before the text that asked them
// to come is no answer to it: gateways bring what they have not seen taken once more, and
// late. serial is that of the waiting session.
func (r *Reach) Came(in tandem.InteractionID, to tandem.Channel, c tandem.ConversationID, seq uint64) (serial int, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m, ok := r.moves[path{in, to}]
	if !ok || m.conversation != "" && m.conversation != c || to == tandem.SMS && seq <= m.asked {
		return 0, false
	}
	m.timer.Stop()
	delete(r.moves, path{in, to})
	return m.serial, true
}

// Leads reports whether a way to a channel lies open, or any if that is "".
func (r *Reach) Leads(in tandem.InteractionID, to tandem.Channel) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, one := range []tandem.Channel{tandem.Voice, tandem.Chat, tandem.SMS} {
		if _, ok := r.moves[path{in, one}]; ok && (to == "" || to == one) {
			return true
		}
	}
	return false
}
