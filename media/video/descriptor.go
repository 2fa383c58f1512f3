package video

// descriptor is the VP8 payload descriptor of a packet (RFC 7741, section 4.2).
type descriptor struct {
	size      int    // in bytes, as it came
	nonRef    bool   // N: the frame can be left out without harm to others
	start     bool   // S with partition 0: the first packet of a frame
	first     uint8  // the byte all descriptors have, without X
	hasPic    bool   // I
	wide      bool   // M: 15 bits of picture number, else 7
	picture   uint16 // as it came
	hasTL0    bool   // L
	tl0       uint8
	hasLayer  bool  // T
	hasKeyIdx bool  // K
	layer     uint8 // TID, Y and KEYIDX as they came
}

// Bits of the descriptor.
const (
	bitX        = 0x80
	bitN        = 0x20
	bitS        = 0x10
	maskPart    = 0x07 // PID is three bits; the fourth is reserved
	maskFirst   = bitN | bitS | maskPart
	bitI        = 0x80
	bitL        = 0x40
	bitT        = 0x20
	bitK        = 0x10
	bitM        = 0x80
	picturesLow = 1 << 7  // a short picture number wraps here
	pictures    = 1 << 15 // a long one
	longest     = 6       // bytes of a descriptor with everything
)

// parse reads the descriptor at the beginning of an RTP payload. It fails where the payload
// ends within it, or has nothing behind it.
func parse(b []byte) (d descriptor, ok bool) {
	if len(b) < 2 {
		return d, false
	}
	d.first = b[0] & maskFirst
	d.nonRef = b[0]&bitN != 0
	d.start = b[0]&bitS != 0 && b[0]&maskPart == 0
	at := 1
	if b[0]&bitX != 0 {
		x := b[1]
		at = 2
		d.hasPic, d.hasTL0, d.hasLayer, d.hasKeyIdx = x&bitI != 0, x&bitL != 0, x&bitT != 0, x&bitK != 0
		if d.hasPic {
			if len(b) < at+2 {
				return d, false
			}
			if d.wide = b[at]&bitM != 0; d.wide {
				d.picture = uint16(b[at]&^bitM)<<8 | uint16(b[at+1])
				at++
			} else {
				d.picture = uint16(b[at])
			}
			at++
		}
		if d.hasTL0 {
			if len(b) <= at {
				return d, false
			}
			d.tl0 = b[at]
			at++
		}
		if d.hasLayer || d.hasKeyIdx {
			if len(b) <= at {
				return d, false
			}
			d.layer = b[at]
			at++
		}
	}
	d.size = at
	return d, len(b) > at
}

// put writes the descriptor with these numbers instead of its own, the picture's always
// with 15 bits, and returns its length. What it does not have is not added. b must have room
// for longest bytes.
func (d *descriptor) put(b []byte, picture uint16, tl0 uint8) int {
	b[0] = d.first
	if !d.hasPic && !d.hasTL0 && !d.hasLayer && !d.hasKeyIdx {
		return 1
	}
	b[0] |= bitX
	at := 2
	b[1] = 0
	if d.hasPic {
		b[1] |= bitI
		b[at], b[at+1] = bitM|byte(picture>>8), byte(picture)
		at += 2
	}
	if d.hasTL0 {
		b[1] |= bitL
		b[at] = tl0
		at++
	}
	if d.hasLayer {
		b[1] |= bitT
	}
	if d.hasKeyIdx {
		b[1] |= bitK
	}
	if d.hasLayer || d.hasKeyIdx {
		b[at] = d.layer
		at++
	}
	return at
}

// keyHeader is the length in bytes of a keyframe's header (RFC 6386, section 9.1).
const keyHeader = 10

// isKey reports whether VP8 data, which is the beginning of a frame, is of a keyframe.
func isKey(b []byte) bool { return len(b) > 0 && b[0]&1 == 0 }

// size reads how large a keyframe is. It fails where the header is cut short or is none.
func size(b []byte) (width, height int, ok bool) {
	if len(b) < keyHeader || b[3] != 0x9d || b[4] != 0x01 || b[5] != 0x2a {
		return 0, 0, false
	}
	const bits = 1<<14 - 1 // the two above say how to scale
	width = (int(b[6]) | int(b[7])<<8) & bits
	height = (int(b[8]) | int(b[9])<<8) & bits
	return width, height, width > 0 && height > 0
}
