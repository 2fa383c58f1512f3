package sqlite

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/mattn/go-sqlite3"

	"tandem"
	"tandem/store"
	"tandem/store/storetest"
)

// await polls for what happens in the writer's own time.
func await(t *testing.T, what string, happened func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !happened() {
		if time.Now().After(deadline) {
			t.Fatalf("%s: it did not happen", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// shim lets the disk fail at will.
type shim struct{ err atomic.Pointer[error] }

func (s *shim) fail(err error) { s.err.Store(&err) }
func (s *shim) mend()          { s.err.Store(nil) }

func (s *shim) fault(string) error {
	if err := s.err.Load(); err != nil {
		return *err
	}
	return nil
}

func openFailing(t *testing.T, p storetest.Place) (*DB, *shim) {
	t.Helper()
	s := &shim{}
	return openAt(t, p, func(o *Options) { o.Fault, o.Probe = s.fault, 5*time.Millisecond }), s
}

func TestOutageSaysWhatToDo(t *testing.T) {
	for _, test := range []struct {
		err  error
		says []string
	}{
		{sqlite3.Error{Code: sqlite3.ErrFull}, []string{"full", "free space on the disk of"}},
		{sqlite3.Error{Code: sqlite3.ErrReadonly}, []string{"readonly", "mounted read-only"}},
		{sqlite3.Error{Code: sqlite3.ErrIoErr}, []string{"disk I/O error", "kernel's log"}},
		{sqlite3.Error{Code: sqlite3.ErrCorrupt}, []string{"malformed", "restore"}},
		{errors.New("the disk is on fire"), []string{"on fire", "look at the disk"}},
	} {
		p := storetest.NewPlace(t)
		db, disk := openFailing(t, p)
		call := storetest.NewCall(p.Clock.Now(), storetest.NewRandom(1), "+1")
		disk.fail(test.err)
		err := db.Commit(t.Context(), call.Opening())
		if !errors.Is(err, store.ErrUnavailable) || !errors.Is(err, test.err) {
			t.Errorf("Commit says %v", err)
		}
		healthy := fmt.Sprint(db.Healthy())
		for _, says := range append(test.says, "cannot write since 2026-11-23T09:00:00Z") {
			if !strings.Contains(healthy, says) {
				t.Errorf("%v: Healthy says %q, not %q", test.err, healthy, says)
			}
		}
		disk.mend()
		await(t, "the store writes again", func() bool { return db.Healthy() == nil })
		commit(t, db, call.Opening()) // what was refused was not done, its key not used up
	}
}

// TestOutageKeepsHappenings: more happenings than memory holds come in while the store
// fails; afterwards the journal has the first of them and says what is missing.
func TestOutageKeepsHappenings(t *testing.T) {
	p := storetest.NewPlace(t)
	db, disk := openFailing(t, p)
	random := storetest.NewRandom(1)
	loud, quiet := storetest.NewCall(p.Clock.Now(), random, "+1"), storetest.NewCall(p.Clock.Now(), random, "+2")
	commit(t, db, loud.Opening())
	commit(t, db, quiet.Opening())

	disk.fail(sqlite3.Error{Code: sqlite3.ErrFull})
	for range 5 { // in the writer's hands when the disk fails
		db.Note(quiet.Event(p.Clock.Now(), tandem.EventInput, tandem.Pressed{Keys: "1"}))
	}
	if err := db.Flush(t.Context()); !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("Flush says %v", err)
	}
	db.NoteSession(quiet.ID, []byte("state"))
	const sent = maxKept + 700
	var firstLost, lastLost time.Time
	for i := range sent {
		at := p.Clock.Now()
		if i == maxKept-5 {
			firstLost = at
		}
		lastLost = at
		db.Note(loud.Event(at, tandem.EventInput, tandem.Pressed{Keys: fmt.Sprint(i)}))
	}
	disk.mend()
	await(t, "the store writes again", func() bool { return db.Healthy() == nil })
	db.Note(loud.Event(p.Clock.Now(), tandem.EventInput, tandem.Pressed{Keys: "after"}))
	if err := db.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}

	s, err := db.Interaction(t.Context(), string(quiet.ID))
	if err != nil || len(s.Events) != 7 {
		t.Errorf("the quiet call has %d events, %v; nothing of it was lost", len(s.Events), err)
	}
	if data, _, err := db.Session(t.Context(), quiet.ID); err != nil || string(data) != "state" {
		t.Errorf("its session is %q, %v", data, err)
	}
	if s, err = db.Interaction(t.Context(), string(loud.ID)); err != nil {
		t.Fatal(err)
	}
	kept := maxKept - 5
	if len(s.Events) != 2+kept+1+1 {
		t.Fatalf("the loud call has %d events, want 2, %d kept, the gap, and one after it", len(s.Events), kept)
	}
	for i, e := range s.Events[2 : 2+kept] {
		if e.Kind != tandem.EventInput || !strings.Contains(string(e.Data), fmt.Sprintf(`"keys":"%d"`, i)) {
			t.Fatalf("kept event %d is %s %s", i, e.Kind, e.Data)
		}
	}
	var gap tandem.Gap
	g := s.Events[2+kept]
	if err := json.Unmarshal(g.Data, &gap); err != nil || g.Kind != tandem.EventJournalGap {
		t.Fatalf("instead of a gap: %+v, %v", g, err)
	}
	if gap.Lost != sent-kept || !gap.From.Equal(firstLost) || !gap.Until.Equal(lastLost) || !strings.Contains(gap.Cause, "full") {
		t.Errorf("the gap is %+v, want %d lost from %v until %v", gap, sent-kept, firstLost, lastLost)
	}
	if v, err := db.Verify(t.Context()); err != nil || !v.OK {
		t.Errorf("verdict %+v, %v", v, err)
	}
}

// TestPutBack: what comes in while a transaction fails goes behind what it held.
func TestPutBack(t *testing.T) {
	p := storetest.NewPlace(t)
	db := &DB{o: options(p)}
	db.notes.init()
	note := func(id tandem.InteractionID, n int) {
		db.Note(tandem.NewEvent(id, "", p.Clock.Now(), tandem.EventInput, "", n))
	}
	for i := range maxKept + 1 { // one more than there is room for
		note("a", i)
	}
	db.NoteSession("a", []byte("old"))
	db.NoteSession("b", []byte("kept"))
	held := db.notes.take()
	note("b", maxKept)
	note("a", maxKept+1)
	db.NoteSession("a", []byte("new"))
	held.queue = held.queue[:maxKept-1] // room for one of the two
	db.notes.putBack(held, "the disk")
	got := db.notes.take()
	if len(got.queue) != maxKept || string(got.queue[0].event.Data) != "0" || got.queue[maxKept-1].event.Interaction != "b" {
		t.Errorf("%d events, from %s to %+v", len(got.queue), got.queue[0].event.Data, got.queue[len(got.queue)-1].event)
	}
	if g := got.gaps["a"]; len(got.gaps) != 1 || g.Lost != 2 || !g.Until.After(g.From) || g.Cause != "the journal could not keep pace" {
		t.Errorf("gaps are %+v, of a %+v", got.gaps, g)
	}
	if string(got.sessions["a"].Data) != "new" || string(got.sessions["b"].Data) != "kept" {
		t.Errorf("sessions are %q and %q", got.sessions["a"].Data, got.sessions["b"].Data)
	}
}

// TestOutageFileGone: the file is not there for a while, then another one is, then ours.
func TestOutageFileGone(t *testing.T) {
	p := storetest.NewPlace(t)
	db, disk := openFailing(t, p)
	random := storetest.NewRandom(1)
	call := storetest.NewCall(p.Clock.Now(), random, "+1")
	commit(t, db, call.Opening())
	disk.fail(errors.New("unplugged"))
	if err := db.Flush(t.Context()); !errors.Is(err, store.ErrUnavailable) {
		t.Fatal(err)
	}
	names := []string{"", "-wal", "-shm"}
	for _, n := range names {
		if err := os.Rename(db.o.Path+n, db.o.Path+n+".away"); err != nil {
			t.Fatal(err)
		}
	}
	disk.mend()
	says := func(words string) func() bool {
		return func() bool { return strings.Contains(fmt.Sprint(db.Healthy()), words) }
	}
	await(t, "the file is missed", says("unable to open"))
	other := storetest.NewPlace(t)
	openAt(t, other).Close()
	if err := os.Rename(options(other).Path, db.o.Path); err != nil {
		t.Fatal(err)
	}
	await(t, "the other file is noticed", says("another database was put in place"))
	for _, n := range names {
		if err := os.Rename(db.o.Path+n+".away", db.o.Path+n); err != nil {
			t.Fatal(err)
		}
	}
	await(t, "the store writes again", func() bool { return db.Healthy() == nil })
	commit(t, db, &store.Change{Events: []tandem.Event{call.Event(p.Clock.Now(), tandem.EventConsent, nil)}})
	if v, err := db.Verify(t.Context()); err != nil || !v.OK || v.Events != 3 {
		t.Errorf("verdict %+v, %v", v, err)
	}
}

// TestOutageByTurns: the disk comes and goes under load; every acknowledged change is
// there, no refused one is, and the chain holds.
func TestOutageByTurns(t *testing.T) {
	p := storetest.NewPlace(t)
	var n atomic.Int64
	db := openAt(t, p, func(o *Options) {
		o.Probe = time.Millisecond
		o.Fault = func(string) error {
			if n.Add(1)%7 == 0 {
				return errors.New("a bad moment")
			}
			return nil
		}
	})
	random := storetest.NewRandom(1)
	done := map[tandem.InteractionID]bool{}
	refused := 0
	for range 300 {
		call := storetest.NewCall(p.Clock.Now(), random, "+1")
		err := db.Commit(t.Context(), call.Opening())
		done[call.ID] = err == nil
		if err != nil {
			refused++
			if !errors.Is(err, store.ErrUnavailable) {
				t.Fatal(err)
			}
			await(t, "the store writes again", func() bool { return db.Healthy() == nil })
		}
	}
	if refused == 0 || refused == 300 {
		t.Fatalf("%d of 300 were refused", refused)
	}
	for id, ok := range done {
		if _, err := db.Interaction(t.Context(), string(id)); (err == nil) != ok {
			t.Errorf("Commit was %v, and looking for it says %v", ok, err)
		}
	}
	if v, err := db.Verify(t.Context()); err != nil || !v.OK || v.Interactions != 300-refused {
		t.Errorf("verdict %+v, %v", v, err)
	}
}

// skip skips a test that cannot run here; with REQUIRE_ALL=1 that is a failure.
func skip(t *testing.T, why string) {
	t.Helper()
	if os.Getenv("REQUIRE_ALL") == "1" {
		t.Fatal("REQUIRE_ALL=1, but " + why)
	}
	t.Skip("SKIP: " + why)
}

// TestDiskFull fills a real, small disk.
func TestDiskFull(t *testing.T) {
	p := storetest.NewPlace(t)
	disk := filepath.Join(p.Dir, "disk")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=3m"); err != nil {
		skip(t, "mounting a small tmpfs needs root: "+err.Error())
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, 0); err != nil {
			t.Error(err)
		}
	})
	p.Dir = disk
	db := openAt(t, p, func(o *Options) { o.Probe = 20 * time.Millisecond; o.CheckpointEvery = 3 * time.Millisecond })
	random := storetest.NewRandom(1)
	first := storetest.NewCall(p.Clock.Now(), random, "+1")
	commit(t, db, first.Opening())
	filler := filepath.Join(disk, "filler")
	for round := range 2 {
		if err := os.WriteFile(filler, make([]byte, 3<<20), 0o600); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("filling the disk: %v", err)
		}
		var done []storetest.Call
		var err error
		for range 5000 { // the log has some room of its own left
			call := storetest.NewCall(p.Clock.Now(), random, "+1")
			opening := call.Opening()
			opening.Session = &store.SessionRecord{Data: make([]byte, 20_000), At: p.Clock.Now()}
			if err = db.Commit(t.Context(), opening); err != nil {
				break
			}
			done = append(done, call)
		}
		if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "free space on the disk") {
			t.Fatalf("round %d: on a full disk, after %d more, Commit says %v", round, len(done), err)
		}
		db.Note(first.Event(p.Clock.Now(), tandem.EventInput, tandem.Pressed{Keys: fmt.Sprint(round)}))
		for _, call := range done { // still read, while nothing can be written
			if s, err := db.Interaction(t.Context(), string(call.ID)); err != nil || len(s.Events) != 2 {
				t.Fatalf("acknowledged and not there: %v", err)
			}
		}
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		await(t, "the store writes again", func() bool { return db.Healthy() == nil })
		commit(t, db, storetest.NewCall(p.Clock.Now(), random, "+1").Opening())
		if err := db.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if v, err := db.Verify(t.Context()); err != nil || !v.OK {
			t.Fatalf("verdict %+v, %v", v, err)
		}
		// Room for the next round: what the first one used is a quarter of the disk at most.
	}
	s, err := db.Interaction(t.Context(), string(first.ID))
	if err != nil || len(s.Events) != 4 {
		t.Errorf("the first call has %d events, %v; its happenings were kept", len(s.Events), err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if v := verify(t, p); !v.OK || v.Checkpoints == 0 {
		t.Errorf("verdict %+v", v)
	}
}

// TestDiskFails makes real writes of SQLite fail: the kernel refuses them beyond a size.
func TestDiskFails(t *testing.T) {
	p := storetest.NewPlace(t)
	db := openAt(t, p, func(o *Options) { o.Probe = 10 * time.Millisecond })
	random := storetest.NewRandom(1)
	call := storetest.NewCall(p.Clock.Now(), random, "+1")
	commit(t, db, call.Opening())

	signal.Ignore(syscall.SIGXFSZ)
	defer signal.Reset(syscall.SIGXFSZ)
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 8192, Max: limit.Max}); err != nil {
		t.Fatal(err)
	}
	mended := false
	mend := func() {
		if !mended {
			mended = true
			if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
				t.Error(err)
			}
		}
	}
	defer mend()
	err := db.Commit(t.Context(), storetest.NewCall(p.Clock.Now(), random, "+2").Opening())
	if !errors.Is(err, store.ErrUnavailable) || db.Healthy() == nil {
		t.Errorf("Commit says %v, Healthy %v", err, db.Healthy())
	}
	db.Note(call.Event(p.Clock.Now(), tandem.EventInput, tandem.Pressed{Keys: "1"}))
	mend()
	await(t, "the store writes again", func() bool { return db.Healthy() == nil })
	commit(t, db, storetest.NewCall(p.Clock.Now(), random, "+3").Opening())
	if err := db.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if v, err := db.Verify(t.Context()); err != nil || !v.OK || v.Events != 5 {
		t.Errorf("verdict %+v, %v", v, err)
	}
}

