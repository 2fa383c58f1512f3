package text

import (
	"context"
	"errors"
	"sync"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/store"
)

// The turns of a conversation are no bound for a session that moves: it has another lane
// before than after. So an interaction has a hand as well, in the lanes called hands:
// whoever takes its session from one lane to another has it, from the look at where the
// session runs to the commit, and so does a turn of a session that nobody listens to. It is
// entered last, by who has a lane's turn.

// exit gives up the turn of a lane to which nobody hands jobs.
func (l *lanes) exit(ln *lane) {
	l.mu.Lock()
	defer l.mu.Unlock()
	<-ln.turn
	l.unuse(ln)
}

// claims are the sessions that somebody of this process is about to take over.
type claims struct {
	mu    sync.Mutex
	by    map[tandem.InteractionID]time.Time // till then
	order []claim
}

type claim struct {
	id    tandem.InteractionID
	until time.Time
}

// add claims a session till a time, later than those before.
func (c *claims) add(id tandem.InteractionID, now, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for ; len(c.order) > 0 && !c.order[0].until.After(now); c.order = c.order[1:] {
		if old := c.order[0]; c.by[old.id].Equal(old.until) {
			delete(c.by, old.id)
		}
	}
	if c.by == nil {
		c.by = map[tandem.InteractionID]time.Time{}
	}
	c.by[id] = until
	c.order = append(c.order, claim{id, until})
}

// until is how long a session is claimed; zero = it is not.
func (c *claims) until(id tandem.InteractionID, now time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at := c.by[id]; at.After(now) {
		return at
	}
	return time.Time{}
}

func (c *claims) drop(id tandem.InteractionID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.by, id)
}

// claim keeps a session that was released for whoever asked for it, for a while. The caller
// has its hand.
func (d *Driver) claim(id tandem.InteractionID, now time.Time) {
	until := now.Add(takeOver)
	d.claims.add(id, now, until)
	d.timers.set(id, until)
}

// claimed reports whether somebody is about to take a session over. If so its turn comes
// when they have not. The caller has its hand.
func (d *Driver) claimed(id tandem.InteractionID) bool {
	until := d.claims.until(id, d.o.Now())
	if until.IsZero() {
		return false
	}
	d.timers.set(id, until)
	return true
}

// free reports whether a session that was released, and is as it was read, is to be had
// still: nobody has taken it over since, and nobody is about to. The caller has its hand.
func (d *Driver) free(ctx context.Context, id tandem.InteractionID, s flow.Session) (bool, error) {
	if d.claimed(id) {
		return false, nil
	}
	data, _, err := d.o.Store.Session(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	now, err := flow.Decode(data)
	return err == nil && now.Facts.Channel == "" && now.Serial == s.Serial, nil
}
