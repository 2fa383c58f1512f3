// Package relay is a TURN server (RFC 8656) for pages whose network lets nothing pass to
// us. What pages send through it reaches one port of ours and nothing else, whatever
// they ask for.
//
// It owns a UDP socket and a TCP listener, whose goroutines are the library's, and for
// each relay a socket and a goroutine for each of our addresses that its page asks for;
// Close ends them all. It never opens a socket towards anything but that port, relays no
// TCP, and believes no name that our secret has not signed.
package relay

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/logging"
	"github.com/pion/stun/v3"
	"github.com/pion/turn/v5"
)

const (
	turnRealm = "tandem"
	// turnGrace is how long after its credentials expired a page may keep the relay that
	// it holds: a call outlives them. A new one it does not get.
	turnGrace = 12 * time.Hour
	// relaysPerName bounds the relays of one page at once: browsers ask for one for each
	// of their networks, by UDP and by TCP.
	relaysPerName = 16
	// A network, which may be an office behind one address, has at most the networkShare'th
	// part of all relays, but always leastPerNetwork.
	networkShare    = 8
	leastPerNetwork = 64
	// idleTime is how long a relay is kept to which our port has sent nothing: its page has
	// no call any more, or never had one.
	idleTime    = 2 * time.Minute
	turnIdle    = time.Minute // of a TCP connection that says nothing
	longestName = 64
	// endRoom is how many packets of ours wait for a page's relay: more than half a second
	// of audio. Those that come after are dropped: late audio is worth nothing.
	endRoom    = 32
	packetSize = 1600 // the longest packet, in bytes
)

// Credentials are a name and a password in coturn's form (its REST API): the name is the
// expiry, then who; the password an HMAC of it.
func Credentials(secret, who string, expires time.Time) (name, password string) {
	who = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' || r == ':' {
			return '_'
		}
		return r
	}, who[:min(len(who), longestName)])
	name = strconv.FormatInt(expires.Unix(), 10) + ":" + who
	return name, sign(secret, name)
}

func sign(secret, name string) string {
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(name))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Options is what a Relay is made of. Secret may be left out.
type Options struct {
	Listen string              // "HOST:PORT", UDP and TCP
	Secret string              // that signs credentials; drawn if ""
	Most   int                 // relays at once
	Port   netip.AddrPort      // the one that is reached
	Hosts  func() []netip.Addr // by which pages know it; at least one
	Host   netip.Addr          // by which pages reach the relay; the zero Addr: where it listens
	Idle   time.Duration       // how long a relay is kept to which the port has sent nothing; 0 is 2 minutes
	Random io.Reader
	Now    func() time.Time
}

// Relay is the TURN server.
type Relay struct {
	o       Options
	turn    *turn.Server
	secret  string
	at      netip.AddrPort
	refused atomic.Uint64
	running sync.WaitGroup

	mu      sync.Mutex
	names   map[string]int              // relays, by whose
	from    map[string]int              // the same, by the network of their page
	sockets map[netip.AddrPort]struct{} // ends of relays, as the port sees them
	ends    map[*end]struct{}
}

