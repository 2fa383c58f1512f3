package suite_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tandem/ivr/flow"
	"tandem/ivr/flow/read"
	"tandem/ivr/flow/source"
	"tandem/ivr/flow/suite"
)

var update = flag.Bool("update", false, "write the golden files anew")

// folder reads a folder of flows.
func folder(t testing.TB, dir string) *flow.Library {
	t.Helper()
	lib, found := read.Dir(dir, read.Options{
		Settings: map[string]any{"core": "http://core.test"}, Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
	})
	if source.HasErrors(found) {
		source.Print(os.Stderr, found, false)
		t.Fatalf("the flows in %s have errors", dir)
	}
	return lib
}

// testFile reads a test file; it is called by its name alone.
func testFile(t testing.TB, path string) suite.File {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return suite.File{Path: filepath.Base(path), Text: text}
}

// printed is a report as people see it.
func printed(r suite.Report, s suite.Style) string {
	var b bytes.Buffer
	suite.Print(&b, r, s)
	return b.String()
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		a, b := strings.Split(got, "\n"), strings.Split(string(want), "\n")
		for i := range max(len(a), len(b)) {
			if i >= len(a) || i >= len(b) || a[i] != b[i] {
				t.Fatalf("%s:%d differs (go test ./ivr/flow/suite -update writes it anew)\ngot:\n%s\nwant:\n%s", path, i+1,
					strings.Join(a[min(i, len(a)):min(i+6, len(a))], "\n"), strings.Join(b[min(i, len(b)):min(i+6, len(b))], "\n"))
			}
		}
	}
}

// The example of the language's page passes as it stands there.
func TestPageExample(t *testing.T) {
	lib := folder(t, "../read/testdata/bank")
	r := suite.Run(lib, []suite.File{testFile(t, "../read/testdata/bank/front_door.test.yaml")}, suite.Options{})
	if r.Passed != 2 || r.Bad(0) {
		t.Error(printed(r, suite.Style{}))
	}
	t.Log(printed(r, suite.Style{Transcripts: true}))
}
