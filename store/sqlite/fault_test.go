package sqlite

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"tandem/store/storetest"
)

// A panic fails the change it happens in; the writer goes on with the next, and
// nothing of the first is kept.
func TestPanicFailsOneChange(t *testing.T) {
	p := storetest.NewPlace(t)
	var log bytes.Buffer
	told := 0
	for name, change := range map[string]func(*Options){
		"told":   func(o *Options) { o.Panicked = func(any) { told++ } },
		"logged": func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) },
	} {
		db := openAt(t, p, change)
		err := db.write(t.Context(), func(w *writer) error {
			if _, err := w.c.exec("INSERT INTO meta VALUES ('half', 'done')"); err != nil {
				return err
			}
			panic("injected")
		})
		if err == nil || !strings.Contains(err.Error(), "fault of ours") {
			t.Errorf("%s: the change gave %v", name, err)
		}
		call := storetest.NewCall(p.Clock.Now(), storetest.NewRandom(uint64(len(name))), "+1")
		commit(t, db, call.Opening())
		err = db.write(t.Context(), func(w *writer) error {
			_, err := w.c.exec("INSERT INTO meta VALUES ('half', 'done')") // no such row is left
			return err
		})
		if err != nil {
			t.Errorf("%s: afterwards: %v", name, err)
		}
		if err := db.write(t.Context(), func(w *writer) error { _, err := w.c.exec("DELETE FROM meta WHERE name = 'half'"); return err }); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
	if n := strings.Count(log.String(), "stack="); told != 1 || n != 1 {
		t.Errorf("told %d times, logged %d times", told, n)
	}
}
