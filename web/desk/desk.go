// Package desk is the agents' and supervisors' part of the staff API: HTTP below /api/v1/
// and one WebSocket. docs/protocol.md and web/api/openapi.yaml are what it speaks, and tests
// hold it to them.
//
// It owns a goroutine that follows the line and tells of it, one that looks again who
// everybody is and who is there, and one for each socket, with a second one only while
// frames are written to it; Close ends them all. It asks who somebody is for every request and every frame, shows an
// agent nothing of what others have, and decides nothing about the line: that is
// bridge/queue's. It keeps nothing beyond figures of today and the frames that a socket may
// miss, and logs no text, key, or number.
package desk

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"tandem"
	"tandem/bridge/chat"
	"tandem/bridge/hook"
	"tandem/bridge/queue"
	"tandem/bridge/route"
	"tandem/bridge/survey"
	"tandem/bridge/ticket"
	"tandem/store"
	"tandem/store/staff"
	"tandem/web/login"
)

// Line is the one line; bridge/queue's Router. Its errors are *tandem.Error: conflict for
// what comes too late.
type Line interface {
	Doing
	Reading
	// Watch has each fact told to do, which returns at once.
	Watch(do func(queue.Fact)) (stop func())
}

// Doing is what changes the line.
type Doing interface {
	Accept(ctx context.Context, id tandem.TaskID, agent string, fence uint64) (tandem.Task, error)
	Decline(ctx context.Context, id tandem.TaskID, agent string, fence uint64, why string) error
	Release(ctx context.Context, e route.Released, c *store.Change) (tandem.Task, error)
	Wrap(ctx context.Context, agent string, fence uint64, disposition string, late bool) error
	Change(ctx context.Context, e route.Changed, c *store.Change) (tandem.Task, error)
	End(ctx context.Context, id tandem.TaskID, outcome string, c *store.Change) error
	Pull(ctx context.Context, id tandem.TaskID, agent string) (tandem.Task, error)
	Present(ctx context.Context, agent string, p tandem.Presence, reason string) (route.AgentState, error)
	Reachable(agent string, l tandem.Load, on bool)
}

// Reading is what tells of the line, as of what is durable.
type Reading interface {
	Place(id tandem.TaskID) (route.Place, bool)
	Task(id tandem.TaskID) (tandem.Task, bool)
	Tasks(queue string, limit int) []tandem.Task
	Agent(name string) (route.AgentState, bool)
	Agents() []route.AgentState
	Why(id tandem.TaskID) (tandem.Decision, bool)
	Policy() *route.Policy
}

var _ Line = (*queue.Router)(nil)

// Door is who lets staff and programs in; web/login has it.
type Door interface {
	RequireCaller(h http.Handler, roles []staff.Role, scopes []staff.Scope) http.Handler
	Greet(h http.Handler) http.Handler
	WithKey(ctx context.Context, key string) (login.Caller, context.Context, error)
	Again(ctx context.Context, c login.Caller) (login.Caller, error)
	Record(ctx context.Context, action, object, detail string) error
}

var _ Door = (*login.Door)(nil)

// Keys are programs' keys; store/staff has them.
type Keys interface {
	Keys(ctx context.Context) ([]staff.Key, error)
	MakeKey(ctx context.Context, by staff.Actor, k staff.Key) (secret string, made staff.Key, err error)
	RevokeKey(ctx context.Context, by staff.Actor, id string) error
}

var _ Keys = (*staff.Register)(nil)

// Journal is what has happened; store/sqlite has it.
type Journal interface {
	Commit(ctx context.Context, c *store.Change) error
	Interaction(ctx context.Context, ref string) (store.Story, error)
	List(ctx context.Context, f store.Filter) ([]store.Summary, error)
	OpenBlob(ctx context.Context, id tandem.BlobID, actor, why string) (io.ReadCloser, store.BlobRef, error)
}

// Talks are the conversations with customers; bridge/chat's Book.
type Talks interface {
	ByInteraction(ctx context.Context, id tandem.InteractionID, channel tandem.Channel) (chat.Conversation, error)
	Since(ctx context.Context, id tandem.ConversationID, rev uint64, limit int) ([]chat.Entry, error)
	Subscribe(id tandem.ConversationID, deliver func(chat.Frame) bool) (*chat.Subscription, error)
}

var _ Talks = (*chat.Book)(nil)

// Say sends what agents write; ivr/text's Driver does it.
type Say interface {
	// Reply keeps what an agent says and sends it. The same Client again changes nothing and
	// gives the message as it was kept.
	Reply(ctx context.Context, id tandem.ConversationID, r Reply) (chat.Entry, error)
	// Typing tells the customer that the agent writes, or has stopped.
	Typing(ctx context.Context, id tandem.ConversationID, agent string, on bool) error
}

// Reply is what an agent says to a customer.
type Reply struct {
	Agent  string // their name here
	Client string // their own id of it, against doubles
	Text   string
}

