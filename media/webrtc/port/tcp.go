package port

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/pion/ice/v4"
)

const (
	tcpFirst   = 5 * time.Second  // to a connection's first check, which must be authentic
	tcpIdle    = 30 * time.Second // pages check every few seconds (RFC 7675)
	tcpWrite   = time.Second      // for a packet to leave; then the connection is given up
	tcpPerHost = 64               // connections of one address at once
)

// TCP takes ICE over TCP (RFC 6544): each connection carries packets behind their
// length (RFC 4571), and its first is a check that says for which peer.
type TCP struct {
	listener net.Listener
	local    net.Addr
	counts   *Drops
	most     int // connections at once
	running  sync.WaitGroup

	mu     sync.Mutex
	closed bool
	byName map[string]*wire
	conns  map[netip.AddrPort]*framed
	hosts  map[netip.Addr]int
}

// framed is one connection.
type framed struct {
	net.Conn
	mu  sync.Mutex // of writing
	out [2 + PacketSize]byte
}

// OpenTCP listens, for at most as many connections at once as most says.
func OpenTCP(at string, most int, counts *Drops) (*TCP, error) {
	listener, err := net.Listen("tcp", at)
	if err != nil {
		return nil, fmt.Errorf("webrtc: listening for browsers on tcp %s: %w", at, err)
	}
	p := &TCP{
		listener: listener, local: listener.Addr(), counts: counts, most: most,
		byName: map[string]*wire{}, conns: map[netip.AddrPort]*framed{}, hosts: map[netip.Addr]int{},
	}
	p.running.Add(1)
	go p.run()
	return p, nil
}

// Addr is where it listens.
func (p *TCP) Addr() netip.AddrPort { return p.local.(*net.TCPAddr).AddrPort() }

// Password tells what signs checks for a user fragment of ours.
func (p *TCP) Password(ufrag, pwd string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w := p.byName[ufrag]; w != nil {
		w.secret.Store(&pwd)
	}
}

// Mux is the listener for one connection, as pion wants it.
func (p *TCP) Mux(o *Owner) ice.TCPMux { return &tcpMux{p, o} }

type tcpMux struct {
	*TCP
	owner *Owner
}

var _ ice.TCPMux = (*tcpMux)(nil)

// GetConnByUfrag is what pion asks for as it gathers.
func (m *tcpMux) GetConnByUfrag(ufrag string, _ bool, _ net.IP) (net.PacketConn, error) {
	return m.wireOf(ufrag, m.owner)
}

// RemoveConnByUfrag forgets a connection.
func (m *tcpMux) RemoveConnByUfrag(ufrag string) { m.removeWire(ufrag) }

// Close does nothing: the listener is everybody's.
func (m *tcpMux) Close() error { return nil }

// run accepts until the listener is closed.
func (p *TCP) run() {
	defer p.running.Done()
	for {
		conn, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(10 * time.Millisecond) // no file handles: some will be given back
			continue
		}
		from := conn.RemoteAddr().(*net.TCPAddr).AddrPort()
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		c := &framed{Conn: conn}
		if !p.enter(c, from) {
			conn.Close()
			continue
		}
		go func() {
			defer p.leave(c, from)
			p.serve(c, from)
		}()
	}
}

func (p *TCP) enter(c *framed, from netip.AddrPort) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.conns) >= p.most || p.hosts[from.Addr()] >= tcpPerHost {
		return false
	}
	p.conns[from] = c
	p.hosts[from.Addr()]++
	p.running.Add(1)
	return true
}

func (p *TCP) leave(c *framed, from netip.AddrPort) {
	c.Close()
	p.mu.Lock()
	delete(p.conns, from)
	if p.hosts[from.Addr()]--; p.hosts[from.Addr()] <= 0 {
		delete(p.hosts, from.Addr())
	}
	p.mu.Unlock()
	p.running.Done()
}

// serve reads packets until the connection ends.
func (p *TCP) serve(c *framed, from netip.AddrPort) {
	var w *wire
	addr := net.TCPAddrFromAddrPort(from)
	defer func() {
		if w != nil {
			w.forget(from)
		}
	}()
	var head [2]byte
	b, wait := make([]byte, PacketSize), tcpFirst
	for {
		if c.SetReadDeadline(time.Now().Add(wait)) != nil {
			return
		}
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return
		}
		n := int(binary.BigEndian.Uint16(head[:]))
		if n > PacketSize {
			return
		}
		if _, err := io.ReadFull(c, b[:n]); err != nil {
			return
		}
		switch kind(b[:n]) {
		case kindSTUN:
			now, why := p.checked(b[:n])
			if why != "" {
				p.counts.Add(why)
				if w == nil {
					return
				}
				continue
			}
			if w != now { // the peer was restarted
				if w != nil {
					w.forget(from)
				}
				now.remember(from, addr)
			}
			w, wait = now, tcpIdle
			w.checked()
			w.put(b[:n], addr)
		case kindUnknown:
			p.counts.Add(DropUnknown)
			if w == nil {
				return
			}
		default:
			if w == nil {
				p.counts.Add(DropUnchecked)
				return
			}
			w.take(b[:n], from)
		}
	}
}

func (p *TCP) checked(b []byte) (w *wire, why string) {
	return check(b, func(name string) *wire {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.byName[name]
	})
}

// wireOf makes the wire of a user fragment, or finds it.
func (p *TCP) wireOf(name string, o *Owner) (*wire, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, io.ErrClosedPipe
	}
	if w := p.byName[name]; w != nil {
		return w, nil
	}
	w := newWire(name, p.local, o, p.counts)
	w.send = p.send
	w.remove = func() { p.removeWire(name) }
	p.byName[name] = w
	return w, nil
}

// send writes one packet behind its length.
func (p *TCP) send(b []byte, to net.Addr) (int, error) {
	a, ok := to.(*net.TCPAddr)
	if !ok || len(b) > PacketSize {
		return 0, fmt.Errorf("webrtc: %d bytes cannot be sent to %v by TCP", len(b), to)
	}
	at := a.AddrPort()
	p.mu.Lock()
	c := p.conns[netip.AddrPortFrom(at.Addr().Unmap(), at.Port())]
	p.mu.Unlock()
	if c == nil {
		return 0, io.ErrClosedPipe
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	binary.BigEndian.PutUint16(c.out[:], uint16(len(b)))
	n := 2 + copy(c.out[2:], b)
	if err := c.SetWriteDeadline(time.Now().Add(tcpWrite)); err != nil {
		return 0, err
	}
	if _, err := c.Write(c.out[:n]); err != nil {
		c.Close() // half a packet may have left
		return 0, err
	}
	return len(b), nil
}

func (p *TCP) removeWire(name string) {
	p.mu.Lock()
	w := p.byName[name]
	delete(p.byName, name)
	p.mu.Unlock()
	if w != nil {
		w.shut()
	}
}

// Close closes the listener and all connections.
func (p *TCP) Close() error {
	p.mu.Lock()
	p.closed = true
	for _, c := range p.conns {
		c.Close()
	}
	for _, w := range p.byName {
		w.shut()
	}
	clear(p.byName)
	p.mu.Unlock()
	err := p.listener.Close()
	p.running.Wait()
	return err
}
