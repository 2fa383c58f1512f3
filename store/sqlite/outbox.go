package sqlite

import (
	"bytes"
	"context"
	"database/sql/driver"
	"fmt"
	"time"

	"github.com/mattn/go-sqlite3"

	"tandem"
	"tandem/store"
)

// post puts an outside effect into the outbox. Target and body are sealed under the
// customer's key, or the store's own where no interaction is concerned. What would
// tell of an erased customer is not sent: it is dropped, and the change goes on.
func (w *writer) post(in *entry, o *store.Outgoing, now time.Time) error {
	if o.Key == "" || o.Kind == "" {
		return fmt.Errorf("an outgoing without key or kind: %w", store.ErrInvalid)
	}
	key, no := w.db.o.Keys.System(), any(nil)
	if in != nil {
		key, no = in.key, in.no
	}
	if key == nil {
		w.db.log.Warn("outgoing dropped: its customer is erased", "key", o.Key, "kind", o.Kind)
		return nil
	}
	if o.Again {
		if _, err := w.c.exec("DELETE FROM outbox WHERE key = ? AND state <> 'waiting'", o.Key); err != nil {
			return err
		}
	}
	letter, err := key.Seal(w.random, append([]byte(o.Target+"\x00"), o.Body...), []byte("letter "+o.Key))
	if err != nil {
		return err
	}
	_, err = w.c.exec("INSERT INTO outbox (key, interaction, kind, letter, state, made, next) VALUES (?, ?, ?, ?, 'waiting', ?, ?)",
		o.Key, no, o.Kind, letter, now, now)
	if e, ok := err.(sqlite3.Error); ok && e.ExtendedCode == sqlite3.ErrConstraintUnique {
		if o.Again {
			return nil
		}
		return fmt.Errorf("outgoing %s: %w", o.Key, store.ErrDuplicate)
	}
	return err
}

// letterColumns are read by letter, in this order.
const letterColumns = `o.no, o.key, o.kind, o.letter, o.state, o.attempts, o.made, o.next, o.error, i.id, c.no, c.id, c.key
	FROM outbox o LEFT JOIN interaction i ON i.no = o.interaction LEFT JOIN customer c ON c.no = i.customer `

// letter reads a row of letterColumns.
func (db *DB) letter(row []driver.Value) (no int64, l store.Letter, body []byte, err error) {
	no = asInt(row[0])
	l = store.Letter{Key: asText(row[1]), Kind: asText(row[2]), State: store.LetterState(asText(row[4])), Attempts: int(asInt(row[5])),
		Made: fromNanos(asInt(row[6])), Interaction: tandem.InteractionID(asText(row[9]))}
	if l.State == store.LetterWaiting {
		l.Next = fromNanos(asInt(row[7]))
	}
	key := db.o.Keys.System()
	if l.Interaction != "" {
		if key, err = db.keys.get(asInt(row[10]), asText(row[11]), asBytes(row[12])); err != nil || key == nil {
			return no, l, nil, err
		}
	}
	if sealed := asBytes(row[3]); sealed != nil {
		plain, err := key.Open(sealed, []byte("letter "+l.Key))
		if err != nil {
			return no, l, nil, fmt.Errorf("outgoing %s: %w", l.Key, err)
		}
		target, rest, _ := bytes.Cut(plain, []byte{0})
		l.Target, body = string(target), rest
	}
	if sealed := asBytes(row[8]); sealed != nil {
		text, err := key.Open(sealed, []byte("error "+l.Key))
		if err != nil {
			return no, l, nil, fmt.Errorf("outgoing %s: %w", l.Key, err)
		}
		l.Error = string(text)
	}
	return no, l, body, nil
}

// Lease lends at most max outgoings whose time has come to a worker, the oldest first.
// What is not answered with Delivered or Failed in time is lent again. One that cannot
// be opened holds up no other: it goes to the dead letters.
func (db *DB) Lease(ctx context.Context, max int, lease time.Duration) ([]store.Leased, error) {
	return db.lease(ctx, "o.kind <> ?", "", max, lease)
}

// Share is a part of the outbox, for a worker of its own: so that receivers who are slow
// hold up none of the others.
type Share struct {
	*DB
	which, kind string
}

