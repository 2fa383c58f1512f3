package suite_test

import (
	"os"
	"strings"
	"testing"

	"tandem/ivr/flow"
	"tandem/ivr/flow/suite"
)

const page = "../../../docs/flow-tests.md"

// Every example of the documentation passes, and every word of a script has one.
func TestDocumentation(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	bank := folder(t, "../read/testdata/bank")
	other, _ := desk(t)
	shown := ""
	blocks := strings.Split(string(text), "```yaml\n")[1:]
	if len(blocks) < 10 {
		t.Fatalf("%d examples are found", len(blocks))
	}
	for _, block := range blocks {
		block, _, _ = strings.Cut(block, "```")
		shown += block
		lib := (*flow.Library)(nil)
		switch {
		case strings.HasPrefix(block, "- name:"):
			block, lib = "flow: front_door\ntests:\n"+block, bank
		case strings.HasPrefix(block, "flow: front_door\n"):
			lib = bank
		default:
			lib = other
		}
		r := suite.Run(lib, []suite.File{{Path: "flow-tests.md", Text: []byte(block)}}, suite.Options{})
		if r.Bad(0) || r.Passed == 0 {
			t.Errorf("an example fails:\n%s\n%s", block, printed(r, suite.Style{}))
		}
	}
	for _, word := range suite.Words() {
		if !strings.Contains(shown, word) {
			t.Errorf("no example has the word %s", word)
		}
		if !strings.Contains(string(text), "`"+word+"`") {
			t.Errorf("the word %s is not explained", word)
		}
	}
}
