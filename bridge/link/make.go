package link

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"tandem"
	"tandem/store"
)

// errKnown: the interaction has a link under this key.
var errKnown = errors.New("known")

// Make makes a link, durably, in one change with what with adds: the message and the
// letter that carry the address. with is given the address, and the link with the code
// to tell. If the interaction has a link under the Order's Key nothing is made and with
// is not called: what there is comes back, now waited for under the Order's Serial, and
// with a new code to tell if its page still has to ask for one.
func (d *Desk) Make(ctx context.Context, o Order, with func(url string, l Link) (store.Change, error)) (l Link, made bool, err error) {
	if err := check(&o); err != nil {
		return Link{}, false, err
	}
	l, err = d.State(ctx, o.Interaction, o.Key)
	if errors.Is(err, store.ErrNotFound) {
		if l, err = d.make(ctx, o, with); err == nil {
			return l, true, nil
		}
		if errors.Is(err, errKnown) { // made meanwhile
			l, err = d.State(ctx, o.Interaction, o.Key)
		}
	}
	if err != nil {
		return Link{}, false, fmt.Errorf("making a link: %w", err)
	}
	l, err = d.known(ctx, l, o)
	if err != nil {
		return Link{}, false, fmt.Errorf("finding a link again: %w", err)
	}
	return l, false, nil
}

func check(o *Order) error {
	if o.Expires == 0 {
		o.Expires = defaultLife
	}
	switch {
	case o.Key == "" || len(o.Key) > maxKey || o.Interaction == "":
		return fmt.Errorf("a link needs an interaction and a key of up to %d bytes: %w", maxKey, store.ErrInvalid)
	case (o.Operation == "") == (o.To == ""):
		return fmt.Errorf("a link is for an operation or for another channel: %w", store.ErrInvalid)
	case o.Expires < 0 || o.Expires > maxLife:
		return fmt.Errorf("a link is valid for up to %s: %w", maxLife, store.ErrInvalid)
	}
	return nil
}

func (d *Desk) make(ctx context.Context, o Order, with func(url string, l Link) (store.Change, error)) (Link, error) {
	now := d.now()
	l := Link{
		ID: tandem.NewID[tandem.LinkID](now, d.o.Random), Key: o.Key, Interaction: o.Interaction, Leg: o.Leg, Customer: o.Customer, Conversation: o.Conversation,
		Number: o.Number, Serial: o.Serial, Operation: o.Operation, To: o.To, Needs: o.Needs, Assurance: o.Assurance, AssuranceUntil: o.AssuranceUntil,
		Lang: o.Lang, By: o.By, Flow: o.Flow, FlowHash: o.FlowHash, State: tandem.LinkMade, Made: now, Expires: now.Add(o.Expires),
	}
	token, err := newToken(d.o.Random)
	if err != nil {
		return l, err
	}
	if err := d.tell(&l, o.Told); err != nil {
		return l, err
	}
	c, err := with(d.url(token), l)
	if err != nil {
		return l, err
	}
	// The functions that with hands over look at their events where they lie; what the
	// store fills in has to arrive there, too.
	theirs, also := c.Events, c.With
	c.Events = append([]tandem.Event{tandem.NewEvent(l.Interaction, l.Leg, now, tandem.EventLinkMade, cmp.Or(o.Actor, "flow"), tandem.LinkIssued{
		Link: l.ID, Operation: l.Operation, To: l.To, Params: o.Params, By: l.By, Expires: l.Expires,
	})}, theirs...)
	c.With = func(tx store.Tx) error {
		copy(theirs, c.Events[1:])
		added, err := insert(tx, &l, c.Events[0].Seq)
		if err == nil && !added {
			err = errKnown
		}
		if err == nil {
			err = addToken(tx, l.ID, token, now)
		}
		if err == nil && also != nil {
			err = also(tx)
		}
		return err
	}
	if err := d.o.Database.Commit(ctx, &c); err != nil {
		return l, err
	}
	d.o.Log.Info("link", "link", l.ID, "interaction", l.Interaction, "state", l.State)
	return l, nil
}

// tell draws the code that the customer is told, where one can be and its telling shows
// enough: it carries the session's level to the page, and no more than that.
func (d *Desk) tell(l *Link, told bool) (err error) {
	l.Code, l.code = "", nil
	if told && l.Needs > tandem.None && d.carries(l) {
		if l.Code, err = newCode(d.o.Random); err == nil {
			l.code = d.blindCode(l.ID, l.Code)
		}
	}
	return err
}

func (d *Desk) blindCode(id tandem.LinkID, code string) []byte {
	return d.o.Blind("link code", string(id)+" "+code)
}

// carries reports whether the level of the session, as it was and if it still holds, is
// what the page needs.
func (d *Desk) carries(l *Link) bool {
	return l.Assurance >= l.Needs && (l.AssuranceUntil.IsZero() || l.AssuranceUntil.After(d.now()))
}

// known is a link that a session, stored and resumed, asks for again.
func (d *Desk) known(ctx context.Context, l Link, o Order) (Link, error) {
	told := l.code
	if len(told) > 0 && !l.State.Over() && l.Proved.IsZero() {
		l.Assurance, l.AssuranceUntil = o.Assurance, o.AssuranceUntil // of the session as it is now
		if err := d.tell(&l, o.Told); err != nil {
			return l, err
		}
	}
	if l.Code == "" && l.Serial == o.Serial {
		return l, nil
	}
	l.Serial = o.Serial
	err := d.o.Database.Update(ctx, func(tx store.Tx) error {
		if _, err := tx.Exec("UPDATE link SET serial = ? WHERE no = ?", l.Serial, l.no); err != nil || l.Code == "" {
			return err
		}
		_, err := tx.Exec("UPDATE link SET code = ?, assurance = ?, assurance_until = ? WHERE no = ?", l.code, int(l.Assurance), l.AssuranceUntil, l.no)
		return err
	})
	return l, err
}

// Reissue returns a new address of a link that was sent to a conversation, for a chat's
// button. A link sent elsewhere, or one that is of no use any more, is ErrUnusable.
// Whether the browser is the one that opened it shows when it is pressed.
func (d *Desk) Reissue(ctx context.Context, id tandem.LinkID, conv tandem.ConversationID) (url string, err error) {
	l, err := d.Find(ctx, id)
	switch now := d.now(); {
	case errors.Is(err, store.ErrNotFound):
		return "", ErrUnusable
	case err != nil:
		return "", err
	case conv == "" || l.Conversation != conv || !d.shows(&l, now):
		return "", ErrUnusable
	}
	token, err := newToken(d.o.Random)
	if err == nil {
		err = d.o.Database.Update(ctx, func(tx store.Tx) error { return addToken(tx, id, token, d.now()) })
	}
	if err != nil {
		return "", fmt.Errorf("making a new address: %w", err)
	}
	return d.url(token), nil
}
