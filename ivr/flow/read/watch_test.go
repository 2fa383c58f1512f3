package read

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem/ivr/flow"
	"tandem/ivr/flow/source"
)

// A save is read without anybody looking: half a second is far more than it takes, and
// the time between two looks is set to an hour.
func TestWatchIsTold(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "flows")
	words := func(text string) []byte { return []byte(strings.Replace(smallFlow, "WORDS", text, 1)) }
	put := func(name string, data []byte) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("x.flow.yaml", words("One"))
	reports := make(chan bool, 16)
	f, ds, err := OpenFolder(dir, testOptions(), func(lib *flow.Library, _ []source.Diagnostic) { reports <- lib != nil })
	if err != nil {
		t.Fatalf("%v\n%s", err, shown(ds))
	}
	f.poll = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); f.Watch(ctx) }()
	defer func() { cancel(); <-ended }()

	// expect saves until a reading comes: the first may be before Watch listens.
	expect := func(what string, good bool, save func(n int)) {
		t.Helper()
		deadline := time.After(10 * time.Second)
		for n := 0; ; n++ {
			begun := time.Now()
			save(n)
			select {
			case got := <-reports:
				if got != good {
					t.Fatalf("%s: read well %v, want %v", what, got, good)
				}
				t.Logf("%s: read %v after", what, time.Since(begun).Round(time.Millisecond))
				return
			case <-time.After(2 * time.Second):
			case <-deadline:
				t.Fatalf("%s: nobody told", what)
			}
		}
	}
	expect("a save", true, func(n int) { put("x.flow.yaml", words(fmt.Sprint("Two ", n))) })
	expect("a mistake", false, func(n int) { put("x.flow.yaml", fmt.Append(nil, "flow: [", n)) })
	expect("a file renamed into its place", true, func(n int) {
		put(".x.new", words(fmt.Sprint("Three ", n)))
		if err := os.Rename(filepath.Join(dir, ".x.new"), filepath.Join(dir, "x.flow.yaml")); err != nil {
			t.Fatal(err)
		}
	})
	if err := os.MkdirAll(filepath.Join(dir, "knowledge", "cards"), 0o755); err != nil {
		t.Fatal(err)
	}
	expect("an article in a new folder", true, func(n int) {
		put("knowledge/cards/a.md", fmt.Append(nil, "---\ntitle: Opening\nwords: [open]\nlanguage: en\n---\nWe open at nine. ", n))
	})
	if got := slices.Sorted(maps.Keys(f.Files())); !slices.Equal(got, []string{"knowledge/cards/a.md", "x.flow.yaml"}) {
		t.Errorf("read from %v", got)
	}
	expect("another folder in its place", true, func(n int) {
		if err := os.Rename(dir, fmt.Sprint(dir, ".old", n)); err != nil {
			t.Fatal(err)
		}
		put("x.flow.yaml", words("Four"))
		put("y.flow.yaml", fmt.Appendf(nil, "%s", strings.Replace(string(words(fmt.Sprint("Five ", n))), "flow: x", "flow: y", 1)))
	})
	for len(reports) > 0 {
		<-reports
	}
	expect("a save there", true, func(n int) { put("x.flow.yaml", words(fmt.Sprint("Six ", n))) })
}

// What begins with a dot is not looked at: the copies that editors keep are no change.
func TestHiddenFilesAreNoChange(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("x.flow.yaml", strings.Replace(smallFlow, "WORDS", "One", 1))
	f, ds, err := OpenFolder(dir, testOptions(), nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, shown(ds))
	}
	put(".x.flow.yaml.swp", "x")
	put(".git/HEAD", "x")
	if _, read := f.Reload(t.Context()); read {
		t.Error("read again for hidden files")
	}
	put("seen.txt", "x")
	if _, read := f.Reload(t.Context()); !read {
		t.Error("not read again for a file that a flow might show")
	}
}

// A folder with mistakes can be served from what was kept of it before.
func TestKeepFolder(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.flow.yaml")
	good := []byte(strings.Replace(smallFlow, "WORDS", "One", 1))
	files := map[string][]byte{"x.flow.yaml": good}
	if err := os.WriteFile(path, []byte("flow: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	lib, ds := Release(dir, files, testOptions())
	if lib == nil {
		t.Fatal(shown(ds))
	}
	var reports []bool
	f := KeepFolder(dir, testOptions(), lib, files, func(lib *flow.Library, _ []source.Diagnostic) { reports = append(reports, lib != nil) })
	if f.Current() != lib || string(f.Files()["x.flow.yaml"]) != string(good) {
		t.Error("what was kept does not serve")
	}
	if ds, read := f.Reload(t.Context()); !read || !source.HasErrors(ds) || f.Current() != lib {
		t.Errorf("the mistakes: read %v\n%s", read, shown(ds))
	}
	if err := os.WriteFile(path, []byte(strings.Replace(smallFlow, "WORDS", "Twelve", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, read := f.Reload(t.Context()); !read || f.Current() == lib || len(reports) != 2 || reports[0] || !reports[1] {
		t.Errorf("mended: read %v, reports %v", read, reports)
	}
}
