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

// pollEvery is how often Watch looks at the folder.
const pollEvery = time.Second

// Folder keeps the current library of a flows folder. A good save serves the next
// interaction; a broken one leaves the old library serving and is reported once.
// Sessions that run keep the library they began with.
type Folder struct {
	dir    string
	report func(*flow.Library, []source.Diagnostic)

	current atomic.Pointer[flow.Library]

	mu      sync.Mutex // held through a whole Reload, so that readings do not overlap
	options Options
	stamp   string // of names, sizes and times last looked at
	content [sha256.Size]byte
}

// OpenFolder reads the folder. It fails if there is an error in it, because nothing
// older could serve; the diagnostics say what is wrong. report is called after each
// later reading of changed files, with nil for the library if it was refused; it
// may be nil and is called on the goroutine that reloads. That a flow of Options.Needed
// is not there counts from the second reading on: at the opening the caller can tell
// which entry is wrong.
func OpenFolder(dir string, o Options, report func(*flow.Library, []source.Diagnostic)) (*Folder, []source.Diagnostic, error) {
	f := &Folder{dir: dir, options: o, report: report}
	f.stamp, f.content = f.look("")
	opening := o
	opening.opening = true
	lib, found := Dir(dir, opening)
	if lib == nil {
		return nil, found, fmt.Errorf("the flows in %s have mistakes (%d)", dir, errorCount(found))
	}
	f.current.Store(lib)
	return f, found, nil
}

// Current is the library for a new interaction. It is safe from any goroutine.
func (f *Folder) Current() *flow.Library { return f.current.Load() }

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
	lib, found := Dir(f.dir, f.options)
	if lib != nil {
		f.current.Store(lib)
	}
	if f.report != nil {
		f.report(lib, found)
	}
	return found
}

// Watch reloads every second until the context ends. It runs on the caller's goroutine.
func (f *Folder) Watch(ctx context.Context) {
	t := time.NewTicker(pollEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			f.Reload(ctx)
		}
	}
}

// look describes the folder: names, sizes and times of flow files and of everything
// they may play or show, and, if that differs from before, the content of the files
// that are read. A file that vanishes meanwhile is seen as gone the next time.
func (f *Folder) look(before string) (stamp string, content [sha256.Size]byte) {
	var b strings.Builder
	var names []string
	_ = filepath.WalkDir(f.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			fmt.Fprintf(&b, "%s unreadable\n", path)
			return nil
		}
		if d.IsDir() {
			return nil
		}
		if info, err := os.Stat(path); err == nil {
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
		if name, err := filepath.Rel(f.dir, path); err == nil && kindOf(filepath.ToSlash(name)) != "" {
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
