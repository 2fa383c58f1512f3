package sqlite

import (
	"database/sql/driver"
	"errors"
	"fmt"

	"tandem"
	"tandem/store"
)

// entry is what the writer knows of an interaction: where its journal ends.
type entry struct {
	no         int64
	customer   int64
	customerID tandem.CustomerID
	key        *store.Key // nil once erased
	number     tandem.Number
	open       bool // its session or call runs, or is awaited
	tasks      bool // it has had some
	seq        uint64
	hash       store.Hash
}

// entry finds an interaction; store.ErrNotFound if there is none.
func (w *writer) entry(id tandem.InteractionID) (*entry, error) {
	if e, ok := w.entries.get(id); ok {
		return e, nil
	}
	e := &entry{}
	var keyErr error
	found, err := w.c.one(`
		SELECT i.no, i.customer, i.ended, c.id, c.key, e.seq, e.hash, EXISTS (SELECT 1 FROM task WHERE interaction = i.no), i.number
		FROM interaction i JOIN customer c ON c.no = i.customer
		LEFT JOIN event e ON e.interaction = i.no AND e.seq = (SELECT max(seq) FROM event WHERE interaction = i.no)
		WHERE i.id = ?`, func(row []driver.Value) {
		e.no, e.customer, e.open = asInt(row[0]), asInt(row[1]), asInt(row[2]) == 0
		e.customerID = tandem.CustomerID(asText(row[3]))
		e.key, keyErr = w.db.keys.get(e.customer, string(e.customerID), asBytes(row[4]))
		e.seq = uint64(asInt(row[5]))
		copy(e.hash[:], asBytes(row[6]))
		e.tasks, e.number = asInt(row[7]) != 0, tandem.Number(asText(row[8]))
	}, string(id))
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, fmt.Errorf("interaction %s: %w", id, store.ErrNotFound)
	case keyErr != nil:
		return nil, keyErr
	}
	w.entries.put(id, e)
	return e, nil
}

// hashes are those of the event that is being written. They are made into arguments of its
// statement once, not for every event.
type hashes struct {
	digest, hash, chain store.Hash
	args                [3]any
}

func newHashes() *hashes {
	h := &hashes{}
	h.args = [3]any{h.digest[:], h.hash[:], h.chain[:]}
	return h
}

// append adds an event to the end of its interaction and of the store-wide chain, and
// gives it its number. If it fails, nothing has changed.
func (w *writer) append(in *entry, e *tandem.Event) error {
	e.Seq = in.seq + 1
	key := in.key
	if store.UnderSystemKey(e.Kind) {
		key = w.db.o.Keys.System()
	}
	s, err := w.sealer.Seal(e, in.hash, key)
	if err != nil {
		return err
	}
	h := w.hashes
	h.digest, h.hash, h.chain = s.Digest, s.Hash, store.Chain(w.chain, s.Hash)
	_, err = w.c.exec(`INSERT INTO event (n, interaction, seq, at, kind, leg, actor, sealed, digest, hash, chain)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		int64(w.n+1), in.no, int64(e.Seq), nanos(e.At), string(e.Kind), string(e.Leg), e.Actor, s.Content, h.args[0], h.args[1], h.args[2])
	if err != nil {
		return err
	}
	w.touched = true
	w.n++
	w.chain = h.chain
	in.seq, in.hash = e.Seq, s.Hash
	return nil
}

// writeNotes writes what was noted: sessions, then happenings and settled changes in
// the order they came, then the gaps left by those that were lost. What cannot be
// written for its own fault is logged and dropped.
func (w *writer) writeNotes(t *taken) error {
	if err := w.saveSessions(t); err != nil {
		return err
	}
	for i := range t.queue {
		if err := w.writeNoted(&t.queue[i]); err != nil {
			return err
		}
	}
	for id, g := range t.gaps {
		e := tandem.NewEvent(id, "", w.db.o.Now(), tandem.EventJournalGap, "system", g)
		if err := w.note(&e); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) saveSessions(t *taken) error {
	for id, s := range t.sessions {
		in, err := w.entry(id)
		if err == nil && in.open {
			err = w.saveSession(in, id, s)
		}
		if err != nil && isDisk(err) {
			return err
		}
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			w.db.log.Error("session not kept", "interaction", id, "error", err)
		}
	}
	return nil
}

func (w *writer) writeNoted(one *noted) error {
	if one.change == nil {
		return w.note(&one.event)
	}
	id, err := check(one.change)
	if err != nil {
		return nil // Settle has logged it
	}
	result, fatal := w.try(&op{do: func(w *writer) error {
		_, err := w.apply(id, one.change)
		return err
	}})
	if result != nil && fatal == nil && !errors.Is(result, store.ErrDuplicate) {
		w.db.log.Error("change not kept", "interaction", id, "error", result)
	}
	return fatal
}

func (w *writer) note(e *tandem.Event) error {
	in, err := w.entry(e.Interaction)
	if err == nil {
		err = checkEvent(e)
	}
	if err == nil {
		err = w.append(in, e)
	}
	if err != nil && isDisk(err) {
		return err
	}
	if err != nil {
		w.db.log.Error("happening not kept", "interaction", e.Interaction, "kind", e.Kind, "error", err)
	}
	return nil
}
