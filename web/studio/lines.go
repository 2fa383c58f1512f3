package studio

import (
	"slices"
	"strings"
)

// maxEdits bounds the search for the shortest difference; texts that differ by more are
// shown as all removed and all added between what they begin and end with alike.
const maxEdits = 1000

// line is one line of a comparison: " " in both, "-" in the old text alone, "+" in the new.
type line struct {
	Op   string `json:"op"`
	Line string `json:"line"`
}

// lines compares two texts line by line.
func lines(old, new []byte) []line {
	a, b := split(old), split(new)
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	out := make([]line, 0, len(a)+len(b)-head-tail)
	for _, l := range a[:head] {
		out = append(out, line{" ", l})
	}
	out = append(out, shortest(a[head:len(a)-tail], b[head:len(b)-tail])...)
	for _, l := range a[len(a)-tail:] {
		out = append(out, line{" ", l})
	}
	return out
}

// split cuts a text into lines without their ends.
func split(text []byte) []string {
	if len(text) == 0 {
		return nil
	}
	rows := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	for i := range rows {
		rows[i] = strings.TrimSuffix(rows[i], "\r")
	}
	return rows
}

// shortest is the shortest way from a to b, by Myers' algorithm ("An O(ND) Difference
// Algorithm and Its Variations", 1986): d edits reach, on each diagonal, a furthest
// point; the points of each d are kept to walk back by.
func shortest(a, b []string) []line {
	n, m := len(a), len(b)
	most := min(n+m, maxEdits)
	furthest := make([]int, 2*most+2) // x by diagonal, from -most
	var rounds [][]int
	for d := 0; d <= most; d++ {
		rounds = append(rounds, slices.Clone(furthest[most-d:most+d+1]))
		for k := -d; k <= d; k += 2 {
			x := 0
			if d > 0 {
				if k == -d || k != d && furthest[most+k-1] < furthest[most+k+1] {
					x = furthest[most+k+1]
				} else {
					x = furthest[most+k-1] + 1
				}
			}
			y := x - k
			for x < n && y < m && a[x] == b[y] {
				x, y = x+1, y+1
			}
			furthest[most+k] = x
			if x >= n && y >= m {
				return walkBack(a, b, rounds)
			}
		}
	}
	return replaced(a, b)
}

func replaced(a, b []string) []line {
	var out []line
	for _, l := range a {
		out = append(out, line{"-", l})
	}
	for _, l := range b {
		out = append(out, line{"+", l})
	}
	return out
}

// walkBack makes the lines from the points that each round of edits began from.
func walkBack(a, b []string, rounds [][]int) []line {
	var out []line
	x, y := len(a), len(b)
	for d := len(rounds) - 1; d > 0; d-- {
		at := func(k int) int { return rounds[d][k+d] } // of the round before
		k := x - y
		from := k - 1
		if k == -d || k != d && at(k-1) < at(k+1) {
			from = k + 1
		}
		fromX := at(from)
		fromY := fromX - from
		for x > fromX && y > fromY {
			x, y = x-1, y-1
			out = append(out, line{" ", a[x]})
		}
		if x == fromX {
			y--
			out = append(out, line{"+", b[y]})
		} else {
			x--
			out = append(out, line{"-", a[x]})
		}
	}
	for x > 0 {
		x--
		out = append(out, line{" ", a[x]})
	}
	slices.Reverse(out)
	return out
}
