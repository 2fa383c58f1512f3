// Package link makes links, which a customer opens to carry out an operation on a page of
// their own or to go on by another channel, and keeps what becomes of them.
//
// A link is made, opened by the person's press, and then done or declined, once; before
// that it may expire or be revoked (state.go). Its token has 128 random bits and stands
// in the letter alone: the table has its hash, and that of the secret by which the
// browser that opened it is known again. Every change of state is one durable
// transaction with its event.
//
// Run is the one goroutine, which the caller starts; it raises what has expired. The
// package never logs a token, a code or what was filled in.
package link

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"time"

	"tandem"
	"tandem/store"
)

var (
	// ErrUnusable: the link was never made, has expired, was revoked, or belongs to
	// another browser. Whoever holds it is not told which.
	ErrUnusable = errors.New("this link cannot be used")
	// ErrUnproved: the page has to ask for the second factor first.
	ErrUnproved = errors.New("the second factor is missing")
	// ErrNoFactor: no second factor can be asked of this customer.
	ErrNoFactor = errors.New("no second factor can be asked")
)

// Database is what the desk needs of the store.
type Database interface {
	Commit(ctx context.Context, c *store.Change) error
	Update(ctx context.Context, do func(tx store.Tx) error) error
	View(ctx context.Context, do func(tx store.Tx) error) error
	EventsAt(ctx context.Context, refs []store.EventRef) ([]tandem.Event, error)
}

// Question is what a page asks as its second factor.
type Question struct {
	Kind  string // "code" or "digits": numbers only; "text": anything
	Words string // for the customer
	// State is handed back with the answer. It is kept in memory only.
	State json.RawMessage
}

// Factor is a second factor that does not need a call: a code sent to a bound number, or
// something that the customer knows. Who passes has shown what the link needs.
type Factor interface {
	// Ask begins: it sends what there is to send. ErrNoFactor if there is nothing to ask.
	Ask(ctx context.Context, l Link, lang string) (Question, error)
	// Check reports whether the answer is right.
	Check(ctx context.Context, l Link, q Question, typed string) (ok bool, err error)
}

// Options is what a Desk is made of.
type Options struct {
	Database Database
	URL      string // how customers reach the pages, without a / at its end: links are URL/l/TOKEN
	// Blind turns a value into one that can be compared but not read back.
	Blind func(purpose, value string) []byte
	// Changed is told of every change after it is durable, on the goroutine that made it;
	// fields are what was filled in (done), as the forms' types have it. A crash may swallow
	// it: State has what became of the link.
	Changed func(ctx context.Context, l Link, s tandem.LinkState, fields map[string]any)
	Factor  Factor // nil = only codes that are told
	Now     func() time.Time
	Random  io.Reader // crypto/rand.Reader
	Log     *slog.Logger
}

// Desk makes and keeps links. It is safe for concurrent use.
type Desk struct {
	o Options
}

// New makes a Desk.
func New(o Options) (*Desk, error) { return &Desk{o: o}, nil }

// Make makes a link, durably, in one change with what with adds: the message and the
// letter that carry the address. with is given the address, and the link with the code to
// tell. If the interaction has a link under the Order's Key nothing is made and with is not called: what
// there is comes back, now waited for under the Order's Serial, and with a new code to
// tell if the page still has to ask for one.
func (d *Desk) Make(ctx context.Context, o Order, with func(url string, l Link) (store.Change, error)) (l Link, made bool, err error) {
	return Link{}, false, errors.New("link: not there yet")
}

// Reissue returns a new address of a link that was sent to a conversation, for a chat's
// button. A link sent elsewhere, or one that is of no use any more, is ErrUnusable.
func (d *Desk) Reissue(ctx context.Context, id tandem.LinkID, conv tandem.ConversationID) (url string, err error) {
	return "", ErrUnusable
}

// State finds the link that an interaction has under a key; store.ErrNotFound if it has none.
func (d *Desk) State(ctx context.Context, in tandem.InteractionID, key string) (Link, error) {
	return Link{}, store.ErrNotFound
}

// Find finds a link by its id; store.ErrNotFound if there is none.
func (d *Desk) Find(ctx context.Context, id tandem.LinkID) (Link, error) {
	return Link{}, store.ErrNotFound
}

// Revoke closes a link at once. One that is over stays what it is; that is no error.
func (d *Desk) Revoke(ctx context.Context, id tandem.LinkID, why string) error { return ErrUnusable }

// Run raises what expires, until ctx ends.
func (d *Desk) Run(ctx context.Context) error { <-ctx.Done(); return nil }
