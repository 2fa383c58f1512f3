package sqlite

import (
	"log/slog"
	"path/filepath"
	"testing"

	"tandem/store/storetest"
)

var _ storetest.Store = (*DB)(nil)

// options for a place; random and clock are the test's.
func options(p storetest.Place) Options {
	return Options{Path: filepath.Join(p.Dir, "tandem.db"), Checkpoints: filepath.Join(p.Dir, "checkpoints"), Keys: p.Keys, Blobs: p.Blobs,
		Log: slog.New(slog.DiscardHandler), Now: p.Clock.Now}
}

func openAt(t testing.TB, p storetest.Place, change ...func(*Options)) *DB {
	t.Helper()
	o := options(p)
	for _, f := range change {
		f(&o)
	}
	db, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestSuite(t *testing.T) {
	storetest.Run(t, func(t testing.TB, p storetest.Place) storetest.Store { return openAt(t, p) })
}
