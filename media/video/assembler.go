package video

import (
	"time"

	"tandem/media/rtp"
)

// Bounds of putting frames together.
const (
	window   = 512                    // packets that wait for one before them
	gapFor   = 400 * time.Millisecond // a packet that is missing for longer is lost: time for one retransmission on a slow line
	maxFrame = 1 << 20                // bytes; a keyframe of 1080 lines takes a fifth
)

// assembler puts frames together from packets that come in any order. It holds at most
// window packets and one frame. After a loss it gives nothing until a keyframe.
type assembler struct {
	begin func() []byte // room for a frame, of length 0; nil = there is none now
	done  func(Frame)   // a whole frame; Data is in what begin gave

	slots   [window]slot
	started bool
	next    int64     // the number that is waited for
	top     int64     // the highest that came
	gap     time.Time // since when it is missing; zero = it is not
	synced  bool      // a keyframe came, and nothing was lost since
	wanting bool      // a keyframe, since the last call of lost
	in      bool      // a frame has begun
	frame   Frame
	width   int
	height  int
}

// slot is a packet that waits.
type slot struct {
	seq     int64
	used    bool
	time    uint32
	marker  bool
	start   bool
	at      time.Time
	data    []byte // VP8
	padding bool
}

// push takes a packet of a sink.
func (a *assembler) push(h *rtp.Header, payload []byte, now time.Time) {
	d, ok := descriptor{}, true
	if len(payload) > 0 {
		if d, ok = parse(payload); !ok {
			return
		}
	}
	if !a.started {
		a.started, a.next = true, 1<<16+int64(h.Seq)
		a.top = a.next - 1
	}
	seq := a.top + int64(int16(h.Seq-uint16(a.top)))
	if seq < a.next {
		return // it was there, or was given up
	}
	if seq >= a.next+window {
		a.skip(seq)
	}
	s := &a.slots[seq%window]
	if s.used && s.seq == seq {
		return
	}
	a.top = max(a.top, seq)
	s.seq, s.used, s.time, s.marker, s.start, s.at, s.padding = seq, true, h.Time, h.Marker, d.start, now, len(payload) == 0
	s.data = append(s.data[:0], payload[d.size:]...)
	a.advance()
	for a.next <= a.top {
		if a.gap.IsZero() {
			a.gap = a.waits()
		}
		if now.Sub(a.gap) < gapFor {
			return
		}
		a.lose()
		for !a.has(a.next) {
			a.next++
		}
		a.advance()
	}
	a.gap = time.Time{}
}

// waits is since when the first packet after the gap is there.
func (a *assembler) waits() time.Time {
	n := a.next
	for !a.has(n) { // top is there
		n++
	}
	return a.slots[n%window].at
}

// skip gives up what is missing so that a packet far ahead has room.
func (a *assembler) skip(seq int64) {
	a.lose()
	for a.next+window <= seq {
		if a.next > a.top { // nothing waits any more
			a.next = seq
			break
		}
		if a.has(a.next) {
			a.take()
		} else {
			a.next++
		}
	}
	a.gap = time.Time{}
}

func (a *assembler) has(seq int64) bool {
	s := &a.slots[seq%window]
	return s.used && s.seq == seq
}

// advance takes what came without a gap.
func (a *assembler) advance() {
	was := a.next
	for a.has(a.next) {
		a.take()
	}
	if a.next != was {
		a.gap = time.Time{}
	}
}

// take adds the next packet, which is there, to the frame.
func (a *assembler) take() {
	s := &a.slots[a.next%window]
	a.next++
	s.used = false
	if s.padding {
		return
	}
	if a.in && (s.start || s.time != a.frame.Time) {
		a.lose() // its last packet, which has the marker, never was
	}
	if !a.in && !a.first(s) {
		return
	}
	if len(a.frame.Data)+len(s.data) > maxFrame {
		a.lose()
		return
	}
	a.frame.Data = append(a.frame.Data, s.data...)
	if a.frame.At.Before(s.at) {
		a.frame.At = s.at
	}
	if s.marker {
		a.in = false
		a.done(a.frame)
	}
}

// first begins a frame with a packet, if it may.
func (a *assembler) first(s *slot) bool {
	if !s.start {
		if a.synced {
			a.lose()
		}
		return false
	}
	key := isKey(s.data)
	if !key && !a.synced {
		a.wanting = true
		return false
	}
	if key {
		w, h, ok := size(s.data)
		if !ok {
			a.lose()
			return false
		}
		a.width, a.height = w, h
	}
	room := a.begin()
	if room == nil {
		a.lose()
		return false
	}
	if key {
		a.synced, a.wanting = true, false
	}
	a.in = true
	a.frame = Frame{Key: key, Width: a.width, Height: a.height, Time: s.time, Data: room}
	return true
}

// lose gives up the frame that has begun and those after it until a keyframe.
func (a *assembler) lose() { a.synced, a.in, a.wanting = false, false, true }

// lost reports whether a keyframe is wanted since it was asked last.
func (a *assembler) lost() bool {
	was := a.wanting
	a.wanting = false
	return was
}
