package webrtc

import (
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tandem/media"
)

// Config is what a Server needs. Engine is a must.
type Config struct {
	Listen     string       // "HOST:PORT" of the UDP socket of all peers; port 0 is any
	TCP        string       // "HOST:PORT" of ICE over TCP (RFC 6544), "" = none
	Public     []netip.Addr // by which pages reach Listen, if not by its own address
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
	Signals int // a second from one peer, after a burst of as many again; 10
}

// TURN is the relay for pages whose network lets no UDP pass to us. At most one of Listen
// and URLs is given.
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

// Errors that callers branch on.
var (
	ErrClosed = errors.New("webrtc: the peer or the server is closed")
	ErrFull   = errors.New("webrtc: there are as many peers as there may be")
	ErrSignal = errors.New("webrtc: the page's signal cannot be carried out")
	ErrRate   = errors.New("webrtc: the page signals too often")
)

// Server is where pages connect to.
type Server struct {
	c    Config
	addr netip.AddrPort
}

// New opens the sockets. Close gives them back.
func New(c Config) (*Server, error) {
	if c.Engine == nil {
		return nil, errors.New("webrtc: Config needs Engine")
	}
	return &Server{c: c}, nil
}

// Close ends all peers and gives the sockets back.
func (s *Server) Close() error { return nil }

// Addr is where the UDP socket listens.
func (s *Server) Addr() netip.AddrPort { return s.addr }

// Servers is what the page of who gives its RTCPeerConnection: TURN with credentials that
// expire, or nothing.
func (s *Server) Servers(who string) []ICEServer { return nil }

// NewPeer makes a peer, which waits for its page's offer.
func (s *Server) NewPeer(o PeerOptions) (*Peer, error) { return &Peer{o: o}, nil }
