package queue

import (
	"context"
	"crypto/rand"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tandem"
	"tandem/bridge/route"
	"tandem/store"
	"tandem/store/sqlite"
	"tandem/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// openStore opens the database in a folder, which may be there.
func openStore(t testing.TB, dir string, fault func(string) error) *sqlite.DB {
	t.Helper()
	keys, err := store.NewKeyring(make([]byte, store.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	db, err := sqlite.Open(context.Background(), sqlite.Options{Path: filepath.Join(dir, "tandem.db"), Keys: keys, Log: slog.New(slog.DiscardHandler),
		Probe: 5 * time.Millisecond, Fault: fault})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// housePolicy is one queue and some agents.
func housePolicy(agents ...string) *route.Policy {
	p := &route.Policy{
		Queues:       map[string]*route.Queue{"cards": {Name: "cards", Teams: []string{"day"}, CallbackTries: 2}},
		Teams:        map[string]*route.Team{"day": {Name: "day"}},
		Agents:       map[string]*route.Agent{},
		MostPriority: 10 * time.Minute,
		Blocks:       map[tandem.Load][]tandem.Load{tandem.LoadVoice: {tandem.LoadChat, tandem.LoadSMS, tandem.LoadWork}},
		Offer:        map[tandem.Load]time.Duration{tandem.LoadVoice: 20 * time.Second, tandem.LoadChat: 30 * time.Second},
		WrapUp:       map[tandem.Load]time.Duration{tandem.LoadVoice: time.Minute},
		DeclineRest:  time.Minute,
	}
	for _, a := range agents {
		p.Agents[a] = &route.Agent{Name: a, Teams: []string{"day"}, Capacity: map[tandem.Load]int{tandem.LoadVoice: 1, tandem.LoadChat: 3, tandem.LoadSMS: 5, tandem.LoadWork: 1}}
	}
	return p
}

// house is a running router over a real store.
type house struct {
	*Router
	testing.TB
	db    *sqlite.DB
	ended chan error
	stop  context.CancelFunc
}

func newHouse(t testing.TB, db *sqlite.DB, change func(*Options)) *house {
	t.Helper()
	o := Options{Store: db, Policy: housePolicy("anna", "bo"), Now: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
		Verify: true, Broken: func(f string) { t.Error(f) }}
	if change != nil {
		change(&o)
	}
	r, err := New(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	h := &house{Router: r, TB: t, db: db, ended: make(chan error, 1)}
	var ctx context.Context
	ctx, h.stop = context.WithCancel(context.Background())
	go func() { h.ended <- r.Run(ctx) }()
	return h
}

// close stops the router, and the store too.
func (h *house) close() {
	h.stop()
	if err := <-h.ended; err != nil {
		h.Error(err)
	}
	if err := h.db.Close(); err != nil {
		h.Error(err)
	}
}

// call makes an interaction for a task: the change that makes both.
func (h *house) call() (tandem.InteractionID, *store.Change) {
	c := storetest.NewCall(time.Now(), rand.Reader, "+861012345678")
	return c.ID, c.Opening()
}

// open puts a task of a new interaction into line.
func (h *house) open(kind tandem.TaskKind) tandem.Task {
	h.Helper()
	in, c := h.call()
	t, err := h.Open(context.Background(), tandem.Task{Interaction: in, Kind: kind, Queue: "cards", Key: "visit"}, c)
	if err != nil {
		h.Fatal(err)
	}
	return t
}

// come makes agents available and reachable.
func (h *house) come(agents ...string) {
	h.Helper()
	for _, a := range agents {
		for _, l := range []tandem.Load{tandem.LoadVoice, tandem.LoadChat, tandem.LoadSMS, tandem.LoadWork} {
			h.Reachable(a, l, true)
		}
		if _, err := h.Present(context.Background(), a, tandem.PresenceAvailable, ""); err != nil {
			h.Fatal(err)
		}
	}
}

// task is a task in a state; anything else is wrong.
func (h *house) task(id tandem.TaskID, want tandem.TaskState) tandem.Task {
	h.Helper()
	t, ok := h.Task(id)
	if !ok || t.State != want {
		h.Fatalf("task %s is %q (%t), want %s", id, t.State, ok, want)
	}
	return t
}

// kinds are the kinds of an interaction's events from the line.
func (h *house) kinds(in tandem.InteractionID) (kinds []tandem.EventKind) {
	h.Helper()
	s, err := h.db.Interaction(context.Background(), string(in))
	if err != nil {
		h.Fatal(err)
	}
	for _, e := range s.Events {
		if len(e.Kind) > 5 && e.Kind[:5] == "task." {
			kinds = append(kinds, e.Kind)
		}
	}
	return kinds
}
