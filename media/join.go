package media

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"tandem/media/codec"
	"tandem/media/dtmf"
	"tandem/media/rtp"
)

const (
	// relayGap is how long a joined far end may pause before the other side is
	// sent silence instead.
	relayGap = 200 * time.Millisecond
	// eventGap is how long after a key's last packet another's keys may pass.
	eventGap = 100 * time.Millisecond
	// relayDrift is how far the times of passed packets may move from our own
	// clock before they are mapped anew, in samples.
	relayDrift = codec.Rate / 2
)

// relay is what a stream keeps while it is sent the packets of its peer.
type relay struct {
	live   bool    // packets are passed; their times are mapped by offset
	of     *Stream // whose packets
	ssrc   uint32
	offset uint32
	last   time.Duration // when the last one was passed
	// the telephone-event under way
	event    bool
	eventIn  uint32 // its time as it came
	eventOut uint32 // and as it is sent
	eventOf  uint32 // its SSRC
	// and whose far end sends it; in a mix there may be several
	eventFrom *Stream
}

// event is a telephone-event of a far end, as its packets tell it apart.
type event struct {
	any        bool
	ssrc, time uint32
}

// covers reports whether a packet is of this event or of one before it.
func (e event) covers(h rtp.Header) bool {
	return e.any && h.SSRC == e.ssrc && int32(h.Time-e.time) <= 0
}

// Join lets the far ends of two streams hear each other: G.711 packets are passed
// as they are, or by table if the laws differ, under the stream's own SSRC,
// sequence and timestamps; so are telephone-events that begin from now on, unless the
// stream they come from is hushed. The playlists of both stand still until part is called, which
// may be done more than once.
//
// Both streams must be of one engine. If they live on different shards, b moves
// to a's; it keeps its slot, hence its rhythm.
func Join(a, b *Stream) (part func(), err error) {
	if a == b || a.engine != b.engine {
		return nil, errors.New("media: a join needs two streams of one engine")
	}
	e := a.engine
	e.topology.Lock()
	defer e.topology.Unlock()
	release := hold(cluster([]*Stream{a, b}))
	defer release()
	if a.closed || b.closed {
		return nil, ErrClosed
	}
	if err := gather(cluster([]*Stream{b}), a.shard); err != nil {
		return nil, fmt.Errorf("joining streams: %w", err)
	}
	callErr := a.shard.call(a, func() { err = a.join(b) })
	if err = errors.Join(callErr, err); err != nil {
		return nil, err
	}
	a.ties.peer, b.ties.peer = b, a
	a.retie()
	b.retie()
	var once sync.Once
	return func() { once.Do(func() { a.partFrom(b) }) }, nil
}

// join is Join on the shard.
func (s *Stream) join(p *Stream) error {
	switch {
	case s.failed || p.failed:
		return ErrClosed
	case s.peer != nil || p.peer != nil || s.party != nil || p.party != nil:
		return ErrJoined
	}
	for _, x := range []*Stream{s, p} {
		x.begun.ssrc, x.begun.time, x.begun.any = x.keysIn.Newest()
	}
	s.peer, p.peer = p, s
	s.tellPair()
	s.shard.joined += 2
	s.tune()
	p.tune()
	return nil
}

// partFrom ends a join unless something has ended it already.
func (s *Stream) partFrom(p *Stream) {
	s.engine.topology.Lock()
	defer s.engine.topology.Unlock()
	if s.ties.peer != p { // closed, or taken into a mix
		return
	}
	release := hold([]*Stream{s, p})
	defer release()
	_ = s.shard.call(s, func() { // the engine closes its streams before its shards
		if s.peer == p {
			s.part()
		}
	})
	s.ties.peer, p.ties.peer = nil, nil
	s.retie()
	p.retie()
}

// Pair is what a stream is joined with.
type Pair uint32

// The pairs that a stream can be in.
const (
	PairNone Pair = iota // it is not joined
	PairG711             // with one of whom it is sent G.711
	PairOpus             // with one on a wire, and both take originals
)

