package link

import (
	"context"

	"tandem"
)

// What a page does. browser is the secret that the page's browser has in a cookie; it is
// the same for all that follows the press. ErrUnusable stands for all that ends the talk.

// ByToken finds the link that an address leads to. It changes nothing.
func (d *Desk) ByToken(ctx context.Context, token string) (Link, error) { return Link{}, ErrUnusable }

// Open takes the person's press: the link belongs to this browser from then on. The same
// browser may press again, also when the operation is done. A way to another channel that
// needs no second factor is done by the press.
func (d *Desk) Open(ctx context.Context, id tandem.LinkID, browser string) (Link, error) {
	return Link{}, ErrUnusable
}

// Page finds the link that a browser has opened.
func (d *Desk) Page(ctx context.Context, id tandem.LinkID, browser string) (Link, error) {
	return Link{}, ErrUnusable
}

// Params are the values that a page's fields hold when it is opened.
func (d *Desk) Params(ctx context.Context, l Link) (map[string]any, error) { return nil, ErrUnusable }

// Ask returns the second factor that the page has to ask for. With again, a new code is sent.
func (d *Desk) Ask(ctx context.Context, l Link, lang string, again bool) (Question, error) {
	return Question{}, ErrNoFactor
}

// Prove takes the answer. ok tells whether it was right; after too many that were not the
// link is revoked, and the answer is ErrUnusable.
func (d *Desk) Prove(ctx context.Context, id tandem.LinkID, browser, typed string) (l Link, ok bool, err error) {
	return Link{}, false, ErrUnusable
}

// Finish carries the operation out: once, whoever asks how often. Done before by the same
// browser, the link comes back as it is. ErrUnproved if the second factor is missing.
func (d *Desk) Finish(ctx context.Context, id tandem.LinkID, browser string, fields map[string]any) (Link, error) {
	return Link{}, ErrUnusable
}

// Decline ends the link without the operation.
func (d *Desk) Decline(ctx context.Context, id tandem.LinkID, browser string) (Link, error) {
	return Link{}, ErrUnusable
}
