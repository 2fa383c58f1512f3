// Package audit holds a line that is stored against its journal and against the invariants
// of docs/invariants.md: for `tandem audit`, and for the simulator. It knows nothing of how
// the line decides, changes nothing and runs no goroutine.
package audit

import (
	"context"
	"fmt"

	"tandem"
	"tandem/bridge/route"
	"tandem/store"
)

// Store is what an audit reads: store/sqlite, beside a server or alone.
type Store interface {
	View(ctx context.Context, do func(tx store.Tx) error) error
	EventsAt(ctx context.Context, refs []store.EventRef) ([]tandem.Event, error)
}

// Report is what an audit found.
type Report struct {
	OK           bool      `json:"ok"`
	Interactions int       `json:"interactions"` // that ever had a task
	Tasks        int       `json:"tasks"`
	Live         int       `json:"live"` // tasks that are not done
	Events       int       `json:"events"`
	Offers       int       `json:"offers"`
	Erased       int       `json:"erased"`             // interactions of erased customers, whose tasks the journal tells no more
	Findings     []string  `json:"findings,omitempty"` // what is wrong, a sentence each
	More         int       `json:"more,omitempty"`     // findings beyond those listed
	Notes        []string  `json:"notes,omitempty"`    // what is wrong only if the policy was the same then
	MoreNotes    int       `json:"more_notes,omitempty"`
	Queues       []Figures `json:"queues"`
	Board        Board     `json:"board"` // its figures, held against the journal
}

const (
	mostFindings = 100  // listed
	eventsAtOnce = 1000 // read at once
)

// Read reads the line's rows and its journal as they were at one moment, and holds them
// against each other and against the invariants of docs/invariants.md. It changes nothing.
// policy may be nil: then nothing is said of capacities and of who was overtaken. The error
// is the store's.
func Read(ctx context.Context, st Store, policy *route.Policy) (*Report, error) {
	r, _, err := read(ctx, st, policy)
	return r, err
}

func read(ctx context.Context, st Store, policy *route.Policy) (*Report, *Ledger, error) {
	r := &Report{}
	l := NewLedger(policy, func(finding string) { list(&r.Findings, &r.More, finding) })
	l.Unsure = func(note string) { list(&r.Notes, &r.MoreNotes, note) }
	var books Books
	var refs []store.EventRef
	err := st.View(ctx, func(tx store.Tx) (err error) {
		if books, err = readBooks(tx); err == nil {
			refs, err = taskEvents(tx)
		}
		return err
	})
	for err == nil && len(refs) > 0 {
		some := refs[:min(len(refs), eventsAtOnce)]
		refs = refs[len(some):]
		var events []tandem.Event
		events, err = st.EventsAt(ctx, some)
		for i := range events {
			l.Enter(&events[i])
		}
		r.Events += len(events)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading the line for its audit: %w", err)
	}
	l.Compare(&books)
	of := map[tandem.InteractionID]bool{}
	for i := range books.Tasks {
		of[books.Tasks[i].Interaction] = true
		if books.Tasks[i].State != tandem.TaskDone {
			r.Live++
		}
	}
	r.Interactions, r.Tasks, r.Offers, r.Erased = len(of), len(books.Tasks), len(l.holds), len(l.erased)
	if r.Board, err = readBoard(ctx, st, l.Wrong); err != nil {
		return nil, nil, err
	}
	r.Queues, r.OK = l.Queues(), len(r.Findings) == 0
	return r, l, nil
}

func list(into *[]string, more *int, s string) {
	if len(*into) < mostFindings {
		*into = append(*into, s)
	} else {
		*more++
	}
}

// taskEvents are the places of all events of tasks, in the order of the journal.
func taskEvents(tx store.Tx) (refs []store.EventRef, err error) {
	err = tx.Each("SELECT i.id, e.seq FROM event e JOIN interaction i ON i.no = e.interaction WHERE e.kind LIKE 'task.%' ORDER BY e.n", func(r store.Row) error {
		refs = append(refs, store.EventRef{Interaction: tandem.InteractionID(r.Text(0)), Seq: uint64(r.Int(1))})
		return nil
	})
	return refs, err
}

// readBooks reads all rows of the line.
func readBooks(tx store.Tx) (b Books, err error) {
	if _, err = tx.One("SELECT fence FROM line", func(r store.Row) { b.Fence = uint64(r.Int(0)) }); err != nil {
		return b, err
	}
	err = tx.Each("SELECT "+store.TaskColumns+" FROM task t JOIN interaction i ON i.no = t.interaction ORDER BY t.no", func(r store.Row) error {
		t, err := store.TaskOf(r)
		b.Tasks = append(b.Tasks, t)
		return err
	})
	if err != nil {
		return b, err
	}
	err = tx.Each("SELECT fence, task, agent, load, state, deadline FROM hold ORDER BY fence", func(r store.Row) error {
		b.Holds = append(b.Holds, BookedHold{Fence: uint64(r.Int(0)), Task: tandem.TaskID(r.Text(1)), Agent: r.Text(2), Load: tandem.Load(r.Text(3)),
			State: r.Text(4), Deadline: r.Time(5)})
		return nil
	})
	if err != nil {
		return b, err
	}
	err = tx.Each(`SELECT id, state FROM interaction i WHERE state NOT IN ('open', 'closed')
		OR EXISTS (SELECT 1 FROM task WHERE interaction = i.no AND state <> 'done')`, func(r store.Row) error {
		b.Interactions = append(b.Interactions, tandem.Interaction{ID: tandem.InteractionID(r.Text(0)), State: tandem.State(r.Text(1))})
		return nil
	})
	return b, err
}
