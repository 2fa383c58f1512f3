package suite_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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
}

var deskFiles = []string{"desk.test.yaml", "visit.test.yaml"}

func desk(t testing.TB) (*flow.Library, []suite.File) {
	t.Helper()
	var files []suite.File
	for _, name := range deskFiles {
		files = append(files, testFile(t, filepath.Join("testdata/desk", name)))
	}
	return folder(t, "testdata/desk"), files
}

// One flow with every verb, tested on all its channels.
func TestAllVerbs(t *testing.T) {
	lib, files := desk(t)
	r := suite.Run(lib, files, suite.Options{})
	if r.Bad(95) {
		t.Error(printed(r, suite.Style{Least: 95}))
	}
	some := regexp.MustCompile("after a code|opened, then|visit is booked|fault in|by phone|to another|long wait|free after")
	golden(t, "desk.golden", printed(suite.Run(lib, files, suite.Options{Match: some}), suite.Style{Transcripts: true}))
}

// A failing test shows what was expected, what came, where, and how it came to that.
func TestFailing(t *testing.T) {
	lib, _ := desk(t)
	r := suite.Run(lib, []suite.File{testFile(t, "testdata/failing/failing.test.yaml")}, suite.Options{})
	if r.Passed != 0 || !r.Bad(0) {
		t.Errorf("%d passed", r.Passed)
	}
	r.Coverage = nil
	got := printed(r, suite.Style{})
	golden(t, "failing.golden", got)
	for _, secret := range []string{"654321\n", "• 123456"} {
		if strings.Contains(got, secret) {
			t.Errorf("a secret is shown: %q", secret)
		}
	}
}

// Mistakes in a test file are shown all at once, each at its place.
func TestMistakes(t *testing.T) {
	lib, _ := desk(t)
	r := suite.Run(lib, []suite.File{
		testFile(t, "testdata/failing/mistakes.test.yaml"),
		{Path: "b.test.yaml", Text: []byte("flow: dsk\ntests: []\n")},
		{Path: "c.test.yaml", Text: []byte("tests: []\n")},
		{Path: "d.test.yaml", Text: []byte("flow: desk\n")},
		{Path: "e.test.yaml", Text: []byte("flow: [desk\n")},
		{Path: "f.test.yaml", Text: nil},
	}, suite.Options{})
	if len(r.Cases) != 0 || !r.Bad(0) {
		t.Errorf("%d cases were run", len(r.Cases))
	}
	for _, p := range r.Problems {
		if !slices.ContainsFunc(source.Rules(), func(r source.Rule) bool { return r.ID == p.Rule }) {
			t.Errorf("line %d: the rule %s is in no list", p.Line, p.Rule)
		}
	}
	golden(t, "mistakes.golden", printed(r, suite.Style{}))
}

// The same seed gives the same report, byte for byte; another seed only other numbers
// and addresses.
func TestSeeds(t *testing.T) {
	lib, files := desk(t)
	run := func(seed uint64, workers int) string {
		return printed(suite.Run(lib, files, suite.Options{Seed: seed, Workers: workers}), suite.Style{Transcripts: true})
	}
	first := run(7, 1)
	if run(7, 1) != first || run(7, 8) != first {
		t.Error("the same seed gives another report")
	}
	other := run(8, 1)
	if other == first {
		t.Error("the seed makes no difference")
	}
	made := regexp.MustCompile(`/l/[0-9a-v]{8}|[0-9]{6}\b|recording-[0-9a-f]{8}`)
	if made.ReplaceAllString(other, "…") != made.ReplaceAllString(first, "…") {
		t.Error("the seed changes more than numbers and addresses")
	}
}

func TestJUnit(t *testing.T) {
	lib, files := desk(t)
	files = append(files, testFile(t, "testdata/failing/failing.test.yaml"), testFile(t, "testdata/failing/mistakes.test.yaml"))
	now := time.Unix(0, 0)
	r := suite.Run(lib, files, suite.Options{Workers: 1, Now: func() time.Time { now = now.Add(time.Millisecond); return now }})
	var b bytes.Buffer
	if err := suite.JUnit(&b, r); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Errors   int `xml:"errors,attr"`
		Suites   []struct {
			Name  string `xml:"name,attr"`
			Tests int    `xml:"tests,attr"`
			Cases []struct {
				Name    string  `xml:"name,attr"`
				Class   string  `xml:"classname,attr"`
				Line    int     `xml:"line,attr"`
				Time    float64 `xml:"time,attr"`
				Failure *struct {
					Message string `xml:"message,attr"`
					Text    string `xml:",chardata"`
				} `xml:"failure"`
				Error *struct {
					Type string `xml:"type,attr"`
				} `xml:"error"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Tests != r.Passed+r.Failed+got.Errors || got.Failures != r.Failed || r.Failed != 15 || got.Errors < 20 || len(got.Suites) != 4 {
		t.Errorf("tests %d, failures %d, errors %d, suites %d", got.Tests, got.Failures, got.Errors, len(got.Suites))
	}
	failed := false
	for _, s := range got.Suites {
		if s.Tests != len(s.Cases) {
			t.Errorf("%s: %d tests, %d cases", s.Name, s.Tests, len(s.Cases))
		}
		for _, c := range s.Cases {
			if c.Name == "other words" && c.Class == "desk" && c.Line == 10 && c.Time == 0.001 && c.Failure != nil &&
				strings.Contains(c.Failure.Message, "What can I do for you?") && strings.Contains(c.Failure.Text, "How can we help?") {
				failed = true
			}
		}
	}
	if !failed {
		t.Errorf("the failure is not in\n%s", b.String())
	}
}

// A thousand cases, with the reading of their files.
func BenchmarkSuite1000(b *testing.B) {
	lib, files := desk(b)
	text := string(files[0].Text)
	head, tests, _ := strings.Cut(text, "tests:\n")
	var all []suite.File
	n := 0
	for i := 0; n < 1000; i++ {
		var named strings.Builder
		named.WriteString(head + "tests:\n" + tests)
		all = append(all, suite.File{Path: fmt.Sprintf("desk%d.test.yaml", i), Text: []byte(named.String())})
		n += suite.Run(lib, all[i:], suite.Options{}).Passed
	}
	b.ResetTimer()
	for b.Loop() {
		if r := suite.Run(lib, all, suite.Options{}); r.Passed != n || r.Failed > 0 {
			b.Fatalf("%d passed of %d", r.Passed, n)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "cases/s")
}

// TestStop: a run that is stopped tells which cases have not run, and why.
func TestStop(t *testing.T) {
	lib := folder(t, "../read/testdata/bank")
	n := 0
	r := suite.Run(lib, []suite.File{testFile(t, "../read/testdata/bank/front_door.test.yaml")}, suite.Options{Workers: 1, Stop: func() error {
		if n++; n > 1 {
			return errors.New("time is up")
		}
		return nil
	}})
	if r.Passed != 1 || r.Failed != len(r.Cases)-1 || r.Failed == 0 || !strings.Contains(r.Cases[1].Message, "time is up") {
		t.Errorf("%d passed, %d failed: %+v", r.Passed, r.Failed, r.Cases)
	}
}
