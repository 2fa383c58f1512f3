// Package queue runs the one line: it feeds bridge/route with what happens, makes what
// comes of it durable, and only then tells anybody. One goroutine owns the line (Run);
// everybody else speaks to it through the Router's methods, which return when what they
// asked is durable or refused. What waits for it is bounded.
//
// All that came of a batch of events is one transaction. If it cannot be written nothing
// of it has happened: the line is thrown away and read again from the store, as after a
// crash, so there is one way back and it is always in use.
package queue

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"tandem"
	"tandem/bridge/route"
	"tandem/store"
)

// Store is what the line is kept in.
type Store interface {
	// CommitAll writes all changes in one transaction, or none of them.
	CommitAll(ctx context.Context, changes ...*store.Change) error
	View(ctx context.Context, do func(tx store.Tx) error) error
}

// Options is what a Router is made of. Store, Policy, Now and Random are needed.
type Options struct {
	Store  Store
	Policy *route.Policy
	// Open reports whether a queue is open at a time; nil = always. It is asked each
	// minute and when the policy changes.
	Open func(queue string, at time.Time) bool
	// Cut says what becomes of a call's task that was live when the program ended: true
	// makes it a callback at its place, false ends it. nil = all become callbacks.
	Cut    func(ctx context.Context, t tandem.Task) bool
	Now    func() time.Time
	Random io.Reader // crypto/rand.Reader
	// Verify holds the line against its invariants after every batch, and the store
	// against the line: a test mode. What is broken is logged and counted by Broken.
	Verify   bool
	Broken   func(finding string)
	Panicked func(what string, p any)
	Log      *slog.Logger
}

// Fact is something that has happened to the line, durably.
type Fact struct {
	At     time.Time
	Output route.Output // any but route.Late
}

// Refused answers Open when a task is not let in.
type Refused struct{ Why string } // full, no_agents

func (r *Refused) Error() string { return "not let into line: " + r.Why }

// Bounds.
const (
	maxWaiting = 1024 // asks that wait for the router; more are refused
	maxBatch   = 256  // asks in one transaction
)

// Router is the running line. Its methods are safe for concurrent use.
type Router struct {
	o       Options
	core    *Core
	inbox   chan *asked
	stirred chan struct{} // something below is to be told to the core
	stopped chan struct{} // closed when Run has ended

	mu       sync.Mutex
	policy   *route.Policy // to be taken into use; nil = none
	measured map[reachable]bool
	drain    bool
	watchers []*watcher // replaced, never changed
}

type watcher struct{ do func(Fact) }

