package shelf

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"tandem"
	"tandem/ivr/flow/source"
	"tandem/store/release"
)

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
