package webrtc

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"tandem/internal/testkit"
	"tandem/media/codec"
	"tandem/media/codec/opus"
	"tandem/media/dtmf"
	"tandem/media/rtp"
)

// packet is one RTP packet of a page.
func packet(pt uint8, seq uint16, ts uint32, payload []byte) []byte {
	b := make([]byte, rtp.HeaderSize, rtp.HeaderSize+len(payload))
	rtp.Header{Payload: pt, Seq: seq, Time: ts, SSRC: 7}.Put(b)
	return append(b, payload...)
}

// keys are the digits that a stream would hear.
func keys(t *testing.T, packets [][]byte, pt uint8) (digits string, lengths []int) {
	t.Helper()
	var in dtmf.Receiver
	for _, b := range packets {
		h, payload, err := rtp.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		if h.Payload != pt {
			continue
		}
		e, err := dtmf.ParseEvent(payload)
		if err != nil {
			t.Fatal(err)
		}
		if d, fresh := in.Note(h.SSRC, h.Time, h.Marker, e); fresh {
			digits += string(d)
		}
		lengths = append(lengths, int(binary.BigEndian.Uint16(payload[2:])))
	}
	return digits, lengths
}

// press is a key as browsers send it: its end three times.
func press(seq uint16, pt uint8, ts uint32, key byte, step int) (all [][]byte) {
	for i := range 7 {
		length, end := min(i+1, 5)*step, byte(10)
		if i >= 4 {
			end |= 0x80
		}
		all = append(all, packet(pt, seq+uint16(i), ts, []byte{key, end, byte(length >> 8), byte(length)}))
	}
	return all
}

// Keys are heard once each, whatever clock the page's events have.
func TestKeysOfAPage(t *testing.T) {
	for _, test := range []struct {
		what string
		pt   uint8
		step int // of the clock, for 20 ms
		opus bool
	}{
		{"8 kHz beside G.711", 126, 160, false},
		{"48 kHz beside G.711", 110, 960, false},
		{"48 kHz beside Opus", 110, 960, true},
		{"8 kHz beside Opus", 126, 160, true},
	} {
		var got [][]byte
		r := &receiver{opus: 111, event: 126, wide: 110, to: func(b, _ []byte) { got = append(got, append([]byte(nil), b...)) }}
		if test.opus {
			r.take(packet(111, 1, 0xffffff00, encoded(t, 700)))
		}
		for _, b := range append(press(2, test.pt, 5000, 5, test.step), press(9, test.pt, 5000+uint32(8*test.step), 5, test.step)...) {
			r.take(b)
		}
		digits, lengths := keys(t, got, 126)
		if digits != "55" || lengths[6] != 5*160 {
			t.Errorf("%s: digits %q, lengths %v", test.what, digits, lengths)
		}
	}
}

func encoded(t testing.TB, hz float64) []byte {
	t.Helper()
	e, err := opus.NewEncoder()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, opus.MaxPacket)
	n, err := e.Encode(b, testkit.Tone(hz, 20*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	return b[:n]
}

// Opus becomes PCMU whose clock and sequence go on as the page's did, losses and the
// wrap of its clock included.
func TestOpusBecomesPCMU(t *testing.T) {
	var heads []rtp.Header
	r := &receiver{opus: 111, to: func(b, _ []byte) {
		h, payload, err := rtp.Parse(b)
		if err != nil || h.Payload != codec.PCMU.Payload() || len(payload) != codec.FrameSamples {
			t.Errorf("%+v of %d bytes, %v", h, len(payload), err)
		}
		heads = append(heads, h)
	}}
	frame := encoded(t, 700)
	seq, ts := uint16(65534), uint32(0xfffffffe-960)
	for i := range uint16(6) {
		if i != 3 { // it was lost
			r.take(packet(111, seq+i, ts+uint32(i)*960, frame))
		}
	}
	r.take(packet(111, seq+6, ts+6*960, []byte{0xff, 0xff, 0xff})) // no Opus
	for i, h := range heads[1:] {
		steps := uint32(1)
		if i == 2 {
			steps = 2
		}
		if before := heads[i]; h.Time-before.Time != steps*codec.FrameSamples || h.Seq-before.Seq != uint16(steps) {
			t.Errorf("%+v after %+v", h, before)
		}
	}
	if len(heads) != 5 || r.failed != 1 {
		t.Errorf("%d packets, %d failed", len(heads), r.failed)
	}
}

// The ring keeps the newest, and never blocks.
func TestTheRingKeepsTheNewest(t *testing.T) {
	r := newRing()
	for i := range ringRoom + 4 {
		r.Send([]byte{byte(i)}, nil)
	}
	r.Send(make([]byte, ringPacket+1), nil)
	if n := r.dropped.Load(); n != 5 {
		t.Errorf("%d were dropped", n)
	}
	if s := <-r.full; s.b[0] != 4 {
		t.Errorf("the first is %d", s.b[0])
	}
}

// Nothing that a page says breaks us, and what pion is given of it is ours.
func FuzzTake(f *testing.F) {
	s := newServer(f, func(c *Config) { c.Limits.Signals = 1 << 30; c.Limits.Peers = 4 })
	g := newPage(f, pageOptions{})
	good := g.offer(false).SDP
	f.Add(KindOffer, good)
	f.Add(KindAnswer, good)
	f.Add(KindMic, "ok")
	f.Add(KindBye, "")
	f.Add(KindOffer, "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:0\r\n")
	f.Fuzz(func(t *testing.T, kind, sdp string) {
		p, err := s.NewPeer(PeerOptions{Send: func(Signal) {}})
		if err != nil {
			t.Skip("the last one is still closing")
		}
		_ = p.Take(t.Context(), Signal{Kind: kind, SDP: sdp, Mic: sdp})
		p.Close()
		<-p.ended
	})
}

// FuzzPacket: whatever comes to the port is dropped or handed on.
func FuzzPacket(f *testing.F) {
	f.Add([]byte("\x00\x01\x00\x00\x21\x12\xa4\x42aaaabbbbcccc"))
	f.Add(record(recordHandshake, 0, handshakeRequest))
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, 60)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		in := &receiver{opus: 111, event: 126, wide: 110, to: func(_, _ []byte) {}}
		in.take(b)
	})
}
