package webrtc

import (
	"context"
	"fmt"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/rtcp"
	pion "github.com/pion/webrtc/v4"

	"tandem/media/webrtc/description"
)

// conn is what a Peer and a Screen have in common: signals that are carried out one after
// the other, one link at a time, and a state that a watch keeps up to date.
type conn struct {
	server  *Server
	name    string // for the log
	from    netip.Addr
	send    func(Signal)
	changed func(State) // may be nil
	side    side
	counted *gauges       // of the server, for connections of its sort
	turn    chan struct{} // holds one: signals are carried out one after the other
	wake    chan struct{} // the watch looks now
	over    chan struct{} // closed by Close
	ended   chan struct{} // closed once nothing of the connection runs

	link    atomic.Pointer[link]
	heard   atomic.Int64 // when something of the page came last, in ns of the monotonic clock; 0 = never
	offered atomic.Int64 // when the page offered last, likewise
	bad     atomic.Uint64

	mu         sync.Mutex
	state      State
	since      time.Time
	at         time.Time // the same, by a clock that nobody sets
	bye        bool
	candidates map[netip.AddrPort]string // types of the page's
	begun      time.Time                 // the first offer of the present link came
	setup      time.Duration
	cuts       int
	mended     time.Duration
	rtt        time.Duration
	lost       float64 // of our packets, as the page says
	tokens     float64 // of signals
	filled     time.Time
}

// side is what a conn is for: the audio of a Peer, the pictures of a Screen. Its methods
// are called under the turn, unless they say otherwise.
type side interface {
	longest() int // description of a page, in bytes; called by anybody
	parse(sdp string) (offer, error)
	// codecs prepares a link for an offer, and furnish gives its tracks to the connection
	// once that is made.
	codecs(l *link, o offer) (parts, error)
	furnish(l *link) error
	// agree takes what an exchange has agreed on, before a packet can come.
	agree(o offer)
	// answered makes of our answer what the page is sent; then it may signal more.
	answered(l *link, sdp string) string
	settled(l *link)
	// take carries out a signal that is neither offer nor bye.
	take(ctx context.Context, sig Signal) error
	// track reads a track of the page. It is called by pion.
	track(l *link, t *pion.TrackRemote, r *pion.RTPReceiver)
	// report takes what the page says in RTCP of what it is sent. It is called by readers.
	report(l *link, p rtcp.Packet)
	// watched is called by the watch each time it has looked.
	watched(state State)
	// shut ends the connection. Anybody may call it.
	shut()
	// restart has the page connect anew, if we may offer ourselves.
	restart(ctx context.Context, why string) error
}

// offer is what was read of a page's description.
type offer interface {
	Common() *description.Head
	Write() string
}

// began is the zero of the clock of heard and offered.
var began = time.Now()

func clock() int64 { return int64(time.Since(began)) + 1 }

func (c *conn) open(s *Server, side side, counted *gauges) {
	now := time.Now()
	c.server, c.side, c.counted = s, side, counted
	c.turn, c.wake = make(chan struct{}, 1), make(chan struct{}, 1)
	c.over, c.ended = make(chan struct{}), make(chan struct{})
	c.state, c.since, c.at, c.filled, c.tokens = StateNew, s.c.Now(), now, now, 2*float64(s.c.Limits.Signals)
}

// Take carries out a signal of the page. ErrSignal wraps what a page has done wrong, with
// a sentence for its author: the connection goes on as it was.
func (c *conn) Take(ctx context.Context, sig Signal) (err error) {
	if !c.may() {
		return ErrRate
	}
	if most := c.side.longest(); len(sig.SDP) > most {
		return wrong("its description is longer than %d bytes", most)
	}
	if err := c.enter(ctx); err != nil {
		return err
	}
	defer c.leave()
	defer func() {
		if v := recover(); v != nil {
			c.panicked(v)
			err = fmt.Errorf("webrtc: a fault of ours: %w", ErrClosed)
		}
	}()
	switch sig.Kind {
	case KindOffer:
		return c.takeOffer(ctx, sig.SDP)
	case KindBye:
		c.mu.Lock()
		c.bye = true
		c.mu.Unlock()
		c.poke()
		return nil
	}
	return c.side.take(ctx, sig)
}

