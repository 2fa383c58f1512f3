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
	// end of the prompts, the wait's own end (Until), a finished recording, one of the
	// answers given, or what comes in from outside, where it may pass over what is for
	// another wait. When the customer leaves it returns ErrLeft, at each call from then on;
	// with the first it may return the result of a recording that was kept all the same.
	Next(ctx context.Context, w flow.Wait, answers, inbox <-chan flow.Input) (flow.Input, error)
	// Record takes a voicemail, or a recording for a variable, once the prompts have
	// ended; Next returns the answer.
	Record(r flow.Record)
	// Drain waits until every prompt has been said, or the customer left (ErrLeft).
	Drain(ctx context.Context) error
	// Yield makes room for somebody who is to talk with the customer: it stops the prompts
	// that keys may stop, with all every one but what tells that the call is recorded, and
	// what is recorded for the flow; it waits until those have been said that must be heard
	// whole.
	Yield(ctx context.Context, all bool) error
}

// ErrLeft says that the customer hung up or closed the page.
var ErrLeft = errors.New("the customer left")

// LeaveTime bounds what a flow may still do after the customer left: its on_leave
// steps have no ear to wait for, so seconds are plenty.
const LeaveTime = 15 * time.Second

// keepTime bounds what is made durable although the customer may leave meanwhile: a link
// that is half sent, or a promise half kept, would be taken for a fault of the step, and
// who comes back would not be where they were.
const keepTime = 5 * time.Second

func keeping(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), keepTime)
}

// Runner runs one session. All fields but Stopped are needed.
type Runner struct {
	Library *flow.Library
	Channel Channel
	World   World
	Now     func() time.Time
	// Stopped reports, once the customer is gone, that it was the program that ended the
	// call: they have not left.
	Stopped func() bool
}

// Result is how a run ended: with the session, or with a session that goes on elsewhere.
type Result struct {
	Reason string // the flow's end reason
	Lang   string // spoken at the end
	Left   bool   // the customer left before the flow was done
	Failed bool   // the flow could not go on

	// Session is the session at the wait during which the customer left, for parking, or
	// at the one where it goes on elsewhere; without Frames there is none.
	Session flow.Session
	// GoesOn: the customer left while a page of theirs is open. Session goes on with what
	// becomes of it, without an ear; on_leave has not run.
	GoesOn bool
	// Stopped: the program ended the call. on_leave has not run, and what the session waited
	// for was not withdrawn: the next start decides, as after a crash.
	Stopped bool
	// Moved: the customer goes on by another channel. Session is to be advanced there with
	// this input first.
	Moved *flow.Input
	// Go names the interaction whose session goes on in the place of this one, on this
	// channel, with what Turn says was proved; "" = none.
	Go   tandem.InteractionID
	Turn flow.Turn
}

// Run starts the named flow and drives it to its end. It returns an error only if
// the session could not be run at all; whatever a flow's author or a back end does
// wrong ends in the Result. A cancelled ctx counts as the customer leaving.
func (r *Runner) Run(ctx context.Context, name string, facts flow.Facts, inputs map[string]any) (Result, error) {
	s, effects, err := engine.Start(r.Library, name, facts, inputs, r.Now())
	if err != nil {
		return Result{}, fmt.Errorf("starting flow %s: %w", name, err)
	}
	return r.drive(ctx, s, effects)
}

// Resume goes on with a session that was stored, or that comes from another channel, and
// drives it as Run does. Its Facts say what the present leg has shown: see engine.Resume,
// whose errors come back.
func (r *Runner) Resume(ctx context.Context, s flow.Session) (Result, error) {
	s, effects, err := engine.Resume(r.Library, s, r.Now())
	if err != nil {
		return Result{}, fmt.Errorf("resuming a session: %w", err)
	}
	return r.drive(ctx, s, effects)
}

// GoOn goes on with a session whose run has ended with a Go that came to nothing: it is
// told the input, and driven as Run does.
func (r *Runner) GoOn(ctx context.Context, s flow.Session, in flow.Input) (Result, error) {
	s, effects, err := engine.Advance(r.Library, s, in)
	if err != nil {
		return Result{}, fmt.Errorf("going on with a session: %w", err)
	}
	return r.drive(ctx, s, effects)
}

// run is the state of one Run, Resume or GoOn.
type run struct {
	*Runner
	answers chan flow.Input // one outstanding exchange at a time
	pending context.CancelFunc
	busy    chan struct{} // closed when the outstanding exchange has ended
	instant *flow.Input   // an answer that is there already
	begun   *flow.Session // at the wait for what the world has begun; nil = nothing
	under   *flow.Session // what it had begun before an agent asked a step: that goes on behind it; nil = nothing
	talk    *talk         // the one at hand
	left    bool
	parked  flow.Session // at the wait during which the customer left
}

