package sqlite

import (
	"bufio"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/mattn/go-sqlite3"

	"tandem"
	"tandem/store"
)

// op is one thing to be written, all or nothing, in a group with others.
type op struct {
	do    func(*writer) error
	state atomic.Int32 // waiting, then taken or given up: decides who answers
	done  chan error
}

const (
	opWaiting int32 = iota
	opTaken
	opGivenUp
)

// writer is the goroutine that alone writes. Its fields belong to it.
type writer struct {
	db     *DB
	c      *conn
	random *bufio.Reader
	sealer store.Sealer
	hashes *hashes

	// What the journal's end looks like; read again when fresh is false.
	fresh   bool
	version int64 // PRAGMA data_version: changes when another process has written
	n       uint64
	chain   store.Hash
	entries *lru[tandem.InteractionID, *entry]
	touched bool // the op in hand has changed the above

	group       []*op
	results     []error
	checkpoints *os.File
	signed      uint64 // n of the newest checkpoint in the file
}

func newWriter(db *DB, c *conn) *writer {
	random := bufio.NewReaderSize(db.o.Random, 4096)
	return &writer{db: db, c: c, random: random, sealer: store.Sealer{Random: random}, hashes: newHashes(),
		entries: newLRU[tandem.InteractionID, *entry](maxEntries)}
}

// write hands do to the writer and waits until it is durable. When it returns an
// error nothing was written, also when ctx ended first.
func (db *DB) write(ctx context.Context, do func(*writer) error) error {
	if f := db.health.Load(); f != nil {
		return f
	}
	if ctx.Err() != nil { // nobody waits: the choice below would be chance
		return fmt.Errorf("waiting for the store: %w", context.Cause(ctx))
	}
	o := &op{do: do, done: make(chan error, 1)}
	select {
	case db.ops <- o:
	case <-db.stop:
		return errClosed()
	case <-ctx.Done():
		return fmt.Errorf("waiting for the store: %w", context.Cause(ctx))
	}
	select {
	case err := <-o.done:
		return err
	case <-ctx.Done():
		if o.state.CompareAndSwap(opWaiting, opGivenUp) {
			return fmt.Errorf("waiting for the store: %w", context.Cause(ctx))
		}
	case <-db.stopped:
		if o.state.CompareAndSwap(opWaiting, opGivenUp) {
			return errClosed()
		}
	}
	return <-o.done
}

func errClosed() error { return fmt.Errorf("the store is closed: %w", store.ErrUnavailable) }

func (w *writer) run() {
	defer close(w.db.stopped)
	flush := time.NewTimer(time.Hour)
	flush.Stop()
	defer flush.Stop()
	probe := time.NewTicker(w.db.o.Probe)
	defer probe.Stop()
	checkpoint := time.NewTicker(w.db.o.CheckpointEvery)
	defer checkpoint.Stop()
	for {
		select {
		case o := <-w.db.ops:
			w.writeGroup(o)
		case <-w.db.notes.first:
			flush.Reset(w.db.o.Flush / 2) // the other half is for the writing
		case <-w.db.notes.many:
			w.writeGroup(nil)
		case <-flush.C:
			w.writeGroup(nil)
		case <-probe.C:
			w.probe()
		case <-checkpoint.C:
			w.tick()
		case <-w.db.stop:
			w.writeGroup(nil)
			return
		}
	}
}

// writeGroup writes what was noted, then first and every other op that waits, in one
// transaction, and tells each its result.
func (w *writer) writeGroup(first *op) {
	w.group, w.results = w.group[:0], w.results[:0]
	for o := first; ; {
		if o != nil && o.state.CompareAndSwap(opWaiting, opTaken) {
			w.group = append(w.group, o)
			w.results = append(w.results, nil)
		}
		o = nil
		if len(w.group) < maxGroup {
			select {
			case o = <-w.db.ops:
			default:
			}
		}
		if o == nil {
			break
		}
	}
	if len(w.group) == 0 && w.db.health.Load() != nil {
		return // the probe tries again
	}
	taken := w.db.notes.take()
	if len(w.group) == 0 && taken.empty() {
		return
	}
	err := w.transact(&taken)
	if err != nil {
		w.failed(err)
		w.db.notes.putBack(taken, w.db.health.Load().cause.Error())
	} else {
		w.db.notes.recycle(taken)
	}
	for i, o := range w.group {
		if err != nil {
			o.done <- w.db.health.Load()
		} else {
			o.done <- w.results[i]
		}
		w.group[i] = nil
	}
}

