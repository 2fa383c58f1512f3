package expression

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

const (
	maxScale  = 9  // digits after the point that a Number keeps
	maxDigits = 18 // digits of a Number in all: what fits an int64 whatever they are
)

// Number is an exact decimal number of up to 18 digits, 9 of them after the
// point: what decimal and money values are at run time. Trailing zeros are not
// kept, so two equal numbers are equal by ==.
type Number struct {
	coef  int64
	scale uint8
}

// NumberOf makes a whole number a Number; one of more than 18 digits is an error.
func NumberOf(n int) (Number, error) { return fit(big.NewInt(int64(n)), 0) }

// ParseNumber reads "-1234.50" or "1.2e3". Digits that a Number cannot hold are
// an error, never rounded away.
func ParseNumber(s string) (Number, error) {
	mantissa, exponent := s, 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		n, err := strconv.Atoi(s[i+1:])
		if err != nil || n > maxDigits || n < -maxDigits-maxScale {
			return Number{}, fmt.Errorf("%q is no number that fits", shorten(s))
		}
		mantissa, exponent = s[:i], n
	}
	negative := strings.HasPrefix(mantissa, "-")
	whole, fraction, point := strings.Cut(strings.TrimPrefix(mantissa, "-"), ".")
	digits := whole + fraction
	if whole == "" || point && fraction == "" || strings.Trim(digits, "0123456789") != "" {
		return Number{}, fmt.Errorf("%q is no number", shorten(s))
	}
	scale := len(fraction) - exponent
	for scale > 0 && strings.HasSuffix(digits, "0") {
		digits, scale = digits[:len(digits)-1], scale-1
	}
	digits = strings.TrimLeft(digits, "0")
	if digits == "" {
		return Number{}, nil
	}
	if scale > maxScale || len(digits)+max(0, -scale) > maxDigits {
		return Number{}, fmt.Errorf("%s has more than %d digits, or more than %d after the point", shorten(s), maxDigits, maxScale)
	}
	digits += strings.Repeat("0", max(0, -scale))
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return Number{}, fmt.Errorf("%q is no number: %w", shorten(s), err)
	}
	if negative {
		n = -n
	}
	return Number{n, uint8(max(0, scale))}, nil
}

// shorten keeps a text that goes into an error from filling it.
func shorten(s string) string {
	if r := []rune(s); len(r) > 40 {
		return string(r[:40]) + "…"
	}
	return s
}

func pow10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// fit makes coef × 10^-scale a Number, rounding half away from zero where it has
// more digits after the point than a Number keeps.
func fit(coef *big.Int, scale int) (Number, error) {
	if scale > maxScale {
		coef, scale = roundedQuotient(coef, pow10(scale-maxScale)), maxScale
	}
	ten, rest := big.NewInt(10), new(big.Int)
	for scale > 0 {
		q, r := new(big.Int).QuoRem(coef, ten, rest)
		if r.Sign() != 0 {
			break
		}
		coef, scale = q, scale-1
	}
	if new(big.Int).Abs(coef).Cmp(pow10(maxDigits)) >= 0 {
		return Number{}, fmt.Errorf("the number has more than %d digits", maxDigits)
	}
	return Number{coef.Int64(), uint8(scale)}, nil
}

// roundedQuotient is a/b, halves away from zero.
func roundedQuotient(a, b *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(a, b, new(big.Int))
	if r.Abs(r).Lsh(r, 1).CmpAbs(b) >= 0 {
		if a.Sign()*b.Sign() < 0 {
			q.Sub(q, big.NewInt(1))
		} else {
			q.Add(q, big.NewInt(1))
		}
	}
	return q
}

// aligned gives both coefficients at the greater scale.
func aligned(a, b Number) (x, y *big.Int, scale int) {
	x, y = big.NewInt(a.coef), big.NewInt(b.coef)
	scale = int(max(a.scale, b.scale))
	x.Mul(x, pow10(scale-int(a.scale)))
	y.Mul(y, pow10(scale-int(b.scale)))
	return x, y, scale
}

// Add is a + b, or an error if it has too many digits.
func (a Number) Add(b Number) (Number, error) {
	x, y, scale := aligned(a, b)
	return fit(x.Add(x, y), scale)
}

// Sub is a - b.
func (a Number) Sub(b Number) (Number, error) { return a.Add(b.Neg()) }

// Neg is -a.
func (a Number) Neg() Number { return Number{-a.coef, a.scale} }

// Mul is a × b, rounded to nine digits after the point.
func (a Number) Mul(b Number) (Number, error) {
	return fit(new(big.Int).Mul(big.NewInt(a.coef), big.NewInt(b.coef)), int(a.scale)+int(b.scale))
}

// Div is a ÷ b, rounded to nine digits after the point.
func (a Number) Div(b Number) (Number, error) {
	if b.coef == 0 {
		return Number{}, fmt.Errorf("division by zero")
	}
	x, y, _ := aligned(a, b)
	return fit(roundedQuotient(x.Mul(x, pow10(maxScale)), y), maxScale)
}

// Cmp is -1, 0 or 1 as a is less than, equal to or greater than b.
func (a Number) Cmp(b Number) int {
	x, y, _ := aligned(a, b)
	return x.Cmp(y)
}

// Round keeps places digits after the point, halves away from zero.
func (a Number) Round(places int) Number {
	if places < 0 || places >= int(a.scale) {
		return a
	}
	d, err := fit(roundedQuotient(big.NewInt(a.coef), pow10(int(a.scale)-places)), places)
	if err != nil { // cannot be: rounding a fraction away adds no digit that does not fit
		return a
	}
	return d
}

// Int is the whole number, if it is one.
func (a Number) Int() (int, bool) { return int(a.coef), a.scale == 0 }

// String writes it plainly: "-1234.5".
func (a Number) String() string { return a.fixed(int(a.scale)) }

// Fixed writes it with exactly places digits after the point, rounding if need be.
func (a Number) Fixed(places int) string { return a.Round(places).fixed(places) }

func (a Number) fixed(places int) string {
	s := strconv.FormatInt(a.coef, 10)
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	if missing := int(a.scale) + 1 - len(s); missing > 0 {
		s = strings.Repeat("0", missing) + s
	}
	whole, fraction := s[:len(s)-int(a.scale)], s[len(s)-int(a.scale):]
	if places == 0 {
		return sign + whole
	}
	return sign + whole + "." + fraction + strings.Repeat("0", places-int(a.scale))
}

// MarshalJSON writes a JSON number that always has a point, by which a stored
// decimal is told from an int.
func (a Number) MarshalJSON() ([]byte, error) { return []byte(a.fixed(max(1, int(a.scale)))), nil }

// UnmarshalJSON reads a JSON number.
func (a *Number) UnmarshalJSON(b []byte) (err error) {
	*a, err = ParseNumber(string(b))
	return err
}
