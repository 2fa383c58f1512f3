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

	"tandem/media"
	"tandem/media/codec"
	"tandem/media/webrtc/description"
)

// PeerOptions is what a Peer is made of.
type PeerOptions struct {
	Name    string       // for the log
	From    netip.Addr   // where the page's socket comes from; the zero Addr if that is not known
	Send    func(Signal) // to the page; it must not wait
	Changed func(State)  // told in order from the peer's goroutine; it must not wait. May be nil
}

// Peer is one page's connection. Its methods may be called from any goroutine.
type Peer struct {
	server *Server
	o      PeerOptions
	stream *media.Stream
	ring   *ring
	turn   chan struct{} // holds one: signals are carried out one after the other
	wake   chan struct{} // the watch looks now
	over   chan struct{} // closed by Close
	ended  chan struct{} // closed once nothing of the peer runs
	once   sync.Once
	final  media.Stats

	link    atomic.Pointer[link]
	heard   atomic.Int64 // when a packet of the page came last, in ns of the monotonic clock; 0 = never
	offered atomic.Int64 // when the page offered last, likewise
	bad     atomic.Uint64
	types   atomic.Uint32 // payload types of the page, a byte each: Opus, telephone-event at 8 and at 48 kHz
	inTurn  sync.Mutex    // of those that deliver to the stream

	mu         sync.Mutex
	state      State
	since      time.Time
	at         time.Time // the same, by a clock that nobody sets
	mic        string
	bye        bool
	params     media.Params
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

// began is the zero of the clock of heard and offered.
var began = time.Now()

func clock() int64 { return int64(time.Since(began)) + 1 }

// Take carries out a signal of the page. ErrSignal wraps what a page has done wrong, with
// a sentence for its author: the peer goes on as it was.
func (p *Peer) Take(ctx context.Context, sig Signal) (err error) {
	if !p.may() {
		return ErrRate
	}
	if len(sig.SDP) > p.server.c.Limits.SDP {
		return wrong("its description is longer than %d bytes", p.server.c.Limits.SDP)
	}
	select {
	case p.turn <- struct{}{}:
	case <-p.over:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-p.turn }()
	defer func() {
		if v := recover(); v != nil {
			p.panicked(v)
			err = fmt.Errorf("webrtc: a fault of ours: %w", ErrClosed)
		}
	}()
	select {
	case <-p.over:
		return ErrClosed
	default:
	}
	switch sig.Kind {
	case KindOffer:
		return p.takeOffer(ctx, sig.SDP)
	case KindAnswer:
		return p.takeAnswer(sig.SDP)
	case KindMic:
		switch sig.Mic {
		case MicOK, MicMuted, MicUnplugged, MicDenied, MicSilent:
			p.mu.Lock()
			p.mic = sig.Mic
			p.mu.Unlock()
			return nil
		}
		return wrong("it says that its microphone is %.20q, which is no such word", sig.Mic)
	case KindBye:
		p.mu.Lock()
		p.bye = true
		p.mu.Unlock()
		p.poke()
		return nil
	}
	return wrong("%.20q is no kind of signal", sig.Kind)
}

func wrong(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrSignal}, args...)...)
}

// takeOffer answers an offer. One of another RTCPeerConnection takes the place of the
// link there is. Where offers cross, the page is polite and takes ours (the manner of the
// W3C's perfect negotiation): it may have been lost, so it is sent again.
func (p *Peer) takeOffer(ctx context.Context, sdp string) error {
	d, err := description.Parse(sdp)
	if err != nil {
		return wrong("%v", err)
	}
	if d.Setup != "actpass" && d.Setup != "passive" {
		return wrong("it must leave the part of the DTLS client to us (a=setup:actpass)")
	}
	l := p.link.Load()
	fresh := l == nil || l.key != d.Key()
	switch {
	case fresh:
		if l, err = p.newLink(d.Key()); err != nil {
			return err
		}
		defer func() {
			if p.link.Load() != l { // it could not be used
				l.close()
			}
		}()
	case l.dead.Load():
		p.o.Send(Signal{Kind: KindRestart, Why: "new"})
		return wrong("its connection has ended: it needs a new one")
	case l.pc.SignalingState() == pion.SignalingStateHaveLocalOffer:
		p.o.Send(Signal{Kind: KindOffer, SDP: l.pending})
		return nil
	}
	p.agree(d) // before a packet can come
	answer, err := l.answer(ctx, d)
	if err != nil {
		return err
	}
	p.offered.Store(clock())
	if fresh {
		p.mu.Lock()
		p.begun = time.Now()
		p.mu.Unlock()
		p.heard.Store(0)
		old := p.link.Swap(l)
		if old != nil {
			p.server.running.Go(old.close)
		}
	}
	p.o.Send(Signal{Kind: KindAnswer, SDP: answer})
	p.poke()
	return nil
}

// takeAnswer takes the answer to an offer of ours; one that nobody waits for is passed over.
func (p *Peer) takeAnswer(sdp string) error {
	l := p.link.Load()
	if l == nil || l.pc.SignalingState() != pion.SignalingStateHaveLocalOffer {
		return nil
	}
	d, err := description.Parse(sdp)
	if err != nil {
		return wrong("%v", err)
	}
	if d.Key() != l.key {
		return nil
	}
	if err := l.accept(d); err != nil {
		return err
	}
	p.agree(d)
	return nil
}

