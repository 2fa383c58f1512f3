package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"tandem"
	"tandem/bridge/caps"
	"tandem/bridge/leg"
	"tandem/bridge/phone"
	"tandem/bridge/room"
	"tandem/internal/config"
	"tandem/ivr/flow"
	"tandem/media"
	"tandem/sip"
	"tandem/store"
)

// ringID names the ringback among a stream's items, beside prompts and hold music.
const ringID = 1<<31 + 1

// pairing is whom a call's signalling reaches.
type pairing struct {
	mu   sync.Mutex
	far  phone.Far // nil = the caller talks with nobody
	held bool
}

func (p *pairing) set(far phone.Far) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.far = far
	if far != nil && p.held {
		far.Held(true)
	}
}

// callerHeld is told when the caller's phone holds us or takes us back.
func (k *call) callerHeld(on bool) {
	p := &k.talking
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = on
	if p.far != nil {
		p.far.Held(on)
	}
}

// paired is a caller joined with one other by a flow.
type paired struct {
	call *call
	pair *room.Pair
	far  *media.Stream
}

func (p paired) Held(on bool) {
	if err := p.pair.Hold(p.call.stream, on); err != nil {
		p.call.log.Warn("holding failed", "error", err)
	}
}

func (p paired) Key(digit byte) {
	if err := p.far.SendKey(digit, relayedKey); err != nil {
		p.call.log.Debug("a key was not passed on")
	}
}

// relayedKey is how long a key passed on sounds: an INFO tells it only once it is over.
const relayedKey = 160

// relay passes a key that came by signalling to whom the caller talks with.
func (k *call) relay(digit byte) {
	p := &k.talking
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.far != nil {
		p.far.Key(digit)
	}
}

// Connect dials somebody, joins them to the caller, and returns when they part.
func (w *world) Connect(ctx context.Context, c flow.Connect) (out flow.Result) {
	k := w.call
	defer func() {
		if p := recover(); p != nil {
			k.app.panicked(k.log, "transfer", p)
			out = flow.Result{Outcome: "failed"}
		}
	}()
	dial := w.connect
	if _, _, ok := toLine(c.To); ok {
		dial = w.connectLine
	}
	outcome, err := dial(ctx, c)
	if err != nil {
		w.Trace(tandem.EventFlowError, tandem.FlowFault{Step: c.Step, Message: err.Error()})
		k.log.Warn("a transfer failed", "step", c.Step, "error", err)
	}
	return flow.Result{Outcome: outcome}
}

// outbound is one call out with its record.
type outbound struct {
	audio *leg.Audio
	dial  sip.Dial
}

func (w *world) connect(ctx context.Context, c flow.Connect) (string, error) {
	k := w.call
	a := k.app
	dial, err := a.destination(c.To, k.leg.From)
	if err != nil {
		return "failed", err
	}
	hold, err := a.caps.Reserve(a.now(), config.Number(c.To))
	if err != nil {
		var refused *caps.Refused
		if errors.As(err, &refused) {
			a.metrics.refusedOut.WithLabelValues(refused.Rule).Inc()
		}
		return "failed", fmt.Errorf("not dialled: %w", err)
	}
	talked := time.Duration(0)
	defer func() { hold.Settle(talked) }()

	leg := tandem.Leg{
		ID: tandem.NewID[tandem.LegID](a.now(), a.random), Interaction: k.interaction.ID, Kind: tandem.LegSIP,
		Role: tandem.RoleAgent, From: k.leg.To, To: c.To, Started: a.now(),
	}
	if err := a.store.Commit(ctx, &store.Change{Legs: []tandem.Leg{leg}, Events: []tandem.Event{
		k.event(tandem.EventDialled, tandem.Dialled{To: c.To, Trunk: dial.Trunk}), legEvent(k, leg, tandem.EventLegStarted, leg),
	}}); err != nil {
		return "failed", fmt.Errorf("not dialled: %w", err)
	}
	t := tandem.Terminate(tandem.BySystem, tandem.ReasonNoMedia)
	defer func() {
		leg.Ended, leg.Termination = a.now(), t
		a.store.Settle(&store.Change{Legs: []tandem.Leg{leg}, Events: []tandem.Event{legEvent(k, leg, tandem.EventLegEnded, t)}})
	}()
	o := &outbound{dial: dial}
	if o.audio, err = a.openAudio(a.sip.Host(ctx, dial)); err != nil {
		return "failed", err
	}
	defer o.audio.Stream.Close()
	o.dial.Media, o.dial.Ring = o.audio, c.Ring

	remote, err := w.ring(ctx, o, c.Mode)
	if err != nil {
		var failed *sip.DialError
		if errors.As(err, &failed) {
			t = failed.Termination
			return dialOutcome(t.Reason), nil
		}
		t = tandem.Terminate(tandem.BySystem, tandem.ReasonTransport)
		return "failed", err
	}
	leg.Answered = a.now()
	a.store.Settle(&store.Change{Legs: []tandem.Leg{leg}, Events: []tandem.Event{legEvent(k, leg, tandem.EventLegAnswered, nil)}})
	ctx, cancel := context.WithTimeoutCause(ctx, hold.Limit, errTooLong)
	defer cancel()
	t, err = w.talk(ctx, o.audio, remote)
	talked = a.now().Sub(leg.Answered)
	if err != nil {
		return "failed", err
	}
	return "ok", nil
}

