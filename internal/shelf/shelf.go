// Package shelf is the flows folder as a server lives with it: the library that serves,
// the releases it came from, and the one way in which the server itself changes a file.
// The files stay the truth: what is saved there by hand counts as what is published.
//
// It runs the goroutines its caller gives to Watch and Keep. It never deletes a file
// that it has not made, and leaves none half written.
package shelf

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/read"
	"tandem/ivr/flow/source"
	"tandem/store"
	"tandem/store/release"
)

const (
	storeTime  = 3 * time.Second // for the store to take a release
	retryEvery = 5 * time.Second // after it would not
	tryOlder   = 5               // releases that are tried when the folder has mistakes at the start
	maxMade    = 8               // libraries made again from releases that stay at hand
)

// Releases is what a shelf needs of a store; store/release has it.
type Releases interface {
	Add(ctx context.Context, s release.Snapshot) (release.Release, bool, error)
	Newest(ctx context.Context, n int) ([]release.Release, error)
	Find(ctx context.Context, flow, hash string) (release.Release, error)
	Files(ctx context.Context, number int) (map[string][]byte, error)
}

var _ Releases = (*release.Store)(nil)

// Options is what a shelf is made from.
type Options struct {
	Dir  string
	Read read.Options
	Log  *slog.Logger
	// Changed is told of each reading of a changed folder, on the goroutine that read:
	// it must not wait. It may be nil.
	Changed func(State)
}

// State is how the folder stands.
type State struct {
	Library *flow.Library   // that serves
	Release release.Release // it is kept as; its number is 0 as long as the store did not take it
	// Found is what the newest reading found, by the files' names in the folder.
	Found []source.Diagnostic
	// Refused is set while the newest reading had errors, so that an older library serves.
	Refused bool
	Changed []string // files that are other than at the reading before, tests among them
}

// Broken is the error of a folder with mistakes.
type Broken struct {
	Dir   string
	Found []source.Diagnostic // with the folder in their file names
}

func (b *Broken) Error() string {
	n := 0
	for _, d := range b.Found {
		if d.Severity == source.Error {
			n++
		}
	}
	return fmt.Sprintf("the flows in %s have mistakes (%d)", b.Dir, n)
}

// Shelf keeps the folder. Its methods are safe from any goroutine, but Open and Attach
// come before all others.
type Shelf struct {
	o        Options
	log      *slog.Logger
	releases Releases
	folder   *read.Folder
	broken   *Broken // found at Open; nil = the folder was read well

	publishing sync.Mutex                   // one file is changed at a time
	write      func(*os.File, []byte) error // another in tests
	retry      time.Duration                // retryEvery but in tests

	mu      sync.Mutex
	state   State
	files   map[string][]byte // of state.Library
	seen    map[string]string // the hash of each file at the newest reading, tests among them
	owed    *release.Snapshot // that the store would not take yet
	pending *pending          // what is being published
	options read.Options

	making sync.Mutex // one library is made again at a time
	made   []made     // the newest used first
}

// made is a library made again from a release.
type made struct {
	number int
	lib    *flow.Library
}

// Open reads the folder. A *Broken says that it has mistakes: the Shelf is there all the
// same, and Attach may find a release that serves.
func Open(o Options) (*Shelf, error) {
	s := &Shelf{o: o, log: o.Log, options: o.Read, write: writeAll, retry: retryEvery}
	s.seen = s.survey()
	folder, found, err := read.OpenFolder(o.Dir, o.Read, s.report)
	if err != nil {
		s.broken = &Broken{o.Dir, found}
		return s, s.broken
	}
	s.folder = folder
	s.files = folder.Files()
	s.state = State{Library: folder.Current(), Found: s.named(found)}
	return s, nil
}

// Attach gives the shelf its store. A library that was read is kept as a release unless
// the newest one has the same files; a folder with mistakes is served from the newest
// release that still can be, and without one the *Broken of Open comes back.
func (s *Shelf) Attach(ctx context.Context, releases Releases) error {
	s.releases = releases
	if s.folder != nil {
		s.keep(ctx, s.snapshot(release.ByFile, "", nil))
		return nil
	}
	all, err := releases.Newest(ctx, tryOlder)
	if err != nil {
		return errors.Join(s.broken, err)
	}
	for _, r := range all {
		files, err := releases.Files(ctx, r.Number)
		if err != nil {
			s.log.Error("a release cannot be read", "release", r.Number, "error", err)
			continue
		}
		lib, found := read.Release(s.o.Dir, files, s.o.Read)
		if lib == nil {
			s.log.Warn("a release can no longer serve", "release", r.Number, "mistakes", len(found))
			continue
		}
		s.folder = read.KeepFolder(s.o.Dir, s.o.Read, lib, files, s.report)
		s.files = files
		s.state = State{Library: lib, Release: r, Found: s.named(s.broken.Found), Refused: true}
		return nil
	}
	return s.broken
}

