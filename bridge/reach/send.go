package reach

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tandem"
	"tandem/bridge/chat"
	"tandem/bridge/link"
	"tandem/bridge/sms"
	"tandem/ivr/flow"
	"tandem/store"
)

// maskedToken stands in the journal for the part of a link that opens it.
const maskedToken = "/l/••••"

// way is how a message goes to the customer.
type way struct {
	by     string // sms or chat
	number string // sms: E.164
}

// way finds the first means that can carry something to the customer; ok is false if none
// can.
func (r *Reach) way(ctx context.Context, w tandem.Who, by []string, to string) (way, bool, error) {
	for _, means := range by {
		switch means {
		case "chat":
			if w.Channel == tandem.Chat && w.Conversation != "" && to == "" {
				return way{by: means}, true, nil
			}
		case "sms":
			if r.o.Texts == nil {
				continue
			}
			number, proven, err := r.number(ctx, w, to)
			if err != nil {
				return way{}, false, err
			}
			if !proven {
				continue
			}
			if err := r.o.Texts.Allow(ctx, number); err != nil {
				r.refused(ctx, w, err)
				continue
			}
			return way{by: means, number: number}, true, nil
		}
	}
	return way{}, false, nil
}

// client is the id of a message that an effect sent, in its conversation.
func client(w tandem.Who, key string) string { return "flow:" + string(w.Interaction) + "/" + key }

// letterKey is the key of the text that carries a message.
func letterKey(c tandem.ConversationID, seq uint64) string { return fmt.Sprintf("text:%s:%d", c, seq) }

// LetterKey reads a key of letterKey.
func LetterKey(key string) (c tandem.ConversationID, seq uint64, ok bool) {
	rest, found := strings.CutPrefix(key, "text:")
	id, number, more := strings.Cut(rest, ":")
	if !found || !more {
		return "", 0, false
	}
	if _, err := fmt.Sscanf(number, "%d", &seq); err != nil {
		return "", 0, false
	}
	return tandem.ConversationID(id), seq, true
}

// send writes a message.
func (r *Reach) send(ctx context.Context, w tandem.Who, e flow.Send) error {
	means := e.By
	if e.Template != "" { // whose words only a gateway has
		means = slices.DeleteFunc(slices.Clone(means), func(m string) bool { return m == "chat" })
	}
	by, ok, err := r.way(ctx, w, means, e.To)
	if err != nil {
		return err
	}
	if !ok {
		r.answer(ctx, w.Interaction, e.Serial, flow.Result{Outcome: "undeliverable"})
		return nil
	}
	m := tandem.Message{Lang: e.Lang, Text: flow.Text(e.Parts), Image: e.Image}
	params := map[string]string{}
	for name, v := range e.Params {
		params[name] = fmt.Sprint(v)
	}
	if e.Template != "" {
		m.Text = templateWords(e.Template, params)
	}
	d := draft{who: w, way: by, key: e.Key, message: m, text: flow.Text(e.Parts), template: e.Template, params: params}
	p, err := r.plainly(ctx, d)
	switch {
	case err != nil:
		return err
	case p.state == tandem.MessageFailed:
		r.answer(ctx, w.Interaction, e.Serial, flow.Result{Outcome: "undeliverable"})
	case by.by == "sms" && p.state == tandem.MessagePending:
		r.await(p.letter, w.Interaction, e.Serial)
	default:
		r.answer(ctx, w.Interaction, e.Serial, flow.Result{Outcome: "sent"})
	}
	return nil
}

// templateWords stand in the journal for words that only a gateway has.
func templateWords(name string, params map[string]string) string {
	var b strings.Builder
	b.WriteString("[" + name)
	for _, p := range slices.Sorted(maps.Keys(params)) {
		fmt.Fprintf(&b, " %s=%s", p, params[p])
	}
	return b.String() + "]"
}

// draft is a message on its way into a conversation.
type draft struct {
	who      tandem.Who
	way      way
	key      string // of the effect
	message  tandem.Message
	text     string // as the text carries it, addresses and codes and all
	template string
	params   map[string]string
}

// posted is a message that is in its conversation.
type posted struct {
	conversation tandem.ConversationID
	seq          uint64
	letter       string // key of the text; "" = none
	state        tandem.MessageState
}