// transact is one transaction. Its error is the disk's, or SQLite's: nothing of the
// group was written. What is wrong with a single op is in its result alone.
func (w *writer) transact(t *taken) (err error) {
	if w.c == nil { // the database could not be opened again
		return w.db.health.Load().cause
	}
	defer func() {
		if err != nil {
			w.fresh = false
			w.c.exec("ROLLBACK") // fails where SQLite has rolled back by itself
		}
	}()
	if err := w.fault("begin"); err != nil {
		return err
	}
	if _, err := w.c.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	if err := w.refresh(); err != nil {
		return err
	}
	if err := w.writeNotes(t); err != nil {
		return err
	}
	for i, o := range w.group {
		if o.do == nil {
			continue
		}
		if w.results[i], err = w.try(o); err != nil {
			return err
		}
	}
	if err := w.fault("commit"); err != nil {
		return err
	}
	_, err = w.c.exec("COMMIT")
	return err
}

// try runs one op so that its failure leaves its neighbours alone.
func (w *writer) try(o *op) (result, fatal error) {
	if _, err := w.c.exec("SAVEPOINT op"); err != nil {
		return nil, err
	}
	w.touched = false
	result = w.call(o)
	if result != nil {
		if isDisk(result) {
			return nil, result
		}
		if _, err := w.c.exec("ROLLBACK TO op"); err != nil {
			return nil, err
		}
		if w.touched {
			w.fresh = false
			if err := w.refresh(); err != nil {
				return nil, err
			}
		}
	}
	_, err := w.c.exec("RELEASE op")
	return result, err
}

