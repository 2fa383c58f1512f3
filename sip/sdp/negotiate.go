package sdp

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// ErrNotAcceptable: the other side's description holds no audio stream this side
// can take part in. A request that carried it is answered 488.
var ErrNotAcceptable = errors.New("no acceptable audio in the description")

// Packet time of this side: G.711 in 20 ms packets.
const packetTime = 20 * time.Millisecond

const (
	offeredEvent = 101    // payload type this side offers for telephone-event
	eventParams  = "0-16" // RFC 4733: digits, *, #, A-D and flash
)

// Local is this side of the stream.
type Local struct {
	Addr      netip.AddrPort // public address and RTP port; RTCP is the port above
	Far       netip.Addr     // where the other side's signalling comes from
	ID        uint64         // o= session id: any number that is new for each call
	PreferA   bool           // put A-law first in offers; answers follow the offerer
	SessionBy string         // s= and o= user; "tandem" if empty
}

// Agreed is what both sides have settled, seen from this side.
type Agreed struct {
	Remote  netip.AddrPort // where RTP goes
	RTCP    netip.AddrPort // where RTCP goes
	PCMA    bool           // A-law, else µ-law
	Payload uint8          // RTP payload type of the audio
	Event   uint8          // RTP payload type of telephone-event, 0 = none
	Send    bool           // this side may send
	Recv    bool           // the other side may send
	PTime   time.Duration  // of what this side sends
}

// Negotiator keeps one call's offer/answer state. It is not safe for use by
// several goroutines at once: the call that owns it serialises them.
type Negotiator struct {
	local   Local
	hold    bool
	version uint64
	sent    string  // last description without its o= line
	lines   []Media // the m= lines of the session so far, in order
	audio   int     // index of the stream in use; -1 before the first exchange
	agreed  Agreed
	started bool
}

// NewNegotiator starts with nothing agreed.
func NewNegotiator(l Local) *Negotiator {
	if l.SessionBy == "" {
		l.SessionBy = "tandem"
	}
	return &Negotiator{local: l, version: 1, audio: -1}
}

// Hold sets whether the next description this side writes puts the other side
// on hold: it is told not to send (RFC 3264 section 8.4).
func (n *Negotiator) Hold(on bool) { n.hold = on }

// Agreed returns the last settled state; ok is false before the first.
func (n *Negotiator) Agreed() (a Agreed, ok bool) { return n.agreed, n.started }

// wish is the direction this side wants.
func (n *Negotiator) wish() Direction {
	if n.hold {
		return SendOnly
	}
	return SendRecv
}

// Offer writes an offer: the first of a call, or a new one that keeps the number
// and order of the streams (RFC 3264 section 8).
func (n *Negotiator) Offer() []byte {
	audio := Media{Kind: "audio", Port: n.local.Addr.Port(), Proto: "RTP/AVP", Direction: n.wish(), PTime: packetTime}
	laws := []Codec{{0, "PCMU", 8000, ""}, {8, "PCMA", 8000, ""}}
	if n.local.PreferA {
		laws[0], laws[1] = laws[1], laws[0]
	}
	event := uint8(offeredEvent)
	if n.started {
		if n.agreed.PCMA != (laws[0].Name == "PCMA") { // what runs stays first
			laws[0], laws[1] = laws[1], laws[0]
		}
		laws[0].Payload = n.agreed.Payload
		if n.agreed.Event != 0 {
			event = n.agreed.Event
		}
	}
	if event == laws[1].Payload || laws[0].Payload == laws[1].Payload {
		laws = laws[:1]
	}
	audio.Codecs = append(laws, Codec{event, "telephone-event", 8000, eventParams})
	for _, c := range audio.Codecs {
		audio.Formats = append(audio.Formats, strconv.Itoa(int(c.Payload)))
	}
	lines := make([]Media, len(n.lines))
	for i, m := range n.lines {
		lines[i] = refused(m)
	}
	if n.audio < 0 {
		n.audio = len(lines)
		lines = append(lines, audio)
	} else {
		lines[n.audio] = audio
	}
	n.lines = lines
	return n.write(lines, "0 0")
}

func refused(m Media) Media {
	return Media{Kind: m.Kind, Proto: m.Proto, Formats: m.Formats}
}

// write marshals with an o= version that grows when anything else changed
// (RFC 3264 section 8).
func (n *Negotiator) write(lines []Media, timing string) []byte {
	s := Session{
		User: n.local.SessionBy, ID: strconv.FormatUint(n.local.ID, 10), Origin: n.local.Addr.Addr(),
		Name: n.local.SessionBy, Addr: n.local.Addr.Addr(), Timing: timing, Media: lines,
	}
	if now := string(s.Marshal()); now != n.sent {
		if n.sent != "" {
			n.version++
		}
		n.sent = now
	}
	s.Version = strconv.FormatUint(n.version, 10)
	return s.Marshal()
}

