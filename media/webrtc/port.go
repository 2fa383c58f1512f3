package webrtc

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
)

const (
	// packetSize is the longest datagram that is read, in bytes: more than any path
	// between a browser and us carries whole.
	packetSize = 1600
	// socketBuffer is the kernel's, in bytes: a quarter of a second of 1,000 peers.
	socketBuffer = 4 << 20
)

// port is the one UDP socket of all peers. It hands a packet to the peer whose name an
// authentic connectivity check has told, and drops what no peer has earned, before pion sees
// it.
type port struct {
	conn   *net.UDPConn
	local  *net.UDPAddr
	counts *drops
	done   chan struct{} // closed once its reader has ended

	mu     sync.RWMutex
	closed bool
	byName map[string]*wire         // by our ICE user fragment
	byAddr map[netip.AddrPort]*wire // by who passed a check
}

// openPort listens. at may be an unspecified address of IPv4.
func openPort(at string, counts *drops) (*port, error) {
	addr, err := net.ResolveUDPAddr("udp", at)
	if err != nil {
		return nil, fmt.Errorf("webrtc: %q is no address to listen on, give HOST:PORT: %w", at, err)
	}
	network := "udp4"
	if addr.IP != nil && addr.IP.To4() == nil {
		network = "udp6"
	}
	conn, err := net.ListenUDP(network, addr)
	if err != nil {
		return nil, fmt.Errorf("webrtc: listening for browsers on udp %s: %w", at, err)
	}
	// Best effort: the kernel may allow less.
	_, _ = conn.SetReadBuffer(socketBuffer), conn.SetWriteBuffer(socketBuffer)
	p := &port{
		conn: conn, local: conn.LocalAddr().(*net.UDPAddr), counts: counts, done: make(chan struct{}),
		byName: map[string]*wire{}, byAddr: map[netip.AddrPort]*wire{},
	}
	return p, nil
}

// run reads until the socket is closed.
func (p *port) run() {
	defer close(p.done)
	b := make([]byte, packetSize)
	for {
		n, from, err := p.conn.ReadFromUDPAddrPort(b)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // a refusal that one of our packets has earned
			continue
		}
		p.packet(b[:n], netip.AddrPortFrom(from.Addr().Unmap(), from.Port()))
	}
}

// packet judges one datagram (RFC 7983, section 7).
func (p *port) packet(b []byte, from netip.AddrPort) {
	switch kind(b) {
	case kindSTUN:
		w, why := p.checked(b)
		if why != "" {
			p.counts.add(why)
			return
		}
		if addr := p.admit(w, from); addr != nil {
			w.put(b, addr)
		}
		return
	case kindUnknown:
		p.counts.add(dropUnknown)
		return
	}
	p.mu.RLock()
	w := p.byAddr[from]
	p.mu.RUnlock()
	if w == nil {
		p.counts.add(dropUnchecked)
		return
	}
	w.take(b, from)
}

func (p *port) checked(b []byte) (w *wire, why string) {
	return check(b, func(name string) *wire {
		p.mu.RLock()
		defer p.mu.RUnlock()
		return p.byName[name]
	})
}

// admit notes that a peer may be heard from an address. nil if it is over.
func (p *port) admit(w *wire, from netip.AddrPort) net.Addr {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byName[w.name] != w {
		return nil
	}
	if p.byAddr[from] != w {
		if other := p.byAddr[from]; other != nil {
			other.forget(from)
		}
		if old := w.remember(from, net.UDPAddrFromAddrPort(from)); old.IsValid() {
			delete(p.byAddr, old)
		}
		p.byAddr[from] = w
	}
	return w.addr(from)
}

// wireOf makes the wire of a user fragment, or finds it.
func (p *port) wireOf(name string, secured *atomic.Bool) (*wire, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, io.ErrClosedPipe
	}
	if w := p.byName[name]; w != nil {
		return w, nil
	}
	w := newWire(name, p.local, secured, p.counts)
	w.send = func(b []byte, to net.Addr) (int, error) {
		a, ok := to.(*net.UDPAddr)
		if !ok {
			return 0, fmt.Errorf("webrtc: %v is no UDP address", to)
		}
		return p.conn.WriteToUDPAddrPort(b, a.AddrPort())
	}
	w.remove = func() { p.RemoveConnByUfrag(name) }
	p.byName[name] = w
	return w, nil
}

// RemoveConnByUfrag forgets a peer, and all that it may be heard from.
func (p *port) RemoveConnByUfrag(ufrag string) {
	p.mu.Lock()
	w := p.byName[ufrag]
	delete(p.byName, ufrag)
	if w != nil {
		for _, a := range w.addresses() {
			if p.byAddr[a] == w {
				delete(p.byAddr, a)
			}
		}
	}
	p.mu.Unlock()
	if w != nil {
		w.shut()
	}
}

// Close closes the socket and every peer's part of it.
func (p *port) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	all := make([]*wire, 0, len(p.byName))
	for _, w := range p.byName {
		all = append(all, w)
	}
	clear(p.byName)
	clear(p.byAddr)
	p.mu.Unlock()
	for _, w := range all {
		w.shut()
	}
	err := p.conn.Close()
	<-p.done
	return err
}

// Reasons why a packet was dropped; label values of a metric.
const (
	dropUnknown   = "unknown"   // neither STUN nor DTLS nor RTP
	dropSTUN      = "stun"      // no connectivity check
	dropIntegrity = "integrity" // a check that the password of its peer does not sign
	dropUnchecked = "unchecked" // from an address that has passed no check, or for nobody
	dropDTLS      = "dtls"      // a ClientHello, or what a handshake that is done needs no more
	dropSRTP      = "srtp"      // could not be opened, or came twice
	dropFull      = "full"      // the peer's queue was full: the oldest went
)

var dropReasons = []string{dropUnknown, dropSTUN, dropIntegrity, dropUnchecked, dropDTLS, dropSRTP, dropFull}

// drops counts by reason.
type drops struct{ n [7]atomic.Uint64 }

func (d *drops) add(why string) {
	for i, r := range dropReasons {
		if r == why {
			d.n[i].Add(1)
			return
		}
	}
}

func (d *drops) of(why string) uint64 {
	for i, r := range dropReasons {
		if r == why {
			return d.n[i].Load()
		}
	}
	return 0
}
