package app

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"tandem"
	"tandem/bridge/queue"
	"tandem/bridge/queue/figures"
	"tandem/store"
	"tandem/store/sqlite"
	"tandem/web/desk"
	"tandem/web/desk/alert"
	"tandem/web/desk/board"
)

// makeBoard makes what supervisors see besides the line, and has it follow: the figures out of
// the journal, the alerts out of the figures. Its goroutines end with the line's.
func (a *App) makeBoard() (o desk.Overview, err error) {
	ctx, stop := context.WithCancel(context.Background())
	defer func() {
		if err != nil {
			stop()
		}
	}()
	book, err := figures.New(figures.Options{Store: a.store, Now: a.now, Log: a.log})
	if err != nil {
		return o, err
	}
	seen := board.New(a.now, book)
	keeper, err := alert.New(ctx, alert.Options{Store: a.store, Hooks: a.hooks, Picture: func() board.Picture { return seen.Picture(a.line) }, Now: a.now, Random: a.random,
		Panicked: func() { a.metrics.panics.WithLabelValues("alerts").Inc() }, Log: a.log})
	if err != nil {
		return o, err
	}
	unwatch, stopLine := a.line.Watch(func(queue.Fact) { book.Stir() }), a.stopLine
	a.stopLine = func() {
		unwatch()
		stop()
		stopLine()
	}
	a.lining.Go(func() { a.keep(ctx, "figures", book.Follow) })
	a.lining.Go(func() { a.keep(ctx, "alerts", keeper.Run) })
	return desk.Overview{Board: seen, Book: book, Alerts: keeper, Where: (&finder{store: a.store, now: a.now}).where}, nil
}

const (
	maxWhere = 5000        // customers whose place in a flow is looked up at once
	whereFor = time.Second // how long what was found is believed
)

// finder looks in which step of a flow customers are, by the journal. It is safe from any
// goroutine; who asks while it looks waits for what it finds.
type finder struct {
	store *sqlite.DB
	now   func() time.Time

	mu   sync.Mutex
	at   time.Time // of what was found last
	all  []desk.Whereabouts
	more int
}

// where is in which step everybody is whose session runs: of one flow, or of all.
func (f *finder) where(ctx context.Context, flow string) (out []desk.Whereabouts, more int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := f.now(); f.at.IsZero() || now.Sub(f.at) >= whereFor || now.Before(f.at) {
		if err := f.look(ctx); err != nil {
			return nil, 0, fmt.Errorf("looking where customers are: %w", err)
		}
		f.at = now
	}
	for _, w := range f.all {
		if flow == "" || w.Flow == flow {
			out = append(out, w)
		}
	}
	return out, f.more, nil
}

// look reads the newest step of each interaction that runs. mu is held.
func (f *finder) look(ctx context.Context) error {
	more := 0
	var refs []store.EventRef
	var heads []desk.Whereabouts
	err := f.store.View(ctx, func(tx store.Tx) error {
		return tx.Each(`SELECT i.id, coalesce(i.number, ''), i.entry, i.state,
				(SELECT e.seq FROM event e WHERE e.interaction = i.no AND e.kind IN ('flow.step', 'flow.ended') ORDER BY e.seq DESC LIMIT 1),
				coalesce((SELECT l.kind FROM leg l WHERE l.interaction = i.no AND l.role = 'customer' AND l.ended = 0 ORDER BY l.no DESC LIMIT 1), '')
			FROM interaction i WHERE i.ended = 0 ORDER BY i.no DESC`, func(r store.Row) error {
			if r.Int(4) == 0 {
				return nil
			}
			if len(refs) == maxWhere {
				more++
				return nil
			}
			id := tandem.InteractionID(r.Text(0))
			refs = append(refs, store.EventRef{Interaction: id, Seq: uint64(r.Int(4))})
			heads = append(heads, desk.Whereabouts{Interaction: id, Number: tandem.Number(r.Text(1)), Entry: r.Text(2), State: tandem.State(r.Text(3)), Channel: tandem.LegKind(r.Text(5))})
			return nil
		})
	})
	if err != nil {
		return err
	}
	events, err := f.store.EventsAt(ctx, refs)
	if err != nil {
		return err
	}
	all := make([]desk.Whereabouts, 0, len(events))
	for i, e := range events {
		if e.Kind != tandem.EventStep {
			continue
		}
		var step tandem.StepEntered
		if len(e.Data) == 0 || json.Unmarshal(e.Data, &step) != nil {
			continue
		}
		w := heads[i]
		w.Flow, w.Step, w.Since = step.Flow, step.Step, e.At.UTC()
		all = append(all, w)
	}
	f.all, f.more = all, more
	return nil
}
