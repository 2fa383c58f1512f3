package webrtc

import "sync/atomic"

const (
	// ringRoom is how many of our packets wait to be encrypted and sent: 320 ms. Of more
	// the oldest is dropped, since the newest is worth most.
	ringRoom = 16
	// ringPacket is the longest of them in bytes, with its original.
	ringPacket = 640
)

// ring takes packets of a stream's shard, which must not wait, to the goroutine that
// sends them. It is a media.Wire. Every slot is in one of its two channels, or in the
// hands of one goroutine.
type ring struct {
	free, full chan *slot
	dropped    atomic.Uint64
}

type slot struct {
	b    [ringPacket]byte
	n    int // bytes of the packet
	more int // and of its original, behind it
}

func newRing() *ring {
	r := &ring{free: make(chan *slot, ringRoom), full: make(chan *slot, ringRoom)}
	for range ringRoom {
		r.free <- new(slot)
	}
	return r
}

// Send takes one packet. It never blocks.
func (r *ring) Send(packet, original []byte) {
	if len(packet) > ringPacket {
		r.dropped.Add(1)
		return
	}
	if len(packet)+len(original) > ringPacket {
		original = nil
	}
	var s *slot
	select {
	case s = <-r.free:
	default:
		select {
		case s = <-r.full:
			r.dropped.Add(1)
		default: // the sender has them all in hand at this moment
			r.dropped.Add(1)
			return
		}
	}
	s.n, s.more = copy(s.b[:], packet), len(original)
	copy(s.b[s.n:], original)
	r.full <- s // there is room for every slot
}
