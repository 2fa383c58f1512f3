package link

import (
	"context"
	"crypto/subtle"
	"errors"
	"strings"
	"sync"
	"time"

	"tandem"
	"tandem/store"
)

const (
	maxQuestions = 10_000           // held at once; more are refused until some are over
	askAgain     = 30 * time.Second // between two codes for one page
	maxAsked     = 3                // codes for one page
)

// questions are what pages ask now. They live as long as their links: after a restart
// the page asks anew.
type questions struct {
	mu  sync.Mutex
	all map[tandem.LinkID]*question
}

type question struct {
	Question
	at    time.Time
	times int
	until time.Time // the link's end
}

func (q *questions) of(id tandem.LinkID) (question, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if had := q.all[id]; had != nil {
		return *had, had.times > 0
	}
	return question{}, false
}

// begin counts an asking in advance, so that many at once cause one.
func (q *questions) begin(l *Link, now time.Time) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	had := q.all[l.ID]
	switch {
	case had == nil && len(q.all) >= maxQuestions:
		return tandem.Errorf(tandem.CodeUnavailable, "too many pages ask for a code at once; try again in a minute")
	case had == nil:
		had = &question{until: l.Expires}
		q.all[l.ID] = had
	case had.times >= maxAsked || now.Sub(had.at) < askAgain:
		return ErrTooSoon
	}
	had.times++
	had.at = now
	return nil
}

func (q *questions) put(id tandem.LinkID, asked Question) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if had := q.all[id]; had != nil {
		had.Question = asked
	}
}

func (q *questions) forget(id tandem.LinkID) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.all, id)
}

func (q *questions) sweep(now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for id, had := range q.all {
		if !had.until.After(now) {
			delete(q.all, id)
		}
	}
}

// Ask returns the second factor that an opened page has to ask for. With again, a new
// code is sent: ErrTooSoon if that is too soon after the last or too often. ErrNoFactor
// if there is none.
func (d *Desk) Ask(ctx context.Context, l Link, lang string, again bool) (Question, error) {
	if d.told(&l) {
		return Question{Kind: KindTold}, nil
	}
	if d.o.Factor == nil {
		return Question{}, ErrNoFactor
	}
	if had, ok := d.asked.of(l.ID); ok && !again {
		if had.Kind == "" { // another request is asking at this moment
			return Question{}, ErrTooSoon
		}
		return had.Question, nil
	}
	if err := d.asked.begin(&l, d.now()); err != nil {
		return Question{}, err
	}
	q, err := d.o.Factor.Ask(ctx, l, lang)
	if err != nil {
		if had, _ := d.asked.of(l.ID); had.Kind == "" {
			d.asked.forget(l.ID) // nothing was asked
		}
		return Question{}, err
	}
	d.asked.put(l.ID, q)
	return q, nil
}

// told reports whether the code that Make gave is what counts.
func (d *Desk) told(l *Link) bool { return len(l.code) > 0 && d.carries(l) }

// Prove takes the answer. ok tells whether it was right; after too many that were not the
// link is revoked, which is ErrUnusable. An answer that could not be checked is an error
// and does not count.
func (d *Desk) Prove(ctx context.Context, id tandem.LinkID, browser, typed string) (l Link, ok bool, err error) {
	l, err = d.Page(ctx, id, browser)
	if err != nil || l.State.Over() || d.Proved(l) {
		return l, err == nil, err
	}
	if typed = strings.TrimSpace(typed); typed == "" {
		return l, false, nil
	}
	// It counts as wrong in advance, so that many at once gain nothing.
	counted := false
	err = d.o.Database.Update(ctx, func(tx store.Tx) error {
		n, err := tx.Exec("UPDATE link SET attempts = attempts + 1 WHERE no = ? AND state = ? AND attempts < ?", l.no, string(tandem.LinkOpened), MaxAttempts)
		if counted = n == 1; err != nil {
			return err
		}
		_, err = tx.One("SELECT attempts FROM link WHERE no = ?", func(r store.Row) { l.Attempts = int(r.Int(0)) }, l.no)
		return err
	})
	if err != nil {
		return l, false, err
	}
	if !counted {
		return Link{}, false, ErrUnusable
	}
	if ok, err = d.right(ctx, l, typed); err != nil {
		back := d.o.Database.Update(context.WithoutCancel(ctx), func(tx store.Tx) error {
			_, err := tx.Exec("UPDATE link SET attempts = attempts - 1 WHERE no = ? AND attempts > 0", l.no)
			return err
		})
		return l, false, errors.Join(err, back)
	}
	now := d.now()
	said := tandem.Identified{Method: "code", Level: l.Needs, Outcome: "failed"}
	c := store.Change{}
	if ok {
		l.Proved = l.Expires
		if d.told(&l) && !l.AssuranceUntil.IsZero() && l.AssuranceUntil.Before(l.Proved) {
			l.Proved = l.AssuranceUntil // it carries the session's level, no longer than that holds
		}
		said.Outcome, said.Until = "passed", l.Proved
		c.Legs = []tandem.Leg{pageLeg(&l)}
		c.With = func(tx store.Tx) error {
			n, err := tx.Exec("UPDATE link SET proved = ?, attempts = 0 WHERE no = ? AND state = ? AND expires > ?", l.Proved, l.no, string(tandem.LinkOpened), now)
			if err == nil && n == 0 {
				err = errMoved
			}
			return err
		}
	}
	c.Events = []tandem.Event{tandem.NewEvent(l.Interaction, l.Page, now, tandem.EventIdentified, "caller", said)}
	if err = d.o.Database.Commit(ctx, &c); errors.Is(err, errMoved) {
		return Link{}, false, ErrUnusable // revoked or expired just now
	}
	if err != nil {
		return l, false, err
	}
	if !ok && l.Attempts >= MaxAttempts {
		if err := d.Revoke(ctx, id, "", "too many wrong answers"); err != nil {
			return l, false, err
		}
		return Link{}, false, ErrUnusable
	}
	return l, ok, nil
}

// right checks an answer.
func (d *Desk) right(ctx context.Context, l Link, typed string) (bool, error) {
	if d.told(&l) {
		return subtle.ConstantTimeCompare(l.code, d.blindCode(l.ID, digitsOf(typed))) == 1, nil
	}
	if d.o.Factor == nil {
		return false, ErrNoFactor
	}
	had, ok := d.asked.of(l.ID)
	if !ok || had.Kind == "" {
		return false, ErrTooSoon // nothing was asked since the start: the page asks first
	}
	if had.Kind != "text" {
		typed = digitsOf(typed)
	}
	return d.o.Factor.Check(ctx, l, had.Question, typed)
}

// digitsOf is a code as people type it: in groups, or with the digits of an input method.
func digitsOf(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '０' && r <= '９':
			return '0' + (r - '０')
		case r == ' ' || r == '-' || r == '\u3000' || r == '\u00a0':
			return -1
		}
		return r
	}, s)
}
