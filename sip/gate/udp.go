package gate

import (
	"net"
	"sync/atomic"
	"time"
)

// PacketConn is a UDP socket behind the gate: ReadFrom returns whole messages
// that passed, and nothing else.
type PacketConn struct {
	net.PacketConn
	gate    *Gate
	last    string
	turns   int
	renewal atomic.Bool
}

// turnsPerLoop bounds how many changes of source one read loop of the library
// sees: it keeps each source for the life of the loop, some 200 bytes.
const turnsPerLoop = 1 << 17

// drain is how long messages just handed over have to find their socket before
// the loop ends.
const drain = 20 * time.Millisecond

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
		time.Sleep(drain)
		c.renewal.Store(true)
		return 0, nil, net.ErrClosed
	}
	for {
		n, addr, err := c.PacketConn.ReadFrom(b)
		if err != nil {
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
		if forward == nil || len(forward) > len(b) {
			continue
		}
		if s := from.String(); s != c.last {
			c.last = s
			c.turns++
		}
		return copy(b, forward), addr, nil
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
