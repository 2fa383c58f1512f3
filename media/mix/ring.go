// Package mix has the pure parts of mixing: a jitter buffer that places one source's
// samples by their RTP time, and the sum of several sources.
//
// It starts no goroutine, does no input or output, reads no clock and never allocates
// after NewRing: times are handed in. All audio is 16-bit mono at 8,000 samples per second,
// and all times are in samples.
package mix

import "tandem/media/codec"

const (
	// ringSize is the reach of a ring, a power of two: 512 ms.
	ringSize = 4096
	ms       = codec.Rate / 1000
	// frame is how much is read at once: a sample is heard one frame after its place.
	frame = codec.FrameSamples
	// firstMargin is how early packets of a source that is not known yet are taken to be:
	// with the frame, 40 ms of delay.
	firstMargin = 20 * ms
	// mostMargin bounds it: with the frame, 100 ms. The least is 20 ms, the frame alone.
	mostMargin = 80 * ms
	// guard is what is kept beyond the jitter seen: the reader's own unsteadiness.
	guard = 4 * ms
	// lag is how much too early packets may be before the delay is shortened.
	lag = 10 * ms
	// cut is how much is left out at once to shorten the delay, where it is quiet.
	cut = 5 * ms
	// quiet is the peak below which a cut is not heard.
	quiet = 300
	// window is how many packets the figures of jitter are taken from, twice.
	window = 100
	// tooEarly and tooLate is what jitter cannot be: the source has a new clock.
	tooEarly = 200 * ms
	tooLate  = 300 * ms
)

// Ring holds what one source says, each sample at its place on the reader's clock: that
// of its RTP time, moved by a delay that follows the source's jitter and drift. One
// goroutine writes and reads. Any number of readers may read it, each at its own
// phase; reading changes nothing.
type Ring struct {
	pcm  [ringSize]int16
	end  int64 // place after the newest sample
	from int64 // nothing before it is valid

	known bool
	time  uint32 // RTP time of the packet before
	line  int64  // the same, unwrapped
	shift int64  // place minus unwrapped time
	now   span   // of the packets' ways in this window
	prior span
	late  uint64
}

// span is what is known of how late packets came, relative to each other.
type span struct {
	n     int
	least int64
	most  [3]int64 // the latest three, the latest first: two in a window may be late unheeded
}

func (s *span) note(way int64) {
	if s.n == 0 {
		s.least, s.most = way, [3]int64{way, way - tooLate, way - tooLate}
		s.n = 1
		return
	}
	s.n++
	s.least = min(s.least, way)
	switch {
	case way > s.most[0]:
		s.most = [3]int64{way, s.most[0], s.most[1]}
	case way > s.most[1]:
		s.most[1], s.most[2] = way, s.most[1]
	case way > s.most[2]:
		s.most[2] = way
	}
}

// NewRing makes a ring that has heard nothing.
func NewRing() *Ring { return new(Ring) }

// Put takes a packet's samples: its RTP time and when it came on the reader's clock.
// What comes after its place has been read is dropped and counted.
func (r *Ring) Put(time uint32, came int64, pcm []int16) {
	if len(pcm) == 0 || len(pcm) > ringSize/2 {
		return
	}
	if r.known {
		r.line += int64(int32(time - r.time))
	}
	r.time = time
	if margin := r.line + r.shift - came; !r.known || margin > tooEarly || margin < -tooLate {
		r.known, r.now, r.prior = true, span{}, span{}
		r.shift = came + firstMargin - r.line
	}
	r.now.note(came - r.line)
	r.adapt(pcm)
	at := r.line + r.shift
	if at+int64(len(pcm)) <= came {
		r.late++
		return
	}
	r.write(at, pcm)
}

// adapt moves the delay to what the jitter asks for.
func (r *Ring) adapt(pcm []int16) {
	least, most := r.now.least, r.now.most[2]
	if r.prior.n > 0 {
		least, most = min(least, r.prior.least), max(most, r.prior.most[2])
	}
	want := min(max(most+guard, least), least+mostMargin)
	switch over := r.shift - want; {
	case over < 0: // too late already: a gap now is better than one each packet
		r.shift = want
	case over > lag && r.prior.n > 0 && (over > 2*lag && r.now.n == window || peak(pcm) < quiet):
		r.shift -= min(cut, over)
	}
	r.shift = min(r.shift, least+mostMargin)
	if r.now.n >= window {
		r.prior, r.now = r.now, span{}
	}
}

// write puts samples into their place; a hole before them is silence.
func (r *Ring) write(at int64, pcm []int16) {
	if at > r.end {
		for p := max(r.end, at-ringSize); p < at; p++ {
			r.pcm[p&(ringSize-1)] = 0
		}
	}
	n := copy(r.pcm[at&(ringSize-1):], pcm)
	copy(r.pcm[:], pcm[n:])
	r.end = max(r.end, at+int64(len(pcm)))
}

// Add adds the samples from a place on to sum, where there are any; it reports whether
// there were.
func (r *Ring) Add(sum []int32, at int64) bool {
	first := max(at, r.from, r.end-ringSize)
	last := min(at+int64(len(sum)), r.end)
	if first >= last {
		return false
	}
	to := sum[first-at : last-at]
	from := r.pcm[first&(ringSize-1):]
	n := min(len(to), len(from))
	plus(to[:n], from)
	plus(to[n:], r.pcm[:])
	return true
}

// plus adds as many samples as to has.
func plus(to []int32, from []int16) {
	from = from[:len(to)]
	for i, s := range from {
		to[i] += int32(s)
	}
}

// Clear forgets the samples that wait, and keeps the delay.
func (r *Ring) Clear() {
	r.from = r.end
	clear(r.pcm[:])
}

// Late is how many packets came after their time.
func (r *Ring) Late() uint64 { return r.late }

// Delay is how long a sample waits now, from the coming of a packet that came as fast as
// any, with the frame it is sent in.
func (r *Ring) Delay() int64 {
	least := r.now.least
	switch {
	case !r.known:
		return 0
	case r.now.n == 0:
		least = r.prior.least
	case r.prior.n > 0:
		least = min(least, r.prior.least)
	}
	return r.shift - least + frame
}

func peak(pcm []int16) (most int16) {
	for _, s := range pcm {
		most = max(most, s, -max(s, -32767))
	}
	return most
}

// Saturate writes sum into dst, cut off where it is too loud for 16 bits.
func Saturate(dst []int16, sum []int32) {
	for i, s := range sum[:min(len(sum), len(dst))] {
		dst[i] = int16(min(max(s, -32768), 32767))
	}
}
