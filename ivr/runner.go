// Package ivr drives a flow session over a channel: it carries the engine's effects
// out, waits for what happens, and hands that back to the engine. It owns no
// goroutine of its own but one per outstanding HTTP exchange or transfer, each of
// which it waits for; a call's own goroutine runs Run from top to bottom. It never
// decides what a caller hears: the engine does.
package ivr

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/engine"
)

// Channel is how the customer is spoken with. One goroutine uses it.
type Channel interface {
	// Play says a prompt once those before it have ended; it does not wait for that.
	// An error means that this prompt cannot be said; the channel is still usable.
	Play(ctx context.Context, p flow.Play) error
	// Cut stops the prompts that keys may stop, playing and waiting.
	Cut()
	// Hush begins or ends the entry of a secret.
	Hush(on bool)
	// Next waits for the next input: keys, text, the wait's timeout counted from the
	// end of the prompts, a finished recording, or one of the answers given. When the
	// customer leaves it returns ErrLeft, at each call from then on; with the first it may
	// return the result of a recording that was kept all the same.
	Next(ctx context.Context, w flow.Wait, answers <-chan flow.Input) (flow.Input, error)
	// Record takes a voicemail, or a recording for a variable, once the prompts have
	// ended; Next returns the answer.
	Record(r flow.Record)
	// Drain waits until every prompt has been said, or the customer left (ErrLeft).
	Drain(ctx context.Context) error
}

// ErrLeft says that the customer hung up or closed the page.
var ErrLeft = errors.New("the customer left")

// World is what a session may ask of everything that is not the channel.
type World interface {
	// Fetch makes one HTTP exchange, retries included. It runs beside the call, as
	// Connect does, and must contain its own panics.
	Fetch(ctx context.Context, f flow.Fetch) flow.Fetched
	// Connect joins somebody to the customer and returns when they part, or when
	// nobody was reached.
	Connect(ctx context.Context, c flow.Connect) flow.Result
	// Promise is durable when it returns nil.
	Promise(ctx context.Context, kind tandem.EventKind, data any) error
	// Trace is a happening; it never blocks.
	Trace(kind tandem.EventKind, data any)
	// Save keeps the session at a wait; it never blocks.
	Save(s flow.Session)
}

// LeaveTime bounds what a flow may still do after the customer left: its on_leave
// steps have no ear to wait for, so seconds are plenty.
const LeaveTime = 15 * time.Second

// Runner runs one session. All fields are needed.
type Runner struct {
	Library *flow.Library
	Channel Channel
	World   World
	Now     func() time.Time
}

// Result is how a session ended.
type Result struct {
	Reason string // the flow's end reason
	Lang   string // spoken at the end
	Left   bool   // the customer left before the flow was done
	Failed bool   // the flow could not go on
}

// Run starts the named flow and drives it to its end. It returns an error only if
// the session could not be run at all; whatever a flow's author or a back end does
// wrong ends in the Result. A cancelled ctx counts as the customer leaving.
func (r *Runner) Run(ctx context.Context, name string, facts flow.Facts, inputs map[string]any) (Result, error) {
	s, effects, err := engine.Start(r.Library, name, facts, inputs, r.Now())
	if err != nil {
		return Result{}, fmt.Errorf("starting flow %s: %w", name, err)
	}
	run := run{Runner: r, answers: make(chan flow.Input, 1)}
	defer run.stop()
	before := s
	for {
		fin, err := run.perform(ctx, effects)
		if fin != nil {
			return Result{Reason: fin.Reason, Lang: s.Lang, Failed: fin.Failed, Left: run.left}, nil
		}
		if err != nil { // a promise could not be kept: back to where the flow had not counted on it
			fault := flow.Input{Kind: flow.InputFault, At: r.Now(), Text: err.Error()}
			if s, effects, err = engine.Advance(r.Library, before, fault); err != nil {
				return Result{}, fmt.Errorf("running flow %s: %w", name, err)
			}
			before = s
			continue
		}
		if s.Wait.Kind == flow.WaitNone {
			return Result{Reason: s.Ended, Lang: s.Lang, Left: run.left}, nil
		}
		r.World.Save(s)
		var in flow.Input
		in, err = run.next(ctx, s.Wait)
		if errors.Is(err, ErrLeft) || err != nil && ctx.Err() != nil {
			if run.left { // on_leave is running and its time is up
				return Result{Reason: "left", Lang: s.Lang, Left: true}, nil
			}
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), LeaveTime)
			defer cancel()
			run.leave()
			in, err = flow.Input{Kind: flow.InputLeft, Serial: in.Serial, Result: in.Result}, nil
		}
		if err != nil {
			return Result{}, fmt.Errorf("waiting in step %s: %w", s.Wait.Step, err)
		}
		in.At = r.Now()
		before = s
		if s, effects, err = engine.Advance(r.Library, s, in); err != nil {
			return Result{}, fmt.Errorf("running flow %s: %w", name, err)
		}
	}
}