// Tickets are work orders; bridge/ticket has them.
type Tickets interface {
	Find(ctx context.Context, task tandem.TaskID) (ticket.Detail, error)
	Change(ctx context.Context, by string, c ticket.Change) (ticket.Ticket, error)
}

// Surveys are what customers answered; bridge/survey has them.
type Surveys interface {
	Figures(ctx context.Context, from, to time.Time) ([]survey.Figure, error)
}

// Hooks are where events are sent to; bridge/hook has them.
type Hooks interface {
	List() []hook.Subscription
	Find(id string) (hook.Subscription, error)
	Add(ctx context.Context, by string, w hook.Wanted) (hook.Subscription, string, error)
	Change(ctx context.Context, id string, w hook.Wanted) (hook.Subscription, error)
	SetActive(ctx context.Context, id string, on bool) (hook.Subscription, error)
	Remove(ctx context.Context, id string) error
	Rotate(ctx context.Context, id string) (hook.Subscription, string, error)
	Deliveries(ctx context.Context, id, before string, limit int) ([]hook.Delivery, error)
	Replay(ctx context.Context, id string, since, until time.Time) (queued int, err error)
	ReplayOne(ctx context.Context, id, delivery string) error
}

var (
	_ Tickets = (*ticket.Desk)(nil)
	_ Surveys = (*survey.Desk)(nil)
	_ Hooks   = (*hook.Desk)(nil)
)

// Reason is one why an agent may be away.
type Reason struct {
	Name  string            `json:"name"`
	Words map[string]string `json:"words"` // by language
}

// Options is what a Desk is made of. Panicked may be left out.
type Options struct {
	Line     Line
	Door     Door
	Keys     Keys
	Journal  Journal
	Talks    Talks
	Say      Say
	Tickets  Tickets
	Surveys  Surveys
	Hooks    Hooks
	Reasons  func() []Reason         // the policy's, by name
	Phone    func(agent string) bool // one that rings is configured for them
	Panicked func()                  // counts a fault of ours, which ends its socket only
	Now      func() time.Time
	Log      *slog.Logger
}

// Desk answers agents and supervisors. Its methods are safe from any goroutine.
type Desk struct {
	o       Options
	times   times
	limits  limits
	alive   *alive
	board   *board
	facts   *inbox
	unwatch func()
	ctx     context.Context // of all that is done for sockets; ends with Close
	cancel  context.CancelFunc
	guarded context.Context // ends as Close begins
	stop    context.CancelFunc
	soon    chan struct{} // of one: the guard is to look at once

	mu      sync.Mutex
	sockets map[*socket]struct{}
	of      map[string]int   // sockets, by who they are
	feeds   map[string]*feed // by agent
	closed  bool
	running sync.WaitGroup // sockets, what works for them, and the follower
}

// limits of sockets.
type limits struct{ sockets, each int }

// New makes a Desk and begins to follow the line.
func New(o Options) (*Desk, error) { return newDesk(o, standardTimes(), limits{5000, 32}) }

func newDesk(o Options, t times, l limits) (*Desk, error) {
	if o.Line == nil || o.Door == nil || o.Keys == nil || o.Journal == nil || o.Talks == nil || o.Say == nil || o.Tickets == nil || o.Surveys == nil ||
		o.Hooks == nil || o.Reasons == nil || o.Phone == nil || o.Now == nil || o.Log == nil {
		return nil, errors.New("desk: Options need all but Panicked")
	}
	d := &Desk{o: o, times: t, limits: l, alive: newAlive(), board: newBoard(o.Now), facts: newInbox(), soon: make(chan struct{}, 1),
		sockets: map[*socket]struct{}{}, of: map[string]int{}, feeds: map[string]*feed{}}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	d.guarded, d.stop = context.WithCancel(d.ctx)
	d.unwatch = o.Line.Watch(d.facts.put)
	d.board.read(o.Line)
	d.running.Go(d.follow)
	d.running.Go(d.guard)
	return d, nil
}

// Close closes every socket with 1012, so that its client comes back a little later, and
// lets in no more. It returns when all that was begun has ended; what has not by the end of
// ctx is cut off.
func (d *Desk) Close(ctx context.Context) error {
	d.mu.Lock()
	d.closed = true
	all := make([]*socket, 0, len(d.sockets))
	for s := range d.sockets {
		all = append(all, s)
	}
	d.mu.Unlock()
	d.unwatch()
	d.facts.close()
	d.stop()
	for _, s := range all {
		s.end(closeRestart, "restart")
	}
	ended := make(chan struct{})
	go func() { d.running.Wait(); close(ended) }()
	var err error
	select {
	case <-ended:
	case <-ctx.Done():
		err = context.Cause(ctx)
		for _, s := range all {
			s.raw.Close()
		}
	}
	d.cancel()
	<-ended
	d.dropFeeds()
	return err
}

// Sockets is how many are open.
func (d *Desk) Sockets() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.sockets)
}
