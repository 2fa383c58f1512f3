package webrtc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	pion "github.com/pion/webrtc/v4"
	"github.com/prometheus/client_golang/prometheus"

	"tandem/media"
	"tandem/media/webrtc/description"
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
	Peers   int // at once; 2,000
	SDP     int // bytes of one; 32 KiB
	Signals int // a second from one peer, after a burst of twice as many; 10
}

// Errors that callers branch on.
var (
	ErrClosed = errors.New("webrtc: the peer or the server is closed")
	ErrFull   = errors.New("webrtc: there are as many peers as there may be")
	ErrSignal = errors.New("webrtc: the page's signal cannot be carried out")
	ErrRate   = errors.New("webrtc: the page signals too often")
)

// Server is where pages connect to.
type Server struct {
	c           Config
	certificate pion.Certificate // of this process
	port        *port
	tcp         *tcpPort     // nil = none
	relay       *relay.Relay // nil = none built in
	counts      drops
	metrics     metrics
	running     sync.WaitGroup

	mu     sync.Mutex
	peers  map[*Peer]struct{}
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
	s = &Server{c: c, peers: map[*Peer]struct{}{}}
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
	if s.port, err = openPort(c.Listen, &s.counts); err != nil {
		return s, err
	}
	go s.port.run()
	if c.TCP != "" {
		if s.tcp, err = openTCP(c.TCP, 2*c.Limits.Peers, &s.counts); err != nil {
			return s, err
		}
		s.tcp.running.Add(1)
		go s.tcp.run()
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
	all := make([]*Peer, 0, len(s.peers))
	for p := range s.peers {
		all = append(all, p)
	}
	s.mu.Unlock()
	for _, p := range all {
		p.Close()
	}
	for _, p := range all {
		<-p.ended
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
func (s *Server) Addr() netip.AddrPort {
	a := s.port.local.AddrPort()
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port())
}

// NewPeer makes a peer, which waits for its page's offer.
func (s *Server) NewPeer(o PeerOptions) (*Peer, error) {
	if o.Send == nil {
		return nil, errors.New("webrtc: PeerOptions need Send")
	}
	now := time.Now()
	p := &Peer{
		server: s, o: o, ring: newRing(), turn: make(chan struct{}, 1), wake: make(chan struct{}, 1), over: make(chan struct{}),
		ended: make(chan struct{}), state: StateNew, since: s.c.Now(), at: now, filled: now, tokens: 2 * float64(s.c.Limits.Signals),
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return nil, ErrClosed
	case len(s.peers) >= s.c.Limits.Peers:
		return nil, ErrFull
	}
	var err error
	if p.stream, err = s.c.Engine.OpenWire(p.ring); err != nil {
		return nil, fmt.Errorf("webrtc: opening a stream: %w", err)
	}
	s.peers[p] = struct{}{}
	s.running.Go(p.write)
	s.running.Go(p.watch)
	return p, nil
}

func (s *Server) forget(p *Peer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.peers, p)
}

// count is how many peers are in a state.
func (s *Server) count(state State) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range s.peers {
		if p.State() == state {
			n++
		}
	}
	return n
}

// password tells the ports what signs checks for a user fragment of ours.
func (s *Server) password(ufrag, pwd string) {
	s.port.mu.RLock()
	if w := s.port.byName[ufrag]; w != nil {
		w.secret.Store(&pwd)
	}
	s.port.mu.RUnlock()
	if s.tcp == nil {
		return
	}
	s.tcp.mu.Lock()
	if w := s.tcp.byName[ufrag]; w != nil {
		w.secret.Store(&pwd)
	}
	s.tcp.mu.Unlock()
}

// maxHosts is how many of our addresses a page is told.
const maxHosts = 8

// advertised puts our addresses for a page into a description.
func (s *Server) advertised(sdp string, page netip.Addr) string {
	var tcp uint16
	if s.tcp != nil {
		tcp = s.tcp.local.(*net.TCPAddr).AddrPort().Port()
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
