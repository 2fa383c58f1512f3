package video

import (
	"sync"
	"time"

	"tandem/media/rtp"
)

const (
	lookEvery = 100 * time.Millisecond // at which layer is to be shown
	clockRate = 90                     // RTP ticks of video per millisecond
	longBreak = time.Hour              // no timestamp jumps further, however long nothing was shown
)

// SinkOptions say where a Sink's packets go.
type SinkOptions struct {
	// Write sends one packet: of the header Marker, Seq and Time are to be used; SSRC and
	// Payload are the connection's. The payload, which is empty for padding, and the header
	// are the sink's again when it returns. It is called by one goroutine at a time, in
	// sending order, and must not call the sink or its source. Its errors are counted.
	Write func(h *rtp.Header, payload []byte) error
	Now   func() time.Time // time.Now if nil
}

// Sink is one viewer's place: what it shows changes, its stream of packets goes on. Its
// methods may be called from any goroutine.
type Sink struct {
	o    SinkOptions
	lost func() bool // of taps: they miss a keyframe

	showing sync.Mutex // one Show at a time; it is taken before mu

	mu     sync.Mutex // held while a packet is written: they go in order whatever layer they come from
	source *Source
	shut   bool
	budget int // bits per second; -1 = without limit
	loss   float64
	choice Choice
	looked time.Time

	layer int    // that is shown; -1 = none
	epoch uint32 // of the layer
	from  int64  // the number of the keyframe it began with
	shift shift

	next next
	f    SinkFigures
	h    rtp.Header
	buf  [maxPacket + longest]byte
}

// shift is what is added to the numbers of the layer that is shown.
type shift struct {
	seq     int64
	time    uint32
	picture int64
	tl0     uint8
}

// next is how far the numbers that were sent have come.
type next struct {
	sent                bool // anything
	seq                 int64
	time                uint32
	at                  time.Time // when the packet of time came
	picture             int64
	tl0                 uint8
	numbered, temporals bool // picture, tl0 are known
}

// SinkFigures are what a sink sent.
type SinkFigures struct {
	Packets, Bytes uint64 // that were written
	Failed         uint64 // that Write refused
	Switches       uint64 // of source or layer
	Layer          int    // shown now, 0 the sharpest; -1 = none
	Waiting        bool   // for a keyframe, with nothing to show until it comes
}

// NewSink makes a sink that shows nothing.
func NewSink(o SinkOptions) *Sink {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Sink{o: o, budget: -1, layer: -1}
}

// Show has it show a source from its next keyframe on, or nothing with nil. When it returns
// no packet of the source before goes out any more.
func (k *Sink) Show(s *Source) {
	k.showing.Lock()
	defer k.showing.Unlock()
	k.mu.Lock()
	old := k.source
	if old == s || k.shut {
		k.mu.Unlock()
		return
	}
	k.source, k.layer, k.choice, k.looked = s, -1, Choice{Layer: -1}, time.Time{}
	if s != nil {
		k.look(s, k.o.Now())
	}
	layer := k.choice.Layer
	k.mu.Unlock()
	if old != nil {
		old.detach(k)
	}
	if s != nil {
		s.attach(k)
		s.want(layer)
	}
}

// look chooses the layer.
func (k *Sink) look(s *Source, now time.Time) {
	rates := s.rates(now)
	k.looked = now
	k.choice = k.choice.Next(Look{Rates: rates[:s.o.Layers], Budget: k.budget, Loss: k.loss, Now: now})
}

// packet takes one of a layer of the source; it reports whether a keyframe of that layer is
// wanted.
func (k *Sink) packet(s *Source, layer int, p *packet) (want bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.source != s {
		return false
	}
	if k.choice.Layer < 0 || p.at.Sub(k.looked) >= lookEvery {
		k.look(s, p.at)
	}
	if layer != k.layer || p.epoch != k.epoch {
		if layer == k.layer {
			k.layer = -1 // its numbers mean nothing any more
		}
		if layer != k.choice.Layer {
			return false
		}
		// A keyframe that came late is not begun with: what follows it is gone.
		if !p.key || !p.newest {
			return true
		}
		k.cut(layer, p)
	}
	if p.seq < k.from {
		return false
	}
	k.send(p)
	return k.lost != nil && k.lost()
}

// cut goes over to a layer at the packet that begins its keyframe: from it on the numbers
// follow those that were sent.
func (k *Sink) cut(layer int, p *packet) {
	k.layer, k.epoch, k.from = layer, p.epoch, p.seq
	k.f.Switches++
	if !k.next.sent {
		k.shift = shift{}
		return
	}
	passed := min(max(p.at.Sub(k.next.at), time.Millisecond), longBreak)
	k.shift.seq = k.next.seq + 1 - p.seq
	k.shift.time = k.next.time + uint32(passed.Milliseconds()*clockRate) - p.time
	k.shift.picture, k.shift.tl0 = 0, 0
	if k.next.numbered {
		k.shift.picture = k.next.picture + 1 - p.picture
	}
	if k.next.temporals {
		k.shift.tl0 = k.next.tl0 + 1 - p.d.tl0
	}
}

// send writes a packet with its numbers shifted.
func (k *Sink) send(p *packet) {
	seq, at := p.seq+k.shift.seq, p.time+k.shift.time
	first := !k.next.sent
	if first || seq > k.next.seq {
		k.next.seq = seq
	}
	if first || int32(at-k.next.time) > 0 {
		k.next.time, k.next.at = at, p.at
	}
	k.next.sent = true
	n := 0
	if !p.empty {
		picture, tl0 := p.picture+k.shift.picture, p.d.tl0+k.shift.tl0
		if p.d.hasPic && (!k.next.numbered || picture > k.next.picture) {
			k.next.picture, k.next.numbered = picture, true
		}
		if p.d.hasTL0 && (!k.next.temporals || int8(tl0-k.next.tl0) > 0) {
			k.next.tl0, k.next.temporals = tl0, true
		}
		n = p.d.put(k.buf[:], uint16(picture%pictures), tl0)
		n += copy(k.buf[n:], p.data)
	}
	k.h = rtp.Header{Marker: p.marker, Seq: uint16(seq), Time: at}
	if err := k.o.Write(&k.h, k.buf[:n]); err != nil {
		k.f.Failed++
		return
	}
	k.f.Packets++
	k.f.Bytes += uint64(rtp.HeaderSize + n)
}

// Budget tells how many bits per second may be spent on it, which chooses the layer. It is
// without limit until then.
func (k *Sink) Budget(bps int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.budget = max(0, bps)
}

// Loss tells what share of its packets the receiver reports as lost, from 0 to 1.
func (k *Sink) Loss(share float64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.loss = share
}

// Key tells that the receiver asked for a keyframe (PLI, FIR).
func (k *Sink) Key() {
	k.mu.Lock()
	s, layer := k.source, k.layer
	if layer < 0 {
		layer = k.choice.Layer
	}
	k.mu.Unlock()
	if s != nil {
		s.want(layer)
	}
}

// Figures are the present ones.
func (k *Sink) Figures() SinkFigures {
	k.mu.Lock()
	defer k.mu.Unlock()
	f := k.f
	f.Layer, f.Waiting = k.layer, k.source != nil && k.layer < 0
	return f
}

// Close has it show nothing for good. It may be called twice.
func (k *Sink) Close() {
	k.Show(nil)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.shut = true
}

// Shown is what one viewer is to see: ID is "<leg>:camera" or "<leg>:display".
type Shown struct {
	ID     string
	Source *Source
}
