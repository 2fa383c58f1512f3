package text

import (
	"context"
	"time"

	"tandem"
)

// Run goes on with what a stop or a crash has left and serves the timers, until ctx ends:
// then it ends what runs beside the turns, waits for it and returns nil. It runs once.
// Before it is called no timer is served.
func (d *Driver) Run(ctx context.Context) error {
	defer d.stop()
	sessions, err := d.o.Store.Sessions(ctx)
	if err != nil && ctx.Err() == nil {
		return err
	}
	firing := make(chan struct{}, maxFiring)
	d.spawn(func() {
		for _, s := range sessions {
			if ctx.Err() != nil {
				return
			}
			if !d.touches(s.Interaction) {
				d.fire(ctx, firing, job{interaction: s.Interaction, kind: jobRestore})
			}
		}
		d.mu.Lock()
		d.touched = nil
		d.mu.Unlock()
	})
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for ctx.Err() == nil {
		j, ok, at := d.timers.next(d.o.Now())
		if ok {
			d.fire(ctx, firing, j)
			continue
		}
		wait := time.Hour // the clock may be set
		if !at.IsZero() {
			wait = min(wait, at.Sub(d.o.Now()))
		}
		timer.Reset(wait)
		select {
		case <-timer.C:
		case <-d.timers.wake:
		case <-ctx.Done():
		}
	}
	return nil
}

// touches reports whether a turn of this process has gone on with a session already, so
// that it was not left by anybody.
func (d *Driver) touches(id tandem.InteractionID) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, ok := d.touched[id]
	return ok
}

// fire has a job done beside, as soon as few enough are.
func (d *Driver) fire(ctx context.Context, firing chan struct{}, j job) {
	select {
	case firing <- struct{}{}:
	case <-ctx.Done():
		return
	}
	begun := d.spawn(func() {
		defer func() { <-firing }()
		if err := d.perform(ctx, j); err != nil {
			d.lost(j, err)
		}
	})
	if !begun {
		<-firing
	}
}

// stop ends what runs beside the turns.
func (d *Driver) stop() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.cancel()
	d.beside.Wait()
}
