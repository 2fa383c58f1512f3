package identity

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"tandem"
	"tandem/store"
)

// maxTargets bounds where a code is tried to be sent, one after the other.
const maxTargets = 3

// look finds how a customer can be identified. A code goes to what is bound to the
// customer, the number at hand first; and to that one even if it is a hint only, since
// the code is what will prove it.
func (d *Desk) look(ctx context.Context, w Who) (k known, err error) {
	if k.Over, err = d.over(ctx, d.tries(w, triesIdentify)); err != nil || k.Over {
		return k, err
	}
	bound, err := d.bound(ctx, w.Customer)
	if err != nil {
		return k, err
	}
	signalled := d.signalled(w)
	for _, b := range bound {
		to := target{Identity: d.reachable(b.Identity), Checked: !b.Checked.IsZero()}
		at := signalled != "" && to.Value == signalled
		switch {
		case b.Identity.Kind == tandem.IdentityEmail && d.o.Mail && to.Checked:
			k.To = append(k.To, to)
		case b.Identity.Kind != tandem.IdentityPhone || to.Value == "" || !to.Checked && !at:
		case at:
			k.To = slices.Insert(k.To, 0, to)
		default:
			k.To = append(k.To, to)
		}
	}
	k.To = k.To[:min(len(k.To), maxTargets)]
	if d.service != nil {
		b, err := d.about(ctx, w)
		if err != nil {
			return k, err
		}
		k.Service = b.Phone != "" || b.Account != ""
	}
	return k, nil
}

// bound is what is bound to a customer, what was bound last first.
func (d *Desk) bound(ctx context.Context, c tandem.CustomerID) ([]tandem.Binding, error) {
	if c == "" {
		return nil, nil
	}
	all, err := d.o.Records.Identities(ctx, c)
	slices.Reverse(all)
	return all, err
}

// signalled is the number that a caller or a text comes from, "" where there is none.
func (d *Desk) signalled(w Who) string {
	if w.Channel == tandem.Chat {
		return ""
	}
	n, _ := phone(d.o.Country, w.Caller)
	return n
}

// reachable is an identity as letters are addressed; its value is "" if none can be.
func (d *Desk) reachable(i tandem.Identity) tandem.Identity {
	if i.Kind == tandem.IdentityPhone {
		i.Value, _ = phone(d.o.Country, i.Value)
	}
	return i
}

// send has a code sent, and says what was in the way if it was not.
func (d *Desk) send(ctx context.Context, w Who, to target) (sent, error) {
	id, code, _, err := d.issue(ctx, "identify", w, to.Value, false)
	if limited(err) {
		return sent{Refused: true}, nil
	}
	if err != nil {
		return sent{}, err
	}
	if err := d.deliver(ctx, w, id, code, to.Identity, "identify"); err != nil {
		if errors.Is(err, store.ErrUnavailable) || ctx.Err() != nil {
			return sent{}, err
		}
		d.o.Log.Info("a code cannot be sent", "interaction", w.Interaction, "error", err)
		return sent{Cannot: true}, nil
	}
	return sent{Check: id}, nil
}

// hold holds an entry against a code.
func (d *Desk) hold(ctx context.Context, w Who, id CheckID, typed, kind string) (checked, error) {
	ok, _, over, err := d.check(ctx, id, typed, d.tries(w, kind))
	return checked{OK: ok, Over: over}, err
}

// tried asks the service, and counts what it says is wrong.
func (d *Desk) tried(ctx context.Context, w Who, ask func(body) (checked, error)) (checked, error) {
	b, err := d.about(ctx, w)
	if err != nil {
		return checked{}, err
	}
	limits := d.tries(w, triesIdentify)
	over, err := d.over(ctx, limits)
	if err != nil || over {
		return checked{Over: over}, err
	}
	a, err := ask(b)
	if err != nil {
		d.o.Log.Warn("the service that checks customers did not answer", "interaction", w.Interaction, "error", err)
		return checked{Down: true}, nil
	}
	if a.OK {
		a.Phone = b.Phone
		return a, nil
	}
	err = d.o.Records.Update(ctx, func(tx store.Tx) error {
		if err := count(tx, d.o.Now(), limits); err != nil {
			return err
		}
		l, err := reached(tx, d.o.Now(), limits)
		a.Over = l != nil
		return err
	})
	return a, err
}

// asks has the service ask its questions.
func (d *Desk) asks(ctx context.Context, b body) (asked, error) {
	a, err := d.service.questions(ctx, b)
	if err != nil {
		d.o.Log.Warn("the service that checks customers did not answer", "error", err)
		return asked{Down: true}, nil
	}
	return a, nil
}

// about is what the service is told of a customer. Only what ties the customer to this
// leg is told: the check must be of whom the flow will serve.
func (d *Desk) about(ctx context.Context, w Who) (body, error) {
	b := body{Customer: w.Customer}
	bound, err := d.bound(ctx, w.Customer)
	if err != nil {
		return b, err
	}
	signalled := d.signalled(w)
	for _, i := range bound {
		to := d.reachable(i.Identity)
		switch {
		case to.Kind == tandem.IdentityPhone && to.Value != "" && to.Value == signalled:
			b.Phone = to.Value
		case to.Kind == tandem.IdentityPhone && b.Phone == "" && !i.Checked.IsZero():
			b.Phone = to.Value
		case to.Kind == tandem.IdentityChat && to.Value == w.Caller && strings.Contains(to.Value, ":") && !strings.HasPrefix(to.Value, visitorPrefix):
			b.Account = to.Value
		}
	}
	return b, nil
}

