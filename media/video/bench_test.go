package video

import (
	"encoding/binary"
	"testing"

	"tandem/media/rtp"
)

// stream is packets of a camera of 1.5 Mbit/s, over and over with numbers that go on.
type stream struct {
	packets [][]byte
	seq     uint16
	picture uint16
	time    uint32
	at      int
}

func newStream() *stream {
	cam := newCamera(1, 640, 480)
	cam.packets, cam.bytes = 6, 1100
	s := &stream{}
	for i := range 30 {
		s.packets = append(s.packets, cam.shoot(i == 0)...)
	}
	return s
}

// next is the next packet; it is valid until the one after.
func (s *stream) next() []byte {
	b := s.packets[s.at]
	if s.at = (s.at + 1) % len(s.packets); b[rtp.HeaderSize]&bitS != 0 {
		s.picture, s.time = (s.picture+1)%pictures, s.time+2970
	}
	binary.BigEndian.PutUint16(b[2:], s.seq)
	binary.BigEndian.PutUint32(b[4:], s.time)
	b[rtp.HeaderSize+2], b[rtp.HeaderSize+3] = bitM|byte(s.picture>>8), byte(s.picture)
	s.seq++
	return b
}

// forwarding is a source that is allowed and sinks that show it.
func forwarding(sinks int) (s *Source, written *int) {
	written = new(int)
	s = NewSource(SourceOptions{ID: "leg:camera", Layers: 2})
	s.Allow(true)
	for range sinks {
		k := NewSink(SinkOptions{Write: func(_ *rtp.Header, payload []byte) error {
			*written += len(payload)
			return nil
		}})
		k.Show(s)
	}
	return s, written
}

// BenchmarkForward is one packet from a source to three viewers.
func BenchmarkForward(b *testing.B) {
	s, written := forwarding(3)
	defer s.Close()
	in := newStream()
	b.ReportAllocs()
	for b.Loop() {
		s.Packet(0, in.next())
	}
	if *written == 0 {
		b.Fatal("nothing was forwarded")
	}
}

// BenchmarkForwardAndTap is the same beside a recorder that takes whole frames.
func BenchmarkForwardAndTap(b *testing.B) {
	s, _ := forwarding(3)
	defer s.Close()
	defer s.Tap(func(Frame) {})()
	in := newStream()
	b.ReportAllocs()
	for b.Loop() {
		s.Packet(0, in.next())
	}
}

// A packet's way allocates nothing, with a recorder too.
func TestNothingIsAllocated(t *testing.T) {
	s, written := forwarding(3)
	defer s.Close()
	taken := make(chan struct{}, 1000)
	defer s.Tap(func(Frame) { taken <- struct{}{} })()
	in := newStream()
	second := func() {
		for range in.packets {
			b := in.next()
			s.Packet(0, b)
			if b[1]&0x80 != 0 {
				<-taken
			}
		}
	}
	for range 3 { // rooms grow to what frames need
		second()
	}
	*written = 0
	if n := testing.AllocsPerRun(10, second); n > 0 {
		t.Errorf("%.0f allocations in a second of pictures", n)
	}
	if *written == 0 {
		t.Error("nothing was forwarded")
	}
}
