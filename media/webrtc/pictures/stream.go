package pictures

import (
	"sync/atomic"

	pionrtp "github.com/pion/rtp"
	"github.com/pion/transport/v4/packetio"

	"tandem/media/webrtc/description"
)

// Stream is the buffer of one stream of the page. Each layer is one stream for as long as
// the connection lasts: of a second that claims to be it no packet goes on, for the library would
// read both as one, at the same time.
type Stream struct {
	*packetio.Buffer
	canvas *Canvas
	ssrc   uint32
	taken  bool   // it is known what it is; of the connection's reader
	Second func() // told when it claims a layer that is another's
}

// Stream makes the buffer of one stream out of another buffer.
func (c *Canvas) Stream(b *packetio.Buffer, ssrc uint32, second func()) *Stream {
	return &Stream{Buffer: b, canvas: c, ssrc: ssrc, Second: second}
}

// Write takes one packet, as it was opened.
func (s *Stream) Write(b []byte) (int, error) {
	if !s.taken && !s.canvas.offered(s.ssrc) {
		rid, ok := s.canvas.rid(b)
		if !ok {
			return s.Buffer.Write(b)
		}
		layer, known := description.Layer(rid)
		if known && !s.canvas.claimed[layer].CompareAndSwap(0, s.ssrc) && s.canvas.claimed[layer].Load() != s.ssrc {
			s.Second()
			return len(b), nil
		}
	}
	s.taken = true
	return s.Buffer.Write(b)
}

// rid is the layer that a packet says it is of (RFC 8852).
func (c *Canvas) rid(b []byte) (string, bool) {
	id := c.ridID.Load()
	if id == 0 || len(b) == 0 || b[0]&0x10 == 0 {
		return "", false
	}
	var h pionrtp.Header
	if _, err := h.Unmarshal(b); err != nil {
		return "", false
	}
	rid := h.GetExtension(uint8(id))
	return string(rid), rid != nil
}

// Expect takes from the page's offer by which streams its layers can be told.
func (c *Canvas) Expect(d *description.Pictures) {
	c.ridID.Store(uint32(d.Rids()))
	for i, ssrc := range d.Streams() {
		c.declared[i].Store(ssrc)
	}
}

func (c *Canvas) offered(ssrc uint32) bool {
	for i := range c.declared {
		if c.declared[i].Load() == ssrc && ssrc != 0 {
			return true
		}
	}
	return false
}

// claims are of what streams say of themselves, before the library knows of them.
type claims struct {
	ridID    atomic.Uint32
	declared [description.Slots]atomic.Uint32 // SSRCs of camera and display, if the offer has told them
	claimed  [2]atomic.Uint32                 // SSRCs by layers
}