// find looks for the interaction with a number and has a code sent to its customer. What
// it costs, and all that it answers but Target and To, which stay here, are the same
// whether there is one or not.
func (d *Desk) find(ctx context.Context, w Who, n tandem.Number) (found, error) {
	over, err := d.over(ctx, d.tries(w, triesReturn))
	if err != nil || over {
		return found{Over: over}, err
	}
	p, legs, err := d.parked(ctx, w, n)
	if err != nil {
		return found{}, err
	}
	same := false
	if p != nil && w.Customer != "" {
		person, err := d.o.Records.Person(ctx, w.Customer)
		if err != nil {
			return found{}, err
		}
		same = slices.Contains(person, p.Customer)
	}
	if same && tiedTo(w, legs) {
		f := found{Tied: true, Target: p.ID}
		if w.Channel == tandem.Voice {
			f.Level, f.To = tandem.Recognised, tandem.Identity{Kind: tandem.IdentityPhone, Value: d.signalled(w)}
		}
		return f, nil
	}
	var to tandem.Identity
	key := "none " + string(n)
	if p != nil {
		if to, err = d.phoneOf(ctx, p.Customer); err != nil {
			return found{}, err
		}
		if to.Value != "" {
			key = to.Value
		}
	}
	id, code, full, err := d.issue(ctx, "resume", w, key, true)
	if limited(err) {
		return found{Over: true}, nil
	}
	if err != nil {
		return found{}, err
	}
	f := found{Check: id}
	if p == nil || to.Value == "" || full { // a code that nobody was told opens nothing, even if it is guessed
		return f, nil
	}
	theirs := Who{Interaction: p.ID, Customer: p.Customer, Channel: w.Channel, Conversation: w.Conversation, Caller: w.Caller, Entry: p.Entry, Lang: p.Lang, Address: w.Address}
	if err := d.deliver(ctx, theirs, id, code, to, "resume"); err != nil { // told to nobody but the log
		d.o.Log.Warn("a code for going on cannot be sent", "interaction", p.ID, "error", err)
		return f, nil
	}
	f.Target, f.To = p.ID, to
	return f, nil
}

// parked finds the interaction with a number that can be gone on with, and its legs; nil
// if there is none. The present one is none.
func (d *Desk) parked(ctx context.Context, w Who, n tandem.Number) (*store.Parked, []tandem.Leg, error) {
	now := d.o.Now()
	p, err := d.o.Records.Parked(ctx, n, now)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrErased) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	if p.ID == w.Interaction || p.Until.IsZero() && !now.Before(p.Stored.Add(d.o.Return)) {
		return nil, nil, nil
	}
	story, err := d.o.Records.Interaction(ctx, string(p.ID))
	return &p, story.Legs, err
}

// tiedTo reports whether the present leg of a customer belongs to that customer's legs
// of another interaction beyond doubt: the same conversation's token, a number that a
// trusted trunk vouches for, or the number that it was texted with.
func tiedTo(w Who, legs []tandem.Leg) bool {
	had := func(kind tandem.LegKind, of ...string) bool {
		return slices.ContainsFunc(legs, func(l tandem.Leg) bool {
			from := l.From
			if !l.Inbound {
				from = l.To
			}
			return l.Kind == kind && l.Role == tandem.RoleCustomer && from != "" && slices.Contains(of, from)
		})
	}
	switch w.Channel {
	case tandem.Chat:
		return had(tandem.LegChat, w.Caller, string(w.Conversation), Account(w.Conversation, w.Caller).Value)
	case tandem.SMS:
		return had(tandem.LegSMS, w.Caller)
	case tandem.Voice:
		return w.Recognised && had(tandem.LegSIP, w.Caller)
	}
	return false
}

// phoneOf is the phone that a customer is texted at: one that was proved, else one that
// an interaction came from.
func (d *Desk) phoneOf(ctx context.Context, c tandem.CustomerID) (hint tandem.Identity, err error) {
	bound, err := d.bound(ctx, c)
	for _, b := range bound {
		i := d.reachable(b.Identity)
		switch {
		case i.Kind != tandem.IdentityPhone || i.Value == "":
		case !b.Checked.IsZero():
			return i, nil
		case hint.Value == "":
			hint = i
		}
	}
	return hint, err
}

// returns holds an entry against the code for going on. There may be nothing to go on
// with, or not any more: then no code is right.
func (d *Desk) returns(ctx context.Context, w Who, t talk, typed string) (checked, error) {
	a, err := d.hold(ctx, w, t.Check, typed, triesReturn)
	if err != nil {
		return checked{}, err
	}
	p, _, err := d.parked(ctx, w, t.Number)
	if err != nil {
		return checked{}, err
	}
	a.OK = a.OK && p != nil && t.Target != "" && p.ID == t.Target
	return a, nil
}

// now is the present, as it is stored.
func (d *Desk) now() time.Time { return d.o.Now().UTC() }
