package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"tandem"
	"tandem/internal/config"
	"tandem/ivr"
	"tandem/ivr/flow"
	"tandem/ivr/voice"
	"tandem/media"
	"tandem/sip"
	"tandem/store"
)

// openTime bounds the first commit of a call: a caller who hears nothing for longer
// is better refused.
const openTime = 3 * time.Second

// call is one inbound call from ring to record.
type call struct {
	app         *App
	signal      incoming
	key         string   // names the call, so that it is opened once
	trusted     bool     // its caller's number is vouched for
	langs       []string // what the person at a page reads, best first
	entry       config.Entry
	library     *flow.Library // the version this call runs on, whatever is saved meanwhile
	log         *slog.Logger
	interaction tandem.Interaction
	leg         tandem.Leg
	stream      *media.Stream
	line        *voice.Channel
	recording   *recording  // of the whole call; nil = none
	recorded    atomic.Bool // it has begun
	outcome     string      // the flow's end reason
	runner      ivr.Runner
	inbox       chan flow.Input // what comes to the session from outside
	stay        stay            // what becomes of the session after the call
	talking     pairing         // with whom the caller speaks, if with anybody
}

// Call serves one inbound call, on the goroutine signalling gave it.
func (a *App) Call(ctx context.Context, c *sip.Call) tandem.Termination {
	entry, ok := config.Match(*a.entries.Load(), c.To.User)
	if !ok { // remapped since the route was asked for
		return tandem.Terminate(tandem.BySystem, tandem.ReasonNoEntry)
	}
	k := a.newCall(entry, tandem.Leg{Kind: tandem.LegSIP, From: c.From.User, To: c.To.User})
	k.signal, k.key, k.trusted = &sipIncoming{Call: c}, "invite:"+c.Key, c.TrustedCallerID
	k.recognise(ctx)
	return k.serveFrom(ctx)
}

// newCall makes a call that leads to an entry; from is the kind of its leg, and from where to
// where it goes.
func (a *App) newCall(entry config.Entry, from tandem.Leg) *call {
	now := a.now()
	k := &call{app: a, entry: entry, library: a.shelf.Current(), inbox: make(chan flow.Input, maxInbox)}
	k.interaction = tandem.Interaction{
		ID: tandem.NewID[tandem.InteractionID](now, a.random), Number: tandem.NewNumber(a.random),
		Entry: entry.Name, Flow: entry.Flow, State: tandem.Open, Started: now,
	}
	if f := k.library.Flows[entry.Flow]; f != nil {
		k.interaction.FlowHash = f.Hash
	}
	k.leg = from
	k.leg.ID, k.leg.Interaction, k.leg.Started = tandem.NewID[tandem.LegID](now, a.random), k.interaction.ID, now
	k.leg.Inbound, k.leg.Role = true, tandem.RoleCustomer
	k.named()
	return k
}

// serveFrom counts the call while it is served.
func (k *call) serveFrom(ctx context.Context) tandem.Termination {
	k.app.metrics.calls.Inc()
	defer k.app.metrics.calls.Dec()
	return k.run(ctx)
}

// run reads top to bottom: record, ring, answer, flow, and one close.
func (k *call) run(ctx context.Context) (t tandem.Termination) {
	ctx, cancel := context.WithTimeoutCause(ctx, k.app.cfg.Limits.MaxCallTime, errTooLong)
	defer cancel()
	if t, ok := k.open(ctx); !ok {
		return t
	}
	defer func() {
		if p := recover(); p != nil {
			k.app.panicked(k.log, "call", p)
			t = tandem.Terminate(tandem.BySystem, tandem.ReasonPanic)
		}
		t = k.close(ctx, t)
	}()
	var err error
	if k.stream, err = k.signal.Audio(k.app); err != nil {
		k.log.Warn("no media for a call", "error", err)
		return tandem.Terminate(tandem.BySystem, tandem.ReasonOverload)
	}
	if t, ok := k.answer(ctx); !ok {
		return t
	}
	result, err := k.serve(ctx)
	k.outcome, k.interaction.Lang = result.Reason, result.Lang
	if !result.GoesOn {
		k.app.live.drop(k.interaction.ID, k)
	}
	k.goesOn(ctx, result)
	switch {
	case err != nil:
		k.log.Error("a flow could not be run", "flow", k.entry.Flow, "error", err)
		return tandem.Terminate(tandem.BySystem, tandem.ReasonFlowError)
	case result.Moved != nil:
		return tandem.Terminate(tandem.ByFlow, tandem.ReasonMoved)
	case k.line.Broken():
		return tandem.Terminate(tandem.BySystem, tandem.ReasonPanic)
	case k.line.Lost():
		return tandem.Terminate(tandem.BySystem, tandem.ReasonMediaTimeout)
	case errors.Is(context.Cause(ctx), errTooLong):
		return tandem.Terminate(tandem.BySystem, tandem.ReasonMaxDuration)
	case result.Failed:
		return tandem.Terminate(tandem.ByFlow, tandem.ReasonFlowError)
	}
	return tandem.Terminate(tandem.ByFlow, tandem.ReasonCompleted)
}

