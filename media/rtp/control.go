package rtp

import (
	"encoding/binary"
	"errors"
	"time"
)

// RTCP packet types (RFC 3550 section 12.1).
const (
	typeSender      = 200
	typeReceiver    = 201
	typeDescription = 202
	typeBye         = 203
)

// ErrControl tells that a packet is no valid compound RTCP packet.
var ErrControl = errors.New("rtp: not an RTCP compound packet")

// Block is one reception report (RFC 3550 section 6.4.1): how well its sender
// hears the source SSRC.
type Block struct {
	SSRC     uint32
	Fraction uint8 // lost since the report before, in 256ths
	Lost     int32 // lost in all, 24 bits signed
	Highest  uint32
	Jitter   uint32 // in samples
	LastSR   uint32 // middle 32 bits of the NTP time of the last sender report heard, 0 = none
	Delay    uint32 // since then, in 65,536ths of a second
}

// Control is what a stream takes from one compound RTCP packet.
type Control struct {
	SSRC    uint32 // of who sent it
	NTP     uint64 // of its sender report, 0 = none
	Bye     bool
	About   Block // its report on us
	Reports bool  // About is set
}

// ParseControl reads a compound packet; of all its reception blocks it returns
// the one about the source about. Packets of unknown types are passed over.
func ParseControl(b []byte, about uint32) (Control, error) {
	var c Control
	if len(b) < 8 || b[1] != typeSender && b[1] != typeReceiver {
		return c, ErrControl // RFC 3550 A.2: a compound starts with a report
	}
	c.SSRC = binary.BigEndian.Uint32(b[4:])
	for len(b) > 0 {
		if len(b) < 4 || b[0]>>6 != 2 {
			return Control{}, ErrControl
		}
		size := 4 + 4*int(binary.BigEndian.Uint16(b[2:]))
		if size > len(b) {
			return Control{}, ErrControl
		}
		p := b[:size]
		b = b[size:]
		switch p[1] {
		case typeSender:
			if len(p) < 28 {
				return Control{}, ErrControl
			}
			c.NTP = binary.BigEndian.Uint64(p[8:])
			c.blocks(p, p[28:], about)
		case typeReceiver:
			if len(p) < 8 {
				return Control{}, ErrControl
			}
			c.blocks(p, p[8:], about)
		case typeBye:
			c.Bye = true
		}
	}
	return c, nil
}

// blocks looks for the report about one source among those of packet p.
func (c *Control) blocks(p, b []byte, about uint32) {
	for range p[0] & 0x1f {
		if len(b) < 24 {
			return
		}
		if binary.BigEndian.Uint32(b) == about {
			lost := int32(binary.BigEndian.Uint32(b[4:])<<8) >> 8
			c.About = Block{
				SSRC: about, Fraction: b[4], Lost: lost,
				Highest: binary.BigEndian.Uint32(b[8:]), Jitter: binary.BigEndian.Uint32(b[12:]),
				LastSR: binary.BigEndian.Uint32(b[16:]), Delay: binary.BigEndian.Uint32(b[20:]),
			}
			c.Reports = true
		}
		b = b[24:]
	}
}

// Report is an RTCP packet to be written.
type Report struct {
	SSRC   uint32 // ours
	Sender bool   // we sent since the report before: NTP, Time, Packets and Bytes are told
	NTP    uint64
	Time   uint32 // RTP time at NTP
	Packet uint32
	Bytes  uint32 // of payload
	Block  *Block // nil if nothing is heard
	Bye    bool
}

// MaxReport is the largest packet Append makes.
const MaxReport = 28 + 24 + 24 + 8

// Append writes a compound packet: a sender or receiver report, the CNAME that
// every compound needs (RFC 3550 section 6.5.1: here eight hexadecimal digits of
// the SSRC, which tells nothing about the host) and, at the end of a stream, BYE.
func (r Report) Append(b []byte) []byte {
	start := len(b)
	kind, count := byte(typeReceiver), byte(0)
	if r.Sender {
		kind = typeSender
	}
	if r.Block != nil {
		count = 1
	}
	b = append(b, 2<<6|count, kind, 0, 0)
	b = binary.BigEndian.AppendUint32(b, r.SSRC)
	if r.Sender {
		b = binary.BigEndian.AppendUint64(b, r.NTP)
		b = binary.BigEndian.AppendUint32(b, r.Time)
		b = binary.BigEndian.AppendUint32(b, r.Packet)
		b = binary.BigEndian.AppendUint32(b, r.Bytes)
	}
	if k := r.Block; k != nil {
		b = binary.BigEndian.AppendUint32(b, k.SSRC)
		lost := max(-1<<23, min(1<<23-1, k.Lost))
		b = binary.BigEndian.AppendUint32(b, uint32(k.Fraction)<<24|uint32(lost)&0xffffff)
		b = binary.BigEndian.AppendUint32(b, k.Highest)
		b = binary.BigEndian.AppendUint32(b, k.Jitter)
		b = binary.BigEndian.AppendUint32(b, k.LastSR)
		b = binary.BigEndian.AppendUint32(b, k.Delay)
	}
	binary.BigEndian.PutUint16(b[start+2:], uint16((len(b)-start)/4-1))
	// SDES with one chunk: SSRC, CNAME (type 1, length 8), end and padding: 5 words
	b = append(b, 2<<6|1, typeDescription, 0, 5)
	b = binary.BigEndian.AppendUint32(b, r.SSRC)
	b = append(b, 1, 8)
	const digits = "0123456789abcdef"
	for shift := 28; shift >= 0; shift -= 4 {
		b = append(b, digits[r.SSRC>>shift&15])
	}
	b = append(b, 0, 0, 0, 0, 0, 0)
	if r.Bye {
		b = append(b, 2<<6|1, typeBye, 0, 1)
		b = binary.BigEndian.AppendUint32(b, r.SSRC)
	}
	return b
}

// NTP is t as a 64-bit NTP timestamp (RFC 3550 section 4).
func NTP(t time.Time) uint64 {
	const since1900 = 2208988800 // seconds from 1900 to 1970
	sec := uint64(t.Unix() + since1900)
	return sec<<32 | uint64(t.Nanosecond())<<32/1e9
}

// RoundTrip is the time from our sender report to its report and back, at the
// time now (NTP); 0 if b names no report of ours (RFC 3550 section 6.4.1).
func (b Block) RoundTrip(now uint64) time.Duration {
	if b.LastSR == 0 {
		return 0
	}
	d := int32(uint32(now>>16) - b.LastSR - b.Delay)
	if d <= 0 {
		return 0
	}
	return time.Duration(int64(d) * int64(time.Second) >> 16)
}
