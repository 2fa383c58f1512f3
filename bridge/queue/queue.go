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
	"io"
	"log/slog"
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

// Router is the running line. Its methods are safe for concurrent use.
type Router struct{}

// Refused answers Open when a task is not let in.
type Refused struct{ Why string } // full, no_agents

func (r *Refused) Error() string { return "not let into line: " + r.Why }

// New reads the line from the store. Calls that were in line have ended with the program
// before; offers that were out come back.
func New(ctx context.Context, o Options) (*Router, error) { panic("not yet") }

// Run is the router's goroutine, until ctx ends.
func (r *Router) Run(ctx context.Context) error { panic("not yet") }

// Open puts a task into line, in one transaction with c (which may be nil): its events
// and the task's own are of the task's interaction. ID, Due and Since are filled in. A
// task with a Key that its interaction has live already is not opened again: the one
// there is comes back. The error may be *Refused: then c was not written.
func (r *Router) Open(ctx context.Context, t tandem.Task, c *store.Change) (tandem.Task, error) {
	panic("not yet")
}

// Change changes a task; see route.Changed. c may be nil.
func (r *Router) Change(ctx context.Context, e route.Changed, c *store.Change) (tandem.Task, error) {
	panic("not yet")
}

// End takes a task out of line. One that is done or unknown is no error.
func (r *Router) End(ctx context.Context, id tandem.TaskID, outcome string, c *store.Change) error {
	panic("not yet")
}

// Accept takes an offer; one that is over answers with code conflict.
func (r *Router) Accept(ctx context.Context, id tandem.TaskID, agent string, fence uint64) (tandem.Task, error) {
	panic("not yet")
}

// Decline lets an offer pass; why is "declined" or "unreachable".
func (r *Router) Decline(ctx context.Context, id tandem.TaskID, agent string, fence uint64, why string) error {
	panic("not yet")
}

// Release says that an agent has a task no more; see route.Released. c may be nil.
func (r *Router) Release(ctx context.Context, e route.Released, c *store.Change) (tandem.Task, error) {
	panic("not yet")
}

// Wrap ends a wrap-up.
func (r *Router) Wrap(ctx context.Context, agent string, fence uint64, disposition string, late bool) error {
	panic("not yet")
}

// Pull offers a waiting task to an agent past all others.
func (r *Router) Pull(ctx context.Context, id tandem.TaskID, agent string) (tandem.Task, error) {
	panic("not yet")
}

// Present sets what an agent chose to be.
func (r *Router) Present(ctx context.Context, agent string, p tandem.Presence, reason string) (route.AgentState, error) {
	panic("not yet")
}

// Reachable tells what was measured. It does not wait.
func (r *Router) Reachable(agent string, l tandem.Load, on bool) { panic("not yet") }

// Repolice takes another policy into use. It does not wait.
func (r *Router) Repolice(p *route.Policy) { panic("not yet") }

// Drain stops offers: the server is stopping.
func (r *Router) Drain(ctx context.Context) error { panic("not yet") }

// Watch has each fact told to do, in order, after it is durable, on the router's
// goroutine: do never blocks and calls no method of the Router that waits. stop ends it.
func (r *Router) Watch(do func(Fact)) (stop func()) { panic("not yet") }

// What is read is as of the last batch that is durable. It never waits for the store.

func (r *Router) Place(id tandem.TaskID) (route.Place, bool)   { panic("not yet") }
func (r *Router) Task(id tandem.TaskID) (tandem.Task, bool)    { panic("not yet") }
func (r *Router) Tasks(queue string, limit int) []tandem.Task  { panic("not yet") }
func (r *Router) Of(in tandem.InteractionID) []tandem.Task     { panic("not yet") } // that are not done, oldest first
func (r *Router) Agent(name string) (route.AgentState, bool)   { panic("not yet") }
func (r *Router) Agents() []route.AgentState                   { panic("not yet") }
func (r *Router) Why(id tandem.TaskID) (tandem.Decision, bool) { panic("not yet") }
func (r *Router) Policy() *route.Policy                        { panic("not yet") }
