package expression

import (
	"math"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// durationLetter stands for a duration in what the parser sees: 60s becomes three
// of it, an identifier, so that every column stays where the writer put it. It is
// the digraph U+01C6, which no flow name may hold.
const durationLetter = 'ǆ'

// maxDuration is the longest that can be written down in an expression.
const maxDuration = 366 * 24 * time.Hour

// durations replaces the duration literals of src and returns them by the offset,
// in characters, at which each begins.
func durations(src string) (string, map[int]time.Duration, *Error) {
	in := []rune(src)
	var found map[int]time.Duration
	for i := 0; i < len(in); {
		switch {
		case in[i] == durationLetter:
			return "", nil, &Error{Col: i + 1, Message: "the letter " + string(durationLetter) + " cannot stand outside quotes"}
		case in[i] == '\'' || in[i] == '"' || in[i] == '`':
			i = skipQuoted(in, i)
		case in[i] == '/' && i+1 < len(in) && (in[i+1] == '/' || in[i+1] == '*'):
			return "", nil, &Error{Col: i + 1, Message: "an expression has no comments", Hint: "put it into the step's note"}
		case isDigit(in[i]):
			end := i
			for end < len(in) && isDigit(in[end]) {
				end++
			}
			d, unit, err := literal(in, i, end)
			if err != nil {
				return "", nil, err
			}
			if unit {
				if found == nil {
					found = map[int]time.Duration{}
				}
				found[i] = d
				for ; i <= end; i++ {
					in[i] = durationLetter
				}
				continue
			}
			i = end
			for i < len(in) && (isWord(in[i]) || in[i] == '.' && i+1 < len(in) && isDigit(in[i+1])) {
				i++ // the rest of a number such as 0.5 or 1e3
			}
		case isWord(in[i]):
			for i < len(in) && isWord(in[i]) {
				i++
			}
		default:
			i++
		}
	}
	return string(in), found, nil
}

// literal reads in[start:end], digits, with the unit letter that may follow.
func literal(in []rune, start, end int) (d time.Duration, unit bool, _ *Error) {
	if end >= len(in) || !strings.ContainsRune("smhd", in[end]) || end+1 < len(in) && isWord(in[end+1]) {
		return 0, false, nil
	}
	d, _ = ParseDuration(string(in[start : end+1]))
	if d > maxDuration {
		return 0, false, &Error{Col: start + 1, Message: "the duration is longer than 366 days"}
	}
	return d, true, nil
}

// ParseDuration reads 500ms, 5s, 8m, 2h or 3d. What is too long for a Duration, 292
// years, is the longest.
func ParseDuration(s string) (time.Duration, bool) {
	digits := strings.TrimRight(s, "mshd")
	unit, ok := map[string]time.Duration{
		"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour,
	}[s[len(digits):]]
	if !ok || digits == "" || strings.Trim(digits, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n > int64(math.MaxInt64/unit) {
		return math.MaxInt64, true
	}
	return time.Duration(n) * unit, true
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' }
func isWord(r rune) bool  { return r == '_' || r == '$' || unicode.IsLetter(r) || unicode.IsDigit(r) }

// skipQuoted returns the offset after the quoted text that begins at i.
func skipQuoted(in []rune, i int) int {
	quote := in[i]
	for i++; i < len(in); i++ {
		if in[i] == '\\' && quote != '`' {
			i++
		} else if in[i] == quote {
			return i + 1
		}
	}
	return len(in)
}
