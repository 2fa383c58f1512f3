package beside

import (
	"strings"

	"tandem/ivr/flow"
	"tandem/ivr/flow/source"
)

const (
	maxRules   = 1000 // of one classifier
	maxPhrases = 200  // of one rule in one language
)

// Classifier reads the rules by which texts are sorted. The name is "" if it could not
// be read.
func Classifier(f *source.File) *flow.Classifier {
	f.Fields(f.Root, "a classifier file", "classifier", "rules")
	c := &flow.Classifier{Name: named(f, "classifier"), Pos: f.Pos(f.Root)}
	n := f.Root.Get("rules")
	if n == nil {
		f.Fail(&source.Node{At: f.Root.At}, "missing-key", "add a line `rules: …`", "the classifier has no `rules`")
		return c
	}
	items := f.List(n, "rules")
	if n.Kind == source.List && len(items) == 0 {
		f.Fail(n, "empty-value", "write [ { any: { en: [refund] }, set: { request: refund } } ]", "the classifier has no rules")
	}
	if len(items) > maxRules {
		f.Fail(n, "out-of-range", "make several classifiers", "a classifier has up to %d rules; this has %d", maxRules, len(items))
		items = items[:maxRules]
	}
	for _, item := range items {
		if f.Fields(item, "a rule", "any", "set") {
			c.Rules = append(c.Rules, rule(f, item))
		}
	}
	return c
}

func rule(f *source.File, n *source.Node) flow.ClassRule {
	r := flow.ClassRule{Pos: f.Pos(n), Any: map[string][]string{}, Set: map[string]string{}}
	if some := n.Get("any"); some == nil {
		f.Fail(n, "missing-key", "add `any: { en: [refund] }`", "the rule has no `any`")
	} else if f.AnyFields(some, "any", "write { en: [refund] }") {
		for _, e := range some.Entries {
			if !source.IsLanguage(e.Key.Text) {
				f.Fail(e.Key, "language", "write a tag such as en or zh-CN", "`%s` is no language tag", e.Key.Text)
				continue
			}
			r.Any[e.Key.Text] = words(f, e.Val, "a phrase", maxPhrases)
		}
		if len(some.Entries) == 0 {
			f.Fail(some, "empty-value", "write { en: [refund] }", "the rule has no phrases")
		}
	}
	set := n.Get("set")
	if set == nil {
		f.Fail(n, "missing-key", "add `set: { request: refund }`", "the rule has no `set`")
		return r
	}
	if !f.Fields(set, "set", flow.Facets()...) {
		return r
	}
	if len(set.Entries) == 0 {
		f.Fail(set, "empty-value", "write { request: refund }", "the rule sets nothing")
	}
	for _, e := range set.Entries {
		if s, ok := f.Text(e.Val, e.Key.Text); ok {
			r.Set[e.Key.Text] = s
		}
	}
	return r
}

// words reads one text or a list of them, none of which may be empty.
func words(f *source.File, n *source.Node, what string, most int) []string {
	items := []*source.Node{n}
	if n.Kind == source.List {
		items = n.Items
		if len(items) == 0 {
			f.Fail(n, "empty-value", "write [refund]", "the list is empty")
		}
	}
	if len(items) > most {
		f.Fail(n, "out-of-range", "", "there may be up to %d here; there are %d", most, len(items))
		return nil
	}
	var out []string
	for _, item := range items {
		s, ok := f.Text(item, what)
		switch {
		case !ok:
		case flow.Fold(s) == "" || strings.TrimSpace(s) == "":
			f.Fail(item, "empty-value", "write letters or digits", "%s is empty", what)
		default:
			out = append(out, s)
		}
	}
	return out
}
