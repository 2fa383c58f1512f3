package media

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"tandem/media/codec"
)

// paced calls f every 20 ms, n times: a phone's own clock.
func paced(n int, f func(i int)) {
	tick := time.NewTicker(period)
	defer tick.Stop()
	for i := range n {
		f(i)
		<-tick.C
	}
}

func decoded(law codec.Law, b []byte) []int16 {
	pcm := make([]int16, len(b))
	law.Decode(pcm, b)
	return pcm
}

func TestRecording(t *testing.T) {
	e := newEngine(t, Config{})
	s, p := call(t, e, codec.PCMU)
	p.speak(1, 0)
	p.next()
	var mono, stereo bytes.Buffer
	m, st := s.Record(&mono, false), s.Record(&stereo, true)
	if err := s.Play(Item{ID: 1, Clips: []*Clip{Tone(1000, 2000)}}); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	paced(25, func(int) { p.speak(1, 500) })
	p.press('5')
	paced(10, func(int) {})
	frames, err := m.Stop()
	took := int(time.Since(began) / period)
	if err != nil || frames < 34 || frames > took+1 || mono.Len() < (frames-1)*codec.FrameSamples {
		t.Fatalf("%d frames of %d bytes in %d periods, %v", frames, mono.Len(), took, err)
	}
	pcm := decoded(m.Law(), mono.Bytes())
	if l := level(pcm[800:3200], 500); l < 0.9 {
		t.Errorf("the phone's tone makes up %.2f of the recording", l)
	}
	if l := level(pcm[len(pcm)-1280:], 500); l != 0 {
		t.Error("a key or silence is heard at the end")
	}
	if _, err := st.Stop(); err != nil {
		t.Fatal(err)
	}
	var heard, said []byte
	for i, b := range stereo.Bytes() {
		if i%2 == 0 {
			heard = append(heard, b)
		} else {
			said = append(said, b)
		}
	}
	if a, b := level(decoded(st.Law(), heard)[800:3200], 500), level(decoded(st.Law(), said)[800:3200], 1000); a < 0.9 || b < 0.9 {
		t.Errorf("left %.2f, right %.2f", a, b)
	}
	if again, err := st.Stop(); err != nil || again == 0 {
		t.Errorf("stopped again: %d, %v", again, err)
	}
}

// While hushed or paused nothing of the far end is kept, but the time is.
func TestHushedAndPausedAreSilence(t *testing.T) {
	e := newEngine(t, Config{})
	s, p := call(t, e, codec.PCMU)
	p.speak(1, 0)
	p.next()
	var b bytes.Buffer
	r := s.Record(&b, false)
	s.Hush(true)
	p.press('1')
	if got := nextEvent[Key](t, s); got.Digit != '1' {
		t.Errorf("hushed, heard %+v", got)
	}
	paced(10, func(int) { p.speak(1, 500) })
	s.Stats()
	s.Hush(false)
	r.Pause(true)
	paced(10, func(int) { p.speak(1, 500) })
	r.Pause(false)
	frames, err := r.Stop()
	if err != nil || frames < 20 {
		t.Fatalf("%d frames, %v", frames, err)
	}
	for i, s := range decoded(r.Law(), b.Bytes()) {
		if s > 8 || s < -8 {
			t.Fatalf("sample %d is %d", i, s)
		}
	}
}

// TestHushOutlastsTheTone: the last key of a secret still sounds when its entry is over.
func TestHushOutlastsTheTone(t *testing.T) {
	e := newEngine(t, Config{})
	s, p := call(t, e, codec.PCMU)
	with := params(p, codec.PCMU)
	with.Event, with.Tones = 0, true
	s.Set(with)
	p.speak(1, 0)
	p.next()
	var b bytes.Buffer
	r := s.Record(&b, false)
	s.Hush(true)
	low, high := sine(770, 20*codec.FrameSamples), sine(1336, 20*codec.FrameSamples)
	five := func(i int) {
		frame, pcm := make([]byte, codec.FrameSamples), make([]int16, codec.FrameSamples)
		for k := range pcm {
			pcm[k] = low[i*codec.FrameSamples+k]/2 + high[i*codec.FrameSamples+k]/2
		}
		codec.PCMU.Encode(frame, pcm)
		p.send(frame)
		p.head.Time += codec.FrameSamples
	}
	paced(5, five)
	if got := nextEvent[Key](t, s); got.Digit != '5' {
		t.Fatalf("heard %+v", got)
	}
	s.Hush(false)
	paced(10, func(i int) { five(5 + i) })
	paced(5, func(int) { p.speak(1, 0) })
	paced(10, func(int) { p.speak(1, 500) })
	if _, err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	pcm := decoded(r.Law(), b.Bytes())
	heard := false
	for i := 0; i+800 <= len(pcm); i += 160 {
		if l := level(pcm[i:i+800], 770); l > 0.1 {
			t.Fatalf("at sample %d the key's tone makes up %.2f", i, l)
		}
		heard = heard || level(pcm[i:i+800], 500) > 0.9
	}
	if !heard {
		t.Error("what follows the key is not recorded")
	}
}

