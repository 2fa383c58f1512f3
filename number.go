package tandem

import (
	"fmt"
	"io"
	"strings"
)

// Number is the spoken number of an interaction: 10 random digits and a check
// digit, 11 in all, what a caller writes down and an agent types. The check digit
// is Damm's, which catches every single wrong digit and every swap of neighbours.
type Number string

// damm is the order-10 totally anti-symmetric quasigroup of H. Michael Damm's
// thesis (2004); its diagonal is zero, so a correct number ends in state 0.
var damm = [10][10]byte{
	{0, 3, 1, 7, 5, 9, 8, 6, 4, 2},
	{7, 0, 9, 2, 1, 5, 4, 8, 6, 3},
	{4, 2, 0, 6, 8, 7, 1, 3, 5, 9},
	{1, 7, 5, 0, 9, 8, 3, 4, 2, 6},
	{6, 1, 2, 3, 0, 4, 5, 9, 7, 8},
	{3, 6, 7, 4, 2, 0, 9, 5, 8, 1},
	{5, 8, 6, 9, 7, 2, 0, 1, 3, 4},
	{8, 9, 4, 5, 3, 6, 2, 0, 1, 7},
	{9, 4, 3, 8, 6, 1, 7, 2, 0, 5},
	{2, 5, 8, 1, 4, 3, 6, 7, 9, 0},
}

const numberLen = 11

// NewNumber draws a number. Uniqueness is the store's to check.
func NewNumber(random io.Reader) Number {
	var digits [numberLen]byte
	var b [1]byte
	state := byte(0)
	for i := 0; i < numberLen-1; {
		if _, err := io.ReadFull(random, b[:]); err != nil {
			panic(fmt.Errorf("making a number: %w", err))
		}
		if b[0] >= 250 { // keep the digits equally likely
			continue
		}
		d := b[0] % 10
		digits[i] = '0' + d
		state = damm[state][d]
		i++
	}
	digits[numberLen-1] = '0' + state
	return Number(digits[:])
}

// ParseNumber reads a number as people write it, with spaces or hyphens anywhere.
// The error says what is wrong in words fit for the person who typed it.
func ParseNumber(s string) (Number, error) {
	s = strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, s)
	if len(s) != numberLen {
		return "", fmt.Errorf("an interaction number has %d digits, this has %d", numberLen, len([]rune(s)))
	}
	state := byte(0)
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return "", fmt.Errorf("an interaction number has digits only, this has %q", s[i])
		}
		state = damm[state][s[i]-'0']
	}
	if state != 0 {
		return "", fmt.Errorf("%s is no interaction number: its check digit does not fit; look for a wrong or swapped digit", s)
	}
	return Number(s), nil
}

// String groups the digits as they are read out: 123 4567 8901.
func (n Number) String() string {
	if len(n) != numberLen {
		return string(n)
	}
	return string(n[:3] + " " + n[3:7] + " " + n[7:])
}
