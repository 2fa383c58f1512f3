// Package nearest finds the name that somebody meant who wrote another: in flows, in
// expressions, in the configuration and on the command line. It is pure.
package nearest

import (
	"slices"
	"strings"
)

const longest = 256 // bytes of a name that anybody means something by

// Name is the known name most like the one written, "" if none is near. Capitals do not
// count; a slip is a letter too many, too few or wrong, or two neighbours swapped. One
// slip is near for two and three letters, two for up to eight, a third of them for more;
// so is the beginning of a name, from three letters on. Of equals the first by the
// alphabet is meant.
func Name(written string, known []string) string {
	if len(written) > longest {
		return ""
	}
	a := []rune(strings.ToLower(written))
	slips := max(2, len(a)/3)
	if len(a) <= 3 {
		slips = min(1, len(a)-1)
	}
	sorted := slices.Sorted(slices.Values(known))
	best, least := "", slips+1
	var rows [3][]int
	for _, name := range sorted {
		if d := distance(a, []rune(strings.ToLower(name)), least, &rows); d < least {
			best, least = name, d
		}
	}
	if best != "" {
		return best
	}
	for _, name := range sorted {
		if len(written) >= 3 && strings.HasPrefix(name, written) || len(name) >= 3 && strings.HasPrefix(written, name) {
			return name
		}
	}
	return ""
}

// distance counts insertions, deletions, changes and swaps of neighbours (optimal
// string alignment), and gives up at limit. rows is room to work in.
func distance(a, b []rune, limit int, rows *[3][]int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	for i := range rows {
		rows[i] = slices.Grow(rows[i][:0], len(b)+1)[:len(b)+1]
	}
	before, last, row := rows[0], rows[1], rows[2]
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
