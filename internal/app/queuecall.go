package app

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"tandem"
	"tandem/bridge/phone"
	"tandem/internal/config"
	"tandem/ivr/flow"
	"tandem/media"
)

// makePhones makes the switchboard of agents' phones. It needs signalling and the line.
func (a *App) makePhones() (err error) {
	a.tracks.app = a
	phones := map[string]string{}
	for name, agent := range a.cfg.Agents {
		phones[name] = agent.Phone
	}
	a.phones, err = phone.New(phone.Options{
		Router: a.line, Store: a.store, Dialer: phone.SIP(a.sip), Phones: phones, Caller: a.caller, Number: a.callbackNumber, Way: a.way,
		Caps: a.caps, Audio: a.openAudio, Engine: a.media, Now: a.now, Random: a.random, Shows: a.shownOf, Music: a.sounds.music, Ringback: a.sounds.ringback,
		Busy: a.sounds.busy, Counted: func(what string) { a.metrics.phones.WithLabelValues(what).Inc() }, Panicked: a.reporter("phone"), Log: a.log,
		Seat: a.seat, Supervises: a.supervises, Tracks: &a.tracks, Screen: a.screenOf,
	})
	return err
}

// caller finds the call that runs an interaction's session.
func (a *App) caller(in tandem.InteractionID) (phone.Caller, bool) {
	k := a.live.get(in)
	return k, k != nil
}

// way is how an address is called, if the operator allows it.
func (a *App) way(to string) (phone.Way, error) {
	d, err := a.destination(to, "")
	return phone.Way{Dial: d, Number: config.Number(to)}, err
}

// shownOf is what an agent's phone shows of a task: who calls, or is to be called, which
// queue it is, and the interaction's number.
func (a *App) shownOf(ctx context.Context, t tandem.Task) phone.Shown {
	s := phone.Shown{User: "anonymous", Name: t.Queue}
	if k := a.live.get(t.Interaction); k != nil && t.Kind == tandem.TaskCall {
		s.User, s.About = showable(k.leg.From), string(k.interaction.Number)
		return s
	}
	if to, ok, err := a.callbackNumber(ctx, t); err == nil && ok {
		s.User = showable(strings.TrimPrefix(to, "tel:"))
	}
	return s
}

// freeLeg reports a leg to an agent's own phone, which caps do not count.
func (a *App) freeLeg(l tandem.Leg) bool {
	if l.Role != tandem.RoleAgent || !strings.HasPrefix(l.To, "sip:") {
		return false
	}
	for _, agent := range a.cfg.Agents {
		if agent.Phone == l.To {
			return true
		}
	}
	return false
}

var _ phone.Caller = (*call)(nil)

// Stream is the call's audio.
func (k *call) Stream() *media.Stream { return k.stream }

// Left is closed once the call has ended.
func (k *call) Left() <-chan struct{} { return k.signal.Done() }

// Termination says how.
func (k *call) Termination() tandem.Termination { return k.signal.Termination() }

// stopped reports that the call ended because the server stops.
func (k *call) stopped() bool { return k.signal.Termination().Reason == tandem.ReasonShutdown }

// Joined tells whom the caller's signalling reaches.
func (k *call) Joined(far phone.Far) { k.talking.set(far) }

// Leg is what of the call's record never changes.
func (k *call) Leg() tandem.Leg {
	return tandem.Leg{ID: k.leg.ID, Interaction: k.leg.Interaction, Kind: k.leg.Kind, Inbound: k.leg.Inbound, Role: k.leg.Role, From: k.leg.From, To: k.leg.To}
}

// wordsID names what is said to a caller whose agent was cut off, beside ringID.
const wordsID = 1<<31 + 5

// Interrupted tells the caller that the agent's connection is broken, and has them hear music
// till it mends.
func (k *call) Interrupted(on bool) {
	k.stream.Stop(ringID, wordsID)
	if !on {
		return
	}
	k.stay.mu.Lock()
	lang := k.stay.session.Lang
	k.stay.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), findTime)
	defer cancel()
	said := flow.LinePlay(lang, flow.LineInterrupted)
	if clips, err := k.app.speech.Clips(ctx, said.Lang, said.Parts, ""); err != nil {
		k.log.Warn("a caller could not be told that the line to the agent is interrupted", "error", err)
	} else {
		_ = k.stream.Play(media.Item{ID: wordsID, Clips: clips}) // who hears nothing is kept all the same
	}
	_ = k.stream.Play(media.Item{ID: ringID, Clips: k.app.sounds.music, Loop: true})
}

// joined reports whether the caller of an interaction speaks with somebody.
func (a *App) joined(in tandem.InteractionID) bool {
	k := a.live.get(in)
	if k == nil {
		return false
	}
	k.talking.mu.Lock()
	defer k.talking.mu.Unlock()
	return k.talking.far != nil
}

// Served tells the session that an agent has the caller, and returns once it knows. Whoever
// is in line there is served; one who is elsewhere in the flow is taken out of that, but not
// before a secret they enter is over. A transfer has nothing to know: its sound ends.
func (k *call) Served(ctx context.Context, agent string) error {
	task, taken := k.app.takenBy(k.interaction.ID, agent)
	proves := k.app.provesWith(k.interaction.ID, agent)
	var s flow.Session
	here := func(now flow.Session) bool {
		s = now
		w := now.Line()
		return now.WithAgent() || w.Kind == flow.WaitQueue || w.Kind == flow.WaitTransfer && !taken || now.Wait.Kind == flow.WaitIdentify && proves || taken && len(now.Frames) > 0 && !now.EntersSecret()
	}
	if !k.stay.untilSession(ctx, here) {
		return cmp.Or(ctx.Err(), errTooLate)
	}
	w := s.Line()
	told := flow.Input{Kind: flow.InputServed, At: k.app.now(), Serial: w.Serial, Text: k.app.agentName(ctx, agent)}
	switch {
	case s.WithAgent(): // of another agent's, till now
		return nil
	case w.Kind == flow.WaitQueue, proves:
	case taken:
		if err := k.app.noteTaken(ctx, task, k.leg.ID, s); err != nil {
			return err
		}
		told.Kind, told.Serial, told.Key = flow.InputTaken, 0, task.Key
		k.app.reach.Withdraw(k.interaction.ID) // nobody goes elsewhere now
	default:
		k.stream.Stop(ringID)
		return nil
	}
	select {
	case k.inbox <- told:
	default:
		return fmt.Errorf("the call's inbox is full: %w", errTooLate)
	}
	knows := func(now flow.Session) bool {
		s = now
		return now.WithAgent() || proves && k.stay.checked || told.Serial != 0 && now.Line().Serial != told.Serial || told.Serial == 0 && now.EntersSecret()
	}
	switch known := k.stay.untilSession(ctx, knows); {
	case known && (s.WithAgent() || proves && k.stay.isChecked()):
		return nil
	case known && told.Serial == 0: // a secret was quicker
		return k.Served(ctx, agent)
	}
	return cmp.Or(ctx.Err(), errTooLate)
}

// hushed tells the switchboard that the entry of a secret begins, or is over.
func (k *call) hushed(on bool) { k.app.phones.Secret(k.interaction.ID, on) }