// Pair tells what the stream is joined with. It costs nothing.
func (s *Stream) Pair() Pair { return Pair(s.pair.Load()) }

// tellPair brings Pair up to date, of both.
func (s *Stream) tellPair() {
	p := s.peer
	switch {
	case p == nil:
		s.pair.Store(uint32(PairNone))
		return
	case s.wire != nil && p.wire != nil && s.params.Opus && p.params.Opus:
		s.pair.Store(uint32(PairOpus))
	default:
		s.pair.Store(uint32(PairG711))
	}
	p.pair.Store(s.pair.Load())
}

// part ends a join on the shard.
func (s *Stream) part() {
	p := s.peer
	if p == nil {
		return
	}
	s.peer, p.peer = nil, nil
	s.tellPair()
	p.tellPair()
	s.shard.joined -= 2
	s.tune()
	p.tune()
}

// passAudio sends a packet of s to d's far end. Late packets are dropped:
// the sequence it gets is that of sending.
func (s *Stream) passAudio(d *Stream, sh *shard, h rtp.Header, payload []byte, law codec.Law, now time.Duration) {
	if !d.sends() || d.keysOut.Busy() || len(payload) == 0 {
		return
	}
	ts, fresh := d.mapTime(s, h, now)
	if !fresh && int32(ts-d.lastTime) <= 0 {
		return
	}
	n := d.params.Law.Convert(sh.out[rtp.HeaderSize:], payload, law)
	d.relay.last = now
	original := sh.original
	if !d.params.Opus || fresh { // the first may repeat what was said before they were joined
		original = nil
	}
	switch {
	case len(original) > 0:
		d.stats.Opus++
	case law == d.params.Law:
		d.stats.Passed++
	default:
		d.stats.Transcoded++
	}
	d.sendAudio(sh, n, original, ts, fresh, now)
}

// mapTime turns the time of a packet of from into the stream's own, going on
// without a step from what it sent before; fresh tells that a new mapping began.
func (s *Stream) mapTime(from *Stream, h rtp.Header, now time.Duration) (ts uint32, fresh bool) {
	clock := s.base + uint32(now/(time.Second/codec.Rate))
	r := &s.relay
	if r.live && r.of == from && r.ssrc == h.SSRC {
		ts = h.Time + r.offset
		if drift := int32(ts - clock); drift < relayDrift && drift > -relayDrift {
			return ts, false
		}
	}
	ts = clock
	if s.stats.Sent > 0 && int32(ts-s.lastTime) < codec.FrameSamples {
		ts = s.lastTime + codec.FrameSamples
	}
	r.live, r.of, r.ssrc, r.offset, r.last = true, from, h.SSRC, ts-h.Time, now
	return ts, true
}

// passEvent sends a telephone-event packet of s to d's far end, with that side's
// payload type; nothing if it has none, or while a key of somebody else passes.
func (s *Stream) passEvent(d *Stream, sh *shard, h rtp.Header, e dtmf.Event, now time.Duration) {
	if !d.sends() || d.params.Event == 0 || d.keysOut.Busy() {
		return
	}
	r := &d.relay
	same := r.event && r.eventOf == h.SSRC && r.eventFrom == s
	if r.event && r.eventFrom != s && now-r.last < eventGap {
		return
	}
	first := !same || r.eventIn != h.Time
	if first {
		if same && int32(h.Time-r.eventIn) < 0 {
			return // a late packet of the event before
		}
		r.event, r.eventIn, r.eventOf, r.eventFrom = true, h.Time, h.SSRC, s
		if r.live && r.of == s && r.ssrc == h.SSRC {
			r.eventOut = h.Time + r.offset
		} else {
			r.eventOut = d.base + uint32(now/(time.Second/codec.Rate))
		}
	}
	r.last = now // the event stands for the audio: no silence in between
	r.live = r.live || first
	d.sendEvent(sh, e, r.eventOut, first)
}