var errTooLong = errors.New("the longest time a call may last is over")

// open writes the interaction before anything is answered.
func (k *call) open(ctx context.Context) (tandem.Termination, bool) {
	// Not the call's own context: a caller who gives up meanwhile has called all the same.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), openTime)
	defer cancel()
	var caller *tandem.Identity
	if k.leg.From != "" {
		phone := k.app.identity.Phone(k.leg.From) // the same number is the same customer, however it is written
		caller = &phone
	}
	in := &k.interaction
	for {
		opened, begun := tandem.Opened{Entry: in.Entry, Channel: tandem.Voice, From: k.leg.From, To: k.leg.To}, time.Now()
		err := k.app.store.Commit(ctx, &store.Change{
			Key: k.key, Interaction: in, Caller: caller, Legs: []tandem.Leg{k.leg},
			Events: []tandem.Event{
				k.event(tandem.EventOpened, opened),
				k.event(tandem.EventLegStarted, k.leg),
			},
		})
		switch {
		case err == nil:
			k.app.overload.committed(time.Since(begun))
			return tandem.Termination{}, true
		case errors.Is(err, store.ErrNumberTaken):
			in.Number = tandem.NewNumber(k.app.random)
		case errors.Is(err, store.ErrDuplicate):
			return tandem.Terminate(tandem.BySystem, tandem.ReasonBadRequest), false
		default:
			k.log.Warn("a call was refused: the store cannot keep its record", "error", err)
			return tandem.Terminate(tandem.BySystem, tandem.ReasonStoreDown), false
		}
	}
}

// event makes an event of this call at this moment.
func (k *call) event(kind tandem.EventKind, data any) tandem.Event {
	return tandem.NewEvent(k.interaction.ID, k.leg.ID, k.app.now(), kind, "system", data)
}

// answer rings as long as the entry says, then answers.
func (k *call) answer(ctx context.Context) (tandem.Termination, bool) {
	if k.entry.Ring > 0 {
		if err := k.signal.Ring(ctx); err == nil {
			select {
			case <-time.After(k.entry.Ring):
			case <-ctx.Done():
			}
		}
	}
	if err := k.signal.Answer(ctx); err != nil {
		if t := k.signal.Termination(); !t.IsZero() {
			return t, false
		}
		if errors.Is(err, sip.ErrNoMedia) {
			return tandem.Terminate(tandem.BySystem, tandem.ReasonNoMedia), false
		}
		k.log.Warn("a call could not be answered", "error", err)
		return tandem.Terminate(tandem.BySystem, tandem.ReasonTransport), false
	}
	k.leg.Answered = k.app.now()
	k.app.store.Settle(&store.Change{
		Legs: []tandem.Leg{k.leg}, Events: []tandem.Event{k.event(tandem.EventLegAnswered, nil)},
	})
	return tandem.Termination{}, true
}

