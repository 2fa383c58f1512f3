package suite_test

import (
	"testing"

	"tandem/ivr/flow/suite"
)

// Whatever a test file holds: it is read and run without a crash, and what is written
// for it can be read again, and says the same to a second update.
func FuzzFile(f *testing.F) {
	lib, files := desk(f)
	for _, file := range append(files, testFile(f, "testdata/failing/failing.test.yaml"), testFile(f, "testdata/failing/mistakes.test.yaml")) {
		f.Add(file.Text)
	}
	f.Add([]byte(before))
	f.Add([]byte("{flow: desk, tests: [{name: a, script: [leaves]}, {name: b}, {name: c, script: }]}"))
	f.Add([]byte("flow: desk\ntests:\n- name: >\n    a\n    b\n  script:\n  -\n    hears: |\n      x\n  - var: {\n     tier: gold }\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 2000 {
			t.Skip()
		}
		file := suite.File{Path: "x.test.yaml", Text: text}
		suite.Run(lib, []suite.File{file}, suite.Options{Workers: 1})
		once, err := suite.Update(lib, file, suite.Options{})
		if err != nil {
			return
		}
		file.Text = once.Text
		twice, err := suite.Update(lib, file, suite.Options{})
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%s\nbecame\n%s", err, text, once.Text)
		}
		if len(once.Tests) > 0 && len(twice.Text) > 4*len(once.Text)+1000 {
			t.Errorf("an update grows what another wrote:\n%s\nbecame\n%s", once.Text, twice.Text)
		}
	})
}