// Current is the library for a new interaction; nil before Attach if the folder has
// mistakes.
func (s *Shelf) Current() *flow.Library {
	if s.folder == nil {
		return nil
	}
	return s.folder.Current()
}

// State is how the folder stands now.
func (s *Shelf) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// Dir is the folder.
func (s *Shelf) Dir() string { return s.o.Dir }

// Options are those the folder is read with now.
func (s *Shelf) Options() read.Options {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.options
}

// Configure takes new options and reads again under them. If that finds errors the
// options stay as they were; the errors are returned.
func (s *Shelf) Configure(o read.Options) []source.Diagnostic {
	before := s.Options()
	found := s.folder.Configure(o)
	if source.HasErrors(found) {
		s.folder.Configure(before)
		return found
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.options = o
	return found
}

// Watch reads what is saved in the folder until the context ends, on the caller's
// goroutine.
func (s *Shelf) Watch(ctx context.Context) { s.folder.Watch(ctx) }

// Keep tries again to keep a release that the store would not take, until the context
// ends, on the caller's goroutine.
func (s *Shelf) Keep(ctx context.Context) {
	tick := time.NewTicker(s.retry)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.mu.Lock()
			owed := s.owed
			s.mu.Unlock()
			if owed != nil {
				s.keep(ctx, *owed)
			}
		}
	}
}

// report is told by the folder of each reading, one at a time.
func (s *Shelf) report(lib *flow.Library, found []source.Diagnostic) {
	seen := s.survey()
	s.mu.Lock()
	p := s.pending
	s.state.Found, s.state.Refused = s.named(found), lib == nil
	s.state.Changed, s.seen = different(s.seen, seen), seen
	if lib != nil {
		s.files = s.folder.Files()
		s.state.Library = lib
	}
	s.mu.Unlock()

	if lib != nil {
		mine := p != nil && s.isIn(p.edit)
		snap := s.snapshot(release.ByFile, "", nil)
		if mine {
			snap = s.snapshot(p.edit.By, p.edit.Note, p.edit.Publish)
		}
		r, err := s.keep(context.Background(), snap)
		if mine {
			s.took(p, r, err)
		}
	}
	if s.o.Changed != nil {
		s.o.Changed(s.State())
	}
}

// snapshot is the library that serves as a release to be.
func (s *Shelf) snapshot(by, note string, publish *release.Publishing) release.Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	flows := make(map[string]string, len(s.state.Library.Flows))
	for name, f := range s.state.Library.Flows {
		flows[name] = f.Hash
	}
	return release.Snapshot{By: by, Note: note, Files: s.files, Flows: flows, Publish: publish}
}

// keep has the store take a release. If it would not, Keep tries again later: the
// library serves all the same.
func (s *Shelf) keep(ctx context.Context, snap release.Snapshot) (release.Release, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTime)
	defer cancel()
	r, added, err := s.releases.Add(ctx, snap)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.log.Error("the flows that serve could not be kept as a release; this is tried again", "error", err)
		snap.Publish = nil // whoever publishes was told
		s.owed = &snap
		return r, err
	}
	s.owed = nil
	s.state.Release = r
	if added {
		s.log.Info("flows kept as a release", "release", r.Number, "by", r.By)
	}
	return r, nil
}

// survey is the hash of each file of the folder. One that cannot be read has none.
func (s *Shelf) survey() map[string]string {
	out := map[string]string{}
	names, err := read.Names(s.o.Dir)
	if err != nil {
		s.log.Warn("the flows folder cannot be looked through", "error", err)
	}
	for _, name := range names {
		if text, err := s.Text(name); err == nil && text != nil {
			out[name] = release.TextHash(text)
		}
	}
	return out
}

