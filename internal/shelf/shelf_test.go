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
	"syscall"
	"testing"
	"time"

	"tandem"
	"tandem/ivr/flow/read"
	"tandem/ivr/flow/source"
	"tandem/store/release"
	"tandem/store/sqlite"
	"tandem/store/storetest"
)

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

func TestPublish(t *testing.T) {
	one, two := flowText("a", "One"), flowText("a", "Two")
	b := newBench(t, "a.flow.yaml", one).mustOpen()
	if err := os.Chmod(filepath.Join(b.dir, "a.flow.yaml"), 0o604); err != nil {
		t.Fatal(err)
	}
	p, err := b.store.Propose(t.Context(), release.Proposal{File: "a.flow.yaml", By: "li"}, []byte(two), []byte(one))
	if err != nil {
		t.Fatal(err)
	}
	r, err := b.Publish(t.Context(), Edit{File: "a.flow.yaml", Text: []byte(two), Base: hashOf(one), By: "li", Note: "kinder", Publish: &release.Publishing{ID: p.ID, By: "wang"}})
	if err != nil || r.Number != 2 || r.By != "li" || r.Note != "kinder" || b.State().Release != r || b.onDisk("a.flow.yaml") != two {
		t.Fatalf("published %+v, %v", r, err)
	}
	if info, err := os.Stat(filepath.Join(b.dir, "a.flow.yaml")); err != nil || info.Mode().Perm() != 0o604 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
	if got, _, _, err := b.store.Proposal(t.Context(), p.ID); err != nil || got.State != release.StatePublished || got.Release != 2 || got.Decider != "wang" {
		t.Errorf("the proposal is %+v, %v", got, err)
	}
	if st := <-b.states; st.Release != r || !slices.Equal(st.Changed, []string{"a.flow.yaml"}) {
		t.Errorf("told of %+v", st)
	}
	if _, read := b.folder.Reload(t.Context()); read {
		t.Error("what was published is read twice")
	}
	if r, err := b.Publish(t.Context(), Edit{File: "new.flow.yaml", Text: []byte(flowText("fresh", "Hi")), By: "li"}); err != nil || r.Number != 3 || b.Current().Flows["fresh"] == nil {
		t.Errorf("a new file: %+v, %v", r, err)
	}
	if r, err := b.Publish(t.Context(), Edit{File: "a.test.yaml", Text: []byte("flow: a\ntests: []\n"), By: "li"}); err != nil || r.Number != 3 || b.onDisk("a.test.yaml") == "(none)" {
		t.Errorf("a file of tests: %+v, %v", r, err)
	}
	b.tidy("a.flow.yaml", "a.test.yaml", "new.flow.yaml")
}

