package link

import (
	"bytes"
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tandem"
	"tandem/store"
)

// What a page does. browser is the secret that the page's browser has in a cookie; it is
// the same for all that follows the press. ErrUnusable stands for all that ends the talk.

// ByToken finds the link that an address leads to, or ErrUnusable. It changes nothing.
func (d *Desk) ByToken(ctx context.Context, token string) (Link, error) {
	if !ValidToken(token) {
		return Link{}, ErrUnusable
	}
	l, err := d.one(ctx, "JOIN link_token t ON t.link = l.no WHERE t.hash = ?", hash(token))
	if errors.Is(err, store.ErrNotFound) {
		err = ErrUnusable
	}
	return l, err
}

// Open takes the person's press: the link belongs to this browser from then on. The same
// browser may press again, also when all is done. A way to another channel that needs no
// second factor is done by the press.
func (d *Desk) Open(ctx context.Context, id tandem.LinkID, browser string) (Link, error) {
	for range mostTurns {
		l, err := d.Find(ctx, id)
		if errors.Is(err, store.ErrNotFound) {
			return Link{}, ErrUnusable
		}
		if err != nil {
			return Link{}, err
		}
		if l.State != tandem.LinkMade {
			return d.mine(l, browser)
		}
		if browser == "" || !l.Expires.After(d.now()) {
			return Link{}, ErrUnusable
		}
		if _, err := d.Params(ctx, l); err != nil { // of a person whose data was erased
			return Link{}, err
		}
		to := []tandem.LinkState{tandem.LinkOpened}
		if l.Handoff() && l.Needs == tandem.None {
			to = append(to, tandem.LinkDone)
		}
		l.browser = hash(browser)
		if l, err = d.turn(ctx, l, nil, to...); !errors.Is(err, errMoved) {
			return l, err
		}
	}
	return Link{}, errMoved
}

// Page finds the link that a browser has opened.
func (d *Desk) Page(ctx context.Context, id tandem.LinkID, browser string) (Link, error) {
	l, err := d.Find(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return Link{}, ErrUnusable
	}
	if err != nil {
		return Link{}, err
	}
	return d.mine(l, browser)
}

// mine lets through the browser that opened a link, as long as there is something to
// see or do.
func (d *Desk) mine(l Link, browser string) (Link, error) {
	if len(l.browser) == 0 || subtle.ConstantTimeCompare(l.browser, hash(browser)) != 1 || !d.shows(&l, d.now()) {
		return Link{}, ErrUnusable
	}
	return l, nil
}

// shows reports whether a link can still be used, or its end be looked at.
func (d *Desk) shows(l *Link, now time.Time) bool {
	switch l.State {
	case tandem.LinkMade, tandem.LinkOpened:
		return l.Expires.After(now)
	case tandem.LinkDone, tandem.LinkDeclined:
		return l.Over.Add(showFor).After(now)
	}
	return false
}

// Params are the values that a page's fields hold when it is opened, as JSON has them;
// numbers are json.Number. ErrUnusable if they were erased.
func (d *Desk) Params(ctx context.Context, l Link) (map[string]any, error) {
	events, err := d.o.Database.EventsAt(ctx, []store.EventRef{{Interaction: l.Interaction, Seq: l.seq}})
	if err != nil {
		return nil, fmt.Errorf("reading what a link was made for: %w", err)
	}
	if len(events[0].Data) == 0 {
		return nil, ErrUnusable
	}
	var issued tandem.LinkIssued
	read := json.NewDecoder(bytes.NewReader(events[0].Data))
	read.UseNumber() // an amount keeps its digits
	if err := read.Decode(&issued); err != nil {
		return nil, fmt.Errorf("reading what a link was made for: %w", err)
	}
	return issued.Params, nil
}

// Finish carries the operation out: once, however often it is asked. Done before by the
// same browser, the link comes back as it is; declined before, too. ErrUnproved if the
// second factor is missing.
func (d *Desk) Finish(ctx context.Context, id tandem.LinkID, browser string, fields map[string]any) (Link, error) {
	return d.end(ctx, id, browser, fields, tandem.LinkDone)
}

// Decline ends the link without the operation, unless it is over already.
func (d *Desk) Decline(ctx context.Context, id tandem.LinkID, browser string) (Link, error) {
	return d.end(ctx, id, browser, nil, tandem.LinkDeclined)
}

func (d *Desk) end(ctx context.Context, id tandem.LinkID, browser string, fields map[string]any, to tandem.LinkState) (Link, error) {
	for range mostTurns {
		l, err := d.Page(ctx, id, browser)
		if err != nil || l.State.Over() {
			return l, err
		}
		if to == tandem.LinkDone && !d.Proved(l) {
			return l, ErrUnproved
		}
		if l, err = d.turn(ctx, l, fields, to); !errors.Is(err, errMoved) {
			return l, err
		}
	}
	return Link{}, errMoved
}

// Proved reports whether the page has what it needs: nothing, or a second factor that
// still holds.
func (d *Desk) Proved(l Link) bool {
	return l.Needs == tandem.None || l.Proved.After(d.now())
}