// New listens. Close gives the sockets back.
func New(o Options) (*Relay, error) {
	r := &Relay{o: o, secret: o.Secret, names: map[string]int{}, from: map[string]int{}, sockets: map[netip.AddrPort]struct{}{}, ends: map[*end]struct{}{}}
	if r.o.Idle <= 0 {
		r.o.Idle = idleTime
	}
	if r.secret == "" {
		b := make([]byte, 32)
		if _, err := io.ReadFull(o.Random, b); err != nil {
			return nil, fmt.Errorf("relay: drawing a secret: %w", err)
		}
		r.secret = hex.EncodeToString(b)
	}
	socket, err := net.ListenPacket("udp4", o.Listen)
	if err != nil {
		return nil, fmt.Errorf("relay: listening for TURN on udp %s: %w", o.Listen, err)
	}
	r.at = socket.LocalAddr().(*net.UDPAddr).AddrPort()
	listener, err := net.Listen("tcp4", netip.AddrPortFrom(r.at.Addr(), r.at.Port()).String())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("relay: listening for TURN on tcp %s: %w", r.at, err), socket.Close())
	}
	r.turn, err = turn.NewServer(turn.ServerConfig{
		Realm: turnRealm, AuthHandler: r.authorise, QuotaHandler: r.room, LoggerFactory: silent{},
		EventHandler: turn.EventHandler{
			OnAllocationCreated: func(from, _ net.Addr, _, _, _ string, _ net.Addr, _ int) { r.came(from, 1) },
			OnAllocationDeleted: func(from, _ net.Addr, _, _, _ string) { r.came(from, -1) },
		},
		PacketConnConfigs: []turn.PacketConnConfig{{PacketConn: socket, RelayAddressGenerator: r, PermissionHandler: r.permits}},
		ListenerConfigs: []turn.ListenerConfig{{
			Listener: &bounded{Listener: listener, most: o.Most}, RelayAddressGenerator: r, PermissionHandler: r.permits,
		}},
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("relay: starting TURN: %w", err), socket.Close(), listener.Close())
	}
	return r, nil
}

// Close ends all relays.
func (r *Relay) Close() error {
	err := r.turn.Close()
	r.mu.Lock()
	ends := slices.Collect(maps.Keys(r.ends))
	r.mu.Unlock()
	for _, e := range ends {
		e.Close()
	}
	r.running.Wait()
	return err
}

// Addr is where it listens.
func (r *Relay) Addr() netip.AddrPort { return r.at }

// Secret signs credentials.
func (r *Relay) Secret() string { return r.secret }

// Refused counts requests that were refused, and packets that were meant for elsewhere.
func (r *Relay) Refused() uint64 { return r.refused.Load() }

// URLs are how pages reach it.
func (r *Relay) URLs() []string {
	host := r.o.Host
	switch {
	case host.IsValid():
	case r.at.Addr().IsUnspecified():
		host = r.o.Hosts()[0]
	default:
		host = r.at.Addr()
	}
	at := netip.AddrPortFrom(host, r.at.Port()).String()
	return []string{"turn:" + at + "?transport=udp", "turn:" + at + "?transport=tcp"}
}

// authorise gives the key of a name of ours that has not expired (RFC 8489, section 9.2).
func (r *Relay) authorise(a *turn.RequestAttributes) (string, []byte, bool) {
	expiry, _, ok := strings.Cut(a.Username, ":")
	at, err := strconv.ParseInt(expiry, 10, 64)
	if !ok || err != nil || len(a.Username) > 32+longestName {
		r.refused.Add(1)
		return "", nil, false
	}
	ends := time.Unix(at, 0)
	if a.Method != stun.MethodAllocate {
		ends = ends.Add(turnGrace)
	}
	if !r.o.Now().Before(ends) {
		r.refused.Add(1)
		return "", nil, false
	}
	return a.Username, turn.GenerateAuthKey(a.Username, a.Realm, sign(r.secret, a.Username)), true
}

// room reports whether there may be one more relay.
func (r *Relay) room(username, _ string, from net.Addr) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	ok := r.names[username] < relaysPerName && len(r.ends) < r.o.Most && r.from[network(from)] < max(leastPerNetwork, r.o.Most/networkShare)
	if !ok {
		r.refused.Add(1)
	}
	return ok
}

// network is what counts as one source: whoever has one IPv6 address has 2^64.
func network(from net.Addr) string {
	at, err := netip.ParseAddrPort(from.String())
	if err != nil {
		return ""
	}
	a := at.Addr().Unmap().WithZone("")
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}

// came counts a relay of a network, more being 1 or -1.
func (r *Relay) came(from net.Addr, more int) {
	key := network(from)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.from[key] += more; r.from[key] <= 0 {
		delete(r.from, key)
	}
}

