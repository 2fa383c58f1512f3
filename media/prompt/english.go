package prompt

import (
	"fmt"
	"strings"
	"time"
)

// english is the rules of English as spoken on American telephones: no "and"
// inside a number, "and" between an amount's units.
func english() *grammar {
	return &grammar{
		number: englishNumber,
		money:  englishMoney,
		date:   englishDate,
		clock:  englishClock,
		space:  " ",

		vocabulary: englishVocabulary,
		digits: map[rune]string{
			'0': "zero", '1': "one", '2': "two", '3': "three", '4': "four", '5': "five", '6': "six",
			'7': "seven", '8': "eight", '9': "nine", '*': "star", '#': "pound", '+': "plus",
			'A': "a", 'B': "b", 'C': "c", 'D': "d",
		},
	}
}

func englishUnits() []string {
	return strings.Fields(`zero one two three four five six seven eight nine ten eleven twelve thirteen
		fourteen fifteen sixteen seventeen eighteen nineteen`)
}

func englishTens() []string {
	return strings.Fields("- ten twenty thirty forty fifty sixty seventy eighty ninety")
}

func englishOrdinals() []string {
	return strings.Fields(`- first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth
		thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth`)
}

func englishNumber(n decimal) []string {
	var words []string
	if n.negative {
		words = append(words, "minus")
	}
	words = append(words, englishInt(n.whole)...)
	if n.fraction != "" {
		words = append(words, "point")
		for _, d := range n.fraction {
			words = append(words, englishUnits()[d-'0'])
		}
	}
	return words
}

func englishInt(n int64) []string {
	if n < 20 {
		return []string{englishUnits()[n]}
	}
	var words []string
	for _, scale := range []struct {
		value int64
		name  string
	}{{1e12, "trillion"}, {1e9, "billion"}, {1e6, "million"}, {1e3, "thousand"}, {100, "hundred"}} {
		if n >= scale.value {
			words = append(append(words, englishInt(n/scale.value)...), scale.name)
			n %= scale.value
		}
	}
	if n >= 20 {
		words = append(words, englishTens()[n/10])
		n %= 10
	}
	if n > 0 {
		words = append(words, englishUnits()[n])
	}
	return words
}

// englishCurrencies is one and many of a currency's unit and of its hundredth; no
// hundredth where there is none in use.
func englishCurrencies() map[string][4]string {
	return map[string][4]string{
		"CNY": {"yuan", "yuan", "fen", "fen"},
		"USD": {"dollar", "dollars", "cent", "cents"},
		"EUR": {"euro", "euros", "cent", "cents"},
		"GBP": {"pound", "pounds", "penny", "pence"},
		"HKD": {"hong kong dollar", "hong kong dollars", "cent", "cents"},
		"JPY": {"yen", "yen", "", ""},
	}
}

func englishMoney(n decimal, currency string) ([]string, error) {
	names, ok := englishCurrencies()[currency]
	if !ok {
		return nil, fmt.Errorf("%w: currency %q", ErrUnsaid, currency)
	}
	cents, err := n.cents()
	if err != nil {
		return nil, err
	}
	if cents != 0 && names[2] == "" {
		return nil, fmt.Errorf("%w: %s has no hundredths", ErrUnsaid, currency)
	}
	var words []string
	if n.negative {
		words = append(words, "minus")
	}
	count := func(k int64, one, many string) {
		name := many
		if k == 1 {
			name = one
		}
		words = append(append(words, englishInt(k)...), name)
	}
	if n.whole != 0 || cents == 0 {
		count(n.whole, names[0], names[1])
	}
	if cents != 0 {
		if n.whole != 0 {
			words = append(words, "and")
		}
		count(int64(cents), names[2], names[3])
	}
	return words, nil
}

func englishDate(t time.Time) []string {
	words := []string{strings.ToLower(t.Month().String())}
	switch day := t.Day(); {
	case day <= 20:
		words = append(words, englishOrdinals()[day])
	case day == 30:
		words = append(words, "thirtieth")
	default:
		words = append(words, englishTens()[day/10], englishOrdinals()[day%10])
	}
	return append(words, englishYear(t.Year())...)
}

// englishYear says 2026 as twenty twenty-six, 2005 as two thousand five, 1905 as
// nineteen oh five.
func englishYear(y int) []string {
	high, low := y/100, y%100
	switch {
	case y < 1000 || y%1000 < 10:
		return englishInt(int64(y))
	case low == 0:
		return append(englishInt(int64(high)), "hundred")
	case low < 10:
		return append(append(englishInt(int64(high)), "oh"), englishInt(int64(low))...)
	}
	return append(englishInt(int64(high)), englishInt(int64(low))...)
}

func englishClock(hour, minute int) []string {
	switch {
	case hour == 0 && minute == 0:
		return []string{"midnight"}
	case hour == 12 && minute == 0:
		return []string{"noon"}
	}
	half := "a m"
	if hour >= 12 {
		half = "p m"
	}
	words := englishInt(int64((hour+11)%12 + 1))
	if minute > 0 && minute < 10 {
		words = append(words, "oh")
	}
	if minute > 0 {
		words = append(words, englishInt(int64(minute))...)
	}
	return append(words, half)
}

func englishVocabulary() []string {
	words := strings.Fields("hundred thousand million billion trillion minus point and oh noon midnight thirtieth")
	words = append(words, "a m", "p m")
	words = append(words, englishUnits()...)
	words = append(words, englishTens()[2:]...)
	words = append(words, englishOrdinals()[1:]...)
	for m := time.January; m <= time.December; m++ {
		words = append(words, strings.ToLower(m.String()))
	}
	for _, names := range englishCurrencies() {
		for _, name := range names {
			if name != "" {
				words = append(words, name)
			}
		}
	}
	return words
}
