package webrtc

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pion/stun/v3"
	"github.com/pion/turn/v5"
)

// TURN is the relay for pages whose network lets nothing pass to us (RFC 8656). At most
// one of Listen and URLs is given.
type TURN struct {
	Listen string        // "HOST:PORT" of the relay built in, UDP and TCP; "" = none
	URLs   []string      // of a relay elsewhere, such as turn:turn.bank.example:3478?transport=tcp
	Secret string        // shared with that relay (coturn: static-auth-secret); of the one built in, drawn if ""
	TTL    time.Duration // of credentials; 0 is an hour
}

// ICEServer is one entry of a page's RTCPeerConnection configuration.
type ICEServer struct {
	URLs       []string `json:"urls"`
	Username   string   `json:"username,omitempty"`
	Credential string   `json:"credential,omitempty"`
}

const (
	turnTTL   = time.Hour
	turnRealm = "tandem"
	// turnGrace is how long after its credentials expired a page may keep the relay that
	// it holds: a call outlives them. A new one it does not get.
	turnGrace = 12 * time.Hour
	// relaysPerName bounds the relays of one page at once: browsers ask for one for each
	// of their networks, by UDP and by TCP.
	relaysPerName = 16
	turnIdle      = time.Minute // of a TCP connection that says nothing
	longestName   = 64
)

// Servers is what the page of who gives its RTCPeerConnection: TURN with credentials that
// expire, in coturn's form (its REST API: name is the expiry, then who; the password an
// HMAC of it), or nothing if no relay is set up.
func (s *Server) Servers(who string) []ICEServer {
	urls, secret := s.c.TURN.URLs, s.c.TURN.Secret
	if s.relay != nil {
		urls, secret = s.relay.urls(), s.relay.secret
	}
	if len(urls) == 0 || secret == "" {
		return []ICEServer{} // pages want a list
	}
	ttl := s.c.TURN.TTL
	if ttl <= 0 {
		ttl = turnTTL
	}
	who = strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' || r == ':' {
			return '_'
		}
		return r
	}, who[:min(len(who), longestName)])
	name := strconv.FormatInt(s.c.Now().Add(ttl).Unix(), 10) + ":" + who
	return []ICEServer{{URLs: urls, Username: name, Credential: turnPassword(secret, name)}}
}

func turnPassword(secret, name string) string {
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(name))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// relay is the TURN server built in. What pages send through it reaches our own port and
// nothing else, whatever they ask for.
type relay struct {
	server  *Server
	turn    *turn.Server
	secret  string
	udp     netip.AddrPort
	tcp     uint16
	refused atomic.Uint64

	mu      sync.Mutex
	names   map[string]int              // relays, by whose
	sockets map[netip.AddrPort]struct{} // ends of relays, as the port sees them
	open    int
}

// openRelay listens, if the configuration says so; nil if not.
func openRelay(s *Server) (*relay, error) {
	c := s.c.TURN
	if c.Listen == "" {
		return nil, nil
	}
	if len(c.URLs) > 0 {
		return nil, errors.New("webrtc: TURN has Listen and URLs: give one of them")
	}
	r := &relay{server: s, secret: c.Secret, names: map[string]int{}, sockets: map[netip.AddrPort]struct{}{}}
	if r.secret == "" {
		b := make([]byte, 32)
		if _, err := io.ReadFull(s.c.Random, b); err != nil {
			return nil, fmt.Errorf("webrtc: drawing TURN's secret: %w", err)
		}
		r.secret = hex.EncodeToString(b)
	}
	packets, err := net.ListenPacket("udp4", c.Listen)
	if err != nil {
		return nil, fmt.Errorf("webrtc: listening for TURN on udp %s: %w", c.Listen, err)
	}
	r.udp = packets.LocalAddr().(*net.UDPAddr).AddrPort()
	listener, err := net.Listen("tcp4", netip.AddrPortFrom(r.udp.Addr(), r.udp.Port()).String())
	if err != nil {
		return nil, errors.Join(fmt.Errorf("webrtc: listening for TURN on tcp %s: %w", r.udp, err), packets.Close())
	}
	r.tcp = listener.Addr().(*net.TCPAddr).AddrPort().Port()
	r.turn, err = turn.NewServer(turn.ServerConfig{
		Realm: turnRealm, AuthHandler: r.authorise, QuotaHandler: r.room, LoggerFactory: &loggers{},
		PacketConnConfigs: []turn.PacketConnConfig{{PacketConn: packets, RelayAddressGenerator: r, PermissionHandler: r.permits}},
		ListenerConfigs: []turn.ListenerConfig{{
			Listener: &bounded{Listener: listener, most: 2 * s.c.Limits.Peers}, RelayAddressGenerator: r, PermissionHandler: r.permits,
		}},
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("webrtc: starting TURN: %w", err), packets.Close(), listener.Close())
	}
	return r, nil
}

func (r *relay) close() error { return r.turn.Close() }

// urls are how pages reach it.
func (r *relay) urls() []string {
	host := r.udp.Addr()
	switch {
	case len(r.server.c.Public) > 0:
		host = r.server.c.Public[0]
	case host.IsUnspecified():
		if own := r.server.own(); len(own) > 0 {
			host = own[0]
		}
	}
	at := netip.AddrPortFrom(host, r.udp.Port()).String()
	return []string{"turn:" + at + "?transport=udp", "turn:" + at + "?transport=tcp"}
}

