package ticket

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tandem"
	"tandem/bridge/queue"
	"tandem/bridge/route"
	"tandem/ivr/flow"
	"tandem/store"
	"tandem/store/sqlite"
	"tandem/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	_ Database = (*sqlite.DB)(nil)
	_ Line     = (*queue.Router)(nil)
)

// house is a desk over a real line and a real database.
type house struct {
	*Desk
	t     testing.TB
	db    *sqlite.DB
	place storetest.Place
	call  storetest.Call
	who   tandem.Who
	line  *queue.Router
	stop  func()
	log   *bytes.Buffer

	mu    sync.Mutex
	notes []tandem.Notice
	told  []tandem.Notice
	late  []tandem.Task
	fails error // of sending
}

func policy() *route.Policy {
	work := map[tandem.Load]int{tandem.LoadWork: 3}
	return &route.Policy{
		Queues: map[string]*route.Queue{
			"cards": {Name: "cards", Teams: []string{"cards"}, Full: 1, Escalate: []string{"team:leads", "agent:gone", "agent:olga"}, Prefer: time.Minute},
			"leads": {Name: "leads", Teams: []string{"leads"}},
			"loans": {Name: "loans", Teams: []string{"loans"}, Target: map[tandem.TaskKind]time.Duration{tandem.TaskTicket: 2 * time.Hour}},
		},
		Teams: map[string]*route.Team{"cards": {Name: "cards"}, "leads": {Name: "leads"}, "loans": {Name: "loans"}, "idle": {Name: "idle"}},
		Agents: map[string]*route.Agent{
			"anna": {Name: "anna", Teams: []string{"cards"}, Capacity: work}, "li": {Name: "li", Teams: []string{"cards", "loans"}, Capacity: work},
			"olga": {Name: "olga", Teams: []string{"leads"}, Capacity: work}, "loner": {Name: "loner", Teams: []string{"idle"}, Capacity: work},
		},
		Offer: map[tandem.Load]time.Duration{tandem.LoadWork: 5 * time.Minute},
	}
}

func newHouse(t testing.TB) *house {
	t.Helper()
	h := &house{t: t, place: storetest.NewPlace(t), log: &bytes.Buffer{}}
	var err error
	h.db, err = sqlite.Open(context.Background(), sqlite.Options{Path: filepath.Join(h.place.Dir, "tandem.db"), Keys: h.place.Keys, Log: slog.New(slog.DiscardHandler), Now: h.place.Clock.Now})
	h.must(err)
	h.call = storetest.NewCall(h.place.Clock.Now(), rand.Reader, "+8613800000000")
	c := h.call.Opening()
	h.must(h.db.Commit(t.Context(), c))
	h.who = tandem.Who{Interaction: h.call.ID, Leg: h.call.Leg, Customer: c.Interaction.Customer, Channel: tandem.Voice, Lang: "en", Caller: "+8613800000000"}
	h.start(h.db, h.db)
	t.Cleanup(func() {
		h.stop()
		if v, err := h.db.Verify(context.Background()); err != nil || !v.OK {
			t.Errorf("the journal does not verify: %+v, %v", v, err)
		}
		h.db.Close()
	})
	return h
}

// start runs a line and a desk on the stores, as after a crash.
func (h *house) start(line queue.Store, desk Database) {
	h.t.Helper()
	log := slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	h.line, err = queue.New(context.Background(), queue.Options{Store: line, Policy: policy(), Now: h.place.Clock.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
		Verify: true, Broken: func(s string) { h.t.Errorf("broken: %s", s) }})
	h.must(err)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	r := h.line
	go func() { ended <- r.Run(ctx) }()
	h.stop = sync.OnceFunc(func() {
		cancel()
		<-ended
	})
	h.Desk, err = New(Options{
		Database: desk, Line: h.line, Policy: h.line.Policy, URL: "https://pages.example", Now: h.place.Clock.Now, Log: log,
		Send: func(_ context.Context, _ tandem.Who, n tandem.Notice) (bool, error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.notes = append(h.notes, n)
			return h.fails == nil, h.fails
		},
		Tell: func(_ context.Context, _ tandem.InteractionID, n tandem.Notice) (bool, error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.told = append(h.told, n)
			return true, nil
		},
		Overdue: func(t tandem.Task) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.late = append(h.late, t)
		},
	})
	h.must(err)
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) effect(key, owner string, due time.Duration) flow.OpenTicket {
	return flow.OpenTicket{Serial: 3, Step: "file", Key: key, Form: "request", Fields: map[string]any{"wish": "a secret wish"}, Owner: owner, Due: due, Lang: h.who.Lang}
}

