package media

import (
	"errors"
	"sync/atomic"
)

const (
	// wireRoom is how many packets of a wire wait for the shard: 640 ms of 20 ms
	// packets. Of more the oldest is dropped, since the newest is worth most.
	wireRoom = 32
	// wirePacket is the longest packet a wire may deliver in bytes, with its original: 60 ms
	// of G.711 with header and extensions, or 20 ms of it and of Opus at 180 kbit/s.
	wirePacket = 640
)

// Wire carries a stream's RTP instead of sockets, such as a browser's connection.
type Wire interface {
	// Send takes one whole RTP packet. The original is empty, or what another wire has
	// brought as that of the same audio: then the far end is sent it in the packet's place.
	// It comes only after Params.Opus. The shard calls Send: it must never block, and must
	// copy what it keeps.
	Send(packet, original []byte)
}

// OpenWire makes a stream whose packets come by Deliver and go by w. It has no port
// and no RTCP, and trusts its source: the wire has proved who speaks. Set's Remote and
// RTCP mean nothing to it. Everything else is as with any stream.
func (e *Engine) OpenWire(w Wire) (*Stream, error) {
	if w == nil {
		return nil, errors.New("media: a wire is needed to open a stream on it")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.refusal(); err != nil {
		return nil, err
	}
	s, err := newStream(e, 0, sockets{rtp: socket{fd: -1}, rtcp: socket{fd: -1}})
	if err != nil {
		return nil, err
	}
	s.wire, s.inbox = w, new(inbox)
	return e.place(s)
}

// Deliver hands a whole RTP packet from the stream's wire in; it is copied. Its original,
// if it has one, is the payload of Opus from which its G.711 was decoded: it goes with the
// packet where that is passed to one who takes Opus, and nowhere else. It is left out where
// both are over 640 bytes. One goroutine at a time may call Deliver; it never blocks. While
// 32 packets wait, the oldest is dropped and counted in Stats.WireDropped; so is a packet
// over 640 bytes.
func (s *Stream) Deliver(packet, original []byte) {
	if s.inbox != nil {
		s.inbox.put(packet, original)
	}
}

// States of a place in the inbox. Whoever moves it from empty or full owns it until it
// sets the next state.
const (
	empty uint32 = iota
	writing
	full
	reading
)

// inbox is a ring between one goroutine that puts and the shard that takes. Neither
// waits for the other.
type inbox struct {
	ring    [wireRoom]letter
	tail    uint64        // belongs to who puts
	newest  atomic.Uint64 // tail, for the shard
	dropped atomic.Uint64
	head    uint64 // belongs to the shard
}

type letter struct {
	state atomic.Uint32
	at    uint64 // its number, as tail counts
	n     int    // bytes of the packet
	more  int    // and of its original, behind it
	b     [wirePacket]byte
}

func (x *inbox) put(packet, original []byte) {
	if len(packet) > wirePacket {
		x.dropped.Add(1)
		return
	}
	if len(packet)+len(original) > wirePacket {
		original = nil
	}
	l := &x.ring[x.tail%wireRoom]
	if !l.state.CompareAndSwap(empty, writing) {
		x.dropped.Add(1)
		if !l.state.CompareAndSwap(full, writing) {
			return // the shard reads the oldest at this moment: this packet is dropped instead
		}
	}
	l.at, l.n, l.more = x.tail, copy(l.b[:], packet), len(original)
	copy(l.b[l.n:], original)
	l.state.Store(full)
	x.tail++
	x.newest.Store(x.tail)
}

// waiting reports whether take may find something.
func (x *inbox) waiting() bool { return x.head != x.newest.Load() }

// take copies the oldest packet into b, and its original behind it; ok is false if there
// is none.
func (x *inbox) take(b []byte) (packet, original []byte, ok bool) {
	for x.waiting() {
		l := &x.ring[x.head%wireRoom]
		if !l.state.CompareAndSwap(full, reading) {
			return nil, nil, false // it is being overwritten: next time
		}
		if l.at != x.head { // overtaken: what is older than a ring before it is gone
			x.head = max(x.head+1, l.at-wireRoom+1)
			l.state.Store(full)
			continue
		}
		n := l.n
		b = b[:copy(b, l.b[:n+l.more])]
		l.state.Store(empty)
		x.head++
		return b[:n], b[n:], true
	}
	return nil, nil, false
}

// readWire takes what has come by the wire.
func (s *Stream) readWire(sh *shard) {
	for range wireRoom {
		packet, original, ok := s.inbox.take(sh.in[:])
		if !ok {
			return
		}
		s.packet(sh, packet, original, sh.turned)
	}
}
