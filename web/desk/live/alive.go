package live

import (
	"context"
	"sync"
	"time"

	"tandem"
)

// aliveFor is how long an agent counts as there after they last showed that they are.
const aliveFor = 25 * time.Second

// lostAfter is how long after that customers wait for an agent who was writing to them.
const lostAfter = 2 * time.Minute

// alive is when each agent last showed that they are there: their socket answered a ping, or
// their program said so.
type alive struct {
	mu   sync.Mutex
	last map[string]time.Time
	gone map[string]time.Time // since when those are who were there and are not
}

func newAlive() *alive { return &alive{last: map[string]time.Time{}, gone: map[string]time.Time{}} }

// left notes that an agent is there no more. mu is held.
func (a *alive) left(name string, now time.Time) {
	delete(a.last, name)
	if _, known := a.gone[name]; !known {
		a.gone[name] = now
	}
}

// measured are the loads that the desk measures; phones are measured by who rings them.
func measured() []tandem.Load { return []tandem.Load{tandem.LoadChat, tandem.LoadSMS, tandem.LoadWork} }

// Seen notes that an agent is there, and tells the line if it thinks otherwise.
func (d *Floor) Seen(name string) {
	d.alive.mu.Lock()
	defer d.alive.mu.Unlock()
	d.alive.last[name] = d.o.Now()
	delete(d.alive.gone, name)
	d.reach(name, true)
}

// unseen ends an agent's being there: nobody vouches for them any more.
func (d *Floor) unseen(name string) {
	d.alive.mu.Lock()
	defer d.alive.mu.Unlock()
	_, known := d.alive.last[name]
	d.alive.left(name, d.o.Now())
	if known {
		d.reach(name, false)
	}
}

// reach tells the line what was measured, where it has it otherwise. alive.mu is held, so that
// what was measured later is told later; the line does not wait.
func (d *Floor) reach(name string, on bool) {
	a, ok := d.o.Line.Agent(name)
	if !ok {
		return
	}
	for _, l := range measured() {
		if a.Reachable[l] != on {
			d.o.Line.Reachable(name, l, on)
		}
	}
}

// doubt tells the line, some time after the start, of those who were there before it and have
// not shown themselves since: nothing is to wait for them.
func (d *Floor) doubt() {
	now := d.o.Now()
	if now.Sub(d.doubted) < aliveFor {
		return
	}
	d.doubted = now
	for _, a := range d.o.Line.Agents() {
		d.alive.mu.Lock()
		_, seen := d.alive.last[a.Name]
		if !seen && len(a.Holds) > 0 {
			d.alive.left(a.Name, now)
		}
		d.alive.mu.Unlock()
		if seen || a.Presence == tandem.PresenceOffline {
			continue
		}
		for _, l := range measured() {
			if _, told := a.Reachable[l]; !told {
				d.o.Line.Reachable(a.Name, l, false)
			}
		}
	}
}

// measure tells the line who is there and who has gone quiet.
func (d *Floor) measure() {
	d.alive.mu.Lock()
	defer d.alive.mu.Unlock()
	now := d.o.Now()
	for name, at := range d.alive.last {
		there := now.Sub(at) < aliveFor
		if !there {
			d.alive.left(name, now)
		}
		d.reach(name, there)
	}
}

// giveBack has those written to by others to whom an agent wrote who has been gone for long.
func (d *Floor) giveBack() {
	now := d.o.Now()
	lost := map[string]time.Time{}
	d.alive.mu.Lock()
	for name, since := range d.alive.gone {
		if now.Sub(since) >= lostAfter {
			lost[name] = since
		}
	}
	d.alive.mu.Unlock()
	for name, since := range lost {
		ctx, cancel := context.WithTimeout(d.ctx, doTime)
		err := d.o.Work.Lost(ctx, name)
		cancel()
		if err != nil { // it is tried again before long
			d.o.Log.Warn("the customers of an agent who is gone are not back in line", "agent", name, "error", err)
			continue
		}
		d.alive.mu.Lock()
		if d.alive.gone[name].Equal(since) {
			delete(d.alive.gone, name)
		}
		d.alive.mu.Unlock()
	}
}
