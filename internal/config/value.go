package config

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"
)

// masked stands for a secret wherever one would be printed.
const masked = "••••••"

// Secret is a password or key. It prints masked, in logs too; Reveal gives it.
// In the file it is text, or { file: PATH } to read it from a file.
type Secret string

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return masked
}

// GoString keeps %#v from printing the secret.
func (s Secret) GoString() string { return strconv.Quote(s.String()) }

// LogValue keeps slog from printing the secret.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText keeps encoders from printing the secret.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Path names a file or folder. A relative one counts from the configuration
// file's folder; Load makes it absolute or relative to the working directory.
type Path string

// PortRange is the first and last UDP port media may use, both included; 0-0
// leaves the choice to the system.
type PortRange [2]int

func (r PortRange) String() string { return fmt.Sprintf("%d-%d", r[0], r[1]) }

func parsePortRange(s string) (PortRange, error) {
	lo, hi, ok := strings.Cut(s, "-")
	a, errA := strconv.Atoi(strings.TrimSpace(lo))
	b, errB := strconv.Atoi(strings.TrimSpace(hi))
	switch {
	case !ok || errA != nil || errB != nil:
		return PortRange{}, fmt.Errorf("%q is no range of ports: write FIRST-LAST, such as 20000-29999", s)
	case a == 0 && b == 0:
		return PortRange{}, nil
	case a < 1024 || b > 65535:
		return PortRange{}, fmt.Errorf("ports go from 1024 to 65535, this says %s", s)
	case b-a < 1:
		return PortRange{}, fmt.Errorf("%s has no pair of ports: a call needs an even port and the next", s)
	}
	return PortRange{a, b}, nil
}

// parseDuration reads 5s, 8m, 2h, 3d and what time.ParseDuration knows.
func parseDuration(s string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 && n <= 36500 {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		if _, numErr := strconv.Atoi(s); numErr == nil {
			return 0, fmt.Errorf("%s needs a unit: write %ss for seconds, %sm for minutes", s, s, s)
		}
		return 0, fmt.Errorf("%q is no duration: write 500ms, 5s, 8m, 2h or 3d", s)
	}
	if d < 0 {
		return 0, fmt.Errorf("a duration cannot be negative, this says %s", s)
	}
	return d, nil
}

// Nearest finds the name that the writer of an unknown one probably meant; "" if
// none is close.
func Nearest(name string, known []string) string {
	best, bestDistance := "", max(2, len(name)/3)+1
	for _, k := range known {
		if d := distance(strings.ToLower(name), strings.ToLower(k)); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// distance is Levenshtein's, over bytes, with a swap of neighbours as one edit.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}
