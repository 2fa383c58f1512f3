package rtp

import (
	"net/netip"
	"time"
)

// Times and counts of learning where a stream's packets come from.
const (
	// learnWindow is how long after signalling a source other than the announced
	// one may be learned: a phone behind a NAT speaks as soon as the call is up.
	learnWindow = 5 * time.Second
	// learnAfter is how long a candidate must speak, with nothing from the
	// announced address, before it is believed.
	learnAfter = 400 * time.Millisecond
	// learnPackets is how many packets in plausible sequence it must send.
	learnPackets = 8
	// hostPackets is enough, at once, for a source on the host that signalling came
	// from if the announced address is another one: the mark of a caller behind a NAT,
	// who so misses nothing of the greeting.
	hostPackets = 2
	// ProvenSilence is how long a locked source must be silent before another
	// port of the same host may be learned (a NAT that forgot its mapping).
	ProvenSilence = 10 * time.Second
)

// Source decides which address a stream listens to, so that a stranger who
// sprays packets at the port is neither heard nor answered ("RTPbleed").
//
// The address announced by signalling is believed with its first packet. Any
// other is learned only within a short window after signalling, only while the
// announced address is silent, and only if it speaks steadily; if signalling's own
// host is given, only that one is learned, and at once if the announced address is on
// another: one who shares the caller's address must not be faster than the caller.
// Once locked, only that address is heard until signalling changes it, or until it has
// been silent for long: then another port of the same host can be learned.
type Source struct {
	announced netip.AddrPort
	host      netip.Addr // if valid, other sources are learned from this host only
	locked    netip.AddrPort
	before    netip.AddrPort // locked until it fell silent
	window    time.Time      // end of the time for learning others

	candidate netip.AddrPort
	ssrc      uint32
	seq       uint16
	count     int
	since     time.Time
}

// Set takes the address from signalling, and the host signalling came from (the
// zero Addr if unknown). The same address again changes nothing while it is
// locked; a new one starts over.
func (s *Source) Set(announced netip.AddrPort, host netip.Addr, now time.Time) {
	announced = netip.AddrPortFrom(announced.Addr().Unmap(), announced.Port())
	if announced == s.announced && s.locked.IsValid() {
		return
	}
	*s = Source{announced: announced, host: host.Unmap(), window: now.Add(learnWindow)}
}

// Locked is the address that is heard, or the zero value while none is.
func (s *Source) Locked() netip.AddrPort { return s.locked }

// Silent tells that the locked source has been silent for ProvenSilence: another
// port of its host can be learned for one more window.
func (s *Source) Silent(now time.Time) {
	if s.locked.IsValid() {
		s.host = s.locked.Addr()
		s.locked, s.before = netip.AddrPort{}, s.locked
	}
	s.window, s.count = now.Add(learnWindow), 0
}

// Accept reports whether a packet from this address is to be heard.
func (s *Source) Accept(from netip.AddrPort, h Header, now time.Time) bool {
	if s.locked.IsValid() {
		return from == s.locked
	}
	if from == s.announced || from == s.before {
		s.locked = from
		return true
	}
	if now.After(s.window) || s.host.IsValid() && from.Addr() != s.host {
		return false
	}
	if s.count > 0 && now.Sub(s.since) > learnWindow {
		s.count = 0 // a candidate that fell silent makes room
	}
	if s.count == 0 {
		s.candidate, s.ssrc, s.seq, s.since, s.count = from, h.SSRC, h.Seq, now, 1
		return false
	}
	if from != s.candidate {
		return false
	}
	step := h.Seq - s.seq
	if h.SSRC != s.ssrc || step == 0 || step > 50 {
		s.ssrc, s.seq, s.since, s.count = h.SSRC, h.Seq, now, 1
		return false
	}
	s.seq = h.Seq
	s.count++
	if s.translated() && s.count >= hostPackets || s.count >= learnPackets && now.Sub(s.since) >= learnAfter {
		s.locked = from
		return true
	}
	return false
}

// translated reports whether the caller sits behind a NAT, by all appearance.
func (s *Source) translated() bool {
	return s.host.IsValid() && s.announced.Addr() != s.host
}
