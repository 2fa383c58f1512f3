package read

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"tandem/ivr/flow"
	"tandem/ivr/flow/source"
)

// Folder keeps the current library of a flows folder. A good save serves the next
// interaction; a broken one leaves the old library serving and is reported once.
// Sessions that run keep the library they began with.
type Folder struct {
	dir    string
	report func(*flow.Library, []source.Diagnostic)
	poll   time.Duration // how often Watch looks; pollEvery but in tests

	current atomic.Pointer[taken]

	mu      sync.Mutex // held through a whole Reload, so that readings do not overlap
	options Options
	stamp   string // of names, sizes and times last looked at
	content [sha256.Size]byte
}

// taken is a library with the texts it was read from.
type taken struct {
	library *flow.Library
	files   map[string][]byte
}

// OpenFolder reads the folder. It fails if there is an error in it, because nothing
// older could serve; the diagnostics say what is wrong. report is called after each
// later reading of changed files, with nil for the library if it was refused; it
// may be nil and is called on the goroutine that reloads. That a flow of Options.Needed
// is not there counts from the second reading on: at the opening the caller can tell
// which entry is wrong.
func OpenFolder(dir string, o Options, report func(*flow.Library, []source.Diagnostic)) (*Folder, []source.Diagnostic, error) {
	f := &Folder{dir: dir, options: o, report: report, poll: pollEvery}
	f.stamp, f.content = f.look("")
	opening := o
	opening.opening = true
	found, ok := f.take(opening)
	if !ok {
		return nil, found, fmt.Errorf("the flows in %s have mistakes (%d)", dir, errorCount(found))
	}
	return f, found, nil
}

// KeepFolder makes a Folder whose files have mistakes: lib, made of files that were kept
// before, serves until a reading of the folder finds none. The folder is read at the
// first Reload.
func KeepFolder(dir string, o Options, lib *flow.Library, files map[string][]byte, report func(*flow.Library, []source.Diagnostic)) *Folder {
	f := &Folder{dir: dir, options: o, report: report, poll: pollEvery}
	f.current.Store(&taken{lib, files})
	return f
}

// Current is the library for a new interaction. It is safe from any goroutine.
func (f *Folder) Current() *flow.Library { return f.current.Load().library }

// Files are the texts that the current library was read from, by their names in the
// folder, without tests. They must not be changed.
func (f *Folder) Files() map[string][]byte { return f.current.Load().files }

// Reload reads the folder now if its content changed since the last reading, and
// swaps the library if it is without errors. It returns what was found, and whether
// anything was read.
func (f *Folder) Reload(ctx context.Context) ([]source.Diagnostic, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if ctx.Err() != nil {
		return nil, false
	}
	stamp, content := f.look(f.stamp)
	if stamp == f.stamp {
		return nil, false
	}
	f.stamp = stamp
	if content == f.content {
		return nil, false // touched, not changed
	}
	f.content = content
	return f.read(), true
}

// Configure takes new options, as after a change of the configuration, and reads
// again under them.
func (f *Folder) Configure(o Options) []source.Diagnostic {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.options = o
	return f.read()
}

func (f *Folder) read() []source.Diagnostic {
	found, ok := f.take(f.options)
	if f.report != nil {
		var lib *flow.Library
		if ok {
			lib = f.Current()
		}
		f.report(lib, found)
	}
	return found
}

// take reads the folder; a library without errors is the current one from now on.
func (f *Folder) take(o Options) (found []source.Diagnostic, ok bool) {
	r := newReading(os.DirFS(f.dir), f.dir, o)
	lib, found := r.run()
	if lib == nil {
		return found, false
	}
	files := make(map[string][]byte, len(r.Files))
	for name, d := range r.Files {
		if source.KindOf(name) != source.TestFile {
			files[name] = d.Data
		}
	}
	f.current.Store(&taken{lib, files})
	return found, true
}

// look describes the folder: names, sizes and times of flow files and of everything
// they may play or show, and, if that differs from before, the content of the files
// that are read. What begins with a dot is none of ours. A file that vanishes meanwhile
// is seen as gone the next time.
func (f *Folder) look(before string) (stamp string, content [sha256.Size]byte) {
	var b strings.Builder
	var names []string
	_ = filepath.WalkDir(f.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			fmt.Fprintf(&b, "%s unreadable\n", path)
			return nil
		}
		if hidden := path != f.dir && strings.HasPrefix(d.Name(), "."); hidden && d.IsDir() {
			return filepath.SkipDir
		} else if hidden || d.IsDir() {
			return nil
		}
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			fmt.Fprintf(&b, "%s %d %d\n", path, info.Size(), info.ModTime().UnixNano())
			names = append(names, path)
		}
		return nil
	})
	stamp = b.String()
	if stamp == before {
		return stamp, content
	}
	h := sha256.New()
	for _, path := range names {
		if name, err := filepath.Rel(f.dir, path); err == nil && source.KindOf(filepath.ToSlash(name)) != "" {
			data, err := os.ReadFile(path)
			fmt.Fprintf(h, "%s %x %v\n", path, sha256.Sum256(data), err != nil)
		} else if info, err := os.Stat(path); err == nil {
			fmt.Fprintf(h, "%s %d %d\n", path, info.Size(), info.ModTime().UnixNano())
		}
	}
	h.Sum(content[:0])
	return stamp, content
}

func errorCount(ds []source.Diagnostic) int {
	n := 0
	for _, d := range ds {
		if d.Severity == source.Error {
			n++
		}
	}
	return n
}
