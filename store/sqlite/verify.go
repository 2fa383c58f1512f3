package sqlite

import (
	"bufio"
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"tandem"
	"tandem/store"
)

// maxFindings bounds a verdict: one deep cut makes no endless list.
const maxFindings = 100

// verifier walks the journal in the order of writing. Its memory grows by about 100
// bytes for each interaction and 300 for each task.
type verifier struct {
	db *DB
	v  store.Verdict

	n      uint64 // of the event before
	chain  store.Hash
	heads  map[int64]*head
	tasks  map[tandem.TaskID]*told // that are not held against their rows yet
	marks  *checkpointFile
	marked uint64 // n of the newest good checkpoint met, or to come
	signed uint64 // n of the newest checkpoint, as the database has it
}

// head is how far an interaction's journal has come.
type head struct {
	seq    uint64
	hash   store.Hash
	erased bool // an event says that its customer was erased
	gone   bool // its record is missing
}

// Verify checks the whole journal as it is now: every event against its content, the
// event before it and the store-wide chain, every interaction for gaps, every erased
// person for the event that says so, every task for what the events say of it, and the
// signed checkpoints against the chain. An error means that it could not be read; what is
// wrong with it is in the verdict.
func (db *DB) Verify(ctx context.Context) (store.Verdict, error) {
	// In this order, since work goes on: the file has at least what the database says
	// of it, and the snapshot, taken last, at least what the file says of the journal.
	v := &verifier{db: db, heads: map[int64]*head{}, tasks: map[tandem.TaskID]*told{}}
	err := db.each(ctx, db.pool, "SELECT value FROM meta WHERE name = 'signed'", func(row []driver.Value) error {
		v.signed = uint64(asInt(row[0]))
		return nil
	})
	if err != nil {
		return store.Verdict{}, fmt.Errorf("reading the journal: %w", err)
	}
	if v.marks, err = openCheckpoints(db.o.Checkpoints); err != nil {
		return store.Verdict{}, err
	}
	defer v.marks.close()
	tx, err := db.pool.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return store.Verdict{}, fmt.Errorf("reading the journal: %w", err)
	}
	defer tx.Rollback()
	v.nextMark()
	err = db.each(ctx, tx, `SELECT e.n, e.interaction, e.seq, e.at, e.kind, e.leg, e.actor, e.sealed, e.digest, e.hash, e.chain,
			i.id, c.no, c.id, c.key, c.erased
		FROM event e LEFT JOIN interaction i ON i.no = e.interaction LEFT JOIN customer c ON c.no = i.customer ORDER BY e.n`, v.event)
	if err != nil {
		return store.Verdict{}, fmt.Errorf("reading the journal: %w", err)
	}
	if err := v.after(ctx, tx); err != nil {
		return store.Verdict{}, fmt.Errorf("reading the journal: %w", err)
	}
	v.v.OK = len(v.v.Findings) == 0
	return v.v, nil
}

func (v *verifier) find(format string, args ...any) {
	if len(v.v.Findings) >= maxFindings {
		v.v.More++
		return
	}
	v.v.Findings = append(v.v.Findings, fmt.Sprintf(format, args...))
}

// event checks one event against all before it.
func (v *verifier) event(row []driver.Value) error {
	v.v.Events++
	n, no := uint64(asInt(row[0])), asInt(row[1])
	e := tandem.Event{Interaction: tandem.InteractionID(asText(row[11])), Seq: uint64(asInt(row[2])), At: time.Unix(0, asInt(row[3])),
		Kind: tandem.EventKind(asText(row[4])), Leg: tandem.LegID(asText(row[5])), Actor: asText(row[6])}
	var digest, hash, chain store.Hash
	copy(digest[:], asBytes(row[8]))
	copy(hash[:], asBytes(row[9]))
	copy(chain[:], asBytes(row[10]))

	missing := n != v.n+1
	if missing {
		v.find("The journal misses %d event(s), numbers %d to %d of all: they were deleted.", n-v.n-1, v.n+1, n-1)
	} else if store.Chain(v.chain, hash) != chain {
		v.find("The store-wide chain is broken at number %d (interaction %s, event %d): this event, or the one before it, was rewritten.", n, e.Interaction, e.Seq)
	}
	v.n, v.chain = n, chain
	v.interaction(no, &e, digest, hash)
	if h := v.heads[no]; !h.gone {
		if e.Kind == tandem.EventErased {
			h.erased = true
		}
		v.content(&e, row, digest)
	}
	v.checkMarks()
	return nil
}

// interaction checks an event's place in its interaction.
func (v *verifier) interaction(no int64, e *tandem.Event, digest, hash store.Hash) {
	h := v.heads[no]
	if h == nil {
		h = &head{gone: e.Interaction == ""}
		v.heads[no] = h
		if h.gone {
			v.find("An interaction was deleted, but its events are there, from number %d of all.", v.n)
		}
	}
	switch {
	case h.gone:
	case e.Seq != h.seq+1 && e.Seq > h.seq:
		v.find("Interaction %s misses its events %d to %d: they were deleted.", e.Interaction, h.seq+1, e.Seq-1)
	case e.Seq != h.seq+1:
		v.find("Interaction %s has event %d after event %d: its order was altered.", e.Interaction, e.Seq, h.seq)
	case store.EventHash(h.hash, e, digest) != hash:
		v.find("Interaction %s, event %d (%s) was altered: its hash does not fit.", e.Interaction, e.Seq, e.Kind)
	}
	h.seq, h.hash = e.Seq, hash
}

