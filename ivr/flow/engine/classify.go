package engine

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"tandem"
	"tandem/ivr/flow"
)

// classify is the verb classify: the first rule that sets a facet decides it, and a
// facet that no rule has set has its variable's initial value.
func (r *run) classify(v *flow.Classify) error {
	c, ok := r.lib.Classifiers[v.Classifier]
	if !ok {
		return faultf("there is no classifier %q", v.Classifier)
	}
	text, err := r.openText(v.Text)
	if err != nil {
		return err
	}
	text = flow.Fold(text)
	facets, held := map[string]string{}, false
	for _, rule := range c.Rules {
		if !mentionsAny(text, rule.Any) {
			continue
		}
		held = true
		for facet, value := range rule.Set {
			if _, set := facets[facet]; !set {
				facets[facet] = value
			}
		}
	}
	for _, f := range v.Into {
		into := r.flow.Variable(f.Into)
		if into == nil {
			return faultf("there is no variable %q", f.Into)
		}
		value := into.Initial()
		if set, ok := facets[f.Facet]; ok {
			value = set
		}
		if err := r.assign(f.Into, value); err != nil {
			return err
		}
	}
	if !held {
		return r.leave("unsure")
	}
	return r.leave("done")
}

// answer is the verb answer: it says the article whose words the text has most of,
// those of the session's language before all others.
func (r *run) answer(v *flow.Answer) error {
	k, ok := r.lib.Knowledge[v.Knowledge]
	if !ok {
		return faultf("there is no knowledge %q", v.Knowledge)
	}
	text, err := r.openText(v.Text)
	if err != nil {
		return err
	}
	least := v.MinScore
	if least <= 0 {
		least = flow.DefaultMinScore
	}
	text = flow.Fold(text)
	var own, other *flow.Article
	ownScore, otherScore := least, least
	for _, a := range k.Articles {
		best, most := &other, &otherScore
		if _, same := matchLanguage(a.Lang, []string{r.s.Lang}); same {
			best, most = &own, &ownScore
		}
		if s := score(a, text); s > *most || s == *most && *best == nil {
			*best, *most = a, s
		}
	}
	if own == nil {
		own = other
	}
	if own == nil {
		return r.leave("unsure")
	}
	r.emit(flow.Play{
		Step: r.f.Step, Lang: own.Lang, BargeIn: r.flow.Defaults.BargeIn,
		Parts: []tandem.Part{{Kind: tandem.PartText, Text: own.Text}},
	})
	return r.leave("answered")
}

// score is the share of an article's words that a folded text has.
func score(a *flow.Article, text string) float64 {
	if len(a.Words) == 0 {
		return 0
	}
	has := 0
	for _, w := range a.Words {
		if mentions(text, flow.Fold(w)) {
			has++
		}
	}
	return float64(has) / float64(len(a.Words))
}

func mentionsAny(text string, phrases map[string][]string) bool {
	for _, list := range phrases {
		if slices.ContainsFunc(list, func(p string) bool { return mentions(text, flow.Fold(p)) }) {
			return true
		}
	}
	return false
}

// mentions tells whether a phrase stands in a text, both folded. Where words have
// spaces between them only whole words count.
func mentions(text, phrase string) bool {
	if phrase == "" {
		return false
	}
	for from := 0; ; {
		i := strings.Index(text[from:], phrase)
		if i < 0 {
			return false
		}
		i += from
		before, _ := utf8.DecodeLastRuneInString(text[:i])
		first, size := utf8.DecodeRuneInString(phrase)
		last, _ := utf8.DecodeLastRuneInString(phrase)
		after, _ := utf8.DecodeRuneInString(text[i+len(phrase):])
		if !(inWord(before) && inWord(first)) && !(inWord(last) && inWord(after)) {
			return true
		}
		from = i + size
	}
}

// inWord tells whether a character is of a script that writes words apart. At the ends
// of a text there is none.
func inWord(c rune) bool {
	return c != utf8.RuneError && (unicode.IsLetter(c) || unicode.IsDigit(c)) &&
		!unicode.In(c, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai)
}
