package engine

import (
	"slices"
	"strings"

	"tandem/ivr/flow"
)

// says reports whether a folded text is one of the phrases, in any language: people
// mix them.
func says(folded string, phrases map[string][]string) bool {
	for _, list := range phrases {
		for _, p := range list {
			if f := flow.Fold(p); f != "" && f == folded {
				return true
			}
		}
	}
	return false
}

// answer reads a yes or a no, typed, spoken or by key.
func answer(folded string) (yes, understood bool) {
	switch {
	case slices.Contains([]string{"1", "yes", "y", "yeah", "ok", "okay", "sure", "correct", "是", "是的", "对", "对的", "好", "好的", "可以", "同意", "行"}, folded):
		return true, true
	case slices.Contains([]string{"2", "no", "n", "nope", "wrong", "不", "不是", "不对", "不好", "不可以", "不同意", "不行", "否", "不要"}, folded):
		return false, true
	}
	return false, false
}

// yesNo is the two buttons of a yes or no.
func yesNo(lang string) []flow.Option {
	if strings.HasPrefix(lang, "zh") {
		return []flow.Option{{Keys: "1", Label: "是"}, {Keys: "2", Label: "否"}}
	}
	return []flow.Option{{Keys: "1", Label: "Yes"}, {Keys: "2", Label: "No"}}
}

// matchLanguage finds the flow's language for the one wanted: the same, or else the
// first of the same base ("en-GB" for "en").
func matchLanguage(wanted string, have []string) (string, bool) {
	for _, h := range have {
		if wanted != "" && strings.EqualFold(h, wanted) {
			return h, true
		}
	}
	base, _, _ := strings.Cut(strings.ReplaceAll(wanted, "_", "-"), "-")
	for _, h := range have {
		if b, _, _ := strings.Cut(h, "-"); base != "" && strings.EqualFold(b, base) {
			return h, true
		}
	}
	return "", false
}

// languageNames is what a language is called, first in itself; its code where the
// table has none.
func languageNames(code string) []string {
	switch base, _, _ := strings.Cut(code, "-"); strings.ToLower(base) {
	case "en":
		return []string{"English", "英语", "英文"}
	case "zh":
		return []string{"中文", "Chinese", "Mandarin", "汉语", "普通话"}
	}
	return []string{code}
}