// TestCheckpointFails: the file of checkpoints cannot be written for a while; calls go
// on, and the next checkpoint makes up for it.
func TestCheckpointFails(t *testing.T) {
	p := storetest.NewPlace(t)
	var failing atomic.Bool
	var asked atomic.Int64
	failing.Store(true)
	db := openAt(t, p, func(o *Options) {
		o.CheckpointEvery = 2 * time.Millisecond
		o.Fault = func(point string) error {
			if point != "checkpoint" {
				return nil
			}
			asked.Add(1)
			if failing.Load() {
				return errors.New("no room")
			}
			return nil
		}
	})
	commit(t, db, storetest.NewCall(p.Clock.Now(), storetest.NewRandom(1), "+1").Opening())
	was := asked.Load()
	await(t, "a checkpoint is tried", func() bool { return asked.Load() > was+1 })
	if err := db.Healthy(); err != nil {
		t.Errorf("promises are refused for want of a checkpoint: %v", err)
	}
	if info, err := os.Stat(options(p).Checkpoints); err != nil || info.Size() != 0 {
		t.Errorf("the file has %v, %v", info, err)
	}
	failing.Store(false)
	await(t, "the checkpoint is written", func() bool {
		info, err := os.Stat(options(p).Checkpoints)
		return err == nil && info.Size() > 0
	})
}

