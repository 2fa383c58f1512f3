// Package duty is what agents and supervisors do, whether they ask by HTTP (web/desk) or by
// their socket (web/desk/live): taking and ending tasks, talking and writing to customers,
// handing them on, listening to others. It looks at who may what for each thing that is
// asked, and answers in errors that web/desk shows.
//
// It runs no goroutine and keeps nothing but which answers were given lately. It decides
// nothing about the line, a call, or a flow, and does nothing that it cannot write down
// first where that is due: a supervisor's listening, and what they do to others.
package duty

import (
	"context"
	"io"
	"net/http"
	"time"

	"tandem"
	"tandem/bridge/chat"
	"tandem/bridge/phone"
	"tandem/bridge/queue"
	"tandem/bridge/route"
	"tandem/media/webrtc"
	"tandem/store"
	"tandem/store/staff"
	"tandem/web/desk/live"
	"tandem/web/desk/view"
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
	// Take takes a task from who has it, by a supervisor's word.
	Take(ctx context.Context, who string, e route.Released) (tandem.Task, error)
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
	Of(in tandem.InteractionID) []tandem.Task
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

// Journal is what has happened; store/sqlite has it.
type Journal interface {
	Commit(ctx context.Context, c *store.Change) error
	Interaction(ctx context.Context, ref string) (store.Story, error)
	List(ctx context.Context, f store.Filter) ([]store.Summary, error)
	Identities(ctx context.Context, customer tandem.CustomerID) ([]tandem.Binding, error)
	OpenBlob(ctx context.Context, id tandem.BlobID, actor, why string) (io.ReadSeekCloser, store.BlobRef, error)
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

// Calls are the calls that go on; bridge/phone's Switchboard. Its errors are *tandem.Error.
type Calls interface {
	live.Calls
	Talk(id tandem.TaskID) (phone.Talk, bool)
	Do(ctx context.Context, who string, c phone.Command) error
	Answer(ctx context.Context, agent, invite string, accept bool) error
}

var _ Calls = (*phone.Switchboard)(nil)

// Flows are what flows do with customers whom agents have; internal/app. Errors are
// *tandem.Error.
type Flows interface {
	TakeOver(ctx context.Context, in tandem.InteractionID, agent, why string) (tandem.Task, error)
	HandBack(ctx context.Context, t tandem.Task, agent, step string) error
	Ask(ctx context.Context, t tandem.Task, agent, step string) error
	Nodes(ctx context.Context, in tandem.InteractionID) ([]view.Node, error)
	// Replies are canned ones, filled in, those that have a word in them.
	Replies(ctx context.Context, t tandem.Task, agent, word string) ([]view.Reply, error)
}

// Ways are how customers are reached beside a talk; internal/app. Errors are *tandem.Error.
type Ways interface {
	// Operations are those whose link can be sent to the customer of a task, and by which
	// ways, the standard one first.
	Operations(ctx context.Context, t tandem.Task) (all []view.Operation, by []string, err error)
	// SendLink sends one. The same Client again gives the link that was sent.
	SendLink(ctx context.Context, t tandem.Task, agent string, o live.LinkOrder) (view.Offered, error)
	// Move has the customer go on by another channel; the task changes its kind at once, or as
	// they come there.
	Move(ctx context.Context, t tandem.Task, agent string, to tandem.Channel) (tandem.Task, error)
	// Place opens a callback for an agent, and has it theirs.
	Place(ctx context.Context, agent string, p live.Placing) (tandem.Task, error)
	// Number is how a number that an agent typed is dialled, if the operator allows it.
	Number(typed string) (to string, err error)
}

// Reason is something to choose, with its words: why an agent is away, what came of a task.
type Reason struct {
	Name  string            `json:"name"`
	Words map[string]string `json:"words"` // by language
}

// Options is what a Duty is made of. Servers and Seat may be left out: then browsers do not
// speak.
type Options struct {
	Line    Line
	Door    Door
	Journal Journal
	Talks   Talks
	Say     Say
	Calls   Calls
	Flows   Flows
	Ways    Ways
	Faces   Faces  // nil = there are no voice and pictures beside texts
	Checks  Checks // nil = there are no identity checks

	Reasons      func() []Reason                        // the policy's for being away, by name
	Dispositions func() (all []Reason, must []string)   // the policy's, by name, and the queues that need one
	Phone        func(agent string) bool                // one that rings is configured for them
	Seat         func(who string) (up bool, mic string) // their browser's microphone
	Servers      func(who string) ([]webrtc.ICEServer, error)
	Display      func(ctx context.Context, agent string) string // by which customers know them
	Now          func() time.Time
}

// Duty does what agents and supervisors ask. Its methods are safe from any goroutine.
type Duty struct {
	o     *Options
	floor *live.Floor
}

var _ live.Work = (*Duty)(nil)

// New makes a Duty. Sit is due before it is used.
func New(o *Options) *Duty {
	if o.Seat == nil {
		o.Seat = func(string) (bool, string) { return false, "" }
	}
	return &Duty{o: o}
}

// Sit gives it the sockets by which those are told whom somebody speaks to.
func (d *Duty) Sit(f *live.Floor) { d.floor = f }
