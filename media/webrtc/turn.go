package webrtc

import (
	"errors"
	"net/netip"
	"time"

	"tandem/media/webrtc/relay"
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

// turnTTL is how long credentials hold, if the configuration does not say.
const turnTTL = time.Hour

// Servers is what the page of who gives its RTCPeerConnection: TURN with credentials that
// expire, in coturn's form (its REST API: name is the expiry, then who; the password an
// HMAC of it), or nothing if no relay is set up.
func (s *Server) Servers(who string) []ICEServer {
	urls, secret := s.c.TURN.URLs, s.c.TURN.Secret
	if s.relay != nil {
		urls, secret = s.relay.URLs(), s.relay.Secret()
	}
	if len(urls) == 0 || secret == "" {
		return []ICEServer{} // pages want a list
	}
	ttl := s.c.TURN.TTL
	if ttl <= 0 {
		ttl = turnTTL
	}
	name, password := relay.Credentials(secret, who, s.c.Now().Add(ttl))
	return []ICEServer{{URLs: urls, Username: name, Credential: password}}
}

// openRelay starts the relay built in, if the configuration says so.
func (s *Server) openRelay() (err error) {
	c := s.c.TURN
	if c.Listen == "" {
		return nil
	}
	if len(c.URLs) > 0 {
		return errors.New("webrtc: TURN has Listen and URLs: give one of them")
	}
	var host netip.Addr
	if len(s.c.Public) > 0 {
		host = s.c.Public[0]
	}
	s.relay, err = relay.New(relay.Options{
		Host: host, Listen: c.Listen, Secret: c.Secret, Most: 4 * s.c.Limits.Peers, Port: s.Addr(), Random: s.c.Random, Now: s.c.Now,
		Hosts: func() []netip.Addr { return s.hosts(netip.Addr{}) },
	})
	return err
}
