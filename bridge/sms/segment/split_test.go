package segment

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf16"
)

// room is what fits into a part, as the standards say it: 140 bytes, less 6 for the
// header that joins several (3GPP TS 23.040, 9.2.3.24.1).
func room(e Encoding, several bool) int {
	bytes := 140
	if several {
		bytes -= 6
	}
	if e == UCS2 {
		return bytes / 2
	}
	return bytes * 8 / 7
}

// units counts a part anew, by the standard library where it can.
func units(e Encoding, part string) int {
	if e == UCS2 {
		return len(utf16.Encode([]rune(part)))
	}
	return len([]rune(part)) + strings.Count(part, "€") + len(part) - len(strings.Map(func(r rune) rune {
		if strings.ContainsRune("\f^{}\\[~]|", r) {
			return -1
		}
		return r
	}, part))
}

// fewest is the least number of parts that hold characters of these costs in order, found
// by trying every cut.
func fewest(costs []int, room int) int {
	best := make([]int, len(costs)+1)
	for i := 1; i <= len(costs); i++ {
		best[i] = i
		filled := 0
		for j := i; j > 0 && filled+costs[j-1] <= room; j-- {
			filled += costs[j-1]
			best[i] = min(best[i], best[j-1]+1)
		}
	}
	return best[len(costs)]
}

// checkSplit holds what is true of the parts of every text.
func checkSplit(t *testing.T, text string) {
	t.Helper()
	c, parts := Of(text), Split(text)
	if len(parts) != c.Parts {
		t.Fatalf("%q: %d parts, Of counts %d", text, len(parts), c.Parts)
	}
	if strings.Join(parts, "") != text {
		t.Fatalf("%q: joined it is %q", text, strings.Join(parts, ""))
	}
	total := 0
	for _, p := range parts {
		n := units(c.Encoding, p)
		if total += n; n > room(c.Encoding, len(parts) > 1) || n == 0 {
			t.Fatalf("%q: a part of %d units", text, n)
		}
		if c.Encoding == UCS2 { // a pair of surrogates that is cut shows as a lone one
			if back := string(utf16.Decode(utf16.Encode([]rune(p)))); back != string([]rune(p)) {
				t.Fatalf("%q: a part is not whole: %q", text, p)
			}
		} else if strings.ContainsFunc(p, func(r rune) bool { return !strings.ContainsRune(gsmBasic+gsmExtended, r) }) {
			t.Fatalf("%q: GSM-7 does not have all of %q", text, p)
		}
	}
	if total != c.Units {
		t.Fatalf("%q: the parts have %d units, Of counts %d", text, total, c.Units)
	}
	costs := []int{}
	for _, r := range text {
		costs = append(costs, cost(c.Encoding, r))
	}
	want := 1
	if c.Units > room(c.Encoding, false) {
		want = fewest(costs, room(c.Encoding, true))
	}
	if text != "" && c.Parts != want {
		t.Fatalf("%q: %d parts, %d are enough", text, c.Parts, want)
	}
}

func TestSplitOfRandomTexts(t *testing.T) {
	alphabets := [][]rune{[]rune(gsmBasic), []rune(gsmBasic + gsmExtended + gsmExtended), []rune("€^{}"), []rune("好的，请稍候。"), []rune("好😀👍🏽a€"), []rune("😀")}
	random := rand.New(rand.NewPCG(4, 2))
	for range 3000 {
		alphabet := alphabets[random.IntN(len(alphabets))]
		text := make([]rune, random.IntN(500))
		for i := range text {
			text[i] = alphabet[random.IntN(len(alphabet))]
		}
		checkSplit(t, string(text))
	}
}

func TestSplitAtTheEdges(t *testing.T) {
	for _, unit := range []string{"a", "€", "好", "😀", "a€", "好😀"} {
		for n := range 330 {
			checkSplit(t, strings.Repeat(unit, n))
			checkSplit(t, "a"+strings.Repeat(unit, n))
		}
	}
}

// GSM-7 has 128 places in its basic table less the escape, and ten of the extension's.
func TestTables(t *testing.T) {
	if n := len([]rune(gsmBasic)); n != 127 {
		t.Errorf("the basic table has %d characters", n)
	}
	if n := len([]rune(gsmExtended)); n != 10 {
		t.Errorf("the extension has %d characters", n)
	}
	seen := map[rune]bool{}
	for _, r := range gsmBasic + gsmExtended {
		if seen[r] {
			t.Errorf("%q stands twice", r)
		}
		seen[r] = true
	}
}

func FuzzSplit(f *testing.F) {
	for _, s := range []string{"", "hello", strings.Repeat("€", 81), strings.Repeat("😀", 36), strings.Repeat("好", 140)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) < 5000 {
			checkSplit(t, strings.ToValidUTF8(s, ""))
		}
	})
}
