package mix

import (
	"math/rand/v2"
	"testing"

	"tandem/media/codec"
)

const packetLen = codec.FrameSamples

// source says a ramp, so that every sample tells where it belongs: 1, 2, 3, …, by packets.
type source struct {
	ring  *Ring
	start uint32 // RTP time of sample 0
}

func (s *source) put(packet int, came int64) {
	var pcm [packetLen]int16
	for i := range pcm {
		pcm[i] = sample(packet*packetLen + i)
	}
	s.ring.Put(s.start+uint32(packet*packetLen), came, pcm[:])
}

func sample(i int) int16 { return int16(i%30000 + 1) }

// read takes what a reader hears at a time.
func read(r *Ring, at int64) ([]int32, bool) {
	sum := make([]int32, packetLen)
	ok := r.Add(sum, at-packetLen)
	return sum, ok
}

// run feeds packets with the given ways (how late each comes) and reads a frame each 20
// ms at a phase; it returns what was heard as one run of samples.
func run(r *Ring, packets int, way func(i int) int, phase int64) (heard []int32) {
	s := &source{ring: r, start: 4294967000}
	pending := map[int64][]int{} // by the ms in which they come
	for i := range packets {
		if w := way(i); w >= 0 {
			at := int64(i)*packetLen + int64(w)
			pending[at/ms] = append(pending[at/ms], i)
		}
	}
	for t := int64(0); t < int64(packets)*packetLen+2000; t += ms {
		for _, i := range pending[t/ms] {
			s.put(i, t)
		}
		if (t-phase)%packetLen == 0 {
			sum, _ := read(r, t)
			heard = append(heard, sum...)
		}
	}
	return heard
}

// gaps counts the places where the ramp does not go on, between its first sample and its
// last; a run of silence is one. delay is where its first sample is.
func gaps(heard []int32) (n, delay int) {
	delay = -1
	next, silent := int32(0), false
	for i, s := range heard {
		switch {
		case s == 0:
			silent = true
			continue
		case delay < 0:
			delay = i
		case s != next || silent:
			n++
		}
		next, silent = s%30000+1, false
	}
	return n, delay
}

func TestSteadySourceIsHeardWhole(t *testing.T) {
	for _, phase := range []int64{0, 40, 80, 120} {
		heard := run(NewRing(), 150, func(int) int { return 0 }, phase)
		n, delay := gaps(heard)
		if n != 0 || delay > 2*packetLen || delay < packetLen-1 {
			t.Errorf("phase %d: %d gaps, the first sample %d samples late", phase, n, delay)
		}
	}
}

func TestJitter(t *testing.T) {
	tests := []struct {
		name  string
		way   func(i int) int
		gaps  int // at most
		delay [2]int64
	}{
		{"none", func(int) int { return 0 }, 2, [2]int64{160, 320}},
		{"15 ms", func(int) int { return rand.IntN(15 * ms) }, 4, [2]int64{200, 480}},
		{"50 ms", func(i int) int { return rand.IntN(50 * ms) }, 60, [2]int64{400, 680}},
		{"beyond bounds", func(i int) int { return rand.IntN(200 * ms) }, 100000, [2]int64{160, 800}},
		{"one packet in five after the next", func(i int) int {
			if i%5 == 1 {
				return 25 * ms
			}
			return 0
		}, 4, [2]int64{320, 480}},
		{"now and then a late one", func(i int) int {
			if i%90 == 60 {
				return 120 * ms
			}
			return 0
		}, 12, [2]int64{160, 320}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := NewRing()
			n, _ := gaps(run(r, 500, tt.way, 40))
			if d := r.Delay(); n > tt.gaps || d < tt.delay[0] || d > tt.delay[1] {
				t.Errorf("%d gaps, delay %d ms, %d late", n, d/ms, r.Late())
			}
		})
	}
}

// What is lost is silence, and what follows keeps its place.
func TestLossIsSilence(t *testing.T) {
	heard := run(NewRing(), 60, func(i int) int {
		if i == 30 {
			return -1
		}
		return 0
	}, 0)
	silent := 0
	for _, s := range heard[20*packetLen : 50*packetLen] {
		if s == 0 {
			silent++
		}
	}
	if n, _ := gaps(heard); silent != packetLen || n > 2 {
		t.Errorf("%d samples of silence, %d gaps", silent, n)
	}
}

