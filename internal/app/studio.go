package app

import (
	"context"
	"errors"
	"time"

	"tandem"
	"tandem/internal/tally"
	"tandem/store/release"
	"tandem/web/login"
	"tandem/web/studio"
)

// makeStudio makes the bench of flow designers. It begins to answer with the staff's
// door.
func (a *App) makeStudio() {
	a.studio = studio.New(studio.Options{
		Door: a.login, Who: login.From, Shelf: a.shelf, Releases: release.New(a.store, a.now), Journal: a.store, Counts: a.tally.Flow,
		Entries: a.entriesOfFlows, SecondPerson: a.cfg.Studio.SecondPerson, Log: a.log, Now: a.now,
	})
}

// entriesOfFlows is the mapped entries by the flow they lead to.
func (a *App) entriesOfFlows() map[string][]string {
	out := map[string][]string{}
	for _, e := range *a.entries.Load() {
		out[e.Flow] = append(out[e.Flow], e.Name)
	}
	return out
}

// recount counts again, once, what callers did in the day before the start.
func (a *App) recount(ctx context.Context) {
	begun := time.Now()
	n := 0
	err := a.store.Happened(ctx, a.tally.Since().Add(-tally.Day), tally.Kinds(), func(e tandem.Event) error {
		a.tally.Earlier(e)
		n++
		return ctx.Err()
	})
	switch {
	case errors.Is(err, context.Canceled):
	case err != nil:
		a.log.Error("what callers did before the start could not be counted; the studio counts from the start on", "error", err)
	default:
		a.log.Debug("what callers did before the start is counted", "events", n, "took", time.Since(begun))
	}
}
