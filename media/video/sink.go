package video

import (
	"time"

	"tandem/media/rtp"
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

// Sink is one viewer's place: what it shows changes, its stream of packets goes on.
type Sink struct{ o SinkOptions }

// SinkFigures are what a sink sent.
type SinkFigures struct {
	Packets, Bytes uint64 // that were written
	Failed         uint64 // that Write refused
	Switches       uint64 // of source or layer
	Layer          int    // shown now, 0 the sharpest; -1 = none
	Waiting        bool   // for a keyframe, with nothing to show until it comes
}

// NewSink makes a sink that shows nothing.
func NewSink(o SinkOptions) *Sink { return &Sink{o: o} }

// Show has it show a source from its next keyframe on, or nothing with nil. When it returns
// no packet of the source before goes out any more.
func (k *Sink) Show(s *Source) {}

// Budget tells how many bits per second may be spent on it, which chooses the layer. It is
// without limit until then.
func (k *Sink) Budget(bps int) {}

// Loss tells what share of its packets the receiver reports as lost, from 0 to 1.
func (k *Sink) Loss(share float64) {}

// Key tells that the receiver asked for a keyframe (PLI, FIR).
func (k *Sink) Key() {}

// Figures are the present ones.
func (k *Sink) Figures() SinkFigures { return SinkFigures{} }

// Close has it show nothing for good. It may be called twice.
func (k *Sink) Close() {}

// Shown is what one viewer is to see: ID is "<leg>:camera" or "<leg>:display".
type Shown struct {
	ID     string
	Source *Source
}
