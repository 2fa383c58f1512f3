package picture

import (
	"strings"
	"unicode/utf8"
)

// Sizes of writing in px.
const (
	nameSize  = 13
	smallSize = 11
)

// narrow holds the widths of ASCII in hundredths of the size, from the space on.
const narrow = "\x1d\x1e\x26\x3c\x3c\x5a\x48\x14\x22\x22\x28\x3e\x1d\x23\x1d\x1f" + // space to /
	"\x3c\x3c\x3c\x3c\x3c\x3c\x3c\x3c\x3c\x3c\x1f\x1f\x3e\x3e\x3e\x38" + // 0 to ?
	"\x66\x45\x45\x47\x4a\x40\x3c\x4c\x4a\x1f\x36\x44\x3a\x55\x4b\x4e" + // @ to O
	"\x42\x4e\x45\x42\x3f\x4a\x43\x62\x42\x42\x40\x22\x1f\x22\x32\x3a" + // P to _
	"\x22\x3b\x3d\x37\x3d\x3b\x23\x3d\x3c\x1b\x1c\x38\x1b\x5a\x3c\x3c" + // ` to o
	"\x3d\x3d\x27\x35\x25\x3c\x38\x50\x38\x38\x34\x26\x1f\x26\x3e" // p to ~

// spare widens narrow by so many hundredths to the widest of common sans-serif faces,
// so that nothing runs out of its box.
const spare = 113

// width estimates the width of s in px at a size: East Asian characters and pictures
// take a whole one, ASCII is looked up, all else takes three fifths.
func width(s string, size int) int {
	sum := 0
	for _, r := range s {
		switch {
		case r >= ' ' && r <= '~':
			sum += int(narrow[r-' ']) * 10
		case wide(r):
			sum += 1000 * 100 / spare
		case r == '…':
			sum += 900
		default:
			sum += 620
		}
	}
	return (sum*size*spare/100 + 999) / 1000
}

func wide(r rune) bool {
	return r >= 0x1100 && r <= 0x115f || r >= 0x2e80 && r <= 0xa4cf || r >= 0xac00 && r <= 0xd7a3 ||
		r >= 0xf900 && r <= 0xfaff || r >= 0xfe30 && r <= 0xfe6f || r >= 0xff00 && r <= 0xff60 ||
		r >= 0xffe0 && r <= 0xffe6 || r >= 0x1f300 && r <= 0x1faff || r >= 0x20000 && r <= 0x3fffd
}

// cut shortens s to a width in px, ending in … where something is missing.
func cut(s string, size, most int) string {
	if width(s, size) <= most {
		return s
	}
	room := most - width("…", size)
	used, end := 0, 0
	for i, r := range s {
		_, n := utf8.DecodeRuneInString(s[i:])
		used += width(string(r), size)
		if used > room {
			break
		}
		end = i + n
	}
	return strings.TrimRight(s[:end], " ,") + "…"
}

// escape makes s fit for an XML text or attribute: characters that XML 1.0 does not
// know become U+FFFD.
func escape(s string) string {
	var b strings.Builder
	for _, r := range escapeControls(s) {
		switch {
		case r == '<':
			b.WriteString("&lt;")
		case r == '>':
			b.WriteString("&gt;")
		case r == '&':
			b.WriteString("&amp;")
		case r == '"':
			b.WriteString("&quot;")
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// escapeControls puts U+FFFD for what no XML 1.0 text may hold, and for marks that turn
// the direction of writing, which could make a picture lie.
func escapeControls(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t' || r == '\r':
			return ' '
		case r < ' ', r >= 0x7f && r <= 0x9f, r == 0xfffe, r == 0xffff, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			return utf8.RuneError
		}
		return r
	}, s)
}

// oneLine folds blanks and line breaks into single spaces.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
