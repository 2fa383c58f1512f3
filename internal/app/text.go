package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"tandem"
	"tandem/bridge/chat"
	"tandem/bridge/hook"
	"tandem/bridge/identity"
	"tandem/bridge/link"
	"tandem/bridge/queue"
	"tandem/bridge/reach"
	"tandem/bridge/sms"
	"tandem/internal/config"
	"tandem/ivr/flow"
	"tandem/ivr/text"
	"tandem/store"
	"tandem/store/outbox"
	"tandem/web/answer"
)

// written is the text side: conversations, texts, links, who customers are, and the
// sessions that run on them.
type written struct {
	book     *chat.Book
	texts    *sms.Desk // nil = there is no gateway
	links    *link.Desk
	identity *identity.Desk
	reach    *reach.Reach
	talk     *text.Driver
	linkKey  []byte // authenticates the forms of links' pages, from one start to the next
}

// makeText makes the text side. keys are the store's.
func (a *App) makeText(keys *store.Keyring) (err error) {
	a.linkKey = keys.Blind("link pages", "")
	if a.book, err = chat.New(chat.Options{Database: a.store, Journal: a.store, Blind: keys.Blind, Now: a.now, Random: a.random, Log: a.log}); err != nil {
		return err
	}
	if len(a.cfg.SMS.Gateways) > 0 {
		if a.texts, err = a.makeTexts(keys); err != nil {
			return err
		}
	}
	a.links, err = link.New(link.Options{
		Database: a.store, URL: a.cfg.HTTP.PublicAddress(), Blind: keys.Blind, Changed: a.linkChanged, Factor: factor{a}, Now: a.now, Random: a.random, Log: a.log,
	})
	if err != nil {
		return err
	}
	if err := a.makeIdentity(keys); err != nil {
		return err
	}
	a.reach = reach.New(reach.Options{
		Store: a.store, Book: a.book, Texts: a.texts, Links: a.links, Answer: a.answer, Needs: a.needs, Dial: a.dial,
		Typed:    func(number string) (string, bool) { return config.E164(number, a.cfg.Identity.Country) },
		Callable: func(number string) bool { ok, _ := a.cfg.Outbound.Allows("tel:" + number); return ok }, Tell: a.notices,
		Chat: func() bool { _, ok := a.chatSite(""); return ok }, Now: a.now, Random: a.random, Log: a.log,
		When: a.when,
		Open: func(ctx context.Context, t tandem.Task, c *store.Change) error {
			_, err := a.openTask(ctx, t, "", c)
			var refused *queue.Refused
			if errors.As(err, &refused) {
				return tandem.Errorf(tandem.CodeConflict, "%w", err)
			}
			return err
		},
	})
	a.talk, err = text.New(text.Options{
		Store: a.store, Book: a.book, World: textWorld{a}, Now: a.now, Random: a.random, Tally: a.tally.Note, InLine: a.movedInLine, Name: a.cfg.Name,
		Panicked: func(what string, p any) { a.panicked(a.log, what, p) }, Log: a.log,
	})
	return err
}

// makeTexts connects the gateways.
func (a *App) makeTexts(keys *store.Keyring) (*sms.Desk, error) {
	t := a.cfg.Texts
	o := sms.Options{
		Name: a.cfg.Name, Gateways: map[string]sms.Gateway{}, Database: a.store, Blind: keys.Blind,
		Policy: sms.Policy{
			Allowed: t.Allows, PerHour: t.PerHour, PerDay: t.PerDay, PerNumberPerHour: t.PerNumberPerHour, PerNumberPerDay: t.PerNumberPerDay,
			PerVisitorPerHour: t.PerVisitorPerHour, PerAddressPerHour: t.PerAddressPerHour, PartsPerDay: t.PartsPerDay, MoneyPerDay: t.MoneyPerDay,
		},
		Arrived: a.textArrived, Marked: a.textMarked, Stopped: a.textsStopped, PerSecond: a.cfg.Chat.Limits.WebhooksPerSecond,
		Refused:  func(rule string) { a.metrics.textsRefused.WithLabelValues(rule).Inc() },
		Rejected: func(rule string) { a.metrics.webhooksRefused.WithLabelValues(rule).Inc() },
		Source:   func(r *http.Request) string { return answer.Source(r, a.proxies).String() },
		Log:      a.log, Now: a.now,
	}
	if len(t.Prices) > 0 || t.MoneyPerDay > 0 {
		o.Policy.Price = t.Price
	}
	for _, name := range slices.Sorted(maps.Keys(a.cfg.SMS.Gateways)) { // in an order that stays: the first number writes to strangers
		g := a.cfg.SMS.Gateways[name]
		gateway, err := a.gateway(name, g)
		if err != nil {
			return nil, tandem.Errorf(tandem.CodeInvalid, "sms.gateways.%s: %w", name, err)
		}
		o.Gateways[name] = gateway
		for _, n := range g.Numbers {
			o.Numbers = append(o.Numbers, sms.Number{Ours: n, Gateway: name})
		}
	}
	return sms.New(o)
}

