package identity

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"tandem"
	"tandem/ivr/flow"
	"tandem/store"
)

// visitorPrefix begins the account of a visitor who is known by a conversation only.
const visitorPrefix = "chat:"

// Account is the identity of a chat's other side: the account of a messenger, or the
// conversation of a page's visitor, whose token stands for an account. It is what a new
// conversation's customer is looked up by.
func Account(conversation tandem.ConversationID, account string) tandem.Identity {
	if account == "" {
		account = visitorPrefix + string(conversation)
	}
	return tandem.Identity{Kind: tandem.IdentityChat, Value: account}
}

// Bindings are the identities of a customer now, those of merged customers too, in the
// order they were bound.
func (d *Desk) Bindings(ctx context.Context, c tandem.CustomerID) ([]tandem.Binding, error) {
	return d.o.Records.Identities(ctx, c)
}

// Phone is the identity of a number as signalled, in the spelling it is kept in: E.164
// for a mobile number, as it is otherwise.
func (d *Desk) Phone(number string) tandem.Identity {
	return d.filed(tandem.Identity{Kind: tandem.IdentityPhone, Value: number})
}

// Bind ties an identity to w's customer because method proved it, away from whoever had
// it, and notes that.
func (d *Desk) Bind(ctx context.Context, w Who, i tandem.Identity, method string) error {
	return d.bind(ctx, w, w.Customer, d.filed(i), method, "")
}

// filed is an identity in the spelling it is kept in.
func (d *Desk) filed(i tandem.Identity) tandem.Identity {
	if n, ok := phone(d.o.Country, i.Value); i.Kind == tandem.IdentityPhone && ok {
		i.Value = n
	}
	return i
}

// bind ties an identity to a customer; another customer, unless that is "", is merged
// into that one with it. Both are noted in w's interaction.
func (d *Desk) bind(ctx context.Context, w Who, to tandem.CustomerID, i tandem.Identity, method string, merge tandem.CustomerID) error {
	now := d.now()
	before, had, err := d.o.Records.CustomerOf(ctx, i)
	if err != nil {
		return err
	}
	e := tandem.Bound{Customer: to, Identity: i, Method: method}
	if had && before.Customer != to {
		e.From = before.Customer
	}
	c := store.Change{
		Bind:   &tandem.Binding{Customer: to, Identity: i, Checked: now},
		Events: []tandem.Event{tandem.NewEvent(w.Interaction, w.Leg, now, tandem.EventBound, "system", e)},
	}
	if merge != "" {
		c.Merge = &store.Merge{From: merge, Into: to}
		c.Events = append(c.Events, tandem.NewEvent(w.Interaction, w.Leg, now, tandem.EventMerged, "system",
			tandem.Merged{From: merge, Into: to, Why: "the same " + string(i.Kind) + ", by " + method}))
	}
	if err := d.o.Records.Commit(ctx, &c); err != nil {
		return fmt.Errorf("binding a %s: %w", i.Kind, err)
	}
	return nil
}

// prove ties what a code has proved to a customer. A number that was the customer's by
// hint is bound. With one that a visitor typed, chat and number come to one customer:
// to the number's, or to the visitor's own if nobody has the number.
func (d *Desk) prove(ctx context.Context, w Who, to target) (tied, error) {
	owner, had, err := d.ownerOf(ctx, to.Identity)
	if err != nil {
		return tied{}, err
	}
	if !to.Typed {
		if !had {
			owner.Customer, owner.Identity = w.Customer, to.Identity
		}
		return tied{Known: true}, d.bind(ctx, w, owner.Customer, owner.Identity, flow.ByCode, "")
	}
	mine, theirs := w.Customer, owner.Customer
	i := owner.Identity // in the spelling it is known by
	if !had {
		theirs, i = mine, to.Identity
	}
	if owner.Checked.IsZero() {
		if err := d.bind(ctx, w, theirs, i, flow.ByCode, ""); err != nil {
			return tied{}, err
		}
	}
	account := Account(w.Conversation, w.Caller)
	out := tied{Bound: true}
	person, err := d.o.Records.Person(ctx, theirs)
	if err != nil {
		return tied{}, err
	}
	if theirs == mine || slices.Contains(person, mine) {
		return out, d.bind(ctx, w, theirs, account, flow.ByCode, "")
	}
	out.Customer = person[0]
	if out.Merged, err = d.nobodyElse(ctx, mine, account); err != nil {
		return tied{}, err
	}
	if !out.Merged {
		return out, d.bind(ctx, w, theirs, account, flow.ByCode, "")
	}
	_, had, err = d.o.Records.CustomerOf(ctx, account)
	if err == nil && !had { // so that undoing has whom to give the chat back to
		err = d.o.Records.Commit(ctx, &store.Change{Bind: &tandem.Binding{Customer: mine, Identity: account}})
	}
	if err != nil {
		return tied{}, err
	}
	return out, d.bind(ctx, w, theirs, account, flow.ByCode, mine)
}

