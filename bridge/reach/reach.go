// Package reach reaches the customer by another way than the leg at hand: it writes
// messages, sends links, asks them to go on by another channel, and books calls. It
// carries out the effects Send, SendLink, Move and Book of any flow, on calls and on
// conversations alike, and answers each by Options.Answer. For those who wait in line it
// opens the way to chat or texts that they have taken (Take).
//
// What is written goes into a conversation, the customer's chat or the texts between a
// number of ours and theirs, in one durable change with the letter that carries it. An
// effect that was begun before, under the same Key, is not begun again: what came of it
// is answered.
//
// A number that a stranger typed is not texted: only the number of the present leg or of
// the interaction's texts, and those that have answered a code.
//
// It starts no goroutine but timers, which Close stops.
package reach

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"tandem"
	"tandem/bridge/chat"
	"tandem/bridge/link"
	"tandem/bridge/sms"
	"tandem/ivr/flow"
	"tandem/store"
)

// visitor is who the caps on visitors count: a chat.
func visitor(w tandem.Who) tandem.ConversationID {
	if w.Channel == tandem.Chat {
		return w.Conversation
	}
	return ""
}

// Store is what is written to and read.
type Store interface {
	Commit(ctx context.Context, c *store.Change) error
	Update(ctx context.Context, do func(tx store.Tx) error) error
	Identities(ctx context.Context, customer tandem.CustomerID) ([]tandem.Binding, error)
	Interaction(ctx context.Context, ref string) (store.Story, error)
}

// Options is what a Reach is made of.
type Options struct {
	Store Store
	Book  *chat.Book
	Texts *sms.Desk // nil = there is no gateway
	Links *link.Desk
	// Answer hands an answer to the interaction's session, wherever it runs.
	Answer func(ctx context.Context, in tandem.InteractionID, input flow.Input)
	// Needs is the assurance that an operation's page asks for, in the version of the
	// flows that a session runs on.
	Needs func(ctx context.Context, s flow.Session, operation string) tandem.Assurance
	// Dial is the number to call for what an entry began; "" = none.
	Dial func(entry string) string
	// Typed is a number that a customer typed, in E.164: those without a country are of the
	// operator's. nil = they must name it.
	Typed func(number string) (e164 string, ok bool)
	// Callable reports whether a number, in E.164, may be called at all. nil = any may.
	Callable func(number string) bool
	// Tell makes the letters that tell the operator of a task; nil = nobody is told.
	Tell func(t tandem.Task, of tandem.Interaction) []store.Outgoing
	// Open puts a task into line, in one transaction with c, whose events are of the task's
	// interaction. tandem.CodeConflict says that it is not let in.
	Open func(ctx context.Context, t tandem.Task, c *store.Change) error
	// When is the time that a customer or a flow has named; ok is false for what names none.
	// nil = only RFC 3339.
	When func(at string) (t time.Time, ok bool)
	// Chat reports whether there is a chat to go on in.
	Chat   func() bool
	Now    func() time.Time
	Random io.Reader // crypto/rand.Reader
	Log    *slog.Logger
}

// Times that the customer has. A flow's own wait may be shorter.
const (
	sentTime  = 10 * time.Second // for a gateway to refuse a text; then it counts as sent
	moveVoice = 5 * time.Minute  // for a caller to go on elsewhere
	moveText  = 30 * time.Minute // for a chat
	moveTexts = 12 * time.Hour   // for who writes texts
	pressTime = 2 * time.Minute  // to press a link again that was pressed as the program stopped; as web/link lets them
)

// Reach carries effects out. It is safe for concurrent use.
type Reach struct {
	o Options

	mu     sync.Mutex
	sent   map[string]waiting // texts whose sending a flow waits for, by the letter's key
	moves  map[path]moving    // ways to other channels that lie open
	closed bool
}

// waiting is a flow that waits for a text to be taken.
type waiting struct {
	in     tandem.InteractionID
	serial int
	timer  *time.Timer
}

// moving is a way to another channel that lies open.
type moving struct {
	serial       int
	to           tandem.Channel
	conversation tandem.ConversationID // sms: where the customer answers
	asked        uint64                // sms: what they answer by comes after the message with this number
	line         bool                  // taken by somebody who waits in line: their session has no answer of it
	timer        *time.Timer
}

// New makes a Reach.
func New(o Options) *Reach {
	if o.Typed == nil {
		o.Typed = sms.Normal
	}
	return &Reach{o: o, sent: map[string]waiting{}, moves: map[path]moving{}}
}

// Close stops the timers: nothing is answered any more.
func (r *Reach) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	for _, w := range r.sent {
		w.timer.Stop()
	}
	for _, m := range r.moves {
		m.timer.Stop()
	}
}

// Begin carries out a Send, SendLink, Move or Book of the session, or a Take of chat or sms
// by one that waits in line, which has no answer. An answer may come before it returns.
// words are said to the customer at once, in the program's own words: a code that the page
// of a link asks for. An error is a fault of the step.
func (r *Reach) Begin(ctx context.Context, w tandem.Who, s flow.Session, e flow.Effect) (words []flow.Play, err error) {
	switch e := e.(type) {
	case flow.Send:
		return nil, r.send(ctx, w, e)
	case flow.SendLink:
		return r.link(ctx, w, s, e)
	case flow.Move:
		return r.move(ctx, w, s, e)
	case flow.Book:
		return nil, r.book(ctx, w, e)
	case flow.Take:
		return r.take(ctx, w, s, e)
	}
	return nil, fmt.Errorf("%T is not carried out here", e)
}

// Withdraw closes the ways to other channels that an interaction's session has opened.
func (r *Reach) Withdraw(in tandem.InteractionID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.shut(in, func(moving) bool { return true })
	for key, w := range r.sent {
		if w.in == in {
			w.timer.Stop()
			delete(r.sent, key)
		}
	}
}

// answer tells a session what came of an effect.
func (r *Reach) answer(ctx context.Context, in tandem.InteractionID, serial int, result flow.Result) {
	r.o.Answer(ctx, in, flow.Input{Kind: flow.InputResult, At: r.o.Now(), Serial: serial, Result: &result})
}

// await answers a flow once its text has been taken by the gateway, or was not refused
// within sentTime.
func (r *Reach) await(key string, in tandem.InteractionID, serial int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	timer := time.AfterFunc(sentTime, func() { r.told(key, "sent") })
	r.sent[key] = waiting{in: in, serial: serial, timer: timer}
}

// told ends the wait for a text.
func (r *Reach) told(key, outcome string) {
	r.mu.Lock()
	w, ok := r.sent[key]
	delete(r.sent, key)
	over := r.closed
	r.mu.Unlock()
	if !ok || over {
		return
	}
	w.timer.Stop()
	r.answer(context.Background(), w.in, w.serial, flow.Result{Outcome: outcome})
}

// Marked is told how far a text has come, by its letter's key.
func (r *Reach) Marked(key string, s tandem.MessageState) {
	switch s {
	case tandem.MessagePending:
	case tandem.MessageFailed:
		r.told(key, "undeliverable")
	default:
		r.told(key, "sent")
	}
}
