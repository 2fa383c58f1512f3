package media

import (
	"bytes"
	"sync"
	"testing"
	"time"

	"tandem/media/codec"
	"tandem/media/rtp"
)

// basket keeps the newest packets of a wire.
type basket struct {
	mu   sync.Mutex
	last [][]byte // at most 64
}

func (b *basket) Send(packet, _ []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.last = append(b.last, append([]byte(nil), packet...)); len(b.last) > 64 {
		b.last = b.last[1:]
	}
}

func packetOf(seq int, payload byte, n int) []byte {
	b := make([]byte, rtp.HeaderSize+n)
	rtp.Header{Payload: payload, Seq: uint16(seq), Time: uint32(seq * codec.FrameSamples), SSRC: 7}.Put(b)
	return b
}

func TestInboxDropsTheOldest(t *testing.T) {
	var x inbox
	var b [maxPacket]byte
	if _, _, ok := x.take(b[:]); ok {
		t.Error("an empty inbox gave a packet")
	}
	for i := range wireRoom + 5 {
		x.put([]byte{byte(i)}, nil)
	}
	for i := 5; i < wireRoom+5; i++ {
		if p, _, ok := x.take(b[:]); !ok || len(p) != 1 || b[0] != byte(i) {
			t.Fatalf("instead of %d came %v, %v", i, p, ok)
		}
	}
	if _, _, ok := x.take(b[:]); ok || x.dropped.Load() != 5 {
		t.Errorf("something is left; %d dropped", x.dropped.Load())
	}
	x.put(make([]byte, wirePacket+1), nil)
	if x.waiting() || x.dropped.Load() != 6 {
		t.Error("a packet that is too long was taken")
	}
	x.put(make([]byte, 172), make([]byte, wirePacket-171))
	if p, original, ok := x.take(b[:]); len(p) != 172 || len(original) != 0 || !ok {
		t.Errorf("of a packet whose original is too long came %d bytes and %d, %v", len(p), len(original), ok)
	}
}

// One puts as fast as it can, one takes: what comes is in order and whole, and what does
// not is counted.
func TestInboxUnderPressure(t *testing.T) {
	const all = 20_000
	var x inbox
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range all {
			x.put([]byte{byte(i), byte(i >> 8), byte(i >> 16)}, bytes.Repeat([]byte{byte(i)}, i%40))
		}
	}()
	var b [maxPacket]byte
	came, last := 0, -1
	for finished := false; ; {
		p, original, ok := x.take(b[:])
		if !ok {
			if finished {
				break
			}
			select {
			case <-done:
				finished = true
			default:
			}
			continue
		}
		i := int(b[0]) | int(b[1])<<8 | int(b[2])<<16
		if len(p) != 3 || !bytes.Equal(original, bytes.Repeat([]byte{byte(i)}, i%40)) || i <= last {
			t.Fatalf("%d came after %d: %v, %v", i, last, p, original)
		}
		came, last = came+1, i
	}
	if got := came + int(x.dropped.Load()); got != all {
		t.Errorf("%d came and %d were dropped of %d", came, x.dropped.Load(), all)
	}
}

