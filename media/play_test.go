package media

import (
	"errors"
	"testing"
	"time"

	"tandem/media/codec"
	"tandem/media/dtmf"
)

func TestToneIsHeard(t *testing.T) {
	e := newEngine(t, Config{})
	for _, law := range []codec.Law{codec.PCMU, codec.PCMA} {
		s, p := call(t, e, law)
		if err := s.Play(Item{ID: 7, Clips: []*Clip{Tone(600, 200)}}); err != nil {
			t.Fatal(err)
		}
		p.waitTone(600, law)
		if got := nextEvent[Played](t, s); got != (Played{ID: 7, Frames: 10, Done: true}) {
			t.Errorf("%v: got %+v", law, got)
		}
	}
}

func TestKeysAreHeard(t *testing.T) {
	e := newEngine(t, Config{})
	s, p := call(t, e, codec.PCMU)
	for _, digit := range []byte("1144*#AD") {
		p.press(digit)
		if got := nextEvent[Key](t, s); got != (Key{digit, dtmf.ViaEvent}) {
			t.Fatalf("pressed %c, heard %+v", digit, got)
		}
	}
	if st := s.Close(); st.Digits != 8 || st.Strangers != 0 || st.Lost != 0 {
		t.Errorf("figures: %+v", st)
	}
}

// The rhythm of a stream is one grid of 20 ms from the first packet to the last,
// whatever is played: the timestamps say so exactly, the clock nearly.
func TestPhaseIsKept(t *testing.T) {
	e := newEngine(t, Config{})
	s, p := call(t, e, codec.PCMU)
	first, _ := p.hear(5, codec.PCMU)
	if err := s.Play(Item{ID: 1, Clips: []*Clip{Tone(500, 130)}}); err != nil {
		t.Fatal(err)
	}
	p.waitTone(500, codec.PCMU)
	if err := s.Play(Item{ID: 2, Clips: []*Clip{Tone(700, 5000)}}); err != nil {
		t.Fatal(err)
	}
	p.waitTone(700, codec.PCMU)
	s.Stop()
	last, _ := p.hear(20, codec.PCMU)
	all := append(first, last...)
	origin := all[0]
	var worst time.Duration
	for i, pk := range all {
		packets := pk.Seq - origin.Seq
		if want := origin.Time + uint32(packets)*codec.FrameSamples; pk.Time != want {
			t.Errorf("packet %d: time %d, not %d", i, pk.Time, want)
		}
		if pk.Marker != (i == 0) || pk.SSRC != origin.SSRC {
			t.Errorf("packet %d: marker %v, SSRC %x", i, pk.Marker, pk.SSRC)
		}
		off := (pk.at.Sub(origin.at) + period/2) % period
		worst = max(worst, (off - period/2).Abs())
	}
	t.Logf("worst distance from the grid: %v", worst)
	if stopped := nextEvent[Played](t, s); stopped.ID != 1 || !stopped.Done {
		t.Errorf("first item: %+v", stopped)
	}
	if stopped := nextEvent[Played](t, s); stopped.ID != 2 || stopped.Done || stopped.Frames < 5 {
		t.Errorf("stopped item: %+v", stopped)
	}
}

// Items follow each other to the sample, not to the frame.
func TestPlaylistIsGapless(t *testing.T) {
	s := &Stream{events: make(chan Event, eventRoom), engine: &Engine{}}
	square := func(n int) *Clip {
		pcm := make([]int16, n)
		for i := range pcm {
			pcm[i] = 8000
		}
		c := NewClip(pcm)
		c.Encoded(codec.PCMU)
		return c
	}
	for i, clips := range [][]*Clip{{square(100), square(7)}, {}, {square(53), square(161)}} {
		s.items = append(s.items, playing{Item: Item{ID: uint32(i), Clips: clips}})
		s.queued.Add(1)
	}
	var got []byte
	for range 3 {
		b := make([]byte, codec.FrameSamples)
		s.fill(b)
		got = append(got, b...)
	}
	loud, quiet := codec.PCMU.Sample(8000), codec.PCMU.Silence()
	for i, b := range got {
		want := loud
		if i >= 100+7+53+161 {
			want = quiet
		}
		if b != want {
			t.Fatalf("byte %d is %#x, not %#x", i, b, want)
		}
	}
	for i, frames := range []int{1, 0, 2} {
		if e := <-s.events; e != (Played{ID: uint32(i), Frames: frames, Done: true}) {
			t.Errorf("item %d: %+v", i, e)
		}
	}
	if s.queued.Load() != 0 {
		t.Errorf("%d items are still counted", s.queued.Load())
	}
}

