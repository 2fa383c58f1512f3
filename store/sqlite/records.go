package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"tandem/store"
)

// Update runs do in a transaction of the one writer and returns when what it wrote is
// durable. If do fails nothing of it is written and its error comes back; if the store
// cannot write, that is store.ErrUnavailable. do runs between the changes of calls: it
// computes nothing slow and waits for nothing.
func (db *DB) Update(ctx context.Context, do func(tx store.Tx) error) error {
	return db.write(ctx, func(w *writer) error { return do(writeTx{w.c}) })
}

// View runs do over one state of the database, beside whatever is written meanwhile.
func (db *DB) View(ctx context.Context, do func(tx store.Tx) error) error {
	tx, err := db.pool.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return fmt.Errorf("reading: %w", err)
	}
	defer tx.Rollback()
	return do(readTx{ctx, db, tx})
}

// writeTx is the writer's connection within an op.
type writeTx struct{ c *conn }

func (t writeTx) Exec(query string, args ...any) (int64, error)   { return t.c.exec(query, args...) }
func (t writeTx) Insert(query string, args ...any) (int64, error) { return t.c.insert(query, args...) }

func (t writeTx) Each(query string, fn func(store.Row) error, args ...any) error {
	return t.c.each(query, func(row []driver.Value) error { return fn(row) }, args...)
}

func (t writeTx) One(query string, fn func(store.Row), args ...any) (bool, error) {
	return t.c.one(query, func(row []driver.Value) { fn(row) }, args...)
}

// readTx is a transaction of the readers' pool.
type readTx struct {
	ctx context.Context
	db  *DB
	tx  *sql.Tx
}

var errReading = errors.New("sqlite: a change inside View")

func (t readTx) Exec(string, ...any) (int64, error)   { return 0, errReading }
func (t readTx) Insert(string, ...any) (int64, error) { return 0, errReading }

func (t readTx) Each(query string, fn func(store.Row) error, args ...any) error {
	for i, a := range args {
		switch v := a.(type) {
		case time.Time:
			args[i] = nanos(v)
		case time.Duration:
			args[i] = int64(v)
		}
	}
	return t.db.each(t.ctx, t.tx, query, func(row []driver.Value) error { return fn(row) }, args...)
}

func (t readTx) One(query string, fn func(store.Row), args ...any) (found bool, err error) {
	err = t.Each(query, func(row store.Row) error {
		if !found {
			fn(row)
		}
		found = true
		return nil
	}, args...)
	return found, err
}

var (
	_ store.Tx = writeTx{}
	_ store.Tx = readTx{}
)
