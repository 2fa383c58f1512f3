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
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"tandem"
	"tandem/bridge/chat"
	"tandem/bridge/queue"
	"tandem/bridge/route"
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

// Work is what agents do; web/desk has it. ctx is of the caller, who is an agent.
type Work interface {
	Accept(ctx context.Context, c login.Caller, id tandem.TaskID, fence uint64) (view.Task, error)
	Decline(ctx context.Context, c login.Caller, id tandem.TaskID, fence uint64, why string) error
	Release(ctx context.Context, c login.Caller, id tandem.TaskID, fence uint64, why string) (view.Task, error)
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

// Talks are the conversations with customers; bridge/chat's Book.
type Talks interface {
	Subscribe(id tandem.ConversationID, deliver func(chat.Frame) bool) (*chat.Subscription, error)
}

// Options is what a Floor is made of. Panicked, Times, Sockets and Each may be left out.
type Options struct {
	Line     Line
	Door     Door
	Work     Work
	Talks    Talks
	Board    *board.Board
	Phone    func(agent string) bool // one that rings is configured for them
	Reads    func(login.Caller) bool // may see the whole line
	Panicked func()                  // counts a fault of ours, which ends its socket only
	Times    Times
	Sockets  int // at once; 5,000
	Each     int // of one user or key; 32
	Now      func() time.Time
	Log      *slog.Logger
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
	unwatch func()
	ctx     context.Context // of all that is done for sockets; ends with Close
	cancel  context.CancelFunc
	guarded context.Context // ends as Close begins
	stop    context.CancelFunc
	soon    chan struct{} // of one: the guard is to look at once
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
	if o.Line == nil || o.Door == nil || o.Work == nil || o.Talks == nil || o.Board == nil || o.Phone == nil || o.Reads == nil || o.Now == nil || o.Log == nil {
		return nil, errors.New("desk/live: Options need Line, Door, Work, Talks, Board, Phone, Reads, Now and Log")
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
	d := &Floor{o: o, alive: newAlive(), facts: newInbox(), soon: make(chan struct{}, 1), sockets: map[*socket]struct{}{}, of: map[string]int{}, feeds: map[string]*feed{}}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	d.guarded, d.stop = context.WithCancel(d.ctx)
	d.doubted = o.Now()
	d.unwatch = o.Line.Watch(d.facts.put)
	o.Board.Read(o.Line)
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
	return view.AgentOf(a, d.o.Line.Policy().Agents[a.Name], d.o.Phone(a.Name))
}
