package sqlite

import (
	"context"
	"sync"

	"tandem"
	"tandem/store"
)

// notes holds what waits for the writer without anybody waiting for it: happenings
// and settled changes, at most maxKept of both, and then maxSettled changes more, so that
// an outage full of happenings still learns how its calls ended. The newest happenings
// beyond that are counted per interaction, and the journal shows them as a gap; settled
// changes beyond it are logged and lost.
type notes struct {
	first chan struct{} // told when the first happening comes in
	many  chan struct{} // told when it is time not to wait

	mu       sync.Mutex
	queue    []noted
	sessions map[tandem.InteractionID]store.SessionRecord // the newest of each; at most maxKept
	gaps     map[tandem.InteractionID]*tandem.Gap
	spare    []noted // for the next swap
	closed   bool    // nothing is written any more
	late     bool    // something came after that, and the log says so
}

// noted is a happening or, if change is not nil, a settled change.
type noted struct {
	event  tandem.Event
	change *store.Change
}

// manyNotes are written at once instead of at the end of the flush time.
const manyNotes = 1000

// taken is what the writer took to write.
type taken struct {
	queue    []noted
	sessions map[tandem.InteractionID]store.SessionRecord
	gaps     map[tandem.InteractionID]*tandem.Gap
}

func (t *taken) empty() bool { return len(t.queue) == 0 && len(t.sessions) == 0 && len(t.gaps) == 0 }

func (n *notes) init() {
	n.first, n.many = make(chan struct{}, 1), make(chan struct{}, 1)
}

func tell(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// Note adds a happening to the journal: it never blocks, and is durable within
// Options.Flush. While the store fails happenings are kept in memory; those that find
// no room there are counted and shown as a gap. e.Data must not be changed afterwards.
func (db *DB) Note(e tandem.Event) {
	n := &db.notes
	n.mu.Lock()
	defer n.mu.Unlock()
	if db.tooLate() {
		return
	}
	if len(n.queue) >= maxKept {
		cause := "the journal could not keep pace"
		if f := db.health.Load(); f != nil {
			cause = f.cause.Error()
		}
		n.lose(&e, cause)
		return
	}
	n.add(noted{event: e})
}

// Settle writes a change that only says what has happened already and so cannot be
// refused, such as the end of a call. It never blocks; it is durable within
// Options.Flush, in its order among the happenings of Note, and before any Commit that
// comes later. While the store fails it is kept in memory. What is at fault in the
// change itself is logged. The change must not be used afterwards.
func (db *DB) Settle(c *store.Change) {
	_, err := check(c)
	n := &db.notes
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case err != nil:
		db.log.Error("change not kept", "error", err)
	case db.tooLate():
	case len(n.queue) >= maxKept+maxSettled:
		db.log.Error("change not kept: too much waits for the store; what it would have closed is closed at the next start")
	default:
		n.add(noted{change: c})
	}
}

// add queues one for the writer. mu is held.
func (n *notes) add(one noted) {
	n.queue = append(n.queue, one)
	switch len(n.queue) {
	case 1:
		tell(n.first)
	case manyNotes:
		tell(n.many)
	}
}

// NoteSession keeps the newest state of an interaction's flow session; like Note it
// never blocks and trails. data must not be changed afterwards.
func (db *DB) NoteSession(id tandem.InteractionID, data []byte) {
	n := &db.notes
	n.mu.Lock()
	defer n.mu.Unlock()
	if db.tooLate() {
		return
	}
	if n.sessions == nil {
		n.sessions = map[tandem.InteractionID]store.SessionRecord{}
	}
	_, has := n.sessions[id]
	if !has && len(n.sessions) >= maxKept {
		return // the stored one stays as it is: older, and whole
	}
	n.sessions[id] = store.SessionRecord{At: db.o.Now(), Data: data}
	if !has && len(n.sessions) == 1 { // told each time, the writer would put its writing off each time
		tell(n.first)
	}
}

// tooLate reports whether the store is closed, and says once that what comes then is
// lost. notes.mu is held.
func (db *DB) tooLate() bool {
	n := &db.notes
	if n.closed && !n.late {
		n.late = true
		db.log.Error("something was noted after the store was closed: it is lost, and what comes after it; what it would have closed is closed at the next start")
	}
	return n.closed
}

// shut ends the taking of notes and says what was not written.
func (db *DB) shut() {
	n := &db.notes
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
	if left := len(n.queue) + len(n.sessions); left > 0 {
		db.log.Error("the store closes with notes that could not be written: they are lost", "count", left)
	}
}

// Flush returns when everything noted so far is durable.
func (db *DB) Flush(ctx context.Context) error { return db.write(ctx, nil) }

// lose counts a happening that is not kept. mu is held.
func (n *notes) lose(e *tandem.Event, cause string) {
	g := n.gaps[e.Interaction]
	if g == nil {
		if len(n.gaps) >= maxKept {
			return // ten thousand interactions show a gap already
		}
		if n.gaps == nil {
			n.gaps = map[tandem.InteractionID]*tandem.Gap{}
		}
		g = &tandem.Gap{From: e.At, Cause: cause}
		n.gaps[e.Interaction] = g
	}
	g.Lost++
	g.Until = e.At
}

func (n *notes) take() taken {
	n.mu.Lock()
	defer n.mu.Unlock()
	t := taken{n.queue, n.sessions, n.gaps}
	n.queue, n.sessions, n.gaps = n.spare[:0], nil, nil
	n.spare = nil
	return t
}

// recycle gives back the memory of what was written.
func (n *notes) recycle(t taken) {
	clear(t.queue)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.spare = t.queue[:0]
}

// putBack keeps what could not be written, before what came in meanwhile.
func (n *notes) putBack(t taken, cause string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	newer := n.queue
	n.queue = t.queue
	for i := range newer {
		// Changes are few, one or two for each call that was up; all of them stay.
		if newer[i].change != nil || len(n.queue) < maxKept {
			n.queue = append(n.queue, newer[i])
		} else {
			n.lose(&newer[i].event, cause)
		}
	}
	for id, s := range n.sessions {
		if t.sessions == nil {
			t.sessions = map[tandem.InteractionID]store.SessionRecord{}
		}
		t.sessions[id] = s
	}
	n.sessions = t.sessions
	for id, g := range t.gaps {
		if later := n.gaps[id]; later != nil {
			g.Lost += later.Lost
			g.Until = later.Until
		}
		if n.gaps == nil {
			n.gaps = map[tandem.InteractionID]*tandem.Gap{}
		}
		n.gaps[id] = g
	}
}
