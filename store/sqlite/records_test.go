package sqlite

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"tandem/store"
	"tandem/store/storetest"
)

const insertEntry = "INSERT INTO staff_audit (n, at, actor, action, object, detail, source, hash) VALUES (?, ?, ?, 'a', '', '', '', ?)"

func countEntries(t *testing.T, db *DB) (n int64) {
	t.Helper()
	err := db.View(t.Context(), func(tx store.Tx) error {
		_, err := tx.One("SELECT count(*) FROM staff_audit", func(row store.Row) { n = row.Int(0) })
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestUpdateAndView(t *testing.T) {
	p := storetest.NewPlace(t)
	db := openAt(t, p)
	at := time.Unix(1795424400, 7).UTC()
	err := db.Update(t.Context(), func(tx store.Tx) error {
		if no, err := tx.Insert(insertEntry, 1, at, "ann", []byte{1, 2}); err != nil || no != 1 {
			t.Errorf("inserted as %d, %v", no, err)
		}
		if n, err := tx.Exec(insertEntry, uint64(2), time.Time{}, "bob", nil); err == nil || n != 0 {
			t.Errorf("NOT NULL: %d, %v", n, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	err = db.View(t.Context(), func(tx store.Tx) error {
		found, err := tx.One("SELECT at, actor, hash, n = 1, NULL FROM staff_audit WHERE at = ?", func(row store.Row) {
			if !row.Time(0).Equal(at) || row.Text(1) != "ann" || string(row.Bytes(2)) != "\x01\x02" || !row.Bool(3) || row.Bytes(4) != nil || row.Text(4) != "" || !row.Time(4).IsZero() {
				t.Errorf("row %v", row)
			}
		}, at)
		if !found || err != nil {
			t.Errorf("found %t, %v", found, err)
		}
		if _, err := tx.Exec("DELETE FROM staff_user"); !errors.Is(err, errReading) {
			t.Errorf("a change inside View: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestUpdateIsAllOrNothing(t *testing.T) {
	p := storetest.NewPlace(t)
	db := openAt(t, p)
	wrong := errors.New("wrong")
	err := db.Update(t.Context(), func(tx store.Tx) error {
		if _, err := tx.Insert(insertEntry, 1, 0, "ann", []byte{}); err != nil {
			t.Error(err)
		}
		return wrong
	})
	if !errors.Is(err, wrong) || countEntries(t, db) != 0 {
		t.Errorf("a failed change: %v, %d rows", err, countEntries(t, db))
	}
	if err := db.Update(t.Context(), func(store.Tx) error { panic("boom") }); err == nil || !strings.Contains(err.Error(), "boom") {
		t.Errorf("a panic: %v", err)
	}
	// The writer lives, and calls' changes and these share it.
	commit(t, db, storetest.NewCall(p.Clock.Now(), storetest.NewRandom(1), "+8613800138000").Opening())
	done, cancel := context.WithCancel(t.Context())
	cancel()
	if err := db.Update(done, func(store.Tx) error { return nil }); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("after its context: %v", err)
	}
	if v, err := db.Verify(t.Context()); err != nil || !v.OK {
		t.Errorf("verdict %+v, %v", v, err)
	}
}

func TestUpdateRefused(t *testing.T) {
	p := storetest.NewPlace(t)
	openAt(t, p).Close()
	reader, err := OpenReader(t.Context(), options(p))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := reader.Update(t.Context(), func(store.Tx) error { return nil }); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("by a reader: %v", err)
	}
	if countEntries(t, reader) != 0 {
		t.Error("a reader sees what is not there")
	}
}

func TestAuditIsOnlyAddedTo(t *testing.T) {
	db := openAt(t, storetest.NewPlace(t))
	err := db.Update(t.Context(), func(tx store.Tx) error {
		_, err := tx.Insert(insertEntry, 1, 0, "ann", []byte{})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{"UPDATE staff_audit SET actor = 'bob'", "DELETE FROM staff_audit"} {
		err := db.Update(t.Context(), func(tx store.Tx) error {
			_, err := tx.Exec(statement)
			return err
		})
		if err == nil || !strings.Contains(err.Error(), "only added to") {
			t.Errorf("%s: %v", statement, err)
		}
	}
	if countEntries(t, db) != 1 {
		t.Error("the entry is gone")
	}
}
