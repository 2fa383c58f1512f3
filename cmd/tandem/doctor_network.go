package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
)

func checkListeners(_ context.Context, p *patient) []finding {
	var all []finding
	for _, l := range []struct{ name, addr string }{
		{"http.listen", p.HTTP.Listen}, {"http.staff_listen", p.HTTP.StaffListen}, {"http.admin_listen", p.HTTP.AdminListen},
	} {
		all = append(all, p.tryListen(l.name, "tcp", l.addr))
	}
	for _, l := range p.SIP.Listen {
		network, addr, _ := strings.Cut(l, "://")
		all = append(all, p.tryListen("sip "+network, network, addr))
	}
	return all
}

// tryListen opens the address as the server would, and closes it.
func (p *patient) tryListen(name, network, addr string) finding {
	var err error
	if network == "udp" {
		var c net.PacketConn
		if c, err = net.ListenPacket("udp", addr); err == nil {
			err = c.Close()
		}
	} else {
		var l net.Listener
		if l, err = net.Listen("tcp", addr); err == nil {
			err = l.Close()
		}
	}
	switch {
	case err == nil:
		return finding{name, ok, addr + " is free", ""}
	case errors.Is(err, syscall.EADDRINUSE) && p.running:
		return finding{name, ok, addr + " is served by the running server", ""}
	case errors.Is(err, syscall.EADDRINUSE):
		return finding{name, fail, addr + " is taken by another program", "find it with: ss -lntup; or choose another address"}
	case errors.Is(err, syscall.EACCES):
		return finding{name, fail, addr + " may not be opened", "ports under 1024 need the right CAP_NET_BIND_SERVICE; or choose another"}
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return finding{name, fail, addr + " is no address of this machine", "see: ip addr"}
	}
	return finding{name, fail, err.Error(), "choose another address"}
}

// mediaAddress is where media binds: as configured, or that of the first listener.
func (p *patient) mediaAddress() string {
	if p.Media.Address != "auto" {
		return p.Media.Address
	}
	_, addr, _ := strings.Cut(p.SIP.Listen[0], "://")
	host, _, _ := net.SplitHostPort(addr)
	return host
}

func checkMediaPorts(_ context.Context, p *patient) []finding {
	const name = "media ports"
	first, last := p.Media.Ports[0], p.Media.Ports[1]
	if first == 0 {
		return []finding{{name, warn, "any: a firewall cannot know them", "set media.ports to a range and open it for UDP"}}
	}
	pairs := (last - (first + first%2) + 1) / 2
	if pairs < p.Limits.Calls {
		return []finding{{name, fail, fmt.Sprintf("%s has %d pairs, limits.calls is %d", p.Media.Ports, pairs, p.Limits.Calls), "widen media.ports or lower limits.calls"}}
	}
	taken := 0
	const tries = 16 // spread over the range: a sample, for thousands would take long
	for i := range tries {
		port := first + (last-first)*i/(tries-1)
		c, err := net.ListenPacket("udp", net.JoinHostPort(p.mediaAddress(), fmt.Sprint(port)))
		if err != nil {
			taken++
			continue
		}
		c.Close()
	}
	switch {
	case taken == tries:
		return []finding{{name, fail, fmt.Sprintf("none of %s on %s can be opened", p.Media.Ports, p.mediaAddress()), "see media.address and media.ports"}}
	case taken > 0 && !p.running:
		return []finding{{name, warn, fmt.Sprintf("%d of %d ports tried in %s are taken", taken, tries, p.Media.Ports), "choose a range that other programs leave alone"}}
	}
	return []finding{{name, ok, fmt.Sprintf("%s on %s, %d calls fit", p.Media.Ports, p.mediaAddress(), pairs), ""}}
}

// checkPublicAddress looks whether callers can reach the address they are told.
func checkPublicAddress(_ context.Context, p *patient) []finding {
	const name = "public address"
	outside := false // callers from other machines are meant to come in
	for _, l := range p.SIP.Listen {
		_, hostport, _ := strings.Cut(l, "://")
		host, _, _ := net.SplitHostPort(hostport)
		addr, err := netip.ParseAddr(host)
		outside = outside || (host != "localhost" && (err != nil || !addr.IsLoopback()))
	}
	if !outside {
		return []finding{{name, ok, "calls from this machine only", ""}}
	}
	var all []finding
	for item := range strings.SplitSeq(p.Media.PublicAddress, ",") {
		item = strings.TrimSpace(item)
		addr, err := netip.ParseAddr(item)
		switch {
		case item == "auto":
			all = append(all, autoAddress(name))
		case err != nil:
		case addr.IsLoopback() || addr.IsUnspecified() || addr.IsMulticast():
			all = append(all, finding{name, fail, fmt.Sprintf("%s is told to callers, who cannot reach it", addr), "set media.public_address to this machine's address as callers see it"})
		case addr.IsPrivate() || addr.IsLinkLocalUnicast():
			all = append(all, finding{name, warn, fmt.Sprintf("%s is reached from its own network only", addr), "add the address outside the NAT, if callers come from there"})
		default:
			all = append(all, finding{name, ok, addr.String(), ""})
		}
	}
	return all
}

func autoAddress(name string) finding {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return finding{name, warn, "this machine's addresses cannot be read: " + err.Error(), "set media.public_address"}
	}
	var public, private []string
	for _, a := range addrs {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil || prefix.Addr().IsLoopback() || prefix.Addr().IsLinkLocalUnicast() {
			continue
		}
		if prefix.Addr().IsPrivate() {
			private = append(private, prefix.Addr().String())
		} else {
			public = append(public, prefix.Addr().String())
		}
	}
	switch {
	case len(public) > 0:
		return finding{name, ok, "auto: " + strings.Join(public, ", "), ""}
	case len(private) > 0:
		return finding{name, warn, "auto: " + strings.Join(private, ", ") + ", reached from its own network only",
			"callers from outside need media.public_address and sip.public_address set to the NAT's address"}
	}
	return finding{name, fail, "this machine has no address but loopback", "connect it to a network, or listen on 127.0.0.1"}
}
