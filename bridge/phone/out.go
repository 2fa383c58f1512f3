package phone

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tandem"
	"tandem/bridge/caps"
	"tandem/bridge/leg"
	"tandem/media"
	"tandem/sip"
	"tandem/store"
)

// keepTime bounds a commit of the record of a call out.
const keepTime = 5 * time.Second

// errUsed says that this call out was promised before, by a process that may have made it.
var errUsed = errors.New("this call was begun before the server stopped")

// out is one call out with its record.
type out struct {
	s     *Switchboard
	leg   tandem.Leg
	way   Way
	free  bool          // the caps do not count it
	key   string        // of the promise
	ring  time.Duration // the longest it rings
	audio *leg.Audio
	call  Call
	hold  *caps.Hold
	limit time.Duration // the longest it may last; 0 = no bound of its own
}

// newOut makes a call out of an interaction.
func (s *Switchboard) newOut(t tandem.Task, role tandem.Role, to string, w Way) *out {
	return &out{s: s, way: w, leg: tandem.Leg{
		ID: tandem.NewID[tandem.LegID](s.o.Now(), s.o.Random), Interaction: t.Interaction, Kind: tandem.LegSIP,
		Role: role, From: w.Dial.From, To: to,
	}}
}

// event makes an event of the call.
func (o *out) event(kind tandem.EventKind, data any) tandem.Event {
	return tandem.NewEvent(o.leg.Interaction, o.leg.ID, o.s.o.Now(), kind, "system", data)
}

// dial promises the call, then makes it. The error is errUsed, a *caps.Refused, a
// *sip.DialError, or that of a store which cannot keep the promise. Whatever it is, close
// is due.
func (o *out) dial(ctx context.Context) error {
	s := o.s
	if !o.free {
		hold, err := s.o.Caps.Reserve(s.o.Now(), o.way.Number)
		if err != nil {
			return fmt.Errorf("not dialled: %w", err)
		}
		o.hold, o.limit = hold, hold.Limit
	}
	o.leg.Started = s.o.Now()
	kept, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
	defer cancel()
	err := s.o.Store.Commit(kept, &store.Change{Key: o.key, Legs: []tandem.Leg{o.leg}, Events: []tandem.Event{
		o.event(tandem.EventDialled, tandem.Dialled{To: o.leg.To, Trunk: o.way.Dial.Trunk}), o.event(tandem.EventLegStarted, o.leg),
	}})
	if err != nil {
		o.leg.Started = time.Time{} // there is no record to end
		if errors.Is(err, store.ErrDuplicate) {
			return errUsed
		}
		return fmt.Errorf("not dialled: %w", err)
	}
	d := o.way.Dial
	if o.audio, err = s.o.Audio(s.o.Dialer.Host(ctx, d)); err != nil {
		return &sip.DialError{Termination: tandem.Terminate(tandem.BySystem, tandem.ReasonOverload), Err: err}
	}
	d.Media, d.Ring = o.audio, o.ring
	if o.call, err = s.o.Dialer.Dial(ctx, d); err != nil {
		var failed *sip.DialError
		if !errors.As(err, &failed) {
			err = &sip.DialError{Termination: tandem.Terminate(tandem.BySystem, tandem.ReasonTransport), Err: err}
		}
		return err
	}
	o.leg.Answered = s.o.Now()
	s.o.Store.Settle(&store.Change{Legs: []tandem.Leg{o.leg}, Events: []tandem.Event{o.event(tandem.EventLegAnswered, nil)}})
	return nil
}

// close ends the call, if it is up, and its record. It may be called twice.
func (o *out) close(t tandem.Termination) {
	if o.call != nil {
		o.call.Hangup(context.Background(), t)
		if first := o.call.Termination(); !first.IsZero() {
			t = first
		}
	}
	var figures media.Stats
	if o.audio != nil {
		figures = o.audio.Stream.Close()
	}
	now := o.s.o.Now()
	if o.hold != nil {
		talked := time.Duration(0)
		if !o.leg.Answered.IsZero() {
			talked = now.Sub(o.leg.Answered)
		}
		o.hold.Settle(talked)
	}
	if o.leg.Started.IsZero() || !o.leg.Ended.IsZero() {
		return
	}
	o.leg.Ended, o.leg.Termination = now, t
	c := &store.Change{Legs: []tandem.Leg{o.leg}}
	if !o.leg.Answered.IsZero() {
		c.Events = append(c.Events, o.event(tandem.EventMedia, figuresOf(figures, media.Stats{})))
	}
	c.Events = append(c.Events, o.event(tandem.EventLegEnded, t))
	o.s.o.Store.Settle(c)
}

// figuresOf is what a leg's audio came to since before.
func figuresOf(now, before media.Stats) tandem.MediaFigures {
	return tandem.MediaFigures{
		Sent: now.Sent - before.Sent, Received: now.Received - before.Received, Lost: now.Lost - min(before.Lost, now.Lost), Late: now.Late - before.Late,
		JitterMS: float64(now.Jitter) / 1e6, Strangers: now.Strangers - before.Strangers, Digits: now.Digits - before.Digits,
		RemoteLost: now.RemoteLost - min(before.RemoteLost, now.RemoteLost), RoundTripMS: float64(now.RoundTrip) / 1e6,
		Passed: now.Passed - before.Passed, Transcoded: now.Transcoded - before.Transcoded, Mixed: now.Mixed - before.Mixed,
	}
}

// terminationOf is how a call out ended that never came up.
func terminationOf(err error) tandem.Termination {
	var failed *sip.DialError
	if errors.As(err, &failed) {
		return failed.Termination
	}
	return tandem.Terminate(tandem.BySystem, tandem.ReasonForbidden)
}
