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
	// goneAfter is how long a page may be cut, or take to connect, before it is given up.
	goneAfter = time.Minute
)

// watch is the peer's goroutine: it alone changes the state. It ends with the peer.
func (p *Peer) watch() {
	defer close(p.ended)
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	var restarted time.Time
	for {
		select {
		case <-p.over:
			p.end()
			return
		case <-tick.C:
		case <-p.wake:
		}
		p.look(time.Now(), &restarted)
	}
}

// look brings the state up to date.
func (p *Peer) look(now time.Time, restarted *time.Time) {
	defer p.contain()
	state, at := p.state, p.at // nobody else writes them
	next := p.judge(now, state)
	if next != state {
		p.change(next, now)
		return
	}
	if state == StateCut && now.Sub(at) > restartAfter && now.Sub(*restarted) > restartEvery &&
		time.Duration(clock()-p.offered.Load()) > restartAfter {
		*restarted = now
		p.server.running.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), gatherTime)
			defer cancel()
			defer p.contain()
			if err := p.Restart(ctx, "cut"); err != nil {
				p.server.c.Log.Debug("a cut connection could not be offered anew", "peer", p.o.Name, "error", err)
			}
		})
	}
}

// judge is the table of a peer's states: what follows from what is there now.
func (p *Peer) judge(now time.Time, state State) State {
	p.mu.Lock()
	bye, at := p.bye, p.at
	p.mu.Unlock()
	l, last := p.link.Load(), p.heard.Load()
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
func (p *Peer) change(next State, now time.Time) {
	p.mu.Lock()
	before, took := p.state, now.Sub(p.at)
	p.state, p.since, p.at = next, p.server.c.Now(), now
	switch {
	case next == StateUp && before == StateCut:
		p.mended = took
	case next == StateUp:
		p.setup = now.Sub(p.begun)
	case next == StateCut:
		p.cuts++
	}
	setup := p.setup
	p.mu.Unlock()
	switch {
	case next == StateUp && before != StateCut:
		p.server.metrics.setup.Observe(setup.Seconds())
	case next == StateUp:
		p.server.metrics.cut.Observe(took.Seconds())
	}
	p.server.c.Log.Debug("a browser's connection changed", "peer", p.o.Name, "from", before, "to", next)
	if p.o.Changed != nil {
		p.o.Changed(next)
	}
}

// end tells the page and gives back what the peer has.
func (p *Peer) end() {
	defer p.contain()
	func() {
		defer p.contain()
		p.o.Send(Signal{Kind: KindBye})
	}()
	p.turn <- struct{}{} // what is being carried out has ended; nothing more begins
	if l := p.link.Load(); l != nil {
		l.close()
	}
	p.server.forget(p)
	if p.state != StateGone {
		p.change(StateGone, time.Now())
	}
}
