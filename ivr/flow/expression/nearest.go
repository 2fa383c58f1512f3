package expression

// Nearest finds the name most like the one written, or "" if none is near: a slip
// or two for a long name, one for a short one.
func Nearest(written string, names []string) string {
	best, least := "", max(1, len([]rune(written))/3)+1
	for _, name := range names {
		if d := distance([]rune(written), []rune(name), least); d < least {
			best, least = name, d
		}
	}
	return best
}

// distance counts insertions, deletions, changes and swaps of neighbours (optimal
// string alignment), and gives up at limit.
func distance(a, b []rune, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
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
