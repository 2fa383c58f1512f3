package webrtc

import (
	"bytes"
	"context"
	"slices"
	"testing"

	pionrtp "github.com/pion/rtp"
	pion "github.com/pion/webrtc/v4"

	"tandem/internal/testkit"
	"tandem/media"
	"tandem/media/codec"
	"tandem/media/codec/opus"
	"tandem/media/rtp"
)

// Two pages that are joined are asked for Opus and hear it as it came; with music it is
// G.711; and with a phone they are asked for that.
func TestTwoPagesHearOpus(t *testing.T) {
	s := newServer(t, nil)
	var peers [2]*Peer
	var told [2]*told
	var pages [2]*page
	for i, hz := range []float64{700, 1100} {
		peers[i], told[i] = newPeer(t, s)
		pages[i] = newPage(t, pageOptions{codec: pion.MimeTypeOpus, all: true})
		pages[i].talksOpus(hz)
		pages[i].connect(peers[i], told[i], false)
		told[i].reaches(t, StateUp)
	}
	part, err := media.Join(peers[0].Stream(), peers[1].Stream())
	if err != nil {
		t.Fatal(err)
	}
	for i, hz := range []int{1100, 700} {
		if asked := told[i].next(t, KindSpeak, 0); asked.Codec != "opus" {
			t.Errorf("asked for %+v", asked)
		}
		pages[i].hearsAs(hz, 111)
		hears(t, peers[i], 1800-hz) // what the page says is decoded for who listens
	}
	if f := peers[0].Figures(); f.Opus == 0 || !peers[0].Stream().Path().Opus {
		t.Errorf("figures %+v", f)
	}
	n := told[0].heard()
	if err := peers[0].Take(context.Background(), Signal{Kind: KindMic, Mic: MicOK}); err != nil {
		t.Fatal(err)
	}
	if again := told[0].next(t, KindSpeak, n); again.Codec != "opus" { // its socket was away
		t.Errorf("asked for %+v again", again)
	}
	part()
	says(t, peers[0], 900)
	pages[0].hearsAs(900, 0)
	phone, err := s.c.Engine.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer phone.Close()
	n = told[0].heard()
	if part, err = media.Join(peers[0].Stream(), phone); err != nil {
		t.Fatal(err)
	}
	defer part()
	if asked := told[0].next(t, KindSpeak, n); asked.Codec != "PCMU" {
		t.Errorf("asked for %+v", asked)
	}
}

// written is what a page is sent.
type written struct {
	heads    []pionrtp.Header
	payloads [][]byte
}

func (w *written) WriteRTP(h *pionrtp.Header, payload []byte) (int, error) {
	w.heads, w.payloads = append(w.heads, *h), append(w.payloads, bytes.Clone(payload))
	return len(payload), nil
}

func (w *written) Write([]byte) (int, error) { panic("nobody calls it") }

// Where the codec changes the clock does: times go on, in the new one's steps (RFC 7160).
func TestTimesGoOnAcrossCodecs(t *testing.T) {
	var w written
	s := &sender{to: &w, ssrc: 9, pcmu: true, opus: 111, event: 126, wide: 110}
	audio, original := make([]byte, codec.FrameSamples), []byte{1, 2, 3}
	const first = 0xffffff00 // it wraps
	for i, as := range []string{"u", "u", "o", "o", "k", "o", "u", "k", "u"} {
		ts := uint32(first) + uint32(i)*codec.FrameSamples
		switch as {
		case "u":
			s.write(packet(0, uint16(i), ts, audio), nil, 101)
		case "o":
			s.write(packet(0, uint16(i), ts, audio), original, 101)
		case "k":
			s.write(packet(101, uint16(i), ts, []byte{5, 10, 0, 160}), nil, 101)
		}
	}
	var steps []uint32
	var types []uint8
	for i, h := range w.heads {
		types = append(types, h.PayloadType)
		if h.SequenceNumber != uint16(i) || h.SSRC != 9 {
			t.Errorf("packet %d: %+v", i, h)
		}
		if i > 0 {
			steps = append(steps, h.Timestamp-w.heads[i-1].Timestamp)
		}
	}
	if want := []uint8{0, 0, 111, 111, 110, 111, 0, 126, 0}; !slices.Equal(types, want) {
		t.Errorf("sent as %v, not %v", types, want)
	}
	if want := []uint32{160, 960, 960, 960, 960, 160, 160, 160}; !slices.Equal(steps, want) {
		t.Errorf("in steps of %v, not %v", steps, want)
	}
	if !bytes.Equal(w.payloads[2], original) || !bytes.Equal(w.payloads[4], []byte{5, 10, 960 >> 8, 960 & 0xff}) {
		t.Errorf("sent %v and %v", w.payloads[2], w.payloads[4])
	}
}

// A page that takes nothing but Opus is sent what comes as such, and what does not encoded.
func TestOpusAloneGoesOn(t *testing.T) {
	var w written
	e, err := opus.NewEncoder()
	if err != nil {
		t.Fatal(err)
	}
	s := &sender{to: &w, opus: 96, encoder: e}
	for i, original := range [][]byte{nil, {1, 2}, nil, {3, 4}} {
		s.write(packet(0, uint16(10*i), uint32(i)*codec.FrameSamples, make([]byte, codec.FrameSamples)), original, 101)
	}
	for i, h := range w.heads {
		if h.PayloadType != 96 || h.SequenceNumber != uint16(i+1) || h.Timestamp != uint32(i)*960 {
			t.Errorf("packet %d: %+v", i, h)
		}
	}
	if len(w.heads) != 4 || !bytes.Equal(w.payloads[3], []byte{3, 4}) || bytes.Equal(w.payloads[2], []byte{1, 2}) {
		t.Errorf("sent %v", w.payloads)
	}
}

