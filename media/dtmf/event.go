// Package dtmf carries telephone keys: as RFC 4733 telephone-events, received
// and sent, and as tones in the audio, detected. Merger makes one key of what
// comes by two ways.
//
// It does no input or output, starts no goroutine and reads no clock: packets,
// samples and times are handed in. Nothing here allocates per packet. It never
// logs: keys can be secrets.
package dtmf

import (
	"encoding/binary"
	"errors"
	"time"
)

// EventSize is the length in bytes of a telephone-event payload.
const EventSize = 4

// ErrEvent tells that a payload is no telephone-event.
var ErrEvent = errors.New("dtmf: not a telephone-event")

// keys are the event codes 0 to 15 as characters (RFC 4733 section 3.2).
const keys = "0123456789*#ABCD"

// Event is one telephone-event payload (RFC 4733 section 2.3).
type Event struct {
	Code     uint8
	End      bool
	Volume   uint8  // power below 0 dBm0, 0 to 63
	Duration uint16 // in samples, from the packet's RTP timestamp on
}

// ParseEvent reads a payload; of several events in one payload only the first is
// read, as the others describe the past (RFC 4733 section 2.5.1.5 is for trunks).
func ParseEvent(b []byte) (Event, error) {
	if len(b) < EventSize {
		return Event{}, ErrEvent
	}
	return Event{
		Code: b[0], End: b[1]&0x80 != 0, Volume: b[1] & 0x3f,
		Duration: binary.BigEndian.Uint16(b[2:]),
	}, nil
}

// Put writes the payload into b, which must have room for EventSize bytes.
func (e Event) Put(b []byte) {
	b[0], b[1] = e.Code, e.Volume&0x3f
	if e.End {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], e.Duration)
}

// Key is the key an event code stands for; ok is false for codes that are no key.
func Key(code uint8) (digit byte, ok bool) {
	if int(code) < len(keys) {
		return keys[code], true
	}
	return 0, false
}

// Code is the event code of a key: 0-9, *, #, A-D (or a-d).
func Code(digit byte) (code uint8, ok bool) {
	if digit >= 'a' && digit <= 'd' {
		digit -= 'a' - 'A'
	}
	for i := range keys {
		if keys[i] == digit {
			return uint8(i), true
		}
	}
	return 0, false
}

// Via is the way a key came.
type Via uint8

const (
	ViaEvent Via = iota + 1 // RFC 4733 telephone-event
	ViaInfo                 // SIP INFO
	ViaTone                 // a tone in the audio
)

// String names the way for journals and metrics.
func (v Via) String() string {
	switch v {
	case ViaEvent:
		return "rfc4733"
	case ViaInfo:
		return "info"
	case ViaTone:
		return "tone"
	}
	return "unknown"
}

// MergeWindow is how near in time the same key by another way is the same press:
// INFO is sent at the end of a press or seconds late when it is repeated.
const MergeWindow = 2 * time.Second

// Merger counts a key once when a phone sends it by two ways. Each press by one
// way is paired with at most one press by each other way, so that "55" by both
// ways is two keys, not one and not four. The zero value is ready.
type Merger struct {
	recent [16]press // ring
	next   int
}

type press struct {
	digit byte
	seen  [4]bool // ways by which it has come, by Via
	at    time.Time
}

// Accept reports whether the key is a new press.
func (m *Merger) Accept(digit byte, via Via, now time.Time) bool {
	if via > ViaTone {
		return false
	}
	for i := range m.recent { // oldest first, so that repeated keys pair in order
		p := &m.recent[(m.next+i)%len(m.recent)]
		if p.digit == digit && !p.seen[via] && now.Sub(p.at) < MergeWindow {
			p.seen[via] = true
			return false
		}
	}
	p := &m.recent[m.next]
	*p = press{digit: digit, at: now}
	p.seen[via] = true
	m.next = (m.next + 1) % len(m.recent)
	return true
}