// permits reports whether a page may ask for an address: ours alone.
func (r *Relay) permits(_ net.Addr, to net.IP) bool {
	a, ok := netip.AddrFromSlice(to)
	if ok && r.ours(a.Unmap()) {
		return true
	}
	r.refused.Add(1)
	return false
}

// ours reports whether pages are told an address as one of ours.
func (r *Relay) ours(a netip.Addr) bool {
	for _, host := range r.o.Hosts() {
		if host == a {
			return true
		}
	}
	return false
}

// Held is how many relays there are.
func (r *Relay) Held() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.ends)
}

// Relays reports whether an address, as the port sees it, is the end of a relay.
func (r *Relay) Relays(a netip.AddrPort) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.sockets[a]
	return ok
}

// Validate is asked by turn.
func (r *Relay) Validate() error { return nil }

// AllocatePacketConn makes the end of a relay.
func (r *Relay) AllocatePacketConn(c turn.AllocateListenerConfig) (net.PacketConn, net.Addr, error) {
	e := &end{relay: r, name: c.UserID, in: make(chan relayed, endRoom), over: make(chan struct{}), out: map[netip.AddrPort]*net.UDPConn{}}
	first := netip.AddrPortFrom(r.o.Hosts()[0], r.o.Port.Port())
	conn, err := e.dial(first)
	if err != nil {
		return nil, nil, err
	}
	r.mu.Lock()
	r.ends[e] = struct{}{}
	r.names[c.UserID]++
	r.mu.Unlock()
	e.local = conn.LocalAddr()
	e.heard.Store(int64(time.Since(began)))
	e.mu.Lock()
	e.idle = time.AfterFunc(r.o.Idle, e.look)
	e.mu.Unlock()
	return e, e.local, nil
}

var errNoTCP = errors.New("relay: TCP is not relayed")

// AllocateListener refuses relays of TCP (RFC 6062).
func (r *Relay) AllocateListener(turn.AllocateListenerConfig) (net.Listener, net.Addr, error) {
	return nil, nil, errNoTCP
}

// AllocateConn refuses relays of TCP.
func (r *Relay) AllocateConn(turn.AllocateConnConfig) (net.Conn, error) { return nil, errNoTCP }

// end is where a relay meets our port. It has a socket for each address of ours that the
// page asks for, each connected to the port: there is nothing else it could reach.
type end struct {
	relay *Relay
	name  string
	local net.Addr
	in    chan relayed
	over  chan struct{}
	once  sync.Once

	heard atomic.Int64 // when the port sent something last, in ns since began

	mu   sync.Mutex
	idle *time.Timer
	out  map[netip.AddrPort]*net.UDPConn // by the address that the page knows
}

// began is the zero of a clock that nobody sets.
var began = time.Now()

// look gives the relay up if it carries nothing.
func (e *end) look() {
	left := e.relay.o.Idle - (time.Since(began) - time.Duration(e.heard.Load()))
	if left <= 0 {
		e.Close()
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.idle.Reset(left)
}

// relayed is one packet from the port.
type relayed struct {
	b    *[packetSize]byte // of packets
	n    int
	from net.Addr
}

var packets = sync.Pool{New: func() any { return new([packetSize]byte) }}

var _ net.PacketConn = (*end)(nil)

// dial makes the socket for an address that pages are told.
func (e *end) dial(to netip.AddrPort) (*net.UDPConn, error) {
	at := e.relay.o.Port
	if at.Addr().IsUnspecified() {
		at = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), at.Port())
	}
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(at))
	if err != nil {
		return nil, fmt.Errorf("relay: opening a relay: %w", err)
	}
	e.mu.Lock()
	select {
	case <-e.over:
		e.mu.Unlock()
		return nil, errors.Join(net.ErrClosed, conn.Close())
	default:
		e.out[to] = conn
	}
	e.mu.Unlock()
	e.relay.mu.Lock()
	e.relay.sockets[conn.LocalAddr().(*net.UDPAddr).AddrPort()] = struct{}{}
	e.relay.mu.Unlock()
	e.relay.running.Go(func() { e.read(conn, net.UDPAddrFromAddrPort(to)) })
	return conn, nil
}

