// Package identity finds out who customers are. It holds two talks with them in words of
// its own (Identify: by one-time code, PIN or questions; Resume: by the number of an
// earlier interaction and a code), keeps one-time codes, binds phones, chat accounts and
// mail addresses to customers, and counts against limits.
//
// What a talk says next is decided by pure functions of its state and what was entered
// or found (talk*.go); the Desk sends codes, asks the operator's service and reads and
// writes bindings at the edges. It runs no goroutine. Codes, PINs and answers are never
// logged, journalled or stored: of a code only a keyed hash is kept, of who caused it
// and where it went only keyed hashes too.
package identity

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/store"
	"tandem/store/outbox"
)

// Who is the party a talk is held with, and the leg it is held on.
type Who struct {
	Interaction  tandem.InteractionID
	Leg          tandem.LegID
	Customer     tandem.CustomerID // of the interaction
	Channel      tandem.Channel
	Conversation tandem.ConversationID // chat and SMS
	Caller       string                // number as signalled, or the visitor's chat account; "" = withheld
	Entry        string
	Lang         string
	// Address is the client's network address, for limits; "" where many people share
	// it, as behind a trunk.
	Address    string
	Assurance  tandem.Assurance // of the leg, as it holds now
	Recognised bool             // Caller is a number bound to Customer, from a trunk that is trusted for it
}

// Letter is a text with a one-time code, for a gateway that takes free text or one that
// takes templates only.
type Letter struct {
	Key      string // the same letter is sent once under it
	Lang     string
	Text     string            // with the code; whoever keeps or shows the message masks it
	Template string            // "code"
	Params   map[string]string // code, minutes
}

// Parked is an interaction that can be gone on with.
type Parked struct {
	Interaction tandem.InteractionID
	Customer    tandem.CustomerID
	Active      time.Time    // when it was last active
	Legs        []tandem.Leg // of the customer
}

// Records is what the desk needs of the store.
type Records interface {
	Update(ctx context.Context, do func(tx store.Tx) error) error
	View(ctx context.Context, do func(tx store.Tx) error) error
	// Commit writes bindings, and their events with them.
	Commit(ctx context.Context, c *store.Change) error
	// Identities are the bindings of a customer, merged ones included, those undone too.
	Identities(ctx context.Context, c tandem.CustomerID) ([]tandem.Binding, error)
	// CustomerOf finds the tie of an identity that holds; store.ErrNotFound if there is none.
	CustomerOf(ctx context.Context, i tandem.Identity) (tandem.Binding, error)
}

// Options is what a Desk is made of.
type Options struct {
	Records Records
	// Blind turns a value into one that can be looked up but not read back.
	Blind func(domain, value string) []byte
	// Parked finds the interaction with a number that can be gone on with;
	// store.ErrNotFound if there is none, for whatever reason.
	Parked func(ctx context.Context, n tandem.Number) (Parked, error)
	// Send hands a letter over to be sent. It returns once that is durable; an error
	// means that it will not be sent.
	Send func(ctx context.Context, w Who, to tandem.Identity, l Letter) error
	// Promise writes an event into the journal of w's interaction.
	Promise func(ctx context.Context, w Who, kind tandem.EventKind, data any) error
	Service Service       // checks PINs and questions; zero = none does
	Mail    bool          // Send takes mail addresses, too
	Country string        // prefix of numbers typed without one, such as "+86"; "" = "+86"
	Holds   time.Duration // of what was proved; 0 = 30 min
	Return  time.Duration // for how long an interaction can be gone on with; 0 = 7 d
	Now     func() time.Time
	Sleep   func(ctx context.Context, d time.Duration) // nil = a timer
	Random  io.Reader                                  // crypto/rand.Reader
	Log     *slog.Logger
}

// Service is the operator's service that checks PINs and questions; docs/identity.md says
// what it is asked and has to answer.
type Service struct {
	URL    string        // without a / at its end; "" = there is none
	Secret outbox.Secret // signs what it is asked
	Allow  []string      // hosts, as hosts.Allowed reads them
}

// Desk holds the talks. It is safe for concurrent use, but one talk is held by one
// goroutine at a time.
type Desk struct {
	o Options
}

// New makes a Desk.
func New(o Options) *Desk {
	return &Desk{o: o}
}

// Close drops idle connections.
func (d *Desk) Close() {}

// Begin begins the talk that an effect asks for, a flow.Identify or a flow.Resume. An
// error is a fault of the step: the store cannot be read or written.
func (d *Desk) Begin(ctx context.Context, w Who, e flow.Effect) (flow.Turn, error) {
	return flow.Turn{}, tandem.Errorf(tandem.CodeUnavailable, "identifying is not there yet")
}

// Hear goes on with a talk: state is the Turn's that came before, in what the customer
// entered (InputText: typed, or the keys of one entry; InputTimeout).
func (d *Desk) Hear(ctx context.Context, w Who, state json.RawMessage, in flow.Input) (flow.Turn, error) {
	return flow.Turn{}, tandem.Errorf(tandem.CodeUnavailable, "identifying is not there yet")
}
