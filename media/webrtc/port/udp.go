package port

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"

	"github.com/pion/ice/v4"
)

const (
	// PacketSize is the longest datagram that is read, in bytes: more than any path
	// between a browser and us carries whole.
	PacketSize = 1600
	// socketBuffer is the kernel's, in bytes: a quarter of a second of 1,000 peers.
	socketBuffer = 4 << 20
)

// UDP is the one UDP socket of all peers. It hands a packet to the peer whose name an
// authentic connectivity check has told, and drops what no peer has earned, before pion sees
// it.
type UDP struct {
	conn   *net.UDPConn
	local  *net.UDPAddr
	counts *Drops
	done   chan struct{} // closed once its reader has ended

	mu     sync.RWMutex
	closed bool
	byName map[string]*wire         // by our ICE user fragment
	byAddr map[netip.AddrPort]*wire // by who passed a check
}

// OpenUDP listens. at may be an unspecified address of IPv4.
func OpenUDP(at string, counts *Drops) (*UDP, error) {
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
	p := &UDP{
		conn: conn, local: conn.LocalAddr().(*net.UDPAddr), counts: counts, done: make(chan struct{}),
		byName: map[string]*wire{}, byAddr: map[netip.AddrPort]*wire{},
	}
	go p.run()
	return p, nil
}

// run reads until the socket is closed.
func (p *UDP) run() {
	defer close(p.done)
	b := make([]byte, PacketSize)
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
func (p *UDP) packet(b []byte, from netip.AddrPort) {
	switch kind(b) {
	case kindSTUN:
		w, why := p.checked(b)
		if why != "" {
			p.counts.Add(why)
			return
		}
		if addr := p.admit(w, from); addr != nil {
			w.checked()
			w.put(b, addr)
		}
		return
	case kindUnknown:
		p.counts.Add(DropUnknown)
		return
	}
	p.mu.RLock()
	w := p.byAddr[from]
	p.mu.RUnlock()
	if w == nil {
		p.counts.Add(DropUnchecked)
		return
	}
	w.take(b, from)
}

func (p *UDP) checked(b []byte) (w *wire, why string) {
	return check(b, func(name string) *wire {
		p.mu.RLock()
		defer p.mu.RUnlock()
		return p.byName[name]
	})
}

// admit notes that a peer may be heard from an address. nil if it is over.
func (p *UDP) admit(w *wire, from netip.AddrPort) net.Addr {
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
func (p *UDP) wireOf(name string, o *Owner) (*wire, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, io.ErrClosedPipe
	}
	if w := p.byName[name]; w != nil {
		return w, nil
	}
	w := newWire(name, p.local, o, p.counts)
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

// Addr is where it listens.
func (p *UDP) Addr() netip.AddrPort {
	a := p.local.AddrPort()
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// Password tells what signs checks for a user fragment of ours.
func (p *UDP) Password(ufrag, pwd string) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if w := p.byName[ufrag]; w != nil {
		w.secret.Store(&pwd)
	}
}

// Mux is the socket for one connection, as pion wants it.
func (p *UDP) Mux(o *Owner) ice.UDPMux { return &udpMux{p, o} }

type udpMux struct {
	*UDP
	owner *Owner
}

var _ ice.UDPMux = (*udpMux)(nil)

// GetConn is what pion asks for as it gathers.
func (m *udpMux) GetConn(ufrag string, _ net.Addr) (net.PacketConn, error) {
	return m.wireOf(ufrag, m.owner)
}

// GetListenAddresses tells pion of one address, so that each connection has one candidate
// and one reader. What pages are told is another matter.
func (m *udpMux) GetListenAddresses() []net.Addr { return []net.Addr{m.local} }

// Close does nothing: the socket is everybody's.
func (m *udpMux) Close() error { return nil }

// RemoveConnByUfrag forgets a peer, and all that it may be heard from.
func (p *UDP) RemoveConnByUfrag(ufrag string) {
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
func (p *UDP) Close() error {
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