// drive carries effects out, waits for what happens and tells the engine, until the
// session ends or goes on elsewhere.
func (r *Runner) drive(ctx context.Context, s flow.Session, effects []flow.Effect) (result Result, err error) {
	run := run{Runner: r, answers: make(chan flow.Input, 1)}
	before := s
	defer func() {
		run.settle()
		if !result.GoesOn && !result.Stopped && result.Moved == nil && result.Go == "" {
			run.withdraw(ctx)
		}
	}()
	for {
		fin, err := run.perform(ctx, &s, effects)
		if fin != nil {
			return Result{Reason: fin.Reason, Lang: s.Lang, Failed: fin.Failed, Left: run.left, Session: run.parked}, nil
		}
		var in flow.Input
		if err != nil { // a promise could not be kept: back to where the flow had not counted on it
			run.instant = nil
			s, in = before, flow.Input{Kind: flow.InputFault, Text: err.Error()}
		} else {
			if s.Wait.Kind == flow.WaitNone {
				return Result{Reason: s.Ended, Lang: s.Lang, Left: run.left, Session: run.parked}, nil
			}
			r.World.Save(s)
			for in, err = run.next(ctx, &s); err == nil && late(s.Wait, in); {
				in, err = run.next(ctx, &s)
			}
			switch {
			case errors.Is(err, errGo):
				return Result{Lang: s.Lang, Session: s, Go: run.talk.turn.Go, Turn: run.talk.turn}, nil
			case errors.Is(err, ErrLeft) || err != nil && ctx.Err() != nil:
				if run.left { // on_leave is running and its time is up
					return Result{Reason: flow.ReasonLeft, Lang: s.Lang, Left: true, Session: run.parked}, nil
				}
				if s.Wait.Kind == flow.WaitLink && !s.Wait.Until.IsZero() && s.Asked == nil {
					return Result{Reason: flow.ReasonLeft, Lang: s.Lang, Left: true, Session: s, GoesOn: true}, nil
				}
				if r.Stopped != nil && r.Stopped() {
					return Result{Reason: string(tandem.ReasonShutdown), Lang: s.Lang, Left: true, Stopped: true, Session: s}, nil
				}
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(context.WithoutCancel(ctx), LeaveTime)
				defer cancel()
				run.leave(s)
				in = flow.Input{Kind: flow.InputLeft, Serial: in.Serial, Result: in.Result}
			case err != nil:
				return Result{}, fmt.Errorf("waiting in step %s: %w", s.Wait.Step, err)
			}
		}
		in.At = r.Now()
		if in.Kind == flow.InputServed && in.Serial == s.Wait.Serial && !run.left {
			r.yield(ctx, in) // who has left is told of by the next wait
		}
		if in.Kind == flow.InputTaken && !s.WithAgent() && !s.EntersSecret() && !run.left {
			_ = r.Channel.Yield(ctx, true)
		}
		if moves(s.Wait, in) {
			_ = r.Channel.Drain(ctx) // who has left goes on all the same
			return Result{Lang: s.Lang, Session: s, Moved: &in}, nil
		}
		before = s
		if s, effects, err = engine.Advance(r.Library, s, in); err != nil {
			return Result{}, fmt.Errorf("running flow %s: %w", r.flowOf(before), err)
		}
		if s.Taken != nil && before.Taken == nil {
			run.settle()
		}
		run.moved(ctx, s, in)
		if in.Kind == flow.InputPlace && in.Serial == s.Wait.Serial && s.Wait.Kind == flow.WaitQueue && !run.left {
			run.play(ctx, flow.Announce(s.Lang, s.Wait))
		}
	}
}

// yield makes room for an agent. One who had the customer before the flow spoke waits till
// it has.
func (r *Runner) yield(ctx context.Context, in flow.Input) {
	if in.Kept {
		_ = r.Channel.Drain(ctx)
		return
	}
	_ = r.Channel.Yield(ctx, false)
}

// flowOf names the flow a session is in.
func (r *Runner) flowOf(s flow.Session) string {
	if len(s.Frames) == 0 {
		return ""
	}
	return s.Frames[len(s.Frames)-1].Flow
}

// moves reports whether the customer has taken the way to another channel, from a handoff
// or out of a line in which they go on waiting there.
func moves(w flow.Wait, in flow.Input) bool {
	switch {
	case in.Serial != w.Serial:
		return false
	case w.Kind == flow.WaitQueue:
		return in.Kind == flow.InputMoved && (!w.Served || in.Kept)
	}
	return w.Kind == flow.WaitHandoff && in.Kind == flow.InputResult && in.Result != nil && in.Result.Outcome == "accepted"
}

// late reports a way to another channel that was taken as an agent had the customer already:
// they stay where they are.
func late(w flow.Wait, in flow.Input) bool {
	return w.Kind == flow.WaitQueue && w.Served && in.Kind == flow.InputMoved && !in.Kept
}

