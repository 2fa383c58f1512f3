package sqlite

import (
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"tandem"
	"tandem/store"
	"tandem/store/storetest"
)

// past is a journal with a history: three calls of six events each, the second one's
// caller erased, and two checkpoints, the first after the first call.
type past struct {
	storetest.Place
	calls [3]storetest.Call
}

func newPast(t *testing.T) past {
	t.Helper()
	p := past{Place: storetest.NewPlace(t)}
	random := storetest.NewRandom(1)
	for i := range p.calls {
		db := openAt(t, p.Place)
		p.calls[i] = storetest.NewCall(p.Clock.Now(), random, fmt.Sprintf("+86138001380%02d", i))
		call := p.calls[i]
		opening := call.Opening()
		commit(t, db, opening)
		db.Note(call.Event(p.Clock.Now(), tandem.EventPrompt, tandem.Prompted{Text: "Welcome"}))
		db.Note(call.Event(p.Clock.Now(), tandem.EventInput, tandem.Pressed{Keys: "1"}))
		commit(t, db, call.Closing(p.Clock.Now(), tandem.Terminate(tandem.ByRemote, tandem.ReasonHangup)))
		if i == 1 {
			if err := db.Erase(t.Context(), opening.Interaction.Customer, "op", "asked"); err != nil {
				t.Fatal(err)
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func commit(t testing.TB, db *DB, c *store.Change) {
	t.Helper()
	if err := db.Commit(context.Background(), c); err != nil {
		t.Fatal(err)
	}
}

// tamper changes the database as somebody would who has the file, but no keys.
func tamper(t *testing.T, path, script string) {
	t.Helper()
	c, err := openConn(path, "rw")
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	if err := c.script("PRAGMA foreign_keys = OFF;" + script); err != nil {
		t.Fatal(err)
	}
}

func verify(t *testing.T, p storetest.Place) store.Verdict {
	t.Helper()
	db, err := OpenReader(t.Context(), options(p))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	v, err := db.Verify(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestVerifyRight(t *testing.T) {
	v := verify(t, newPast(t).Place)
	if !v.OK || v.Events != 19 || v.Interactions != 3 || v.Erased != 1 || v.Checkpoints != 3 || len(v.Findings) != 0 {
		t.Errorf("verdict is %+v", v)
	}
}

func TestVerifyWrong(t *testing.T) {
	const first = "(SELECT no FROM interaction ORDER BY no LIMIT 1)"
	tests := []struct {
		name, script string
		says         string // of some finding; %0 and %1 stand for the first two calls' ids
	}{
		{"header altered", "UPDATE event SET at = at + 1 WHERE n = 3", "Interaction %0, event 3 (flow.prompt) was altered"},
		{"kind altered", "UPDATE event SET kind = 'flow.input' WHERE n = 3", "Interaction %0, event 3 (flow.input) was altered"},
		{"actor altered", "UPDATE event SET actor = 'nobody' WHERE n = 5", "Interaction %0, event 5 (leg.ended) was altered"},
		{"payload altered", "UPDATE event SET sealed = substr(sealed, 1, 20) || x'00' || substr(sealed, 22) WHERE n = 4", "Interaction %0, event 4 (flow.input) was altered: its content"},
		{"payload of another event", "UPDATE event SET sealed = (SELECT sealed FROM event WHERE n = 3) WHERE n = 4", "event 4 (flow.input) was altered: its content"},
		{"payload removed", "UPDATE event SET sealed = NULL WHERE n = 4", "event 4 (flow.input) was altered: its content"},
		{"digest altered", "UPDATE event SET digest = zeroblob(32) WHERE n = 4", "Interaction %0, event 4 (flow.input) was altered: its hash"},
		{"digest of an erased event", "UPDATE event SET digest = zeroblob(32) WHERE n = 9", "Interaction %1, event 3 (flow.prompt) was altered"},
		{"hash altered", "UPDATE event SET hash = zeroblob(32) WHERE n = 4", "Interaction %0, event 4 (flow.input) was altered"},
		{"chain altered", "UPDATE event SET chain = zeroblob(32) WHERE n = 4", "store-wide chain is broken at number 4 (interaction %0, event 4)"},
		{"event deleted", "DELETE FROM event WHERE n = 4", "Interaction %0 misses its events 4 to 4"},
		{"event deleted, the rest renumbered", "DELETE FROM event WHERE n = 4; UPDATE event SET n = -n + 1 WHERE n > 4; UPDATE event SET n = -n WHERE n < 0", "store-wide chain is broken"},
		{"events swapped", "UPDATE event SET seq = 100 WHERE n = 3; UPDATE event SET seq = 3 WHERE n = 4; UPDATE event SET seq = 4 WHERE n = 3", "its order was altered"},
		{"interaction deleted", "DELETE FROM event WHERE interaction = " + first + "; DELETE FROM leg WHERE interaction = " + first + "; DELETE FROM interaction WHERE no = " + first, "The journal misses 6 event(s), numbers 1 to 6"},
		{"only its events deleted", "DELETE FROM event WHERE interaction = " + first, "Interaction %0 has no events"},
		{"only its record deleted", "DELETE FROM interaction WHERE no = " + first, "An interaction was deleted, but its events are there, from number 1"},
		{"end cut off", "DELETE FROM event WHERE n > 15; UPDATE interaction SET state = 'open'", "The journal ends at number 15, but had 19 events at the checkpoint of 2026-11-23"},
		{"all deleted", "DELETE FROM event; DELETE FROM interaction", "The journal ends at number 0"},
		{"id altered", "UPDATE interaction SET id = '06h0f8hig3moi0efio3rg5jqe0' WHERE no = " + first, "Interaction 06h0f8hig3moi0efio3rg5jqe0, event 1"},
		{"key destroyed in silence", "UPDATE customer SET key = NULL WHERE no = 1", "customer's key is gone, though nobody erased the customer"},
		{"erased in silence", "UPDATE customer SET key = NULL, erased = 1 WHERE no = 1", "Interaction %0 belongs to an erased customer, but no event says"},
		{"given to the erased customer", "UPDATE interaction SET customer = 2 WHERE no = 1", "Interaction %0 belongs to an erased customer, but no event says"},
		{"given to another customer", "UPDATE interaction SET customer = 3 WHERE no = 1", "Interaction %0, event 1 (interaction.opened) was altered"},
		{"key of another", "UPDATE customer SET key = (SELECT key FROM customer WHERE no = 3) WHERE no = 1", "customer's key was altered"},
		{"another database's id", "UPDATE meta SET value = 'feed' WHERE name = 'id'; DELETE FROM meta WHERE name = 'check'", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := newPast(t)
			tamper(t, options(p.Place).Path, test.script)
			if test.says == "" { // it does not even open
				if db, err := OpenReader(t.Context(), options(p.Place)); err == nil {
					db.Close()
					t.Error("opened")
				}
				return
			}
			says := strings.NewReplacer("%0", string(p.calls[0].ID), "%1", string(p.calls[1].ID)).Replace(test.says)
			if v := verify(t, p.Place); v.OK || !strings.Contains(strings.Join(v.Findings, "\n"), says) {
				t.Errorf("OK is %v; no finding says %q:\n%s", v.OK, says, strings.Join(v.Findings, "\n"))
			}
		})
	}
}

// TestVerifyRewritten: somebody who knows the format makes the whole chain anew.
func TestVerifyRewritten(t *testing.T) {
	p := newPast(t)
	path := options(p.Place).Path
	c, err := openConn(path, "rw")
	if err != nil {
		t.Fatal(err)
	}
	db, err := OpenReader(t.Context(), options(p.Place))
	if err != nil {
		t.Fatal(err)
	}
	// Its erased caller's second event is told otherwise, and all hashes after it are made to fit.
	tamper(t, path, "UPDATE event SET actor = 'somebody' WHERE n = 8")
	rehash(t, db, c)
	db.Close()
	c.close()
	v := verify(t, p.Place)
	if v.OK || len(v.Findings) == 0 {
		t.Fatal("nobody noticed")
	}
	for _, f := range v.Findings {
		if !strings.Contains(f, "is not what it was at the checkpoint of 2026-11-23 09:00:00") {
			t.Errorf("finding: %s", f)
		}
	}
}

func rehash(t *testing.T, db *DB, c *conn) {
	t.Helper()
	type event struct {
		n      int64
		e      tandem.Event
		digest store.Hash
	}
	var events []event
	err := c.each("SELECT e.n, i.id, e.seq, e.at, e.kind, e.leg, e.actor, e.digest FROM event e JOIN interaction i ON i.no = e.interaction ORDER BY e.n", func(row []driver.Value) error {
		x := event{n: asInt(row[0]), e: tandem.Event{Interaction: tandem.InteractionID(asText(row[1])), Seq: uint64(asInt(row[2])), At: fromNanos(asInt(row[3])),
			Kind: tandem.EventKind(asText(row[4])), Leg: tandem.LegID(asText(row[5])), Actor: asText(row[6])}}
		copy(x.digest[:], asBytes(row[7]))
		events = append(events, x)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	heads := map[tandem.InteractionID]store.Hash{}
	var chain store.Hash
	for _, x := range events {
		hash := store.EventHash(heads[x.e.Interaction], &x.e, x.digest)
		heads[x.e.Interaction] = hash
		chain = store.Chain(chain, hash)
		if _, err := c.exec("UPDATE event SET hash = ?, chain = ? WHERE n = ?", hash[:], chain[:], x.n); err != nil {
			t.Fatal(err)
		}
	}
}

func TestVerifyCheckpointFile(t *testing.T) {
	tests := []struct {
		name   string
		change func([]byte) []byte
		says   string // "" = right
	}{
		{"torn last line", func(b []byte) []byte { return append(b, `{"v":1,"store"`...) }, ""},
		{"a number altered", func(b []byte) []byte { return bytes.Replace(b, []byte(`"n":6`), []byte(`"n":5`), 1) }, "Checkpoint in line 1 of"},
		{"a line that is none", func(b []byte) []byte { return append(b, "hello\n"...) }, "Checkpoint in line 4 of"},
		{"lines swapped", func(b []byte) []byte {
			l := bytes.SplitAfter(b, []byte("\n"))
			return bytes.Join([][]byte{l[1], l[0], l[2]}, nil)
		}, "an older copy of the database was put in place"},
		{"last line cut off", func(b []byte) []byte { return b[:bytes.LastIndexByte(b[:len(b)-1], '\n')+1] }, "ends before number 19, which was signed"},
		{"emptied", func([]byte) []byte { return nil }, "ends before number 19, which was signed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := newPast(t)
			path := options(p.Place).Checkpoints
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, test.change(b), 0o600); err != nil {
				t.Fatal(err)
			}
			v := verify(t, p.Place)
			if (test.says == "") != v.OK || !strings.Contains(strings.Join(v.Findings, "\n"), test.says) {
				t.Errorf("verdict %+v, want %q", v, test.says)
			}
		})
	}
	t.Run("removed", func(t *testing.T) {
		p := newPast(t)
		if err := os.Remove(options(p.Place).Checkpoints); err != nil {
			t.Fatal(err)
		}
		if v := verify(t, p.Place); v.OK || !strings.Contains(v.Findings[0], "replaced or removed") {
			t.Errorf("verdict %+v", v)
		}
	})
}

// TestVerifyOlderCopy: yesterday's database is put in place of today's.
func TestVerifyOlderCopy(t *testing.T) {
	p := newPast(t)
	db := openAt(t, p.Place)
	old := filepath.Join(t.TempDir(), "old.db")
	if err := db.Backup(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	call := storetest.NewCall(p.Clock.Now(), storetest.NewRandom(5), "+1")
	commit(t, db, call.Opening())
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(old, options(p.Place).Path); err != nil {
		t.Fatal(err)
	}
	if v := verify(t, p.Place); v.OK || !strings.Contains(v.Findings[0], "The journal ends at number 19, but had 21 events") {
		t.Errorf("verdict %+v", v)
	}
	// And the work goes on from there, until the chains differ.
	db = openAt(t, p.Place)
	commit(t, db, storetest.NewCall(p.Clock.Now(), storetest.NewRandom(6), "+2").Opening())
	db.Close()
	if v := verify(t, p.Place); v.OK || !strings.Contains(v.Findings[0], "it was rewritten") {
		t.Errorf("verdict %+v", v)
	}
}

// TestVerifyReplaced: another database, of the same master key, in place of ours.
func TestVerifyReplaced(t *testing.T) {
	p, other := newPast(t), newPast(t)
	if err := os.Rename(options(other.Place).Path, options(p.Place).Path); err != nil {
		t.Fatal(err)
	}
	if v := verify(t, p.Place); v.OK || !strings.Contains(v.Findings[0], "speaks of another database") {
		t.Errorf("verdict %+v", v)
	}
}

// TestVerifyWhileWriting: work goes on, with checkpoints, and the verdict is right.
func TestVerifyWhileWriting(t *testing.T) {
	const rounds, calls = 30, 10 // each round verifies all that was written before
	p := storetest.NewPlace(t)
	db := openAt(t, p, func(o *Options) { o.CheckpointEvery = 1e6 })
	random := storetest.NewRandom(1)
	for range rounds {
		writing := make(chan struct{})
		var written sync.WaitGroup
		written.Go(func() {
			for i := range calls {
				err := db.Commit(context.Background(), storetest.NewCall(p.Clock.Now(), random, "+1").Opening())
				if err != nil && !errors.Is(err, store.ErrNumberTaken) { // of so many, two may draw the same; the program draws again
					t.Error(err)
				}
				if i == 0 {
					close(writing)
				}
			}
		})
		<-writing
		v := verify(t, p)
		written.Wait()
		if !v.OK {
			t.Fatalf("verdict %+v", v)
		}
	}
}
