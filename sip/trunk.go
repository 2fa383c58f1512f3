package sip

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
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

// target is the URI d leads to, its transport, and the trunk it goes by, if any.
func (s *Server) target(d Dial) (gosip.Uri, string, *Trunk, error) {
	if d.Trunk == "" {
		u, transport, err := parseTarget(d.To)
		return u, transport, nil, err
	}
	trunk := s.trunk(d.Trunk)
	if trunk == nil || trunk.Address == "" {
		return gosip.Uri{}, "", nil, fmt.Errorf("no trunk %q to call out by", d.Trunk)
	}
	u, transport, err := trunk.uri()
	return u, transport, trunk, err
}

// Host is the address that a call of d will go to: what shows its way out of this
// machine. It is the zero Addr if that cannot be found out; Dial will say why.
func (s *Server) Host(ctx context.Context, d Dial) netip.Addr {
	target, _, _, err := s.target(d)
	if err != nil {
		return netip.Addr{}
	}
	return lookup(ctx, target.Host)
}

// lookup is the address of a host, IPv4 if it has one, as sipgo chooses.
func lookup(ctx context.Context, host string) netip.Addr {
	if addr, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		return addr.Unmap()
	}
	ctx, stop := context.WithTimeout(ctx, connectTime)
	defer stop()
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil || len(found) == 0 {
		return netip.Addr{} // it may have a SRV record, which sipgo looks for
	}
	best := max(0, slices.IndexFunc(found, func(a netip.Addr) bool { return a.Unmap().Is4() }))
	return found[best].Unmap()
}
