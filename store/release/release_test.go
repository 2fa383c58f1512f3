package release

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/store"
	"tandem/store/sqlite"
	"tandem/store/storetest"
)

type fixture struct {
	*Store
	db    *sqlite.DB
	clock time.Time
}

func newFixture(t *testing.T) *fixture {
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
	f := &fixture{db: db, clock: time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)}
	f.Store = New(db, func() time.Time { return f.clock })
	return f
}

func files(text ...string) map[string][]byte {
	out := map[string][]byte{}
	for i := 0; i < len(text); i += 2 {
		out[text[i]] = []byte(text[i+1])
	}
	return out
}

func (f *fixture) add(t *testing.T, snap Snapshot) Release {
	t.Helper()
	r, _, err := f.Add(t.Context(), snap)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (f *fixture) texts(t *testing.T) (n int) {
	t.Helper()
	err := f.db.View(t.Context(), func(tx store.Tx) error {
		_, err := tx.One("SELECT count(*) FROM release_text", func(row store.Row) { n = int(row.Int(0)) })
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestReleases(t *testing.T) {
	f := newFixture(t)
	if all, err := f.Newest(t.Context(), 10); err != nil || len(all) != 0 {
		t.Fatalf("at first: %v, %v", all, err)
	}
	one := files("a.flow.yaml", "flow: a\n", "knowledge/x/é.md", "words", "empty.test.yaml", "")
	first := f.add(t, Snapshot{By: ByFile, Files: one, Flows: map[string]string{"a": "a1"}})
	if first.Number != 1 || first.By != ByFile || !first.At.Equal(f.clock) || first.Hash == "" {
		t.Errorf("the first is %+v", first)
	}
	if again, added, err := f.Add(t.Context(), Snapshot{By: "li", Files: one, Flows: map[string]string{"a": "a1"}}); err != nil || added || again != first {
		t.Errorf("the same files: %+v, %v, %v", again, added, err)
	}
	two := maps.Clone(one)
	two["b.flow.yaml"] = []byte("flow: b\n")
	second := f.add(t, Snapshot{By: "li", Note: "b is new", Files: two, Flows: map[string]string{"a": "a1", "b": "b1"}})
	third := f.add(t, Snapshot{By: "wang", Files: one, Flows: map[string]string{"a": "a1"}})
	if second.Number != 2 || second.Note != "b is new" || third.Number != 3 || third.Hash != first.Hash {
		t.Errorf("then %+v, %+v", second, third)
	}
	if n := f.texts(t); n != 4 {
		t.Errorf("%d texts are stored, want each once: 4", n)
	}
	for number, want := range map[int]map[string][]byte{1: one, 2: two, 3: one} {
		got, err := f.Files(t.Context(), number)
		if err != nil || !maps.EqualFunc(got, want, func(a, b []byte) bool { return string(a) == string(b) }) {
			t.Errorf("files of %d: %q, %v", number, got, err)
		}
	}
	if _, err := f.Files(t.Context(), 9); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("files of no release: %v", err)
	}
	all, err := f.Newest(t.Context(), 2)
	if err != nil || len(all) != 2 || all[0] != third || all[1] != second {
		t.Errorf("newest %+v, %v", all, err)
	}
	if r, err := f.Find(t.Context(), "a", "a1"); err != nil || r != third {
		t.Errorf("found %+v, %v", r, err)
	}
	if _, err := f.Find(t.Context(), "a", "b1"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a version that never was: %v", err)
	}
}

func TestVersions(t *testing.T) {
	f := newFixture(t)
	for i, hash := range []string{"h1", "h1", "h2", "h1"} {
		f.add(t, Snapshot{By: ByFile, Files: files("a.flow.yaml", fmt.Sprint(i)), Flows: map[string]string{"a": hash, "b": fmt.Sprint(i)}})
	}
	got, err := f.Versions(t.Context(), "a", 10)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, v := range got {
		list = append(list, fmt.Sprint(v.Flow, "@", v.Number))
	}
	if want := []string{"h1@4", "h2@3", "h1@1"}; !slices.Equal(list, want) {
		t.Errorf("versions %v, want %v", list, want)
	}
	if got, _ := f.Versions(t.Context(), "b", 2); len(got) != 2 || got[0].Number != 4 {
		t.Errorf("the two newest of b: %+v", got)
	}
}

// Old releases go, but not those a stored session runs on, nor the texts others have.
func TestRetention(t *testing.T) {
	f := newFixture(t)
	release := func(i int) {
		f.add(t, Snapshot{By: ByFile, Files: files("a.flow.yaml", fmt.Sprint("version ", i), "same.calendar.yaml", "x"), Flows: map[string]string{"a": fmt.Sprint("h", i)}})
	}
	release(1)
	release(2)
	release(3)
	now := time.Now()
	in := tandem.Interaction{ID: "i00000000000000000000000000", Number: "12345678901", Entry: "1", Flow: "a", FlowHash: "h2", State: tandem.Open, Started: now}
	change := &store.Change{Interaction: &in, Events: []tandem.Event{tandem.NewEvent(in.ID, "", now, tandem.EventOpened, "system", nil)},
		Session: &store.SessionRecord{Data: []byte("s"), At: now}}
	if err := f.db.Commit(t.Context(), change); err != nil {
		t.Fatal(err)
	}
	for i := 4; i <= keepReleases+3; i++ {
		release(i)
	}
	for number, kept := range map[int]bool{1: false, 2: true, 3: false, 4: true} {
		if _, err := f.Files(t.Context(), number); (err == nil) != kept {
			t.Errorf("release %d: %v, want it kept: %v", number, err, kept)
		}
	}
	if n, want := f.texts(t), keepReleases+1+1; n != want {
		t.Errorf("%d texts, want %d", n, want)
	}
	if err := f.db.Commit(t.Context(), &store.Change{Interaction: &in, EndSession: true, Events: []tandem.Event{tandem.NewEvent(in.ID, "", now, tandem.EventClosed, "system", nil)}}); err != nil {
		t.Fatal(err)
	}
	release(keepReleases + 4)
	if _, err := f.Files(t.Context(), 2); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("once its session has ended, release 2: %v", err)
	}
}

func TestTextCostsLittle(t *testing.T) {
	packed, err := pack([]byte(strings.Repeat("steps: { hello: { say: greeting, next: main } }\n", 1000)))
	if err != nil || len(packed.packed) > 2000 {
		t.Errorf("48 kB of text take %d bytes, %v", len(packed.packed), err)
	}
	if _, err := unpack(packed.packed, make([]byte, 32)); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("another text than its hash says: %v", err)
	}
	if _, err := unpack([]byte("no deflate"), packed.hash); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("noise: %v", err)
	}
}

