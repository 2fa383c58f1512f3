package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
)

// checkBrowsers looks whether what browsers connect to can listen.
func checkBrowsers(_ context.Context, p *patient) []finding {
	w := p.WebRTC
	if w.Listen == "" {
		return []finding{{"voice in browsers", warn, "off: agents need telephones, customers cannot call from a page", "set webrtc.listen, such as 0.0.0.0:8189"}}
	}
	all := []finding{p.tryListen("webrtc udp", "udp", w.Listen)}
	if w.TCP != "" {
		all = append(all, p.tryListen("webrtc tcp", "tcp", w.TCP))
	}
	if w.TURN.Listen != "" {
		all = append(all, p.tryListen("turn", "udp", w.TURN.Listen))
	}
	return all
}

// checkMicrophone looks whether browsers let the pages ask for one.
func checkMicrophone(_ context.Context, p *patient) []finding {
	if p.WebRTC.Listen == "" {
		return nil
	}
	var all []finding
	for _, page := range []struct{ key, at string }{{"http.public_url", p.HTTP.PublicAddress()}, {"http.staff_url", p.HTTP.StaffAddress()}} {
		if u, err := url.Parse(page.at); err == nil && u.Scheme != "https" && !ownMachine(u.Hostname()) {
			all = append(all, finding{"microphone", fail, fmt.Sprintf("pages at %s cannot use one: browsers allow it over https:// only", page.at), "put TLS in front of the door and set " + page.key})
		}
	}
	return all
}

// checkWayIn looks whether browsers reach us from networks that let no UDP through.
func checkWayIn(_ context.Context, p *patient) []finding {
	w := p.WebRTC
	if host, _, _ := net.SplitHostPort(w.Listen); w.Listen == "" || ownMachine(host) || w.TCP != "" || w.TURN.Listen != "" || len(w.TURN.URLs) > 0 {
		return nil
	}
	return []finding{{"way in", warn, "browsers whose network lets no UDP through cannot speak", "set webrtc.tcp, or a relay: webrtc.turn"}}
}

// ownMachine reports a host that only this machine reaches, whose pages browsers trust.
func ownMachine(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}