// ownerOf finds who has a phone, however it was spelt when it was first seen.
func (d *Desk) ownerOf(ctx context.Context, i tandem.Identity) (b tandem.Binding, found bool, err error) {
	spelt := []string{i.Value}
	if i.Kind == tandem.IdentityPhone {
		spelt = spellings(d.o.Country, i.Value)
	}
	for _, i.Value = range spelt {
		if b, found, err = d.o.Records.CustomerOf(ctx, i); err != nil || found {
			return b, found, err
		}
	}
	return b, false, nil
}

// nobodyElse reports whether a customer is known by nothing but an account: the customer
// that a conversation began with, and no person whose other business would move.
func (d *Desk) nobodyElse(ctx context.Context, c tandem.CustomerID, account tandem.Identity) (bool, error) {
	if c == "" {
		return false, nil
	}
	bound, err := d.o.Records.Identities(ctx, c)
	if err != nil {
		return false, err
	}
	others := slices.ContainsFunc(bound, func(b tandem.Binding) bool { return b.Identity != account })
	person, err := d.o.Records.Person(ctx, c)
	return !others && len(person) == 1, err
}

// Undo unties an identity from a customer: it goes back to whoever had it before, and
// the merge that came with it is undone; by names who asked for it, why is their reason;
// both are in the journal. store.ErrNotFound: it is not theirs.
func (d *Desk) Undo(ctx context.Context, c tandem.CustomerID, i tandem.Identity, by, why string) error {
	b, had, err := d.ownerOf(ctx, i)
	if err != nil {
		return err
	}
	person, err := d.o.Records.Person(ctx, c)
	if err != nil {
		return err
	}
	if !had || !slices.Contains(person, b.Customer) {
		return fmt.Errorf("this %s is not bound to customer %s: %w", i.Kind, c, store.ErrNotFound)
	}
	if b.From != b.Customer && slices.Contains(person, b.From) {
		err = d.undo(ctx, b, by, why, &store.Merge{From: b.From, Into: b.Customer, Undo: true})
		if !errors.Is(err, store.ErrNotFound) { // else they were merged for another reason
			return err
		}
	}
	return d.undo(ctx, b, by, why, nil)
}

// undo writes it, and notes it in the customer's newest interaction if there is one.
func (d *Desk) undo(ctx context.Context, b tandem.Binding, by, why string, m *store.Merge) error {
	all, err := d.o.Records.List(ctx, store.Filter{Customer: b.Customer})
	if err != nil {
		return err
	}
	c := store.Change{Unbind: &b.Identity, Merge: m}
	if len(all) > 0 {
		at := max(0, slices.IndexFunc(all, func(s store.Summary) bool { return s.Customer == b.Customer }))
		c.Events = []tandem.Event{tandem.NewEvent(all[at].ID, "", d.now(), tandem.EventUnbound, by,
			tandem.Bound{Customer: b.Customer, Identity: b.Identity, Method: "undone", From: b.From, Why: why})}
		if m != nil {
			c.Events = append(c.Events, tandem.NewEvent(all[at].ID, "", d.now(), tandem.EventUnmerged, by, tandem.Merged{From: m.From, Into: m.Into, Why: cmp.Or(why, "undone")}))
		}
	}
	if err := d.o.Records.Commit(ctx, &c); err != nil {
		return fmt.Errorf("undoing a binding: %w", err)
	}
	return nil
}

// Recognise tells whose number a call comes from, "" if nobody's. Only a number that was
// proved, from a trunk that is trusted for it, gives Recognised.
func (d *Desk) Recognise(ctx context.Context, number string, trusted bool) (tandem.CustomerID, tandem.Assurance, error) {
	b, found, err := d.o.Records.CustomerOf(ctx, tandem.Identity{Kind: tandem.IdentityPhone, Value: number})
	if n, ok := phone(d.o.Country, number); err == nil && !found && ok {
		b, found, err = d.ownerOf(ctx, tandem.Identity{Kind: tandem.IdentityPhone, Value: n})
	}
	if err != nil || !found {
		return "", tandem.None, err
	}
	person, err := d.o.Records.Person(ctx, b.Customer)
	if err != nil {
		return "", tandem.None, err
	}
	level := tandem.None
	if trusted && !b.Checked.IsZero() {
		level = tandem.Recognised
	}
	return person[0], level, nil
}
