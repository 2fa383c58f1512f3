package sqlite

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/store/storetest"
)

// TestNotedTooLate: what comes after Close is told once.
func TestNotedTooLate(t *testing.T) {
	p := storetest.NewPlace(t)
	var log bytes.Buffer
	db := openAt(t, p, func(o *Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	call := storetest.NewCall(p.Clock.Now(), storetest.NewRandom(1), "+1")
	commit(t, db, call.Opening())
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if log.Len() > 0 {
		t.Errorf("a close in order says %s", log.String())
	}
	for range 2 {
		db.Settle(call.Closing(p.Clock.Now(), tandem.Terminate(tandem.ByRemote, tandem.ReasonHangup)))
		db.Note(call.Event(p.Clock.Now(), tandem.EventInput, nil))
		db.NoteSession(call.ID, []byte("late"))
	}
	if n := strings.Count(log.String(), "after the store was closed"); n != 1 {
		t.Errorf("told %d times: %s", n, log.String())
	}
}

// TestClosedInAnOutage: what an outage kept from the disk is told when the store closes.
func TestClosedInAnOutage(t *testing.T) {
	p := storetest.NewPlace(t)
	var log bytes.Buffer
	s := &shim{}
	db := openAt(t, p, func(o *Options) {
		o.Fault, o.Probe, o.Log = s.fault, time.Hour, slog.New(slog.NewTextHandler(&log, nil))
	})
	call := storetest.NewCall(p.Clock.Now(), storetest.NewRandom(1), "+1")
	commit(t, db, call.Opening())
	s.fail(errors.New("unplugged"))
	db.Note(call.Event(p.Clock.Now(), tandem.EventInput, nil))
	db.Close() // its error is the outage's
	if !strings.Contains(log.String(), "they are lost") {
		t.Errorf("the log says %s", log.String())
	}
}
