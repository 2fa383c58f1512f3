package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tandem"
	"tandem/bridge/caps"
	"tandem/internal/config"
	"tandem/ivr/flow"
	"tandem/store"
)

// recover closes what a crash left open: every call gets its Termination, and a
// caller who was cut off after the answer a callback task at the place in line
// their call had. What goes on by text stays open, and only its call is closed.
func (a *App) recover(ctx context.Context) error {
	found, err := a.store.Unfinished(ctx)
	if err != nil {
		return fmt.Errorf("looking for calls cut off by a crash: %w", err)
	}
	cut := 0
	for _, u := range found {
		if !u.Call() && u.Outlives() {
			continue
		}
		cut++
		if err := a.closeCut(ctx, u); err != nil && !errors.Is(err, store.ErrDuplicate) {
			return fmt.Errorf("closing a call cut off by a crash: %w", err)
		}
	}
	if cut > 0 {
		a.log.Warn("calls cut off by a crash were closed", "calls", cut)
	}
	return a.recoverTracks(ctx)
}

// closeCut closes one interaction, with a callback in line for who was cut off.
func (a *App) closeCut(ctx context.Context, u store.Unfinished) error {
	change, task := a.crashed(u)
	if task == nil {
		return a.store.Commit(ctx, change)
	}
	_, err := a.openTask(ctx, *task, u.Interaction.Flow, change)
	return err
}

// crashed is the change that closes one interaction, or only its call if its session runs
// by text. Its key makes it happen once, however often the program crashes while it
// recovers. The session of a caller who was cut off is parked: they may come back to it.
// task is the callback to put into line with it; nil = none, or the line has made one of
// the place that the caller had.
func (a *App) crashed(u store.Unfinished) (c *store.Change, task *tandem.Task) {
	in := u.Interaction
	goesOn := u.Outlives() && !calls(u)
	t := tandem.Terminate(tandem.BySystem, tandem.ReasonCrash)
	c = &store.Change{Key: "crash:" + string(in.ID)}
	cutOff := ""
	for _, leg := range u.Legs {
		if goesOn && leg.Kind != tandem.LegSIP && leg.Kind != tandem.LegWebRTC {
			continue
		}
		leg.Ended, leg.Termination = u.Last, t
		c.Legs = append(c.Legs, leg)
		c.Events = append(c.Events, tandem.NewEvent(in.ID, leg.ID, a.now(), tandem.EventLegEnded, "system", t))
		c.Key += "/" + string(leg.ID)
		if leg.Inbound && leg.Role == tandem.RoleCustomer && !leg.Answered.IsZero() {
			cutOff = leg.From
		}
	}
	if goesOn {
		return c, nil
	}
	if cutOff != "" && len(a.line.Of(in.ID)) == 0 {
		task = &tandem.Task{
			ID: tandem.NewID[tandem.TaskID](a.now(), a.random), Interaction: in.ID, Kind: tandem.TaskCallback,
			Arrived: in.Started, Lang: in.Lang, Note: "the call was cut off by a crash of the server",
		}
		c.Outbox = a.notices(*task, in)
	}
	if u.Session != nil {
		c.Park = u.Last.Add(a.cfg.Identity.Return)
	}
	c.Interaction, c.EndSession = &in, u.Session == nil
	in.State, in.Ended, in.Outcome = tandem.Closed, u.Last, string(tandem.ReasonCrash)
	c.Events = append(c.Events, tandem.NewEvent(in.ID, "", a.now(), tandem.EventClosed, "system",
		tandem.Closing{Outcome: in.Outcome, Termination: t}))
	return c, task
}

// calls reports whether an interaction's session ran on its call.
func calls(u store.Unfinished) bool {
	if !u.Call() || u.Session == nil {
		return u.Call()
	}
	session, err := flow.Decode(u.Session)
	return err != nil || session.Facts.Channel == tandem.Voice
}

// dialledSince lists the calls out since a time, so that a restart does not reset
// the caps.
func (a *App) dialledSince(ctx context.Context, since time.Time) ([]caps.Use, error) {
	legs, err := a.store.Dialled(ctx, since)
	if err != nil {
		return nil, err
	}
	var past []caps.Use
	for _, l := range legs {
		if a.freeLeg(l) {
			continue
		}
		minutes := 0
		switch {
		case !l.Answered.IsZero() && !l.Ended.IsZero():
			minutes = int((l.Ended.Sub(l.Answered) + time.Minute - 1) / time.Minute)
		case l.Ended.IsZero():
			minutes = a.cfg.Outbound.MaxMinutes // not known: the worst
		}
		past = append(past, caps.Use{At: l.Started, Number: config.Number(l.To), Minutes: minutes})
	}
	return past, nil
}