// post puts a message into the customer's conversation, durably, with the text that
// carries it. through commits the change that finish makes of the finished draft; one
// that was posted before is not posted again.
func (r *Reach) post(ctx context.Context, d draft, through func(finish func(draft) *store.Change) error) (posted, error) {
	conv, unlock, change, err := r.conversation(ctx, d.who, d.way)
	if err != nil {
		return posted{}, err
	}
	defer unlock()
	if old, found, err := r.o.Book.ByClient(ctx, conv.ID, client(d.who, d.key)); err != nil {
		return posted{}, fmt.Errorf("looking for a message sent before: %w", err)
	} else if found {
		return posted{conversation: conv.ID, seq: old.Message.Seq, letter: letterKey(conv.ID, old.Message.Seq), state: old.State}, nil
	}
	p := posted{conversation: conv.ID, seq: r.o.Book.Next(&conv), state: tandem.MessageSent}
	var entry *chat.Entry
	err = through(func(d draft) *store.Change {
		m := d.message
		m.Conversation, m.Channel, m.From, m.Client, m.Seq = conv.ID, conv.Channel, tandem.SenderFlow, client(d.who, d.key), p.seq
		at := len(change.Events)
		change.Events = append(change.Events, tandem.NewEvent(d.who.Interaction, conv.Leg, r.o.Now(), tandem.EventMessage, "flow", m))
		var text sms.Message
		if d.way.by == "sms" {
			p.state, p.letter = tandem.MessagePending, letterKey(conv.ID, m.Seq)
			text = sms.Message{Key: p.letter, From: conv.Ours, To: conv.Theirs, Text: d.text, Template: d.template, Params: d.params, Lang: m.Lang,
				Visitor: string(visitor(d.who)), Address: d.who.Address}
			change.Outbox = append(change.Outbox, r.o.Texts.Letter(text))
		}
		before := change.With
		change.With = func(tx store.Tx) (err error) {
			if before != nil {
				if err := before(tx); err != nil {
					return err
				}
			}
			if d.way.by == "sms" {
				if err := r.o.Texts.Reserve(ctx, tx, text, text.Parts()); err != nil {
					return err
				}
			}
			entry, err = r.o.Book.Add(tx, &conv, &m, &change.Events[at], p.state)
			return err
		}
		return change
	})
	var refused *sms.Refused
	switch {
	case errors.As(err, &refused):
		r.refused(ctx, d.who, err)
		return posted{state: tandem.MessageFailed}, nil
	case err != nil:
		return posted{}, fmt.Errorf("keeping a message: %w", err)
	}
	r.o.Book.Publish(conv.ID, entry)
	return p, nil
}

// refused tells the log and the journal by which rule a text to the customer was not sent:
// each rule once a minute, since a flow may try again at once.
func (r *Reach) refused(ctx context.Context, w tandem.Who, err error) {
	var why *sms.Refused
	if !errors.As(err, &why) {
		return // the store, which says so itself
	}
	r.o.Log.Warn("a text was not sent", "interaction", w.Interaction, "rule", why.Rule, "why", why.Why)
	now := r.o.Now()
	told := tandem.Receipt{State: tandem.MessageFailed, Error: why.Rule + ": " + why.Why}
	err = r.o.Store.Commit(ctx, &store.Change{
		Key:    fmt.Sprintf("refused:%s/%s/%d", w.Interaction, why.Rule, now.Unix()/60),
		Events: []tandem.Event{tandem.NewEvent(w.Interaction, w.Leg, now, tandem.EventReceipt, "system", told)},
	})
	if err != nil && !errors.Is(err, store.ErrDuplicate) {
		r.o.Log.Warn("a refused text is not in the journal", "interaction", w.Interaction, "error", err)
	}
}

// plainly commits a message that needs nothing else.
func (r *Reach) plainly(ctx context.Context, d draft) (posted, error) {
	return r.post(ctx, d, func(finish func(draft) *store.Change) error { return r.o.Store.Commit(ctx, finish(d)) })
}

