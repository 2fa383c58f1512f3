// Package desk is the agents' and supervisors' part of the staff API, below /api/v1/:
// web/api/openapi.yaml is what it speaks, and tests hold it to that. Its WebSocket is
// web/desk/live.
//
// It runs no goroutine but those of live, which Close ends. It asks who somebody is for every
// request, shows an agent nothing of what others have, writes what supervisors do and who
// listens into the audit log before it is done, and decides nothing about the line: that is
// bridge/queue's. It keeps nothing, and logs no text, key, or number.
package desk

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
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
	"tandem/web/desk/board"
	"tandem/web/desk/live"
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

// Options is what a Desk is made of. Panicked, Times, Sockets and Each may be left out.
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
	Times    live.Times              // of sockets
	Sockets  int                     // at once; 5,000
	Each     int                     // sockets of one user or key; 32
	Now      func() time.Time
	Log      *slog.Logger
}

// Desk answers agents and supervisors. Its methods are safe from any goroutine.
type Desk struct {
	hand
	board *board.Board
	floor *live.Floor
	looks looks
}

// New makes a Desk and begins to follow the line.
func New(o Options) (*Desk, error) {
	if o.Line == nil || o.Door == nil || o.Keys == nil || o.Journal == nil || o.Talks == nil || o.Say == nil || o.Tickets == nil || o.Surveys == nil ||
		o.Hooks == nil || o.Reasons == nil || o.Phone == nil || o.Now == nil || o.Log == nil {
		return nil, errors.New("desk: Options need all but Panicked, Times, Sockets and Each")
	}
	d := &Desk{hand: hand{&o}, board: board.New(o.Now)}
	var err error
	d.floor, err = live.New(live.Options{Line: o.Line, Door: o.Door, Work: d.hand, Talks: o.Talks, Board: d.board, Phone: o.Phone, Reads: group(readers).holds,
		Panicked: o.Panicked, Times: o.Times, Sockets: o.Sockets, Each: o.Each, Now: o.Now, Log: o.Log})
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Close closes every socket so that its client comes back a little later, and lets in no
// more. It returns when all that was begun has ended; what has not by the end of ctx is cut
// off.
func (d *Desk) Close(ctx context.Context) error { return d.floor.Close(ctx) }

// Sockets is how many are open.
func (d *Desk) Sockets() int { return d.floor.Sockets() }
