package prompt

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem"
)

// ErrUnsaid is a value that the joining rules cannot say: a language, currency or
// form they do not know. A speech engine still can.
var ErrUnsaid = errors.New("no rule to say this")

// maxDigits is the most digits before the point: up to 999 trillion.
const maxDigits = 15

// grammar is how one language says values, each as words of the recordings'
// vocabulary. Arguments have been checked.
type grammar struct {
	number func(n decimal) []string
	money  func(n decimal, currency string) ([]string, error)
	digits map[rune]string
	date   func(t time.Time) []string
	clock  func(hour, minute int) []string
	space  string // between words in writing
	// vocabulary is every word of the rules above, those of digits apart.
	vocabulary func() []string
}

// grammarOf finds the rules for a language tag; nil if there are none.
func grammarOf(lang string) *grammar {
	switch primary(lang) {
	case "en":
		return english()
	case "zh", "cmn":
		return chinese()
	}
	return nil
}

// primary is a tag's language without region or script.
func primary(lang string) string {
	p, _, _ := strings.Cut(strings.ToLower(lang), "-")
	return p
}

// Words says a value in words of the recordings' vocabulary of lang. ErrUnsaid if
// there is no rule for it; text parts have none.
func Words(lang string, p tandem.Part) ([]string, error) {
	g := grammarOf(lang)
	if g == nil {
		return nil, fmt.Errorf("%w in %s", ErrUnsaid, lang)
	}
	switch p.Kind {
	case tandem.PartNumber:
		n, err := parseDecimal(p.Value)
		if err != nil {
			return nil, err
		}
		return g.number(n), nil
	case tandem.PartMoney:
		amount, currency, _ := strings.Cut(strings.TrimSpace(p.Value), " ")
		n, err := parseDecimal(amount)
		if err != nil {
			return nil, err
		}
		return g.money(n, strings.ToUpper(strings.TrimSpace(currency)))
	case tandem.PartDigits:
		return g.single(p.Value)
	case tandem.PartDate:
		t, err := time.Parse(time.DateOnly, p.Value)
		if err != nil {
			return nil, fmt.Errorf("%w: not a date", ErrUnsaid)
		}
		return g.date(t), nil
	case tandem.PartTime:
		t, err := time.Parse("15:04", p.Value)
		if err != nil {
			return nil, fmt.Errorf("%w: not a time of day", ErrUnsaid)
		}
		return g.clock(t.Hour(), t.Minute()), nil
	}
	return nil, fmt.Errorf("%w: kind %q", ErrUnsaid, p.Kind)
}

// single reads keys one by one. Blanks and hyphens, which only group them, are
// passed over.
func (g *grammar) single(keys string) ([]string, error) {
	var words []string
	for _, k := range keys {
		if k == ' ' || k == '-' {
			continue
		}
		w, ok := g.digits[k]
		if !ok {
			return nil, fmt.Errorf("%w: a character that is no key", ErrUnsaid)
		}
		words = append(words, w)
	}
	return words, nil
}

// decimal is a checked decimal number.
type decimal struct {
	negative bool
	whole    int64
	fraction string // digits after the point as written
}

func parseDecimal(s string) (decimal, error) {
	s = strings.TrimSpace(s)
	var n decimal
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		n.negative, s = true, rest
	}
	whole, fraction, point := strings.Cut(s, ".")
	if whole == "" || len(whole) > maxDigits || point && fraction == "" || len(fraction) > maxDigits || !allDigits(whole) || !allDigits(fraction) {
		return decimal{}, fmt.Errorf("%w: not a decimal number of at most %d digits", ErrUnsaid, maxDigits)
	}
	n.whole, _ = strconv.ParseInt(whole, 10, 64) // digits only, and few enough
	n.fraction = fraction
	if n.whole == 0 && strings.Trim(fraction, "0") == "" {
		n.negative = false
	}
	return n, nil
}

func allDigits(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}

// cents is the amount's hundredths; ErrUnsaid if it is finer.
func (n decimal) cents() (int, error) {
	f := strings.TrimRight(n.fraction, "0")
	if len(f) > 2 {
		return 0, fmt.Errorf("%w: an amount finer than a hundredth", ErrUnsaid)
	}
	c, _ := strconv.Atoi((f + "00")[:2]) // digits only
	return c, nil
}

// written is the words as a speech engine should read them.
func written(lang string, words []string) string {
	if g := grammarOf(lang); g != nil {
		return strings.Join(words, g.space)
	}
	return strings.Join(words, " ")
}

// Vocabulary is every word that Words can say in lang: what to record so that all
// values can be joined. nil where there are no rules.
func Vocabulary(lang string) []string {
	g := grammarOf(lang)
	if g == nil {
		return nil
	}
	all := make(map[string]bool)
	for _, w := range g.vocabulary() {
		all[w] = true
	}
	for _, w := range g.digits {
		all[w] = true
	}
	return slices.Sorted(maps.Keys(all))
}
