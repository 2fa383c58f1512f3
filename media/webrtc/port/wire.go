package port

import (
	"io"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/stun/v3"
)

const (
	// wireAddresses is how many addresses of one page are known at a time; of more the
	// oldest is forgotten, and has to pass a check anew.
	wireAddresses = 8
)

// Owner is the connection whose packets a user fragment earns.
type Owner struct {
	Room    int         // datagrams that may wait for it; of more the oldest is dropped
	Secured atomic.Bool // to be set once its DTLS handshake is done
	Checked func()      // told of each authentic check, by a goroutine that must not wait; may be nil
}

// wire is one peer's part of a port: a net.PacketConn for pion.
type wire struct {
	name   string
	local  net.Addr
	counts *Drops
	send   func(b []byte, to net.Addr) (int, error)
	remove func()
	queue  chan *datagram
	over   chan struct{}
	once   sync.Once

	secret atomic.Pointer[string] // our ICE password; nil until pion has chosen it
	owner  *Owner

	mu    sync.Mutex
	known []seen // oldest first
}

type seen struct {
	at   netip.AddrPort
	addr net.Addr // the same, as pion wants it
}

type datagram struct {
	b    [PacketSize]byte
	n    int
	from net.Addr
}

var datagrams = sync.Pool{New: func() any { return new(datagram) }}

var _ net.PacketConn = (*wire)(nil)

func newWire(name string, local net.Addr, o *Owner, counts *Drops) *wire {
	return &wire{name: name, local: local, owner: o, counts: counts, queue: make(chan *datagram, o.Room), over: make(chan struct{})}
}

// signs reports whether a check carries the peer's password (RFC 8489, section 9.1).
func (w *wire) signs(msg *stun.Message) bool {
	secret := w.secret.Load()
	return secret != nil && stun.NewShortTermIntegrity(*secret).Check(msg) == nil
}

// checked tells its owner that an authentic check has come.
func (w *wire) checked() {
	if w.owner.Checked != nil {
		w.owner.Checked()
	}
}

// take takes a packet of DTLS or SRTP from an address that has passed a check.
func (w *wire) take(b []byte, from netip.AddrPort) {
	if kind(b) == kindDTLS && !wanted(b, w.owner.Secured.Load()) {
		w.counts.Add(DropDTLS)
		return
	}
	if addr := w.addr(from); addr != nil {
		w.put(b, addr)
	}
}

// put queues a datagram for pion.
func (w *wire) put(b []byte, from net.Addr) {
	if len(b) > PacketSize {
		return
	}
	d := datagrams.Get().(*datagram)
	d.n, d.from = copy(d.b[:], b), from
	for {
		select {
		case w.queue <- d:
			return
		case <-w.over:
			datagrams.Put(d)
			return
		default:
		}
		select {
		case old := <-w.queue:
			w.counts.Add(DropFull)
			datagrams.Put(old)
		default:
		}
	}
}

// remember adds an address; old is one that had to go for it.
func (w *wire) remember(a netip.AddrPort, addr net.Addr) (old netip.AddrPort) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.known) == wireAddresses {
		old = w.known[0].at
		w.known = slices.Delete(w.known, 0, 1)
	}
	w.known = append(w.known, seen{a, addr})
	return old
}

func (w *wire) forget(a netip.AddrPort) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.known = slices.DeleteFunc(w.known, func(s seen) bool { return s.at == a })
}

func (w *wire) addr(a netip.AddrPort) net.Addr {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.known {
		if s.at == a {
			return s.addr
		}
	}
	return nil
}

func (w *wire) addresses() []netip.AddrPort {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := make([]netip.AddrPort, len(w.known))
	for i, s := range w.known {
		all[i] = s.at
	}
	return all
}

// ReadFrom waits for a datagram.
func (w *wire) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case d := <-w.queue:
		n, from := copy(b, d.b[:d.n]), d.from
		datagrams.Put(d)
		return n, from, nil
	case <-w.over:
		return 0, nil, io.EOF
	}
}

// WriteTo sends a datagram.
func (w *wire) WriteTo(b []byte, to net.Addr) (int, error) {
	select {
	case <-w.over:
		return 0, io.ErrClosedPipe
	default:
		return w.send(b, to)
	}
}

// Close gives the peer's part of the port back.
func (w *wire) Close() error {
	w.remove()
	return nil
}

func (w *wire) shut() { w.once.Do(func() { close(w.over) }) }

// LocalAddr is that of the port.
func (w *wire) LocalAddr() net.Addr { return w.local }

// SetDeadline does nothing: pion calls it only before Close, which ends what waits.
func (w *wire) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing.
func (w *wire) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing: writes to the socket do not wait.
func (w *wire) SetWriteDeadline(time.Time) error { return nil }