// moved looks whether the session has left the wait for what the world had begun: if it
// was not by the answer, nor by the end of the time for it, that is not wanted any more.
//
// The wait with an agent goes on behind a step that they ask, and again after it.
func (r *run) moved(ctx context.Context, s flow.Session, in flow.Input) {
	if r.begun != nil && s.Wait.Serial != r.begun.Wait.Serial {
		r.talk = nil
		switch {
		case s.Asked != nil && s.Asked.Wait.Serial == r.begun.Wait.Serial:
			r.under, r.begun = r.begun, nil
		case in.Serial == r.begun.Wait.Serial && (in.Kind == flow.InputResult || in.Kind == flow.InputTimeout || in.Kind == flow.InputBack):
			r.begun = nil
		}
		r.drop(ctx, &r.begun)
	}
	if r.under == nil || s.Asked != nil {
		return
	}
	switch r.under.Wait.Serial {
	case s.Wait.Serial:
		r.begun = r.under
		r.under = nil
	case in.Serial:
		r.under = nil
	}
	r.drop(ctx, &r.under)
}

// withdraw tells the world that what it has begun is not wanted any more.
func (r *run) withdraw(ctx context.Context) {
	r.drop(ctx, &r.begun)
	r.drop(ctx, &r.under)
}

// drop does so for one.
func (r *run) drop(ctx context.Context, of **flow.Session) {
	if *of != nil {
		r.World.Withdraw(context.WithoutCancel(ctx), **of)
		*of = nil
	}
}

// next waits for the channel; once the customer has left, only for what is outstanding.
func (r *run) next(ctx context.Context, s *flow.Session) (flow.Input, error) {
	switch {
	case r.instant != nil:
		in := *r.instant
		r.instant = nil
		return in, nil
	case r.talk != nil:
		return r.hear(ctx, s)
	case !r.left:
		return r.Channel.Next(ctx, s.Wait, r.answers, r.World.Inbox())
	}
	select {
	case in := <-r.answers:
		return in, nil
	case in := <-r.World.Inbox():
		return in, nil
	case <-ctx.Done():
		return flow.Input{}, ctx.Err()
	}
}

// leave ends what was asked for the customer's sake.
func (r *run) leave(s flow.Session) {
	r.left, r.talk, r.parked = true, nil, s
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

// perform carries effects out in order, of the session as it is after them. It returns
// the Finish that ended the session, after the prompts before it were played out, or the
// error of a promise that could not be kept; the effects after that one are not carried
// out.
func (r *run) perform(ctx context.Context, s *flow.Session, effects []flow.Effect) (*flow.Finish, error) {
	for _, e := range effects {
		switch e := e.(type) {
		case flow.Play:
			if !r.left {
				r.play(ctx, e)
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
		case flow.Send, flow.SendLink, flow.Move, flow.Book, flow.Enqueue, flow.OpenTicket:
			r.begin(ctx, *s, e)
		case flow.Identify, flow.Resume:
			r.talkOf(ctx, s, e)
		case flow.Survey:
			if asks(e, *s) {
				r.talkOf(ctx, s, e)
			} else {
				r.begin(ctx, *s, e)
			}
		case flow.Take:
			r.take(ctx, *s, e)
		case flow.Promise:
			if err := r.promise(ctx, e); err != nil {
				return nil, fmt.Errorf("keeping a promise: %w", err)
			}
		case flow.Trace:
			r.World.Trace(e.Kind, e.Data)
		case flow.Told:
			if !r.left {
				_ = r.Channel.Drain(ctx) // who has left is told of by the next wait
			}
			r.World.Told(context.WithoutCancel(ctx), e)
		case flow.Finish:
			if !r.left && r.Channel.Drain(ctx) != nil {
				r.left = true
			}
			return &e, nil
		}
	}
	return nil, nil
}

func (r *run) promise(ctx context.Context, e flow.Promise) error {
	ctx, cancel := keeping(ctx)
	defer cancel()
	return r.World.Promise(ctx, e.Kind, e.Data)
}

// begin hands the world what is answered later.
func (r *run) begin(ctx context.Context, s flow.Session, e flow.Effect) {
	kept, cancel := keeping(ctx)
	words, err := r.World.Begin(kept, s, e)
	cancel()
	if err != nil {
		r.fault(s.Wait.Serial, err.Error())
		return
	}
	r.begun = &s
	r.words(ctx, s, words)
}

// words says what the world has to say about what it has begun.
func (r *run) words(ctx context.Context, s flow.Session, words []flow.Play) {
	for _, p := range words {
		p.Step = s.Wait.Step
		if !r.left {
			r.play(ctx, p)
		}
	}
}

// take hands the world an offer that the customer has taken. It has no answer of its own:
// they go on waiting as they did, whatever becomes of it, so its fault is none of the step.
func (r *run) take(ctx context.Context, s flow.Session, e flow.Take) {
	kept, cancel := keeping(ctx)
	words, err := r.World.Begin(kept, s, e)
	cancel()
	if err != nil {
		r.World.Trace(tandem.EventFlowError, tandem.FlowFault{Step: e.Step, Message: err.Error()})
		return
	}
	r.words(ctx, s, words)
}

// asks reports whether a survey is asked here and now, as a talk.
func asks(e flow.Survey, s flow.Session) bool {
	return e.After == 0 && len(e.By) > 0 && e.By[0] == s.Facts.Channel
}

// fault answers an effect that could not be carried out, so that the flow goes to its
// on_error and nobody waits for ever.
func (r *run) fault(serial int, why string) {
	r.instant = &flow.Input{Kind: flow.InputFault, Serial: serial, Text: why}
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
