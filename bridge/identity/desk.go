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
	"fmt"
	"io"
	"log/slog"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/store"
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

// Records is what the desk needs of the store; sqlite.DB is one.
type Records interface {
	Update(ctx context.Context, do func(tx store.Tx) error) error
	View(ctx context.Context, do func(tx store.Tx) error) error
	Commit(ctx context.Context, c *store.Change) error
	CustomerOf(ctx context.Context, i tandem.Identity) (b tandem.Binding, found bool, err error)
	Identities(ctx context.Context, c tandem.CustomerID) ([]tandem.Binding, error)
	Person(ctx context.Context, c tandem.CustomerID) ([]tandem.CustomerID, error)
	Parked(ctx context.Context, n tandem.Number, now time.Time) (store.Parked, error)
	Interaction(ctx context.Context, ref string) (store.Story, error)
	List(ctx context.Context, f store.Filter) ([]store.Summary, error)
}

// Options is what a Desk is made of.
type Options struct {
	Records Records
	// Blind turns a value into one that can be looked up but not read back.
	Blind func(domain, value string) []byte
	// Send hands a letter over to be sent and returns once that is durable; an error means
	// that it will not be sent. It keeps no text with the code in it but sealed, to be sent.
	// w names the interaction that the letter belongs to: it is not always the one in
	// which it was asked for.
	Send func(ctx context.Context, w Who, to tandem.Identity, l Letter) error
	// Promise writes an event into the journal of w's interaction, durably.
	Promise func(ctx context.Context, w Who, kind tandem.EventKind, data any) error

	Service Service       // checks PINs and questions; zero = nobody does
	Mail    bool          // Send takes mail addresses, too
	Country string        // prefix of numbers that are typed without one; "" = "+86"
	Holds   time.Duration // of what was proved; 0 = 30 min
	Return  time.Duration // for how long an interaction can be gone on with; 0 = 7 d

	Now    func() time.Time
	Sleep  func(ctx context.Context, d time.Duration) // nil = a timer
	Random io.Reader                                  // crypto/rand.Reader
	Log    *slog.Logger                               // nil = none
}

// Desk holds the talks. It is safe for concurrent use, but one talk is held by one
// goroutine at a time.
type Desk struct {
	o       Options
	service *service // nil = there is none
}

// New makes a Desk. The error says what is wrong with the service's address.
func New(o Options) (*Desk, error) {
	if o.Country == "" {
		o.Country = "+86"
	}
	if o.Holds <= 0 {
		o.Holds = defaultHolds
	}
	if o.Return <= 0 {
		o.Return = defaultReturn
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	d := &Desk{o: o}
	if o.Service.URL == "" {
		return d, nil
	}
	var err error
	d.service, err = newService(o.Service, o.Now, o.Random)
	return d, err
}

// Close drops idle connections to the service.
func (d *Desk) Close() {
	if d.service != nil {
		d.service.client.CloseIdleConnections()
	}
}

const (
	defaultHolds  = 30 * time.Minute
	defaultReturn = 7 * 24 * time.Hour
	// evenly is the grain of time of whatever could tell whether there is an interaction
	// with a number: many times what a look-up and a letter take.
	evenly = 600 * time.Millisecond
	// maxOrders bounds what one entry can set off.
	maxOrders = 12
)

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Begin begins the talk that an effect asks for, a flow.Identify or a flow.Resume. An
// error is a fault of the step, such as a store that cannot be written.
func (d *Desk) Begin(ctx context.Context, w Who, e flow.Effect) (flow.Turn, error) {
	t, s, err := begin(w, d.o.Country, e)
	if err != nil {
		return flow.Turn{}, err
	}
	if t.Stage == askNumber {
		over, err := d.over(ctx, d.tries(w, triesReturn))
		if err != nil {
			return flow.Turn{}, err
		}
		if over {
			t, s = t.fail()
		}
	}
	return d.run(ctx, w, t, s)
}

// Hear goes on with a talk: state is that of the turn before, in what the customer
// entered since: InputText with what was typed or with the keys of one entry, or
// InputTimeout.
func (d *Desk) Hear(ctx context.Context, w Who, state json.RawMessage, in flow.Input) (flow.Turn, error) {
	start := d.o.Now()
	in.At = start
	t, err := decode(state)
	if err != nil {
		return flow.Turn{}, err
	}
	stage := t.Stage
	t, s := t.heard(in)
	if (stage == askNumber || stage == askReturn) && s.order != nil {
		defer func() { // however long it took
			d.o.Sleep(ctx, evenly-d.o.Now().Sub(start)%evenly)
		}()
	}
	return d.run(ctx, w, t, s)
}

// run carries out what the talk orders until it is the customer's turn.
func (d *Desk) run(ctx context.Context, w Who, t talk, s step) (flow.Turn, error) {
	for range maxOrders {
		if s.order == nil {
			return d.finish(ctx, w, t, *s.turn)
		}
		answer, err := d.carry(ctx, w, t, s.order)
		if err != nil {
			return flow.Turn{}, fmt.Errorf("identifying a customer: %w", err)
		}
		t, s = t.answered(d.o.Now(), answer)
	}
	return flow.Turn{}, fmt.Errorf("identifying a customer: no end after %d steps", maxOrders)
}

// carry carries out one order.
func (d *Desk) carry(ctx context.Context, w Who, t talk, order any) (any, error) {
	switch o := order.(type) {
	case orderLook:
		return d.look(ctx, w)
	case orderSend:
		return d.send(ctx, w, o.To)
	case orderCheck:
		return d.hold(ctx, w, t.Check, o.Typed, triesIdentify)
	case orderProve:
		return d.prove(ctx, w, t.To)
	case orderPIN:
		return d.tried(ctx, w, func(b body) (checked, error) { return d.service.pin(ctx, b, o.PIN) })
	case orderQuestions:
		b, err := d.about(ctx, w)
		if err != nil {
			return nil, err
		}
		return d.asks(ctx, b)
	case orderAnswers:
		return d.tried(ctx, w, func(body) (checked, error) { return d.service.answers(ctx, t.Form, t.Questions, t.Answers) })
	case orderFind:
		return d.find(ctx, w, t.Number)
	case orderReturn:
		return d.returns(ctx, w, t, o.Typed)
	}
	return nil, fmt.Errorf("identity: %T is no order", order)
}

// finish makes a turn whole: with the talk's state, or with what it has proved.
func (d *Desk) finish(ctx context.Context, w Who, t talk, turn flow.Turn) (flow.Turn, error) {
	var err error
	if turn.Done == nil {
		turn.State, err = t.encode()
		return turn, err
	}
	passed := turn.Done.Outcome == "passed" || turn.Go != ""
	if turn.Assurance >= tandem.Verified {
		turn.Until = d.o.Now().Add(d.o.Holds).UTC()
		turn.Done.Until = turn.Until
	}
	switch {
	case t.Method == "" || turn.Go != "" && t.Sent == 0: // nothing was asked
		return turn, nil
	case turn.Go != "":
		w = Who{Interaction: turn.Go, Channel: w.Channel}
	}
	e := tandem.Identified{Method: t.Method, Outcome: turn.Done.Outcome, Until: turn.Until}
	if passed {
		e.Level, e.Outcome = turn.Assurance, "passed"
	}
	if err := d.o.Promise(ctx, w, tandem.EventIdentified, e); err != nil {
		return flow.Turn{}, fmt.Errorf("noting who the customer is: %w", err)
	}
	return turn, nil
}
