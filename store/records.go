package store

import (
	"database/sql/driver"
	"time"
)

// Tx is one transaction over records that are not the journal's: users of staff, what
// was published, and the like. The package that owns a table writes its SQL; the
// journal's tables are changed by Change alone. A query's text is a constant, with a ?
// for each argument: it is prepared once and kept.
//
// Arguments are int, int64, uint64, float64, bool, string, []byte, time.Time, time.Duration
// or nil.
// A Tx is valid until the function it was given to returns, on that goroutine only.
type Tx interface {
	// Exec runs a statement; changed is the number of rows it changed.
	Exec(query string, args ...any) (changed int64, err error)
	// Insert runs a statement and returns the new row's number.
	Insert(query string, args ...any) (no int64, err error)
	// Each calls fn for every row. Inside fn the same query may not be run again.
	Each(query string, fn func(row Row) error, args ...any) error
	// One calls fn for the first row; found is false if there is none.
	One(query string, fn func(row Row), args ...any) (found bool, err error)
}

// Row is a row of a query, valid during the call it is given to. Columns count from 0;
// NULL is the zero value.
type Row []driver.Value

// Int is column i as a number.
func (r Row) Int(i int) int64 { n, _ := r[i].(int64); return n }

// Bool is column i, a number, as yes or no.
func (r Row) Bool(i int) bool { return r.Int(i) != 0 }

// Text is column i as text.
func (r Row) Text(i int) string {
	switch v := r[i].(type) {
	case string:
		return v
	case []byte:
		return string(v)
	}
	return ""
}

// Bytes is a copy of column i, nil for NULL.
func (r Row) Bytes(i int) []byte {
	switch v := r[i].(type) {
	case []byte:
		return append([]byte{}, v...)
	case string:
		return []byte(v)
	}
	return nil
}

// Duration is column i, nanoseconds.
func (r Row) Duration(i int) time.Duration { return time.Duration(r.Int(i)) }

// Time is column i, Unix nanoseconds, in UTC; 0 is no time.
func (r Row) Time(i int) time.Time {
	n := r.Int(i)
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}
