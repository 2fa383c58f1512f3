// Package survey asks customers the questions of a form, one after the other: in a call,
// a chat or texts where their flow runs, or later in a conversation of its own, and keeps
// the answers with the interaction that they are about.
//
// What is asked next is decided by pure functions of the talk's state and what was entered
// (talk.go, answer.go). Each answer is durable before the next question: hanging up, or a
// crash, loses none. Answers are data; they lie in the journal alone, under the customer's
// key. The package's table has who was asked what and when, and nothing personal.
//
// Run is the one goroutine, which the caller starts; it asks what was put off.
package survey

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/store"
)

// Bounds.
const (
	maxText   = 2000           // characters of an answer
	triesEach = 2              // of one question; then it is passed over
	giveUp    = 48 * time.Hour // after a survey that was put off is due
	retryIn   = 5 * time.Minute
)

// Start is a survey that is to be begun in a conversation of its own.
type Start struct {
	Interaction tandem.InteractionID // the new one; it is begun once
	Of          tandem.InteractionID // that the answers are about
	Customer    tandem.CustomerID
	Channel     tandem.Channel // chat or sms
	Flow        string
	Library     *flow.Library // that has Flow
	Lang        string
}

// Database is what the desk needs of the store; sqlite.DB is one.
type Database interface {
	Commit(ctx context.Context, c *store.Change) error
	Update(ctx context.Context, do func(tx store.Tx) error) error
	View(ctx context.Context, do func(tx store.Tx) error) error
	EventsAt(ctx context.Context, refs []store.EventRef) ([]tandem.Event, error)
}

// Options is what a Desk is made of. Database is needed.
type Options struct {
	Database Database
	// Start begins a survey in the conversation by which the customer can be reached.
	// store.ErrNotFound: there is no way to them by that channel. tandem.CodeConflict:
	// something else goes on there. store.ErrDuplicate: it was begun before. An
	// error with a Refusal, as bridge/sms has, of a rule that will not change: never. Any
	// other error is tried again. nil = nobody is asked later.
	Start func(ctx context.Context, s Start) error
	// Library is the library with a version of a flow.
	Library func(ctx context.Context, name, hash string) (*flow.Library, error)
	// From and To are the hours of the day, in Zone, between which people are written to;
	// both 0 = from 9 to 20.
	From, To int
	Zone     *time.Location   // nil = UTC
	Now      func() time.Time // nil = time.Now
	Random   io.Reader        // nil = crypto/rand.Reader
	Log      *slog.Logger     // nil = slog.Default
}

// Desk asks. It is safe for concurrent use, but one talk is held by one goroutine at a
// time.
type Desk struct{ o Options }

// New makes a Desk.
func New(o Options) (*Desk, error) {
	if o.Database == nil {
		return nil, errors.New("survey: Options need Database")
	}
	if o.From == 0 && o.To == 0 {
		o.From, o.To = 9, 20
	}
	if o.From < 0 || o.To > 24 || o.From >= o.To {
		return nil, errors.New("survey: people are written to from an hour of the day until a later one")
	}
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Desk{o: o}, nil
}

func (d *Desk) now() time.Time { return d.o.Now().UTC() }
