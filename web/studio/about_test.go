package studio

import (
	"slices"
	"strings"
	"testing"

	"tandem/ivr/flow/source"
)

// The checker speaks English. Pages in another language are told the rule in theirs.
func TestAboutInThePagesLanguage(t *testing.T) {
	b := newBench(t, false, "a.flow.yaml", flowText("a", "One"))
	wrong := strings.Replace(flowText("a", "One"), "next: pick", "next: pikc", 1)
	chinese, _ := source.RuleByID("unknown-step")
	for _, c := range []struct{ user, accept, address, lang, want string }{
		{designer, "", "check", "zh-CN", chinese.WhenZH},
		{designer, "zh-CN,zh;q=0.9,en;q=0.8", "check", "en", ""},
		{designer, "", "check", "", ""},
		{designer + " lang=zh-CN", "en", "proposals", "", chinese.WhenZH},
		{designer + " lang=en", "zh-CN", "proposals", "", ""},
		{designer, "zh-CN,zh;q=0.9,en;q=0.8", "proposals", "", chinese.WhenZH},
		{designer, "en-GB,zh;q=0.5", "proposals", "", ""},
	} {
		body := object{"file": "a.flow.yaml", "text": wrong, "lang": c.lang}
		if c.address == "proposals" {
			body = object{"file": "a.flow.yaml", "text": wrong, "base": hashOf(flowText("a", "One")), "note": "x"}
		}
		var v struct{ Diagnostics []diagnostic }
		b.accept = c.accept
		b.do(c.user, c.address, body, &v)
		if i := slices.IndexFunc(v.Diagnostics, func(d diagnostic) bool { return d.Rule == "unknown-step" }); i < 0 || v.Diagnostics[i].About != c.want || !strings.Contains(v.Diagnostics[i].Message, "pikc") {
			t.Errorf("%+v: %+v", c, v.Diagnostics)
		}
	}
}
