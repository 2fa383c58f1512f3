package video

import (
	"context"
	"errors"
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

// Source is one camera or shared screen. Its methods may be called from any goroutine; the
// packets of one layer come from one at a time.
type Source struct{ o SourceOptions }

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
func NewSource(o SourceOptions) *Source { return &Source{o: o} }

// ID is the one of its options.
func (s *Source) ID() string { return s.o.ID }

// Packet takes one RTP packet of a layer; b is the caller's again afterwards. It allocates
// nothing.
func (s *Source) Packet(layer int, b []byte) {}

// Allow says whether packets may go on. Before Allow(true) every one is dropped and counted;
// when Allow(false) returns, none moves any more.
func (s *Source) Allow(on bool) {}

// Allowed reports what Allow said last.
func (s *Source) Allowed() bool { return false }

// Still asks for a keyframe of the best layer and returns it, with Data of its own. It
// fails with ErrDark when none comes before ctx ends.
func (s *Source) Still(ctx context.Context) (Frame, error) { return Frame{}, ErrDark }

// Tap has every whole frame from the next keyframe on, in order, given to do on a goroutine
// of its own. It begins with a keyframe, and again after each loss. When do is slow, frames
// are dropped until a keyframe. No call of do is under way when stop returns; do must not
// call stop.
func (s *Source) Tap(do func(Frame)) (stop func()) { return func() {} }

// Live reports whether it is allowed and packets came within the last two seconds.
func (s *Source) Live() bool { return false }

// Figures are the present ones.
func (s *Source) Figures() Figures { return Figures{} }

// Close ends it: sinks show nothing, taps end. It may be called twice.
func (s *Source) Close() {}
