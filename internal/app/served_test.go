package app

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tandem/ivr/flow/schema"
)

// TestPagesNameWhatIsServed holds the sentence on the language's pages against the verbs
// that the server does not carry out.
func TestPagesNameWhatIsServed(t *testing.T) {
	for file, form := range map[string]string{
		"../../docs/flow-language.md":       "(?s)`tandem serve` carries out all verbs but (.*?), and",
		"../../docs/flow-language.zh-CN.md": "(?s)`tandem serve` 目前能执行除 (.*?) 以外",
	} {
		page, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		m := regexp.MustCompile(form).FindSubmatch(page)
		if m == nil {
			t.Errorf("%s does not tell what is served", file)
			continue
		}
		var named []string
		for _, word := range regexp.MustCompile("`[a-z]+`").FindAllString(string(m[1]), -1) {
			named = append(named, strings.Trim(word, "`"))
		}
		var without []string
		for _, verb := range schema.Verbs() {
			if !slices.Contains(carried(), verb.Key) {
				without = append(without, verb.Key)
			}
		}
		slices.Sort(named)
		slices.Sort(without)
		if !slices.Equal(named, without) {
			t.Errorf("%s says that %v are not served, the server does not carry out %v", file, named, without)
		}
	}
}
