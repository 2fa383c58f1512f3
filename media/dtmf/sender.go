package dtmf

// Shape of a sent key.
const (
	frame     = 160 // samples of 20 ms
	ends      = 3   // times the end is sent, against loss
	volume    = 10  // -10 dBm0
	maxQueue  = 32  // keys waiting; more are refused
	gapFrames = 4   // pause between keys: 80 ms, room for receivers that make tones of them
	minFrames = 2   // 40 ms: shorter keys are missed by some receivers
	maxFrames = 500 // 10 s
)

// Sender makes the telephone-event packets of keys, one each 20 ms frame: the
// first with the marker, updates with growing duration, the end three times.
// Presses longer than 8.19 s go on in a next segment. The zero value is ready.
type Sender struct {
	queue  [maxQueue]pressed // ring
	head   int
	count  int
	active bool
	frames int // left of the press
	ends   int // left to send
	gap    int // frames left of the pause after it
	start  uint32
	done   uint32 // samples of this segment so far
	first  bool
}

type pressed struct {
	code   uint8
	frames int
}

// Press queues a key of ms length, bounded to 40 ms and 10 s; false if it is no
// key or too many wait.
func (s *Sender) Press(digit byte, ms int) bool {
	code, ok := Code(digit)
	if !ok || s.count == maxQueue {
		return false
	}
	frames := max(minFrames, min(maxFrames, (ms+19)/20))
	s.queue[(s.head+s.count)%maxQueue] = pressed{code, frames}
	s.count++
	return true
}

// Busy reports whether a key or the pause after it is under way: no other packet
// is due meanwhile but silence in the pause.
func (s *Sender) Busy() bool { return s.active || s.count > 0 }

// Packet is one telephone-event packet to be sent.
type Packet struct {
	Event  Event
	Time   uint32 // RTP timestamp: the start of the event or of its segment
	Marker bool
}

// Next makes the packet of the frame that starts at RTP time now; false if none
// is due in this frame.
func (s *Sender) Next(now uint32) (Packet, bool) {
	if !s.active {
		if s.count == 0 {
			return Packet{}, false
		}
		s.active, s.first = true, true
		s.start, s.done = now, 0
		s.frames, s.ends, s.gap = s.queue[s.head].frames, ends, gapFrames
	}
	switch {
	case s.frames > 0:
		s.frames--
		s.done += frame
	case s.ends > 0: // a repeated end
	default:
		s.gap--
		if s.gap <= 0 {
			s.active = false
			s.head = (s.head + 1) % maxQueue
			s.count--
		}
		return Packet{}, false
	}
	if s.done > segment {
		s.start += segment
		s.done -= segment
	}
	p := Packet{
		Event:  Event{Code: s.queue[s.head].code, Volume: volume, Duration: uint16(s.done), End: s.frames == 0},
		Time:   s.start,
		Marker: s.first,
	}
	s.first = false
	if p.Event.End {
		s.ends--
	}
	return p, true
}