// conversation finds or makes where a message goes, locked, with the change that makes it.
func (r *Reach) conversation(ctx context.Context, w tandem.Who, by way) (c chat.Conversation, unlock func(), change *store.Change, err error) {
	change = &store.Change{}
	if by.by == "chat" {
		unlock = r.o.Book.Lock(w.Conversation)
		if c, err = r.o.Book.Find(ctx, w.Conversation); err != nil {
			unlock()
			return c, nil, nil, fmt.Errorf("finding the chat: %w", err)
		}
		return c, unlock, change, nil
	}
	ours, err := r.ours(ctx, w.Conversation, w.Interaction, by.number)
	if err != nil {
		return c, nil, nil, err
	}
	now := r.o.Now()
	c, err = r.o.Book.ByPeer(ctx, ours, by.number)
	known := err == nil
	switch {
	case errors.Is(err, store.ErrNotFound):
		c = chat.Conversation{
			ID: tandem.NewID[tandem.ConversationID](now, r.o.Random), Channel: tandem.SMS, Entry: "sms:" + ours, Ours: ours, Theirs: by.number, Started: now,
		}
	case err != nil:
		return c, nil, nil, fmt.Errorf("finding the texts of a number: %w", err)
	}
	unlock = r.o.Book.Lock(c.ID)
	if known { // as it is under the lock
		if c, err = r.o.Book.Find(ctx, c.ID); err != nil {
			unlock()
			return c, nil, nil, fmt.Errorf("finding the texts of a number: %w", err)
		}
	}
	if c.Interaction != w.Interaction {
		leg := tandem.Leg{
			ID: tandem.NewID[tandem.LegID](now, r.o.Random), Interaction: w.Interaction, Kind: tandem.LegSMS, Role: tandem.RoleCustomer,
			From: ours, To: by.number, Started: now, Answered: now,
		}
		change.Legs = []tandem.Leg{leg}
		change.Events = []tandem.Event{tandem.NewEvent(w.Interaction, leg.ID, now, tandem.EventLegStarted, "system", leg)}
		c.Interaction, c.Leg, c.Customer, c.Lang = w.Interaction, leg.ID, w.Customer, w.Lang
	}
	c.Theirs, c.Ours = by.number, ours
	change.With = func(tx store.Tx) error {
		if known {
			return r.o.Book.Save(tx, &c)
		}
		return r.o.Book.Create(tx, &c)
	}
	return c, unlock, change, nil
}

// ours is the number of ours that writes to the customer's: the one they write to, in this
// conversation or in another of the interaction, so that it stays one talk.
func (r *Reach) ours(ctx context.Context, here tandem.ConversationID, in tandem.InteractionID, number string) (string, error) {
	look := func(c chat.Conversation, err error) (string, error) {
		if errors.Is(err, store.ErrNotFound) || err == nil && (c.Channel != tandem.SMS || c.Theirs != number) {
			return "", nil
		}
		if err != nil {
			return "", fmt.Errorf("finding the texts of a number: %w", err)
		}
		return c.Ours, nil
	}
	if here != "" {
		if ours, err := look(r.o.Book.Find(ctx, here)); ours != "" || err != nil {
			return ours, err
		}
	}
	if in != "" {
		if ours, err := look(r.o.Book.ByInteraction(ctx, in, tandem.SMS)); ours != "" || err != nil {
			return ours, err
		}
	}
	ours, ok := r.o.Texts.From(number)
	if !ok {
		return "", errors.New("no number of ours can write texts")
	}
	return ours, nil
}

// link makes a link and sends it.
func (r *Reach) link(ctx context.Context, w tandem.Who, s flow.Session, e flow.SendLink) ([]flow.Play, error) {
	by, ok, err := r.way(ctx, w, e.By, "")
	if err != nil {
		return nil, err
	}
	if !ok {
		r.answer(ctx, w.Interaction, e.Serial, flow.Result{Outcome: "undeliverable"})
		return nil, nil
	}
	order := r.order(w, s, by, e.Key, e.Serial, e.Lang)
	order.Operation, order.Params, order.Expires = e.Operation, e.Params, e.Expires
	order.Needs = r.o.Needs(ctx, s, e.Operation)
	words := tandem.Message{Lang: e.Lang, Image: e.Image}
	return r.sendLink(ctx, w, by, order, e.Serial, words, flow.Text(e.Parts), e.Button)
}