var errDisk = errors.New("disk full")

// stubborn is a writer that fails or hangs.
type stubborn struct {
	err  error
	gate chan struct{}
}

func (w stubborn) Write(b []byte) (int, error) {
	if w.gate != nil {
		<-w.gate
	}
	return len(b), w.err
}

func TestWriterFailsOrIsSlow(t *testing.T) {
	quiet := make([]byte, codec.FrameSamples)
	record := func(w stubborn, frames int) *Recording {
		s := &Stream{closed: true}
		r := &Recording{w: w, stream: s, wake: make(chan struct{}, 1), done: make(chan struct{})}
		go r.run()
		for i := range frames {
			r.put(received, quiet, codec.PCMU, uint32(i*codec.FrameSamples), time.Duration(i)*period)
		}
		return r
	}
	r := record(stubborn{err: errDisk}, 40)
	r.end(40 * period)
	if _, err := r.Stop(); !errors.Is(err, errDisk) {
		t.Errorf("a failing writer: %v", err)
	}
	gate := make(chan struct{})
	r = record(stubborn{gate: gate}, 3*tapRoom) // never waits
	close(gate)
	r.end(3 * tapRoom * period)
	if _, err := r.Stop(); !errors.Is(err, ErrSlow) {
		t.Errorf("a slow writer: %v", err)
	}
}

func TestCloseEndsRecording(t *testing.T) {
	e := newEngine(t, Config{})
	s, p := call(t, e, codec.PCMU)
	var b bytes.Buffer
	r := s.Record(&b, false)
	paced(5, func(int) { p.speak(1, 500) })
	s.Close()
	if frames, err := r.Stop(); err != nil || frames < 5 || b.Len() == 0 {
		t.Errorf("%d frames, %d bytes, %v", frames, b.Len(), err)
	}
}

// The canvas shows loss as silence, puts late frames in their place, and starts
// anew where the clock of the far end jumps.
func TestCanvas(t *testing.T) {
	type came struct {
		frame, wall int // in frames
		stamp       uint32
	}
	at := func(frame, wall int) came { return came{frame, wall, uint32(4294967000 + frame*codec.FrameSamples)} }
	tests := []struct {
		name   string
		came   []came
		length int
		want   string
	}{
		{"in order", []came{at(0, 0), at(1, 1), at(2, 2)}, 3, "012"},
		{"one lost", []came{at(0, 0), at(2, 2), at(3, 3)}, 4, "0.23"},
		{"reordered", []came{at(0, 0), at(2, 1), at(1, 2), at(3, 3)}, 4, "0123"},
		{"jitter", []came{at(0, 0), at(1, 5), at(2, 5), at(3, 5), at(4, 5), at(5, 5)}, 6, "012345"},
		{"begins late", []came{at(0, 3), at(1, 4)}, 6, "...01."},
		{"a new time base", []came{at(0, 0), at(1, 1), {2, 2, 77000}, {3, 3, 77160}}, 4, "0123"},
		{"far too late", []came{at(0, 0), at(1, 1), at(30, 30), at(31, 31)}, 32, "01" + "............................" + "UV"},
		{"cut at the end", []came{at(0, 0), at(1, 1)}, 1, "0"},
		{"a long silence", []came{at(0, 0), at(1, 60)}, 61, "0...........................................................1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			c := newCanvas(&b, codec.PCMU, false)
			for _, f := range tt.came {
				x := tap{n: codec.FrameSamples, time: f.stamp, wall: int64(f.wall * codec.FrameSamples)}
				for i := range x.data {
					x.data[i] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[f.frame]
				}
				c.place(&x)
			}
			c.flush(int64(tt.length * codec.FrameSamples))
			var got []byte
			for i := 0; i < b.Len(); i += codec.FrameSamples {
				x := b.Bytes()[i]
				if x == codec.PCMU.Silence() {
					x = '.'
				}
				got = append(got, x)
			}
			if string(got) != tt.want {
				t.Errorf("got %q, not %q", got, tt.want)
			}
		})
	}
}
