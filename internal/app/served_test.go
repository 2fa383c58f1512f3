package app

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestPagesNameWhatIsServed holds the sentence on the language's pages against the verbs
// that the server carries out.
func TestPagesNameWhatIsServed(t *testing.T) {
	for file, form := range map[string]string{
		"../../docs/flow-language.md":       "(?s)`tandem serve` carries out (.*?)\\.\n",
		"../../docs/flow-language.zh-CN.md": "(?s)`tandem serve` 目前能执行 (.*?)。\n",
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
		if !slices.Equal(named, carried()) {
			t.Errorf("%s names %v, the server carries out %v", file, named, carried())
		}
	}
}
