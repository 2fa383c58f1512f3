package audit

import (
	"context"
	"database/sql"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/queue"
	"tandem/bridge/queue/figures"
	"tandem/bridge/route"
	"tandem/store"
	"tandem/store/sqlite"
	"tandem/store/storetest"
)

// shift is a line with a Book beside it, in a time that a test moves.
type shift struct {
	testing.TB
	place  storetest.Place
	clock  *storetest.Still
	chance *rand.Rand
	db     *sqlite.DB
	router *queue.Router
	book   *figures.Book
	stop   func()
}

// boardPolicy is killPolicy with a second queue.
func boardPolicy() *route.Policy {
	p := killPolicy()
	p.Queues["loans"] = &route.Queue{Name: "loans", Teams: []string{"day"}}
	p.Offer, p.WrapUp = map[tandem.Load]time.Duration{tandem.LoadChat: time.Hour}, map[tandem.Load]time.Duration{tandem.LoadChat: time.Minute}
	return p
}

func newShift(t testing.TB) *shift {
	return &shift{TB: t, place: storetest.NewPlace(t), clock: storetest.NewStill(time.Date(2026, 11, 22, 23, 30, 0, 0, time.UTC)), chance: rand.New(rand.NewPCG(7, 7))}
}

func (s *shift) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// open starts the store, the line and the Book.
func (s *shift) open() {
	s.Helper()
	var err error
	now := func() time.Time { return s.clock.Now().UTC() }
	s.db, err = sqlite.Open(s.Context(), sqlite.Options{Path: filepath.Join(s.place.Dir, "tandem.db"), Keys: s.place.Keys, Blobs: s.place.Blobs, Now: now})
	s.must(err)
	s.router, err = queue.New(s.Context(), queue.Options{Store: s.db, Policy: boardPolicy(), Now: now, Random: storetest.NewRandom(uint64(s.clock.Now().UnixNano()))})
	s.must(err)
	s.book, err = figures.New(figures.Options{Store: s.db, Now: now})
	s.must(err)
	ctx, stop := context.WithCancel(context.Background())
	unwatch := s.router.Watch(func(queue.Fact) { s.book.Stir() })
	ended := make(chan struct{}, 2)
	go func() { _ = s.router.Run(ctx); ended <- struct{}{} }()
	go func() { s.book.Follow(ctx); ended <- struct{}{} }()
	s.stop = func() {
		unwatch()
		stop()
		<-ended
		<-ended
		s.must(s.db.Close())
	}
	s.router.Reachable("agent00", tandem.LoadChat, true)
	_, err = s.router.Present(s.Context(), "agent00", tandem.PresenceAvailable, "")
	s.must(err)
}

// serve lets a while of a busy line pass: customers come, are served, change queue, come back
// into line, or leave.
func (s *shift) serve(minutes int) {
	s.Helper()
	ctx := s.Context()
	for range minutes * 2 {
		s.clock.Add(30 * time.Second)
		if s.chance.IntN(3) > 0 {
			call := storetest.NewCall(s.clock.Now(), storetest.NewRandom(uint64(s.clock.Now().UnixNano())+s.chance.Uint64()), "+861012345678")
			_, err := s.router.Open(ctx, tandem.Task{Interaction: call.ID, Kind: tandem.TaskChat, Queue: []string{"cards", "loans"}[s.chance.IntN(2)], Key: "visit"}, call.Opening())
			s.must(err)
		}
		for _, t := range s.router.Tasks("", 0) {
			switch {
			case t.State == tandem.TaskOffered:
				_, err := s.router.Accept(ctx, t.ID, t.Agent, t.Fence)
				if tandem.CodeOf(err) != tandem.CodeConflict {
					s.must(err)
				}
			case t.State == tandem.TaskAssigned && s.chance.IntN(3) == 0:
				_, err := s.router.Release(ctx, route.Released{Task: t.ID, Agent: t.Agent, Fence: t.Fence, Outcome: tandem.OutcomeServed, NoWrap: true}, nil)
				s.must(err)
			case t.State == tandem.TaskWaiting && s.chance.IntN(6) == 0:
				s.must(s.router.End(ctx, t.ID, tandem.OutcomeLeft, nil))
			case t.State == tandem.TaskWaiting && s.chance.IntN(8) == 0:
				_, err := s.router.Change(ctx, route.Changed{Task: t.ID, Queue: "loans", Why: "transfer"}, nil)
				s.must(err)
			}
		}
	}
}

// kept waits until the Book has read everything and kept what is over.
func (s *shift) kept() {
	s.Helper()
	s.clock.Add(figures.Span + 3*time.Minute)
	last := s.clock.Now().Add(-3 * time.Minute).UTC().Truncate(figures.Span).Add(-figures.Span)
	_, err := s.router.Present(s.Context(), "agent00", tandem.PresenceAvailable, "") // something happens
	s.must(err)
	patience := time.NewTimer(30 * time.Second)
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		var at time.Time
		s.must(s.db.View(s.Context(), func(tx store.Tx) error {
			_, err := tx.One("SELECT coalesce(max(at), 0) FROM figure", func(r store.Row) { at = r.Time(0) })
			return err
		}))
		if !at.Before(last) {
			return
		}
		select {
		case <-patience.C:
			s.Fatalf("kept is up to %v, not %v", at, last)
		case <-tick.C:
			s.book.Stir()
		}
	}
}