// Answer reads an offer and writes the answer: one audio stream accepted, every
// other refused in its place. ErrNotAcceptable leaves the state as it was.
func (n *Negotiator) Answer(offer []byte) ([]byte, Agreed, error) {
	s, err := Parse(offer)
	if err != nil {
		return nil, Agreed{}, fmt.Errorf("%w: %w", ErrNotAcceptable, err)
	}
	if len(s.Media) < len(n.lines) {
		return nil, Agreed{}, fmt.Errorf("%w: a new offer with fewer streams", ErrNotAcceptable)
	}
	index, law := -1, Codec{}
	for i := range s.Media {
		c, ok := n.usable(&s.Media[i])
		if ok && (index < 0 || i == n.audio) {
			index, law = i, c
		}
	}
	if index < 0 {
		return nil, Agreed{}, ErrNotAcceptable
	}
	m := &s.Media[index]
	agreed := n.settle(m, law)
	answer := Media{
		Kind: m.Kind, Port: n.local.Addr.Port(), Proto: m.Proto, PTime: packetTime,
		Direction: direction(agreed.Send, agreed.Recv),
		Formats:   []string{strconv.Itoa(int(law.Payload))},
		Codecs:    []Codec{{law.Payload, lawName(agreed.PCMA), 8000, ""}},
	}
	if agreed.Event != 0 {
		answer.Formats = append(answer.Formats, strconv.Itoa(int(agreed.Event)))
		answer.Codecs = append(answer.Codecs, Codec{agreed.Event, "telephone-event", 8000, eventParams})
	}
	lines := make([]Media, len(s.Media))
	for i := range s.Media {
		lines[i] = refused(s.Media[i])
	}
	lines[index] = answer
	n.lines, n.audio, n.agreed, n.started = lines, index, agreed, true
	return n.write(lines, s.Timing), agreed, nil
}

// Accept reads the answer to the last offer.
func (n *Negotiator) Accept(answer []byte) (Agreed, error) {
	s, err := Parse(answer)
	if err != nil {
		return Agreed{}, fmt.Errorf("%w: %w", ErrNotAcceptable, err)
	}
	if n.audio < 0 || len(s.Media) != len(n.lines) {
		return Agreed{}, fmt.Errorf("%w: the answer has %d streams, the offer %d", ErrNotAcceptable, len(s.Media), len(n.lines))
	}
	m := &s.Media[n.audio]
	law, ok := n.usable(m)
	if !ok {
		return Agreed{}, ErrNotAcceptable
	}
	n.agreed, n.started = n.settle(m, law), true
	return n.agreed, nil
}

// usable finds the first G.711 format of a stream this side can take part in.
func (n *Negotiator) usable(m *Media) (Codec, bool) {
	if m.Kind != "audio" || m.Port == 0 || m.Proto != "RTP/AVP" || !n.believed(m.Addr) {
		return Codec{}, false
	}
	for _, c := range m.Codecs {
		if c.Is("PCMU", 8000) || c.Is("PCMA", 8000) {
			return c, true
		}
	}
	return Codec{}, false
}

// believed: media may be sent to where a description says. It is of our socket's
// address family; this machine and this link are for those who are there themselves,
// or a stranger could have us send to what only we reach. An unspecified address is
// the old way to say hold.
func (n *Negotiator) believed(a netip.Addr) bool {
	a, far := a.Unmap(), n.local.Far.Unmap()
	switch {
	case !a.IsValid() || a.IsMulticast() || a.Is4() != n.local.Addr.Addr().Unmap().Is4():
		return false
	case a.IsLoopback():
		return far.IsLoopback()
	case a.IsLinkLocalUnicast():
		return far.IsLinkLocalUnicast()
	}
	return true
}

func lawName(pcma bool) string {
	if pcma {
		return "PCMA"
	}
	return "PCMU"
}

// settle joins the other side's stream with this side's wish. An unspecified
// address (c=0.0.0.0) is the old way to say hold: nothing may be sent there.
func (n *Negotiator) settle(m *Media, law Codec) Agreed {
	held := m.Addr.IsUnspecified()
	a := Agreed{
		Remote: netip.AddrPortFrom(m.Addr, m.Port), RTCP: m.RTCP,
		PCMA: strings.EqualFold(law.Name, "PCMA"), Payload: law.Payload,
		Send:  n.wish().Sends() && m.Direction.Receives() && !held,
		Recv:  n.wish().Receives() && m.Direction.Sends(),
		PTime: packetTime,
	}
	if m.RTCP.Addr() != m.Addr { // reports go where the media goes, and to no third party
		a.RTCP = netip.AddrPort{}
		if m.Port < math.MaxUint16 {
			a.RTCP = netip.AddrPortFrom(m.Addr, m.Port+1)
		}
	}
	for _, c := range m.Codecs {
		if c.Is("telephone-event", 8000) && c.Payload != law.Payload {
			a.Event = c.Payload
			break
		}
	}
	return a
}

// Held reports whether a description puts its reader on hold: its audio stream
// takes no media. False for what cannot be read.
func Held(body []byte) bool {
	s, err := Parse(body)
	if err != nil {
		return false
	}
	for i := range s.Media {
		if m := &s.Media[i]; m.Kind == "audio" && m.Port != 0 {
			return !m.Direction.Receives() || m.Addr.IsUnspecified()
		}
	}
	return false
}
