// Package sdp reads and writes session descriptions (RFC 8866) and negotiates one
// G.711 audio stream with telephone events by offer and answer (RFC 3264).
//
// It is pure: it runs no goroutine, opens nothing, resolves no name and never
// panics on what a stranger sends; sizes and counts are bounded before they are
// believed. It knows audio over RTP/AVP only: any other stream is kept in its
// place and refused with port 0.
package sdp

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Bounds on one description; a larger one is refused whole.
const (
	MaxBytes  = 32 << 10 // bytes in the body
	MaxMedia  = 16       // m= lines
	MaxCodecs = 64       // formats on one m= line
)

// Direction is who sends, seen from the side that wrote the description
// (RFC 3264 section 5.1). The zero value is SendRecv, the default of the RFC.
type Direction uint8

const (
	SendRecv Direction = iota
	SendOnly
	RecvOnly
	Inactive
)

var directionNames = [...]string{SendRecv: "sendrecv", SendOnly: "sendonly", RecvOnly: "recvonly", Inactive: "inactive"}

// String is the attribute's name on the wire.
func (d Direction) String() string { return directionNames[d&3] }

// Sends reports whether the writer sends media.
func (d Direction) Sends() bool { return d == SendRecv || d == SendOnly }

// Receives reports whether the writer wants media.
func (d Direction) Receives() bool { return d == SendRecv || d == RecvOnly }

func direction(send, recv bool) Direction {
	switch {
	case send && recv:
		return SendRecv
	case send:
		return SendOnly
	case recv:
		return RecvOnly
	}
	return Inactive
}

// Session is one description, as far as a call needs it. Lines that are not
// named here are read over and not kept.
type Session struct {
	User    string     // o= user
	ID      string     // o= session id
	Version string     // o= version
	Origin  netip.Addr // o= address, invalid if it was a name
	Name    string     // s=
	Addr    netip.Addr // session c=, invalid if there was none or it was a name
	Timing  string     // first t=, such as "0 0"
	Media   []Media
}

// Media is one m= line with what follows it.
type Media struct {
	Kind      string // audio, video, image, …
	Port      uint16 // 0 = refused
	Proto     string // RTP/AVP, …
	Formats   []string
	Addr      netip.Addr // effective c=: its own, else the session's
	Direction Direction  // effective: its own, else the session's
	RTCP      netip.AddrPort
	PTime     time.Duration // 0 = not given
	Codecs    []Codec       // one for each RTP format that is understood, in order
}

// Codec is one payload type of an RTP stream.
type Codec struct {
	Payload uint8
	Name    string // as written: PCMU, pcma, telephone-event
	Clock   int    // Hz
	Params  string // a=fmtp
}

// Is reports whether the codec has this name, in any case, at this clock.
func (c Codec) Is(name string, clock int) bool {
	return c.Clock == clock && strings.EqualFold(c.Name, name)
}

// Marshal writes the description with CRLF line ends.
func (s *Session) Marshal() []byte {
	b := make([]byte, 0, 512)
	b = append(b, "v=0\r\no="...)
	b = append(b, s.User...)
	b = append(b, ' ')
	b = append(b, s.ID...)
	b = append(b, ' ')
	b = append(b, s.Version...)
	b = append(b, ' ')
	b = appendAddr(b, s.Origin)
	b = append(b, "\r\ns="...)
	b = append(b, s.Name...)
	if s.Addr.IsValid() {
		b = append(b, "\r\nc="...)
		b = appendAddr(b, s.Addr)
	}
	b = append(b, "\r\nt="...)
	b = append(b, s.Timing...)
	b = append(b, "\r\n"...)
	for i := range s.Media {
		b = s.Media[i].append(b, s.Addr)
	}
	return b
}

func (m *Media) append(b []byte, session netip.Addr) []byte {
	b = append(b, "m="...)
	b = append(b, m.Kind...)
	b = append(b, ' ')
	b = strconv.AppendUint(b, uint64(m.Port), 10)
	b = append(b, ' ')
	b = append(b, m.Proto...)
	for _, f := range m.Formats {
		b = append(b, ' ')
		b = append(b, f...)
	}
	b = append(b, "\r\n"...)
	if m.Port == 0 {
		return b
	}
	if m.Addr.IsValid() && m.Addr != session {
		b = append(b, "c="...)
		b = appendAddr(b, m.Addr)
		b = append(b, "\r\n"...)
	}
	for _, c := range m.Codecs {
		b = append(b, "a=rtpmap:"...)
		b = strconv.AppendUint(b, uint64(c.Payload), 10)
		b = append(b, ' ')
		b = append(b, c.Name...)
		b = append(b, '/')
		b = strconv.AppendInt(b, int64(c.Clock), 10)
		b = append(b, "\r\n"...)
		if c.Params != "" {
			b = append(b, "a=fmtp:"...)
			b = strconv.AppendUint(b, uint64(c.Payload), 10)
			b = append(b, ' ')
			b = append(b, c.Params...)
			b = append(b, "\r\n"...)
		}
	}
	if m.PTime > 0 {
		b = append(b, "a=ptime:"...)
		b = strconv.AppendInt(b, m.PTime.Milliseconds(), 10)
		b = append(b, "\r\n"...)
	}
	if m.RTCP.IsValid() && m.RTCP != netip.AddrPortFrom(m.Addr, m.Port+1) {
		b = append(b, "a=rtcp:"...)
		b = strconv.AppendUint(b, uint64(m.RTCP.Port()), 10)
		if m.RTCP.Addr() != m.Addr {
			b = append(b, ' ')
			b = appendAddr(b, m.RTCP.Addr())
		}
		b = append(b, "\r\n"...)
	}
	b = append(b, "a="...)
	b = append(b, m.Direction.String()...)
	return append(b, "\r\n"...)
}

func appendAddr(b []byte, a netip.Addr) []byte {
	switch {
	case !a.IsValid():
		return append(b, "IN IP4 0.0.0.0"...)
	case a.Is4():
		b = append(b, "IN IP4 "...)
	default:
		b = append(b, "IN IP6 "...)
	}
	return a.AppendTo(b)
}
