package read

import (
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"

	"tandem/ivr/flow/source"
)

// TestKind is the kind of files that a reading passes over.
const TestKind = source.TestFile

// KindOf says what a file is by its name within the folder: the end of the name, such as
// ".flow.yaml"; "" = none of a flows folder.
func KindOf(name string) string { return source.KindOf(name) }

// Names lists the files of a folder that are of a kind it knows, tests included, sorted.
func Names(dir string) ([]string, error) { return stored{inside(dir)}.list() }

// texts is where a reading has the folder's files from that are text.
type texts interface {
	list() ([]string, error) // names that kindOf knows, sorted
	read(name string) ([]byte, error)
}

// inside is a folder whose links lead nowhere else: a flow file's lines are shown to who
// writes flows, who may not read all that this program may.
type inside string

// Open opens a file of the folder. A link out of it is an error.
func (dir inside) Open(name string) (fs.File, error) {
	root, err := os.OpenRoot(string(dir))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return root.FS().Open(name)
}

// stored is the files of a file system.
type stored struct{ fsys fs.FS }

func (s stored) list() ([]string, error) {
	entries, err := fs.ReadDir(s.fsys, ".")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if source.KindOf(e.Name()) != "" && isFile(e) {
			names = append(names, e.Name())
		}
	}
	folders, _ := fs.ReadDir(s.fsys, source.KnowledgeDir) // a folder without knowledge has none
	for _, folder := range folders {
		articles, _ := fs.ReadDir(s.fsys, path.Join(source.KnowledgeDir, folder.Name()))
		for _, e := range articles {
			if name := path.Join(source.KnowledgeDir, folder.Name(), e.Name()); source.KindOf(name) != "" && isFile(e) {
				names = append(names, name)
			}
		}
	}
	slices.Sort(names)
	return names, nil
}

// isFile is true for plain files and links: a pipe would keep its reader waiting.
func isFile(e fs.DirEntry) bool { return e.Type()&^fs.ModeSymlink == 0 }

func (s stored) read(name string) ([]byte, error) {
	f, err := s.fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, source.MaxBytes+1))
}

// drafts is files in memory that stand before those below: nil hides the one of that
// name. Without a below they are all there is.
type drafts struct {
	files map[string][]byte
	below texts
}

func (d drafts) list() ([]string, error) {
	names := map[string]bool{}
	if d.below != nil {
		below, err := d.below.list()
		if err != nil {
			return nil, err
		}
		for _, name := range below {
			names[name] = true
		}
	}
	for name, text := range d.files {
		if names[name] = text != nil && source.KindOf(name) != ""; !names[name] {
			delete(names, name)
		}
	}
	return slices.Sorted(maps.Keys(names)), nil
}

func (d drafts) read(name string) ([]byte, error) {
	if text, ok := d.files[name]; ok || d.below == nil {
		return text, nil
	}
	return d.below.read(name)
}