// serve runs the flow on the answered call.
func (k *call) serve(ctx context.Context) (ivr.Result, error) {
	w := &world{call: k}
	k.line = voice.New(voice.Config{
		Stream: k.stream, Speech: k.app.speech, Events: k.signal.Events(), Now: k.app.now, Trace: w.Trace,
		Tape: k.tape, Spoken: k.spoken, Held: k.callerHeld, Relay: k.relay, Hushed: k.hushed, Filler: k.app.sounds.filler,
		Music: k.app.sounds.music, Beep: k.app.sounds.beep,
	})
	defer k.line.Close()
	k.runner = ivr.Runner{Library: k.library, Channel: k.line, World: w, Now: k.app.now, Stopped: k.stopped}
	facts := flow.Facts{
		Number: k.interaction.Number, Entry: k.entry.Name, Channel: tandem.Voice, Caller: k.leg.From,
		Customer: string(k.interaction.Customer), CallerLang: languageOf(k.leg.From), Browser: k.langs, Assurance: k.leg.Assurance,
	}
	if k.leg.Assurance >= tandem.Recognised {
		facts.Phone, _ = config.E164(k.leg.From, k.app.cfg.Identity.Country)
	}
	k.app.live.put(k.interaction.ID, k)
	result, err := k.runner.Run(ctx, k.entry.Flow, facts, nil)
	for err == nil && result.Go != "" {
		result, err = k.resume(ctx, result.Session, result.Go, result.Turn)
	}
	return result, err
}

// spoken begins the recording of a call once its announcement was heard whole.
func (k *call) spoken(p flow.Play, whole bool) {
	if whole && p.Announces == "recording" {
		k.record()
	}
}

// close ends the call in one fixed order: goodbye on the wire, media, ports,
// recording, metrics, journal.
func (k *call) close(ctx context.Context, t tandem.Termination) tandem.Termination {
	ctx = context.WithoutCancel(ctx)
	k.signal.Hangup(ctx, t)
	if first := k.signal.Termination(); !first.IsZero() {
		t = first
	}
	var figures media.Stats
	if k.stream != nil {
		figures = k.stream.Close() // its ports too
	}
	change := &store.Change{}
	if k.stay.deaf == nil {
		k.app.live.drop(k.interaction.ID, k)
	}
	if !k.stay.open { // else it may be what the session has begun elsewhere
		k.app.reach.Withdraw(k.interaction.ID)
	}
	if k.recording != nil {
		k.recording.keep(change)
	}
	if k.outcome == "" {
		k.outcome = string(t.Reason)
	}
	k.app.metrics.ended.WithLabelValues(string(t.Class), string(t.Reason)).Inc()
	now := k.app.now()
	k.leg.Ended, k.leg.Termination = now, t
	if f := k.stay.session.Facts; f.Assurance > k.leg.Assurance { // it has shown more meanwhile
		k.leg.Assurance, k.leg.AssuranceUntil = f.Assurance, f.AssuranceUntil
	}
	change.Legs = []tandem.Leg{k.leg}
	if k.stream != nil {
		change.Events = append(change.Events, k.event(tandem.EventMedia, mediaFigures(figures)))
	}
	change.Events = append(change.Events, k.event(tandem.EventLegEnded, t))
	if !k.stay.open {
		k.interaction.State, k.interaction.Ended, k.interaction.Outcome = tandem.Closed, now, k.outcome
		change.Interaction = &k.interaction
		k.endBeside(ctx, change, now, t)
		change.Events = append(change.Events, k.event(tandem.EventClosed, tandem.Closing{Outcome: k.outcome, Termination: t}))
		k.stay.park(change, now.Add(k.app.cfg.Identity.Return))
	}
	k.app.store.Settle(change)
	k.stay.settled(ctx, k)
	k.log.Info("call ended", "entry", k.entry.Name, "flow", k.entry.Flow, "outcome", k.outcome, "termination", t.String(),
		"seconds", fmt.Sprintf("%.1f", now.Sub(k.leg.Started).Seconds()))
	return t
}

// mediaFigures is what the journal keeps of a stream.
func mediaFigures(s media.Stats) tandem.MediaFigures {
	return tandem.MediaFigures{
		Sent: s.Sent, Received: s.Received, Lost: s.Lost, Late: s.Late, JitterMS: float64(s.Jitter) / 1e6,
		Strangers: s.Strangers, Digits: s.Digits, RemoteLost: s.RemoteLost, RoundTripMS: float64(s.RoundTrip) / 1e6,
		Passed: s.Passed, Transcoded: s.Transcoded, Mixed: s.Mixed, Opus: s.Opus,
	}
}