// run is the state of one Run.
type run struct {
	*Runner
	answers chan flow.Input // one outstanding exchange at a time
	pending context.CancelFunc
	busy    chan struct{} // closed when the outstanding exchange has ended
	left    bool
}

// next waits for the channel, or for the outstanding exchange only once the
// customer has left.
func (r *run) next(ctx context.Context, w flow.Wait) (flow.Input, error) {
	if !r.left {
		return r.Channel.Next(ctx, w, r.answers)
	}
	select {
	case in := <-r.answers:
		return in, nil
	case <-ctx.Done():
		return flow.Input{}, ctx.Err()
	}
}

// leave ends what was asked for the customer's sake.
func (r *run) leave() {
	r.left = true
	r.settle()
}

// settle cancels the outstanding exchange and waits until it has ended.
func (r *run) settle() {
	if r.pending == nil {
		return
	}
	r.pending()
	<-r.busy
	r.pending = nil
	select {
	case <-r.answers:
	default:
	}
}

func (r *run) stop() { r.settle() }

// ask runs one exchange beside the call. The engine has one outstanding at a time,
// so the answer always finds room.
func (r *run) ask(ctx context.Context, do func(context.Context) flow.Input) {
	r.settle()
	ctx, cancel := context.WithCancel(ctx)
	r.pending, r.busy = cancel, make(chan struct{})
	go func(busy chan<- struct{}) {
		defer close(busy)
		r.answers <- do(ctx)
	}(r.busy)
}

// perform carries effects out in order. It returns the Finish that ended the
// session, after the prompts before it were played out, or the error of a promise
// that could not be kept; the effects after that one are not carried out.
func (r *run) perform(ctx context.Context, effects []flow.Effect) (*flow.Finish, error) {
	for _, e := range effects {
		switch e := e.(type) {
		case flow.Play:
			if r.left {
				continue
			}
			if err := r.Channel.Play(ctx, e); err != nil {
				r.World.Trace(tandem.EventFlowError, tandem.FlowFault{Step: e.Step, Message: err.Error()})
			}
		case flow.Cut:
			r.Channel.Cut()
		case flow.Hush:
			r.Channel.Hush(e.On)
		case flow.Speak:
			// Play carries its language; nothing else depends on it here.
		case flow.Record:
			if !r.left {
				r.Channel.Record(e)
			}
		case flow.Fetch:
			r.ask(ctx, func(ctx context.Context) flow.Input {
				f := r.World.Fetch(ctx, e)
				return flow.Input{Kind: flow.InputFetched, Serial: e.Serial, Fetched: &f}
			})
		case flow.Connect:
			r.connect(ctx, e)
		case flow.Send:
			r.cannot(ctx, e.Serial, "message")
		case flow.SendLink:
			r.cannot(ctx, e.Serial, "link")
		case flow.Move:
			r.cannot(ctx, e.Serial, "handoff")
		case flow.Identify:
			r.cannot(ctx, e.Serial, "identify")
		case flow.Enqueue:
			r.cannot(ctx, e.Serial, "queue")
		case flow.Book:
			r.cannot(ctx, e.Serial, "callback")
		case flow.OpenTicket:
			r.cannot(ctx, e.Serial, "ticket")
		case flow.Survey:
			r.cannot(ctx, e.Serial, "survey")
		case flow.Promise:
			if err := r.World.Promise(ctx, e.Kind, e.Data); err != nil {
				return nil, fmt.Errorf("keeping a promise: %w", err)
			}
		case flow.Trace:
			r.World.Trace(e.Kind, e.Data)
		case flow.Finish:
			if !r.left && r.Channel.Drain(ctx) != nil {
				r.left = true
			}
			return &e, nil
		}
	}
	return nil, nil
}

// cannot answers an effect that nothing here carries out, so that the flow goes to its
// on_error and nobody waits for ever.
func (r *run) cannot(ctx context.Context, serial int, verb string) {
	r.ask(ctx, func(context.Context) flow.Input {
		return flow.Input{Kind: flow.InputFault, Serial: serial, Text: verb + " is not carried out here"}
	})
}

// connect lets the prompts end first: "I am putting you through" is heard whole.
func (r *run) connect(ctx context.Context, e flow.Connect) {
	if r.left {
		return
	}
	if err := r.Channel.Drain(ctx); err != nil {
		return // Next reports it
	}
	r.ask(ctx, func(ctx context.Context) flow.Input {
		t := r.World.Connect(ctx, e)
		return flow.Input{Kind: flow.InputResult, Serial: e.Serial, Result: &t}
	})
}
