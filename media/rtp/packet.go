// Package rtp reads and writes RTP and RTCP packets (RFC 3550), keeps the
// reception figures of one source, decides which source address a stream
// trusts, and hands out ports.
//
// It does no input or output, starts no goroutine, reads no clock and, but for
// Ports, holds no lock: each value has one owner. Parsing and writing packets
// allocates nothing.
package rtp

import (
	"encoding/binary"
	"errors"
)

// Errors of parsing. They are returned as they are, because a packet from
// outside must not cost an allocation.
var (
	ErrShort   = errors.New("rtp: packet is cut short")
	ErrVersion = errors.New("rtp: not version 2")
	ErrPadding = errors.New("rtp: padding is longer than the packet")
)

// HeaderSize is the length in bytes of a header as Put writes it: no CSRC, no extension.
const HeaderSize = 12

// Header is the part of an RTP header that a stream acts on (RFC 3550 section 5.1).
type Header struct {
	Marker  bool
	Payload uint8 // payload type, 0 to 127
	Seq     uint16
	Time    uint32 // in samples
	SSRC    uint32
}

// Parse reads a packet and returns its header and its payload without CSRC,
// extension and padding. The payload is a part of b.
func Parse(b []byte) (Header, []byte, error) {
	if len(b) < HeaderSize {
		return Header{}, nil, ErrShort
	}
	if b[0]>>6 != 2 {
		return Header{}, nil, ErrVersion
	}
	h := Header{
		Marker:  b[1]&0x80 != 0,
		Payload: b[1] & 0x7f,
		Seq:     binary.BigEndian.Uint16(b[2:]),
		Time:    binary.BigEndian.Uint32(b[4:]),
		SSRC:    binary.BigEndian.Uint32(b[8:]),
	}
	start := HeaderSize + 4*int(b[0]&0x0f)
	if b[0]&0x10 != 0 { // extension: 16 bits of profile, 16 bits of length in words
		if len(b) < start+4 {
			return Header{}, nil, ErrShort
		}
		start += 4 + 4*int(binary.BigEndian.Uint16(b[start+2:]))
	}
	end := len(b)
	if start > end {
		return Header{}, nil, ErrShort
	}
	if b[0]&0x20 != 0 {
		pad := int(b[end-1])
		if pad == 0 || start+pad > end {
			return Header{}, nil, ErrPadding
		}
		end -= pad
	}
	return h, b[start:end], nil
}

// Put writes the header into b, which must have room for HeaderSize bytes.
func (h Header) Put(b []byte) {
	b[0] = 2 << 6
	b[1] = h.Payload & 0x7f
	if h.Marker {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], h.Seq)
	binary.BigEndian.PutUint32(b[4:], h.Time)
	binary.BigEndian.PutUint32(b[8:], h.SSRC)
}
