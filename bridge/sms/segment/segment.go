// Package segment tells how a text travels by SMS: in which alphabet, in how many parts,
// and which character made it dearer. It is pure: no goroutine, no clock, no network.
package segment

import "strings"

// Room in one part. A text in several parts gives up 6 bytes of each to the header that
// joins them again (3GPP TS 23.040, 9.2.3.24.1).
const (
	gsmAlone   = 160 // septets
	gsmJoined  = 153
	ucs2Alone  = 70 // UTF-16 code units
	ucs2Joined = 67
)

// Encoding is the alphabet a text is sent in.
type Encoding string

const (
	GSM7 Encoding = "GSM-7" // 3GPP TS 23.038, 6.2.1 with the extension table of 6.2.1.1
	UCS2 Encoding = "UCS-2"
)

// Count is how a text travels.
type Count struct {
	Encoding Encoding
	Units    int // septets in GSM-7, UTF-16 code units in UCS-2
	Parts    int // 0 for an empty text
	// Culprit is the first character that GSM-7 does not have; 0 = it has all.
	Culprit rune
	At      int // where the culprit stands, in characters from 0
}

// gsmBasic has one septet each, gsmExtended two: an escape before it.
const (
	gsmBasic = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?" +
		"¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
	gsmExtended = "\f^{}\\[~]|€"
)

// Of counts a text. A character is never cut in two: one that does not fit whole at the
// end of a part goes into the next.
func Of(text string) Count {
	c := Count{Encoding: GSM7}
	for i, r := range []rune(text) {
		if cost(GSM7, r) == 0 {
			c.Encoding, c.Culprit, c.At = UCS2, r, i
			break
		}
	}
	c.Units, c.Parts = parts(text, c.Encoding)
	return c
}

// cost is how many units a character takes; 0 if the alphabet does not have it.
func cost(e Encoding, r rune) int {
	if e == UCS2 {
		if r > 0xffff {
			return 2
		}
		return 1
	}
	switch {
	case strings.ContainsRune(gsmBasic, r):
		return 1
	case strings.ContainsRune(gsmExtended, r):
		return 2
	}
	return 0
}

func parts(text string, e Encoding) (units, n int) {
	cut(text, e, func(_, _, k int) { units, n = units+k, n+1 })
	return units, n
}

// Split is the parts that a text travels in, as many as Of counts. Joined they are the
// text.
func Split(text string) []string {
	var out []string
	cut(text, Of(text).Encoding, func(from, to, _ int) { out = append(out, text[from:to]) })
	return out
}

// cut calls each with every part of a text: its bytes from and to, and its units. A part
// takes as many characters as fit whole, so there are never more parts than needed.
func cut(text string, e Encoding, each func(from, to, units int)) {
	alone, joined := gsmAlone, gsmJoined
	if e == UCS2 {
		alone, joined = ucs2Alone, ucs2Joined
	}
	whole := 0
	for _, r := range text {
		whole += cost(e, r)
	}
	if whole <= alone { // without a header to join it there is more room
		joined = alone
	}
	from, filled := 0, 0
	for i, r := range text {
		k := cost(e, r)
		if filled+k > joined {
			each(from, i, filled)
			from, filled = i, 0
		}
		filled += k
	}
	if filled > 0 {
		each(from, len(text), filled)
	}
}
