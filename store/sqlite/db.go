// Package sqlite keeps the journal and all records in one SQLite file.
//
// It owns the database file, its lock file, the file of checkpoints and, through
// store/blob, the folder of objects. A DB opened for writing runs one goroutine, the
// writer: it alone writes, and joins what waits into one durable transaction. Reads go
// over connections of their own and see the last finished transaction. One process
// serves a database; others may read it beside (OpenReader), or make single changes
// (Options.Beside): the writer notices and reads its cached heads and keys again.
//
// It never acknowledges a promise that is not on the disk, never writes a person's
// data unsealed, and never changes or removes an event.
package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"tandem"
	"tandem/store"
	"tandem/store/blob"
)

// Defaults and bounds.
const (
	defaultCheckpointEvery = time.Minute
	defaultFlush           = 200 * time.Millisecond
	defaultProbe           = time.Second
	maxWaiting             = 1024             // changes waiting for the writer; more wait outside, for as long as their context lets them
	maxGroup               = 256              // changes in one transaction
	maxKept                = 10_000           // happenings in memory; more are counted and reported as a gap
	maxSettled             = 4096             // settled changes that find room beside those: a call has two or three
	maxEntries             = 8192             // interactions whose head the writer keeps at hand
	maxKeys                = 8192             // unwrapped customers' keys at hand
	readers                = 4                // connections for reading
	keepDone               = 72 * time.Hour   // how long idempotency keys and delivered letters are kept
	busyFor                = 15 * time.Second // how long Erase waits for readers of old content
)

// Options says where a database lies and how it is kept.
type Options struct {
	Path        string         // of the database; its folder must exist, on a local disk
	Checkpoints string         // file of signed checkpoints, better on another disk; "" keeps none
	Keys        *store.Keyring // required
	Blobs       *blob.Dir      // objects heard or seen; nil refuses changes that have some
	Beside      bool           // another process may be serving: open all the same, for single changes

	Log             *slog.Logger     // slog.Default if nil
	Now             func() time.Time // time.Now if nil
	Random          io.Reader        // crypto/rand if nil
	CheckpointEvery time.Duration    // default one minute
	Flush           time.Duration    // the longest a happening trails; default 200 ms
	Probe           time.Duration    // how often a failed store is tried again; default one second
	// Letters is asked, in the writer, for what is to be sent of each event of a change, and
	// of an erasure: it is sent if the event is written, else not. Happenings that were noted
	// are not among them. It answers at once, calls no method of the DB, and puts nothing
	// personal into what it returns. nil sends nothing.
	Letters func(e *tandem.Event, about store.About) []store.Outgoing

	Panicked func(p any)              // told of a panic that failed one change, where it happened; nil logs it
	Fault    func(point string) error // for tests: asked before "begin", "commit" and "checkpoint"; an error is taken as the disk's
}

// DB is an open database. Its methods are safe for concurrent use.
type DB struct {
	o      Options
	log    *slog.Logger
	id     string // the database's own
	owner  bool   // this process serves the database
	reader bool   // opened by OpenReader
	lock   *os.File
	pool   *sql.DB // for reading
	keys   keyCache

	unfinished []store.Unfinished // found at start

	ops      chan *op
	notes    notes
	health   atomic.Pointer[failure] // nil = well
	stop     chan struct{}           // closed by Close
	stopped  chan struct{}           // closed by the writer when it has ended
	closing  sync.Once
	closeErr error
	w        *writer
}

// Open opens a database for writing, making it if there is none. It refuses a network
// file system, a schema newer than its own (store.ErrNewerSchema), a database another
// process serves (store.ErrInUse, unless Options.Beside), and, after a dirty stop, one
// that does not pass SQLite's check (store.ErrDamaged).
func Open(ctx context.Context, o Options) (*DB, error) { return open(ctx, o, migrations()) }

func open(ctx context.Context, o Options, steps []string) (_ *DB, err error) {
	db, err := newDB(o)
	if err != nil {
		return nil, err
	}
	if err := refuseNetwork(filepath.Dir(o.Path)); err != nil {
		return nil, err
	}
	if db.lock, err = takeLock(o.Path + ".lock"); err == nil {
		db.owner = true
	} else if !o.Beside || !errors.Is(err, store.ErrInUse) {
		return nil, err
	}
	defer func() {
		if err != nil {
			db.release()
		}
	}()
	if err := makeFile(o.Path); err != nil {
		return nil, err
	}
	c, err := openConn(o.Path, "rwc")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	if err := db.prepare(ctx, c, steps); err != nil {
		return nil, err
	}
	db.w = newWriter(db, c)
	if err := db.w.start(); err != nil {
		return nil, err
	}
	go db.w.run()
	return db, nil
}

// prepare makes the database fit for work before the writer has it.
func (db *DB) prepare(ctx context.Context, c *conn, steps []string) error {
	if err := db.migrate(c, steps); err != nil {
		return err
	}
	if err := db.identify(c); err != nil {
		return err
	}
	if err := db.checkMaster(c); err != nil {
		return err
	}
	if db.owner {
		if err := db.afterDirtyStop(c); err != nil {
			return err
		}
		if err := db.freeLent(c); err != nil {
			return err
		}
	}
	if err := db.openPool(ctx); err != nil {
		return err
	}
	if !db.owner {
		return nil
	}
	var err error
	if db.unfinished, err = db.readUnfinished(ctx); err != nil {
		return err
	}
	return db.sweepBlobs(ctx)
}

