package media_test

import (
	"encoding/binary"
	"math"
	"net/netip"
	"sync"
	"testing"
	"time"

	"tandem/internal/testkit"
	"tandem/media"
	"tandem/media/codec"
)

const (
	waits = 15 * time.Second       // for anything to come about, also on a busy machine
	pace  = 20 * time.Millisecond  // of packets
	piece = 100 * time.Millisecond // of audio in which tones are told apart, 10 Hz from each other
	music = 1700                   // Hz, what a held party hears
)

// end is somebody with an ear and a mouth: a phone with sockets or a browser on a wire.
type end interface {
	// packets are those that came at or after a time.
	packets(since time.Time) []testkit.Packet
	// wait looks at them after each arrival, until ok says that it has seen enough.
	wait(d time.Duration, since time.Time, ok func([]testkit.Packet) bool) bool
	press(digits string)
	aim(s *media.Stream)
}

// who is a stream and the far end that says one tone for ever.
type who struct {
	*media.Stream
	end
	hz int
}

// phone is an end with sockets.
type phone struct{ *testkit.RTP }

func (p phone) packets(since time.Time) []testkit.Packet { return p.Packets(since) }
func (p phone) wait(d time.Duration, since time.Time, ok func([]testkit.Packet) bool) bool {
	return p.Wait(d, since, ok)
}
func (p phone) press(digits string) { p.Type(digits) }
func (p phone) aim(s *media.Stream) { p.Aim(testkit.Loopback(s.Port())) }

// browser is an end on a wire. Its goroutine says a packet each 20 ms.
type browser struct {
	mu    sync.Mutex
	got   []testkit.Packet
	news  chan struct{} // closed and replaced at each packet
	keys  []byte
	panic bool
}

func (b *browser) Send(packet, _ []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.panic {
		panic("injected")
	}
	b.got = append(b.got, testkit.Packet{At: time.Now(), Marker: packet[1]&0x80 != 0, Type: packet[1] & 0x7f,
		Seq: binary.BigEndian.Uint16(packet[2:]), TS: binary.BigEndian.Uint32(packet[4:]), SSRC: binary.BigEndian.Uint32(packet[8:]),
		Payload: append([]byte(nil), packet[12:]...)})
	close(b.news)
	b.news = make(chan struct{})
}

func (b *browser) wait(d time.Duration, since time.Time, ok func([]testkit.Packet) bool) bool {
	late := time.After(d)
	for {
		b.mu.Lock()
		news := b.news
		b.mu.Unlock()
		if ok(b.packets(since)) {
			return true
		}
		select {
		case <-news:
		case <-late:
			return false
		}
	}
}

func (b *browser) packets(since time.Time) []testkit.Packet {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, p := range b.got {
		if !p.At.Before(since) {
			return append([]testkit.Packet(nil), b.got[i:]...)
		}
	}
	return nil
}

func (b *browser) press(digits string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.keys = append(b.keys, digits...)
}

func (b *browser) aim(*media.Stream) {}

// speak is the browser's goroutine: a tone, and keys as telephone-events in its place.
func (b *browser) speak(s *media.Stream, hz int, stop <-chan struct{}) {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	said := make([]byte, codec.Rate)
	codec.PCMU.Encode(said, testkit.Tone(float64(hz), time.Second))
	var packet [12 + codec.FrameSamples]byte
	packet[0] = 0x80
	seq, ts, ssrc := uint16(65500), uint32(4294900000), uint32(hz)
	put := func(kind byte, at uint32, payload []byte) {
		packet[1] = kind
		binary.BigEndian.PutUint16(packet[2:], seq)
		binary.BigEndian.PutUint32(packet[4:], at)
		binary.BigEndian.PutUint32(packet[8:], ssrc)
		s.Deliver(packet[:12+copy(packet[12:], payload)], nil)
		seq++
	}
	var key byte
	begun, frames := uint32(0), 0
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		if b.mu.Lock(); frames == 0 && len(b.keys) > 0 {
			key, b.keys, begun, frames = b.keys[0]-'0', b.keys[1:], ts, 8
		}
		b.mu.Unlock()
		switch {
		case frames > 3: // five frames of the key, three ends, as RFC 4733 section 2.5.1 has it
			put(101, begun, []byte{key, 10, 0, byte(160 * (9 - frames) & 0xff)})
			frames--
		case frames > 0:
			put(101, begun, []byte{key, 0x8a, 3, 0x20})
			frames--
		default:
			put(0, ts, said[i%50*codec.FrameSamples:][:codec.FrameSamples])
		}
		ts += codec.FrameSamples
	}
}

func engine(t *testing.T, shards int) *media.Engine {
	t.Helper()
	e, err := media.NewEngine(media.Config{Address: netip.AddrFrom4([4]byte{127, 0, 0, 1}), Shards: shards})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func agreed(law codec.Law) media.Params {
	return media.Params{Law: law, Payload: law.Payload(), Event: 101, Send: true, Recv: true}
}

// onPhone is a party with sockets, onWire one with a wire.
func onPhone(t *testing.T, e *media.Engine, hz int, law codec.Law) *who {
	t.Helper()
	s, err := e.Open()
	if err != nil {
		t.Fatal(err)
	}
	r := testkit.NewRTP(t)
	p := agreed(law)
	p.Remote = r.Addr()
	s.Set(p)
	r.Talk(testkit.Tone(float64(hz), time.Second))
	w := &who{s, phone{r}, hz}
	w.aim(s)
	return w
}

func onWire(t *testing.T, e *media.Engine, hz int) *who {
	t.Helper()
	b := &browser{news: make(chan struct{})}
	s, err := e.OpenWire(b)
	if err != nil {
		t.Fatal(err)
	}
	s.Set(agreed(codec.PCMU))
	stop := make(chan struct{})
	var running sync.WaitGroup
	running.Go(func() { b.speak(s, hz, stop) })
	t.Cleanup(func() {
		close(stop)
		running.Wait()
	})
	return &who{s, b, hz}
}

// tones tells which of the tones are in pcm: louder than a quarter of what a party says.
func tones(pcm []int16, hz []int) map[int]bool {
	in := map[int]bool{}
	for _, f := range hz {
		var re, im float64
		for i, s := range pcm {
			w := 2 * math.Pi * float64(f) * float64(i) / codec.Rate
			re, im = re+float64(s)*math.Cos(w), im+float64(s)*math.Sin(w)
		}
		if amplitude := 2 * math.Hypot(re, im) / float64(len(pcm)); amplitude > 1000 {
			in[f] = true
		}
	}
	return in
}

// every is each tone of these tests.
var every = []int{400, 600, 900, 1300, 2300, music}

// hears waits until the end hears these tones and no other for three pieces in a row,
// beginning now.
func (w *who) hears(t *testing.T, want ...int) {
	t.Helper()
	var last map[int]bool
	if !w.wait(waits, time.Now(), func(ps []testkit.Packet) bool {
		if len(ps) < 16 || len(ps)%4 != 0 { // not after each packet: it is work
			return false
		}
		pcm := testkit.Audio(ps)
		const n = int(codec.Rate * piece / time.Second)
		for i := range 3 {
			last = tones(pcm[len(pcm)-(i+1)*n:][:n], every)
			if len(last) != len(want) {
				return false
			}
			for _, hz := range want {
				if !last[hz] {
					return false
				}
			}
		}
		return true
	}) {
		t.Fatalf("%d Hz is to hear %v, and hears %v", w.hz, want, last)
	}
}