func TestProposals(t *testing.T) {
	f := newFixture(t)
	ctx := t.Context()
	p, err := f.Propose(ctx, Proposal{File: "a.flow.yaml", Flow: "a", By: "li", Note: "kinder"}, []byte("new"), []byte("old"))
	if err != nil || p.ID == 0 || p.State != StateOpen || p.Base != TextHash([]byte("old")) || !p.At.Equal(f.clock) {
		t.Fatalf("%+v, %v", p, err)
	}
	added, err := f.Propose(ctx, Proposal{File: "b.flow.yaml", By: "li"}, []byte("b"), nil)
	if err != nil || added.Base != "" {
		t.Fatalf("a new file: %+v, %v", added, err)
	}
	got, data, base, err := f.Proposal(ctx, p.ID)
	if err != nil || got != p || string(data) != "new" || string(base) != "old" {
		t.Errorf("read back %+v %q %q, %v", got, data, base, err)
	}
	if _, data, base, err := f.Proposal(ctx, added.ID); err != nil || string(data) != "b" || base != nil {
		t.Errorf("the new file: %q on %q, %v", data, base, err)
	}
	if err := f.Refuse(ctx, added.ID, "wang", "no"); err != nil {
		t.Fatal(err)
	}
	snap := Snapshot{By: "li", Note: p.Note, Files: files("a.flow.yaml", "new"), Publish: &Publishing{p.ID, "wang"}}
	r := f.add(t, snap)
	got, _, _, err = f.Proposal(ctx, p.ID)
	if err != nil || got.State != StatePublished || got.Decider != "wang" || got.Release != r.Number || !got.Decided.Equal(f.clock) {
		t.Errorf("published: %+v, %v", got, err)
	}
	for what, err := range map[string]error{
		"published again": second(f.Add(ctx, Snapshot{By: "li", Files: files("a.flow.yaml", "newer"), Publish: &Publishing{p.ID, "wang"}})),
		"refused after":   f.Refuse(ctx, p.ID, "wang", "no"),
	} {
		if tandem.CodeOf(err) != tandem.CodeConflict {
			t.Errorf("%s: %v", what, err)
		}
	}
	if newest, _ := f.Newest(ctx, 1); newest[0] != r {
		t.Errorf("a release of a decided proposal is kept: %+v", newest)
	}
	if err := f.Refuse(ctx, 99, "wang", "no"); tandem.CodeOf(err) != tandem.CodeNotFound {
		t.Errorf("none such: %v", err)
	}
	if _, _, _, err := f.Proposal(ctx, 99); tandem.CodeOf(err) != tandem.CodeNotFound {
		t.Errorf("none such: %v", err)
	}
	third, err := f.Propose(ctx, Proposal{File: "c.flow.yaml", By: "li"}, []byte("c"), nil)
	if err != nil {
		t.Fatal(err)
	}
	all, err := f.Proposals(ctx, 10)
	var ids []int
	for _, p := range all {
		ids = append(ids, p.ID)
	}
	if err != nil || !slices.Equal(ids, []int{third.ID, added.ID, p.ID}) {
		t.Errorf("listed %v, %v", ids, err)
	}
}

func second[A, B any](_ A, _ B, err error) error { return err }

// What an open proposal began from stays readable, however many releases came since.
func TestProposalKeepsItsBase(t *testing.T) {
	f := newFixture(t)
	p, err := f.Propose(t.Context(), Proposal{File: "a.flow.yaml", By: "li"}, []byte("new"), []byte("old"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range keepReleases + 2 {
		f.add(t, Snapshot{By: ByFile, Files: files("a.flow.yaml", fmt.Sprint(i))})
	}
	if _, data, base, err := f.Proposal(t.Context(), p.ID); err != nil || string(data) != "new" || string(base) != "old" {
		t.Errorf("%q on %q, %v", data, base, err)
	}
}

func TestOpenProposalsAreBounded(t *testing.T) {
	f := newFixture(t)
	propose := func() error {
		_, err := f.Propose(t.Context(), Proposal{File: "a.flow.yaml", By: "li"}, []byte("x"), nil)
		return err
	}
	for range maxOpen {
		if err := propose(); err != nil {
			t.Fatal(err)
		}
	}
	if err := propose(); tandem.CodeOf(err) != tandem.CodeConflict {
		t.Errorf("one too many: %v", err)
	}
}

// A store that cannot write keeps nothing, and says so.
func TestUnavailable(t *testing.T) {
	f := newFixture(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := f.Add(ctx, Snapshot{By: ByFile, Files: files("a", "b")}); err == nil {
		t.Error("a release was kept for nobody")
	}
	if err := f.db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.Add(t.Context(), Snapshot{By: ByFile, Files: files("a", "b")}); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("after the store closed: %v", err)
	}
}
