package rtp

// Limits of RFC 3550 appendix A.1, in packets.
const (
	maxDropout  = 3000 // a jump ahead of fewer packets is loss
	maxMisorder = 100  // a step back of fewer packets is disorder
	probation   = 2    // packets in sequence that make a new source valid
)

// Verdict is what Reception.Note makes of a packet.
type Verdict uint8

const (
	Fresh   Verdict = iota // in order, or after a loss
	Late                   // out of order or a duplicate; still of this source
	Suspect                // implausible: not counted, must not be used
)

// Reception keeps the figures of the source that is heard (RFC 3550 appendix A.1,
// A.3, A.8). A change of SSRC, or a jump in sequence, is believed once two
// packets in sequence prove it.
type Reception struct {
	SSRC     uint32
	Packets  uint64 // of all sources heard
	LateSeen uint64

	started  bool
	maxSeq   uint16
	cycles   uint32
	base     uint32
	received uint32 // of this source
	lostOld  int64  // of sources before
	next     uint32 // the number that would prove a suspect source, plus 1<<16 if one is awaited
	nextSSRC uint32

	transit int32
	jitter  uint32 // times 16

	priorExpected, priorReceived uint32
	sampled                      bool
}

// Note takes a packet's header and the time it came, in samples of any fixed
// origin, and says what it is.
func (r *Reception) Note(h Header, arrival uint32) Verdict {
	if !r.started {
		r.restart(h)
	} else if h.SSRC != r.SSRC {
		if !r.proven(h) {
			return Suspect
		}
		r.lostOld += int64(r.Lost())
		r.restart(h)
	}
	delta := h.Seq - r.maxSeq
	late := false
	switch {
	case delta < maxDropout:
		if h.Seq < r.maxSeq {
			r.cycles += 1 << 16
		}
		late = delta == 0 && r.received > 0
		r.maxSeq = h.Seq
	case delta <= 1<<16-maxMisorder:
		if !r.proven(h) {
			return Suspect
		}
		r.lostOld += int64(r.Lost())
		r.restart(h)
	default:
		late = true
	}
	r.received++
	r.Packets++
	transit := int32(arrival - h.Time)
	if r.received > 1 && !late {
		d := transit - r.transit
		if d < 0 {
			d = -d
		}
		if d < 8000 { // a jump of a second is a new timestamp origin, not jitter
			r.jitter += uint32(d) - (r.jitter+8)>>4
		}
	}
	r.transit = transit
	if late {
		r.LateSeen++
		return Late
	}
	return Fresh
}

// proven reports whether h follows the suspect packet before it.
func (r *Reception) proven(h Header) bool {
	ok := r.next == 1<<16|uint32(h.Seq) && r.nextSSRC == h.SSRC
	r.next, r.nextSSRC = 1<<16|uint32(h.Seq+1), h.SSRC
	return ok
}

func (r *Reception) restart(h Header) {
	r.started, r.SSRC = true, h.SSRC
	r.maxSeq, r.base = h.Seq, uint32(h.Seq)
	r.cycles, r.received, r.next = 0, 0, 0
	r.priorExpected, r.priorReceived = 0, 0
}

// Reset forgets the source, so that the next packet is believed at once; the
// totals stay. It is for the moment when signalling has announced a change.
func (r *Reception) Reset() {
	r.lostOld += int64(r.Lost())
	r.started, r.received, r.next = false, 0, 0
}

// Sample tells that from now on packets are heard only now and then, on purpose:
// losses can no longer be counted. Turning it off starts a new count.
func (r *Reception) Sample(on bool) {
	if on != r.sampled {
		r.Reset()
		r.sampled = on
	}
}

// Heard reports whether a source is known.
func (r *Reception) Heard() bool { return r.started }

// Lost is the number of packets of the present source that did not come;
// duplicates can make it negative.
func (r *Reception) Lost() int32 {
	if !r.started || r.sampled || r.received == 0 {
		return 0
	}
	return int32(r.expected() - r.received)
}

// LostTotal is Lost over all sources so far, never negative.
func (r *Reception) LostTotal() uint64 {
	return uint64(max(0, r.lostOld+int64(r.Lost())))
}

// Jitter is the interarrival jitter in samples (RFC 3550 appendix A.8).
func (r *Reception) Jitter() uint32 { return r.jitter >> 4 }

func (r *Reception) expected() uint32 { return r.cycles + uint32(r.maxSeq) - r.base + 1 }

// Block makes the report on the source; it starts the next interval of Fraction.
func (r *Reception) Block() Block {
	b := Block{SSRC: r.SSRC, Highest: r.cycles | uint32(r.maxSeq), Jitter: r.Jitter(), Lost: r.Lost()}
	if r.sampled {
		return b
	}
	expected := r.expected()
	newExpected, newReceived := expected-r.priorExpected, r.received-r.priorReceived
	r.priorExpected, r.priorReceived = expected, r.received
	if newExpected > newReceived {
		b.Fraction = uint8(min(255, (newExpected-newReceived)<<8/newExpected))
	}
	return b
}