// legEvent is an event of another leg of the call's interaction.
func legEvent(k *call, leg tandem.Leg, kind tandem.EventKind, data any) tandem.Event {
	e := k.event(kind, data)
	e.Leg = leg.ID
	return e
}

// ring dials while the caller hears ringing, or music if the transfer is attended.
func (w *world) ring(ctx context.Context, o *outbound, mode string) (*sip.Call, error) {
	defer w.sounds(mode)()
	return w.call.app.sip.Dial(ctx, o.dial)
}

// sounds has the caller hear ringing, or music if the transfer is attended, until stop.
func (w *world) sounds(mode string) (stop func()) {
	caller := w.call.stream
	sound := w.call.app.sounds.ringback
	if mode == "attended" {
		sound = w.call.app.sounds.music
	}
	_ = caller.Play(media.Item{ID: ringID, Clips: sound, Loop: true}) // who hears nothing waits all the same
	return func() { caller.Stop(ringID) }
}

// talk joins the two until one leaves, and says how the second leg ended.
func (w *world) talk(ctx context.Context, s *leg.Audio, remote *sip.Call) (tandem.Termination, error) {
	k := w.call
	pair, err := room.NewPair(k.stream, s.Stream, k.app.sounds.music)
	if err != nil {
		t := tandem.Terminate(tandem.BySystem, tandem.ReasonNoMedia)
		remote.Hangup(ctx, t)
		return t, err
	}
	k.talking.set(paired{k, pair, s.Stream})
	defer func() {
		k.talking.set(nil)
		pair.Part()
	}()
	t := w.listen(ctx, s, remote, pair)
	remote.Hangup(ctx, t)
	if first := remote.Termination(); !first.IsZero() {
		t = first
	}
	return t, nil
}

// listen waits for the end of a joined leg.
func (w *world) listen(ctx context.Context, s *leg.Audio, remote *sip.Call, pair *room.Pair) tandem.Termination {
	for {
		select {
		case <-ctx.Done(): // the caller left, or the call may last no longer
			if errors.Is(context.Cause(ctx), errTooLong) {
				return tandem.Terminate(tandem.BySystem, tandem.ReasonMaxDuration)
			}
			return tandem.Terminate(tandem.ByPeer, tandem.ReasonHangup)
		case e := <-remote.Events():
			switch e := e.(type) {
			case sip.Held:
				if err := pair.Hold(s.Stream, e.On); err != nil {
					w.call.log.Warn("holding failed", "error", err)
				}
				w.Trace(tandem.EventHold, tandem.Held{By: tandem.ByPeer, On: e.On})
			case sip.Ended:
				return e.Termination
			}
		case e, open := <-s.Stream.Events():
			if !open {
				return tandem.Terminate(tandem.BySystem, tandem.ReasonPanic)
			}
			if _, silent := e.(media.Silent); silent {
				return tandem.Terminate(tandem.BySystem, tandem.ReasonMediaTimeout)
			}
		}
	}
}

// dialOutcome is the verb's outcome of a call out that nobody answered.
func dialOutcome(r tandem.Reason) string {
	switch r {
	case tandem.ReasonBusy:
		return "busy"
	case tandem.ReasonNoAnswer:
		return "no_answer"
	}
	return "failed"
}

// destination says how to reach what a flow names, if the operator allows it. Whoever
// is reached directly sees the caller's number; by a trunk goes the trunk's.
func (a *App) destination(to, caller string) (sip.Dial, error) {
	if ok, why := a.cfg.Outbound.Allows(to); !ok {
		a.metrics.refusedOut.WithLabelValues("list").Inc()
		return sip.Dial{}, fmt.Errorf("not dialled: %s", why)
	}
	if strings.HasPrefix(to, "sip:") {
		return sip.Dial{To: to, From: showable(caller)}, nil
	}
	number, isNumber := strings.CutPrefix(to, "tel:")
	if !isNumber {
		return sip.Dial{}, errors.New("not dialled: it is neither a tel: nor a sip: address")
	}
	trunk, err := a.trunk()
	if err != nil {
		return sip.Dial{}, err
	}
	return sip.Dial{To: number, Trunk: trunk, From: a.shown(trunk)}, nil
}

// shown is the number that a call out by a trunk shows.
func (a *App) shown(trunk string) string {
	t := a.cfg.SIP.Trunks[trunk]
	if t.From != "" {
		return t.From
	}
	return t.User
}

// showable is a caller's number as it may be sent on: it came from outside. What
// could not stand in an address is not shown at all.
func showable(caller string) string {
	const most = 64
	const plain = "0123456789+*-_.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	if caller == "" || len(caller) > most || strings.Trim(caller, plain) != "" {
		return "anonymous"
	}
	return caller
}

// trunk is the one by which calls go out: the only one, or the first by name.
func (a *App) trunk() (string, error) {
	best := ""
	for name := range a.cfg.SIP.Trunks {
		if best == "" || name < best {
			best = name
		}
	}
	if best == "" {
		return "", errors.New("not dialled: no trunk is configured (sip.trunks)")
	}
	return best, nil
}
