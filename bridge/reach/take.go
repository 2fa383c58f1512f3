package reach

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tandem"
	"tandem/bridge/chat"
	"tandem/bridge/link"
	"tandem/ivr/flow"
	"tandem/store"
)

// maxTaken is how many links to the chat are sent to one who waits in line, each once the
// one before is of no use any more.
const maxTaken = 3

// take opens the way to chat or texts for a customer who waits in line and has taken that
// offer. Their place is theirs where they are until they come; a way that nobody comes by
// changes nothing. words say whether it was sent.
func (r *Reach) take(ctx context.Context, w tandem.Who, s flow.Session, e flow.Take) (words []flow.Play, err error) {
	to := tandem.Channel(e.What)
	if to != tandem.Chat && to != tandem.SMS {
		return nil, fmt.Errorf("the offer of %s is not carried out here", e.What)
	}
	if s.Wait.Kind != flow.WaitQueue || s.Wait.Served || s.Wait.Serial != e.Serial || to == w.Channel {
		return nil, nil // somebody was quicker
	}
	none := []flow.Play{flow.LinePlay(w.Lang, flow.LineUnreachable)}
	by, ok, err := r.way(ctx, w, []string{"sms"}, "")
	if err != nil {
		return nil, err
	}
	if ok = ok && (to != tandem.Chat || r.o.Chat()); !ok && e.Again {
		return nil, nil
	}
	if !ok {
		return none, nil
	}
	var sent bool
	if to == tandem.Chat {
		sent, words, err = r.takeChat(ctx, w, s, by, e)
	} else {
		sent, err = r.takeTexts(ctx, w, s, by, e)
	}
	switch {
	case err != nil:
		return nil, err
	case !sent && e.Again:
		return words, nil
	case !sent:
		return none, nil
	}
	return append([]flow.Play{flow.LinePlay(w.Lang, flow.LineSent)}, words...), nil
}

// takeChat sends the link to the chat, or finds the one that was sent. The link asks for a
// factor where a level is to be carried there.
func (r *Reach) takeChat(ctx context.Context, w tandem.Who, s flow.Session, by way, e flow.Take) (sent bool, words []flow.Play, err error) {
	open := moving{serial: e.Serial, to: tandem.Chat, line: true}
	for n := range maxTaken {
		key := visit(s) + "/take.chat"
		if n > 0 {
			key += fmt.Sprint(".", n+1)
		}
		order := r.order(w, s, by, key, e.Serial, w.Lang)
		order.To, order.Expires, order.Needs = tandem.Chat, lined(w.Channel), w.Assurance
		known, err := r.o.Links.State(ctx, w.Interaction, key)
		switch {
		case errors.Is(err, store.ErrNotFound) && n > 0 && e.Again:
			return false, nil, nil
		case errors.Is(err, store.ErrNotFound):
			r.open(w.Interaction, open, lined(w.Channel))
			p, made, err := r.postLink(ctx, draft{who: w, way: by, key: key, message: tandem.Message{Lang: w.Lang}}, order, chatText(w.Lang), "")
			if err != nil || p.state == tandem.MessageFailed {
				r.Over(w.Interaction, e.Serial, tandem.Chat)
				return false, nil, err
			}
			return true, codeWords(order, made.Code), nil
		case err != nil:
			return false, nil, fmt.Errorf("looking for a link sent before: %w", err)
		case known.State.Over() && known.State != tandem.LinkDone:
			continue
		}
		return r.takeAgain(ctx, w, order, open, known, e)
	}
	return false, nil, nil
}

// takeAgain goes on with a link to the chat that was sent before. One that was pressed as
// the program stopped can be pressed again for a while.
func (r *Reach) takeAgain(ctx context.Context, w tandem.Who, order link.Order, open moving, known link.Link, e flow.Take) (sent bool, words []flow.Play, err error) {
	l, _, err := r.o.Links.Make(ctx, order, nil)
	if err != nil {
		return false, nil, fmt.Errorf("going on with a link: %w", err)
	}
	left := known.Expires.Sub(r.o.Now())
	if known.State == tandem.LinkDone {
		left = pressTime
	}
	if left > 0 {
		r.open(w.Interaction, open, left)
	}
	return !e.Again, codeWords(order, l.Code), nil
}