// A stream on a wire has no port, plays, hears keys, and is Silent when nothing comes.
func TestWire(t *testing.T) {
	e := newEngine(t, Config{Timeout: time.Second})
	if _, err := e.OpenWire(nil); err == nil {
		t.Error("a stream was opened on no wire")
	}
	var far basket
	s, err := e.OpenWire(&far)
	if err != nil {
		t.Fatal(err)
	}
	if l := e.Load(); s.Port() != 0 || l.Wires != 1 || l.Streams != 0 {
		t.Errorf("port %d, load %+v", s.Port(), l)
	}
	s.Deliver(packetOf(1, 0, codec.FrameSamples), nil) // before Set: nobody is there yet
	s.Set(Params{Law: codec.PCMU, Event: 101, Send: true, Recv: true})
	if err := s.Play(Item{ID: 3, Clips: []*Clip{Tone(440, 40)}}); err != nil {
		t.Fatal(err)
	}
	if got := nextEvent[Played](t, s); got.ID != 3 || !got.Done {
		t.Errorf("played %+v", got)
	}
	event := packetOf(2, 101, 4)
	copy(event[rtp.HeaderSize:], []byte{5, 10, 0, 160})
	s.Deliver(event, nil)
	if got := nextEvent[Key](t, s); got.Digit != '5' {
		t.Errorf("key %+v", got)
	}
	nextEvent[Silent](t, s)
	s.Deliver([]byte{1, 2, 3}, nil)
	waitStats(t, s, func(st Stats) bool { return st.Malformed == 1 })
	st := s.Close()
	if st.Sent == 0 || st.Received < 1 || st.Strangers != 0 || st.Faults != 0 {
		t.Errorf("figures: %+v", st)
	}
	s.Deliver(packetOf(3, 0, codec.FrameSamples), nil) // a browser does not know yet
	if l := e.Load(); l.Wires != 0 {
		t.Errorf("load %+v", l)
	}
	e.Drain()
	if _, err := e.OpenWire(&far); err == nil {
		t.Error("a stream was opened while draining")
	}
}

// Everything that ties streams, at once and for a while, from many goroutines: nothing
// stands still, and afterwards two can be joined.
func TestTiesUnderPressure(t *testing.T) {
	e := newEngine(t, Config{Shards: 2})
	var all []*Stream
	for range 6 {
		s, err := e.OpenWire(&basket{})
		if err != nil {
			t.Fatal(err)
		}
		s.Set(Params{Law: codec.PCMU, Event: 101, Send: true, Recv: true})
		all = append(all, s)
	}
	rounds := 150
	if testing.Short() {
		rounds = 30
	}
	mixes := []*Mix{NewMix(e), NewMix(e)}
	var running sync.WaitGroup
	running.Go(func() {
		for i := range rounds {
			_ = mixes[0].Set([]Hearing{{Stream: all[i%3], Hears: []*Stream{all[3], all[4]}}, {Stream: all[3], Both: []*Stream{all[i%3], all[5]}}})
		}
	})
	running.Go(func() {
		for i := range rounds {
			_ = mixes[1].Set([]Hearing{{Stream: all[5], Both: []*Stream{all[i%5]}}}[:i%2])
		}
	})
	running.Go(func() {
		for i := range rounds {
			if part, err := Join(all[i%6], all[(i+1)%6]); err == nil {
				part()
			}
		}
	})
	running.Go(func() {
		for i := range rounds {
			for k, s := range all {
				s.Deliver(packetOf(i, 0, codec.FrameSamples), nil)
				s.Hush(i%7 == k)
				s.Path()
			}
		}
	})
	running.Go(func() {
		for range rounds / 3 {
			s, err := e.OpenWire(&basket{})
			if err != nil {
				t.Error(err)
				return
			}
			s.Set(Params{Law: codec.PCMA, Payload: 8, Send: true, Recv: true})
			if part, err := Join(s, all[0]); err == nil {
				defer part()
			}
			s.Close()
		}
	})
	running.Wait()
	for _, m := range mixes {
		m.Close()
	}
	for _, s := range all {
		s.Hush(false)
	}
	if _, err := Join(all[0], all[5]); err != nil {
		t.Error(err)
	}
	for i, sh := range e.shards {
		joined := make(chan int, 1)
		if err := sh.call(nil, func() { joined <- sh.joined }); err != nil {
			t.Fatal(err)
		}
		if got, want := <-joined, map[bool]int{true: 2, false: 0}[sh == all[0].shard]; got != want {
			t.Errorf("shard %d counts %d joined, not %d", i, got, want)
		}
	}
	for _, s := range all {
		if s.party != nil || len(s.hearers)+len(s.listeners) > 0 || s.voice != nil {
			t.Error("something is still tied")
		}
	}
}
