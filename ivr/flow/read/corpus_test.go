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
func brokenFile(t testing.TB, file string) fs.FS {
	t.Helper()
	fsys := fstest.MapFS{}
	add := func(name, file string) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		fsys[name] = &fstest.MapFile{Data: data}
	}
	const beside = "testdata/broken/beside"
	err := filepath.WalkDir(beside, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(beside, file)
		add(filepath.ToSlash(name), file)
		return err
	})
	if err != nil || len(fsys) == 0 {
		t.Fatalf("no files beside: %v", err)
	}
	name := filepath.Base(file)
	if strings.HasSuffix(name, source.ArticleFile) {
		name = "knowledge/cards/" + name
	}
	add(name, file)
	return fsys
}

// TestBroken reads files with one mistake each and compares what is printed.
func TestBroken(t *testing.T) {
	paths, _ := filepath.Glob("testdata/broken/*.yaml")
	articles, _ := filepath.Glob("testdata/broken/*.md")
	if len(paths) < 40 || len(articles) == 0 {
		t.Fatalf("only %d broken files, %d articles", len(paths), len(articles))
	}
	for _, path := range append(paths, articles...) {
		name := strings.TrimSuffix(filepath.Base(path), ".yaml")
		t.Run(name, func(t *testing.T) {
			o := testOptions()
			if strings.HasPrefix(name, "recorded") {
				o.Recorded = []string{"x"}
			}
			if strings.HasPrefix(name, "needed") {
				o.Needed = []string{"x", "plian"}
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
