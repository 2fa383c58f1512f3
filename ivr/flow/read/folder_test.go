package read

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tandem/ivr/flow"
	"tandem/ivr/flow/source"
)

const smallFlow = "flow: x\nchannels: [voice]\nlanguages: [en]\nstart: hello\nsteps:\n  hello: { say: { en: \"WORDS\" }, next: end }\n"

func TestFolder(t *testing.T) {
	dir := t.TempDir()
	clock := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	save := func(text string) {
		t.Helper()
		path := filepath.Join(dir, "x.flow.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		clock = clock.Add(time.Second) // two saves within the file system's clock tick
		if err := os.Chtimes(path, clock, clock); err != nil {
			t.Fatal(err)
		}
	}
	type reported struct {
		good bool
		n    int
	}
	var reports []reported
	save(strings.Replace(smallFlow, "WORDS", "One", 1))
	f, ds, err := OpenFolder(dir, testOptions(), func(lib *flow.Library, ds []source.Diagnostic) {
		reports = append(reports, reported{lib != nil, len(ds)})
	})
	if err != nil {
		t.Fatalf("%v\n%s", err, shown(ds))
	}
	ctx := context.Background()
	first := f.Current()
	if _, read := f.Reload(ctx); read {
		t.Error("read again without a change")
	}

	save(strings.Replace(smallFlow, "next: end", "next: edn", 1))
	if ds, read := f.Reload(ctx); !read || !source.HasErrors(ds) {
		t.Errorf("broken save: read %v\n%s", read, shown(ds))
	}
	if _, read := f.Reload(ctx); read {
		t.Error("a broken save was reported twice")
	}
	if f.Current() != first {
		t.Error("a broken save took the library away")
	}

	save(strings.Replace(smallFlow, "WORDS", "Two", 1))
	if ds, read := f.Reload(ctx); !read || len(ds) != 0 {
		t.Errorf("good save: read %v\n%s", read, shown(ds))
	}
	second := f.Current()
	if second == first || second.Flows["x"].Hash == first.Flows["x"].Hash {
		t.Error("a good save does not serve")
	}
	if len(first.Flows["x"].Steps) != 1 {
		t.Error("the old library changed under its sessions")
	}
	save(strings.Replace(smallFlow, "WORDS", "Two", 1))
	if _, read := f.Reload(ctx); read {
		t.Error("a touched file was read again")
	}
	want := []reported{{false, 1}, {true, 0}}
	if len(reports) != 2 || reports[0] != want[0] || reports[1] != want[1] {
		t.Errorf("reports %v, want %v", reports, want)
	}

	if ds := f.Configure(Options{Settings: map[string]any{}, HTTPAllow: []string{}}); source.HasErrors(ds) || f.Current() == second {
		t.Errorf("new options were not read under:\n%s", shown(ds))
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	f.Watch(cancelled) // returns
}

// A flow that an entry leads to may not go away: the old library serves on. A file that
// cannot be read is its own mistake alone.
func TestFolderKeepsWhatEntriesNeed(t *testing.T) {
	dir := t.TempDir()
	one, two := filepath.Join(dir, "one.flow.yaml"), filepath.Join(dir, "two.flow.yaml")
	for path, name := range map[string]string{one: "one", two: "two"} {
		if err := os.WriteFile(path, []byte(strings.Replace(smallFlow, "flow: x", "flow: "+name, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o := testOptions()
	o.Needed = []string{"one"}
	f, ds, err := OpenFolder(dir, o, nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, shown(ds))
	}
	first, ctx := f.Current(), context.Background()
	if err := os.Remove(one); err != nil {
		t.Fatal(err)
	}
	if ds, _ := f.Reload(ctx); len(ds) != 1 || ds[0].Rule != "missing-flow" || ds[0].File != dir || ds[0].Line != 1 || ds[0].Column != 1 {
		t.Errorf("a needed flow is gone, but got\n%s", shown(ds))
	}
	if f.Current() != first {
		t.Error("entries lead nowhere now")
	}
	if err := os.WriteFile(one, []byte("flow: [one"), 0o600); err != nil {
		t.Fatal(err)
	}
	if ds, _ := f.Reload(ctx); len(ds) != 1 || ds[0].Rule != "syntax" {
		t.Errorf("one mistake, but got\n%s", shown(ds))
	}
	if err := os.Remove(one); err != nil {
		t.Fatal(err)
	}
	o.Needed = []string{"two"}
	if ds := f.Configure(o); len(ds) != 0 || f.Current() == first {
		t.Errorf("the entry leads elsewhere now, but got\n%s", shown(ds))
	}
}

func TestOpenFolderRefusesMistakes(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x.flow.yaml"), []byte("flow: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if f, ds, err := OpenFolder(dir, testOptions(), nil); err == nil || f != nil || !source.HasErrors(ds) {
		t.Errorf("opened %v, %v", f, err)
	}
}
