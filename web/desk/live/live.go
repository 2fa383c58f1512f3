// Package live is the desk's WebSocket, which docs/protocol.md describes: it tells agents what
// becomes of their work and supervisors what the board shows, as it happens, takes agents'
// commands, and measures who is there.
//
// It owns a goroutine that follows the line and tells of it, one that looks again who
// everybody is and who is there, and one for each socket, with a second one only while
// frames are written to it; Close ends them all. It asks who somebody is for every frame and
// decides nothing about the line. It keeps the frames that an agent may have missed, and no
// more; it logs no text and no key.
package live

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"tandem"
	"tandem/bridge/chat"
	"tandem/bridge/phone"
	"tandem/bridge/queue"
	"tandem/bridge/route"
	"tandem/media/webrtc"
	"tandem/web/answer"
	"tandem/web/desk/board"
	"tandem/web/desk/view"
	"tandem/web/login"
)

// Line is the one line; bridge/queue's Router.
type Line interface {
	board.Line
	view.Places
	Task(id tandem.TaskID) (tandem.Task, bool)
	// Of are the tasks in line of an interaction.
	Of(in tandem.InteractionID) []tandem.Task
	Agent(name string) (route.AgentState, bool)
	Reachable(agent string, l tandem.Load, on bool)
	// Watch has each fact told to do, which returns at once.
	Watch(do func(queue.Fact)) (stop func())
}

// Door knows who somebody is; web/login has it.
type Door interface {
	WithKey(ctx context.Context, key string) (login.Caller, context.Context, error)
	Again(ctx context.Context, c login.Caller) (login.Caller, error)
}

// Work is what agents and supervisors do; web/desk has it, which looks at who may what. ctx
// is of the caller.
type Work interface {
	Talking
	Facing
	Accept(ctx context.Context, c login.Caller, id tandem.TaskID, fence uint64) (view.Task, error)
	Decline(ctx context.Context, c login.Caller, id tandem.TaskID, fence uint64, why string) error
	Release(ctx context.Context, c login.Caller, id tandem.TaskID, fence uint64, why string) (view.Task, error)
	HandBack(ctx context.Context, c login.Caller, id tandem.TaskID, fence uint64, step string) (view.Task, error)
	Ask(ctx context.Context, c login.Caller, id tandem.TaskID, fence uint64, step string) error
	TakeOver(ctx context.Context, c login.Caller, in tandem.InteractionID, agent, why string) (view.Task, error)
	SendLink(ctx context.Context, c login.Caller, id tandem.TaskID, o LinkOrder) (view.Offered, error)
	Move(ctx context.Context, c login.Caller, id tandem.TaskID, to tandem.Channel) (view.Task, error)
	Transfer(ctx context.Context, c login.Caller, id tandem.TaskID, fence uint64, queue, agent string) (view.Task, error)
	Wrap(ctx context.Context, c login.Caller, id tandem.TaskID, fence uint64, disposition string) error
	Note(ctx context.Context, c login.Caller, id tandem.TaskID, client, words string) error
	Say(ctx context.Context, c login.Caller, id tandem.TaskID, client, words string) (view.Message, error)
	Typing(ctx context.Context, c login.Caller, id tandem.TaskID, on bool) error
	Present(ctx context.Context, name string, p tandem.Presence, reason string) (view.Agent, error)
	// Lost puts those back in line to whom an agent wrote who is gone.
	Lost(ctx context.Context, name string) error
	// Talk is the conversation of a task.
	Talk(ctx context.Context, t *tandem.Task) (chat.Conversation, error)
	// Problem is an error as whoever asked sees it, with its status by HTTP.
	Problem(err error) (answer.Problem, int)
}

// Talking is what they do in calls, and beside them.
type Talking interface {
	Call(ctx context.Context, c login.Caller, do phone.Command) error
	Answer(ctx context.Context, c login.Caller, invite string, accept bool) error
	Place(ctx context.Context, c login.Caller, p Placing) (view.Task, error)
	// Whisper tells the agent of a chat something; the same client id again is the same.
	Whisper(ctx context.Context, c login.Caller, id tandem.TaskID, client, words string) error
	// Speaks reports whether a caller may have a seat.
	Speaks(c login.Caller) bool
}

// Calls are the calls that go on; bridge/phone's Switchboard. What is watched is told at
// once, and in its order.
type Calls interface {
	Talks() []phone.Talk
	WatchTalks(do func(phone.Talk)) (stop func())
	Invites(agent string) []phone.Invite
	WatchInvites(do func(phone.Invite)) (stop func())
}

var _ Calls = (*phone.Switchboard)(nil)

// Voice connects browsers' microphones; internal/app has it.
type Voice interface {
	// Signal takes what a page tells of its seat, whose id it has drawn.
	Signal(ctx context.Context, who, seat string, s webrtc.Signal) error
	// Gone is told that the last of somebody's sockets is closed. It does not wait.
	Gone(who string)
}

// Target is whom a call is for.
type Target struct {
	Agent  string `json:"agent"`
	Number string `json:"number"`
}

// Placing asks for a call: to a number, or to the customer of an interaction.
type Placing struct {
	Client      string // the caller's own id of it, against doubles
	To          string
	Interaction tandem.InteractionID
	Queue       string
}

// Whispered is what a supervisor says to the agent of a chat.
type Whispered struct {
	Task tandem.TaskID
	From string
	Text string
	At   time.Time
}

// LinkOrder asks for the link of an operation.
type LinkOrder struct {
	Client    string // the caller's own id of it, against doubles
	Operation string
	Params    map[string]any
	By        string // sms, chat; "" = where the customer is
}