// different lists the files that two surveys do not have alike, sorted.
func different(a, b map[string]string) []string {
	out := []string{}
	for name, hash := range b {
		if a[name] != hash {
			out = append(out, name)
		}
	}
	for name := range a {
		if _, ok := b[name]; !ok {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// named gives diagnostics the files' names in the folder.
func (s *Shelf) named(found []source.Diagnostic) []source.Diagnostic {
	out := slices.Clone(found)
	for i := range out {
		if name, err := filepath.Rel(s.o.Dir, out[i].File); err == nil {
			out[i].File = filepath.ToSlash(name)
		}
	}
	return out
}

// Library is the library with a flow in the version of that hash: the one that serves,
// or one made again of a stored release. An error of code not found says that none has it.
func (s *Shelf) Library(ctx context.Context, name, hash string) (*flow.Library, error) {
	if lib := s.Current(); has(lib, name, hash) {
		return lib, nil
	}
	s.making.Lock()
	defer s.making.Unlock()
	for i, m := range s.made {
		if has(m.lib, name, hash) {
			s.made = slices.Insert(slices.Delete(s.made, i, i+1), 0, m)
			return m.lib, nil
		}
	}
	r, err := s.releases.Find(ctx, name, hash)
	if errors.Is(err, store.ErrNotFound) {
		return nil, &tandem.Error{Code: tandem.CodeNotFound, Message: fmt.Sprintf("version %.12s of flow %s is not stored", hash, name), Err: err}
	}
	if err != nil {
		return nil, err
	}
	files, err := s.releases.Files(ctx, r.Number)
	if err != nil {
		return nil, err
	}
	o := s.Options()
	o.Needed, o.Served, o.Recorded = nil, nil, nil // it was fit to serve when it began to
	lib, found := read.Release(s.o.Dir, files, o)
	if !has(lib, name, hash) {
		return nil, tandem.Errorf(tandem.CodeUnavailable, "version %.12s of flow %s cannot be made again from release %d (%d mistakes by today's rules)", hash, name, r.Number, len(found))
	}
	s.made = slices.Insert(s.made, 0, made{r.Number, lib})
	s.made = s.made[:min(len(s.made), maxMade)]
	return lib, nil
}

func has(lib *flow.Library, name, hash string) bool {
	return lib != nil && lib.Flows[name] != nil && lib.Flows[name].Hash == hash
}

// File is one file of the folder.
type File struct {
	Name string
	Kind string // the end of its name, such as ".flow.yaml"
}

// Files lists the folder's files that are ours, tests included, by their names.
func (s *Shelf) Files() ([]File, error) {
	names, err := read.Names(s.o.Dir)
	if err != nil {
		return nil, fmt.Errorf("listing the flows folder: %w", err)
	}
	out := make([]File, len(names))
	for i, name := range names {
		out[i] = File{name, read.KindOf(name)}
	}
	return out, nil
}

// FileOf is the name of the file that a flow of the library that serves lies in.
func (s *Shelf) FileOf(lib *flow.Library, name string) string {
	f := lib.Flows[name]
	if f == nil {
		return ""
	}
	return filepath.Base(f.Pos.File)
}

// Old is the library with a flow in the version of that hash, and the flow's file then.
func (s *Shelf) Old(ctx context.Context, name, hash string) (lib *flow.Library, file string, text []byte, err error) {
	if lib, err = s.Library(ctx, name, hash); err != nil {
		return nil, "", nil, err
	}
	file = s.FileOf(lib, name)
	s.mu.Lock()
	files := s.files
	if lib != s.state.Library {
		files = nil
	}
	s.mu.Unlock()
	if files == nil {
		r, err := s.releases.Find(ctx, name, hash)
		if err != nil {
			return nil, "", nil, err
		}
		if files, err = s.releases.Files(ctx, r.Number); err != nil {
			return nil, "", nil, err
		}
	}
	if text, ok := files[file]; ok {
		return lib, file, text, nil
	}
	return nil, "", nil, fmt.Errorf("version %.12s of flow %s has no file %s: %w", hash, name, file, store.ErrDamaged)
}

// Overlay reads the folder with a draft of one file in its place, and gives diagnostics
// the files' names in the folder. lib is nil if there are errors.
func (s *Shelf) Overlay(file string, text []byte) (lib *flow.Library, found []source.Diagnostic) {
	lib, found = read.Overlay(s.o.Dir, map[string][]byte{file: text}, s.Options())
	return lib, s.named(found)
}

// Partial is Overlay for looking at: what could be read whatever the mistakes. Neither
// result may be run.
func (s *Shelf) Partial(file string, text []byte) (*flow.Library, *flow.Flow, []source.Diagnostic) {
	lib, f, found := read.Partial(s.o.Dir, file, map[string][]byte{file: text}, s.Options())
	return lib, f, s.named(found)
}
