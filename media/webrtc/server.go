package webrtc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	pion "github.com/pion/webrtc/v4"
	"github.com/prometheus/client_golang/prometheus"

	"tandem/media"
	"tandem/media/webrtc/description"
	"tandem/media/webrtc/port"
	"tandem/media/webrtc/relay"
)

// Config is what a Server needs. Engine and Listen are a must.
type Config struct {
	Listen     string       // "HOST:PORT" of the UDP socket of all peers; port 0 is any
	TCP        string       // "HOST:PORT" of ICE over TCP (RFC 6544), "" = none
	Public     []netip.Addr // by which pages elsewhere reach us, if not by our own address
	Engine     *media.Engine
	TURN       TURN
	Limits     Limits
	Log        *slog.Logger
	Registerer prometheus.Registerer // nil: no metrics
	Random     io.Reader             // nil is crypto/rand
	Now        func() time.Time      // nil is time.Now
	Panicked   func()                // counts a fault of ours, which ends its peer only; may be nil
}

// Limits bounds what pages can take. Zero fields are the defaults.
type Limits struct {
	Peers   int // at once, and as many screens; 2,000
	SDP     int // bytes of one; 32 KiB
	Signals int // a second from one peer, after a burst of twice as many; 10
}

// Errors that callers branch on.
var (
	ErrClosed = errors.New("webrtc: the connection or the server is closed")
	ErrFull   = errors.New("webrtc: there are as many connections as there may be")
	ErrSignal = errors.New("webrtc: the page's signal cannot be carried out")
	ErrRate   = errors.New("webrtc: the page signals too often")
)

// Server is where pages connect to.
type Server struct {
	c           Config
	certificate pion.Certificate // of this process
	port        *port.UDP
	tcp         *port.TCP    // nil = none
	relay       *relay.Relay // nil = none built in
	counts      port.Drops
	metrics     metrics
	running     sync.WaitGroup

	mu     sync.Mutex
	conns  map[*conn]struct{}
	closed bool
}

// New opens the sockets. Close gives them back.
func New(c Config) (s *Server, err error) {
	if c.Engine == nil || c.Listen == "" {
		return nil, errors.New("webrtc: Config needs Engine and Listen")
	}
	for of, standard := range map[*int]int{&c.Limits.Peers: 2000, &c.Limits.SDP: 32 << 10, &c.Limits.Signals: 10} {
		if *of <= 0 {
			*of = standard
		}
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	s = &Server{c: c, conns: map[*conn]struct{}{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return s, fmt.Errorf("webrtc: making a key: %w", err)
	}
	certificate, err := pion.GenerateCertificate(key)
	if err != nil {
		return s, fmt.Errorf("webrtc: making a certificate: %w", err)
	}
	s.certificate = *certificate
	if s.port, err = port.OpenUDP(c.Listen, &s.counts); err != nil {
		return s, err
	}
	if c.TCP != "" {
		if s.tcp, err = port.OpenTCP(c.TCP, 4*c.Limits.Peers, &s.counts); err != nil {
			return s, err
		}
	}
	if err := s.openRelay(); err != nil {
		return s, err
	}
	if err := s.register(); err != nil {
		return s, err
	}
	return s, nil
}

// Close ends all peers and gives the sockets back.
func (s *Server) Close() error {
	s.mu.Lock()
	s.closed = true
	all := slices.Collect(maps.Keys(s.conns))
	s.mu.Unlock()
	for _, c := range all {
		c.side.shut()
	}
	for _, c := range all {
		<-c.ended
	}
	s.running.Wait()
	var errs []error
	if s.relay != nil {
		errs = append(errs, s.relay.Close())
	}
	if s.tcp != nil {
		errs = append(errs, s.tcp.Close())
	}
	if s.port != nil {
		errs = append(errs, s.port.Close())
	}
	s.unregister()
	return errors.Join(errs...)
}

// Addr is where the UDP socket listens.
func (s *Server) Addr() netip.AddrPort { return s.port.Addr() }

// admit takes a connection in, if there is room for one more of its sort, and runs what it
// has to run. more is done before, and may refuse.
func (s *Server) admit(c *conn, more func() error, run ...func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return ErrClosed
	case s.number(c.counted) >= s.c.Limits.Peers:
		return ErrFull
	}
	if err := more(); err != nil {
		return fmt.Errorf("webrtc: opening a stream: %w", err)
	}
	s.conns[c] = struct{}{}
	for _, f := range run {
		s.running.Go(f)
	}
	return nil
}

// number is how many connections there are of a sort.
func (s *Server) number(sort *gauges) (n int) {
	for c := range s.conns {
		if c.counted == sort {
			n++
		}
	}
	return n
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// count is how many connections of a sort are in a state.
func (s *Server) count(sort *gauges, state State) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		if c.counted == sort && c.State() == state {
			n++
		}
	}
	return n
}

// password tells the sockets what signs checks for a user fragment of ours.
func (s *Server) password(ufrag, pwd string) {
	s.port.Password(ufrag, pwd)
	if s.tcp != nil {
		s.tcp.Password(ufrag, pwd)
	}
}

// maxHosts is how many of our addresses a page is told.
const maxHosts = 8

// advertised puts our addresses for a page into a description.
func (s *Server) advertised(sdp string, page netip.Addr) string {
	var tcp uint16
	if s.tcp != nil {
		tcp = s.tcp.Addr().Port()
	}
	return description.Advertise(sdp, s.hosts(page), s.Addr().Port(), tcp)
}

// hosts are our addresses for a page: the public ones for pages elsewhere, our own for
// those of this machine or a local network. Of whom we know neither is told both.
func (s *Server) hosts(page netip.Addr) []netip.Addr {
	own := s.own()
	page = page.Unmap()
	local := page.IsLoopback() || page.IsPrivate() || page.IsLinkLocalUnicast()
	switch {
	case len(s.c.Public) == 0 || local:
	case page.IsValid():
		own = s.c.Public
	default:
		own = append(slices.Clone(s.c.Public), own...)
	}
	return own[:min(len(own), maxHosts)]
}

// own is where the port listens: one address, or those of all interfaces, that of the
// machine itself last.
func (s *Server) own() []netip.Addr {
	at := s.Addr().Addr()
	if !at.IsUnspecified() {
		return []netip.Addr{at}
	}
	var all, self []netip.Addr
	interfaces, _ := net.InterfaceAddrs() // none are told if they cannot be read
	for _, i := range interfaces {
		p, err := netip.ParsePrefix(i.String())
		if err != nil || p.Addr().Is4() != at.Is4() || p.Addr().IsLinkLocalUnicast() {
			continue
		}
		if p.Addr().IsLoopback() {
			self = append(self, p.Addr())
		} else {
			all = append(all, p.Addr())
		}
	}
	return append(all, self...)
}
