package video

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// ErrDark tells that no keyframe came in time: nothing is shown, or the page does not answer.
var ErrDark = errors.New("video: no picture came")

// MaxLayers is how many simulcast layers a source can have.
const MaxLayers = 3

// Frame is one whole VP8 frame (RFC 7741), put together from its packets.
type Frame struct {
	Key           bool
	Width, Height int       // in pixels, of the newest keyframe
	Time          uint32    // RTP, 90 kHz, on one axis whatever layer it came from
	At            time.Time // when its last packet came
	Data          []byte    // valid during the call only
}

// SourceOptions say what a Source is.
type SourceOptions struct {
	ID     string           // of what is shown, "<leg>:camera" or "<leg>:display"
	Layers int              // simulcast layers, 1 to MaxLayers; 0 is the sharpest
	Key    func(layer int)  // asks the page for a keyframe (PLI); called without a lock, at most every 500 ms a layer
	Now    func() time.Time // time.Now if nil
}

// Times of a source.
const (
	keyEvery  = 500 * time.Millisecond // between two keyframes that are asked of a layer: many viewers share one
	liveFor   = 2 * time.Second
	stillWait = 5 * time.Second // a page that answers does so within one
)

// Source is one camera or shared screen. Its methods may be called from any goroutine; the
// packets of one layer come from one at a time.
type Source struct {
	o      SourceOptions
	layers [MaxLayers]layer

	forbidden, broken, asks atomic.Uint64

	// gate is held for reading while a packet moves, for writing to change who gets it: so
	// Allow(false) returns when none moves any more.
	gate    sync.RWMutex
	allowed bool
	closed  bool
	sinks   []*Sink
	taps    []*tap
}

// Figures are what a source received.
type Figures struct {
	Allowed, Live bool
	Packets       uint64 // that were taken
	Bytes         uint64 // of them, whole packets
	Forbidden     uint64 // packets that came while it was not allowed
	Broken        uint64 // packets that are no RTP, or no VP8
	Doubles       uint64 // packets that came before, or far too late
	Lost          uint64 // packets that did not come, as far as known
	Keyframes     uint64
	KeyAsks       uint64 // keyframes asked for
	Layers        [MaxLayers]LayerFigures
}

// LayerFigures are what came of one layer.
type LayerFigures struct {
	Live          bool
	BitRate       int // bits per second, over the last second or so
	Width, Height int // in pixels, of its newest keyframe
	Frames        uint64
	Packets       uint64
}

// NewSource makes a source that is not allowed yet.
func NewSource(o SourceOptions) *Source {
	o.Layers = min(max(1, o.Layers), MaxLayers)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Key == nil {
		o.Key = func(int) {}
	}
	return &Source{o: o}
}

// ID is the one of its options.
func (s *Source) ID() string { return s.o.ID }

// Packet takes one RTP packet of a layer; b is the caller's again afterwards. It allocates
// nothing.
func (s *Source) Packet(layer int, b []byte) {
	if layer < 0 || layer >= s.o.Layers {
		s.broken.Add(1)
		return
	}
	now := s.o.Now()
	s.gate.RLock()
	if !s.allowed {
		s.gate.RUnlock()
		s.forbidden.Add(1)
		return
	}
	l := &s.layers[layer]
	if p, ok := l.note(b, now); ok {
		if p.key {
			l.wanted.Store(false)
		}
		for _, k := range s.sinks {
			if k.packet(s, layer, &p) {
				l.wanted.Store(true)
			}
		}
	}
	s.gate.RUnlock()
	s.ask(now)
}

// want notes that a keyframe of a layer is wanted, and asks for it if it may.
func (s *Source) want(layer int) {
	if layer < 0 || !s.Allowed() {
		return
	}
	s.layers[layer].wanted.Store(true)
	s.ask(s.o.Now())
}

// ask asks the page for the keyframes that are wanted, unless it did a moment ago: then the
// packets that come see to it later.
func (s *Source) ask(now time.Time) {
	for i := range s.layers[:s.o.Layers] {
		l := &s.layers[i]
		if !l.wanted.Load() {
			continue
		}
		before := l.asked.Load()
		if before != 0 && now.UnixNano()-before < int64(keyEvery) || !l.asked.CompareAndSwap(before, now.UnixNano()) {
			continue
		}
		s.asks.Add(1)
		s.o.Key(i)
	}
}

