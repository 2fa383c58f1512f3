package source

import (
	"testing"
	"unicode"
)

func TestRulesInBothLanguages(t *testing.T) {
	seen := map[string]string{}
	for _, r := range Rules() {
		if r.When == "" || r.WhenZH == "" || r.WhenZH == r.When {
			t.Errorf("%s: when %q, in Chinese %q", r.ID, r.When, r.WhenZH)
		}
		han := 0
		for _, c := range r.WhenZH {
			if unicode.Is(unicode.Han, c) {
				han++
			}
		}
		if han < 3 {
			t.Errorf("%s: %q is not Chinese", r.ID, r.WhenZH)
		}
		if other, taken := seen[r.WhenZH]; taken {
			t.Errorf("%s and %s are told of in the same words: %s", other, r.ID, r.WhenZH)
		}
		seen[r.WhenZH] = r.ID
	}
}
