// Package text runs flows on conversations, event by event: a message, an answer or a
// silence comes in, the engine takes a step, and one durable change holds all that came of
// it. Between two events a conversation has no goroutine here, and no memory but its place
// among the timers; what was used last is kept at hand.
//
// The Driver runs one goroutine for all timers (Run), a bounded number beside it for those
// that are due, and one for each HTTP exchange under way. It decides nothing about a flow,
// never sends anything anywhere itself, and publishes nothing that is not durable.
package text

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"tandem"
	"tandem/bridge/chat"
	"tandem/ivr/flow"
	"tandem/store"
)

// Store is what the driver asks of the journal and the sessions in it.
type Store interface {
	Commit(ctx context.Context, c *store.Change) error
	Session(ctx context.Context, id tandem.InteractionID) ([]byte, time.Time, error)
	Sessions(ctx context.Context) ([]store.SessionTimer, error)
	Interaction(ctx context.Context, ref string) (store.Story, error)
	Leg(ctx context.Context, id tandem.LegID) (tandem.Leg, error)
	CustomerOf(ctx context.Context, i tandem.Identity) (tandem.Binding, bool, error)
}

// World is what sessions may ask of everything that is not their conversation. It is
// called without the conversation's lock, but for Letter; Deliver may be called from inside
// all of it. It must not call Open, Say, Adopt or Release for the same conversation, except
// from Resume.
type World interface {
	// Fetch makes one HTTP exchange, retries included.
	Fetch(ctx context.Context, r Ref, f flow.Fetch) flow.Fetched
	// Begin begins what Deliver answers: a Send, SendLink, Move, Book, Enqueue, OpenTicket,
	// or a Survey that is not asked here and now. An error is a fault of the step. It may be
	// asked for the same again, under the same Key: an Enqueue is after each start, for a
	// session that waits in line. words are said to the customer at once, in the program's
	// own words. A flow.Take has no answer, and an error of it is no fault; it too is begun
	// again after a start, with s as it waits in line.
	Begin(ctx context.Context, r Ref, s flow.Session, e flow.Effect) (words []flow.Play, err error)
	// Withdraw says that what the session waits for is not wanted any more.
	Withdraw(ctx context.Context, r Ref, s flow.Session)
	// Told tells the agent who has the customer what came of the step they asked, once it is
	// durable.
	Told(ctx context.Context, r Ref, t flow.Told)
	// Talk begins a talk (e is a flow.Identify, Resume or Survey), or goes on with one: e is
	// nil, s.World is the state of the turn before, in what the customer entered or their
	// silence.
	Talk(ctx context.Context, r Ref, s flow.Session, e flow.Effect, in flow.Input) (flow.Turn, error)
	// Library is the library with a version of a flow.
	Library(ctx context.Context, name, hash string) (*flow.Library, error)
	// Entry is the flow of an entry, for a new interaction.
	Entry(name string) (flowName string, lib *flow.Library, ok bool)
	// Letter is what the outbox holds of a text message. An error means that it may not be
	// sent; one with a method Refusal() string names the rule by a word.
	Letter(ctx context.Context, c chat.Conversation, m *tandem.Message, lang string) (*store.Outgoing, error)
	// Resume goes on with an earlier interaction in the place of the conversation's
	// present one, which it has the driver do by Adopt.
	Resume(ctx context.Context, c chat.Conversation, earlier tandem.InteractionID, t flow.Turn) error
	// Ended says that an interaction was closed.
	Ended(ctx context.Context, r Ref, reason string)
}

// Ref says whose session something is for.
type Ref struct {
	Interaction  tandem.InteractionID
	Leg          tandem.LegID
	Customer     tandem.CustomerID
	Channel      tandem.Channel
	Conversation tandem.ConversationID // "" = nobody listens any more
	Number       tandem.Number
	Entry        string
	Caller       string // their number; "" in a chat
	Lang         string
}

