package webrtc

import (
	"context"
	"time"
)

const (
	// watchEvery is how often a peer is looked at, besides when something happens.
	watchEvery = 500 * time.Millisecond
	// cutAfter is how long a page may be silent, which sends a packet every 20 ms even
	// while its microphone is muted.
	cutAfter = 3 * time.Second
	// restartAfter is how long a page has to mend a cut by itself before we offer to.
	restartAfter = time.Second
	// restartEvery is the time between our offers.
	restartEvery = 8 * time.Second
	// goneAfter is how long a page may be cut, or take to connect, before it is given uc.
	goneAfter = time.Minute
)

// watch is the connection's goroutine: it alone changes the state. It ends with the connection.
func (c *conn) watch() {
	defer close(c.ended)
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var restarted time.Time
	for {
		select {
		case <-c.over:
			c.end()
			return
		case <-tick.C:
		case <-c.wake:
		}
		c.look(time.Now(), &restarted)
		func() {
			defer c.contain()
			c.side.watched(c.state)
		}()
	}
}

// look brings the state up to date.
func (c *conn) look(now time.Time, restarted *time.Time) {
	defer c.contain()
	state, at := c.state, c.at // nobody else writes them
	next := c.judge(now, state)
	if next != state {
		c.change(next, now)
		return
	}
	if state == StateCut && now.Sub(at) > restartAfter && now.Sub(*restarted) > restartEvery &&
		time.Duration(clock()-c.offered.Load()) > restartAfter {
		*restarted = now
		c.server.running.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), gatherTime)
			defer cancel()
			defer c.contain()
			if err := c.Restart(ctx, "cut"); err != nil {
				c.server.c.Log.Debug("a cut connection could not be offered anew", "peer", c.name, "error", err)
			}
		})
	}
}

// judge is the table of a peer's states: what follows from what is there now.
func (c *conn) judge(now time.Time, state State) State {
	c.mu.Lock()
	bye, at := c.bye, c.at
	c.mu.Unlock()
	l, last := c.link.Load(), c.heard.Load()
	heard := l != nil && !l.dead.Load() && last != 0 && time.Duration(clock()-last) <= cutAfter
	switch {
	case state == StateGone || bye:
		return StateGone
	case l == nil:
		return StateNew
	case heard:
		return StateUp
	case state == StateUp:
		return StateCut
	case state == StateCut || state == StateConnecting:
		if now.Sub(at) > goneAfter {
			return StateGone
		}
		return state
	}
	return StateConnecting
}

// change takes a new state and tells of it.
func (c *conn) change(next State, now time.Time) {
	c.mu.Lock()
	before, took := c.state, now.Sub(c.at)
	c.state, c.since, c.at = next, c.server.c.Now(), now
	switch {
	case next == StateUp && before == StateCut:
		c.mended = took
	case next == StateUp:
		c.setup = now.Sub(c.begun)
	case next == StateCut:
		c.cuts++
	}
	setup := c.setup
	c.mu.Unlock()
	switch {
	case next == StateUp && before != StateCut:
		c.counted.setup.Observe(setup.Seconds())
	case next == StateUp:
		c.counted.cut.Observe(took.Seconds())
	}
	c.server.c.Log.Debug("a browser's connection changed", "peer", c.name, "from", before, "to", next)
	if c.changed != nil {
		c.changed(next)
	}
}

// end tells the page and gives back what the connection has.
func (c *conn) end() {
	defer c.contain()
	func() {
		defer c.contain()
		c.send(Signal{Kind: KindBye})
	}()
	c.turn <- struct{}{} // what is being carried out has ended; nothing more begins
	if l := c.link.Load(); l != nil {
		l.close()
	}
	c.server.forget(c)
	if c.state != StateGone {
		c.change(StateGone, time.Now())
	}
}
