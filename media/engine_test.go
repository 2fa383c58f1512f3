package media

import (
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tandem/media/codec"
)

// Keys through a path that loses packets at random: every key of which one packet
// arrives is heard, once.
func TestKeysThroughLoss(t *testing.T) {
	for _, loss := range []float64{0.1, 0.2} {
		e := newEngine(t, Config{})
		s, p := call(t, e, codec.PCMU)
		p.speak(1, 440)
		rnd := rand.New(rand.NewPCG(10, uint64(100*loss)))
		lost := 0
		for i := range 40 {
			digit := "0123456789*#"[i%12]
			for _, pk := range eventPackets(digit, p.head.Time) {
				if rnd.Float64() < loss {
					p.head.Seq++
					lost++
					continue
				}
				p.event(pk)
			}
			p.head.Time += 1600
			if got := nextEvent[Key](t, s); got.Digit != digit {
				t.Fatalf("at %v loss, key %d: %c became %c", loss, i, digit, got.Digit)
			}
		}
		if st := s.Close(); st.Digits != 40 || lost == 0 {
			t.Errorf("%d keys, %d packets lost on the way", st.Digits, lost)
		}
	}
}

// Everything at once, from many goroutines: for the race detector.
func TestConcurrentUse(t *testing.T) {
	e := newEngine(t, Config{Shards: 2})
	tone := Tone(500, 300)
	var all []*Stream
	for range 6 {
		s, _ := call(t, e, codec.PCMU)
		all = append(all, s)
	}
	var wg sync.WaitGroup
	for i, s := range all {
		p := newPhone(t, s.Port())
		wg.Go(func() {
			for n := range 20 {
				if err := s.Play(Item{ID: uint32(n), Clips: []*Clip{tone}}); err != nil && !errors.Is(err, ErrFull) && !errors.Is(err, ErrClosed) {
					t.Error(err)
				}
				s.Set(params(p, codec.Law(n%2)))
				r := s.Record(io.Discard, n%2 == 0)
				if part, err := Join(s, all[(i+1+n%3)%len(all)]); err == nil {
					p.speak(1, 440)
					part()
				} else if !errors.Is(err, ErrJoined) && !errors.Is(err, ErrClosed) {
					t.Error(err)
				}
				s.Hush(n%2 == 0)
				s.Stop(uint32(n))
				if _, err := r.Stop(); err != nil && !errors.Is(err, ErrClosed) {
					t.Error(err)
				}
				e.Load()
			}
			s.Close()
		})
		wg.Go(func() {
			for range s.Events() {
			}
		})
	}
	wg.Wait()
	if l := e.Load(); l.Streams != 0 {
		t.Errorf("%d streams are left", l.Streams)
	}
	for _, sh := range e.shards {
		if n := sh.load.Load(); n != 0 {
			t.Errorf("a shard believes in %d streams", n)
		}
		if err := sh.call(nil, func() {
			if sh.count != 0 || sh.joined != 0 {
				t.Errorf("a shard has %d streams, %d joined", sh.count, sh.joined)
			}
		}); err != nil {
			t.Error(err)
		}
	}
}

func TestIPv6(t *testing.T) {
	conn, err := net.ListenUDP("udp6", &net.UDPAddr{IP: net.IPv6loopback})
	if err != nil {
		t.Skip("SKIP: no IPv6 here: ", err)
	}
	defer conn.Close()
	e, err := NewEngine(Config{Address: netip.IPv6Loopback()})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	s, err := e.Open()
	if err != nil {
		t.Fatal(err)
	}
	p := &phone{t: t, conn: conn, to: netip.AddrPortFrom(netip.IPv6Loopback(), uint16(s.Port()))}
	agreed := params(p, codec.PCMU)
	agreed.Remote = conn.LocalAddr().(*net.UDPAddr).AddrPort()
	s.Set(agreed)
	if err := s.Play(Item{Clips: []*Clip{Tone(600, 500)}}); err != nil {
		t.Fatal(err)
	}
	p.waitTone(600, codec.PCMU)
	p.press('6')
	if got := nextEvent[Key](t, s); got.Digit != '6' {
		t.Errorf("heard %+v", got)
	}
}

func TestEngine(t *testing.T) {
	if _, err := NewEngine(Config{Ports: [2]int{5, 5}}); err == nil {
		t.Error("a range without a pair is accepted")
	}
	reg := prometheus.NewRegistry()
	e, err := NewEngine(Config{Address: netip.AddrFrom4([4]byte{127, 0, 0, 1}), Registerer: reg})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewEngine(Config{Registerer: reg}); err == nil {
		t.Error("two engines share the names of their metrics")
	}
	s, p := call(t, e, codec.PCMU)
	p.next()
	families, err := reg.Gather()
	if err != nil || len(families) != 12 {
		t.Fatalf("%d metrics, %v", len(families), err)
	}
	for _, f := range families {
		if f.GetName() == "tandem_media_streams" && f.GetMetric()[0].GetGauge().GetValue() != 1 {
			t.Errorf("streams: %v", f)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if _, open := <-s.Events(); open {
		t.Error("the stream outlived its engine")
	}
	if _, err := e.Open(); !errors.Is(err, ErrClosed) {
		t.Errorf("open after close: %v", err)
	}
	if families, err := reg.Gather(); err != nil || len(families) != 0 {
		t.Errorf("%d metrics are left, %v", len(families), err)
	}
}

func TestClip(t *testing.T) {
	tests := []struct{ samples, frames int }{{0, 0}, {1, 1}, {160, 1}, {161, 2}}
	for _, tt := range tests {
		c := NewClip(make([]int16, tt.samples))
		if c.Frames() != tt.frames || c.Samples() != tt.samples || c.Duration() != time.Duration(tt.samples)*125*time.Microsecond {
			t.Errorf("%d samples: %d frames, %v", c.Samples(), c.Frames(), c.Duration())
		}
	}
	c := Tone(1000, 100)
	if _, law := c.ready(codec.PCMA); law != codec.PCMA {
		t.Error("nothing encoded: its own law is right")
	}
	u := c.Encoded(codec.PCMU)
	if b, law := c.ready(codec.PCMA); law != codec.PCMU || &b[0] != &u[0] {
		t.Error("the other law must do until somebody encodes")
	}
	if again := c.Encoded(codec.PCMU); &again[0] != &u[0] {
		t.Error("encoded twice")
	}
	if l := level(decoded(codec.PCMA, c.Encoded(codec.PCMA))[80:720], 1000); l < 0.99 {
		t.Errorf("a tone of purity %.3f", l)
	}
}
