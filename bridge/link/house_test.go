package link

import (
	"bytes"
	"context"
	"crypto/rand"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"tandem"
	"tandem/store"
	"tandem/store/sqlite"
	"tandem/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// house is a desk over a real database, with an interaction that asks for links.
type house struct {
	*Desk
	db    *sqlite.DB
	place storetest.Place
	call  storetest.Call
	who   tandem.CustomerID
	log   *bytes.Buffer

	mu      sync.Mutex
	changes []change
}

type change struct {
	link   Link
	state  tandem.LinkState
	fields map[string]any
}

func newHouse(t testing.TB, factor Factor) *house {
	t.Helper()
	p := storetest.NewPlace(t)
	h := &house{place: p, log: &bytes.Buffer{}}
	var err error
	h.db, err = sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(p.Dir, "tandem.db"), Keys: p.Keys, Log: slog.New(slog.DiscardHandler), Now: p.Clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.db.Close() })
	h.call = storetest.NewCall(p.Clock.Now(), rand.Reader, "+8613800000000")
	c := h.call.Opening()
	if err := h.db.Commit(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	h.who = c.Interaction.Customer
	h.Desk, err = New(Options{
		Database: h.db, URL: "https://pages.example", Blind: p.Keys.Blind, Factor: factor, Now: p.Clock.Now,
		Log: slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Changed: func(_ context.Context, l Link, s tandem.LinkState, fields map[string]any) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.changes = append(h.changes, change{l, s, fields})
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (h *house) order(key string) Order {
	return Order{
		Key: key, Interaction: h.call.ID, Leg: h.call.Leg, Customer: h.who, Serial: 7, Operation: "enrol", Params: map[string]any{"user": "zhang"},
		Lang: "en", By: "sms", Flow: "bank", FlowHash: "abc",
	}
}

// made makes a link and returns it with its token.
func (h *house) made(t testing.TB, o Order) (Link, string) {
	t.Helper()
	token := ""
	l, made, err := h.Make(t.Context(), o, func(url string, l Link) (store.Change, error) {
		token = strings.TrimPrefix(url, "https://pages.example/l/")
		return store.Change{}, nil
	})
	if err != nil || !made {
		t.Fatalf("made %t: %v", made, err)
	}
	return l, token
}

func (h *house) opened(t testing.TB, o Order, browser string) Link {
	t.Helper()
	l, _ := h.made(t, o)
	l, err := h.Open(t.Context(), l.ID, browser)
	if err != nil || l.State != tandem.LinkOpened {
		t.Fatalf("%s: %v", l.State, err)
	}
	return l
}

// told is the states that Changed was told of a link.
func (h *house) told(id tandem.LinkID) []tandem.LinkState {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []tandem.LinkState
	for _, c := range h.changes {
		if c.link.ID == id {
			out = append(out, c.state)
		}
	}
	return out
}

// journal is the interaction's events of one kind.
func (h *house) journal(t testing.TB, kind tandem.EventKind) []tandem.Event {
	t.Helper()
	story, err := h.db.Interaction(t.Context(), string(h.call.ID))
	if err != nil {
		t.Fatal(err)
	}
	var out []tandem.Event
	for _, e := range story.Events {
		if e.Kind == kind {
			out = append(out, e)
		}
	}
	return out
}

func (h *house) page(t testing.TB, id tandem.LegID) tandem.Leg {
	t.Helper()
	l, err := h.db.Leg(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
