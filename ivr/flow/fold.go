package flow

import "strings"

// Fold makes what people type or say comparable: lower case, plain letters for
// full-width ones, single spaces, nothing around it, no mark at its end.
func Fold(s string) string {
	s = strings.Map(func(c rune) rune {
		switch {
		case c >= '！' && c <= '～':
			return c - '！' + '!'
		case c == '　':
			return ' '
		}
		return c
	}, s)
	s = strings.Join(strings.Fields(strings.ToLower(s)), " ")
	return strings.TrimRight(s, ".!?。,、 ")
}
