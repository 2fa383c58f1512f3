// Package ticket keeps tickets: tasks of the one line with a number of their own, an
// owner and a time by which they are to be done. It opens them for flows, takes what
// agents change, hands one whose time has passed to the next owner, and shows the customer
// where it stands by a link.
//
// What was asked, noted and told lies in the journal, under the customer's key; its table
// has nothing personal. Every change of a ticket and of its place in line is one
// durable transaction with its event. A link's token has 128 random bits and stands in
// the message alone: the table has its hash.
//
// Run is the one goroutine, which the caller starts. The package decides no order of the
// line, never logs a token or what was written, and shows nobody who comes by a link what
// was asked.
package ticket

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"tandem"
	"tandem/bridge/route"
	"tandem/store"
)

// Where a ticket is in its life. It may go from any to any, but never back from done.
const (
	StatusOpen    = "open"    // nobody has begun
	StatusWorking = "working" // somebody is at it
	StatusWaiting = "waiting" // for somebody else, or for a day
	StatusDone    = "done"
)

// ErrUnusable: the link was never made, has expired or was revoked. Whoever holds it is
// not told which.
var ErrUnusable = errors.New("this link cannot be used")

// Bounds.
const (
	keepLinks = 90 * 24 * time.Hour       // after it is done
	maxTokens = 8                         // that lead to one ticket; the oldest goes
	farthest  = 10 * 365 * 24 * time.Hour // from now: a time that somebody names
	maxWords  = 2000                      // characters of a note, and of what is told
	listMost  = 500                       // tickets in one list
)

// Database is what the desk needs of the store; sqlite.DB is one.
type Database interface {
	Commit(ctx context.Context, c *store.Change) error
	Update(ctx context.Context, do func(tx store.Tx) error) error
	View(ctx context.Context, do func(tx store.Tx) error) error
	EventsAt(ctx context.Context, refs []store.EventRef) ([]tandem.Event, error)
}

// Line is what the desk needs of the line; queue.Router is one.
type Line interface {
	Open(ctx context.Context, t tandem.Task, c *store.Change) (tandem.Task, error)
	Change(ctx context.Context, e route.Changed, c *store.Change) (tandem.Task, error)
	Release(ctx context.Context, e route.Released, c *store.Change) (tandem.Task, error)
	End(ctx context.Context, id tandem.TaskID, outcome string, c *store.Change) error
	Task(id tandem.TaskID) (tandem.Task, bool)
}

// Options is what a Desk is made of. Database, Line, Policy and URL are needed.
type Options struct {
	Database Database
	Line     Line
	Policy   func() *route.Policy // in use now
	URL      string               // how customers reach the pages, without a / at its end: links are URL/t/TOKEN
	// Send writes to the customer where the flow runs: in their chat, by text where they
	// text, and by text to the number that calls. sent is false if nothing may or can be
	// sent. nil = nothing is.
	Send func(ctx context.Context, w tandem.Who, n tandem.Notice) (sent bool, err error)
	// Tell writes into the conversation by which the interaction's customer can be reached,
	// if there is one; nil = nobody is told.
	Tell func(ctx context.Context, in tandem.InteractionID, n tandem.Notice) (sent bool, err error)
	// Overdue is told of each ticket that the last of its owners has not done in time,
	// once for each time it is given; nil = nobody is.
	Overdue func(t tandem.Task)
	Now     func() time.Time // nil = time.Now
	Random  io.Reader        // nil = crypto/rand.Reader
	Log     *slog.Logger     // nil = slog.Default
}

// Desk keeps tickets. It is safe for concurrent use.
type Desk struct {
	o Options

	mu sync.Mutex // held from the reading of a ticket until its change is durable
}

// New makes a Desk.
func New(o Options) (*Desk, error) {
	if o.Database == nil || o.Line == nil || o.Policy == nil || o.URL == "" {
		return nil, errors.New("ticket: Options need Database, Line, Policy and URL")
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

// Ticket is a work order as it stands, without what is personal.
type Ticket struct {
	Task        tandem.TaskID        `json:"task"`
	Interaction tandem.InteractionID `json:"interaction"`
	Number      tandem.Number        `json:"number"`
	Form        string               `json:"form"`
	Lang        string               `json:"lang,omitempty"`
	Queue       string               `json:"queue"` // whose list of owners it goes down
	Owner       string               `json:"owner"` // agent:NAME, team:NAME or queue:NAME
	Status      string               `json:"status"`
	Opened      time.Time            `json:"opened"`
	Due         time.Time            `json:"due"`
	Done        time.Time            `json:"done,omitzero"`
	Step        int                  `json:"step"`              // how many owners before this one were late
	Overdue     bool                 `json:"overdue,omitempty"` // and so was the last
	No          int64                `json:"no"`                // counts up as they are opened: where a list goes on

	customer  tandem.CustomerID
	link      tandem.LinkID
	allowance time.Duration
	seq       uint64
}
