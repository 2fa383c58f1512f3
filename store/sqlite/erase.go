package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/mattn/go-sqlite3"

	"tandem"
	"tandem/store"
)

// Erase destroys a person's data, of all customers merged with this one: the keys first
// of all, and with them whatever they sealed; then names, sessions, letters
// and objects. The journal stays whole, and says in each of the person's interactions who
// did it and why; why must name nobody. When it returns nil, the old content is gone from
// the database's files too. If it fails after the keys are destroyed the error says so,
// and calling it again finishes the work.
func (db *DB) Erase(ctx context.Context, customer tandem.CustomerID, actor, why string) error {
	var blobs []tandem.BlobID
	var all []tandem.CustomerID
	err := db.write(ctx, func(w *writer) (err error) {
		blobs, all = nil, nil
		err = w.c.each("SELECT id FROM customer WHERE no IN ("+person+")", func(row []driver.Value) error {
			all = append(all, tandem.CustomerID(asText(row[0])))
			return nil
		}, string(customer))
		if err == nil && len(all) == 0 {
			return store.ErrNotFound
		}
		for _, one := range all {
			if err == nil {
				var of []tandem.BlobID
				of, err = w.erase(one, actor, why)
				blobs = append(blobs, of...)
			}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("erasing customer %s: %w", customer, err)
	}
	var errs []error
	for _, id := range blobs {
		if db.o.Blobs != nil {
			errs = append(errs, db.o.Blobs.Remove(id))
		}
	}
	for _, one := range all {
		errs = append(errs, db.eraseInCopies(one))
	}
	errs = append(errs, db.cutLog(ctx))
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("customer %s is erased, but traces may be left; erase again to finish: %w", customer, err)
	}
	return nil
}

// erase does the work for one customer inside the transaction and returns the objects
// whose files go. For one erased before, only that.
func (w *writer) erase(customer tandem.CustomerID, actor, why string) ([]tandem.BlobID, error) {
	var no, erased int64
	if _, err := w.c.one("SELECT no, erased FROM customer WHERE id = ?", func(row []driver.Value) {
		no, erased = asInt(row[0]), asInt(row[1])
	}, string(customer)); err != nil {
		return nil, err
	}
	var blobs []tandem.BlobID
	err := w.c.each("SELECT b.id FROM blob b JOIN interaction i ON i.no = b.interaction WHERE i.customer = ?", func(row []driver.Value) error {
		blobs = append(blobs, tandem.BlobID(asText(row[0])))
		return nil
	}, no)
	if err != nil || erased != 0 {
		return blobs, err
	}
	var interactions []tandem.InteractionID
	err = w.c.each("SELECT id FROM interaction WHERE customer = ? ORDER BY no", func(row []driver.Value) error {
		interactions = append(interactions, tandem.InteractionID(asText(row[0])))
		return nil
	}, no)
	if err != nil {
		return nil, err
	}
	now := w.db.o.Now()
	for _, id := range interactions {
		in, err := w.entry(id)
		if err != nil {
			return nil, err
		}
		e := tandem.NewEvent(id, "", now, tandem.EventErased, actor, tandem.Audit{Why: why})
		if err := w.append(in, &e); err != nil {
			return nil, err
		}
		if err := w.letters(in, []tandem.Event{e}, nil, now); err != nil {
			return nil, err
		}
	}
	if _, err := w.c.exec("UPDATE customer SET key = NULL, erased = ? WHERE no = ?", now, no); err != nil {
		return nil, err
	}
	const theirs = "(SELECT no FROM interaction WHERE customer = ?)"
	for _, q := range []string{
		"DELETE FROM identity WHERE customer = ?",
		"DELETE FROM session WHERE interaction IN " + theirs,
		"DELETE FROM outbox WHERE interaction IN " + theirs,
		"UPDATE leg SET parties = NULL WHERE interaction IN " + theirs,
		"UPDATE blob SET key = NULL WHERE interaction IN " + theirs,
		"UPDATE identity_check SET data = NULL, state = 'erased', officer = '' WHERE interaction IN " + theirs,
	} {
		if _, err := w.c.exec(q, no); err != nil {
			return nil, err
		}
	}
	// By what other packages find the person, and what opens things of theirs: their own
	// widgets and pages are strangers' from now on, as their number is.
	for _, q := range []string{
		"DELETE FROM chat_token WHERE conversation IN (SELECT no FROM chat_conversation WHERE customer = ?)",
		"UPDATE chat_conversation SET peer = NULL WHERE customer = ?",
		"DELETE FROM link_token WHERE link IN (SELECT no FROM link WHERE customer = ?)",
		"UPDATE link SET code = NULL, browser = NULL WHERE customer = ?",
		"DELETE FROM ticket_link WHERE ticket IN (SELECT no FROM ticket WHERE customer = ?)",
		"DELETE FROM role_link WHERE interaction IN (SELECT i.id FROM interaction i JOIN customer c ON c.no = i.customer WHERE c.id = ?)",
		"UPDATE survey SET state = 'given_up' WHERE customer = ? AND state = 'waiting'",
	} {
		if _, err := w.c.exec(q, string(customer)); err != nil {
			return nil, err
		}
	}
	if err := w.closeErased(no, string(customer), now); err != nil {
		return nil, err
	}
	w.touched = true
	w.entries.wipe()
	w.db.keys.wipe()
	return blobs, nil
}

// closeErased closes what nobody goes on with any more: links, and interactions without a
// call, which ends by itself.
func (w *writer) closeErased(no int64, customer string, now time.Time) error {
	const open = `(SELECT i.no FROM interaction i WHERE i.customer = ? AND i.ended = 0
		AND NOT EXISTS (SELECT 1 FROM leg l WHERE l.interaction = i.no AND l.ended = 0 AND l.kind IN ('sip', 'webrtc')))`
	if _, err := w.c.exec("UPDATE link SET state = ?, over = ? WHERE customer = ? AND over = 0", string(tandem.LinkRevoked), now, customer); err != nil {
		return err
	}
	t := tandem.Terminate(tandem.BySystem, tandem.ReasonCompleted)
	_, err := w.c.exec("UPDATE leg SET ended = ?, ended_by = ?, class = ?, reason = ? WHERE ended = 0 AND interaction IN "+open,
		now, string(t.By), string(t.Class), string(t.Reason), no)
	if err == nil {
		_, err = w.c.exec("UPDATE interaction SET ended = ?, outcome = 'erased' WHERE no IN "+open, now, no)
	}
	if err == nil {
		_, err = w.c.exec("UPDATE interaction AS i SET state = "+stateOf+" WHERE customer = ?", no)
	}
	return err
}

// eraseInCopies destroys the key, and what the person can be found by, in the copies
// made before schema changes.
func (db *DB) eraseInCopies(customer tandem.CustomerID) error {
	beside, err := os.ReadDir(filepath.Dir(db.o.Path)) // not a pattern: the path may hold its signs
	if err != nil {
		return fmt.Errorf("looking for copies of the database: %w", err)
	}
	var errs []error
	for _, f := range beside {
		number, is := strings.CutPrefix(f.Name(), filepath.Base(db.o.Path)+copySuffix)
		if _, err := strconv.Atoi(number); is && err == nil {
			errs = append(errs, eraseInCopy(filepath.Join(filepath.Dir(db.o.Path), f.Name()), customer))
		}
	}
	return errors.Join(errs...)
}

func eraseInCopy(path string, customer tandem.CustomerID) error {
	c, err := openConn(path, "rw")
	if err != nil {
		return err
	}
	var errs []error
	for _, q := range []string{
		"UPDATE customer SET key = NULL WHERE id = ?",
		"DELETE FROM identity WHERE customer = (SELECT no FROM customer WHERE id = ?)",
	} {
		if _, err := c.exec(q, string(customer)); err != nil {
			errs = append(errs, fmt.Errorf("erasing in the copy %s: %w", path, err))
		}
	}
	return errors.Join(append(errs, c.close())...) // closing folds the log into the copy
}

// cutLog moves the write-ahead log into the database and cuts it to nothing: until
// then it has pages as they were. It waits for readers that still look at those, trying
// again and again: waiting inside SQLite would hold up the writer all the while.
func (db *DB) cutLog(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, busyFor)
	defer cancel()
	c, err := openConn(db.o.Path, "rw")
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.script("PRAGMA busy_timeout = 0"); err != nil {
		return err
	}
	for {
		busy := true
		_, err := c.one("PRAGMA wal_checkpoint(TRUNCATE)", func(row []driver.Value) { busy = asInt(row[0]) != 0 })
		if err == nil && !busy {
			return nil
		}
		if e, ok := err.(sqlite3.Error); ok && e.Code != sqlite3.ErrBusy && e.Code != sqlite3.ErrLocked {
			return fmt.Errorf("cutting the write-ahead log: %w", err)
		}
		select {
		case <-ctx.Done():
			return errors.New("the write-ahead log is in use by a reader")
		case <-time.After(20 * time.Millisecond):
		}
	}
}