// Only is the part of one kind, But all that are of other kinds.
func (db *DB) Only(kind string) Share { return Share{db, "o.kind = ?", kind} }
func (db *DB) But(kind string) Share  { return Share{db, "o.kind <> ?", kind} }

// Lease lends as DB.Lease does, of this part.
func (s Share) Lease(ctx context.Context, max int, lease time.Duration) ([]store.Leased, error) {
	return s.lease(ctx, s.which, s.kind, max, lease)
}

func (db *DB) lease(ctx context.Context, which, kind string, max int, lease time.Duration) ([]store.Leased, error) {
	var out []store.Leased
	// An idle outbox costs a read, not a transaction.
	var due bool
	err := db.pool.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM outbox o WHERE o.state = 'waiting' AND o.next <= ? AND "+which+")", nanos(db.o.Now()), kind).Scan(&due)
	if err != nil {
		return nil, fmt.Errorf("looking into the outbox: %w", err)
	}
	if !due {
		return nil, nil
	}
	err = db.write(ctx, func(w *writer) error {
		now := w.db.o.Now()
		until := now.Add(lease)
		var nos, damaged []int64
		err := w.c.each("SELECT "+letterColumns+"WHERE o.state = 'waiting' AND o.next <= ? AND "+which+" ORDER BY o.next LIMIT ?", func(row []driver.Value) error {
			no, l, body, err := db.letter(row)
			if err != nil {
				db.log.Error("an outgoing cannot be opened; it is among the dead letters", "kind", l.Kind, "error", err)
				damaged = append(damaged, no)
				return nil
			}
			nos = append(nos, no)
			out = append(out, store.Leased{Outgoing: store.Outgoing{Key: l.Key, Kind: l.Kind, Target: l.Target, Body: body},
				Interaction: l.Interaction, Attempt: l.Attempts + 1, Until: until})
			return nil
		}, now, kind, max)
		for _, no := range damaged {
			if err == nil {
				_, err = w.c.exec("UPDATE outbox SET state = 'dead', next = ? WHERE no = ?", now, no)
			}
		}
		for _, no := range nos {
			if err == nil {
				_, err = w.c.exec("UPDATE outbox SET attempts = attempts + 1, next = ?, lent = 1 WHERE no = ?", until, no)
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// freeLent has what a process that is gone had lent wait no longer: nobody else can be at
// work on it, and a caller may be waiting for that text.
func (db *DB) freeLent(c *conn) error {
	if _, err := c.exec("UPDATE outbox SET next = ?, lent = 0 WHERE state = 'waiting' AND lent = 1", db.o.Now()); err != nil {
		return fmt.Errorf("taking back what was lent from the outbox: %w", err)
	}
	return nil
}

// Delivered ends an outgoing: its content is dropped, and the journal says so once,
// however often this is called.
func (db *DB) Delivered(ctx context.Context, key string) error {
	return db.settle(ctx, key, "UPDATE outbox SET state = 'delivered', next = ?, letter = NULL, error = NULL WHERE no = ?", tandem.EventOutboxDone, nil, db.o.Now())
}

// Failed puts an outgoing back until retryAt. The zero time gives it up: it goes to
// the dead letters, and the journal says so.
func (db *DB) Failed(ctx context.Context, key string, cause error, retryAt time.Time) error {
	if retryAt.IsZero() {
		return db.settle(ctx, key, "UPDATE outbox SET state = 'dead', next = ? WHERE no = ?", tandem.EventOutboxDead, cause, db.o.Now())
	}
	return db.settle(ctx, key, "UPDATE outbox SET next = ?, lent = 0 WHERE no = ?", "", cause, retryAt)
}

// settle changes a waiting outgoing, notes the cause and writes an event of kind, if
// it is not "". One that waits no more is left as it is.
func (db *DB) settle(ctx context.Context, key, update string, kind tandem.EventKind, cause error, at time.Time) error {
	return db.write(ctx, func(w *writer) error {
		var no int64
		var l store.Letter
		var readErr error
		found, err := w.c.one("SELECT "+letterColumns+"WHERE o.key = ?", func(row []driver.Value) {
			no, l, _, readErr = db.letter(row)
		}, key)
		if err = firstError(err, readErr); err != nil {
			return err
		}
		if !found {
			return fmt.Errorf("outgoing %s: %w", key, store.ErrNotFound)
		}
		if l.State != store.LetterWaiting {
			return nil
		}
		if _, err := w.c.exec(update, at, no); err != nil {
			return err
		}
		var in *entry
		if l.Interaction != "" {
			if in, err = w.entry(l.Interaction); err != nil {
				return err
			}
		}
		said := ""
		if cause != nil {
			said = cause.Error()
			if err := w.keepError(in, no, key, said); err != nil {
				return err
			}
		}
		if kind == "" || in == nil {
			return nil
		}
		e := tandem.NewEvent(l.Interaction, "", w.db.o.Now(), kind, "system", tandem.Delivery{Key: key, Attempts: l.Attempts, Error: said})
		return w.append(in, &e)
	})
}

func (w *writer) keepError(in *entry, no int64, outgoing, text string) error {
	key := w.db.o.Keys.System()
	if in != nil {
		key = in.key
	}
	if key == nil {
		return nil
	}
	sealed, err := key.Seal(w.random, []byte(text), []byte("error "+outgoing))
	if err != nil {
		return err
	}
	_, err = w.c.exec("UPDATE outbox SET error = ? WHERE no = ?", sealed, no)
	return err
}

// Revive makes a dead letter wait again, with its tries counted from the start. One
// that cannot be opened is refused with store.ErrDamaged: no try can deliver it.
func (db *DB) Revive(ctx context.Context, key string) error {
	return db.write(ctx, func(w *writer) error {
		var readErr error
		_, err := w.c.one("SELECT "+letterColumns+"WHERE o.key = ? AND o.state = 'dead'", func(row []driver.Value) {
			_, _, _, readErr = db.letter(row)
		}, key)
		if err != nil {
			return err
		}
		if readErr != nil {
			return fmt.Errorf("it cannot be opened and stays given up: %w: %w", store.ErrDamaged, readErr)
		}
		n, err := w.c.exec("UPDATE outbox SET state = 'waiting', attempts = 0, next = ?, lent = 0 WHERE key = ? AND state = 'dead' AND letter IS NOT NULL", w.db.o.Now(), key)
		if err == nil && n == 0 {
			return fmt.Errorf("no dead letter has the key %s: %w", key, store.ErrNotFound)
		}
		return err
	})
}

// Outbox lists what waits, what was given up and, for 72 hours, what was delivered:
// the newest first, at most 1000.
func (db *DB) Outbox(ctx context.Context) ([]store.Letter, error) {
	var out []store.Letter
	err := db.each(ctx, db.pool, "SELECT "+letterColumns+"ORDER BY o.no DESC LIMIT 1000", func(row []driver.Value) error {
		_, l, _, err := db.letter(row)
		if err != nil {
			l.Error = err.Error()
		}
		out = append(out, l)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the outbox: %w", err)
	}
	return out, nil
}

// LettersUnder lists the outgoings whose keys begin with prefix, the greatest key first: at
// most limit, and with before only those whose key is less.
func (db *DB) LettersUnder(ctx context.Context, prefix, before string, limit int) ([]store.Letter, error) {
	if before == "" {
		before = prefix + "~"
	}
	var out []store.Letter
	err := db.each(ctx, db.pool, "SELECT "+letterColumns+"WHERE o.key >= ? AND o.key < ? ORDER BY o.key DESC LIMIT ?", func(row []driver.Value) error {
		_, l, _, err := db.letter(row)
		if err != nil {
			l.Error = err.Error()
		}
		out = append(out, l)
		return nil
	}, prefix, before, limit)
	if err != nil {
		return nil, fmt.Errorf("reading the outbox: %w", err)
	}
	return out, nil
}

// letters asks for what is to be sent of events that a change has written, and posts it.
// It is of no customer: it outlives an erasure, so nothing personal may be in it.
func (w *writer) letters(in *entry, events []tandem.Event, tasks []tandem.Task, now time.Time) error {
	if w.db.o.Letters == nil {
		return nil
	}
	for i := range events {
		for _, o := range w.db.o.Letters(&events[i], store.About{Number: in.number, Tasks: tasks}) {
			o.Again = true // an event is written once: there can be none before
			if err := w.post(nil, &o, now); err != nil {
				return err
			}
		}
	}
	return nil
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