func TestRefusedEdits(t *testing.T) {
	one, two := flowText("a", "One"), flowText("a", "Two")
	b := newBench(t, "a.flow.yaml", one, "sub/x.flow.yaml", "x").mustOpen()
	outside := filepath.Join(t.TempDir(), "outside.flow.yaml")
	if err := os.WriteFile(outside, []byte(two), 0o600); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{"link.form.yaml": outside, "inner.form.yaml": "a.flow.yaml", "dangling.form.yaml": "/nowhere/x.form.yaml"} {
		if err := os.Symlink(to, filepath.Join(b.dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(b.dir, "pipe.test.yaml"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(b.dir, "dir.test.yaml"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name, file, text, base string
		code                   tandem.Code
	}{
		{"changed meanwhile", "a.flow.yaml", two, hashOf("other"), tandem.CodeConflict},
		{"there already", "a.flow.yaml", two, "", tandem.CodeConflict},
		{"gone", "gone.flow.yaml", two, hashOf("x"), tandem.CodeConflict},
		{"the same", "a.flow.yaml", one, hashOf(one), tandem.CodeInvalid},
		{"above", "../a.flow.yaml", two, "", tandem.CodeInvalid},
		{"far above", "../../../../tmp/a.flow.yaml", two, "", tandem.CodeInvalid},
		{"from the root", "/etc/a.flow.yaml", two, "", tandem.CodeInvalid},
		{"backslashes", `..\a.flow.yaml`, two, "", tandem.CodeInvalid},
		{"below", "sub/x.flow.yaml", two, hashOf("x"), tandem.CodeInvalid},
		{"an article", "knowledge/cards/a.md", "x", "", tandem.CodeInvalid},
		{"hidden", ".a.flow.yaml", two, "", tandem.CodeInvalid},
		{"no name", "", two, "", tandem.CodeInvalid},
		{"a dot", ".", two, "", tandem.CodeInvalid},
		{"of no kind", "a.yaml", two, "", tandem.CodeInvalid},
		{"a program", "a.sh", two, "", tandem.CodeInvalid},
		{"a line end", "a\n.flow.yaml", two, "", tandem.CodeInvalid},
		{"a NUL", "a\x00.flow.yaml", two, "", tandem.CodeInvalid},
		{"no UTF-8", "a\xff.flow.yaml", two, "", tandem.CodeInvalid},
		{"long", strings.Repeat("a", maxName) + ".flow.yaml", two, "", tandem.CodeInvalid},
		{"a link out", "link.form.yaml", "form: x", hashOf(two), tandem.CodeInvalid},
		{"a link inside", "inner.form.yaml", "flow: x", hashOf(one), tandem.CodeInvalid},
		{"a link to nothing", "dangling.form.yaml", "form: x", "", tandem.CodeInvalid},
		{"a pipe", "pipe.test.yaml", "x", "", tandem.CodeInvalid},
		{"a folder", "dir.test.yaml", "x", "", tandem.CodeInvalid},
		{"huge", "a.flow.yaml", strings.Repeat("#", MaxBytes+1), hashOf(one), tandem.CodeInvalid},
		{"binary", "a.flow.yaml", "flow: \x00", hashOf(one), tandem.CodeInvalid},
		{"no text", "a.flow.yaml", "flow: \xff\xfe", hashOf(one), tandem.CodeInvalid},
	} {
		if _, err := b.Publish(t.Context(), Edit{File: tc.file, Text: []byte(tc.text), Base: tc.base, By: "li"}); tandem.CodeOf(err) != tc.code {
			t.Errorf("%s: %v (%s), want %s", tc.name, err, tandem.CodeOf(err), tc.code)
		}
	}
	if text, err := os.ReadFile(outside); err != nil || string(text) != two {
		t.Errorf("the file outside is %q, %v", text, err)
	}
	if text, err := b.Text("link.form.yaml"); tandem.CodeOf(err) != tandem.CodeInvalid {
		t.Errorf("a link out can be read: %q, %v", text, err)
	}
	for _, name := range []string{"../x.flow.yaml", "/etc/passwd", "knowledge/../../x.md", "a.flow.yaml/", ""} {
		if text, err := b.Text(name); tandem.CodeOf(err) != tandem.CodeInvalid {
			t.Errorf("%q can be read: %q, %v", name, text, err)
		}
	}
	if b.onDisk("a.flow.yaml") != one || b.newest().Number != 1 {
		t.Error("something was published")
	}
}

// A byte order mark is kept on disk and does not hinder reading.
func TestByteOrderMark(t *testing.T) {
	one := flowText("a", "One")
	b := newBench(t, "a.flow.yaml", one).mustOpen()
	if r, err := b.Publish(t.Context(), Edit{File: "a.flow.yaml", Text: []byte("\ufeff" + one), Base: hashOf(one), By: "li"}); err != nil || r.Number != 2 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestMistakesAreNotPublished(t *testing.T) {
	one := flowText("a", "One")
	b := newBench(t, "a.flow.yaml", one).mustOpen()
	bad := strings.Replace(one, "next: end", "next: edn", 1)
	_, err := b.Publish(t.Context(), Edit{File: "a.flow.yaml", Text: []byte(bad), Base: hashOf(one), By: "li"})
	var refused *Refused
	if !errors.As(err, &refused) || !source.HasErrors(refused.Found) || refused.Found[0].File != "a.flow.yaml" || b.onDisk("a.flow.yaml") != one {
		t.Errorf("%v", err)
	}
}

// Whatever fails on the way, file, library and releases are as they were.
func TestPublishingFails(t *testing.T) {
	one, two := flowText("a", "One"), flowText("a", "Two")
	full := &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	for _, tc := range []struct {
		name string
		file string
		prep func(b *bench)
		is   func(error) bool
		left []string
	}{
		{"the disk is full", "a.flow.yaml", func(b *bench) {
			b.write = func(f *os.File, text []byte) error {
				_, err := f.Write(text[:len(text)/2])
				return errors.Join(err, full)
			}
		}, func(err error) bool {
			return tandem.CodeOf(err) == tandem.CodeUnavailable && errors.Is(err, syscall.ENOSPC)
		}, []string{"a.flow.yaml"}},
		{"a new file on a full disk", "n.flow.yaml", func(b *bench) { b.write = func(*os.File, []byte) error { return full } },
			func(err error) bool { return errors.Is(err, syscall.ENOSPC) }, []string{"a.flow.yaml"}},
		{"the store is down", "a.flow.yaml", func(b *bench) { b.releases.fail(full) },
			func(err error) bool { return errors.Is(err, syscall.ENOSPC) }, []string{"a.flow.yaml"}},
		{"the store is down for a new file", "n.flow.yaml", func(b *bench) { b.releases.fail(full) },
			func(err error) bool { return errors.Is(err, syscall.ENOSPC) }, []string{"a.flow.yaml"}},
		{"another file is broken meanwhile", "a.flow.yaml", func(b *bench) {
			b.write = func(f *os.File, text []byte) error {
				b.save("z.flow.yaml", "flow: z\n")
				return writeAll(f, text)
			}
		}, func(err error) bool { var r *Refused; return errors.As(err, &r) && r.Found[0].File == "z.flow.yaml" }, []string{"a.flow.yaml", "z.flow.yaml"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBench(t, "a.flow.yaml", one).mustOpen()
			tc.prep(b)
			e := Edit{File: tc.file, Text: []byte(two), Base: hashOf(one), By: "li"}
			if tc.file != "a.flow.yaml" {
				e.Base, e.Text = "", []byte(flowText("n", "New"))
			}
			if _, err := b.Publish(t.Context(), e); !tc.is(err) {
				t.Errorf("failed with %v", err)
			}
			b.releases.fail(nil)
			if b.onDisk("a.flow.yaml") != one || b.newest().Number != 1 || b.Current().Flows["n"] != nil || b.Current().Flows["a"].Steps["hello"] == nil {
				t.Errorf("it is not as it was: %q, release %d", b.onDisk("a.flow.yaml"), b.newest().Number)
			}
			if hash := b.Current().Flows["a"].Hash; !has(b.Current(), "a", hash) {
				t.Error("no version of a serves")
			} else if first, err := b.store.Find(t.Context(), "a", hash); err != nil || first.Number != 1 {
				t.Errorf("another version of a serves: %+v, %v", first, err)
			}
			b.tidy(tc.left...)
		})
	}
}

// What somebody saves by hand while a file is published is not written over, and the
// designer is told that it changed.
func TestSavedByHandWhilePublishing(t *testing.T) {
	one, hand := flowText("a", "One"), flowText("a", "By hand")
	e := Edit{File: "a.flow.yaml", Text: []byte(flowText("a", "Two")), Base: hashOf(one), By: "li"}
	for name, publish := range map[string]func(b *bench) error{
		"before it is in its place": func(b *bench) error {
			b.write = func(f *os.File, text []byte) error {
				b.save("a.flow.yaml", hand)
				return writeAll(f, text)
			}
			_, err := b.Publish(t.Context(), e)
			b.look()
			return err
		},
		"before it is read": func(b *bench) error {
			b.save("a.flow.yaml", hand)
			b.look()
			return b.takeBack(t.Context(), &pending{edit: e}, []byte(one))
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, "a.flow.yaml", one).mustOpen()
			if err := publish(b); tandem.CodeOf(err) != tandem.CodeConflict {
				t.Errorf("it gave %v", err)
			}
			if got := b.onDisk("a.flow.yaml"); got != hand {
				t.Errorf("on disk is %q", got)
			}
			if r := b.newest(); r.Number != 2 || r.By != release.ByFile {
				t.Errorf("what was saved by hand is kept as %+v", r)
			}
			b.tidy("a.flow.yaml")
		})
	}
}

// Of several edits from the same text exactly one is published.
func TestPublishingAtOnce(t *testing.T) {
	one := flowText("a", "One")
	b := newBench(t, "a.flow.yaml", one).mustOpen()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); b.Watch(ctx) }()
	defer func() { cancel(); <-ended }()
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			_, errs[i] = b.Publish(t.Context(), Edit{File: "a.flow.yaml", Text: []byte(flowText("a", fmt.Sprint("By ", i))), Base: hashOf(one), By: fmt.Sprint("user", i)})
		})
	}
	wg.Wait()
	won := -1
	for i, err := range errs {
		switch {
		case err == nil && won < 0:
			won = i
		case err == nil:
			t.Errorf("both %d and %d were published", won, i)
		case tandem.CodeOf(err) != tandem.CodeConflict:
			t.Errorf("%d: %v", i, err)
		}
	}
	if won < 0 {
		t.Fatal("nobody won")
	}
	if r := b.newest(); r.Number != 2 || r.By != fmt.Sprint("user", won) || b.onDisk("a.flow.yaml") != flowText("a", fmt.Sprint("By ", won)) {
		t.Errorf("release %+v, on disk %q, won %d", r, b.onDisk("a.flow.yaml"), won)
	}
}

// A caller who has left publishes nothing.
func TestPublishForNobody(t *testing.T) {
	one := flowText("a", "One")
	b := newBench(t, "a.flow.yaml", one).mustOpen()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Publish(ctx, Edit{File: "a.flow.yaml", Text: []byte(flowText("a", "Two")), Base: hashOf(one), By: "li"}); !errors.Is(err, context.Canceled) || b.onDisk("a.flow.yaml") != one {
		t.Errorf("%v", err)
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
