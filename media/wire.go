package media

import (
	"errors"
	"sync/atomic"
)

const (
	// wireRoom is how many packets of a wire wait for the shard: 640 ms of 20 ms
	// packets. Of more the oldest is dropped, since the newest is worth most.
	wireRoom = 32
	// wirePacket is the longest packet a wire may deliver in bytes: 60 ms of G.711
	// with header and extensions.
	wirePacket = 640
)

// Wire carries a stream's RTP instead of sockets, such as a browser's connection.
type Wire interface {
	// Send takes one whole RTP packet. The shard calls it: it must never block, and
	// must copy what it keeps.
	Send(packet []byte)
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

// Deliver hands a whole RTP packet from the stream's wire in; it is copied. One
// goroutine at a time may call it; it never blocks. While 32 packets wait, the oldest is
// dropped and counted in Stats.WireDropped; so is a packet over 640 bytes.
func (s *Stream) Deliver(packet []byte) {
	if s.inbox != nil {
		s.inbox.put(packet)
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
	n     int
	b     [wirePacket]byte
}

func (x *inbox) put(packet []byte) {
	if len(packet) > wirePacket {
		x.dropped.Add(1)
		return
	}
	l := &x.ring[x.tail%wireRoom]
	if !l.state.CompareAndSwap(empty, writing) {
		x.dropped.Add(1)
		if !l.state.CompareAndSwap(full, writing) {
			return // the shard reads the oldest at this moment: this packet is dropped instead
		}
	}
	l.at, l.n = x.tail, copy(l.b[:], packet)
	l.state.Store(full)
	x.tail++
	x.newest.Store(x.tail)
}

// waiting reports whether take may find something.
func (x *inbox) waiting() bool { return x.head != x.newest.Load() }

// take copies the oldest packet into b; ok is false if there is none.
func (x *inbox) take(b []byte) (n int, ok bool) {
	for x.waiting() {
		l := &x.ring[x.head%wireRoom]
		if !l.state.CompareAndSwap(full, reading) {
			return 0, false // it is being overwritten: next time
		}
		if l.at != x.head { // overtaken: what is older than a ring before it is gone
			x.head = max(x.head+1, l.at-wireRoom+1)
			l.state.Store(full)
			continue
		}
		n = copy(b, l.b[:l.n])
		l.state.Store(empty)
		x.head++
		return n, true
	}
	return 0, false
}

// readWire takes what has come by the wire.
func (s *Stream) readWire(sh *shard) {
	for range wireRoom {
		n, ok := s.inbox.take(sh.in[:])
		if !ok {
			return
		}
		s.packet(sh, sh.in[:n], sh.turned)
	}
}
