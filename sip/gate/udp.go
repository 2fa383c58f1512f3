package gate

import (
	"net"
	"sync/atomic"
)

// PacketConn is a UDP socket behind the gate: ReadFrom returns whole messages
// that passed, and nothing else.
type PacketConn struct {
	net.PacketConn
	gate    *Gate
	last    string
	turns   int
	recent  []string // the sources of the newest turns, a ring
	renewal atomic.Bool
	// Ending is told, in the reading goroutine and before ReadFrom returns an error,
	// whose messages may still be on their way through the library. It may be nil and
	// is set before the first read.
	Ending func(sources []string)
}

// turnsPerLoop bounds how many changes of source one read loop of the library
// sees: it keeps each source for the life of the loop, some 200 bytes.
const turnsPerLoop = 1 << 17

// recentTurns is how many sources Ending is told of: a second's worth of a busy
// server, where a message is on its way for less than a millisecond.
const recentTurns = 4096

// PacketConn puts a socket behind the gate.
func (g *Gate) PacketConn(c net.PacketConn) *PacketConn {
	return &PacketConn{PacketConn: c, gate: g}
}

// Renew reports, once, that ReadFrom ended only to let its reader start anew.
func (c *PacketConn) Renew() bool { return c.renewal.Swap(false) }

// ReadFrom fills b with the next message that passed. It returns net.ErrClosed
// with the socket open when its reader has to be renewed.
func (c *PacketConn) ReadFrom(b []byte) (int, net.Addr, error) {
	if c.turns >= turnsPerLoop {
		c.turns, c.last = 0, ""
		c.renewal.Store(true)
		c.end()
		return 0, nil, net.ErrClosed
	}
	for {
		n, addr, err := c.PacketConn.ReadFrom(b)
		if err != nil {
			c.end()
			return n, addr, err
		}
		if n == len(b) { // more than the buffer holds: cut off, so not judged
			c.gate.o.Dropped(ReasonTooLarge)
			continue
		}
		if blank(b[:n]) {
			continue // a keep-alive (RFC 5626 section 4.4.1 is for STUN; these want no answer)
		}
		from := addrPort(addr)
		forward, reply, v := c.gate.pass(b[:n], false, from)
		if reply != nil {
			_, _ = c.PacketConn.WriteTo(reply, net.UDPAddrFromAddrPort(v.replyTo(from))) // lost is lost: it is UDP
		}
		if len(forward) > len(b) { // put into plain form it is longer than before
			c.gate.o.Dropped(ReasonTooLarge)
			continue
		}
		if forward == nil {
			continue
		}
		if s := addr.String(); s != c.last {
			c.last = s
			c.turn(s)
		}
		return copy(b, forward), addr, nil
	}
}

// turn notes a change of source.
func (c *PacketConn) turn(source string) {
	if len(c.recent) < recentTurns {
		c.recent = append(c.recent, source)
	} else {
		c.recent[c.turns%recentTurns] = source
	}
	c.turns++
}

// end tells that the library's loop is about to end.
func (c *PacketConn) end() {
	if c.Ending != nil {
		c.Ending(c.recent)
	}
}

// blank: nothing but line ends, spaces and zero bytes.
func blank(b []byte) bool {
	for _, ch := range b {
		if ch != '\r' && ch != '\n' && ch != 0 && ch != ' ' && ch != '\t' {
			return false
		}
	}
	return true
}
