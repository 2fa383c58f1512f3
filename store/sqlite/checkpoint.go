package sqlite

import (
	"bytes"
	"database/sql/driver"
	"fmt"
	"io"
	"os"

	"tandem/store"
)

// start opens the file of checkpoints. A line torn by a crash or a full disk is cut
// off: it was never acknowledged.
func (w *writer) start() error {
	if w.db.o.Checkpoints == "" || !w.db.owner {
		return nil
	}
	f, err := os.OpenFile(w.db.o.Checkpoints, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("opening the file of checkpoints: %w", err)
	}
	w.checkpoints = f
	if err := w.cutTorn(); err != nil {
		return fmt.Errorf("opening the file of checkpoints: %w", err)
	}
	return syncDir(w.db.o.Checkpoints)
}

// cutTorn leaves the file at the end of its last whole line.
func (w *writer) cutTorn() error {
	size, err := w.checkpoints.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	tail := make([]byte, min(size, 4096)) // longer than any line
	if _, err := w.checkpoints.ReadAt(tail, size-int64(len(tail))); err != nil && err != io.EOF {
		return err
	}
	torn := int64(len(tail) - 1 - bytes.LastIndexByte(tail, '\n'))
	if torn == 0 {
		return nil
	}
	w.db.log.Warn("cut an unfinished line off the file of checkpoints", "bytes", torn)
	if err := w.checkpoints.Truncate(size - torn); err != nil {
		return err
	}
	_, err = w.checkpoints.Seek(0, io.SeekEnd)
	return err
}

// tick does what falls due each Options.CheckpointEvery.
func (w *writer) tick() {
	if w.db.health.Load() != nil || !w.db.owner {
		return
	}
	w.writeGroup(nil)
	if err := w.checkpoint(); err != nil {
		w.db.log.Error("checkpoint not written; it is tried again with the next", "error", err)
	}
	before := w.db.o.Now().Add(-keepDone)
	sweep := &op{done: make(chan error, 1), do: func(w *writer) error {
		for _, q := range []string{
			"DELETE FROM done WHERE key IN (SELECT key FROM done WHERE at < ? LIMIT 10000)",
			"DELETE FROM outbox WHERE no IN (SELECT no FROM outbox WHERE (state = 'delivered' OR state = 'dead' AND kind = '" + store.KindHook + "') AND next < ? LIMIT 10000)",
		} {
			if _, err := w.c.exec(q, before); err != nil {
				return err
			}
		}
		return nil
	}}
	w.writeGroup(sweep)
	if err := <-sweep.done; err != nil {
		w.db.log.Error("old idempotency keys not swept", "error", err)
	}
}

// checkpoint signs how far the journal has come, if it has moved. What is signed is
// durable already: every transaction is, before the next begins. The database is told
// afterwards how far the file goes, so that a file cut short is noticed.
func (w *writer) checkpoint() error {
	if w.checkpoints == nil || w.db.health.Load() != nil {
		return nil
	}
	if err := w.fault("checkpoint"); err != nil {
		return err
	}
	var n uint64
	var chain store.Hash
	// Read, not taken from the writer's cache: another process may have written.
	if _, err := w.c.one("SELECT n, chain FROM event ORDER BY n DESC LIMIT 1", func(row []driver.Value) {
		n = uint64(asInt(row[0]))
		copy(chain[:], asBytes(row[1]))
	}); err != nil {
		return err
	}
	if n == w.signed {
		return nil
	}
	line, err := w.db.o.Keys.Checkpoint(w.db.id, n, chain, w.db.o.Now())
	if err != nil {
		return err
	}
	if _, err := w.checkpoints.Write(append(line, '\n')); err != nil {
		if cut := w.cutTorn(); cut != nil {
			err = fmt.Errorf("%w; and cutting the torn line off: %w", err, cut)
		}
		return fmt.Errorf("writing a checkpoint: %w", err)
	}
	if err := w.checkpoints.Sync(); err != nil {
		return fmt.Errorf("writing a checkpoint: %w", err)
	}
	w.signed = n
	_, err = w.c.exec("INSERT OR REPLACE INTO meta VALUES ('signed', ?)", n)
	return err
}