// Allow says whether packets may go on. Before Allow(true) every one is dropped and counted;
// when Allow(false) returns, none moves any more.
func (s *Source) Allow(on bool) {
	s.gate.Lock()
	defer s.gate.Unlock()
	if on == s.allowed || s.closed {
		return
	}
	s.allowed = on
	for i := range s.layers {
		s.layers[i].restart()
	}
}

// Allowed reports what Allow said last; a source that is closed is not.
func (s *Source) Allowed() bool {
	s.gate.RLock()
	defer s.gate.RUnlock()
	return s.allowed
}

// attach has a sink get its packets, detach no more.
func (s *Source) attach(k *Sink) {
	s.gate.Lock()
	defer s.gate.Unlock()
	if !s.closed {
		s.sinks = append(s.sinks, k)
	}
}

func (s *Source) detach(k *Sink) {
	s.gate.Lock()
	defer s.gate.Unlock()
	if i := slices.Index(s.sinks, k); i >= 0 {
		s.sinks = slices.Delete(s.sinks, i, i+1)
	}
}

// rates are the bits per second of its layers, 0 = nothing comes.
func (s *Source) rates(now time.Time) (rates [MaxLayers]int) {
	for i := range s.o.Layers {
		rates[i] = s.layers[i].coming(now)
	}
	return rates
}

// Still asks for a keyframe of the best layer and returns it, with Data of its own. It
// fails with ErrDark when none comes before ctx ends, or within five seconds.
func (s *Source) Still(ctx context.Context) (Frame, error) {
	ctx, cancel := context.WithTimeout(ctx, stillWait)
	defer cancel()
	got := make(chan Frame, 1)
	end := s.Tap(func(f Frame) {
		if f.Key {
			f.Data = slices.Clone(f.Data)
			select {
			case got <- f:
			default: // one is enough
			}
		}
	})
	defer end()
	again := time.NewTicker(keyEvery) // no packet comes of a page that does not answer
	defer again.Stop()
	for {
		select {
		case f := <-got:
			return f, nil
		case <-again.C:
			s.want(s.best())
		case <-ctx.Done():
			return Frame{}, ErrDark
		}
	}
}

// best is the sharpest layer that comes, the sharpest of all if none does.
func (s *Source) best() int {
	for i, rate := range s.rates(s.o.Now()) {
		if rate > 0 {
			return i
		}
	}
	return 0
}

// Tap has every whole frame from the next keyframe on, in order, given to do on a goroutine
// of its own. It begins with a keyframe, and again after each loss. When do is slow, frames
// are dropped until a keyframe. No call of do is under way when stop returns; do must not
// call stop. The end of the source ends it too, without waiting for do.
func (s *Source) Tap(do func(Frame)) (stop func()) {
	t := newTap(s.o.Now, do)
	s.gate.Lock()
	if s.closed {
		s.gate.Unlock()
		t.end()
		return t.stop
	}
	s.taps = append(s.taps, t)
	s.gate.Unlock()
	t.sink.Show(s)
	return func() {
		t.stop()
		s.gate.Lock()
		defer s.gate.Unlock()
		if i := slices.Index(s.taps, t); i >= 0 {
			s.taps = slices.Delete(s.taps, i, i+1)
		}
	}
}

// Live reports whether it is allowed and packets came within the last two seconds.
func (s *Source) Live() bool {
	now := s.o.Now().UnixNano()
	for i := range s.layers[:s.o.Layers] {
		if last := s.layers[i].last.Load(); last != 0 && now-last <= int64(liveFor) {
			return s.Allowed()
		}
	}
	return false
}

// Figures are the present ones.
func (s *Source) Figures() Figures {
	f := Figures{Allowed: s.Allowed(), Live: s.Live(), Forbidden: s.forbidden.Load(), KeyAsks: s.asks.Load()}
	now := s.o.Now()
	for i := range s.layers[:s.o.Layers] {
		f.Layers[i] = s.layers[i].add(&f, now)
	}
	f.Broken += s.broken.Load()
	return f
}

// Close ends it: sinks show nothing, taps end. It may be called twice.
func (s *Source) Close() {
	s.gate.Lock()
	defer s.gate.Unlock()
	s.closed, s.allowed, s.sinks = true, false, nil
	for _, t := range s.taps {
		t.end()
	}
	s.taps = nil
}