// call survives a panic by failing this op alone.
func (w *writer) call(o *op) (err error) {
	defer func() {
		if p := recover(); p != nil {
			w.touched = true
			if told := w.db.o.Panicked; told != nil {
				told(p)
			} else {
				w.db.log.Error("a fault of ours failed one change", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			}
			err = fmt.Errorf("a fault of ours while writing: %v", p)
		}
	}()
	return o.do(w)
}

// refresh reads the journal's end again if it is not known, or if another process has
// written since. It is called inside a transaction, so nobody else writes after it.
func (w *writer) refresh() error {
	var version int64
	if _, err := w.c.one("PRAGMA data_version", func(row []driver.Value) { version = asInt(row[0]) }); err != nil {
		return err
	}
	if version != w.version {
		w.db.keys.wipe()
	}
	if w.fresh && version == w.version {
		return nil
	}
	w.entries.wipe()
	w.n, w.chain = 0, store.Hash{}
	_, err := w.c.one("SELECT n, chain FROM event ORDER BY n DESC LIMIT 1", func(row []driver.Value) {
		w.n = uint64(asInt(row[0]))
		copy(w.chain[:], asBytes(row[1]))
	})
	if err != nil {
		return err
	}
	w.version, w.fresh = version, true
	return nil
}

// end is called by Close, after run.
func (w *writer) end() error {
	var errs []error
	if w.db.owner {
		errs = append(errs, w.checkpoint())
		if w.db.health.Load() == nil {
			if _, err := w.c.exec("UPDATE meta SET value = '0' WHERE name = 'running'"); err != nil {
				errs = append(errs, fmt.Errorf("marking the database as closed: %w", err))
			}
		}
	}
	if f := w.db.health.Load(); f != nil {
		errs = append(errs, f)
	}
	if w.checkpoints != nil {
		errs = append(errs, w.checkpoints.Close())
	}
	if w.c != nil {
		errs = append(errs, w.c.close())
	}
	return errors.Join(errs...)
}

// failure says why promises are refused. It is store.ErrUnavailable, and its cause.
type failure struct {
	since  time.Time
	cause  error
	advice string
}

func (f *failure) Error() string {
	if f.since.IsZero() {
		return fmt.Sprintf("the store cannot write: %v; %s", f.cause, f.advice)
	}
	return fmt.Sprintf("the store cannot write since %s: %v; %s", f.since.UTC().Format(time.RFC3339), f.cause, f.advice)
}

func (f *failure) Unwrap() []error { return []error{store.ErrUnavailable, f.cause} }

// Healthy returns nil, or why promises are refused now and what to do. The store
// tries again by itself, each Options.Probe.
func (db *DB) Healthy() error {
	if f := db.health.Load(); f != nil {
		return f
	}
	select {
	case <-db.stop:
		return errClosed()
	default:
		return nil
	}
}

// failed begins an outage, or goes on with it.
func (w *writer) failed(cause error) {
	old := w.db.health.Load()
	if old != nil && old.cause.Error() == cause.Error() {
		return
	}
	f := &failure{since: w.db.o.Now(), cause: cause, advice: advice(cause, w.db.o.Path)}
	if old != nil {
		f.since = old.since
	}
	w.db.health.Store(f)
	w.db.log.Error("the store cannot write; promises are refused", "cause", cause, "advice", f.advice)
}

// probe tries whether a failed store writes again: on a new connection, since the old
// one may stand on a file that is gone.
func (w *writer) probe() {
	f := w.db.health.Load()
	if f == nil {
		return
	}
	if err := w.reopen(); err != nil {
		w.failed(err)
		return
	}
	w.group, w.results = w.group[:0], w.results[:0]
	o := &op{done: make(chan error, 1), do: func(w *writer) error {
		_, err := w.c.exec("INSERT OR REPLACE INTO meta VALUES ('probe', ?)", w.db.o.Now())
		return err
	}}
	w.group, w.results = append(w.group, o), append(w.results, nil)
	err := w.transact(&taken{})
	if err == nil {
		err = w.results[0]
	}
	if err == nil {
		t := w.db.notes.take()
		w.group, w.results = w.group[:0], w.results[:0]
		if err = w.transact(&t); err != nil {
			w.db.notes.putBack(t, err.Error())
		}
	}
	if err != nil {
		w.failed(err)
		return
	}
	w.db.health.Store(nil)
	w.db.log.Info("the store writes again", "down", w.db.o.Now().Sub(f.since))
}

// reopen makes a new connection; until that succeeds there is none.
func (w *writer) reopen() error {
	if w.c != nil {
		w.c.close()
		w.c = nil
	}
	w.fresh = false
	c, err := openConn(w.db.o.Path, "rw")
	if err != nil {
		return err
	}
	var id string
	_, err = c.one("SELECT value FROM meta WHERE name = 'id'", func(row []driver.Value) { id = asText(row[0]) })
	if err == nil && id != w.db.id {
		err = fmt.Errorf("another database was put in place of %s", w.db.o.Path)
	}
	if err != nil {
		c.close()
		return err
	}
	w.c = c
	return nil
}

func (w *writer) fault(point string) error {
	if w.db.o.Fault == nil {
		return nil
	}
	if err := w.db.o.Fault(point); err != nil {
		return faultError{err}
	}
	return nil
}

// faultError marks an injected error as the disk's.
type faultError struct{ error }

func (f faultError) Unwrap() error { return f.error }

// isDisk tells an error that concerns everybody from one of a single op.
func isDisk(err error) bool {
	var f faultError
	if errors.As(err, &f) {
		return true
	}
	var e sqlite3.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case sqlite3.ErrConstraint, sqlite3.ErrMismatch, sqlite3.ErrTooBig, sqlite3.ErrRange, sqlite3.ErrMisuse, sqlite3.ErrError:
		return false
	}
	return true
}

// advice says what an operator can do about a failure.
func advice(cause error, path string) string {
	var e sqlite3.Error
	errors.As(cause, &e)
	switch e.Code {
	case sqlite3.ErrFull:
		return "free space on the disk of " + path
	case sqlite3.ErrReadonly, sqlite3.ErrPerm, sqlite3.ErrCantOpen, sqlite3.ErrAuth:
		return "see that " + path + " and its folder can be written, and that the disk is not mounted read-only"
	case sqlite3.ErrBusy, sqlite3.ErrLocked:
		return "end the other program that holds " + path
	case sqlite3.ErrCorrupt, sqlite3.ErrNotADB:
		return "stop the server and restore " + path + " from a copy"
	}
	return "look at the disk of " + path + " and at the kernel's log"
}
