package read

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"tandem/ivr/flow/source"
)

var update = flag.Bool("update", false, "write the golden files anew")

// brokenFile lays one broken file beside sound ones.
func brokenFile(t testing.TB, path string) fs.FS {
	t.Helper()
	fsys := fstest.MapFS{}
	add := func(path string) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		fsys[filepath.Base(path)] = &fstest.MapFile{Data: data}
	}
	add(path)
	beside, err := filepath.Glob("testdata/broken/beside/*")
	if err != nil || len(beside) == 0 {
		t.Fatalf("no files beside: %v", err)
	}
	for _, p := range beside {
		add(p)
	}
	return fsys
}

// TestBroken reads files with one mistake each and compares what is printed.
func TestBroken(t *testing.T) {
	paths, _ := filepath.Glob("testdata/broken/*.yaml")
	if len(paths) < 40 {
		t.Fatalf("only %d broken files", len(paths))
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".yaml")
		t.Run(name, func(t *testing.T) {
			o := testOptions()
			if strings.HasPrefix(name, "recorded") {
				o.Recorded = []string{"x"}
			}
			if strings.HasPrefix(name, "needed") {
				o.Needed = []string{"x", "plian"}
			}
			if strings.HasPrefix(name, "unserved") {
				o.Needed, o.Carried = []string{"x"}, []string{"say", "transfer", "end"}
			}
			lib, ds := FS(brokenFile(t, path), o)
			got := shown(ds)
			if len(ds) != 1 {
				t.Errorf("%d diagnostics for one mistake", len(ds))
			}
			if (lib == nil) != source.HasErrors(ds) {
				t.Errorf("library %v with errors %v", lib != nil, source.HasErrors(ds))
			}
			golden := filepath.Join("testdata", "broken", name+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, _ := os.ReadFile(golden)
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}
