package read

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tandem/ivr/flow/source"
)

// A link out of the folder is a mistake, and nothing of what it leads to is told. Links
// within the folder are read, as those of mounted configuration are.
func TestLinks(t *testing.T) {
	dir, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "secrets")
	if err := os.WriteFile(elsewhere, []byte("core_password: hunter22\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "held"), []byte("flow: a\nchannels: [voice]\nlanguages: [en]\nstart: bye\nsteps:\n  bye: { say: { en: Bye. }, next: end }\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("held", filepath.Join(dir, "a.flow.yaml")); err != nil {
		t.Skip(err)
	}
	if lib, found := Dir(dir, Options{}); lib == nil || lib.Flows["a"] == nil {
		t.Fatalf("a link within the folder: %v", found)
	}
	if err := os.Symlink(elsewhere, filepath.Join(dir, "b.flow.yaml")); err != nil {
		t.Fatal(err)
	}
	read := map[string]func() []source.Diagnostic{
		"Dir": func() []source.Diagnostic { _, found := Dir(dir, Options{}); return found },
		"File": func() []source.Diagnostic {
			_, found := File(filepath.Join(dir, "b.flow.yaml"), Options{})
			return found
		},
		"Overlay": func() []source.Diagnostic { _, found := Overlay(dir, nil, Options{}); return found },
		"Partial": func() []source.Diagnostic {
			_, _, found := Partial(dir, "b.flow.yaml", nil, Options{})
			return found
		},
	}
	for name, f := range read {
		found := f()
		if !source.HasErrors(found) {
			t.Errorf("%s takes a link out of the folder", name)
		}
		for _, d := range found {
			if strings.Contains(d.Snippet+d.Message, "core_password") {
				t.Errorf("%s tells what the link leads to: %+v", name, d)
			}
		}
	}
	if files, err := Files(dir); err == nil {
		t.Errorf("Files reads a link out of the folder: %q", files)
	}
}
