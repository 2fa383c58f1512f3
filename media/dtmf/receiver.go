package dtmf

// Limits of telling events apart, in samples at 8 kHz.
const (
	// segment is the longest one event packet can tell; a longer press goes on
	// in a next segment (RFC 4733 section 2.5.1.3).
	segment = 0xffff
	// segmentLoss is how much of the end of a segment may be lost and the next one
	// still be taken as its continuation.
	segmentLoss = 8000
	// lateBy is how far back a timestamp counts as a late packet of an older
	// event; farther back is a sender that started anew.
	lateBy = 5 * 8000
)

// Receiver makes keys of telephone-event packets. An event is known by its SSRC
// and RTP timestamp: the key counts with the first packet that comes, be it the
// start, an update or an end; every other packet of it, repeated, late or
// reordered, changes nothing. Another timestamp is another key even if the end of
// the one before was lost. The zero value is ready.
type Receiver struct {
	seen [8]seen // ring of events
	next int
	last *seen // newest event
}

type seen struct {
	known    bool
	ssrc     uint32
	time     uint32
	code     uint8
	ended    bool
	duration uint16
}

// Note takes a packet: the SSRC, marker and timestamp of its header and its
// event. It returns the key and true once for each press.
func (r *Receiver) Note(ssrc, time uint32, marker bool, e Event) (digit byte, fresh bool) {
	digit, ok := Key(e.Code)
	if !ok {
		return 0, false
	}
	for i := range r.seen {
		s := &r.seen[i]
		if s.known && s.ssrc == ssrc && s.time == time {
			s.ended = s.ended || e.End
			s.duration = max(s.duration, e.Duration)
			return 0, false
		}
	}
	last := r.last
	if last != nil && last.ssrc == ssrc {
		step := int32(time - last.time)
		if step < 0 && step > -lateBy {
			return 0, false
		}
		if !marker && last.continues(step, e.Code) {
			r.add(seen{known: true, ssrc: ssrc, time: time, code: e.Code, ended: e.End, duration: e.Duration})
			return 0, false
		}
	}
	r.add(seen{known: true, ssrc: ssrc, time: time, code: e.Code, ended: e.End, duration: e.Duration})
	return digit, true
}

// Newest is the SSRC and RTP timestamp of the newest event; false before any came.
func (r *Receiver) Newest() (ssrc, time uint32, ok bool) {
	if r.last == nil {
		return 0, 0, false
	}
	return r.last.ssrc, r.last.time, true
}

// continues reports whether an event step samples later is the next segment of s.
func (s *seen) continues(step int32, code uint8) bool {
	return !s.ended && s.code == code && step > segment-segmentLoss && step <= segment &&
		int32(s.duration) >= step-segmentLoss
}

func (r *Receiver) add(s seen) {
	r.seen[r.next] = s
	r.last = &r.seen[r.next]
	r.next = (r.next + 1) % len(r.seen)
}
