// Package codec turns 16-bit linear audio into G.711 and back, and one law into
// the other. It owns tables only: it starts no goroutine, keeps no state and
// allocates nothing, so every goroutine may use it at once.
//
// All audio is mono at 8,000 samples per second.
package codec

import "github.com/zaf/g711"

const (
	// Rate is the samples per second of all telephone audio here.
	Rate = 8000
	// FrameSamples is the number of samples, and of G.711 bytes, in one 20 ms frame.
	FrameSamples = 160
)

// Law is one of the two G.711 companding laws.
type Law uint8

const (
	PCMU Law = iota // mu-law, RTP payload type 0
	PCMA            // A-law, RTP payload type 8
)

// String is the law's RTP encoding name (RFC 3551 section 6).
func (l Law) String() string {
	if l == PCMA {
		return "PCMA"
	}
	return "PCMU"
}

// Payload is the law's static RTP payload type (RFC 3551 section 6).
func (l Law) Payload() uint8 {
	if l == PCMA {
		return 8
	}
	return 0
}

// Silence is the byte that decodes to no sound.
func (l Law) Silence() byte {
	if l == PCMA {
		return 0xd5
	}
	return 0xff
}

// Sample encodes one sample.
func (l Law) Sample(s int16) byte {
	if l == PCMA {
		return g711.EncodeAlawFrame(s)
	}
	return g711.EncodeUlawFrame(s)
}

// Linear decodes one byte.
func (l Law) Linear(b byte) int16 {
	if l == PCMA {
		return g711.DecodeAlawFrame(b)
	}
	return g711.DecodeUlawFrame(b)
}

// Encode writes pcm into dst and returns the number of samples done: the shorter length.
func (l Law) Encode(dst []byte, pcm []int16) int {
	n := min(len(dst), len(pcm))
	if l == PCMA {
		for i, s := range pcm[:n] {
			dst[i] = g711.EncodeAlawFrame(s)
		}
		return n
	}
	for i, s := range pcm[:n] {
		dst[i] = g711.EncodeUlawFrame(s)
	}
	return n
}

// Decode writes the samples of src into dst and returns the number of samples done: the shorter length.
func (l Law) Decode(dst []int16, src []byte) int {
	n := min(len(dst), len(src))
	if l == PCMA {
		for i, b := range src[:n] {
			dst[i] = g711.DecodeAlawFrame(b)
		}
		return n
	}
	for i, b := range src[:n] {
		dst[i] = g711.DecodeUlawFrame(b)
	}
	return n
}

// Convert writes src, in law from, into dst in law l and returns the number of
// bytes done: the shorter length. dst and src may be the same slice.
func (l Law) Convert(dst, src []byte, from Law) int {
	n := min(len(dst), len(src))
	switch {
	case l == from:
		copy(dst[:n], src[:n])
	case l == PCMA:
		for i, b := range src[:n] {
			dst[i] = g711.Ulaw2AlawFrame(b)
		}
	default:
		for i, b := range src[:n] {
			dst[i] = g711.Alaw2UlawFrame(b)
		}
	}
	return n
}

// Fill writes silence into dst.
func (l Law) Fill(dst []byte) {
	quiet := l.Silence()
	for i := range dst {
		dst[i] = quiet
	}
}