func (a *App) gateway(name string, g config.Gateway) (sms.Gateway, error) {
	if g.Kind == "twilio" {
		return sms.NewTwilio(sms.TwilioOptions{
			URL: g.URL, Account: g.Account, Token: g.Token.Reveal(), Callback: a.cfg.HTTP.PublicAddress() + "/api/v1/sms/" + name,
			Templates: g.Templates, TemplatesOnly: g.TemplatesOnly, Log: a.log, Now: a.now,
		})
	}
	return sms.NewWebhook(sms.WebhookOptions{
		URL: g.URL, Secret: g.Secret.Reveal(), Old: g.OldSecret.Reveal(), Templates: g.Templates, TemplatesOnly: g.TemplatesOnly, Log: a.log, Now: a.now,
	})
}

func (a *App) makeIdentity(keys *store.Keyring) (err error) {
	i := a.cfg.Identity
	o := identity.Options{
		Records: a.store, Blind: keys.Blind, Send: a.sendCode, Promise: a.promised, Holds: i.Holds, Return: i.Return, Country: i.Country,
		Now: a.now, Random: a.random, Log: a.log,
	}
	if i.Service != "" {
		secret, err := outbox.ParseSecret(i.Secret.Reveal())
		if err != nil {
			return tandem.Errorf(tandem.CodeInvalid, "identity.secret: %w", err)
		}
		o.Service = identity.Service{URL: i.Service, Secret: secret, Allow: a.cfg.Flows.HTTPAllow}
	}
	a.identity, err = identity.New(o)
	if err != nil {
		return tandem.Errorf(tandem.CodeInvalid, "identity.service: %w", err)
	}
	return nil
}

// promised writes an event of a talk into its journal.
func (a *App) promised(ctx context.Context, w identity.Who, kind tandem.EventKind, data any) error {
	return a.store.Commit(ctx, &store.Change{Events: []tandem.Event{tandem.NewEvent(w.Interaction, w.Leg, a.now(), kind, "system", data)}})
}

// sendCode sends a one-time code by text.
func (a *App) sendCode(ctx context.Context, w identity.Who, to tandem.Identity, l identity.Letter) error {
	if to.Kind != tandem.IdentityPhone {
		return fmt.Errorf("codes go by text, not by %s", to.Kind)
	}
	err := a.reach.Code(ctx, reach.Code{
		Key: l.Key, To: to.Value, Text: l.Text, Template: l.Template, Params: l.Params, Lang: l.Lang,
		Conversation: w.Conversation, Visitor: string(w.Conversation), Address: w.Address,
	})
	if err != nil {
		a.log.Warn("a code was not sent", "interaction", w.Interaction, "error", err)
	}
	var refused *sms.Refused
	if errors.As(err, &refused) && w.Interaction != "" {
		a.store.Note(tandem.NewEvent(w.Interaction, w.Leg, a.now(), tandem.EventReceipt, "system",
			tandem.Receipt{State: tandem.MessageFailed, Error: refused.Rule + ": " + refused.Why}))
	}
	return err
}

// outboxWorker makes the worker that sends what the outbox holds: texts, and notices of
// tasks. nil = nothing of either is configured.
func (a *App) outboxWorker() (*outbox.Worker, error) {
	deliver := map[string]func(context.Context, store.Outgoing) error{}
	if a.cfg.Notify.URL != "" {
		secret, err := outbox.ParseSecret(a.cfg.Notify.Secret.Reveal())
		if err != nil {
			return nil, tandem.Errorf(tandem.CodeInvalid, "notify.secret: %w", err)
		}
		own := func(string) (outbox.Secret, error) { return secret, nil }
		// The operator named this receiver, so it may be on a private network.
		anywhere := []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}
		deliver["webhook"] = outbox.NewWebhook(own, a.now, anywhere...).Deliver
	}
	if a.texts != nil {
		deliver[sms.Kind] = a.texts.Deliver
	}
	if len(deliver) == 0 {
		return nil, nil
	}
	return &outbox.Worker{
		Store: a.store.But(hook.Kind), Log: a.log, Now: a.now, Jitter: rand.Float64, Panicked: a.reporter("outbox"), Poll: outboxPoll, GivenUp: a.textGivenUp,
		Deliver: func(ctx context.Context, o store.Outgoing) error {
			d, ok := deliver[o.Kind]
			if !ok {
				return errors.New("nothing that is configured delivers this; it is tried again")
			}
			return d(ctx, o)
		},
	}, nil
}

