package identity

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxEntry bounds what is read of an entry, in bytes; more is no entry.
const maxEntry = 256

// plain takes out of an entry what people put into numbers without meaning it: blanks of
// any width, hyphens, dots, brackets, and # at the end. Full-width characters become
// those of the keyboard, letters small.
func plain(s string) string {
	if len(s) > maxEntry || !utf8.ValidString(s) {
		return ""
	}
	var b strings.Builder
	for _, r := range s {
		if r >= '！' && r <= '～' { // full-width forms stand in ASCII's order
			r += '!' - '！'
		}
		switch {
		case unicode.IsSpace(r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Pd, r):
		case strings.ContainsRune("\u2212().。,，", r):
		default:
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return strings.TrimRight(b.String(), "#")
}

// digits reads an entry of n digits, or of any number of them for 0.
func digits(s string, n int) (string, bool) {
	s = plain(s)
	for _, r := range s {
		if r < '0' || r > '9' {
			return "", false
		}
	}
	return s, s != "" && (n == 0 || len(s) == n)
}

// declines reports whether the customer wants none of it.
func declines(s string) bool {
	return slices.Contains([]string{"0", "no", "cancel", "stop", "quit", "不", "否", "不要", "不用", "不用了", "不了", "取消", "算了"}, plain(s))
}

// again reports whether the customer wants the code once more.
func again(s string) bool {
	return slices.Contains([]string{"1", "again", "resend", "senditagain", "重新发送", "重发", "再发一次"}, plain(s))
}

var (
	e164          = regexp.MustCompile(`^\+[1-9][0-9]{5,14}$`)
	chineseMobile = regexp.MustCompile(`^\+861[3-9][0-9]{9}$`)
)

// phone reads a phone number as people type it and returns it in E.164. One without a
// prefix is of country, such as "+86"; in China only mobile numbers take texts.
func phone(country, s string) (string, bool) {
	n := plain(s)
	switch {
	case strings.HasPrefix(n, "+"):
	case strings.HasPrefix(n, "00"):
		n = "+" + n[2:]
	case country == "+86" && strings.HasPrefix(n, "86") && len(n) == 13:
		n = "+" + n
	case country == "+1": // 0 begins no number there
		n = country + strings.TrimPrefix(n, "1")
	default:
		n = country + strings.TrimPrefix(n, "0")
	}
	if !e164.MatchString(n) || strings.HasPrefix(n, "+86") && !chineseMobile.MatchString(n) {
		return "", false
	}
	return n, true
}

// ending is the last two digits of a number: enough to know one's own by.
func ending(number string) string {
	if len(number) < 6 {
		return ""
	}
	return number[len(number)-2:]
}

// Mask hides all of a phone number or mail address but what tells its owner which it is.
func Mask(value string) string {
	if name, host, ok := strings.Cut(value, "@"); ok && name != "" {
		_, size := firstRune(name)
		return name[:size] + "•••@" + host
	}
	return "•••" + ending(value)
}

func firstRune(s string) (rune, int) {
	for i, r := range s {
		if i > 0 {
			return r, i
		}
	}
	return 0, len(s)
}

// Spellings are the ways in which a phone number may be kept, for one that people write in
// any of them: as it stands first, then the one spelling that mobile numbers are kept in,
// then those in which it may have been signalled. country is the prefix of numbers that
// are written without one, such as "+86".
func Spellings(country, written string) []string {
	all := []string{strings.TrimSpace(written)}
	n := plain(written)
	full, ok := phone(country, n)
	if digits := strings.TrimPrefix(n, "+"); !ok && len(digits) >= minDialled && strings.Trim(digits, "0123456789") == "" {
		full, ok = n, true
		switch { // no mobile number
		case n != digits:
		case strings.HasPrefix(n, "00"):
			full = "+" + n[2:]
		case strings.HasPrefix(n, country[1:]) && len(n) > len(country)+minDialled:
			full = "+" + n
		default:
			full = country + strings.TrimPrefix(n, "0")
		}
	}
	if ok {
		all = append(all, spellings(country, full)...)
	}
	var out []string
	for _, s := range append(all, n) {
		if s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// minDialled is the fewest digits of a number that others than its own exchange can dial:
// shorter ones have one spelling.
const minDialled = 7

// spellings are the ways one E.164 number may have been signalled, that one first.
func spellings(country, number string) []string {
	all := []string{number}
	if national, ok := strings.CutPrefix(number, country); ok && national != "" {
		all = append(all, national, "0"+national, country[1:]+national, "00"+country[1:]+national)
	}
	return all
}
