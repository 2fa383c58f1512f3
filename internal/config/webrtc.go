package config

import (
	"net/netip"
	"strings"
)

// WebRTC is voice in browsers: of agents at the desk, of designers who try a flow, and of
// customers who call from a page. Browsers are told media.public_address.
type WebRTC struct {
	Listen          string   `yaml:"listen"`            // HOST:PORT, UDP: one port for all browsers; "" = no voice in browsers
	TCP             string   `yaml:"tcp"`               // HOST:PORT, for networks that let no UDP through; "" = none
	TURN            TURN     `yaml:"turn"`              // for browsers that reach neither
	Dial            []string `yaml:"dial"`              // entries that customers may call from a page, such as "95599"
	Origins         []string `yaml:"origins"`           // pages they may call from: https://HOST; the customers' own door always may
	Peers           int      `yaml:"peers"`             // browsers at once
	CallsPerAddress int      `yaml:"calls_per_address"` // customers' calls at once of one network address
	Upgrades        Upgrades `yaml:"upgrades"`
}

// Upgrades is how a chat becomes voice or video. Agents and flows may always ask.
type Upgrades struct {
	Customers string `yaml:"customers"` // what customers may ask for by themselves: none, voice, video
	Record    bool   `yaml:"record"`    // what is said and shown is kept; the customer is told before, and agrees or stays with text
}

// TURN is a relay between browsers and us: one that is built in, or one of the operator's.
type TURN struct {
	Listen string   `yaml:"listen"` // HOST:PORT, UDP: the built-in one; "" = none
	URLs   []string `yaml:"urls"`   // of the operator's: turn:HOST:PORT
	Secret Secret   `yaml:"secret"` // that the operator's shares with us (coturn: static-auth-secret)
}

func (r *reader) checkWebRTC(c *Config) {
	w := c.WebRTC
	for _, l := range []struct{ key, addr string }{{"webrtc.listen", w.Listen}, {"webrtc.tcp", w.TCP}, {"webrtc.turn.listen", w.TURN.Listen}} {
		if l.addr == "" {
			continue
		}
		host, _ := r.hostPort(l.key, l.addr)
		if _, err := netip.ParseAddr(host); host != "" && err != nil {
			r.wrong(l.key, "%q is no IP address: write one of this machine's, or 0.0.0.0", host)
		}
		if w.Listen == "" {
			r.wrong(l.key, "needs webrtc.listen")
		}
	}
	if w.Listen == "" && (len(w.Dial) > 0 || len(w.TURN.URLs) > 0) {
		r.wrong("webrtc.listen", "is empty, so that no browser can speak; write HOST:PORT such as 0.0.0.0:8189")
	}
	for _, u := range w.TURN.URLs {
		if scheme, rest, ok := strings.Cut(u, ":"); !ok || (scheme != "turn" && scheme != "turns") || rest == "" {
			r.wrong("webrtc.turn.urls", "%q is no relay: write turn:HOST:PORT or turns:HOST:PORT", u)
		}
	}
	if len(w.TURN.URLs) > 0 && w.TURN.Secret == "" {
		r.wrong("webrtc.turn.secret", "is needed with urls: the relay's static-auth-secret")
	}
	if len(w.TURN.URLs) > 0 && w.TURN.Listen != "" {
		r.wrong("webrtc.turn", "has both listen, our own relay, and urls, one elsewhere: choose")
	}
	if u := w.Upgrades.Customers; u != "none" && u != "voice" && u != "video" {
		r.wrong("webrtc.upgrades.customers", "%q is not one of none, voice and video", u)
	}
	for _, o := range w.Origins {
		r.webURL("webrtc.origins", o)
	}
	for _, d := range w.Dial {
		e, ok := Match(c.Entries, d)
		if kind, _ := e.Kind(); !ok || kind != "" {
			r.wrong("webrtc.dial", "%q is no number that entries map", d)
		}
	}
	if w.Peers < 1 || w.CallsPerAddress < 1 {
		r.wrong("webrtc.peers", "and calls_per_address must be more than 0")
	}
}