// agree gives the stream what an exchange has agreed on.
func (p *Peer) agree(d description.Description) {
	m := media.Params{
		Law:  d.Law(),
		Send: d.Direction == "sendrecv" || d.Direction == "recvonly",
		Recv: d.Direction == "sendrecv" || d.Direction == "sendonly",
	}
	m.Payload = m.Law.Payload()
	p.mu.Lock()
	defer p.mu.Unlock()
	opus, _ := d.PayloadOf("opus", 48000)
	event, _ := d.PayloadOf("telephone-event", codec.Rate)
	wide, _ := d.PayloadOf("telephone-event", 48000)
	if event == 0 {
		event = wide
	}
	p.types.Store(uint32(opus)<<16 | uint32(event)<<8 | uint32(wide))
	m.Event = event
	m.Tones = m.Event == 0
	p.candidates = d.Candidates
	if m != p.params {
		p.params = m
		p.stream.Set(m)
	}
}

// payloads are the page's payload types: of Opus, and of telephone-event at 8 and 48 kHz.
func (p *Peer) payloads() (opus, event, wide uint8) {
	t := p.types.Load()
	return uint8(t >> 16), uint8(t >> 8), uint8(t)
}

// Restart asks the page to connect anew by other ICE credentials (RFC 8445, section 9),
// or altogether if the connection has ended. why is a word for the page.
func (p *Peer) Restart(ctx context.Context, why string) error {
	select {
	case p.turn <- struct{}{}:
	case <-p.over:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-p.turn }()
	l := p.link.Load()
	if l == nil || l.dead.Load() || !l.secured.Load() {
		p.o.Send(Signal{Kind: KindRestart, Why: why})
		return nil
	}
	if l.pc.SignalingState() != pion.SignalingStateStable {
		p.o.Send(Signal{Kind: KindOffer, SDP: l.pending})
		return nil
	}
	offer, err := l.offer(ctx)
	if err != nil {
		return err
	}
	p.o.Send(Signal{Kind: KindOffer, SDP: offer, Why: why})
	return nil
}

// may counts a signal, and is false for one too many.
func (p *Peer) may() bool {
	rate := float64(p.server.c.Limits.Signals)
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.tokens = min(2*rate, p.tokens+rate*now.Sub(p.filled).Seconds())
	p.filled = now
	if p.tokens < 1 {
		return false
	}
	p.tokens--
	return true
}

// deliver hands a packet of the page to the stream, if it is of the present link.
func (p *Peer) deliver(l *link, b []byte) {
	p.inTurn.Lock()
	defer p.inTurn.Unlock()
	if p.link.Load() == l {
		p.stream.Deliver(b)
	}
}

// hear notes that a packet of the page has come.
func (p *Peer) hear() {
	now := clock()
	last := p.heard.Swap(now)
	if last == 0 || time.Duration(now-last) > cutAfter {
		p.poke()
	}
}

// report notes what the page says of our packets.
func (p *Peer) report(r rtcp.ReceptionReport, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lost = float64(r.FractionLost) / 256
	if r.LastSenderReport == 0 {
		return
	}
	// Middle 32 bits of NTP time: units of 1/65536 s (RFC 3550, section 4).
	const from1900 = 2208988800
	middle := uint32((uint64(now.Unix()+from1900)<<32 | uint64(now.Nanosecond())<<32/1e9) >> 16)
	if took := middle - r.LastSenderReport - r.Delay; took < 60<<16 {
		p.rtt = time.Duration(took) * time.Second / 65536
	}
}

// write sends what the stream says until the peer closes.
func (p *Peer) write() {
	defer p.contain()
	for {
		select {
		case s := <-p.ring.full:
			if l := p.link.Load(); l != nil && l.secured.Load() {
				if out := l.out.Load(); out != nil {
					_, event, _ := p.payloads()
					out.write(s.b[:s.n], event)
				}
			}
			p.ring.free <- s
		case <-p.over:
			return
		}
	}
}

// Stream is the peer's audio, open till Close.
func (p *Peer) Stream() *media.Stream { return p.stream }

// State is how it is connected.
func (p *Peer) State() State {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state
}

// Mic is how the page says that its microphone is; "" before it has said.
func (p *Peer) Mic() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mic
}

// Close ends the peer: the stream at once, the connection a moment later, and the page is
// told. Further calls return the same.
func (p *Peer) Close() media.Stats {
	p.once.Do(func() {
		p.final = p.stream.Close()
		close(p.over)
	})
	return p.final
}

// poke has the watch look at once.
func (p *Peer) poke() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// contain ends this peer only when the program is at fault.
func (p *Peer) contain() {
	if v := recover(); v != nil {
		p.panicked(v)
	}
}

func (p *Peer) panicked(v any) {
	if p.server.c.Panicked != nil {
		p.server.c.Panicked()
	}
	p.server.c.Log.Error("a browser's connection met a fault of ours", "peer", p.o.Name, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
	p.mu.Lock()
	p.bye = true
	p.mu.Unlock()
	p.poke()
}
