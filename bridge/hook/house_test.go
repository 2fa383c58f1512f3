package hook

import (
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"tandem"
	"tandem/store"
	"tandem/store/outbox"
	"tandem/store/sqlite"
	"tandem/store/storetest"
)

// house is a desk over a store, with a receiver and the worker that delivers to it.
type house struct {
	*Desk
	t     *testing.T
	place storetest.Place
	still *storetest.Still
	db    *sqlite.DB
	seed  *storetest.Random

	mu     sync.Mutex
	answer func(r *http.Request, body []byte) int // nil = 204
	got    []received
	server *httptest.Server
}

// received is what came to the receiver.
type received struct {
	id, signature, timestamp string
	body                     []byte
}

func (r received) data(t *testing.T) (kind string, data map[string]any) {
	t.Helper()
	var m struct {
		Type string
		Data map[string]any
	}
	if err := json.Unmarshal(r.body, &m); err != nil {
		t.Fatal(err)
	}
	return m.Type, m.Data
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, place: storetest.NewPlace(t), still: storetest.NewStill(time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)), seed: storetest.NewRandom(3)}
	h.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		h.mu.Lock()
		defer h.mu.Unlock()
		code := http.StatusNoContent
		if h.answer != nil {
			code = h.answer(r, body)
		}
		if code < 300 {
			h.got = append(h.got, received{r.Header.Get("webhook-id"), r.Header.Get("webhook-signature"), r.Header.Get("webhook-timestamp"), body})
		}
		w.WriteHeader(code)
	}))
	t.Cleanup(h.server.Close)
	h.open()
	return h
}

// open opens the store and the desk, as after a start of the program.
func (h *house) open() {
	h.t.Helper()
	var err error
	h.Desk, err = New(Options{Keys: h.place.Keys, Private: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Now: h.still.Now, Random: h.seed, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		h.t.Fatal(err)
	}
	h.db, err = sqlite.Open(h.t.Context(), sqlite.Options{Path: filepath.Join(h.place.Dir, "tandem.db"), Keys: h.place.Keys, Log: slog.New(slog.DiscardHandler),
		Now: h.still.Now, Letters: h.Desk.Letters})
	if err != nil {
		h.t.Fatal(err)
	}
	db, desk := h.db, h.Desk
	h.t.Cleanup(func() { db.Close(); desk.Close() })
	if err := h.Open(h.t.Context(), h.db); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) says(code int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.answer = func(*http.Request, []byte) int { return code }
}

// taken is what has come since the last look.
func (h *house) taken() []received {
	h.mu.Lock()
	defer h.mu.Unlock()
	got := h.got
	h.got = nil
	return got
}

func (h *house) add(kinds ...string) (Subscription, string) {
	h.t.Helper()
	s, secret, err := h.Add(h.t.Context(), "dana", Wanted{URL: h.server.URL + "/in?token=hush", Kinds: kinds})
	if err != nil {
		h.t.Fatal(err)
	}
	return s, secret
}

func (h *house) commit(c *store.Change) {
	h.t.Helper()
	if err := h.db.Commit(h.t.Context(), c); err != nil {
		h.t.Fatal(err)
	}
}

// call opens an interaction, and a task of it.
func (h *house) call() (storetest.Call, tandem.Task) {
	h.t.Helper()
	h.still.Add(time.Second)
	now := h.still.Now()
	call := storetest.NewCall(now, h.seed, "+8613800138000")
	task := tandem.Task{ID: tandem.NewID[tandem.TaskID](now, h.seed), Interaction: call.ID, Kind: tandem.TaskCall, Queue: "cards", State: tandem.TaskWaiting,
		Arrived: now, Due: now.Add(20 * time.Second)}
	h.commit(call.Opening())
	h.commit(&store.Change{Tasks: []tandem.Task{task}, Events: []tandem.Event{call.Event(now, tandem.EventTaskOpened, task)}})
	return call, task
}

// deliver does what the worker does: one round of all that is due.
func (h *house) deliver() (errs []error) {
	h.t.Helper()
	leased, err := h.db.Only(Kind).Lease(h.t.Context(), 1000, time.Minute)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, l := range leased {
		err := h.Deliver(h.t.Context(), l.Outgoing)
		switch {
		case err == nil:
			err = h.db.Delivered(h.t.Context(), l.Key)
		case errors.Is(err, outbox.ErrPermanent) || l.Attempt == 12:
			errs = append(errs, err)
			err = h.db.Failed(h.t.Context(), l.Key, err, time.Time{})
			h.GivenUp(h.t.Context(), l.Outgoing, errs[len(errs)-1])
		default:
			errs = append(errs, err)
			err = h.db.Failed(h.t.Context(), l.Key, err, h.still.Now().Add(time.Minute))
		}
		if err != nil {
			h.t.Fatal(err)
		}
	}
	return errs
}

func (h *house) find(id string) Subscription {
	h.t.Helper()
	s, err := h.Find(id)
	if err != nil {
		h.t.Fatal(err)
	}
	return s
}

func (h *house) await(what func() bool) {
	h.t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	late := time.After(10 * time.Second)
	for !what() {
		select {
		case <-look.C:
		case <-late:
			h.t.Fatal("it does not happen")
		}
	}
}