// content checks an event's payload against its digest, as far as there is a key.
func (v *verifier) content(e *tandem.Event, row []driver.Value, digest store.Hash) {
	sealed, wrapped, erased := asBytes(row[7]), asBytes(row[14]), asInt(row[15]) != 0
	key := v.db.o.Keys.System()
	if !store.UnderSystemKey(e.Kind) {
		if wrapped == nil {
			if !erased {
				v.find("Interaction %s, event %d cannot be read: its customer's key is gone, though nobody erased the customer.", e.Interaction, e.Seq)
			}
			return
		}
		var err error
		if key, err = v.db.keys.get(asInt(row[12]), asText(row[13]), wrapped); err != nil {
			v.find("Interaction %s, event %d cannot be read: its customer's key was altered.", e.Interaction, e.Seq)
			return
		}
	}
	data, err := store.OpenEvent(e, sealed, digest, key)
	if err != nil {
		v.find("Interaction %s, event %d (%s) was altered: its content is %v.", e.Interaction, e.Seq, e.Kind, err)
		return
	}
	v.task(e, data)
}

// nextMark reads the next checkpoint, past those that say nothing.
func (v *verifier) nextMark() {
	for {
		line, number, ok := v.marks.next()
		if !ok {
			return
		}
		c, err := v.db.o.Keys.ReadCheckpoint(line)
		switch {
		case err != nil:
			v.find("Checkpoint in line %d of %s was altered: %v.", number, v.marks.path, err)
			continue
		case c.Store != v.db.id:
			v.find("Checkpoint of %s speaks of another database (%s, this is %s): the database was replaced.", when(c), c.Store, v.db.id)
			continue
		case c.N < v.marked:
			v.find("Checkpoint of %s has fewer events (%d) than an earlier one (%d): an older copy of the database was put in place.", when(c), c.N, v.marked)
			continue
		}
		v.v.Checkpoints++
		v.marks.now, v.marked = &c, c.N
		return
	}
}

// checkMarks compares the checkpoints due at this event with the chain.
func (v *verifier) checkMarks() {
	for m := v.marks.now; m != nil && m.N <= v.n; m = v.marks.now {
		if m.N < v.n {
			v.find("Checkpoint of %s cannot be checked: event number %d of all was deleted.", when(*m), m.N)
		} else if m.Chain != hex.EncodeToString(v.chain[:]) {
			v.find("The journal up to number %d of all is not what it was at the checkpoint of %s: it was rewritten.", m.N, when(*m))
		}
		v.marks.now = nil
		v.nextMark()
	}
}

func when(c store.Checkpoint) string { return c.At.UTC().Format("2006-01-02 15:04:05") }

// after checks what shows only at the end.
func (v *verifier) after(ctx context.Context, tx querier) error {
	for m := v.marks.now; m != nil; m = v.marks.now {
		v.find("The journal ends at number %d, but had %d events at the checkpoint of %s: its end was cut off, or an older copy was put in place.", v.n, m.N, when(*m))
		v.marks.now = nil
		v.nextMark()
	}
	if v.marks.err != nil {
		return v.marks.err
	}
	if v.marks.path != "" && v.signed > v.marked {
		v.find("The file of checkpoints %s ends before number %d, which was signed: its end was cut off, or it was replaced or removed.", v.marks.path, v.signed)
	}
	err := v.db.each(ctx, tx, "SELECT i.no, i.id, c.erased FROM interaction i JOIN customer c ON c.no = i.customer", func(row []driver.Value) error {
		h, id, erased := v.heads[asInt(row[0])], asText(row[1]), asInt(row[2]) != 0
		v.v.Interactions++
		if erased {
			v.v.Erased++
		}
		switch {
		case h == nil:
			v.find("Interaction %s has no events: they were deleted.", id)
		case erased && !h.erased:
			v.find("Interaction %s belongs to an erased customer, but no event says who erased them: the key was destroyed behind the journal's back.", id)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return v.rows(ctx, tx)
}

// checkpointFile reads the lines a file had when it was opened.
type checkpointFile struct {
	path   string
	f      *os.File
	lines  *bufio.Reader
	number int
	now    *store.Checkpoint // the next to be compared
	err    error
}

func openCheckpoints(path string) (*checkpointFile, error) {
	c := &checkpointFile{path: path}
	if path == "" {
		return c, nil
	}
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, fmt.Errorf("opening the file of checkpoints: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("opening the file of checkpoints: %w", err)
	}
	c.f, c.lines = f, bufio.NewReader(io.LimitReader(f, info.Size()))
	return c, nil
}

// next returns the next whole line; a torn one at the end was never acknowledged.
func (c *checkpointFile) next() (line []byte, number int, ok bool) {
	if c.lines == nil || c.err != nil {
		return nil, 0, false
	}
	line, err := c.lines.ReadBytes('\n')
	if err != nil {
		if err != io.EOF {
			c.err = fmt.Errorf("reading the file of checkpoints: %w", err)
		}
		return nil, 0, false
	}
	c.number++
	return line, c.number, true
}

func (c *checkpointFile) close() {
	if c.f != nil {
		c.f.Close()
	}
}
