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
	"crypto/rand"
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
	// ErrTooSoon: a new code was asked for too soon after the last, or too often.
	ErrTooSoon = errors.New("a new code was asked for too soon")
)

// Bounds.
const (
	defaultLife = 15 * time.Minute
	maxLife     = 7 * 24 * time.Hour
	maxKey      = 4096                // bytes of an Order's Key: the flows that call each other, with their steps
	showFor     = time.Hour           // for how long a browser may see what came of its page
	keepFor     = 30 * 24 * time.Hour // for how long a link that is over is kept; the journal has it for good
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
	Kind  string // KindTold, "code" (digits only) or "text"
	Words string // for the customer; "" of KindTold: the page has words of its own
	// State is handed back with the answer. It is kept in memory only.
	State json.RawMessage
}

// MaxAttempts is how many wrong answers to the second factor there may be; the last one
// revokes the link.
const MaxAttempts = 5

// KindTold is the kind of a Question for the code that Make gave.
const KindTold = "told"

// Factor is a second factor that needs no call: a code sent to a bound number, or
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
	// fields are what was filled in (done). nil tells nobody. A crash may swallow it: State
	// has what became of the link.
	Changed func(ctx context.Context, l Link, s tandem.LinkState, fields map[string]any)
	Factor  Factor           // nil = only codes that are told
	Now     func() time.Time // nil = time.Now
	Random  io.Reader        // nil = crypto/rand.Reader
	Log     *slog.Logger     // nil = slog.Default
}

// Desk makes and keeps links. It is safe for concurrent use.
type Desk struct {
	o     Options
	asked questions
	gone  revoked
}

// New makes a Desk.
func New(o Options) (*Desk, error) {
	if o.Database == nil || o.URL == "" || o.Blind == nil {
		return nil, errors.New("link: Options need Database, URL and Blind")
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
	if o.Changed == nil {
		o.Changed = func(context.Context, Link, tandem.LinkState, map[string]any) {}
	}
	return &Desk{o: o, asked: questions{all: map[tandem.LinkID]*question{}}, gone: revoked{since: o.Now(), own: map[tandem.LinkID]time.Time{}}}, nil
}

func (d *Desk) now() time.Time { return d.o.Now().UTC() }

func (d *Desk) url(token string) string { return d.o.URL + "/l/" + token }

// errMoved: somebody else changed the link meanwhile.
var errMoved = errors.New("the link has changed meanwhile")

// mostTurns bounds how often a change is tried anew after errMoved: whoever was faster
// took the link further, and it can go no further than from made to opened to its end.
const mostTurns = 3

// turn takes a link through one state or more, in one durable change with their events,
// and then tells of them. It is errMoved if the link is no longer what l says.
func (d *Desk) turn(ctx context.Context, l Link, fields map[string]any, to ...tandem.LinkState) (Link, error) {
	was, now := l.State, d.now()
	for _, s := range to {
		if !may(l.State, s) {
			return l, errMoved
		}
		switch l.State = s; {
		case s == tandem.LinkOpened:
			l.Opened = now
			l.Page = tandem.NewID[tandem.LegID](now, d.o.Random)
		case s.Over():
			l.Over = now
		}
	}
	c := store.Change{}
	for _, s := range to {
		e := tandem.LinkChanged{Link: l.ID, State: s, Leg: l.Page}
		if s == tandem.LinkDone {
			e.Fields = fields
		}
		actor := "system"
		switch {
		case byPerson(s):
			actor = "caller"
		case s == tandem.LinkRevoked:
			e.Why = l.why
			if l.by != "" {
				actor = l.by
			}
			d.gone.add(l.ID, now)
		}
		c.Events = append(c.Events, tandem.NewEvent(l.Interaction, l.Page, now, tandem.EventLinkState, actor, e))
	}
	if l.Page != "" {
		c.Legs = []tandem.Leg{pageLeg(&l)}
	}
	late := now // of a link that may have expired, only what a person does is refused
	if !byPerson(l.State) {
		late = time.Time{}
	}
	c.With = func(tx store.Tx) error {
		n, err := tx.Exec("UPDATE link SET state = ?, opened = ?, over = ?, page = ?, browser = ? WHERE no = ? AND state = ? AND expires > ?",
			string(l.State), l.Opened, l.Over, string(l.Page), l.browser, l.no, string(was), late)
		if err == nil && n == 0 {
			err = errMoved
		}
		return err
	}
	if err := d.o.Database.Commit(ctx, &c); err != nil {
		return l, err
	}
	if l.State.Over() {
		d.asked.forget(l.ID)
	}
	told := context.WithoutCancel(ctx) // it is done, whether or not the browser still waits
	for _, s := range to {
		d.o.Log.Info("link", "link", l.ID, "interaction", l.Interaction, "state", s)
		if s == tandem.LinkDone {
			d.o.Changed(told, l, s, fields)
		} else {
			d.o.Changed(told, l, s, nil)
		}
	}
	return l, nil
}

// pageLeg is the page as a leg of the interaction.
func pageLeg(l *Link) tandem.Leg {
	leg := tandem.Leg{
		ID: l.Page, Interaction: l.Interaction, Kind: tandem.LegLink, Inbound: true, Role: tandem.RoleCustomer, Started: l.Opened, Answered: l.Opened,
	}
	if !l.Proved.IsZero() {
		leg.Assurance, leg.AssuranceUntil = l.Needs, l.Proved
	}
	if l.State.Over() {
		leg.Ended, leg.Termination = l.Over, ending(l)
	}
	return leg
}

// Revoke closes a link at once. One that is over stays what it is; that is no error. by is
// who does it, "" = the program; that and why are noted in the journal.
func (d *Desk) Revoke(ctx context.Context, id tandem.LinkID, by, why string) error {
	for range mostTurns {
		l, err := d.Find(ctx, id)
		if err != nil || l.State.Over() {
			return err
		}
		l.by, l.why = by, why
		_, err = d.turn(ctx, l, nil, tandem.LinkRevoked)
		if err == nil {
			d.o.Log.Info("link revoked", "link", id, "why", why)
		}
		if !errors.Is(err, errMoved) {
			return err
		}
	}
	return errMoved
}