// A source whose clock is 500 ppm off is followed in both directions, within the bounds.
func TestDrift(t *testing.T) {
	for _, ppm := range []int{500, -500} {
		r := NewRing()
		s := &source{ring: r}
		for i := range 6000 { // two minutes: 60 ms of drift
			came := int64(i)*packetLen + int64(i)*packetLen*int64(ppm)/1_000_000
			var pcm [packetLen]int16
			r.Put(s.start+uint32(i*packetLen), came, pcm[:])
			read(r, came)
			if d := r.Delay(); i > 300 && (d < 160 || d > 400) {
				t.Fatalf("%d ppm, packet %d: delay %d ms", ppm, i, d/ms)
			}
		}
		if r.Late() > 0 {
			t.Errorf("%d ppm: %d late", ppm, r.Late())
		}
	}
}

// After rough weather the delay comes down again.
func TestDelayComesDown(t *testing.T) {
	r := NewRing()
	rough := func(i int) int {
		if i < 200 {
			return rand.IntN(60 * ms)
		}
		return 0
	}
	s := &source{ring: r}
	most := int64(0)
	for i := range 1500 {
		var quiet [packetLen]int16
		r.Put(s.start+uint32(i*packetLen), int64(i*packetLen+rough(i)), quiet[:])
		most = max(most, r.Delay())
	}
	if d := r.Delay(); most < 400 || d > 320 {
		t.Errorf("%d ms at most, %d ms now", most/ms, d/ms)
	}
}

func TestNewClockOfTheSource(t *testing.T) {
	r := NewRing()
	s := &source{ring: r}
	for i := range 50 {
		s.put(i, int64(i*packetLen))
	}
	s.start = 3_000_000_000
	for i := 50; i < 60; i++ {
		s.put(i, int64(i*packetLen))
	}
	sum, ok := read(r, 59*packetLen+firstMargin)
	if n, _ := gaps(sum); !ok || n != 0 || sum[0] == 0 {
		t.Errorf("after the new clock: %v, %v", ok, sum[:4])
	}
	if d := r.Delay(); d != firstMargin+frame {
		t.Errorf("delay %d ms", d/ms)
	}
}

func TestClear(t *testing.T) {
	r := NewRing()
	s := &source{ring: r}
	for i := range 10 {
		s.put(i, int64(i*packetLen))
	}
	r.Clear()
	for at := int64(0); at < 20*packetLen; at += 40 {
		if sum, ok := read(r, at); ok || sum[0] != 0 {
			t.Fatalf("at %d something is left", at)
		}
	}
	for i := 10; i < 20; i++ {
		s.put(i, int64(i*packetLen))
	}
	if _, ok := read(r, 15*packetLen); !ok {
		t.Error("what came afterwards is not heard")
	}
}

func TestNothingIsNotHeard(t *testing.T) {
	r := NewRing()
	if _, ok := read(r, 1000); ok || r.Delay() != 0 {
		t.Error("an empty ring was heard")
	}
	r.Put(0, 0, nil)
	r.Put(0, 0, make([]int16, ringSize))
	if _, ok := read(r, 1000); ok {
		t.Error("what is no packet was taken")
	}
	s := &source{ring: r}
	s.put(0, 0)
	if _, ok := read(r, 5*ringSize); ok {
		t.Error("what is long past was heard again")
	}
}

func TestSaturate(t *testing.T) {
	var dst [4]int16
	Saturate(dst[:], []int32{40000, -40000, 12, -32768})
	if dst != [4]int16{32767, -32768, 12, -32768} {
		t.Errorf("%v", dst)
	}
}

// FuzzRing feeds any times: it must not panic, nor hold back more than its bound.
func FuzzRing(f *testing.F) {
	f.Add(uint32(0), int64(160), uint32(160), int64(320), uint8(160))
	f.Fuzz(func(t *testing.T, time uint32, came int64, step uint32, gap int64, n uint8) {
		came, gap = came%(1<<40), gap%(1<<30)
		r := NewRing()
		pcm := make([]int16, n)
		for range 8 {
			r.Put(time, came, pcm)
			if d := r.shift + r.line - came; n > 0 && d > tooEarly {
				t.Fatalf("held back %d samples", d)
			}
			read(r, came)
			time, came = time+step, came+gap
		}
	})
}

func BenchmarkPut(b *testing.B) {
	r := NewRing()
	var pcm [packetLen]int16
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		r.Put(uint32(i*packetLen), int64(i*packetLen), pcm[:])
		i++
	}
}

func BenchmarkAdd(b *testing.B) {
	r := NewRing()
	s := &source{ring: r}
	for i := range 5 {
		s.put(i, int64(i*packetLen))
	}
	var sum [packetLen]int32
	b.ReportAllocs()
	for b.Loop() {
		r.Add(sum[:], 2*packetLen)
	}
}
