package schema

import (
	"slices"
	"strings"
	"testing"
)

// TestOutcomesAreOfVerbs: each meaning is that of an outcome that some verb has.
func TestOutcomesAreOfVerbs(t *testing.T) {
	used := map[string]bool{Else: true, Skipped: true, Loop: true, NotAssured: true}
	all := outcomes()
	for _, v := range Verbs() {
		for _, one := range v.Variants {
			for _, o := range one.Outcomes {
				name := v.Key + "." + o
				if !slices.ContainsFunc(all, func(t Term) bool { return t.Name == name }) {
					name = o
				}
				used[name] = true
			}
		}
	}
	for _, o := range all {
		if !used[o.Name] {
			t.Errorf("no verb has the outcome %s, or each has words of its own for it", o.Name)
		}
		if !strings.HasSuffix(o.About("en"), ".") || !strings.HasSuffix(o.About("zh-CN"), "。") {
			t.Errorf("%s: no sentence: %q, %q", o.Name, o.About("en"), o.About("zh-CN"))
		}
	}
}