func TestLoopUntilStopped(t *testing.T) {
	e := newEngine(t, Config{})
	s, p := call(t, e, codec.PCMU)
	for i, it := range []Item{{ID: 1, Clips: []*Clip{Tone(800, 60)}, Loop: true}, {ID: 2, Clips: []*Clip{Tone(1000, 200)}}, {ID: 3, Loop: true}} {
		if err := s.Play(it); err != nil {
			t.Fatalf("item %d: %v", i, err)
		}
	}
	p.waitTone(800, codec.PCMU)
	p.hear(10, codec.PCMU)
	s.Stop(1)
	p.waitTone(1000, codec.PCMU)
	if got := nextEvent[Played](t, s); got.ID != 1 || got.Done || got.Frames < 10 {
		t.Errorf("loop: %+v", got)
	}
	for id := uint32(2); id <= 3; id++ {
		if got := nextEvent[Played](t, s); got.ID != id || !got.Done {
			t.Errorf("item %d: %+v", id, got)
		}
	}
}

func TestPlaylistIsBounded(t *testing.T) {
	e := newEngine(t, Config{})
	s, p := call(t, e, codec.PCMU)
	for i := range maxItems {
		if err := s.Play(Item{ID: uint32(i)}); err != nil {
			t.Fatalf("item %d: %v", i, err)
		}
	}
	p.hear(3, codec.PCMU)
	// nobody has fetched an event: half of them wait, and count
	if err := s.Play(Item{ID: 64}); err != nil && !errors.Is(err, ErrFull) {
		t.Fatal(err)
	}
	p.press('5')
	for i := range maxItems {
		if got := nextEvent[Played](t, s); got.ID != uint32(i) {
			t.Fatalf("event %d is of item %d", i, got.ID)
		}
		if i == 0 {
			p.press('6')
		}
	}
	if st := s.Stats(); st.Dropped != 0 {
		t.Errorf("%d events were dropped", st.Dropped)
	}
}

// Hold: nothing leaves, the playlist waits, and the clock of the timestamps runs on.
func TestHoldSendsNothing(t *testing.T) {
	e := newEngine(t, Config{})
	s, p := call(t, e, codec.PCMU)
	if err := s.Play(Item{ID: 1, Clips: []*Clip{Tone(600, 400)}}); err != nil {
		t.Fatal(err)
	}
	p.waitTone(600, codec.PCMU)
	last := p.next()
	held := params(p, codec.PCMU)
	held.Send = false
	s.Set(held)
	s.Stats() // the command before it has run
	for {
		pk, ok := p.within(100 * time.Millisecond)
		if !ok {
			break
		}
		last = pk
	}
	s.Set(params(p, codec.PCMU))
	again := p.next()
	if !again.Marker || again.Seq != last.Seq+1 {
		t.Errorf("marker %v, seq %d after %d", again.Marker, again.Seq, last.Seq)
	}
	if step := again.Time - last.Time; step < 5*codec.FrameSamples || step%codec.FrameSamples != 0 {
		t.Errorf("the timestamp went on by %d", step)
	}
	if got := nextEvent[Played](t, s); got.Frames != 20 || !got.Done {
		t.Errorf("after hold: %+v", got)
	}
}

func TestCloseWhilePlaying(t *testing.T) {
	e := newEngine(t, Config{})
	s, p := call(t, e, codec.PCMU)
	if err := s.Play(Item{ID: 1, Clips: []*Clip{Tone(600, 10000)}}); err != nil {
		t.Fatal(err)
	}
	p.waitTone(600, codec.PCMU)
	st := s.Close()
	if st.Sent == 0 || st != s.Close() || st != s.Stats() {
		t.Errorf("figures: %+v, then %+v", st, s.Stats())
	}
	for range s.Events() {
	}
	if err := s.Play(Item{}); !errors.Is(err, ErrClosed) {
		t.Errorf("play after close: %v", err)
	}
	s.Set(Params{})
	s.Stop()
	s.Hush(true)
	if _, err := s.Record(nil, false).Stop(); !errors.Is(err, ErrClosed) {
		t.Errorf("record after close: %v", err)
	}
}