// read takes what the port answers until the socket is closed.
func (e *end) read(conn *net.UDPConn, as net.Addr) {
	for {
		b := packets.Get().(*[packetSize]byte)
		n, err := conn.Read(b[:])
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		e.heard.Store(int64(time.Since(began)))
		select {
		case e.in <- relayed{b, n, as}:
		case <-e.over:
			return
		default: // the page's network is slower than we
			packets.Put(b)
		}
	}
}

// ReadFrom waits for what the port sends.
func (e *end) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case m := <-e.in:
		n := copy(b, m.b[:m.n])
		packets.Put(m.b)
		return n, m.from, nil
	case <-e.over:
		return 0, nil, net.ErrClosed
	}
}

// WriteTo sends to our port, if the page asked for it; else the packet goes nowhere.
func (e *end) WriteTo(b []byte, to net.Addr) (int, error) {
	a, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, fmt.Errorf("relay: %v is no UDP address", to)
	}
	at := netip.AddrPortFrom(a.AddrPort().Addr().Unmap(), a.AddrPort().Port())
	e.mu.Lock()
	conn := e.out[at]
	e.mu.Unlock()
	if conn == nil {
		if at.Port() != e.relay.o.Port.Port() || !e.relay.ours(at.Addr()) {
			e.relay.refused.Add(1)
			return len(b), nil
		}
		var err error
		if conn, err = e.dial(at); err != nil {
			return 0, err
		}
	}
	return conn.Write(b)
}

// Close ends the relay.
func (e *end) Close() error {
	e.once.Do(func() {
		close(e.over)
		e.mu.Lock()
		defer e.mu.Unlock()
		e.relay.mu.Lock()
		defer e.relay.mu.Unlock()
		if e.idle != nil {
			e.idle.Stop()
		}
		for _, conn := range e.out {
			delete(e.relay.sockets, conn.LocalAddr().(*net.UDPAddr).AddrPort())
			conn.Close()
		}
		delete(e.relay.ends, e)
		if e.relay.names[e.name]--; e.relay.names[e.name] <= 0 {
			delete(e.relay.names, e.name)
		}
	})
	return nil
}

// LocalAddr is what the page is told as its relayed address.
func (e *end) LocalAddr() net.Addr { return e.local }

// SetDeadline does nothing: Close ends what waits.
func (e *end) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing.
func (e *end) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing.
func (e *end) SetWriteDeadline(time.Time) error { return nil }

// bounded is a listener that has at most so many connections, none of which may be idle.
type bounded struct {
	net.Listener
	most int
	now  atomic.Int64
}

// Accept waits for a connection; those too many are closed.
func (l *bounded) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.now.Add(1) > int64(l.most) {
			l.now.Add(-1)
			conn.Close()
			continue
		}
		return &busy{Conn: conn, of: l}, nil
	}
}

type busy struct {
	net.Conn
	of   *bounded
	once sync.Once
}

func (c *busy) Read(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(turnIdle)); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

func (c *busy) Close() error {
	c.once.Do(func() { c.of.now.Add(-1) })
	return c.Conn.Close()
}

// silent writes no log line: what pion says is of strangers.
type silent struct{}

// NewLogger makes the logger of one of pion's parts.
func (silent) NewLogger(string) logging.LeveledLogger { return silent{} }

func (silent) Trace(string)          {}
func (silent) Tracef(string, ...any) {}
func (silent) Debug(string)          {}
func (silent) Debugf(string, ...any) {}
func (silent) Info(string)           {}
func (silent) Infof(string, ...any)  {}
func (silent) Warn(string)           {}
func (silent) Warnf(string, ...any)  {}
func (silent) Error(string)          {}
func (silent) Errorf(string, ...any) {}