// New reads the line from the store. Calls that were in line have ended with the program
// before; offers that were out come back.
func New(ctx context.Context, o Options) (*Router, error) {
	if o.Store == nil || o.Policy == nil || o.Now == nil || o.Random == nil {
		return nil, errors.New("queue: Options need Store, Policy, Now and Random")
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	core, err := NewCore(ctx, CoreOptions{Keeper: inStore{o.Store}, Policy: o.Policy, Open: o.Open, Cut: o.Cut, Random: o.Random, Log: o.Log}, o.Now())
	if err != nil {
		return nil, err
	}
	return newRouter(o, core), nil
}

func newRouter(o Options, core *Core) *Router {
	return &Router{o: o, core: core, inbox: make(chan *asked, maxWaiting), stirred: make(chan struct{}, 1),
		stopped: make(chan struct{}), measured: map[reachable]bool{}}
}

// Open puts a task into line, in one transaction with c (which may be nil): its events
// and the task's own are of the task's interaction. ID, Due and Since are filled in; an ID
// that is given is kept. A task with a Key that its interaction has live already is not
// opened again: the one there is comes back, and c, which was written with it, is not
// written. The error may be *Refused: then c was not written.
func (r *Router) Open(ctx context.Context, t tandem.Task, c *store.Change) (tandem.Task, error) {
	a := r.ask(ctx, Ask{Event: route.Opened{Task: t}, Change: c})
	return a.Task, a.Err
}

// Change changes a task; see route.Changed. c may be nil.
func (r *Router) Change(ctx context.Context, e route.Changed, c *store.Change) (tandem.Task, error) {
	e.At = time.Time{}
	a := r.ask(ctx, Ask{Event: e, Change: c})
	return a.Task, a.Err
}

// End takes a task out of line. One that is done or unknown is no error.
func (r *Router) End(ctx context.Context, id tandem.TaskID, outcome string, c *store.Change) error {
	return r.ask(ctx, Ask{Event: route.Ended{Task: id, Outcome: outcome}, Change: c}).Err
}

// Accept takes an offer; one that is over answers with code conflict. To take again what
// one has by that fence is no error.
func (r *Router) Accept(ctx context.Context, id tandem.TaskID, agent string, fence uint64) (tandem.Task, error) {
	a := r.ask(ctx, Ask{Event: route.Accepted{Task: id, Agent: agent, Fence: fence}, Actor: agent})
	if a.Err == errDone { // it was theirs to take once
		a.Err = tandem.Errorf(tandem.CodeConflict, "this offer is over: the task is done")
	}
	return a.Task, a.Err
}

// Decline lets an offer pass; why is "declined", "unreachable", or "restart" if it is no fault
// of the agent: they may be offered it again at once.
func (r *Router) Decline(ctx context.Context, id tandem.TaskID, agent string, fence uint64, why string) error {
	return r.ask(ctx, Ask{Event: route.Declined{Task: id, Agent: agent, Fence: fence, Why: why}, Actor: agent}).Err
}

// Release says that an agent has a task no more; see route.Released. c may be nil.
func (r *Router) Release(ctx context.Context, e route.Released, c *store.Change) (tandem.Task, error) {
	e.At = time.Time{}
	a := r.ask(ctx, Ask{Event: e, Change: c, Actor: e.Agent})
	return a.Task, a.Err
}

// Take takes a task from whoever has it, by the word of a supervisor, whom the journal
// names. e.Agent and e.Fence may be left out: then it is whoever has it now.
func (r *Router) Take(ctx context.Context, who string, e route.Released) (tandem.Task, error) {
	if t, ok := r.Task(e.Task); ok && e.Fence == 0 {
		e.Agent, e.Fence = t.Agent, t.Fence
	}
	e.At = time.Time{}
	a := r.ask(ctx, Ask{Event: e, Actor: who})
	return a.Task, a.Err
}

// Reassign gives a task that an agent has to another who is there for it, with a fence of
// its own; see route.Reassigned. One that is not theirs by that fence, or that the other has
// no room for, answers with code conflict.
func (r *Router) Reassign(ctx context.Context, id tandem.TaskID, from string, fence uint64, to string) (tandem.Task, error) {
	a := r.ask(ctx, Ask{Event: route.Reassigned{Task: id, Agent: from, Fence: fence, To: to}, Actor: from})
	return a.Task, a.Err
}

// Wrap ends a wrap-up.
func (r *Router) Wrap(ctx context.Context, agent string, fence uint64, disposition string, late bool) error {
	actor := agent
	if late {
		actor = ""
	}
	return r.ask(ctx, Ask{Event: route.Wrapped{Agent: agent, Fence: fence, Disposition: disposition, Late: late}, Actor: actor}).Err
}

// Pull offers a waiting task to an agent past all others.
func (r *Router) Pull(ctx context.Context, id tandem.TaskID, agent string) (tandem.Task, error) {
	a := r.ask(ctx, Ask{Event: route.Pulled{Task: id, Agent: agent}, Actor: Supervisor})
	return a.Task, a.Err
}

// Supervisor is the actor, in the journal, of an offer that was made past all others.
const Supervisor = "supervisor"

// Present sets what an agent chose to be.
func (r *Router) Present(ctx context.Context, agent string, p tandem.Presence, reason string) (route.AgentState, error) {
	a := r.ask(ctx, Ask{Event: route.Present{Agent: agent, Presence: p, Reason: reason}, Actor: agent})
	return a.Agent, a.Err
}

// Reachable tells what was measured. It does not wait. What is told is kept when the line
// is read again.
func (r *Router) Reachable(agent string, l tandem.Load, on bool) {
	r.stir(func() { r.measured[reachable{agent, l}] = on })
}

// Consulted tells that an agent is asked in to a call of another's, or no more; see
// route.Consulted. It does not wait, and is kept as what Reachable tells.
func (r *Router) Consulted(agent string, on bool) {
	r.stir(func() { r.measured[reachable{agent: agent}] = on })
}

// Repolice takes another policy into use. It does not wait.
func (r *Router) Repolice(p *route.Policy) { r.stir(func() { r.policy = p }) }

// Drain stops offers: the server is stopping. It returns when nothing is offered any more
// by what was asked before.
func (r *Router) Drain(ctx context.Context) error {
	r.stir(func() { r.drain = true })
	return r.ask(ctx, Ask{Event: route.Tick{}}).Err
}

func (r *Router) stir(set func()) {
	r.mu.Lock()
	set()
	r.mu.Unlock()
	select {
	case r.stirred <- struct{}{}:
	default:
	}
}

// Watch has each fact told to do, in order, after it is durable, on the router's
// goroutine: do never blocks and calls no method of the Router that waits. stop ends it.
// What comes of an ask may be told before the method that asked has returned.
func (r *Router) Watch(do func(Fact)) (stop func()) {
	w := &watcher{do}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.watchers = append(slices.Clone(r.watchers), w)
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.watchers = slices.DeleteFunc(slices.Clone(r.watchers), func(x *watcher) bool { return x == w })
	}
}

// What is read is as of the last batch that is durable. It never waits for the store.

// Place is where a task waits; ok is false if it does not.
func (r *Router) Place(id tandem.TaskID) (p route.Place, ok bool) {
	return r.core.View().Place(id, r.o.Now())
}

// Task is a task that is not done.
func (r *Router) Task(id tandem.TaskID) (t tandem.Task, ok bool) { return r.core.View().Task(id) }

// Tasks are those of a queue that are not done, in the order of the line; "" = of all.
// limit 0 is no limit.
func (r *Router) Tasks(queue string, limit int) []tandem.Task {
	return r.core.View().Tasks(queue, limit)
}

// Of are an interaction's tasks that are not done, oldest first.
func (r *Router) Of(in tandem.InteractionID) []tandem.Task { return r.core.View().Of(in) }

// Agent is one agent, Agents all, by name.
func (r *Router) Agent(name string) (a route.AgentState, ok bool) { return r.core.View().Agent(name) }
func (r *Router) Agents() []route.AgentState                      { return r.core.View().Agents() }

// Why is why a waiting task waits; see route.Line.
func (r *Router) Why(id tandem.TaskID) (d tandem.Decision, ok bool) {
	return r.core.View().Why(id, r.o.Now())
}

// Policy is the one in use.
func (r *Router) Policy() *route.Policy { return r.core.View().Policy() }