// authorise gives the key of a name of ours that has not expired (RFC 8489, section 9.2).
func (r *relay) authorise(a *turn.RequestAttributes) (string, []byte, bool) {
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
	if !r.server.c.Now().Before(ends) {
		r.refused.Add(1)
		return "", nil, false
	}
	return a.Username, turn.GenerateAuthKey(a.Username, a.Realm, turnPassword(r.secret, a.Username)), true
}

// room reports whether there may be one more relay.
func (r *relay) room(username, _ string, _ net.Addr) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	ok := r.names[username] < relaysPerName && r.open < 2*r.server.c.Limits.Peers
	if !ok {
		r.refused.Add(1)
	}
	return ok
}

// permits reports whether a page may ask for an address: ours alone.
func (r *relay) permits(_ net.Addr, to net.IP) bool {
	a, ok := netip.AddrFromSlice(to)
	if ok && r.ours(a.Unmap()) {
		return true
	}
	r.refused.Add(1)
	return false
}

// ours reports whether pages are told an address as one of ours.
func (r *relay) ours(a netip.Addr) bool {
	for _, host := range r.server.hosts(netip.Addr{}) {
		if host == a {
			return true
		}
	}
	return false
}

// held is how many relays there are.
func (r *relay) held() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.open
}

// relays reports whether an address, as the port sees it, is the end of a relay.
func (r *relay) relays(a netip.AddrPort) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.sockets[a]
	return ok
}

// Validate is asked by turn.
func (r *relay) Validate() error { return nil }

// AllocatePacketConn makes the end of a relay.
func (r *relay) AllocatePacketConn(c turn.AllocateListenerConfig) (net.PacketConn, net.Addr, error) {
	e := &end{relay: r, name: c.UserID, in: make(chan relayed, wireRoom), over: make(chan struct{}), out: map[netip.AddrPort]*net.UDPConn{}}
	first := netip.AddrPortFrom(r.server.hosts(netip.Addr{})[0], r.server.Addr().Port())
	conn, err := e.dial(first)
	if err != nil {
		return nil, nil, err
	}
	r.mu.Lock()
	r.open++
	r.names[c.UserID]++
	r.mu.Unlock()
	e.local = conn.LocalAddr()
	return e, e.local, nil
}

var errNoTCP = errors.New("webrtc: TCP is not relayed")

// AllocateListener refuses relays of TCP (RFC 6062).
func (r *relay) AllocateListener(turn.AllocateListenerConfig) (net.Listener, net.Addr, error) {
	return nil, nil, errNoTCP
}

// AllocateConn refuses relays of TCP.
func (r *relay) AllocateConn(turn.AllocateConnConfig) (net.Conn, error) { return nil, errNoTCP }

// end is where a relay meets our port. It has a socket for each address of ours that the
// page asks for, each connected to the port: there is nothing else it could reach.
type end struct {
	relay *relay
	name  string
	local net.Addr
	in    chan relayed
	over  chan struct{}
	once  sync.Once

	mu  sync.Mutex
	out map[netip.AddrPort]*net.UDPConn // by the address that the page knows
}

type relayed struct {
	*datagram
	from net.Addr
}

var _ net.PacketConn = (*end)(nil)

// dial makes the socket for an address that pages are told.
func (e *end) dial(to netip.AddrPort) (*net.UDPConn, error) {
	at := e.relay.server.Addr()
	if at.Addr().IsUnspecified() {
		at = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), at.Port())
	}
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(at))
	if err != nil {
		return nil, fmt.Errorf("webrtc: opening a relay: %w", err)
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
	e.relay.server.running.Go(func() { e.read(conn, net.UDPAddrFromAddrPort(to)) })
	return conn, nil
}

// read takes what the port answers until the socket is closed.
func (e *end) read(conn *net.UDPConn, as net.Addr) {
	for {
		d := datagrams.Get().(*datagram)
		n, err := conn.Read(d.b[:])
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		d.n = n
		select {
		case e.in <- relayed{d, as}:
		case <-e.over:
			return
		default: // the page's network is slower than we: late audio is worth nothing
			datagrams.Put(d)
		}
	}
}

// ReadFrom waits for what the port sends.
func (e *end) ReadFrom(b []byte) (int, net.Addr, error) {
	select {
	case m := <-e.in:
		n := copy(b, m.b[:m.n])
		datagrams.Put(m.datagram)
		return n, m.from, nil
	case <-e.over:
		return 0, nil, net.ErrClosed
	}
}

// WriteTo sends to our port, if the page asked for it; else the packet goes nowhere.
func (e *end) WriteTo(b []byte, to net.Addr) (int, error) {
	a, ok := to.(*net.UDPAddr)
	if !ok {
		return 0, fmt.Errorf("webrtc: %v is no UDP address", to)
	}
	at := netip.AddrPortFrom(a.AddrPort().Addr().Unmap(), a.AddrPort().Port())
	if at.Port() != e.relay.server.Addr().Port() || !e.relay.ours(at.Addr()) {
		e.relay.refused.Add(1)
		return len(b), nil
	}
	e.mu.Lock()
	conn := e.out[at]
	e.mu.Unlock()
	if conn == nil {
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
		for _, conn := range e.out {
			delete(e.relay.sockets, conn.LocalAddr().(*net.UDPAddr).AddrPort())
			conn.Close()
		}
		e.relay.open--
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
