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

// ByAgent is the Serial of links that agents send: no session waits for what becomes of them.
const ByAgent = -1

// AgentLink is a link that an agent gives to a customer.
type AgentLink struct {
	Key       string // a second one of the interaction with it is the first
	Agent     string
	Operation string         // "" = to go on by To
	To        tandem.Channel // for the session that waits under Serial
	Serial    int            // ByAgent, or of the session's wait
	Params    map[string]any
	Needs     tandem.Assurance
	By        string // sms, chat
	Text      string // flow.LinkHere stands for the address
	Button    string // in a chat
	Expires   time.Duration
	Flow      string
	FlowHash  string
}

// Means are the ways by which something can be sent to a customer now, where they are first.
func (r *Reach) Means(ctx context.Context, w tandem.Who) ([]string, error) {
	var out []string
	order := []string{"chat", "sms"}
	if w.Channel == tandem.SMS {
		order = []string{"sms", "chat"}
	}
	for _, means := range order {
		if _, ok, err := r.way(ctx, w, []string{means}, ""); err != nil {
			return nil, err
		} else if ok {
			out = append(out, means)
		}
	}
	return out, nil
}

// errNoWay answers where nothing can be sent to a customer.
func errNoWay(by string) error {
	return tandem.Errorf(tandem.CodeConflict, "nothing can be sent to this customer by %s: no number of theirs is known or allowed, or the caps on texts are used up", by)
}

// LinkFor makes a link and sends it, for an agent. The page asks by itself for what it needs
// to know of the customer. Errors are *tandem.Error where the agent can do something.
func (r *Reach) LinkFor(ctx context.Context, w tandem.Who, o AgentLink) (link.Link, error) {
	if known, err := r.o.Links.State(ctx, w.Interaction, o.Key); err == nil || !errors.Is(err, store.ErrNotFound) {
		return known, err
	}
	by, ok, err := r.way(ctx, w, []string{o.By}, "")
	if err != nil {
		return link.Link{}, err
	}
	if !ok {
		return link.Link{}, errNoWay(o.By)
	}
	order := link.Order{
		Key: o.Key, Interaction: w.Interaction, Leg: w.Leg, Customer: w.Customer, Number: w.Number, Serial: o.Serial, Operation: o.Operation, To: o.To,
		Params: o.Params, Needs: o.Needs, Assurance: w.Assurance, AssuranceUntil: w.Until, Lang: w.Lang, Expires: o.Expires, By: by.by,
		Actor: o.Agent, Flow: o.Flow, FlowHash: o.FlowHash,
	}
	if by.by == "chat" {
		order.Conversation = w.Conversation
	}
	p, made, err := r.postLink(ctx, draft{who: w, way: by, key: o.Key, message: tandem.Message{Lang: w.Lang}}, order, o.Text, o.Button)
	if err != nil {
		return link.Link{}, fmt.Errorf("sending a link: %w", err)
	}
	if p.state == tandem.MessageFailed { // a rule forbids it, as the journal says
		return link.Link{}, errNoWay(o.By)
	}
	return made, nil
}

// MoveFor opens the way to texts for a customer whom an agent has: their answer goes on
// there, for the session that waits under serial.
func (r *Reach) MoveFor(ctx context.Context, w tandem.Who, key string, serial int, text string) error {
	by, ok, err := r.way(ctx, w, []string{"sms"}, "")
	if err != nil {
		return err
	}
	if !ok {
		return errNoWay("sms")
	}
	open := moving{serial: serial, to: tandem.SMS, line: true}
	if open.asked, err = r.newest(ctx, w, by, key); err != nil {
		return err
	}
	r.open(w.Interaction, open, moveText) // before the text: an answer may be quicker than we
	p, err := r.plainly(ctx, draft{who: w, way: by, key: key, message: tandem.Message{Lang: w.Lang, Text: text}, text: text})
	if err == nil && p.state == tandem.MessageFailed {
		err = errNoWay("sms")
	}
	if err != nil {
		r.Over(w.Interaction, serial, tandem.SMS)
		return err
	}
	if r.Leads(w.Interaction, tandem.SMS) {
		open.conversation = p.conversation
		r.open(w.Interaction, open, moveText)
	}
	return nil
}

// MoveText is what a text says by which a customer goes on with an agent: in the chat, by
// the link in it, or by answering it.
func MoveText(lang string, to tandem.Channel) string {
	zh := strings.HasPrefix(lang, "zh")
	switch {
	case zh && to == tandem.Chat:
		return "点击链接即可在线上与我们的同事继续沟通：" + flow.LinkHere
	case zh:
		return "回复本短信即可与我们的同事继续沟通。"
	case to == tandem.Chat:
		return "Go on with our colleague in the chat: " + flow.LinkHere
	}
	return "Answer this message to go on with our colleague by text."
}