// A page whose packets are none of Opus, or longer than the frame that they go with, is
// heard as far as it can be decoded, and nothing of it is passed on.
func TestWhatIsNotPassedOn(t *testing.T) {
	e, err := opus.NewEncoder()
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, opus.MaxPacket)
	n, err := e.Encode(b, testkit.Tone(700, 1e9)[:codec.FrameSamples])
	if err != nil {
		t.Fatal(err)
	}
	one := b[:n]
	// Code 1: two frames of the same size in one packet (RFC 6716, section 3.2.3).
	two := append(append([]byte{one[0]&^3 | 1}, one[1:]...), one[1:]...)
	for _, test := range []struct {
		what     string
		payload  []byte
		frames   int
		original bool
	}{
		{"one frame", one, 1, true},
		{"two frames", two, 2, false},
		{"no Opus", []byte{0xff, 0xff, 0xff}, 0, false},
		{"nothing", nil, 0, false},
	} {
		frames, originals := 0, 0
		r := &receiver{opus: 111, to: func(b, original []byte) {
			if _, payload, err := rtp.Parse(b); err != nil || len(payload) != codec.FrameSamples {
				t.Errorf("%s: %d bytes, %v", test.what, len(payload), err)
			}
			frames++
			if len(original) > 0 {
				originals++
			}
		}}
		r.take(packet(111, 1, 5000, test.payload))
		if frames != test.frames || (originals == 1) != test.original {
			t.Errorf("%s: %d frames with %d originals", test.what, frames, originals)
		}
	}
	long := newRing()
	long.Send(make([]byte, 172), make([]byte, ringPacket))
	if p := <-long.full; p.n != 172 || p.more != 0 {
		t.Errorf("of an original that is too long %d bytes are kept", p.more)
	}
}

// BenchmarkBeside is what a packet costs from a page's track to another page's encryption,
// without the shard between: as G.711, and as Opus that is decoded beside.
func BenchmarkBeside(b *testing.B) {
	frame := encoded(b, 700)
	for _, bm := range []struct {
		name    string
		pt      uint8
		payload []byte
		step    uint32
	}{{"G.711", 0, make([]byte, codec.FrameSamples), 160}, {"Opus", 111, frame, 960}} {
		b.Run(bm.name, func(b *testing.B) {
			out := &sender{to: nowhere{}, pcmu: true, opus: 111}
			in := &receiver{opus: 111, to: func(p, original []byte) { out.write(p, original, 101) }}
			p := packet(bm.pt, 0, 0, bm.payload)
			b.ReportAllocs()
			for i := uint32(0); b.Loop(); i++ {
				rtp.Header{Payload: bm.pt, Seq: uint16(i), Time: i * bm.step, SSRC: 7}.Put(p)
				in.take(p)
			}
		})
	}
}

type nowhere struct{}

func (nowhere) WriteRTP(*pionrtp.Header, []byte) (int, error) { return 0, nil }
func (nowhere) Write([]byte) (int, error)                     { return 0, nil }

// A page that changes its codec is one source whose clock goes on, and its keys are heard
// once each; so is one that begins its times anew as it changes.
func TestAPageChangesItsCodec(t *testing.T) {
	frame := encoded(t, 700)
	for _, fresh := range []bool{false, true} {
		var got [][]byte
		r := &receiver{opus: 111, event: 126, wide: 110, to: func(b, _ []byte) { got = append(got, bytes.Clone(b)) }}
		seq, ts, was := uint16(65530), uint32(0xfffff000), uint8(0)
		for _, as := range []string{"u", "u", "o", "o", "K", "o", "a", "u", "k", "u", "o", "K", "K", "o", "u", "k"} {
			switch as {
			case "u", "a":
				pt := uint8(0)
				if as == "a" {
					pt = 8
				}
				if ts += 160; fresh && was == 111 {
					ts += 0x55550000
				}
				r.take(packet(pt, seq, ts, make([]byte, codec.FrameSamples)))
				was = pt
			case "o":
				if ts += 960; fresh && was != 111 {
					ts += 0xaaaa0000
				}
				r.take(packet(111, seq, ts, frame))
				was = 111
			case "k":
				ts += 160
				for _, b := range press(seq, 126, ts, 7, 160) {
					r.take(b)
				}
				seq, ts = seq+6, ts+7*160
			case "K":
				ts += 960
				for _, b := range press(seq, 110, ts, 7, 960) {
					r.take(b)
				}
				seq, ts = seq+6, ts+7*960
			}
			seq++
		}
		if digits, _ := keys(t, got, 126); digits != "77777" {
			t.Errorf("anew %v: keys %q", fresh, digits)
		}
		var last rtp.Header
		for i, b := range got {
			h, _, err := rtp.Parse(b)
			if err != nil {
				t.Fatal(err)
			}
			step := int32(h.Time - last.Time)
			if i > 0 && (h.Seq != last.Seq+1 || step < 0 || step > 10*codec.FrameSamples) {
				t.Errorf("anew %v: packet %d: %d %d after %d %d", fresh, i, h.Seq, h.Time, last.Seq, last.Time)
			}
			last = h
		}
	}
}