// hookWorker makes the worker that sends what other systems have subscribed to: apart from
// texts, which no slow receiver may hold up.
func (a *App) hookWorker() *outbox.Worker {
	return &outbox.Worker{
		Store: a.store.Only(hook.Kind), Log: a.log, Now: a.now, Jitter: rand.Float64, Panicked: a.reporter("webhooks"), Poll: hookPoll,
		Deliver: a.hooks.Deliver, GivenUp: a.hooks.GivenUp,
	}
}

// hookPoll is how often there is looked for what other systems are to be told.
const hookPoll = 500 * time.Millisecond

// textGivenUp marks the message of a text that no try could hand over.
func (a *App) textGivenUp(ctx context.Context, o store.Outgoing, _ error) {
	if o.Kind != sms.Kind {
		return
	}
	if err := a.textMarked(ctx, o.Key, sms.Receipt{State: tandem.MessageFailed, Error: "given_up", At: a.now()}); err != nil {
		a.log.Warn("a text that was given up could not be marked", "key", o.Key, "error", err)
	}
}

// outboxPoll is how often the outbox is looked at: a caller waits for the text.
const outboxPoll = 100 * time.Millisecond

// factor is the second factor of a link's page: a code by text to a number that is bound
// to the customer.
type factor struct{ a *App }

// Ask sends a code.
func (f factor) Ask(ctx context.Context, l link.Link, lang string) (link.Question, error) {
	if l.Needs > tandem.Verified {
		return link.Question{}, link.ErrNoFactor // a code shows no more than that
	}
	bound, err := f.a.store.Identities(ctx, l.Customer)
	if err != nil {
		return link.Question{}, err
	}
	for _, b := range bound {
		if b.Identity.Kind != tandem.IdentityPhone || b.Checked.IsZero() || !b.Until.IsZero() {
			continue
		}
		w := identity.Who{Interaction: l.Interaction, Leg: l.Leg, Customer: l.Customer, Channel: tandem.Chat, Conversation: l.Conversation, Lang: lang}
		id, err := f.a.identity.SendCode(ctx, "link", w, b.Identity)
		if err != nil {
			return link.Question{}, link.ErrNoFactor
		}
		return link.Question{Kind: "code", Words: codeAsked(lang), State: []byte(fmt.Sprintf("%q", id))}, nil
	}
	return link.Question{}, link.ErrNoFactor
}

// Check holds what was typed against it.
func (f factor) Check(ctx context.Context, _ link.Link, q link.Question, typed string) (bool, error) {
	var id identity.CheckID
	if _, err := fmt.Sscanf(string(q.State), "%q", &id); err != nil {
		return false, fmt.Errorf("reading which code was sent: %w", err)
	}
	if !id.For("link") {
		return false, nil
	}
	ok, _, err := f.a.identity.CheckCode(ctx, id, typed)
	return ok, err
}

func codeAsked(lang string) string {
	if chinese(lang) {
		return "我们已向您登记的手机发送验证码，请输入。"
	}
	return "We have texted a code to the phone we know. Please enter it."
}

func chinese(lang string) bool { return len(lang) >= 2 && lang[:2] == "zh" }

// needs is the assurance that an operation's page asks for.
func (a *App) needs(ctx context.Context, s flow.Session, operation string) tandem.Assurance {
	frame := s.Frames[len(s.Frames)-1]
	lib, err := a.Library(ctx, frame.Flow, frame.Hash)
	if err != nil || lib.Operations[operation] == nil {
		return tandem.Proofed // what cannot be looked up is asked the most
	}
	return lib.Operations[operation].Needs
}

// dial is the number to call to go on with what came in by an entry: one that leads to
// the same flow, else the first there is.
func (a *App) dial(entry string) string {
	entries := *a.entries.Load()
	from, _ := entries.Named(entry)
	first := ""
	for _, e := range entries {
		if kind, name := e.Kind(); kind != "" || e.Auth || name[len(name)-1] == '*' {
			continue
		}
		if e.Flow == from.Flow {
			return e.Name
		}
		if first == "" {
			first = e.Name
		}
	}
	return first
}

// chatSite is the site whose widget a customer who comes from elsewhere goes on in: the
// first whose entry leads to their flow, else the first there is.
func (a *App) chatSite(of string) (site string, ok bool) {
	for _, e := range *a.entries.Load() {
		kind, name := e.Kind()
		switch {
		case kind == "chat" && e.Flow == of:
			return name, true
		case kind == "chat" && !ok:
			site, ok = name, true
		}
	}
	return site, ok
}
