package ivr

import (
	"context"
	"errors"
	"time"

	"tandem"
	"tandem/ivr/flow"
)

const (
	// entryGap is the silence after a key that ends an entry. It is longer than that of a
	// flow's own steps: codes and numbers are read off another screen, or a piece of paper.
	entryGap = 5 * time.Second
	// maxEntry is how many keys one entry has at most: it is complete then. A PIN, a code
	// and a spoken number have 4 to 11.
	maxEntry = 32
)

// errGo ends a run whose talk has found the session that goes on in its place.
var errGo = errors.New("another session goes on")

// talk is a talk that the world holds with the customer.
type talk struct {
	turn flow.Turn
	keys string // entered so far: a secret, unless the turn says it is none
}

// talkOf begins a talk.
func (r *run) talkOf(ctx context.Context, s *flow.Session, e flow.Effect) {
	if r.left {
		r.fault(s.Wait.Serial, "the customer has left")
		return
	}
	r.turn(ctx, s, e, flow.Input{})
}

// turn hands the world what the customer entered and says what it answers.
func (r *run) turn(ctx context.Context, s *flow.Session, e flow.Effect, in flow.Input) {
	in.At, in.Serial = r.Now(), s.Wait.Serial
	t, err := r.World.Talk(ctx, *s, e, in)
	s.World, s.Wait.Secret = t.State, t.Wait.Secret && t.Go == ""
	now := *s
	r.begun = &now
	if err != nil {
		r.talk = nil
		if ctx.Err() != nil { // the customer left meanwhile, which is no fault: next tells
			return
		}
		r.fault(s.Wait.Serial, err.Error())
		return
	}
	for _, p := range t.Plays {
		p.Step = s.Wait.Step
		r.play(ctx, p)
	}
	if t.Done != nil && t.Go == "" {
		r.talk = nil
		r.instant = &flow.Input{Kind: flow.InputResult, Serial: s.Wait.Serial, Result: t.Done}
		return
	}
	r.Channel.Hush(t.Wait.Secret && t.Go == "")
	r.talk = &talk{turn: t}
}

// hear waits for what moves the talk on, until it is over or something else happens.
// Keys that came before the question was heard are none of its answers, and a # where
// nothing was entered ends the entry before, which was complete without it.
func (r *run) hear(ctx context.Context, s *flow.Session) (flow.Input, error) {
	for r.talk != nil {
		if r.talk.turn.Go != "" {
			return flow.Input{}, errGo
		}
		w := r.talk.turn.Wait
		if w.Kind != flow.WaitQueue {
			w.Kind = flow.WaitListen
		}
		w.Serial, w.Step, w.Under = s.Wait.Serial, s.Wait.Step, s.Wait.Under
		if r.talk.keys != "" {
			w.Timeout = entryGap
		}
		in, err := r.Channel.Next(ctx, w, r.answers, r.World.Inbox())
		if err != nil {
			return in, err
		}
		switch in.Kind {
		case flow.InputKey:
			if in.Early || in.Text == "#" && r.talk.keys == "" {
				continue
			}
			r.Channel.Cut()
			if !r.talk.enter(in.Text) {
				continue
			}
			in = flow.Input{Kind: flow.InputText, Text: r.talk.keys, Via: in.Via}
		case flow.InputTimeout:
			if r.talk.keys != "" {
				in = flow.Input{Kind: flow.InputText, Text: r.talk.keys}
			}
		case flow.InputText:
		case flow.InputPlace, flow.InputServed:
			if w.Kind != flow.WaitQueue {
				return in, nil
			}
			if in.Kind == flow.InputServed {
				_ = r.Channel.Yield(ctx, false) // who has left is told of by the next wait
			}
		default: // from outside: what the step waits for may have come by another way
			return in, nil
		}
		r.turn(ctx, s, nil, in)
	}
	in := *r.instant
	r.instant = nil
	return in, nil
}

// enter takes a key and reports whether the entry is complete.
func (t *talk) enter(key string) bool {
	if key == "#" {
		return true
	}
	t.keys += key
	return len(t.keys) == t.turn.Digits || len(t.keys) >= maxEntry
}

// play says a prompt; one that cannot be said is told to the journal.
func (r *run) play(ctx context.Context, p flow.Play) {
	if err := r.Channel.Play(ctx, p); err != nil {
		r.World.Trace(tandem.EventFlowError, tandem.FlowFault{Step: p.Step, Message: err.Error()})
	}
}
