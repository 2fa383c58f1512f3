package alert

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/hook"
	"tandem/store"
	"tandem/store/sqlite"
	"tandem/store/storetest"
	"tandem/web/desk/board"
)

// floor is a Keeper over a real store and real webhooks, with a line that is given.
type floor struct {
	testing.TB
	place   storetest.Place
	clock   *storetest.Still
	db      *sqlite.DB
	hooks   *hook.Desk
	keeper  *Keeper
	waiting int
	broken  bool
}

func newFloor(t *testing.T) *floor {
	t.Helper()
	f := &floor{TB: t, place: storetest.NewPlace(t), clock: storetest.NewStill(at)}
	f.open()
	return f
}

func (f *floor) open() {
	f.Helper()
	var err error
	f.hooks, err = hook.New(hook.Options{Keys: f.place.Keys, Now: f.clock.Now})
	f.must(err)
	f.db, err = sqlite.Open(f.Context(), sqlite.Options{Path: filepath.Join(f.place.Dir, "tandem.db"), Keys: f.place.Keys, Blobs: f.place.Blobs, Now: f.clock.Now, Letters: f.hooks.Letters,
		Fault: func(string) error {
			if f.broken {
				return errors.New("the disk is full")
			}
			return nil
		}})
	f.must(err)
	f.Cleanup(func() { f.db.Close() })
	f.must(f.hooks.Open(f.Context(), f.db))
	picture := func() board.Picture {
		return board.Picture{Whole: true, Queues: []board.Figures{{Name: "cards", Total: f.waiting}}}
	}
	f.keeper, err = New(f.Context(), Options{Store: f.db, Hooks: f.hooks, Picture: picture, Now: f.clock.Now, Random: storetest.NewRandom(uint64(f.clock.Now().UnixNano()))})
	f.must(err)
}

func (f *floor) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// look lets so many seconds pass, with a look in each.
func (f *floor) look(seconds int) {
	f.Helper()
	for range seconds {
		f.clock.Add(time.Second)
		f.must(f.keeper.Look(f.Context()))
	}
}

func (f *floor) letters() (all []map[string]any) {
	f.Helper()
	leased, err := f.db.Only(store.KindHook).Lease(f.Context(), 50, time.Minute)
	f.must(err)
	for _, l := range leased {
		var body map[string]any
		f.must(json.Unmarshal(l.Body, &body))
		all = append(all, body)
	}
	return all
}

// TestAlertGoesOut: what fires is shown, kept over a restart, told to webhooks once, and over
// in the end; a disk that is full only delays it.
func TestAlertGoesOut(t *testing.T) {
	f := newFloor(t)
	_, _, err := f.hooks.Add(t.Context(), "oli", hook.Wanted{URL: "https://crm.example.com/", Kinds: []string{"alert.*"}})
	f.must(err)
	r, err := f.keeper.Add(t.Context(), "sue", Rule{Name: "Cards wait", Queue: "cards", Metric: Waiting, Bound: 3, Clear: 2, Hold: 2, Severity: Critical, Sound: true, Active: true})
	f.must(err)
	f.waiting = 5
	f.look(2)
	turn := f.keeper.Turn()
	f.broken = true
	f.clock.Add(time.Second)
	if err := f.keeper.Look(t.Context()); err == nil || len(f.keeper.Firing()) != 0 {
		t.Errorf("with a full disk: %v, firing %+v", err, f.keeper.Firing())
	}
	f.broken = false
	patience := time.After(20 * time.Second)
	for tick := time.NewTicker(20 * time.Millisecond); len(f.keeper.Firing()) == 0; { // the store takes a while to try again
		select {
		case <-tick.C:
			_ = f.keeper.Look(t.Context())
		case <-patience:
			t.Fatal("the disk is well and nothing fires")
		}
	}
	firing := f.keeper.Firing()
	if len(firing) != 1 || firing[0].Value != 5 || firing[0].Severity != Critical || firing[0].Rule != r.ID || f.keeper.Turn() == turn {
		t.Fatalf("what fires is %+v", firing)
	}
	f.look(5)
	if letters := f.letters(); len(letters) != 1 || letters[0]["type"] != "alert.fired" || letters[0]["data"].(map[string]any)["value"] != 5.0 || letters[0]["data"].(map[string]any)["name"] != "Cards wait" {
		t.Errorf("told is %v", letters)
	}
	seen, err := f.keeper.Seen(t.Context(), firing[0].ID, "sue")
	f.must(err)
	if seen.SeenBy != "sue" {
		t.Errorf("it was seen by %q", seen.SeenBy)
	}
	f.must(f.db.Close())
	f.open() // and the server is there again
	if again := f.keeper.Firing(); len(again) != 1 || again[0].ID != firing[0].ID || again[0].SeenBy != "sue" {
		t.Fatalf("after a restart there fires %+v", again)
	}
	f.waiting = 2
	f.look(3) // the first letter was on its way as the server stopped: it goes once more
	if len(f.keeper.Firing()) != 0 || len(f.keeper.Past()) != 1 || f.keeper.Past()[0].Why != "over" {
		t.Errorf("firing %+v, past %+v", f.keeper.Firing(), f.keeper.Past())
	}
	if letters := f.letters(); len(letters) != 2 || letters[0]["type"] != "alert.fired" || letters[1]["type"] != "alert.resolved" || letters[1]["data"].(map[string]any)["why"] != "over" {
		t.Errorf("told is %v", letters)
	}
	rules := f.keeper.Rules()
	if len(rules) != 1 || rules[0].Name != "Cards wait" || rules[0].Hold != 2 || rules[0].Bound != 3 || rules[0].Value == nil || *rules[0].Value != 2 {
		t.Errorf("the rules are %+v", rules)
	}
}

// TestRemoveEnds: with its rule an alert is over, and both are gone after a restart.
func TestRemoveEnds(t *testing.T) {
	f := newFloor(t)
	r, err := f.keeper.Add(t.Context(), "sue", Rule{Name: "n", Metric: Waiting, Bound: 0, Active: true})
	f.must(err)
	f.waiting = 1
	f.look(1)
	if len(f.keeper.Firing()) != 1 {
		t.Fatal("nothing fires")
	}
	f.must(f.keeper.Remove(t.Context(), r.ID))
	f.look(1)
	f.must(f.db.Close())
	f.open()
	if len(f.keeper.Firing())+len(f.keeper.Rules()) != 0 || len(f.keeper.Past()) != 1 || f.keeper.Past()[0].Why != "removed" {
		t.Errorf("firing %+v, rules %+v, past %+v", f.keeper.Firing(), f.keeper.Rules(), f.keeper.Past())
	}
	if _, err := f.keeper.Change(context.Background(), r.ID, Rule{Name: "n", Metric: Waiting}); tandem.CodeOf(err) != tandem.CodeNotFound {
		t.Errorf("a rule that is gone: %v", err)
	}
}
