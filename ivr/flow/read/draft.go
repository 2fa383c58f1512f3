package read

import (
	"fmt"
	"os"

	"tandem/ivr/flow"
	"tandem/ivr/flow/source"
)

// Overlay reads a folder as Dir does, with some files as in drafts instead, by their
// names in the folder ("x.flow.yaml", "knowledge/cards/opening.md"): more of them may be
// there than on disk, and nil takes one away.
func Overlay(dir string, files map[string][]byte, o Options) (*flow.Library, []source.Diagnostic) {
	return overlay(dir, files, o).run()
}

func overlay(dir string, files map[string][]byte, o Options) *reading {
	r := newReading(os.DirFS(dir), dir, o)
	r.texts = drafts{files, stored{inside(dir)}}
	return r
}

// Release reads text files that were kept, as Files returned them, and none that lie in
// the folder now; recordings and images are those of the folder.
func Release(dir string, files map[string][]byte, o Options) (*flow.Library, []source.Diagnostic) {
	r := newReading(os.DirFS(dir), dir, o)
	r.texts = drafts{files: files}
	return r.run()
}

// Partial reads as Overlay does and returns what could be read whatever the mistakes:
// the library with all that has a name, and the flow of the file base, nil if the file
// is no YAML. They are for looking at, never for running: a step may have no verb and
// any part of a verb may be missing. The diagnostics are those of the whole folder.
func Partial(dir, base string, files map[string][]byte, o Options) (*flow.Library, *flow.Flow, []source.Diagnostic) {
	r := overlay(dir, files, o)
	found := r.read()
	lib := r.library()
	for _, ff := range r.Flows {
		if ff.Base == base {
			return lib, ff.Flow, found
		}
	}
	return lib, nil, found
}

// Files reads the text files of a folder that make its library, by their names in it:
// flows, the files beside them and knowledge, no tests.
func Files(dir string) (map[string][]byte, error) {
	all := stored{inside(dir)}
	names, err := all.list()
	if err != nil {
		return nil, fmt.Errorf("reading the flows folder: %w", err)
	}
	out := make(map[string][]byte, len(names))
	for _, name := range names {
		if source.KindOf(name) == source.TestFile {
			continue
		}
		if out[name], err = all.read(name); err != nil {
			return nil, fmt.Errorf("reading the flows folder: %w", err)
		}
		if len(out[name]) > source.MaxBytes {
			return nil, fmt.Errorf("reading the flows folder: %s is larger than %d bytes", name, source.MaxBytes)
		}
	}
	return out, nil
}