// opened opens a ticket in cards.
func (h *house) opened(owner string, due time.Duration) Ticket {
	h.t.Helper()
	e := h.effect(fmt.Sprint("visit ", h.place.Clock.Now().UnixNano()), owner, due)
	r, _, err := h.Open(h.t.Context(), h.who, "cards", e)
	h.must(err)
	n, err := tandem.ParseNumber(r.Value.(string))
	h.must(err)
	t, err := h.ByNumber(h.t.Context(), n)
	h.must(err)
	return t.Ticket
}

func (h *house) task(id tandem.TaskID) tandem.Task {
	h.t.Helper()
	t, ok := h.line.Task(id)
	if !ok {
		h.t.Fatal("the line does not have the task")
	}
	return t
}

// row is the ticket as it stands.
func (h *house) row(id tandem.TaskID) Detail {
	h.t.Helper()
	t, err := h.Find(h.t.Context(), id)
	h.must(err)
	return t
}

// takes has an agent take a ticket.
func (h *house) takes(agent string, id tandem.TaskID) {
	h.t.Helper()
	ctx := h.t.Context()
	_, err := h.line.Present(ctx, agent, tandem.PresenceAvailable, "")
	h.must(err)
	h.line.Reachable(agent, tandem.LoadWork, true)
	h.eventually("it is offered", func() bool {
		t, _ := h.line.Task(id)
		return t.State == tandem.TaskOffered && t.Agent == agent
	})
	t := h.task(id)
	_, err = h.line.Accept(ctx, id, agent, t.Fence)
	h.must(err)
}

// eventually waits till something is so.
func (h *house) eventually(what string, so func() bool) {
	h.t.Helper()
	for range 2000 {
		if so() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	h.t.Fatalf("not within two seconds: %s", what)
}

func (h *house) pass(d time.Duration) {
	h.t.Helper()
	h.place.Clock.Add(d)
	h.must(h.sweep(h.t.Context()))
	h.must(h.settle(h.t.Context()))
}

// journal counts the events of a kind.
func (h *house) journal(kind tandem.EventKind) int {
	h.t.Helper()
	story, err := h.db.Interaction(h.t.Context(), string(h.call.ID))
	h.must(err)
	n := 0
	for _, e := range story.Events {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// token is that of the newest address that was sent.
func (h *house) token() string {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.notes) == 0 {
		h.t.Fatal("nothing was sent")
	}
	token, ok := strings.CutPrefix(h.notes[len(h.notes)-1].URL, "https://pages.example/t/")
	if !ok || !ValidToken(token) {
		h.t.Fatalf("%q is no token", token)
	}
	return token
}

// mortal dies at one of its writes, before or after it; all that share one count together.
type mortal struct {
	*sqlite.DB
	count *counter
}

type counter struct {
	at, after int64
	n         atomic.Int64
}

var errDead = errors.New("dead")

func (c *counter) dies(write func() error) error {
	n := c.n.Add(1)
	switch {
	case c.at > 0 && n > c.at, n == c.at && c.after == 0:
		return errDead
	case n == c.at:
		return errors.Join(write(), errDead)
	}
	return write()
}

func (m mortal) Commit(ctx context.Context, c *store.Change) error {
	return m.count.dies(func() error { return m.DB.Commit(ctx, c) })
}

func (m mortal) CommitAll(ctx context.Context, c ...*store.Change) error {
	return m.count.dies(func() error { return m.DB.CommitAll(ctx, c...) })
}

func (m mortal) Update(ctx context.Context, do func(store.Tx) error) error {
	return m.count.dies(func() error { return m.DB.Update(ctx, do) })
}
