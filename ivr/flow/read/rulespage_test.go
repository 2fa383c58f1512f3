package read

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tandem/ivr/flow/source"
)

// TestRulesPage holds docs/rules.md and its Chinese twin to the list of rules and the
// broken files; -update writes them anew.
func TestRulesPage(t *testing.T) {
	examples := examplesOfRules(t)
	for _, p := range []rulesPage{
		{
			file: "../../../docs/rules.md",
			head: "# The rules of the checker\n\nWhat `tandem flow check` looks for, by the name that stands in brackets, with one of the files that test it. Everything is an error\n" +
				"unless it says that it is a warning. This page is written from the rules themselves.\n\n| rule | when |\n| --- | --- |\n",
			when: func(r source.Rule) string { return r.When }, warning: "warning",
		},
		{
			file: "../../../docs/rules.zh-CN.md",
			head: "# 检查器的规则\n\n`tandem flow check` 检查的内容，按方括号中的规则名排列，各附一个测试文件中的例子（检查器的说明为英文）。没有标明警告的\n" +
				"都是错误。本页由规则本身生成。\n\n| 规则 | 何时报告 |\n| --- | --- |\n",
			when: func(r source.Rule) string { return r.WhenZH }, warning: "警告",
		},
	} {
		want := p.text(examples)
		if *update {
			if err := os.WriteFile(p.file, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(p.file)
		if err != nil || string(got) != want {
			t.Errorf("%s is not what the rules are now (%v): go test ./ivr/flow/read -run TestRulesPage -update", filepath.Base(p.file), err)
		}
	}
}

// rulesPage is the list of rules in one language.
type rulesPage struct {
	file, head, warning string
	when                func(source.Rule) string
}

func (p rulesPage) text(examples map[string]string) string {
	var b strings.Builder
	b.WriteString(p.head)
	for _, r := range source.Rules() {
		warn := ""
		if r.Warn {
			warn = " *(" + p.warning + ")*"
		}
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s%s |\n", r.ID, r.ID, p.when(r), warn)
	}
	for _, r := range source.Rules() {
		if examples[r.ID] == "" {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n```text\n%s\n```\n", r.ID, examples[r.ID])
	}
	return b.String()
}

// examplesOfRules is the shortest report of each rule among the broken files, of another
// than an identity check where there is one.
func examplesOfRules(t *testing.T) map[string]string {
	t.Helper()
	examples := map[string]string{}
	paths, _ := filepath.Glob("testdata/broken/*.golden")
	tests, _ := filepath.Glob("../suite/testdata/*.golden")
	slices.Sort(paths)
	for _, p := range append(paths, tests...) {
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range strings.Split(strings.TrimRight(string(data), "\n"), "\n\n") {
			head, _, _ := strings.Cut(one, "\n")
			_, rule, _ := strings.Cut(head, "[")
			rule, _, ok := strings.Cut(rule, "]: ")
			shown, known := examples[rule]
			rare := strings.Contains(shown, ".check.yaml:")
			if beside := strings.Contains(head, ".check.yaml:"); known && beside != rare {
				known, ok = known && beside, ok && rare
			}
			if ok && len(one) < 700 && (!known || len(one) < len(shown)) && strings.Contains(head, ".yaml:") {
				examples[rule] = one
			}
		}
	}
	return examples
}