// order is what all links of a session have in common.
func (r *Reach) order(w tandem.Who, s flow.Session, by way, key string, serial int, lang string) link.Order {
	top := s.Frames[len(s.Frames)-1]
	o := link.Order{
		Key: key, Interaction: w.Interaction, Leg: w.Leg, Customer: w.Customer, Number: w.Number, Serial: serial, Lang: lang, By: by.by,
		Assurance: w.Assurance, AssuranceUntil: w.Until, Told: string(w.Channel) != by.by,
		Flow: top.Flow, FlowHash: top.Hash,
	}
	if by.by == "chat" {
		o.Conversation = w.Conversation
	}
	return o
}

// sendLink makes a link and posts the message with its address, in one change.
func (r *Reach) sendLink(ctx context.Context, w tandem.Who, by way, order link.Order, serial int, m tandem.Message, text, button string) ([]flow.Play, error) {
	known, err := r.o.Links.State(ctx, w.Interaction, order.Key)
	if err == nil {
		return r.linkAgain(ctx, w, order, serial, known)
	}
	if !errors.Is(err, store.ErrNotFound) {
		return nil, fmt.Errorf("looking for a link sent before: %w", err)
	}
	p, made, err := r.postLink(ctx, draft{who: w, way: by, key: order.Key, message: m}, order, text, button)
	switch {
	case err != nil:
		return nil, err
	case p.state == tandem.MessageFailed:
		r.answer(ctx, w.Interaction, serial, flow.Result{Outcome: "undeliverable"})
		return nil, nil
	case p.letter != "":
		r.await(p.letter, w.Interaction, serial)
	default:
		r.answer(ctx, w.Interaction, serial, flow.Result{Outcome: "sent"})
	}
	return codeWords(order, made.Code), nil
}

// linkAgain answers for a link that was sent before: the session was resumed.
func (r *Reach) linkAgain(ctx context.Context, w tandem.Who, order link.Order, serial int, known link.Link) ([]flow.Play, error) {
	l, _, err := r.o.Links.Make(ctx, order, nil)
	if err != nil {
		return nil, fmt.Errorf("going on with a link: %w", err)
	}
	outcome := "sent"
	switch l.State {
	case tandem.LinkOpened, tandem.LinkDone, tandem.LinkDeclined, tandem.LinkExpired:
		outcome = string(l.State)
	case tandem.LinkRevoked:
		outcome = "expired"
	}
	r.answer(ctx, w.Interaction, serial, flow.Result{Outcome: outcome})
	if known.State.Over() {
		return nil, nil
	}
	return codeWords(order, l.Code), nil
}

// postLink posts a message within the change that makes its link: the address is known
// only then.
func (r *Reach) postLink(ctx context.Context, d draft, order link.Order, text, button string) (p posted, made link.Link, err error) {
	p, err = r.post(ctx, d, func(finish func(draft) *store.Change) (err error) {
		made, _, err = r.o.Links.Make(ctx, order, func(url string, l link.Link) (store.Change, error) {
			if d.way.by == "chat" {
				d.message.Text = strings.TrimSpace(strings.ReplaceAll(text, flow.LinkHere, ""))
				d.message.Link = &tandem.MessageLink{ID: l.ID, Label: button}
			} else {
				d.text = strings.ReplaceAll(text, flow.LinkHere, url)
				d.message.Text = strings.ReplaceAll(text, flow.LinkHere, masked(url))
			}
			return *finish(d), nil
		})
		return err
	})
	return p, made, err
}

// masked is a link's address as it may be read by others.
func masked(url string) string {
	if i := strings.LastIndex(url, "/l/"); i >= 0 {
		return url[:i] + maskedToken
	}
	return maskedToken
}

// codeWords tell the customer the code that the page asks for.
func codeWords(o link.Order, code string) []flow.Play {
	if code == "" {
		return nil
	}
	before, after := CodeText(o.Lang)
	return []flow.Play{{Name: "link_code", Lang: o.Lang, Secret: true, Parts: []tandem.Part{
		{Kind: tandem.PartText, Text: before},
		{Kind: tandem.PartDigits, Text: strings.Join(strings.Split(code, ""), " "), Value: code},
		{Kind: tandem.PartText, Text: after},
	}}}
}

// CodeText is what is said before and after the code that a link's page asks for.
func CodeText(lang string) (before, after string) {
	if strings.HasPrefix(lang, "zh") {
		return "页面会要求输入验证码：", "。"
	}
	return "The page asks for this code: ", "."
}