// Talks are the conversations with customers; bridge/chat's Book.
type Talks interface {
	Subscribe(id tandem.ConversationID, deliver func(chat.Frame) bool) (*chat.Subscription, error)
}

// Options is what a Floor is made of. Voice, Faces, Panicked, Times, Sockets and Each may be left out.
type Options struct {
	Line  Line
	Door  Door
	Work  Work
	Talks Talks
	Board *board.Board
	// Alerts gives those that fire, as the API has them, if turn is not the one they have
	// now, and that. nil = there are no alerts.
	Alerts func(turn uint64) (firing json.RawMessage, now uint64)
	Phone  func(agent string) bool // one that rings is configured for them
	Reads  func(login.Caller) bool // may see the whole line
	// Supervises reports whether a caller may listen to others, and change the line.
	Supervises func(login.Caller) bool
	Calls      Calls
	Voice      Voice                                    // nil = browsers do not speak here
	Faces      Faces                                    // nil = there are no upgrades and checks
	Seat       func(agent string) (up bool, mic string) // their browser's microphone
	Panicked   func()                                   // counts a fault of ours, which ends its socket only
	Times      Times
	Sockets    int // at once; 5,000
	Each       int // of one user or key; 32
	Now        func() time.Time
	Log        *slog.Logger
}

// Times of sockets. Zero fields are the standard ones; tests take others.
type Times struct {
	Hello time.Duration // to a socket's first frame
	Write time.Duration // for one frame to leave
	Ping  time.Duration // between pings
	Pong  time.Duration // to the answer to one
	Guard time.Duration // between looks at who everybody is and who is there
	Board time.Duration // between tellings of the board
}

// Floor is where everybody is who has a socket. Its methods are safe from any goroutine.
type Floor struct {
	o       Options
	alive   *alive
	facts   *inbox
	heard   *heard
	faced   *faced
	unwatch []func()
	ctx     context.Context // of all that is done for sockets; ends with Close
	cancel  context.CancelFunc
	guarded context.Context // ends as Close begins
	stop    context.CancelFunc
	soon    chan struct{} // of one: the guard is to look at once
	pulse   time.Time     // when the board was last told; only the follower looks
	turn    uint64        // of the alerts that were told; likewise
	doubted time.Time     // when those were last looked for who never came; only the guard's goroutine looks

	mu      sync.Mutex
	sockets map[*socket]struct{}
	of      map[string]int   // sockets, by who they are
	feeds   map[string]*feed // by agent
	nobodys int              // sockets of who has not said yet who they are
	closed  bool
	running sync.WaitGroup // sockets, what works for them, the follower and the guard
}

// New makes a Floor and begins to follow the line.
func New(o Options) (*Floor, error) {
	if o.Line == nil || o.Door == nil || o.Work == nil || o.Talks == nil || o.Board == nil || o.Phone == nil || o.Reads == nil || o.Supervises == nil || o.Calls == nil || o.Seat == nil || o.Now == nil || o.Log == nil {
		return nil, errors.New("desk/live: Options need all but Voice, Faces, Panicked, Times, Sockets and Each")
	}
	for of, standard := range map[*time.Duration]time.Duration{&o.Times.Hello: 5 * time.Second, &o.Times.Write: 10 * time.Second, &o.Times.Ping: 10 * time.Second,
		&o.Times.Pong: 10 * time.Second, &o.Times.Guard: 3 * time.Second, &o.Times.Board: board.FiguresFor} {
		if *of <= 0 {
			*of = standard
		}
	}
	for of, standard := range map[*int]int{&o.Sockets: 5000, &o.Each: 32} {
		if *of <= 0 {
			*of = standard
		}
	}
	d := &Floor{o: o, alive: newAlive(), facts: newInbox(), heard: newHeard(), faced: newFaced(), soon: make(chan struct{}, 1), sockets: map[*socket]struct{}{}, of: map[string]int{}, feeds: map[string]*feed{}}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	d.guarded, d.stop = context.WithCancel(d.ctx)
	d.doubted = o.Now()
	d.unwatch = []func(){o.Line.Watch(func(f queue.Fact) { d.facts.put(f) }), o.Calls.WatchTalks(func(t phone.Talk) { d.facts.put(t) }),
		o.Calls.WatchInvites(func(i phone.Invite) { d.facts.put(i) })}
	o.Board.Read(o.Line)
	d.readTalks()
	if o.Faces != nil {
		d.unwatch = append(d.unwatch, o.Faces.WatchUpgrades(func(u view.Upgrade) { d.facts.put(u) }), o.Faces.WatchChecks(func(k view.Check) { d.facts.put(k) }))
	}
	d.readFaces()
	d.running.Go(d.follow)
	d.running.Go(d.guard)
	return d, nil
}

// Close closes every socket with 1012, so that its client comes back a little later, and
// lets in no more. It returns when all that was begun has ended; what has not by the end of
// ctx is cut off.
func (d *Floor) Close(ctx context.Context) error {
	d.mu.Lock()
	d.closed = true
	all := make([]*socket, 0, len(d.sockets))
	for s := range d.sockets {
		all = append(all, s)
	}
	d.mu.Unlock()
	for _, stop := range d.unwatch {
		stop()
	}
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
func (d *Floor) Sockets() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.sockets)
}

// Handler answers requests for the socket, which are let through by login's Greet.
func (d *Floor) Handler() http.Handler { return http.HandlerFunc(d.getSocket) }

// task is a task as agents see it.
func (d *Floor) task(t tandem.Task) view.Task { return view.Placed(t, d.o.Line) }

// agent is an agent as everybody sees them.
func (d *Floor) agent(a route.AgentState) view.Agent {
	return view.AgentOf(a, d.o.Line.Policy().Agents[a.Name], d.o.Phone(a.Name), d.o.Seat)
}
