package ivr

import (
	"context"

	"tandem"
	"tandem/ivr/flow"
)

// World is what a session may ask of everything that is not the channel. Its methods
// are called by the goroutine that runs the session, but Fetch and Connect, which run
// beside it and must contain their own panics.
type World interface {
	// Fetch makes one HTTP exchange, retries included.
	Fetch(ctx context.Context, f flow.Fetch) flow.Fetched
	// Connect joins somebody to the customer and returns when they part, or when
	// nobody was reached.
	Connect(ctx context.Context, c flow.Connect) flow.Result
	// Begin begins what is answered later, by the Inbox: Send, SendLink, Move, Book, Enqueue,
	// OpenTicket, and a Survey that is not a talk. s is the session at the wait for it. What
	// was begun under the same Key before is not done twice but answered. words are said at
	// once, in the program's own words. An error is a fault of the step. A Take goes the same
	// way; it has no answer of its own, and an error of it is none of the step.
	Begin(ctx context.Context, s flow.Session, e flow.Effect) (words []flow.Play, err error)
	// Talk begins the talk of an Identify, a Resume, or a Survey that is asked at once on the
	// present channel; with e nil it goes on with what the customer entered (InputText), with
	// their silence (InputTimeout) or with what comes of a person whom they wait for, and s.World is the State of the turn before. An
	// error is a fault of the step.
	Talk(ctx context.Context, s flow.Session, e flow.Effect, in flow.Input) (flow.Turn, error)
	// Withdraw says that what s waits for, begun by Begin or Talk, is not wanted any more,
	// whatever that means for it: the rules stand at the effects. It never blocks.
	Withdraw(ctx context.Context, s flow.Session)
	// Told tells the agent who has the customer what came of the step they asked: they have
	// them back. It does not wait for them.
	Told(ctx context.Context, t flow.Told)
	// Inbox has the answers to what was begun, and whatever else comes from outside; it is
	// the same channel each time and may be nil. A late answer does no harm.
	Inbox() <-chan flow.Input
	// Promise is durable when it returns nil.
	Promise(ctx context.Context, kind tandem.EventKind, data any) error
	// Trace is a happening; it never blocks.
	Trace(kind tandem.EventKind, data any)
	// Save keeps the session at a wait; it never blocks.
	Save(s flow.Session)
}
