package shelf

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tandem"
	"tandem/ivr/flow/read"
	"tandem/ivr/flow/source"
	"tandem/store/release"
	"tandem/store/sqlite"
	"tandem/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const small = "flow: NAME\nchannels: [voice]\nlanguages: [en]\nstart: hello\nsteps:\n  hello: { say: { en: \"WORDS\" }, next: end }\n"

// flowText is a flow that says words.
func flowText(name, words string) string {
	return strings.NewReplacer("NAME", name, "WORDS", words).Replace(small)
}

// bench is a folder with a store beside it.
type bench struct {
	*Shelf
	t        *testing.T
	dir      string
	store    *release.Store
	releases *failing
	states   chan State
}

// failing is a store whose disk fails when told to.
type failing struct {
	*release.Store
	mu  sync.Mutex
	err error
}

func (f *failing) Add(ctx context.Context, s release.Snapshot) (release.Release, bool, error) {
	f.mu.Lock()
	err := f.err
	f.mu.Unlock()
	if err != nil {
		return release.Release{}, false, err
	}
	return f.Store.Add(ctx, s)
}

func (f *failing) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

func newBench(t *testing.T, files ...string) *bench {
	t.Helper()
	p := storetest.NewPlace(t)
	db, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(p.Dir, "tandem.db"), Keys: p.Keys, Blobs: p.Blobs, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	b := &bench{t: t, dir: t.TempDir(), store: release.New(db, p.Clock.Now)}
	b.releases = &failing{Store: b.store}
	for i := 0; i < len(files); i += 2 {
		b.save(files[i], files[i+1])
	}
	return b
}

// open opens the folder as a start of the server does.
func (b *bench) open() error {
	b.states = make(chan State, 64)
	s, err := Open(Options{Dir: b.dir, Log: slog.New(slog.DiscardHandler), Changed: func(st State) { b.states <- st },
		Read: read.Options{Settings: map[string]any{}, HTTPAllow: []string{}}})
	b.Shelf = s
	var broken *Broken
	if err != nil && !errors.As(err, &broken) {
		return err
	}
	return s.Attach(b.t.Context(), b.releases)
}

func (b *bench) mustOpen() *bench {
	b.t.Helper()
	if err := b.open(); err != nil {
		b.t.Fatal(err)
	}
	return b
}

func (b *bench) save(name, text string) {
	b.t.Helper()
	path := filepath.Join(b.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
		b.t.Fatal(err)
	}
}

// look is a reading of what was saved by hand.
func (b *bench) look() State {
	b.t.Helper()
	b.folder.Reload(b.t.Context())
	select {
	case s := <-b.states:
		return s
	default:
		b.t.Fatal("nothing was read")
		return State{}
	}
}

func (b *bench) onDisk(name string) string {
	b.t.Helper()
	text, err := os.ReadFile(filepath.Join(b.dir, name))
	if errors.Is(err, os.ErrNotExist) {
		return "(none)"
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return string(text)
}

func (b *bench) newest() release.Release {
	b.t.Helper()
	all, err := b.store.Newest(b.t.Context(), 1)
	if err != nil || len(all) != 1 {
		b.t.Fatalf("releases %v, %v", all, err)
	}
	return all[0]
}

// tidy fails if anything but these files is in the folder.
func (b *bench) tidy(names ...string) {
	b.t.Helper()
	entries, err := os.ReadDir(b.dir)
	if err != nil {
		b.t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if !slices.Equal(got, names) {
		b.t.Errorf("the folder has %v, want %v", got, names)
	}
}

func hashOf(text string) string { return release.TextHash([]byte(text)) }

func TestReadingsAreKept(t *testing.T) {
	b := newBench(t, "a.flow.yaml", flowText("a", "One")).mustOpen()
	if r := b.State().Release; r.Number != 1 || r.By != release.ByFile || r != b.newest() {
		t.Errorf("at the start %+v", r)
	}
	b.save("a.flow.yaml", flowText("a", "Two"))
	b.save("b.flow.yaml", flowText("b", "New"))
	st := b.look()
	if st.Release.Number != 2 || st.Refused || !slices.Equal(st.Changed, []string{"a.flow.yaml", "b.flow.yaml"}) || st.Library != b.Current() {
		t.Errorf("after a save %+v", st)
	}
	b.save("a.flow.yaml", "flow: a\n")
	if st := b.look(); !st.Refused || st.Release.Number != 2 || st.Library != b.Current() || len(st.Found) == 0 || st.Found[0].File != "a.flow.yaml" || !slices.Equal(st.Changed, []string{"a.flow.yaml"}) {
		t.Errorf("after a mistake %+v", st)
	}
	b.save("a.flow.yaml", flowText("a", "Two"))
	if st := b.look(); st.Refused || st.Release.Number != 2 || !slices.Equal(st.Changed, []string{"a.flow.yaml"}) {
		t.Errorf("back again %+v", st)
	}
	b.save("a.test.yaml", "flow: a\n")
	if st := b.look(); st.Refused || st.Release.Number != 2 || !slices.Equal(st.Changed, []string{"a.test.yaml"}) {
		t.Errorf("a file of tests %+v", st)
	}
	b.mustOpen() // a restart on the same files
	if r := b.State().Release; r.Number != 2 {
		t.Errorf("after a restart %+v", r)
	}
}

func TestBrokenFolder(t *testing.T) {
	b := newBench(t, "a.flow.yaml", "flow: a\n")
	var broken *Broken
	if err := b.open(); !errors.As(err, &broken) || len(broken.Found) == 0 || b.Current() != nil {
		t.Fatalf("without a release: %v", err)
	}
	b.save("a.flow.yaml", flowText("a", "One"))
	b.mustOpen()
	hash := b.Current().Flows["a"].Hash
	b.save("a.flow.yaml", "flow: a\n")
	b.mustOpen()
	st := b.State()
	if !st.Refused || st.Release.Number != 1 || st.Library != b.Current() || st.Library.Flows["a"].Hash != hash || len(st.Found) == 0 || st.Found[0].File != "a.flow.yaml" {
		t.Errorf("the last good release does not serve: %+v", st)
	}
	b.look() // the first look finds the mistakes still there
	b.save("a.flow.yaml", flowText("a", "Mended"))
	if st := b.look(); st.Refused || st.Release.Number != 2 || st.Library.Flows["a"].Hash == hash {
		t.Errorf("mended %+v", st)
	}
}

func TestLibrary(t *testing.T) {
	b := newBench(t, "a.flow.yaml", flowText("a", "0")).mustOpen()
	hashes := []string{b.Current().Flows["a"].Hash}
	for i := range maxMade + 2 {
		b.save("a.flow.yaml", flowText("a", fmt.Sprint(i+1)))
		hashes = append(hashes, b.look().Library.Flows["a"].Hash)
	}
	if lib, err := b.Library(t.Context(), "a", hashes[len(hashes)-1]); err != nil || lib != b.Current() {
		t.Errorf("the version that serves: %v", err)
	}
	for range 2 { // the second time those at hand
		for _, hash := range hashes[:len(hashes)-1] {
			lib, err := b.Library(t.Context(), "a", hash)
			if err != nil || lib.Flows["a"].Hash != hash {
				t.Fatalf("version %s: %v", hash, err)
			}
		}
	}
	if len(b.made) != maxMade {
		t.Errorf("%d libraries are at hand, want %d", len(b.made), maxMade)
	}
	first, err := b.Library(t.Context(), "a", hashes[0])
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := b.Library(t.Context(), "a", hashes[0]); again != first {
		t.Error("a library at hand was made again")
	}
	b.mustOpen() // after a restart
	if lib, err := b.Library(t.Context(), "a", hashes[3]); err != nil || lib.Flows["a"].Hash != hashes[3] {
		t.Errorf("after a restart: %v", err)
	}
	for i := range hashes {
		if lib, file, text, err := b.Old(t.Context(), "a", hashes[i]); err != nil || file != "a.flow.yaml" || string(text) != flowText("a", fmt.Sprint(i)) || !has(lib, "a", hashes[i]) {
			t.Errorf("the file of version %d is %s %q, %v", i, file, text, err)
		}
	}
	for _, name := range []string{"a", "nobody"} {
		if _, err := b.Library(t.Context(), name, "feed"); tandem.CodeOf(err) != tandem.CodeNotFound {
			t.Errorf("a version of %s that never was: %v", name, err)
		}
		if _, _, _, err := b.Old(t.Context(), name, "feed"); tandem.CodeOf(err) != tandem.CodeNotFound {
			t.Errorf("the file of a version of %s that never was: %v", name, err)
		}
	}
}

// A store that is down at a save keeps the release later.
func TestOwedRelease(t *testing.T) {
	b := newBench(t, "a.flow.yaml", flowText("a", "One")).mustOpen()
	b.releases.fail(errors.New("disk full"))
	b.save("a.flow.yaml", flowText("a", "Two"))
	if st := b.look(); st.Refused || st.Release.Number != 1 || b.newest().Number != 1 {
		t.Errorf("while the store fails %+v", st)
	}
	b.retry = time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); b.Keep(ctx) }()
	defer func() { cancel(); <-ended }()
	b.releases.fail(nil)
	deadline := time.After(10 * time.Second)
	for b.State().Release.Number != 2 {
		select {
		case <-deadline:
			t.Fatal("the release was never kept")
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// New options under which the folder does not hold leave the old ones.
func TestConfigure(t *testing.T) {
	b := newBench(t, "a.flow.yaml", flowText("a", "One")).mustOpen()
	o := b.Options()
	o.Needed = []string{"b"}
	if found := b.Configure(o); !source.HasErrors(found) || b.State().Refused || len(b.Options().Needed) != 0 {
		t.Errorf("needing a flow that is not there: %v, %+v", found, b.State())
	}
	o.Needed = []string{"a"}
	if found := b.Configure(o); source.HasErrors(found) || !slices.Equal(b.Options().Needed, []string{"a"}) {
		t.Errorf("needing one that is: %v", found)
	}
}