func (s *shift) audit() *Report {
	s.Helper()
	r, err := Read(s.Context(), s.db, boardPolicy())
	s.must(err)
	return r
}

// TestBoardIsTheJournal: what the board has of hours in which everything happens, over restarts
// of the server and over midnight, is what the journal says; and whatever is changed in it is
// found.
func TestBoardIsTheJournal(t *testing.T) {
	s := newShift(t)
	s.open()
	s.serve(25)
	s.kept()
	s.stop()
	s.clock.Add(17 * time.Minute) // nobody is there
	s.open()
	s.serve(25)
	s.kept()
	today, since, whole := s.book.Today()
	if sum := today[figures.Key{}]; !whole || since.Day() != 23 || sum.Opened == 0 || sum.Answered == 0 || sum.Left == 0 {
		t.Errorf("today is %+v since %v, whole %t", sum, since, whole)
	}
	r := s.audit()
	if !r.OK || r.Board.Buckets < 10 || r.Board.Figures < 40 {
		t.Fatalf("ok %t, board %+v: %v", r.OK, r.Board, r.Findings)
	}
	s.stop()
	s.open()
	var again map[figures.Key]figures.Counts
	for tick := time.NewTicker(20 * time.Millisecond); ; <-tick.C {
		if now, _, whole := s.book.Today(); whole {
			again = now
			break
		}
	}
	for k, c := range today {
		if a := again[k]; a.Opened != c.Opened || a.Answered != c.Answered || a.Within != c.Within || a.Left != c.Left || a.Waits.String() != c.Waits.String() {
			t.Errorf("of %v today is %+v, before the restart it was %+v", k, a, c)
		}
	}
	s.stop()
	for name, c := range map[string]struct{ do, want string }{
		"one more":          {"UPDATE figure SET opened = opened + 1 WHERE rowid_of", "the board has opened"},
		"fewer who left":    {"UPDATE figure SET gone = 0 WHERE gone > 0", "the board has left"},
		"a better level":    {"UPDATE figure SET within = within + 1 WHERE answered > 0", "the board has within"},
		"nobody waited":     {"UPDATE figure SET most = 0", "the board has most"},
		"shorter waits":     {"UPDATE figure SET waits = '0:1' WHERE answered > 1", "the board has waits"},
		"another queue":     {"UPDATE figure SET queue = 'other' WHERE queue = 'loans'", "queue other"},
		"five minutes gone": {"DELETE FROM figure WHERE at = (SELECT at FROM figure WHERE opened > 0 ORDER BY at LIMIT 1 OFFSET 20)", "the board has"},
		"a number too many": {"INSERT INTO figure SELECT at, 'nobodys', kind, opened, answered, within, gone, waiting, most, waits FROM figure WHERE queue = 'cards'", "queue nobodys"},
	} {
		t.Run(name, func(t *testing.T) {
			do := strings.Replace(c.do, "WHERE rowid_of", "WHERE at = (SELECT max(at) FROM figure WHERE opened > 0)", 1)
			path := filepath.Join(s.place.Dir, "tandem.db")
			rewrite(t, path, "CREATE TABLE figure_was AS SELECT * FROM figure")
			defer rewrite(t, path, "DELETE FROM figure; INSERT INTO figure SELECT * FROM figure_was; DROP TABLE figure_was")
			rewrite(t, path, do)
			db, err := sqlite.Open(t.Context(), sqlite.Options{Path: path, Keys: s.place.Keys, Blobs: s.place.Blobs, Now: s.clock.Now})
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			r, err := Read(t.Context(), db, nil)
			if err != nil {
				t.Fatal(err)
			}
			if all := strings.Join(r.Findings, "\n"); r.OK || !strings.Contains(all, c.want) {
				t.Errorf("ok %t, want %q in:\n%s", r.OK, c.want, all)
			}
		})
	}
}

// rewrite changes a store behind everybody's back.
func rewrite(t *testing.T, path, statements string) {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statements); err != nil {
		t.Fatal(err)
	}
}

// TestBoardOfErased: figures stay right when a customer is erased, and are not taken for wrong.
func TestBoardOfErased(t *testing.T) {
	s := newShift(t)
	s.open()
	s.serve(25)
	s.kept()
	var customers []tandem.CustomerID
	s.must(s.db.View(t.Context(), func(tx store.Tx) error {
		return tx.Each("SELECT DISTINCT c.id FROM customer c JOIN interaction i ON i.customer = c.no JOIN task t ON t.interaction = i.no WHERE t.state = 'done'", func(r store.Row) error {
			customers = append(customers, tandem.CustomerID(r.Text(0)))
			return nil
		})
	}))
	if len(customers) == 0 {
		t.Fatal("nobody was served")
	}
	s.must(s.db.Erase(t.Context(), customers[0], "oli", "asked to"))
	if r := s.audit(); !r.OK || r.Erased == 0 || r.Board.Figures == 0 {
		t.Errorf("ok %t, erased %d: %v", r.OK, r.Erased, r.Findings)
	}
	s.stop()
}
