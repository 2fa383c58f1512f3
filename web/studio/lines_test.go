package studio

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

func shown(ls []line) string {
	var b strings.Builder
	for _, l := range ls {
		b.WriteString(l.Op + l.Line + "|")
	}
	return b.String()
}

func TestLines(t *testing.T) {
	for _, tc := range []struct{ old, new, want string }{
		{"", "", ""},
		{"", "a\nb\n", "+a|+b|"},
		{"a\nb\n", "", "-a|-b|"},
		{"a\nb\n", "a\nb\n", " a| b|"},
		{"a\nb\nc\n", "a\nx\nc\n", " a|-b|+x| c|"},
		{"a\nb\nc\nd\n", "b\nc\nd\ne\n", "-a| b| c| d|+e|"},
		{"a\r\nb\r\n", "a\nb\n", " a| b|"},
		{"a", "a\n", " a|"},
	} {
		if got := shown(lines([]byte(tc.old), []byte(tc.new))); got != tc.want {
			t.Errorf("%q to %q: %s, want %s", tc.old, tc.new, got, tc.want)
		}
	}
}

// Whatever the texts, the lines are those of both, in order, and no way is shorter for
// texts of which one is made by few edits of the other.
func TestLinesAreThoseOfBoth(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		var a, b []string
		for range r.IntN(30) {
			a = append(a, fmt.Sprint(r.IntN(6)))
		}
		for range r.IntN(30) {
			b = append(b, fmt.Sprint(r.IntN(6)))
		}
		checkLines(t, a, b)
		if got, want := edits(lines([]byte(joined(a)), []byte(joined(b)))), len(a)+len(b)-2*common(a, b); got != want {
			t.Fatalf("%q to %q: %d edits, the fewest are %d", a, b, got, want)
		}
	}
	var long, other []string
	for i := range 3000 {
		long, other = append(long, fmt.Sprint("a", i)), append(other, fmt.Sprint("b", i))
	}
	checkLines(t, append([]string{"same"}, long...), append([]string{"same"}, other...)) // by more than is searched
}

func joined(rows []string) string {
	if len(rows) == 0 {
		return ""
	}
	return strings.Join(rows, "\n") + "\n"
}

func edits(ls []line) (n int) {
	for _, l := range ls {
		if l.Op != " " {
			n++
		}
	}
	return n
}

// common is the length of the longest common subsequence.
func common(a, b []string) int {
	best := make([][]int, len(a)+1)
	best[0] = make([]int, len(b)+1)
	for i := range a {
		best[i+1] = make([]int, len(b)+1)
		for j := range b {
			best[i+1][j+1] = max(best[i][j+1], best[i+1][j])
			if a[i] == b[j] {
				best[i+1][j+1] = best[i][j] + 1
			}
		}
	}
	return best[len(a)][len(b)]
}

func checkLines(t *testing.T, a, b []string) {
	t.Helper()
	var old, new []string
	for _, l := range lines([]byte(joined(a)), []byte(joined(b))) {
		if l.Op != "+" {
			old = append(old, l.Line)
		}
		if l.Op != "-" {
			new = append(new, l.Line)
		}
	}
	if joined(old) != joined(a) || joined(new) != joined(b) {
		t.Fatalf("%q to %q gave %q and %q", a, b, old, new)
	}
}