// takeTexts writes to the customer's phone; any answer goes on there.
func (r *Reach) takeTexts(ctx context.Context, w tandem.Who, s flow.Session, by way, e flow.Take) (sent bool, err error) {
	text, key := textsText(w.Lang), visit(s)+"/take.sms"
	open := moving{serial: e.Serial, to: tandem.SMS, line: true}
	if open.asked, err = r.newest(ctx, w, by, key); err != nil {
		return false, err
	}
	r.open(w.Interaction, open, lined(w.Channel)) // before the text: an answer may be quicker than we
	p, err := r.plainly(ctx, draft{who: w, way: by, key: key, message: tandem.Message{Lang: w.Lang, Text: text}, text: text})
	if err != nil || p.state == tandem.MessageFailed {
		r.Over(w.Interaction, e.Serial, tandem.SMS)
		return false, err
	}
	if r.Leads(w.Interaction, tandem.SMS) {
		open.conversation = p.conversation
		r.open(w.Interaction, open, lined(w.Channel))
	}
	return !e.Again, nil
}

// lined is how long a way lies open for who waits in line: a caller has more time than one
// who is asked to go on elsewhere, since nothing else waits for them.
func lined(c tandem.Channel) time.Duration { return max(patience(c), moveText) }

// visit names the session's present step, and how often it was there.
func visit(s flow.Session) string {
	var steps []string
	for _, f := range s.Frames {
		steps = append(steps, fmt.Sprintf("%s.%s#%d", f.Flow, f.Step, f.Visits[f.Step]))
	}
	return strings.Join(steps, "/")
}

// chatText is what the text with the way to the chat says.
func chatText(lang string) string {
	if strings.HasPrefix(lang, "zh") {
		return "点击链接即可在线继续排队，您的排队位置会保留：" + flow.LinkHere
	}
	return "Go on waiting in the chat, your place in line is kept: " + flow.LinkHere
}

// textsText is what the text says whose answer goes on by text.
func textsText(lang string) string {
	if strings.HasPrefix(lang, "zh") {
		return "回复本短信即可改用短信继续排队，您的排队位置会保留。"
	}
	return "Answer this message to go on waiting by text. Your place in line is kept."
}

// Conversation is where the customer of an interaction, open or closed, can be written to by
// a channel: the chat they were in last, or the texts with the number they came from, which
// are made if there are none yet. Theirs is filled in for texts. store.ErrNotFound says that
// there is no way to them.
func (r *Reach) Conversation(ctx context.Context, in tandem.InteractionID, channel tandem.Channel) (chat.Conversation, error) {
	story, err := r.o.Store.Interaction(ctx, string(in))
	if err != nil {
		return chat.Conversation{}, err
	}
	none := fmt.Errorf("a way to the customer of interaction %s by %s: %w", in, channel, store.ErrNotFound)
	w := tandem.Who{Interaction: in, Customer: story.Interaction.Customer, Channel: channel, Entry: story.Interaction.Entry, Lang: story.Interaction.Lang}
	for _, l := range slices.Backward(story.Legs) {
		if l.Role != tandem.RoleCustomer {
			continue
		}
		theirs, ours := l.From, l.To
		if !l.Inbound {
			theirs, ours = ours, theirs
		}
		switch {
		case channel == tandem.Chat && l.Kind == tandem.LegChat:
			return r.o.Book.Find(ctx, tandem.ConversationID(strings.TrimPrefix(theirs, "chat:")))
		case channel == tandem.SMS && l.Kind == tandem.LegSMS:
			c, err := r.o.Book.ByPeer(ctx, ours, theirs)
			c.Theirs = theirs
			return c, err
		case channel == tandem.SMS && l.Kind == tandem.LegSIP && w.Caller == "":
			if n, ok := r.o.Typed(theirs); ok {
				w.Caller = n
			}
		}
	}
	if channel != tandem.SMS || r.o.Texts == nil {
		return chat.Conversation{}, none
	}
	by, ok, err := r.way(ctx, w, []string{"sms"}, "")
	if err != nil {
		return chat.Conversation{}, err
	}
	if !ok {
		return chat.Conversation{}, none
	}
	ours, err := r.ours(ctx, "", "", by.number)
	if err != nil {
		return chat.Conversation{}, err
	}
	c, err := r.o.Book.ByPeer(ctx, ours, by.number)
	if errors.Is(err, store.ErrNotFound) {
		c = chat.Conversation{Channel: tandem.SMS, Entry: "sms:" + ours, Ours: ours, Lang: w.Lang, Started: r.o.Now()}
		c.Theirs = by.number
		err = r.o.Store.Update(ctx, func(tx store.Tx) error { return r.o.Book.Create(tx, &c) })
	}
	c.Theirs = by.number
	return c, err
}
