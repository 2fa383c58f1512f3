package media

import (
	"crypto/rand"
	"io"
	"net/netip"
	"testing"
	"time"

	"tandem/media/codec"
	"tandem/media/rtp"
)

// loopback is a shard without its goroutine, whose streams speak to each other in
// pairs; the test turns the wheel.
type loopback struct {
	*shard
	at      time.Duration
	streams []*Stream
}

func newLoopback(tb testing.TB, streams int, set func(i int, p *Params)) *loopback {
	tb.Helper()
	here := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	sh, err := newShard(time.Now(), time.Minute, nil)
	if err != nil {
		tb.Fatal(err)
	}
	ports, err := rtp.NewPorts(0, 0, rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	e := &Engine{cfg: Config{Address: here, Random: rand.Reader}, ports: ports}
	l := &loopback{shard: sh}
	for range streams {
		s, err := e.bind()
		if err != nil {
			tb.Fatal(err)
		}
		s.shard = sh
		sh.adopt(s)
		l.streams = append(l.streams, s)
		tb.Cleanup(func() { s.sockets.close() })
	}
	for i, s := range l.streams {
		p := Params{Remote: local(l.streams[i^1].port), Law: codec.PCMU, Event: 101, Send: true, Recv: true}
		set(i, &p)
		s.law.Store(uint32(p.Law))
		s.apply(p)
	}
	close(sh.ended) // close waits for a goroutine that this shard does not have
	tb.Cleanup(func() { sh.close() })
	return l
}

// period20 turns the wheel once: every stream sends one packet and hears one.
func (l *loopback) period20() {
	for range slotCount {
		l.at += slotTime
		l.turn(l.at)
		l.look(l.at)
	}
}

// What a call costs per packet in steady state must not be garbage: playing,
// hearing, recording, tone detection and joined streams alike.
func TestPacketPathDoesNotAllocate(t *testing.T) {
	l := newLoopback(t, 16, func(i int, p *Params) {
		if i < 2 {
			p.Event, p.Tones = 0, true
		}
		if i == 2 {
			p.Law, p.Payload = codec.PCMA, 8
		}
	})
	music := Tone(440, 5000)
	music.Encoded(codec.PCMU)
	for _, s := range l.streams {
		s.items = append(s.items, playing{Item: Item{Clips: []*Clip{music}, Loop: true}})
	}
	for _, s := range l.streams[:2] {
		r := &Recording{stereo: true, stream: s, w: io.Discard, wake: make(chan struct{}, 1), done: make(chan struct{})}
		go r.run()
		s.recordings = append(s.recordings, r)
		t.Cleanup(func() { r.end(l.at); <-r.done })
	}
	a, b := l.streams[3], l.streams[4]
	a.peer, b.peer, l.joined = b, a, 2
	l.mix(7, 8, 11)
	pages := l.streams[14:16]
	for _, s := range pages {
		l.wire(s)
		s.params.Opus = true
	}
	if err := pages[0].join(pages[1]); err != nil {
		t.Fatal(err)
	}
	said, opus := packetOf(1, 0, codec.FrameSamples), make([]byte, 80)
	step := func() {
		for _, s := range pages {
			rtp.Header{Seq: uint16(l.at / period), Time: uint32(l.at/period) * codec.FrameSamples, SSRC: 7}.Put(said)
			s.Deliver(said, opus)
		}
		l.period20()
	}
	l.listen(a, l.streams[13])
	for range 60 {
		step()
	}
	received := l.counts.received
	if n := testing.AllocsPerRun(200, step); n != 0 {
		t.Errorf("%v allocations in a period", n)
	}
	if got := l.counts.received - received; got < 200*8*9/10 { // some are filtered by now
		t.Errorf("only %d packets were received", got)
	}
	if pages[0].stats.Opus < 200 {
		t.Errorf("only %d packets of Opus were passed", pages[0].stats.Opus)
	}
	if l.counts.sendErrors != 0 || l.streams[0].stats.Strangers != 0 {
		t.Errorf("%d errors, %d strangers", l.counts.sendErrors, l.streams[0].stats.Strangers)
	}
}

// mix lets some streams hear each other.
func (l *loopback) mix(of ...int) {
	var plan []Hearing
	for _, i := range of {
		h := Hearing{Stream: l.streams[i]}
		for _, k := range of {
			if k != i {
				h.Hears = append(h.Hears, l.streams[k])
			}
		}
		plan = append(plan, h)
	}
	exchange(l.shard, nil, plan)
}

// listen lets one stream hear both sides of another.
func (l *loopback) listen(to, listener *Stream) {
	exchange(l.shard, nil, []Hearing{{Stream: listener, Both: []*Stream{to}}})
}

// wire turns a stream to a wire, which brings the packets that the test puts in its inbox.
func (l *loopback) wire(s *Stream) {
	l.release(s)
	s.wire, s.inbox = hole{}, new(inbox)
	l.adopt(s)
}

type hole struct{}

func (hole) Send(_, _ []byte) {}

// BenchmarkTied is one period of calls of two phones each (four streams with sockets: the
// phones are streams that play), by how they are tied. "apart" is what the phones
// and the reading cost: the difference to it is what tying costs. Where a wire takes the
// place of a phone, that phone's socket costs nothing.
func BenchmarkTied(b *testing.B) {
	const calls = 25
	for _, bm := range []struct {
		name    string
		wires   int // of the two who are joined
		streams int // more of them for each call
		tie     func(l *loopback, i int)
	}{
		{"apart", 0, 0, func(*loopback, int) {}},
		{"pair", 0, 0, func(l *loopback, i int) { exchangePair(l, i) }},
		{"pair with a wire", 1, 0, func(l *loopback, i int) { exchangePair(l, i) }},
		{"pair of wires", 2, 0, func(l *loopback, i int) { exchangePair(l, i) }},
		{"pair of wires, Opus", 2, 0, func(l *loopback, i int) {
			l.streams[i+1].params.Opus, l.streams[i+2].params.Opus = true, true
			exchangePair(l, i)
		}},
		{"mix of three", 0, 0, func(l *loopback, i int) {
			l.mix(i+1, i+2, i) // the third hears the two, and says nothing
		}},
		{"pair with a listener", 0, 2, func(l *loopback, i int) {
			exchangePair(l, i)
			l.listen(l.streams[i+1], l.streams[i+4])
		}},
	} {
		b.Run(bm.name, func(b *testing.B) {
			each := 4 + bm.streams
			l := newLoopback(b, calls*each, func(int, *Params) {})
			music := Tone(440, 5000)
			music.Encoded(codec.PCMU)
			seq, opus := 0, make([]byte, 80) // of 20 ms at 32 kbit/s
			for i := 0; i < len(l.streams); i += each {
				for _, k := range []int{i, i + 3} {
					l.streams[k].items = append(l.streams[k].items, playing{Item: Item{Clips: []*Clip{music}, Loop: true}})
				}
				if bm.wires > 0 { // and the phones that they stand for
					l.wire(l.streams[i+2])
					l.wire(l.streams[i+3])
				}
				if bm.wires > 1 {
					l.wire(l.streams[i])
					l.wire(l.streams[i+1])
				}
				bm.tie(l, i)
			}
			step := func() {
				if bm.wires > 0 {
					seq++
					p := packetOf(seq, 0, codec.FrameSamples)
					for i := 0; i < len(l.streams); i += each {
						l.streams[i+2].Deliver(p, opus)
						if bm.wires > 1 {
							l.streams[i+1].Deliver(p, opus)
						}
					}
				}
				l.period20()
			}
			for range 200 { // until the kernel filters what nobody needs
				step()
			}
			b.ReportAllocs()
			for b.Loop() {
				step()
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)*float64(secondFrames)/calls, "us/call-s")
		})
	}
}

