package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
)

// checkBrowsers looks whether browsers could speak: where they connect to, how they reach it,
// and whether their pages may ask for a microphone at all.
func checkBrowsers(_ context.Context, p *patient) []finding {
	const name = "voice in browsers"
	w := p.WebRTC
	if w.Listen == "" {
		return []finding{{name, warn, "off: agents need telephones, customers cannot call from a page", "set webrtc.listen, such as 0.0.0.0:8189"}}
	}
	all := []finding{p.tryListen("webrtc udp", "udp", w.Listen)}
	if w.TCP != "" {
		all = append(all, p.tryListen("webrtc tcp", "tcp", w.TCP))
	}
	if w.TURN.Listen != "" {
		all = append(all, p.tryListen("turn", "udp", w.TURN.Listen))
	}
	for _, page := range []struct{ key, at string }{{"http.public_url", p.HTTP.PublicAddress()}, {"http.staff_url", p.HTTP.StaffAddress()}} {
		if u, err := url.Parse(page.at); err == nil && u.Scheme != "https" && !ownMachine(u.Hostname()) {
			all = append(all, finding{"microphone", fail, fmt.Sprintf("pages at %s cannot use one: browsers allow it over https:// only", page.at), "put TLS in front of the door and set " + page.key})
		}
	}
	if host, _, _ := net.SplitHostPort(w.Listen); !ownMachine(host) && w.TCP == "" && w.TURN.Listen == "" && len(w.TURN.URLs) == 0 {
		all = append(all, finding{name, warn, "browsers whose network lets no UDP through cannot speak", "set webrtc.tcp, or a relay: webrtc.turn"})
	}
	return all
}

// ownMachine reports a host that only this machine reaches, whose pages browsers trust.
func ownMachine(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