// OpenReader opens a database for reading only, beside the process that serves it or
// alone. Methods that write return store.ErrUnavailable.
func OpenReader(ctx context.Context, o Options) (*DB, error) {
	db, err := newDB(o)
	if err != nil {
		return nil, err
	}
	db.reader = true
	if _, err := os.Stat(o.Path); err != nil {
		return nil, fmt.Errorf("there is no database: %w", err)
	}
	if err := refuseNetwork(filepath.Dir(o.Path)); err != nil {
		return nil, err
	}
	c, err := openConn(o.Path, "ro")
	if err != nil {
		return nil, err
	}
	defer c.close()
	if err := db.migrate(c, migrations()); err != nil {
		return nil, err
	}
	if err := db.identify(c); err != nil {
		return nil, err
	}
	if err := db.checkMaster(c); err != nil {
		return nil, err
	}
	if err := db.openPool(ctx); err != nil {
		return nil, err
	}
	db.health.Store(&failure{cause: errors.New("opened for reading only"), advice: "run this where it may write"})
	close(db.stopped)
	return db, nil
}

func newDB(o Options) (*DB, error) {
	if o.Path == "" || o.Keys == nil {
		return nil, errors.New("sqlite: Options need Path and Keys")
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.CheckpointEvery <= 0 {
		o.CheckpointEvery = defaultCheckpointEvery
	}
	if o.Flush <= 0 {
		o.Flush = defaultFlush
	}
	if o.Probe <= 0 {
		o.Probe = defaultProbe
	}
	db := &DB{o: o, log: o.Log.With("store", o.Path), ops: make(chan *op, maxWaiting),
		stop: make(chan struct{}), stopped: make(chan struct{})}
	db.notes.init()
	db.keys.init(o.Keys)
	return db, nil
}

// checkMaster refuses a master key that is not the one the database was made with:
// going on would lose what is written under the wrong one.
func (db *DB) checkMaster(c *conn) error {
	const place = "check"
	var sealed []byte
	found, err := c.one("SELECT value FROM meta WHERE name = 'check'", func(row []driver.Value) { sealed = asBytes(row[0]) })
	if err != nil {
		return err
	}
	if !found && db.owner {
		if sealed, err = db.o.Keys.System().Seal(db.o.Random, []byte(db.id), []byte(place)); err != nil {
			return err
		}
		_, err = c.exec("INSERT INTO meta VALUES ('check', ?)", sealed)
		return err
	}
	if plain, err := db.o.Keys.System().Open(sealed, []byte(place)); err != nil || string(plain) != db.id {
		return fmt.Errorf("%s was made with another master key: give the one it was made with", db.o.Path)
	}
	return nil
}

// afterDirtyStop looks whether the last process stopped in order and checks the file
// if not; then it marks the database as running.
func (db *DB) afterDirtyStop(c *conn) error {
	running := false
	if _, err := c.one("SELECT value FROM meta WHERE name = 'running'", func(row []driver.Value) { running = asText(row[0]) == "1" }); err != nil {
		return err
	}
	if running {
		begun := time.Now()
		var faults []string
		err := c.each("PRAGMA quick_check(10)", func(row []driver.Value) error {
			faults = append(faults, asText(row[0]))
			return nil
		})
		if err != nil {
			return fmt.Errorf("checking the database after a dirty stop: %w", err)
		}
		if len(faults) != 1 || faults[0] != "ok" {
			return fmt.Errorf("%s does not pass SQLite's check after a dirty stop (%d faults, first: %s): restore a copy, or recover with sqlite3 .recover: %w",
				db.o.Path, len(faults), faults[0], store.ErrDamaged)
		}
		db.log.Warn("database was not closed in order; it passed its check", "took", time.Since(begun))
	}
	_, err := c.exec("INSERT OR REPLACE INTO meta VALUES ('running', '1')")
	return err
}

func (db *DB) openPool(ctx context.Context) error {
	pool, err := sql.Open("sqlite3", dsn(db.o.Path, "ro"))
	if err != nil {
		return fmt.Errorf("opening %s for reading: %w", db.o.Path, err)
	}
	pool.SetMaxOpenConns(readers)
	pool.SetMaxIdleConns(readers)
	if err := pool.PingContext(ctx); err != nil {
		pool.Close()
		return fmt.Errorf("opening %s for reading: %w", db.o.Path, err)
	}
	db.pool = pool
	return nil
}

// Close writes what was noted, signs a last checkpoint and closes the files. What
// comes later is refused with store.ErrUnavailable.
func (db *DB) Close() error {
	db.closing.Do(func() {
		close(db.stop)
		<-db.stopped
		db.shut()
		// Readers first: the last to close folds the write-ahead log into the database.
		db.closeErr = db.pool.Close()
		if db.w != nil {
			db.closeErr = errors.Join(db.closeErr, db.w.end())
		}
		db.closeErr = errors.Join(db.closeErr, db.release())
	})
	return db.closeErr
}

func (db *DB) release() error {
	var errs []error
	if db.pool != nil {
		errs = append(errs, db.pool.Close())
	}
	if db.lock != nil {
		errs = append(errs, db.lock.Close()) // which unlocks it
	}
	db.keys.wipe()
	return errors.Join(errs...)
}

// makeFile makes an empty database that only its owner can read.
func makeFile(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	return syncDir(path)
}

// syncDir makes a file's name durable.
func syncDir(path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