// exchangePair joins the middle two of a call's four streams.
func exchangePair(l *loopback, i int) {
	if err := l.streams[i+1].join(l.streams[i+2]); err != nil {
		panic(err)
	}
}

// BenchmarkPeriod is one 20 ms period of 100 calls: 100 packets out and 100 in.
func BenchmarkPeriod(b *testing.B) {
	l := newLoopback(b, 100, func(int, *Params) {})
	music := Tone(440, 5000)
	music.Encoded(codec.PCMU)
	for _, s := range l.streams {
		s.items = append(s.items, playing{Item: Item{Clips: []*Clip{music}, Loop: true}})
	}
	for range 10 {
		l.period20()
	}
	b.ReportAllocs()
	for b.Loop() {
		l.period20()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/200, "ns/packet")
}

// A shard that wakes late sends two packets of a stream at most and skips the
// rest; timestamps stay with the clock.
func TestLateShardDoesNotBurst(t *testing.T) {
	l := newLoopback(t, 2, func(int, *Params) {})
	l.period20()
	s := l.streams[0]
	sent, ts := s.stats.Sent, s.lastTime
	l.at += 200 * time.Millisecond
	l.turn(l.at)
	if n := s.stats.Sent - sent; n != 2 {
		t.Errorf("%d packets left at once", n)
	}
	if step := s.lastTime - ts; step != 10*codec.FrameSamples {
		t.Errorf("the timestamp went on by %d", step)
	}
	if l.counts.skipped != 2*8 || l.counts.late == 0 {
		t.Errorf("skipped %d, late %d", l.counts.skipped, l.counts.late)
	}
}

func TestLateness(t *testing.T) {
	var l lateness
	for i := range 1000 {
		d := 50 * time.Microsecond
		if i%50 == 0 {
			d = 3 * time.Millisecond
		}
		l.note(d)
	}
	l.note(time.Hour)
	for second, want := range []time.Duration{3100 * time.Microsecond, 3100 * time.Microsecond, 0} {
		if got := l.percentile(); got != want {
			t.Errorf("second %d: %v, not %v", second, got, want)
		}
	}
}