// Said is a message from the customer.
type Said struct {
	Client     string // the sender's id of it, against doubles; "" = none
	Text       string
	Attachment *tandem.Attachment
	Blobs      []store.BlobRef // of the attachment
	Via        string          // how it was entered; "" = text
	// Secret says that the sender entered it as the reply to a question for a secret. If
	// none is waited for any more it is refused with chat.ErrNoSecret.
	Secret bool
	From   string // sms: their number, E.164
}

// Adopted says where a session comes from.
type Adopted struct {
	Interaction tandem.InteractionID
	From        tandem.LegID // it ran on; "" = not known
	// Resumed says that it goes on after a break; else the customer accepted a handoff.
	Resumed   bool
	Carried   bool             // the assurance came along
	Assurance tandem.Assurance // resumed: what the customer has proved here
	Until     time.Time        // for how long that holds; zero = to the end
	Phone     string           // resumed: a phone number that was proved to be the customer's
	Theirs    string           // sms: their number, where the conversation does not know it yet
}

// Options is what a Driver is made of. All but Name, InLine, Tally, Panicked and Log are
// needed.
type Options struct {
	Store  Store
	Book   *chat.Book
	World  World
	Now    func() time.Time
	Random io.Reader
	Name   string // of the operator, as customers know it
	// InLine is told that a session which waits in line has come to a conversation from a
	// call or another one, durably: its place is to go on by that channel. What was
	// delivered meanwhile may not have been taken.
	InLine func(ctx context.Context, r Ref, s flow.Session)
	// Tally is told of each trace once it is durable.
	Tally func(at time.Time, data any)
	// Panicked is told of a panic, where it happened; nil logs it.
	Panicked func(what string, p any)
	Log      *slog.Logger // slog.Default if nil
}

// Driver runs the sessions of all conversations. It is safe for concurrent use.
type Driver struct {
	o      Options
	log    *slog.Logger
	memory *memory
	lanes  lanes
	hands  lanes // of sessions, by interaction
	claims claims
	timers timers

	ctx     context.Context // of everything that runs beside a turn
	cancel  context.CancelFunc
	fetches atomic.Int64
	slots   chan struct{} // of exchanges
	mu      sync.Mutex
	closed  bool // nothing is begun beside a turn any more
	beside  sync.WaitGroup
	touched map[tandem.InteractionID]struct{} // by turns of this process, until Run has looked at all; nil afterwards
}

// Bounds.
const (
	maxAtHand   = 2048             // conversations whose state is kept at hand
	forgetAfter = 15 * time.Minute // without a turn: what is at hand may hold secrets that are stored nowhere
	maxQueue    = 64               // answers waiting for one conversation's turn; more are refused
	maxRetries  = 4096             // answers waiting for the store; more are lost till the next start
	maxHeld     = 32               // messages held for one conversation; the oldest is passed over
	maxFetches  = 4096             // exchanges asked for at once; more fail
	maxRunning  = 256              // of those that run; the others wait
	maxFiring   = 32               // timers whose turns run at once; others wait
	maxPasses   = 256              // engine steps in one turn: each held message and fault is one
	turnTime    = 30 * time.Second // for a turn and what it begins, talk with other systems included
	retryFirst  = time.Second      // until a turn that failed is tried again; doubled up to retryMost
	retryMost   = time.Minute
	maxTries    = 10              // of a turn that fails for another reason than the store
	takeOver    = 2 * time.Minute // for a session that was released to be taken over; then it goes on where it was
)

// New makes a Driver.
func New(o Options) (*Driver, error) {
	if o.Store == nil || o.Book == nil || o.World == nil || o.Now == nil || o.Random == nil {
		return nil, errors.New("text: Options need Store, Book, World, Now and Random")
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	d := &Driver{
		o: o, log: o.Log, memory: newMemory(o.Now), slots: make(chan struct{}, maxRunning),
		touched: map[tandem.InteractionID]struct{}{},
	}
	d.lanes.by, d.hands.by = map[string]*lane{}, map[string]*lane{}
	d.timers.init()
	d.ctx, d.cancel = context.WithCancel(context.Background())
	return d, nil
}
