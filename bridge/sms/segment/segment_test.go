package segment

import (
	"strings"
	"testing"
	"unicode/utf16"
)

func TestOf(t *testing.T) {
	for _, c := range []struct {
		name     string
		text     string
		encoding Encoding
		units    int
		parts    int
		culprit  rune
		at       int
	}{
		{"empty", "", GSM7, 0, 0, 0, 0},
		{"one part full", strings.Repeat("a", 160), GSM7, 160, 1, 0, 0},
		{"one over", strings.Repeat("a", 161), GSM7, 161, 2, 0, 0},
		{"two parts full", strings.Repeat("a", 306), GSM7, 306, 2, 0, 0},
		{"three", strings.Repeat("a", 307), GSM7, 307, 3, 0, 0},
		{"the euro takes two", strings.Repeat("€", 80), GSM7, 160, 1, 0, 0},
		{"an escaped pair is not cut", strings.Repeat("a", 152) + "€" + strings.Repeat("a", 152), GSM7, 306, 3, 0, 0},
		{"a curly quote", "It’s", UCS2, 4, 1, '’', 2},
		{"Chinese full", strings.Repeat("好", 70), UCS2, 70, 1, '好', 0},
		{"Chinese one over", strings.Repeat("好", 71), UCS2, 71, 2, '好', 0},
		{"Chinese two full", strings.Repeat("好", 134), UCS2, 134, 2, '好', 0},
		{"a picture takes two and is not cut", strings.Repeat("好", 66) + "😀" + strings.Repeat("好", 66), UCS2, 134, 3, '好', 0},
		{"accents of the basic table", "àéèùìòÄÖÑÜäöñü¿¡§", GSM7, 17, 1, 0, 0},
		{"an accent it lacks", "â", UCS2, 1, 1, 'â', 0},
	} {
		got := Of(c.text)
		want := Count{c.encoding, c.units, c.parts, c.culprit, c.at}
		if got != want {
			t.Errorf("%s: %+v, want %+v", c.name, got, want)
		}
	}
}

// FuzzOf holds what is true of every text.
func FuzzOf(f *testing.F) {
	for _, s := range []string{"", "hello", "€€", "好😀", "It’s", strings.Repeat("x", 400)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		s = strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "") // a culprit of 0 says that there is none
		c := Of(s)
		if (c.Parts == 0) != (s == "") || (c.Culprit != 0) != (c.Encoding == UCS2) {
			t.Fatalf("%q: %+v", s, c)
		}
		if c.Encoding == UCS2 && c.Units != len(utf16.Encode([]rune(s))) {
			t.Fatalf("%q: %d units, UTF-16 has %d", s, c.Units, len(utf16.Encode([]rune(s))))
		}
		alone, joined := 160, 153
		if c.Encoding == UCS2 {
			alone, joined = 70, 67
		}
		if c.Parts == 1 != (s != "" && c.Units <= alone) || c.Parts > 1 && (c.Parts*joined < c.Units || (c.Parts-1)*(joined-1) >= c.Units) {
			t.Fatalf("%q: %d parts for %d units", s, c.Parts, c.Units)
		}
		if more := Of(s + "a"); more.Parts < c.Parts {
			t.Fatalf("%q: one more letter makes fewer parts", s)
		}
	})
}
