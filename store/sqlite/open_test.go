package sqlite

import (
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem"
	"tandem/store"
	"tandem/store/blob"
	"tandem/store/storetest"
)

func TestPragmas(t *testing.T) {
	db := openAt(t, storetest.NewPlace(t))
	db.Close()
	c, err := openConn(db.o.Path, "rw")
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	for pragma, want := range map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "secure_delete": "1", "busy_timeout": "5000"} {
		var got driver.Value
		if _, err := c.one("PRAGMA "+pragma, func(row []driver.Value) { got = row[0] }); err != nil {
			t.Fatal(err)
		}
		if n, ok := got.(int64); ok {
			got = string(rune('0' + n))
			if n == 5000 {
				got = "5000"
			}
		}
		if got != want {
			t.Errorf("%s is %v, want %s", pragma, got, want)
		}
	}
	info, err := os.Stat(db.o.Path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode is %v, %v", info.Mode(), err)
	}
}

func TestNewerSchema(t *testing.T) {
	p := storetest.NewPlace(t)
	openAt(t, p).Close()
	tamper(t, options(p).Path, "PRAGMA user_version = 70")
	for name, open := range map[string]func(context.Context, Options) (*DB, error){"Open": Open, "OpenReader": OpenReader} {
		_, err := open(t.Context(), options(p))
		if !errors.Is(err, store.ErrNewerSchema) || !strings.Contains(err.Error(), fmt.Sprintf("schema 70, this version knows %d", len(migrations()))) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMigration(t *testing.T) {
	p := storetest.NewPlace(t)
	p.Dir = filepath.Join(p.Dir, "[1]*") // a path is no pattern
	if err := os.Mkdir(p.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	db := openAt(t, p)
	call := storetest.NewCall(p.Clock.Now(), storetest.NewRandom(1), "+8613800138000")
	opening := call.Opening()
	commit(t, db, opening)
	db.Close()

	broken := append(migrations(), "CREATE TABLE half (x); CREATE TABLE half (x)")
	if _, err := open(t.Context(), options(p), broken); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("changing the schema to %d", len(broken))) {
		t.Fatalf("a broken step: %v", err)
	}
	openAt(t, p).Close() // as it was: the step left nothing

	db, err := open(t.Context(), options(p), append(migrations(), "ALTER TABLE task ADD COLUMN urgent INTEGER NOT NULL DEFAULT 0", "CREATE TABLE more (x)"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.pool.Exec("SELECT urgent FROM task"); err != nil {
		t.Error(err)
	}
	if v, err := db.Verify(t.Context()); err != nil || !v.OK || v.Events != 2 {
		t.Errorf("after the change: %+v, %v", v, err)
	}

	// The copy made before is whole, of the old schema, and an erasure reaches it.
	copied := options(p)
	copied.Path += fmt.Sprint(".schema-", len(migrations()))
	old, err := OpenReader(t.Context(), copied)
	if err != nil {
		t.Fatal(err)
	}
	if s, err := old.Interaction(t.Context(), string(call.ID)); err != nil || s.Legs[0].From != call.From {
		t.Errorf("the copy has %+v, %v", s, err)
	}
	old.Close()
	if err := db.Erase(t.Context(), opening.Interaction.Customer, "op", "asked"); err != nil {
		t.Fatal(err)
	}
	if old, err = OpenReader(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	if s, err := old.Interaction(t.Context(), string(call.ID)); err != nil || s.Legs[0].From != "" {
		t.Errorf("after the erasure the copy has %+v, %v", s, err)
	}
}

func TestWrongMaster(t *testing.T) {
	p := storetest.NewPlace(t)
	openAt(t, p).Close()
	keys, err := store.NewKeyring(make([]byte, store.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	p.Keys = keys
	for name, open := range map[string]func(context.Context, Options) (*DB, error){"Open": Open, "OpenReader": OpenReader} {
		if _, err := open(t.Context(), options(p)); err == nil || !strings.Contains(err.Error(), "another master key") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDirtyStop(t *testing.T) {
	p := storetest.NewPlace(t)
	db := openAt(t, p)
	for range 50 {
		commit(t, db, storetest.NewCall(p.Clock.Now(), storetest.NewRandom(uint64(p.Clock.Now().UnixNano())), "+1").Opening())
	}
	db.Close()
	path := options(p).Path
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	bad := bytes.Clone(good)
	copy(bad[8*4096:], bytes.Repeat([]byte{0xa5}, 3*4096)) // three pages of rubbish
	if err := os.WriteFile(path, bad, 0o600); err != nil {
		t.Fatal(err)
	}
	tamper(t, path, "UPDATE meta SET value = '1' WHERE name = 'running'")
	if _, err := Open(t.Context(), options(p)); !errors.Is(err, store.ErrDamaged) || !strings.Contains(err.Error(), "restore a copy") {
		t.Errorf("a damaged database after a dirty stop: %v", err)
	}
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	tamper(t, path, "UPDATE meta SET value = '1' WHERE name = 'running'")
	openAt(t, p).Close()
}

func TestOneServer(t *testing.T) {
	p := storetest.NewPlace(t)
	db := openAt(t, p)
	if _, err := Open(t.Context(), options(p)); !errors.Is(err, store.ErrInUse) || !strings.Contains(err.Error(), "in use by another process") {
		t.Errorf("a second server: %v", err)
	}
	reader, err := OpenReader(t.Context(), options(p))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	call := storetest.NewCall(p.Clock.Now(), storetest.NewRandom(1), "+1")
	commit(t, db, call.Opening())
	if s, err := reader.Interaction(t.Context(), string(call.ID)); err != nil || len(s.Events) != 2 {
		t.Errorf("a reader beside the server sees %+v, %v", s, err)
	}
	if err := reader.Commit(t.Context(), call.Opening()); !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "reading only") {
		t.Errorf("a reader writes: %v", err)
	}
	if _, err := OpenReader(t.Context(), Options{Path: filepath.Join(t.TempDir(), "none.db"), Keys: p.Keys}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("reading what is not there: %v", err)
	}
	db.Close()
	openAt(t, p).Close() // the lock is free again
}

// TestBeside: a command erases while the server writes; the chain must not fork, and
// the server must forget the key.
func TestBeside(t *testing.T) {
	p := storetest.NewPlace(t)
	server := openAt(t, p)
	beside := openAt(t, p, func(o *Options) { o.Beside = true })
	if beside.owner {
		t.Fatal("two owners")
	}
	random := storetest.NewRandom(1)
	erased := storetest.NewCall(p.Clock.Now(), random, "+8613800138000")
	opening := erased.Opening()
	commit(t, server, opening)
	var group sync.WaitGroup
	for _, db := range []*DB{server, server, beside} {
		group.Go(func() {
			call := storetest.NewCall(p.Clock.Now(), random, "+1")
			if err := db.Commit(context.Background(), call.Opening()); err != nil {
				t.Error(err)
			}
			for range 30 {
				e := call.Event(p.Clock.Now(), tandem.EventConsent, nil)
				if err := db.Commit(context.Background(), &store.Change{Events: []tandem.Event{e}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Go(func() {
		if err := beside.Erase(context.Background(), opening.Interaction.Customer, "op", "asked"); err != nil {
			t.Error(err)
		}
	})
	group.Wait()
	server.Note(erased.Event(p.Clock.Now(), tandem.EventPrompt, tandem.Prompted{Text: "still here?"}))
	if err := server.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := beside.Close(); err != nil {
		t.Fatal(err)
	}
	v, err := server.Verify(t.Context())
	if err != nil || !v.OK || v.Events != 2+3*32+2 {
		t.Errorf("verdict %+v, %v", v, err)
	}
	s, err := server.Interaction(t.Context(), string(erased.ID))
	if err != nil || len(s.Events) != 4 || s.Events[0].Data != nil || s.Events[3].Data != nil {
		t.Errorf("the erased one: %+v, %v", s, err)
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if v := verify(t, p); !v.OK || v.Checkpoints != 1 {
		t.Errorf("verdict %+v", v)
	}
}

// TestEraseLeavesNoTrace looks into the files themselves.
func TestEraseLeavesNoTrace(t *testing.T) {
	p := storetest.NewPlace(t)
	db := openAt(t, p)
	random := storetest.NewRandom(1)
	call, other := storetest.NewCall(p.Clock.Now(), random, "+8613800138000"), storetest.NewCall(p.Clock.Now(), random, "+8613900139000")
	opening := call.Opening()
	commit(t, db, opening)
	commit(t, db, other.Opening())
	commit(t, db, &store.Change{Events: []tandem.Event{call.Event(p.Clock.Now(), tandem.EventPrompt, tandem.Prompted{Text: "Dear Mr Wang"})},
		Session: &store.SessionRecord{Data: []byte("PIN 4711"), At: p.Clock.Now()},
		Outbox:  []store.Outgoing{{Key: "k", Kind: "sms", Target: "+8613800138000", Body: []byte("your code is 998877")}}})
	var key, parties, session, blind, kept []byte
	read := func(query string, into *[]byte) {
		t.Helper()
		if err := db.pool.QueryRow(query).Scan(into); err != nil {
			t.Fatal(err)
		}
	}
	read("SELECT key FROM customer WHERE no = 1", &key)
	read("SELECT key FROM customer WHERE no = 2", &kept)
	read("SELECT parties FROM leg WHERE no = 1", &parties)
	read("SELECT data FROM session", &session)
	read("SELECT blind FROM identity WHERE customer = 1", &blind)
	files := func() (all []byte) {
		t.Helper()
		names, err := filepath.Glob(db.o.Path + "*")
		if err != nil || len(names) < 3 {
			t.Fatal(names, err)
		}
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, b...)
		}
		return all
	}
	if err := db.Backup(t.Context(), db.o.Path+copySuffix+"1"); err != nil { // as made before a schema change
		t.Fatal(err)
	}
	before := files()
	for _, plain := range []string{"13800138000", "Mr Wang", "4711", "998877"} {
		if bytes.Contains(before, []byte(plain)) {
			t.Errorf("%q lies open in the files", plain)
		}
	}
	for name, b := range map[string][]byte{"key": key, "addresses": parties, "session": session, "blind": blind} {
		if !bytes.Contains(before, b) {
			t.Errorf("the %s is not where this test looks", name)
		}
	}
	if err := db.Erase(t.Context(), opening.Interaction.Customer, "op", "asked"); err != nil {
		t.Fatal(err)
	}
	copied, err := os.ReadFile(db.o.Path + copySuffix + "1")
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"key": key, "blind": blind} {
		if bytes.Contains(copied, b) {
			t.Errorf("the %s is still in the copy", name)
		}
	}
	if !bytes.Contains(copied, kept) {
		t.Error("another customer's key is gone from the copy")
	}
	if err := os.Remove(db.o.Path + copySuffix + "1"); err != nil { // the rest of it is noise without the key
		t.Fatal(err)
	}
	after := files()
	for name, b := range map[string][]byte{"key": key, "addresses": parties, "session": session, "blind": blind} {
		if bytes.Contains(after, b) {
			t.Errorf("the %s is still in the files", name)
		}
	}
	if !bytes.Contains(after, kept) {
		t.Error("another customer's key is gone")
	}
	if v, err := db.Verify(t.Context()); err != nil || !v.OK {
		t.Errorf("verdict %+v, %v", v, err)
	}
}

// TestEraseWaitsForReaders: an old snapshot keeps old pages alive; the erasure says so
// unless the reader ends in time.
func TestEraseWaitsForReaders(t *testing.T) {
	p := storetest.NewPlace(t)
	db := openAt(t, p)
	opening := storetest.NewCall(p.Clock.Now(), storetest.NewRandom(1), "+1").Opening()
	commit(t, db, opening)
	tx, err := db.pool.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("SELECT count(*) FROM event"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := db.Erase(ctx, opening.Interaction.Customer, "op", "asked"); err == nil || !strings.Contains(err.Error(), "erase again to finish") {
		t.Errorf("with a reader in the way: %v", err)
	}
	tx.Rollback()
	if err := db.Erase(t.Context(), opening.Interaction.Customer, "op", "asked"); err != nil {
		t.Errorf("with the reader gone: %v", err)
	}
}

// TestOpenKeepsObjects: a fresh database beside old objects destroys none of them.
func TestOpenKeepsObjects(t *testing.T) {
	p := storetest.NewPlace(t)
	begin := func() (*blob.Writer, string) {
		t.Helper()
		w, err := p.Blobs.Create("06h0f8hig3moi0efio3rg5jqe8", "audio/PCMU")
		if err != nil {
			t.Fatal(err)
		}
		id := string(w.ID())
		return w, filepath.Join(p.Dir, "blobs", id[len(id)-2:], id)
	}
	whole, wholeFile := begin()
	if _, err := whole.Commit(); err != nil {
		t.Fatal(err)
	}
	unfinished, unfinishedFile := begin()
	defer unfinished.Abort()
	there := func(path string) bool { _, err := os.Stat(path); return err == nil }
	for _, beside := range []bool{true, false} {
		var log bytes.Buffer
		db := openAt(t, p, func(o *Options) { o.Beside, o.Log = beside, slog.New(slog.NewTextHandler(&log, nil)) })
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if !there(wholeFile) || there(unfinishedFile+".part") != beside {
			t.Errorf("beside %v: the whole one is there: %v, the unfinished one: %v", beside, there(wholeFile), there(unfinishedFile+".part"))
		}
		if told := strings.Count(log.String(), "does not name"); told != map[bool]int{true: 0, false: 1}[beside] {
			t.Errorf("beside %v: the log says %d times that an object is not known: %s", beside, told, log.String())
		}
	}
}

func TestSweepForgetsOldKeys(t *testing.T) {
	p := storetest.NewPlace(t)
	ticks := make(chan struct{}, 100)
	db := openAt(t, p, func(o *Options) {
		o.CheckpointEvery = 2 * time.Millisecond
		o.Fault = func(point string) error {
			if point == "checkpoint" {
				select {
				case ticks <- struct{}{}:
				default:
				}
			}
			return nil
		}
	})
	change := func() *store.Change { return &store.Change{Key: "message 1"} }
	commit(t, db, change())
	p.Clock.Add(71 * time.Hour)
	for range 3 {
		<-ticks
	}
	if err := db.Commit(t.Context(), change()); !errors.Is(err, store.ErrDuplicate) {
		t.Errorf("after 71 hours: %v", err)
	}
	p.Clock.Add(2 * time.Hour)
	for len(ticks) > 0 {
		<-ticks
	}
	for range 3 { // a whole tick has gone by
		<-ticks
	}
	commit(t, db, change())
}

// TestOutboxDamaged: a letter that cannot be opened is told and holds up no other.
func TestOutboxDamaged(t *testing.T) {
	db := openAt(t, storetest.NewPlace(t))
	commit(t, db, &store.Change{Outbox: []store.Outgoing{{Key: "a", Kind: "webhook"}, {Key: "b", Kind: "webhook"}}})
	err := db.write(t.Context(), func(w *writer) error {
		_, err := w.c.exec("UPDATE outbox SET letter = ? WHERE key = 'a'", []byte("altered"))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := db.Lease(t.Context(), 10, time.Minute)
	if err != nil || len(got) != 1 || got[0].Key != "b" {
		t.Fatalf("lent %+v, %v", got, err)
	}
	letters, err := db.Outbox(t.Context())
	if err != nil || len(letters) != 2 || letters[1].Key != "a" || letters[1].State != store.LetterDead || letters[1].Error == "" {
		t.Errorf("outbox is %+v, %v", letters, err)
	}
	if err := db.Revive(t.Context(), "a"); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("reviving it: %v", err)
	}
	if letters, err := db.Outbox(t.Context()); err != nil || letters[1].State != store.LetterDead {
		t.Errorf("revived all the same: %+v, %v", letters, err)
	}
}

// TestOutboxAfterAStop: what the process before had lent is lent again at once; what waits
// to be tried again goes on waiting.
func TestOutboxAfterAStop(t *testing.T) {
	p := storetest.NewPlace(t)
	db := openAt(t, p)
	commit(t, db, &store.Change{Outbox: []store.Outgoing{{Key: "lent", Kind: "sms"}, {Key: "failed", Kind: "sms"}}})
	if got, err := db.Lease(t.Context(), 10, time.Minute); err != nil || len(got) != 2 {
		t.Fatalf("lent %+v, %v", got, err)
	}
	if err := db.Failed(t.Context(), "failed", errors.New("busy"), p.Clock.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = openAt(t, p)
	got, err := db.Lease(t.Context(), 10, time.Minute)
	if err != nil || len(got) != 1 || got[0].Key != "lent" || got[0].Attempt != 2 {
		t.Errorf("after a stop lent %+v, %v", got, err)
	}
	if got, err := db.Lease(t.Context(), 10, time.Minute); err != nil || len(got) != 0 {
		t.Errorf("lent twice: %+v, %v", got, err)
	}
}

// TestSessionsPutNothingOff: happenings are written though sessions come in all the time.
func TestSessionsPutNothingOff(t *testing.T) {
	p := storetest.NewPlace(t)
	db := openAt(t, p)
	call := storetest.NewCall(p.Clock.Now(), storetest.NewRandom(1), "+1")
	commit(t, db, call.Opening())
	db.Note(call.Event(p.Clock.Now(), tandem.EventInput, nil))
	each := time.NewTicker(5 * time.Millisecond)
	defer each.Stop()
	deadline := time.After(10 * time.Second)
	for i := 0; ; i++ {
		select {
		case <-each.C:
			db.NoteSession(call.ID, []byte{byte(i)})
		case <-deadline:
			t.Fatal("a happening was not written")
		}
		s, err := db.Interaction(t.Context(), string(call.ID))
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Events) == 3 {
			return
		}
	}
}
