package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/mattn/go-sqlite3"
)

// conn is the writer's connection: the driver's own, without database/sql between,
// with every statement prepared once. It belongs to the writer's goroutine.
type conn struct {
	c     *sqlite3.SQLiteConn
	stmts map[string]*stmt
}

type stmt struct {
	s    *sqlite3.SQLiteStmt
	args []driver.NamedValue
	row  []driver.Value
}

// dsn has every pragma, so that no connection is ever without them. What writes belongs to
// one goroutine and needs no lock of SQLite's own.
func dsn(path, mode string) string {
	q := "?mode=" + mode + "&_busy_timeout=5000&_foreign_keys=1"
	if mode == "ro" {
		q += "&_query_only=1"
	} else {
		q += "&_mutex=no&_journal_mode=WAL&_synchronous=FULL&_secure_delete=on"
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + q
}

func openConn(path, mode string) (*conn, error) {
	c, err := (&sqlite3.SQLiteDriver{}).Open(dsn(path, mode))
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	return &conn{c: c.(*sqlite3.SQLiteConn), stmts: map[string]*stmt{}}, nil
}

func (c *conn) close() error {
	for _, s := range c.stmts {
		s.s.Close()
	}
	clear(c.stmts)
	return c.c.Close()
}

func (c *conn) prepare(query string, args []any) (*stmt, error) {
	s := c.stmts[query]
	if s == nil {
		ds, err := c.c.Prepare(query)
		if err != nil {
			return nil, err
		}
		s = &stmt{s: ds.(*sqlite3.SQLiteStmt)}
		s.args = make([]driver.NamedValue, s.s.NumInput())
		for i := range s.args {
			s.args[i].Ordinal = i + 1
		}
		c.stmts[query] = s
	}
	if len(args) != len(s.args) {
		return nil, fmt.Errorf("sqlite: %d arguments for %d places", len(args), len(s.args))
	}
	for i, a := range args {
		switch v := a.(type) { // the driver takes int64 only
		case int:
			a = int64(v)
		case uint64:
			a = int64(v)
		case time.Time:
			a = nanos(v)
		case time.Duration:
			a = int64(v)
		}
		s.args[i].Value = a
	}
	return s, nil
}

// exec runs a statement; done is the number of rows it changed.
func (c *conn) exec(query string, args ...any) (done int64, err error) {
	s, err := c.prepare(query, args)
	if err != nil {
		return 0, err
	}
	res, err := s.s.ExecContext(context.Background(), s.args)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// insert runs a statement and returns the row's number.
func (c *conn) insert(query string, args ...any) (int64, error) {
	s, err := c.prepare(query, args)
	if err != nil {
		return 0, err
	}
	res, err := s.s.ExecContext(context.Background(), s.args)
	if err != nil {
		return 0, err
	}
	return res.LastInsertId()
}

// each calls fn for every row. A row is valid during the call only.
func (c *conn) each(query string, fn func(row []driver.Value) error, args ...any) error {
	s, err := c.prepare(query, args)
	if err != nil {
		return err
	}
	rows, err := s.s.QueryContext(context.Background(), s.args)
	if err != nil {
		return err
	}
	defer rows.Close()
	if s.row == nil {
		s.row = make([]driver.Value, len(rows.Columns()))
	}
	for {
		if err := rows.Next(s.row); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if err := fn(s.row); err != nil {
			return err
		}
	}
}

// one calls fn for the first row; found is false if there is none.
func (c *conn) one(query string, fn func(row []driver.Value), args ...any) (found bool, err error) {
	err = c.each(query, func(row []driver.Value) error {
		if !found {
			fn(row)
		}
		found = true
		return nil
	}, args...)
	return found, err
}

// script runs several statements, such as a migration.
func (c *conn) script(text string) error {
	_, err := c.c.Exec(text, nil)
	return err
}

// Columns by type; NULL is the zero value.
func asInt(v driver.Value) int64 { n, _ := v.(int64); return n }

func asBytes(v driver.Value) []byte {
	switch v := v.(type) {
	case []byte:
		return v
	case string:
		return []byte(v)
	}
	return nil
}

func asText(v driver.Value) string {
	switch v := v.(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return ""
}

// Times are kept as Unix nanoseconds; 0 is no time.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func fromNanos(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}