// enter waits for the turn.
func (c *conn) enter(ctx context.Context) error {
	select {
	case c.turn <- struct{}{}:
	case <-c.over:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-c.over:
		c.leave()
		return ErrClosed
	default:
		return nil
	}
}

func (c *conn) leave() { <-c.turn }

func wrong(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrSignal}, args...)...)
}

// takeOffer answers an offer. One of another RTCPeerConnection takes the place of the
// link there is. Where offers cross, the page is polite and takes ours (the manner of the
// W3C's perfect negotiation): it may have been lost, so it is sent again.
func (c *conn) takeOffer(ctx context.Context, sdp string) error {
	o, err := c.side.parse(sdp)
	if err != nil {
		return wrong("%v", err)
	}
	head := o.Common()
	if head.Setup != "actpass" && head.Setup != "passive" {
		return wrong("it must leave the part of the DTLS client to us (a=setup:actpass)")
	}
	l := c.link.Load()
	fresh := l == nil || l.key != head.Key()
	switch {
	case fresh:
		if l, err = c.newLink(o); err != nil {
			return err
		}
		defer func() {
			if c.link.Load() != l { // it could not be used
				l.close()
			}
		}()
	case l.dead.Load():
		c.send(Signal{Kind: KindRestart, Why: "new"})
		return wrong("its connection has ended: it needs a new one")
	case l.pc.SignalingState() == pion.SignalingStateHaveLocalOffer:
		c.send(Signal{Kind: KindOffer, SDP: l.pending})
		return nil
	}
	c.accept(o)
	answer, err := l.answer(ctx, o)
	if err != nil {
		return err
	}
	answer = c.side.answered(l, answer)
	c.offered.Store(clock())
	if fresh {
		c.mu.Lock()
		c.begun = time.Now()
		c.mu.Unlock()
		c.heard.Store(0)
		old := c.link.Swap(l)
		if old != nil {
			c.server.running.Go(old.close)
		}
	}
	c.send(Signal{Kind: KindAnswer, SDP: answer})
	c.side.settled(l)
	c.poke()
	return nil
}

// accept notes what an exchange has agreed on.
func (c *conn) accept(o offer) {
	c.mu.Lock()
	c.candidates = o.Common().Candidates
	c.mu.Unlock()
	c.side.agree(o)
}

// Restart asks the page to connect anew by other ICE credentials (RFC 8445, section 9),
// or altogether if the connection has ended. why is a word for the page.
func (c *conn) Restart(ctx context.Context, why string) error {
	if err := c.enter(ctx); err != nil {
		return err
	}
	defer c.leave()
	return c.side.restart(ctx, why)
}

// may counts a signal, and is false for one too many.
func (c *conn) may() bool {
	rate := float64(c.server.c.Limits.Signals)
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.tokens = min(2*rate, c.tokens+rate*now.Sub(c.filled).Seconds())
	c.filled = now
	if c.tokens < 1 {
		return false
	}
	c.tokens--
	return true
}

// hear notes that something of the page has come.
func (c *conn) hear() {
	now := clock()
	last := c.heard.Swap(now)
	if last == 0 || time.Duration(now-last) > cutAfter {
		c.poke()
	}
}

// reported notes what the page says of our packets, and returns the round trip as it was
// measured last.
func (c *conn) reported(r rtcp.ReceptionReport, now time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lost = float64(r.FractionLost) / 256
	if r.LastSenderReport == 0 {
		return c.rtt
	}
	// Middle 32 bits of NTP time: units of 1/65536 s (RFC 3550, section 4).
	const from1900 = 2208988800
	middle := uint32((uint64(now.Unix()+from1900)<<32 | uint64(now.Nanosecond())<<32/1e9) >> 16)
	if took := middle - r.LastSenderReport - r.Delay; took < 60<<16 {
		c.rtt = time.Duration(took) * time.Second / 65536
	}
	return c.rtt
}

// State is how it is connected.
func (c *conn) State() State {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

// poke has the watch look at once.
func (c *conn) poke() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// contain ends this connection only when the program is at fault.
func (c *conn) contain() {
	if v := recover(); v != nil {
		c.panicked(v)
	}
}

func (c *conn) panicked(v any) {
	if c.server.c.Panicked != nil {
		c.server.c.Panicked()
	}
	c.server.c.Log.Error("a browser's connection met a fault of ours", "peer", c.name, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
	c.mu.Lock()
	c.bye = true
	c.mu.Unlock()
	c.poke()
}
