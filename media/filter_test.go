package media

import (
	"io"
	"testing"
)

// While nobody listens, keys and a sign of life come through, and nothing else;
// as soon as somebody listens, everything does.
func TestFilter(t *testing.T) {
	l := newLoopback(t, 2, func(int, *Params) {})
	s, far := l.streams[0], l.streams[1]
	run := func(periods int) uint64 {
		before := s.stats.Received
		for range periods {
			l.period20()
		}
		return s.stats.Received - before
	}
	if n := run(100); n < 95 || s.filtered {
		t.Fatalf("the first %d packets of 100 came, filtered %v", n, s.filtered)
	}
	run(100)
	if n := run(640); n < 9 || n > 11 || !s.filtered {
		t.Errorf("filtered %v: %d packets of 640 came", s.filtered, n)
	}
	for _, d := range []byte("12#") {
		far.keysOut.Press(d, 60)
	}
	run(50)
	if s.stats.Digits != 3 {
		t.Errorf("%d keys came", s.stats.Digits)
	}
	for range 3 {
		if k, ok := (<-s.events).(Key); !ok || k.Digit == 0 {
			t.Errorf("got %+v", k)
		}
	}
	r := &Recording{stream: s, w: io.Discard, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go r.run()
	s.recordings = append(s.recordings, r)
	s.tune()
	if n := run(100); n < 98 {
		t.Errorf("recorded: %d packets of 100 came", n)
	}
	r.end(l.at)
	<-r.done
	s.recordings = nil
	run(100)
	if !s.filtered {
		t.Error("not filtered again")
	}
	if st := s.figures(); st.Lost != 0 {
		t.Errorf("%d lost", st.Lost)
	}
}

// A far end that suppresses silence sends so little that the sample of it would
// look like death.
func TestSparseSourceIsNotFiltered(t *testing.T) {
	l := newLoopback(t, 2, func(i int, p *Params) { p.Send = i == 1 })
	s, far := l.streams[0], l.streams[1]
	for range 200 {
		l.period20()
	}
	if !s.filtered {
		t.Fatal("not filtered")
	}
	for i := range 30 * 50 {
		far.params.Send = i%50 == 0 // a packet each second
		l.period20()
	}
	if s.filtered || s.silent || l.at-s.heard > 2*sparseAfter {
		t.Errorf("filtered %v, silent %v, heard %v ago", s.filtered, s.silent, l.at-s.heard)
	}
}
