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

// TestRulesPage holds docs/rules.md to the list of rules and the broken files; -update
// writes it anew.
func TestRulesPage(t *testing.T) {
	const page = "../../../docs/rules.md"
	want := rulesPage(t)
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(page)
	if err != nil || string(got) != want {
		t.Errorf("docs/rules.md is not what the rules are now (%v): go test ./ivr/flow/read -run TestRulesPage -update", err)
	}
}

func rulesPage(t *testing.T) string {
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
			if ok && len(one) < 700 && (!known || len(one) < len(shown)) && strings.Contains(head, ".yaml:") {
				examples[rule] = one
			}
		}
	}
	var b strings.Builder
	b.WriteString("# The rules of the checker\n\nWhat `tandem flow check` looks for, by the name that stands in brackets, with one of the files that test it. Everything is an error\n" +
		"unless it says that it is a warning. This page is written from the rules themselves.\n\n| rule | when |\n| --- | --- |\n")
	for _, r := range source.Rules() {
		warn := ""
		if r.Warn {
			warn = " *(warning)*"
		}
		fmt.Fprintf(&b, "| [`%s`](#%s) | %s%s |\n", r.ID, r.ID, r.When, warn)
	}
	for _, r := range source.Rules() {
		if examples[r.ID] == "" {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n```text\n%s\n```\n", r.ID, examples[r.ID])
	}
	return b.String()
}