// TestSettle: a change that cannot be refused keeps its order among happenings, waits
// through an outage, and leaves its neighbours alone when it is at fault itself.
func TestSettle(t *testing.T) {
	p := storetest.NewPlace(t)
	db, disk := openFailing(t, p)
	call := storetest.NewCall(p.Clock.Now(), storetest.NewRandom(1), "13800000000")
	if err := db.Commit(t.Context(), call.Opening()); err != nil {
		t.Fatal(err)
	}
	event := func(kind tandem.EventKind) tandem.Event { return call.Event(p.Clock.Now(), kind, nil) }
	disk.fail(errors.New("the disk"))
	db.Note(event(tandem.EventInput))
	db.Settle(&store.Change{Events: []tandem.Event{event(tandem.EventLegAnswered)}})
	db.Note(event(tandem.EventHTTP))
	db.Settle(&store.Change{Key: "twice", Events: []tandem.Event{event(tandem.EventHold)}})
	db.Settle(&store.Change{Key: "twice", Events: []tandem.Event{event(tandem.EventHold)}})
	if err := db.Flush(t.Context()); !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("flushing to a failing disk: %v", err)
	}
	disk.mend()
	await(t, "the store writes again", func() bool { return db.Healthy() == nil })
	if err := db.Commit(t.Context(), &store.Change{Events: []tandem.Event{event(tandem.EventConsent)}}); err != nil {
		t.Fatal(err)
	}
	story, err := db.Interaction(t.Context(), string(call.ID))
	if err != nil {
		t.Fatal(err)
	}
	var kinds []tandem.EventKind
	for _, e := range story.Events {
		kinds = append(kinds, e.Kind)
	}
	want := []tandem.EventKind{tandem.EventInput, tandem.EventLegAnswered, tandem.EventHTTP, tandem.EventHold, tandem.EventConsent}
	if n := len(kinds) - len(want); n < 0 || !slices.Equal(kinds[n:], want) {
		t.Errorf("the journal ends with %v, want %v", kinds, want)
	}
}

// TestSettleInAFullMemory: what a call has come to is kept though happenings fill the room.
func TestSettleInAFullMemory(t *testing.T) {
	p := storetest.NewPlace(t)
	db, disk := openFailing(t, p)
	call := storetest.NewCall(p.Clock.Now(), storetest.NewRandom(1), "13800000000")
	commit(t, db, call.Opening())
	disk.fail(errors.New("the disk"))
	if err := db.Flush(t.Context()); !errors.Is(err, store.ErrUnavailable) {
		t.Fatalf("flushing to a failing disk: %v", err)
	}
	for range maxKept + 10 {
		db.Note(call.Event(p.Clock.Now(), tandem.EventInput, nil))
	}
	db.Settle(call.Closing(p.Clock.Now(), tandem.Terminate(tandem.ByRemote, tandem.ReasonHangup)))
	disk.mend()
	await(t, "the store writes again", func() bool { return db.Healthy() == nil })
	story, err := db.Interaction(t.Context(), string(call.ID))
	if err != nil || story.Interaction.State != tandem.Closed {
		t.Errorf("the call that ended is %q, %v", story.Interaction.State, err)
	}
}
