package app

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
)

// addresses chooses the address that a far end is told to send its media to.
type addresses struct {
	bound  netip.Addr   // of the media sockets
	public []netip.Addr // as configured; empty = auto
}

// newAddresses reads media.address and media.public_address. The first is "auto"
// for the host of the first SIP listener.
func newAddresses(bind, public, sipListen string) (addresses, error) {
	var a addresses
	if bind == "auto" {
		_, hostPort, _ := strings.Cut(sipListen, "://")
		host, _, err := net.SplitHostPort(hostPort)
		if err != nil {
			return a, fmt.Errorf("media.address is auto, but sip.listen %q has no host: %w", sipListen, err)
		}
		bind = host
	}
	var err error
	if bind == "" {
		bind = "0.0.0.0"
	}
	if a.bound, err = netip.ParseAddr(bind); err != nil {
		return a, fmt.Errorf("media.address: %w", err)
	}
	if public == "auto" || public == "" {
		return a, nil
	}
	for p := range strings.SplitSeq(public, ",") {
		addr, err := netip.ParseAddr(strings.TrimSpace(p))
		if err != nil {
			return a, fmt.Errorf("media.public_address: %w", err)
		}
		a.public = append(a.public, addr)
	}
	return a, nil
}

// toward is the address for a far end at host: the public one, unless the far end
// is on a local network, which reaches us by the address we have there. A host that
// is not known, the zero Addr, is taken for a public one.
func (a addresses) toward(host netip.Addr) netip.Addr {
	host = host.Unmap()
	if len(a.public) > 0 && !local(host) {
		for _, p := range a.public {
			if p.Is4() == host.Is4() {
				return p
			}
		}
		return a.public[0]
	}
	if !a.bound.IsUnspecified() {
		return a.bound
	}
	return ours(host)
}

// local reports whether an address is of a network that needs no public address.
func local(a netip.Addr) bool { return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() }

// ours is the address this host uses toward another. No packet is sent: connecting
// a datagram socket only asks for the route.
func ours(host netip.Addr) netip.Addr {
	if !host.IsValid() {
		host = netip.AddrFrom4([4]byte{192, 0, 2, 1}) // of no host (RFC 5737): the default route
	}
	c, err := net.Dial("udp", netip.AddrPortFrom(host, 9).String())
	if err != nil {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
}
