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
