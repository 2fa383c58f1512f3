package sip

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	gosip "github.com/emiago/sipgo/sip"
)

// check refuses a trunk that could not work, by name.
func (t *Trunk) check() error {
	if t.Name == "" {
		return errors.New("a trunk without a name")
	}
	if t.Address == "" {
		return nil // calls in only
	}
	if _, _, err := t.uri(); err != nil {
		return fmt.Errorf("trunk %s: %w", t.Name, err)
	}
	return nil
}

// uri is where calls go out to, and over which transport.
func (t *Trunk) uri() (gosip.Uri, string, error) {
	return parseTarget(t.Address)
}

// parseTarget reads a sip: URI that may be called.
func parseTarget(s string) (gosip.Uri, string, error) {
	var u gosip.Uri
	if strings.ContainsAny(s, " \t\r\n<>\"") {
		return u, "", fmt.Errorf("%q is no SIP URI", s)
	}
	if err := gosip.ParseUri(s, &u); err != nil || u.Scheme != "sip" || u.Host == "" {
		return u, "", fmt.Errorf("%q is no sip: URI", s)
	}
	transport := strings.ToLower(u.UriParams.GetOr("transport", "udp"))
	if transport != "udp" && transport != "tcp" {
		return u, "", fmt.Errorf("%q asks for transport %s: only udp and tcp are there", s, transport)
	}
	u.Headers = nil
	return u, transport, nil
}

// host is the trunk's host as configured.
func (t *Trunk) host() string {
	u, _, err := t.uri()
	if err != nil {
		return ""
	}
	return u.Host
}

// owns reports whether a host is the trunk's own: its address or one of its sources.
// Only there do its credentials go.
func (t *Trunk) owns(host string) bool {
	host = strings.Trim(host, "[]")
	if own := strings.Trim(t.host(), "[]"); own != "" && strings.EqualFold(host, own) {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && t.lists(addr)
}

func (t *Trunk) lists(addr netip.Addr) bool {
	addr = addr.Unmap()
	for _, p := range t.Sources {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// trunkOf finds the trunk a source address belongs to.
func (s *Server) trunkOf(addr netip.Addr) *Trunk {
	for i := range s.cfg.Trunks {
		if s.cfg.Trunks[i].lists(addr) {
			return &s.cfg.Trunks[i]
		}
	}
	return nil
}

func (s *Server) trunk(name string) *Trunk {
	for i := range s.cfg.Trunks {
		if s.cfg.Trunks[i].Name == name {
			return &s.cfg.Trunks[i]
		}
	}
	return nil
}
